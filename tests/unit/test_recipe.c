// What is to be done to a frame, as text: the steps and their numbers for a few configurations.

#include "unit.h"

#include <string.h>

#include "pipeline/recipe.h"

static struct ksr_pipeline_config neutral(void)
{
    return (struct ksr_pipeline_config){
        .shader_scale = 2, .ai_scale = 2, .contrast_boost = 1, .saturation_boost = 1};
}

static void assert_text(const struct ksr_recipe *recipe, const char *want)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    ksr_recipe_print(recipe, out);
    fclose(out);
    assert_string_equal(text, want);
    free(text);
}

static void assert_recipe(const struct ksr_layout *layout, const struct ksr_pipeline_config *config,
                          const ksr_engine *engine, const char *want)
{
    struct ksr_recipe recipe;
    assert_true(ksr_recipe_make(&recipe, layout, config, engine));
    assert_text(&recipe, want);
}

static void filters_alone(void **state)
{
    (void)state;
    const struct ksr_layout l = unit_layout(45, 33, 4, 1);
    const struct ksr_pipeline_config c = neutral();
    assert_recipe(&l, &c, NULL,
                  "plane 0: learned 45x33 -> 90x66, reach 5\n"
                  "plane 1: upscale 23x17 -> 45x33, reach 4, middle taps 13189 15086\n"
                  "plane 2: upscale 23x17 -> 45x33, reach 4, middle taps 13189 15086\n"
                  "plane 3: upscale 45x33 -> 90x66, reach 4, middle taps 17523 17523\n");
}

static void all_stages(void **state)
{
    (void)state;
    const struct ksr_layout l = unit_layout(20, 10, 3, 1);
    const struct ksr_pipeline_config c = {.shader_scale = 4,
                                          .chroma_shift_x = -3,
                                          .chroma_shift_y = 0.25,
                                          .denoise = 0.37,
                                          .composite = 0.5,
                                          .deblock = 0.5,
                                          .dehalo = 0.5,
                                          .deband = 0.3,
                                          .structure_smoothing = 0.61,
                                          .antialias = 0.9,
                                          .guided_chroma = 0.8,
                                          .sharpening = 0.83,
                                          .line_darkening = 0.29,
                                          .contrast_boost = 1.2,
                                          .saturation_boost = 0.8,
                                          .enable_temporal = true,
                                          .temporal_weight = 0.43,
                                          .motion_threshold = 0.57,
                                          .grain = "1.3:2,2,2,2,3,3,2,1:0.4:1.5:0.5"};
    struct ksr_recipe recipe;
    assert_true(ksr_recipe_make(&recipe, &l, &c, NULL));
    ksr_recipe_fit(&recipe, 60, 30);
    assert_text(&recipe,
                "composite: one 342, mean 136, size 170, shift 21\n"
                "temporal: weight 7045, threshold 18677, changed 2048, period 4, warm-up 9\n"
                "plane 0: deblock 20x10 -> 20x10, reach 3, limit 1024, block at 0 0\n"
                "plane 0: dehalo 20x10 -> 20x10, reach 30, limit 10240\n"
                "plane 0: normalize 20x10 -> 20x10, reach 1, limit 758\n"
                "plane 0: deband 20x10 -> 20x10, reach 20, limit 154\n"
                "plane 0: structure 20x10 -> 20x10, reach 3, limit 1249\n"
                "plane 0: antialias 20x10 -> 20x10, reach 16, strength 230\n"
                "plane 0: learned 20x10 -> 40x20, reach 5\n"
                "plane 0: learned 40x20 -> 80x40, reach 5\n"
                "plane 0: enhance 80x40 -> 80x40, reach 4, sharpening 212, line darkening 74, "
                "contrast 4915, levels 2048 16064 30080\n"
                "plane 1: deblock 10x5 -> 10x5, reach 3, limit 1024, block at 0 0\n"
                "plane 1: chroma shift 10x5 -> 10x5, reach 5, sixteenths -24 2\n"
                "plane 1: normalize 10x5 -> 10x5, reach 1, limit 758\n"
                "plane 1: deband 10x5 -> 10x5, reach 20, limit 154\n"
                "plane 1: guided 10x5 -> 20x10, reach 4, strength 205, limit 303\n"
                "plane 1: upscale 20x10 -> 40x20, reach 4, middle taps 13189 15086\n"
                "plane 1: enhance 40x20 -> 40x20, reach 0, saturation 3277, levels 2048 30720\n"
                "plane 2: deblock 10x5 -> 10x5, reach 3, limit 1024, block at 0 0\n"
                "plane 2: chroma shift 10x5 -> 10x5, reach 5, sixteenths -24 2\n"
                "plane 2: normalize 10x5 -> 10x5, reach 1, limit 758\n"
                "plane 2: deband 10x5 -> 10x5, reach 20, limit 154\n"
                "plane 2: guided 10x5 -> 20x10, reach 4, strength 205, limit 303\n"
                "plane 2: upscale 20x10 -> 40x20, reach 4, middle taps 13189 15086\n"
                "plane 2: enhance 40x20 -> 40x20, reach 0, saturation 3277, levels 2048 30720\n"
                "fit: 80x40 -> 60x30\n"
                "grain: 1.30:2.00,2.00,2.00,2.00,3.00,3.00,2.00,1.00:0.40:1.50:0.50\n");
    const struct ksr_recipe smooth = ksr_recipe_of_smooth(&recipe);
    assert_false(smooth.grain_on);
    // Nothing is put back of what has not been measured, or of no amount.
    static const char *const none[] = {"keep", "remove", "1", "0:2,2,2,2,3,3,2,1:0.4:1.5:0.5"};
    for (int i = 0; i < 4; i++) {
        struct ksr_pipeline_config other = c;
        other.grain = none[i];
        assert_true(ksr_recipe_make(&recipe, &l, &other, NULL) && !recipe.grain_on);
    }
}

// A network makes luma only; an engine is not looked at where the configuration has no AI.
static void a_network(void **state)
{
    (void)state;
    ksr_net net = {.reach = 9};
    const ksr_engine engine = {.net = &net};
    const struct ksr_layout l = unit_layout(8, 6, 2, 0);
    struct ksr_pipeline_config c = neutral();
    assert_recipe(&l, &c, &engine,
                  "plane 0: learned 8x6 -> 16x12, reach 5\n"
                  "plane 1: upscale 8x6 -> 16x12, reach 4, middle taps 17523 17523\n");
    c.use_ai = true;
    assert_recipe(&l, &c, &engine,
                  "plane 0: network 8x6 -> 16x12, reach 9\n"
                  "plane 1: upscale 8x6 -> 16x12, reach 4, middle taps 17523 17523\n");
}

// Another network doubles again what the first has made, and nothing else.
static void two_networks(void **state)
{
    (void)state;
    ksr_net net = {.reach = 9}, other = {.reach = 11};
    ksr_engine engine = {.net = &net, .again = &other};
    const struct ksr_layout l = unit_layout(8, 6, 1, 0);
    struct ksr_pipeline_config c = neutral();
    struct ksr_recipe r;
    c.use_ai = true;
    c.ai_scale = 4;
    assert_recipe(&l, &c, &engine,
                  "plane 0: network 8x6 -> 16x12, reach 9\n"
                  "plane 0: network 16x12 -> 32x24, reach 11\n");
    assert_true(ksr_recipe_make(&r, &l, &c, &engine) && r.again == &other);
    assert_true(r.chain[0].step[0].net == &net && r.chain[0].step[1].net == &other);
    engine.again = NULL;
    assert_true(ksr_recipe_make(&r, &l, &c, &engine) && !r.again);
    assert_true(r.chain[0].step[0].net == &net && r.chain[0].step[1].net == &net);
    engine.again = &other;
    c.ai_scale = 2;
    assert_true(ksr_recipe_make(&r, &l, &c, &engine) && !r.again);
    assert_true(r.chain[0].step[0].net == &net);
}

// Luma guides chroma of half its size on both axes, and nothing else.
static void guided_chroma(void **state)
{
    (void)state;
    struct ksr_layout l = unit_layout(45, 33, 4, 1);
    struct ksr_pipeline_config c = neutral();
    c.guided_chroma = 1;
    assert_recipe(&l, &c, NULL,
                  "plane 0: learned 45x33 -> 90x66, reach 5\n"
                  "plane 1: guided 23x17 -> 45x33, reach 4, strength 256, limit 0\n"
                  "plane 2: guided 23x17 -> 45x33, reach 4, strength 256, limit 0\n"
                  "plane 3: upscale 45x33 -> 90x66, reach 4, middle taps 17523 17523\n");
    l.chroma_shift_y = 0;
    struct ksr_recipe with, without;
    for (int k = 0; k < 2; k++) { // 4:2:2, 4:4:4
        l.chroma_shift_x = 1 - k;
        c.guided_chroma = 1;
        assert_true(ksr_recipe_make(&with, &l, &c, NULL));
        c.guided_chroma = 0;
        assert_true(ksr_recipe_make(&without, &l, &c, NULL));
        for (int i = 0; i < 3; i++)
            assert_memory_equal(&with.chain[i], &without.chain[i], sizeof(with.chain[i]));
    }
}

// A model of ONNX Runtime stands behind stages 1 and 2; one that keeps the size leaves the passes
// to the filters; one that sees colour makes the chroma, too.
static void a_model(void **state)
{
    (void)state;
    const int scales[2] = {2, 1};
    const char *want[2] = {"plane 0: normalize 8x6 -> 8x6, reach 1, limit 1024\n"
                           "plane 0: model 8x6 -> 16x12, reach 0\n"
                           "plane 1: normalize 4x3 -> 4x3, reach 1, limit 1024\n"
                           "plane 1: model 4x3 -> 8x6, reach 0\n"
                           "plane 2: normalize 4x3 -> 4x3, reach 1, limit 1024\n"
                           "plane 2: model 4x3 -> 8x6, reach 0\n",
                           "plane 0: normalize 8x6 -> 8x6, reach 1, limit 1024\n"
                           "plane 0: model 8x6 -> 8x6, reach 0\n"
                           "plane 0: learned 8x6 -> 16x12, reach 5\n"
                           "plane 1: normalize 4x3 -> 4x3, reach 1, limit 1024\n"
                           "plane 1: guided 4x3 -> 8x6, reach 4, strength 256, limit 512\n"
                           "plane 2: normalize 4x3 -> 4x3, reach 1, limit 1024\n"
                           "plane 2: guided 4x3 -> 8x6, reach 4, strength 256, limit 512\n"};
    const struct ksr_layout l = unit_layout(8, 6, 3, 1);
    struct ksr_pipeline_config c = neutral();
    c.use_ai = true;
    c.denoise = 0.5;
    c.guided_chroma = 1;
    for (int i = 0; i < 2; i++) {
        ksr_onnx *onnx = calloc(1, sizeof(*onnx));
        assert_non_null(onnx);
        onnx->scale = scales[i];
        const struct ksr_frames_params params = {.scale = 2, .rgb = i == 0};
        ksr_engine engine = {.frames = ksr_frames_create(onnx, &params)};
        assert_non_null(engine.frames);
        assert_recipe(&l, &c, &engine, want[i]);
        ksr_frames_destroy(&engine.frames);
    }
}

// A part of the decoder's frames, turned: its blocks begin elsewhere.
static void blocks_of_a_part(void **state)
{
    (void)state;
    struct ksr_layout l = unit_layout(30, 22, 3, 1);
    struct ksr_pipeline_config c = neutral();
    struct ksr_recipe recipe;
    c.deblock = 1;
    for (int k = 0; k < 16; k++) {
        const struct ksr_geometry g = {.width = 100,
                                       .height = 90,
                                       .x = 6,
                                       .y = 12,
                                       .part_width = k & 1 ? 22 : 30,
                                       .part_height = k & 1 ? 30 : 22,
                                       .transposed = k & 1,
                                       .mirrored_x = k >> 1 & 1,
                                       .mirrored_y = k >> 2 & 1};
        l.chroma_shift_x = k & 8 ? 0 : 1;
        assert_true(ksr_recipe_make(&recipe, &l, &c, NULL));
        ksr_recipe_place(&recipe, &g);
        for (int i = 0; i < 3; i++) {
            const struct ksr_deblock_params *p = &recipe.chain[i].step[0].deblock;
            const int shift[2] = {i > 0 ? l.chroma_shift_x : 0, i > 0 ? l.chroma_shift_y : 0};
            const int first[2] = {(k & 1 ? g.y : g.x) >> shift[0], (k & 1 ? g.x : g.y) >> shift[1]};
            const int width = l.width >> shift[0], height = l.height >> shift[1];
            // The source's sample that the plane begins with, and whether blocks begin there.
            for (int x = 0; x < width; x++)
                assert_int_equal((x + p->x) % 8 == 0, g.mirrored_x ? (first[0] + width - x) % 8 == 0
                                                                   : (first[0] + x) % 8 == 0);
            for (int y = 0; y < height; y++)
                assert_int_equal((y + p->y) % 8 == 0, g.mirrored_y
                                                          ? (first[1] + height - y) % 8 == 0
                                                          : (first[1] + y) % 8 == 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filters_alone), cmocka_unit_test(blocks_of_a_part),
        cmocka_unit_test(all_stages),    cmocka_unit_test(a_network),
        cmocka_unit_test(guided_chroma), cmocka_unit_test(a_model),
        cmocka_unit_test(two_networks),
    };
    return cmocka_run_group_tests_name("recipe", tests, NULL, NULL);
}
