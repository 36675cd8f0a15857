// The core of KizunaSR: one segment of the film, decoded, processed and encoded.
//
// make_segment() below is the loop. Everything it needs from the plan is in the manifest; nothing
// it does depends on other segments, so any number of workers can run at once, anywhere.

#include "job/segment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/background.h"
#include "core/clock.h"
#include "job/key.h"
#include "job/timings.h"
#include "media/av/pixel_format.h"
#include "media/input/filter.h"
#include "media/input/reader.h"
#include "net/engine.h"
#include "pipeline/device.h"

#define RATE_TOLERANCE 3 // percent by which a segment may miss its bit rate
#define RATE_TRIES     3

struct ksr_worker {
    ksr_context *ctx;
    const struct ksr_manifest *manifest;
    const struct ksr_processor_config *config;
    const char *folder;
    struct ksr_worker_listener listener;
    int threads;
    ksr_pool *pool;
    ksr_reader *reader;
    ksr_background *decoding, *encoding; // of the next frame and of the last, beside the stages
    ksr_machine *machine;                // borrowed
    struct ksr_loan loan;                // from it
    struct ksr_encoder_settings encoder; // the manifest's, at the bit rate of the segment
    struct ksr_recipe recipe;
    ksr_pipeline *pipeline;
    struct ksr_times times; // of the segment in the making, all tries together
    double since;           // up to when the time is accounted for
};

// A frame that the pipeline holds, and what goes along with its samples.
struct held {
    size_t frame;            // its number in the film
    struct AVFrame *picture; // that it was decoded from: captions and the like; NULL: a repeat
};

// What the reader came upon.
struct decoded {
    size_t frame; // its number in the film; SIZE_MAX = no more
    bool damaged;
};

// A segment in the making.
struct making {
    ksr_worker *worker;
    const struct ksr_segment_plan *plan;
    int number;
    size_t end;           // behind the last frame that is read, of those it depends on too
    struct decoded next;  // that the reader holds, or that was taken from it last
    struct decoded ahead; // what it finds after that, once `decoding` is done
    bool decodes_ahead;
    bool anew; // it has been encoded before: what is wrong with its frames has been said
    struct ksr_row_source source; // the last good picture; .rows is NULL when there is none
    struct held *held;            // the oldest first; never more than the pipeline's delay and one
    int held_count;
    ksr_encoder *encoder;
    ksr_segment_writer *writer;
    struct ksr_segment_info info;
    bool encodes;        // the last frame that was sent; these are the encoder's meanwhile:
    int64_t *times;      // of the frames sent to the encoder, in its time base
    int64_t duration;    // of the last of them
    size_t sent, stored; // frames in, packets out
    int64_t bytes;
};

enum outcome { FRAME_READY, FRAME_SKIPPED, FRAME_NEEDS_LEAD };

static ksr_status make_recipe(ksr_worker *w)
{
    const struct ksr_film *film = &w->manifest->film;
    const struct ksr_video_format *wanted = &w->manifest->encoder.format;
    struct ksr_layout layout;
    int bits;
    if (!ksr_pixels_layout(&film->format, &layout, &bits))
        return ksr_fail(w->ctx, KSR_E_INPUT, "pixel format %s cannot be processed",
                        film->format.pixel_format);
    if (!ksr_recipe_make_for(&w->recipe, &layout, &w->config->pipeline, w->loan.engine,
                             wanted->width, wanted->height))
        return ksr_fail_memory(w->ctx);
    ksr_recipe_place(&w->recipe, &film->geometry);
    return KSR_OK;
}

ksr_status ksr_worker_create(ksr_context *ctx, const struct ksr_manifest *manifest,
                             const char *folder, int threads, ksr_machine *machine,
                             const struct ksr_worker_listener *listener, ksr_worker **out)
{
    *out = NULL;
    ksr_worker *w = calloc(1, sizeof(*w));
    if (!w)
        return ksr_fail_memory(ctx);
    w->ctx = ctx;
    w->manifest = manifest;
    w->config = ksr_config_get(manifest->config);
    w->encoder = manifest->encoder;
    w->folder = folder;
    w->threads = threads;
    if (listener)
        w->listener = *listener;
    w->machine = machine;
    ksr_status status = ksr_machine_lend(ctx, machine, &w->loan);
    if (status == KSR_OK)
        status = make_recipe(w);
    if (status == KSR_OK) {
        w->pool = ksr_pool_create(threads);
        status = w->pool
                     ? ksr_pipeline_create(ctx, &w->recipe, w->loan.device, w->pool, &w->pipeline)
                     : ksr_fail_memory(ctx);
    }
    if (status == KSR_OK)
        status = ksr_background_create(ctx, &w->decoding);
    if (status == KSR_OK)
        status = ksr_background_create(ctx, &w->encoding);
    if (status == KSR_OK)
        status = ksr_reader_create(ctx, manifest->input_path, &manifest->film, &w->reader);
    if (status != KSR_OK)
        ksr_worker_destroy(&w);
    *out = w;
    return status;
}

void ksr_worker_destroy(ksr_worker **worker)
{
    if (!worker || !*worker)
        return;
    ksr_worker *w = *worker;
    ksr_background_destroy(&w->decoding);
    ksr_background_destroy(&w->encoding);
    ksr_reader_destroy(&w->reader);
    ksr_pipeline_destroy(&w->pipeline);
    ksr_machine_take_back(w->machine, &w->loan);
    ksr_pool_destroy(&w->pool);
    free(w);
    *worker = NULL;
}

// --- Time ---

// What happened since the last call was `part`.
static void lap(ksr_worker *w, enum ksr_part part)
{
    const double now = ksr_clock();
    w->times.seconds[part] += now - w->since;
    w->since = now;
}

// It was the pipeline: shares the time out as its threads spent theirs.
static void lap_pipeline(ksr_worker *w)
{
    static const enum ksr_part parts[KSR_TASKS] = {
        KSR_PART_CONVERT,   KSR_PART_COMPOSITE, KSR_PART_DESCALE,   KSR_PART_CHROMA_SHIFT,
        KSR_PART_DEBLOCK,   KSR_PART_DEHALO,    KSR_PART_NORMALIZE, KSR_PART_DEBAND,
        KSR_PART_STRUCTURE, KSR_PART_ANTIALIAS, KSR_PART_UPSCALE,   KSR_PART_ENHANCE,
        KSR_PART_TEMPORAL,  KSR_PART_FIT,       KSR_PART_GRAIN};
    const double now = ksr_clock();
    double spent[KSR_TASKS], all = 0;
    ksr_pipeline_take_times(w->pipeline, spent);
    for (int i = 0; i < KSR_TASKS; i++)
        all += spent[i];
    for (int i = 0; i < KSR_TASKS && all > 0; i++)
        w->times.seconds[parts[i]] += (now - w->since) * spent[i] / all;
    w->since = now;
}

// --- Decode ---

static double seconds_of(const ksr_worker *w, size_t i)
{
    return ksr_film_seconds(&w->manifest->film, w->manifest->film.frames[i].time);
}

static void note_frame(ksr_worker *w, const struct making *m, size_t i, const char *what)
{
    if (!m->anew)
        ksr_log(w->ctx, KSR_LOG_WARNING, "frame %zu (%.3f s) is damaged: %s", i, seconds_of(w, i),
                what);
}

// Whether frame i comes out, and is not only read for others.
static bool belongs(const struct making *m, size_t i)
{
    return i >= m->plan->first && i < m->plan->first + m->plan->count;
}

// Frame i did not decode, or is damaged: do what the configuration says.
static ksr_status replace_frame(ksr_worker *w, struct making *m, size_t i, enum outcome *outcome)
{
    const bool counts = belongs(m, i);
    switch (w->config->on_frame_error) {
    case KSR_FRAME_ERROR_ABORT: break;
    case KSR_FRAME_ERROR_REPEAT:
        if (!m->source.rows) {
            *outcome = FRAME_NEEDS_LEAD;
            return KSR_OK;
        }
        if (counts) {
            m->info.repeated[m->info.repeated_count++] = (uint32_t)(i - m->plan->first);
            note_frame(w, m, i, "repeated");
        }
        *outcome = FRAME_READY;
        return KSR_OK;
    case KSR_FRAME_ERROR_SKIP:
        if (counts) {
            m->info.skipped[m->info.skipped_count++] = (uint32_t)(i - m->plan->first);
            note_frame(w, m, i, "skipped");
        }
        *outcome = FRAME_SKIPPED;
        return KSR_OK;
    }
    return ksr_fail(w->ctx, KSR_E_PROCESS,
                    "frame %zu (%.3f s) is damaged (use {on_frame_error=repeat|skip} to continue)",
                    i, seconds_of(w, i));
}

// Decodes the next frame, on the thread for that.
static ksr_status run_decoder(void *making)
{
    struct making *m = making;
    return ksr_reader_next(m->worker->ctx, m->worker->reader, &m->ahead.frame, &m->ahead.damaged);
}

static void decode_ahead(ksr_worker *w, struct making *m)
{
    m->decodes_ahead = true;
    ksr_background_start(w->decoding, run_decoder, m);
}

static ksr_status decode_next(ksr_worker *w, struct making *m)
{
    if (!m->decodes_ahead)
        decode_ahead(w, m);
    const ksr_status status = ksr_background_wait(w->decoding);
    m->decodes_ahead = false;
    m->next = m->ahead;
    return status;
}

// Makes m->source give the rows of frame i of the film. The frame after it is decoded meanwhile,
// but none behind the last that is needed, where the reader is to stand for the next segment.
static ksr_status decode_frame(ksr_worker *w, struct making *m, size_t i, enum outcome *outcome)
{
    ksr_status status = KSR_OK;
    *outcome = FRAME_READY;
    if (m->next.frame != SIZE_MAX && m->next.frame < i)
        status = decode_next(w, m);
    if (status != KSR_OK)
        return status;
    if (m->next.frame != i || m->next.damaged)
        return replace_frame(w, m, i, outcome);
    status = ksr_reader_take(w->ctx, w->reader, &w->recipe.input, w->pool, &m->source);
    if (status == KSR_OK && i + 1 < m->end)
        decode_ahead(w, m);
    return status;
}

// --- Encode ---

static uint32_t rank_of(const struct making *m, int64_t time)
{
    size_t low = 0, high = m->sent;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (m->times[middle] < time)
            low = middle + 1;
        else
            high = middle;
    }
    return (uint32_t)low;
}

// Moves the packets that the encoder has ready into the segment's file.
static ksr_status store_packets(ksr_worker *w, struct making *m)
{
    struct ksr_packet packet;
    ksr_status status = ksr_encoder_receive(w->ctx, m->encoder, &packet);
    while (status == KSR_OK && packet.data) {
        const uint32_t rank = rank_of(m, packet.time);
        if (rank >= m->sent || m->times[rank] != packet.time)
            return ksr_fail(w->ctx, KSR_E_PROCESS, "%s returned a packet with an unknown timestamp",
                            w->manifest->encoder.codec);
        status = ksr_segment_writer_packet(w->ctx, m->writer, rank, packet.key, packet.data,
                                           packet.size);
        m->bytes += (int64_t)packet.size;
        m->stored++;
        if (status == KSR_OK)
            status = ksr_encoder_receive(w->ctx, m->encoder, &packet);
    }
    return status;
}

// Hands frame i to the pipeline. One outside the segment is only shown to the stages that depend on
// it.
static ksr_status push_frame(ksr_worker *w, struct making *m, size_t i)
{
    struct held held = {.frame = i};
    const bool warms_up = !belongs(m, i);
    const bool fresh = m->next.frame == i && !m->next.damaged; // not a repeat
    if (!warms_up && fresh) {
        held.picture = ksr_reader_share(w->reader);
        if (!held.picture)
            return ksr_fail_memory(w->ctx);
    }
    const ksr_status status =
        ksr_pipeline_push(w->ctx, w->pipeline, (int64_t)i, &m->source, warms_up);
    lap_pipeline(w);
    if (!warms_up)
        m->held[m->held_count++] = held;
    return status;
}

// Encodes the last frame that was sent, on the thread for that.
static ksr_status run_encoder(void *making)
{
    struct making *m = making;
    ksr_worker *w = m->worker;
    const ksr_status status =
        ksr_encoder_write(w->ctx, m->encoder, m->times[m->sent - 1], m->duration);
    return status == KSR_OK ? store_packets(w, m) : status;
}

// Waits until all frames that were sent are encoded.
static ksr_status await_encoder(ksr_worker *w, struct making *m)
{
    if (!m->encodes)
        return KSR_OK;
    ksr_status status = ksr_background_wait(w->encoding);
    m->encodes = false;
    lap(w, KSR_PART_ENCODE);
    if (status == KSR_OK && w->listener.frame)
        status = w->listener.frame(w->listener.opaque, m->number, m->sent, m->bytes,
                                   w->pipeline->device);
    lap(w, KSR_PART_OTHER);
    return status;
}

// Has a frame encoded that the encoder's buffers hold. Times count from the segment's start: what a
// worker encodes does not depend on where it is.
static void send_frame(ksr_worker *w, struct making *m, size_t number)
{
    const struct ksr_film *film = &w->manifest->film;
    const struct ksr_film_frame *frame = &film->frames[number];
    const bool ticks = w->manifest->encoder.frame_ticks;
    m->times[m->sent++] = ticks ? (int64_t)(number - m->plan->first)
                                : frame->time - film->frames[m->plan->first].time;
    m->duration = ticks ? 1 : frame->duration;
    m->encodes = true;
    ksr_background_start(w->encoding, run_encoder, m);
}

// Takes a frame out of the pipeline, into the encoder's buffers, and has it encoded after the one
// before.
static ksr_status encode_frame(ksr_worker *w, struct making *m, const struct held *held)
{
    struct ksr_row_sink sink;
    ksr_status status = ksr_encoder_begin(w->ctx, m->encoder, &sink);
    lap(w, KSR_PART_OTHER);
    if (status == KSR_OK)
        status = ksr_pipeline_pull(w->ctx, w->pipeline, &sink);
    lap_pipeline(w);
    if (status == KSR_OK)
        status = ksr_encoder_complete(w->ctx, m->encoder, held->picture);
    lap(w, KSR_PART_CONVERT);
    if (status == KSR_OK)
        status = await_encoder(w, m);
    if (status == KSR_OK)
        send_frame(w, m, held->frame);
    return status;
}

// Encodes the oldest frames until the pipeline holds no more than `most`.
static ksr_status encode_held(ksr_worker *w, struct making *m, int most)
{
    ksr_status status = KSR_OK;
    while (status == KSR_OK && m->held_count > most) {
        status = encode_frame(w, m, &m->held[0]);
        ksr_reader_release(&m->held[0].picture);
        memmove(&m->held[0], &m->held[1], (size_t)--m->held_count * sizeof(m->held[0]));
    }
    return status;
}

static ksr_status finish_encoder(ksr_worker *w, struct making *m)
{
    lap(w, KSR_PART_OTHER);
    ksr_status status = m->sent > 0 ? ksr_encoder_finish(w->ctx, m->encoder) : KSR_OK;
    if (status == KSR_OK && m->sent > 0)
        status = store_packets(w, m);
    lap(w, KSR_PART_ENCODE);
    m->info.delay = (uint32_t)ksr_encoder_delay(m->encoder);
    ksr_encoder_samples(m->encoder, m->info.samples);
    // A segment that stands under its name is taken for right ever after: look before that.
    if (status == KSR_OK && m->stored != m->sent)
        status = ksr_fail(w->ctx, KSR_E_PROCESS, "segment %d: %zu frames in, %zu packets out",
                          m->number, m->sent, m->stored);
    return status == KSR_OK ? ksr_manifest_check_input(w->ctx, w->manifest, false) : status;
}

// --- The segment ---

static ksr_status open_segment(ksr_worker *w, struct making *m, size_t lead)
{
    const struct ksr_manifest *manifest = w->manifest;
    struct ksr_encoder_input input = {.source = &manifest->film.format,
                                      .layout = w->recipe.output,
                                      .dither = w->config->encoder.dither,
                                      .pool = w->pool};
    const size_t all = manifest->film.frame_count, end = m->plan->first + m->plan->count;
    m->end = all - end > (size_t)w->pipeline->ahead ? end + (size_t)w->pipeline->ahead : all;
    m->times = calloc(m->plan->count, sizeof(m->times[0]));
    m->info.repeated = calloc(m->plan->count, sizeof(m->info.repeated[0]));
    m->info.skipped = calloc(m->plan->count, sizeof(m->info.skipped[0]));
    m->held = calloc((size_t)w->pipeline->delay + 1, sizeof(m->held[0]));
    if (!m->times || !m->info.repeated || !m->info.skipped || !m->held)
        return ksr_fail_memory(w->ctx);
    ksr_pipeline_reset(w->pipeline);
    // A lead longer than planned begins at the start of the film, where any frame is clean.
    const struct ksr_film_key start = manifest->segments[0].from;
    const size_t more = ksr_filter_warmup(&manifest->film);
    const bool planned = m->plan->from.frame == 0 || lead >= m->plan->from.frame + more;
    ksr_status status = ksr_reader_seek(w->ctx, w->reader, lead, planned ? &m->plan->from : &start);
    if (status == KSR_OK)
        status = decode_next(w, m);
    lap(w, KSR_PART_DECODE);
    if (status == KSR_OK)
        status = ksr_encoder_open(w->ctx, &w->encoder, &input, w->threads, &m->encoder);
    if (status != KSR_OK)
        return status;
    size_t size;
    const uint8_t *headers = ksr_encoder_headers(m->encoder, &size);
    return ksr_segment_writer_open(w->ctx, w->folder, m->number, manifest->id, headers, size,
                                   &m->writer);
}

static void close_segment(struct making *m)
{
    if (m->decodes_ahead)
        ksr_background_drop(m->worker->decoding);
    for (int i = 0; i < m->held_count; i++)
        ksr_reader_release(&m->held[i].picture);
    free(m->held);
    ksr_encoder_close(&m->encoder);
    ksr_segment_writer_close(&m->writer);
    free(m->times);
    ksr_segment_info_free(&m->info);
}

// Makes all frames of a segment, running those from `lead` on through the stages so that those with
// a memory are warm, and those behind it that its last ones depend on. While the stages work on a
// frame, the next is decoded and the last encoded.
// *again: a frame to repeat lies before the lead.
static ksr_status make_segment(ksr_worker *w, struct making *m, size_t lead, bool *again)
{
    ksr_status status = open_segment(w, m, lead);
    for (size_t i = lead; status == KSR_OK && i < m->end; i++) {
        enum outcome outcome;
        status = decode_frame(w, m, i, &outcome);
        lap(w, KSR_PART_DECODE);
        if (status == KSR_OK && outcome == FRAME_NEEDS_LEAD) {
            *again = true;
            return KSR_OK;
        }
        if (status != KSR_OK || outcome == FRAME_SKIPPED)
            continue; // the pipeline carries nothing across the gap
        status = push_frame(w, m, i);
        if (status == KSR_OK)
            status = encode_held(w, m, w->pipeline->delay);
        if (status == KSR_OK)
            status = ksr_check_cancel(w->ctx);
    }
    if (status == KSR_OK)
        status = encode_held(w, m, 0);
    return status;
}

// The same to the end. What the encoder fails with comes before what a later frame does, whichever
// happened first by the clock.
static ksr_status run_segment(ksr_worker *w, struct making *m, size_t lead, bool *again)
{
    struct ksr_failure later;
    ksr_failure_hold(w->ctx, &later);
    ksr_status status = make_segment(w, m, lead, again);
    ksr_failure_release(&later);
    const ksr_status encoded = await_encoder(w, m);
    if (encoded != KSR_OK)
        status = encoded;
    ksr_failure_tell(&later);
    return status == KSR_OK && !*again ? finish_encoder(w, m) : status;
}

// Makes a segment with as long a lead as it needs. m is closed after a failure.
static ksr_status make_with_lead(ksr_worker *w, struct making *m, int segment, bool anew)
{
    const struct ksr_segment_plan *plan = &w->manifest->segments[segment];
    size_t warmup = (size_t)ksr_recipe_warmup(&w->config->pipeline);
    for (;;) {
        *m = (struct making){.worker = w, .plan = plan, .number = segment, .anew = anew};
        const size_t lead = plan->first > warmup ? plan->first - warmup : 0;
        bool again = false;
        const ksr_status status = run_segment(w, m, lead, &again);
        if (status == KSR_OK && !again)
            return KSR_OK;
        close_segment(m);
        if (!again)
            return status;
        if (lead == 0)
            return ksr_fail(w->ctx, KSR_E_PROCESS, "there is no good frame before frame %zu",
                            plan->first);
        warmup = warmup * 2 + 64;
    }
}

// --- The bit rate ---

static int64_t wanted_bytes(const ksr_worker *w, const struct ksr_segment_plan *s)
{
    const struct ksr_film *film = &w->manifest->film;
    return (int64_t)((double)s->bit_rate * ksr_film_length(film, s->first, s->count) / 8);
}

// Whether another try can be nearer to the target: it was missed, and not because the pictures have
// no use for so many bits.
static bool worth_a_try(int64_t bytes, int64_t wanted)
{
    return llabs(bytes - wanted) > wanted * RATE_TOLERANCE / 100 && bytes > wanted / 2;
}

// Encoders miss a rate in so few frames. Encodes the segment again, at a rate corrected by what
// came out, while that helps. m: the nearest so far.
static ksr_status meet_rate(ksr_worker *w, struct making *m)
{
    const int64_t wanted = wanted_bytes(w, m->plan);
    int64_t last = m->bytes;
    ksr_status status = KSR_OK;
    for (int i = 1; i < RATE_TRIES && worth_a_try(last, wanted); i++) {
        struct making next;
        const double corrected = (double)w->encoder.bit_rate * (double)wanted / (double)last;
        w->encoder.bit_rate = (int64_t)fmax(corrected, fmax((double)m->plan->bit_rate / 8, 1000));
        status = make_with_lead(w, &next, m->number, true);
        if (status != KSR_OK)
            break;
        last = next.bytes;
        const bool nearer = llabs(next.bytes - wanted) < llabs(m->bytes - wanted);
        if (nearer) {
            struct making swap = *m;
            *m = next;
            next = swap;
        }
        close_segment(&next);
        if (!nearer)
            break;
    }
    return status;
}

// A GPU that was lost during the last segment gets another chance.
static ksr_status renew_device(ksr_worker *w)
{
    if (!ksr_device_has_failed(w->loan.device))
        return KSR_OK;
    ksr_pipeline_destroy(&w->pipeline);
    ksr_machine_renew(w->ctx, &w->loan);
    return ksr_pipeline_create(w->ctx, &w->recipe, w->loan.device, w->pool, &w->pipeline);
}

ksr_status ksr_worker_run(ksr_worker *w, int segment)
{
    const int64_t rate = w->manifest->segments[segment].bit_rate;
    struct making m;
    w->encoder.bit_rate = rate > 0 ? rate : w->manifest->encoder.bit_rate;
    w->times = (struct ksr_times){0};
    w->since = ksr_clock();
    ksr_background_take_time(w->decoding);
    ksr_background_take_time(w->encoding);
    ksr_status status = renew_device(w);
    if (status != KSR_OK)
        return status;
    status = make_with_lead(w, &m, segment, false);
    if (status != KSR_OK)
        return status;
    if (rate > 0)
        status = meet_rate(w, &m);
    lap(w, KSR_PART_OTHER);
    w->times.device = ksr_device_name(w->pipeline->device);
    w->times.worker = w->loan.number;
    w->times.decoding = ksr_background_take_time(w->decoding);
    w->times.encoding = ksr_background_take_time(w->encoding);
    if (status == KSR_OK)
        status = ksr_times_save(w->ctx, w->folder, segment, w->manifest->id, &w->times);
    if (status == KSR_OK)
        status = ksr_segment_writer_commit(w->ctx, m.writer, &m.info);
    close_segment(&m);
    return status;
}
