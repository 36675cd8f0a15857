// The processor's executor: the five stages on bands of rows; see pipeline.h.
//
// The steps of a chain run fused: a band of output rows is made from the input's rows to the
// output's in small buffers that stay in the processor's cache, and bands are shared out to
// threads. Every step says how many rows around it reads, so neither the height of a band nor the
// number of threads changes a bit. run_chains() is the core: it makes one band of one plane, or of
// U and V together, and all the rest prepares for it. Only stage 5, which decides about whole
// frames before they reach the chains, a model of ONNX Runtime and fitting keep whole frames.
//
// The chain of a plane that a model makes has two parts: a lead up to the model, which fills a
// whole frame, and the rest, which starts from its result.

#include "pipeline/pipeline.h"

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/mem.h"
#include "frame/resample.h"
#include "frame/tile.h"
#include "stages/dispatch.h"

#define BAND_ROWS 64

// A network computes rows around every band anew in all its layers, so its bands are high: a few
// per thread, within these limits. One of several resolutions reads the most.
#define NET_BAND_LEAST        128
#define NET_BAND_MOST         544
#define NET_BAND_MOST_SEVERAL 1088

// Rows y0 .. y1-1 of a plane.
struct span {
    int y0, y1;
};

// What one thread has spent. On cache lines of its own.
struct spent {
    _Alignas(64) double seconds[KSR_TASKS];
};

struct cpu {
    struct ksr_pipeline base;
    struct ksr_recipe recipe;
    ksr_pool *pool; // borrowed
    struct ksr_stage_table table;
    int band_rows;                // of plane 0 of what is made
    struct ksr_row_source source; // of the frame that is held
    struct spent *spent;          // per thread
    uint16_t *bands;     // two buffers per thread, between which the steps of a chain alternate,
    size_t band_samples; // for as many planes as are made together; in one of them
    uint16_t *luma;      // that helps to enlarge chroma, of a band, one per thread
    size_t luma_samples;
    uint8_t *scratch; // of networks, one per thread
    size_t scratch_bytes;
    ksr_resampler *fit; // NULL where nothing is to fit

    struct ksr_chain lead[KSR_MAX_PLANES]; // up to a model: from the source to `small`
    struct ksr_chain rest[KSR_MAX_PLANES]; // all steps, or those after it: from `large`
    struct ksr_frame small, large;         // what a model gets and gives

    // Stage 5 only:
    struct ksr_frame current, before; // as they came in: this frame and the one before
    struct ksr_frame memory[2], next[2];
    int64_t *changed; // samples of luma, one number per band
    int64_t frame;    // number in the film of the current one
    bool has_before;
};

// --- Time ---

// Adds the time since *since to what a thread has spent, and sets *since to now.
static void spend(const struct cpu *p, int thread, enum ksr_task task, double *since)
{
    const double now = ksr_clock();
    p->spent[thread].seconds[task] += now - *since;
    *since = now;
}

static void take_times(ksr_pipeline *pipeline, double seconds[KSR_TASKS])
{
    const struct cpu *p = (const struct cpu *)pipeline;
    for (int task = 0; task < KSR_TASKS; task++) {
        seconds[task] = 0;
        for (int i = 0; i < ksr_pool_threads(p->pool); i++) {
            seconds[task] += p->spent[i].seconds[task];
            p->spent[i].seconds[task] = 0;
        }
    }
}

// --- One band ---

// A plane of a picture, of which only the rows from `first` on are there, in `buffer`.
static struct ksr_plane band_plane(uint16_t *buffer, int first, int width, int height)
{
    const ptrdiff_t stride = ksr_plane_stride(width);
    return (struct ksr_plane){buffer - first * stride, stride, width, height};
}

static void *scratch_of(const struct cpu *p, int thread)
{
    return p->scratch + (size_t)thread * p->scratch_bytes;
}

// Makes rows of one plane by one step; what a network adds to U and V together is not there yet.
// luma: of KSR_STEP_GUIDED.
static void run_step(const struct cpu *p, const struct ksr_step *step, const struct ksr_plane *dst,
                     const struct ksr_plane *src, const struct ksr_plane *luma, int y0, int y1,
                     int thread)
{
    const struct ksr_stage_table *t = &p->table;
    switch (step->kind) {
    case KSR_STEP_CHROMA_SHIFT: t->chroma_shift_rows(dst, src, &step->chroma_shift, y0, y1); break;
    case KSR_STEP_DEBLOCK: t->deblock_rows(dst, src, &step->deblock, y0, y1); break;
    case KSR_STEP_DEHALO: t->dehalo_rows(dst, src, &step->dehalo, y0, y1); break;
    case KSR_STEP_NORMALIZE: t->normalize_rows(dst, src, &step->normalize, y0, y1); break;
    case KSR_STEP_DEBAND: t->deband_rows(dst, src, &step->deband, y0, y1); break;
    case KSR_STEP_ANTIALIAS: t->antialias_rows(dst, src, &step->antialias, y0, y1); break;
    case KSR_STEP_STRUCTURE: t->structure_rows(dst, src, &step->structure, y0, y1); break;
    case KSR_STEP_UPSCALE:
    case KSR_STEP_NETWORK_CHROMA: t->upscale_rows(dst, src, &step->upscale, y0, y1); break;
    case KSR_STEP_GUIDED: t->guided_rows(dst, src, luma, &step->guide, y0, y1); break;
    case KSR_STEP_LEARNED: t->learned_rows(dst, src, y0, y1); break;
    case KSR_STEP_NETWORK: t->net_rows(dst, src, step->net, scratch_of(p, thread), y0, y1); break;
    case KSR_STEP_ENHANCE_LUMA: t->enhance_luma_rows(dst, src, &step->enhance, y0, y1); break;
    case KSR_STEP_ENHANCE_CHROMA: t->enhance_chroma_rows(dst, src, &step->enhance, y0, y1); break;
    case KSR_STEP_MODEL: // run_model()
    case KSR_STEP_KINDS: break;
    }
}

// Returns the rows that a step reads to make `rows`; edges replicate, so there are no others.
static struct span rows_read(const struct ksr_step *step, struct span rows, int height)
{
    return (struct span){ksr_max(0, rows.y0 / step->scale - step->reach),
                         ksr_min(height, (rows.y1 - 1) / step->scale + step->reach + 1)};
}

// Reads the luma beside rows of chroma.
static struct ksr_plane read_luma(const struct cpu *p, const struct ksr_row_source *frame,
                                  struct span chroma, int thread)
{
    const struct ksr_chain *chain = &p->recipe.chain[0];
    ksr_guide_span(&chroma.y0, &chroma.y1, chain->height[0]);
    const struct ksr_plane luma = band_plane(p->luma + (size_t)thread * p->luma_samples, chroma.y0,
                                             chain->width[0], chain->height[0]);
    frame->rows(frame->opaque, 0, &luma, chroma.y0, chroma.y1);
    return luma;
}

// The planes that are made together, U and V, or one: KSR_STEP_NETWORK_CHROMA needs both.
#define TOGETHER 2

static uint16_t *band_buffer(const struct cpu *p, int thread, int plane, int turn)
{
    const int planes = ksr_recipe_together(&p->recipe, 1);
    return p->bands + (size_t)((thread * planes + plane) * 2 + turn) * p->band_samples;
}

// Makes rows of `count` planes from `plane` on, whose chains have the same steps: reads what they
// depend on, takes it through all steps, hands it on. chain: of the first; frame: what all chains
// begin with; source: the same, or what a model makes of it.
static void run_chains(const struct cpu *p, const struct ksr_chain *chain, int plane, int count,
                       const struct ksr_row_source *frame, const struct ksr_row_source *source,
                       const struct ksr_row_sink *sink, struct span rows, int thread)
{
    struct span need[KSR_MAX_STEPS + 1];
    need[chain->count] = rows;
    for (int k = chain->count; k > 0; k--)
        need[k - 1] = rows_read(&chain->step[k - 1], need[k], chain->height[k - 1]);

    struct ksr_plane luma = {0}, src[TOGETHER], dst[TOGETHER];
    double since = ksr_clock();
    for (int i = 0; i < count; i++) {
        src[i] =
            band_plane(band_buffer(p, thread, i, 0), need[0].y0, chain->width[0], chain->height[0]);
        source->rows(source->opaque, plane + i, &src[i], need[0].y0, need[0].y1);
    }
    spend(p, thread, KSR_TASK_CONVERT, &since);
    for (int k = 1; k <= chain->count; k++) {
        const struct ksr_step *step = &chain->step[k - 1];
        if (ksr_step_reads_luma(step))
            luma = read_luma(p, frame, need[k - 1], thread);
        for (int i = 0; i < count; i++) {
            dst[i] = band_plane(band_buffer(p, thread, i, k % 2), need[k].y0, chain->width[k],
                                chain->height[k]);
            run_step(p, &chain[i].step[k - 1], &dst[i], &src[i], &luma, need[k].y0, need[k].y1,
                     thread);
        }
        if (step->kind == KSR_STEP_NETWORK_CHROMA)
            p->table.net_chroma_rows(dst, &(struct ksr_net_chroma){{src[0], src[1]}, luma},
                                     p->recipe.chroma, scratch_of(p, thread), need[k].y0,
                                     need[k].y1);
        spend(p, thread, ksr_step_task(step), &since);
        memcpy(src, dst, sizeof(src));
    }
    for (int i = 0; i < count; i++)
        sink->rows(sink->opaque, plane + i, &src[i], rows.y0, rows.y1);
    spend(p, thread, KSR_TASK_CONVERT, &since);
}

static int bands_of(const struct ksr_layout *layout, int band_rows)
{
    return (layout->height + band_rows - 1) / band_rows;
}

static int band_count(const struct cpu *p)
{
    return bands_of(&p->recipe.made, p->band_rows);
}

// Returns a band's rows of plane i of a layout. Bands of subsampled planes may be empty.
static struct span span_of(const struct ksr_layout *layout, int band_rows, int i, int band)
{
    const int shift = ksr_layout_is_chroma(layout, i) ? layout->chroma_shift_y : 0;
    const int height = ksr_layout_plane_height(layout, i);
    const int y0 = band * band_rows >> shift, y1 = (band + 1) * band_rows >> shift;
    return (struct span){y0, band == bands_of(layout, band_rows) - 1 ? height : y1};
}

static struct span band_span(const struct cpu *p, int i, int band)
{
    return span_of(&p->recipe.made, p->band_rows, i, band);
}

// --- Whole frames ---

struct run {
    struct cpu *pipeline;
    const struct ksr_row_source *source;
    const struct ksr_row_sink *sink;
    bool forget; // stage 5: a scene begins
};

// Stages 1 and 2 on a band of the planes that a model makes.
static void run_lead_band(void *arg, int band, int thread)
{
    const struct run *run = arg;
    const struct cpu *p = run->pipeline;
    const struct ksr_row_sink sink = ksr_frame_sink(&p->small);
    for (int i = 0; i < p->recipe.model_planes; i++) {
        const struct span rows = span_of(&p->small.layout, BAND_ROWS, i, band);
        if (rows.y0 < rows.y1)
            run_chains(p, &p->lead[i], i, 1, run->source, run->source, &sink, rows, thread);
    }
}

static ksr_status run_model(ksr_context *ctx, struct run *run)
{
    const struct cpu *p = run->pipeline;
    if (p->recipe.model_planes == 0)
        return KSR_OK;
    ksr_pool_run(p->pool, run_lead_band, run, bands_of(&p->small.layout, BAND_ROWS));
    const double start = ksr_clock();
    const ksr_status status = ksr_frames_run(ctx, p->recipe.model, &p->large, &p->small, p->pool);
    // All threads are taken up by it or wait for it.
    p->spent[0].seconds[KSR_TASK_UPSCALE] += (ksr_clock() - start) * ksr_pool_threads(p->pool);
    return status;
}

// Stages 1 to 4 on a band of all planes.
static void run_band(void *arg, int band, int thread)
{
    const struct run *run = arg;
    const struct cpu *p = run->pipeline;
    const struct ksr_row_source made = ksr_frame_source(&p->large);
    for (int i = 0, count; i < p->recipe.made.planes; i += count) {
        const struct span rows = band_span(p, i, band);
        count = ksr_recipe_together(&p->recipe, i);
        if (rows.y0 < rows.y1)
            run_chains(p, &p->rest[i], i, count, run->source,
                       i < p->recipe.model_planes ? &made : run->source, run->sink, rows, thread);
    }
}

// --- Stage 5 ---

// Reads a band of all planes, and counts what has changed of luma.
static void read_band(void *arg, int band, int thread)
{
    const struct run *run = arg;
    const struct cpu *p = run->pipeline;
    double since = ksr_clock();
    for (int i = 0; i < p->recipe.input.planes; i++) {
        const struct span rows = span_of(&p->recipe.input, BAND_ROWS, i, band);
        if (rows.y0 < rows.y1)
            run->source->rows(run->source->opaque, i, &p->current.plane[i], rows.y0, rows.y1);
    }
    spend(p, thread, KSR_TASK_CONVERT, &since);
    if (p->has_before) {
        const struct span rows = span_of(&p->recipe.input, BAND_ROWS, 0, band);
        p->changed[band] = p->table.temporal_changed_rows(&p->current.plane[0], &p->before.plane[0],
                                                          &p->recipe.temporal, rows.y0, rows.y1);
    }
    spend(p, thread, KSR_TASK_TEMPORAL, &since);
}

static bool is_cut(const struct cpu *p)
{
    const struct ksr_layout *input = &p->recipe.input;
    int64_t changed = 0;
    for (int i = 0; i < bands_of(input, BAND_ROWS); i++)
        changed += p->changed[i];
    return ksr_temporal_is_cut(changed, (int64_t)input->width * input->height);
}

// Makes a band of both memories.
static void blend_band(void *arg, int band, int thread)
{
    const struct run *run = arg;
    const struct cpu *p = run->pipeline;
    double since = ksr_clock();
    for (int i = 0; i < ksr_layout_picture_planes(&p->recipe.input); i++)
        for (int k = 0; k < 2; k++) {
            const struct span rows = span_of(&p->recipe.input, BAND_ROWS, i, band);
            const struct ksr_plane *current = &p->current.plane[i], *next = &p->next[k].plane[i];
            const int weight = ksr_temporal_memory(&p->recipe.temporal, p->frame, k).weight;
            if (run->forget || weight == 0)
                ksr_plane_copy_rows(next, current, rows.y0, rows.y1);
            else if (rows.y0 < rows.y1)
                p->table.temporal_rows(next, &p->memory[k].plane[i], current, &p->recipe.temporal,
                                       weight, rows.y0, rows.y1);
        }
    spend(p, thread, KSR_TASK_TEMPORAL, &since);
}

// Fills *steady with the planes that go on: those of the memory shown, and alpha as it came in.
static void run_temporal(struct run *run, struct ksr_frame *steady)
{
    struct cpu *p = run->pipeline;
    const struct ksr_layout *input = &p->recipe.input;
    ksr_pool_run(p->pool, read_band, run, bands_of(input, BAND_ROWS));
    run->forget = !p->has_before || is_cut(p);
    ksr_pool_run(p->pool, blend_band, run, bands_of(input, BAND_ROWS));
    for (int k = 0; k < 2; k++)
        ksr_frame_swap(&p->memory[k], &p->next[k]);
    *steady = p->memory[ksr_temporal_memory(&p->recipe.temporal, p->frame, 1).shown];
    for (int i = ksr_layout_picture_planes(input); i < input->planes; i++)
        steady->plane[i] = p->current.plane[i];
    ksr_frame_swap(&p->current, &p->before);
    p->has_before = true;
}

// Takes a frame from the source to the sink; NULL: it is only remembered.
static ksr_status run_frame(ksr_context *ctx, struct cpu *p, const struct ksr_row_source *source,
                            const struct ksr_row_sink *sink)
{
    struct run run = {p, source, sink, false};
    struct ksr_frame steady;
    struct ksr_row_source from_steady;
    if (p->recipe.temporal_on) {
        run_temporal(&run, &steady);
        from_steady = ksr_frame_source(&steady);
        run.source = &from_steady;
    }
    if (!sink)
        return KSR_OK;
    const ksr_status status = run_model(ctx, &run);
    if (status == KSR_OK)
        ksr_pool_run(p->pool, run_band, &run, band_count(p));
    return status;
}

// --- The executor ---

static ksr_status push(ksr_context *ctx, ksr_pipeline *pipeline, int64_t frame,
                       const struct ksr_row_source *source, bool warms_up)
{
    struct cpu *p = (struct cpu *)pipeline;
    p->has_before = p->has_before && frame == p->frame + 1;
    p->frame = frame;
    p->source = *source;
    return warms_up && p->recipe.temporal_on ? run_frame(ctx, p, source, NULL) : KSR_OK;
}

static ksr_status pull(ksr_context *ctx, ksr_pipeline *pipeline, const struct ksr_row_sink *sink)
{
    struct cpu *p = (struct cpu *)pipeline;
    if (!p->fit)
        return run_frame(ctx, p, &p->source, sink);
    const struct ksr_row_sink whole = ksr_resampler_sink(p->fit);
    const ksr_status status = run_frame(ctx, p, &p->source, &whole);
    const double start = ksr_clock();
    if (status == KSR_OK)
        ksr_resampler_run(p->fit, sink);
    p->spent[0].seconds[KSR_TASK_FIT] += (ksr_clock() - start) * ksr_pool_threads(p->pool);
    return status;
}

static void reset(ksr_pipeline *pipeline)
{
    ((struct cpu *)pipeline)->has_before = false;
}

// --- Life ---

// Returns how many samples the largest picture of a chain has in a band of `rows` output rows, and
// in *luma how many it reads of luma beside.
static size_t chain_samples(const struct ksr_chain *chain, int rows, size_t *luma)
{
    size_t most = 0;
    *luma = 0;
    for (int k = chain->count; k >= 0; k--) {
        const size_t samples = (size_t)rows * (size_t)ksr_plane_stride(chain->width[k]);
        most = samples > most ? samples : most;
        if (k < chain->count && ksr_step_reads_luma(&chain->step[k]))
            *luma = 2 * (size_t)rows * (size_t)ksr_plane_stride(chain->width[k + 1]);
        if (k > 0)
            rows = ksr_min(chain->height[k - 1],
                           rows / chain->step[k - 1].scale + 2 * chain->step[k - 1].reach + 2);
    }
    return most;
}

static void make_bands_hold(struct cpu *p, const struct ksr_chain *chain, int band_rows)
{
    const int height = chain->height[chain->count];
    size_t luma;
    const size_t samples = chain_samples(chain, ksr_min(height, band_rows), &luma);
    p->band_samples = samples > p->band_samples ? samples : p->band_samples;
    p->luma_samples = luma > p->luma_samples ? luma : p->luma_samples;
}

static bool allocate_bands(struct cpu *p)
{
    for (int i = 0; i < p->recipe.made.planes; i++)
        make_bands_hold(p, &p->rest[i], p->band_rows);
    for (int i = 0; i < p->recipe.model_planes; i++)
        make_bands_hold(p, &p->lead[i], BAND_ROWS);
    const size_t threads = (size_t)ksr_pool_threads(p->pool);
    const size_t buffers = 2 * (size_t)ksr_recipe_together(&p->recipe, 1) * threads;
    size_t bytes, luma_bytes;
    if (!ksr_size_multiply(p->band_samples, sizeof(uint16_t) * buffers, &bytes) ||
        !ksr_size_multiply(p->luma_samples, sizeof(uint16_t) * threads, &luma_bytes))
        return false;
    p->bands = ksr_aligned_calloc(bytes);
    p->luma = luma_bytes > 0 ? ksr_aligned_calloc(luma_bytes) : NULL;
    p->spent = ksr_aligned_calloc(sizeof(*p->spent) * threads);
    return p->bands && p->spent && (p->luma || luma_bytes == 0);
}

static bool allocate_temporal(struct cpu *p)
{
    if (!p->recipe.temporal_on)
        return true;
    const struct ksr_layout *input = &p->recipe.input;
    p->changed = calloc((size_t)bands_of(input, BAND_ROWS), sizeof(p->changed[0]));
    bool all =
        p->changed && ksr_frame_alloc(&p->current, input) && ksr_frame_alloc(&p->before, input);
    for (int k = 0; k < 2 && all; k++)
        all = ksr_frame_alloc(&p->memory[k], input) && ksr_frame_alloc(&p->next[k], input);
    return all;
}

static bool allocate_net(struct cpu *p)
{
    const ksr_net *const nets[] = {p->recipe.net, p->recipe.again, p->recipe.chroma};
    size_t bytes;
    for (int i = 0; i < 3; i++) {
        const size_t needed = nets[i] ? ksr_net_scratch(nets[i]) : 0;
        p->scratch_bytes = needed > p->scratch_bytes ? needed : p->scratch_bytes;
    }
    if (p->scratch_bytes == 0)
        return true;
    p->scratch_bytes = (p->scratch_bytes + KSR_ALIGN - 1) / KSR_ALIGN * KSR_ALIGN;
    if (!ksr_size_multiply(p->scratch_bytes, (size_t)ksr_pool_threads(p->pool), &bytes))
        return false;
    p->scratch = ksr_aligned_calloc(bytes);
    return p->scratch != NULL;
}

// Returns steps first .. end-1 of a chain as one of their own.
static struct ksr_chain part_of(const struct ksr_chain *all, int first, int end)
{
    struct ksr_chain part = {.count = end - first};
    for (int k = first; k <= end; k++) {
        part.width[k - first] = all->width[k];
        part.height[k - first] = all->height[k];
        if (k < end)
            part.step[k - first] = all->step[k];
    }
    return part;
}

// Parts the chains at the model, and makes room for what it gets and gives.
static bool split_chains(struct cpu *p)
{
    const struct ksr_recipe *r = &p->recipe;
    for (int i = 0; i < r->made.planes; i++) {
        const struct ksr_chain *all = &r->chain[i];
        const int model = ksr_chain_model(all);
        p->lead[i] = part_of(all, 0, model);
        p->rest[i] = model < all->count ? part_of(all, model + 1, all->count) : *all;
    }
    if (!r->model)
        return true;
    struct ksr_layout small = r->input;
    small.planes = r->model_planes;
    const struct ksr_layout large = ksr_layout_scaled(&small, ksr_frames_scale(r->model));
    return ksr_frame_alloc(&p->small, &small) && ksr_frame_alloc(&p->large, &large);
}

static bool make_fit(struct cpu *p)
{
    if (ksr_recipe_fits(&p->recipe))
        p->fit = ksr_resampler_create(&p->recipe.made, &p->recipe.output, p->pool);
    return p->fit || !ksr_recipe_fits(&p->recipe);
}

static int usual_band_rows(const struct cpu *p)
{
    const ksr_net *net = p->recipe.net;
    if (!net && !p->recipe.chroma)
        return BAND_ROWS;
    const int parts = 2 * ksr_pool_threads(p->pool);
    const int rows = (p->recipe.made.height + parts - 1) / parts;
    const int most = net && net->unit > 1 ? NET_BAND_MOST_SEVERAL : NET_BAND_MOST;
    return (ksr_clamp(rows, NET_BAND_LEAST, most) + 15) / 16 * 16;
}

static void destroy(ksr_pipeline *pipeline)
{
    struct cpu *p = (struct cpu *)pipeline;
    ksr_aligned_free(p->bands);
    ksr_aligned_free(p->luma);
    ksr_aligned_free(p->spent);
    ksr_aligned_free(p->scratch);
    ksr_resampler_destroy(&p->fit);
    ksr_frame_free(&p->small);
    ksr_frame_free(&p->large);
    ksr_frame_free(&p->current);
    ksr_frame_free(&p->before);
    for (int k = 0; k < 2; k++) {
        ksr_frame_free(&p->memory[k]);
        ksr_frame_free(&p->next[k]);
    }
    free(p->changed);
    free(p);
}

ksr_pipeline *ksr_pipeline_create_cpu(const struct ksr_recipe *recipe, ksr_pool *pool,
                                      int band_rows)
{
    static const struct ksr_executor executor = {"cpu", push, pull, reset, take_times, destroy};
    struct cpu *p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    p->base.executor = &executor;
    p->recipe = *recipe;
    p->pool = pool;
    p->band_rows = band_rows > 0 ? band_rows : usual_band_rows(p);
    ksr_stage_table_init(&p->table, ksr_cpu_level());
    ksr_pipeline *pipeline = &p->base;
    if (!split_chains(p) || !allocate_bands(p) || !allocate_net(p) || !allocate_temporal(p) ||
        !make_fit(p))
        ksr_pipeline_destroy(&pipeline);
    return pipeline;
}
