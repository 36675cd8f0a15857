// A plan in words: ksr_dry_run(), which tells what a run would do and does nothing.

#include <stdlib.h>
#include <string.h>

#include "job/config.h"
#include "job/prepare.h"
#include "job/store.h"
#include "media/inspect.h"

static const char *action_name(enum ksr_carry carry)
{
    switch (carry) {
    case KSR_CARRY_VIDEO: return "process";
    case KSR_CARRY_COPY: return "copy";
    case KSR_CARRY_ENCODE: return "encode";
    case KSR_CARRY_CONVERT: return "convert";
    case KSR_CARRY_DROP: break;
    }
    return "drop";
}

// The streams as ksr_probe() describes them, each with what becomes of it.
static ksr_status describe_streams(ksr_context *ctx, const struct ksr_manifest *m, json_t **out)
{
    json_t *file;
    const ksr_status status = ksr_media_describe(ctx, m->input_path, &m->film, &file);
    if (status != KSR_OK)
        return status;
    *out = json_incref(json_object_get(file, "streams"));
    json_decref(file);
    for (size_t i = 0; i < json_array_size(*out); i++) {
        json_t *stream = json_array_get(*out, i);
        const json_int_t index = json_integer_value(json_object_get(stream, "index"));
        if (index < 0 || index >= m->output.stream_count)
            continue;
        const enum ksr_carry carry = m->output.carry[index];
        json_object_set_new(stream, "action", json_string(action_name(carry)));
        if (carry == KSR_CARRY_ENCODE)
            json_object_set_new(stream, "to", json_string(m->output.audio_codec));
        if (carry == KSR_CARRY_CONVERT)
            json_object_set_new(stream, "to", json_string(m->output.text_codec[index]));
    }
    return KSR_OK;
}

static double seconds_between(const struct ksr_film *film, size_t first, size_t count)
{
    const struct ksr_film_frame *last = &film->frames[first + count - 1];
    return ksr_film_seconds(film, last->time + last->duration - film->frames[first].time);
}

static ksr_status describe_segments(ksr_context *ctx, const struct ksr_job *job, json_t **out)
{
    const struct ksr_manifest *m = &job->manifest;
    *out = json_array();
    for (int i = 0; i < m->segment_count; i++) {
        const struct ksr_segment_plan *s = &m->segments[i];
        bool finished = false;
        const ksr_status status = ksr_segment_check(ctx, job->folder, i, m->id, &finished, NULL);
        if (status != KSR_OK)
            return status;
        json_array_append_new(
            *out, json_pack("{s:I,s:I,s:f,s:f,s:b}", "first_frame", (json_int_t)s->first, "frames",
                            (json_int_t)s->count, "start",
                            s->first ? seconds_between(&m->film, 0, s->first) : 0.0, "seconds",
                            seconds_between(&m->film, s->first, s->count), "finished", finished));
    }
    return KSR_OK;
}

static json_t *describe_format(const struct ksr_video_format *format)
{
    return json_pack("{s:i,s:i,s:s}", "width", format->width, "height", format->height,
                     "pixel_format", format->pixel_format);
}

static json_t *describe_encoder(const struct ksr_manifest *m)
{
    json_t *options = json_object();
    for (int i = 0; i < m->encoder.option_count; i++)
        json_object_set_new(options, m->encoder.options[i].name,
                            json_string(m->encoder.options[i].value));
    return options;
}

// streams and segments: references are taken over.
static json_t *describe_job(const struct ksr_job *job, json_t *streams, json_t *segments)
{
    const struct ksr_manifest *m = &job->manifest;
    json_t *to = describe_format(&m->encoder.format);
    json_object_set_new(to, "codec", json_string(m->encoder.codec));
    json_object_set_new(to, "format", json_string(m->output.format));
    json_object_set_new(to, "encoder_options", describe_encoder(m));
    return json_pack("{s:s,s:s,s:s,s:b,s:I,s:f,s:o,s:o,s:o,s:o}", "input", m->input_path, "output",
                     m->output_path, "work_folder", job->folder, "already_done", job->done,
                     "frames", (json_int_t)m->film.frame_count, "seconds",
                     seconds_between(&m->film, 0, m->film.frame_count), "from",
                     describe_format(&m->film.format), "to", to, "streams", streams, "segments",
                     segments);
}

ksr_status ksr_dry_run(ksr_context *ctx, const struct ksr_processor_config *config,
                       const struct ksr_run_options *options, char **json)
{
    static const struct ksr_run_options none;
    struct ksr_job job;
    json_t *streams = NULL, *segments = NULL;
    if (!config || !json)
        return ksr_fail(ctx, KSR_E_PARAM, "config or json is NULL");
    *json = NULL;
    ksr_status status = ksr_job_look(ctx, config, options ? options : &none, &job);
    if (status != KSR_OK)
        return status;
    status = describe_streams(ctx, &job.manifest, &streams);
    if (status == KSR_OK)
        status = describe_segments(ctx, &job, &segments);
    if (status == KSR_OK) {
        json_t *root = describe_job(&job, json_incref(streams), json_incref(segments));
        *json = root ? json_dumps(root, JSON_INDENT(2) | KSR_JSON_REALS) : NULL;
        json_decref(root);
        status = *json ? KSR_OK : ksr_fail_memory(ctx);
    }
    json_decref(segments);
    json_decref(streams);
    ksr_job_close(&job);
    return status;
}
