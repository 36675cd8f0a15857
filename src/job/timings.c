// Times of a run; see timings.h.

#include "job/timings.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/json.h"
#include "core/fs.h"
#include "core/mem.h"
#include "job/prepare.h"

#define TIMES_VERSION 1
#define TIMES_START   "{\n  \"kizunasr_times\":"
#define LONGEST       1e9  // seconds that a part of a segment may have taken
#define LONGEST_NAME  1024 // bytes of the name of a device

static const char *const names[KSR_PARTS] = {
    "decode",  "convert",   "composite", "descale",   "chroma_shift", "deblock",
    "dehalo",  "normalize", "deband",    "structure", "antialias",    "upscale",
    "enhance", "temporal",  "fit",       "grain",     "encode",       "other"};

ksr_status ksr_times_check(ksr_context *ctx, const struct ksr_run_options *options,
                           const char *input_path, const char *output_path)
{
    if (options->stage_times && options->provenance &&
        strcmp(options->stage_times, options->provenance) == 0)
        return ksr_fail(ctx, KSR_E_PARAM, "stage_times and provenance are the same file: %s",
                        options->stage_times);
    return ksr_record_check(ctx, "timings file", TIMES_START, options->stage_times,
                            options->overwrite, input_path, output_path);
}

// --- Of one segment ---

static char *segment_path(const char *folder, int number)
{
    return ksr_format("%s/%06d.times", folder, number);
}

// Parts that took no time are not named.
static json_t *seconds_to_json(const struct ksr_times *times)
{
    json_t *object = json_object();
    for (int i = 0; object && i < KSR_PARTS; i++)
        if (times->seconds[i] > 0 &&
            json_object_set_new(object, names[i], json_real(times->seconds[i])) != 0) {
            json_decref(object);
            return NULL;
        }
    return object;
}

// Nobody loses a film over a file of times: what cannot be written is a warning.
static ksr_status write_json(ksr_context *ctx, const char *path, const json_t *root)
{
    char *text = root ? json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(4)) : NULL;
    char *file = text ? ksr_format("%s\n", text) : NULL;
    ksr_status status =
        path && file ? ksr_fs_write_file(NULL, path, file, strlen(file)) : KSR_E_NOMEM;
    if (status == KSR_E_NOMEM)
        ksr_fail_memory(ctx);
    else if (status != KSR_OK) {
        ksr_log(ctx, KSR_LOG_WARNING, "cannot write timings: %s", path);
        status = KSR_OK;
    }
    free(file);
    free(text);
    return status;
}

// Who worked and who waited for whom. The three threads of a worker go on at once, so each adds up
// to what the segment took.
static json_t *threads_to_json(const struct ksr_times *times)
{
    const double decode = times->seconds[KSR_PART_DECODE];
    const double encode = times->seconds[KSR_PART_ENCODE];
    double all = 0;
    for (int i = 0; i < KSR_PARTS; i++)
        all += times->seconds[i];
    return json_pack("{s:{s:f,s:f},s:{s:f,s:f,s:f},s:{s:f,s:f}}", "decode", "busy", times->decoding,
                     "waiting", fmax(all - times->decoding, 0), "stages", "busy",
                     all - decode - encode, "waiting for decode", decode, "waiting for encode",
                     encode, "encode", "busy", times->encoding, "waiting",
                     fmax(all - times->encoding, 0));
}

ksr_status ksr_times_save(ksr_context *ctx, const char *folder, int number, const char *id,
                          const struct ksr_times *times)
{
    char *path = segment_path(folder, number);
    json_t *seconds = seconds_to_json(times);
    json_t *root = json_pack("{s:s,s:s,s:o,s:i,s:o}", "job", id, "device", times->device, "seconds",
                             seconds, "worker", times->worker, "threads", threads_to_json(times));
    const ksr_status status = write_json(ctx, path, root);
    json_decref(root);
    free(path);
    return status;
}

// --- Reading what may be anything ---

// text: may be NULL. Returns NULL when it is no JSON, and on want of memory (*status, logged).
static json_t *parse(ksr_context *ctx, const char *text, ksr_status *status)
{
    bool starved = false;
    json_t *root = text ? ksr_json_read(text, strlen(text), 0, NULL, &starved) : NULL;
    if (starved)
        *status = ksr_fail_memory(ctx);
    return root;
}

static bool seconds_are_sound(const json_t *seconds)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)seconds, name, value)
    {
        int i = 0;
        while (i < KSR_PARTS && strcmp(name, names[i]) != 0)
            i++;
        const double number = json_number_value(value);
        if (i == KSR_PARTS || !json_is_number(value) || !(number >= 0 && number < LONGEST))
            return false;
    }
    return json_is_object(seconds);
}

// A part of a file of an earlier version names no device.
static bool device_is_sound(const json_t *device)
{
    return !device || (json_is_string(device) && json_string_length(device) < LONGEST_NAME);
}

// Returns what a segment's file holds, NULL when there is none that can be used.
static json_t *read_segment(ksr_context *ctx, const struct ksr_job *job, int number,
                            ksr_status *status)
{
    char *path = segment_path(job->folder, number), *text = NULL;
    *status = path ? ksr_fs_read_file(ctx, path, &text, NULL) : ksr_fail_memory(ctx);
    if (*status == KSR_E_INPUT)
        *status = KSR_OK;
    json_t *root = *status == KSR_OK ? parse(ctx, text, status) : NULL;
    const char *id = json_string_value(json_object_get(root, "job"));
    const bool same = id && strcmp(id, job->manifest.id) == 0;
    const bool sound = same && seconds_are_sound(json_object_get(root, "seconds")) &&
                       device_is_sound(json_object_get(root, "device"));
    if (*status == KSR_OK && !sound && (same || !id) && ksr_fs_exists(path))
        ksr_log(ctx, KSR_LOG_WARNING, "cannot read the timings of segment %d: %s", number, path);
    if (!sound)
        json_decref(root);
    free(text);
    free(path);
    return sound ? root : NULL;
}

// --- Of the whole run ---

static char *times_path(const struct ksr_job *job)
{
    return ksr_format("%s/times.json", job->folder);
}

static json_t *list_entry(const struct ksr_segment_plan *s, const json_t *file)
{
    return json_pack("{s:I,s:I,s:O*,s:O,s:O*,s:O*}", "first", (json_int_t)s->first, "frames",
                     (json_int_t)s->count, "device", json_object_get(file, "device"), "seconds",
                     json_object_get(file, "seconds"), "worker", json_object_get(file, "worker"),
                     "threads", json_object_get(file, "threads"));
}

// Writes down how many frames each device made, the first segment's device first.
static ksr_status name_devices(ksr_context *ctx, const json_t *list, char *devices, size_t size)
{
    json_t *frames = json_object(), *s, *count;
    size_t i, at = 0;
    bool complete = frames != NULL;
    const char *name;
    json_array_foreach((json_t *)list, i, s)
    {
        name = json_string_value(json_object_get(s, "device"));
        const json_int_t so_far = json_integer_value(json_object_get(frames, name));
        const json_int_t more = json_integer_value(json_object_get(s, "frames"));
        if (name && json_object_set_new(frames, name, json_integer(so_far + more)) != 0)
            complete = false;
    }
    devices[0] = 0;
    json_object_foreach(frames, name, count)
    {
        const char *comma = at > 0 ? ", " : "";
        if (json_object_size(frames) == 1)
            snprintf(devices, size, "%s", name);
        else if (at < size)
            at += (size_t)snprintf(devices + at, size - at, "%s%s: %lld frames", comma, name,
                                   (long long)json_integer_value(count));
    }
    json_decref(frames);
    return complete ? KSR_OK : ksr_fail_memory(ctx);
}

ksr_status ksr_times_gather(ksr_context *ctx, const struct ksr_job *job, char *devices, size_t size)
{
    json_t *list = json_array();
    ksr_status status = list ? KSR_OK : ksr_fail_memory(ctx);
    for (int i = 0; status == KSR_OK && i < job->manifest.segment_count; i++) {
        const struct ksr_segment_plan *s = &job->manifest.segments[i];
        json_t *file = read_segment(ctx, job, i, &status);
        if (file && json_array_append_new(list, list_entry(s, file)) != 0)
            status = ksr_fail_memory(ctx);
        json_decref(file);
    }
    if (status == KSR_OK)
        status = name_devices(ctx, list, devices, size);
    char *path = times_path(job);
    json_t *root = json_pack("{s:i,s:s,s:o}", "kizunasr_times", TIMES_VERSION, "job",
                             job->manifest.id, "segments", list);
    if (status == KSR_OK)
        status = write_json(ctx, path, root);
    json_decref(root);
    free(path);
    return status;
}

ksr_status ksr_times_copy(ksr_context *ctx, const struct ksr_job *job, const char *path)
{
    if (!path)
        return KSR_OK;
    char *from = times_path(job), *text = NULL;
    size_t size;
    ksr_status status = from ? ksr_fs_read_file(ctx, from, &text, &size) : ksr_fail_memory(ctx);
    if (status == KSR_OK)
        status = ksr_fs_write_file(ctx, path, text, size);
    else if (status == KSR_E_INPUT) {
        ksr_log(ctx, KSR_LOG_WARNING, "%s is not written: no timings were recorded", path);
        status = KSR_OK;
    }
    free(text);
    free(from);
    return status;
}

static bool segments_are_sound(const json_t *list, int64_t frames)
{
    int64_t end = 0;
    size_t i;
    json_t *s;
    json_array_foreach((json_t *)list, i, s)
    {
        const json_t *first = json_object_get(s, "first"), *count = json_object_get(s, "frames");
        const int64_t from = json_integer_value(first), n = json_integer_value(count);
        if (!json_is_integer(first) || !json_is_integer(count) || from < end || from >= frames ||
            n < 1 || n > frames - from || !seconds_are_sound(json_object_get(s, "seconds")) ||
            !device_is_sound(json_object_get(s, "device")))
            return false;
        end = from + n;
    }
    return json_is_array(list);
}

ksr_status ksr_times_load(ksr_context *ctx, const char *path, const char *job, int64_t frames,
                          json_t **out)
{
    char *text = NULL;
    ksr_status status = ksr_fs_read_file(ctx, path, &text, NULL);
    if (status == KSR_E_INPUT)
        return ksr_fail(ctx, KSR_E_PARAM, "cannot read the timings file %s", path);
    if (status != KSR_OK)
        return status;
    json_t *root = parse(ctx, text, &status);
    const char *id = json_string_value(json_object_get(root, "job"));
    json_t *list = json_object_get(root, "segments");
    const bool is_one = json_is_integer(json_object_get(root, "kizunasr_times")) && id;
    if (status == KSR_OK && !is_one)
        status = ksr_fail(ctx, KSR_E_PARAM, "%s is not a timings file", path);
    else if (status == KSR_OK &&
             ((job && strcmp(id, job) != 0) || !segments_are_sound(list, frames)))
        status = ksr_fail(ctx, KSR_E_PARAM, "the timings in %s are of another run", path);
    *out = status == KSR_OK ? json_incref(list) : NULL;
    json_decref(root);
    free(text);
    return status;
}
