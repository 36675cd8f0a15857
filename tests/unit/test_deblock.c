// Deblocking: known errors of whole blocks become smaller; edges, texture and ramps stay.

#include "unit.h"

#include <math.h>

#include "stages/deblock.h"

#define W    203
#define H    117
#define CODE 128 // of 8 bits

static void run(const struct ksr_plane *dst, const struct ksr_plane *src, double strength, int x,
                int y)
{
    struct ksr_deblock_params params =
        ksr_deblock_params_make(&(struct ksr_pipeline_config){.deblock = strength});
    params.x = x;
    params.y = y;
    ksr_deblock_rows(dst, src, &params, 0, src->height);
}

static double error(const struct ksr_plane *a, const struct ksr_plane *b)
{
    double sum = 0;
    for (int y = 0; y < a->height; y++)
        for (int x = 0; x < a->width; x++)
            sum += pow((*unit_at(a, x, y) - *unit_at(b, x, y)) / (double)CODE, 2);
    return sum / (a->width * a->height);
}

// Adds up to `most` codes, up or down, to each block of a gradient of one code in four samples.
static void draw(const struct ksr_plane *truth, const struct ksr_plane *coded, int most, int px,
                 int py)
{
    for (int y = 0; y < truth->height; y++)
        for (int x = 0; x < truth->width; x++) {
            uint32_t seed = (uint32_t)((x + px) / 8 * 977 + (y + py) / 8 * 31 + 7);
            for (int k = 0; k < 4; k++)
                unit_random(&seed);
            const int more = (int)(seed >> 8) % (2 * most * CODE + 1) - most * CODE;
            *unit_at(truth, x, y) = (uint16_t)(12000 + (x + y) * CODE / 4);
            *unit_at(coded, x, y) = (uint16_t)(12000 + (x + y) * CODE / 4 + more);
        }
}

// The mean size of steps between columns or rows at one place of all blocks, less the gradient's.
static double steps(const struct ksr_plane *p, int px, int py, int place, bool rows)
{
    double sum = 0;
    int count = 0;
    for (int y = 1; y < p->height; y++)
        for (int x = 1; x < p->width; x++)
            if ((rows ? y + py : x + px) % 8 == place) {
                sum += fabs(*unit_at(p, x, y) - *unit_at(p, x - !rows, y - rows) - CODE / 4.0);
                count++;
            }
    return sum / count;
}

static void seams_become_less(void **state)
{
    (void)state;
    struct ksr_frame truth = unit_grey(W, H), coded = unit_grey(W, H), out = unit_grey(W, H);
    const struct ksr_plane *a = &truth.plane[0], *b = &coded.plane[0], *c = &out.plane[0];
    for (int px = 0; px < 8; px += 3)
        for (int py = 0; py < 8; py += 5) {
            draw(a, b, 3, px, py);
            run(c, b, 0.5, px, py);
            assert_true(error(c, a) < 0.9 * error(b, a));
            for (int rows = 0; rows < 2; rows++) {
                const double before = steps(b, px, py, 0, rows), after = steps(c, px, py, 0, rows);
                if (after > 0.3 * before)
                    fail_msg("block at %d %d: steps of %g, then %g", px, py, before, after);
            }
            // What is not near a border is not touched, and a smaller strength does less.
            for (int y = 0; y < H; y++)
                for (int x = 0; x < W; x++)
                    if ((x + px + 2) % 8 >= 4 && (y + py + 2) % 8 >= 4)
                        assert_int_equal(*unit_at(c, x, y), *unit_at(b, x, y));
            const double at_half = steps(c, px, py, 0, false);
            run(c, b, 0.1, px, py);
            assert_true(steps(c, px, py, 0, false) > 1.5 * at_half);
            // Elsewhere there is no border: blocks that are not where they are said to be stay.
            run(c, b, 0.5, (px + 4) % 8, (py + 4) % 8);
            unit_assert_equal(c, b);
        }
    ksr_frame_free(&truth);
    ksr_frame_free(&coded);
    ksr_frame_free(&out);
}

static void assert_stays(const struct ksr_plane *src, const struct ksr_plane *dst, const char *what)
{
    for (int p = 0; p < 8; p++) {
        run(dst, src, 1, p, 7 - p);
        for (int y = 3; y < H - 3; y++) // a block of one row or column shows no inside
            for (int x = 3; x < W - 3; x++)
                if (*unit_at(dst, x, y) != *unit_at(src, x, y))
                    fail_msg("%s, block at %d: %d %d", what, p, x, y);
    }
}

static void what_is_no_seam_stays(void **state)
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
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            *unit_at(a, x, y) = (uint16_t)(x + y / 3 < 100 ? 9000 : 9000 + 32 * CODE);
    assert_stays(a, b, "edge");
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            *unit_at(a, x, y) = (uint16_t)(9000 + (x + 2 * y) % 3 / 2 * 10 * CODE);
    assert_stays(a, b, "thin lines");
    ksr_frame_free(&in);
    ksr_frame_free(&out);
}

static void mirrored_planes_give_mirrored_results(void **state)
{
    (void)state;
    struct ksr_frame f[4] = {unit_grey(W, H), unit_grey(W, H), unit_grey(W, H), unit_grey(W, H)};
    uint32_t seed = 9;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            *unit_at(&f[0].plane[0], x, y) = (uint16_t)(unit_random(&seed) >> 8 & 4095);
            *unit_at(&f[1].plane[0], W - 1 - x, H - 1 - y) = *unit_at(&f[0].plane[0], x, y);
        }
    run(&f[2].plane[0], &f[0].plane[0], 1, 3, 2);
    run(&f[3].plane[0], &f[1].plane[0], 1, -(3 + W) & 7, -(2 + H) & 7);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            assert_int_equal(*unit_at(&f[3].plane[0], W - 1 - x, H - 1 - y),
                             *unit_at(&f[2].plane[0], x, y));
    assert_true(error(&f[2].plane[0], &f[0].plane[0]) > 0);
    for (int i = 0; i < 4; i++)
        ksr_frame_free(&f[i]);
}

// Bands of any height give the same as all rows at once, at every size; nothing else is written.
static void rows_do_not_depend_on_the_band(void **state)
{
    (void)state;
    uint32_t seed = 21;
    for (int w = 1; w <= 17; w++)
        for (int h = 1; h <= 45; h += 11) {
            const int width = w == 17 ? 650 : w == 16 ? 70 : w;
            struct ksr_frame a = unit_grey(width, h), b = unit_grey(width, h),
                             c = unit_grey(width, h);
            for (int y = 0; y < h; y++)
                for (int x = 0; x < width; x++)
                    *unit_at(&a.plane[0], x, y) =
                        (uint16_t)(unit_random(&seed) >> 8 & (w % 2 ? 2047 : KSR_SAMPLE_MAX));
            unit_fill(&b.plane[0], 12345);
            const struct ksr_deblock_params params = {2048, w % 8, h % 8};
            ksr_deblock_rows(&b.plane[0], &a.plane[0], &params, 0, h);
            for (int y = 0; y < h; y++)
                ksr_deblock_rows(&c.plane[0], &a.plane[0], &params, y, y + 1);
            unit_assert_equal(&b.plane[0], &c.plane[0]);
            for (int y = 0; y < h; y++)
                for (int x = width; x < b.plane[0].stride; x++)
                    assert_int_equal(*unit_at(&b.plane[0], x, y), 12345);
            ksr_frame_free(&a);
            ksr_frame_free(&b);
            ksr_frame_free(&c);
        }
}

static struct ksr_blocks blocks_of(const struct ksr_plane *luma)
{
    struct ksr_blocks blocks = {{0}, {0}};
    ksr_blocks_add(&blocks, luma);
    return blocks;
}

static void blocks_are_found(void **state)
{
    (void)state;
    struct ksr_frame truth = unit_grey(256, 208), coded = unit_grey(256, 208);
    const struct ksr_plane *a = &truth.plane[0], *b = &coded.plane[0];
    draw(a, b, 3, 0, 0);
    struct ksr_blocks blocks = blocks_of(b);
    assert_int_equal(blocks.lines[0], 31);
    assert_int_equal(blocks.lines[1], 25);
    assert_true(ksr_blocks_found(&blocks) && ksr_blocks_share(&blocks) == 100);
    ksr_blocks_add(&blocks, b);
    assert_int_equal(blocks.lines[0], 62);
    // On another grid there are none, nor where nothing was coded.
    draw(a, b, 3, 4, 4);
    blocks = blocks_of(b);
    assert_int_equal(ksr_blocks_share(&blocks), 0);
    blocks = blocks_of(a);
    assert_int_equal(ksr_blocks_share(&blocks), 0);
    // Where rows end elsewhere, as in woven fields, those between columns tell.
    for (int y = 0; y < 208; y++)
        for (int x = 0; x < 256; x++)
            *unit_at(b, x, y) =
                (uint16_t)(x / 8 % 3 * 2 * CODE + (y + 4) / 8 % 3 * 2 * CODE + 9000);
    blocks = blocks_of(b);
    assert_true(blocks.seams[0] == 31 && blocks.seams[1] == 0 && ksr_blocks_found(&blocks));
    // Checks of that size are drawn with more contrast.
    for (int y = 0; y < 208; y++)
        for (int x = 0; x < 256; x++)
            *unit_at(b, x, y) = (uint16_t)((x / 8 + y / 8) % 2 * 9 * CODE + 9000);
    blocks = blocks_of(b);
    assert_false(ksr_blocks_found(&blocks));
    ksr_frame_free(&truth);
    ksr_frame_free(&coded);
}

static void few_lines_tell_nothing(void **state)
{
    (void)state;
    assert_true(ksr_blocks_found(&(struct ksr_blocks){.lines = {25, 25}, .seams = {0, 15}}));
    assert_false(ksr_blocks_found(&(struct ksr_blocks){.lines = {25, 25}, .seams = {14, 14}}));
    assert_false(ksr_blocks_found(&(struct ksr_blocks){.lines = {23, 23}, .seams = {23, 23}}));
    assert_false(ksr_blocks_found(&(struct ksr_blocks){.lines = {0}}));
    for (int w = 1; w < 40; w += 3) { // read within the plane at every size
        struct ksr_frame f = unit_grey(w, 40 - w);
        unit_fill(&f.plane[0], 9000);
        const struct ksr_blocks blocks = blocks_of(&f.plane[0]);
        assert_int_equal(blocks.lines[0] + blocks.lines[1], 0);
        ksr_frame_free(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seams_become_less),
        cmocka_unit_test(what_is_no_seam_stays),
        cmocka_unit_test(mirrored_planes_give_mirrored_results),
        cmocka_unit_test(rows_do_not_depend_on_the_band),
        cmocka_unit_test(blocks_are_found),
        cmocka_unit_test(few_lines_tell_nothing),
    };
    return cmocka_run_group_tests_name("deblock", tests, NULL, NULL);
}
