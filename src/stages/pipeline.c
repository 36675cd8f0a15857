// The stages in order; see pipeline.h.
//
// Every plane has a chain: the steps that are on, from the source's rows to the sink's.
// run_chain() is the core: it makes one band of one plane, and all the rest prepares for it.
// Where an engine makes whole pictures only, the chain of a plane that it makes has two parts: a
// lead up to the engine, which fills a whole picture, and the rest, which starts from its result.

#include "stages/pipeline.h"

#include <stdlib.h>

#include "core/clock.h"
#include "core/mem.h"
#include "frame/tile.h"
#include "stages/dispatch.h"

#define MAX_STEPS 5 // normalize, structure, two passes of upscale, enhance
#define BAND_ROWS 64

// A network computes rows around every band anew in all its layers, so its bands are high: a few
// per thread, within these limits.
#define NET_BAND_LEAST 128
#define NET_BAND_MOST  544

// Rows y0 .. y1-1 of a plane.
struct span {
    int y0, y1;
};

// One stage on one plane, or one pass of it.
struct step {
    void (*rows)(const ksr_pipeline *p, int plane, const struct ksr_plane *dst,
                 const struct ksr_plane *src, int y0, int y1, int thread);
    int scale; // 1, or 2: row y is made of the rows around row y / scale
    int reach; // so many above it and below it
    enum ksr_work work;
};

// What one thread has spent. On cache lines of its own.
struct spent {
    _Alignas(64) double seconds[KSR_WORKS];
};

// What happens to a plane: step k makes picture k + 1 of picture k.
struct chain {
    struct step step[MAX_STEPS];
    int width[MAX_STEPS + 1], height[MAX_STEPS + 1]; // of the pictures
    int count;
};

struct ksr_pipeline {
    ksr_pool *pool; // borrowed
    struct ksr_stage_table table;
    struct ksr_layout output;
    int band_rows;      // of plane 0 of the output
    ksr_engine *engine; // borrowed; NULL: learned filters
    const ksr_net *net; // of the engine; NULL: none, or it makes whole pictures
    uint8_t *scratch;   // of the network, one per thread
    size_t scratch_bytes;

    struct ksr_normalize_params normalize;
    struct ksr_structure_params structure;
    struct ksr_upscale_params upscale[KSR_MAX_PLANES];
    struct ksr_enhance_params enhance;
    struct chain chain[KSR_MAX_PLANES];

    // An engine for whole pictures only:
    int engine_planes;                 // planes that it makes, the first ones; 0 = there is none
    struct chain lead[KSR_MAX_PLANES]; // from the source to `small`
    struct ksr_frame small, large;     // what it gets and gives

    struct spent *spent; // per thread
    uint16_t *bands;     // two buffers per thread, between which the steps of a chain alternate
    size_t band_samples; // in one of them

    // Stage 5 only:
    bool temporal_on;
    struct ksr_temporal_params temporal;
    struct ksr_frame current, before; // of stage 4: this frame and the one before
    struct ksr_frame memory[2];
    int64_t *changed; // samples of luma, one number per band
    int64_t frame;    // number of the next frame in the film
    bool has_before;
};

// --- Time ---

// Adds the time since *since to what a thread has spent, and sets *since to now.
static void spend(const ksr_pipeline *p, int thread, enum ksr_work work, double *since)
{
    const double now = ksr_clock();
    p->spent[thread].seconds[work] += now - *since;
    *since = now;
}

void ksr_pipeline_take_times(ksr_pipeline *p, double seconds[KSR_WORKS])
{
    for (int work = 0; work < KSR_WORKS; work++) {
        seconds[work] = 0;
        for (int i = 0; i < ksr_pool_threads(p->pool); i++) {
            seconds[work] += p->spent[i].seconds[work];
            p->spent[i].seconds[work] = 0;
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

// Returns the rows that a step reads to make `rows`; edges replicate, so there are no others.
static struct span rows_read(const struct step *step, struct span rows, int height)
{
    return (struct span){ksr_max(0, rows.y0 / step->scale - step->reach),
                         ksr_min(height, (rows.y1 - 1) / step->scale + step->reach + 1)};
}

// Makes rows of one plane: reads what they depend on, takes it through all steps, hands it on.
static void run_chain(const ksr_pipeline *p, const struct chain *chain, int plane,
                      const struct ksr_row_source *source, const struct ksr_row_sink *sink,
                      struct span rows, int thread)
{
    uint16_t *buffer[2] = {p->bands + 2 * (size_t)thread * p->band_samples,
                           p->bands + (2 * (size_t)thread + 1) * p->band_samples};
    struct span need[MAX_STEPS + 1];
    need[chain->count] = rows;
    for (int k = chain->count; k > 0; k--)
        need[k - 1] = rows_read(&chain->step[k - 1], need[k], chain->height[k - 1]);

    struct ksr_plane src = band_plane(buffer[0], need[0].y0, chain->width[0], chain->height[0]);
    double since = ksr_clock();
    source->rows(source->opaque, plane, &src, need[0].y0, need[0].y1);
    spend(p, thread, KSR_WORK_CONVERT, &since);
    for (int k = 1; k <= chain->count; k++) {
        const struct ksr_plane dst =
            band_plane(buffer[k % 2], need[k].y0, chain->width[k], chain->height[k]);
        chain->step[k - 1].rows(p, plane, &dst, &src, need[k].y0, need[k].y1, thread);
        spend(p, thread, chain->step[k - 1].work, &since);
        src = dst;
    }
    sink->rows(sink->opaque, plane, &src, rows.y0, rows.y1);
    spend(p, thread, KSR_WORK_CONVERT, &since);
}

static int bands_of(const struct ksr_layout *layout, int band_rows)
{
    return (layout->height + band_rows - 1) / band_rows;
}

static int band_count(const ksr_pipeline *p)
{
    return bands_of(&p->output, p->band_rows);
}

// Returns a band's rows of plane i of a layout. Bands of subsampled planes may be empty.
static struct span span_of(const struct ksr_layout *layout, int band_rows, int i, int band)
{
    const int shift = ksr_layout_is_chroma(layout, i) ? layout->chroma_shift_y : 0;
    const int height = ksr_layout_plane_height(layout, i);
    const int y0 = band * band_rows >> shift, y1 = (band + 1) * band_rows >> shift;
    return (struct span){y0, band == bands_of(layout, band_rows) - 1 ? height : y1};
}

static struct span band_span(const ksr_pipeline *p, int i, int band)
{
    return span_of(&p->output, p->band_rows, i, band);
}

// --- The steps of a chain ---

static void normalize_rows(const ksr_pipeline *p, int plane, const struct ksr_plane *dst,
                           const struct ksr_plane *src, int y0, int y1, int thread)
{
    (void)thread;
    (void)plane;
    p->table.normalize_rows(dst, src, &p->normalize, y0, y1);
}

static void structure_rows(const ksr_pipeline *p, int plane, const struct ksr_plane *dst,
                           const struct ksr_plane *src, int y0, int y1, int thread)
{
    (void)thread;
    (void)plane;
    p->table.structure_rows(dst, src, &p->structure, y0, y1);
}

static void upscale_rows(const ksr_pipeline *p, int plane, const struct ksr_plane *dst,
                         const struct ksr_plane *src, int y0, int y1, int thread)
{
    (void)thread;
    p->table.upscale_rows(dst, src, &p->upscale[plane], y0, y1);
}

static void learned_rows(const ksr_pipeline *p, int plane, const struct ksr_plane *dst,
                         const struct ksr_plane *src, int y0, int y1, int thread)
{
    (void)thread;
    (void)plane;
    p->table.learned_rows(dst, src, y0, y1);
}

static void net_rows(const ksr_pipeline *p, int plane, const struct ksr_plane *dst,
                     const struct ksr_plane *src, int y0, int y1, int thread)
{
    (void)plane;
    p->table.net_rows(dst, src, p->net, p->scratch + (size_t)thread * p->scratch_bytes, y0, y1);
}

static void enhance_luma_rows(const ksr_pipeline *p, int plane, const struct ksr_plane *dst,
                              const struct ksr_plane *src, int y0, int y1, int thread)
{
    (void)thread;
    (void)plane;
    p->table.enhance_luma_rows(dst, src, &p->enhance, y0, y1);
}

static void enhance_chroma_rows(const ksr_pipeline *p, int plane, const struct ksr_plane *dst,
                                const struct ksr_plane *src, int y0, int y1, int thread)
{
    (void)thread;
    (void)plane;
    p->table.enhance_chroma_rows(dst, src, &p->enhance, y0, y1);
}

// --- The chains ---

static bool has_alpha(const struct ksr_layout *layout)
{
    return layout->planes == 2 || layout->planes == 4;
}

// Returns how many planes are picture: all but alpha, which is last and only scaled.
static int picture_planes(const struct ksr_layout *layout)
{
    return layout->planes - has_alpha(layout);
}

static void add_step(struct chain *chain, struct step step)
{
    const int k = chain->count++;
    chain->step[k] = step;
    chain->width[k + 1] = chain->width[k];
    chain->height[k + 1] = chain->height[k];
}

// One pass of stage 3, to the size that plane has in `output`: luma by a network or learned
// filters, the rest by one separable filter.
static void add_upscale(const ksr_pipeline *p, struct chain *chain, int plane,
                        const struct ksr_layout *output)
{
    add_step(chain, plane != 0 ? (struct step){upscale_rows, 2, KSR_UPSCALE_REACH, KSR_WORK_UPSCALE}
                    : p->net   ? (struct step){net_rows, 2, p->net->reach, KSR_WORK_UPSCALE}
                             : (struct step){learned_rows, 2, KSR_LEARNED_REACH, KSR_WORK_UPSCALE});
    chain->width[chain->count] = ksr_layout_plane_width(output, plane);
    chain->height[chain->count] = ksr_layout_plane_height(output, plane);
}

static struct chain empty_chain(const struct ksr_layout *from, int plane)
{
    return (struct chain){.width = {ksr_layout_plane_width(from, plane)},
                          .height = {ksr_layout_plane_height(from, plane)}};
}

// Stages 1 and 2.
static void add_cleaning(const ksr_pipeline *p, struct chain *chain, int plane)
{
    if (plane < picture_planes(&p->output) && p->normalize.limit > 0)
        add_step(chain, (struct step){normalize_rows, 1, KSR_NORMALIZE_REACH, KSR_WORK_NORMALIZE});
    if (plane == 0 && p->structure.limit > 0)
        add_step(chain, (struct step){structure_rows, 1, KSR_STRUCTURE_REACH, KSR_WORK_STRUCTURE});
}

// The passes of stage 3 from a layout to the output's.
static void add_passes(const ksr_pipeline *p, struct chain *chain, const struct ksr_layout *from,
                       int plane)
{
    for (int scale = 2; from->width * scale <= p->output.width; scale *= 2) {
        const struct ksr_layout to = ksr_pipeline_output_layout(from, scale);
        add_upscale(p, chain, plane, &to);
    }
}

static void add_enhancement(const ksr_pipeline *p, struct chain *chain, int plane)
{
    if (plane == 0 && ksr_enhance_luma_active(&p->enhance))
        add_step(chain, (struct step){enhance_luma_rows, 1, KSR_ENHANCE_REACH, KSR_WORK_ENHANCE});
    if (plane > 0 && plane < picture_planes(&p->output) && ksr_enhance_chroma_active(&p->enhance))
        add_step(chain, (struct step){enhance_chroma_rows, 1, 0, KSR_WORK_ENHANCE});
}

static void make_chains(ksr_pipeline *p, const struct ksr_layout *input, int plane)
{
    const bool by_engine = plane < p->engine_planes;
    const struct ksr_layout *from = by_engine ? &p->large.layout : input;
    struct chain *chain = &p->chain[plane], *lead = &p->lead[plane];
    *lead = empty_chain(input, plane);
    *chain = empty_chain(from, plane);
    add_cleaning(p, by_engine ? lead : chain, plane);
    add_passes(p, chain, from, plane);
    add_enhancement(p, chain, plane);
}

// --- Whole frames ---

struct run {
    ksr_pipeline *pipeline;
    const struct ksr_row_source *source;
    const struct ksr_row_sink *sink;
    bool forget; // stage 5: a scene begins
};

// Stages 1 and 2 on a band of the planes that an engine makes as a whole.
static void run_lead_band(void *arg, int band, int thread)
{
    const struct run *run = arg;
    const ksr_pipeline *p = run->pipeline;
    const struct ksr_row_sink sink = ksr_frame_sink(&p->small);
    for (int i = 0; i < p->engine_planes; i++) {
        const struct span rows = span_of(&p->small.layout, BAND_ROWS, i, band);
        if (rows.y0 < rows.y1)
            run_chain(p, &p->lead[i], i, run->source, &sink, rows, thread);
    }
}

static ksr_status run_engine(ksr_context *ctx, struct run *run)
{
    const ksr_pipeline *p = run->pipeline;
    if (p->engine_planes == 0)
        return KSR_OK;
    ksr_pool_run(p->pool, run_lead_band, run, bands_of(&p->small.layout, BAND_ROWS));
    const double start = ksr_clock();
    const ksr_status status = ksr_engine_frame(ctx, p->engine, &p->large, &p->small, p->pool);
    // All threads are taken up by it or wait for it.
    p->spent[0].seconds[KSR_WORK_UPSCALE] += (ksr_clock() - start) * ksr_pool_threads(p->pool);
    return status;
}

// Stages 1 to 4 on a band of all planes.
static void run_band(void *arg, int band, int thread)
{
    const struct run *run = arg;
    const ksr_pipeline *p = run->pipeline;
    const struct ksr_row_source made = ksr_frame_source(&p->large);
    for (int i = 0; i < p->output.planes; i++) {
        const struct span rows = band_span(p, i, band);
        if (rows.y0 < rows.y1)
            run_chain(p, &p->chain[i], i, i < p->engine_planes ? &made : run->source, run->sink,
                      rows, thread);
    }
}

static void count_changed(void *arg, int band, int thread)
{
    const struct run *run = arg;
    const ksr_pipeline *p = run->pipeline;
    const struct span rows = band_span(p, 0, band);
    double since = ksr_clock();
    p->changed[band] = p->table.temporal_changed_rows(&p->current.plane[0], &p->before.plane[0],
                                                      &p->temporal, rows.y0, rows.y1);
    spend(p, thread, KSR_WORK_TEMPORAL, &since);
}

static bool is_cut(struct run *run)
{
    const ksr_pipeline *p = run->pipeline;
    int64_t changed = 0;
    ksr_pool_run(p->pool, count_changed, run, band_count(p));
    for (int i = 0; i < band_count(p); i++)
        changed += p->changed[i];
    return ksr_temporal_is_cut(changed, (int64_t)p->output.width * p->output.height);
}

// Blends rows of plane i into both memories; returns the one that is shown.
static const struct ksr_plane *blend(const struct run *run, int i, struct span rows)
{
    ksr_pipeline *p = run->pipeline;
    const int shown = p->frame / p->temporal.period % 2 == 0;
    const struct ksr_plane *current = &p->current.plane[i], *show = &p->memory[shown].plane[i],
                           *other = &p->memory[!shown].plane[i];
    const bool fresh = p->frame % p->temporal.period == 0; // the other one starts anew
    if (run->forget)
        ksr_plane_copy_rows(show, current, rows.y0, rows.y1);
    if (run->forget || fresh)
        ksr_plane_copy_rows(other, current, rows.y0, rows.y1);
    if (!run->forget)
        p->table.temporal_rows(show, fresh ? NULL : other, current, &p->before.plane[i],
                               &p->temporal, rows.y0, rows.y1);
    return show;
}

// Stage 5 on a band of all planes.
static void blend_band(void *arg, int band, int thread)
{
    const struct run *run = arg;
    const ksr_pipeline *p = run->pipeline;
    double since = ksr_clock();
    for (int i = 0; i < p->output.planes; i++) {
        const struct span rows = band_span(p, i, band);
        const bool picture = i < picture_planes(&p->output);
        const struct ksr_plane *result = picture ? blend(run, i, rows) : &p->current.plane[i];
        spend(p, thread, KSR_WORK_TEMPORAL, &since);
        if (run->sink && rows.y0 < rows.y1)
            run->sink->rows(run->sink->opaque, i, result, rows.y0, rows.y1);
        spend(p, thread, KSR_WORK_CONVERT, &since);
    }
}

// With stage 5, the others fill a whole frame first.
static ksr_status run_temporal(ksr_context *ctx, ksr_pipeline *p,
                               const struct ksr_row_source *source, const struct ksr_row_sink *sink)
{
    const struct ksr_row_sink current = ksr_frame_sink(&p->current);
    struct run run = {p, source, &current, false};
    const ksr_status status = run_engine(ctx, &run);
    if (status != KSR_OK)
        return status;
    ksr_pool_run(p->pool, run_band, &run, band_count(p));
    run.forget = !p->has_before || is_cut(&run);
    run.sink = sink;
    ksr_pool_run(p->pool, blend_band, &run, band_count(p));
    ksr_frame_swap(&p->current, &p->before);
    p->has_before = true;
    p->frame++;
    return KSR_OK;
}

ksr_status ksr_pipeline_run(ksr_context *ctx, ksr_pipeline *p, const struct ksr_row_source *source,
                            const struct ksr_row_sink *sink)
{
    struct run run = {p, source, sink, false};
    if (p->temporal_on)
        return run_temporal(ctx, p, source, sink);
    const ksr_status status = sink ? run_engine(ctx, &run) : KSR_OK;
    if (status == KSR_OK && sink)
        ksr_pool_run(p->pool, run_band, &run, band_count(p));
    return status;
}

// --- Life ---

struct ksr_layout ksr_pipeline_output_layout(const struct ksr_layout *input, int scale)
{
    struct ksr_layout output = *input;
    output.width *= scale;
    output.height *= scale;
    return output;
}

// Returns how many samples the largest picture of a chain has in a band of `rows` output rows.
static size_t chain_samples(const struct chain *chain, int rows)
{
    size_t most = 0;
    for (int k = chain->count; k >= 0; k--) {
        const size_t samples = (size_t)rows * (size_t)ksr_plane_stride(chain->width[k]);
        most = samples > most ? samples : most;
        if (k > 0)
            rows = ksr_min(chain->height[k - 1],
                           rows / chain->step[k - 1].scale + 2 * chain->step[k - 1].reach + 2);
    }
    return most;
}

static void make_bands_hold(ksr_pipeline *p, const struct chain *chain, int band_rows)
{
    const int height = chain->height[chain->count];
    const size_t samples = chain_samples(chain, ksr_min(height, band_rows));
    if (samples > p->band_samples)
        p->band_samples = samples;
}

static bool allocate_bands(ksr_pipeline *p)
{
    for (int i = 0; i < p->output.planes; i++)
        make_bands_hold(p, &p->chain[i], p->band_rows);
    for (int i = 0; i < p->engine_planes; i++)
        make_bands_hold(p, &p->lead[i], BAND_ROWS);
    size_t bytes;
    if (!ksr_size_multiply(p->band_samples,
                           2 * sizeof(uint16_t) * (size_t)ksr_pool_threads(p->pool), &bytes))
        return false;
    p->bands = ksr_aligned_calloc(bytes);
    p->spent = ksr_aligned_calloc(sizeof(*p->spent) * (size_t)ksr_pool_threads(p->pool));
    return p->bands && p->spent;
}

static bool allocate_temporal(ksr_pipeline *p)
{
    if (!p->temporal_on)
        return true;
    p->changed = calloc((size_t)band_count(p), sizeof(p->changed[0]));
    return p->changed && ksr_frame_alloc(&p->current, &p->output) &&
           ksr_frame_alloc(&p->before, &p->output) && ksr_frame_alloc(&p->memory[0], &p->output) &&
           ksr_frame_alloc(&p->memory[1], &p->output);
}

static bool allocate_net(ksr_pipeline *p)
{
    if (!p->net)
        return true;
    size_t bytes;
    p->scratch_bytes = (ksr_net_scratch(p->net) + KSR_ALIGN - 1) / KSR_ALIGN * KSR_ALIGN;
    if (!ksr_size_multiply(p->scratch_bytes, (size_t)ksr_pool_threads(p->pool), &bytes))
        return false;
    p->scratch = ksr_aligned_calloc(bytes);
    return p->scratch != NULL;
}

// Takes the engine of AI mode, and makes room for what it gets and gives if it makes whole
// pictures.
static bool take_engine(ksr_pipeline *p, ksr_engine *engine, const struct ksr_layout *input)
{
    p->engine = engine;
    p->net = engine ? engine->net : NULL;
    if (!engine || engine->net)
        return true;
    p->engine_planes = ksr_engine_planes(engine, input);
    struct ksr_layout small = *input;
    small.planes = p->engine_planes;
    const struct ksr_layout large = ksr_pipeline_output_layout(&small, ksr_engine_scale(engine));
    return ksr_frame_alloc(&p->small, &small) && ksr_frame_alloc(&p->large, &large);
}

static int usual_band_rows(const ksr_pipeline *p)
{
    if (!p->net)
        return BAND_ROWS;
    const int parts = 2 * ksr_pool_threads(p->pool);
    const int rows = (p->output.height + parts - 1) / parts;
    return (ksr_clamp(rows, NET_BAND_LEAST, NET_BAND_MOST) + 15) / 16 * 16;
}

int ksr_pipeline_scale(const struct ksr_pipeline_config *config)
{
    return config->use_ai ? config->ai_scale : config->shader_scale;
}

ksr_pipeline *ksr_pipeline_create(const struct ksr_layout *input,
                                  const struct ksr_pipeline_config *config, ksr_engine *engine,
                                  ksr_pool *pool, int band_rows)
{
    const int scale = ksr_pipeline_scale(config);
    const struct ksr_layout output = ksr_pipeline_output_layout(input, scale);
    ksr_pipeline *p = calloc(1, sizeof(*p));
    if (!p || !ksr_layout_valid(&output)) {
        free(p);
        return NULL;
    }
    p->pool = pool;
    p->output = output;
    const bool has_engine = take_engine(p, config->use_ai ? engine : NULL, input);
    p->band_rows = band_rows > 0 ? band_rows : usual_band_rows(p);
    ksr_stage_table_init(&p->table, ksr_cpu_level());
    p->normalize = ksr_normalize_params_make(config->denoise);
    p->structure = ksr_structure_params_make(config->structure_smoothing);
    p->enhance = ksr_enhance_params_make(config, input->full_range);
    for (int i = 0; i < input->planes; i++) {
        p->upscale[i] = ksr_upscale_params_make(input, i);
        make_chains(p, input, i);
    }
    p->temporal = ksr_temporal_params_make(config->temporal_weight, config->motion_threshold);
    p->temporal_on = config->enable_temporal && ksr_temporal_active(&p->temporal);
    if (!has_engine || !allocate_bands(p) || !allocate_net(p) || !allocate_temporal(p))
        ksr_pipeline_destroy(&p);
    return p;
}

void ksr_pipeline_destroy(ksr_pipeline **pipeline)
{
    if (!pipeline || !*pipeline)
        return;
    ksr_pipeline *p = *pipeline;
    ksr_aligned_free(p->bands);
    ksr_aligned_free(p->spent);
    ksr_aligned_free(p->scratch);
    ksr_frame_free(&p->small);
    ksr_frame_free(&p->large);
    ksr_frame_free(&p->current);
    ksr_frame_free(&p->before);
    ksr_frame_free(&p->memory[0]);
    ksr_frame_free(&p->memory[1]);
    free(p->changed);
    free(p);
    *pipeline = NULL;
}

void ksr_pipeline_reset(ksr_pipeline *pipeline, int64_t frame)
{
    pipeline->has_before = false;
    pipeline->frame = frame;
}

int ksr_pipeline_warmup(const struct ksr_pipeline_config *config)
{
    const struct ksr_temporal_params params =
        ksr_temporal_params_make(config->temporal_weight, config->motion_threshold);
    if (!config->enable_temporal || !ksr_temporal_active(&params))
        return 0;
    return ksr_temporal_warmup(config->temporal_weight);
}
