// Choosing an executor, and the order of calls; see pipeline.h.

#include "pipeline/pipeline.h"

#include <assert.h>

#include "pipeline/device.h"

enum ksr_task ksr_step_task(const struct ksr_step *step)
{
    switch (step->kind) {
    case KSR_STEP_CHROMA_SHIFT: return KSR_TASK_CHROMA_SHIFT;
    case KSR_STEP_DEBLOCK: return KSR_TASK_DEBLOCK;
    case KSR_STEP_DEHALO: return KSR_TASK_DEHALO;
    case KSR_STEP_NORMALIZE: return KSR_TASK_NORMALIZE;
    case KSR_STEP_DEBAND: return KSR_TASK_DEBAND;
    case KSR_STEP_STRUCTURE: return KSR_TASK_STRUCTURE;
    case KSR_STEP_ANTIALIAS: return KSR_TASK_ANTIALIAS;
    case KSR_STEP_ENHANCE_LUMA:
    case KSR_STEP_ENHANCE_CHROMA: return KSR_TASK_ENHANCE;
    default: return KSR_TASK_UPSCALE;
    }
}

ksr_status ksr_pipeline_create(ksr_context *ctx, const struct ksr_recipe *recipe,
                               struct ksr_device *device, ksr_pool *pool, ksr_pipeline **out)
{
    *out = device ? ksr_pipeline_create_device(ctx, device, recipe, pool) : NULL;
    if (*out)
        return KSR_OK;
    if (recipe->composite_on)
        return ksr_pipeline_create_composite(ctx, recipe, pool, out);
    if (recipe->grain_on)
        return ksr_pipeline_create_grained(ctx, recipe, pool, out);
    if (recipe->descales)
        return ksr_pipeline_create_descaled(ctx, recipe, pool, out);
    *out = ksr_pipeline_create_cpu(recipe, pool, 0);
    return *out ? KSR_OK : ksr_fail_memory(ctx);
}

void ksr_pipeline_destroy(ksr_pipeline **pipeline)
{
    if (pipeline && *pipeline)
        (*pipeline)->executor->destroy(*pipeline);
    if (pipeline)
        *pipeline = NULL;
}

ksr_status ksr_pipeline_push(ksr_context *ctx, ksr_pipeline *p, int64_t frame,
                             const struct ksr_row_source *source, bool warms_up)
{
    assert(warms_up ? p->held == 0 || p->ahead > 0 : p->held <= p->delay);
    const ksr_status status = p->executor->push(ctx, p, frame, source, warms_up);
    p->held += status == KSR_OK && !warms_up;
    return status;
}

ksr_status ksr_pipeline_pull(ksr_context *ctx, ksr_pipeline *p, const struct ksr_row_sink *sink)
{
    assert(p->held > 0);
    p->held--;
    return p->executor->pull(ctx, p, sink);
}

void ksr_pipeline_reset(ksr_pipeline *p)
{
    p->held = 0;
    p->executor->reset(p);
}

void ksr_pipeline_take_times(ksr_pipeline *p, double seconds[KSR_TASKS])
{
    p->executor->take_times(p, seconds);
}
