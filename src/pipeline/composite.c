// The processor's executor of a recipe that cleans composite video: it does that with whole frames,
// those before and after beside each, and has all else made by another executor; see pipeline.h.
//
//     push: source -> frame, the last of those kept; the one two before it -> cleaned -> inner push
//     pull: inner pull, after the same for those that nothing follows
//
// Frames that only follow those that are held are kept as neighbours and go no further (around.h).

#include <stdlib.h>

#include "core/clock.h"
#include "core/mem.h"
#include "pipeline/around.h"
#include "pipeline/bands.h"
#include "pipeline/pipeline.h"
#include "stages/dispatch.h"

// A frame that was pushed.
struct entry {
    struct ksr_frame picture;
    struct ksr_frame smooth; // its luma
};

struct composite {
    struct ksr_pipeline base;
    struct ksr_recipe recipe;
    ksr_pool *pool;      // borrowed
    ksr_pipeline *inner; // of all else
    struct ksr_stage_table table;
    struct ksr_around around;
    struct entry entries[KSR_AROUND_KEPT];
    struct ksr_frame clean;
    uint16_t *held; // KSR_COMPOSITE_FRAMES planes of the size of luma
    double seconds;
};

struct work {
    struct composite *p;
    const struct ksr_row_source *source;
    struct entry *entry;
    const struct entry *around[KSR_COMPOSITE_FRAMES]; // NULL: there is none
};

static struct entry *entry_of(struct composite *p, int64_t number)
{
    return &p->entries[number % KSR_AROUND_KEPT];
}

static struct ksr_plane held_plane(const struct composite *p, int k)
{
    const struct ksr_layout *l = &p->recipe.input;
    const ptrdiff_t stride = ksr_plane_stride(l->width);
    return (struct ksr_plane){p->held + k * stride * l->height, stride, l->width, l->height};
}

static void gather_band(void *arg, int band, int thread)
{
    const struct work *w = arg;
    int y0, y1;
    (void)thread;
    for (int i = 0; i < w->p->recipe.input.planes; i++)
        if (ksr_band_rows(&w->p->recipe.input, i, band, &y0, &y1))
            w->source->rows(w->source->opaque, i, &w->entry->picture.plane[i], y0, y1);
}

static void smooth_band(void *arg, int band, int thread)
{
    const struct work *w = arg;
    int y0, y1;
    (void)thread;
    if (ksr_band_rows(&w->p->recipe.input, 0, band, &y0, &y1))
        w->p->table.composite_smooth_rows(&w->entry->smooth.plane[0], &w->entry->picture.plane[0],
                                          y0, y1);
}

static void compare_band(void *arg, int band, int thread)
{
    const struct work *w = arg;
    const struct composite *p = w->p;
    int y0, y1;
    (void)thread;
    ksr_band_rows(&p->recipe.input, 0, band, &y0, &y1);
    for (int k = 0; k < KSR_COMPOSITE_FRAMES; k++) {
        const struct ksr_plane held = held_plane(p, k);
        if (w->around[k])
            p->table.temporal_still_rows(&held, &w->around[k]->smooth.plane[0],
                                         &w->entry->smooth.plane[0], &p->recipe.composite, y0, y1);
    }
}

static void clean_band(void *arg, int band, int thread)
{
    const struct work *w = arg;
    const struct composite *p = w->p;
    const struct ksr_layout *l = &p->recipe.input;
    int y0, y1;
    (void)thread;
    for (int i = 0; i < l->planes; i++) {
        const struct ksr_plane *dst = &p->clean.plane[i], *src = &w->entry->picture.plane[i];
        const bool chroma = ksr_layout_is_chroma(l, i);
        struct ksr_composite_frame frames[KSR_COMPOSITE_FRAMES] = {0};
        if (!ksr_band_rows(l, i, band, &y0, &y1))
            continue;
        for (int k = 0; k < KSR_COMPOSITE_FRAMES; k++)
            if (w->around[k])
                frames[k] =
                    (struct ksr_composite_frame){w->around[k]->picture.plane[i], held_plane(p, k)};
        if (i < ksr_layout_picture_planes(l))
            p->table.composite_rows(dst, src, frames, chroma ? l->chroma_shift_x : 0,
                                    chroma ? l->chroma_shift_y : 0, y0, y1);
        else
            ksr_plane_copy_rows(dst, src, y0, y1);
    }
}

// Has the inner executor take the next frame, cleaned.
static ksr_status hand_on(ksr_context *ctx, struct composite *p)
{
    const double start = ksr_clock();
    int64_t numbers[KSR_COMPOSITE_FRAMES];
    struct work w = {.p = p, .entry = entry_of(p, p->around.next)};
    const struct ksr_around_frame *f = ksr_around_take(&p->around, numbers);
    const struct ksr_row_source clean = ksr_frame_source(&p->clean);
    for (int k = 0; k < KSR_COMPOSITE_FRAMES; k++)
        w.around[k] = numbers[k] < 0 ? NULL : entry_of(p, numbers[k]);
    if (f->warms_up && !p->recipe.temporal_on)
        return KSR_OK;
    ksr_pool_run(p->pool, compare_band, &w, ksr_bands_of(&p->recipe.input));
    ksr_pool_run(p->pool, clean_band, &w, ksr_bands_of(&p->recipe.input));
    p->seconds += ksr_clock() - start;
    return ksr_pipeline_push(ctx, p->inner, f->frame, &clean, f->warms_up);
}

// --- The executor ---

static ksr_status push(ksr_context *ctx, ksr_pipeline *pipeline, int64_t frame,
                       const struct ksr_row_source *source, bool warms_up)
{
    struct composite *p = (struct composite *)pipeline;
    const double start = ksr_clock();
    ksr_status status = KSR_OK;
    if (!ksr_around_push(&p->around, frame, warms_up, p->base.held))
        return KSR_OK;
    struct work w = {.p = p, .source = source, .entry = entry_of(p, p->around.pushed - 1)};
    ksr_pool_run(p->pool, gather_band, &w, ksr_bands_of(&p->recipe.input));
    ksr_pool_run(p->pool, smooth_band, &w, ksr_bands_of(&p->recipe.input));
    p->seconds += ksr_clock() - start;
    while (p->around.after == 0 && status == KSR_OK && ksr_around_ready(&p->around, false))
        status = hand_on(ctx, p);
    return status;
}

static ksr_status pull(ksr_context *ctx, ksr_pipeline *pipeline, const struct ksr_row_sink *sink)
{
    struct composite *p = (struct composite *)pipeline;
    ksr_status status = KSR_OK;
    // What is held and not with the inner executor is followed by no more than was pushed.
    while (status == KSR_OK && p->inner->held == 0 && ksr_around_ready(&p->around, true))
        status = hand_on(ctx, p);
    return status == KSR_OK ? ksr_pipeline_pull(ctx, p->inner, sink) : status;
}

static void reset(ksr_pipeline *pipeline)
{
    struct composite *p = (struct composite *)pipeline;
    ksr_around_reset(&p->around);
    ksr_pipeline_reset(p->inner);
}

static void take_times(ksr_pipeline *pipeline, double seconds[KSR_TASKS])
{
    struct composite *p = (struct composite *)pipeline;
    ksr_pipeline_take_times(p->inner, seconds);
    // All threads are taken up by it or wait for it.
    seconds[KSR_TASK_COMPOSITE] += p->seconds * ksr_pool_threads(p->pool);
    p->seconds = 0;
}

static void destroy(ksr_pipeline *pipeline)
{
    struct composite *p = (struct composite *)pipeline;
    ksr_pipeline_destroy(&p->inner);
    for (int i = 0; i < KSR_AROUND_KEPT; i++) {
        ksr_frame_free(&p->entries[i].picture);
        ksr_frame_free(&p->entries[i].smooth);
    }
    ksr_frame_free(&p->clean);
    ksr_aligned_free(p->held);
    free(p);
}

static bool make_memory(struct composite *p)
{
    const struct ksr_layout *l = &p->recipe.input;
    const size_t row = (size_t)ksr_plane_stride(l->width) * sizeof(uint16_t);
    const struct ksr_layout luma = {.width = l->width, .height = l->height, .planes = 1};
    size_t bytes;
    bool ok = ksr_size_multiply(row * KSR_COMPOSITE_FRAMES, (size_t)l->height, &bytes);
    p->held = ok ? ksr_aligned_calloc(bytes) : NULL;
    ok = p->held && ksr_frame_alloc(&p->clean, l);
    for (int i = 0; i < KSR_AROUND_KEPT && ok; i++)
        ok = ksr_frame_alloc(&p->entries[i].picture, l) &&
             ksr_frame_alloc(&p->entries[i].smooth, &luma);
    return ok;
}

ksr_status ksr_pipeline_create_composite(ksr_context *ctx, const struct ksr_recipe *recipe,
                                         ksr_pool *pool, ksr_pipeline **out)
{
    static const struct ksr_executor executor = {"composite", push,       pull,
                                                 reset,       take_times, destroy};
    const struct ksr_recipe clean = ksr_recipe_of_clean(recipe);
    struct composite *p = calloc(1, sizeof(*p));
    *out = NULL;
    if (!p)
        return ksr_fail_memory(ctx);
    p->base.executor = &executor;
    p->recipe = *recipe;
    p->pool = pool;
    p->base.delay = p->base.ahead = KSR_COMPOSITE_AROUND;
    ksr_stage_table_init(&p->table, ksr_cpu_level());
    ksr_pipeline *pipeline = &p->base;
    ksr_status status = ksr_pipeline_create(ctx, &clean, NULL, pool, &p->inner);
    if (status == KSR_OK && !make_memory(p))
        status = ksr_fail_memory(ctx);
    if (status != KSR_OK)
        ksr_pipeline_destroy(&pipeline);
    *out = pipeline;
    return status;
}
