// Matrices and ranges; see matrix.h.

#include "frame/matrix.h"

#include <math.h>

#define BITS        32
#define HALF        ((int64_t)1 << (BITS - 1))
#define BLACK       2048  // 16 of 8 bits
#define LUMA_SPAN   28032 // 219
#define CHROMA_SPAN 28672 // 224
#define FULL_BITS   15

// Doubles are only multiplied and divided here, which gives the same everywhere.
static int64_t fixed(double factor)
{
    return (int64_t)floor(factor * 4294967296.0 + 0.5);
}

// The largest full-range sample of a depth.
static int peak_of(int bits)
{
    return bits >= FULL_BITS ? KSR_SAMPLE_MAX : ((1 << bits) - 1) << (FULL_BITS - bits);
}

struct ksr_matrix ksr_matrix_rgb(double kr, double kb, bool full, int bits)
{
    const double luma = (double)KSR_SAMPLE_MAX / (full ? peak_of(bits) : LUMA_SPAN);
    const double chroma = (double)KSR_SAMPLE_MAX / (full ? peak_of(bits) : CHROMA_SPAN);
    const double kg = 1 - kr - kb, to_blue = 2 * (1 - kb), to_red = 2 * (1 - kr);
    return (struct ksr_matrix){
        .luma = fixed(luma),
        .chroma = {{fixed(-chroma * to_blue * kb / kg), fixed(-chroma * to_red * kr / kg)},
                   {fixed(chroma * to_blue), 0},
                   {0, fixed(chroma * to_red)}},
        .black = full ? 0 : BLACK};
}

struct ksr_matrix ksr_matrix_range(bool to_full, int bits)
{
    if (to_full)
        return (struct ksr_matrix){.black = BLACK,
                                   .range_luma = fixed((double)KSR_SAMPLE_MAX / LUMA_SPAN),
                                   .range_chroma = fixed((double)KSR_SAMPLE_MAX / CHROMA_SPAN)};
    return (struct ksr_matrix){.range_black = BLACK,
                               .range_luma = fixed((double)LUMA_SPAN / peak_of(bits)),
                               .range_chroma = fixed((double)CHROMA_SPAN / peak_of(bits))};
}

struct ksr_matrix ksr_matrix_recode(double kr, double kb, double to_kr, double to_kb, bool full)
{
    const double kg = 1 - kr - kb, to_kg = 1 - to_kr - to_kb;
    const double blue = 2 * (1 - kb), red = 2 * (1 - kr);
    // What blue and red differ from grey by adds to the new luma.
    const double luma_blue = blue * (to_kb - to_kg * kb / kg);
    const double luma_red = red * (to_kr - to_kg * kr / kg);
    const double to_blue = 2 * (1 - to_kb), to_red = 2 * (1 - to_kr);
    const double span = full ? 1 : (double)LUMA_SPAN / CHROMA_SPAN;
    return (struct ksr_matrix){.recode = {{fixed(luma_blue * span), fixed(luma_red * span)},
                                          {fixed((blue - luma_blue) / to_blue),
                                           fixed(-luma_red / to_blue)},
                                          {fixed(-luma_blue / to_red),
                                           fixed((red - luma_red) / to_red)}}};
}

static uint16_t cut(int64_t value)
{
    return (uint16_t)(value < 0 ? 0 : value > KSR_SAMPLE_MAX ? KSR_SAMPLE_MAX : value);
}

void ksr_matrix_rgb_rows(const struct ksr_matrix *m, struct ksr_frame *frame, int y0, int y1)
{
    const struct ksr_plane *p = frame->plane;
    for (int y = y0; y < y1; y++) {
        uint16_t *a = p[0].data + y * p[0].stride, *b = p[1].data + y * p[1].stride;
        uint16_t *c = p[2].data + y * p[2].stride;
        for (int x = 0; x < p[0].width; x++) {
            const int64_t luma = m->luma * (a[x] - m->black) + HALF;
            const int64_t cb = b[x] - KSR_CHROMA_ZERO, cr = c[x] - KSR_CHROMA_ZERO;
            a[x] = cut((luma + m->chroma[0][0] * cb + m->chroma[0][1] * cr) >> BITS);
            b[x] = cut((luma + m->chroma[1][0] * cb + m->chroma[1][1] * cr) >> BITS);
            c[x] = cut((luma + m->chroma[2][0] * cb + m->chroma[2][1] * cr) >> BITS);
        }
    }
}

void ksr_matrix_range_rows(const struct ksr_matrix *m, struct ksr_frame *frame, int i, int y0,
                           int y1)
{
    const bool chroma = ksr_layout_is_chroma(&frame->layout, i);
    const int64_t factor = chroma ? m->range_chroma : m->range_luma;
    const int zero = chroma ? KSR_CHROMA_ZERO : m->black;
    const int base = chroma ? KSR_CHROMA_ZERO : m->range_black;
    for (int y = y0; y < y1; y++) {
        uint16_t *row = frame->plane[i].data + y * frame->plane[i].stride;
        for (int x = 0; x < frame->plane[i].width; x++)
            row[x] = cut(base + ((factor * (row[x] - zero) + HALF) >> BITS));
    }
}

void ksr_matrix_recode_rows(const struct ksr_matrix *m, struct ksr_frame *frame, int y0, int y1)
{
    const struct ksr_plane *p = frame->plane;
    for (int y = y0; y < y1; y++) {
        uint16_t *a = p[0].data + y * p[0].stride, *b = p[1].data + y * p[1].stride;
        uint16_t *c = p[2].data + y * p[2].stride;
        for (int x = 0; x < p[0].width; x++) {
            const int64_t cb = b[x] - KSR_CHROMA_ZERO, cr = c[x] - KSR_CHROMA_ZERO;
            int64_t v[3];
            for (int i = 0; i < 3; i++)
                v[i] = (m->recode[i][0] * cb + m->recode[i][1] * cr + HALF) >> BITS;
            a[x] = cut(a[x] + v[0]);
            b[x] = cut(KSR_CHROMA_ZERO + v[1]);
            c[x] = cut(KSR_CHROMA_ZERO + v[2]);
        }
    }
}
