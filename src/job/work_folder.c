// The work folder of a job: what in it is ours, how it goes, and what it notes of the output; see
// prepare.h.

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "config/json.h"
#include "core/image_sequence.h"
#include "core/mem.h"
#include "core/text.h"
#include "job/prepare.h"

static bool has_suffix(const char *text, const char *suffix)
{
    const size_t n = strlen(text), m = strlen(suffix);
    return n >= m && strcmp(text + n - m, suffix) == 0;
}

// Whether it is what was read from a pipe (spool.c), whole or in the making.
static bool is_partial_source(const char *name)
{
    return strncmp(name, "source.", strlen("source.")) == 0 && has_suffix(name, ".tmp");
}

static bool is_source(const char *name)
{
    static const char start[] = "source-";
    const size_t n = strlen(start);
    return strncmp(name, start, n) == 0 && strlen(name) == n + 16 &&
           strspn(name + n, "0123456789abcdef") == 16;
}

// Whether a file of a work folder is ours: never delete what somebody else put there.
static bool is_ours(const char *name)
{
    static const char *const names[] = {"manifest.json", "done.json",  "provenance.json",
                                        "times.json",    "publishing", "lock"};
    static const char *const ends[] = {".seg", ".times"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strncmp(name, names[i], strlen(names[i])) == 0 &&
            (name[strlen(names[i])] == 0 || has_suffix(name, ".tmp")))
            return true;
    if (is_source(name) || is_partial_source(name))
        return true;
    for (int i = 0; i < 6; i++)
        if (!isdigit((unsigned char)name[i]))
            return false;
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        const size_t n = strlen(ends[i]);
        if (strncmp(name + 6, ends[i], n) == 0 &&
            (name[6 + n] == 0 || (name[6 + n] == '.' && has_suffix(name, ".tmp"))))
            return true;
    }
    return false;
}

static bool is_cleared(const char *name)
{
    return is_ours(name) && strcmp(name, "lock") != 0 && !is_source(name);
}

static bool is_temporary(const char *name)
{
    return is_ours(name) && has_suffix(name, ".tmp");
}

// What a finished job leaves for a moment when its folder goes.
static bool is_rest(const char *name)
{
    return strcmp(name, "provenance.json") == 0 || strcmp(name, "lock") == 0;
}

static bool is_manifest(const char *name)
{
    return strcmp(name, "manifest.json") == 0;
}

static bool is_done(const char *name)
{
    return strcmp(name, "done.json") == 0;
}

static bool is_made(const char *name)
{
    return is_ours(name) && !is_manifest(name) && !is_done(name) && !is_source(name) &&
           !is_rest(name);
}

ksr_status ksr_job_clear_folder(ksr_context *ctx, const struct ksr_job *job)
{
    return ksr_fs_remove_folder(ctx, job->folder, is_cleared);
}

ksr_status ksr_job_clear_temporary(ksr_context *ctx, const struct ksr_job *job)
{
    return ksr_fs_remove_folder(ctx, job->folder, is_temporary);
}

ksr_status ksr_job_clear_sources(ksr_context *ctx, const struct ksr_job *job)
{
    return ksr_fs_remove_folder(ctx, job->folder, is_source);
}

void ksr_job_drop_folder(const struct ksr_job *job)
{
    char *manifest = ksr_format("%s/manifest.json", job->folder);
    if (manifest && !ksr_fs_exists(manifest))
        ksr_fs_remove_folder(NULL, job->folder, is_rest);
    free(manifest);
}

// What tells that the job is done goes late, and its record after that: stopped anywhere in
// between, the next run knows.
ksr_status ksr_job_remove_folder(ksr_context *ctx, struct ksr_job *job)
{
    bool (*const order[])(const char *name) = {is_made, is_manifest, is_done, is_source, is_rest};
    ksr_status status = KSR_OK;
    for (size_t i = 0; status == KSR_OK && i < sizeof(order) / sizeof(order[0]); i++)
        status = ksr_fs_remove_folder(ctx, job->folder, order[i]);
    return status;
}

static char *done_path(const struct ksr_job *job)
{
    return ksr_format("%s/done.json", job->folder);
}

ksr_status ksr_job_note_publishing(ksr_context *ctx, const struct ksr_job *job)
{
    char *path = ksr_format("%s/publishing", job->folder);
    const ksr_status status = path ? ksr_fs_write_file(ctx, path, "\n", 1) : ksr_fail_memory(ctx);
    free(path);
    return status;
}

bool ksr_job_was_publishing(const struct ksr_job *job)
{
    char *path = ksr_format("%s/publishing", job->folder);
    const bool was = path && ksr_fs_exists(path);
    free(path);
    return was;
}

ksr_status ksr_job_note_done(ksr_context *ctx, const struct ksr_job *job, const char *part)
{
    struct ksr_fingerprint print;
    ksr_status status = ksr_fs_fingerprint(ctx, part, false, &print);
    char *path = done_path(job);
    ksr_memory_watch();
    json_t *note = json_pack("{s:s,s:o,s:I,s:s}", "job", job->manifest.id, "output",
                             ksr_json_text_of(job->manifest.output_path), "bytes",
                             (json_int_t)print.size, "ends", print.ends);
    char *text = note ? json_dumps(note, JSON_INDENT(1)) : NULL;
    if (status == KSR_OK)
        status = path && text && !ksr_memory_ran_out()
                     ? ksr_fs_write_file(ctx, path, text, strlen(text))
                     : ksr_fail_memory(ctx);
    free(text);
    json_decref(note);
    free(path);
    return status;
}

// *note: NULL when there is none, or none that can be read.
static ksr_status read_note(ksr_context *ctx, const struct ksr_job *job, json_t **note)
{
    char *path = done_path(job), *text = NULL;
    *note = NULL;
    ksr_status status = path ? ksr_fs_read_file(ctx, path, &text, NULL) : ksr_fail_memory(ctx);
    bool starved = false;
    if (status == KSR_OK)
        *note = ksr_json_read(text, strlen(text), 0, NULL, &starved);
    if (starved)
        status = ksr_fail_memory(ctx);
    free(text);
    free(path);
    return status == KSR_E_NOMEM ? status : KSR_OK;
}

ksr_status ksr_job_wrote(ksr_context *ctx, const struct ksr_job *job, const char *output_path,
                         const char *job_id, bool *wrote)
{
    struct ksr_fingerprint print = {0};
    json_t *note;
    *wrote = false;
    ksr_status status = read_note(ctx, job, &note);
    const char *id = json_string_value(json_object_get(note, "job"));
    const char *ends = json_string_value(json_object_get(note, "ends"));
    const char *noted = json_string_value(json_object_get(note, "output"));
    char *own = !output_path && noted ? ksr_text_from_utf8(noted) : NULL;
    if (!output_path)
        output_path = own;
    if (id && ends && output_path && (!job_id || strcmp(id, job_id) == 0) &&
        ksr_sequence_exists(output_path)) {
        status = ksr_fs_fingerprint(ctx, output_path, false, &print);
        *wrote = status == KSR_OK && strcmp(ends, print.ends) == 0 &&
                 json_integer_value(json_object_get(note, "bytes")) == print.size;
    }
    json_decref(note);
    free(own);
    return status == KSR_E_NOMEM ? status : KSR_OK;
}

char *ksr_job_noted_output(ksr_context *ctx, const struct ksr_job *job)
{
    json_t *note;
    if (read_note(ctx, job, &note) != KSR_OK)
        return NULL;
    const char *output = json_string_value(json_object_get(note, "output"));
    char *copy = output ? ksr_text_from_utf8(output) : NULL;
    json_decref(note);
    return copy;
}
