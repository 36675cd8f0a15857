// Stage 3, plain C: the definition. See upscale.h.

#include "stages/upscale.h"

#include "frame/tile.h"
#include "stages/fir.h"

#define TAPS KSR_UPSCALE_TAPS
#define BITS KSR_UPSCALE_BITS
#define HALF (1 << (BITS - 1))
_Static_assert(TAPS == KSR_FIR_TAPS && BITS == KSR_FIR_BITS, "fir.h makes the sums");
#define OFFSET 16384 // makes the sum of a column fit int16

// Luma and alpha: least squares over drawn pictures reduced with box and bicubic kernels, a part
// of them with JPEG noise, then a quarter more of its difference to the bilinear filter, because
// the limit takes away the ringing that this would cost (docs/stages.md has the figures).
static const struct ksr_upscale_filter luma = {
    {{-138, 521, -1336, 3250, 17523, -4799, 1797, -434},
     {-434, 1797, -4799, 17523, 3250, -1336, 521, -138}},
};

// Chroma: sinc under a Kaiser window of beta 2 at the phase of its siting, corrected to the exact
// centre of gravity.
static const struct ksr_upscale_filter centred = {
    {{-506, 951, -1899, 4895, 15086, -2803, 1347, -687},
     {-687, 1347, -2803, 15086, 4895, -1899, 951, -506}},
};
static const struct ksr_upscale_filter cosited_by_2 = {
    {{-250, 466, -934, 2219, 16178, -1687, 788, -396},
     {-839, 1625, -3314, 13189, 7808, -2731, 1367, -721}},
};
static const struct ksr_upscale_filter cosited_by_4 = {
    {{-122, 226, -454, 1043, 16391, -909, 417, -208},
     {-859, 1655, -3350, 11993, 9265, -3042, 1518, -796}},
};

static const struct ksr_upscale_filter *chroma_filter(enum ksr_siting siting, int shift)
{
    if (siting == KSR_SITING_CENTRED || shift == 0)
        return &centred;
    return shift == 1 ? &cosited_by_2 : &cosited_by_4;
}

struct ksr_upscale_params ksr_upscale_params_make(const struct ksr_layout *layout, int i)
{
    if (layout->planes < 3 || (i != 1 && i != 2))
        return (struct ksr_upscale_params){&luma, &luma};
    return (struct ksr_upscale_params){
        .x = chroma_filter(layout->siting_x, layout->chroma_shift_x),
        .y = chroma_filter(layout->siting_y, layout->chroma_shift_y),
    };
}

// One input row's share of columns: the rows around it, and the limits of its output less OFFSET.
struct piece {
    uint16_t row[TAPS + 1][KSR_TILE_ALL]; // input rows i-4 .. i+4
    int16_t low[KSR_TILE], high[KSR_TILE];
    int16_t column[KSR_TILE_ALL];
};

static void find_limits(struct piece *p)
{
    int16_t low[KSR_TILE_ALL], high[KSR_TILE_ALL];
    const uint16_t *a = p->row[3], *b = p->row[4], *c = p->row[5];
    for (int i = 0; i < KSR_TILE_ALL; i++) {
        const int16_t u = (int16_t)a[i], v = (int16_t)b[i], w = (int16_t)c[i];
        const int16_t l = u < v ? u : v, h = u > v ? u : v;
        low[i] = l < w ? l : w;
        high[i] = h > w ? h : w;
    }
    for (int i = 0; i < KSR_TILE; i++) {
        const int16_t *l = low + KSR_TILE_PAD + i, *h = high + KSR_TILE_PAD + i;
        const int16_t l2 = l[-1] < l[0] ? l[-1] : l[0], h2 = h[-1] > h[0] ? h[-1] : h[0];
        p->low[i] = (int16_t)((l2 < l[1] ? l2 : l[1]) - OFFSET);
        p->high[i] = (int16_t)((h2 > h[1] ? h2 : h[1]) - OFFSET);
    }
}

// Filters the columns for an even (phase 0) or odd (phase 1) output row.
static void filter_columns(struct piece *p, const int16_t tap[TAPS], int phase)
{
    const int16_t *in[TAPS];
    for (int k = 0; k < TAPS; k++)
        in[k] = (const int16_t *)p->row[k + phase];
    ksr_fir_apply(p->column, in, tap, HALF - (OFFSET << BITS), KSR_TILE_ALL);
}

// Filters the row of columns for the even or odd samples of an output row. What does not fit int16
// before the offset is added is beyond the limits.
static void filter_row(uint16_t *restrict out, const struct piece *p, const int16_t tap[TAPS],
                       int phase)
{
    int16_t sum[KSR_TILE];
    ksr_fir_apply_along(sum, p->column + KSR_TILE_PAD - TAPS / 2 + phase, tap, HALF, KSR_TILE);
    for (int i = 0; i < KSR_TILE; i++) {
        const int16_t v = sum[i] < p->low[i] ? p->low[i] : sum[i];
        out[i] = (uint16_t)((v > p->high[i] ? p->high[i] : v) + OFFSET);
    }
}

static void interleave(uint16_t *restrict dst, uint16_t half[2][KSR_TILE], int count)
{
    for (int i = 0; i < count / 2; i++) {
        dst[2 * i] = half[0][i];
        dst[2 * i + 1] = half[1][i];
    }
    if (count & 1)
        dst[count - 1] = half[0][count / 2];
}

void ksr_upscale_rows(const struct ksr_plane *dst, const struct ksr_plane *src,
                      const struct ksr_upscale_params *params, int y0, int y1)
{
    struct piece p;
    uint16_t half[2][KSR_TILE];
    for (int i = y0 / 2; 2 * i < y1; i++)
        for (int x0 = 0; 2 * x0 < dst->width; x0 += KSR_TILE) {
            for (int k = 0; k < TAPS + 1; k++)
                ksr_tile_load(p.row[k], src, x0, i - TAPS / 2 + k);
            find_limits(&p);
            for (int y = ksr_max(y0, 2 * i); y < ksr_min(y1, 2 * i + 2); y++) {
                filter_columns(&p, params->y->tap[y & 1], y & 1);
                filter_row(half[0], &p, params->x->tap[0], 0);
                filter_row(half[1], &p, params->x->tap[1], 1);
                interleave(dst->data + y * dst->stride + 2 * x0, half,
                           ksr_min(2 * KSR_TILE, dst->width - 2 * x0));
            }
        }
}
