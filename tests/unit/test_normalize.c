// Stage 1: what it must leave alone, and what it must clean.

#include "unit.h"

#include "stages/normalize.h"

static void run(const struct ksr_plane *dst, const struct ksr_plane *src, double strength)
{
    const struct ksr_normalize_params params =
        ksr_normalize_params_make(&(struct ksr_pipeline_config){.denoise = strength});
    ksr_normalize_rows(dst, src, &params, 0, src->height);
}

static void strength_becomes_a_limit(void **state)
{
    (void)state;
    assert_int_equal(ksr_normalize_params_make(&(struct ksr_pipeline_config){.denoise = 0}).limit,
                     0);
    assert_int_equal(ksr_normalize_params_make(&(struct ksr_pipeline_config){.denoise = 0.2}).limit,
                     410);
    assert_int_equal(ksr_normalize_params_make(&(struct ksr_pipeline_config){.denoise = 1}).limit,
                     2048);
}

static void flat_areas_and_ramps_stay(void **state)
{
    (void)state;
    struct ksr_frame a = unit_grey(67, 41), b = unit_grey(67, 41);
    for (int s = 1; s <= 10; s++) {
        for (int v = 0; v <= 32767; v += 4681) {
            unit_fill(&a.plane[0], (uint16_t)v);
            run(&b.plane[0], &a.plane[0], s / 10.0);
            unit_assert_flat(&b.plane[0], v);
        }
        unit_fill_ramp(&a.plane[0], 5000, 37 * s, -11 * s);
        run(&b.plane[0], &a.plane[0], s / 10.0);
        for (int y = 1; y < 40; y++)
            for (int x = 1; x < 66; x++)
                assert_int_equal(*unit_at(&b.plane[0], x, y), *unit_at(&a.plane[0], x, y));
    }
    ksr_frame_free(&a);
    ksr_frame_free(&b);
}

// A step, a line and a dot higher than twice the limit are untouched at full strength.
static void edges_stay(void **state)
{
    (void)state;
    struct ksr_frame a = unit_grey(40, 40), b = unit_grey(40, 40);
    unit_fill(&a.plane[0], 8000);
    for (int y = 0; y < 40; y++) {
        for (int x = 20; x < 40; x++)
            *unit_at(&a.plane[0], x, y) = 8000 + 2 * 2048;
        *unit_at(&a.plane[0], 8, y) = 8000 - 2 * 2048;
        *unit_at(&a.plane[0], y, y) = 30000;
    }
    run(&b.plane[0], &a.plane[0], 1);
    unit_assert_equal(&b.plane[0], &a.plane[0]);
    ksr_frame_free(&a);
    ksr_frame_free(&b);
}

static double variance(const struct ksr_plane *p, int mean)
{
    double sum = 0;
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++) {
            const double d = *unit_at(p, x, y) - mean;
            sum += d * d;
        }
    return sum / p->width / p->height;
}

static void small_noise_goes_down(void **state)
{
    (void)state;
    uint32_t seed = 11;
    struct ksr_frame a = unit_grey(200, 100), b = unit_grey(200, 100);
    for (int y = 0; y < 100; y++)
        for (int x = 0; x < 200; x++)
            *unit_at(&a.plane[0], x, y) = (uint16_t)(16000 + unit_random(&seed) % 401 - 200);
    run(&b.plane[0], &a.plane[0], 0.2); // limit 410
    // Binomial weights leave 36/256 of white noise.
    const double left = variance(&b.plane[0], 16000) / variance(&a.plane[0], 16000);
    assert_true(left > 0.12 && left < 0.17);
    ksr_frame_free(&a);
    ksr_frame_free(&b);
}

// The formula, written down once more without tiles.
static int reference(const struct ksr_plane *p, int x, int y, int limit)
{
    const int c = *unit_at(p, x, y);
    int sum = 0;
    for (int dy = -1; dy <= 1; dy++)
        for (int dx = -1; dx <= 1; dx++) {
            int u = x + dx, v = y + dy;
            u = u < 0 ? 0 : u >= p->width ? p->width - 1 : u;
            v = v < 0 ? 0 : v >= p->height ? p->height - 1 : v;
            const int d = *unit_at(p, u, v) - c, size = abs(d);
            const int kept = size <= limit ? size : size < 2 * limit ? 2 * limit - size : 0;
            sum += (dx && dy ? 1 : 2) * (d < 0 ? -kept : kept);
        }
    return c + (int)((sum + 8 + 16 * 65536) / 16 - 65536);
}

static void equals_its_formula_at_every_size(void **state)
{
    (void)state;
    uint32_t seed = 3;
    for (int w = 1; w <= 17; w++)
        for (int h = 1; h <= 9; h++) {
            struct ksr_frame a = unit_grey(w == 17 ? 531 : w, h), b = unit_grey(a.layout.width, h);
            for (int extreme = 0; extreme < 2; extreme++) {
                unit_fill_random(&a.plane[0], &seed, extreme);
                run(&b.plane[0], &a.plane[0], 0.7);
                for (int y = 0; y < h; y++)
                    for (int x = 0; x < a.layout.width; x++)
                        assert_int_equal(*unit_at(&b.plane[0], x, y),
                                         reference(&a.plane[0], x, y, 1434));
            }
            ksr_frame_free(&a);
            ksr_frame_free(&b);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strength_becomes_a_limit),
        cmocka_unit_test(flat_areas_and_ramps_stay),
        cmocka_unit_test(edges_stay),
        cmocka_unit_test(small_noise_goes_down),
        cmocka_unit_test(equals_its_formula_at_every_size),
    };
    return cmocka_run_group_tests_name("normalize", tests, NULL, NULL);
}
