// All stages together: threads, sizes, neutrality, and films run from the middle.

#include "unit.h"

#include <math.h>

#include "frame/resample.h"
#include "pipeline/pipeline.h"
#include "stages/antialias.h"
#include "stages/chroma_shift.h"
#include "stages/deband.h"
#include "stages/deblock.h"
#include "stages/dehalo.h"
#include "stages/descale.h"
#include "stages/enhance.h"
#include "stages/grain.h"
#include "stages/guide.h"
#include "stages/learned.h"
#include "stages/normalize.h"
#include "stages/structure.h"
#include "stages/upscale.h"

static struct ksr_pipeline_config neutral(int scale)
{
    return (struct ksr_pipeline_config){
        .shader_scale = scale, .ai_scale = 2, .contrast_boost = 1, .saturation_boost = 1};
}

static struct ksr_pipeline_config everything(int scale)
{
    return (struct ksr_pipeline_config){.shader_scale = scale,
                                        .chroma_shift_x = 1.25,
                                        .chroma_shift_y = -2.5,
                                        .denoise = 0.37,
                                        .deblock = 0.71,
                                        .dehalo = 0.43,
                                        .deband = 0.53,
                                        .structure_smoothing = 0.61,
                                        .antialias = 0.7,
                                        .guided_chroma = 0.9,
                                        .sharpening = 0.83,
                                        .line_darkening = 0.29,
                                        .contrast_boost = 1,
                                        .saturation_boost = 1,
                                        .enable_temporal = true,
                                        .temporal_weight = 0.43,
                                        .motion_threshold = 0.57};
}

// A pipeline with the whole frames that go in and come out.
struct rig {
    ksr_pipeline *pipeline;
    struct ksr_frame in, out;
    int64_t next; // number of the frame that run() hands in
};

static struct rig create_banded(const struct ksr_layout *l, const struct ksr_pipeline_config *c,
                                ksr_pool *pool, int band_rows)
{
    const struct ksr_layout output = ksr_layout_scaled(l, c->shader_scale);
    struct ksr_recipe recipe;
    assert_true(ksr_recipe_make(&recipe, l, c, NULL));
    struct rig rig = {ksr_pipeline_create_cpu(&recipe, pool, band_rows), unit_frame(*l),
                      unit_frame(output), 0};
    assert_non_null(rig.pipeline);
    return rig;
}

static struct rig create(const struct ksr_layout *l, const struct ksr_pipeline_config *c,
                         ksr_pool *pool)
{
    return create_banded(l, c, pool, 0);
}

// Stage 3 on a whole plane: luma by the learned filters.
static void upscale_plane(const struct ksr_plane *dst, const struct ksr_plane *src, int plane,
                          const struct ksr_upscale_params *params)
{
    if (plane == 0)
        ksr_learned_rows(dst, src, 0, dst->height);
    else
        ksr_upscale_rows(dst, src, params, 0, dst->height);
}

static void destroy(struct rig *rig)
{
    ksr_pipeline_destroy(&rig->pipeline);
    assert_null(rig->pipeline);
    ksr_frame_free(&rig->in);
    ksr_frame_free(&rig->out);
}

// Runs what stands in rig->in; returns rig->out.
static const struct ksr_frame *run(struct rig *rig)
{
    const struct ksr_row_source source = ksr_frame_source(&rig->in);
    const struct ksr_row_sink sink = ksr_frame_sink(&rig->out);
    for (int i = 0; i < rig->out.layout.planes; i++)
        unit_fill(&rig->out.plane[i], 0xdead); // every sample must come anew
    assert_int_equal(ksr_pipeline_push(NULL, rig->pipeline, rig->next++, &source, false), KSR_OK);
    assert_int_equal(ksr_pipeline_pull(NULL, rig->pipeline, &sink), KSR_OK);
    return &rig->out;
}

// A copy that outlives the pipeline's next run.
static struct ksr_frame keep(const struct ksr_frame *frame)
{
    struct ksr_frame copy = unit_frame(frame->layout);
    for (int i = 0; i < frame->layout.planes; i++)
        unit_copy(&copy.plane[i], &frame->plane[i]);
    return copy;
}

static void assert_frames_equal(const struct ksr_frame *a, const struct ksr_frame *b)
{
    assert_true(ksr_layout_equal(&a->layout, &b->layout));
    for (int i = 0; i < a->layout.planes; i++)
        unit_assert_equal(&a->plane[i], &b->plane[i]);
}

// Frame n of a film: still ground with grain, a fade, a moving bar, a cut every 23 frames.
static void film_frame(const struct ksr_frame *f, int n)
{
    uint32_t grain = (uint32_t)n * 2654435761u + 1;
    uint32_t ground = (uint32_t)(n / 23) * 40503u + 7;
    for (int i = 0; i < f->layout.planes; i++)
        for (int y = 0; y < f->plane[i].height; y++)
            for (int x = 0; x < f->plane[i].width; x++) {
                int v = 4000 + (int)(unit_random(&ground) % 20000) + n % 23 * 6;
                v += (int)(unit_random(&grain) % 600);
                if (x == n % f->plane[i].width)
                    v = 30000;
                *unit_at(&f->plane[i], x, y) = (uint16_t)v;
            }
}

static const struct ksr_frame *run_film_frame(struct rig *rig, int n)
{
    film_frame(&rig->in, n);
    return run(rig);
}

static void flat_frames_stay_flat_through_everything(void **state)
{
    (void)state;
    for (int planes = 1; planes <= 4; planes++)
        for (int scale = 2; scale <= 4; scale += 2) {
            const struct ksr_layout l = unit_layout(35, 19, planes, 1);
            const struct ksr_pipeline_config c = everything(scale);
            struct rig p = create(&l, &c, NULL);
            for (int n = 0; n < 12; n++) {
                const int value = n / 4 * 9000 + 300;
                for (int i = 0; i < planes; i++)
                    unit_fill(&p.in.plane[i], (uint16_t)(value + i));
                const struct ksr_frame *out = run(&p);
                assert_int_equal(out->layout.width, 35 * scale);
                for (int i = 0; i < planes; i++)
                    unit_assert_flat(&out->plane[i], value + i);
            }
            destroy(&p);
        }
}

// With neutral parameters the output is what the upscaler alone makes.
static void neutral_parameters_leave_only_the_upscaler(void **state)
{
    (void)state;
    const struct ksr_layout l = unit_layout(45, 33, 4, 1), l2 = ksr_layout_scaled(&l, 2);
    const struct ksr_pipeline_config c = neutral(2);
    struct rig p = create(&l, &c, NULL);
    struct ksr_frame in = unit_frame(l), want = unit_frame(l2);
    for (int n = 0; n < 3; n++) {
        film_frame(&in, n);
        for (int i = 0; i < 4; i++) {
            const struct ksr_upscale_params params = ksr_upscale_params_make(&l, i);
            upscale_plane(&want.plane[i], &in.plane[i], i, &params);
        }
        assert_frames_equal(run_film_frame(&p, n), &want);
    }
    ksr_frame_free(&in);
    ksr_frame_free(&want);
    destroy(&p);
}

// Alpha sees the upscaler alone, whatever the other stages do.
static void alpha_is_only_scaled(void **state)
{
    (void)state;
    const struct ksr_layout l = unit_layout(45, 33, 4, 1);
    const struct ksr_pipeline_config all = everything(4), none = neutral(4);
    struct rig a = create(&l, &all, NULL), b = create(&l, &none, NULL);
    for (int n = 0; n < 8; n++)
        unit_assert_equal(&run_film_frame(&a, n)->plane[3], &run_film_frame(&b, n)->plane[3]);
    destroy(&a);
    destroy(&b);
}

static void threads_do_not_change_a_bit(void **state)
{
    (void)state;
    const struct ksr_layout l = unit_layout(83, 131, 3, 1);
    const struct ksr_pipeline_config c = everything(2);
    struct rig alone = create(&l, &c, NULL);
    ksr_pool *pools[2] = {ksr_pool_create(2), ksr_pool_create(4)};
    struct rig shared[2] = {create(&l, &c, pools[0]), create(&l, &c, pools[1])};
    for (int n = 20; n < 30; n++) {
        const struct ksr_frame *want = run_film_frame(&alone, n);
        for (int i = 0; i < 2; i++)
            assert_frames_equal(run_film_frame(&shared[i], n), want);
    }
    destroy(&alone);
    for (int i = 0; i < 2; i++) {
        destroy(&shared[i]);
        ksr_pool_destroy(&pools[i]);
    }
}

static void every_size_and_layout_works(void **state)
{
    (void)state;
    for (int w = 1; w <= 17; w++)
        for (int h = 1; h <= 9; h++) {
            struct ksr_layout l = unit_layout(w, h, 1 + (w + h) % 4, w % 3);
            l.chroma_shift_y = h % 3;
            l.full_range = w & 1;
            struct ksr_pipeline_config c = everything(w & 2 ? 4 : 2);
            c.contrast_boost = 1.7;
            c.saturation_boost = 1.3;
            struct rig p = create(&l, &c, NULL);
            for (int n = 0; n < 3; n++) {
                const struct ksr_frame *out = run_film_frame(&p, n);
                for (int i = 0; i < out->layout.planes; i++)
                    for (int y = 0; y < out->plane[i].height; y++)
                        for (int x = 0; x < out->plane[i].width; x++)
                            assert_true(*unit_at(&out->plane[i], x, y) <= KSR_SAMPLE_MAX);
            }
            destroy(&p);
        }
}

static void too_large_outputs_are_refused(void **state)
{
    (void)state;
    const struct ksr_layout l = unit_layout(20000, 1, 1, 0);
    const struct ksr_pipeline_config c = neutral(4);
    struct ksr_recipe recipe;
    assert_false(ksr_recipe_make(&recipe, &l, &c, NULL));
    ksr_pipeline *none = NULL;
    ksr_pipeline_destroy(NULL);
    ksr_pipeline_destroy(&none);
}

// Runs a film of 3 W frames at once, then from every place in the middle with W frames before it.
static void check_warmup(double weight, double threshold, int limit_starts)
{
    const struct ksr_layout l = unit_layout(24, 10, 3, 1);
    struct ksr_pipeline_config c = neutral(2);
    c.enable_temporal = true;
    c.temporal_weight = weight;
    c.motion_threshold = threshold;
    const int warmup = ksr_recipe_warmup(&c), length = 2 * warmup + 30;
    struct ksr_frame *whole = calloc((size_t)length, sizeof(*whole));
    assert_non_null(whole);
    struct rig p = create(&l, &c, NULL);
    for (int n = 0; n < length; n++)
        whole[n] = keep(run_film_frame(&p, n));
    const int step = (length + limit_starts - 1) / limit_starts;
    for (int start = 1; start < length; start += step) {
        const int first = start > warmup ? start - warmup : 0;
        ksr_pipeline_reset(p.pipeline);
        p.next = first;
        for (int n = first; n < length && n < start + 2 * warmup + 5; n++) {
            const struct ksr_frame *out = run_film_frame(&p, n);
            if (n >= start)
                assert_frames_equal(out, &whole[n]);
        }
    }
    for (int n = 0; n < length; n++)
        ksr_frame_free(&whole[n]);
    free(whole);
    destroy(&p);
}

static void films_run_from_the_middle_are_equal(void **state)
{
    (void)state;
    check_warmup(0.15, 0.1, 1000);
    check_warmup(0.00001, 1, 1000);
    check_warmup(0.5, 1, 1000);
    check_warmup(0.77, 0.3, 40);
    check_warmup(0.9, 1, 12);
}

// The test above would notice: one frame less of warm-up is not enough everywhere.
static void less_warmup_is_not_enough(void **state)
{
    (void)state;
    const struct ksr_layout l = unit_layout(24, 10, 1, 0);
    struct ksr_pipeline_config c = neutral(2);
    c.enable_temporal = true;
    c.temporal_weight = 0.6;
    c.motion_threshold = 1;
    const int warmup = ksr_recipe_warmup(&c) / 3, start = 100;
    struct rig a = create(&l, &c, NULL), b = create(&l, &c, NULL);
    for (int n = 0; n < start; n++)
        run_film_frame(&a, n);
    b.next = start - warmup;
    for (int n = start - warmup; n < start; n++)
        run_film_frame(&b, n);
    const struct ksr_frame *x = run_film_frame(&a, start), *y = run_film_frame(&b, start);
    int different = 0;
    for (int i = 0; i < x->plane[0].height; i++)
        different += memcmp(unit_at(&x->plane[0], 0, i), unit_at(&y->plane[0], 0, i), 48 * 2) != 0;
    assert_true(different > 0);
    destroy(&a);
    destroy(&b);
}

static void warmup_is_zero_without_temporal(void **state)
{
    (void)state;
    struct ksr_pipeline_config c = everything(2);
    c.temporal_weight = 0.15;
    assert_int_equal(ksr_recipe_warmup(&c), 5);
    c.enable_temporal = false;
    assert_int_equal(ksr_recipe_warmup(&c), 0);
    c.enable_temporal = true;
    c.temporal_weight = 0;
    assert_int_equal(ksr_recipe_warmup(&c), 0);
}

// Grain on a still picture shrinks as blending promises: (1 - w) / (1 + w) of its variance.
static void still_grain_shrinks(void **state)
{
    (void)state;
    const struct ksr_layout l = unit_layout(60, 40, 1, 0);
    struct ksr_pipeline_config on = neutral(2), off = neutral(2);
    on.enable_temporal = true;
    on.temporal_weight = 0.5;
    on.motion_threshold = 0.1;
    struct rig a = create(&l, &on, NULL), b = create(&l, &off, NULL);
    uint32_t seed = 8;
    double with = 0, without = 0;
    for (int n = 0; n < 60; n++) {
        for (int y = 0; y < 40; y++)
            for (int x = 0; x < 60; x++) {
                const uint16_t v = (uint16_t)(16000 + unit_random(&seed) % 801 - 400);
                *unit_at(&a.in.plane[0], x, y) = v;
                *unit_at(&b.in.plane[0], x, y) = v;
            }
        const struct ksr_frame *fa = run(&a), *fb = run(&b);
        for (int y = 0; y < 80 && n >= 20; y++)
            for (int x = 0; x < 120; x++) {
                with += pow(*unit_at(&fa->plane[0], x, y) - 16000.0, 2);
                without += pow(*unit_at(&fb->plane[0], x, y) - 16000.0, 2);
            }
    }
    assert_true(with / without > 0.30 && with / without < 0.36);
    destroy(&a);
    destroy(&b);
}

// The first frame of a scene is what a fresh pipeline makes of it, even where it looks like the
// last frame of the scene before.
static void scene_cuts_are_untouched(void **state)
{
    (void)state;
    const struct ksr_layout l = unit_layout(40, 30, 3, 1);
    struct ksr_pipeline_config on = neutral(2), off = neutral(2);
    on.enable_temporal = true;
    on.temporal_weight = 0.9;
    on.motion_threshold = 1;
    struct rig a = create(&l, &on, NULL), b = create(&l, &off, NULL);
    for (int n = 0; n < 10; n++)
        run_film_frame(&a, n);
    struct rig *rigs[2] = {&a, &b};
    const struct ksr_frame *out[2];
    for (int k = 0; k < 2; k++) {
        struct ksr_frame *in = &rigs[k]->in;
        film_frame(in, 9);
        for (int y = 0; y < 30; y++) // three quarters are new
            for (int x = 0; x < 30; x++)
                *unit_at(&in->plane[0], x, y) ^= 16384;
        out[k] = run(rigs[k]);
    }
    assert_frames_equal(out[0], out[1]);
    destroy(&a);
    destroy(&b);
}

// The stages 1 to 4 one after the other on whole frames, in plain C: what bands must equal.
static void run_whole(struct ksr_frame *out, const struct ksr_frame *in,
                      const struct ksr_pipeline_config *c)
{
    const struct ksr_layout *l = &in->layout;
    const struct ksr_chroma_shift_params shift = ksr_chroma_shift_params_make(c, l, l);
    const struct ksr_normalize_params normalize = ksr_normalize_params_make(c);
    const struct ksr_deblock_params deblock = ksr_deblock_params_make(c);
    const struct ksr_dehalo_params dehalo = ksr_dehalo_params_make(c);
    const struct ksr_deband_params deband = ksr_deband_params_make(c);
    const struct ksr_structure_params structure = ksr_structure_params_make(c);
    const struct ksr_antialias_params antialias = ksr_antialias_params_make(c);
    const struct ksr_guide_params guide = ksr_guide_params_make(c, l);
    const struct ksr_enhance_params enhance = ksr_enhance_params_make(c, l->full_range);
    struct ksr_frame a = keep(in), b = keep(in), middle = unit_frame(ksr_layout_scaled(l, 2));
    struct ksr_frame enhanced = keep(out);
    for (int i = 0; i < l->planes; i++) {
        const struct ksr_upscale_params upscale = ksr_upscale_params_make(l, i);
        const bool alpha = l->planes % 2 == 0 && i == l->planes - 1;
        const int height = a.plane[i].height, out_height = out->plane[i].height;
        if (!alpha && deblock.limit > 0)
            ksr_deblock_rows(&b.plane[i], &a.plane[i], &deblock, 0, height);
        unit_copy(&a.plane[i], &b.plane[i]);
        if (ksr_layout_is_chroma(l, i) && ksr_chroma_shift_active(&shift))
            ksr_chroma_shift_rows(&b.plane[i], &a.plane[i], &shift, 0, height);
        unit_copy(&a.plane[i], &b.plane[i]);
        if (i == 0 && dehalo.limit > 0)
            ksr_dehalo_rows(&b.plane[i], &a.plane[i], &dehalo, 0, height);
        unit_copy(&a.plane[i], &b.plane[i]);
        if (!alpha && normalize.limit > 0)
            ksr_normalize_rows(&b.plane[i], &a.plane[i], &normalize, 0, height);
        unit_copy(&a.plane[i], &b.plane[i]);
        if (!alpha && deband.limit > 0)
            ksr_deband_rows(&b.plane[i], &a.plane[i], &deband, 0, height);
        unit_copy(&a.plane[i], &b.plane[i]);
        if (i == 0 && structure.limit > 0)
            ksr_structure_rows(&a.plane[i], &b.plane[i], &structure, 0, height);
        if (i == 0 && antialias.strength > 0) {
            unit_copy(&b.plane[i], &a.plane[i]);
            ksr_antialias_rows(&a.plane[i], &b.plane[i], &antialias, 0, height);
        }
        const struct ksr_plane *first = c->shader_scale == 4 ? &middle.plane[i] : &out->plane[i];
        if (guide.strength > 0 && ksr_guide_possible(l) && ksr_layout_is_chroma(l, i))
            ksr_guided_rows(first, &a.plane[i], &in->plane[0], &guide, 0, first->height);
        else
            upscale_plane(first, &a.plane[i], i, &upscale);
        if (c->shader_scale == 4)
            upscale_plane(&out->plane[i], first, i, &upscale);
        if (i == 0 && ksr_enhance_luma_active(&enhance))
            ksr_enhance_luma_rows(&enhanced.plane[i], &out->plane[i], &enhance, 0, out_height);
        else if (i > 0 && !alpha && ksr_enhance_chroma_active(&enhance))
            ksr_enhance_chroma_rows(&enhanced.plane[i], &out->plane[i], &enhance, 0, out_height);
        else
            continue;
        unit_copy(&out->plane[i], &enhanced.plane[i]);
    }
    ksr_frame_free(&a);
    ksr_frame_free(&b);
    ksr_frame_free(&middle);
    ksr_frame_free(&enhanced);
}

// Stages by the bits of `on`.
static struct ksr_pipeline_config some(int scale, int on)
{
    struct ksr_pipeline_config c = neutral(scale);
    c.chroma_shift_x = on & 1 ? -1.25 : 0;
    c.chroma_shift_y = on & 2 ? 3.5 : 0;
    c.denoise = on & 1 ? 0.37 : 0;
    c.deblock = on & 1 ? 0.71 : 0;
    c.dehalo = on & 4 ? 0.5 : 0;
    c.deband = on & 2 ? 0.53 : 0;
    c.structure_smoothing = on & 2 ? 0.61 : 0;
    c.antialias = on & 4 ? 1 : 0;
    c.guided_chroma = on & 8 ? 0.9 : 0;
    c.sharpening = on & 4 ? 0.83 : 0;
    c.line_darkening = on & 4 ? 0.29 : 0;
    c.saturation_boost = on & 8 ? 1.3 : 1;
    return c;
}

static void check_bands(const struct ksr_layout *l, int scale, int on, ksr_pool *pool, int rows)
{
    const struct ksr_pipeline_config c = some(scale, on);
    struct rig rig = create_banded(l, &c, pool, rows);
    struct ksr_frame want = unit_frame(ksr_layout_scaled(l, scale));
    uint32_t seed = (uint32_t)(l->width * 31 + l->height) * 2654435761u + 1;
    for (int i = 0; i < l->planes; i++)
        unit_fill_random(&rig.in.plane[i], &seed, on & 1);
    run_whole(&want, &rig.in, &c);
    assert_frames_equal(run(&rig), &want);
    ksr_frame_free(&want);
    destroy(&rig);
}

static void bands_equal_whole_frames(void **state)
{
    (void)state;
    static const int sizes[][2] = {{1, 1}, {1, 7}, {6, 1}, {37, 23}, {300, 41}, {19, 64}};
    ksr_pool *pool = ksr_pool_create(3);
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
        for (int planes = 1; planes <= 4; planes++)
            for (int on = 0; on < 16; on++) {
                struct ksr_layout l = unit_layout(sizes[s][0], sizes[s][1], planes, on % 3);
                l.chroma_shift_y = (on + planes) % 3;
                l.full_range = on & 1;
                const int scale = (on + planes) & 2 ? 4 : 2;
                check_bands(&l, scale, on, on & 4 ? pool : NULL, 2 + 5 * on % 31);
            }
    ksr_pool_destroy(&pool);
}

static void any_height_of_bands_is_equal(void **state)
{
    (void)state;
    const struct ksr_layout l = unit_layout(29, 21, 4, 1);
    for (int rows = 1; rows <= 90; rows += rows < 20 ? 1 : 7)
        for (int scale = 2; scale <= 4; scale += 2)
            check_bands(&l, scale, 15, NULL, rows);
}

// Stage 5 remembers and decides about whole frames, however they were cut up.
static void bands_do_not_change_the_memory(void **state)
{
    (void)state;
    const struct ksr_layout l = unit_layout(45, 33, 4, 1);
    const struct ksr_pipeline_config c = everything(2);
    struct rig a = create_banded(&l, &c, NULL, 66), b = create_banded(&l, &c, NULL, 7);
    for (int n = 15; n < 30; n++)
        assert_frames_equal(run_film_frame(&a, n), run_film_frame(&b, n));
    destroy(&a);
    destroy(&b);
}

// A frame without a sink leaves the same memory behind.
static void warming_up_needs_no_sink(void **state)
{
    (void)state;
    const struct ksr_layout l = unit_layout(45, 33, 3, 1);
    const struct ksr_pipeline_config c = everything(2);
    struct rig a = create(&l, &c, NULL), b = create(&l, &c, NULL);
    for (int n = 0; n < 5; n++) {
        run_film_frame(&a, n);
        film_frame(&b.in, n);
        const struct ksr_row_source source = ksr_frame_source(&b.in);
        assert_int_equal(ksr_pipeline_push(NULL, b.pipeline, b.next++, &source, true), KSR_OK);
    }
    assert_frames_equal(run_film_frame(&a, 5), run_film_frame(&b, 5));
    destroy(&a);
    destroy(&b);
}

// Nothing is carried across frames that are left out.
static void a_gap_forgets(void **state)
{
    (void)state;
    const struct ksr_layout l = unit_layout(45, 33, 3, 1);
    const struct ksr_pipeline_config c = everything(2);
    struct rig a = create(&l, &c, NULL), b = create(&l, &c, NULL);
    for (int n = 0; n < 5; n++)
        run_film_frame(&a, n);
    a.next = b.next = 6;
    for (int n = 6; n < 9; n++)
        assert_frames_equal(run_film_frame(&a, n), run_film_frame(&b, n));
    destroy(&a);
    destroy(&b);
}

// --- Grain ---

// Frames first .. first + count - 1 of a film, each with those that the pipeline holds behind it.
static struct ksr_frame *run_held(const struct ksr_recipe *recipe, ksr_pool *pool, int first,
                                  int count)
{
    struct ksr_frame in = unit_frame(recipe->input), *out = calloc((size_t)count, sizeof(*out));
    ksr_pipeline *pipeline;
    assert_non_null(out);
    assert_int_equal(ksr_pipeline_create(NULL, recipe, NULL, pool, &pipeline), KSR_OK);
    film_frame(&in, first - 1);
    const struct ksr_row_source source = ksr_frame_source(&in);
    assert_int_equal(ksr_pipeline_push(NULL, pipeline, first - 1, &source, true), KSR_OK);
    for (int n = 0, pulled = 0; pulled < count; n++) {
        if (n < count) {
            film_frame(&in, first + n);
            assert_int_equal(ksr_pipeline_push(NULL, pipeline, first + n, &source, false), KSR_OK);
        }
        if (n < pipeline->delay)
            continue;
        out[pulled] = unit_frame(recipe->output);
        const struct ksr_row_sink sink = ksr_frame_sink(&out[pulled++]);
        assert_int_equal(ksr_pipeline_pull(NULL, pipeline, &sink), KSR_OK);
    }
    ksr_pipeline_destroy(&pipeline);
    ksr_frame_free(&in);
    return out;
}

// Grain is put into what all else makes, fitted or not, by the number of the frame.
static void grain_comes_last(void **state)
{
    (void)state;
    enum { FIRST = 7, COUNT = 5 };
    static const int scales[][2] = {{2, 1}, {3, 2}};
    ksr_pool *pool = ksr_pool_create(3);
    for (int k = 0; k < 8; k++) {
        const int planes = 1 + k % 4, *scale = scales[k / 4];
        struct ksr_layout l = unit_layout(62, 36, planes, 1);
        struct ksr_pipeline_config c = everything(2);
        struct ksr_recipe with, without;
        l.full_range = k & 1;
        c.composite = k & 2 ? 0.5 : 0;
        c.grain = "1.3:2,2.5,3,3.5,4,3,2,1:0.4:1.5:0.5";
        const int width = l.width * scale[0] / scale[1], height = l.height * scale[0] / scale[1];
        assert_true(ksr_recipe_make_for(&with, &l, &c, NULL, width, height));
        c.grain = "keep";
        assert_true(ksr_recipe_make_for(&without, &l, &c, NULL, width, height));
        struct ksr_frame *grainy = run_held(&with, k & 1 ? pool : NULL, FIRST, COUNT);
        struct ksr_frame *smooth = run_held(&without, NULL, FIRST, COUNT);
        for (int n = 0; n < COUNT; n++) {
            struct ksr_frame want = keep(&smooth[n]);
            for (int i = 0; i < ksr_layout_picture_planes(&l); i++) {
                const struct ksr_plane *p = &want.plane[i];
                const int from[2] = {ksr_layout_plane_width(&l, i), ksr_layout_plane_height(&l, i)};
                const struct ksr_grain_params params = ksr_grain_params_make(
                    &with.grain, l.full_range, i, from, (int[]){p->width, p->height});
                ksr_grain_rows(p, &smooth[n].plane[i], &params, FIRST + n, 0, p->height);
            }
            assert_frames_equal(&grainy[n], &want);
            assert_true(memcmp(smooth[n].buffer, want.buffer, 4096) != 0);
            ksr_frame_free(&want);
        }
        for (int n = 0; n < COUNT; n++) {
            ksr_frame_free(&grainy[n]);
            ksr_frame_free(&smooth[n]);
        }
        free(grainy);
        free(smooth);
    }
    ksr_pool_destroy(&pool);
}

// --- Descaling ---

// The drawing of a descaled frame: bars and a ramp, or with `text` a fine pattern over the frame.
static void fill_enlarged(const struct ksr_frame *drawn, const struct ksr_frame *frame, bool text)
{
    for (int i = 0; i < drawn->layout.planes; i++)
        for (int y = 0; y < drawn->plane[i].height; y++)
            for (int x = 0; x < drawn->plane[i].width; x++)
                *unit_at(&drawn->plane[i], x, y) =
                    (uint16_t)(i == 0 ? (x / 5 + y / 3) % 2 * 9000 + 8000 + 40 * x
                                      : 14000 + 40 * x);
    struct ksr_descale_axis x, y;
    const struct ksr_plane *small = &drawn->plane[0], *large = &frame->plane[0];
    void *scratch = calloc(1, ksr_descale_scratch(small->width));
    assert_non_null(scratch);
    assert_true(ksr_descale_axis_make(&x, KSR_KERNEL_BILINEAR, small->width, large->width));
    assert_true(ksr_descale_axis_make(&y, KSR_KERNEL_BILINEAR, small->height, large->height));
    ksr_descale_rows(large, small, &x, &y, scratch, 0, large->height);
    for (int i = 1; i < frame->layout.planes; i++)
        unit_fill(&frame->plane[i], 15000);
    for (int j = 200; j < 212 && text; j++)
        for (int i = 240; i < 300; i++)
            *unit_at(large, i, j) = (i + j) % 2 ? 30000 : 3000;
    ksr_descale_axis_free(&x);
    ksr_descale_axis_free(&y);
    free(scratch);
}

static struct rig create_descaled(const struct ksr_layout *l, ksr_pool *pool)
{
    struct ksr_pipeline_config c = neutral(2);
    struct ksr_recipe recipe;
    struct rig rig = {NULL, unit_frame(*l), unit_frame(ksr_layout_scaled(l, 2)), 0};
    c.descale = "320x180:bilinear";
    assert_true(ksr_recipe_make(&recipe, l, &c, NULL));
    assert_int_equal(ksr_pipeline_create(NULL, &recipe, NULL, pool, &rig.pipeline), KSR_OK);
    return rig;
}

// The result equals that of the drawing, but where a pattern was put over the frame: there it is
// the frame's own, resampled.
static void descaled_frames_are_drawings_but_for_text(void **state)
{
    const struct ksr_layout l = unit_layout(480, 270, 3, 1);
    const struct ksr_layout d = unit_layout(320, 180, 3, 0);
    ksr_pool *pool = ksr_pool_create(3);
    (void)state;
    struct rig one = create_descaled(&l, NULL), many = create_descaled(&l, pool);
    struct ksr_frame drawn = unit_frame(d);
    fill_enlarged(&drawn, &one.in, false);
    fill_enlarged(&drawn, &many.in, false);
    assert_frames_equal(run(&one), run(&many));
    struct ksr_frame plain = keep(&one.out);

    struct ksr_pipeline_config c = neutral(4);
    struct ksr_recipe recipe;
    assert_true(ksr_recipe_make_for(&recipe, &d, &c, NULL, 960, 540));
    struct rig direct = {NULL, drawn, unit_frame(recipe.output), 0};
    assert_int_equal(ksr_pipeline_create(NULL, &recipe, NULL, NULL, &direct.pipeline), KSR_OK);
    run(&direct);
    int64_t off = 0; // what rounding of the drawing does to the filters' choices
    for (int y = 0; y < 540; y++)
        for (int x = 0; x < 960; x++)
            off += abs(*unit_at(&direct.out.plane[0], x, y) - *unit_at(&plain.plane[0], x, y));
    assert_in_range(off, 0, 540 * 960 * 24);

    fill_enlarged(&drawn, &one.in, true);
    fill_enlarged(&drawn, &many.in, true);
    assert_frames_equal(run(&one), run(&many));
    ksr_resampler *fit = ksr_resampler_create(&l, &one.out.layout, NULL);
    assert_non_null(fit);
    struct ksr_frame kept = unit_frame(one.out.layout);
    const struct ksr_row_sink in = ksr_resampler_sink(fit), out = ksr_frame_sink(&kept);
    for (int i = 0; i < 3; i++)
        in.rows(in.opaque, i, &one.in.plane[i], 0, one.in.plane[i].height);
    ksr_resampler_run(fit, &out);
    for (int y = 400; y < 424; y++)
        for (int x = 480; x < 600; x++)
            assert_int_equal(*unit_at(&one.out.plane[0], x, y), *unit_at(&kept.plane[0], x, y));
    for (int y = 0; y < 300; y++)
        for (int x = 0; x < 960; x++)
            assert_int_equal(*unit_at(&one.out.plane[0], x, y), *unit_at(&plain.plane[0], x, y));
    ksr_resampler_destroy(&fit);
    ksr_frame_free(&kept);
    ksr_frame_free(&plain);
    destroy(&one);
    destroy(&many);
    destroy(&direct);
    ksr_pool_destroy(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flat_frames_stay_flat_through_everything),
        cmocka_unit_test(neutral_parameters_leave_only_the_upscaler),
        cmocka_unit_test(alpha_is_only_scaled),
        cmocka_unit_test(threads_do_not_change_a_bit),
        cmocka_unit_test(every_size_and_layout_works),
        cmocka_unit_test(too_large_outputs_are_refused),
        cmocka_unit_test(films_run_from_the_middle_are_equal),
        cmocka_unit_test(less_warmup_is_not_enough),
        cmocka_unit_test(warmup_is_zero_without_temporal),
        cmocka_unit_test(still_grain_shrinks),
        cmocka_unit_test(scene_cuts_are_untouched),
        cmocka_unit_test(bands_equal_whole_frames),
        cmocka_unit_test(any_height_of_bands_is_equal),
        cmocka_unit_test(bands_do_not_change_the_memory),
        cmocka_unit_test(warming_up_needs_no_sink),
        cmocka_unit_test(grain_comes_last),
        cmocka_unit_test(a_gap_forgets),
        cmocka_unit_test(descaled_frames_are_drawings_but_for_text),
    };
    return cmocka_run_group_tests_name("pipeline", tests, NULL, NULL);
}
