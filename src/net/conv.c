// One row of one layer, plain C: the definition. See conv.h.

#include "net/conv.h"

#include "frame/tile.h"

// Adds the products of a pair of inputs to the sums of some channels.
static void add_pair(int32_t *restrict sum, const int16_t *restrict weight, int a, int b,
                     int channels)
{
    for (int o = 0; o < channels; o++)
        sum[o] += weight[2 * o] * a + weight[2 * o + 1] * b;
}

// One pixel: `outputs` channels from `channel` on.
static void finish(const struct ksr_net_layer *l, const int32_t *sum, int channel,
                   const ksr_act *skip, ksr_act *out)
{
    for (int o = 0; o < l->outputs; o++) {
        const int32_t v = (sum[o] + l->bias[channel + o]) >> l->shift[channel + o];
        out[o] = (ksr_act)ksr_clamp(skip ? v + skip[o] : v, 0, 255);
    }
}

void ksr_net_head(const struct ksr_net_layer *l, const int16_t *const in[], ksr_act *out, int count)
{
    for (int x = 0; x < count; x++) {
        int32_t sum[KSR_MODEL_WIDTH] = {0};
        const int16_t *weight = l->weight16;
        for (int r = 0; r < l->inputs * l->side; r++)
            for (int c = 0; c < l->side; c += 2, weight += 2 * l->outputs)
                add_pair(sum, weight, in[r][x + c], c + 1 < l->side ? in[r][x + c + 1] : 0,
                         l->outputs);
        finish(l, sum, 0, NULL, out + x * l->outputs);
    }
}

// The sums over the kernel whose left side is input `at` of its rows.
static void convolve(const struct ksr_net_layer *l, const ksr_act *const in[3], int at, int channel,
                     int32_t *sum)
{
    const int16_t *weight = l->weight16 + 2 * channel;
    for (int r = 0; r < l->side; r++)
        for (int i = 0; i < l->side * l->inputs; i += 2, weight += 2 * l->channels)
            add_pair(sum, weight, in[r][at + i], in[r][at + i + 1], l->outputs);
}

void ksr_net_body(const struct ksr_net_layer *l, const ksr_act *const in[],
                  const ksr_act *const skip[], ksr_act *const out[], int count, void *work)
{
    (void)work;
    for (int i = 0; i < ksr_net_parts(l); i++) {
        const struct ksr_net_part part = ksr_net_part(l, i, skip, out);
        for (int x = 0; x < count; x++) {
            int32_t sum[KSR_MODEL_WIDTH] = {0};
            convolve(l, in, x * ksr_net_stride(l), part.channel, sum);
            finish(l, sum, part.channel, part.skip ? part.skip + x * part.step : NULL,
                   part.out + x * part.step);
        }
    }
}

void ksr_net_tail(const struct ksr_net_layer *l, const ksr_act *const in[3], int32_t *out,
                  int count)
{
    for (int x = 0; x < count; x++) {
        int32_t sum[KSR_MODEL_CHROMA_OUTPUTS] = {0};
        convolve(l, in, x * l->inputs, 0, sum);
        for (int o = 0; o < l->outputs; o++)
            out[l->outputs * x + o] = (sum[o] + l->bias[o]) >> l->shift[o];
    }
}
