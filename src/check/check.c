// Checks of frames, times and streams; see check.h.

#include "check/check.h"

#include "config/json.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/attributes.h"
#include "core/image_sequence.h"
#include "core/mem.h"
#include "media/compare/inspect.h"
#include "media/compare/sync.h"
#include "media/index/index.h"
#include "media/index/spacing.h"
#include "media/mapping/mapping.h"

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
        json_array_append_new(list, json_pack("{s:s,s:b,s:o}", "name", checks->list[i].name,
                                              "passed", checks->list[i].passed, "detail",
                                              ksr_json_text_of(checks->list[i].detail)));
    return json_pack("{s:b,s:o}", "passed", ksr_checks_first_failure(checks) == NULL, "checks",
                     list);
}

ksr_status ksr_checks_add(ksr_context *ctx, struct ksr_checks *checks, bool passed,
                          const char *name, const char *format, ...)
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

// What timestamps may be off by where FFmpeg counts frames from those that have one: it adds
// durations that are cut to ticks, and the input's own may be rounded to milliseconds.
#define COUNTED_MS 2

// A transport stream cannot hold times below zero: there the whole file may start later.
static ksr_status check_times(ksr_context *ctx, struct ksr_checks *checks,
                              const struct ksr_film *film, const size_t *kept, size_t count,
                              const struct ksr_film *output, const char *output_path,
                              double *shift_ms)
{
    const bool may_shift = ksr_media_may_shift(output_path, film);
    const double tick = ksr_film_seconds(output, 1) * 1000;
    const int64_t allowed =
        ksr_media_counts_times(output_path) && tick < COUNTED_MS ? llrint(COUNTED_MS / tick) : 1;

    int64_t shift = 0, worst = 0, last = INT64_MIN;
    size_t wrong = 0, first_wrong = 0;
    for (size_t i = 0; i < count && i < output->frame_count; i++) {
        int64_t wanted =
            ksr_rescale(film->frames[kept ? kept[i] : i].time, film->time_base, output->time_base);
        // Frames that share a tick of the output were moved apart when its times were read.
        if (wanted <= last)
            wanted = last + 1;
        last = wanted;
        if (i == 0 && may_shift)
            shift = output->frames[0].time - wanted;
        const int64_t off = llabs(output->frames[i].time - wanted - shift);
        if (off > allowed && wrong++ == 0)
            first_wrong = i;
        if (off > worst)
            worst = off;
    }
    *shift_ms = (double)shift * tick;
    if (wrong > 0)
        return ksr_checks_add(
            ctx, checks, false, "timestamps",
            "timestamps: %zu of %zu frames differ, the first is frame %zu, by up to %.3f ms", wrong,
            count, first_wrong, (double)worst * tick);
    return ksr_checks_add(ctx, checks, true, "timestamps",
                          "timestamps: all %zu equal within %s%.3f ms%s", count,
                          allowed == 1 ? "the container's tick of " : "", (double)allowed * tick,
                          shift ? " (all shifted alike)" : "");
}

// Frames that are shown for no time are there, and yet nobody sees them. What plan made of the
// input's timestamps must not hide that: they are read anew.
static ksr_status check_spacing(ksr_context *ctx, struct ksr_checks *checks, const char *input_path,
                                const struct ksr_film *film, const struct ksr_film *output)
{
    struct ksr_spacing in;
    const ksr_status status = ksr_media_spacing(ctx, input_path, film->stream, &in);
    if (status != KSR_OK || in.usual <= 0)
        return status;
    const size_t close = ksr_film_count_close(output, in.usual / 4);
    return ksr_checks_add(ctx, checks, close <= ksr_spacing_limit(in.close, output->frame_count),
                          "spacing",
                          "spacing: %zu of %zu frames are shown for less than %.2f ms, a quarter "
                          "of the usual duration (%zu in the input)",
                          close, output->frame_count, in.usual * 250, in.close);
}

ksr_status ksr_check_readable(ksr_context *ctx, struct ksr_checks *checks, const char *output_path,
                              struct ksr_film *output, bool *raw)
{
    memset(output, 0, sizeof(*output));
    *raw = ksr_media_is_raw(output_path);
    const ksr_status status = ksr_film_index(*raw ? NULL : ctx, output_path, true, output);
    return ksr_is_unreadable(status)
               ? ksr_checks_add(ctx, checks, false, "readable", "the output cannot be read")
               : status;
}

ksr_status ksr_check_film(ksr_context *ctx, struct ksr_checks *checks, const char *input_path,
                          const struct ksr_film *film, const size_t *kept, size_t kept_count,
                          const struct ksr_made *made, enum ksr_decode decode, double *shift_ms)
{
    const char *output_path = made->path;
    const struct ksr_film *output = made->film;
    const size_t wanted = kept ? kept_count : film->frame_count;
    const bool raw = made->raw;
    *shift_ms = 0;
    ksr_status status =
        ksr_checks_add(ctx, checks, output->frame_count == wanted, "frames",
                       "frames: %zu in the output, %zu expected", output->frame_count, wanted);
    if (status == KSR_OK && raw)
        status =
            ksr_checks_add(ctx, checks, true, "timestamps",
                           "timestamps: the output is a raw stream or an image, which has none");
    if (status == KSR_OK && output->frame_count == wanted && !raw && !ksr_sequence_is(output_path))
        status = check_times(ctx, checks, film, kept, wanted, output, output_path, shift_ms);
    if (status == KSR_OK && !ksr_sequence_is(output_path) && !ksr_sequence_is(input_path))
        status = check_spacing(ctx, checks, input_path, film, output);
    // A size that was asked to fit is rounded to what chroma allows.
    const double x = (double)output->format.width * film->format.height;
    const double y = (double)output->format.height * film->format.width;
    const double rounding = 4.0 * fmax(film->format.width, film->format.height);
    if (status == KSR_OK)
        status = ksr_checks_add(ctx, checks, fabs(x - y) <= rounding, "size",
                                "size: %dx%d from %dx%d", output->format.width,
                                output->format.height, film->format.width, film->format.height);
    size_t decoded = 0, bad = 0;
    const size_t limit = decode == KSR_DECODE_ALL ? SIZE_MAX : 8;
    if (status == KSR_OK)
        status = ksr_media_decode(ctx, output_path, output, limit, wanted, &decoded, &bad);
    const size_t expected = limit < wanted ? limit : wanted;
    if (status == KSR_OK)
        status = ksr_checks_add(ctx, checks, bad == 0 && decoded == expected, "decoding",
                                "decoding: %zu of %zu frames decode, %zu damaged", decoded,
                                expected, bad);
    return status;
}

// --- The other streams ---

static ksr_status check_copy(ksr_context *ctx, struct ksr_checks *checks,
                             const struct ksr_stream_match *match, const char *name,
                             const struct ksr_stream_comparison *c)
{
    if (!c->equal)
        return ksr_checks_add(ctx, checks, false, name, "%s stream %d: %s", match->type,
                              match->input, c->difference);
    if (c->converted)
        return ksr_checks_add(
            ctx, checks, true, name,
            "%s stream %d: all %lld texts say the same in another form, times within %.3f ms",
            match->type, match->input, (long long)c->packets, c->worst_ms);
    return ksr_checks_add(ctx, checks, true, name,
                          "%s stream %d: all %lld packets equal, times within %.3f ms", match->type,
                          match->input, (long long)c->packets, c->worst_ms);
}

// One stream of an input beside its counterpart in an output.
struct pair {
    ksr_context *ctx;
    struct ksr_checks *checks;
    const char *input_path;
    const struct ksr_film *film;
    const struct ksr_made *output;
    const struct ksr_stream_match *match;
    double shift_ms;
    char name[64];
};

// Says of a track that was encoded anew where its sound is.
static ksr_status judge_sound(const struct pair *p, const struct ksr_sync *s)
{
    const double limit = s->limit_ms;
    const bool drifts = fabs(s->end_ms - s->start_ms) >= limit;
    const bool late =
        fabs(s->start_ms) >= limit || fabs(s->end_ms) >= limit || s->late > 1 + s->places / 20;
    const char *type = p->match->type;
    const int stream = p->match->input;
    if (s->unlike > s->places)
        return ksr_checks_add(p->ctx, p->checks, false, p->name,
                              "%s stream %d: encoded anew, but not the sound of the input in %d of "
                              "%d places",
                              type, stream, s->unlike, s->unlike + s->places);
    if (s->places == 0)
        return ksr_checks_add(p->ctx, p->checks, true, p->name,
                              "%s stream %d: encoded anew; there is only silence", type, stream);
    if (drifts)
        return ksr_checks_add(p->ctx, p->checks, false, p->name,
                              "%s stream %d: the sound drifts: %.2f ms %s at first, %.2f ms %s in "
                              "the end (%.4f %%)",
                              type, stream, fabs(s->start_ms), s->start_ms < 0 ? "early" : "late",
                              fabs(s->end_ms), s->end_ms < 0 ? "early" : "late",
                              s->drift_ppm / 10000);
    if (late)
        return ksr_checks_add(p->ctx, p->checks, false, p->name,
                              "%s stream %d: the sound is %.2f ms %s (%d of %d places are off by "
                              "%.3g ms or more)",
                              type, stream, fabs(s->offset_ms), s->offset_ms < 0 ? "early" : "late",
                              s->late, s->places, limit);
    return ksr_checks_add(p->ctx, p->checks, true, p->name,
                          "%s stream %d: encoded anew; the sound is off by %.2f ms, measured in %d "
                          "place%s%s",
                          type, stream, s->offset_ms, s->places, s->places == 1 ? "" : "s",
                          s->periodic ? " (it repeats itself: other offsets fit too)" : "");
}

// Says of a track that was encoded anew whether it begins and ends where it should, without holes.
static ksr_status check_extent(const struct pair *p, const struct ksr_stream_comparison *c)
{
    char hole[64] = "";
    if (c->hole_ms > 0)
        snprintf(hole, sizeof(hole), ", a gap of %.3f ms in between", c->hole_ms);
    return ksr_checks_add(p->ctx, p->checks, c->equal, p->name,
                          "%s stream %d: encoded anew; start off by %.3f ms, end by %.3f ms%s",
                          p->match->type, p->match->input, c->start_ms, c->end_ms, hole);
}

static ksr_status check_sound(const struct pair *p, const struct ksr_stream_comparison *c)
{
    if (!c->equal)
        return check_extent(p, c);
    struct ksr_sync s;
    const ksr_status status =
        ksr_media_sync(p->ctx, p->input_path, p->film, p->output->path, p->match, p->shift_ms, &s);
    return status == KSR_OK ? judge_sound(p, &s) : status;
}

static ksr_status check_stream(const struct pair *p, enum ksr_decode decode)
{
    const struct ksr_stream_match *match = p->match;
    if (match->output < 0)
        return ksr_checks_add(p->ctx, p->checks, !match->expected, p->name, "%s stream %d (%s): %s",
                              match->type, match->input, match->codec,
                              match->expected ? "missing in the output"
                                              : "dropped, the container cannot hold it");
    if (match->attachment)
        return ksr_checks_add(p->ctx, p->checks, match->same_attachment, p->name,
                              "%s stream %d: %s", match->type, match->input,
                              match->same_attachment ? "equal" : "its data differs");
    struct ksr_stream_comparison c;
    const ksr_status status =
        ksr_media_compare(p->ctx, p->input_path, p->film, p->output, match, p->shift_ms, &c);
    if (status != KSR_OK)
        return status;
    if (!c.encoded_anew)
        return check_copy(p->ctx, p->checks, match, p->name, &c);
    if (decode == KSR_DECODE_ALL && strcmp(match->type, "audio") == 0)
        return check_sound(p, &c);
    return check_extent(p, &c);
}

ksr_status ksr_check_streams(ksr_context *ctx, struct ksr_checks *checks, const char *input_path,
                             const struct ksr_film *film, const struct ksr_made *output,
                             double shift_ms, const enum ksr_carry *carry,
                             const struct ksr_choice *choice, enum ksr_decode decode)
{
    struct ksr_stream_match *matches = NULL;
    struct ksr_output_plan *guess = NULL;
    int count = 0;
    ksr_status status = KSR_OK;
    if (!carry) {
        guess = malloc(sizeof(*guess));
        status = guess ? ksr_carry_guess(ctx, input_path, film, output->path, choice, guess)
                       : ksr_fail_memory(ctx);
    }
    if (status == KSR_OK)
        status =
            ksr_media_match_streams(ctx, input_path, film, output, guess ? guess->carry : carry,
                                    guess != NULL, &matches, &count);
    for (int i = 0; status == KSR_OK && i < count; i++) {
        struct pair p = {.ctx = ctx,
                         .checks = checks,
                         .input_path = input_path,
                         .output = output,
                         .film = film,
                         .match = &matches[i],
                         .shift_ms = shift_ms};
        snprintf(p.name, sizeof(p.name), "stream %d", matches[i].input);
        if (matches[i].input != film->stream)
            status = check_stream(&p, decode);
    }
    free(matches);
    free(guess);
    return status;
}
