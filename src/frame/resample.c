// Resampling, plain C: the definition. See resample.h.

#include "frame/resample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

#define BITS  14
#define ONE   (1 << BITS)
#define REACH 3  // of the filter, in output samples to either side
#define BAND  16 // rows of chroma as coarse as it gets, so luma's bands stay whole

// --- Sizes ---

static bool read_size(const char **text, int *out)
{
    int value = 0, digits = 0;
    for (; **text >= '0' && **text <= '9' && value < 100000; ++*text, digits++)
        value = value * 10 + (**text - '0');
    *out = value;
    return digits > 0 && value >= 1 && value <= 65535;
}

bool ksr_fit_parse(const char *text, struct ksr_fit_box *out)
{
    if (!read_size(&text, &out->width) || (*text != 'x' && *text != 'X'))
        return false;
    text++;
    return read_size(&text, &out->height) && *text == 0;
}

// The multiple of `step` nearest to a * b / c, at least one step.
static int scaled(int64_t a, int64_t b, int64_t c, int step)
{
    const int64_t steps = (a * b + c * step / 2) / (c * step);
    return (int)(steps > 0 ? steps : 1) * step;
}

static int whole_steps(int64_t size, int step)
{
    return size >= step ? (int)(size / step) * step : step;
}

void ksr_fit_size(const struct ksr_fit_box *box, int aspect_num, int aspect_den, int step_x,
                  int step_y, int *width, int *height)
{
    const int64_t w = *width, h = *height;
    int64_t room = box->width; // for stored samples: wide pixels take more of it
    if (aspect_num > aspect_den && aspect_den > 0)
        room = room * aspect_den / aspect_num;
    if (w <= room && h <= box->height)
        return;
    if (room * h <= box->height * w) {
        *width = whole_steps(room, step_x);
        *height = scaled(*width, h, w, step_y);
    } else {
        *height = whole_steps(box->height, step_y);
        *width = scaled(*height, w, h, step_x);
    }
    if (*height > box->height)
        *height = whole_steps(box->height, step_y);
    if (*width > room)
        *width = whole_steps(room, step_x);
}

// --- Filters ---

// Spline36 (Helmut Dersch's family of interpolating cubic splines). Only sums and products, so
// every machine gets the same doubles.
static double spline36(double x)
{
    x = x < 0 ? -x : x;
    if (x < 1)
        return ((13.0 / 11 * x - 453.0 / 209) * x - 3.0 / 209) * x + 1;
    if (x < 2)
        return ((-6.0 / 11 * (x - 1) + 270.0 / 209) * (x - 1) - 156.0 / 209) * (x - 1);
    if (x < 3)
        return ((1.0 / 11 * (x - 2) - 45.0 / 209) * (x - 2) + 26.0 / 209) * (x - 2);
    return 0;
}

// Rounds weights to integers that add up to ONE: what is left over goes to the largest.
static void round_weights(int16_t *out, const double *weight, int taps, double total)
{
    int sum = 0, largest = 0;
    for (int k = 0; k < taps; k++) {
        out[k] = (int16_t)floor(weight[k] / total * ONE + 0.5);
        sum += out[k];
        if (out[k] > out[largest])
            largest = k;
    }
    out[largest] = (int16_t)(out[largest] + ONE - sum);
}

// Stretched weights have their centre of gravity a little off: the two in the middle put it right.
// first: place of the first weight, seen from where it should be.
static void centre_weights(double *weight, double first, int taps, double total)
{
    double moment = 0;
    for (int k = 0; k < taps; k++)
        moment += weight[k] * (first + k);
    const int middle = (int)floor(-first);
    if (middle >= 0 && middle + 1 < taps && total > 0) {
        weight[middle] += moment;
        weight[middle + 1] -= moment;
    }
}

// The samples of a plane along one axis.
struct grid {
    int luma;      // samples of luma
    int group;     // luma samples for each of the plane
    double offset; // where in its group a sample sits, in luma samples
};

static struct grid make_grid(int luma, int shift, enum ksr_siting siting)
{
    const int group = 1 << shift;
    return (struct grid){luma, group, siting == KSR_SITING_CENTRED ? (group - 1) / 2.0 : 0};
}

static bool make_axis(struct ksr_resample_axis *axis, int size, struct grid from, struct grid to)
{
    const double ratio = (double)from.luma / to.luma, step = ratio * to.group / from.group;
    const double stretch = step > 1 ? step : 1, reach = REACH * stretch;
    axis->size = size;
    axis->taps = (int)floor(2 * reach) + 2;
    size_t bytes;
    double *weight = calloc((size_t)axis->taps, sizeof(weight[0]));
    axis->places = calloc((size_t)size, sizeof(axis->places[0]));
    const bool fits = ksr_size_multiply((size_t)size, (size_t)axis->taps * sizeof(int16_t), &bytes);
    axis->coefficients = fits ? malloc(bytes) : NULL;
    const bool ok = weight && axis->places && axis->coefficients;
    for (int j = 0; ok && j < size; j++) {
        struct ksr_resample_place *p = &axis->places[j];
        const double luma = (to.group * (double)j + to.offset + 0.5) * ratio - 0.5;
        const double at = (luma - from.offset) / from.group;
        double total = 0;
        p->first = (int)floor(at - reach) + 1;
        p->inner_first = -1;
        for (int k = 0; k < axis->taps; k++) {
            const double distance = p->first + k - at;
            weight[k] = spline36(distance / stretch);
            total += weight[k];
            if (distance > -stretch && distance < stretch) {
                if (p->inner_first < 0)
                    p->inner_first = k;
                p->inner_count = k + 1 - p->inner_first;
            }
        }
        centre_weights(weight, p->first - at, axis->taps, total);
        round_weights(axis->coefficients + (size_t)j * (size_t)axis->taps, weight, axis->taps,
                      total);
    }
    free(weight);
    return ok;
}

static void free_axis(struct ksr_resample_axis *axis)
{
    free(axis->places);
    free(axis->coefficients);
}

// --- Scaling ---

struct ksr_resampler {
    ksr_pool *pool;
    struct ksr_frame from, to;
    struct ksr_resample_axis x[2], y[2]; // luma and alpha; chroma
    uint16_t *scratch;      // for each thread: a row with margins, and the two limits and the sums
    size_t scratch_samples; // of one thread
    int margin;             // of the row to either side
    int first_plane;
    const struct ksr_row_sink *sink;
};

static bool make_axes(ksr_resampler *f, int chroma, double shift_x, double shift_y)
{
    const struct ksr_layout *a = &f->from.layout, *b = &f->to.layout;
    struct grid from_x = make_grid(a->width, chroma ? a->chroma_shift_x : 0, a->siting_x);
    struct grid from_y = make_grid(a->height, chroma ? a->chroma_shift_y : 0, a->siting_y);
    from_x.offset += chroma ? shift_x : 0;
    from_y.offset += chroma ? shift_y : 0;
    const struct grid to_x = make_grid(b->width, chroma ? b->chroma_shift_x : 0, b->siting_x);
    const struct grid to_y = make_grid(b->height, chroma ? b->chroma_shift_y : 0, b->siting_y);
    return make_axis(&f->x[chroma], f->to.plane[chroma].width, from_x, to_x) &&
           make_axis(&f->y[chroma], f->to.plane[chroma].height, from_y, to_y);
}

static ksr_resampler *create(const struct ksr_layout *from, const struct ksr_layout *to,
                             double shift_x, double shift_y, ksr_pool *pool)
{
    ksr_resampler *f = calloc(1, sizeof(*f));
    if (!f)
        return NULL;
    f->pool = pool;
    bool ok = ksr_frame_alloc(&f->from, from) && ksr_frame_alloc(&f->to, to) &&
              make_axes(f, 0, 0, 0) && (from->planes < 3 || make_axes(f, 1, shift_x, shift_y));
    if (ok) {
        f->margin = f->x[0].taps > f->x[1].taps ? f->x[0].taps : f->x[1].taps;
        // The sums are 32 bits wide, so a row of them takes the room of two.
        f->scratch_samples = (((size_t)from->width + 2 * (size_t)f->margin + 1) & ~(size_t)1) * 5;
        f->scratch = malloc(f->scratch_samples * (size_t)ksr_pool_threads(pool) * sizeof(uint16_t));
    }
    if (!ok || !f->scratch)
        ksr_resampler_destroy(&f);
    return f;
}

ksr_resampler *ksr_resampler_create(const struct ksr_layout *from, const struct ksr_layout *to,
                                    ksr_pool *pool)
{
    return create(from, to, 0, 0, pool);
}

ksr_resampler *ksr_resampler_create_shift(const struct ksr_layout *layout, double x, double y,
                                          ksr_pool *pool)
{
    return create(layout, layout, x, y, pool);
}

void ksr_resampler_destroy(ksr_resampler **resampler)
{
    if (!resampler || !*resampler)
        return;
    ksr_resampler *f = *resampler;
    ksr_frame_free(&f->from);
    ksr_frame_free(&f->to);
    for (int i = 0; i < 2; i++) {
        free_axis(&f->x[i]);
        free_axis(&f->y[i]);
    }
    free(f->scratch);
    free(f);
    *resampler = NULL;
}

void ksr_resampler_skip_luma(ksr_resampler *resampler)
{
    resampler->first_plane = 1;
}

const struct ksr_resample_axis *ksr_resampler_axis(const ksr_resampler *f, int plane, bool along_y)
{
    const int chroma = ksr_layout_is_chroma(&f->from.layout, plane);
    return along_y ? &f->y[chroma] : &f->x[chroma];
}

struct ksr_row_sink ksr_resampler_sink(ksr_resampler *resampler)
{
    return ksr_frame_sink(&resampler->from);
}

static int within(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

// One row of columns: the weighted sum of rows, limited to the range of those nearby.
static void filter_columns(uint16_t *restrict out, int32_t *restrict sum, uint16_t *restrict low,
                           uint16_t *restrict high, const struct ksr_plane *src,
                           const struct ksr_resample_axis *axis, int y)
{
    const struct ksr_resample_place *p = &axis->places[y];
    const int16_t *c = axis->coefficients + (size_t)y * (size_t)axis->taps;
    const int width = src->width;
    for (int x = 0; x < width; x++) {
        sum[x] = ONE / 2;
        low[x] = KSR_SAMPLE_MAX;
        high[x] = 0;
    }
    for (int k = 0; k < axis->taps; k++) {
        const uint16_t *restrict row =
            src->data + within(p->first + k, 0, src->height - 1) * src->stride;
        const int weight = c[k];
        if (weight != 0)
            for (int x = 0; x < width; x++)
                sum[x] += weight * row[x];
        if (k >= p->inner_first && k < p->inner_first + p->inner_count)
            for (int x = 0; x < width; x++) {
                low[x] = row[x] < low[x] ? row[x] : low[x];
                high[x] = row[x] > high[x] ? row[x] : high[x];
            }
    }
    for (int x = 0; x < width; x++) {
        const int v = sum[x] >> BITS;
        out[x] = (uint16_t)(v < low[x] ? low[x] : v > high[x] ? high[x] : v);
    }
}

// One row: the same along it. row: with margins to either side.
static void filter_row(uint16_t *restrict out, const uint16_t *row,
                       const struct ksr_resample_axis *axis)
{
    for (int j = 0; j < axis->size; j++) {
        const struct ksr_resample_place *p = &axis->places[j];
        const int16_t *c = axis->coefficients + (size_t)j * (size_t)axis->taps;
        const uint16_t *s = row + p->first;
        int sum = ONE / 2, low = KSR_SAMPLE_MAX, high = 0;
        for (int k = 0; k < axis->taps; k++)
            sum += c[k] * s[k];
        for (int k = p->inner_first; k < p->inner_first + p->inner_count; k++) {
            low = s[k] < low ? s[k] : low;
            high = s[k] > high ? s[k] : high;
        }
        out[j] = (uint16_t)within(sum >> BITS, low, high);
    }
}

static void replicate_edges(uint16_t *row, int width, int margin)
{
    for (int x = 1; x <= margin; x++) {
        row[-x] = row[0];
        row[width - 1 + x] = row[width - 1];
    }
}

static void scale_rows(ksr_resampler *f, int i, int y0, int y1, uint16_t *scratch)
{
    const struct ksr_plane *src = &f->from.plane[i], *dst = &f->to.plane[i];
    const int chroma = ksr_layout_is_chroma(&f->from.layout, i);
    const size_t length = f->scratch_samples / 5;
    uint16_t *row = scratch + 2 * length + f->margin;
    for (int y = y0; y < y1; y++) {
        filter_columns(row, (int32_t *)(void *)scratch, scratch + 3 * length, scratch + 4 * length,
                       src, &f->y[chroma], y);
        replicate_edges(row, src->width, f->margin);
        filter_row(dst->data + y * dst->stride, row, &f->x[chroma]);
    }
}

static void run_band(void *arg, int band, int thread)
{
    ksr_resampler *f = arg;
    for (int i = f->first_plane; i < f->to.layout.planes; i++) {
        const int shift = ksr_layout_is_chroma(&f->to.layout, i) ? f->to.layout.chroma_shift_y : 0;
        const int height = f->to.plane[i].height, rows = BAND >> shift;
        const int y0 = band * rows, y1 = y0 + rows < height ? y0 + rows : height;
        if (y0 >= y1)
            continue;
        scale_rows(f, i, y0, y1, f->scratch + (size_t)thread * f->scratch_samples);
        f->sink->rows(f->sink->opaque, i, &f->to.plane[i], y0, y1);
    }
}

void ksr_resampler_run(ksr_resampler *resampler, const struct ksr_row_sink *sink)
{
    resampler->sink = sink;
    ksr_pool_run(resampler->pool, run_band, resampler,
                 (resampler->to.layout.height + BAND - 1) / BAND);
}
