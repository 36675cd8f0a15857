// Planning deinterlacing and inverse telecine; see telecine.h.

#include "media/index/telecine.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "media/av/filter_graph.h"
#include "media/index/cadence.h"
#include "media/input/filter.h"
#include "media/input/reader.h"

#define CYCLE 5 // frames, of which inverse telecine leaves out one

#define LOOK_FRAMES 120 // whether frames are marked as interlaced shows in the first of them

#define PAUSE 1.0 // seconds: a field does not last that long because no frame follows

// Looks at the beginning of the film. *flagged: some frame says that it is interlaced, *top_first:
// the first that does has the top field first. *first: the first frame (a new reference).
static ksr_status look(ksr_context *ctx, const char *path, const struct ksr_film *film,
                       bool *flagged, bool *top_first, AVFrame **first)
{
    ksr_reader *reader;
    ksr_status status = ksr_reader_open(ctx, path, film, &reader);
    *flagged = *top_first = false;
    *first = NULL;
    for (int i = 0; status == KSR_OK && i < LOOK_FRAMES && !*flagged; i++) {
        size_t index;
        bool damaged;
        status = ksr_reader_next(ctx, reader, &index, &damaged);
        if (status != KSR_OK || index == SIZE_MAX)
            break;
        const AVFrame *frame = ksr_reader_frame(reader);
        if (!*first)
            *first = av_frame_clone(frame);
        if (!*first)
            status = ksr_fail_memory(ctx);
        *flagged = ksr_av_frame_interlaced(frame);
        *top_first = *flagged && ksr_av_frame_top_first(frame);
    }
    if (status == KSR_OK && !*first)
        status = ksr_fail(ctx, KSR_E_INPUT, "no frame of %s can be decoded", path);
    ksr_reader_destroy(&reader);
    return status;
}

// The frames that inverse telecine keeps.
struct kept {
    size_t *index; // of each: its number in the film
    size_t *cycle; // and that of the first frame of its cycle, which keeps its time
    size_t count, decoded;
};

// Frames in a row that are all mixed, or all whole since flags tell which fields to repeat. Whole
// ones stay; of the others, decimation leaves out one in every cycle.
struct stretch {
    struct ksr_graph decimate; // open in a stretch of mixed frames
    size_t first;
    bool whole;
};

static void keep(struct kept *kept, const struct stretch *s, size_t index)
{
    const size_t cycle = s->whole ? CYCLE - 1 : CYCLE;
    kept->index[kept->count] = index;
    kept->cycle[kept->count++] = s->first + (index - s->first) / cycle * cycle;
}

// Takes what decimation has decided so far.
static ksr_status take_decimated(ksr_context *ctx, struct stretch *s, struct kept *kept)
{
    AVFrame *frame = av_frame_alloc();
    ksr_status status = frame ? KSR_OK : ksr_fail_memory(ctx);
    for (bool ready = true; status == KSR_OK && ready;) {
        status = ksr_graph_receive(ctx, &s->decimate, frame, &ready);
        if (status == KSR_OK && ready)
            keep(kept, s, (size_t)(intptr_t)frame->opaque);
        av_frame_unref(frame);
    }
    av_frame_free(&frame);
    return status;
}

static ksr_status end_stretch(ksr_context *ctx, struct stretch *s, struct kept *kept)
{
    if (!s->decimate.graph)
        return KSR_OK;
    ksr_status status = ksr_graph_send(ctx, &s->decimate, 0, NULL);
    if (status == KSR_OK)
        status = take_decimated(ctx, s, kept);
    ksr_graph_close(&s->decimate);
    return status;
}

static ksr_status decimate_frame(ksr_context *ctx, struct stretch *s, struct kept *kept,
                                 const AVFrame *from, size_t index)
{
    AVFrame *frame = av_frame_clone(from);
    ksr_status status = frame ? KSR_OK : ksr_fail_memory(ctx);
    if (status == KSR_OK && !s->decimate.graph)
        status = ksr_graph_open(ctx, "decimate", (const AVFrame *[]){from, NULL}, &s->decimate);
    if (status == KSR_OK) {
        frame->opaque = (void *)(intptr_t)index;
        frame->pts = (int64_t)index;
        status = ksr_graph_send(ctx, &s->decimate, 0, frame);
    }
    av_frame_free(&frame);
    return status == KSR_OK ? take_decimated(ctx, s, kept) : status;
}

static ksr_status run_decimation(ksr_context *ctx, ksr_reader *reader, size_t total,
                                 struct kept *kept)
{
    struct stretch s = {0};
    ksr_status status = KSR_OK;
    while (status == KSR_OK) {
        size_t index;
        bool damaged;
        status = ksr_reader_next(ctx, reader, &index, &damaged);
        if (status != KSR_OK || index == SIZE_MAX)
            break;
        const AVFrame *frame = ksr_reader_frame(reader);
        const bool whole = frame->repeat_pict != 0; // field_match.h
        if (whole != s.whole) {
            status = end_stretch(ctx, &s, kept);
            s.first = index;
            s.whole = whole;
        }
        if (whole)
            keep(kept, &s, index);
        else if (status == KSR_OK)
            status = decimate_frame(ctx, &s, kept, frame, index);
        ksr_report_progress(ctx, &(struct ksr_progress){.phase = KSR_PHASE_PLAN,
                                                        .done = (int64_t)index,
                                                        .total = (int64_t)total});
        if (status == KSR_OK)
            status = ksr_check_cancel(ctx);
    }
    if (status == KSR_OK)
        status = end_stretch(ctx, &s, kept);
    ksr_graph_close(&s.decimate);
    kept->decoded = ksr_reader_decoded(reader);
    return status;
}

static ksr_status choose_frames(ksr_context *ctx, const char *path, const struct ksr_film *film,
                                struct kept *kept)
{
    ksr_reader *reader = NULL;
    kept->index = calloc(film->frame_count, sizeof(kept->index[0]));
    kept->cycle = calloc(film->frame_count, sizeof(kept->cycle[0]));
    ksr_status status = kept->index && kept->cycle ? ksr_reader_open(ctx, path, film, &reader)
                                                   : ksr_fail_memory(ctx);
    if (status == KSR_OK)
        status = run_decimation(ctx, reader, film->frame_count, kept);
    ksr_reader_destroy(&reader);
    return status;
}

// Where ticks are longer than a millisecond, frames four fifths as many need finer ones.
static void refine_ticks(struct ksr_film *film)
{
    struct ksr_rational *base = &film->time_base;
    if (base->den >= 1000 * base->num || base->den > 1 << 28)
        return;
    base->den *= CYCLE - 1;
    for (size_t i = 0; i < film->frame_count; i++) {
        film->frames[i].time *= CYCLE - 1;
        film->frames[i].duration *= CYCLE - 1;
    }
}

// Four fifths of the rate, unless it already counts the film's own frames.
static void set_film_rate(struct ksr_film *film)
{
    struct ksr_rational *rate = &film->format.frame_rate;
    const size_t last = film->frame_count - 1;
    const double time = ksr_film_seconds(
        film, film->frames[last].time + film->frames[last].duration - film->frames[0].time);
    if (rate->den <= 0 || (double)film->frame_count > 0.9 * time * rate->num / rate->den)
        return;
    rate->num *= CYCLE - 1;
    rate->den *= CYCLE;
}

// A keyframe now stands for the first frame at or after it. number: what frames were, of each.
static void move_keys(struct ksr_film *film, const size_t *number, size_t count)
{
    size_t at = 0, keys = 0;
    for (size_t i = 0; i < film->key_count; i++) {
        struct ksr_film_key key = film->keys[i];
        while (at < count && number[at] < key.frame)
            at++;
        key.frame = at;
        if (at < count && (keys == 0 || film->keys[keys - 1].frame < at))
            film->keys[keys++] = key;
    }
    film->key_count = keys;
}

// Leaves only the kept frames. Those of one cycle share its time evenly: a cycle starts and ends
// when it did, and pulldown's uneven steps are gone.
static void keep_frames(struct ksr_film *film, const struct kept *kept)
{
    struct ksr_film_frame *frames = film->frames;
    refine_ticks(film);
    const struct ksr_film_frame last = frames[film->frame_count - 1];
    for (size_t k = 0, next = 0; k < kept->count; k = next) {
        for (next = k; next < kept->count && kept->cycle[next] == kept->cycle[k]; next++)
            ;
        const int64_t start = frames[kept->cycle[k]].time, share = (int64_t)(next - k);
        const int64_t end =
            next < kept->count ? frames[kept->cycle[next]].time : last.time + last.duration;
        // In place: a kept frame never moves behind one that is still to be read.
        for (int64_t n = 0; n < share; n++) {
            const int64_t from = start + (end - start) * n / share;
            const int64_t to = start + (end - start) * (n + 1) / share;
            frames[k + (size_t)n] =
                (struct ksr_film_frame){frames[kept->index[k + (size_t)n]].source, from, to - from};
        }
    }
    move_keys(film, kept->index, kept->count);
    film->frame_count = kept->count;
    set_film_rate(film);
}

static ksr_status check_decoded(ksr_context *ctx, const char *path, size_t decoded, size_t expected)
{
    return decoded == expected
               ? KSR_OK
               : ksr_fail(ctx, KSR_E_INPUT,
                          "inverse_telecine: only %zu of %zu frames of %s can be decoded", decoded,
                          expected, path);
}

static ksr_status plan_telecine(ksr_context *ctx, const char *path, struct ksr_film *film)
{
    struct kept kept = {0};
    const size_t before = film->frame_count;
    ksr_status status = choose_frames(ctx, path, film, &kept);
    if (status == KSR_OK)
        status = check_decoded(ctx, path, kept.decoded, before);
    if (status == KSR_OK) {
        keep_frames(film, &kept);
        ksr_log(ctx, KSR_LOG_INFO, "inverse telecine: %zu of %zu frames are kept", kept.count,
                before);
    }
    free(kept.index);
    free(kept.cycle);
    return status;
}

// --- One frame of each field ---

// How long frame i is shown: until the next one, but in a pause as long as it says.
static int64_t length_of(const struct ksr_film *film, size_t i)
{
    const struct ksr_film_frame *f = &film->frames[i];
    if (i + 1 == film->frame_count)
        return f->duration;
    const int64_t length = f[1].time - f->time;
    const bool pause = f->duration < length / 2 && ksr_film_seconds(film, length) > PAUSE;
    return pause ? f->duration : length;
}

// Makes ticks half as long, if that is needed for halves of all frames to be whole ticks. Returns
// false where they cannot be so short.
static bool halve_ticks(struct ksr_film *film)
{
    struct ksr_rational *base = &film->time_base;
    int64_t odd = 0;
    for (size_t i = 0; i < film->frame_count; i++)
        odd |= length_of(film, i) & 1;
    if (!odd)
        return true;
    if (base->num % 2 != 0 && base->den > INT_MAX / 2)
        return false;
    if (base->num % 2 == 0)
        base->num /= 2;
    else
        base->den *= 2;
    for (size_t i = 0; i < film->frame_count; i++) {
        film->frames[i].time *= 2;
        film->frames[i].duration *= 2;
    }
    return true;
}

static void double_rate(struct ksr_rational *rate)
{
    if (rate->den % 2 == 0)
        rate->den /= 2;
    else if (rate->num <= INT_MAX / 2)
        rate->num *= 2;
}

// Makes two frames of each: they share its length.
static ksr_status plan_fields(ksr_context *ctx, struct ksr_film *film)
{
    struct ksr_film_frame *frames = calloc(film->frame_count, 2 * sizeof(*frames));
    if (!frames)
        return ksr_fail_memory(ctx);
    if (!halve_ticks(film)) {
        free(frames);
        return ksr_fail(ctx, KSR_E_PARAM,
                        "deinterlace: ticks of %d/%d s cannot be halved for one frame per field "
                        "(use {deinterlace=frame})",
                        film->time_base.num, film->time_base.den);
    }
    for (size_t i = 0; i < film->frame_count; i++) {
        const struct ksr_film_frame *f = &film->frames[i];
        const int64_t half = length_of(film, i) / 2;
        frames[2 * i] = (struct ksr_film_frame){f->source, f->time, half};
        frames[2 * i + 1] = (struct ksr_film_frame){f->source, f->time + half, half};
    }
    free(film->frames);
    film->frames = frames;
    film->frame_count *= 2;
    for (size_t k = 0; k < film->key_count; k++)
        film->keys[k].frame *= 2;
    double_rate(&film->format.frame_rate);
    film->fields = true;
    ksr_log(ctx, KSR_LOG_INFO, "one frame per field: %zu frames from %zu", film->frame_count,
            film->frame_count / 2);
    return KSR_OK;
}

// --- Film, video and interlaced video ---

#define FINE       360000 // ticks a second: all of the durations below are whole, and those of 90 kHz
#define RATE_MOST  1000000 // of the terms of an average frame rate
#define FILM_LEAST 1.0     // percent of film, below which something is wrong
#define HALVES     2       // of a field, in which film is counted: its frames last five of them

// How long a field of telecined video lasts, in fine ticks.
static int64_t field_ticks(const struct ksr_film *film)
{
    const struct ksr_rational r = film->format.frame_rate;
    const bool even = r.den > 0 && (r.num == 30 * r.den || r.num == 24 * r.den);
    return even ? FINE / 60 : FINE / 60 * 1001 / 1000;
}

// Turns times into fine ticks. As long as a frame is a whole number of fields after an earlier one,
// within a tick or a millisecond, it is there exactly: containers round.
static void refine_times(struct ksr_film *film, int64_t field)
{
    const AVRational from = {film->time_base.num, film->time_base.den}, to = {1, FINE};
    const int64_t tick = av_rescale_q(1, from, to);
    const int64_t slack = (tick > FINE / 1000 ? tick : FINE / 1000) + 1;
    int64_t start = 0;
    for (size_t i = 0; i < film->frame_count; i++) {
        struct ksr_film_frame *f = &film->frames[i];
        const int64_t time = av_rescale_q(f->time, from, to);
        const int64_t fields = (time - start + field / 2) / field,
                      off = time - start - fields * field;
        if (i == 0 || off > slack || off < -slack || start + fields * field <= f[-1].time)
            start = time;
        f->time = start == time ? time : start + fields * field;
        if (i > 0 && f->time <= f[-1].time) // the one before was moved past it
            f->time = f[-1].time + 1;
        f->duration = av_rescale_q(f->duration, from, to);
        f->duration = f->duration > 0 ? f->duration : 1;
    }
    film->time_base = (struct ksr_rational){1, FINE};
}

// When a field begins. A frame has two, or three.
static int64_t field_time(const struct ksr_film *film, size_t i, int64_t field)
{
    const struct ksr_film_frame *f = &film->frames[i / 2];
    const int64_t length = length_of(film, i / 2);
    return i % 2 == 0 ? f->time : f->time + (length < 4 * field ? length / 2 : field);
}

// The frame of a moment, whose time follows.
static struct ksr_film_frame make_moment(const struct ksr_film *film, const struct ksr_moment *m)
{
    const size_t n = m->first / 2;
    const bool second = m->first % 2 != 0;
    const enum ksr_frame_made alone = second ? KSR_MADE_SECOND : KSR_MADE_FIRST;
    const bool woven = second && m->count == 2;
    if (m->count == 1 || m->kind == KSR_CADENCE_INTERLACED)
        return (struct ksr_film_frame){.source = film->frames[n].source, .made = alone};
    return (struct ksr_film_frame){.source = film->frames[n + second].source,
                                   .made = woven ? KSR_MADE_WOVEN : KSR_MADE_WHOLE};
}

// Frames of film follow one another at its rate, from the first on, as long as each is within half
// a field of its place.
static void set_times(const struct ksr_film *film, const struct ksr_moment *moments, size_t count,
                      int64_t field, struct ksr_film_frame *frames)
{
    const struct ksr_film_frame *last = &film->frames[film->frame_count - 1];
    int64_t start = 0, number = 0;
    for (size_t i = 0; i < count; i++) {
        const int64_t time = field_time(film, moments[i].first, field);
        const int64_t place = start + number * field * 5 / HALVES, off = place - time;
        const bool on = moments[i].kind == KSR_CADENCE_FILM && number > 0 &&
                        off >= -field / HALVES &&
                        off <= (moments[i].count > 1 ? field / HALVES : 0);
        frames[i].time = on ? place : time;
        if (!on) {
            start = time;
            number = 0;
        }
        if (i > 0 && frames[i].time <= frames[i - 1].time)
            frames[i].time = frames[i - 1].time + 1;
        number += moments[i].kind == KSR_CADENCE_FILM;
    }
    for (size_t i = 0; i < count; i++) {
        const int64_t end = i + 1 < count ? frames[i + 1].time : last->time + last->duration;
        frames[i].duration = end > frames[i].time ? end - frames[i].time : 1;
    }
}

// Interlaced video makes a frame of both fields, unless each is to be one.
static size_t pair_fields(struct ksr_moment *moments, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        struct ksr_moment *m = &moments[i], *last = kept > 0 ? &moments[kept - 1] : NULL;
        if (last && m->kind == KSR_CADENCE_INTERLACED && last->kind == KSR_CADENCE_INTERLACED &&
            m->first % 2 == 1 && last->first + 1 == m->first)
            last->count = 2;
        else
            moments[kept++] = *m;
    }
    return kept;
}

static void tell_shares(ksr_context *ctx, const struct ksr_film *film,
                        const struct ksr_moment *moments, size_t count)
{
    size_t fields[KSR_CADENCE_KINDS] = {0};
    double share[KSR_CADENCE_KINDS];
    for (size_t i = 0; i < count; i++)
        fields[moments[i].kind] += moments[i].count;
    for (int k = 0; k < KSR_CADENCE_KINDS; k++)
        share[k] = 50.0 * (double)fields[k] / (double)film->frame_count;
    ksr_log(
        ctx, KSR_LOG_INFO,
        "inverse telecine: %zu frames from %zu: %.1f %% film, %.1f %% video, %.1f %% interlaced",
        count, film->frame_count, share[KSR_CADENCE_FILM], share[KSR_CADENCE_VIDEO],
        share[KSR_CADENCE_INTERLACED]);
    if (share[KSR_CADENCE_FILM] < FILM_LEAST)
        ksr_log(ctx, KSR_LOG_WARNING,
                "inverse_telecine: %.1f %% of the video is telecined film (use "
                "{deinterlace=true} for interlaced video)",
                share[KSR_CADENCE_FILM]);
}

// Makes frames of moments.
static ksr_status take_moments(ksr_context *ctx, const struct ksr_moment *moments, size_t count,
                               struct ksr_film *film)
{
    struct ksr_film_frame *frames = calloc(count, sizeof(*frames));
    size_t *number = calloc(count, sizeof(*number));
    if (!frames || !number) {
        free(frames);
        free(number);
        return ksr_fail_memory(ctx);
    }
    const int64_t field = field_ticks(film);
    refine_times(film, field);
    for (size_t i = 0; i < count; i++) {
        frames[i] = make_moment(film, &moments[i]);
        number[i] = moments[i].first / 2;
    }
    set_times(film, moments, count, field, frames);
    move_keys(film, number, count);
    free(number);
    free(film->frames);
    film->frames = frames;
    film->frame_count = count;
    const int64_t end = frames[count - 1].time + frames[count - 1].duration;
    av_reduce(&film->format.frame_rate.num, &film->format.frame_rate.den, (int64_t)count * FINE,
              end - frames[0].time, RATE_MOST);
    return KSR_OK;
}

static ksr_status measure_fields(ksr_context *ctx, const char *path, ksr_reader *reader,
                                 const char *order, const struct ksr_film *film,
                                 ksr_cadence *cadence)
{
    for (size_t next = 0;; next++) {
        size_t index;
        bool damaged;
        ksr_status status = ksr_reader_next(ctx, reader, &index, &damaged);
        if (status != KSR_OK)
            return status;
        if (index == SIZE_MAX || index != next) // the film's are all there, in order
            return check_decoded(ctx, path, next, film->frame_count);
        const AVFrame *frame = ksr_reader_frame(reader);
        if (!ksr_cadence_add(cadence, frame, ksr_filter_top_first(frame, order)))
            return ksr_fail(ctx, KSR_E_PARAM, "fields of %s cannot be matched",
                            av_get_pix_fmt_name(frame->format));
        ksr_report_progress(ctx, &(struct ksr_progress){.phase = KSR_PHASE_PLAN,
                                                        .done = (int64_t)index,
                                                        .total = (int64_t)film->frame_count});
        status = ksr_check_cancel(ctx);
        if (status != KSR_OK)
            return status;
    }
}

// Measures all fields, and makes a frame of each moment. order: ksr_filter_top_first().
static ksr_status plan_mixed(ksr_context *ctx, const char *path, const char *order, bool fields,
                             struct ksr_film *film)
{
    char filter[sizeof(film->filter)];
    struct ksr_moment *moments = NULL;
    size_t count = 0;
    ksr_reader *reader = NULL;
    ksr_cadence *cadence =
        ksr_cadence_create(film->decoded.width, film->decoded.height, film->frame_count);
    if (!cadence)
        return ksr_fail_memory(ctx);
    memcpy(filter, film->filter, sizeof(filter));
    film->filter[0] = '\0'; // frames are measured as they are
    ksr_status status = ksr_reader_open(ctx, path, film, &reader);
    if (status == KSR_OK)
        status = measure_fields(ctx, path, reader, order, film, cadence);
    if (status == KSR_OK)
        status = check_decoded(ctx, path, ksr_reader_decoded(reader), film->frame_count);
    ksr_reader_destroy(&reader);
    memcpy(film->filter, filter, sizeof(filter));
    if (status == KSR_OK && !ksr_cadence_solve(cadence, &moments, &count))
        status = ksr_fail_memory(ctx);
    if (status == KSR_OK) {
        count = fields ? count : pair_fields(moments, count);
        tell_shares(ctx, film, moments, count);
        status = take_moments(ctx, moments, count, film);
    }
    free(moments);
    ksr_cadence_destroy(&cadence);
    return status;
}

// --- The plan ---

static void warn_of_doubt(ksr_context *ctx, const struct ksr_pipeline_config *config,
                          const struct ksr_film *film, bool flagged)
{
    const struct ksr_rational rate = film->format.frame_rate;
    const double fps = rate.den > 0 ? (double)rate.num / rate.den : 0;
    if (config->inverse_telecine && (fps < 29.9 || fps > 30.1) && (fps < 59.8 || fps > 60.1))
        ksr_log(ctx, KSR_LOG_WARNING,
                "inverse_telecine: the frame rate is %.3f, but telecined video has 29.97", fps);
    else if (config->deinterlace && !config->inverse_telecine && !flagged &&
             !film->format.interlaced)
        ksr_log(ctx, KSR_LOG_WARNING,
                "deinterlace: the video is not flagged as interlaced; deinterlacing every frame, "
                "%s field first",
                film->format.bottom_first ? "bottom" : "top");
    else if (config->deinterlace && !config->inverse_telecine && film->marked_wrongly)
        ksr_log(ctx, KSR_LOG_WARNING,
                "deinterlace: the video is flagged as interlaced, but the examined frames are "
                "progressive: half of their lines are interpolated");
}

// Frames that say what they are are believed, unless the pictures show the contrary; where none
// does, the container's word counts.
static const char *find_order(ksr_context *ctx, const struct ksr_film *film, bool flagged,
                              bool top_first)
{
    if (!flagged)
        return film->format.bottom_first ? "bff" : "tff";
    if (film->format.single_field) // whole frames with the marks of fields
        return film->first_field < 0 ? "bff" : "tff";
    if (film->first_field == (top_first ? 1 : -1) || film->first_field == 0)
        return "auto";
    ksr_log(ctx, KSR_LOG_WARNING,
            "the video is flagged as %s field first, but its frames show %s field first: using the "
            "latter",
            top_first ? "top" : "bottom", top_first ? "bottom" : "top");
    return top_first ? "bff" : "tff";
}

ksr_status ksr_filter_plan(ksr_context *ctx, const char *path,
                           const struct ksr_pipeline_config *config, struct ksr_film *film)
{
    if (!config->deinterlace && !config->inverse_telecine)
        return KSR_OK;
    const bool mixed = config->inverse_telecine == KSR_TELECINE_MIXED;
    if (config->deinterlace && config->inverse_telecine && !mixed)
        return ksr_fail(ctx, KSR_E_PARAM,
                        config->deinterlace == KSR_DEINTERLACE_FIELD
                            ? "deinterlace and inverse_telecine are mutually exclusive: use "
                              "{inverse_telecine=true} for telecined video, {deinterlace=field} "
                              "for interlaced video"
                            : "deinterlace and inverse_telecine are mutually exclusive: use "
                              "{inverse_telecine=true} for telecined video, {deinterlace=true} for "
                              "interlaced video");
    if (film->single_fields)
        return ksr_fail(
            ctx, KSR_E_PARAM,
            "%s: each frame of this HEVC video is a single field, of half the height; join them "
            "first: ffmpeg -i INPUT -map 0 -c copy -c:v ffv1 -vf weave=%s joined.mkv",
            config->deinterlace ? "deinterlace" : "inverse_telecine",
            film->format.bottom_first ? "bottom" : "top");
    bool flagged, top_first;
    AVFrame *first;
    ksr_filter *filter;
    ksr_status status = look(ctx, path, film, &flagged, &top_first, &first);
    if (status != KSR_OK) {
        av_frame_free(&first);
        return status;
    }
    flagged = flagged || film->turns_interlaced; // if not at the beginning, then later
    warn_of_doubt(ctx, config, film, flagged);
    const char *order = find_order(ctx, film, flagged, top_first);
    char weave[sizeof("flags-tff")];
    snprintf(weave, sizeof(weave), "%s%s", strcmp(order, "auto") == 0 ? "flags-" : "",
             strcmp(order, "auto") != 0 ? order
             : top_first                ? "tff"
                                        : "bff");
    if (mixed)
        snprintf(film->filter, sizeof(film->filter),
                 "weave=%s,bwdif=mode=send_field:parity=auto:deint=all", weave);
    else if (config->deinterlace)
        snprintf(film->filter, sizeof(film->filter), "bwdif=mode=%s:parity=%s:deint=%s",
                 config->deinterlace == KSR_DEINTERLACE_FIELD ? "send_field" : "send_frame", order,
                 flagged ? "interlaced" : "all");
    else
        snprintf(film->filter, sizeof(film->filter),
                 "fieldmatch=order=%s:combmatch=full,bwdif=mode=send_frame:parity=%s:deint="
                 "interlaced",
                 order, order);
    status = ksr_filter_open(ctx, film, first, &filter);
    av_frame_free(&first);
    if (status != KSR_OK)
        return status;
    const char *name = ksr_filter_format(filter);
    ksr_filter_close(&filter);
    if (mixed)
        status = plan_mixed(ctx, path, weave, config->deinterlace == KSR_DEINTERLACE_FIELD, film);
    else if (config->inverse_telecine)
        status = plan_telecine(ctx, path, film);
    else if (config->deinterlace == KSR_DEINTERLACE_FIELD)
        status = plan_fields(ctx, film);
    snprintf(film->format.pixel_format, sizeof(film->format.pixel_format), "%s", name);
    film->format.interlaced = film->unmarked_fields = film->telecined = false;
    return status;
}
