// A plan in words: ksr_dry_run(), which tells what a run would do and does nothing.

#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/json.h"
#include "job/prepare.h"
#include "job/settled.h"
#include "job/store.h"
#include "media/compare/inspect.h"
#include "net/library.h"

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

// Adds to the streams, as ksr_probe() describes them, what becomes of each.
static void describe_actions(const struct ksr_manifest *m, json_t *streams)
{
    for (size_t i = 0; i < json_array_size(streams); i++) {
        json_t *stream = json_array_get(streams, i);
        const json_int_t index = json_integer_value(json_object_get(stream, "index"));
        if (index < 0 || index >= m->output.stream_count)
            continue;
        const enum ksr_carry carry = m->output.carry[index];
        json_object_set_new(stream, "action", json_string(action_name(carry)));
        if (carry == KSR_CARRY_ENCODE || carry == KSR_CARRY_CONVERT)
            json_object_set_new(stream, "to", json_string(m->output.codec[index]));
    }
}

// *finished: for every segment, to be freed.
static ksr_status find_finished(ksr_context *ctx, const struct ksr_job *job, bool **finished)
{
    const struct ksr_manifest *m = &job->manifest;
    *finished = calloc((size_t)m->segment_count, sizeof(**finished));
    ksr_status status = *finished ? KSR_OK : ksr_fail_memory(ctx);
    for (int i = 0; status == KSR_OK && i < m->segment_count; i++)
        status = ksr_segment_check(ctx, job->folder, i, m->id, &(*finished)[i], NULL);
    return status;
}

static json_t *describe_segments(const struct ksr_manifest *m, const bool *finished)
{
    json_t *list = json_array();
    for (int i = 0; i < m->segment_count; i++) {
        const struct ksr_segment_plan *s = &m->segments[i];
        json_array_append_new(
            list,
            json_pack("{s:I,s:I,s:f,s:f,s:b}", "first_frame", (json_int_t)s->first, "frames",
                      (json_int_t)s->count, "start",
                      s->first ? ksr_film_length(&m->film, 0, s->first) : 0.0, "seconds",
                      ksr_film_length(&m->film, s->first, s->count), "finished", finished[i]));
    }
    return list;
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

static json_t *describe_job(const struct ksr_job *job, json_t *streams, const bool *finished)
{
    const struct ksr_manifest *m = &job->manifest;
    describe_actions(m, streams);
    json_t *to = describe_format(&m->encoder.format);
    json_object_set_new(to, "codec", json_string(m->encoder.codec));
    json_object_set_new(to, "format", json_string(m->output.format));
    json_object_set_new(to, "encoder_options", describe_encoder(m));
    const struct ksr_pipeline_config *p = &ksr_config_get(m->config)->pipeline;
    const char *model = p->ai_model_path ? p->ai_model_path : KSR_MODEL_DEFAULT;
    json_t *root = json_pack(
        "{s:o,s:o,s:o,s:b,s:I,s:f,s:o,s:o,s:o*}", "input", ksr_json_text_of(m->input_path),
        "output", ksr_json_text_of(m->output_path), "work_folder", ksr_json_text_of(job->folder),
        "already_done", job->done, "frames", (json_int_t)m->film.frame_count, "seconds",
        ksr_film_length(&m->film, 0, m->film.frame_count), "from", describe_format(&m->film.format),
        "to", to, "model", p->use_ai ? ksr_json_text_of(model) : NULL);
    json_object_update_new(root, ksr_settled_texts(m));
    json_object_set(root, "streams", streams);
    json_object_set_new(root, "segments", describe_segments(m, finished));
    return root;
}

ksr_status ksr_dry_run(ksr_context *ctx, const struct ksr_processor_config *config,
                       const struct ksr_run_options *options, char **json)
{
    static const struct ksr_run_options none;
    struct ksr_job job;
    json_t *file = NULL;
    bool *finished = NULL;
    if (!config || !json)
        return ksr_fail(ctx, KSR_E_PARAM, "config or json is NULL");
    *json = NULL;
    ksr_status status = ksr_job_look(ctx, config, options ? options : &none, &job);
    if (status != KSR_OK)
        return status;
    status = ksr_media_describe(ctx, job.manifest.input_path, &job.manifest.film, &file);
    if (status == KSR_OK)
        status = find_finished(ctx, &job, &finished);
    if (status == KSR_OK) {
        ksr_memory_watch();
        json_t *root = describe_job(&job, json_object_get(file, "streams"), finished);
        status = ksr_json_text(ctx, root, JSON_INDENT(2) | KSR_JSON_REALS, json);
    }
    json_decref(file);
    free(finished);
    ksr_job_close(&job);
    return status;
}
