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

// --- From one kind of terms to another ---

// Y, Cb, Cr in parts of their spans, by the weights of one matrix, as those of another.
static void change_weights(double v[3], const struct ksr_code_terms *from,
                           const struct ksr_code_terms *to)
{
    const double b = v[0] + v[1] * 2 * (1 - from->kb), r = v[0] + v[2] * 2 * (1 - from->kr);
    const double g = (v[0] - from->kr * r - from->kb * b) / (1 - from->kr - from->kb);
    v[0] = to->kr * r + (1 - to->kr - to->kb) * g + to->kb * b;
    v[1] = (b - v[0]) / (2 * (1 - to->kb));
    v[2] = (r - v[0]) / (2 * (1 - to->kr));
}

static double span_of(const struct ksr_code_terms *t, int plane)
{
    return t->full ? peak_of(t->bits) : plane > 0 ? CHROMA_SPAN : LUMA_SPAN;
}

struct ksr_recode ksr_recode_make(const struct ksr_code_terms *from,
                                  const struct ksr_code_terms *to)
{
    struct ksr_recode r = {.alpha = fixed((double)peak_of(to->bits) / peak_of(from->bits)),
                           .black = from->full ? 0 : BLACK,
                           .new_black = to->full ? 0 : BLACK,
                           .opaque = peak_of(from->bits)};
    const bool known = from->kr > 0 && to->kr > 0;
    r.mixes = known && (from->kr != to->kr || from->kb != to->kb);
    for (int j = 0; j < 3; j++) {
        double v[3] = {j == 0, j == 1, j == 2};
        if (r.mixes)
            change_weights(v, from, to);
        for (int i = 0; i < 3; i++)
            r.factor[i][j] = fixed(v[i] * span_of(to, i) / span_of(from, j));
    }
    // Grey stays grey whatever rounding says.
    r.factor[1][0] = r.factor[2][0] = 0;
    r.nothing = !r.mixes && from->full == to->full &&
                (from->bits == to->bits || (!from->full && r.alpha == fixed(1)));
    return r;
}

static void recode_plane(const struct ksr_plane *p, int64_t factor, int zero, int base, int y0,
                         int y1)
{
    for (int y = y0; y < y1; y++) {
        uint16_t *row = p->data + y * p->stride;
        for (int x = 0; x < p->width; x++)
            row[x] = cut(base + ((factor * (row[x] - zero) + HALF) >> BITS));
    }
}

static void recode_mixed(const struct ksr_recode *r, const struct ksr_frame *f, int y0, int y1)
{
    const struct ksr_plane *p = f->plane;
    const int base[3] = {r->new_black, KSR_CHROMA_ZERO, KSR_CHROMA_ZERO};
    for (int y = y0; y < y1; y++)
        for (int x = 0; x < p[0].width; x++) {
            uint16_t *s[3];
            int64_t v[3];
            for (int i = 0; i < 3; i++) {
                s[i] = p[i].data + y * p[i].stride + x;
                v[i] = *s[i] - (i > 0 ? KSR_CHROMA_ZERO : r->black);
            }
            for (int i = 0; i < 3; i++)
                *s[i] = cut(base[i] + ((r->factor[i][0] * v[0] + r->factor[i][1] * v[1] +
                                        r->factor[i][2] * v[2] + HALF) >>
                                       BITS));
        }
}

void ksr_recode_rows(const struct ksr_recode *r, struct ksr_frame *frame, int y0, int y1)
{
    const struct ksr_layout *l = &frame->layout;
    const int colours = l->planes >= 3 ? 3 : 1;
    if (r->nothing)
        return;
    if (l->planes % 2 == 0)
        recode_plane(&frame->plane[l->planes - 1], r->alpha, 0, 0, y0, y1);
    if (r->mixes && colours == 3) {
        recode_mixed(r, frame, y0, y1);
        return;
    }
    for (int i = 0; i < colours; i++) {
        const int shift = ksr_layout_is_chroma(l, i) ? l->chroma_shift_y : 0;
        recode_plane(&frame->plane[i], r->factor[i][i], i > 0 ? KSR_CHROMA_ZERO : r->black,
                     i > 0 ? KSR_CHROMA_ZERO : r->new_black, (y0 + (1 << shift) - 1) >> shift,
                     (y1 + (1 << shift) - 1) >> shift);
    }
}
