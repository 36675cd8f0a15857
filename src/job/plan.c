// Planning a job; see plan.h.

#include "job/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/parse.h"
#include "core/background.h"
#include "core/image_sequence.h"
#include "core/mem.h"
#include "frame/tile.h"
#include "job/bitrate_allocation.h"
#include "job/key.h"
#include "job/sidecar.h"
#include "job/subs.h"
#include "media/compare/inspect.h"
#include "media/container/aperture.h"
#include "media/container/containers.h"
#include "media/index/damage.h"
#include "media/index/drawing.h"
#include "media/index/grain.h"
#include "media/index/index.h"
#include "media/index/kinds.h"
#include "media/index/rate.h"
#include "media/index/scan.h"
#include "media/index/side_data.h"
#include "media/index/telecine.h"
#include "media/input/filter.h"
#include "media/input/geometry.h"
#include "media/input/reader.h"
#include "net/networks.h"
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

static void log_denoise(ksr_context *ctx, const struct ksr_manifest *m)
{
    char text[80];
    ksr_manifest_denoise_text(m, text, sizeof(text));
    if (m->denoise_reason[0])
        ksr_log(ctx, KSR_LOG_INFO, "denoise: %s", text);
}

static void log_descale(ksr_context *ctx, const struct ksr_manifest *m)
{
    char text[80];
    if (ksr_manifest_descale_text(m, text, sizeof(text)))
        ksr_log(ctx, KSR_LOG_INFO, "descale: %s", text);
}

static void log_grain(ksr_context *ctx, const struct ksr_manifest *m)
{
    char text[80];
    if (ksr_manifest_grain_text(m, text, sizeof(text)))
        ksr_log(ctx, KSR_LOG_INFO, "grain: %s", text);
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

// What is learnt of a film by decoding some of its frames.
struct looks {
    ksr_context *ctx;
    const char *path;
    const struct ksr_film *film;
    bool denoise;                      // its damage is asked for,
    const struct ksr_network *network; // by this one; NULL: by filters
    struct ksr_extras extras;
    struct ksr_damage damage;
    bool measures_grain;
    struct ksr_grain grain;
    struct ksr_scan scan;
};

static ksr_status look_at_rest(void *arg)
{
    struct looks *l = arg;
    struct ksr_damage_share share = {100, 100};
    ksr_status status = ksr_extras_look(l->ctx, l->path, l->film, &l->extras);
    if (status == KSR_OK && l->measures_grain)
        status = ksr_grain_look(l->ctx, l->path, l->film, &l->grain);
    if (status != KSR_OK || !l->denoise)
        return status;
    if (l->network)
        share = (struct ksr_damage_share){.quantizer = l->network->denoise_quantizer,
                                          .shown = l->network->denoise_shown};
    return ksr_damage_look(l->ctx, l->path, l->film, share, NULL, &l->damage);
}

static ksr_status look_at_fields(void *arg)
{
    struct looks *l = arg;
    return ksr_scan_look(l->ctx, l->path, l->film, &l->scan);
}

// The bundled network that a job runs, by its name also as .onnx, or by its file's hash; NULL:
// none.
static const struct ksr_network *find_network(const struct ksr_pipeline_config *config,
                                              const json_t *key)
{
    const char *hash = json_string_value(json_object_get(key, "model"));
    const struct ksr_network *named = ksr_network_find(config->ai_model_path);
    if (!config->use_ai || !hash)
        return NULL;
    return named ? named : ksr_network_of(hash);
}

// Settles a strength that follows from the source: from all of it, so that pieces are like the
// whole.
static ksr_status settle_denoise(struct ksr_manifest *m, const struct ksr_damage *damage)
{
    char text[16];
    snprintf(text, sizeof(text), "0.%02d", damage->strength);
    snprintf(m->denoise_reason, sizeof(m->denoise_reason), "%s", damage->reason);
    return ksr_config_set(m->config, "denoise", text);
}

// Has stages take out grain of a strength (in hundredths of a code), in stills by stage 5, and
// elsewhere by stages 1 and 2. What is set to do more stays.
static ksr_status settle_removal(struct ksr_manifest *m, int strength)
{
    const struct ksr_pipeline_config *p = &ksr_config_get(m->config)->pipeline;
    const int smoothing = ksr_clamp(strength / 8, 10, 100); // follows twice as much
    const int threshold = ksr_clamp(strength / 20, 10, 40);
    char text[2][16];
    snprintf(text[0], sizeof(text[0]), "%d.%02d", smoothing / 100, smoothing % 100);
    snprintf(text[1], sizeof(text[1]), "0.%02d", threshold);
    ksr_status status = KSR_OK;
    if (p->denoise * 100 < smoothing) {
        snprintf(m->denoise_reason, sizeof(m->denoise_reason), "grain");
        status = ksr_config_set(m->config, "denoise", text[0]);
    }
    if (status == KSR_OK && p->structure_smoothing * 100 < smoothing)
        status = ksr_config_set(m->config, "structure_smoothing", text[0]);
    if (status == KSR_OK && !p->enable_temporal)
        status = ksr_config_set(m->config, "enable_temporal", "true");
    if (status == KSR_OK && p->motion_threshold * 100 < threshold)
        status = ksr_config_set(m->config, "motion_threshold", text[1]);
    return status;
}

// Settles how strong grain is, where that is to be found out, and has it taken out. found: all 0
// where there is none.
static ksr_status settle_grain(struct ksr_manifest *m, const struct ksr_grain *found)
{
    const char *asked = ksr_config_get(m->config)->pipeline.grain;
    const int strongest = ksr_grain_strongest(found);
    struct ksr_grain grain, put = *found;
    enum ksr_grain_kind kind;
    char text[KSR_GRAIN_TEXT] = "keep";
    if (!ksr_grain_parse(asked, &kind, &grain) || kind != KSR_GRAIN_UNKNOWN)
        return KSR_OK;
    put.amount = grain.amount;
    if (strongest > 0)
        ksr_grain_print(text, &put);
    const ksr_status status = ksr_config_set(m->config, "grain", text);
    return status == KSR_OK && strongest > 0 ? settle_removal(m, strongest) : status;
}

// Whether lines of the frames as they are decoded are those that stages get.
static bool shows_drawing(const struct ksr_pipeline_config *config, const struct ksr_film *film)
{
    return !config->crop && !film->filter[0] && strcmp(config->rotate, "keep") == 0;
}

// Settles at which size the source was drawn, where that is to be found out.
static ksr_status settle_descale(ksr_context *ctx, const struct ksr_processor_config *config,
                                 struct ksr_manifest *m)
{
    struct ksr_drawing d = {0};
    char text[48] = "off";
    if (strcmp(config->pipeline.descale, "auto") != 0)
        return KSR_OK;
    ksr_status status = KSR_OK;
    if (shows_drawing(&config->pipeline, &m->film))
        status = ksr_drawing_look(ctx, config->input_path, &m->film, &d);
    if (d.width > 0)
        snprintf(text, sizeof(text), "%dx%d:%s", d.width, d.height, ksr_kernel_name(d.kernel));
    ksr_drawing_free(&d);
    return status == KSR_OK ? ksr_config_set(m->config, "descale", text) : status;
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

// Looks at the film's frames, for their fields and for all else at once, and settles what follows.
static ksr_status plan_frames(ksr_context *ctx, const struct ksr_processor_config *config,
                              struct ksr_manifest *m)
{
    struct looks l = {.ctx = ctx,
                      .path = config->input_path,
                      .film = &m->film,
                      .denoise = config->pipeline.denoise == KSR_AUTO,
                      .measures_grain = ksr_grain_unknown(config->pipeline.grain),
                      .network = find_network(&config->pipeline, m->key)};
    ksr_status status = ksr_run_both(ctx, look_at_rest, &l, look_at_fields, &l);
    if (status == KSR_OK)
        m->film.extras = l.extras;
    if (status == KSR_OK && l.denoise)
        status = settle_denoise(m, &l.damage);
    if (status == KSR_OK)
        status = settle_grain(m, &l.grain);
    if (status != KSR_OK)
        return status;
    ksr_scan_judge(ctx, &l.scan, &m->film);
    status = ksr_filter_plan(ctx, config->input_path, &config->pipeline, &m->film);
    return status == KSR_OK ? settle_descale(ctx, config, m) : status;
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
        status = plan_frames(ctx, config, out);
    if (status == KSR_OK)
        status = ksr_geometry_plan(ctx, &config->pipeline, &out->film);
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
    log_descale(ctx, out);
    log_denoise(ctx, out);
    log_grain(ctx, out);
    log_summary(ctx, out);
    return KSR_OK;
}
