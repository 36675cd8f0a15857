// Chroma guided by luma: edges come back where luma has them, and nothing else happens.

#include "unit.h"

#include <math.h>

#include "stages/guide.h"

#define W      192
#define H      128
#define MARGIN 12

static struct ksr_guide_params params_of(double strength, double denoise, enum ksr_siting x,
                                         enum ksr_siting y)
{
    struct ksr_layout layout = unit_layout(W, H, 3, 1);
    layout.siting_x = x;
    layout.siting_y = y;
    return ksr_guide_params_make(
        &(struct ksr_pipeline_config){.guided_chroma = strength, .denoise = denoise}, &layout);
}

// How much of a pen is at a place: slanted bars of two widths, and discs.
static double pen(double x, double y)
{
    const double along = 0.8 * x + 0.6 * y, bar = fabs(fmod(along, 32) - 16);
    const double disc = hypot(fmod(x, 48) - 24, fmod(y, 48) - 24);
    const double nearest = fmin(bar - (fmod(along, 64) < 32 ? 1.2 : 5), fabs(disc - 14) - 2);
    return 1 / (1 + exp(nearest / 0.35));
}

// Draws luma and chroma of one pen, and chroma reduced to half the size. Chroma is what plane 1 of
// an output of twice the size would be: its samples are a quarter further to the left (or up)
// where it is co-sited.
static void draw(const struct ksr_plane *luma, const struct ksr_plane *truth,
                 const struct ksr_plane *small, const struct ksr_guide_params *p, double depth)
{
    const double dx = p->x == KSR_SITING_COSITED ? 0.25 : 0;
    const double dy = p->y == KSR_SITING_COSITED ? 0.25 : 0;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            *unit_at(luma, x, y) = (uint16_t)(24000 - 16000 * pen(x, y));
            *unit_at(truth, x, y) = (uint16_t)(16384 + depth * pen(x - dx, y - dy));
        }
    for (int y = 0; y < small->height; y++)
        for (int x = 0; x < small->width; x++) {
            double sum = 0;
            for (int i = -1; i <= 1; i++)
                for (int k = -1; k <= 1; k++)
                    sum += (dx > 0  ? 2 - abs(k)
                            : k < 0 ? 0
                                    : 2) *
                           (dy > 0  ? 2 - abs(i)
                            : i < 0 ? 0
                                    : 2) *
                           pen(2 * x + k, 2 * y + i);
            *unit_at(small, x, y) = (uint16_t)(16384 + depth * sum / 16);
        }
}

static double error(const struct ksr_plane *a, const struct ksr_plane *b)
{
    double sum = 0;
    for (int y = MARGIN; y < H - MARGIN; y++)
        for (int x = MARGIN; x < W - MARGIN; x++)
            sum += pow(*unit_at(a, x, y) - *unit_at(b, x, y), 2);
    return sum / ((W - 2 * MARGIN) * (H - 2 * MARGIN));
}

struct pictures {
    struct ksr_frame luma, truth, small, plain, out;
};

static struct pictures pictures_make(void)
{
    return (struct pictures){unit_grey(W, H), unit_grey(W, H), unit_grey(W / 2, H / 2),
                             unit_grey(W, H), unit_grey(W, H)};
}

static void pictures_free(struct pictures *p)
{
    ksr_frame_free(&p->luma);
    ksr_frame_free(&p->truth);
    ksr_frame_free(&p->small);
    ksr_frame_free(&p->plain);
    ksr_frame_free(&p->out);
}

static void run(struct pictures *p, const struct ksr_guide_params *params)
{
    ksr_upscale_rows(&p->plain.plane[0], &p->small.plane[0], &params->upscale, 0, H);
    ksr_guided_rows(&p->out.plane[0], &p->small.plane[0], &p->luma.plane[0], params, 0, H);
}

// Both ways of siting on each axis, colour to either side of none.
static void edges_come_back(void **state)
{
    (void)state;
    struct pictures p = pictures_make();
    for (int k = 0; k < 8; k++) {
        const struct ksr_guide_params params =
            params_of(1, 0, (enum ksr_siting)(k & 1), (enum ksr_siting)(k >> 1 & 1));
        draw(&p.luma.plane[0], &p.truth.plane[0], &p.small.plane[0], &params, k & 4 ? 6000 : -6000);
        run(&p, &params);
        const double before = error(&p.plain.plane[0], &p.truth.plane[0]),
                     after = error(&p.out.plane[0], &p.truth.plane[0]);
        if (after * 2 > before)
            fail_msg("siting %d: %g, then %g", k, before, after);
    }
    pictures_free(&p);
}

static void half_the_strength_goes_half_the_way(void **state)
{
    (void)state;
    struct pictures p = pictures_make();
    const struct ksr_guide_params full = params_of(1, 0, KSR_SITING_COSITED, KSR_SITING_CENTRED),
                                  half = params_of(0.5, 0, KSR_SITING_COSITED, KSR_SITING_CENTRED);
    draw(&p.luma.plane[0], &p.truth.plane[0], &p.small.plane[0], &full, 5000);
    run(&p, &full);
    const double all = error(&p.out.plane[0], &p.plain.plane[0]);
    run(&p, &half);
    const double part = error(&p.out.plane[0], &p.plain.plane[0]);
    assert_true(part > all / 6 && part < all / 3);
    pictures_free(&p);
}

// Coding noise of chroma, three codes, is removed where luma is flat and along its edges.
static void noise_goes(void **state)
{
    (void)state;
    struct pictures p = pictures_make();
    const struct ksr_guide_params without = params_of(1, 0, KSR_SITING_COSITED, KSR_SITING_CENTRED),
                                  with = params_of(1, 0.5, KSR_SITING_COSITED, KSR_SITING_CENTRED);
    uint32_t seed = 9;
    draw(&p.luma.plane[0], &p.truth.plane[0], &p.small.plane[0], &with, 5000);
    for (int y = 0; y < H / 2; y++)
        for (int x = 0; x < W / 2; x++)
            *unit_at(&p.small.plane[0], x, y) +=
                (uint16_t)((int)(unit_random(&seed) >> 8) % 769 - 384);
    run(&p, &without);
    const double before = error(&p.out.plane[0], &p.truth.plane[0]);
    run(&p, &with);
    const double after = error(&p.out.plane[0], &p.truth.plane[0]);
    if (after * 1.3 > before)
        fail_msg("%g, then %g", before, after);
    pictures_free(&p);
}

static void what_luma_does_not_know_stays(void **state)
{
    (void)state;
    struct pictures p = pictures_make();
    const struct ksr_guide_params params = params_of(1, 0, KSR_SITING_COSITED, KSR_SITING_CENTRED);
    uint32_t seed = 4;
    // No colour, whatever luma is.
    unit_fill_random(&p.luma.plane[0], &seed, true);
    unit_fill(&p.small.plane[0], KSR_CHROMA_ZERO);
    run(&p, &params);
    unit_assert_flat(&p.out.plane[0], KSR_CHROMA_ZERO);
    // Flat luma, whatever colour is.
    unit_fill_random(&p.small.plane[0], &seed, true);
    unit_fill(&p.luma.plane[0], 20000);
    run(&p, &params);
    unit_assert_equal(&p.out.plane[0], &p.plain.plane[0]);
    // Both, and nothing in common.
    draw(&p.luma.plane[0], &p.truth.plane[0], &p.small.plane[0], &params, 6000);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            *unit_at(&p.luma.plane[0], x, y) = (uint16_t)(16000 + 4000 * sin(0.5 * x - 0.7 * y));
    run(&p, &params);
    const double before = error(&p.plain.plane[0], &p.truth.plane[0]),
                 after = error(&p.out.plane[0], &p.truth.plane[0]);
    if (after > before)
        fail_msg("%g, then %g", before, after);
    pictures_free(&p);
}

// No sample leaves the range of the 3x3 around.
static void no_colour_appears(void **state)
{
    (void)state;
    struct pictures p = pictures_make();
    const struct ksr_guide_params params = params_of(1, 1, KSR_SITING_COSITED, KSR_SITING_CENTRED);
    uint32_t seed = 6;
    for (int k = 0; k < 2; k++) {
        unit_fill_random(&p.luma.plane[0], &seed, k);
        unit_fill_random(&p.small.plane[0], &seed, k);
        run(&p, &params);
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                int low = KSR_SAMPLE_MAX, high = 0;
                for (int i = -1; i <= 1; i++)
                    for (int m = -1; m <= 1; m++) {
                        const int sx = x / 2 + m, sy = y / 2 + i;
                        if (sx < 0 || sy < 0 || sx >= W / 2 || sy >= H / 2)
                            continue;
                        const int v = *unit_at(&p.small.plane[0], sx, sy);
                        low = v < low ? v : low;
                        high = v > high ? v : high;
                    }
                assert_in_range(*unit_at(&p.out.plane[0], x, y), low, high);
            }
    }
    pictures_free(&p);
}

// Bands of any height give the same as all rows at once, at every size; nothing else is written.
static void rows_do_not_depend_on_the_band(void **state)
{
    (void)state;
    uint32_t seed = 21;
    const struct ksr_guide_params params =
        params_of(0.9, 0.4, KSR_SITING_COSITED, KSR_SITING_COSITED);
    for (int w = 1; w <= 9; w++)
        for (int h = 1; h <= 13; h++) {
            const int width = w == 9 ? 1051 : w;
            struct ksr_frame luma = unit_grey(width, h),
                             small = unit_grey((width + 1) / 2, (h + 1) / 2),
                             b = unit_grey(width, h), c = unit_grey(width, h);
            unit_fill_random(&luma.plane[0], &seed, true);
            unit_fill_random(&small.plane[0], &seed, false);
            unit_fill(&b.plane[0], 12345);
            ksr_guided_rows(&b.plane[0], &small.plane[0], &luma.plane[0], &params, 0, h);
            for (int y = 0; y < h; y += 3)
                ksr_guided_rows(&c.plane[0], &small.plane[0], &luma.plane[0], &params, y,
                                y + 3 < h ? y + 3 : h);
            unit_assert_equal(&b.plane[0], &c.plane[0]);
            for (int y = 0; y < h; y++)
                for (int x = width; x < b.plane[0].stride; x++)
                    assert_int_equal(*unit_at(&b.plane[0], x, y), 12345);
            ksr_frame_free(&luma);
            ksr_frame_free(&small);
            ksr_frame_free(&b);
            ksr_frame_free(&c);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edges_come_back),   cmocka_unit_test(half_the_strength_goes_half_the_way),
        cmocka_unit_test(noise_goes),        cmocka_unit_test(what_luma_does_not_know_stays),
        cmocka_unit_test(no_colour_appears), cmocka_unit_test(rows_do_not_depend_on_the_band),
    };
    return cmocka_run_group_tests_name("guide", tests, NULL, NULL);
}
