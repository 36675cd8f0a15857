// Anti-aliasing: stairs come close to lines drawn with coverage; what has no stairs stays.

#include "unit.h"

#include <math.h>
#include <stdbool.h>

#include "stages/antialias.h"

#define W     163
#define H     131
#define CODE  128 // of 8 bits
#define LIGHT (220 * CODE)
#define GREY  (160 * CODE)
#define DARK  (40 * CODE)

static void run(const struct ksr_plane *dst, const struct ksr_plane *src, double strength)
{
    const struct ksr_antialias_params params =
        ksr_antialias_params_make(&(struct ksr_pipeline_config){.antialias = strength});
    ksr_antialias_rows(dst, src, &params, 0, src->height);
}

static double error(const struct ksr_plane *a, const struct ksr_plane *b)
{
    double sum = 0;
    for (int y = 2; y < a->height - 2; y++)
        for (int x = 2; x < a->width - 2; x++)
            sum += pow((*unit_at(a, x, y) - *unit_at(b, x, y)) / (double)CODE, 2);
    return sum / (a->width * a->height);
}

// --- Drawing ---

// Whether a point of a drawing is dark.
struct drawing {
    bool (*dark)(double x, double y, double slope);
    double slope;
};

static bool edge(double x, double y, double slope)
{
    return y > 21.3 + slope * x;
}

static bool line(double x, double y, double slope)
{
    return fabs(y - 30.7 - slope * x) < 0.5 * sqrt(1 + slope * slope);
}

// Between two colours.
static bool outline(double x, double y, double slope)
{
    return line(x, y, slope);
}

static bool broad_line(double x, double y, double slope)
{
    return fabs(y - 30.7 - slope * x) < 2.5 * sqrt(1 + slope * slope);
}

static bool disc(double x, double y, double size)
{
    return hypot(x - 80.2, y - 60.9) < 50 * size;
}

static int colour(const struct drawing *d, double x, double y)
{
    // Outlines have another colour on their far side.
    const bool far = d->dark == outline && y > 30.7 + d->slope * x;
    return d->dark(x, y, d->slope) ? DARK : far ? GREY : LIGHT;
}

// The mean of each sample, or what lies in its middle. `upright`: turned.
static void draw(const struct ksr_plane *p, const struct drawing *d, bool covered, bool upright)
{
    const int parts = covered ? 16 : 1;
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++) {
            int sum = 0;
            for (int k = 0; k < parts * parts; k++) {
                const double u = x + (k % parts + 0.5) / parts, v = y + (k / parts + 0.5) / parts;
                sum += upright ? colour(d, v, u) : colour(d, u, v);
            }
            // As frames of 8 bits have it.
            *unit_at(p, x, y) = (uint16_t)((sum / (parts * parts) + CODE / 2) / CODE * CODE);
        }
}

// The same without anti-aliasing, in samples of 1 << x by 1 << y.
static void draw_large(const struct ksr_plane *p, const struct drawing *d, int x_bits, int y_bits)
{
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++)
            *unit_at(p, x, y) = (uint16_t)colour(d, ((x >> x_bits) + 0.5) * (1 << x_bits),
                                                 ((y >> y_bits) + 0.5) * (1 << y_bits));
}

static const struct drawing drawings[] = {
    {edge, 0.04},       {edge, 0.13},       {edge, 0.31}, {edge, 0.6},     {broad_line, 0.08},
    {broad_line, -0.2}, {broad_line, 0.37}, {disc, 1},    {disc, 0.61},    {line, 0.07},
    {line, -0.17},      {line, 0.36},       {line, 0.55}, {outline, 0.12}, {outline, -0.35}};
#define DRAWINGS (sizeof(drawings) / sizeof(drawings[0]))
#define LINES    6 // at the end: too thin to be enlarged

static void stairs_become_lines(void **state)
{
    (void)state;
    struct ksr_frame truth = unit_grey(W, H), hard = unit_grey(W, H), out = unit_grey(W, H);
    const struct ksr_plane *a = &truth.plane[0], *b = &hard.plane[0], *c = &out.plane[0];
    for (size_t i = 0; i < DRAWINGS; i++)
        for (int upright = 0; upright < 2; upright++) {
            draw(a, &drawings[i], true, upright);
            draw(b, &drawings[i], false, upright);
            run(c, b, 1);
            const double whole = error(c, a), before = error(b, a);
            if (whole > 0.3 * before)
                fail_msg("drawing %zu: error %g, then %g", i, before, whole);
            run(c, b, 0.5);
            if (error(c, a) < 0.2 * before || error(c, a) > 0.5 * before)
                fail_msg("drawing %zu: error %g, then %g at 0.5", i, before, error(c, a));
        }
    ksr_frame_free(&truth);
    ksr_frame_free(&hard);
    ksr_frame_free(&out);
}

// Stairs of two rows or samples.
static void enlarged_stairs_become_lines(void **state)
{
    (void)state;
    struct ksr_frame truth = unit_grey(W, H), hard = unit_grey(W, H), out = unit_grey(W, H);
    const struct ksr_plane *a = &truth.plane[0], *b = &hard.plane[0], *c = &out.plane[0];
    for (size_t i = 0; i < DRAWINGS - LINES; i++)
        for (int x_bits = 0; x_bits < 2; x_bits++) {
            draw(a, &drawings[i], true, false);
            draw_large(b, &drawings[i], x_bits, 1);
            run(c, b, 1);
            if (error(c, a) > 0.5 * error(b, a))
                fail_msg("drawing %zu, %d: error %g, then %g", i, x_bits, error(b, a), error(c, a));
        }
    ksr_frame_free(&truth);
    ksr_frame_free(&hard);
    ksr_frame_free(&out);
}

// --- Single stairs ---

// Fills a plane with two colours: behind the first row is dark what lies at or below top(x).
static void draw_border(const struct ksr_plane *p, int (*top)(int x))
{
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++)
            *unit_at(p, x, y) = y >= top(x) ? DARK : LIGHT;
}

static int share_of(const struct ksr_plane *p, int x, int y)
{
    // In 1/1000 of the step, from light to dark.
    return (int)lrint((LIGHT - *unit_at(p, x, y)) * 1000.0 / (LIGHT - DARK));
}

static int stairs_of_7(int x)
{
    return 60 - x / 7;
}

static int stairs_of_8_and_2_rows(int x)
{
    return 2 * (30 - x / 8);
}

static int one_stair(int x)
{
    return x < 80 ? 50 : 51;
}

static int arch(int x)
{
    return x >= 70 && x < 80 ? 50 : 51;
}

static int short_arch(int x)
{
    return x >= 70 && x < 74 ? 50 : 51;
}

static int cliff(int x)
{
    return x < 80 ? 50 : 53;
}

static void assert_shares(const struct ksr_plane *p, int x, int y, const int *shares, int count)
{
    for (int i = 0; i < count; i++)
        if (abs(share_of(p, x + i, y) - shares[i]) > 1)
            fail_msg("sample (%d, %d): %d, not %d", x + i, y, share_of(p, x + i, y), shares[i]);
}

static void coverage_is_exact(void **state)
{
    (void)state;
    struct ksr_frame in = unit_grey(W, H), out = unit_grey(W, H);
    const struct ksr_plane *a = &in.plane[0], *b = &out.plane[0];

    // From half a row to the middle of the run and on: (r - l) / 2 L, and 1/56 twice in the middle.
    draw_border(a, stairs_of_7);
    run(b, a, 1);
    const int above[7] = {0, 0, 0, 18, 143, 286, 429};
    const int below[7] = {571, 714, 857, 982, 1000, 1000, 1000};
    for (int k = 5; k < 9; k++) {
        assert_shares(b, 7 * k, 59 - k, above, 7);
        assert_shares(b, 7 * k, 60 - k, below, 7);
        assert_int_equal(*unit_at(b, 7 * k + 5, 59 - k), LIGHT - 6583); // 6582.86
        assert_int_equal(*unit_at(b, 7 * k + 1, 60 - k), DARK + 6583);
    }

    draw_border(a, stairs_of_8_and_2_rows);
    run(b, a, 1);
    const int higher[8] = {0, 0, 0, 0, 125, 375, 625, 875};
    const int lower[8] = {125, 375, 625, 875, 1000, 1000, 1000, 1000};
    for (int k = 5; k < 9; k++) {
        assert_shares(b, 8 * k, 2 * (30 - k) - 1, higher, 8);
        assert_shares(b, 8 * k, 2 * (30 - k), lower, 8);
    }

    // Runs that are longer than what is looked at: to nothing after 17 samples.
    draw_border(a, one_stair);
    run(b, a, 1);
    for (int i = 0; i < 20; i++) {
        const int length = i + 17, far = i < 16 ? 16 - i : 0;
        const int share = (int)lrint(1000.0 * far / (2 * length));
        assert_shares(b, 79 - i, 50, &(int){1000 - share}, 1);
        assert_shares(b, 80 + i, 50, &share, 1);
    }

    draw_border(a, arch);
    run(b, a, 1);
    const int top[10] = {550, 650, 750, 850, 950, 950, 850, 750, 650, 550};
    assert_shares(b, 70, 50, top, 10);
    ksr_frame_free(&in);
    ksr_frame_free(&out);
}

// Noise of up to a share of the step, the same at every call.
static void add_noise(const struct ksr_plane *p, double share)
{
    uint32_t seed = 77;
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++) {
            const double noise = (unit_random(&seed) >> 8 & 4095) / 4095.0 - 0.5;
            *unit_at(p, x, y) =
                (uint16_t)(*unit_at(p, x, y) + lrint(share * (LIGHT - DARK) * noise));
        }
}

// Samples count as equal up to 3/16 of the step; up to 1/16 where a run has one end.
static void noise_is_allowed(void **state)
{
    (void)state;
    struct ksr_frame in = unit_grey(W, H), noisy = unit_grey(W, H), out = unit_grey(W, H);
    const struct ksr_plane *a = &in.plane[0], *b = &noisy.plane[0], *c = &out.plane[0];
    draw(a, &(struct drawing){edge, 0.13}, true, false);
    for (int k = 0; k < 3; k++) {
        static const double noise[3] = {0.15, 0.2, 0.4}, least[3] = {0, 0.2, 0.9};
        static const double most[3] = {0.3, 0.8, 1.2};
        draw(b, &(struct drawing){edge, 0.13}, false, false);
        add_noise(b, noise[k]);
        add_noise(a, noise[k]);
        run(c, b, 1);
        const double ratio = error(c, a) / error(b, a);
        if (ratio < least[k] || ratio > most[k])
            fail_msg("noise %g: error %g, then %g", noise[k], error(b, a), error(c, a));
        draw(a, &(struct drawing){edge, 0.13}, true, false);
    }
    for (int k = 0; k < 2; k++) {
        draw_border(b, one_stair);
        for (int x = 80; x < W; x++)
            *unit_at(b, x, 49) = (uint16_t)(LIGHT - (k ? 0.064 : 0.061) * (LIGHT - DARK));
        run(c, b, 1);
        assert_shares(c, 79, 50, k ? (const int[]){1000} : (const int[]){529}, 1);
    }
    ksr_frame_free(&in);
    ksr_frame_free(&noisy);
    ksr_frame_free(&out);
}

// --- What stays ---

static void assert_stays(const struct ksr_plane *src, const struct ksr_plane *dst, const char *what,
                         int share)
{
    run(dst, src, 1);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            if (abs(*unit_at(dst, x, y) - *unit_at(src, x, y)) > share * (LIGHT - DARK) / 1000)
                fail_msg("%s: %d at %d %d, not %d", what, *unit_at(dst, x, y), x, y,
                         *unit_at(src, x, y));
}

static void set_pattern(const struct ksr_plane *p, bool (*dark)(int x, int y))
{
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++)
            *unit_at(p, x, y) = dark(x, y) ? DARK : LIGHT;
}

static bool rectangles(int x, int y)
{
    return x % 31 > 3 && x % 31 < 24 && y % 23 > 2 && y % 23 < 15;
}

static bool outlines(int x, int y)
{
    return x % 9 == 0 || y % 13 == 0;
}

static bool checkers(int x, int y)
{
    return (x + y) % 2;
}

static bool large_checkers(int x, int y)
{
    return (x / 2 + y / 2) % 2;
}

static bool dots(int x, int y)
{
    return x % 4 == 0 && y % 4 == 0;
}

static bool staggered_dots(int x, int y)
{
    return y % 2 == 0 && (x + y) % 4 == 0;
}

static bool blocks(int x, int y)
{
    return x % 5 < 2 && y % 6 < 2;
}

static bool jumping_line(int x, int y)
{
    // Two rows at once, but one row thick.
    return y % 40 == (x < 80 ? 20 : 22);
}

static bool one_line(int x, int y)
{
    return y == (x < 80 ? 20 : 21);
}

static bool forked_line(int x, int y)
{
    return one_line(x, y) || (x >= 80 && y == 19);
}

// A screen of growing density.
static bool screen(int x, int y)
{
    static const int levels[4][4] = {{0, 8, 2, 10}, {12, 4, 14, 6}, {3, 11, 1, 9}, {15, 7, 13, 5}};
    return levels[y % 4][x % 4] < x / 10;
}

static bool letters(int x, int y)
{
    // Bars with feet, three samples thick.
    return (x % 20 >= 8 && x % 20 < 11) || (y % 24 > 20 && x % 20 > 4 && x % 20 < 15);
}

static void what_has_no_stairs_stays(void **state)
{
    (void)state;
    static bool (*const patterns[])(int x, int y) = {rectangles,     outlines,     checkers,
                                                     large_checkers, dots,         staggered_dots,
                                                     blocks,         jumping_line, letters};
    struct ksr_frame in = unit_grey(W, H), out = unit_grey(W, H);
    const struct ksr_plane *a = &in.plane[0], *b = &out.plane[0];
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        set_pattern(a, patterns[i]);
        assert_stays(a, b, "pattern", 0);
    }
    for (int v = 0; v <= KSR_SAMPLE_MAX; v += 4681) {
        unit_fill(a, (uint16_t)v);
        assert_stays(a, b, "flat", 0);
    }
    unit_fill_ramp(a, 12000, 131, -140);
    assert_stays(a, b, "ramp", 0);
    draw_border(a, cliff);
    assert_stays(a, b, "cliff", 0);
    // Too short for an arch, though what leads to it is a stair.
    draw_border(a, short_arch);
    run(b, a, 1);
    assert_shares(b, 70, 50, (const int[]){1000, 1000, 1000, 1000}, 4);
    // Steps of less than 16 codes.
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            *unit_at(a, x, y) = (uint16_t)(9000 + (y > x / 8) * (16 * CODE - 1));
    assert_stays(a, b, "low step", 0);
    ksr_frame_free(&in);
    ksr_frame_free(&out);
}

static int changed_samples(const struct ksr_plane *a, const struct ksr_plane *b)
{
    int count = 0;
    for (int y = 0; y < a->height; y++)
        for (int x = 0; x < a->width; x++)
            count += *unit_at(a, x, y) != *unit_at(b, x, y);
    return count;
}

// What may be a thin line, or not.
static void thin_lines_are_told_from_screens(void **state)
{
    (void)state;
    struct ksr_frame in = unit_grey(W, H), out = unit_grey(W, H);
    const struct ksr_plane *a = &in.plane[0], *b = &out.plane[0];
    set_pattern(a, one_line);
    run(b, a, 1);
    assert_true(share_of(b, 79, 21) > 300);
    set_pattern(a, forked_line);
    run(b, a, 1);
    assert_int_equal(share_of(b, 79, 21), 0);
    set_pattern(a, screen);
    run(b, a, 1);
    assert_true(changed_samples(a, b) < W * H / 100);
    ksr_frame_free(&in);
    ksr_frame_free(&out);
}

// Drawings that have anti-aliasing, also soft ones.
static void drawings_with_coverage_stay(void **state)
{
    (void)state;
    struct ksr_frame in = unit_grey(W, H), out = unit_grey(W, H);
    const struct ksr_plane *a = &in.plane[0], *b = &out.plane[0];
    for (size_t i = 0; i < DRAWINGS; i++)
        for (int upright = 0; upright < 2; upright++) {
            draw(a, &drawings[i], true, upright);
            assert_stays(a, b, "drawing", 0);
        }
    ksr_frame_free(&in);
    ksr_frame_free(&out);
}

// --- Symmetry and bands ---

static void fill_hard(const struct ksr_plane *p, uint32_t *seed)
{
    // Lines of several slopes, single and doubled, with noise, and random blocks of two colours.
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++) {
            const int part = x / 60 % 3, double_x = part == 1 ? x / 2 : x, double_y = y / 2;
            const int at = part == 2 ? (18 * y + x) / 4 : 2 * double_x + 7 * double_y;
            const bool dark = y % 50 > 40 ? unit_random(seed) >> 9 & 1 : (at & 16) > 0;
            const int noise = (int)(unit_random(seed) >> 9) % (y % 100 < 50 ? 1000 : 2600);
            *unit_at(p, x, y) = (uint16_t)((dark ? DARK : LIGHT) + noise);
        }
}

static void turned_planes_give_turned_results(void **state)
{
    (void)state;
    struct ksr_frame in = unit_grey(W, H), out = unit_grey(W, H);
    uint32_t seed = 9;
    fill_hard(&in.plane[0], &seed);
    run(&out.plane[0], &in.plane[0], 1);
    int changed = 0;
    for (int k = 1; k < 16; k++) {
        const bool turned = k & 1, mirrored_x = k & 2, mirrored_y = k & 4, inverted = k & 8;
        struct ksr_frame from = turned ? unit_grey(H, W) : unit_grey(W, H),
                         to = turned ? unit_grey(H, W) : unit_grey(W, H);
        for (int pass = 0; pass < 2; pass++) {
            for (int y = 0; y < H; y++)
                for (int x = 0; x < W; x++) {
                    const int u = mirrored_x ? W - 1 - x : x, v = mirrored_y ? H - 1 - y : y;
                    const int value = *unit_at(pass ? &out.plane[0] : &in.plane[0], x, y);
                    const int wanted = inverted ? KSR_SAMPLE_MAX - value : value;
                    uint16_t *const p = unit_at(pass ? &to.plane[0] : &from.plane[0],
                                                turned ? v : u, turned ? u : v);
                    if (pass)
                        assert_int_equal(*p, wanted);
                    else
                        *p = (uint16_t)wanted;
                    changed += pass && value != *unit_at(&in.plane[0], x, y);
                }
            run(&to.plane[0], &from.plane[0], 1);
        }
        ksr_frame_free(&from);
        ksr_frame_free(&to);
    }
    assert_true(changed > 15 * 1000);
    ksr_frame_free(&in);
    ksr_frame_free(&out);
}

// Bands of any height give the same as all rows at once, at every size; nothing else is written.
static void rows_do_not_depend_on_the_band(void **state)
{
    (void)state;
    static const int heights[] = {1, 7, 40, 90, 201};
    uint32_t seed = 21;
    for (int w = 1; w <= 20; w++)
        for (int k = 0; k < 5; k++) {
            const int width = w == 20 ? 650 : w == 19 ? 320 : w == 18 ? 70 : w, h = heights[k];
            struct ksr_frame a = unit_grey(width, h), b = unit_grey(width, h),
                             c = unit_grey(width, h);
            if (w % 2)
                unit_fill_random(&a.plane[0], &seed, true);
            else
                fill_hard(&a.plane[0], &seed);
            unit_fill(&b.plane[0], 12345);
            const struct ksr_antialias_params params = {200};
            ksr_antialias_rows(&b.plane[0], &a.plane[0], &params, 0, h);
            for (int y = 0; y < h; y += w % 3 + 1)
                ksr_antialias_rows(&c.plane[0], &a.plane[0], &params, y,
                                   y + w % 3 + 1 < h ? y + w % 3 + 1 : h);
            unit_assert_equal(&b.plane[0], &c.plane[0]);
            for (int y = 0; y < h; y++)
                for (int x = width; x < b.plane[0].stride; x++)
                    assert_int_equal(*unit_at(&b.plane[0], x, y), 12345);
            ksr_frame_free(&a);
            ksr_frame_free(&b);
            ksr_frame_free(&c);
        }
}

static void no_row_beyond_the_reach_counts(void **state)
{
    (void)state;
    struct ksr_frame a = unit_grey(360, 90), b = unit_grey(360, 90), c = unit_grey(360, 90);
    const struct ksr_antialias_params params = {256};
    uint32_t seed = 3;
    // Bars that move by a column every 30 rows, each at other rows: runs end at every distance.
    for (int y = 0; y < 90; y++)
        for (int x = 0; x < 360; x++)
            *unit_at(&a.plane[0], x, y) = (x + (y + x / 12 * 7) / 30) % 12 < 6 ? DARK : LIGHT;
    unit_copy(&b.plane[0], &a.plane[0]);
    for (int y = 0; y < 90; y++)
        for (int x = 0; x < 360; x++)
            if (y < 40 - KSR_ANTIALIAS_REACH || y >= 50 + KSR_ANTIALIAS_REACH)
                *unit_at(&b.plane[0], x, y) = unit_random(&seed) >> 9 & 1 ? DARK : LIGHT;
    ksr_antialias_rows(&c.plane[0], &a.plane[0], &params, 40, 50);
    int changed = 0;
    for (int y = 40; y < 50; y++)
        for (int x = 0; x < 360; x++)
            changed += *unit_at(&a.plane[0], x, y) != *unit_at(&c.plane[0], x, y);
    assert_true(changed > 100);
    ksr_antialias_rows(&a.plane[0], &b.plane[0], &params, 40, 50);
    for (int y = 40; y < 50; y++)
        assert_memory_equal(unit_at(&a.plane[0], 0, y), unit_at(&c.plane[0], 0, y), 720);
    ksr_frame_free(&a);
    ksr_frame_free(&b);
    ksr_frame_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stairs_become_lines),
        cmocka_unit_test(enlarged_stairs_become_lines),
        cmocka_unit_test(coverage_is_exact),
        cmocka_unit_test(noise_is_allowed),
        cmocka_unit_test(what_has_no_stairs_stays),
        cmocka_unit_test(thin_lines_are_told_from_screens),
        cmocka_unit_test(drawings_with_coverage_stay),
        cmocka_unit_test(turned_planes_give_turned_results),
        cmocka_unit_test(rows_do_not_depend_on_the_band),
        cmocka_unit_test(no_row_beyond_the_reach_counts),
    };
    return cmocka_run_group_tests_name("antialias", tests, NULL, NULL);
}
