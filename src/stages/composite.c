// Dot crawl and rainbows, plain C: the definition. See composite.h.

#include "stages/composite.h"

#include "frame/tile.h"

#define REACH  4 // of a sum of energy
#define FRAMES KSR_COMPOSITE_FRAMES

struct ksr_temporal_params ksr_composite_params_make(double strength)
{
    struct ksr_temporal_params p = ksr_temporal_params_make(
        &(struct ksr_pipeline_config){.motion_threshold = strength / 5});
    const int one = ksr_max(8, (int)(12 * 128 * strength + 0.5));
    const int size = ksr_max(8, (int)(121 * 16 * 1.6 * strength + 0.5));
    p.one = ((8 << KSR_TEMPORAL_SHARE_BITS) + one - 1) / one;
    p.size = ((8 << KSR_TEMPORAL_SHARE_BITS) + size - 1) / size;
    return p;
}

void ksr_composite_smooth_rows(const struct ksr_plane *dst, const struct ksr_plane *src, int y0,
                               int y1)
{
    uint16_t tile[KSR_TILE_ALL];
    int32_t sum[KSR_TILE_ALL];
    for (int y = y0; y < y1; y++)
        for (int x0 = 0; x0 < src->width; x0 += KSR_TILE) {
            const int count = ksr_min(KSR_TILE, src->width - x0);
            uint16_t *out = dst->data + y * dst->stride + x0;
            memset(sum, 0, sizeof(sum));
            for (int k = -1; k <= 2; k++) {
                const uint16_t *row = ksr_tile_row(tile, src, x0, y + k);
                for (int i = 0; i < KSR_TILE_ALL; i++)
                    sum[i] += row[i];
            }
            for (int n = 0; n < count; n++) {
                const int32_t *s = sum + n + KSR_TILE_PAD;
                out[n] = (uint16_t)((s[-1] + s[0] + s[1] + s[2] + 8) >> 4);
            }
        }
}

// Of one of the frames, for a tile's width of columns.
struct column {
    int32_t gap[2 * REACH + 1][KSR_TILE_ALL]; // times held: of the last rows
    int32_t energy[2][KSR_TILE_ALL];          // sums of their sizes, of each field
};

// Fills how far a row of the plane is held.
static void load_held(uint16_t *restrict out, const struct ksr_plane *held, int shift_x, int shift_y,
                      const struct ksr_plane *plane, int x0, int y)
{
    y = ksr_clamp(y, 0, plane->height - 1);
    for (int i = 0; i < KSR_TILE_ALL; i++) {
        const int x = ksr_clamp(x0 + i - KSR_TILE_PAD, 0, plane->width - 1);
        int least = 8;
        for (int k = y << shift_y; k < (y + 1) << shift_y; k++)
            for (int n = x << shift_x; n < (x + 1) << shift_x; n++)
                least = ksr_min(least, ksr_row(held, k)[ksr_min(n, held->width - 1)]);
        out[i] = (uint16_t)least;
    }
}

// Adds row y of a frame to its column.
static void add_row(struct column *restrict column, int slot, const struct ksr_plane *cur,
                    const struct ksr_composite_frame *frame, const struct ksr_plane *nearer,
                    int shift_x, int shift_y, int x0, int y)
{
    uint16_t spare[2][KSR_TILE_ALL], held[KSR_TILE_ALL], less[KSR_TILE_ALL];
    int32_t *gap = column->gap[slot], *energy = column->energy[y & 1];
    const uint16_t *c = ksr_tile_row(spare[0], cur, x0, y),
                   *o = ksr_tile_row(spare[1], &frame->plane, x0, y);
    load_held(held, &frame->held, shift_x, shift_y, cur, x0, y);
    load_held(less, nearer, shift_x, shift_y, cur, x0, y);
    for (int i = 0; i < KSR_TILE_ALL; i++) {
        gap[i] = (o[i] - c[i]) * ksr_min(held[i], less[i]);
        energy[i] += gap[i] < 0 ? -gap[i] : gap[i];
    }
}

static void take_row(int32_t *restrict energy, const int32_t *restrict gap)
{
    for (int i = 0; i < KSR_TILE_ALL; i++)
        energy[i] -= gap[i] < 0 ? -gap[i] : gap[i];
}

// Returns floor(8 * (4 * energy / most - 3)), 0 or more. most: greater than 0.
static inline int share_of(int energy, int most)
{
    const int above = 4 * (energy - most) + most;
    return above <= 0 ? 0 : 8 * (above >> 3) / ksr_max(1, most >> 3);
}

static void mix_tile(uint16_t *restrict dst, const uint16_t *restrict cur,
                     int32_t *const gap[FRAMES], int32_t *const energy[FRAMES], int count)
{
    for (int n = 0; n < count; n++) {
        int all[FRAMES], most = 0, sum = 0, shares = 0;
        for (int f = 0; f < FRAMES; f++) {
            all[f] = 0;
            for (int k = -REACH; k <= REACH; k++)
                all[f] += energy[f][n + k];
            most = ksr_max(most, all[f]);
        }
        for (int f = 0; f < FRAMES && most > 0; f++) {
            const int share = share_of(all[f], most);
            sum += share * gap[f][n];
            shares += share;
        }
        const int whole = 16 * ksr_max(shares, 1), half = whole / 2;
        dst[n] = (uint16_t)(cur[n] + (sum + (sum < 0 ? -half : half)) / whole);
    }
}

void ksr_composite_rows(const struct ksr_plane *dst, const struct ksr_plane *cur,
                        const struct ksr_composite_frame frames[FRAMES], int shift_x, int shift_y,
                        int y0, int y1)
{
    const int rows = 2 * REACH + 1;
    struct column column[FRAMES];
    for (int x0 = 0; x0 < cur->width; x0 += KSR_TILE) {
        memset(column, 0, sizeof(column));
        for (int y = y0 - REACH; y < y1 + REACH; y++) {
            const int made = y - REACH; // the row whose field's rows around are complete
            int32_t *gap[FRAMES], *energy[FRAMES];
            for (int f = 0; f < FRAMES; f++) {
                if (frames[f].plane.data)
                    add_row(&column[f], (y - y0 + REACH) % rows, cur, &frames[f],
                            &frames[f % 2].held, shift_x, shift_y, x0, y);
                gap[f] = column[f].gap[ksr_max(y - y0, 0) % rows] + KSR_TILE_PAD;
                energy[f] = column[f].energy[y & 1] + KSR_TILE_PAD;
            }
            if (made < y0)
                continue;
            mix_tile(dst->data + made * dst->stride + x0, cur->data + made * cur->stride + x0, gap,
                     energy, ksr_min(KSR_TILE, cur->width - x0));
            for (int f = 0; f < FRAMES; f++)
                take_row(column[f].energy[y & 1], column[f].gap[(made - y0) % rows]);
        }
    }
}
