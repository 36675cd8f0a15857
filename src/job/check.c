// Checks; see check.h. Also ksr_probe() and ksr_verify(), the verbs that only look.

#include "job/check.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/attributes.h"
#include "core/fs.h"
#include "core/mem.h"
#include "core/sequence.h"
#include "job/config.h"
#include "job/manifest.h"
#include "job/store.h"
#include "kizunasr/inspect.h"
#include "media/filter.h"
#include "media/inspect.h"
#include "media/scan.h"

void ksr_checks_free(struct ksr_checks *checks)
{
    free(checks->list);
    memset(checks, 0, sizeof(*checks));
}

const char *ksr_checks_first_failure(const struct ksr_checks *checks)
{
    for (size_t i = 0; i < checks->count; i++)
        if (!checks->list[i].passed)
            return checks->list[i].detail;
    return NULL;
}

json_t *ksr_checks_to_json(const struct ksr_checks *checks)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < checks->count; i++)
        json_array_append_new(list,
                              json_pack("{s:s,s:b,s:s}", "name", checks->list[i].name, "passed",
                                        checks->list[i].passed, "detail", checks->list[i].detail));
    return json_pack("{s:b,s:o}", "passed", ksr_checks_first_failure(checks) == NULL, "checks",
                     list);
}

static ksr_status add(ksr_context *ctx, struct ksr_checks *checks, bool passed, const char *name,
                      const char *format, ...) KSR_PRINTF(5, 6);

static ksr_status add(ksr_context *ctx, struct ksr_checks *checks, bool passed, const char *name,
                      const char *format, ...)
{
    if (!ksr_array_reserve((void **)&checks->list, &checks->capacity, checks->count + 1,
                           sizeof(checks->list[0])))
        return ksr_fail_memory(ctx);
    struct ksr_check *check = &checks->list[checks->count++];
    va_list args;
    va_start(args, format);
    vsnprintf(check->detail, sizeof(check->detail), format, args);
    va_end(args);
    snprintf(check->name, sizeof(check->name), "%s", name);
    check->passed = passed;
    return KSR_OK;
}

// --- The film ---

// A transport stream cannot hold times below zero: there the whole file may start later.
static ksr_status check_times(ksr_context *ctx, struct ksr_checks *checks,
                              const struct ksr_film *film, const size_t *kept, size_t count,
                              const struct ksr_film *output, bool may_shift, double *shift_ms)
{
    int64_t shift = 0, worst = 0;
    size_t wrong = 0, first_wrong = 0;
    for (size_t i = 0; i < count && i < output->frame_count; i++) {
        const int64_t wanted =
            ksr_rescale(film->frames[kept ? kept[i] : i].time, film->time_base, output->time_base);
        if (i == 0 && may_shift)
            shift = output->frames[0].time - wanted;
        const int64_t off = llabs(output->frames[i].time - wanted - shift);
        if (off > 1 && wrong++ == 0)
            first_wrong = i;
        if (off > worst)
            worst = off;
    }
    const double tick = ksr_film_seconds(output, 1) * 1000;
    *shift_ms = (double)shift * tick;
    if (wrong > 0)
        return add(ctx, checks, false, "timestamps",
                   "timestamps: %zu of %zu frames differ, the first is frame %zu, by up to %.3f ms",
                   wrong, count, first_wrong, (double)worst * tick);
    return add(ctx, checks, true, "timestamps",
               "timestamps: all %zu equal within the container's tick of %.3f ms%s", count, tick,
               shift ? " (all shifted alike)" : "");
}

ksr_status ksr_check_film(ksr_context *ctx, struct ksr_checks *checks, const struct ksr_film *film,
                          const size_t *kept, size_t kept_count, const char *output_path,
                          enum ksr_decode decode, double *shift_ms)
{
    struct ksr_film output;
    *shift_ms = 0;
    const size_t wanted = kept ? kept_count : film->frame_count;
    ksr_status status = ksr_film_index(ctx, output_path, true, &output);
    if (status == KSR_E_INPUT)
        return add(ctx, checks, false, "readable", "the output cannot be read");
    if (status != KSR_OK)
        return status;
    status = add(ctx, checks, output.frame_count == wanted, "frames",
                 "frames: %zu in the output, %zu expected", output.frame_count, wanted);
    if (status == KSR_OK && output.frame_count == wanted && !ksr_sequence_is(output_path))
        status = check_times(ctx, checks, film, kept, wanted, &output,
                             ksr_media_may_shift(output_path, film), shift_ms);
    // A size that was asked to fit is rounded to what chroma allows.
    const double x = (double)output.format.width * film->format.height;
    const double y = (double)output.format.height * film->format.width;
    const double rounding = 4.0 * fmax(film->format.width, film->format.height);
    if (status == KSR_OK)
        status =
            add(ctx, checks, fabs(x - y) <= rounding, "size", "size: %dx%d from %dx%d",
                output.format.width, output.format.height, film->format.width, film->format.height);
    ksr_film_free(&output);
    size_t decoded = 0, bad = 0;
    const size_t limit = decode == KSR_DECODE_ALL ? SIZE_MAX : 8;
    if (status == KSR_OK)
        status = ksr_media_decode(ctx, output_path, limit, wanted, &decoded, &bad);
    const size_t expected = limit < wanted ? limit : wanted;
    if (status == KSR_OK)
        status = add(ctx, checks, bad == 0 && decoded == expected, "decoding",
                     "decoding: %zu of %zu frames decode, %zu damaged", decoded, expected, bad);
    return status;
}

// --- The other streams ---

static ksr_status check_copy(ksr_context *ctx, struct ksr_checks *checks,
                             const struct ksr_stream_match *match, const char *name,
                             const struct ksr_stream_comparison *c)
{
    if (!c->equal)
        return add(ctx, checks, false, name, "%s stream %d: %s", match->type, match->input,
                   c->difference);
    if (c->converted)
        return add(
            ctx, checks, true, name,
            "%s stream %d: all %lld texts say the same in another form, times within %.3f ms",
            match->type, match->input, (long long)c->packets, c->worst_ms);
    return add(ctx, checks, true, name,
               "%s stream %d: all %lld packets equal, times within %.3f ms", match->type,
               match->input, (long long)c->packets, c->worst_ms);
}

static ksr_status check_stream(ksr_context *ctx, struct ksr_checks *checks, const char *input_path,
                               const struct ksr_film *film, const char *output_path,
                               const struct ksr_stream_match *match, double shift_ms)
{
    char name[64];
    snprintf(name, sizeof(name), "stream %d", match->input);
    if (match->output < 0)
        return add(ctx, checks, !match->expected, name, "%s stream %d (%s): %s", match->type,
                   match->input, match->codec,
                   match->expected ? "missing in the output"
                                   : "left out, the container has no room");
    if (match->attachment)
        return add(ctx, checks, match->same_attachment, name, "%s stream %d: %s", match->type,
                   match->input, match->same_attachment ? "equal" : "its data differs");
    struct ksr_stream_comparison c;
    const ksr_status status =
        ksr_media_compare(ctx, input_path, film, output_path, match, shift_ms, &c);
    if (status != KSR_OK)
        return status;
    if (!c.encoded_anew)
        return check_copy(ctx, checks, match, name, &c);
    return add(ctx, checks, c.equal, name,
               "%s stream %d: encoded anew; start off by %.3f ms, end by "
               "%.3f ms",
               match->type, match->input, c.start_ms, c.end_ms);
}

ksr_status ksr_check_streams(ksr_context *ctx, struct ksr_checks *checks, const char *input_path,
                             const struct ksr_film *film, const char *output_path, double shift_ms,
                             const enum ksr_carry *carry)
{
    struct ksr_stream_match *matches = NULL;
    struct ksr_output_plan *guess = NULL;
    int count = 0;
    ksr_status status = KSR_OK;
    if (!carry) {
        guess = malloc(sizeof(*guess));
        status = guess ? ksr_carry_guess(ctx, input_path, film, output_path, guess)
                       : ksr_fail_memory(ctx);
    }
    if (status == KSR_OK)
        status = ksr_media_match_streams(ctx, input_path, output_path, guess ? guess->carry : carry,
                                         guess != NULL, &matches, &count);
    for (int i = 0; status == KSR_OK && i < count; i++)
        if (matches[i].input != film->stream)
            status =
                check_stream(ctx, checks, input_path, film, output_path, &matches[i], shift_ms);
    free(matches);
    free(guess);
    return status;
}

// --- The verbs ---

// An output of four fifths of the frames is what inverse telecine makes: then that is done to the
// input as well, and the frames that stay are compared.
static ksr_status guess_telecine(ksr_context *ctx, const char *input_path, const char *output_path,
                                 struct ksr_film *film)
{
    struct ksr_film output;
    const ksr_status status = ksr_film_index(ctx, output_path, true, &output);
    const size_t count = output.frame_count;
    // An image sequence has no times but those its reader gave it.
    if (status == KSR_OK && ksr_sequence_is(input_path) && output.format.frame_rate.num > 0)
        ksr_film_set_rate(film, output.format.frame_rate);
    ksr_film_free(&output);
    if (status != KSR_OK || count + 2 < film->frame_count / 5 * 4 ||
        count > film->frame_count / 5 * 4 + 6 || count >= film->frame_count)
        return KSR_OK; // whatever is wrong, the checks find it
    struct ksr_pipeline_config config = ksr_pipeline_config_default();
    config.inverse_telecine = true;
    return ksr_filter_plan(ctx, input_path, &config, film);
}

// What the output's own work folder says, where it was kept: which piece of the film was meant,
// which frames were skipped, what became of every stream.
struct meant {
    struct ksr_manifest manifest;
    bool known;
    size_t *kept; // frames of the film in the output
    size_t kept_count;
};

static void free_meant(struct meant *m)
{
    ksr_manifest_free(&m->manifest);
    free(m->kept);
}

// Whether the folder's job read this very input.
static bool is_its_input(ksr_context *ctx, const char *input_path, const struct ksr_manifest *m)
{
    struct ksr_fingerprint now;
    return ksr_fs_fingerprint(ctx, input_path, false, &now) == KSR_OK &&
           now.size == m->input.size && strcmp(now.ends, m->input.ends) == 0;
}

static ksr_status list_kept(ksr_context *ctx, const char *folder, struct meant *m)
{
    const struct ksr_manifest *job = &m->manifest;
    ksr_status status = KSR_OK;
    m->kept = calloc(job->film.frame_count, sizeof(m->kept[0]));
    if (!m->kept)
        return ksr_fail_memory(ctx);
    for (int i = 0; status == KSR_OK && i < job->segment_count; i++) {
        struct ksr_segment_info info = {0};
        bool valid;
        uint32_t skipped = 0;
        status = ksr_segment_check(ctx, folder, i, job->id, &valid, &info);
        for (size_t k = 0; status == KSR_OK && k < job->segments[i].count; k++) {
            if (valid && skipped < info.skipped_count && info.skipped[skipped] == k)
                skipped++;
            else
                m->kept[m->kept_count++] = job->segments[i].first + k;
        }
        ksr_segment_info_free(&info);
    }
    return status;
}

static ksr_status find_meant(ksr_context *ctx, const char *input_path, const char *output_path,
                             struct meant *m)
{
    char *folder = ksr_format("%s.kizunasr", output_path);
    if (!folder)
        return ksr_fail_memory(ctx);
    ksr_status status =
        ksr_fs_is_folder(folder) ? ksr_manifest_load(ctx, folder, &m->manifest) : KSR_E_INPUT;
    m->known = status == KSR_OK && is_its_input(ctx, input_path, &m->manifest);
    if (m->known)
        status = list_kept(ctx, folder, m);
    free(folder);
    return status == KSR_E_INPUT || status == KSR_E_MISMATCH ? KSR_OK : status;
}

static ksr_status verify_meant(ksr_context *ctx, const char *input_path, const char *output_path,
                               const struct meant *m, struct ksr_checks *checks)
{
    const struct ksr_film *film = &m->manifest.film;
    double shift_ms;
    ksr_log(ctx, KSR_LOG_INFO, "the work folder says what was meant: %zu of %zu frames%s",
            m->kept_count, film->frame_count, film->cut ? ", a piece of the film" : "");
    ksr_status status = ksr_check_film(ctx, checks, film, m->kept, m->kept_count, output_path,
                                       KSR_DECODE_ALL, &shift_ms);
    if (status == KSR_OK && !m->manifest.output.image)
        status = ksr_check_streams(ctx, checks, input_path, film, output_path, shift_ms,
                                   m->manifest.output.carry);
    return status;
}

static ksr_status verify(ksr_context *ctx, const char *input_path, const char *output_path,
                         struct ksr_checks *checks)
{
    struct ksr_film film;
    double shift_ms;
    struct meant meant = {0};
    ksr_status status = ksr_media_check(ctx, output_path);
    if (status == KSR_OK)
        status = find_meant(ctx, input_path, output_path, &meant);
    if (status == KSR_OK && meant.known)
        status = verify_meant(ctx, input_path, output_path, &meant, checks);
    const bool done = status != KSR_OK || meant.known;
    free_meant(&meant);
    if (done)
        return status;
    status = ksr_film_index(ctx, input_path, true, &film);
    if (status != KSR_OK)
        return status;
    status = guess_telecine(ctx, input_path, output_path, &film);
    if (status == KSR_OK)
        status =
            ksr_check_film(ctx, checks, &film, NULL, 0, output_path, KSR_DECODE_ALL, &shift_ms);
    if (status == KSR_OK && !checks->list[0].passed)
        ksr_log(
            ctx, KSR_LOG_INFO,
            "skipped frames and a piece of a film are known only where the work folder was kept "
            "(--keep-work)");
    if (status == KSR_OK)
        status = ksr_check_streams(ctx, checks, input_path, &film, output_path, shift_ms, NULL);
    ksr_film_free(&film);
    return status;
}

static ksr_status dump(ksr_context *ctx, json_t *root, char **out)
{
    *out = root ? json_dumps(root, JSON_INDENT(2) | KSR_JSON_REALS) : NULL;
    json_decref(root);
    return *out ? KSR_OK : ksr_fail_memory(ctx);
}

ksr_status ksr_verify(ksr_context *ctx, const char *input_path, const char *output_path,
                      char **json)
{
    if (!input_path || !output_path || !json)
        return KSR_E_PARAM;
    *json = NULL;
    struct ksr_checks checks = {0};
    ksr_status status = verify(ctx, input_path, output_path, &checks);
    const char *failed = ksr_checks_first_failure(&checks);
    if (status == KSR_OK)
        status = dump(ctx, ksr_checks_to_json(&checks), json);
    if (status == KSR_OK && failed)
        status = ksr_fail(ctx, KSR_E_VERIFY, "verification failed: %s", failed);
    ksr_checks_free(&checks);
    return status;
}

ksr_status ksr_probe(ksr_context *ctx, const char *path, char **json)
{
    if (!path || !json)
        return KSR_E_PARAM;
    *json = NULL;
    struct ksr_film film;
    json_t *root = NULL;
    ksr_status status = ksr_film_index(ctx, path, true, &film);
    if (status != KSR_OK)
        return status;
    status = ksr_scan_film(ctx, path, &film);
    if (status == KSR_OK)
        status = ksr_media_describe(ctx, path, &film, &root);
    ksr_film_free(&film);
    return status == KSR_OK ? dump(ctx, root, json) : status;
}
