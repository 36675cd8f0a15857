// The stages in order; see pipeline.h.
//
// A stage that needs its neighbours writes into a second buffer, which then changes places with
// the first, plane by plane; the others work in place. A stage at its neutral value is not called
// and copies nothing.

#include "stages/pipeline.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "stages/dispatch.h"

#define BAND_ROWS 32 // rows of a stage's output that one call of the pool works on

struct ksr_pipeline {
    ksr_pool *pool; // borrowed
    struct ksr_stage_table table;
    int scale;

    struct ksr_normalize_params normalize;
    struct ksr_structure_params structure;
    struct ksr_upscale_params upscale[KSR_MAX_PLANES];
    struct ksr_enhance_params enhance;
    struct ksr_temporal_params temporal;
    bool temporal_on;

    struct ksr_frame input;     // what the caller fills
    struct ksr_frame work;      // stages 1 and 2 write here; only if one is on
    struct ksr_frame middle;    // between the two passes of 4x; only there
    struct ksr_frame output;    // of stages 3 and 4
    struct ksr_frame enhanced;  // one plane; only if stage 4 works on luma
    struct ksr_frame before;    // `output` of the frame before; only with stage 5
    struct ksr_frame memory[2]; // the memories of stage 5
    struct ksr_frame result;    // borrows its planes from those above
    int64_t *band_sums;         // one per band of the output's luma; only with stage 5
    int64_t frame;              // number of the next frame in the film
    bool has_before;
};

// One stage on one plane.
struct step {
    const ksr_pipeline *pipeline;
    void (*rows)(const struct step *step, int band, int y0, int y1);
    int height;
    int plane;
    const struct ksr_plane *dst, *dst2, *src, *before;
    bool forget, forget2; // stage 5: start dst or dst2 afresh
};

static void run_band(void *arg, int band)
{
    const struct step *step = arg;
    const int y0 = band * BAND_ROWS;
    const int y1 = y0 + BAND_ROWS < step->height ? y0 + BAND_ROWS : step->height;
    step->rows(step, band, y0, y1);
}

static int band_count(int height)
{
    return (height + BAND_ROWS - 1) / BAND_ROWS;
}

static void run_step(struct step *step)
{
    ksr_pool_run(step->pipeline->pool, run_band, step, band_count(step->height));
}

static void swap_planes(struct ksr_plane *a, struct ksr_plane *b)
{
    const struct ksr_plane t = *a;
    *a = *b;
    *b = t;
}

static bool has_alpha(const struct ksr_layout *layout)
{
    return layout->planes == 2 || layout->planes == 4;
}

// Returns how many planes are picture: all but alpha, which is last and only scaled.
static int picture_planes(const struct ksr_layout *layout)
{
    return layout->planes - has_alpha(layout);
}

static void normalize_band(const struct step *s, int band, int y0, int y1)
{
    (void)band;
    s->pipeline->table.normalize_rows(s->dst, s->src, &s->pipeline->normalize, y0, y1);
}

static void structure_band(const struct step *s, int band, int y0, int y1)
{
    (void)band;
    s->pipeline->table.structure_rows(s->dst, s->src, &s->pipeline->structure, y0, y1);
}

static void upscale_band(const struct step *s, int band, int y0, int y1)
{
    (void)band;
    s->pipeline->table.upscale_rows(s->dst, s->src, &s->pipeline->upscale[s->plane], y0, y1);
}

static void enhance_luma_band(const struct step *s, int band, int y0, int y1)
{
    (void)band;
    s->pipeline->table.enhance_luma_rows(s->dst, s->src, &s->pipeline->enhance, y0, y1);
}

static void enhance_chroma_band(const struct step *s, int band, int y0, int y1)
{
    (void)band;
    s->pipeline->table.enhance_chroma_rows(s->dst, s->src, &s->pipeline->enhance, y0, y1);
}

static void changed_band(const struct step *s, int band, int y0, int y1)
{
    s->pipeline->band_sums[band] =
        s->pipeline->table.temporal_changed_rows(s->src, s->before, &s->pipeline->temporal, y0, y1);
}

static void copy_rows(const struct ksr_plane *dst, const struct ksr_plane *src, int y0, int y1)
{
    for (int y = y0; y < y1; y++)
        memcpy(dst->data + y * dst->stride, src->data + y * src->stride,
               (size_t)src->width * sizeof(uint16_t));
}

// dst is the memory that is shown, dst2 the other.
static void temporal_band(const struct step *s, int band, int y0, int y1)
{
    (void)band;
    if (s->forget)
        copy_rows(s->dst, s->src, y0, y1);
    if (s->forget || s->forget2)
        copy_rows(s->dst2, s->src, y0, y1);
    if (!s->forget)
        s->pipeline->table.temporal_rows(s->dst, s->forget2 ? NULL : s->dst2, s->src, s->before,
                                         &s->pipeline->temporal, y0, y1);
}

// Runs a stage from plane `a` into plane `b` of the same size, and exchanges them.
static void run_through(ksr_pipeline *p, void (*rows)(const struct step *, int, int, int),
                        struct ksr_plane *a, struct ksr_plane *b)
{
    struct step step = {.pipeline = p, .rows = rows, .height = a->height, .dst = b, .src = a};
    run_step(&step);
    swap_planes(a, b);
}

static void run_upscale(ksr_pipeline *p, struct ksr_frame *dst, const struct ksr_frame *src)
{
    for (int i = 0; i < src->layout.planes; i++) {
        struct step step = {.pipeline = p,
                            .rows = upscale_band,
                            .height = dst->plane[i].height,
                            .plane = i,
                            .dst = &dst->plane[i],
                            .src = &src->plane[i]};
        run_step(&step);
    }
}

static void run_enhance(ksr_pipeline *p)
{
    struct ksr_frame *f = &p->output;
    if (ksr_enhance_luma_active(&p->enhance))
        run_through(p, enhance_luma_band, &f->plane[0], &p->enhanced.plane[0]);
    for (int i = 1; i < picture_planes(&f->layout) && ksr_enhance_chroma_active(&p->enhance); i++) {
        struct step step = {.pipeline = p,
                            .rows = enhance_chroma_band,
                            .height = f->plane[i].height,
                            .dst = &f->plane[i],
                            .src = &f->plane[i]};
        run_step(&step);
    }
}

static bool is_cut(ksr_pipeline *p)
{
    const struct ksr_plane *luma = &p->output.plane[0];
    struct step step = {.pipeline = p,
                        .rows = changed_band,
                        .height = luma->height,
                        .src = luma,
                        .before = &p->before.plane[0]};
    run_step(&step);
    int64_t changed = 0;
    for (int i = 0; i < band_count(luma->height); i++)
        changed += p->band_sums[i];
    return ksr_temporal_is_cut(changed, (int64_t)luma->width * luma->height);
}

// Blends `output` into both memories and shows the older one.
static void run_temporal(ksr_pipeline *p)
{
    const struct ksr_temporal_params *params = &p->temporal;
    const int64_t turn = p->frame / params->period;
    const int shown = (turn + 1) % 2 != 0;
    const bool forget = !p->has_before || is_cut(p);
    for (int i = 0; i < picture_planes(&p->output.layout); i++) {
        struct step step = {
            .pipeline = p,
            .rows = temporal_band,
            .height = p->output.plane[i].height,
            .dst = &p->memory[shown].plane[i],
            .dst2 = &p->memory[1 - shown].plane[i],
            .src = &p->output.plane[i],
            .before = &p->before.plane[i],
            .forget = forget,
            .forget2 = p->frame % params->period == 0,
        };
        run_step(&step);
        p->result.plane[i] = *step.dst;
    }
    ksr_frame_swap(&p->output, &p->before);
    p->has_before = true;
    p->frame++;
}

const struct ksr_frame *ksr_pipeline_run(ksr_pipeline *p)
{
    if (p->normalize.limit > 0)
        for (int i = 0; i < picture_planes(&p->input.layout); i++)
            run_through(p, normalize_band, &p->input.plane[i], &p->work.plane[i]);
    if (p->structure.limit > 0)
        run_through(p, structure_band, &p->input.plane[0], &p->work.plane[0]);
    if (p->scale == 4) {
        run_upscale(p, &p->middle, &p->input);
        run_upscale(p, &p->output, &p->middle);
    } else {
        run_upscale(p, &p->output, &p->input);
    }
    run_enhance(p);
    p->result = p->output;
    if (p->temporal_on)
        run_temporal(p);
    p->result.buffer = NULL; // it owns nothing
    return &p->result;
}

struct ksr_layout ksr_pipeline_output_layout(const struct ksr_layout *input, int scale)
{
    struct ksr_layout output = *input;
    output.width *= scale;
    output.height *= scale;
    return output;
}

static bool allocate(ksr_pipeline *p, const struct ksr_layout *input)
{
    const struct ksr_layout middle = ksr_pipeline_output_layout(input, 2);
    const struct ksr_layout output = ksr_pipeline_output_layout(input, p->scale);
    struct ksr_layout luma = output;
    luma.planes = 1;

    bool ok = ksr_frame_alloc(&p->input, input) && ksr_frame_alloc(&p->output, &output);
    if (p->normalize.limit > 0 || p->structure.limit > 0)
        ok = ok && ksr_frame_alloc(&p->work, input);
    if (p->scale == 4)
        ok = ok && ksr_frame_alloc(&p->middle, &middle);
    if (ksr_enhance_luma_active(&p->enhance))
        ok = ok && ksr_frame_alloc(&p->enhanced, &luma);
    if (p->temporal_on) {
        p->band_sums = calloc((size_t)band_count(output.height), sizeof(p->band_sums[0]));
        ok = ok && p->band_sums && ksr_frame_alloc(&p->before, &output) &&
             ksr_frame_alloc(&p->memory[0], &output) && ksr_frame_alloc(&p->memory[1], &output);
    }
    return ok;
}

ksr_pipeline *ksr_pipeline_create(const struct ksr_layout *input,
                                  const struct ksr_pipeline_config *config, ksr_pool *pool)
{
    ksr_pipeline *p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    p->pool = pool;
    ksr_stage_table_init(&p->table, ksr_cpu_level());
    p->scale = config->use_ai ? config->ai_scale : config->shader_scale;
    p->normalize = ksr_normalize_params_make(config->denoise);
    p->structure = ksr_structure_params_make(config->structure_smoothing);
    for (int i = 0; i < input->planes && i < KSR_MAX_PLANES; i++)
        p->upscale[i] = ksr_upscale_params_make(input, i);
    p->enhance = ksr_enhance_params_make(config, input->full_range);
    p->temporal = ksr_temporal_params_make(config->temporal_weight, config->motion_threshold);
    p->temporal_on = config->enable_temporal && ksr_temporal_active(&p->temporal);
    if (!allocate(p, input))
        ksr_pipeline_destroy(&p);
    return p;
}

void ksr_pipeline_destroy(ksr_pipeline **pipeline)
{
    if (!pipeline || !*pipeline)
        return;
    ksr_pipeline *p = *pipeline;
    ksr_frame_free(&p->input);
    ksr_frame_free(&p->work);
    ksr_frame_free(&p->middle);
    ksr_frame_free(&p->output);
    ksr_frame_free(&p->enhanced);
    ksr_frame_free(&p->before);
    ksr_frame_free(&p->memory[0]);
    ksr_frame_free(&p->memory[1]);
    free(p->band_sums);
    free(p);
    *pipeline = NULL;
}

struct ksr_frame *ksr_pipeline_input(ksr_pipeline *pipeline)
{
    return &pipeline->input;
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
