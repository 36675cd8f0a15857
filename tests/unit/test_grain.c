// Grain: what is measured of drawings with known grain, and how much is put back.

#include "unit.h"

#include <math.h>
#include <stdio.h>

#include "stages/grain.h"

#define W      384
#define H      320
#define FRAMES 6
#define CODE   128 // of 8 bits

static struct ksr_grain even(int strength, int alike)
{
    struct ksr_grain g = {.amount = 100, .chroma = strength / 2, .alike = {alike, alike}};
    for (int i = 0; i < KSR_GRAIN_BANDS; i++)
        g.luma[i] = strength;
    return g;
}

static struct ksr_grain_params params_of(const struct ksr_grain *g, int plane, int from, int to)
{
    return ksr_grain_params_make(g, false, plane, (int[]){from, from}, (int[]){to, to});
}

// --- Putting back ---

struct statistics {
    double mean, deviation; // in codes of 8 bits
    double alike[2];        // correlation at a distance, along both axes
};

static struct statistics look(const struct ksr_frame out[FRAMES], const struct ksr_plane *in,
                              int distance)
{
    double sum = 0, square = 0, product[2] = {0};
    int64_t count = 0, pairs[2] = {0};
    for (int f = 0; f < FRAMES; f++) {
        const struct ksr_plane *p = &out[f].plane[0];
        for (int y = 0; y < p->height; y++)
            for (int x = 0; x < p->width; x++) {
                const double d = *unit_at(p, x, y) - *unit_at(in, x, y);
                sum += d;
                square += d * d;
                count++;
                if (x + distance < p->width) {
                    product[0] +=
                        d * (*unit_at(p, x + distance, y) - *unit_at(in, x + distance, y));
                    pairs[0]++;
                }
                if (y + distance < p->height) {
                    product[1] +=
                        d * (*unit_at(p, x, y + distance) - *unit_at(in, x, y + distance));
                    pairs[1]++;
                }
            }
    }
    const double power = square / (double)count;
    return (struct statistics){
        sum / (double)count / CODE,
        sqrt(power) / CODE,
        {product[0] / (double)pairs[0] / power, product[1] / (double)pairs[1] / power}};
}

static struct statistics run(const struct ksr_plane *in, const struct ksr_grain_params *params,
                             int distance)
{
    struct ksr_frame out[FRAMES];
    for (int f = 0; f < FRAMES; f++) {
        out[f] = unit_grey(in->width, in->height);
        ksr_grain_rows(&out[f].plane[0], in, params, 1000 + f, 0, in->height);
    }
    const struct statistics s = look(out, in, distance);
    for (int f = 0; f < FRAMES; f++)
        ksr_frame_free(&out[f]);
    return s;
}

static void strength_is_exact(void **state)
{
    (void)state;
    static const int sizes[][2] = {{2, 2}, {2, 3}, {2, 4}, {1, 4}};
    struct ksr_frame in = unit_grey(W, H);
    unit_fill(&in.plane[0], 100 * CODE);
    for (int k = 0; k < 4; k++)
        for (int alike = 0; alike <= 80; alike += 20)
            for (int strength = 50; strength <= 800; strength *= 4) {
                const struct ksr_grain g = even(strength, alike);
                const struct ksr_grain_params p = params_of(&g, 0, sizes[k][0], sizes[k][1]);
                const int distance = (sizes[k][1] + sizes[k][0] - 1) / sizes[k][0];
                const double scale = (double)sizes[k][1] / sizes[k][0];
                const struct statistics s = run(&in.plane[0], &p, distance);
                if (fabs(s.deviation / strength * 100 - 1) > 0.03 ||
                    fabs(s.mean) > 0.06 * strength / 100)
                    fail_msg("scale %g, alike %d: %g of %d, mean %g", scale, alike, s.deviation,
                             strength, s.mean);
                // Neighbours in the source lie `scale` samples apart.
                const double near = fmax(alike / 100.0, 0.14);
                const double wanted = pow(near, distance * distance / (scale * scale));
                for (int axis = 0; axis < 2; axis++)
                    if (fabs(s.alike[axis] - wanted) > 0.08)
                        fail_msg("scale %g, alike %d: %g at %d on axis %d, not %g", scale, alike,
                                 s.alike[axis], distance, axis, wanted);
            }
    ksr_frame_free(&in);
}

static void strength_follows_brightness_and_amount(void **state)
{
    (void)state;
    struct ksr_grain g = even(0, 30);
    struct ksr_frame in = unit_grey(W, H);
    for (int i = 0; i < KSR_GRAIN_BANDS; i++)
        g.luma[i] = 100 + 50 * i;
    for (int amount = 50; amount <= 200; amount += 75)
        for (int code = 40; code < 220; code += 30) {
            g.amount = amount;
            const struct ksr_grain_params p = params_of(&g, 0, 1, 2);
            unit_fill(&in.plane[0], (uint16_t)(code * CODE));
            const double wanted = amount / 100.0 * (1 + 0.5 * (code - 16) / 32.0);
            const double got = run(&in.plane[0], &p, 1).deviation;
            if (fabs(got / wanted - 1) > 0.03)
                fail_msg("brightness %d, amount %d: %g, not %g", code, amount, got, wanted);
        }
    // Chroma has a strength of its own, and of none nothing changes.
    g = even(400, 30);
    unit_fill(&in.plane[0], 128 * CODE);
    struct ksr_grain_params p = params_of(&g, 1, 1, 2);
    assert_true(ksr_grain_active(&p) && fabs(run(&in.plane[0], &p, 1).deviation - 2) < 0.06);
    g.chroma = 0;
    p = params_of(&g, 2, 1, 2);
    assert_true(!ksr_grain_active(&p) && run(&in.plane[0], &p, 1).deviation == 0);
    ksr_frame_free(&in);
}

static void black_and_white_stay(void **state)
{
    (void)state;
    static const struct {
        bool full;
        int plane, low, high;
    } ranges[] = {{false, 0, 16, 235}, {true, 0, 0, 255}, {false, 1, 16, 240}, {true, 2, 0, 255}};
    const struct ksr_grain g = {.amount = 200,
                                .luma = {800, 800, 800, 800, 800, 800, 800, 800},
                                .chroma = 800,
                                .alike = {30, 30}};
    struct ksr_frame in = unit_grey(W, H), out = unit_grey(W, H);
    const struct ksr_plane *a = &in.plane[0], *b = &out.plane[0];
    for (int k = 0; k < 4; k++) {
        const int low = ranges[k].low * CODE, high = ranges[k].high * CODE;
        const struct ksr_grain_params p = ksr_grain_params_make(&g, ranges[k].full, ranges[k].plane,
                                                                (int[]){1, 1}, (int[]){2, 2});
        unit_fill(a, (uint16_t)low);
        ksr_grain_rows(b, a, &p, 1, 0, H);
        unit_assert_equal(a, b);
        unit_fill(a, (uint16_t)high);
        ksr_grain_rows(b, a, &p, 1, 0, H);
        unit_assert_equal(a, b);
        unit_fill(a, KSR_SAMPLE_MAX); // beyond
        ksr_grain_rows(b, a, &p, 1, 0, H);
        unit_assert_equal(a, b);
        for (int near = 1; near <= 16; near *= 4)
            for (int side = 0; side < 2; side++) {
                unit_fill(a, (uint16_t)(side ? high - near * CODE : low + near * CODE));
                const struct statistics s = run(a, &p, 1);
                assert_true(s.deviation > 0.3 * near && s.deviation <= near);
                assert_true(fabs(s.mean) < 0.03 * near);
            }
        uint32_t seed = 5;
        unit_fill_random(a, &seed, false);
        ksr_grain_rows(b, a, &p, 1, 0, H);
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                const int from = *unit_at(a, x, y), to = *unit_at(b, x, y);
                assert_true(from < low || from > high ? to == from : to >= low && to <= high);
            }
    }
    ksr_frame_free(&in);
    ksr_frame_free(&out);
}

static double likeness(const struct ksr_plane *a, const struct ksr_plane *b, int middle)
{
    double product = 0, x2 = 0, y2 = 0;
    for (int y = 0; y < a->height; y++)
        for (int x = 0; x < a->width; x++) {
            const double p = *unit_at(a, x, y) - middle, q = *unit_at(b, x, y) - middle;
            product += p * q;
            x2 += p * p;
            y2 += q * q;
        }
    return product / sqrt(x2 * y2);
}

static void frames_and_planes_differ(void **state)
{
    (void)state;
    static const struct {
        int64_t frame;
        int plane;
    } runs[] = {{0, 0}, {1, 0}, {2, 0}, {0, 1}, {0, 2}, {1, 1}, {100000, 0}, {INT64_C(1) << 32, 0}};
    const struct ksr_grain g = {
        .amount = 100, .luma = {400, 400, 400, 400, 400, 400, 400, 400}, .chroma = 400};
    struct ksr_frame in = unit_grey(W, H), out[8];
    unit_fill(&in.plane[0], 120 * CODE);
    for (int i = 0; i < 8; i++) {
        const struct ksr_grain_params p = params_of(&g, runs[i].plane, 1, 2);
        out[i] = unit_grey(W, H);
        ksr_grain_rows(&out[i].plane[0], &in.plane[0], &p, runs[i].frame, 0, H);
        for (int k = 0; k < i; k++)
            if (fabs(likeness(&out[i].plane[0], &out[k].plane[0], 120 * CODE)) > 0.02)
                fail_msg("runs %d and %d are alike", k, i);
    }
    for (int i = 0; i < 8; i++)
        ksr_frame_free(&out[i]);
    ksr_frame_free(&in);
}

// Bands of any height give the same as all rows at once, at every size; nothing else is written.
static void rows_do_not_depend_on_the_band(void **state)
{
    (void)state;
    uint32_t seed = 21;
    const struct ksr_grain g = even(500, 80);
    for (int w = 1; w <= 6; w++)
        for (int h = 1; h <= 71; h += 35) {
            const int width = w == 6 ? 650 : w == 5 ? 257 : w;
            struct ksr_frame a = unit_grey(width, h), b = unit_grey(width, h),
                             c = unit_grey(width, h), d = unit_grey(650, 71),
                             e = unit_grey(650, 71);
            const struct ksr_grain_params p = params_of(&g, 0, 1, 4);
            unit_fill_random(&a.plane[0], &seed, false);
            unit_fill(&b.plane[0], 12345);
            ksr_grain_rows(&b.plane[0], &a.plane[0], &p, 7, 0, h);
            for (int y = h - 1; y >= 0; y--)
                ksr_grain_rows(&c.plane[0], &a.plane[0], &p, 7, y, y + 1);
            unit_assert_equal(&b.plane[0], &c.plane[0]);
            for (int y = 0; y < h; y++)
                for (int x = width; x < b.plane[0].stride; x++)
                    assert_int_equal(*unit_at(&b.plane[0], x, y), 12345);
            // The grain of a place does not depend on the size of the plane.
            unit_fill(&a.plane[0], 9000);
            unit_fill(&d.plane[0], 9000);
            ksr_grain_rows(&b.plane[0], &a.plane[0], &p, 7, 0, h);
            ksr_grain_rows(&e.plane[0], &d.plane[0], &p, 7, 0, 71);
            for (int y = 0; y < h; y++)
                for (int x = 0; x < width; x++)
                    assert_int_equal(*unit_at(&b.plane[0], x, y), *unit_at(&e.plane[0], x, y));
            ksr_frame_free(&a);
            ksr_frame_free(&b);
            ksr_frame_free(&c);
            ksr_frame_free(&d);
            ksr_frame_free(&e);
        }
}

// --- Measuring ---

enum texture { NO_TEXTURE, HALF_OF_ALL, OF_ONE_BRIGHTNESS, OF_TWO, PAINTED };

static bool has_texture(enum texture texture, int x, int code)
{
    switch (texture) {
    case HALF_OF_ALL: return x / 96 % 2 == 0;
    case OF_ONE_BRIGHTNESS: return code / 32 == 3;
    case OF_TWO: return code / 32 == 3 || code / 32 == 4;
    case PAINTED: return true;
    default: return false;
    }
}

// Codes to either side: painted texture is not the same anywhere.
static int size_of(enum texture texture, int x, int y)
{
    return texture == PAINTED ? 1 + (x / 16 * 7 + y / 16 * 11) % 24 : 8;
}

// A drawing: areas of several brightness, with lines between them, in which a texture may lie;
// `moved` to the side by so many samples.
static void draw(const struct ksr_frame *f, enum texture texture, int moved)
{
    for (int i = 0; i < f->layout.planes; i++)
        for (int y = 0; y < f->plane[i].height; y++)
            for (int x = 0; x < f->plane[i].width; x++) {
                const int sx = (x + moved) << (i > 0), sy = y << (i > 0);
                const bool line = sx % 96 < 3 || sy % 80 < 2;
                uint32_t seed = (uint32_t)(sx * 7919 + sy * 104729 + 1);
                for (int k = 0; k < 4; k++)
                    unit_random(&seed);
                int code = 50 + 25 * (sx / 96) + 30 * (sy / 80) + (sx + sy) / 40;
                if (has_texture(texture, sx, code))
                    code += (int)(seed >> 9) % (2 * size_of(texture, sx, sy) + 1) -
                            size_of(texture, sx, sy);
                code = i > 0 ? 120 : line ? 20 : code < 255 ? code : 255;
                *unit_at(&f->plane[i], x, y) = (uint16_t)(code * CODE);
            }
}

// Adds grain to a frame, as it would be decoded: in whole codes of so many bits.
static void add_grain(const struct ksr_frame *f, const struct ksr_grain *g, int64_t number,
                      int bits)
{
    for (int i = 0; i < f->layout.planes; i++) {
        const struct ksr_grain_params p = params_of(g, i, 1, 1);
        const struct ksr_plane *plane = &f->plane[i];
        if (ksr_grain_active(&p))
            ksr_grain_rows(plane, plane, &p, number, 0, plane->height);
        for (int y = 0; y < plane->height; y++)
            for (int x = 0; x < plane->width; x++)
                *unit_at(plane, x, y) = (uint16_t)((*unit_at(plane, x, y) + (1 << (14 - bits))) >>
                                                   (15 - bits) << (15 - bits));
    }
}

// What is found of `g`; with texture, held or moving. Returns how many of three places show grain.
static int measure(const struct ksr_grain *g, enum texture texture, bool moving, int bits,
                   struct ksr_grain *found)
{
    struct ksr_grain_tally *all = calloc(1, sizeof(*all)), *one = malloc(sizeof(*one));
    struct ksr_frame a = unit_frame(unit_layout(W, H, 3, 1)), b = unit_frame(a.layout);
    int shows = 0;
    assert_true(all && one);
    for (int i = 0; i < 3; i++) {
        draw(&a, texture, i);
        draw(&b, texture, moving ? i + 3 : i);
        add_grain(&a, g, 10 * i, bits);
        add_grain(&b, g, 10 * i + 8, bits);
        memset(one, 0, sizeof(*one));
        ksr_grain_add(one, &a, &b);
        shows += ksr_grain_shows(one, bits);
        ksr_grain_merge(all, one);
    }
    ksr_grain_find(all, bits, found);
    ksr_frame_free(&a);
    ksr_frame_free(&b);
    free(all);
    free(one);
    return shows;
}

static void known_grain_is_measured(void **state)
{
    (void)state;
    struct ksr_grain found;
    for (int strength = 200; strength <= 800; strength *= 2)
        for (int alike = 20; alike <= 70; alike += 25)
            for (int way = 0; way < 4; way++) {
                const struct ksr_grain g = even(strength, alike);
                const bool moving = way == 2;
                const enum texture texture = way == 1 ? HALF_OF_ALL : NO_TEXTURE;
                assert_int_equal(measure(&g, texture, moving, way == 3 ? 10 : 8, &found), 3);
                const int got = ksr_grain_strongest(&found);
                for (int i = 2; i < 6; i++)
                    if (abs(found.luma[i] - strength) > strength / 10)
                        fail_msg("%d alike %d, way %d, band %d: %d", strength, alike, way, i,
                                 found.luma[i]);
                assert_true(got < strength * 1.12);
                if (abs(found.alike[0] - alike) > 8)
                    fail_msg("%d alike %d, way %d: %d alike", strength, alike, way, found.alike[0]);
                if (abs(found.chroma - strength / 2) > strength / 16)
                    fail_msg("%d alike %d, way %d: chroma %d", strength, alike, way, found.chroma);
            }
}

static void grain_follows_brightness(void **state)
{
    (void)state;
    struct ksr_grain g = even(300, 30), found;
    for (int i = 0; i < KSR_GRAIN_BANDS; i++)
        g.luma[i] = 250 + 40 * i;
    g.chroma = 0;
    assert_int_equal(measure(&g, NO_TEXTURE, false, 8, &found), 3);
    for (int i = 2; i < 6; i++)
        if (abs(found.luma[i] - g.luma[i]) > 35)
            fail_msg("band %d: %d of %d", i, found.luma[i], g.luma[i]);
    // Nothing is so dark or so bright.
    assert_true(abs(found.luma[0] - found.luma[1]) < 20 && found.luma[7] > 400);
    assert_int_equal(found.chroma, 0);
    assert_int_equal(found.amount, 0);
}

// Texture that moves, in one band, or strong in two: grain is as strong there as beside it.
static void texture_of_one_brightness_is_left_out(void **state)
{
    (void)state;
    static const int strengths[] = {100, 200, 400, 100, 200};
    for (int k = 0; k < 5; k++) {
        const struct ksr_grain g = even(strengths[k], 30);
        struct ksr_grain found;
        assert_int_equal(measure(&g, k < 3 ? OF_ONE_BRIGHTNESS : OF_TWO, true, 8, &found), 3);
        for (int i = 2; i < 6; i++)
            if (abs(found.luma[i] - strengths[k]) > strengths[k] / 8)
                fail_msg("%d, band %d: %d", strengths[k], i, found.luma[i]);
    }
}

// Values of grain lie close together; those of coarse texture, which may begin as suddenly, do not.
static void what_is_scattered_is_not_grain(void **state)
{
    (void)state;
    for (int wide = 0; wide < 2; wide++) {
        struct ksr_grain_tally *tally = calloc(1, sizeof(*tally));
        assert_non_null(tally);
        for (int power = 16384; power < (wide ? 16 : 2) * 16384; power += 1024) {
            int bits = 0;
            while (power >> bits > 1)
                bits++;
            struct ksr_grain_bin *bin = &tally->bin[3][(bits - 4) * 8 + (power >> (bits - 3) & 7)];
            const int count = power / 2048;
            bin->count += count;
            bin->power += count * power;
            bin->step += count * (power / 5);
        }
        assert_int_equal(ksr_grain_shows(tally, 8), !wide);
        free(tally);
    }
}

// Rounding to codes adds to it, and is subtracted.
static void weak_grain_is_measured(void **state)
{
    (void)state;
    const struct ksr_grain g = even(70, 30);
    struct ksr_grain found;
    for (int bits = 8; bits <= 10; bits++) {
        assert_int_equal(measure(&g, NO_TEXTURE, false, bits, &found), 3);
        for (int i = 2; i < 6; i++)
            if (abs(found.luma[i] - 70) > 4)
                fail_msg("%d bits, band %d: %d", bits, i, found.luma[i]);
    }
}

static void what_is_no_grain_is_not_found(void **state)
{
    (void)state;
    const struct ksr_grain none = even(0, 0);
    struct ksr_grain found;
    for (int way = 0; way < 4; way++) {
        assert_int_equal(measure(&none, way & 1 ? HALF_OF_ALL : NO_TEXTURE, way & 2, 8, &found), 0);
        assert_int_equal(found.chroma, 0);
    }
    assert_int_equal(measure(&none, NO_TEXTURE, false, 10, &found), 0);
    assert_int_equal(measure(&none, PAINTED, true, 8, &found), 0);
    const struct ksr_grain faint = even(36, 30);
    assert_int_equal(measure(&faint, NO_TEXTURE, false, 10, &found), 0);
    // A plane with nothing but black tells nothing, nor does one smaller than a block.
    struct ksr_grain_tally *tally = calloc(1, sizeof(*tally));
    struct ksr_frame black = unit_frame(unit_layout(64, 64, 3, 1)), tiny = unit_grey(9, 15);
    assert_non_null(tally);
    unit_fill(&black.plane[0], 16 * CODE);
    ksr_grain_add(tally, &black, NULL);
    ksr_grain_add(tally, &tiny, &tiny);
    assert_false(ksr_grain_shows(tally, 8));
    ksr_grain_find(tally, 8, &found);
    assert_int_equal(ksr_grain_strongest(&found), 0);
    ksr_frame_free(&black);
    ksr_frame_free(&tiny);
    free(tally);
}

// --- Text ---

static void texts_are_read(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "off",
                                        "kee",
                                        "keep ",
                                        "-1",
                                        "2.01",
                                        "3",
                                        "1.",
                                        "1:",
                                        "1:1,2,3,4,5,6,7:0:0:0",
                                        "1:1,2,3,4,5,6,7,8:0.81:0:0",
                                        "1:1,2,3,4,5,6,7,33:0:0:0",
                                        "1:1,2,3,4,5,6,7,8:0:0",
                                        "1:1,2,3,4,5,6,7,8:0:0:0:0",
                                        "1:1,2,3,4,5,6,7,8,9:0:0:0",
                                        "0.123",
                                        "99999999999999999999"};
    struct ksr_grain g;
    enum ksr_grain_kind kind;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        if (ksr_grain_parse(wrong[i], &kind, &g))
            fail_msg("'%s'", wrong[i]);
    assert_true(ksr_grain_parse("keep", &kind, &g) && kind == KSR_GRAIN_KEEP);
    assert_true(ksr_grain_parse("remove", &kind, &g) && kind == KSR_GRAIN_UNKNOWN && !g.amount);
    assert_true(ksr_grain_parse("0.5", &kind, &g) && kind == KSR_GRAIN_UNKNOWN && g.amount == 50);
    assert_true(ksr_grain_parse("2", &kind, &g) && kind == KSR_GRAIN_UNKNOWN && g.amount == 200);
    const char *text = "1.25:0.00,1.10,2.00,3.00,4.00,5.00,32.00,0.07:0.55:1.20:0.80";
    char again[KSR_GRAIN_TEXT];
    assert_true(ksr_grain_parse(text, &kind, &g) && kind == KSR_GRAIN_MEASURED);
    assert_int_equal(g.luma[1], 110);
    assert_int_equal(ksr_grain_strongest(&g), 3200);
    assert_int_equal(g.chroma, 120);
    assert_int_equal(g.alike[1], 80);
    ksr_grain_print(again, &g);
    assert_string_equal(again, text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strength_is_exact),
        cmocka_unit_test(strength_follows_brightness_and_amount),
        cmocka_unit_test(black_and_white_stay),
        cmocka_unit_test(frames_and_planes_differ),
        cmocka_unit_test(rows_do_not_depend_on_the_band),
        cmocka_unit_test(known_grain_is_measured),
        cmocka_unit_test(grain_follows_brightness),
        cmocka_unit_test(texture_of_one_brightness_is_left_out),
        cmocka_unit_test(what_is_scattered_is_not_grain),
        cmocka_unit_test(weak_grain_is_measured),
        cmocka_unit_test(what_is_no_grain_is_not_found),
        cmocka_unit_test(texts_are_read),
    };
    return cmocka_run_group_tests_name("grain", tests, NULL, NULL);
}
