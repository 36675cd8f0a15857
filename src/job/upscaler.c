// Frames in, frames out, no files: include/kizunasr/upscaler.h.
//
// A segment's loop (segment.c) without its reader and encoder: frames come from the caller's planes
// through the pixel reader, go through the pipeline, and leave through the pixel writer, all set up
// as a job would. What a job finds out about a whole video cannot be had here and is refused.

#include "kizunasr/upscaler.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/table.h"
#include "core/cpu.h"
#include "frame/tile.h"
#include "job/devices.h"
#include "job/plan.h"
#include "media/av/pixel_choice.h"
#include "media/av/pixels.h"
#include "media/index/untagged.h"
#include "net/ort.h"

struct ksr_upscaler {
    ksr_context *ctx;
    struct ksr_upscaler_info info;
    char names[2][32];              // of the pixel formats
    struct ksr_video_format source; // what comes in
    struct ksr_layout layout;       // of that
    enum AVPixelFormat format[2];   // in, out
    struct ksr_video_format color;  // what goes out
    struct ksr_devices devices;
    ksr_engine *engine; // NULL without AI
    ksr_pool *pool;
    struct ksr_recipe recipe;
    ksr_pipeline *pipeline;
    struct ksr_pixel_reader *reader;
    struct ksr_pixel_writer *writer;
    struct ksr_row_source rows; // of the frame that was pushed last
    AVFrame *in, *out;          // the caller's planes, for the time of a call
    AVFrame *copy;              // of a frame that is held by a pipeline without delay
    int64_t *held;              // numbers of the frames that are held, the oldest first
    bool drains;                // a pull said that no frame follows those that are held
    bool followed;              // they have been shown what follows them
};

// --- Settings ---

// What only a file's decoder or planning can do.
static ksr_status check_unsupported(ksr_context *ctx, const struct ksr_pipeline_config *p)
{
    const struct {
        bool is_set;
        const char *text;
    } list[] = {
        {p->deinterlace != KSR_DEINTERLACE_OFF, "deinterlace: frames must be progressive"},
        {p->inverse_telecine, "inverse_telecine: frames must be progressive"},
        {p->crop != NULL, "crop: is for files (let the planes begin at the first pixel wanted)"},
        {strcmp(p->rotate, "keep") != 0, "rotate: is for files"},
        {strcmp(p->film_grain, "keep") != 0, "film_grain: is for files"},
        {p->ai_fallback, "ai_fallback: is for files"},
        {strcmp(p->descale, "auto") == 0,
         "descale: 'auto' is measured over a whole video (name size and kernel)"},
        {ksr_grain_unknown(p->grain),
         "grain: is measured over a whole video (give amount and strength, as the manifest of a plan has them)"},
        {p->use_ai && p->ai_model_path && strcmp(p->ai_model_path, "auto") == 0,
         "ai_model_path: 'auto' is for files (name a network)"},
    };
    for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
        if (list[i].is_set)
            return ksr_fail(ctx, KSR_E_PARAM, "%s", list[i].text);
    return KSR_OK;
}

// What is measured over a whole video, such as `denoise`.
static ksr_status check_automatic(ksr_context *ctx, const struct ksr_processor_config *config)
{
    const char *name = ksr_config_automatic(config);
    return name ? ksr_fail(ctx, KSR_E_PARAM,
                           "%s: 'auto' is measured over a whole video (set a number, such as 0)",
                           name)
                : KSR_OK;
}

// *own: the configuration, with the defaults in place of what is about files.
static ksr_status check_config(ksr_context *ctx, const struct ksr_processor_config *config,
                               struct ksr_processor_config *own)
{
    *own = ksr_processor_config_default();
    own->input_path = own->output_path = "-";
    own->pipeline = config->pipeline;
    own->encoder.dither = config->encoder.dither;
    if (config->encoder.pixel_format)
        own->encoder.pixel_format = config->encoder.pixel_format;
    ksr_status status = ksr_config_check(ctx, own);
    if (status == KSR_OK)
        status = check_unsupported(ctx, &own->pipeline);
    return status == KSR_OK ? check_automatic(ctx, own) : status;
}

static ksr_status check_options(ksr_context *ctx, const struct ksr_run_options *o, bool onnx)
{
    struct ksr_device_choice choice;
    if (o->threads < 0 || o->threads > 64)
        return ksr_fail(ctx, KSR_E_PARAM, "threads: '%d' is not valid (1 to 64)", o->threads);
    const ksr_status status = ksr_device_choose(ctx, o->device, onnx, &choice);
    if (status == KSR_OK && (choice.all || choice.gpus + choice.cpu > 1))
        return ksr_fail(ctx, KSR_E_PARAM, "device: '%s' names several devices (name one)",
                        o->device);
    return status;
}

// --- Formats ---

static const char *range_name(int range)
{
    return range == AVCOL_RANGE_MPEG ? "limited" : range == AVCOL_RANGE_JPEG ? "full" : NULL;
}

static const char *matrix_name(int matrix)
{
    return matrix == AVCOL_SPC_UNSPECIFIED ? NULL : av_color_space_name((enum AVColorSpace)matrix);
}

static const char *location_name(int location)
{
    return location == AVCHROMA_LOC_UNSPECIFIED
               ? NULL
               : av_chroma_location_name((enum AVChromaLocation)location);
}

// Reads colour tags. Every name that is given must be one.
static ksr_status read_tags(ksr_context *ctx, const struct ksr_frame_format *f,
                            struct ksr_video_format *out)
{
    out->color_range = AVCOL_RANGE_UNSPECIFIED;
    out->color_space = AVCOL_SPC_UNSPECIFIED;
    out->color_primaries = AVCOL_PRI_UNSPECIFIED;
    out->color_transfer = AVCOL_TRC_UNSPECIFIED;
    out->chroma_location = AVCHROMA_LOC_UNSPECIFIED;
    if (f->range && strcmp(f->range, "limited") != 0 && strcmp(f->range, "full") != 0)
        return ksr_fail(ctx, KSR_E_PARAM, "range: '%s' is not valid (limited or full)", f->range);
    if (f->range)
        out->color_range = f->range[0] == 'l' ? AVCOL_RANGE_MPEG : AVCOL_RANGE_JPEG;
    for (int i = 0; f->matrix && i < AVCOL_SPC_NB; i++)
        if (matrix_name(i) && strcmp(matrix_name(i), f->matrix) == 0)
            out->color_space = i;
    if (f->matrix && out->color_space == AVCOL_SPC_UNSPECIFIED)
        return ksr_fail(ctx, KSR_E_PARAM, "matrix: '%s' is not known", f->matrix);
    for (int i = 1; f->chroma_location && i < AVCHROMA_LOC_NB; i++)
        if (strcmp(location_name(i), f->chroma_location) == 0)
            out->chroma_location = i;
    if (f->chroma_location && out->chroma_location == AVCHROMA_LOC_UNSPECIFIED)
        return ksr_fail(ctx, KSR_E_PARAM, "chroma_location: '%s' is not known", f->chroma_location);
    return KSR_OK;
}

static ksr_status read_format(ksr_upscaler *u, const struct ksr_frame_format *f)
{
    if (f->width < 1 || f->width > 65535 || f->height < 1 || f->height > 65535)
        return ksr_fail(u->ctx, KSR_E_PARAM, "%dx%d is not a valid size (1 to 65535)", f->width,
                        f->height);
    const enum AVPixelFormat format =
        f->pixel_format ? av_get_pix_fmt(f->pixel_format) : AV_PIX_FMT_NONE;
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(format);
    if (!d)
        return ksr_fail(u->ctx, KSR_E_PARAM, "pixel_format: '%s' is not a pixel format",
                        f->pixel_format ? f->pixel_format : "");
    if (!ksr_pixfmt_supported(d) || d->flags & AV_PIX_FMT_FLAG_PAL)
        return ksr_fail(u->ctx, KSR_E_PARAM, "pixel_format: '%s' cannot be processed", d->name);
    int bits;
    u->format[0] = format;
    u->source = (struct ksr_video_format){
        .width = f->width,
        .height = f->height,
        .sample_aspect = {f->sample_aspect_num,
                          f->sample_aspect_den > 0 ? f->sample_aspect_den : 1},
        .frame_rate = {0, 1}};
    snprintf(u->source.pixel_format, sizeof(u->source.pixel_format), "%s", d->name);
    const ksr_status status = read_tags(u->ctx, f, &u->source);
    return status == KSR_OK && !ksr_pixels_layout(&u->source, &u->layout, &bits)
               ? ksr_fail(u->ctx, KSR_E_PARAM, "pixel_format: '%s' cannot be processed", d->name)
               : status;
}

// The pixel format of the output: the one that was asked for, or the input's.
static ksr_status choose_format(ksr_upscaler *u, const char *wanted)
{
    const bool own = strcmp(wanted, "auto") == 0;
    u->format[1] = own ? ksr_pixels_carrier(u->format[0]) : av_get_pix_fmt(wanted);
    if (!av_pix_fmt_desc_get(u->format[1]))
        return ksr_fail(u->ctx, KSR_E_PARAM, "pixel_format: '%s' %s",
                        own ? u->source.pixel_format : wanted,
                        own ? "cannot be written" : "is not a pixel format");
    return ksr_pixels_check(u->ctx, &u->source, u->format[1]);
}

static void describe_tags(struct ksr_frame_format *out, const struct ksr_video_format *f)
{
    out->range = range_name(f->color_range);
    out->matrix = matrix_name(f->color_space);
    out->chroma_location = location_name(f->chroma_location);
    out->sample_aspect_num = f->sample_aspect.num;
    out->sample_aspect_den = f->sample_aspect.den;
}

static int sample_bytes(enum AVPixelFormat format)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(format);
    return d->comp[0].depth + d->comp[0].shift > 8 ? 2 : 1;
}

static void describe(ksr_upscaler *u, const struct ksr_video_format *input,
                     const char *pixel_format)
{
    struct ksr_upscaler_info *info = &u->info;
    const struct ksr_layout *output = &u->recipe.output;
    snprintf(u->names[0], sizeof(u->names[0]), "%s", pixel_format);
    snprintf(u->names[1], sizeof(u->names[1]), "%s", av_get_pix_fmt_name(u->format[1]));
    info->input = (struct ksr_frame_format){
        .width = input->width, .height = input->height, .pixel_format = u->names[0]};
    info->output = (struct ksr_frame_format){
        .width = output->width, .height = output->height, .pixel_format = u->names[1]};
    describe_tags(&info->input, input);
    describe_tags(&info->output, &u->color);
    info->input_planes = ksr_pixels_planes(u->format[0], input->width, input->height,
                                           info->input_row_bytes, info->input_rows);
    info->output_planes = ksr_pixels_planes(u->format[1], output->width, output->height,
                                            info->output_row_bytes, info->output_rows);
    info->input_sample_bytes = sample_bytes(u->format[0]);
    info->output_sample_bytes = sample_bytes(u->format[1]);
    info->delay = u->pipeline->delay;
    info->warmup = u->recipe.warmup;
}

// --- Life ---

static void describe_engine(ksr_upscaler *u)
{
    const struct ksr_engine_identity *e = &u->engine->identity;
    const struct ksr_ort_device *device = e->runtime[0] ? ksr_ort_device_find(e->provider) : NULL;
    if (device)
        snprintf(u->info.engine, sizeof(u->info.engine), "%s on %s, %d thread%s", e->runtime,
                 device->name, e->threads, e->threads == 1 ? "" : "s");
    else
        snprintf(u->info.engine, sizeof(u->info.engine), "native");
}

static ksr_status open_engine(ksr_upscaler *u, const struct ksr_pipeline_config *config,
                              const struct ksr_run_options *options, int threads)
{
    if (!config->use_ai)
        return KSR_OK;
    struct ksr_engine_params params = {config, options->onnxruntime_library,
                                       ksr_device_provider(options->device), .threads = threads};
    ksr_pixels_weights(&u->source, &params.kr, &params.kb, &params.bits);
    const ksr_status status = ksr_engine_open(u->ctx, &params, &u->engine);
    if (status == KSR_OK)
        describe_engine(u);
    return status;
}

// Decides what goes out, and how it is made.
static ksr_status make_recipe(ksr_upscaler *u, const struct ksr_processor_config *config)
{
    int width, height;
    ksr_status status = ksr_plan_size(u->ctx, config, &u->source, &width, &height);
    if (status != KSR_OK)
        return status;
    struct ksr_film film = {.format = u->source}; // colours as they are settled for a whole one
    ksr_untagged_settle(&film, width, height, false);
    u->source = film.format;
    status = choose_format(u, config->encoder.pixel_format);
    if (status != KSR_OK)
        return status;
    ksr_pixels_target_color(&u->source, u->format[1], &u->color);
    status = ksr_plan_check_descale(u->ctx, config->pipeline.descale, &u->source);
    if (status != KSR_OK)
        return status;
    return ksr_recipe_make_for(&u->recipe, &u->layout, &config->pipeline, u->engine, width, height)
               ? KSR_OK
               : ksr_fail_memory(u->ctx);
}

// A frame that is held by a pipeline without delay is read at its pull.
static ksr_status make_frames(ksr_upscaler *u)
{
    u->held = calloc((size_t)u->pipeline->delay + 1, sizeof(u->held[0]));
    u->in = av_frame_alloc();
    u->out = av_frame_alloc();
    u->copy = av_frame_alloc();
    u->reader = ksr_pixel_reader_create();
    if (!u->held || !u->in || !u->out || !u->copy || !u->reader)
        return ksr_fail_memory(u->ctx);
    u->copy->format = u->in->format = u->format[0];
    u->copy->width = u->in->width = u->layout.width;
    u->copy->height = u->in->height = u->layout.height;
    u->out->format = u->format[1];
    u->out->width = u->recipe.output.width;
    u->out->height = u->recipe.output.height;
    return KSR_OK;
}

static ksr_status open_pipeline(ksr_upscaler *u, const struct ksr_processor_config *config,
                                const struct ksr_run_options *options)
{
    const struct ksr_pipeline_config *p = &config->pipeline;
    const bool onnx = p->use_ai && ksr_engine_is_onnx(p);
    const int threads = options->threads > 0 ? options->threads : ksr_clamp(ksr_cpu_count(), 1, 64);
    ksr_status status = check_options(u->ctx, options, onnx);
    if (status == KSR_OK)
        status = open_engine(u, p, options, threads);
    if (status == KSR_OK)
        status = make_recipe(u, config);
    if (status == KSR_OK)
        status = ksr_devices_open(u->ctx, options->device, onnx, &u->devices);
    if (status != KSR_OK)
        return status;
    u->pool = ksr_pool_create(threads);
    if (!u->pool)
        return ksr_fail_memory(u->ctx);
    status = ksr_pipeline_create(u->ctx, &u->recipe, u->devices.open[0], u->pool, &u->pipeline);
    if (status == KSR_OK)
        status = ksr_pixel_writer_create(u->ctx, &u->source, &u->recipe.output, u->format[1],
                                         &u->color, config->encoder.dither, &u->writer);
    return status == KSR_OK ? make_frames(u) : status;
}

ksr_status ksr_upscaler_create(ksr_upscaler **out, ksr_context *ctx,
                               const struct ksr_processor_config *config,
                               const struct ksr_frame_format *format,
                               const struct ksr_run_options *options)
{
    static const struct ksr_run_options defaults;
    struct ksr_processor_config own;
    if (!out)
        return ksr_fail(ctx, KSR_E_PARAM, "out is NULL");
    *out = NULL;
    if (!config || !format)
        return ksr_fail(ctx, KSR_E_PARAM, "%s is NULL", config ? "format" : "config");
    ksr_status status = check_config(ctx, config, &own);
    if (status != KSR_OK)
        return status;
    ksr_upscaler *u = calloc(1, sizeof(*u));
    if (!u)
        return ksr_fail_memory(ctx);
    u->ctx = ctx;
    status = read_format(u, format);
    const struct ksr_video_format input = u->source;
    if (status == KSR_OK)
        status = open_pipeline(u, &own, options ? options : &defaults);
    if (status == KSR_OK)
        describe(u, &input, format->pixel_format);
    else
        ksr_upscaler_destroy(&u);
    *out = u;
    return status;
}

void ksr_upscaler_destroy(ksr_upscaler **upscaler)
{
    if (!upscaler || !*upscaler)
        return;
    ksr_upscaler *u = *upscaler;
    ksr_pipeline_destroy(&u->pipeline);
    ksr_devices_close(&u->devices);
    ksr_engine_close(&u->engine);
    ksr_pool_destroy(&u->pool);
    ksr_pixel_writer_destroy(&u->writer);
    ksr_pixel_reader_destroy(&u->reader);
    av_frame_free(&u->in);
    av_frame_free(&u->out);
    av_frame_free(&u->copy);
    free(u->held);
    free(u);
    *upscaler = NULL;
}

const struct ksr_upscaler_info *ksr_upscaler_info(const ksr_upscaler *upscaler)
{
    return upscaler ? &upscaler->info : NULL;
}

const char *ksr_upscaler_device(const ksr_upscaler *upscaler)
{
    return ksr_device_name(upscaler ? upscaler->pipeline->device : NULL);
}

int ksr_upscaler_held(const ksr_upscaler *upscaler)
{
    return upscaler ? upscaler->pipeline->held : 0;
}

void ksr_upscaler_reset(ksr_upscaler *upscaler)
{
    if (!upscaler)
        return;
    ksr_pipeline_reset(upscaler->pipeline);
    upscaler->drains = false;
}

// --- Frames ---

// Makes a picture of the caller's planes, after a look at each.
static ksr_status view(const ksr_upscaler *u, const struct ksr_frame_planes *planes, AVFrame *out)
{
    const bool in = out == u->in;
    const size_t *bytes = in ? u->info.input_row_bytes : u->info.output_row_bytes;
    const int count = in ? u->info.input_planes : u->info.output_planes;
    const size_t unit = (size_t)(in ? u->info.input_sample_bytes : u->info.output_sample_bytes);
    for (int i = 0; i < count; i++) {
        const ptrdiff_t stride = planes->stride[i];
        const size_t length = stride < 0 ? 0 - (size_t)stride : (size_t)stride;
        if (!planes->plane[i])
            return ksr_fail(u->ctx, KSR_E_PARAM, "plane %d is NULL", i);
        if (stride < -INT_MAX || stride > INT_MAX || length < bytes[i])
            return ksr_fail(u->ctx, KSR_E_PARAM,
                            "plane %d: a stride of %td bytes is not valid (rows have %zu)", i,
                            stride, bytes[i]);
        if (unit > 1 && (length % unit != 0 || (uintptr_t)planes->plane[i] % unit != 0))
            return ksr_fail(u->ctx, KSR_E_PARAM,
                            "plane %d: 16-bit samples are not at multiples of 2 bytes", i);
        out->data[i] = planes->plane[i];
        out->linesize[i] = (int)stride;
    }
    return KSR_OK;
}

// Keeps a copy of the caller's frame.
static ksr_status copy_frame(ksr_upscaler *u)
{
    if (!u->copy->data[0] && av_frame_get_buffer(u->copy, 0) < 0)
        return ksr_fail_memory(u->ctx);
    for (int i = 0; i < u->info.input_planes; i++)
        for (int y = 0; y < u->info.input_rows[i]; y++)
            memcpy(u->copy->data[i] + (ptrdiff_t)y * u->copy->linesize[i],
                   u->in->data[i] + (ptrdiff_t)y * u->in->linesize[i], u->info.input_row_bytes[i]);
    return KSR_OK;
}

// After a failure nothing is known of what the pipeline holds.
static ksr_status outcome(ksr_upscaler *u, ksr_status status)
{
    if (status != KSR_OK)
        ksr_upscaler_reset(u);
    return status;
}

static ksr_status check_number(const ksr_upscaler *u, int64_t number)
{
    return number >= 0 && number < INT64_MAX
               ? KSR_OK
               : ksr_fail(u->ctx, KSR_E_PARAM, "number: '%lld' is not valid (from 0)",
                          (long long)number);
}

// The same for every way of handing in a frame. most: that may be held before it.
static ksr_status check_push(const ksr_upscaler *u, int64_t number,
                             const struct ksr_frame_planes *in, int most)
{
    if (!in)
        return ksr_fail(u->ctx, KSR_E_PARAM, "in is NULL");
    if (u->pipeline->held > most || (u->drains && u->pipeline->held > 0))
        return ksr_fail(u->ctx, KSR_E_PARAM, "%d frame%s held: pull before the next one",
                        u->pipeline->held, u->pipeline->held == 1 ? " is" : "s are");
    const ksr_status status = check_number(u, number);
    return status == KSR_OK ? view(u, in, u->in) : status;
}

// Hands a picture to the pipeline.
static ksr_status push(ksr_upscaler *u, int64_t number, const AVFrame *picture, bool warms_up)
{
    ksr_status status = ksr_check_cancel(u->ctx);
    if (status == KSR_OK)
        status = ksr_pixels_read(u->ctx, u->reader, picture, &u->layout, &u->rows);
    if (status == KSR_OK)
        status = ksr_pipeline_push(u->ctx, u->pipeline, number, &u->rows, warms_up);
    if (status == KSR_OK)
        u->followed = warms_up && u->pipeline->held > 0;
    if (status == KSR_OK && !warms_up) {
        u->held[u->pipeline->held - 1] = number;
        u->drains = false;
    }
    return status;
}

static ksr_status pull(ksr_upscaler *u)
{
    u->drains = u->pipeline->held <= u->pipeline->delay;
    ksr_status status = ksr_check_cancel(u->ctx);
    const struct ksr_row_sink sink = ksr_pixels_write(u->writer, u->out);
    if (status == KSR_OK)
        status = ksr_pipeline_pull(u->ctx, u->pipeline, &sink);
    if (status == KSR_OK)
        memmove(&u->held[0], &u->held[1], (size_t)u->pipeline->held * sizeof(u->held[0]));
    return status == KSR_OK ? ksr_pixels_finish(u->ctx, u->writer, u->pool) : status;
}

ksr_status ksr_upscaler_frame(ksr_upscaler *u, int64_t number, const struct ksr_frame_planes *in,
                              const struct ksr_frame_planes *out)
{
    if (!u || !out)
        return ksr_fail(u ? u->ctx : NULL, KSR_E_PARAM, "%s is NULL", u ? "out" : "upscaler");
    if (u->pipeline->ahead > 0)
        return ksr_fail(u->ctx, KSR_E_PARAM,
                        "composite depends on the %d frames after each (use push and pull)",
                        u->pipeline->ahead);
    ksr_status status = check_push(u, number, in, 0);
    if (status == KSR_OK)
        status = view(u, out, u->out);
    if (status != KSR_OK)
        return status;
    status = push(u, number, u->in, false);
    return outcome(u, status == KSR_OK ? pull(u) : status);
}

ksr_status ksr_upscaler_push(ksr_upscaler *u, int64_t number, const struct ksr_frame_planes *in)
{
    if (!u)
        return KSR_E_PARAM;
    ksr_status status = check_push(u, number, in, u->followed ? 0 : u->pipeline->delay);
    if (status != KSR_OK)
        return status;
    const bool copies = u->pipeline->delay == 0;
    if (copies)
        status = copy_frame(u);
    return outcome(u, status == KSR_OK ? push(u, number, copies ? u->copy : u->in, false) : status);
}

ksr_status ksr_upscaler_warm_up(ksr_upscaler *u, int64_t number, const struct ksr_frame_planes *in)
{
    if (!u)
        return KSR_E_PARAM;
    const ksr_status status = check_push(u, number, in, u->pipeline->ahead > 0 ? INT_MAX : 0);
    return status == KSR_OK ? outcome(u, push(u, number, u->in, true)) : status;
}

ksr_status ksr_upscaler_pull(ksr_upscaler *u, const struct ksr_frame_planes *out, int64_t *number)
{
    if (!u || !out)
        return ksr_fail(u ? u->ctx : NULL, KSR_E_PARAM, "%s is NULL", u ? "out" : "upscaler");
    if (u->pipeline->held == 0)
        return ksr_fail(u->ctx, KSR_E_PARAM, "no frame is held");
    ksr_status status = view(u, out, u->out);
    if (status != KSR_OK)
        return status;
    const int64_t oldest = u->held[0];
    status = outcome(u, pull(u));
    if (status == KSR_OK && number)
        *number = oldest;
    return status;
}
