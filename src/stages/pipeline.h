// The five stages in order: normalize, structure, upscale, enhance, temporal.
//
// Each stage is one file: a plain C reference that is its definition, in integers with stated
// rounding. They run fused: a band of output rows is made from the input's rows to the output's in
// small buffers that stay in the processor's cache, and bands are shared out to threads. Each
// stage says how many rows around it reads (its reach), so neither the height of a band nor the
// number of threads changes a bit. Only temporal stabilization, which decides about whole frames,
// and an engine of AI mode that makes whole pictures (net/engine.h) keep whole frames.

#ifndef KSR_STAGES_PIPELINE_H
#define KSR_STAGES_PIPELINE_H

#include "core/pool.h"
#include "frame/frame.h"
#include "frame/rows.h"
#include "kizunasr/config.h"
#include "net/engine.h"

// Thread-safety: one thread at a time per object.
typedef struct ksr_pipeline ksr_pipeline;

// Returns a pipeline for frames of `input` layout, or NULL when out of memory or when the output
// would be wider or higher than 65535.
// config: values in range (the caller has checked), no KSR_AUTO, which plan settles; copied.
// pool: may be NULL; must outlive it.
// engine: makes the picture of stage 3 larger if config->use_ai, else not looked at; borrowed, must
// outlive it, and must not be run by others meanwhile unless it is the native one.
// band_rows: output rows worked on at once; 0 = as many as suit the cache.
// Free with ksr_pipeline_destroy(), which accepts NULL and a pointer to NULL.
ksr_pipeline *ksr_pipeline_create(const struct ksr_layout *input,
                                  const struct ksr_pipeline_config *config, ksr_engine *engine,
                                  ksr_pool *pool, int band_rows);
void ksr_pipeline_destroy(ksr_pipeline **pipeline);

// Returns the layout of the frames that come out of a pipeline with this input and scale (2, 4):
// the same but for width and height.
struct ksr_layout ksr_pipeline_output_layout(const struct ksr_layout *input, int scale);

// Returns the scale of a configuration: 2 or 4.
int ksr_pipeline_scale(const struct ksr_pipeline_config *config);

// What the time of a frame goes into.
enum ksr_work {
    KSR_WORK_CONVERT, // rows from the source and to the sink
    KSR_WORK_NORMALIZE,
    KSR_WORK_STRUCTURE,
    KSR_WORK_UPSCALE,
    KSR_WORK_ENHANCE,
    KSR_WORK_TEMPORAL,
    KSR_WORKS
};

// Runs all stages on one frame: reads the rows of the input layout from `source`, some of them
// twice, and hands every row of the output layout to `sink`, on the threads of the pool. sink:
// NULL when the frame only warms up the stages with a memory. Without an engine that makes whole
// pictures: no allocation, no failure, always KSR_OK. Else what ksr_engine_frame() returns; after a
// failure, run no more.
KSR_MUST_USE ksr_status ksr_pipeline_run(ksr_context *ctx, ksr_pipeline *pipeline,
                                         const struct ksr_row_source *source,
                                         const struct ksr_row_sink *sink);

// Forgets the previous frame, and says which number in the film (from 0) the next one has: stage 5
// forgets at fixed numbers (temporal.h), so that a run from the middle gives the same frames as one
// from the start. A new pipeline stands at 0. Numbers rise by one with every ksr_pipeline_run(),
// so a frame that is to be left out must still be run (with the picture before it).
void ksr_pipeline_reset(ksr_pipeline *pipeline, int64_t frame);

// Gives the seconds that all threads together have spent on each kind of work since the last call,
// waiting for each other left out.
void ksr_pipeline_take_times(ksr_pipeline *pipeline, double seconds[KSR_WORKS]);

// Returns how many frames before the first wanted one (or all there are, if fewer) must be run so
// that it equals the one of an unbroken run: the smallest W with temporal_weight^W * 32767 < 0.5;
// 0 without temporal. After ksr_pipeline_reset() with the number of the first of them.
int ksr_pipeline_warmup(const struct ksr_pipeline_config *config);

#endif
