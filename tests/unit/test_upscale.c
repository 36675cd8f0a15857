// Stage 3: coefficients, phase, flatness, limits, odd sizes.

#include "unit.h"

#include "stages/upscale.h"

static void run(struct ksr_frame *dst, const struct ksr_frame *src)
{
    for (int i = 0; i < src->layout.planes; i++) {
        const struct ksr_upscale_params params = ksr_upscale_params_make(&src->layout, i);
        ksr_upscale_rows(&dst->plane[i], &src->plane[i], &params, 0, dst->plane[i].height);
    }
}

static struct ksr_layout doubled(struct ksr_layout l)
{
    l.width *= 2;
    l.height *= 2;
    return l;
}

// 16 times the shift of the sampling grid that the design asks for.
static int shift16(enum ksr_siting siting, int shift)
{
    return siting == KSR_SITING_COSITED ? 4 >> shift : 4;
}

static void check_filter(const struct ksr_upscale_filter *f, int shift)
{
    for (int phase = 0; phase < 2; phase++) {
        int sum = 0, moment = 0, negative = 0;
        for (int k = 0; k < KSR_UPSCALE_TAPS; k++) {
            const int c = f->tap[phase][k];
            sum += c;
            moment += c * (k - 4 + phase); // the offset from input sample j / 2
            negative += c < 0 ? c : 0;
        }
        assert_int_equal(sum, 1 << KSR_UPSCALE_BITS);
        // j / 2 - shift, seen from input sample j / 2 rounded down
        assert_int_equal(moment * 16, (8 * phase - shift) * (1 << KSR_UPSCALE_BITS));
        assert_true(negative > -8192); // or a column could leave int16
    }
}

static void coefficients_have_the_sum_and_the_phase(void **state)
{
    (void)state;
    for (int shift = 0; shift <= 2; shift++)
        for (int siting = 0; siting < 4; siting++) {
            struct ksr_layout l = unit_layout(16, 16, 4, shift);
            l.siting_x = siting & 1;
            l.siting_y = siting >> 1;
            for (int i = 0; i < 4; i++) {
                const struct ksr_upscale_params p = ksr_upscale_params_make(&l, i);
                const bool chroma = i == 1 || i == 2;
                check_filter(p.x, chroma ? shift16(l.siting_x, shift) : 4);
                check_filter(p.y, chroma ? shift16(l.siting_y, shift) : 4);
            }
        }
}

static void flat_areas_stay(void **state)
{
    (void)state;
    for (int shift = 0; shift <= 2; shift++) {
        const struct ksr_layout l = unit_layout(37, 23, 4, shift);
        struct ksr_frame a = unit_frame(l), b = unit_frame(doubled(l));
        for (int v = 0; v <= 32767; v += v < 32000 ? 1057 : 1) {
            for (int i = 0; i < 4; i++)
                unit_fill(&a.plane[i], (uint16_t)v);
            run(&b, &a);
            for (int i = 0; i < 4; i++)
                unit_assert_flat(&b.plane[i], v);
        }
        ksr_frame_free(&a);
        ksr_frame_free(&b);
    }
}

// A ramp of 16 per sample has its exact values at the phase of every plane.
static void ramps_stay_ramps(void **state)
{
    (void)state;
    for (int shift = 0; shift <= 2; shift++)
        for (int siting = 0; siting < 4; siting++) {
            struct ksr_layout l = unit_layout(300, 120, 3, shift);
            l.siting_x = siting & 1;
            l.siting_y = siting >> 1;
            struct ksr_frame a = unit_frame(l), b = unit_frame(doubled(l));
            for (int i = 0; i < 3; i++)
                unit_fill_ramp(&a.plane[i], 12000, 32, -48);
            run(&b, &a);
            for (int i = 0; i < 3; i++) {
                const int sx = i ? shift16(l.siting_x, shift) : 4;
                const int sy = i ? shift16(l.siting_y, shift) : 4;
                const struct ksr_plane *p = &b.plane[i];
                for (int y = 10; y < p->height - 10; y++)
                    for (int x = 10; x < p->width - 10; x++) {
                        const int want = 12000 + 2 * (8 * x - sx) - 3 * (8 * y - sy);
                        // The row of columns is rounded in between: one unit.
                        assert_true(abs(*unit_at(p, x, y) - want) <= 1);
                    }
            }
            ksr_frame_free(&a);
            ksr_frame_free(&b);
        }
}

// Centre of gravity of what rises above a dark ground, in samples.
static void gravity(const struct ksr_plane *p, int ground, double *cx, double *cy)
{
    double sum = 0, sx = 0, sy = 0;
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++) {
            const double v = *unit_at(p, x, y) - ground;
            sum += v;
            sx += v * x;
            sy += v * y;
        }
    *cx = sx / sum;
    *cy = sy / sum;
}

// Where sample position p of a plane lies on the grid of luma, by its siting.
static double on_luma(double p, enum ksr_siting siting, int shift)
{
    const int k = 1 << shift;
    return siting == KSR_SITING_COSITED ? k * p : k * p + (k - 1) / 2.0;
}

// A smooth blob at one place of the picture is drawn into luma and chroma, each at its own
// sampling points; after one and two passes it must still be at one place.
static void draw_blob(const struct ksr_plane *p, const struct ksr_layout *l, int shift, double at_x,
                      double at_y)
{
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++) {
            const double dx = on_luma(x, l->siting_x, shift) - at_x;
            const double dy = on_luma(y, l->siting_y, shift) - at_y;
            const double d = 1 - (dx * dx + dy * dy) / (20 * 20);
            *unit_at(p, x, y) = (uint16_t)(4000 + (d > 0 ? 20000 * d * d * d : 0));
        }
}

static void chroma_lies_where_luma_lies(void **state)
{
    (void)state;
    for (int shift = 0; shift <= 2; shift++)
        for (int siting = 0; siting < 4; siting++) {
            struct ksr_layout l = unit_layout(80, 80, 3, shift);
            l.siting_x = siting & 1;
            l.siting_y = siting >> 1;
            const struct ksr_layout l2 = doubled(l), l4 = doubled(l2);
            struct ksr_frame a = unit_frame(l), b = unit_frame(l2), c = unit_frame(l4);
            draw_blob(&a.plane[0], &l, 0, 38.3, 41.7);
            draw_blob(&a.plane[1], &l, shift, 38.3, 41.7);
            draw_blob(&a.plane[2], &l, shift, 38.3, 41.7);
            run(&b, &a);
            run(&c, &b);
            const struct ksr_frame *passes[2] = {&b, &c};
            for (int pass = 0; pass < 2; pass++) {
                double x0, y0, x1, y1;
                gravity(&passes[pass]->plane[0], 4000, &x0, &y0);
                gravity(&passes[pass]->plane[1], 4000, &x1, &y1);
                x1 = on_luma(x1, l.siting_x, shift) - x0;
                y1 = on_luma(y1, l.siting_y, shift) - y0;
                if (x1 * x1 > 1.0 / 256 || y1 * y1 > 1.0 / 256)
                    fail_msg("shift %d, siting %d, pass %d: chroma is off by %f, %f", shift, siting,
                             pass, x1, y1);
                // Luma's own place: input position p is output position 2p + 1/2.
                const double want = pass ? 4 * 38.3 + 1.5 : 2 * 38.3 + 0.5;
                assert_true(x0 > want - 1.0 / 16 && x0 < want + 1.0 / 16);
            }
            ksr_frame_free(&a);
            ksr_frame_free(&b);
            ksr_frame_free(&c);
        }
}

static int clamp(int v, int low, int high)
{
    return v < low ? low : v > high ? high : v;
}

// The formula of the header, for one sample, without tiles.
static int reference(const struct ksr_plane *p, const struct ksr_upscale_params *params, int jx,
                     int jy)
{
    int sum = 0;
    for (int kx = 0; kx < 8; kx++) {
        int column = 0;
        const int x = clamp(jx / 2 - 4 + (jx & 1) + kx, 0, p->width - 1);
        for (int ky = 0; ky < 8; ky++)
            column += params->y->tap[jy & 1][ky] *
                      *unit_at(p, x, clamp(jy / 2 - 4 + (jy & 1) + ky, 0, p->height - 1));
        const int t = ((column + 8192) >> 14) - 16384;
        assert_true(t >= -32768 && t <= 32767);
        sum += params->x->tap[jx & 1][kx] * t;
    }
    int low = 32767, high = 0;
    for (int dy = -1; dy <= 1; dy++)
        for (int dx = -1; dx <= 1; dx++) {
            const int v = *unit_at(p, clamp(jx / 2 + dx, 0, p->width - 1),
                                   clamp(jy / 2 + dy, 0, p->height - 1));
            low = v < low ? v : low;
            high = v > high ? v : high;
        }
    return clamp(((sum + 8192) >> 14) + 16384, low, high);
}

static void check_formula(int w, int h, uint32_t *seed)
{
    for (int shift = 0; shift <= 2; shift++) {
        struct ksr_layout l = unit_layout(w, h, 3, shift);
        l.siting_y = (enum ksr_siting)(w & 1);
        struct ksr_frame a = unit_frame(l), b = unit_frame(doubled(l));
        for (int i = 0; i < 3; i++) {
            unit_fill_random(&a.plane[i], seed, i & 1);
            unit_fill(&b.plane[i], 55555);
        }
        run(&b, &a);
        for (int i = 0; i < 3; i++) {
            const struct ksr_upscale_params params = ksr_upscale_params_make(&l, i);
            for (int y = 0; y < b.plane[i].height; y++)
                for (int x = 0; x < b.plane[i].stride; x++)
                    assert_int_equal(*unit_at(&b.plane[i], x, y),
                                     x < b.plane[i].width ? reference(&a.plane[i], &params, x, y)
                                                          : 55555);
        }
        ksr_frame_free(&a);
        ksr_frame_free(&b);
    }
}

static void equals_its_formula_at_every_size(void **state)
{
    (void)state;
    uint32_t seed = 77;
    for (int w = 1; w <= 17; w++)
        for (int h = 1; h <= 9; h++)
            check_formula(w, h, &seed);
    check_formula(513, 5, &seed);
    check_formula(256, 3, &seed);
    check_formula(1031, 2, &seed);
}

static void rows_do_not_depend_on_the_band(void **state)
{
    (void)state;
    uint32_t seed = 4;
    struct ksr_frame a = unit_grey(61, 40), b = unit_grey(122, 80), c = unit_grey(122, 80);
    unit_fill_random(&a.plane[0], &seed, false);
    run(&b, &a);
    const struct ksr_upscale_params params = ksr_upscale_params_make(&a.layout, 0);
    for (int y = 0, n = 1; y < 80; y += n, n = n % 7 + 1)
        ksr_upscale_rows(&c.plane[0], &a.plane[0], &params, y, y + n < 80 ? y + n : 80);
    unit_assert_equal(&b.plane[0], &c.plane[0]);
    ksr_frame_free(&a);
    ksr_frame_free(&b);
    ksr_frame_free(&c);
}

// A line on a flat ground: nothing outside what was there, and the ground is flat 3 samples away.
static void lines_do_not_ring(void **state)
{
    (void)state;
    struct ksr_frame a = unit_grey(60, 60), b = unit_grey(120, 120);
    unit_fill(&a.plane[0], 25000);
    for (int y = 0; y < 60; y++)
        *unit_at(&a.plane[0], 30, y) = 3000;
    run(&b, &a);
    for (int y = 0; y < 120; y++)
        for (int x = 0; x < 120; x++) {
            const int v = *unit_at(&b.plane[0], x, y);
            assert_true(v >= 3000 && v <= 25000);
            if (x < 58 || x > 63)
                assert_int_equal(v, 25000);
        }
    assert_true(*unit_at(&b.plane[0], 60, 50) < 6000);
    ksr_frame_free(&a);
    ksr_frame_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(coefficients_have_the_sum_and_the_phase),
        cmocka_unit_test(flat_areas_stay),
        cmocka_unit_test(ramps_stay_ramps),
        cmocka_unit_test(chroma_lies_where_luma_lies),
        cmocka_unit_test(equals_its_formula_at_every_size),
        cmocka_unit_test(rows_do_not_depend_on_the_band),
        cmocka_unit_test(lines_do_not_ring),
    };
    return cmocka_run_group_tests_name("upscale", tests, NULL, NULL);
}
