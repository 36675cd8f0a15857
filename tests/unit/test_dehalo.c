// Dehalo: what sharpening added to known drawings is taken off; drawings and highlights stay.

#include "unit.h"

#include <math.h>

#include "stages/dehalo.h"

#define W    203
#define H    157
#define CODE 128 // of 8 bits

static void run(const struct ksr_plane *dst, const struct ksr_plane *src, double strength)
{
    const struct ksr_dehalo_params params =
        ksr_dehalo_params_make(&(struct ksr_pipeline_config){.dehalo = strength});
    ksr_dehalo_rows(dst, src, &params, 0, src->height);
}

static double error(const struct ksr_plane *a, const struct ksr_plane *b)
{
    double sum = 0;
    for (int y = 0; y < a->height; y++)
        for (int x = 0; x < a->width; x++)
            sum += pow((*unit_at(a, x, y) - *unit_at(b, x, y)) / (double)CODE, 2);
    return sum / (a->width * a->height);
}

// --- Drawings ---

// How much of a sample lies within `half` of a line at `distance` from its centre.
static double covered(double distance, double half)
{
    const double inside = half + 0.5 - fabs(distance);
    return inside < 0 ? 0 : inside > 1 ? 1 : inside;
}

// Shapes of plain colours with dark outlines, in codes.
static double drawn(double x, double y)
{
    const double ring = hypot(x - 60, y - 70) - 40, dot = hypot(x - 150, y - 40) - 22;
    const double slope = (x - 2 * y + 170) / sqrt(5), wall = x - 175;
    double v = 150 + 40 * covered(ring + 20, 20);
    v = v - 80 * (slope < 0 ? 0 : slope > 1 ? 1 : slope);
    v += (205 - v) * (dot < -0.5 ? 1 : dot > 0.5 ? 0 : 0.5 - dot);
    v += (100 - v) * (wall < 0 ? 0 : wall > 1 ? 1 : wall);
    v += (35 - v) * covered(ring, 1.2);
    v += (45 - v) * covered(dot, 0.8);
    v += (220 - v) * covered(x - 190 + 0.2 * y, 1);
    return v;
}

static void draw(const struct ksr_plane *p)
{
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++)
            *unit_at(p, x, y) = (uint16_t)(CODE * (int)(drawn(x, y) + 0.5));
}

// Adds `amount` of what src has and its mean under a bell of width `radius` has not; in codes of 8
// bits.
static void sharpen(const struct ksr_plane *dst, const struct ksr_plane *src, double radius,
                    double amount)
{
    const int reach = (int)(3 * radius + 1);
    double bell[16], all = 0;
    for (int k = 0; k <= reach; k++)
        bell[k] = exp(-k * k / (2 * radius * radius));
    for (int k = -reach; k <= reach; k++)
        all += bell[abs(k)];
    double *columns = malloc((size_t)(src->width * src->height) * sizeof(double));
    assert_non_null(columns);
    for (int y = 0; y < src->height; y++)
        for (int x = 0; x < src->width; x++) {
            double *sum = &columns[y * src->width + x];
            *sum = 0;
            for (int k = -reach; k <= reach; k++) {
                const int at = y + k < 0 ? 0 : y + k >= src->height ? src->height - 1 : y + k;
                *sum += bell[abs(k)] / all * *unit_at(src, x, at) / CODE;
            }
        }
    for (int y = 0; y < src->height; y++)
        for (int x = 0; x < src->width; x++) {
            double mean = 0;
            for (int k = -reach; k <= reach; k++) {
                const int at = x + k < 0 ? 0 : x + k >= src->width ? src->width - 1 : x + k;
                mean += bell[abs(k)] / all * columns[y * src->width + at];
            }
            const double v = *unit_at(src, x, y) / (double)CODE;
            const double more = round(v + amount * (v - mean));
            *unit_at(dst, x, y) = (uint16_t)(CODE * (int)(more < 0 ? 0 : more > 255 ? 255 : more));
        }
    free(columns);
}

// Mean of how far samples leave what the drawing has in the 5x5 around, in codes.
static double beyond(const struct ksr_plane *p, const struct ksr_plane *truth)
{
    double sum = 0;
    for (int y = 2; y < p->height - 2; y++)
        for (int x = 2; x < p->width - 2; x++) {
            int low = KSR_SAMPLE_MAX, high = 0;
            for (int k = 0; k < 25; k++) {
                const int v = *unit_at(truth, x + k % 5 - 2, y + k / 5 - 2);
                low = v < low ? v : low;
                high = v > high ? v : high;
            }
            const int v = *unit_at(p, x, y);
            sum += v > high ? v - high : v < low ? low - v : 0;
        }
    return sum / (p->width * p->height) / CODE;
}

// --- Tests ---

static void rims_become_less(void **state)
{
    (void)state;
    // What is left at most of the squared error, and of what lies beyond the drawing, at 0.5 and 1.
    static const struct {
        double radius, amount, error[2], beyond[2];
    } rows[] = {
        {1, 0.8, {0.58, 0.55}, {0.54, 0.44}}, {1.5, 0.6, {0.64, 0.58}, {0.55, 0.46}},
        {2, 0.5, {0.69, 0.68}, {0.66, 0.64}}, {2, 1, {0.74, 0.68}, {0.70, 0.66}},
        {3, 0.5, {0.81, 0.81}, {0.83, 0.83}}, {3, 1.5, {0.92, 0.92}, {0.94, 0.94}},
    };
    struct ksr_frame f[3] = {unit_grey(W, H), unit_grey(W, H), unit_grey(W, H)};
    const struct ksr_plane *truth = &f[0].plane[0], *in = &f[1].plane[0], *out = &f[2].plane[0];
    draw(truth);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        sharpen(in, truth, rows[i].radius, rows[i].amount);
        for (int k = 0; k < 2; k++) {
            run(out, in, 0.5 + 0.5 * k);
            const double left = error(out, truth) / error(in, truth);
            const double above = beyond(out, truth) / beyond(in, truth);
            if (left > rows[i].error[k] || above > rows[i].beyond[k])
                fail_msg("radius %g, amount %g: %g of the error, %g of what is beyond",
                         rows[i].radius, rows[i].amount, left, above);
        }
        run(out, in, 0);
        unit_assert_equal(out, in);
    }
    for (int i = 0; i < 3; i++)
        ksr_frame_free(&f[i]);
}

static void assert_stays(const struct ksr_plane *src, const struct ksr_plane *dst, const char *what)
{
    run(dst, src, 1);
    for (int y = 0; y < src->height; y++)
        for (int x = 0; x < src->width; x++)
            if (*unit_at(dst, x, y) != *unit_at(src, x, y))
                fail_msg("%s: %d %d: %d, not %d", what, x, y, *unit_at(dst, x, y),
                         *unit_at(src, x, y));
}

static void what_has_no_rims_stays(void **state)
{
    (void)state;
    struct ksr_frame in = unit_grey(W, H), out = unit_grey(W, H);
    const struct ksr_plane *a = &in.plane[0], *b = &out.plane[0];
    for (int v = 0; v <= KSR_SAMPLE_MAX; v += 4681) {
        unit_fill(a, (uint16_t)v);
        assert_stays(a, b, "flat");
    }
    unit_fill_ramp(a, 12000, 31, -40);
    assert_stays(a, b, "ramp");
    draw(a);
    assert_stays(a, b, "drawing");
    uint32_t seed = 5;
    unit_fill_random(a, &seed, false);
    assert_stays(a, b, "noise");
    ksr_frame_free(&in);
    ksr_frame_free(&out);
}

// The profile of an edge in rows of its own, every `period` columns, in codes.
static void stripe(const struct ksr_plane *p, const uint8_t *profile, int period, int y0, int y1)
{
    for (int y = y0; y < y1; y++)
        for (int x = 0; x < p->width; x++)
            *unit_at(p, x, y) = (uint16_t)(CODE * profile[x % period]);
}

#define PERIOD 18

static const uint8_t line[PERIOD] = {150, 150, 150, 150, 150, 150, 160, 170, 60,
                                     50,  60,  170, 160, 150, 150, 150, 150, 150};
static const uint8_t step[PERIOD] = {60,  60,  60,  60,  60,  60,  50,  40,  95,
                                     170, 160, 150, 150, 150, 150, 150, 150, 150};
static const uint8_t clean[PERIOD] = {150, 150, 150, 150, 150, 150, 150, 150, 60,
                                      50,  60,  150, 150, 150, 150, 150, 150, 150};

// Beside a line with rims on both sides, which vote: rims on both sides go, and what an artist drew
// on one side of a line or an edge stays, as does what is wide or high.
static void highlights_stay(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        double strength;
        bool stays;
        uint8_t profile[PERIOD];
    } rows[] = {
        {"a line with rims",
         0.5,
         false,
         {150, 150, 150, 150, 150, 150, 160, 170, 60, 50, 60, 170, 160, 150, 150, 150, 150, 150}},
        {"an edge with rims",
         0.5,
         false,
         {60, 60, 60, 60, 60, 60, 50, 40, 95, 170, 160, 150, 150, 150, 150, 150, 150, 150}},
        {"a wide line with rims",
         0.5,
         false,
         {150, 150, 150, 150, 150, 170, 60, 50, 50, 50, 60, 170, 150, 150, 150, 150, 150, 150}},
        {"one side of a line",
         0.5,
         true,
         {150, 150, 150, 150, 150, 150, 150, 150, 60, 50, 60, 170, 160, 150, 150, 150, 150, 150}},
        {"one side of an edge",
         0.5,
         true,
         {60, 60, 60, 60, 60, 60, 60, 60, 95, 170, 160, 150, 150, 150, 150, 150, 150, 150}},
        {"wide",
         1,
         true,
         {150, 150, 170, 170, 170, 170, 170, 170, 60, 50, 60, 170, 170, 170, 170, 170, 170, 150}},
        {"high",
         0.25,
         true,
         {150, 150, 150, 150, 150, 150, 190, 190, 60, 50, 60, 190, 190, 150, 150, 150, 150, 150}},
    };
    struct ksr_frame in = unit_grey(9 * PERIOD, 64), out = unit_grey(9 * PERIOD, 64);
    const struct ksr_plane *a = &in.plane[0], *b = &out.plane[0];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t all[3 * PERIOD];
        memcpy(all, line, PERIOD);
        memcpy(all + 2 * PERIOD, line, PERIOD);
        memcpy(all + PERIOD, rows[i].profile, PERIOD);
        stripe(a, all, 3 * PERIOD, 0, 64);
        run(b, a, rows[i].strength);
        for (int x = 4 * PERIOD; x < 5 * PERIOD; x++) {
            const int before = *unit_at(a, x, 32), after = *unit_at(b, x, 32), at = x % PERIOD;
            if (rows[i].stays ? before != after : after > 155 * CODE)
                fail_msg("%s: sample %d, of %d: %d", rows[i].what, at, before, after);
        }
        // The line at the side keeps its depth and loses its rims, at 0.25 in part.
        for (int x = 5 * PERIOD; x < 6 * PERIOD; x++) {
            const int before = *unit_at(a, x, 32), after = *unit_at(b, x, 32);
            if (before < 150 * CODE ? before != after
                                    : after > (rows[i].strength < 0.5 ? 165 : 158) * CODE)
                fail_msg("%s: beside it sample %d, of %d: %d", rows[i].what, x % PERIOD, before,
                         after);
        }
    }
    ksr_frame_free(&in);
    ksr_frame_free(&out);
}

// Edges without rims outvote those that have some, and a few edges say nothing.
static void edges_vote(void **state)
{
    (void)state;
    struct ksr_frame in = unit_grey(5 * PERIOD, 96), out = unit_grey(5 * PERIOD, 96);
    const struct ksr_plane *a = &in.plane[0], *b = &out.plane[0];
    stripe(a, clean, PERIOD, 0, 96);
    stripe(a, line, PERIOD, 44, 56);
    assert_stays(a, b, "outvoted");
    stripe(a, line, PERIOD, 24, 72);
    run(b, a, 0.5);
    // Without a 64th of the contrast of 100, all of the rim goes where votes suffice.
    assert_int_equal(*unit_at(b, 2 * PERIOD + 11, 48), 150 * CODE + 100 * CODE / 64);
    ksr_frame_free(&in);
    ksr_frame_free(&out);
}

// One line in planes of few rows: two votes in each row, 16 are needed, 64 more are enough.
static void few_votes_do_little(void **state)
{
    (void)state;
    for (int rows = 1; rows <= 60; rows++) {
        struct ksr_frame in = unit_grey(3 * PERIOD, rows), out = unit_grey(3 * PERIOD, rows);
        unit_fill(&in.plane[0], 150 * CODE);
        for (int y = 0; y < rows; y++)
            for (int x = 0; x < PERIOD; x++)
                *unit_at(&in.plane[0], PERIOD + x, y) = (uint16_t)(CODE * line[x]);
        run(&out.plane[0], &in.plane[0], 0.5);
        for (int y = 0; y < rows; y++) {
            const int near = (y < 24 ? y : 24) + 1 + (rows - 1 - y < 24 ? rows - 1 - y : 24);
            const int votes = 2 * near - 16, share = votes < 0 ? 0 : votes > 64 ? 64 : votes;
            // The rim is 20 codes high, less a 64th of the contrast.
            assert_int_equal(170 * CODE - *unit_at(&out.plane[0], PERIOD + 11, y),
                             (2360 * share + 31) / 64);
        }
        ksr_frame_free(&in);
        ksr_frame_free(&out);
    }
}

// Also with x and y exchanged; with dark and bright exchanged, up to half a code: black
// and white, where edges do not vote, are not exchanged.
static void mirrored_planes_give_mirrored_results(void **state)
{
    (void)state;
    struct ksr_frame truth = unit_grey(W, H), in = unit_grey(W, H), out = unit_grey(W, H);
    const struct ksr_plane *a = &in.plane[0], *b = &out.plane[0];
    draw(&truth.plane[0]);
    sharpen(a, &truth.plane[0], 1.2, 0.8);
    run(b, a, 0.7);
    for (int way = 0; way < 4; way++) {
        const int w = way == 2 ? H : W, h = way == 2 ? W : H;
        struct ksr_frame turned = unit_grey(w, h), result = unit_grey(w, h);
        for (int copy = 0; copy < 2; copy++) {
            for (int y = 0; y < H; y++)
                for (int x = 0; x < W; x++) {
                    const int tx = way == 0 ? W - 1 - x : way == 2 ? y : x;
                    const int ty = way == 1 ? H - 1 - y : way == 2 ? x : y;
                    if (copy == 0) {
                        const int v = *unit_at(a, x, y);
                        *unit_at(&turned.plane[0], tx, ty) =
                            (uint16_t)(way == 3 ? KSR_SAMPLE_MAX - v : v);
                        continue;
                    }
                    const int v = *unit_at(&result.plane[0], tx, ty);
                    const int got = way == 3 ? KSR_SAMPLE_MAX - v : v;
                    if (abs(got - *unit_at(b, x, y)) > (way == 3 ? CODE / 2 : 0))
                        fail_msg("way %d: %d %d: %d, not %d", way, x, y, got, *unit_at(b, x, y));
                }
            if (copy == 0)
                run(&result.plane[0], &turned.plane[0], 0.7);
        }
        ksr_frame_free(&turned);
        ksr_frame_free(&result);
    }
    ksr_frame_free(&truth);
    ksr_frame_free(&in);
    ksr_frame_free(&out);
}

// Bands of any height give the same as all rows at once, at every size; nothing else is written.
static void rows_do_not_depend_on_the_band(void **state)
{
    (void)state;
    static const int heights[] = {1, 7, 20, 33};
    uint32_t seed = 21;
    for (int w = 1; w <= 17; w++)
        for (int h = 1; h <= 91; h += 15) {
            const int width = w == 17 ? 650 : w == 16 ? 70 : w;
            struct ksr_frame a = unit_grey(width, h), b = unit_grey(width, h),
                             c = unit_grey(width, h);
            for (int y = 0; y < h; y++)
                for (int x = 0; x < width; x++)
                    *unit_at(&a.plane[0], x, y) =
                        (uint16_t)((w % 2 ? line[(x + y / 3) % PERIOD]
                                          : step[(2 * y + x) % PERIOD]) *
                                       CODE +
                                   (int)(unit_random(&seed) >> 8 & (w % 3 ? 127 : 1023)));
            unit_fill(&b.plane[0], 12345);
            const struct ksr_dehalo_params params = {20480};
            ksr_dehalo_rows(&b.plane[0], &a.plane[0], &params, 0, h);
            for (int k = 0; k < 4; k++) {
                unit_fill(&c.plane[0], 1);
                for (int y = 0; y < h; y += heights[k])
                    ksr_dehalo_rows(&c.plane[0], &a.plane[0], &params, y,
                                    y + heights[k] < h ? y + heights[k] : h);
                unit_assert_equal(&c.plane[0], &b.plane[0]);
            }
            for (int y = 0; y < h; y++)
                for (int x = width; x < b.plane[0].stride; x++)
                    assert_int_equal(*unit_at(&b.plane[0], x, y), 12345);
            assert_true((w < 16 || h < 60) || error(&a.plane[0], &b.plane[0]) > 0);
            ksr_frame_free(&a);
            ksr_frame_free(&b);
            ksr_frame_free(&c);
        }
}

// Rows that are further away than the stage says are not read: they differ, the result does not.
static void no_row_beyond_the_reach_counts(void **state)
{
    (void)state;
    struct ksr_frame a = unit_grey(300, 90), b = unit_grey(300, 90), c = unit_grey(300, 90);
    const struct ksr_dehalo_params params = {20480};
    uint32_t seed = 3;
    stripe(&a.plane[0], line, PERIOD, 0, 90);
    unit_copy(&b.plane[0], &a.plane[0]);
    for (int y = 0; y < 90; y++)
        for (int x = 0; x < 300 && (y < 40 - KSR_DEHALO_REACH || y >= 50 + KSR_DEHALO_REACH); x++)
            *unit_at(&b.plane[0], x, y) = (uint16_t)(unit_random(&seed) >> 9 & 32767);
    ksr_dehalo_rows(&c.plane[0], &a.plane[0], &params, 40, 50);
    ksr_dehalo_rows(&a.plane[0], &b.plane[0], &params, 40, 50);
    for (int y = 40; y < 50; y++)
        assert_memory_equal(unit_at(&a.plane[0], 0, y), unit_at(&c.plane[0], 0, y), 600);
    ksr_frame_free(&a);
    ksr_frame_free(&b);
    ksr_frame_free(&c);
}

static void halos_are_counted(void **state)
{
    (void)state;
    struct ksr_frame truth = unit_grey(W, H), in = unit_grey(W, H);
    const struct ksr_plane *a = &truth.plane[0], *b = &in.plane[0];
    struct ksr_halos halos = {0};
    unit_fill(a, 9000);
    ksr_halos_add(&halos, a);
    assert_int_equal(halos.edges, 0);
    draw(a);
    ksr_halos_add(&halos, a);
    const int64_t edges = halos.edges;
    assert_true(edges > 500 && halos.halos < edges / 8 && halos.overshoot < edges * CODE * 2);
    assert_false(ksr_halos_found(&halos));
    assert_false(ksr_halos_found(&(struct ksr_halos){.edges = 999, .halos = 999}));
    assert_false(ksr_halos_found(&(struct ksr_halos){.edges = 1000, .halos = 419}));
    assert_true(ksr_halos_found(&(struct ksr_halos){.edges = 1000, .halos = 420}));
    ksr_halos_add(&halos, a);
    assert_int_equal(halos.edges, 2 * edges);
    double before = 0.2;
    for (int k = 1; k <= 4; k++) {
        halos = (struct ksr_halos){0};
        sharpen(b, a, 1.5, 0.2 + 0.2 * k);
        ksr_halos_add(&halos, b);
        const double mean = (double)halos.overshoot / (double)halos.edges / CODE;
        if (halos.edges < 500 || halos.halos < halos.edges / 2 || mean < before + 1)
            fail_msg("amount %g: %d of %d edges, %g codes after %g", 0.2 + 0.2 * k,
                     (int)halos.halos, (int)halos.edges, mean, before);
        before = mean;
    }
    // Lines on white or black, which could not have rims, say nothing.
    for (int k = 0; k < 2; k++) {
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                const int v = clean[x % PERIOD] == 150 ? 235 : clean[x % PERIOD];
                *unit_at(b, x, y) = (uint16_t)(CODE * (k ? 251 - v : v));
            }
        halos = (struct ksr_halos){0};
        ksr_halos_add(&halos, b);
        assert_int_equal(halos.edges, 0);
    }
    ksr_frame_free(&truth);
    ksr_frame_free(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rims_become_less),
        cmocka_unit_test(what_has_no_rims_stays),
        cmocka_unit_test(highlights_stay),
        cmocka_unit_test(edges_vote),
        cmocka_unit_test(few_votes_do_little),
        cmocka_unit_test(mirrored_planes_give_mirrored_results),
        cmocka_unit_test(rows_do_not_depend_on_the_band),
        cmocka_unit_test(no_row_beyond_the_reach_counts),
        cmocka_unit_test(halos_are_counted),
    };
    return cmocka_run_group_tests_name("dehalo", tests, NULL, NULL);
}
