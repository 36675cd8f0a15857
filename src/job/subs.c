// Subtitle files of a job; see subs.h.

#include "job/subs.h"

#include <stdlib.h>
#include <string.h>

#include "config/json.h"
#include "core/fs.h"
#include "core/mem.h"
#include "core/text.h"
#include "media/input/external.h"

// Adds a file to a list of text that is to be freed. Returns false when out of memory.
static bool append(char **list, const char *path, const char *language)
{
    char *longer = ksr_format("%s%s%s%s%s", *list ? *list : "", *list ? "\n" : "", path,
                              *language ? ":" : "", language);
    free(*list);
    *list = longer;
    return longer != NULL;
}

static ksr_status add_absolute(ksr_context *ctx, void *list, size_t i, const char *path,
                               const char *language)
{
    (void)i;
    char *absolute = ksr_fs_absolute(path);
    const bool ok = absolute && append(list, absolute, language);
    free(absolute);
    return ok ? KSR_OK : ksr_fail_memory(ctx);
}

ksr_status ksr_subs_absolute(ksr_context *ctx, const char *list, char **out)
{
    *out = NULL;
    const ksr_status status = ksr_external_each(ctx, list, add_absolute, out);
    if (status != KSR_OK) {
        free(*out);
        *out = NULL;
    }
    return status;
}

// --- The key ---

// *out: hashes and language of one file. VobSub has a second file.
static ksr_status describe(ksr_context *ctx, const char *path, const char *language, json_t **out)
{
    struct ksr_fingerprint first, second = {0};
    char *other;
    if (!ksr_external_second(path, &other))
        return ksr_fail_memory(ctx);
    ksr_status status = ksr_fs_fingerprint(ctx, path, true, &first);
    if (status == KSR_OK && other)
        status = ksr_fs_fingerprint(ctx, other, true, &second);
    free(other);
    if (status != KSR_OK)
        return status;
    *out = json_pack("[sss]", first.whole, second.whole, language);
    return *out ? KSR_OK : ksr_fail_memory(ctx);
}

static ksr_status add_key(ksr_context *ctx, void *key, size_t i, const char *path,
                          const char *language)
{
    json_t *one = NULL;
    (void)i;
    const ksr_status status = describe(ctx, path, language, &one);
    if (status == KSR_OK && json_array_append_new(key, one) != 0)
        return ksr_fail_memory(ctx);
    return status;
}

ksr_status ksr_subs_key(ksr_context *ctx, const char *list, json_t **out)
{
    *out = NULL;
    if (!list || !*list)
        return KSR_OK;
    *out = json_array();
    const ksr_status status =
        *out ? ksr_external_each(ctx, list, add_key, *out) : ksr_fail_memory(ctx);
    if (status != KSR_OK) {
        json_decref(*out);
        *out = NULL;
    }
    return status;
}

// --- Checking ---

struct check {
    const json_t *planned; // the key's list
    bool all;              // a file that is not there has changed
};

static ksr_status check_file(ksr_context *ctx, void *opaque, size_t i, const char *path,
                             const char *language)
{
    const struct check *check = opaque;
    if (!check->all && !ksr_fs_exists(path))
        return KSR_OK;
    json_t *now = NULL;
    const ksr_status status = describe(ctx, path, language, &now);
    const bool same = status == KSR_OK && json_equal(now, json_array_get(check->planned, i));
    json_decref(now);
    return status != KSR_OK || same
               ? status
               : ksr_fail(ctx, KSR_E_MISMATCH,
                          "the subtitle file has changed since the job was planned: %s (put it "
                          "back, or run upscale with {fresh=true})",
                          path);
}

ksr_status ksr_subs_check(ksr_context *ctx, const struct ksr_manifest *m, bool all)
{
    struct check check = {json_object_get(m->key, "subtitles"), all};
    return ksr_external_each(ctx, m->film.subs, check_file, &check);
}

// --- The record ---

struct record {
    const json_t *key; // the key's list
    json_t *files;
};

static ksr_status record_file(ksr_context *ctx, void *opaque, size_t i, const char *path,
                              const char *language)
{
    struct record *record = opaque;
    const json_t *key = json_array_get(record->key, i);
    const char *second = json_string_value(json_array_get(key, 1));
    json_t *file =
        json_pack("{s:o,s:s,s:O,s:s*}", "name", ksr_json_text_of(ksr_fs_name(path)),
                  "language", language, "xxh128", json_array_get(key, 0), "xxh128_of_sub",
                  second && *second ? second : NULL);
    return json_array_append_new(record->files, file) == 0 ? KSR_OK : ksr_fail_memory(ctx);
}

json_t *ksr_subs_record(const struct ksr_manifest *m)
{
    struct record record = {json_object_get(m->key, "subtitles"), NULL};
    if (!m->film.subs)
        return NULL;
    record.files = json_array();
    if (!record.files || ksr_external_each(NULL, m->film.subs, record_file, &record) == KSR_OK)
        return record.files;
    json_decref(record.files);
    return NULL;
}

// *list: the files of a record, in a folder.
static ksr_status list_recorded(ksr_context *ctx, const json_t *files, const char *folder,
                                char **list)
{
    for (size_t i = 0; i < json_array_size(files); i++) {
        const json_t *file = json_array_get(files, i);
        const char *text = json_string_value(json_object_get(file, "name"));
        const char *language = json_string_value(json_object_get(file, "language"));
        if (!text || !language)
            return ksr_fail(ctx, KSR_E_PARAM, "provenance: 'subtitles' is damaged");
        char *name = ksr_text_from_utf8(text);
        char *path = name ? ksr_format("%s/%s", folder, name) : NULL;
        free(name);
        const bool there = path && ksr_fs_exists(path);
        const bool ok = there && append(list, path, language);
        free(path);
        if (path && !there)
            return ksr_fail(ctx, KSR_E_INPUT,
                            "provenance: the subtitle file %s is not beside the input (use {sub} "
                            "to give all subtitle files)",
                            text);
        if (!ok)
            return ksr_fail_memory(ctx);
    }
    return KSR_OK;
}

// Whether files of these hashes are those of a record.
static bool are_recorded(const json_t *key, const json_t *files)
{
    bool same = json_array_size(key) == json_array_size(files);
    for (size_t i = 0; same && i < json_array_size(files); i++) {
        const json_t *file = json_array_get(files, i), *one = json_array_get(key, i);
        const json_t *second = json_object_get(file, "xxh128_of_sub");
        same = json_equal(json_array_get(one, 0), json_object_get(file, "xxh128")) &&
               (!second || json_equal(json_array_get(one, 1), second)) &&
               json_equal(json_array_get(one, 2), json_object_get(file, "language"));
    }
    return same;
}

ksr_status ksr_subs_find(ksr_context *ctx, const json_t *record, const char *input_path,
                         const char *told, char **out)
{
    const json_t *files = json_object_get(record, "subtitles");
    char *folder = ksr_fs_parent(input_path);
    json_t *key = NULL;
    *out = NULL;
    ksr_status status = folder ? KSR_OK : ksr_fail_memory(ctx);
    if (status == KSR_OK && told)
        status = ksr_subs_absolute(ctx, told, out);
    else if (status == KSR_OK)
        status = list_recorded(ctx, files, folder, out);
    if (status == KSR_OK)
        status = ksr_subs_key(ctx, *out, &key);
    if (status == KSR_OK && !are_recorded(key, files))
        status = ksr_fail(ctx, KSR_E_PARAM,
                          "provenance: the subtitle files differ from those in the record");
    json_decref(key);
    free(folder);
    if (status != KSR_OK) {
        free(*out);
        *out = NULL;
    }
    return status;
}
