// From the configuration to the steps of every plane; see recipe.h.

#include "pipeline/recipe.h"

#include <assert.h>
#include <string.h>

#include "frame/tile.h"
#include "stages/learned.h"

// --- The steps ---

// Adds a step that makes a plane of the size that plane `plane` of a layout has.
static void add_step(struct ksr_chain *chain, struct ksr_step step, const struct ksr_layout *layout,
                     int plane)
{
    assert(chain->count < KSR_MAX_STEPS);
    const int k = chain->count++;
    chain->step[k] = step;
    chain->width[k + 1] = ksr_layout_plane_width(layout, plane);
    chain->height[k + 1] = ksr_layout_plane_height(layout, plane);
}

// Stages 1 and 2.
static void add_cleaning(struct ksr_recipe *r, int plane, const struct ksr_pipeline_config *config)
{
    const struct ksr_chroma_shift_params shift =
        ksr_chroma_shift_params_make(config, &r->input, &r->drawn);
    const struct ksr_deblock_params deblock = ksr_deblock_params_make(config);
    const struct ksr_dehalo_params dehalo = ksr_dehalo_params_make(config);
    const struct ksr_normalize_params normalize = ksr_normalize_params_make(config);
    const struct ksr_deband_params deband = ksr_deband_params_make(config);
    const struct ksr_structure_params structure = ksr_structure_params_make(config);
    const struct ksr_antialias_params antialias = ksr_antialias_params_make(config);
    if (plane < ksr_layout_picture_planes(&r->drawn) && deblock.limit > 0 && !r->descales)
        add_step(&r->chain[plane],
                 (struct ksr_step){KSR_STEP_DEBLOCK, 1, KSR_DEBLOCK_REACH, {.deblock = deblock}},
                 &r->drawn, plane);
    if (ksr_layout_is_chroma(&r->drawn, plane) && ksr_chroma_shift_active(&shift))
        add_step(
            &r->chain[plane],
            (struct ksr_step){
                KSR_STEP_CHROMA_SHIFT, 1, ksr_chroma_shift_reach(&shift), {.chroma_shift = shift}},
            &r->drawn, plane);
    if (plane == 0 && dehalo.limit > 0)
        add_step(&r->chain[plane],
                 (struct ksr_step){KSR_STEP_DEHALO, 1, KSR_DEHALO_REACH, {.dehalo = dehalo}},
                 &r->drawn, plane);
    if (plane < ksr_layout_picture_planes(&r->drawn) && normalize.limit > 0)
        add_step(
            &r->chain[plane],
            (struct ksr_step){KSR_STEP_NORMALIZE, 1, KSR_NORMALIZE_REACH, {.normalize = normalize}},
            &r->drawn, plane);
    if (plane < ksr_layout_picture_planes(&r->drawn) && deband.limit > 0)
        add_step(&r->chain[plane],
                 (struct ksr_step){KSR_STEP_DEBAND, 1, KSR_DEBAND_REACH, {.deband = deband}},
                 &r->drawn, plane);
    if (plane == 0 && structure.limit > 0)
        add_step(
            &r->chain[plane],
            (struct ksr_step){KSR_STEP_STRUCTURE, 1, KSR_STRUCTURE_REACH, {.structure = structure}},
            &r->drawn, plane);
    // Last: stairs are found where both sides are flat.
    if (plane == 0 && antialias.strength > 0)
        add_step(
            &r->chain[plane],
            (struct ksr_step){KSR_STEP_ANTIALIAS, 1, KSR_ANTIALIAS_REACH, {.antialias = antialias}},
            &r->drawn, plane);
}

// A pass of stage 3 by the separable filter, or by a network that adds to what it makes.
static struct ksr_step filter_pass(const struct ksr_recipe *r, int plane, bool network)
{
    struct ksr_step step = {KSR_STEP_UPSCALE,
                            2,
                            KSR_UPSCALE_REACH,
                            {.upscale = ksr_upscale_params_make(&r->drawn, plane)}};
    if (network) {
        step.kind = KSR_STEP_NETWORK_CHROMA;
        step.reach = ksr_max(step.reach, r->chroma->reach);
    }
    return step;
}

// One pass of stage 3: luma by a network or learned filters, the rest by one separable filter.
static struct ksr_step pass(const struct ksr_recipe *r, int plane, bool first)
{
    const ksr_net *net = first || !r->again ? r->net : r->again;
    if (plane > 0)
        return filter_pass(r, plane, false);
    return net ? (struct ksr_step){KSR_STEP_NETWORK, 2, net->reach, {.net = net}}
               : (struct ksr_step){
                     .kind = KSR_STEP_LEARNED, .scale = 2, .reach = KSR_LEARNED_REACH};
}

// Stage 3. A model that keeps the size leaves the passes to the filters.
static void add_upscaling(struct ksr_recipe *r, int plane, const struct ksr_pipeline_config *config)
{
    const int model_scale = r->model ? ksr_frames_scale(r->model) : 1;
    const struct ksr_guide_params guide = ksr_guide_params_make(config, &r->drawn);
    struct ksr_layout layout = r->drawn;
    if (plane < r->model_planes) {
        layout = ksr_layout_scaled(&r->drawn, model_scale);
        add_step(&r->chain[plane], (struct ksr_step){.kind = KSR_STEP_MODEL, .scale = model_scale},
                 &layout, plane);
    }
    // What luma helps to enlarge, where it is as large as chroma becomes.
    const bool chroma = plane >= r->model_planes && ksr_layout_is_chroma(&layout, plane);
    const bool network = chroma && r->chroma;
    const bool guided = chroma && !network && ksr_guide_possible(&layout) && guide.strength > 0;
    for (bool first = true; layout.width < r->made.width; first = false) {
        struct ksr_step step = pass(r, plane, first);
        if (first && network)
            step = filter_pass(r, plane, true);
        else if (first && guided)
            step = (struct ksr_step){KSR_STEP_GUIDED, 2, KSR_GUIDE_REACH, {.guide = guide}};
        layout = ksr_layout_scaled(&layout, 2);
        add_step(&r->chain[plane], step, &layout, plane);
    }
}

// Stage 4.
static void add_enhancement(struct ksr_recipe *r, int plane,
                            const struct ksr_pipeline_config *config)
{
    const struct ksr_enhance_params p = ksr_enhance_params_make(config, r->input.full_range);
    if (plane == 0 && ksr_enhance_luma_active(&p))
        add_step(&r->chain[plane],
                 (struct ksr_step){KSR_STEP_ENHANCE_LUMA, 1, KSR_ENHANCE_REACH, {.enhance = p}},
                 &r->made, plane);
    if (plane > 0 && plane < ksr_layout_picture_planes(&r->drawn) && ksr_enhance_chroma_active(&p))
        add_step(&r->chain[plane], (struct ksr_step){KSR_STEP_ENHANCE_CHROMA, 1, 0, {.enhance = p}},
                 &r->made, plane);
}

// --- The recipe ---

int ksr_recipe_scale(const struct ksr_pipeline_config *config)
{
    return config->use_ai ? config->ai_scale : config->shader_scale;
}

int ksr_recipe_warmup(const struct ksr_pipeline_config *config)
{
    const struct ksr_temporal_params params = ksr_temporal_params_make(config);
    const bool on = config->enable_temporal && ksr_temporal_active(&params);
    return (config->composite > 0 ? KSR_COMPOSITE_AROUND : 0) +
           (on ? ksr_temporal_warmup(config->temporal_weight) : 0);
}

// Sets where the chains begin and end.
static bool plan_sizes(struct ksr_recipe *r, const struct ksr_pipeline_config *config, int width,
                       int height)
{
    struct ksr_drawn_size drawn;
    int scale = ksr_recipe_scale(config);
    r->descales = config->descale && ksr_drawn_size_parse(config->descale, &drawn);
    r->drawn = r->input;
    if (r->descales) {
        r->kernel = drawn.kernel;
        r->drawn.width = drawn.width;
        r->drawn.height = drawn.height;
        r->drawn.chroma_shift_x = r->drawn.chroma_shift_y = 0;
        scale = 2 * drawn.width >= width && 2 * drawn.height >= height ? 2 : 4;
    }
    if (r->model && r->descales)
        scale = ksr_frames_scale(r->model) > scale ? ksr_frames_scale(r->model) : scale;
    r->made = ksr_layout_scaled(&r->drawn, scale);
    r->output = r->input;
    r->output.width = width;
    r->output.height = height;
    return ksr_layout_valid(&r->made) && ksr_layout_valid(&r->output) &&
           (!r->descales || ksr_drawn_size_fits(&drawn, r->input.width, r->input.height));
}

// Whether grain is to be put back, of a strength that is known.
static bool is_grainy(const struct ksr_pipeline_config *config, struct ksr_grain *grain)
{
    enum ksr_grain_kind kind;
    return config->grain && ksr_grain_parse(config->grain, &kind, grain) &&
           kind == KSR_GRAIN_MEASURED && grain->amount > 0;
}

bool ksr_recipe_make_for(struct ksr_recipe *out, const struct ksr_layout *input,
                         const struct ksr_pipeline_config *config, const ksr_engine *engine,
                         int width, int height)
{
    struct ksr_recipe r = {.input = *input};
    const bool ai = config->use_ai && engine;
    r.net = ai ? engine->net : NULL;
    r.model = ai ? engine->frames : NULL;
    if (!plan_sizes(&r, config, width, height))
        return false;
    if (ai && r.made.width > 2 * r.drawn.width)
        r.again = engine->again;
    r.model_planes = r.model ? ksr_frames_planes(r.model, &r.drawn) : 0;
    if (ai && r.model_planes <= 1 && ksr_net_chroma_possible(&r.drawn))
        r.chroma = engine->chroma;
    for (int i = 0; i < input->planes; i++) {
        r.chain[i].width[0] = ksr_layout_plane_width(&r.drawn, i);
        r.chain[i].height[0] = ksr_layout_plane_height(&r.drawn, i);
        add_cleaning(&r, i, config);
        add_upscaling(&r, i, config);
        add_enhancement(&r, i, config);
    }
    r.kept_shift = ksr_chroma_shift_params_make(config, input, input);
    r.temporal = ksr_temporal_params_make(config);
    r.temporal_on = config->enable_temporal && ksr_temporal_active(&r.temporal);
    r.composite = ksr_composite_params_make(config->composite);
    r.composite_on = config->composite > 0;
    r.warmup = ksr_recipe_warmup(config);
    r.grain_on = is_grainy(config, &r.grain);
    *out = r;
    return true;
}

bool ksr_recipe_make(struct ksr_recipe *out, const struct ksr_layout *input,
                     const struct ksr_pipeline_config *config, const ksr_engine *engine)
{
    const int scale = ksr_recipe_scale(config);
    return ksr_recipe_make_for(out, input, config, engine, input->width * scale,
                               input->height * scale);
}

struct ksr_recipe ksr_recipe_of_smooth(const struct ksr_recipe *recipe)
{
    struct ksr_recipe r = *recipe;
    r.grain_on = false;
    return r;
}

struct ksr_recipe ksr_recipe_of_clean(const struct ksr_recipe *recipe)
{
    struct ksr_recipe r = *recipe;
    r.composite_on = false;
    r.warmup -= KSR_COMPOSITE_AROUND;
    return r;
}

struct ksr_recipe ksr_recipe_of_drawn(const struct ksr_recipe *recipe)
{
    struct ksr_recipe r = *recipe;
    r.input = r.drawn;
    r.descales = false;
    return r;
}

// Grain was measured in frames of the input's size. Alpha has none.
void ksr_recipe_grain(const struct ksr_recipe *recipe, struct ksr_grain_params out[KSR_MAX_PLANES])
{
    const struct ksr_layout *l = &recipe->input, *to = &recipe->output;
    memset(out, 0, KSR_MAX_PLANES * sizeof(out[0]));
    for (int i = 0; i < ksr_layout_picture_planes(to); i++) {
        const int from_size[2] = {ksr_layout_plane_width(l, i), ksr_layout_plane_height(l, i)};
        const int to_size[2] = {ksr_layout_plane_width(to, i), ksr_layout_plane_height(to, i)};
        out[i] = ksr_grain_params_make(&recipe->grain, to->full_range, i, from_size, to_size);
    }
}

void ksr_recipe_fit(struct ksr_recipe *recipe, int width, int height)
{
    recipe->output.width = width;
    recipe->output.height = height;
}

// Returns where in its block the first sample of an axis lies: `length` samples of luma from
// `first` on, of which every 1 << shift have one of the plane.
static int place_in_block(int first, int length, int shift, bool mirrored)
{
    const int block = KSR_DEBLOCK_BLOCK - 1;
    return (mirrored ? -(((first + length - 1) >> shift) + 1) : first >> shift) & block;
}

void ksr_recipe_place(struct ksr_recipe *recipe, const struct ksr_geometry *g)
{
    const int x = g->transposed ? g->y : g->x, y = g->transposed ? g->x : g->y;
    for (int i = 0; i < recipe->input.planes; i++)
        for (int k = 0; k < recipe->chain[i].count; k++) {
            struct ksr_step *step = &recipe->chain[i].step[k];
            const bool chroma = ksr_layout_is_chroma(&recipe->input, i);
            if (step->kind != KSR_STEP_DEBLOCK)
                continue;
            step->deblock.x = place_in_block(
                x, recipe->input.width, chroma ? recipe->input.chroma_shift_x : 0, g->mirrored_x);
            step->deblock.y = place_in_block(
                y, recipe->input.height, chroma ? recipe->input.chroma_shift_y : 0, g->mirrored_y);
        }
}

bool ksr_recipe_fits(const struct ksr_recipe *r)
{
    return r->output.width != r->made.width || r->output.height != r->made.height ||
           r->output.chroma_shift_x != r->made.chroma_shift_x ||
           r->output.chroma_shift_y != r->made.chroma_shift_y;
}

int ksr_recipe_together(const struct ksr_recipe *r, int plane)
{
    return r->chroma && plane == 1 ? 2 : 1;
}

bool ksr_step_reads_luma(const struct ksr_step *step)
{
    return step->kind == KSR_STEP_GUIDED || step->kind == KSR_STEP_NETWORK_CHROMA;
}

int ksr_chain_model(const struct ksr_chain *chain)
{
    int k = 0;
    while (k < chain->count && chain->step[k].kind != KSR_STEP_MODEL)
        k++;
    return k;
}

void ksr_guide_span(int *y0, int *y1, int height)
{
    *y0 = 2 * *y0;
    *y1 = ksr_min(2 * *y1, height);
}

// --- Printing ---

static void print_params(const struct ksr_step *step, FILE *out)
{
    const struct ksr_enhance_params *e = &step->enhance;
    if (step->kind == KSR_STEP_CHROMA_SHIFT)
        fprintf(out, ", sixteenths %d %d", step->chroma_shift.x, step->chroma_shift.y);
    if (step->kind == KSR_STEP_DEBLOCK)
        fprintf(out, ", limit %d, block at %d %d", step->deblock.limit, step->deblock.x,
                step->deblock.y);
    if (step->kind == KSR_STEP_DEHALO)
        fprintf(out, ", limit %d", step->dehalo.limit);
    if (step->kind == KSR_STEP_NORMALIZE)
        fprintf(out, ", limit %d", step->normalize.limit);
    if (step->kind == KSR_STEP_DEBAND)
        fprintf(out, ", limit %d", step->deband.limit);
    if (step->kind == KSR_STEP_STRUCTURE)
        fprintf(out, ", limit %d", step->structure.limit);
    if (step->kind == KSR_STEP_ANTIALIAS)
        fprintf(out, ", strength %d", step->antialias.strength);
    if (step->kind == KSR_STEP_UPSCALE || step->kind == KSR_STEP_NETWORK_CHROMA)
        fprintf(out, ", middle taps %d %d", step->upscale.x->tap[1][3], step->upscale.y->tap[1][3]);
    if (step->kind == KSR_STEP_GUIDED)
        fprintf(out, ", strength %d, limit %d", step->guide.strength, step->guide.limit);
    if (step->kind == KSR_STEP_ENHANCE_LUMA)
        fprintf(out, ", sharpening %d, line darkening %d, contrast %d, levels %d %d %d",
                e->sharpening, e->line_darkening, e->contrast, e->black, e->mid, e->white);
    if (step->kind == KSR_STEP_ENHANCE_CHROMA)
        fprintf(out, ", saturation %d, levels %d %d", e->saturation, e->chroma_low, e->chroma_high);
}

void ksr_recipe_print(const struct ksr_recipe *r, FILE *out)
{
    static const char *const names[KSR_STEP_KINDS] = {
        "chroma shift", "deblock",           "dehalo",  "normalize", "deband",
        "structure",    "antialias",         "upscale", "guided",    "learned",
        "network",      "network of chroma", "model",   "enhance",   "enhance"};
    if (r->composite_on)
        fprintf(out, "composite: one %d, mean %d, size %d, shift %d\n", r->composite.one,
                r->composite.mean, r->composite.size, r->composite.shift);
    if (r->descales)
        fprintf(out, "descale: %dx%d -> %dx%d, %s\n", r->input.width, r->input.height,
                r->drawn.width, r->drawn.height, ksr_kernel_name(r->kernel));
    if (r->temporal_on)
        fprintf(out, "temporal: weight %d, threshold %d, changed %d, period %d, warm-up %d\n",
                r->temporal.weight, r->temporal.threshold, r->temporal.changed, r->temporal.period,
                r->warmup);
    for (int i = 0; i < r->input.planes; i++)
        for (int k = 0; k < r->chain[i].count; k++) {
            const struct ksr_chain *c = &r->chain[i];
            fprintf(out, "plane %d: %s %dx%d -> %dx%d, reach %d", i, names[c->step[k].kind],
                    c->width[k], c->height[k], c->width[k + 1], c->height[k + 1], c->step[k].reach);
            print_params(&c->step[k], out);
            fputc('\n', out);
        }
    if (ksr_recipe_fits(r))
        fprintf(out, "fit: %dx%d -> %dx%d\n", r->made.width, r->made.height, r->output.width,
                r->output.height);
    if (r->grain_on) {
        char text[KSR_GRAIN_TEXT];
        ksr_grain_print(text, &r->grain);
        fprintf(out, "grain: %s\n", text);
    }
}
