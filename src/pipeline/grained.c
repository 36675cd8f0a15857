// The processor's executor of a recipe that puts grain back: all else is made by another executor,
// and every row of the output gets its grain on the way to the sink; see pipeline.h.
//
//     push: inner push, the frame's number kept
//     pull: inner pull -> rows -> grain -> sink

#include <stdatomic.h>
#include <stdlib.h>

#include "core/clock.h"
#include "pipeline/pipeline.h"
#include "stages/dispatch.h"

struct grained {
    struct ksr_pipeline base;
    struct ksr_recipe recipe;
    struct ksr_grain_params params[KSR_MAX_PLANES];
    ksr_pipeline *inner;
    struct ksr_stage_table table;
    struct ksr_frame frame; // of the output
    int64_t number;         // of the last frame that was pushed
    const struct ksr_row_sink *sink;
    atomic_llong spent; // nanoseconds, of all threads
};

static void put_rows(void *opaque, int plane, const struct ksr_plane *src, int y0, int y1)
{
    struct grained *p = opaque;
    const struct ksr_plane *dst = &p->frame.plane[plane];
    if (!ksr_grain_active(&p->params[plane])) {
        p->sink->rows(p->sink->opaque, plane, src, y0, y1);
        return;
    }
    const double start = ksr_clock();
    p->table.grain_rows(dst, src, &p->params[plane], p->number, y0, y1);
    atomic_fetch_add(&p->spent, (long long)((ksr_clock() - start) * 1e9));
    p->sink->rows(p->sink->opaque, plane, dst, y0, y1);
}

static ksr_status push(ksr_context *ctx, ksr_pipeline *pipeline, int64_t frame,
                       const struct ksr_row_source *source, bool warms_up)
{
    struct grained *p = (struct grained *)pipeline;
    p->number = frame;
    return ksr_pipeline_push(ctx, p->inner, frame, source, warms_up);
}

static ksr_status pull(ksr_context *ctx, ksr_pipeline *pipeline, const struct ksr_row_sink *sink)
{
    struct grained *p = (struct grained *)pipeline;
    const struct ksr_row_sink grainy = {.rows = put_rows, .opaque = p};
    p->sink = sink;
    return ksr_pipeline_pull(ctx, p->inner, &grainy);
}

static void reset(ksr_pipeline *pipeline)
{
    ksr_pipeline_reset(((struct grained *)pipeline)->inner);
}

static void take_times(ksr_pipeline *pipeline, double seconds[KSR_TASKS])
{
    struct grained *p = (struct grained *)pipeline;
    ksr_pipeline_take_times(p->inner, seconds);
    // The inner executor takes this for the time of its sink.
    const double spent = (double)atomic_exchange(&p->spent, 0) / 1e9;
    double *sink = &seconds[p->recipe.descales            ? KSR_TASK_DESCALE
                            : ksr_recipe_fits(&p->recipe) ? KSR_TASK_FIT
                                                          : KSR_TASK_CONVERT];
    seconds[KSR_TASK_GRAIN] += spent;
    *sink = spent < *sink ? *sink - spent : 0;
}

static void destroy(ksr_pipeline *pipeline)
{
    struct grained *p = (struct grained *)pipeline;
    ksr_pipeline_destroy(&p->inner);
    ksr_frame_free(&p->frame);
    free(p);
}

ksr_status ksr_pipeline_create_grained(ksr_context *ctx, const struct ksr_recipe *recipe,
                                       ksr_pool *pool, ksr_pipeline **out)
{
    static const struct ksr_executor executor = {"grain", push, pull, reset, take_times, destroy};
    const struct ksr_recipe smooth = ksr_recipe_of_smooth(recipe);
    struct grained *p = calloc(1, sizeof(*p));
    *out = NULL;
    if (!p)
        return ksr_fail_memory(ctx);
    p->base.executor = &executor;
    p->recipe = *recipe;
    atomic_init(&p->spent, 0);
    ksr_recipe_grain(recipe, p->params);
    ksr_stage_table_init(&p->table, ksr_cpu_level());
    ksr_pipeline *pipeline = &p->base;
    ksr_status status = ksr_pipeline_create(ctx, &smooth, NULL, pool, &p->inner);
    if (status == KSR_OK && !ksr_frame_alloc(&p->frame, &recipe->output))
        status = ksr_fail_memory(ctx);
    if (status != KSR_OK)
        ksr_pipeline_destroy(&pipeline);
    *out = pipeline;
    return status;
}
