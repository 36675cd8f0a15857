// Noise of block coding: found where blocks were coded, never in lines, texture and grain.

#include "unit.h"

#include <math.h>

#include "frame/noise.h"

#define CODE   128 // one code of 8 bits in working samples
#define NOTICE 51  // what counts as noise (media/index/damage.c)

// Slanted lines and discs on flat ground.
static void draw(const struct ksr_plane *p)
{
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++) {
            const double line = fmod(x + 0.37 * y, 41), disc = hypot(x % 77 - 38, y % 59 - 29);
            const double edge = fmin(line < 3 ? 0 : 1, fmax(0, fmin(1, disc - 17)));
            *unit_at(p, x, y) = (uint16_t)(CODE * (40 + (int)(150 * edge)));
        }
}

// Codes every block of 8x8 samples as JPEG does, in codes of `bits` bits.
static void code_blocks(const struct ksr_plane *p, int x0, int y0, double step, int bits)
{
    const double pi = acos(-1), unit = 1 << (15 - bits);
    for (int by = y0; by + 8 <= p->height; by += 8)
        for (int bx = x0; bx + 8 <= p->width; bx += 8) {
            double c[8][8], out[8][8] = {{0}};
            for (int v = 0; v < 8; v++)
                for (int u = 0; u < 8; u++) {
                    double sum = 0;
                    for (int y = 0; y < 8; y++)
                        for (int x = 0; x < 8; x++)
                            sum += *unit_at(p, bx + x, by + y) * cos((2 * x + 1) * u * pi / 16) *
                                   cos((2 * y + 1) * v * pi / 16);
                    const double norm = (u ? 0.5 : sqrt(0.125)) * (v ? 0.5 : sqrt(0.125));
                    c[v][u] = round(sum * norm / (step * CODE)) * step * CODE * norm;
                }
            for (int y = 0; y < 8; y++)
                for (int x = 0; x < 8; x++)
                    for (int v = 0; v < 8; v++)
                        for (int u = 0; u < 8; u++)
                            out[y][x] += c[v][u] * cos((2 * x + 1) * u * pi / 16) *
                                         cos((2 * y + 1) * v * pi / 16);
            for (int y = 0; y < 8; y++)
                for (int x = 0; x < 8; x++) {
                    const double sample = round(out[y][x] / unit) * unit;
                    *unit_at(p, bx + x, by + y) = (uint16_t)fmax(0, fmin(32767, sample));
                }
        }
}

static int excess_of(const struct ksr_plane *p)
{
    struct ksr_noise noise = {0};
    ksr_noise_add(&noise, p);
    return ksr_noise_excess(&noise);
}

static void coded(void **state)
{
    static const int bits[] = {8, 10, 12};
    (void)state;
    for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
        struct ksr_frame f = unit_grey(320, 200);
        int before = NOTICE - 1;
        draw(&f.plane[0]);
        assert_int_equal(excess_of(&f.plane[0]), 0);
        for (double step = 8; step <= 24; step += 8) {
            draw(&f.plane[0]);
            code_blocks(&f.plane[0], 0, 0, step, bits[i]);
            const int excess = excess_of(&f.plane[0]);
            assert_true(excess > before); // and the more, the coarser it is
            before = excess;
        }
        ksr_frame_free(&f);
    }
}

// Blocks that begin elsewhere are not where anything was coded.
static void other_places(void **state)
{
    struct ksr_frame f = unit_grey(324, 204);
    (void)state;
    draw(&f.plane[0]);
    code_blocks(&f.plane[0], 4, 4, 16, 8);
    assert_int_equal(excess_of(&f.plane[0]), 0);
    draw(&f.plane[0]);
    code_blocks(&f.plane[0], 0, 0, 16, 8);
    assert_true(excess_of(&f.plane[0]) >= NOTICE);
    ksr_frame_free(&f);
}

static void grain(void **state)
{
    struct ksr_frame f = unit_grey(320, 200);
    uint32_t seed = 3;
    (void)state;
    for (int most = 1; most <= 12; most++) {
        draw(&f.plane[0]);
        for (int y = 0; y < 200; y++)
            for (int x = 0; x < 320; x++)
                *unit_at(&f.plane[0], x, y) +=
                    (uint16_t)(unit_random(&seed) % (uint32_t)(2 * most * CODE));
        assert_true(excess_of(&f.plane[0]) < NOTICE);
    }
    ksr_frame_free(&f);
}

// Hatching, halftones and type in cells, of every period and place.
static void patterns(void **state)
{
    struct ksr_frame f = unit_grey(320, 200);
    (void)state;
    for (int kind = 0; kind < 4; kind++)
        for (int period = 2; period <= 17; period++)
            for (int place = 0; place < period; place++) {
                for (int y = 0; y < 200; y++)
                    for (int x = 0; x < 320; x++) {
                        const int u = (x + place) % period, v = (y + place) % period;
                        const bool ink = kind == 0   ? (x + y + place) % period < 2
                                         : kind == 1 ? u * u + v * v < period * period / 5
                                         : kind == 2
                                             ? u < period - 2 && v < period - 2 && (u ^ v) & 2
                                             : u == 0;
                        *unit_at(&f.plane[0], x, y) = (uint16_t)(CODE * (ink ? 30 : 210));
                    }
                assert_true(excess_of(&f.plane[0]) < NOTICE);
            }
    ksr_frame_free(&f);
}

// Black borders of any height, over grain.
static void borders(void **state)
{
    struct ksr_frame f = unit_grey(320, 200);
    uint32_t seed = 9;
    (void)state;
    for (int border = 1; border < 40; border++) {
        draw(&f.plane[0]);
        for (int y = 0; y < 200; y++)
            for (int x = 0; x < 320; x++) {
                uint16_t *sample = unit_at(&f.plane[0], x, y);
                *sample += (uint16_t)(unit_random(&seed) % (uint32_t)(8 * CODE));
                if (y < border || y >= 200 - border || x < border || x >= 320 - border)
                    *sample = 16 * CODE;
            }
        assert_true(excess_of(&f.plane[0]) < NOTICE);
    }
    ksr_frame_free(&f);
}

static void every_size(void **state)
{
    uint32_t seed = 7;
    (void)state;
    for (int height = 1; height <= 19; height++)
        for (int width = 1; width <= 140; width += width < 20 ? 1 : 17) {
            struct ksr_frame f = unit_grey(width, height);
            unit_fill_random(&f.plane[0], &seed, false);
            assert_int_equal(excess_of(&f.plane[0]), 0); // too few parts
            ksr_frame_free(&f);
        }
}

// More pictures than are remembered.
static void many(void **state)
{
    struct ksr_frame f = unit_grey(320, 200);
    struct ksr_noise noise = {0};
    (void)state;
    draw(&f.plane[0]);
    code_blocks(&f.plane[0], 0, 0, 16, 8);
    for (int i = 0; i < KSR_NOISE_TILES; i++)
        ksr_noise_add(&noise, &f.plane[0]);
    assert_int_equal(noise.count[0], KSR_NOISE_TILES);
    assert_true(ksr_noise_excess(&noise) >= NOTICE);
    ksr_frame_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(coded),   cmocka_unit_test(other_places),
                                       cmocka_unit_test(grain),   cmocka_unit_test(patterns),
                                       cmocka_unit_test(borders), cmocka_unit_test(every_size),
                                       cmocka_unit_test(many)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
