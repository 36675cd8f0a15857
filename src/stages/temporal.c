// Stage 5, plain C: the definition. See temporal.h.

#include "stages/temporal.h"

#include "frame/tile.h"

#define WEIGHT_BITS 14
#define CHANGED_MAX 2048 // 16 codes of 8 bits: more is a change even if blending is allowed there

struct ksr_temporal_params ksr_temporal_params_make(const struct ksr_pipeline_config *config)
{
    struct ksr_temporal_params p = {
        .weight = (int)(config->temporal_weight * (1 << WEIGHT_BITS) + 0.5),
        .threshold = (int)(config->motion_threshold * KSR_SAMPLE_MAX + 0.5),
    };
    const int ramp = p.threshold - p.threshold / 2;
    for (p.slope_bits = 15; ramp > 0; p.slope_bits--) {
        p.slope = ((p.weight << p.slope_bits) + ramp - 1) / ramp;
        if (p.slope <= INT16_MAX)
            break;
    }
    p.changed = ksr_min(p.threshold / 2, CHANGED_MAX);
    p.period = (ksr_temporal_warmup(config->temporal_weight) + 1) / 2;
    return p;
}

bool ksr_temporal_active(const struct ksr_temporal_params *params)
{
    return params->weight > 0 && params->threshold > 0;
}

int ksr_temporal_warmup(double weight)
{
    int frames = 0;
    for (double left = KSR_SAMPLE_MAX; left >= 0.5; left *= weight)
        frames++;
    return frames;
}

int64_t ksr_temporal_changed_rows(const struct ksr_plane *cur, const struct ksr_plane *before,
                                  const struct ksr_temporal_params *params, int y0, int y1)
{
    int64_t total = 0;
    for (int y = y0; y < y1; y++) {
        const uint16_t *a = cur->data + y * cur->stride, *b = before->data + y * before->stride;
        int count = 0;
        for (int x = 0; x < cur->width; x++) {
            const int d = a[x] - b[x];
            count += (d < 0 ? -d : d) > params->changed;
        }
        total += count;
    }
    return total;
}

bool ksr_temporal_is_cut(int64_t changed, int64_t samples)
{
    return 2 * changed >= samples;
}

// Writes the greatest difference between two frames within the three rows of each column.
static void column_differences(int16_t difference[KSR_TILE_ALL], const struct ksr_plane *cur,
                               const struct ksr_plane *before, int x0, int y)
{
    uint16_t a[KSR_TILE_ALL], b[KSR_TILE_ALL];
    memset(difference, 0, KSR_TILE_ALL * sizeof(difference[0]));
    for (int dy = -1; dy <= 1; dy++) {
        ksr_tile_load(a, cur, x0, y + dy);
        ksr_tile_load(b, before, x0, y + dy);
        for (int i = 0; i < KSR_TILE_ALL; i++) {
            const int d = a[i] - b[i];
            const int16_t size = (int16_t)(d < 0 ? -d : d);
            difference[i] = difference[i] > size ? difference[i] : size;
        }
    }
}

// Fills the weights of the memory. All factors fit int16.
static void find_weights(int16_t *restrict weight, const int16_t *difference, int count,
                         const struct ksr_temporal_params *p)
{
    const int16_t threshold = (int16_t)p->threshold, top = (int16_t)p->weight;
    const int16_t ramp = (int16_t)(p->threshold - p->threshold / 2), slope = (int16_t)p->slope;
    for (int i = 0; i < count; i++) {
        const int16_t *d = difference + KSR_TILE_PAD + i;
        const int16_t side = d[-1] > d[1] ? d[-1] : d[1], motion = side > d[0] ? side : d[0];
        const int16_t left = (int16_t)(threshold - motion);
        const int16_t still = left < 0 ? 0 : left > ramp ? ramp : left;
        const int16_t w = (int16_t)((still * slope) >> p->slope_bits);
        weight[i] = w < top ? w : top;
    }
}

static void blend_tile(uint16_t *restrict memory, const uint16_t *restrict cur,
                       const int16_t *restrict weight, int count)
{
    for (int i = 0; i < count; i++) {
        const int16_t gap = (int16_t)(memory[i] - cur[i]);
        const int16_t size = gap < 0 ? (int16_t)-gap : gap;
        const int16_t step = (int16_t)((weight[i] * size) >> WEIGHT_BITS);
        memory[i] = (uint16_t)(gap < 0 ? cur[i] - step : cur[i] + step);
    }
}

void ksr_temporal_rows(const struct ksr_plane *first, const struct ksr_plane *second,
                       const struct ksr_plane *cur, const struct ksr_plane *before,
                       const struct ksr_temporal_params *params, int y0, int y1)
{
    int16_t difference[KSR_TILE_ALL], weight[KSR_TILE];
    for (int y = y0; y < y1; y++)
        for (int x0 = 0; x0 < cur->width; x0 += KSR_TILE) {
            const int count = ksr_min(KSR_TILE, cur->width - x0);
            const uint16_t *c = cur->data + y * cur->stride + x0;
            column_differences(difference, cur, before, x0, y);
            find_weights(weight, difference, count, params);
            blend_tile(first->data + y * first->stride + x0, c, weight, count);
            if (second)
                blend_tile(second->data + y * second->stride + x0, c, weight, count);
        }
}
