// Eight taps, AVX2 and AVX-512; equal to the plain C ones in stages/fir.c.
//
// One instruction multiplies and adds a pair of taps. Of several rows two are interleaved, and
// packing puts the two halves in order again; along a row neighbours are a pair as they are, for
// every second output, and from the next sample on for the others. The last block ends with the
// last sample, and may overlap the one before.

#include "stages/fir.h"

#include "core/x86/lanes.h"

#define PAIRS (KSR_FIR_TAPS / 2)

struct filter {
    lanes taps[PAIRS], bias;
};

static struct filter make_filter(const int16_t tap[KSR_FIR_TAPS], int32_t bias)
{
    struct filter f = {.bias = LANES_OF(set1_epi32)(bias)};
    for (int k = 0; k < PAIRS; k++)
        f.taps[k] = LANES_OF(set1_epi32)(
            (int32_t)((uint32_t)(uint16_t)tap[2 * k] | (uint32_t)(uint16_t)tap[2 * k + 1] << 16));
    return f;
}

// Returns two registers of sums, 32 bits each, as 16 bits: in 128-bit parts, a's before b's.
static inline lanes pack(lanes a, lanes b)
{
    return LANES_OF(packs_epi32)(LANES_OF(srai_epi32)(a, KSR_FIR_BITS),
                                 LANES_OF(srai_epi32)(b, KSR_FIR_BITS));
}

static inline void apply_block(int16_t *out, const int16_t *const in[KSR_FIR_TAPS],
                               const struct filter *f, int i)
{
    lanes low = f->bias, high = f->bias;
    for (int k = 0; k < PAIRS; k++) {
        const lanes a = lanes_load(in[2 * k] + i), b = lanes_load(in[2 * k + 1] + i);
        low = lanes_add_pairs(low, LANES_OF(unpacklo_epi16)(a, b), f->taps[k]);
        high = lanes_add_pairs(high, LANES_OF(unpackhi_epi16)(a, b), f->taps[k]);
    }
    lanes_store(out + i, pack(low, high));
}

void ksr_fir_apply(int16_t *out, const int16_t *const in[KSR_FIR_TAPS],
                   const int16_t tap[KSR_FIR_TAPS], int32_t bias, int count)
{
    const struct filter f = make_filter(tap, bias);
    for (int i = 0; i + LANES <= count; i += LANES)
        apply_block(out, in, &f, i);
    if (count % LANES != 0)
        apply_block(out, in, &f, count - LANES);
}

static inline void apply_block_along(int16_t *out, const int16_t *row, const struct filter *f)
{
    lanes even = f->bias, odd = f->bias;
    for (int k = 0; k < PAIRS; k++) {
        even = lanes_add_pairs(even, lanes_load(row + 2 * k), f->taps[k]);
        odd = lanes_add_pairs(odd, lanes_load(row + 2 * k + 1), f->taps[k]);
    }
    lanes_store(out, lanes_interleave_halves(pack(even, odd)));
}

void ksr_fir_apply_along(int16_t *out, const int16_t *row, const int16_t tap[KSR_FIR_TAPS],
                         int32_t bias, int count)
{
    const struct filter f = make_filter(tap, bias);
    for (int i = 0; i < count; i += LANES)
        apply_block_along(out + i, row + i, &f);
}
