// Colours and their terms; see matrix_mixups.h.

#include "check/matrix_mixups.h"

#include <math.h>

#include "frame/measure.h"
#include "media/av/pixel_format.h"

#define UNSPECIFIED 2 // a matrix nobody told, in ITU-T H.273

void ksr_colours_terms(const struct ksr_video_format *format, int bits, struct ksr_colours *out)
{
    struct ksr_layout layout;
    int depth;
    const bool full = ksr_pixels_layout(format, &layout, &depth) && layout.full_range;
    const double peak =
        (double)(((1 << (bits < 15 ? bits : 15)) - 1) << (bits < 15 ? 15 - bits : 0));
    *out = (struct ksr_colours){.black = full ? 0 : 16 * KSR_CODE,
                                .luma = full ? peak : 219 * KSR_CODE,
                                .chroma = full ? peak : 224 * KSR_CODE};
    // RGB stands in working frames as BT.709.
    if (ksr_pixels_is_rgb(format))
        *out = (struct ksr_colours){0.2126, 0.0722, out->black, out->luma, out->chroma};
    else
        ksr_pixels_weights(format, &out->kr, &out->kb, &depth);
}

void ksr_colours_agree(const struct ksr_video_format *a, const struct ksr_video_format *b,
                       struct ksr_colours *a_terms, struct ksr_colours *b_terms)
{
    const bool rgb = ksr_pixels_is_rgb(a) || ksr_pixels_is_rgb(b);
    if (!rgb && b->color_space == UNSPECIFIED) {
        b_terms->kr = a_terms->kr;
        b_terms->kb = a_terms->kb;
    } else if (!rgb && a->color_space == UNSPECIFIED) {
        a_terms->kr = b_terms->kr;
        a_terms->kb = b_terms->kb;
    }
}

bool ksr_colours_equal(const struct ksr_colours *a, const struct ksr_colours *b)
{
    return a->kr == b->kr && a->kb == b->kb && a->black == b->black && a->luma == b->luma &&
           a->chroma == b->chroma;
}

// From Y, Cb, Cr of one matrix to those of another; all in parts of the range.
static void change_matrix(double v[3], const struct ksr_colours *from, const struct ksr_colours *to)
{
    if (from->kr <= 0 || to->kr <= 0 || (from->kr == to->kr && from->kb == to->kb))
        return;
    const double b = v[0] + v[1] * 2 * (1 - from->kb), r = v[0] + v[2] * 2 * (1 - from->kr);
    const double g = (v[0] - from->kr * r - from->kb * b) / (1 - from->kr - from->kb);
    v[0] = to->kr * r + (1 - to->kr - to->kb) * g + to->kb * b;
    v[1] = (b - v[0]) / (2 * (1 - to->kb));
    v[2] = (r - v[0]) / (2 * (1 - to->kr));
}

static uint16_t to_sample(double v)
{
    return (uint16_t)fmin(fmax(v + 0.5, 0), KSR_SAMPLE_MAX);
}

void ksr_colours_convert(struct ksr_frame *f, const struct ksr_colours *from,
                         const struct ksr_colours *to)
{
    const bool colour = f->layout.planes >= 3;
    for (int y = 0; y < f->plane[0].height; y++)
        for (int x = 0; x < f->plane[0].width; x++) {
            uint16_t *s[3];
            double v[3] = {0};
            for (int p = 0; p < (colour ? 3 : 1); p++)
                s[p] = f->plane[p].data + y * f->plane[p].stride + x;
            v[0] = (*s[0] - from->black) / from->luma;
            for (int p = 1; colour && p < 3; p++)
                v[p] = (*s[p] - KSR_CHROMA_ZERO) / from->chroma;
            if (colour)
                change_matrix(v, from, to);
            *s[0] = to_sample(v[0] * to->luma + to->black);
            for (int p = 1; colour && p < 3; p++)
                *s[p] = to_sample(v[p] * to->chroma + KSR_CHROMA_ZERO);
        }
}

// What becomes of a colour (codes of 8 bits) in each case.
static void apply_case(enum ksr_colour_case what, const struct ksr_colours *terms, double v[3])
{
    static const struct ksr_colours bt601 = {.kr = 0.299, .kb = 0.114};
    static const struct ksr_colours bt709 = {.kr = 0.2126, .kb = 0.0722};
    const double black = terms->black / KSR_CODE, luma = terms->luma / KSR_CODE;
    const double chroma = terms->chroma / KSR_CODE;
    double n[3] = {(v[0] - black) / luma, (v[1] - 128) / chroma, (v[2] - 128) / chroma};
    switch (what) {
    case KSR_COLOUR_601_AS_709: change_matrix(n, &bt709, &bt601); break;
    case KSR_COLOUR_709_AS_601: change_matrix(n, &bt601, &bt709); break;
    case KSR_COLOUR_STRETCHED:
        n[0] = ((v[0] - 16) * 255 / 219 - black) / luma;
        n[1] *= 255.0 / 224;
        n[2] *= 255.0 / 224;
        break;
    case KSR_COLOUR_SQUEEZED:
        n[0] = (v[0] * 219 / 255 + 16 - black) / luma;
        n[1] *= 224.0 / 255;
        n[2] *= 224.0 / 255;
        break;
    case KSR_COLOUR_SAME:
    case KSR_COLOUR_CASES: break;
    }
    v[0] = fmin(fmax(n[0] * luma + black, 0), 255);
    v[1] = fmin(fmax(n[1] * chroma + 128, 0), 255);
    v[2] = fmin(fmax(n[2] * chroma + 128, 0), 255);
}

void ksr_colours_add(const float *const before[3], const float *const after[3], int count,
                     const struct ksr_colours *terms, struct ksr_colour_sums *sums)
{
    for (int what = 0; what < KSR_COLOUR_CASES; what++)
        for (int i = 0; i < count; i++) {
            double v[3] = {before[0][i], before[1][i], before[2][i]};
            apply_case((enum ksr_colour_case)what, terms, v);
            for (int p = 0; p < 3; p++) {
                const double change = v[p] - before[p][i], left = after[p][i] - v[p];
                sums->predicted[what][p] += change;
                sums->seen[p] += what == KSR_COLOUR_SAME ? after[p][i] - before[p][i] : 0;
                sums->along[what] += (after[p][i] - before[p][i]) * change;
                sums->whole[what] += change * change;
                sums->residual[what] += left * left;
            }
        }
    sums->count += count;
}

// A change of less than half a code cannot be told from the encoder's.
#define CHANGE_LEAST 0.25 // squared
#define MEANS_LEAST  1.0  // squared: colours that are clipped move the means by less
#define LEFT_MOST    0.85 // of the squared differences: taking noise away leaves more

// Whether the means have changed as the case says, by at least half; true where it says too little.
static bool means_agree(const struct ksr_colour_sums *s, enum ksr_colour_case what)
{
    const double count = (double)s->count;
    double along = 0, whole = 0;
    for (int p = 0; p < 3; p++) {
        along += s->predicted[what][p] * s->seen[p];
        whole += s->predicted[what][p] * s->predicted[what][p];
    }
    return whole < MEANS_LEAST * count * count || along > whole / 2;
}

enum ksr_colour_case ksr_colours_conclude(const struct ksr_colour_sums *s)
{
    enum ksr_colour_case best = KSR_COLOUR_SAME;
    for (int what = 1; what < KSR_COLOUR_CASES; what++)
        if (s->whole[what] > CHANGE_LEAST * (double)s->count &&
            s->along[what] > s->whole[what] / 2 && s->residual[what] < s->residual[best])
            best = (enum ksr_colour_case)what;
    const bool explained = s->residual[best] < s->residual[KSR_COLOUR_SAME] * LEFT_MOST;
    return explained && means_agree(s, best) ? best : KSR_COLOUR_SAME;
}

double ksr_colours_left(const struct ksr_colour_sums *s, enum ksr_colour_case what)
{
    return s->residual[KSR_COLOUR_SAME] > 0 ? s->residual[what] / s->residual[KSR_COLOUR_SAME] : 1;
}
