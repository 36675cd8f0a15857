// Judging pictures; see judge.h.

#include "check/judge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// Limits. Measured on good outputs of three clips (every codec, crf to 30, denoise and smoothing at
// their ends, AI, 4x) and on broken ones; docs/verification.md has the figures beside them.
#define PSNR_LEAST    24.0 // dB, of the median frame
#define SSIM_LEAST    0.70
#define GRAIN_PSNR    18.0 // grain that was taken out, or made anew, is alike in strength alone
#define GRAIN_SSIM    0.25
#define OUTLIER_DB    12.0 // below the median frame
#define OUTLIER_SSIM  0.25
#define SHIFT_MOST    0.10 // samples of the input
#define CHROMA_MOST   0.30
#define TEXTURE_LEAST 1.0 // squared codes: less shows no shift
#define LUMA_MOST     1.2 // codes
#define COLOUR_MOST   0.8
#define SAMPLE_LUMA   2.5 // codes, of a few frames
#define LEFT_MOST     0.5 // of the squared difference, when a mix-up explains it
#define SAMPLE_COLOUR 1.6
#define BANDING_MOST  1.00 // false contours in a thousand samples
#define RINGING_MOST  2.0  // codes
// What settings add to them.
#define RINGING_PER_SHARPENING 2.0
#define RINGING_PER_DARKENING  1.0
#define BANDING_PER_SHARPENING 0.6 // faint texture of a clean source becomes steps
#define BANDING_PER_DARKENING  0.4
#define LUMA_PER_DARKENING     3.5
#define LUMA_PER_SHARPENING    0.4
#define UNKNOWN_SHARPENING     2.0
#define UNKNOWN_DARKENING      1.0

#define MEMBER(m) offsetof(struct ksr_picture_frame, m)

static float member_of(const struct ksr_picture_frame *f, size_t member)
{
    float value;
    memcpy(&value, (const char *)f + member, sizeof(value));
    return value;
}

static int by_value(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

double ksr_judge_median(const struct ksr_pictures *p, size_t member)
{
    float *values = p->count > 0 ? malloc(p->count * sizeof(*values)) : NULL;
    if (!values)
        return 0;
    for (size_t i = 0; i < p->count; i++)
        values[i] = member_of(&p->frames[i], member);
    qsort(values, p->count, sizeof(*values), by_value);
    const double median = values[p->count / 2];
    free(values);
    return median;
}

size_t ksr_judge_worst(const struct ksr_pictures *p)
{
    size_t worst = 0;
    for (size_t i = 1; i < p->count; i++)
        if (p->frames[i].psnr < p->frames[worst].psnr)
            worst = i;
    return worst;
}

static ksr_status judge_likeness(ksr_context *ctx, struct ksr_checks *checks,
                                 const struct ksr_pictures *p,
                                 const struct ksr_pipeline_config *settings)
{
    const bool grain = settings && settings->grain && strcmp(settings->grain, "keep") != 0;
    const double psnr = ksr_judge_median(p, MEMBER(psnr)), ssim = ksr_judge_median(p, MEMBER(ssim));
    const struct ksr_picture_frame *worst = &p->frames[ksr_judge_worst(p)];
    size_t outliers = 0;
    for (size_t i = 0; i < p->count; i++)
        outliers +=
            p->frames[i].psnr < psnr - OUTLIER_DB && p->frames[i].ssim < ssim - OUTLIER_SSIM;
    if (psnr < (grain ? GRAIN_PSNR : PSNR_LEAST) || ssim < (grain ? GRAIN_SSIM : SSIM_LEAST))
        return ksr_checks_add(
            ctx, checks, false, "picture",
            "picture: hardly similar to the input: PSNR %.2f dB, SSIM %.4f in the median frame%s",
            psnr, ssim, settings ? "" : " (if grain was taken out, name the record: {provenance})");
    if (outliers > 0)
        return ksr_checks_add(ctx, checks, false, "picture",
                              "picture: %zu of %zu frames differ from the input, frame %zu the "
                              "most (PSNR %.2f dB, SSIM %.4f)",
                              outliers, p->count, worst->output, worst->psnr, worst->ssim);
    return ksr_checks_add(ctx, checks, true, "picture",
                          "picture: PSNR %.2f dB, SSIM %.4f in the median of %zu frames; worst "
                          "frame %zu (%.2f dB)",
                          psnr, ssim, p->count, worst->output, worst->psnr);
}

static ksr_status judge_places(ksr_context *ctx, struct ksr_checks *checks,
                               const struct ksr_pictures *p)
{
    size_t wrong = 0, first = 0;
    for (size_t i = 0; i < p->count; i++)
        if (p->frames[i].shows != 0 && wrong++ == 0)
            first = i;
    if (wrong == 0)
        return ksr_checks_add(ctx, checks, true, "order",
                              "order: every frame matches the input frame of its time");
    const struct ksr_picture_frame *f = &p->frames[first];
    const int n = abs(f->shows);
    char which[32] = "the frame";
    if (n > 1)
        snprintf(which, sizeof(which), "%d frames", n);
    return ksr_checks_add(ctx, checks, false, "order",
                          "order: %zu frame%s show%s another input frame; the first is frame %zu "
                          "(%.3f s), which shows that of %s %s: %s",
                          wrong, wrong == 1 ? "" : "s", wrong == 1 ? "s" : "", f->output, f->time,
                          which, f->shows > 0 ? "after it" : "before it",
                          f->shows > 0 ? "one was dropped" : "one was shown twice");
}

static ksr_status judge_shift(ksr_context *ctx, struct ksr_checks *checks,
                              const struct ksr_pictures *p)
{
    const double x = ksr_judge_median(p, MEMBER(shift_x)), y = ksr_judge_median(p, MEMBER(shift_y));
    if (ksr_judge_median(p, MEMBER(texture)) < TEXTURE_LEAST)
        return ksr_checks_add(ctx, checks, true, "position",
                              "position: not enough detail to measure a shift");
    const bool good = fabs(x) <= SHIFT_MOST && fabs(y) <= SHIFT_MOST;
    if (good)
        return ksr_checks_add(ctx, checks, true, "position",
                              "position: within %.3f of an input pixel", fmax(fabs(x), fabs(y)));
    return ksr_checks_add(
        ctx, checks, false, "position",
        "position: the video is shifted by %.2f input pixels to the %s and %.2f %s", fabs(x),
        x < 0 ? "left" : "right", fabs(y), y < 0 ? "up" : "down");
}

static ksr_status judge_chroma_shift(ksr_context *ctx, struct ksr_checks *checks,
                                     const struct ksr_pictures *p)
{
    // Chroma is where luma is, unless it has moved by itself.
    const double x = ksr_judge_median(p, MEMBER(chroma_x)) - ksr_judge_median(p, MEMBER(shift_x));
    const double y = ksr_judge_median(p, MEMBER(chroma_y)) - ksr_judge_median(p, MEMBER(shift_y));
    if (ksr_judge_median(p, MEMBER(chroma_texture)) < TEXTURE_LEAST)
        return KSR_OK;
    if (fabs(x) <= CHROMA_MOST && fabs(y) <= CHROMA_MOST)
        return ksr_checks_add(ctx, checks, true, "chroma",
                              "chroma position: within %.2f of an input pixel",
                              fmax(fabs(x), fabs(y)));
    return ksr_checks_add(ctx, checks, false, "chroma",
                          "chroma position: chroma is shifted relative to luma by %.2f input "
                          "pixels to the %s and %.2f %s (another chroma location?)",
                          fabs(x), x < 0 ? "left" : "right", fabs(y), y < 0 ? "up" : "down");
}

static const char *const words[KSR_COLOUR_CASES] = {
    [KSR_COLOUR_SAME] = "there is a colour cast",
    [KSR_COLOUR_601_AS_709] = "colours of BT.601 are read as BT.709 (matrix)",
    [KSR_COLOUR_709_AS_601] = "colours of BT.709 are read as BT.601 (matrix)",
    [KSR_COLOUR_STRETCHED] = "limited range became full range: too much contrast",
    [KSR_COLOUR_SQUEEZED] = "full range became limited range: too little contrast",
};

ksr_status ksr_judge_sample(ksr_context *ctx, struct ksr_checks *checks,
                            const struct ksr_pictures *p)
{
    const double y = ksr_judge_median(p, MEMBER(mean[0]));
    const double cb = ksr_judge_median(p, MEMBER(mean[1]));
    const double cr = ksr_judge_median(p, MEMBER(mean[2]));
    const enum ksr_colour_case what = ksr_colours_conclude(&p->colours);
    // After the work, a mere likeness is no reason to refuse the file; `verify` tells of it.
    const bool read_wrongly =
        what != KSR_COLOUR_SAME && ksr_colours_left(&p->colours, what) < LEFT_MOST &&
        (fabs(y) > SAMPLE_LUMA || fabs(cb) > SAMPLE_COLOUR || fabs(cr) > SAMPLE_COLOUR);
    const bool tinted = fabs(cb) > 4 * SAMPLE_COLOUR || fabs(cr) > 4 * SAMPLE_COLOUR;
    if (p->count == 0 || !p->colour || (!read_wrongly && !tinted))
        return KSR_OK;
    return ksr_checks_add(ctx, checks, false, "colour",
                          "colour: %s: Y %+.2f, Cb %+.2f, Cr %+.2f of 255 in %zu frames",
                          words[what], y, cb, cr, p->count);
}

static ksr_status judge_colours(ksr_context *ctx, struct ksr_checks *checks,
                                const struct ksr_pictures *p,
                                const struct ksr_pipeline_config *settings)
{
    const double y = ksr_judge_median(p, MEMBER(mean[0])),
                 cb = ksr_judge_median(p, MEMBER(mean[1]));
    const double cr = ksr_judge_median(p, MEMBER(mean[2]));
    const double darkening = settings ? settings->line_darkening : UNKNOWN_DARKENING;
    const double sharpening = settings ? settings->sharpening : UNKNOWN_SHARPENING;
    const double brighter = LUMA_MOST + sharpening * LUMA_PER_SHARPENING * (settings != NULL);
    const double darker =
        LUMA_MOST + darkening * LUMA_PER_DARKENING + sharpening * LUMA_PER_SHARPENING;
    const enum ksr_colour_case what = ksr_colours_conclude(&p->colours);
    const bool good = y <= brighter && y >= -darker && fabs(cb) <= COLOUR_MOST &&
                      fabs(cr) <= COLOUR_MOST && what == KSR_COLOUR_SAME;
    char why[96] = "";
    if (!good && what != KSR_COLOUR_SAME)
        snprintf(why, sizeof(why), "%s: ", words[what]);
    else if (!good)
        snprintf(why, sizeof(why), "the video is %s: ",
                 y > brighter  ? "brighter"
                 : y < -darker ? "darker"
                               : "tinted");
    if (!p->colour)
        return ksr_checks_add(ctx, checks, good, "colour",
                              "colour: %sY %+.2f of 255 on average (grey)", why, y);
    return ksr_checks_add(ctx, checks, good, "colour",
                          "colour: %sY %+.2f, Cb %+.2f, Cr %+.2f of 255 on average", why, y, cb,
                          cr);
}

static ksr_status judge_artefacts(ksr_context *ctx, struct ksr_checks *checks,
                                  const struct ksr_pictures *p,
                                  const struct ksr_pipeline_config *settings)
{
    const double banding = ksr_judge_median(p, MEMBER(banding));
    const double ringing = ksr_judge_median(p, MEMBER(ringing));
    const double sharpening = settings ? settings->sharpening : UNKNOWN_SHARPENING;
    const double darkening = settings ? settings->line_darkening : UNKNOWN_DARKENING;
    const double most =
        RINGING_MOST + RINGING_PER_SHARPENING * sharpening + RINGING_PER_DARKENING * darkening;
    const double contours = settings ? BANDING_MOST + BANDING_PER_SHARPENING * sharpening +
                                           BANDING_PER_DARKENING * darkening
                                     : BANDING_MOST;
    const ksr_status status =
        ksr_checks_add(ctx, checks, banding <= contours, "banding",
                       "banding: %.2f false contours in a thousand samples of smooth areas%s",
                       banding, banding <= contours ? "" : ": gradients show steps");
    if (status != KSR_OK)
        return status;
    return ksr_checks_add(ctx, checks, ringing <= most, "ringing",
                          "ringing: %.2f of 255 beyond the input's range along edges%s", ringing,
                          ringing > most                        ? ": halos around lines"
                          : !settings && ringing > RINGING_MOST ? " (was it sharpened?)"
                                                                : "");
}

ksr_status ksr_judge_picture(ksr_context *ctx, struct ksr_checks *checks,
                             const struct ksr_pictures *p,
                             const struct ksr_pipeline_config *settings)
{
    if (p->count == 0)
        return ksr_checks_add(ctx, checks, false, "picture",
                              "picture: no frame of the output matches one of the input");
    ksr_status status = judge_likeness(ctx, checks, p, settings);
    if (status == KSR_OK)
        status = judge_places(ctx, checks, p);
    if (status == KSR_OK)
        status = judge_shift(ctx, checks, p);
    if (status == KSR_OK && p->colour)
        status = judge_chroma_shift(ctx, checks, p);
    if (status == KSR_OK)
        status = judge_colours(ctx, checks, p, settings);
    if (status == KSR_OK && p->artefacts)
        status = judge_artefacts(ctx, checks, p, settings);
    return status;
}
