// Grain, plain C: the definition. See grain.h.

#include "stages/grain.h"

#include "frame/tile.h"

#define CODE        128 // of 8 bits
#define REACH       KSR_GRAIN_REACH
#define ROWS        (2 * REACH + 1)
#define TAP_BITS    10 // taps add up to 1 << TAP_BITS
#define WHITE_MEAN  510
#define VARIANCE    21845 // of white noise: the sum of four bytes
#define ROW_SHIFT   5     // after the sum along a row
#define UNIT_BITS   10    // grain has the standard deviation 1 << UNIT_BITS
#define NORM_BITS   16
#define DEVIATION   2048 // at least, before the last factor; below twice this
#define CODES       KSR_GRAIN_CODES
#define BAND        (CODES / KSR_GRAIN_BANDS)
#define PASSES_MOST 256000 // wider than the taps reach

// --- Parameters ---

static uint32_t root(uint64_t value)
{
    uint64_t r = 0;
    for (uint64_t bit = UINT64_C(1) << 31; bit > 0; bit >>= 1)
        if ((r + bit) * (r + bit) <= value)
            r += bit;
    return (uint32_t)r;
}

// How many times [1 2 1] makes noise whose samples `to` / `from` apart are as alike as asked for,
// in thousandths: exp(-distance^2 / (2 times)).
static int passes_of(int alike, int from, int to)
{
    // -1000 / (2 ln a), of a = 0, 0.05 .. 0.8; white noise becomes as smooth as an enlarged sample.
    static const int16_t times[] = {250, 250, 250, 264, 311,  361,  415,  476, 546,
                                    626, 721, 836, 979, 1161, 1402, 1738, 2241};
    const int i = alike / 5, rest = alike % 5;
    const int64_t t = rest ? times[i] + (times[i + 1] - times[i]) * rest / 5 : times[i];
    const int64_t passes = t * to * to / from / from;
    return (int)(passes < PASSES_MOST ? passes : PASSES_MOST);
}

// Returns the sum of the squares of all taps.
static int make_taps(int tap[REACH + 1], int passes)
{
    int64_t v[REACH + 2] = {INT64_C(1) << 40}, sum = 0;
    for (; passes > 0; passes -= 1000) {
        const int part = ksr_min(passes, 1000); // of one pass
        int64_t before = v[1];
        for (int k = 0; k <= REACH; k++) {
            const int64_t now = v[k];
            v[k] += (before - 2 * now + v[k + 1]) / 4000 * part;
            before = now;
        }
    }
    for (int k = -REACH; k <= REACH; k++)
        sum += v[k < 0 ? -k : k];
    int rest = 1 << TAP_BITS, squares = 0;
    for (int k = REACH; k > 0; k--) {
        tap[k] = (int)(((v[k] << TAP_BITS) + sum / 2) / sum);
        rest -= 2 * tap[k];
        squares += 2 * tap[k] * tap[k];
    }
    tap[0] = rest;
    return squares + rest * rest;
}

// The output's standard deviation at a code of 8 bits, in working samples: linear between the
// middles of bands.
static int16_t strength_at(const int band[KSR_GRAIN_BANDS], int code, int amount)
{
    const int place = ksr_clamp(2 * code + 1 - BAND, 0, 2 * BAND * (KSR_GRAIN_BANDS - 1));
    const int i = ksr_min(place / (2 * BAND), KSR_GRAIN_BANDS - 2), rest = place - 2 * BAND * i;
    const int hundredths = (band[i] * (2 * BAND - rest) + band[i + 1] * rest) / (2 * BAND);
    return (int16_t)((hundredths * amount * CODE / 100 + 50) / 100);
}

struct ksr_grain_params ksr_grain_params_make(const struct ksr_grain *grain, bool full_range,
                                              int plane, const int from[2], const int to[2])
{
    const bool chroma = plane > 0;
    struct ksr_grain_params p = {.plane = plane};
    uint64_t squares[2];
    for (int i = 0; i < 2; i++)
        squares[i] = (uint64_t)make_taps(p.tap[i], passes_of(grain->alike[chroma], from[i], to[i]));
    int band[KSR_GRAIN_BANDS];
    for (int i = 0; i < KSR_GRAIN_BANDS; i++)
        band[i] = chroma ? grain->chroma : grain->luma[i];
    for (int i = 0; i < CODES; i++)
        p.strength[i] = strength_at(band, i, grain->amount);
    p.low = full_range ? 0 : 16 * CODE;
    p.high = full_range ? 255 * CODE : (chroma ? 240 : 235) * CODE;
    const uint64_t along_rows = VARIANCE * squares[0] >> 2 * ROW_SHIFT;
    const uint64_t deviation = root(along_rows * squares[1]);
    while (deviation >> p.shift >= 2 * DEVIATION)
        p.shift++;
    p.norm =
        (int)(((UINT64_C(1) << (UNIT_BITS + NORM_BITS + p.shift)) + deviation / 2) / deviation);
    return p;
}

bool ksr_grain_active(const struct ksr_grain_params *params)
{
    int all = 0;
    for (int i = 0; i < CODES; i++)
        all |= params->strength[i];
    return all != 0;
}

// --- Noise ---

// What hashes of a row begin with.
struct key {
    uint32_t first, second;
};

static struct key key_of(int64_t frame, int plane, int y)
{
    uint64_t h = (uint64_t)frame * UINT64_C(0x9e3779b97f4a7c15);
    h ^= ((uint64_t)(uint32_t)y << 8 | (uint64_t)plane) * UINT64_C(0xd1342543de82ef95);
    h = (h ^ h >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    h = (h ^ h >> 27) * UINT64_C(0x94d049bb133111eb);
    h ^= h >> 31;
    return (struct key){(uint32_t)h, (uint32_t)(h >> 32)};
}

// Fills white[] with the noise of samples x0 - REACH .. of a row.
static void fill_white(int16_t white[KSR_TILE + 2 * REACH], struct key key, int x0)
{
    for (int i = 0; i < KSR_TILE + 2 * REACH; i++) {
        uint32_t h = (uint32_t)(x0 - REACH + i) * UINT32_C(0x9e3779b1) + key.first;
        h = (h ^ h >> 15) * UINT32_C(0x2c1b3c6d) + key.second;
        h = (h ^ h >> 12) * UINT32_C(0x297a2d39);
        h ^= h >> 15;
        white[i] =
            (int16_t)((int)((h & 255) + (h >> 8 & 255) + (h >> 16 & 255) + (h >> 24)) - WHITE_MEAN);
    }
}

// The sum of noise and taps along a row: at most 510 * 1024 >> 5.
static void sum_row(int16_t *restrict out, const int16_t *restrict white, const int *restrict tap)
{
    int32_t sum[KSR_TILE];
    for (int i = 0; i < KSR_TILE; i++)
        sum[i] = tap[0] * white[REACH + i] + (1 << (ROW_SHIFT - 1));
    for (int k = 1; k <= REACH && tap[k] > 0; k++)
        for (int i = 0; i < KSR_TILE; i++)
            sum[i] += tap[k] * (white[REACH + i - k] + white[REACH + i + k]);
    for (int i = 0; i < KSR_TILE; i++)
        out[i] = (int16_t)(sum[i] >> ROW_SHIFT);
}

// Sums of rows, those around row y: row y is at [y mod ROWS].
struct sums {
    int16_t row[ROWS][KSR_TILE];
};

static int16_t *sums_at(struct sums *sums, int y)
{
    return sums->row[(y + ROWS) % ROWS]; // y: -REACH and above
}

static void add_row(struct sums *sums, const struct ksr_grain_params *p, int64_t frame, int x0,
                    int y)
{
    int16_t white[KSR_TILE + 2 * REACH];
    fill_white(white, key_of(frame, p->plane, y), x0);
    sum_row(sums_at(sums, y), white, p->tap[0]);
}

// --- Grain ---

// Fills grain[] with that of row y.
static void sum_column(int32_t *restrict grain, struct sums *sums, const struct ksr_grain_params *p,
                       int y)
{
    const int16_t *restrict middle = sums_at(sums, y);
    for (int i = 0; i < KSR_TILE; i++)
        grain[i] = p->tap[1][0] * middle[i] + (1 << p->shift >> 1);
    for (int k = 1; k <= REACH && p->tap[1][k] > 0; k++) {
        const int16_t *restrict above = sums_at(sums, y - k), *restrict below =
                                                                  sums_at(sums, y + k);
        for (int i = 0; i < KSR_TILE; i++)
            grain[i] += p->tap[1][k] * (above[i] + below[i]);
    }
    for (int i = 0; i < KSR_TILE; i++) {
        const int sum = ksr_clamp(grain[i] >> p->shift, -32767, 32767);
        grain[i] = (sum * p->norm + (1 << (NORM_BITS - 1))) >> NORM_BITS;
    }
}

static void put_tile(uint16_t *restrict dst, const uint16_t *restrict src,
                     const int32_t *restrict grain, const struct ksr_grain_params *p, int count)
{
    int16_t strength[KSR_TILE];
    for (int i = 0; i < count; i++)
        strength[i] = p->strength[src[i] / CODE];
    for (int i = 0; i < count; i++) {
        const int c = src[i];
        const int room = ksr_max(0, ksr_min(c - p->low, p->high - c));
        const int change = (grain[i] * strength[i] + (1 << (UNIT_BITS - 1))) >> UNIT_BITS;
        dst[i] = (uint16_t)(c + ksr_clamp(change, -room, room));
    }
}

void ksr_grain_rows(const struct ksr_plane *dst, const struct ksr_plane *src,
                    const struct ksr_grain_params *params, int64_t frame, int y0, int y1)
{
    int32_t grain[KSR_TILE];
    struct sums sums;
    for (int x0 = 0; x0 < src->width && y0 < y1; x0 += KSR_TILE) {
        for (int y = y0 - REACH; y < y0 + REACH; y++)
            add_row(&sums, params, frame, x0, y);
        for (int y = y0; y < y1; y++) {
            add_row(&sums, params, frame, x0, y + REACH);
            sum_column(grain, &sums, params, y);
            put_tile(dst->data + y * dst->stride + x0, src->data + y * src->stride + x0, grain,
                     params, ksr_min(KSR_TILE, src->width - x0));
        }
    }
}
