// Workers on one machine; see work.h.

#include "job/work.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/cpu.h"
#include "core/thread.h"
#include "job/machine.h"
#include "job/segment.h"

#define MOST_WORKERS 64
#define NO_SEGMENT   -1

struct crew;

// One worker, and how fast it is.
struct hand {
    struct crew *crew;
    // All below: under the crew's lock.
    int segment;                                              // in the making; NO_SEGMENT
    double since;                                             // when its first segment was begun
    size_t made;                                              // frames
    char device[sizeof(((struct ksr_progress *)0)->devices)]; // of the last one; empty: idle
};

struct crew {
    ksr_context *ctx;
    const struct ksr_job *job;
    int threads;
    ksr_machine *machine;
    int *missing; // numbers of the segments to make
    int missing_count;
    pthread_mutex_t lock;
    // All below: under `lock`.
    int next;          // index into `missing`
    ksr_status status; // first failure
    int64_t done, total, reused, bytes;
    struct hand hands[MOST_WORKERS];
    int hand_count;
    size_t *frames_of; // per segment: frames and bytes already counted
    int64_t *bytes_of;
    int reused_segments;
};

// Names what the workers run on: the one device, or how many there are. The crew is locked.
static void name_devices(const struct crew *crew, struct ksr_progress *out)
{
    const char *names[MOST_WORKERS];
    int count = 0;
    for (int i = 0; i < crew->hand_count; i++) {
        const char *name = crew->hands[i].device;
        int k = 0;
        while (k < count && strcmp(names[k], name) != 0)
            k++;
        if (name[0] && k == count)
            names[count++] = name;
    }
    if (count == 1)
        memcpy(out->devices, names[0], sizeof(out->devices));
    else if (count > 1)
        snprintf(out->devices, sizeof(out->devices), "%d devices", count);
}

// Called by every worker after every frame.
static ksr_status count_frame(void *opaque, int segment, size_t frames, int64_t bytes,
                              const ksr_device *device)
{
    struct hand *hand = opaque;
    struct crew *crew = hand->crew;
    pthread_mutex_lock(&crew->lock);
    if (hand->segment != segment) { // another worker has taken it over
        pthread_mutex_unlock(&crew->lock);
        return KSR_E_CANCELLED;
    }
    hand->made++;
    snprintf(hand->device, sizeof(hand->device), "%s", ksr_device_id(device));
    crew->done += (int64_t)frames - (int64_t)crew->frames_of[segment];
    crew->bytes += bytes - crew->bytes_of[segment];
    crew->frames_of[segment] = frames;
    crew->bytes_of[segment] = bytes;
    struct ksr_progress progress = {.phase = KSR_PHASE_WORK,
                                    .done = crew->done,
                                    .total = crew->total,
                                    .reused = crew->reused,
                                    .output_size = crew->bytes};
    name_devices(crew, &progress);
    // A worker that fails takes the others with it.
    const ksr_status status = crew->status;
    pthread_mutex_unlock(&crew->lock);
    ksr_report_progress(crew->ctx, &progress);
    return status;
}

// Returns how many seconds a worker needs for so many frames.
static double time_for(const struct hand *hand, size_t frames, double now)
{
    return (double)frames * (now - hand->since) / (double)(hand->made > 0 ? hand->made : 1);
}

// Finds the worker that will be busy longest with a segment that this one, which is idle, would
// make from its beginning in less time: a processor at the end of a run, and a GPU without work.
static struct hand *find_slow(struct crew *crew, const struct hand *idle)
{
    const double now = ksr_clock();
    struct hand *found = NULL;
    double most = 0;
    if (idle->made == 0 || !ksr_machine_is_mixed(crew->machine))
        return NULL;
    for (int i = 0; i < crew->hand_count; i++) {
        struct hand *hand = &crew->hands[i];
        if (hand->segment == NO_SEGMENT)
            continue;
        const size_t count = crew->job->manifest.segments[hand->segment].count;
        const double left = time_for(hand, count - crew->frames_of[hand->segment], now);
        if (left > most && left > 1.2 * time_for(idle, count, now)) {
            found = hand;
            most = left;
        }
    }
    return found;
}

// Returns what an idle worker is to make, which is taken away from a slower worker where no segment
// waits any more; NO_SEGMENT when nothing is left. The crew is locked.
static int next_segment(struct crew *crew, const struct hand *idle)
{
    if (crew->status != KSR_OK)
        return NO_SEGMENT;
    if (crew->next < crew->missing_count)
        return crew->missing[crew->next++];
    struct hand *slow = find_slow(crew, idle);
    const int segment = slow ? slow->segment : NO_SEGMENT;
    if (slow)
        slow->segment = NO_SEGMENT;
    return segment;
}

static int take_segment(struct hand *hand)
{
    struct crew *crew = hand->crew;
    pthread_mutex_lock(&crew->lock);
    hand->segment = NO_SEGMENT;
    if (hand->made == 0)
        hand->since = ksr_clock();
    const int segment = hand->segment = next_segment(crew, hand);
    if (segment == NO_SEGMENT)
        hand->device[0] = '\0';
    pthread_mutex_unlock(&crew->lock);
    return segment;
}

static void note_status(struct crew *crew, ksr_status status)
{
    pthread_mutex_lock(&crew->lock);
    if (crew->status == KSR_OK)
        crew->status = status;
    pthread_mutex_unlock(&crew->lock);
}

// A worker whose segment was taken over has stopped without failing.
static void note_end(struct hand *hand, ksr_status status)
{
    pthread_mutex_lock(&hand->crew->lock);
    const bool its_own = hand->segment != NO_SEGMENT;
    pthread_mutex_unlock(&hand->crew->lock);
    if (its_own)
        note_status(hand->crew, status);
}

static void *worker_main(void *arg)
{
    struct hand *hand = arg;
    struct crew *crew = hand->crew;
    const struct ksr_worker_listener listener = {count_frame, hand};
    ksr_worker *worker = NULL;
    ksr_status status = ksr_worker_create(crew->ctx, &crew->job->manifest, crew->job->folder,
                                          crew->threads, crew->machine, &listener, &worker);
    int segment;
    note_status(crew, status);
    while (worker && (segment = take_segment(hand)) != NO_SEGMENT)
        note_end(hand, ksr_worker_run(worker, segment));
    ksr_worker_destroy(&worker);
    return NULL;
}

// Finds out which segments are there already.
static ksr_status list_missing(struct crew *crew, const int *segments, size_t count)
{
    const struct ksr_manifest *m = &crew->job->manifest;
    const size_t wanted = count > 0 ? count : (size_t)m->segment_count;
    for (size_t i = 0; i < wanted; i++) {
        const int number = count > 0 ? segments[i] : (int)i;
        if (number < 0 || number >= m->segment_count)
            return ksr_fail(crew->ctx, KSR_E_PARAM, "segment: '%d' is not valid (0 to %d)", number,
                            m->segment_count - 1);
        bool valid;
        struct ksr_segment_info info = {0};
        const ksr_status status =
            ksr_segment_check(crew->ctx, crew->job->folder, number, m->id, &valid, &info);
        if (status != KSR_OK)
            return status;
        crew->total += (int64_t)m->segments[number].count;
        if (valid) {
            crew->reused_segments++;
            crew->reused += (int64_t)m->segments[number].count;
            crew->bytes += info.size;
        } else {
            crew->missing[crew->missing_count++] = number;
        }
        ksr_segment_info_free(&info);
    }
    crew->done = crew->reused;
    return KSR_OK;
}

// Runs the workers, one of them on the calling thread. A full disk or want of memory stops several
// at once: the one that says so first stands for all, and its status is the one that counts.
static void run_workers(struct crew *crew, int workers)
{
    pthread_t threads[MOST_WORKERS];
    int started = 0;
    ksr_failures_begin(crew->ctx);
    crew->hand_count = workers;
    for (int i = 0; i < workers; i++)
        crew->hands[i] = (struct hand){.crew = crew, .segment = NO_SEGMENT};
    for (; started < workers - 1; started++)
        if (ksr_thread_create(&threads[started], worker_main, &crew->hands[1 + started]) != 0)
            break; // fewer workers do the same work
    worker_main(&crew->hands[0]);
    for (int i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    const ksr_status logged = ksr_failures_end(crew->ctx);
    if (crew->status != KSR_OK && logged != KSR_OK)
        crew->status = logged;
}

ksr_status ksr_work_run(ksr_context *ctx, const struct ksr_job *job, const int *segments,
                        size_t count, const struct ksr_run_options *options, int *reused)
{
    const size_t total = (size_t)job->manifest.segment_count;
    struct crew crew = {.ctx = ctx, .job = job};
    pthread_mutex_init(&crew.lock, NULL);
    crew.missing = calloc(count > total ? count : total, sizeof(crew.missing[0]));
    crew.frames_of = calloc(total, sizeof(crew.frames_of[0]));
    crew.bytes_of = calloc(total, sizeof(crew.bytes_of[0]));
    ksr_status status = crew.missing && crew.frames_of && crew.bytes_of
                            ? list_missing(&crew, segments, count)
                            : ksr_fail_memory(ctx);
    if (status == KSR_OK && crew.missing_count > 0)
        status = ksr_machine_open(ctx, &job->manifest, options, &crew.machine);
    if (crew.machine) {
        const int workers = ksr_machine_workers(crew.machine, crew.missing_count);
        crew.threads = options->threads > 0 ? options->threads : ksr_cpu_count() / workers;
        if (crew.threads < 1)
            crew.threads = 1;
        run_workers(&crew, workers);
        status = crew.status;
    }
    ksr_machine_close(&crew.machine);
    free(crew.missing);
    free(crew.frames_of);
    free(crew.bytes_of);
    pthread_mutex_destroy(&crew.lock);
    *reused = crew.reused_segments;
    return status;
}
