// What AI mode makes of a frame, for tests of networks.

#ifndef KSR_TESTS_UNIT_AI_RUN_H
#define KSR_TESTS_UNIT_AI_RUN_H

#include "pipeline/pipeline.h"
#include "unit.h"

// Enlarges a frame by the networks of an engine, on the processor. Free it with ksr_frame_free().
static inline struct ksr_frame unit_ai_run(const struct ksr_frame *in, const ksr_engine *engine,
                                           int scale, ksr_pool *pool, int band_rows)
{
    const struct ksr_pipeline_config config = {.use_ai = true,
                                               .shader_scale = 2,
                                               .ai_scale = scale,
                                               .contrast_boost = 1,
                                               .saturation_boost = 1};
    struct ksr_recipe recipe;
    assert_true(ksr_recipe_make(&recipe, &in->layout, &config, engine));
    ksr_pipeline *pipeline = ksr_pipeline_create_cpu(&recipe, pool, band_rows);
    assert_non_null(pipeline);
    struct ksr_frame out = unit_frame(ksr_layout_scaled(&in->layout, scale));
    const struct ksr_row_source source = ksr_frame_source(in);
    const struct ksr_row_sink sink = ksr_frame_sink(&out);
    assert_int_equal(ksr_pipeline_push(NULL, pipeline, 0, &source, false), KSR_OK);
    assert_int_equal(ksr_pipeline_pull(NULL, pipeline, &sink), KSR_OK);
    ksr_pipeline_destroy(&pipeline);
    return out;
}

#endif
