// Stage 5, plain C: the definition. See temporal.h.

#include "stages/temporal.h"

#include "frame/tile.h"

#define WEIGHT_BITS 14
#define CHANGED_MAX 2048 // 16 codes of 8 bits: more is a change even if blending is allowed there
#define REACH       KSR_TEMPORAL_REACH
#define SAMPLES     ((2 * REACH + 1) * (2 * REACH + 1)) // in a block
#define GAP_MAX     4088                                // in sums; 32 codes of 8 bits

#define NOISE_MAX   128                                 // in 1/16 of a code

// What the samples of a block or of a column of it add up to. Gaps are in 1/16 of an 8-bit code,
// slopes in 1/8.
struct sums {
    int32_t gap[KSR_TILE_ALL], size[KSR_TILE_ALL];                // signed; absolute, less noise
    int32_t gap_x[KSR_TILE_ALL], gap_y[KSR_TILE_ALL];             // by the slopes
    int32_t slope_x[KSR_TILE_ALL], slope_y[KSR_TILE_ALL];         // squared
};

// Returns 8 / limit in units of 2^-15, rounded up, of a limit `full` at the threshold 1. With a limit
// of 8 or more, every multiple stays within 31 bits.
static int share_of(double full, double threshold)
{
    const int limit = ksr_max(8, (int)(full * threshold + 0.5));
    return ((8 << KSR_TEMPORAL_SHARE_BITS) + limit - 1) / limit;
}

struct ksr_temporal_params ksr_temporal_params_make(const struct ksr_pipeline_config *config)
{
    const double t = config->motion_threshold;
    struct ksr_temporal_params p = {
        .weight = (int)(config->temporal_weight * (1 << WEIGHT_BITS) + 0.5),
        .threshold = (int)(t * KSR_SAMPLE_MAX + 0.5),
        .mean = share_of(SAMPLES * 16 * 10, t),
        .size = share_of(SAMPLES * 16 * 12, t),
        .shift = ksr_max(1, (int)(205 * t + 0.5)),
    };
    p.one = share_of(KSR_SAMPLE_MAX / 2, t);
    p.changed = ksr_min(p.threshold / 2, CHANGED_MAX);
    p.period = (ksr_temporal_warmup(config->temporal_weight) + 1) / 2;
    return p;
}

bool ksr_temporal_active(const struct ksr_temporal_params *params)
{
    return params->weight > 0 && params->threshold > 0;
}

int ksr_temporal_warmup(double weight)
{
    const int period = 2 + (int)(1 / (1 - weight) + 0.5);
    return 2 * period - 1;
}

struct ksr_temporal_memory ksr_temporal_memory(const struct ksr_temporal_params *params,
                                               int64_t frame, int number)
{
    const int64_t turn = frame / params->period, since = frame % params->period;
    const bool shown = number == (turn % 2 == 0);
    // The first one shown has had no fresh start but the beginning of the video.
    const int64_t age = since + (shown && turn > 0 ? params->period : 0);
    const int64_t mean = (age << WEIGHT_BITS) / (age + 1);
    return (struct ksr_temporal_memory){
        .shown = shown, .weight = mean < params->weight ? (int)mean : params->weight};
}

int64_t ksr_temporal_changed_rows(const struct ksr_plane *cur, const struct ksr_plane *before,
                                  const struct ksr_temporal_params *params, int y0, int y1)
{
    int64_t total = 0;
    for (int y = y0; y < y1; y++) {
        const uint16_t *a = cur->data + y * cur->stride, *b = before->data + y * before->stride;
        int count = 0;
        for (int x = 0; x < cur->width; x++) {
            const int d = a[x] - b[x];
            count += (d < 0 ? -d : d) > params->changed;
        }
        total += count;
    }
    return total;
}

bool ksr_temporal_is_cut(int64_t changed, int64_t samples)
{
    return 2 * changed >= samples;
}

// Returns the second difference of three samples.
static inline int bend(const uint16_t *at)
{
    return at[-1] - 2 * at[0] + at[1];
}

// Adds what row y adds to the sums of each column, `sign` times.
static void add_row(struct sums *restrict sums, const struct ksr_plane *memory,
                    const struct ksr_plane *cur, int x0, int y, int count, int sign)
{
    uint16_t spare[6][KSR_TILE_ALL];
    const uint16_t *m = ksr_tile_row(spare[0], memory, x0, y), *c = ksr_tile_row(spare[1], cur, x0, y),
                   *m_up = ksr_tile_row(spare[2], memory, x0, y - 1),
                   *c_up = ksr_tile_row(spare[3], cur, x0, y - 1),
                   *m_down = ksr_tile_row(spare[4], memory, x0, y + 1),
                   *c_down = ksr_tile_row(spare[5], cur, x0, y + 1);
    for (int i = KSR_TILE_PAD - REACH; i < KSR_TILE_PAD + count + REACH; i++) {
        const int gap = (ksr_clamp(m[i] - c[i], -GAP_MAX, GAP_MAX) + 4) >> 3;
        const int x = (m[i + 1] + c[i + 1] - m[i - 1] - c[i - 1] + 32) >> 6;
        const int y_ = (m_down[i] + c_down[i] - m_up[i] - c_up[i] + 32) >> 6;
        // Bends of bends: nothing of lines and edges along x or y, six times white noise.
        const int rough = bend(c_up + i) - 2 * bend(c + i) + bend(c_down + i);
        const int noise = ksr_min(((rough < 0 ? -rough : rough) * 85) >> 12, NOISE_MAX);
        sums->gap[i] += sign * gap;
        sums->size[i] += sign * ((gap < 0 ? -gap : gap) - noise);
        sums->gap_x[i] += sign * gap * x;
        sums->gap_y[i] += sign * gap * y_;
        sums->slope_x[i] += sign * x * x;
        sums->slope_y[i] += sign * y_ * y_;
    }
}

// Returns the sum of a row of a block, around its middle.
static inline int across(const int32_t *column)
{
    int sum = 0;
    for (int k = -REACH; k <= REACH; k++)
        sum += column[k];
    return sum;
}

// Returns floor(8 * (2 - part / whole)), cut to 0 .. 8, without a division. part: 0 or more; whole:
// more than 0.
static inline int eighths(int part, int whole)
{
    int left = 2 * whole - part, level = 0;
    const bool full = left >= whole;
    left = full ? 0 : left;
    for (int k = 0; k < 3; k++) {
        left *= 2;
        const int more = left >= whole;
        left -= more ? whole : 0;
        level = 2 * level + more;
    }
    return full ? 8 : level;
}

// Returns how still a block is along one axis, in eighths. gap: sum of gaps by slopes.
static inline int still_along(int gap, int slope, int shift)
{
    const int part = (gap < 0 ? -gap : gap) >> 6 << 8;
    const int whole = ((slope + KSR_TEMPORAL_FLOOR) >> 6) * shift;
    // Beyond twice the limit there is nothing left.
    return eighths(ksr_min(part, 2 * whole), whole);
}

// Fills the weights of the memory from the sums of columns.
static void find_weights(int16_t *restrict weight, const struct sums *restrict sums,
                         const uint16_t *restrict memory, const uint16_t *restrict cur, int count,
                         const struct ksr_temporal_params *p, int top)
{
    for (int n = 0; n < count; n++) {
        const int i = n + KSR_TILE_PAD, gap = memory[n] - cur[n], total = across(sums->gap + i);
        const int one = (gap < 0 ? -gap : gap) * p->one, mean = (total < 0 ? -total : total) * p->mean;
        const int size = ksr_max(across(sums->size + i), 0) * p->size;
        const int most = ksr_max(one, ksr_max(mean, size));
        const int level = ksr_clamp(16 - (most >> KSR_TEMPORAL_SHARE_BITS), 0, 8);
        const int x = still_along(across(sums->gap_x + i), across(sums->slope_x + i), p->shift);
        const int y = still_along(across(sums->gap_y + i), across(sums->slope_y + i), p->shift);
        weight[n] = (int16_t)((top * ksr_min(level, ksr_min(x, y))) >> 3);
    }
}

static void blend_tile(uint16_t *restrict dst, const uint16_t *restrict memory,
                       const uint16_t *restrict cur, const int16_t *restrict weight, int count)
{
    for (int i = 0; i < count; i++) {
        const int gap = memory[i] - cur[i], step = (weight[i] * (gap < 0 ? -gap : gap)) >> WEIGHT_BITS;
        dst[i] = (uint16_t)(gap < 0 ? cur[i] - step : cur[i] + step);
    }
}

// Takes each tile of rows y0 .. y1-1: dst gets them with the memory blended in, or its weights alone.
static void run_rows(const struct ksr_plane *dst, bool blends, const struct ksr_plane *memory,
                     const struct ksr_plane *cur, const struct ksr_temporal_params *params,
                     int weight, int y0, int y1)
{
    int16_t weights[KSR_TILE];
    struct sums sums;
    for (int x0 = 0; x0 < cur->width; x0 += KSR_TILE) {
        const int count = ksr_min(KSR_TILE, cur->width - x0);
        memset(&sums, 0, sizeof(sums));
        for (int y = y0 - REACH; y < y0 + REACH; y++)
            add_row(&sums, memory, cur, x0, y, count, 1);
        for (int y = y0; y < y1; y++) {
            const uint16_t *m = memory->data + y * memory->stride + x0;
            const uint16_t *c = cur->data + y * cur->stride + x0;
            uint16_t *out = dst->data + y * dst->stride + x0;
            add_row(&sums, memory, cur, x0, y + REACH, count, 1);
            find_weights(weights, &sums, m, c, count, params, weight);
            if (blends)
                blend_tile(out, m, c, weights, count);
            else
                memcpy(out, weights, (size_t)count * sizeof(weights[0]));
            add_row(&sums, memory, cur, x0, y - REACH, count, -1);
        }
    }
}

void ksr_temporal_rows(const struct ksr_plane *dst, const struct ksr_plane *memory,
                       const struct ksr_plane *cur, const struct ksr_temporal_params *params,
                       int weight, int y0, int y1)
{
    run_rows(dst, true, memory, cur, params, weight, y0, y1);
}

void ksr_temporal_still_rows(const struct ksr_plane *dst, const struct ksr_plane *other,
                             const struct ksr_plane *cur, const struct ksr_temporal_params *params,
                             int y0, int y1)
{
    run_rows(dst, false, other, cur, params, 8, y0, y1);
}
