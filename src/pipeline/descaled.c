// The processor's executor of a recipe that descales: the drawing of every frame, which another
// executor takes through the chains, and the parts of the frame that were not enlarged; see
// pipeline.h.
//
//     push: source -> frame -> drawing (luma descaled, chroma and alpha resampled) -> inner push
//           drawing -> enlarged again -> differs from the frame where? -> weights (stages/kept.h)
//     pull: inner pull -> sink, or where something is kept
//           inner pull -> result, with the frame, resampled to the output, over it -> sink

#include <stdlib.h>

#include "core/clock.h"
#include "core/mem.h"
#include "frame/resample.h"
#include "frame/tile.h"
#include "pipeline/bands.h"
#include "pipeline/pipeline.h"
#include "stages/dispatch.h"
#include "stages/kept.h"

struct descaled {
    struct ksr_pipeline base;
    struct ksr_recipe recipe;
    ksr_pool *pool;      // borrowed
    ksr_pipeline *inner; // of the chains
    struct ksr_stage_table table;
    struct ksr_descale_axis down[2], up[2]; // along rows, along columns
    uint8_t *scratch;                       // of ksr_descale_rows() and a band of rows, per thread
    size_t scratch_bytes;
    ksr_resampler *rest; // chroma and alpha to the drawing; NULL: there are none
    struct ksr_frame source, drawn;

    struct ksr_frame marks, grown, weights; // of cells
    bool keeps;                             // some of the frame
    ksr_resampler *kept;                    // the frame to the output
    struct ksr_frame result;                // of the chains
    struct ksr_frame moved;                 // the frame's chroma, shifted; empty without that
    int32_t *x[2], *y[2]; // places of the columns and rows of luma and of chroma among cells
    double seconds;
};

// --- The drawing ---

struct work {
    struct descaled *p;
    const struct ksr_row_source *source;
    const struct ksr_row_sink *sink;
};

static struct ksr_plane band_of(uint16_t *rows, int y0, int width, int height)
{
    const ptrdiff_t stride = ksr_plane_stride(width);
    return (struct ksr_plane){rows - y0 * stride, stride, width, height};
}

static void *scratch_of(const struct descaled *p, int thread)
{
    return p->scratch + (size_t)thread * p->scratch_bytes;
}

static void gather_band(void *arg, int band, int thread)
{
    const struct work *w = arg;
    const struct descaled *p = w->p;
    const struct ksr_row_sink rest = p->rest ? ksr_resampler_sink(p->rest) : *w->sink;
    int y0, y1;
    (void)thread;
    for (int i = 0; i < p->recipe.input.planes; i++)
        if (ksr_band_rows(&p->recipe.input, i, band, &y0, &y1)) {
            const struct ksr_plane *plane = &p->source.plane[i];
            w->source->rows(w->source->opaque, i, plane, y0, y1);
            if (i > 0)
                rest.rows(rest.opaque, i, plane, y0, y1);
        }
}

static void descale_band(void *arg, int band, int thread)
{
    const struct work *w = arg;
    struct descaled *p = w->p;
    int y0, y1;
    if (ksr_band_rows(&p->recipe.drawn, 0, band, &y0, &y1))
        p->table.descale_rows(&p->drawn.plane[0], &p->source.plane[0], &p->down[0], &p->down[1],
                              scratch_of(p, thread), y0, y1);
}

static void make_drawing(struct descaled *p, const struct ksr_row_source *source)
{
    const struct ksr_row_sink drawn = ksr_frame_sink(&p->drawn);
    struct work w = {p, source, &drawn};
    ksr_pool_run(p->pool, gather_band, &w, ksr_bands_of(&p->recipe.input));
    ksr_pool_run(p->pool, descale_band, &w, ksr_bands_of(&p->recipe.drawn));
    if (p->rest)
        ksr_resampler_run(p->rest, &drawn);
}

// --- What it does not bring back ---

static void compare_band(void *arg, int row, int thread)
{
    struct descaled *p = arg;
    const struct ksr_plane *frame = &p->source.plane[0];
    uint8_t *scratch = scratch_of(p, thread);
    const int y0 = row * KSR_KEPT_CELL, y1 = ksr_min(y0 + KSR_KEPT_CELL, frame->height);
    uint16_t *rows = (uint16_t *)(scratch + ksr_descale_scratch(frame->width));
    const struct ksr_plane again = band_of(rows, y0, frame->width, frame->height);
    p->table.descale_rows(&again, &p->drawn.plane[0], &p->up[0], &p->up[1], scratch, y0, y1);
    ksr_kept_mark_row(&p->marks.plane[0], frame, &again, y0);
}

static void weigh(struct descaled *p)
{
    ksr_pool_run(p->pool, compare_band, p, p->marks.layout.height);
    p->keeps = ksr_kept_weigh(&p->weights.plane[0], &p->grown.plane[0], &p->marks.plane[0]);
}

// Takes rows of the frame, resampled to the output: they go over those that the chains made.
static void blend_rows(void *opaque, int i, const struct ksr_plane *src, int y0, int y1)
{
    const struct work *w = opaque;
    struct descaled *p = w->p;
    const bool chroma = ksr_layout_is_chroma(&p->recipe.output, i);
    const struct ksr_plane *dst = &p->result.plane[i];
    ksr_kept_rows(dst, src, &p->weights.plane[0], p->x[chroma], p->y[chroma], y0, y1);
    w->sink->rows(w->sink->opaque, i, dst, y0, y1);
}

// Hands on the result of the chains, with what is kept of the frame over it.
static void put_back(struct descaled *p, const struct ksr_row_sink *sink)
{
    struct work w = {p, NULL, sink};
    const struct ksr_row_sink frame = ksr_resampler_sink(p->kept);
    for (int i = 0; i < p->recipe.input.planes; i++) {
        const struct ksr_plane *plane = &p->source.plane[i];
        if (ksr_layout_is_chroma(&p->recipe.input, i) && p->moved.plane[i].data) {
            p->table.chroma_shift_rows(&p->moved.plane[i], plane, &p->recipe.kept_shift, 0,
                                       plane->height);
            plane = &p->moved.plane[i];
        }
        frame.rows(frame.opaque, i, plane, 0, plane->height);
    }
    const struct ksr_row_sink blend = {.rows = blend_rows, .opaque = &w};
    ksr_resampler_run(p->kept, &blend);
}

// --- The executor ---

static ksr_status push(ksr_context *ctx, ksr_pipeline *pipeline, int64_t frame,
                       const struct ksr_row_source *source, bool warms_up)
{
    struct descaled *p = (struct descaled *)pipeline;
    const struct ksr_row_source drawn = ksr_frame_source(&p->drawn);
    if (warms_up && !p->recipe.temporal_on)
        return KSR_OK;
    const double start = ksr_clock();
    make_drawing(p, source);
    if (!warms_up)
        weigh(p);
    p->seconds += ksr_clock() - start;
    return ksr_pipeline_push(ctx, p->inner, frame, &drawn, warms_up);
}

static ksr_status pull(ksr_context *ctx, ksr_pipeline *pipeline, const struct ksr_row_sink *sink)
{
    struct descaled *p = (struct descaled *)pipeline;
    const struct ksr_row_sink result = ksr_frame_sink(&p->result);
    const ksr_status status = ksr_pipeline_pull(ctx, p->inner, p->keeps ? &result : sink);
    if (status != KSR_OK || !p->keeps)
        return status;
    const double start = ksr_clock();
    put_back(p, sink);
    p->seconds += ksr_clock() - start;
    return KSR_OK;
}

static void reset(ksr_pipeline *pipeline)
{
    struct descaled *p = (struct descaled *)pipeline;
    ksr_pipeline_reset(p->inner);
}

static void take_times(ksr_pipeline *pipeline, double seconds[KSR_TASKS])
{
    struct descaled *p = (struct descaled *)pipeline;
    ksr_pipeline_take_times(p->inner, seconds);
    // All threads are taken up by it or wait for it.
    seconds[KSR_TASK_DESCALE] += p->seconds * ksr_pool_threads(p->pool);
    p->seconds = 0;
}

// --- Life ---

static void destroy(ksr_pipeline *pipeline)
{
    struct descaled *p = (struct descaled *)pipeline;
    ksr_pipeline_destroy(&p->inner);
    for (int i = 0; i < 2; i++) {
        ksr_descale_axis_free(&p->down[i]);
        ksr_descale_axis_free(&p->up[i]);
        free(p->x[i]);
        free(p->y[i]);
    }
    ksr_aligned_free(p->scratch);
    ksr_resampler_destroy(&p->rest);
    ksr_resampler_destroy(&p->kept);
    ksr_frame_free(&p->source);
    ksr_frame_free(&p->drawn);
    ksr_frame_free(&p->marks);
    ksr_frame_free(&p->grown);
    ksr_frame_free(&p->weights);
    ksr_frame_free(&p->result);
    ksr_frame_free(&p->moved);
    free(p);
}

static bool make_axes(struct descaled *p)
{
    const struct ksr_layout *in = &p->recipe.input, *to = &p->recipe.drawn;
    const enum ksr_kernel kernel = p->recipe.kernel;
    return ksr_descale_axis_make(&p->down[0], kernel, in->width, to->width) &&
           ksr_descale_axis_make(&p->down[1], kernel, in->height, to->height) &&
           ksr_descale_axis_make(&p->up[0], kernel, to->width, in->width) &&
           ksr_descale_axis_make(&p->up[1], kernel, to->height, in->height);
}

static int32_t *make_places(int shift, int from, int to)
{
    int32_t *places = calloc((size_t)to, sizeof(places[0]));
    for (int i = 0; i < to && places; i++)
        places[i] = ksr_kept_place(i, shift, from, to);
    return places;
}

static bool make_cells(struct descaled *p)
{
    const struct ksr_layout *in = &p->recipe.input, *out = &p->recipe.output;
    const struct ksr_layout cells = {
        .width = ksr_kept_cells(in->width), .height = ksr_kept_cells(in->height), .planes = 1};
    bool ok = true;
    for (int chroma = 0; chroma < 2; chroma++) {
        p->x[chroma] = make_places(chroma ? out->chroma_shift_x : 0, in->width, out->width);
        p->y[chroma] = make_places(chroma ? out->chroma_shift_y : 0, in->height, out->height);
        ok = ok && p->x[chroma] && p->y[chroma];
    }
    return ok && ksr_frame_alloc(&p->marks, &cells) && ksr_frame_alloc(&p->grown, &cells) &&
           ksr_frame_alloc(&p->weights, &cells);
}

static bool make_memory(struct descaled *p)
{
    const struct ksr_layout *in = &p->recipe.input, *to = &p->recipe.drawn;
    const size_t band = KSR_KEPT_CELL * (size_t)ksr_plane_stride(in->width) * sizeof(uint16_t);
    const size_t scratch = ksr_descale_scratch(in->width) + band + KSR_ALIGN;
    size_t bytes;
    p->scratch_bytes = scratch / KSR_ALIGN * KSR_ALIGN;
    p->scratch = ksr_size_multiply(p->scratch_bytes, (size_t)ksr_pool_threads(p->pool), &bytes)
                     ? ksr_aligned_calloc(bytes)
                     : NULL;
    p->kept = ksr_resampler_create(in, &p->recipe.output, p->pool);
    p->rest = in->planes > 1 ? ksr_resampler_create(in, to, p->pool) : NULL;
    if (p->rest)
        ksr_resampler_skip_luma(p->rest);
    return p->scratch && p->kept && (p->rest || in->planes == 1) &&
           (!ksr_chroma_shift_active(&p->recipe.kept_shift) || ksr_frame_alloc(&p->moved, in)) &&
           ksr_frame_alloc(&p->source, in) && ksr_frame_alloc(&p->drawn, to) &&
           ksr_frame_alloc(&p->result, &p->recipe.output) && make_axes(p) && make_cells(p);
}

ksr_status ksr_pipeline_create_descaled(ksr_context *ctx, const struct ksr_recipe *recipe,
                                        ksr_pool *pool, ksr_pipeline **out)
{
    static const struct ksr_executor executor = {"descale", push, pull, reset, take_times, destroy};
    const struct ksr_recipe chains = ksr_recipe_of_drawn(recipe);
    struct descaled *p = calloc(1, sizeof(*p));
    *out = NULL;
    if (!p)
        return ksr_fail_memory(ctx);
    p->base.executor = &executor;
    p->recipe = *recipe;
    p->pool = pool;
    ksr_stage_table_init(&p->table, ksr_cpu_level());
    ksr_pipeline *pipeline = &p->base;
    ksr_status status = ksr_pipeline_create(ctx, &chains, NULL, pool, &p->inner);
    if (status == KSR_OK && !make_memory(p))
        status = ksr_fail_memory(ctx);
    if (status != KSR_OK)
        ksr_pipeline_destroy(&pipeline);
    *out = pipeline;
    return status;
}
