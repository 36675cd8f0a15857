// Measuring sound against sound; see sync.h.
//
// Both tracks are decoded to one channel of 48 kHz. A second of the input is looked for in the
// output, up to a quarter of a second to either side: first coarsely in averages of eight samples,
// then sample by sample around the best place, then between samples by a parabola.

#include "media/compare/sync.h"

#include <libswresample/swresample.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "media/input/input.h"
#include "media/mux/packets.h"

#define RATE    48000
#define WINDOW  48000 // samples of the input that are looked for
#define SEARCH  12000 // to either side
#define COARSE  8     // samples averaged for the first look
#define PLACES  60    // at most
#define SPACING 2.0   // seconds from place to place, at least
#define SILENCE 1e-4  // of full scale, root mean square
#define ALIKE   0.5   // correlation of what is the same sound
#define RIVAL   0.98  // of the best correlation: as good
#define NEARLY  0.85  // the same of averages
#define GAP     1440  // samples (30 ms): times that jump so far are a gap, others rounding
#define HOLE    480.5 // the same where the track is to be placed as audio_encoder.c does (10 ms)
#define LATE_MS 1.0

// A track that is read on; `samples` holds a stretch of it.
struct track {
    struct ksr_input input;
    ksr_packets *packets;
    AVStream *stream;
    AVCodecContext *decoder;
    SwrContext *resampler;
    AVChannelLayout layout; // the three that the resampler takes
    int format, rate;
    AVPacket *packet;
    AVFrame *frame;
    float *samples;
    int64_t first; // number of samples[0], counted from time 0
    int64_t count, capacity;
    double error; // timestamps less counted samples, summed over `timed` frames: containers round
    int64_t timed;
    double stray;    // how far timestamps are from counted samples, at most; holes apart
    bool source;     // the input: placed as audio_encoder.c does, which goes on sample by sample
    int64_t overlap; // samples of the next frame that are there already
    int64_t time;    // of the last frame, in ticks of the stream
    bool begun, end;
    bool behind; // all of the frame before was left out
};

static ksr_status open_track(ksr_context *ctx, struct track *t, const char *path,
                             const struct ksr_film *film, int stream, const struct ksr_cut *cut)
{
    ksr_status status = film ? ksr_input_open_film(ctx, path, film, &t->input)
                             : ksr_input_open(ctx, path, false, &t->input);
    if (status != KSR_OK)
        return status;
    ksr_input_select(&t->input, stream);
    t->stream = t->input.format->streams[stream];
    t->packet = av_packet_alloc();
    t->frame = av_frame_alloc();
    status = t->packet && t->frame ? ksr_packets_create(ctx, &t->input, cut, &t->packets)
                                   : ksr_fail_memory(ctx);
    if (status == KSR_OK)
        status = ksr_stream_open_decoder(ctx, t->stream, &t->decoder);
    return status;
}

static void close_track(struct track *t)
{
    av_packet_free(&t->packet);
    av_frame_free(&t->frame);
    avcodec_free_context(&t->decoder);
    swr_free(&t->resampler);
    av_channel_layout_uninit(&t->layout);
    ksr_packets_destroy(&t->packets);
    ksr_input_close(&t->input);
    free(t->samples);
}

// --- Reading on ---

// Makes room for `more` samples at the end.
static bool reserve(struct track *t, int64_t more)
{
    if (t->count + more <= t->capacity)
        return true;
    const int64_t capacity = (t->count + more) * 3 / 2;
    float *grown = realloc(t->samples, (size_t)capacity * sizeof(*grown));
    if (!grown)
        return false;
    t->samples = grown;
    t->capacity = capacity;
    return true;
}

static bool frame_fits(const struct track *t)
{
    const AVFrame *f = t->frame;
    return t->resampler && f->format == t->format && f->sample_rate == t->rate &&
           av_channel_layout_compare(&f->ch_layout, &t->layout) == 0;
}

// Opens the resampler for what the frame holds.
static int open_resampler(struct track *t)
{
    AVChannelLayout mono = AV_CHANNEL_LAYOUT_MONO;
    AVChannelLayout from = {0};
    const AVFrame *f = t->frame;
    swr_free(&t->resampler);
    t->format = f->format;
    t->rate = f->sample_rate;
    if (av_channel_layout_copy(&t->layout, &f->ch_layout) < 0)
        return AVERROR(ENOMEM);
    if (f->ch_layout.order == AV_CHANNEL_ORDER_UNSPEC)
        av_channel_layout_default(&from, f->ch_layout.nb_channels);
    else if (av_channel_layout_copy(&from, &f->ch_layout) < 0)
        return AVERROR(ENOMEM);
    int result = swr_alloc_set_opts2(&t->resampler, &mono, AV_SAMPLE_FMT_FLT, RATE, &from,
                                     (enum AVSampleFormat)f->format, f->sample_rate, 0, NULL);
    av_channel_layout_uninit(&from);
    if (result >= 0)
        result = swr_init(t->resampler);
    if (result < 0)
        swr_free(&t->resampler);
    return result;
}

// Puts the track where the frame's timestamp says, if that is not where it stands already: what is
// missing is silence, what is there already is left out.
static bool place_frame(struct track *t)
{
    const int64_t time = ksr_frame_time(t->frame);
    const bool still = t->begun && time == t->time; // which tells nothing
    t->overlap = 0;
    t->time = time;
    if (time == AV_NOPTS_VALUE || still)
        return true;
    // What the resampler still holds of the frames before comes out first.
    const double wanted = (double)time * av_q2d(t->stream->time_base) * RATE -
                          (double)swr_get_delay(t->resampler, RATE);
    if (!t->begun) {
        t->first = llrint(wanted);
        t->begun = true;
    }
    const double error = wanted - (double)(t->first + t->count);
    const double usual = t->timed > 0 && !t->source ? t->error / (double)t->timed : 0;
    const double late = error - usual, gap = t->source ? HOLE : GAP;
    if (late > gap && late < 600.0 * RATE) {
        const int64_t silence = llrint(late);
        if (!reserve(t, silence))
            return false;
        memset(t->samples + t->count, 0, (size_t)silence * sizeof(*t->samples));
        t->count += silence;
    } else if (-late > (t->behind ? 0.5 : gap) && -late < 600.0 * RATE) {
        t->overlap = llrint(-late);
    } else if (fabs(late) <= gap) {
        t->error += error;
        t->stray = fmax(t->stray, fabs(late));
        t->timed++;
    }
    return true;
}

// Damaged packets decode to anything; encoders clip what is beyond full scale.
static void limit(float *samples, int count)
{
    for (int i = 0; i < count; i++)
        samples[i] = isnan(samples[i]) ? 0 : fmaxf(-1, fminf(1, samples[i]));
}

// Adds what the resampler makes of the frame (NULL: what it still holds), less the overlap.
static bool convert(struct track *t, const AVFrame *frame)
{
    const int room = swr_get_out_samples(t->resampler, frame ? frame->nb_samples : 0);
    if (room < 0 || !reserve(t, room))
        return false;
    float *end = t->samples + t->count;
    uint8_t *to = (uint8_t *)end;
    const int made = swr_convert(t->resampler, &to, room,
                                 frame ? (const uint8_t **)(uintptr_t)frame->extended_data : NULL,
                                 frame ? frame->nb_samples : 0);
    if (made <= 0)
        return true;
    limit(end, made);
    t->behind = t->overlap >= made;
    if (!t->behind) {
        const int64_t new = made - t->overlap;
        memmove(end, end + t->overlap, (size_t) new * sizeof(*end));
        t->count += new;
    }
    return true;
}

// A track may change its format midway, as audio_encoder.c expects too. *fits: whether the frame
// can be converted; one that cannot is left out, and silence stands for it.
static bool adapt(struct track *t, bool *fits)
{
    *fits = true;
    if (frame_fits(t))
        return true;
    t->overlap = 0;
    if (t->resampler && !convert(t, NULL))
        return false;
    const int result = open_resampler(t);
    *fits = result >= 0;
    return result != AVERROR(ENOMEM);
}

static bool add_frame(struct track *t)
{
    bool fits;
    if (!adapt(t, &fits))
        return false;
    return !fits || (place_frame(t) && convert(t, t->frame));
}

// Decodes one more packet, or what is left at the end.
static ksr_status read_on(ksr_context *ctx, struct track *t)
{
    av_packet_unref(t->packet);
    const bool more = ksr_packets_next(t->packets, t->packet);
    if (ksr_packets_starved(t->packets))
        return ksr_fail_memory(ctx);
    if (more && t->packet->stream_index != t->stream->index)
        return KSR_OK;
    ksr_status status = ksr_stream_send(ctx, t->decoder, more ? t->packet : NULL, NULL);
    for (bool got = true; status == KSR_OK && got;) {
        status = ksr_stream_receive(ctx, t->decoder, t->frame, &got);
        if (got && !add_frame(t))
            status = ksr_fail_memory(ctx);
        av_frame_unref(t->frame);
    }
    t->end = !more;
    return status == KSR_OK ? ksr_check_cancel(ctx) : status;
}

// Reads until sample `to` is there, forgetting those before `from`. What the track does not have is
// left out: it may begin later or end before.
static ksr_status read_until(ksr_context *ctx, struct track *t, int64_t from, int64_t to)
{
    ksr_status status = KSR_OK;
    while (status == KSR_OK && !t->end && (!t->begun || t->first + t->count < to)) {
        status = read_on(ctx, t);
        const int64_t old = from - t->first < t->count ? from - t->first : t->count;
        if (t->begun && old > 0) {
            memmove(t->samples, t->samples + old, (size_t)(t->count - old) * sizeof(*t->samples));
            t->first += old;
            t->count -= old;
        }
    }
    return status;
}

static void copy_stretch(const struct track *t, int64_t from, int64_t count, float *out)
{
    for (int64_t i = 0; i < count; i++) {
        const int64_t at = from + i - t->first;
        out[i] = at >= 0 && at < t->count ? t->samples[at] : 0;
    }
}

// --- One place ---

// What is compared at one place, and room for the averages of it.
struct place {
    float in[WINDOW], out[WINDOW + 2 * SEARCH];
    float in_coarse[WINDOW / COARSE], out_coarse[(WINDOW + 2 * SEARCH) / COARSE];
    double scores[2 * SEARCH / COARSE + 1];
};

static void average(const float *from, int count, float *to)
{
    for (int i = 0; i < count; i++) {
        float sum = 0;
        for (int k = 0; k < COARSE; k++)
            sum += from[i * COARSE + k];
        to[i] = sum / COARSE;
    }
}

static double energy(const float *a, int count)
{
    double sum = 0;
    for (int i = 0; i < count; i++)
        sum += (double)a[i] * a[i];
    return sum;
}

static double correlate(const float *a, double a_energy, const float *b, int count)
{
    float sum[16] = {0};
    double product = 0;
    for (int i = 0; i + 16 <= count; i += 16)
        for (int k = 0; k < 16; k++)
            sum[k] += a[i + k] * b[i + k];
    for (int k = 0; k < 16; k++)
        product += sum[k];
    const double both = sqrt(a_energy * energy(b, count));
    return both > 0 ? product / both : 0;
}

// Of the lags that may fit about as well as the best, which the averages miss by up to half of one,
// the smallest. *several: there are others.
static int choose_lag(const double *scores, int count, double best, bool *several)
{
    int chosen = -1, peaks = 0;
    for (int i = 0; i < count; i++) {
        const bool peak =
            (i == 0 || scores[i] >= scores[i - 1]) && (i == count - 1 || scores[i] > scores[i + 1]);
        if (!peak || scores[i] < NEARLY * best)
            continue;
        peaks++;
        if (chosen < 0 || abs(i - count / 2) < abs(chosen - count / 2))
            chosen = i;
    }
    *several = peaks > 1;
    return chosen < 0 ? count / 2 : chosen;
}

static int best_lag(const double *scores, int count)
{
    int best = 0;
    for (int i = 1; i < count; i++)
        if (scores[i] > scores[best])
            best = i;
    return best;
}

// Returns how many samples later the output is, near `lag`. *score: how well it fits there.
static double refine_lag(const struct place *p, int lag, double *score)
{
    enum { NEAR = 2 * COARSE };
    const double in_energy = energy(p->in, WINDOW);
    double scores[2 * NEAR + 1];
    int best = 0;
    for (int i = 0; i <= 2 * NEAR; i++) {
        const int at = SEARCH + lag - NEAR + i;
        scores[i] =
            at >= 0 && at <= 2 * SEARCH ? correlate(p->in, in_energy, p->out + at, WINDOW) : -1;
        if (scores[i] > scores[best])
            best = i;
    }
    double between = 0;
    *score = scores[best];
    if (best > 0 && best < 2 * NEAR) {
        const double left = scores[best - 1], right = scores[best + 1];
        const double bend = left - 2 * scores[best] + right;
        between = bend < 0 ? 0.5 * (left - right) / bend : 0;
    }
    return lag - NEAR + best + between;
}

enum finding { QUIET, UNLIKE, FOUND };

static enum finding measure_place(struct place *p, double *lag, bool *periodic)
{
    const int coarse = WINDOW / COARSE, lags = 2 * SEARCH / COARSE + 1;
    if (energy(p->in, WINDOW) < SILENCE * SILENCE * WINDOW)
        return QUIET;
    average(p->in, coarse, p->in_coarse);
    average(p->out, coarse + 2 * SEARCH / COARSE, p->out_coarse);
    const double in_energy = energy(p->in_coarse, coarse);
    double best = 0;
    for (int i = 0; i < lags; i++) {
        p->scores[i] = correlate(p->in_coarse, in_energy, p->out_coarse + i, coarse);
        best = fmax(best, p->scores[i]);
    }
    if (best < ALIKE)
        return UNLIKE;
    double score, near_score;
    *lag = refine_lag(p, (best_lag(p->scores, lags) - lags / 2) * COARSE, &score);
    const int near = choose_lag(p->scores, lags, best, periodic);
    if (*periodic) {
        const double nearest = refine_lag(p, (near - lags / 2) * COARSE, &near_score);
        *periodic = near_score >= RIVAL * score;
        *lag = *periodic ? nearest : *lag;
    }
    return FOUND;
}

// --- All of them ---

struct found {
    int count;
    double time[PLACES], late[PLACES]; // seconds, milliseconds
};

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double middle(double *values, int count)
{
    qsort(values, (size_t)count, sizeof(*values), by_value);
    return (values[count / 2] + values[(count - 1) / 2]) / 2;
}

// The line through all places by medians, which a few wrong ones don't move.
static void conclude(const struct found *f, struct ksr_sync *out)
{
    static const int most = PLACES * (PLACES - 1) / 2;
    double values[PLACES * (PLACES - 1) / 2 + PLACES];
    double slope = 0;
    int n = 0;
    for (int i = 0; i < f->count; i++)
        for (int k = 0; k < i && n < most; k++)
            values[n++] = (f->late[i] - f->late[k]) / (f->time[i] - f->time[k]);
    if (n > 0)
        slope = middle(values, n);
    for (int i = 0; i < f->count; i++)
        values[i] = f->late[i] - slope * f->time[i];
    const double base = middle(values, f->count);
    memcpy(values, f->late, (size_t)f->count * sizeof(*values));
    out->offset_ms = middle(values, f->count);
    out->start_ms = base + slope * f->time[0];
    out->end_ms = base + slope * f->time[f->count - 1];
    out->drift_ppm = slope * 1000;
    for (int i = 0; i < f->count; i++)
        out->late += fabs(f->late[i]) >= out->limit_ms;
}

static double usual_error(const struct track *t)
{
    return t->timed > 0 && !t->source ? t->error / (double)t->timed : 0;
}

// Places begin where both do, and follow one another at least `spacing` apart; one that is
// silent is made up for by the second after it.
static ksr_status walk(ksr_context *ctx, struct track *in, struct track *out, double length,
                       double shift_ms, struct place *p, struct found *f, struct ksr_sync *sync)
{
    const double spacing = fmax(SPACING, length / PLACES);
    ksr_status status = read_until(ctx, in, INT64_MIN / 2, INT64_MIN / 2 + 1);
    const int64_t shift = llrint(shift_ms * RATE / 1000);
    if (status == KSR_OK)
        status = read_until(ctx, out, INT64_MIN / 2, INT64_MIN / 2 + 1);
    int64_t at = out->begun && out->first - shift > in->first ? out->first - shift : in->first;
    while (status == KSR_OK && f->count < PLACES) {
        status = read_until(ctx, in, at, at + WINDOW);
        if (status == KSR_OK && in->end && in->first + in->count < at + WINDOW && f->count > 0)
            break; // what is left is shorter than a place
        if (status == KSR_OK)
            status = read_until(ctx, out, at + shift - SEARCH, at + shift + WINDOW + SEARCH);
        copy_stretch(in, at, WINDOW, p->in);
        copy_stretch(out, at + shift - SEARCH, WINDOW + 2 * SEARCH, p->out);
        double lag = 0;
        bool periodic = false;
        const enum finding found = measure_place(p, &lag, &periodic);
        if (found == FOUND) {
            f->time[f->count] = (double)at / RATE;
            f->late[f->count++] = (lag + usual_error(out) - usual_error(in)) * 1000 / RATE +
                                  ((double)shift * 1000 / RATE - shift_ms);
            sync->periodic |= periodic;
        }
        sync->unlike += found == UNLIKE;
        if (in->end && in->first + in->count <= at + WINDOW)
            break;
        at += found == FOUND ? llrint(spacing * RATE) : WINDOW;
    }
    return status;
}

// A millisecond, which nobody hears. Where the times of the input say other things than its
// samples, by more than a container rounds, nobody knows which is right: so much more is allowed.
static double limit_of(const struct track *in)
{
    const double tick = in->stream ? av_q2d(in->stream->time_base) * 1000 : 0;
    const double stray = in->stray * 1000 / RATE;
    return stray > 2 * LATE_MS + tick ? LATE_MS + stray : LATE_MS;
}

ksr_status ksr_media_sync(ksr_context *ctx, const char *input_path, const struct ksr_film *film,
                          const char *output_path, const struct ksr_stream_match *match,
                          double shift_ms, struct ksr_sync *sync)
{
    const struct ksr_cut cut = ksr_cut_of(film), whole = {0};
    struct track in = {.source = true}, out = {0};
    struct found found = {0};
    memset(sync, 0, sizeof(*sync));
    struct place *place = calloc(1, sizeof(*place));
    ksr_status status =
        place ? open_track(ctx, &in, input_path, film, match->input, &cut) : ksr_fail_memory(ctx);
    if (status == KSR_OK)
        status = open_track(ctx, &out, output_path, NULL, match->output, &whole);
    if (status == KSR_OK)
        status = walk(ctx, &in, &out, ksr_film_length(film, 0, film->frame_count), shift_ms, place,
                      &found, sync);
    sync->places = found.count;
    sync->limit_ms = limit_of(&in);
    if (status == KSR_OK && found.count > 0)
        conclude(&found, sync);
    close_track(&in);
    close_track(&out);
    free(place);
    return status;
}
