// Measuring grain; see grain.h. Integers alone, so that every machine finds the same.

#include "frame/grain.h"

#include "frame/tile.h"

#define BLOCK    16
#define FAR      4   // samples, at which grain is no longer alike
#define BIN_BITS 3   // a bin is an eighth of an octave wide
#define BIN_LOW  4   // the first begins at 2^4
#define CODE     128 // of 8 bits
#define LEAST    64  // a strength of half a code of 8 bits: less does not show
#define ENOUGH   128 // values in a band: fewer tell nothing
#define SHARP    220 // percent of the least values that the mean of grain is at most
#define SHARE    6   // percent of all values that tell of it, at least
#define UNLIKE   6   // times the common variance: more is texture
#define ROUNDS   8

static void add_bins(struct ksr_grain_bin to[KSR_GRAIN_BINS],
                     const struct ksr_grain_bin from[KSR_GRAIN_BINS])
{
    for (int k = 0; k < KSR_GRAIN_BINS; k++) {
        to[k].count += from[k].count;
        to[k].power += from[k].power;
        to[k].step += from[k].step;
    }
}

void ksr_grain_merge(struct ksr_grain_tally *to, const struct ksr_grain_tally *from)
{
    for (int i = 0; i <= KSR_GRAIN_BANDS; i++)
        add_bins(to->bin[i], from->bin[i]);
}

// --- One block ---

// Sums over differences between samples: their squares, and their mean's.
struct moments {
    int64_t square, sum_x, sum_y;
};

static void add_far(struct moments *m, const uint16_t *row, ptrdiff_t stride, int distance)
{
    for (int y = 0; y < BLOCK; y++, row += stride)
        for (int x = 0; x < BLOCK; x++) {
            const int64_t a = x + distance < BLOCK ? row[x + distance] - row[x] : 0;
            const int64_t b = y + distance < BLOCK ? row[x + distance * stride] - row[x] : 0;
            m->square += a * a + b * b;
            m->sum_x += a;
            m->sum_y += b;
        }
}

// Half the mean square of differences at a distance along both axes, without a slope's share: the
// variance of grain that is not alike at that distance.
static int64_t variance_at(const uint16_t *block, ptrdiff_t stride, int distance)
{
    struct moments m = {0};
    const int64_t count = (int64_t)BLOCK * (BLOCK - distance);
    add_far(&m, block, stride, distance);
    const int64_t slopes = (m.sum_x * m.sum_x + m.sum_y * m.sum_y) / count;
    return (m.square - slopes) / (4 * count);
}

static int bin_of(int64_t value)
{
    int bits = 0;
    while (value >> bits > 1)
        bits++;
    if (bits < BIN_LOW)
        return 0;
    const int bin =
        ((bits - BIN_LOW) << BIN_BITS) + (int)(value >> (bits - BIN_BITS) & ((1 << BIN_BITS) - 1));
    return ksr_min(bin, KSR_GRAIN_BINS - 1);
}

// Returns what the values of a bin are below.
static int64_t bin_end(int bin)
{
    const int64_t place = (bin & ((1 << BIN_BITS) - 1)) + 1;
    return ((1 << BIN_BITS) + place) << ((bin >> BIN_BITS) + BIN_LOW - BIN_BITS);
}

static void add_value(struct ksr_grain_tally *tally, int band, int64_t power, int64_t step)
{
    const int bin = bin_of(power);
    tally->bin[band][bin].count++;
    tally->bin[band][bin].power += power;
    tally->bin[band][bin].step += step;
}

// How a block looks by itself.
static void add_flat(struct ksr_grain_tally *tally, int band, const struct ksr_plane *plane, int x,
                     int y)
{
    const uint16_t *block = plane->data + y * plane->stride + x;
    add_value(tally, band, variance_at(block, plane->stride, FAR),
              variance_at(block, plane->stride, 1));
}

// How it differs from that of another frame. Of grain in both, the difference has twice the
// variance.
static void add_held(struct ksr_grain_tally *tally, int band, const struct ksr_plane *plane,
                     const struct ksr_plane *later, int x, int y)
{
    uint16_t gap[BLOCK * BLOCK];
    int64_t sum = 0, square = 0;
    for (int j = 0; j < BLOCK; j++) {
        const uint16_t *a = plane->data + (y + j) * plane->stride + x;
        const uint16_t *b = later->data + (y + j) * later->stride + x;
        for (int i = 0; i < BLOCK; i++) {
            const int d = a[i] - b[i];
            gap[j * BLOCK + i] = (uint16_t)(KSR_SAMPLE_MAX + d);
            sum += d;
            square += (int64_t)d * d;
        }
    }
    const int64_t count = (int64_t)BLOCK * BLOCK;
    add_value(tally, band, (square - sum * sum / count) / (2 * count),
              variance_at(gap, BLOCK, 1) / 2);
}

// Returns the band of a block of luma, or -1 where grain may have been cut off at black or white.
static int band_of(const struct ksr_layout *layout, const struct ksr_plane *luma, int x, int y)
{
    const int low = layout->full_range ? 0 : 16 * CODE,
              high = (layout->full_range ? 255 : 235) * CODE;
    int64_t sum = 0;
    for (int j = 0; j < BLOCK; j++) {
        const uint16_t *row = luma->data + (y + j) * luma->stride + x;
        for (int i = 0; i < BLOCK; i++) {
            if (row[i] <= low || row[i] >= high)
                return -1;
            sum += row[i];
        }
    }
    return (int)(sum / (BLOCK * BLOCK) * KSR_GRAIN_BANDS / (KSR_SAMPLE_MAX + 1));
}

void ksr_grain_add(struct ksr_grain_tally *tally, const struct ksr_frame *frame,
                   const struct ksr_frame *later)
{
    const struct ksr_layout *l = &frame->layout;
    for (int y = 0; y + BLOCK <= l->height; y += BLOCK)
        for (int x = 0; x + BLOCK <= l->width; x += BLOCK) {
            const int band = band_of(l, &frame->plane[0], x, y);
            if (band < 0)
                continue;
            add_flat(tally, band, &frame->plane[0], x, y);
            if (later)
                add_held(tally, band, &frame->plane[0], &later->plane[0], x, y);
            // The block of chroma that begins here, with luma as bright at its beginning.
            for (int i = 1; ksr_layout_is_chroma(l, i) && i < 3; i++) {
                const struct ksr_plane *plane = &frame->plane[i];
                const int cx = x >> l->chroma_shift_x, cy = y >> l->chroma_shift_y;
                if (cx % BLOCK || cy % BLOCK || cx + BLOCK > plane->width ||
                    cy + BLOCK > plane->height)
                    continue;
                add_flat(tally, KSR_GRAIN_BANDS, plane, cx, cy);
                if (later)
                    add_held(tally, KSR_GRAIN_BANDS, plane, &later->plane[i], cx, cy);
            }
        }
}

// --- All blocks ---

// What values tell.
struct cluster {
    int64_t count; // all of them
    int64_t power; // the variance of grain, without what rounding adds
    int alike;
    bool clear; // enough of the least values lie close together, as those of grain do
};

static int alike_of(int64_t power, int64_t step)
{
    return power > 0 ? ksr_clamp((int)(100 - 100 * step / power), 0, KSR_GRAIN_ALIKE) : 0;
}

// The variance that codes of so many bits add by being rounded.
static int64_t rounding_of(int bits)
{
    const int64_t unit = INT64_C(1) << ksr_max(0, 15 - bits);
    return unit * unit / 12;
}

// Returns the bin up to which `percent` of a histogram's values lie.
static int bin_at(const struct ksr_grain_bin *bins, int64_t count, int percent)
{
    int k = 0;
    for (int64_t below = bins[0].count; k < KSR_GRAIN_BINS - 1 && 100 * below < percent * count;)
        below += bins[++k].count;
    return k;
}

// Follows the lowest values up to where the spread of grain ends: the coarser, the fewer grains are
// in a block.
static struct cluster find_cluster(const struct ksr_grain_bin *bins, int64_t rounding)
{
    struct cluster c = {0};
    for (int k = 0; k < KSR_GRAIN_BINS; k++)
        c.count += bins[k].count;
    const int first = bin_at(bins, c.count, 5);
    const int64_t least = bin_end(first);
    int64_t limit = least;
    for (int round = 0; round < ROUNDS && c.count > 0; round++) {
        int64_t count = 0, power = 0, step = 0;
        for (int k = 0; k < KSR_GRAIN_BINS && (k <= first || bin_end(k) <= limit); k++) {
            count += bins[k].count;
            power += bins[k].power;
            step += bins[k].step;
        }
        const int64_t mean = power / count;
        c.power = mean > rounding ? mean - rounding : 0;
        c.alike = alike_of(c.power, step / count - rounding);
        c.clear = 100 * mean <= SHARP * least && 100 * count >= SHARE * c.count;
        limit = mean * (125 + c.alike * c.alike / 100) / 100;
    }
    return c;
}

// The same of all bands of luma but the darkest, of which coders leave no grain.
static struct cluster find_common(const struct ksr_grain_tally *tally, int64_t rounding)
{
    struct ksr_grain_bin all[KSR_GRAIN_BINS] = {0};
    for (int i = 1; i < KSR_GRAIN_BANDS; i++)
        add_bins(all, tally->bin[i]);
    return find_cluster(all, rounding);
}

bool ksr_grain_shows(const struct ksr_grain_tally *tally, int bits)
{
    const struct cluster c = find_common(tally, rounding_of(bits));
    return c.count >= ENOUGH && c.clear && c.power >= LEAST * LEAST;
}

static int root(int64_t value)
{
    int64_t r = 0;
    for (int64_t bit = INT64_C(1) << 30; bit > 0; bit >>= 1)
        if ((r + bit) * (r + bit) <= value)
            r += bit;
    return (int)r;
}

static int strength_of(int64_t power)
{
    return power < LEAST * LEAST
               ? 0
               : ksr_min((root(power * 10000) + CODE / 2) / CODE, KSR_GRAIN_STRONGEST);
}

// Bands that tell nothing are between those that do, or like the nearest.
static void fill_gaps(int luma[KSR_GRAIN_BANDS], const bool told[KSR_GRAIN_BANDS])
{
    for (int i = 0; i < KSR_GRAIN_BANDS; i++) {
        int a = i, b = i;
        while (a >= 0 && !told[a])
            a--;
        while (b < KSR_GRAIN_BANDS && !told[b])
            b++;
        if (a < 0 && b < KSR_GRAIN_BANDS)
            luma[i] = luma[b];
        else if (b == KSR_GRAIN_BANDS && a >= 0)
            luma[i] = luma[a];
        else if (a < b && a >= 0)
            luma[i] = (luma[a] * (b - i) + luma[b] * (i - a)) / (b - a);
    }
}

static int median(int a, int b, int c)
{
    return ksr_max(ksr_min(a, b), ksr_min(ksr_max(a, b), c));
}

// Takes out what one band alone has: texture.
static void smooth(int luma[KSR_GRAIN_BANDS])
{
    int before = luma[0];
    for (int i = 1; i + 1 < KSR_GRAIN_BANDS; i++) {
        const int now = luma[i];
        luma[i] = median(before, now, luma[i + 1]);
        before = now;
    }
}

void ksr_grain_find(const struct ksr_grain_tally *tally, int bits, struct ksr_grain *out)
{
    const int64_t rounding = rounding_of(bits);
    const struct cluster common = find_common(tally, rounding);
    bool told[KSR_GRAIN_BANDS];
    *out = (struct ksr_grain){.alike[0] = common.alike};
    for (int i = 0; i < KSR_GRAIN_BANDS; i++) {
        const struct cluster c = find_cluster(tally->bin[i], rounding);
        told[i] = c.count >= ENOUGH && c.clear && c.power <= UNLIKE * common.power;
        out->luma[i] = strength_of(told[i] ? c.power : common.power);
    }
    fill_gaps(out->luma, told);
    smooth(out->luma);
    const struct cluster chroma = find_cluster(tally->bin[KSR_GRAIN_BANDS], rounding);
    if (chroma.count >= ENOUGH && chroma.clear) {
        out->chroma = ksr_min(strength_of(chroma.power), ksr_grain_strongest(out));
        out->alike[1] = out->chroma > 0 ? chroma.alike : 0;
    }
}
