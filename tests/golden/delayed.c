// The program with an executor that holds frames back: a stand-in for devices that have several
// under way. delayed.py compares its output with that of the real program.
//
// Linked with --wrap=ksr_pipeline_create, so that every pipeline of a worker is one of these around
// the processor's. It keeps to the contract of pipeline/pipeline.h as narrowly as it may: sources
// are read during push only, sinks during pull only; and it aborts where its caller does not. Where
// planes are described (struct ksr_raw_frame), it reads and writes those, as a GPU does; with
// DELAYED_RAW in the environment they must be.

#include <stdio.h>
#include <stdlib.h>

#include "pipeline/pipeline.h"
#include "raw.h"

enum { DELAY = 2 };

struct delayed {
    struct ksr_pipeline base;
    ksr_pipeline *inner;
    struct waiting {
        struct ksr_frame copy;
        int64_t frame;
    } waiting[DELAY + 1]; // the oldest first; base.held of them, one more during push
    int count;
    bool draining;
    struct ksr_frame made;
};

ksr_status __real_ksr_pipeline_create(ksr_context *ctx, const struct ksr_recipe *recipe,
                                      struct ksr_device *device, ksr_pool *pool,
                                      ksr_pipeline **out);
ksr_status __wrap_ksr_pipeline_create(ksr_context *ctx, const struct ksr_recipe *recipe,
                                      struct ksr_device *device, ksr_pool *pool,
                                      ksr_pipeline **out);

static void demand(bool kept, const char *rule)
{
    if (kept)
        return;
    fprintf(stderr, "delayed: the caller breaks the contract: %s\n", rule);
    abort();
}

static ksr_status push(ksr_context *ctx, ksr_pipeline *pipeline, int64_t frame,
                       const struct ksr_row_source *source, bool warms_up)
{
    struct delayed *d = (struct delayed *)pipeline;
    demand(d->count <= (warms_up ? 0 : DELAY), "too many frames are held");
    demand(!d->draining || d->count == 0, "a frame is pushed before all are drained");
    d->draining = false;
    struct waiting *w = &d->waiting[d->count];
    demand(source->raw || !getenv("DELAYED_RAW"), "the planes of a frame are not described");
    if (source->raw)
        read_raw(source->raw, &w->copy);
    for (int i = 0; !source->raw && i < w->copy.layout.planes; i++)
        source->rows(source->opaque, i, &w->copy.plane[i], 0, w->copy.plane[i].height);
    w->frame = frame;
    const struct ksr_row_source copy = ksr_frame_source(&w->copy);
    if (warms_up)
        return ksr_pipeline_push(ctx, d->inner, frame, &copy, true);
    d->count++;
    return KSR_OK;
}

static ksr_status pull(ksr_context *ctx, ksr_pipeline *pipeline, const struct ksr_row_sink *sink)
{
    struct delayed *d = (struct delayed *)pipeline;
    demand(d->count > 0, "nothing is held");
    d->draining = d->draining || d->count <= DELAY;
    const struct waiting oldest = d->waiting[0];
    const struct ksr_row_source source = ksr_frame_source(&oldest.copy);
    const struct ksr_row_sink made = ksr_frame_sink(&d->made);
    demand(sink->raw || !getenv("DELAYED_RAW"), "the encoder's planes are not described");
    ksr_status status = ksr_pipeline_push(ctx, d->inner, oldest.frame, &source, false);
    if (status == KSR_OK)
        status = ksr_pipeline_pull(ctx, d->inner, sink->raw ? &made : sink);
    if (status == KSR_OK && sink->raw)
        write_raw(sink->raw, &d->made);
    for (int i = 0; i < DELAY; i++)
        d->waiting[i] = d->waiting[i + 1];
    d->waiting[DELAY] = oldest; // its buffer serves again
    d->count--;
    return status;
}

static void reset(ksr_pipeline *pipeline)
{
    struct delayed *d = (struct delayed *)pipeline;
    d->count = 0;
    d->draining = false;
    ksr_pipeline_reset(d->inner);
}

static void take_times(ksr_pipeline *pipeline, double seconds[KSR_TASKS])
{
    ksr_pipeline_take_times(((struct delayed *)pipeline)->inner, seconds);
}

static void destroy(ksr_pipeline *pipeline)
{
    struct delayed *d = (struct delayed *)pipeline;
    ksr_pipeline_destroy(&d->inner);
    for (int i = 0; i <= DELAY; i++)
        ksr_frame_free(&d->waiting[i].copy);
    ksr_frame_free(&d->made);
    free(d);
}

ksr_status __wrap_ksr_pipeline_create(ksr_context *ctx, const struct ksr_recipe *recipe,
                                      struct ksr_device *device, ksr_pool *pool, ksr_pipeline **out)
{
    static const struct ksr_executor executor = {"delayed", push, pull, reset, take_times, destroy};
    struct delayed *d = calloc(1, sizeof(*d));
    *out = d ? &d->base : NULL;
    if (!d)
        return ksr_fail_memory(ctx);
    d->base = (struct ksr_pipeline){.executor = &executor, .delay = DELAY};
    ksr_status status = __real_ksr_pipeline_create(ctx, recipe, device, pool, &d->inner);
    for (int i = 0; status == KSR_OK && i <= DELAY; i++)
        if (!ksr_frame_alloc(&d->waiting[i].copy, &recipe->input))
            status = ksr_fail_memory(ctx);
    if (status == KSR_OK && !ksr_frame_alloc(&d->made, &recipe->output))
        status = ksr_fail_memory(ctx);
    if (status != KSR_OK)
        ksr_pipeline_destroy(out);
    return status;
}
