// Planning a job; see plan.h.

#include "job/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/parse.h"
#include "core/image_sequence.h"
#include "core/mem.h"
#include "frame/kernel.h"
#include "job/bitrate_allocation.h"
#include "job/key.h"
#include "job/settle.h"
#include "job/settled.h"
#include "job/sidecar.h"
#include "job/subs.h"
#include "media/compare/inspect.h"
#include "media/container/aperture.h"
#include "media/container/containers.h"
#include "media/index/index.h"
#include "media/index/kinds.h"
#include "media/index/rate.h"
#include "media/input/geometry.h"
#include "media/input/reader.h"
#include "pipeline/recipe.h"

#define SEGMENT_SECONDS 8

// --- Segments ---

// The first frame at or after a time.
static size_t frame_at(const struct ksr_film *film, int64_t time)
{
    size_t low = 0, high = film->frame_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (film->frames[middle].time < time)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// The keyframe nearest to a time, if one is within `reach`, else the frame at that time.
static size_t choose_border(const struct ksr_film *film, int64_t ideal, int64_t reach)
{
    size_t best = frame_at(film, ideal);
    int64_t best_distance = reach;
    for (size_t k = 0; k < film->key_count; k++) {
        const int64_t distance = llabs(film->frames[film->keys[k].frame].time - ideal);
        if (distance <= best_distance) {
            best = film->keys[k].frame;
            best_distance = distance;
        }
    }
    return best;
}

// The video in one piece.
static struct ksr_segment_plan *plan_whole(const struct ksr_film *film)
{
    struct ksr_segment_plan *segment = calloc(1, sizeof(*segment));
    if (segment)
        *segment = (struct ksr_segment_plan){.count = film->frame_count,
                                             .from = ksr_reader_entry(film, 0)};
    return segment;
}

struct ksr_segment_plan *ksr_plan_segments(const struct ksr_film *film, int warmup, int *count)
{
    const struct ksr_film_frame *first = &film->frames[0];
    const struct ksr_film_frame *last = &film->frames[film->frame_count - 1];
    const int64_t length = last->time + last->duration - first->time;
    const double seconds = ksr_film_seconds(film, length);
    size_t wanted = seconds > SEGMENT_SECONDS ? (size_t)ceil(seconds / SEGMENT_SECONDS) : 1;
    if (wanted > film->frame_count)
        wanted = film->frame_count;
    struct ksr_segment_plan *segments = calloc(wanted, sizeof(segments[0]));
    if (!segments)
        return NULL;
    int n = 0;
    size_t start = 0;
    for (size_t i = 1; i <= wanted; i++) {
        const int64_t ideal = first->time + (int64_t)((double)length * (double)i / (double)wanted);
        const int64_t reach = length / (int64_t)wanted / 4;
        const size_t end = i == wanted ? film->frame_count : choose_border(film, ideal, reach);
        if (end <= start)
            continue; // a hole in the film: no frame for this piece of time
        const size_t lead = start > (size_t)warmup ? start - (size_t)warmup : 0;
        segments[n++] = (struct ksr_segment_plan){
            .first = start, .count = end - start, .from = ksr_reader_entry(film, lead)};
        start = end;
    }
    *count = n;
    return segments;
}

// --- The rest of the manifest ---

// The configuration with its paths made absolute, owned by the manifest.
static ksr_status keep_config(ksr_context *ctx, const struct ksr_processor_config *config,
                              struct ksr_manifest *m)
{
    m->input_path = ksr_fs_absolute(config->input_path);
    m->output_path = ksr_fs_absolute(config->output_path);
    ksr_memory_watch();
    json_t *values = ksr_config_to_json(config, true);
    const bool whole = values && !ksr_memory_ran_out();
    ksr_status status = m->input_path && m->output_path && whole ? KSR_OK : ksr_fail_memory(ctx);
    if (status == KSR_OK)
        status = ksr_config_create(&m->config, ctx);
    if (status == KSR_OK)
        status = ksr_config_from_json(m->config, values, "configuration");
    json_decref(values);
    char *subs = NULL;
    if (status == KSR_OK)
        status = ksr_subs_absolute(ctx, config->sub, &subs);
    if (status == KSR_OK && subs)
        status = ksr_config_replace(m->config, "sub", subs);
    free(subs);
    return status;
}

// What the machine lacks is no property of the job.
static void warn_of_space(ksr_context *ctx, const struct ksr_manifest *m)
{
    char *parent = ksr_fs_parent(m->output_path);
    const int64_t room = parent ? ksr_fs_free_space(parent) : -1;
    free(parent);
    // Segments and output stand side by side for a moment, each about twice the input per
    // doubling of the size at the default quality.
    const double area = (double)m->encoder.format.width * m->encoder.format.height /
                        ((double)m->film.format.width * m->film.format.height);
    const double wanted = (double)m->input.size * area;
    if (room >= 0 && (double)room < wanted)
        ksr_log(ctx, KSR_LOG_WARNING,
                "disk space may not be sufficient: %.0f MiB free, about %.0f MiB needed",
                (double)room / 1048576, wanted / 1048576);
}

// Damage that was met while the film was indexed by decoding is not left to be met again after
// hours.
static ksr_status check_damage(ksr_context *ctx, const struct ksr_processor_config *config,
                               const struct ksr_film *film)
{
    size_t first = 0;
    const size_t count = ksr_film_damaged(film, &first);
    if (count == 0)
        return KSR_OK;
    const double seconds = ksr_film_seconds(film, film->frames[first].time);
    if (config->on_frame_error == KSR_FRAME_ERROR_ABORT)
        return ksr_fail(ctx, KSR_E_PROCESS,
                        "frame %zu (%.3f s) is damaged, %zu of %zu in all (use "
                        "{on_frame_error=repeat|skip} to continue)",
                        first, seconds, count, film->frame_count);
    ksr_log(ctx, KSR_LOG_WARNING,
            "%zu of %zu frames are damaged, the first is frame %zu (%.3f s): %s", count,
            film->frame_count, first, seconds,
            config->on_frame_error == KSR_FRAME_ERROR_SKIP ? "skipped"
                                                           : "the frame before each is "
                                                             "repeated");
    return KSR_OK;
}

static void warn_of_late_fields(ksr_context *ctx, const struct ksr_film *film)
{
    const size_t frame = ksr_kinds_frame(film, film->interlaced_from);
    if (frame < film->frame_count)
        ksr_log(ctx, KSR_LOG_WARNING,
                "the video is flagged as interlaced from frame %zu (%.3f s) on: combing will be "
                "visible (use {deinterlace=true})",
                frame, ksr_film_seconds(film, film->frames[frame].time));
}

static void warn_of_trouble(ksr_context *ctx, const struct ksr_manifest *m)
{
    const struct ksr_film *film = &m->film;
    ksr_kinds_warn(ctx, film);
    if (film->single_fields)
        ksr_log(ctx, KSR_LOG_WARNING,
                "each frame of this HEVC video is a single field: the fields are upscaled "
                "separately, at half the height (ffmpeg -i INPUT -map 0 -c copy -c:v ffv1 -vf "
                "weave=%s joined.mkv joins them first)",
                film->format.bottom_first ? "bottom" : "top");
    else if (film->telecined)
        ksr_log(ctx, KSR_LOG_WARNING,
                "the video is telecined: combing will be visible (use {inverse_telecine=true})");
    else if (film->marked_wrongly && !film->filter[0])
        ksr_log(ctx, KSR_LOG_INFO,
                "the video is flagged as interlaced, but the examined frames are progressive: not "
                "deinterlacing (use {deinterlace=true} if combing is visible elsewhere)");
    else if (film->format.interlaced || film->unmarked_fields)
        ksr_log(ctx, KSR_LOG_WARNING,
                "the video is interlaced%s: combing will be visible (use {deinterlace=true})",
                film->unmarked_fields ? " although it is not flagged as such" : "");
    else if (film->turns_interlaced && !film->filter[0])
        warn_of_late_fields(ctx, film);
    else if (film->soft_telecine && !film->filter[0])
        ksr_log(ctx, KSR_LOG_INFO,
                "the video has soft telecine flags: its frames are progressive and last two and "
                "three fields alternately (use {inverse_telecine=true} to make durations even)");
    if (m->output.sequence && film->stream_count > 1)
        ksr_log(ctx, KSR_LOG_WARNING,
                "an image sequence holds no other streams: %d streams are dropped",
                film->stream_count - 1);
    if (!m->encoder.promised && !m->output.image)
        ksr_log(ctx, KSR_LOG_WARNING, "the output of %s may differ from run to run",
                m->encoder.codec);
}

// Frames are scaled whole: what players are asked to cut off must go along, or be said.
static void tell_aperture(ksr_context *ctx, const struct ksr_manifest *m)
{
    const struct ksr_aperture *a = &m->film.extras.aperture;
    const struct ksr_video_format *f = &m->film.format;
    const int width = f->width - a->left - a->right, height = f->height - a->top - a->bottom;
    if (!ksr_aperture_crops(a))
        return;
    if (ksr_container_of(m->output.format)->crop)
        ksr_log(ctx, KSR_LOG_INFO, "the input's cropping to %dx%d is scaled and kept", width,
                height);
    else if (ksr_geometry_turns(&m->film.geometry))
        ksr_log(ctx, KSR_LOG_WARNING,
                "players crop the input to %dx%d of %dx%d; the output shows the whole frame (use "
                "{crop} to crop it, or an .mkv output to keep the cropping)",
                width, height, f->width, f->height);
    else
        ksr_log(ctx, KSR_LOG_WARNING,
                "players crop the input to %dx%d of %dx%d; the output shows the whole frame (use "
                "{crop=%d:%d:%d:%d} to crop it, or an .mkv output to keep the cropping)",
                width, height, f->width, f->height, width, height, a->left, a->top);
}

static void log_summary(ksr_context *ctx, const struct ksr_manifest *m)
{
    const struct ksr_video_format *in = &m->film.format, *out = &m->encoder.format;
    const double seconds = ksr_film_length(&m->film, 0, m->film.frame_count);
    int copied = 0, encoded = 0;
    for (int i = 0; i < m->output.stream_count; i++) {
        copied += m->output.carry[i] == KSR_CARRY_COPY;
        encoded += m->output.carry[i] == KSR_CARRY_ENCODE;
    }
    ksr_log(ctx, KSR_LOG_INFO,
            "%dx%d %s, %zu frames, %.1f s -> %dx%d %s, %s in %s; %d other streams copied, %d "
            "encoded; segments: %d",
            in->width, in->height, in->pixel_format, m->film.frame_count, seconds, out->width,
            out->height, out->pixel_format, m->encoder.codec, m->output.format, copied, encoded,
            m->segment_count);
}

// Image sequences have no times of their own.
static ksr_status plan_rate(ksr_context *ctx, const struct ksr_processor_config *config,
                            struct ksr_film *film)
{
    struct ksr_rational rate = {24, 1};
    const bool sequence = ksr_sequence_is(config->input_path);
    if (config->framerate && !sequence)
        return ksr_fail(ctx, KSR_E_PARAM, "framerate: %s is not an image sequence",
                        config->input_path);
    if (config->framerate && !ksr_parse_rate(config->framerate, &rate))
        return KSR_E_PARAM; // seen when the settings were read
    if (!sequence)
        return KSR_OK;
    ksr_film_set_rate(film, rate);
    if (!config->framerate)
        ksr_log(
            ctx, KSR_LOG_INFO,
            "image sequence of %zu files, assuming 24 frames per second (set it with {framerate})",
            film->frame_count);
    return KSR_OK;
}

static ksr_status plan_constant(ksr_context *ctx, const struct ksr_processor_config *config,
                                struct ksr_film *film)
{
    struct ksr_rational rate;
    if (!config->cfr)
        return KSR_OK;
    if (!ksr_film_find_rate(film, &rate)) {
        const size_t i = ksr_film_irregular(film, rate);
        return ksr_fail(ctx, KSR_E_PARAM,
                        "cfr: the frame rate is variable: frame %zu at %.3f s does not fit %d/%d "
                        "frames per second (omit {cfr})",
                        i, ksr_film_seconds(film, film->frames[i].time), rate.num, rate.den);
    }
    ksr_film_make_constant(film, rate);
    ksr_log(ctx, KSR_LOG_INFO, "constant frame rate: %d/%d", rate.num, rate.den);
    return KSR_OK;
}

ksr_status ksr_plan_check_descale(ksr_context *ctx, const char *descale,
                                  const struct ksr_video_format *f)
{
    struct ksr_drawn_size drawn;
    if (!ksr_drawn_size_parse(descale, &drawn) || ksr_drawn_size_fits(&drawn, f->width, f->height))
        return KSR_OK;
    return ksr_fail(ctx, KSR_E_PARAM,
                    "descale: %dx%d cannot have been enlarged to the input's %dx%d (at least a "
                    "third, at most 15/16 of it, or one side as it is)",
                    drawn.width, drawn.height, f->width, f->height);
}

// What the decoder is to do, before it is asked for anything.
static void plan_decoder(const struct ksr_processor_config *config, struct ksr_film *film)
{
    film->no_grain = strcmp(config->pipeline.film_grain, "off") == 0;
}

void ksr_plan_focus(const char *start, const char *duration, struct ksr_film *film)
{
    int64_t from = 0, length = -1;
    // What is no time is said by ksr_plan_cut().
    if ((start && !ksr_parse_time(start, &from)) ||
        (duration && !ksr_parse_time(duration, &length)))
        return;
    if (start || duration)
        ksr_film_focus(film, from, length);
}

ksr_status ksr_plan_cut(ksr_context *ctx, const char *start, const char *duration,
                        struct ksr_film *film)
{
    int64_t from = 0, length = -1;
    if (!start && !duration)
        return KSR_OK;
    if (start && !ksr_parse_time(start, &from))
        return ksr_fail(ctx, KSR_E_PARAM, "start: '%s' is not a time", start);
    if (duration && !ksr_parse_time(duration, &length))
        return ksr_fail(ctx, KSR_E_PARAM, "duration: '%s' is not a time", duration);
    return ksr_film_cut(ctx, film, from, length);
}

static ksr_status make(ksr_context *ctx, const struct ksr_processor_config *config,
                       struct ksr_manifest *out)
{
    ksr_status status = ksr_manifest_id(out->key, out->id) ? KSR_OK : ksr_fail_memory(ctx);
    if (status == KSR_OK)
        status = keep_config(ctx, config, out);
    if (status == KSR_OK)
        status = ksr_film_index_video(ctx, config->input_path, config->video,
                                      config->on_frame_error != KSR_FRAME_ERROR_ABORT, &out->film);
    if (status == KSR_OK)
        status = ksr_film_add_subs(ctx, config->input_path, ksr_config_get(out->config)->sub,
                                   &out->film);
    if (status == KSR_OK)
        status = plan_rate(ctx, config, &out->film);
    plan_decoder(config, &out->film);
    if (status == KSR_OK)
        ksr_plan_focus(config->start, config->duration, &out->film);
    if (status == KSR_OK)
        status = ksr_settle_frames(ctx, config, out);
    if (status == KSR_OK)
        status = ksr_geometry_plan(ctx, &config->pipeline, &out->film);
    if (status == KSR_OK)
        status = ksr_settle_chroma(config, out);
    if (status == KSR_OK)
        status = ksr_plan_check_descale(ctx, ksr_config_get(out->config)->pipeline.descale,
                                        &out->film.format);
    if (status == KSR_OK)
        status = plan_constant(ctx, config, &out->film);
    if (status == KSR_OK)
        status = ksr_plan_cut(ctx, config->start, config->duration, &out->film);
    if (status == KSR_OK)
        status = check_damage(ctx, config, &out->film);
    if (status == KSR_OK)
        status = ksr_plan_output(ctx, config, out);
    if (status == KSR_OK) {
        const bool whole = ksr_encoder_is_whole(out->encoder.codec) && !out->output.sequence;
        out->segment_count = 1;
        out->segments =
            whole ? plan_whole(&out->film)
                  : ksr_plan_segments(&out->film,
                                      ksr_recipe_warmup(&ksr_config_get(out->config)->pipeline),
                                      &out->segment_count);
        if (!out->segments)
            status = ksr_fail_memory(ctx);
    }
    if (status == KSR_OK)
        status = ksr_effort_share(ctx, out);
    if (status == KSR_OK)
        warn_of_trouble(ctx, out);
    if (status == KSR_OK)
        tell_aperture(ctx, out);
    if (status == KSR_OK && out->film.extras.film_grain && !out->film.no_grain)
        ksr_log(ctx, KSR_LOG_INFO,
                "the decoder adds film grain, which is upscaled too (use {film_grain=off} to "
                "remove it)");
    return status;
}

// A piece, as of a preview, and who wants no subtitles are not told of them.
static ksr_status tell_of_subtitles(ksr_context *ctx, const struct ksr_processor_config *config,
                                    const struct ksr_manifest *m)
{
    const bool none = config->subs && strcmp(config->subs, "none") == 0;
    if (none || m->film.cut || m->output.image || ksr_sequence_is(config->input_path))
        return KSR_OK;
    return ksr_beside_tell(ctx, config->input_path, m->film.subs);
}

ksr_status ksr_plan_make(ksr_context *ctx, const struct ksr_processor_config *config,
                         const struct ksr_fingerprint *input, json_t *key, struct ksr_manifest *out)
{
    memset(out, 0, sizeof(*out));
    out->key = json_incref(key);
    out->input = *input;
    ksr_warnings_collect(ctx, &out->warnings);
    ksr_status status = make(ctx, config, out);
    ksr_warnings_collect(ctx, NULL);
    if (status == KSR_OK)
        status = tell_of_subtitles(ctx, config, out);
    if (status == KSR_OK && out->warnings.lost)
        status = ksr_fail_memory(ctx);
    if (status != KSR_OK) {
        ksr_manifest_free(out);
        return status;
    }
    warn_of_space(ctx, out);
    ksr_settled_log(ctx, out);
    log_summary(ctx, out);
    return KSR_OK;
}
