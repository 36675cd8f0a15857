// Who does what a recipe says: the one interface that a worker sees, and the executors behind it.
//
//     for every frame:  push(frame i)
//                       while more than `delay` frames are held: pull(the oldest)
//     at the end:       pull all that are held
//
// An executor may have several frames under way, up to its delay and one more; the processor's
// (cpu.c) has none: its push only notes where the rows come from, and its pull takes them from
// there to the sink, without a copy of the frame between.
//
// The processor's takes a recipe's chains and what is between them and the output. Around it stand
// executors of what is done to whole frames before and after: descaled.c, then grained.c, then
// composite.c. A GPU does all of it itself. Cleaning composite video needs the frames after one that
// is to come out: where they do not come out themselves, as behind a segment, they are pushed to warm
// up while those before them are held.
//
// A GPU's executor is in vulkan.c, what it needs in device.h. To add a device of another kind: a
// file with its `struct ksr_executor` and a create function beside ksr_pipeline_create_cpu(), and a
// branch in ksr_pipeline_create(). Its output must equal that of cpu.c, bit for bit.
//
// The folder pipeline:
//   takes        the configuration, the layout of the frames, rows of each frame
//   gives        rows of each output frame
//   may include  vulkan and below

#ifndef KSR_PIPELINE_PIPELINE_H
#define KSR_PIPELINE_PIPELINE_H

#include "core/log.h"
#include "core/pool.h"
#include "frame/rows.h"
#include "pipeline/recipe.h"

// What the time of a frame goes into.
enum ksr_task {
    KSR_TASK_CONVERT, // rows from the source and to the sink
    KSR_TASK_COMPOSITE,
    KSR_TASK_DESCALE,
    KSR_TASK_CHROMA_SHIFT,
    KSR_TASK_DEBLOCK,
    KSR_TASK_DEHALO,
    KSR_TASK_NORMALIZE,
    KSR_TASK_DEBAND,
    KSR_TASK_STRUCTURE,
    KSR_TASK_ANTIALIAS,
    KSR_TASK_UPSCALE,
    KSR_TASK_ENHANCE,
    KSR_TASK_TEMPORAL,
    KSR_TASK_FIT,
    KSR_TASK_GRAIN,
    KSR_TASKS
};

// Returns what the time of a step counts as.
enum ksr_task ksr_step_task(const struct ksr_step *step);

// Thread-safety: one thread at a time per object, the same one for push and pull or another.
typedef struct ksr_pipeline ksr_pipeline;
struct ksr_device; // device.h

// The functions of an executor; what each does is said at the ksr_pipeline_ function of its name
// below, which keeps the counts and checks the order of calls.
struct ksr_executor {
    const char *name;
    ksr_status (*push)(ksr_context *ctx, ksr_pipeline *pipeline, int64_t frame,
                       const struct ksr_row_source *source, bool warms_up);
    ksr_status (*pull)(ksr_context *ctx, ksr_pipeline *pipeline, const struct ksr_row_sink *sink);
    void (*reset)(ksr_pipeline *pipeline);
    void (*take_times)(ksr_pipeline *pipeline, double seconds[KSR_TASKS]);
    void (*destroy)(ksr_pipeline *pipeline);
};

// What an executor's object begins with. `delay` and `ahead` are set by its create function.
struct ksr_pipeline {
    const struct ksr_executor *executor;
    int delay; // frames that may be held before the oldest must be pulled; a constant
    int ahead; // frames after one that it depends on; a constant
    int held;  // frames pushed and not pulled, those that warm up left out
    const struct ksr_device *device; // that runs it; NULL: the processor, also after a failure
};

// Makes the executor for a recipe, which is copied; what it borrows must outlive the pipeline.
// device: where it runs; NULL = the processor, which stands in too where the device cannot do the
// recipe; must outlive it. pool: runs the rows' callbacks, and the stages on the processor; may be
// NULL; must outlive it. *out: free with ksr_pipeline_destroy(), which accepts NULL and a pointer
// to NULL. Returns KSR_OK, KSR_E_NOMEM (logged).
KSR_MUST_USE ksr_status ksr_pipeline_create(ksr_context *ctx, const struct ksr_recipe *recipe,
                                            struct ksr_device *device, ksr_pool *pool,
                                            ksr_pipeline **out);
void ksr_pipeline_destroy(ksr_pipeline **pipeline);

// The processor's executor; delay 0. band_rows: output rows worked on at once; 0 = as many as suit
// the cache. Returns NULL when out of memory.
ksr_pipeline *ksr_pipeline_create_cpu(const struct ksr_recipe *recipe, ksr_pool *pool,
                                      int band_rows);

// The processor's executors of a recipe that descales, puts grain back or cleans composite video. All
// else is made by the executor that ksr_pipeline_create() makes for that. Return what that returns.
KSR_MUST_USE ksr_status ksr_pipeline_create_descaled(ksr_context *ctx,
                                                     const struct ksr_recipe *recipe,
                                                     ksr_pool *pool, ksr_pipeline **out);
KSR_MUST_USE ksr_status ksr_pipeline_create_composite(ksr_context *ctx,
                                                      const struct ksr_recipe *recipe,
                                                      ksr_pool *pool, ksr_pipeline **out);
KSR_MUST_USE ksr_status ksr_pipeline_create_grained(ksr_context *ctx,
                                                    const struct ksr_recipe *recipe,
                                                    ksr_pool *pool, ksr_pipeline **out);

// Hands in frame `frame` of the film (from 0) as rows of the recipe's input layout.
// frame: one more than the last one pushed, or any other number, which begins anew: nothing is
// remembered across the gap. Stage 5 forgets at fixed numbers besides (temporal.h), so that a run
// from the middle, `warmup` frames early, gives the same frames as one from the start.
// source: the caller's. With delay 0 it is read until the frame's pull returns, else during this
// call only. warms_up: the frame is only remembered and never pulled; source is read during this
// call only. No more than delay + 1 frames may be held, and none by a push that warms up, but where
// `ahead` is not 0: then frames that are held may be followed by as many that only follow them, and
// all must be pulled before the next push of another kind. Returns
// KSR_OK, KSR_E_NOMEM, KSR_E_PROCESS, KSR_E_CANCELLED (logged where it happened). After a failure
// of push or pull only reset and destroy may follow.
KSR_MUST_USE ksr_status ksr_pipeline_push(ksr_context *ctx, ksr_pipeline *pipeline, int64_t frame,
                                          const struct ksr_row_source *source, bool warms_up);

// Finishes the oldest frame that is held, waiting for it as long as it takes, and hands every row
// of the output layout to `sink`, which is used during the call only, from the threads of the pool.
// With `delay` or fewer frames held this drains: it says that no frame follows them, and the next
// push may come once none is held.
// Returns what ksr_pipeline_push() returns; the frame is held no more either way.
KSR_MUST_USE ksr_status ksr_pipeline_pull(ksr_context *ctx, ksr_pipeline *pipeline,
                                          const struct ksr_row_sink *sink);

// Drops the frames that are held and forgets all others.
void ksr_pipeline_reset(ksr_pipeline *pipeline);

// Gives the seconds spent on each task since the last call: of all threads together where the
// processor works, of the device where that does, waiting for each other left out. Only their ratio
// is used.
void ksr_pipeline_take_times(ksr_pipeline *pipeline, double seconds[KSR_TASKS]);

#endif
