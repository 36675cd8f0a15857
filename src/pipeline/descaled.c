// The executor of a recipe that descales: the drawing of every frame, which another executor takes
// through the chains, and the parts of the frame that were not enlarged; see pipeline.h.
//
//     push: source -> frame -> drawing (luma descaled, chroma and alpha resampled) -> inner push
//           drawing -> enlarged again -> differs from the frame where? -> marks
//     pull: inner pull -> result; where there are marks, the frame, resampled to the output
//
// Credits and text that were put over the enlarged video hold detail that no drawing of that size
// has. Such parts show as samples that the drawing does not bring back, and are taken from the
// frame. Marks are made by cells of 8x8 samples, grown, and softened.

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/mem.h"
#include "frame/resample.h"
#include "frame/tile.h"
#include "pipeline/bands.h"
#include "pipeline/pipeline.h"
#include "stages/dispatch.h"

#define CELL 8 // edge of a cell, in samples of the input
#define DIFFERENT                                                                                  \
    (12 << 7)          // working samples: 12 codes of 8 bits, which coding noise hardly reaches
#define CELL_LEAST 3   // samples so different that mark a cell
#define GROW       2   // cells around a marked one that are kept too
#define FULL       256 // weight of a sample that is wholly kept

// A frame that is held.
struct slot {
    struct ksr_frame source;
    bool keeps;       // some of it
    uint16_t *weight; // of each cell, 0 .. FULL
};

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
    struct ksr_frame drawn;
    int cells_x, cells_y;
    uint8_t *marked, *grown; // cells
    struct slot *slots;
    int slot_count;
    int64_t pushed;

    ksr_resampler *kept;     // the frame to the output
    struct ksr_frame result; // of the chains
    struct ksr_frame moved;  // the frame's chroma, shifted; empty without that
    int32_t *place[2];       // of each column of luma and of chroma among cells, in 1/FULL
    double seconds;
};

// --- The drawing ---

struct work {
    struct descaled *p;
    struct slot *slot;
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
            const struct ksr_plane *plane = &w->slot->source.plane[i];
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
        p->table.descale_rows(&p->drawn.plane[0], &w->slot->source.plane[0], &p->down[0],
                              &p->down[1], scratch_of(p, thread), y0, y1);
}

// --- What it does not bring back ---

// Counts the samples of every cell in a row of cells that differ from what is enlarged again.
static void compare_band(void *arg, int row, int thread)
{
    const struct work *w = arg;
    struct descaled *p = w->p;
    const struct ksr_plane *frame = &w->slot->source.plane[0];
    uint8_t *scratch = scratch_of(p, thread);
    const int y0 = row * CELL, y1 = ksr_min(y0 + CELL, frame->height);
    uint16_t *rows = (uint16_t *)(scratch + ksr_descale_scratch(frame->width));
    const struct ksr_plane again = band_of(rows, y0, frame->width, frame->height);
    uint8_t *marked = p->marked + row * p->cells_x;
    p->table.descale_rows(&again, &p->drawn.plane[0], &p->up[0], &p->up[1], scratch, y0, y1);
    memset(marked, 0, (size_t)p->cells_x);
    for (int y = y0; y < y1; y++) {
        const uint16_t *a = frame->data + y * frame->stride, *b = again.data + y * again.stride;
        for (int x = 0; x < frame->width; x++)
            marked[x / CELL] += abs(a[x] - b[x]) > DIFFERENT;
    }
}

// The largest or the sum of what is within `reach` cells of cell (x, y).
static int around(const struct descaled *p, const uint8_t *cells, int x, int y, int reach,
                  bool largest)
{
    int sum = 0, most = 0;
    for (int j = y - reach; j <= y + reach; j++)
        for (int i = x - reach; i <= x + reach; i++) {
            const int v = cells[ksr_clamp(j, 0, p->cells_y - 1) * p->cells_x +
                                ksr_clamp(i, 0, p->cells_x - 1)];
            sum += v;
            most = ksr_max(most, v);
        }
    return largest ? most : sum;
}

// From counts to weights: cells with enough of them and those around, with an edge one cell wide.
static void make_weights(struct descaled *p, struct slot *slot)
{
    const int count = p->cells_x * p->cells_y;
    slot->keeps = false;
    for (int i = 0; i < count; i++)
        slot->keeps |= p->marked[i] >= CELL_LEAST;
    if (!slot->keeps)
        return;
    for (int i = 0; i < count; i++)
        p->marked[i] = p->marked[i] >= CELL_LEAST;
    for (int y = 0; y < p->cells_y; y++)
        for (int x = 0; x < p->cells_x; x++)
            p->grown[y * p->cells_x + x] = (uint8_t)around(p, p->marked, x, y, GROW, true);
    for (int y = 0; y < p->cells_y; y++)
        for (int x = 0; x < p->cells_x; x++)
            slot->weight[y * p->cells_x + x] =
                (uint16_t)((around(p, p->grown, x, y, 1, false) * FULL + 4) / 9);
}

static void make_drawing(struct descaled *p, struct slot *slot, const struct ksr_row_source *source)
{
    const struct ksr_row_sink drawn = ksr_frame_sink(&p->drawn);
    struct work w = {p, slot, source, &drawn};
    ksr_pool_run(p->pool, gather_band, &w, ksr_bands_of(&p->recipe.input));
    ksr_pool_run(p->pool, descale_band, &w, ksr_bands_of(&p->recipe.drawn));
    if (p->rest)
        ksr_resampler_run(p->rest, &drawn);
}

static void make_marks(struct descaled *p, struct slot *slot)
{
    struct work w = {p, slot, NULL, NULL};
    ksr_pool_run(p->pool, compare_band, &w, p->cells_y);
    make_weights(p, slot);
}

// --- Putting it back ---

// Weights of cells at row y of the output, between rows of cells. Returns whether any is not 0.
static bool weights_at(const struct descaled *p, const struct slot *slot, int y, uint16_t *out)
{
    const int64_t last = (int64_t)(p->cells_y - 1) * FULL;
    int64_t place = ((2 * (int64_t)y + 1) * p->recipe.input.height * FULL) /
                        (2 * (int64_t)p->recipe.output.height * CELL) -
                    FULL / 2;
    place = place < 0 ? 0 : place > last ? last : place;
    const int row = (int)(place / FULL), part = (int)(place % FULL);
    const uint16_t *a = slot->weight + row * p->cells_x;
    const uint16_t *b = row + 1 < p->cells_y ? a + p->cells_x : a;
    int all = 0;
    for (int x = 0; x < p->cells_x; x++) {
        out[x] = (uint16_t)((a[x] * (FULL - part) + b[x] * part) / FULL);
        all |= out[x];
    }
    out[p->cells_x] = out[p->cells_x - 1];
    return all != 0;
}

// Takes rows of the frame, resampled to the output: they go over those that the chains made.
static void blend_rows(void *opaque, int i, const struct ksr_plane *src, int y0, int y1)
{
    const struct work *w = opaque;
    struct descaled *p = w->p;
    const struct ksr_layout *output = &p->recipe.output;
    const bool chroma = ksr_layout_is_chroma(output, i);
    const int shift = chroma ? output->chroma_shift_y : 0;
    const struct ksr_plane *dst = &p->result.plane[i];
    uint16_t weight[65536 / CELL + 2];
    for (int y = y0; y < y1; y++) {
        const uint16_t *kept = src->data + y * src->stride;
        uint16_t *out = dst->data + y * dst->stride;
        if (!weights_at(p, w->slot, ksr_min(y << shift, output->height - 1), weight))
            continue;
        for (int x = 0; x < dst->width; x++) {
            const int place = p->place[chroma][x], part = place % FULL;
            const uint16_t *cell = weight + place / FULL;
            const int share = (cell[0] * (FULL - part) + cell[1] * part) / FULL;
            out[x] = (uint16_t)(out[x] + (((kept[x] - out[x]) * share + FULL / 2) >> 8));
        }
    }
    w->sink->rows(w->sink->opaque, i, dst, y0, y1);
}

static void hand_on_band(void *arg, int band, int thread)
{
    const struct work *w = arg;
    const struct ksr_frame *result = &w->p->result;
    int y0, y1;
    (void)thread;
    for (int i = 0; i < result->layout.planes; i++)
        if (ksr_band_rows(&result->layout, i, band, &y0, &y1))
            w->sink->rows(w->sink->opaque, i, &result->plane[i], y0, y1);
}

// Hands on the result of the chains, with what is kept of the frame over it.
static void hand_on(struct descaled *p, struct slot *slot, const struct ksr_row_sink *sink)
{
    struct work w = {p, slot, NULL, sink};
    if (!slot->keeps) {
        ksr_pool_run(p->pool, hand_on_band, &w, ksr_bands_of(&p->result.layout));
        return;
    }
    const struct ksr_row_sink frame = ksr_resampler_sink(p->kept);
    for (int i = 0; i < p->recipe.input.planes; i++) {
        const struct ksr_plane *plane = &slot->source.plane[i];
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
    struct slot *slot = &p->slots[p->pushed % p->slot_count];
    const struct ksr_row_source drawn = ksr_frame_source(&p->drawn);
    if (warms_up && !p->recipe.temporal_on)
        return KSR_OK;
    const double start = ksr_clock();
    make_drawing(p, slot, source);
    if (!warms_up)
        make_marks(p, slot);
    p->seconds += ksr_clock() - start;
    p->pushed += !warms_up;
    const ksr_status status = ksr_pipeline_push(ctx, p->inner, frame, &drawn, warms_up);
    p->base.device = p->inner->device;
    return status;
}

// A device that packs codes is always asked for samples: to it, one sink is like the other.
static ksr_status pull(ksr_context *ctx, ksr_pipeline *pipeline, const struct ksr_row_sink *sink)
{
    struct descaled *p = (struct descaled *)pipeline;
    struct slot *slot = &p->slots[(p->pushed - p->base.held - 1) % p->slot_count];
    const struct ksr_row_sink result = ksr_frame_sink(&p->result);
    const bool direct = !slot->keeps && p->base.delay == 0;
    const ksr_status status = ksr_pipeline_pull(ctx, p->inner, direct ? sink : &result);
    p->base.device = p->inner->device;
    if (status != KSR_OK || direct)
        return status;
    const double start = ksr_clock();
    hand_on(p, slot, sink);
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
        free(p->place[i]);
    }
    for (int i = 0; i < p->slot_count; i++) {
        ksr_frame_free(&p->slots[i].source);
        free(p->slots[i].weight);
    }
    free(p->slots);
    ksr_aligned_free(p->scratch);
    ksr_resampler_destroy(&p->rest);
    ksr_resampler_destroy(&p->kept);
    ksr_frame_free(&p->drawn);
    ksr_frame_free(&p->result);
    ksr_frame_free(&p->moved);
    free(p->marked);
    free(p->grown);
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

// Where the columns of the output lie among cells.
static bool make_places(struct descaled *p)
{
    const struct ksr_layout *out = &p->recipe.output;
    for (int chroma = 0; chroma < 2; chroma++) {
        const int shift = chroma ? out->chroma_shift_x : 0;
        p->place[chroma] = calloc((size_t)out->width, sizeof(p->place[0][0]));
        if (!p->place[chroma])
            return false;
        for (int x = 0; x < out->width; x++) {
            const int64_t luma = ksr_min(x << shift, out->width - 1);
            const int64_t place =
                (2 * luma + 1) * p->recipe.input.width * FULL / (2 * (int64_t)out->width * CELL) -
                FULL / 2;
            p->place[chroma][x] = ksr_clamp((int)place, 0, (p->cells_x - 1) * FULL);
        }
    }
    return true;
}

static bool make_slots(struct descaled *p)
{
    const size_t cells = (size_t)p->cells_x * (size_t)p->cells_y;
    const int count = p->base.delay + 1;
    bool ok = true;
    p->marked = calloc(cells, 1);
    p->grown = calloc(cells, 1);
    p->slots = calloc((size_t)count, sizeof(p->slots[0]));
    p->slot_count = p->slots ? count : 0;
    for (int i = 0; i < p->slot_count; i++) {
        p->slots[i].weight = calloc(cells, sizeof(p->slots[i].weight[0]));
        ok = ok && p->slots[i].weight && ksr_frame_alloc(&p->slots[i].source, &p->recipe.input);
    }
    return ok && p->slots && p->marked && p->grown;
}

static bool make_memory(struct descaled *p)
{
    const struct ksr_layout *in = &p->recipe.input, *to = &p->recipe.drawn;
    const size_t band = CELL * (size_t)ksr_plane_stride(in->width) * sizeof(uint16_t);
    const size_t scratch = ksr_descale_scratch(in->width) + band + KSR_ALIGN;
    size_t bytes;
    p->cells_x = (in->width + CELL - 1) / CELL;
    p->cells_y = (in->height + CELL - 1) / CELL;
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
           ksr_frame_alloc(&p->drawn, to) && ksr_frame_alloc(&p->result, &p->recipe.output) &&
           make_axes(p) && make_places(p) && make_slots(p);
}

ksr_status ksr_pipeline_create_descaled(ksr_context *ctx, const struct ksr_recipe *recipe,
                                        struct ksr_device *device, ksr_pool *pool,
                                        ksr_pipeline **out)
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
    ksr_status status = ksr_pipeline_create(ctx, &chains, device, pool, &p->inner);
    if (status == KSR_OK) {
        p->base.delay = p->inner->delay;
        p->base.device = p->inner->device;
        status = make_memory(p) ? KSR_OK : ksr_fail_memory(ctx);
    }
    if (status != KSR_OK)
        ksr_pipeline_destroy(&pipeline);
    *out = pipeline;
    return status;
}
