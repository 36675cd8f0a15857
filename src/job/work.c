// Workers on one machine; see work.h.

#include "job/work.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/cpu.h"
#include "job/machine.h"
#include "job/segment.h"

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
    size_t *frames_of; // per segment: frames and bytes already counted
    int64_t *bytes_of;
    int reused_segments;
};

// Called by every worker after every frame.
static ksr_status count_frame(void *opaque, int segment, size_t frames, int64_t bytes)
{
    struct crew *crew = opaque;
    pthread_mutex_lock(&crew->lock);
    crew->done += (int64_t)frames - (int64_t)crew->frames_of[segment];
    crew->bytes += bytes - crew->bytes_of[segment];
    crew->frames_of[segment] = frames;
    crew->bytes_of[segment] = bytes;
    const struct ksr_progress progress = {.phase = KSR_PHASE_WORK,
                                          .done = crew->done,
                                          .total = crew->total,
                                          .reused = crew->reused,
                                          .output_size = crew->bytes};
    // A worker that fails takes the others with it.
    const ksr_status status = crew->status;
    pthread_mutex_unlock(&crew->lock);
    ksr_report_progress(crew->ctx, &progress);
    return status;
}

static int take_segment(struct crew *crew)
{
    pthread_mutex_lock(&crew->lock);
    const bool more = crew->status == KSR_OK && crew->next < crew->missing_count;
    const int segment = more ? crew->missing[crew->next++] : -1;
    pthread_mutex_unlock(&crew->lock);
    return segment;
}

static void note_end(struct crew *crew, ksr_status status)
{
    pthread_mutex_lock(&crew->lock);
    if (crew->status == KSR_OK)
        crew->status = status;
    pthread_mutex_unlock(&crew->lock);
}

static void *worker_main(void *arg)
{
    struct crew *crew = arg;
    const struct ksr_worker_listener listener = {count_frame, crew};
    ksr_worker *worker = NULL;
    ksr_status status = ksr_worker_create(crew->ctx, &crew->job->manifest, crew->job->folder,
                                          crew->threads, crew->machine, &listener, &worker);
    int segment;
    if (status != KSR_OK)
        note_end(crew, status);
    while (worker && (segment = take_segment(crew)) >= 0)
        note_end(crew, ksr_worker_run(worker, segment));
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
    pthread_t threads[64];
    int started = 0;
    ksr_failures_begin(crew->ctx);
    for (; started < workers - 1; started++)
        if (pthread_create(&threads[started], NULL, worker_main, crew) != 0)
            break; // fewer workers do the same work
    worker_main(crew);
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
