// Recorded digests of what every stage makes: a changed rounding fails here by name.
//
//   stages FILE            computes all lines at every SIMD level and names those that differ
//   stages FILE --write    writes them (after a change of results that is wanted)
//
// A line is what was run, and a hash of the samples that came out. Inputs are drawn in integers, so
// nothing but the code decides. Lines that begin with learned, pipeline or network depend on
// trained weights; the others do not.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cpu.h"
#include "core/hash.h"
#include "core/mem.h"
#include "frame/dispatch.h"
#include "frame/resample.h"
#include "frame/tile.h"
#include "pipeline/pipeline.h"
#include "stages/dispatch.h"

#define MAX_LINES 2048

struct line {
    char name[96], hash[KSR_HASH_TEXT];
};

// What one level makes.
struct lines {
    struct line line[MAX_LINES];
    int count;
};

struct size {
    int width, height;
};

static const struct size sizes[] = {{67, 41}, {1, 1}, {2, 3}, {300, 5}, {5, 70}};
#define SIZES (int)(sizeof(sizes) / sizeof(sizes[0]))
static const int depths[] = {8, 10, 16};
#define DEPTHS 3

static const struct {
    const char *name;
    int planes, shift_x, shift_y;
    enum ksr_siting x, y;
    bool full, rgb;
} layouts[] = {
    {"420", 3, 1, 1, KSR_SITING_COSITED, KSR_SITING_CENTRED, false, false},
    {"420-centre", 3, 1, 1, KSR_SITING_CENTRED, KSR_SITING_CENTRED, false, false},
    {"420-topleft", 3, 1, 1, KSR_SITING_COSITED, KSR_SITING_COSITED, false, false},
    {"422", 3, 1, 0, KSR_SITING_COSITED, KSR_SITING_CENTRED, false, false},
    {"444", 3, 0, 0, KSR_SITING_COSITED, KSR_SITING_COSITED, false, false},
    {"420-full", 3, 1, 1, KSR_SITING_COSITED, KSR_SITING_CENTRED, true, false},
    {"gray", 1, 0, 0, KSR_SITING_COSITED, KSR_SITING_COSITED, false, false},
    {"gray-alpha", 2, 0, 0, KSR_SITING_COSITED, KSR_SITING_COSITED, true, false},
    {"rgb", 3, 0, 0, KSR_SITING_COSITED, KSR_SITING_COSITED, true, true},
    {"420-alpha", 4, 1, 1, KSR_SITING_COSITED, KSR_SITING_CENTRED, false, false},
};
#define LAYOUTS (int)(sizeof(layouts) / sizeof(layouts[0]))

static void die(const char *why)
{
    fprintf(stderr, "stages: %s\n", why);
    exit(1);
}

static struct ksr_layout layout_of(int i, struct size size)
{
    return (struct ksr_layout){.width = size.width,
                               .height = size.height,
                               .planes = layouts[i].planes,
                               .chroma_shift_x = layouts[i].shift_x,
                               .chroma_shift_y = layouts[i].shift_y,
                               .siting_x = layouts[i].x,
                               .siting_y = layouts[i].y,
                               .full_range = layouts[i].full};
}

static struct ksr_frame frame_of(struct ksr_layout layout)
{
    struct ksr_frame frame;
    if (!ksr_frame_alloc(&frame, &layout))
        die("out of memory");
    return frame;
}

static struct ksr_frame grey(int width, int height)
{
    return frame_of((struct ksr_layout){.width = width, .height = height, .planes = 1});
}

// Flat areas, lines, a disc, gradients, and noise on one side, in codes of `bits` bits; `time`
// moves a bar.
static void draw(const struct ksr_frame *f, int bits, int time)
{
    const int drop = bits < 15 ? 15 - bits : 0;
    for (int i = 0; i < f->layout.planes; i++)
        for (int y = 0; y < f->plane[i].height; y++)
            for (int x = 0; x < f->plane[i].width; x++) {
                int v = (x * 307 + y * 211 + i * 9001) % 32768;
                v = (x - 20) * (x - 20) + (y - 15) * (y - 15) < 120 ? 31000 : v;
                v = (x + 2 * y) % 37 < 3 ? 1500 : v;
                v = x / 4 == time + 2 ? 25000 : v;
                const int noise = (x * 7919 + y * 104729 + x * y * 31 + time * 131) % 8191;
                v = x > 40 || y > 44 ? (v / 4 + noise * 3) % 32768 : v + noise % 64;
                v = v > KSR_SAMPLE_MAX ? KSR_SAMPLE_MAX : v;
                f->plane[i].data[y * f->plane[i].stride + x] = (uint16_t)(v >> drop << drop);
            }
}

static void add_planes(ksr_hasher *hasher, const struct ksr_frame *f)
{
    for (int i = 0; i < f->layout.planes; i++)
        for (int y = 0; y < f->plane[i].height; y++)
            ksr_hasher_add(hasher, f->plane[i].data + y * f->plane[i].stride,
                           (size_t)f->plane[i].width * sizeof(uint16_t));
}

static ksr_hasher *hasher_make(void)
{
    ksr_hasher *hasher = ksr_hasher_create();
    if (!hasher)
        die("out of memory");
    return hasher;
}

static void note(struct lines *out, const char *name, ksr_hasher *hasher)
{
    if (out->count == MAX_LINES)
        die("too many lines");
    struct line *line = &out->line[out->count++];
    snprintf(line->name, sizeof(line->name), "%s", name);
    ksr_hasher_text(hasher, line->hash);
    ksr_hasher_destroy(&hasher);
}

static void note_frame(struct lines *out, const char *name, const struct ksr_frame *f)
{
    ksr_hasher *hasher = hasher_make();
    add_planes(hasher, f);
    note(out, name, hasher);
}

// --- One stage at a time, on one plane ---

struct pair {
    struct ksr_frame src, dst;
    char where[40]; // such as "8-bit 67x41"
};

static struct pair pair_of(int s, int bits, int scale)
{
    struct pair p = {grey(sizes[s].width, sizes[s].height),
                     grey(sizes[s].width * scale, sizes[s].height * scale), ""};
    draw(&p.src, bits, 0);
    snprintf(p.where, sizeof(p.where), "%d-bit %dx%d", bits, sizes[s].width, sizes[s].height);
    return p;
}

static void note_pair(struct lines *out, const char *what, double value, struct pair *p)
{
    char name[96];
    if (value >= 0)
        snprintf(name, sizeof(name), "%s %.2f %s", what, value, p->where);
    else
        snprintf(name, sizeof(name), "%s %s", what, p->where);
    note_frame(out, name, &p->dst);
    ksr_frame_free(&p->src);
    ksr_frame_free(&p->dst);
}

// Dark lines with bright rims, on what draw() drew.
static void add_rims(const struct ksr_plane *p)
{
    static const int rims[16] = {0, 0, 0, 0, 900, 2000, -9000, -9000, -9000, 2000, 900};
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++) {
            uint16_t *c = &p->data[y * p->stride + x];
            *c = (uint16_t)(12000 + *c / 64 + rims[(x + y / 2) % 16]);
        }
}

static void cleaning(struct lines *out, const struct ksr_stage_table *t, int s, int bits)
{
    static const double strengths[] = {0.2, 0.5, 1};
    for (int k = 0; k < 3; k++) {
        struct pair p = pair_of(s, bits, 1), q = pair_of(s, bits, 1), d = pair_of(s, bits, 1),
                    e = pair_of(s, bits, 1), h = pair_of(s, bits, 1), f = pair_of(s, bits, 1);
        const struct ksr_normalize_params n =
            ksr_normalize_params_make(&(struct ksr_pipeline_config){.denoise = strengths[k]});
        const struct ksr_deband_params b =
            ksr_deband_params_make(&(struct ksr_pipeline_config){.deband = strengths[k]});
        struct ksr_deblock_params g =
            ksr_deblock_params_make(&(struct ksr_pipeline_config){.deblock = strengths[k]});
        const struct ksr_dehalo_params o =
            ksr_dehalo_params_make(&(struct ksr_pipeline_config){.dehalo = strengths[k]});
        g.x = 3 * k;
        g.y = 2 * k + 1;
        const struct ksr_structure_params m = ksr_structure_params_make(
            &(struct ksr_pipeline_config){.structure_smoothing = strengths[k]});
        const struct ksr_antialias_params a =
            ksr_antialias_params_make(&(struct ksr_pipeline_config){.antialias = strengths[k]});
        t->normalize_rows(&p.dst.plane[0], &p.src.plane[0], &n, 0, p.dst.plane[0].height);
        t->deband_rows(&d.dst.plane[0], &d.src.plane[0], &b, 0, d.dst.plane[0].height);
        t->structure_rows(&q.dst.plane[0], &q.src.plane[0], &m, 0, q.dst.plane[0].height);
        t->deblock_rows(&e.dst.plane[0], &e.src.plane[0], &g, 0, e.dst.plane[0].height);
        t->antialias_rows(&f.dst.plane[0], &f.src.plane[0], &a, 0, f.dst.plane[0].height);
        note_pair(out, "deblock", strengths[k], &e);
        add_rims(&h.src.plane[0]);
        t->dehalo_rows(&h.dst.plane[0], &h.src.plane[0], &o, 0, h.dst.plane[0].height);
        note_pair(out, "dehalo", strengths[k], &h);
        note_pair(out, "normalize", strengths[k], &p);
        note_pair(out, "deband", strengths[k], &d);
        note_pair(out, "structure", strengths[k], &q);
        note_pair(out, "antialias", strengths[k], &f);
    }
}

static void graining(struct lines *out, const struct ksr_stage_table *t, int s, int bits)
{
    static const int scales[][2] = {{1, 2}, {1, 4}, {2, 3}};
    for (int k = 0; k < 3; k++) {
        const struct ksr_grain grain = {.amount = 60 + 60 * k,
                                        .luma = {100, 250, 400, 800, 350, 200, 250, 300},
                                        .chroma = 180,
                                        .alike = {35 * k, 80 - 30 * k}};
        struct pair p = pair_of(s, bits, 1);
        const struct ksr_grain_params params =
            ksr_grain_params_make(&grain, k == 1, k, (int[]){scales[k][0], scales[k][0]},
                                  (int[]){scales[k][1], scales[k][1]});
        t->grain_rows(&p.dst.plane[0], &p.src.plane[0], &params, 1000 * k, 0,
                      p.dst.plane[0].height);
        note_pair(out, "grain", k, &p);
    }
}

static void shifting(struct lines *out, const struct ksr_stage_table *t, int s, int bits)
{
    static const struct ksr_chroma_shift_params shifts[] = {{-16, 0}, {5, -11}, {100, 40}};
    for (int k = 0; k < 3; k++) {
        struct pair p = pair_of(s, bits, 1);
        t->chroma_shift_rows(&p.dst.plane[0], &p.src.plane[0], &shifts[k], 0,
                             p.dst.plane[0].height);
        char what[48];
        snprintf(what, sizeof(what), "chroma shift %d %d", shifts[k].x, shifts[k].y);
        note_pair(out, what, -1, &p);
    }
}

// Sharpening, darkening, contrast on luma; saturation on chroma.
static void enhancing(struct lines *out, const struct ksr_stage_table *t, int s, int bits)
{
    static const struct {
        const char *name;
        bool full, chroma;
        struct ksr_pipeline_config c;
    } cases[] = {
        {"enhance sharpening 0.83", false, false, {.sharpening = 0.83, .contrast_boost = 1}},
        {"enhance sharpening 2 full", true, false, {.sharpening = 2, .contrast_boost = 1}},
        {"enhance darkening 0.29", false, false, {.line_darkening = 0.29, .contrast_boost = 1}},
        {"enhance darkening 1", false, false, {.line_darkening = 1, .contrast_boost = 1}},
        {"enhance contrast 1.3", false, false, {.contrast_boost = 1.3}},
        {"enhance contrast 0.7 full", true, false, {.contrast_boost = 0.7}},
        {"enhance all",
         false,
         false,
         {.sharpening = 0.5, .line_darkening = 0.5, .contrast_boost = 1.1}},
        {"enhance saturation 1.4", false, true, {.contrast_boost = 1, .saturation_boost = 1.4}},
        {"enhance saturation 0.5", true, true, {.contrast_boost = 1, .saturation_boost = 0.5}},
    };
    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
        struct pair p = pair_of(s, bits, 1);
        const struct ksr_enhance_params e = ksr_enhance_params_make(&cases[k].c, cases[k].full);
        (cases[k].chroma ? t->enhance_chroma_rows : t->enhance_luma_rows)(
            &p.dst.plane[0], &p.src.plane[0], &e, 0, p.dst.plane[0].height);
        note_pair(out, cases[k].name, -1, &p);
    }
}

static void steadying(struct lines *out, const struct ksr_stage_table *t, int s, int bits)
{
    static const double weights[][2] = {{0.96, 0.1}, {0.43, 0.57}, {0.9, 1}};
    for (int k = 0; k < 3; k++) {
        const struct ksr_temporal_params m = ksr_temporal_params_make(&(struct ksr_pipeline_config){
            .temporal_weight = weights[k][0], .motion_threshold = weights[k][1]});
        struct pair p = pair_of(s, bits, 1);
        struct ksr_frame memory = frame_of(p.src.layout);
        draw(&memory, bits, 1);
        const int height = p.src.plane[0].height;
        const int64_t changed =
            t->temporal_changed_rows(&p.src.plane[0], &memory.plane[0], &m, 0, height);
        // Half of the memory differs by little, so that something is blended.
        for (int y = 0; y < height; y++)
            for (int x = 0; x < memory.plane[0].width / 2; x++) {
                uint16_t *v = memory.plane[0].data + y * memory.plane[0].stride + x;
                const int near =
                    p.src.plane[0].data[y * p.src.plane[0].stride + x] + *v % 512 - 256;
                *v = (uint16_t)ksr_clamp(near, 0, KSR_SAMPLE_MAX);
            }
        struct pair c = pair_of(s, bits, 1);
        const struct ksr_temporal_params h = ksr_composite_params_make(weights[k][1]);
        struct ksr_composite_frame frames[KSR_COMPOSITE_FRAMES] = {
            {memory.plane[0], p.dst.plane[0]}, {c.src.plane[0], p.dst.plane[0]}};
        t->composite_smooth_rows(&c.dst.plane[0], &memory.plane[0], 0, height);
        t->temporal_still_rows(&p.dst.plane[0], &c.dst.plane[0], &p.src.plane[0], &h, 0, height);
        t->composite_rows(&c.dst.plane[0], &p.src.plane[0], frames, 0, 0, 0, height);
        note_pair(out, "composite", weights[k][1], &c);
        t->temporal_rows(&p.dst.plane[0], &memory.plane[0], &p.src.plane[0], &m, m.weight, 0,
                         height);
        char what[48];
        snprintf(what, sizeof(what), "temporal %.2f changed %lld,", weights[k][1],
                 (long long)changed);
        note_pair(out, what, weights[k][0], &p);
        ksr_frame_free(&memory);
    }
}

static void upscaling(struct lines *out, const struct ksr_stage_table *t, int s, int bits)
{
    struct pair p = pair_of(s, bits, 2);
    t->learned_rows(&p.dst.plane[0], &p.src.plane[0], 0, p.dst.plane[0].height);
    note_pair(out, "learned", -1, &p);
    for (int l = 0; l < 5; l++) { // chroma by its siting
        const struct ksr_layout layout = layout_of(l, (struct size){64, 64});
        const struct ksr_upscale_params u = ksr_upscale_params_make(&layout, 1);
        char what[48];
        p = pair_of(s, bits, 2);
        t->upscale_rows(&p.dst.plane[0], &p.src.plane[0], &u, 0, p.dst.plane[0].height);
        snprintf(what, sizeof(what), "upscale chroma %s", layouts[l].name);
        note_pair(out, what, -1, &p);
    }
    for (int l = 0; l < 5; l++) { // guided by luma of the same picture, and by that of another
        const struct ksr_layout layout = layout_of(l, (struct size){64, 64});
        const struct ksr_guide_params g = ksr_guide_params_make(
            &(struct ksr_pipeline_config){.guided_chroma = 1, .denoise = 0.3}, &layout);
        for (int other = 0; other < 2 && ksr_guide_possible(&layout); other++) {
            struct pair luma = pair_of(s, bits, 2);
            char what[48];
            p = pair_of(s, bits, 2);
            draw(&luma.src, bits, other);
            t->learned_rows(&luma.dst.plane[0], &luma.src.plane[0], 0, luma.dst.plane[0].height);
            t->guided_rows(&p.dst.plane[0], &p.src.plane[0], &luma.dst.plane[0], &g, 0,
                           p.dst.plane[0].height);
            snprintf(what, sizeof(what), "guided %s %d", layouts[l].name, other);
            note_pair(out, what, -1, &p);
            ksr_frame_free(&luma.src);
            ksr_frame_free(&luma.dst);
        }
    }
}

// --- Codes ---

static void add_codes(ksr_hasher *hasher, const struct ksr_code_plane *codes, int width, int height)
{
    for (int y = 0; y < height; y++)
        ksr_hasher_add(hasher, codes->data + y * codes->stride,
                       (size_t)width * (codes->bits > 8 ? 2 : 1));
}

// Working samples to codes, dithered and not, and the codes to samples.
static void packing(struct lines *out, const struct ksr_frame_table *t, int s, int from, int to)
{
    for (int k = 0; k < 8; k++) {
        const struct ksr_pack_params params = {from, (k & 1) != 0, (k & 2) != 0, (k & 4) != 0};
        struct pair p = pair_of(s, 16, 1);
        const int width = sizes[s].width, height = sizes[s].height;
        const struct ksr_code_plane codes = {calloc((size_t)height, 640), 640, to};
        ksr_hasher *hasher = hasher_make();
        char name[96];
        if (!codes.data)
            die("out of memory");
        t->pack_rows(&codes, &p.src.plane[0], &params, 0, height);
        t->unpack_rows(&p.dst.plane[0], &codes, 0, height);
        add_codes(hasher, &codes, width, height);
        add_planes(hasher, &p.dst);
        snprintf(name, sizeof(name), "pack %d to %d%s%s%s %dx%d", from, to,
                 params.scale ? " scaled" : "", params.chroma ? " chroma" : "",
                 params.dither ? " dithered" : "", width, height);
        note(out, name, hasher);
        free(codes.data);
        ksr_frame_free(&p.src);
        ksr_frame_free(&p.dst);
    }
}

static void colours(struct lines *out, const struct ksr_frame_table *t, int s, int bits)
{
    struct ksr_frame f = frame_of(layout_of(8, sizes[s]));
    char name[96];
    for (int back = 0; back < 2; back++) {
        draw(&f, bits, 0);
        (back ? t->rgb_from_ycc_rows : t->rgb_to_ycc_rows)(&f, 0, f.plane[0].height);
        snprintf(name, sizeof(name), "rgb %s %d-bit %dx%d", back ? "from" : "to", bits,
                 sizes[s].width, sizes[s].height);
        note_frame(out, name, &f);
    }
    ksr_frame_free(&f);
}

// --- Whole frames ---

static void resampling(struct lines *out, int from, int to, struct size size, struct size small)
{
    const struct ksr_layout a = layout_of(from, size), b = layout_of(to, small);
    ksr_resampler *r = ksr_resampler_create(&a, &b, NULL);
    struct ksr_frame src = frame_of(a), dst = frame_of(b);
    char name[96];
    if (!r)
        die("out of memory");
    draw(&src, 16, 0);
    const struct ksr_row_sink in = ksr_resampler_sink(r), end = ksr_frame_sink(&dst);
    for (int i = 0; i < a.planes; i++)
        in.rows(in.opaque, i, &src.plane[i], 0, src.plane[i].height);
    ksr_resampler_run(r, &end);
    snprintf(name, sizeof(name), "resample %s %dx%d to %s %dx%d", layouts[from].name, size.width,
             size.height, layouts[to].name, small.width, small.height);
    note_frame(out, name, &dst);
    ksr_frame_free(&src);
    ksr_frame_free(&dst);
    ksr_resampler_destroy(&r);
}

static void resampling_all(struct lines *out)
{
    static const struct size small[] = {{40, 24}, {1, 1}, {2, 1}, {203, 3}, {3, 41}};
    for (int s = 0; s < SIZES; s++)
        for (int l = 0; l < LAYOUTS; l++)
            resampling(out, l, l, sizes[s], small[s]);
    for (int l = 0; l < 5; l++) // subsampling and siting alone
        for (int m = 0; m < 5; m++)
            resampling(out, l, m, sizes[0], sizes[0]);
}

static void pipeline(struct lines *out, int l, struct size size, int bits, int scale, bool all)
{
    struct ksr_pipeline_config c = {
        .shader_scale = scale, .ai_scale = 2, .contrast_boost = 1, .saturation_boost = 1};
    if (all)
        c = (struct ksr_pipeline_config){.shader_scale = scale,
                                         .ai_scale = 2,
                                         .denoise = 0.37,
                                         .structure_smoothing = 0.61,
                                         .sharpening = 0.83,
                                         .line_darkening = 0.29,
                                         .contrast_boost = 1.2,
                                         .saturation_boost = 0.8,
                                         .enable_temporal = true,
                                         .temporal_weight = 0.43,
                                         .motion_threshold = 0.57};
    const struct ksr_layout layout = layout_of(l, size);
    struct ksr_recipe recipe;
    ksr_pipeline *p = ksr_recipe_make(&recipe, &layout, &c, NULL)
                          ? ksr_pipeline_create_cpu(&recipe, NULL, 0)
                          : NULL;
    struct ksr_frame in = frame_of(layout);
    struct ksr_frame end = frame_of(ksr_layout_scaled(&layout, scale));
    const struct ksr_row_source source = ksr_frame_source(&in);
    const struct ksr_row_sink sink = ksr_frame_sink(&end);
    ksr_hasher *hasher = hasher_make();
    char name[96];
    for (int time = 0; time < (all ? 3 : 1); time++) {
        draw(&in, bits, time);
        if (!p || ksr_pipeline_push(NULL, p, time, &source, false) != KSR_OK ||
            ksr_pipeline_pull(NULL, p, &sink) != KSR_OK)
            die("the pipeline failed");
        add_planes(hasher, &end);
    }
    snprintf(name, sizeof(name), "pipeline %s x%d %s %d-bit %dx%d", all ? "all" : "neutral", scale,
             layouts[l].name, bits, size.width, size.height);
    note(out, name, hasher);
    ksr_frame_free(&in);
    ksr_frame_free(&end);
    ksr_pipeline_destroy(&p);
}

static void pipelines(struct lines *out)
{
    for (int l = 0; l < LAYOUTS; l++)
        for (int d = 0; d < DEPTHS; d++)
            for (int k = 0; k < 4; k++)
                pipeline(out, l, sizes[0], depths[d], k & 1 ? 4 : 2, k & 2);
    for (int l = 0; l < LAYOUTS; l++)
        for (int s = 1; s < SIZES; s++)
            pipeline(out, l, sizes[s], 8, 2, true);
}

// --- Descaling ---

// Back to a smaller size and up again, by each kernel.
static void descale(struct lines *out, enum ksr_kernel kernel, int depth)
{
    const struct ksr_layout large = {.width = 96, .height = 54, .planes = 1};
    const struct ksr_layout small = {.width = 64, .height = 41, .planes = 1};
    struct ksr_frame in = frame_of(large), drawn = frame_of(small), again = frame_of(large);
    struct ksr_descale_axis axis[4];
    void *scratch = calloc(1, ksr_descale_scratch(large.width));
    ksr_hasher *hasher = hasher_make();
    char name[96];
    if (!scratch || !ksr_descale_axis_make(&axis[0], kernel, 96, 64) ||
        !ksr_descale_axis_make(&axis[1], kernel, 54, 41) ||
        !ksr_descale_axis_make(&axis[2], kernel, 64, 96) ||
        !ksr_descale_axis_make(&axis[3], kernel, 41, 54))
        die("out of memory");
    draw(&in, depth, 0);
    ksr_descale_rows(&drawn.plane[0], &in.plane[0], &axis[0], &axis[1], scratch, 0, small.height);
    ksr_descale_rows(&again.plane[0], &drawn.plane[0], &axis[2], &axis[3], scratch, 0,
                     large.height);
    add_planes(hasher, &drawn);
    add_planes(hasher, &again);
    snprintf(name, sizeof(name), "descale %s %d-bit", ksr_kernel_name(kernel), depth);
    note(out, name, hasher);
    for (int i = 0; i < 4; i++)
        ksr_descale_axis_free(&axis[i]);
    free(scratch);
    ksr_frame_free(&in);
    ksr_frame_free(&drawn);
    ksr_frame_free(&again);
}

static void descales(struct lines *out)
{
    for (int k = 0; k < KSR_KERNELS; k++)
        for (int d = 0; d < DEPTHS; d++)
            descale(out, (enum ksr_kernel)k, depths[d]);
}

// --- Networks ---

static ksr_net *load(const char *model)
{
    static uint8_t file[1 << 17];
    char path[1024];
    snprintf(path, sizeof(path), "%s/%s.ksrnet", KSR_MODELS_SOURCE, model);
    FILE *f = fopen(path, "rb");
    if (!f)
        die(path);
    const size_t size = fread(file, 1, sizeof(file), f);
    fclose(f);
    struct ksr_model parsed;
    const char *wrong = ksr_model_parse(file, size, NULL, &parsed);
    ksr_net *net = wrong ? NULL : ksr_net_create(&parsed);
    if (!net)
        die(wrong ? wrong : "out of memory");
    ksr_model_free(&parsed);
    return net;
}

static void network(struct lines *out, const struct ksr_stage_table *t, const char *model)
{
    ksr_net *net = load(model);
    void *scratch = ksr_aligned_calloc(ksr_net_scratch(net));
    char name[64];
    if (!scratch)
        die("out of memory");
    snprintf(name, sizeof(name), "network %s", model);
    for (int s = 0; s < SIZES; s++)
        for (int d = 0; d < DEPTHS; d++) {
            struct pair p = pair_of(s, depths[d], 2);
            t->net_rows(&p.dst.plane[0], &p.src.plane[0], net, scratch, 0, p.dst.plane[0].height);
            note_pair(out, name, -1, &p);
        }
    ksr_aligned_free(scratch);
    ksr_net_destroy(&net);
}

// --- All ---

static void compute(struct lines *out)
{
    struct ksr_stage_table table;
    static const int packed[][2] = {{8, 8}, {8, 10}, {10, 8}, {10, 10}, {16, 8}, {16, 16}, {12, 4}};
    const struct ksr_frame_table *frames = ksr_frame_table(ksr_cpu_level());
    ksr_stage_table_init(&table, ksr_cpu_level());
    for (int s = 0; s < SIZES; s++)
        for (int d = 0; d < DEPTHS; d++) {
            graining(out, &table, s, depths[d]);
            shifting(out, &table, s, depths[d]);
            cleaning(out, &table, s, depths[d]);
            upscaling(out, &table, s, depths[d]);
            enhancing(out, &table, s, depths[d]);
            steadying(out, &table, s, depths[d]);
            colours(out, frames, s, depths[d]);
        }
    for (size_t k = 0; k < sizeof(packed) / sizeof(packed[0]); k++) {
        packing(out, frames, 0, packed[k][0], packed[k][1]);
        packing(out, frames, 3, packed[k][0], packed[k][1]);
    }
    resampling_all(out);
    pipelines(out);
    descales(out);
    network(out, &table, "anime-fast");
    network(out, &table, "anime-quality");
}

static bool write_lines(const char *path, const struct lines *lines)
{
    FILE *f = fopen(path, "w");
    for (int i = 0; f && i < lines->count; i++)
        fprintf(f, "%s %s\n", lines->line[i].hash, lines->line[i].name);
    return f && fclose(f) == 0;
}

static bool read_lines(const char *path, struct lines *lines)
{
    FILE *f = fopen(path, "r");
    if (!f)
        return false;
    while (lines->count < MAX_LINES) {
        struct line *line = &lines->line[lines->count];
        if (fscanf(f, "%32s %95[^\n]", line->hash, line->name) != 2)
            break;
        lines->count++;
    }
    fclose(f);
    return true;
}

// Says which lines differ from the recorded ones. Returns their number.
static int compare(const struct lines *wanted, const struct lines *got, const char *level)
{
    int wrong = wanted->count != got->count;
    if (wrong)
        printf("FAIL %s: %d lines are recorded, %d were computed\n", level, wanted->count,
               got->count);
    for (int i = 0; i < wanted->count && i < got->count; i++) {
        const struct line *w = &wanted->line[i], *g = &got->line[i];
        if (strcmp(w->name, g->name) != 0 || strcmp(w->hash, g->hash) != 0) {
            printf("FAIL %s: %s: %s, recorded: %s %s\n", level, g->name, g->hash, w->hash, w->name);
            wrong++;
        }
    }
    return wrong;
}

int main(int argc, char **argv)
{
    static struct lines wanted, got;
    int wrong = 0, levels = 0;
    const bool writing = argc == 3 && strcmp(argv[2], "--write") == 0;
    const enum ksr_cpu_level best = ksr_cpu_level();
    if (argc != 2 && !writing)
        die("usage: stages FILE [--write]");
    if (!writing && !read_lines(argv[1], &wanted))
        die("the file cannot be read");
    for (int level = 0; level <= (int)best; level++) {
        const char *name = ksr_cpu_level_name(level);
        if (!ksr_cpu_has((enum ksr_cpu_level)level) || !ksr_cpu_set_limit(name))
            continue;
        memset(&got, 0, sizeof(got));
        compute(&got);
        if (writing && levels == 0)
            wanted = got; // plain C is the definition
        wrong += compare(&wanted, &got, name);
        levels++;
        ksr_cpu_set_limit(ksr_cpu_level_name((int)best));
    }
    if (writing && wrong == 0 && !write_lines(argv[1], &wanted))
        die("the file cannot be written");
    printf("%d lines at %d levels: %d differ\n", wanted.count, levels, wrong);
    return wrong > 0;
}
