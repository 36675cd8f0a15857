// What the output is: container, size, colours, encoder, streams; see plan.h.

#include <stdlib.h>
#include <string.h>

#include "config/parse.h"
#include "core/image_sequence.h"
#include "frame/resample.h"
#include "job/plan.h"
#include "media/av/pixel_choice.h"
#include "media/av/pixel_format.h"
#include "media/container/containers.h"
#include "media/container/output_plan.h"
#include "media/encode/codecs.h"
#include "media/index/index.h"
#include "media/index/rate.h"
#include "media/index/untagged.h"
#include "media/mapping/mapping.h"
#include "media/mapping/picture_trial.h"
#include "pipeline/recipe.h"

// --- What the parts depend on ---

ksr_status ksr_plan_size(ksr_context *ctx, const struct ksr_processor_config *config,
                         const struct ksr_video_format *f, int *width, int *height)
{
    const char *text = config->pipeline.fit;
    const int scale = ksr_recipe_scale(&config->pipeline);
    struct ksr_fit_box box;
    int step_x = 1, step_y = 1;
    if (f->width > 65535 / scale || f->height > 65535 / scale)
        return ksr_fail(ctx, KSR_E_PARAM, "%dx%d is too large to scale by %d", f->width, f->height,
                        scale);
    *width = f->width * scale;
    *height = f->height * scale;
    if (!text)
        return KSR_OK;
    if (!ksr_fit_parse(text, &box))
        return KSR_E_PARAM; // seen when the settings were read
    ksr_pixels_size_steps(f->pixel_format, config->encoder.pixel_format, &step_x, &step_y);
    ksr_fit_size(&box, f->sample_aspect.num, f->sample_aspect.den, step_x, step_y, width, height);
    return KSR_OK;
}

// Where the numbers of an output sequence begin: where the input's do, else at 1.
static ksr_status plan_numbers(ksr_context *ctx, struct ksr_manifest *m)
{
    int first, count;
    m->output.first = 1;
    if (!m->output.sequence || !ksr_sequence_is(m->input_path))
        return KSR_OK;
    const ksr_status status = ksr_sequence_scan(ctx, m->input_path, &first, &count);
    m->output.first = first + (int)m->film.skipped;
    return status;
}

static bool is_regular(const struct ksr_film *film, struct ksr_rational rate)
{
    return rate.num > 0 && ksr_film_irregular(film, rate) == film->frame_count;
}

// The rate of a short film is guessed badly; AVI and MPEG-PS need the true one.
static void find_rate(struct ksr_film *film)
{
    const size_t last = film->frame_count - 1;
    const double seconds = ksr_film_seconds(film, film->frames[last].time - film->frames[0].time);
    if (last == 0 || is_regular(film, film->format.frame_rate))
        return;
    const double rate = (double)last / seconds;
    const struct ksr_rational likely[] = {{(int)(rate + 0.5), 1},
                                          {(int)(rate * 1.001 + 0.5) * 1000, 1001}};
    for (size_t i = 0; i < 2; i++)
        if (rate < 1000 && likely[i].num > 0 && is_regular(film, likely[i])) {
            film->format.frame_rate = likely[i];
            return;
        }
}

static bool has_encoder_option(const struct ksr_encoder_config *config, const char *key)
{
    for (size_t i = 0; i < config->encoder_option_count; i++)
        if (strcmp(config->encoder_options[i].key, key) == 0)
            return true;
    return false;
}

// Without presentation times, frames must come in the order in which they are shown, and
// decoders of MPEG-2 must not hold them back for B-frames that never come.
// *options: to be freed with free(), may be NULL.
static ksr_status fit_encoder(ksr_context *ctx, const struct ksr_output_plan *output,
                              struct ksr_encoder_config *config,
                              struct ksr_encoder_option **options)
{
    const size_t count = config->encoder_option_count;
    size_t added = count;
    *options = NULL;
    if (!ksr_container_of(output->format)->no_reordering || has_encoder_option(config, "bf"))
        return KSR_OK;
    *options = calloc(count + 2, sizeof(**options));
    if (!*options)
        return ksr_fail_memory(ctx);
    for (size_t i = 0; i < count; i++)
        (*options)[i] = config->encoder_options[i];
    const struct ksr_codec_option *more = &ksr_codec_of(config->codec)->unordered;
    (*options)[added++] = (struct ksr_encoder_option){"bf", "0"};
    if (more->name && !has_encoder_option(config, more->name))
        (*options)[added++] = (struct ksr_encoder_option){more->name, more->value};
    config->encoder_options = *options;
    config->encoder_option_count = added;
    return KSR_OK;
}

// Players guess the colours of a video without tags by its size, which the output has another of.
static void settle_colours(ksr_context *ctx, struct ksr_manifest *m, int width, int height)
{
    const char *name = ksr_untagged_settle(&m->film, width, height, m->output.image);
    if (name && !m->output.image)
        ksr_log(ctx, KSR_LOG_INFO,
                "the input has no colour tags; players would assume another matrix at %dx%d, so "
                "the output is tagged %s (%s)",
                width, height, name, strcmp(name, "bt709") == 0 ? "BT.709" : "BT.601");
}

// --- Deciding ---

// Whether one image can be made of what there is.
static ksr_status check_one_image(ksr_context *ctx, const char *path, const struct ksr_film *film)
{
    if (film->fields && film->frame_count == 2)
        return ksr_fail(ctx, KSR_E_PARAM,
                        "%s is a single image, but deinterlace=field outputs two frames (use "
                        "{deinterlace=frame}, or a name such as out%%04d.png)",
                        path);
    if (film->frame_count > 1)
        return ksr_fail(
            ctx, KSR_E_PARAM,
            "%s is a single image, but the input has %zu frames (use a name such as out%%04d.png)",
            path, film->frame_count);
    return KSR_OK;
}

// The container, and the name of the encoder.
static ksr_status decide_container(ksr_context *ctx, const struct ksr_processor_config *config,
                                   struct ksr_manifest *m, const char **codec)
{
    ksr_status status =
        ksr_output_format(ctx, config->output_path, &config->encoder, &m->output, codec);
    if (status == KSR_OK && m->output.image && !m->output.sequence)
        status = check_one_image(ctx, config->output_path, &m->film);
    if (status == KSR_OK && m->output.image)
        status = ksr_output_check_image(ctx, config->output_path, *codec);
    if (status == KSR_OK && ksr_container_needs_rate(ksr_container_of(m->output.format)))
        find_rate(&m->film);
    return status;
}

// The encoder's settings, with size, pixel format and colours of the output.
static ksr_status decide_encoder(ksr_context *ctx, const struct ksr_processor_config *config,
                                 const char *codec, struct ksr_manifest *m)
{
    const struct ksr_video_format *f = &m->film.format;
    struct ksr_encoder_config encoder = config->encoder;
    struct ksr_encoder_option *options = NULL;
    struct ksr_layout layout;
    int width, height, bits;
    if (!ksr_pixels_layout(f, &layout, &bits))
        return ksr_fail(ctx, KSR_E_INPUT, "pixel format %s cannot be processed", f->pixel_format);
    ksr_status status = ksr_plan_size(ctx, config, f, &width, &height);
    if (status == KSR_OK)
        settle_colours(ctx, m, width, height);
    if (status == KSR_OK)
        status = fit_encoder(ctx, &m->output, &encoder, &options);
    if (status == KSR_OK)
        status = ksr_encoder_resolve(ctx, &encoder, &m->film, width, height, &m->output, codec,
                                     &m->encoder);
    free(options);
    return status;
}

// Encodes some frames to see what the output keeps of them.
static ksr_status try_frames(ksr_context *ctx, const char *input_path, struct ksr_manifest *m)
{
    struct ksr_untold untold = {0};
    if (m->output.image)
        return ksr_picture_trial_image(ctx, &m->film, &m->encoder);
    ksr_status status =
        ksr_picture_trial(ctx, input_path, &m->film, &m->encoder, &m->output, &untold);
    if (status == KSR_OK && untold.range)
        status = ksr_encoder_limit_range(ctx, &m->encoder);
    if (status == KSR_OK && untold.matrix)
        status = ksr_encoder_guess_matrix(ctx, &m->film, &m->encoder);
    return status;
}

ksr_status ksr_plan_output(ksr_context *ctx, const struct ksr_processor_config *config,
                           struct ksr_manifest *m)
{
    const char *codec;
    ksr_status status = decide_container(ctx, config, m, &codec);
    if (status == KSR_OK)
        status = decide_encoder(ctx, config, codec, m);
    if (status == KSR_OK)
        status =
            ksr_carry_decide(ctx, config->input_path, &m->film, config, &m->encoder, &m->output);
    if (status == KSR_OK)
        status = plan_numbers(ctx, m);
    return status == KSR_OK ? try_frames(ctx, config->input_path, m) : status;
}
