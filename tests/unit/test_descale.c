// Descaling: weights against a dense solution, pictures there and back, flatness, equal sizes.

#include "unit.h"

#include <math.h>

#include "frame/tile.h"
#include "stages/descale.h"

#define PI 3.14159265358979323846

// --- The same in floating point, dense ---

static double sinc(double x)
{
    return x == 0 ? 1 : sin(PI * x) / (PI * x);
}

static double cubic(double x, double b, double c)
{
    if (x < 1)
        return ((12 - 9 * b - 6 * c) * x * x * x + (-18 + 12 * b + 6 * c) * x * x + 6 - 2 * b) / 6;
    return x < 2 ? ((-b - 6 * c) * x * x * x + (6 * b + 30 * c) * x * x + (-12 * b - 48 * c) * x +
                    8 * b + 24 * c) /
                       6
                 : 0;
}

static double spline(double x)
{
    if (x < 1)
        return ((13.0 / 11 * x - 453.0 / 209) * x - 3.0 / 209) * x + 1;
    if (x < 2)
        return ((-6.0 / 11 * (x - 1) + 270.0 / 209) * (x - 1) - 156.0 / 209) * (x - 1);
    return x < 3 ? ((1.0 / 11 * (x - 2) - 45.0 / 209) * (x - 2) + 26.0 / 209) * (x - 2) : 0;
}

static double weight_at(enum ksr_kernel kernel, double x)
{
    switch (kernel) {
    case KSR_KERNEL_BILINEAR: return x < 1 ? 1 - x : 0;
    case KSR_KERNEL_BICUBIC: return cubic(x, 0, 0.5);
    case KSR_KERNEL_MITCHELL: return cubic(x, 1.0 / 3, 1.0 / 3);
    case KSR_KERNEL_SPLINE36: return spline(x);
    case KSR_KERNEL_LANCZOS2: return x < 2 ? sinc(x) * sinc(x / 2) : 0;
    case KSR_KERNEL_LANCZOS3: return x < 3 ? sinc(x) * sinc(x / 3) : 0;
    default: return x < 4 ? sinc(x) * sinc(x / 4) : 0;
    }
}

// Returns the matrix that enlarges `small` samples to `large`, row by row; to be freed.
static double *dense(enum ksr_kernel kernel, int large, int small)
{
    double *a = calloc((size_t)(large * small), sizeof(a[0]));
    assert_non_null(a);
    for (int y = 0; y < large; y++) {
        const double at = (y + 0.5) * small / large - 0.5;
        double total = 0;
        for (int i = (int)floor(at) - 5; i <= (int)floor(at) + 6; i++)
            total += weight_at(kernel, fabs(i - at));
        for (int i = (int)floor(at) - 5; i <= (int)floor(at) + 6; i++)
            a[y * small + ksr_clamp(i, 0, small - 1)] += weight_at(kernel, fabs(i - at)) / total;
    }
    return a;
}

// Returns (A^T A)^-1 A^T by elimination; to be freed.
static double *dense_inverse(const double *a, int large, int small)
{
    double *p = calloc((size_t)(large * small), sizeof(p[0]));
    double *g = calloc((size_t)(small * small), sizeof(g[0]));
    assert_true(p && g);
    for (int i = 0; i < small; i++)
        for (int y = 0; y < large; y++) {
            p[i * large + y] = a[y * small + i];
            for (int j = 0; j < small; j++)
                g[i * small + j] += a[y * small + i] * a[y * small + j];
        }
    for (int k = 0; k < small; k++)
        for (int i = 0; i < small; i++) {
            const double f = g[i * small + k] / g[k * small + k];
            for (int j = k; j < small && i != k; j++)
                g[i * small + j] -= f * g[k * small + j];
            for (int y = 0; y < large && i != k; y++)
                p[i * large + y] -= f * p[k * large + y];
        }
    for (int i = 0; i < small; i++)
        for (int y = 0; y < large; y++)
            p[i * large + y] /= g[i * small + i];
    free(g);
    return p;
}

static double weight_of(const struct ksr_descale_axis *axis, int i, int sample)
{
    const int k = sample - axis->first[i];
    return k >= 0 && k < axis->taps ? axis->weights[i * axis->taps + k] / (double)(1 << axis->bits)
                                    : 0;
}

// Every weight is off by at most half a unit; one of each sample also by what the others are.
static void assert_weights(const struct ksr_descale_axis *axis, const double *want, int from,
                           const char *name)
{
    const double unit = 1.0 / (1 << axis->bits);
    for (int i = 0; i < axis->size; i++) {
        int far = 0, sum = 0;
        for (int k = 0; k < axis->taps; k++)
            sum += axis->weights[i * axis->taps + k];
        assert_int_equal(sum, 1 << axis->bits);
        for (int j = 0; j < from; j++) {
            const double off = fabs(weight_of(axis, i, j) - want[i * from + j]);
            far += off > 0.51 * unit;
            if (off > 8 * unit)
                fail_msg("%s, %d to %d: weight (%d, %d) is %g, not %g", name, from, axis->size, i,
                         j, weight_of(axis, i, j), want[i * from + j]);
        }
        if (far > 1)
            fail_msg("%s, %d to %d: %d weights of sample %d are off", name, from, axis->size, far, i);
    }
}

static void weights_are_those_of_a_dense_solution(void **state)
{
    static const int sizes[][2] = {{24, 16}, {48, 17}, {81, 54}, {90, 75}, {60, 57}, {96, 41}};
    (void)state;
    for (int k = 0; k < KSR_KERNELS; k++)
        for (size_t n = 0; n < sizeof(sizes) / sizeof(sizes[0]); n++) {
            const int large = sizes[n][0], small = sizes[n][1];
            struct ksr_descale_axis axis;
            double *a = dense((enum ksr_kernel)k, large, small);
            double *p = dense_inverse(a, large, small);
            assert_true(ksr_descale_axis_make(&axis, (enum ksr_kernel)k, small, large));
            assert_weights(&axis, a, small, ksr_kernel_name((enum ksr_kernel)k));
            ksr_descale_axis_free(&axis);
            assert_true(ksr_descale_axis_make(&axis, (enum ksr_kernel)k, large, small));
            assert_weights(&axis, p, large, ksr_kernel_name((enum ksr_kernel)k));
            ksr_descale_axis_free(&axis);
            free(a);
            free(p);
        }
}

// --- Pictures ---

static void run(const struct ksr_plane *dst, const struct ksr_plane *src, enum ksr_kernel kernel)
{
    struct ksr_descale_axis x, y;
    void *scratch = calloc(1, ksr_descale_scratch(src->width));
    assert_non_null(scratch);
    assert_true(ksr_descale_axis_make(&x, kernel, src->width, dst->width));
    assert_true(ksr_descale_axis_make(&y, kernel, src->height, dst->height));
    ksr_descale_rows(dst, src, &x, &y, scratch, 0, dst->height);
    ksr_descale_axis_free(&x);
    ksr_descale_axis_free(&y);
    free(scratch);
}

// Enlarges in floating point and rounds to codes of 8 bits, as an editing program would.
static void enlarge(const struct ksr_plane *dst, const struct ksr_plane *src, enum ksr_kernel kernel)
{
    double *x = dense(kernel, dst->width, src->width), *y = dense(kernel, dst->height, src->height);
    double *column = calloc((size_t)src->width, sizeof(column[0]));
    assert_non_null(column);
    for (int j = 0; j < dst->height; j++) {
        for (int i = 0; i < src->width; i++) {
            column[i] = 0;
            for (int k = 0; k < src->height; k++)
                column[i] += y[j * src->height + k] * *unit_at(src, i, k);
        }
        for (int i = 0; i < dst->width; i++) {
            double sum = 0;
            for (int k = 0; k < src->width; k++)
                sum += x[i * src->width + k] * column[k];
            *unit_at(dst, i, j) = (uint16_t)(ksr_clamp((int)floor(sum / 128 + 0.5), 0, 255) << 7);
        }
    }
    free(x);
    free(y);
    free(column);
}

static double psnr(const struct ksr_plane *a, const struct ksr_plane *b)
{
    double sum = 0;
    for (int y = 0; y < a->height; y++)
        for (int x = 0; x < a->width; x++) {
            const double d = (*unit_at(a, x, y) - *unit_at(b, x, y)) / 128.0;
            sum += d * d;
        }
    return 10 * log10(255.0 * 255 * a->width * a->height / (sum + 1e-9));
}

// Noise has every frequency that a picture can have, and the least favourable ones as strongly.
static void fill_drawing(const struct ksr_plane *p, uint32_t *random)
{
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++)
            *unit_at(p, x, y) = (uint16_t)((70 + (unit_random(random) >> 9) % 116) << 7);
}

static void enlarged_pictures_come_back(void **state)
{
    static const int sizes[][4] = {
        {96, 54, 64, 36}, {96, 54, 80, 45}, {96, 54, 72, 41}, {96, 54, 43, 24}, {96, 54, 90, 50}};
    uint32_t random = 7;
    (void)state;
    for (int k = 0; k < KSR_KERNELS; k++)
        for (size_t n = 0; n < sizeof(sizes) / sizeof(sizes[0]); n++) {
            struct ksr_frame large = unit_grey(sizes[n][0], sizes[n][1]);
            struct ksr_frame drawn = unit_grey(sizes[n][2], sizes[n][3]);
            struct ksr_frame back = unit_grey(sizes[n][2], sizes[n][3]);
            fill_drawing(&drawn.plane[0], &random);
            enlarge(&large.plane[0], &drawn.plane[0], (enum ksr_kernel)k);
            run(&back.plane[0], &large.plane[0], (enum ksr_kernel)k);
            const double found = psnr(&back.plane[0], &drawn.plane[0]);
            if (found < 50)
                fail_msg("%s, size %zu: %.2f dB", ksr_kernel_name((enum ksr_kernel)k), n, found);
            run(&large.plane[0], &drawn.plane[0], (enum ksr_kernel)k); // integers both ways
            run(&back.plane[0], &large.plane[0], (enum ksr_kernel)k);
            if (psnr(&back.plane[0], &drawn.plane[0]) < 75)
                fail_msg("%s, size %zu: %.2f dB in integers", ksr_kernel_name((enum ksr_kernel)k), n,
                         psnr(&back.plane[0], &drawn.plane[0]));
            ksr_frame_free(&large);
            ksr_frame_free(&drawn);
            ksr_frame_free(&back);
        }
}

static void flat_stays_flat(void **state)
{
    static const int values[] = {0, 1, 16384, 32766, 32767};
    (void)state;
    struct ksr_frame large = unit_grey(71, 45), small = unit_grey(50, 31);
    for (int k = 0; k < KSR_KERNELS; k++)
        for (int i = 0; i < 5; i++) {
            unit_fill(&large.plane[0], (uint16_t)values[i]);
            run(&small.plane[0], &large.plane[0], (enum ksr_kernel)k);
            unit_assert_flat(&small.plane[0], values[i]);
            run(&large.plane[0], &small.plane[0], (enum ksr_kernel)k);
            unit_assert_flat(&large.plane[0], values[i]);
        }
    ksr_frame_free(&large);
    ksr_frame_free(&small);
}

// Extremes must not wrap around, at the steepest weights there are.
static void extremes_are_limited(void **state)
{
    uint32_t random = 3;
    (void)state;
    struct ksr_frame large = unit_grey(64, 64), small = unit_grey(63, 63), again = unit_grey(63, 63);
    for (int k = 0; k < KSR_KERNELS; k++) {
        unit_fill_random(&large.plane[0], &random, true);
        run(&small.plane[0], &large.plane[0], (enum ksr_kernel)k);
        for (int y = 0; y < 63; y++)
            for (int x = 0; x < 63; x++)
                assert_in_range(*unit_at(&small.plane[0], x, y), 0, KSR_SAMPLE_MAX);
    }
    ksr_frame_free(&large);
    ksr_frame_free(&small);
    ksr_frame_free(&again);
}

static void equal_sizes_change_nothing(void **state)
{
    uint32_t random = 5;
    (void)state;
    struct ksr_frame a = unit_grey(37, 23), b = unit_grey(37, 23);
    unit_fill_random(&a.plane[0], &random, false);
    run(&b.plane[0], &a.plane[0], KSR_KERNEL_MITCHELL);
    unit_assert_equal(&a.plane[0], &b.plane[0]);
    ksr_frame_free(&a);
    ksr_frame_free(&b);
}

static void kernels_have_names(void **state)
{
    (void)state;
    enum ksr_kernel found;
    for (int k = 0; k < KSR_KERNELS; k++) {
        assert_true(ksr_kernel_find(ksr_kernel_name((enum ksr_kernel)k), &found));
        assert_int_equal(found, k);
    }
    assert_false(ksr_kernel_find("cubic", &found));
    assert_false(ksr_kernel_find("", &found));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_are_those_of_a_dense_solution),
        cmocka_unit_test(enlarged_pictures_come_back),
        cmocka_unit_test(flat_stays_flat),
        cmocka_unit_test(extremes_are_limited),
        cmocka_unit_test(equal_sizes_change_nothing),
        cmocka_unit_test(kernels_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
