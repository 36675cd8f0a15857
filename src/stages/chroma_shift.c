// Shifted chroma, plain C: the definition. See chroma_shift.h.

#include "stages/chroma_shift.h"

#include <math.h>
#include <stdlib.h>

#include "frame/tile.h"
#include "stages/fir.h"

#define TAPS   KSR_CHROMA_SHIFT_TAPS
#define BITS   KSR_FIR_BITS
#define HALF   (1 << (BITS - 1))
#define OFFSET 16384 // makes the sum of a column fit int16
#define STEPS  16    // of a sample
_Static_assert(TAPS == KSR_FIR_TAPS, "fir.h makes the sums");

// For a place so many steps behind the fourth of eight samples; beyond the middle they are
// mirrored.
static const int16_t taps[STEPS / 2 + 1][TAPS] = {
    {0, 0, 0, 16384, 0, 0, 0, 0},
    {-102, 303, -847, 16370, 910, -343, 119, -26},
    {-186, 560, -1548, 16110, 1970, -716, 252, -58},
    {-249, 764, -2096, 15604, 3169, -1107, 394, -95},
    {-292, 914, -2493, 14873, 4477, -1498, 538, -135},
    {-315, 1009, -2743, 13935, 5871, -1875, 679, -177},
    {-321, 1052, -2855, 12820, 7316, -2217, 808, -219},
    {-311, 1047, -2843, 11565, 8770, -2505, 918, -257},
    {-289, 1000, -2720, 10201, 10201, -2720, 1000, -289},
};

// luma: samples of the input. to, shift: size of the drawing, and what its chroma is subsampled by.
static int steps_of(double luma, int from, int to, int shift)
{
    return (int)floor(luma * STEPS * to / from / (1 << shift) + 0.5);
}

struct ksr_chroma_shift_params
ksr_chroma_shift_params_make(const struct ksr_pipeline_config *config,
                             const struct ksr_layout *input, const struct ksr_layout *drawn)
{
    return (struct ksr_chroma_shift_params){
        .x = steps_of(config->chroma_shift_x, input->width, drawn->width, drawn->chroma_shift_x),
        .y = steps_of(config->chroma_shift_y, input->height, drawn->height, drawn->chroma_shift_y),
    };
}

bool ksr_chroma_shift_active(const struct ksr_chroma_shift_params *params)
{
    return params->x != 0 || params->y != 0;
}

int ksr_chroma_shift_reach(const struct ksr_chroma_shift_params *params)
{
    return (abs(params->y) + STEPS - 1) / STEPS + TAPS / 2;
}

struct ksr_chroma_shift_axis ksr_chroma_shift_axis_make(int shift)
{
    const int whole = -shift >> 4, part = -shift & (STEPS - 1);
    struct ksr_chroma_shift_axis axis = {.first = whole - (TAPS / 2 - 1)};
    for (int k = 0; k < TAPS; k++)
        axis.tap[k] = part > STEPS / 2 ? taps[STEPS - part][TAPS - 1 - k] : taps[part][k];
    return axis;
}

static void load(uint16_t row[KSR_TILE_ALL], const struct ksr_plane *src, int first, int y)
{
    // Beyond an edge every sample is that of the edge.
    ksr_tile_fill(row, src, ksr_clamp(first, 1 - KSR_TILE_ALL, src->width - 1), KSR_TILE_ALL, y);
}

void ksr_chroma_shift_rows(const struct ksr_plane *dst, const struct ksr_plane *src,
                           const struct ksr_chroma_shift_params *params, int y0, int y1)
{
    const struct ksr_chroma_shift_axis x = ksr_chroma_shift_axis_make(params->x),
                                       y = ksr_chroma_shift_axis_make(params->y);
    uint16_t row[TAPS][KSR_TILE_ALL];
    int16_t column[KSR_TILE_ALL], sum[KSR_TILE];
    const int16_t *in[TAPS];
    for (int k = 0; k < TAPS; k++)
        in[k] = (const int16_t *)row[k];
    for (int at = y0; at < y1; at++)
        for (int x0 = 0; x0 < src->width; x0 += KSR_TILE) {
            uint16_t *out = dst->data + at * dst->stride + x0;
            for (int k = 0; k < TAPS; k++)
                load(row[k], src, x0 + x.first, at + y.first + k);
            ksr_fir_apply(column, in, y.tap, HALF - (OFFSET << BITS), KSR_TILE_ALL);
            ksr_fir_apply_along(sum, column, x.tap, HALF, KSR_TILE);
            for (int i = 0; i < ksr_min(KSR_TILE, src->width - x0); i++)
                out[i] = (uint16_t)ksr_clamp(sum[i] + OFFSET, 0, KSR_SAMPLE_MAX);
        }
}
