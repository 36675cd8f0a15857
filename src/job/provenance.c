// The record of a run; see provenance.h.

#include "job/provenance.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "config/json.h"
#include "core/fs.h"
#include "core/image_sequence.h"
#include "core/mem.h"
#include "job/key.h"
#include "job/prepare.h"
#include "job/settled.h"
#include "job/store.h"
#include "job/subs.h"
#include "media/av/checksum.h"

#define RECORD_VERSION 1
#define RECORD_START   "{\n  \"kizunasr_provenance\":"

// --- Where it goes ---

// wanted: shorter than 64 bytes.
static bool begins_with(const char *path, const char *wanted)
{
    char start[64] = "";
    FILE *file = fopen(path, "rbe");
    const size_t size = file ? fread(start, 1, strlen(wanted), file) : 0;
    if (file)
        fclose(file);
    return size == strlen(wanted) && strcmp(start, wanted) == 0;
}

static bool is_same(const char *a, const char *b)
{
    return strcmp(a, b) == 0 || ksr_fs_same_file(a, b);
}

ksr_status ksr_record_check(ksr_context *ctx, const char *what, const char *start, const char *path,
                            bool overwrite, const char *input_path, const char *output_path)
{
    if (!path)
        return KSR_OK;
    if (is_same(path, input_path) || is_same(path, output_path))
        return ksr_fail(ctx, KSR_E_PARAM, "the %s is the input or the output: %s", what, path);
    if (ksr_fs_is_folder(path))
        return ksr_fail(ctx, KSR_E_OUTPUT, "the %s is a folder, not a file: %s", what, path);
    if (ksr_fs_exists(path) && !overwrite && !begins_with(path, start))
        return ksr_fail(
            ctx, KSR_E_PARAM,
            "the %s would replace another file: %s (use {overwrite=true} to replace it)", what,
            path);
    char *parent = ksr_fs_parent(path);
    if (!parent)
        return ksr_fail_memory(ctx);
    ksr_status status = KSR_OK;
    if (!ksr_fs_is_folder(parent) || access(parent, W_OK) != 0)
        status = ksr_fail(ctx, KSR_E_OUTPUT, "cannot write the %s to %s", what, parent);
    free(parent);
    return status;
}

ksr_status ksr_provenance_check(ksr_context *ctx, const struct ksr_run_options *options,
                                const char *input_path, const char *output_path)
{
    return ksr_record_check(ctx, "provenance record", RECORD_START, options->provenance,
                            options->overwrite, input_path, output_path);
}

static char *record_path(const struct ksr_job *job)
{
    return ksr_format("%s/provenance.json", job->folder);
}

ksr_status ksr_provenance_copy(ksr_context *ctx, const struct ksr_job *job, const char *path)
{
    if (!path)
        return KSR_OK;
    char *from = record_path(job), *text = NULL;
    size_t size;
    ksr_status status = from ? ksr_fs_read_file(ctx, from, &text, &size) : ksr_fail_memory(ctx);
    if (status == KSR_OK)
        status = ksr_fs_write_file(ctx, path, text, size);
    else if (status == KSR_E_INPUT)
        status = ksr_fail(ctx, KSR_E_PROCESS,
                          "no provenance record in %s (use {fresh=true} to make one)", job->folder);
    free(text);
    free(from);
    return status;
}

// --- Whether it is true ---

static int64_t number(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static void read_record(const json_t *record, struct ksr_record *out)
{
    const json_t *output = json_object_get(record, "output");
    *out = (struct ksr_record){
        .frames = number(output, "frames"),
        .bytes = number(output, "bytes"),
        .width = (int)number(output, "width"),
        .height = (int)number(output, "height"),
        .repeated = (int64_t)json_array_size(json_object_get(record, "repeated")),
        .skipped = (int64_t)json_array_size(json_object_get(record, "skipped")),
        .segments = (int)json_array_size(json_object_get(record, "segments"))};
}

// *record: NULL where there is none that can be read.
static ksr_status load(ksr_context *ctx, const char *path, json_t **record)
{
    char *text = NULL;
    bool starved = false;
    *record = NULL;
    if (!path || !begins_with(path, RECORD_START))
        return KSR_OK;
    const ksr_status read = ksr_fs_read_file(ctx, path, &text, NULL);
    *record = text ? ksr_json_read(text, strlen(text), 0, NULL, &starved) : NULL;
    free(text);
    if (starved)
        return ksr_fail_memory(ctx);
    return read == KSR_E_NOMEM ? read : KSR_OK;
}

ksr_status ksr_provenance_pipeline(ksr_context *ctx, const char *path, json_t **pipeline)
{
    json_t *record;
    const ksr_status status = load(ctx, path, &record);
    *pipeline = json_incref(json_object_get(json_object_get(record, "config"), "pipeline"));
    json_decref(record);
    return status;
}

ksr_status ksr_provenance_look(ksr_context *ctx, const char *path, const char *id,
                               const char *output_path, struct ksr_record *out)
{
    json_t *record;
    memset(out, 0, sizeof(*out));
    if (!ksr_sequence_exists(output_path))
        return KSR_OK;
    const ksr_status read = load(ctx, path, &record);
    if (read != KSR_OK)
        return read;
    const char *job = json_string_value(json_object_get(record, "job"));
    const char *wanted =
        json_string_value(json_object_get(json_object_get(record, "output"), "sha256"));
    ksr_status status = KSR_OK;
    if (job && wanted && strcmp(job, id) == 0) {
        char sha256[KSR_SHA256_TEXT];
        int64_t bytes;
        read_record(record, out);
        if (ksr_sequence_size(output_path) == out->bytes) {
            status = ksr_media_sha256(ctx, output_path, sha256, &bytes);
            out->stands = status == KSR_OK && strcmp(sha256, wanted) == 0;
        }
    }
    json_decref(record);
    return status;
}

// --- What it says ---

// What the segments tell, gathered in the order of the film.
struct gathered {
    json_t *segments, *repeated, *skipped;
    int64_t frames;
};

static bool add_frames(json_t *list, size_t first, const uint32_t *frames, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (json_array_append_new(list, json_integer((json_int_t)(first + frames[i]))) != 0)
            return false;
    return true;
}

static bool add_segment(const struct ksr_segment_plan *s, const struct ksr_segment_info *info,
                        struct gathered *g)
{
    json_t *entry = json_pack("{s:I,s:I,s:I,s:s,s:s}", "first", (json_int_t)s->first, "frames",
                              (json_int_t)s->count, "bytes", (json_int_t)info->size, "xxh128",
                              info->checksum, "samples", info->samples);
    g->frames += info->packets;
    return json_array_append_new(g->segments, entry) == 0 &&
           add_frames(g->repeated, s->first, info->repeated, info->repeated_count) &&
           add_frames(g->skipped, s->first, info->skipped, info->skipped_count);
}

static ksr_status gather(ksr_context *ctx, const struct ksr_manifest *m,
                         const struct ksr_segment_info *infos, struct gathered *g)
{
    g->segments = json_array();
    g->repeated = json_array();
    g->skipped = json_array();
    bool ok = g->segments && g->repeated && g->skipped;
    for (int i = 0; ok && i < m->segment_count; i++)
        ok = add_segment(&m->segments[i], &infos[i], g);
    return ok ? KSR_OK : ksr_fail_memory(ctx);
}

// Of paths the names alone: folders are the machine's business.
static json_t *input_to_json(const struct ksr_manifest *m)
{
    return json_pack("{s:o,s:I,s:s,s:I}", "name", ksr_json_text_of(ksr_fs_name(m->input_path)),
                     "bytes", (json_int_t)m->input.size, "xxh128", m->input.whole, "frames",
                     (json_int_t)m->film.frame_count);
}

static json_t *output_to_json(const struct ksr_manifest *m, const struct gathered *g, int64_t bytes,
                              const char *sha256)
{
    return json_pack("{s:o,s:s,s:i,s:i,s:I,s:I,s:s}", "name",
                     ksr_json_text_of(ksr_fs_name(m->output_path)), "format", m->output.format,
                     "width", m->encoder.format.width, "height", m->encoder.format.height, "frames",
                     (json_int_t)g->frames, "bytes", (json_int_t)bytes, "sha256", sha256);
}

static json_t *record_to_json(const struct ksr_manifest *m, const struct gathered *g, int64_t bytes,
                              const char *sha256, const struct ksr_warnings *of_joining,
                              const char *failed)
{
    json_t *warnings = ksr_manifest_texts(&m->warnings);
    json_t *more = ksr_manifest_texts(of_joining);
    if (!warnings || !more || json_array_extend(warnings, more) != 0) {
        json_decref(warnings);
        warnings = NULL; // which json_pack() passes on
    }
    json_decref(more);
    json_t *subtitles = ksr_subs_record(m);
    if (m->film.subs && !subtitles) {
        json_decref(warnings);
        warnings = NULL;
    }
    json_t *record = json_pack("{s:i,s:s,s:o,s:o,s:b,s:O,s:O*,s:O,s:o}", "kizunasr_provenance",
                               RECORD_VERSION, "job", m->id, "input", input_to_json(m), "output",
                               output_to_json(m, g, bytes, sha256), "promised", m->encoder.promised,
                               "versions", json_object_get(m->key, "versions"), "hardware",
                               json_object_get(m->key, "hardware"), "config",
                               json_object_get(m->key, "config"), "settled", ksr_settled_values(m));
    const json_t *chroma = json_object_get(m->key, "chroma");
    json_t *rest =
        json_pack("{s:s*,s:s*,s:o,s:O,s:O,s:O,s:o,s:s*,s:o*,s:O*}", "model", ksr_manifest_model(m),
                  "chroma_model", ksr_manifest_chroma(m) ? json_string_value(chroma) : NULL,
                  "encoder", ksr_manifest_encoder(&m->encoder), "segments", g->segments, "repeated",
                  g->repeated, "skipped", g->skipped, "warnings", warnings, "accepted", failed,
                  "subtitles", subtitles, "curve", m->curve);
    const bool settled = json_object_update_new(record, ksr_settled_texts(m)) == 0;
    if (json_object_update_new(record, rest) == 0 && settled)
        return record;
    json_decref(record);
    return NULL;
}

static ksr_status save(ksr_context *ctx, const struct ksr_job *job, json_t *record)
{
    char *text = record ? json_dumps(record, JSON_INDENT(2) | KSR_JSON_REALS) : NULL;
    const bool whole = text && !ksr_memory_ran_out(); // since the record was begun
    char *path = record_path(job);
    char *file = whole ? ksr_format("%s\n", text) : NULL;
    const ksr_status status =
        path && file ? ksr_fs_write_file(ctx, path, file, strlen(file)) : ksr_fail_memory(ctx);
    free(file);
    free(text);
    free(path);
    return status;
}

ksr_status ksr_provenance_make(ksr_context *ctx, const struct ksr_job *job,
                               const struct ksr_segment_info *segments, int64_t bytes,
                               const char *sha256, const struct ksr_warnings *warnings,
                               const char *failed)
{
    struct gathered g = {0};
    ksr_status status =
        warnings->lost ? ksr_fail_memory(ctx) : gather(ctx, &job->manifest, segments, &g);
    if (status == KSR_OK) {
        ksr_memory_watch();
        json_t *record = record_to_json(&job->manifest, &g, bytes, sha256, warnings, failed);
        status = save(ctx, job, record);
        json_decref(record);
    }
    json_decref(g.segments);
    json_decref(g.repeated);
    json_decref(g.skipped);
    return status;
}
