// Measures of likeness; see measure.h.

#include "frame/measure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

double ksr_measure_psnr(double mse)
{
    const double psnr = mse > 0 ? 10 * log10(255.0 * 255.0 / mse) : 100;
    return psnr < 100 ? psnr : 100;
}

// --- Likeness ---

static const uint16_t *row_of(const struct ksr_plane *p, int y)
{
    return p->data + y * p->stride;
}

static void sum_differences(const struct ksr_plane *a, const struct ksr_plane *b,
                            struct ksr_likeness *out)
{
    double squares = 0, sum = 0;
    for (int y = 0; y < a->height; y++) {
        const uint16_t *ra = row_of(a, y), *rb = row_of(b, y);
        int64_t row_squares = 0, row_sum = 0;
        for (int x = 0; x < a->width; x++) {
            const int d = rb[x] - ra[x];
            row_sum += d;
            row_squares += (int64_t)d * d;
        }
        squares += (double)row_squares;
        sum += (double)row_sum;
    }
    const double n = (double)a->width * a->height;
    out->mse = squares / n / (KSR_CODE * KSR_CODE);
    out->mean = sum / n / KSR_CODE;
}

// The slope at p[0] of the sum of two rows of samples `by` apart, five samples wide: fine lines
// would look less steep to three.
static inline float slope(const uint16_t *a, ptrdiff_t by_a, const uint16_t *b, ptrdiff_t by_b)
{
    return (float)(8 * (a[by_a] - a[-by_a] + b[by_b] - b[-by_b]) -
                   (a[2 * by_a] - a[-2 * by_a] + b[2 * by_b] - b[-2 * by_b])) /
           (float)(2 * 12 * KSR_CODE);
}

static void sum_slopes(const struct ksr_plane *a, const struct ksr_plane *b, int y, float sums[5])
{
    const uint16_t *ra = row_of(a, y), *rb = row_of(b, y);
    float xx = 0, yy = 0, xy = 0, xd = 0, yd = 0;
    for (int x = 2; x < a->width - 2; x++) {
        const float gx = slope(ra + x, 1, rb + x, 1);
        const float gy = slope(ra + x, a->stride, rb + x, b->stride);
        const float d = (float)(rb[x] - ra[x]) / (float)KSR_CODE;
        xx += gx * gx;
        yy += gy * gy;
        xy += gx * gy;
        xd += gx * d;
        yd += gy * d;
    }
    const float row[5] = {xx, yy, xy, xd, yd};
    memcpy(sums, row, sizeof(row));
}

#define FAINT 1.0 // squared codes a sample: slopes that coding makes

// Where b is a little to the right of a, b - a is the slope times that, downwards: least squares
// over the plane. Slopes are those of the mean of both, whose noise is in neither alone.
static void measure_shift(const struct ksr_plane *a, const struct ksr_plane *b,
                          struct ksr_likeness *out)
{
    double xx = 0, yy = 0, xy = 0, xd = 0, yd = 0;
    out->shift_x = out->shift_y = out->texture = 0;
    if (a->width < 5 || a->height < 5)
        return;
    for (int y = 2; y < a->height - 2; y++) {
        float row[5] = {0};
        sum_slopes(a, b, y, row);
        xx += row[0];
        yy += row[1];
        xy += row[2];
        xd += row[3];
        yd += row[4];
    }
    const double area = (double)a->width * a->height;
    out->texture = (xx + yy) / area;
    // Across the lines of the picture and along them. Lines in one direction alone tell nothing of
    // a shift along them: what slope there is that way is noise.
    const double angle = 0.5 * atan2(2 * xy, xx - yy), c = cos(angle), s = sin(angle);
    const double steep = c * c * xx + 2 * c * s * xy + s * s * yy, flat = xx + yy - steep;
    const double across = steep > 0 ? -(c * xd + s * yd) / steep : 0;
    const double along = flat > FAINT * area && flat > steep / 256 ? (s * xd - c * yd) / flat : 0;
    out->shift_x = c * across - s * along;
    out->shift_y = s * across + c * along;
}

// Sums over a block of 4x4 samples.
struct block {
    double a, b, squares, product;
};

static void sum_blocks(const struct ksr_plane *a, const struct ksr_plane *b, int by, int count,
                       struct block *blocks)
{
    for (int bx = 0; bx < count; bx++) {
        int32_t sa = 0, sb = 0;
        int64_t squares = 0, product = 0;
        for (int y = by * 4; y < by * 4 + 4; y++) {
            const uint16_t *ra = row_of(a, y) + 4 * bx, *rb = row_of(b, y) + 4 * bx;
            for (int x = 0; x < 4; x++) {
                sa += ra[x];
                sb += rb[x];
                squares += (int64_t)ra[x] * ra[x] + (int64_t)rb[x] * rb[x];
                product += (int64_t)ra[x] * rb[x];
            }
        }
        blocks[bx] = (struct block){sa, sb, (double)squares, (double)product};
    }
}

static double window_ssim(const struct block *top, const struct block *bottom)
{
    const double peak = 255 * KSR_CODE, n = 64;
    const double c1 = 0.0001 * peak * peak, c2 = 0.0009 * peak * peak;
    const double a = (top[0].a + top[1].a + bottom[0].a + bottom[1].a) / n;
    const double b = (top[0].b + top[1].b + bottom[0].b + bottom[1].b) / n;
    const double squares =
        (top[0].squares + top[1].squares + bottom[0].squares + bottom[1].squares) / n;
    const double product =
        (top[0].product + top[1].product + bottom[0].product + bottom[1].product) / n;
    const double variances = squares - a * a - b * b, covariance = product - a * b;
    return (2 * a * b + c1) * (2 * covariance + c2) / ((a * a + b * b + c1) * (variances + c2));
}

// Returns 1 for planes too small for a window, or when out of memory.
static double measure_ssim(const struct ksr_plane *a, const struct ksr_plane *b)
{
    const int across = a->width / 4, down = a->height / 4;
    if (across < 2 || down < 2)
        return 1;
    struct block *rows = malloc(2 * (size_t)across * sizeof(*rows));
    if (!rows)
        return 1;
    double sum = 0;
    sum_blocks(a, b, 0, across, rows);
    for (int y = 1; y < down; y++) {
        struct block *now = rows + (y & 1) * across, *before = rows + (~y & 1) * across;
        sum_blocks(a, b, y, across, now);
        for (int x = 0; x + 1 < across; x++)
            sum += window_ssim(before + x, now + x);
    }
    free(rows);
    return sum / ((double)(across - 1) * (down - 1));
}

void ksr_measure_likeness(const struct ksr_plane *a, const struct ksr_plane *b,
                          struct ksr_likeness *out)
{
    sum_differences(a, b, out);
    measure_shift(a, b, out);
    out->ssim = measure_ssim(a, b);
}

void ksr_measure_cells(const struct ksr_plane *plane, int width, int height, float *cells)
{
    for (int cy = 0; cy < height; cy++)
        for (int cx = 0; cx < width; cx++) {
            const int x0 = (int)((int64_t)cx * plane->width / width);
            const int y0 = (int)((int64_t)cy * plane->height / height);
            const int x1 = (int)((int64_t)(cx + 1) * plane->width / width);
            const int y1 = (int)((int64_t)(cy + 1) * plane->height / height);
            int64_t sum = 0, count = 0;
            for (int y = y0; y < y1 || y == y0; y++)
                for (int x = x0; x < x1 || x == x0; x++, count++)
                    sum += row_of(plane, y)[x];
            cells[cy * width + cx] = (float)((double)sum / (double)count / KSR_CODE);
        }
}

// --- Artefacts ---

#define STEP    256  // two codes: what dithering does not make
#define STEEP   2048 // 16 codes: an edge, not a contour
#define SMOOTH  384  // three codes: from sample to sample of a gradient
#define EDGE    4096 // 32 codes
#define REACH   4    // samples that are flat on either side of a contour
#define ALLOWED 192  // one and a half codes: rounding and dithering beyond the source's range

// What the source has in the 5x5 samples around each of a row.
struct surroundings {
    uint16_t *low, *high, *step; // smallest, largest, largest difference of neighbours
};

static int imin(int a, int b)
{
    return a < b ? a : b;
}

static int imax(int a, int b)
{
    return a > b ? a : b;
}

static int iclamp(int v, int low, int high)
{
    return imax(low, imin(v, high));
}

static void look_around(const struct ksr_plane *s, int cx, int cy, const struct surroundings *out)
{
    int low = KSR_SAMPLE_MAX, high = 0, step = 0;
    for (int dy = -2; dy <= 2; dy++) {
        const uint16_t *row = row_of(s, iclamp(cy + dy, 0, s->height - 1));
        const uint16_t *next = row_of(s, iclamp(cy + dy + 1, 0, s->height - 1));
        for (int dx = -2; dx <= 2; dx++) {
            const int x = iclamp(cx + dx, 0, s->width - 1), right = imin(x + 1, s->width - 1);
            low = imin(low, row[x]);
            high = imax(high, row[x]);
            step = imax(step, imax(abs(row[right] - row[x]), abs(next[x] - row[x])));
        }
    }
    out->low[cx] = (uint16_t)low;
    out->high[cx] = (uint16_t)high;
    out->step[cx] = (uint16_t)step;
}

// Whether a contour runs between p[0] and p[by]: a small step, and flat on both sides of it.
static bool is_contour(const uint16_t *p, ptrdiff_t by, int *size)
{
    *size = abs(p[by] - p[0]);
    if (*size < STEP || *size > STEEP)
        return false;
    const int flat = *size / 4;
    for (int i = 1; i < REACH; i++)
        if (abs(p[-i * by] - p[0]) > flat || abs(p[by + i * by] - p[by]) > flat)
            return false;
    return true;
}

#define OFF_GRID 0.75 // part of all places that lie within blocks of 4x4

// Where encoders' transforms end. What steps there is the encoder's doing; banding keeps to no
// grid.
static bool is_block_edge(int position)
{
    return (position & 3) == 0;
}

// Sums of what is found.
struct findings {
    int64_t smooth, contours, edges;
    double beyond;
};

static void examine(const struct ksr_plane *p, int x, int y, int low, int high, int step,
                    struct findings *f)
{
    const uint16_t *at = row_of(p, y) + x;
    if (step <= SMOOTH) {
        f->smooth++;
        const bool inside =
            x >= REACH && y >= REACH && x < p->width - REACH - 1 && y < p->height - REACH - 1;
        int size;
        if (inside &&
            ((!is_block_edge(x + 1) && is_contour(at, 1, &size) && size > step + STEP / 2) ||
             (!is_block_edge(y + 1) && is_contour(at, p->stride, &size) && size > step + STEP / 2)))
            f->contours++;
    }
    if (high - low >= EDGE) {
        f->edges++;
        f->beyond += imax(0, imax(at[0] - high, low - at[0]) - ALLOWED);
    }
}

// Examines every `step`-th row of the source and the rows made of it.
static void examine_rows(const struct ksr_plane *source, const struct ksr_plane *scaled, int first,
                         int step, const struct surroundings *around, struct findings *f)
{
    for (int sy = first; sy < source->height; sy += step) {
        const int from =
            (int)(((int64_t)sy * scaled->height + source->height - 1) / source->height);
        const int to =
            (int)(((int64_t)(sy + 1) * scaled->height + source->height - 1) / source->height);
        for (int sx = 0; sx < source->width; sx++)
            look_around(source, sx, sy, around);
        for (int y = from; y < to; y++)
            for (int x = 0; x < scaled->width; x++) {
                const int sx = (int)((int64_t)x * source->width / scaled->width);
                examine(scaled, x, y, around->low[sx], around->high[sx], around->step[sx], f);
            }
    }
}

void ksr_measure_artefacts(const struct ksr_plane *source, const struct ksr_plane *scaled,
                           int first, int step, struct ksr_artefacts *out)
{
    const size_t count = (size_t)source->width;
    uint16_t *memory = malloc(3 * count * sizeof(*memory));
    *out = (struct ksr_artefacts){0};
    if (!memory)
        return;
    struct surroundings around = {memory, memory + count, memory + 2 * count};
    struct findings f = {0};
    examine_rows(source, scaled, first, step, &around, &f);
    if (f.smooth > 0)
        out->banding = 1000.0 * (double)f.contours / (OFF_GRID * (double)f.smooth);
    if (f.edges > 0)
        out->ringing = f.beyond / (double)f.edges / KSR_CODE;
    free(memory);
}
