// A piece of one row with its surroundings, edges replicated: what stages with a neighbourhood
// compute on. Tiles live on the stack and stay in the first-level cache; the loops over them have
// no edge cases.

#ifndef KSR_FRAME_TILE_H
#define KSR_FRAME_TILE_H

#include <stdint.h>
#include <string.h>

#include "frame/frame.h"

#define KSR_TILE     256 // samples of a row worked on at once
#define KSR_TILE_PAD 8   // samples on either side of them
#define KSR_TILE_ALL (KSR_TILE + 2 * KSR_TILE_PAD)

static inline int ksr_clamp(int v, int low, int high)
{
    return v < low ? low : v > high ? high : v;
}

static inline int ksr_min(int a, int b)
{
    return a < b ? a : b;
}

static inline int ksr_max(int a, int b)
{
    return a > b ? a : b;
}

// Returns row y of a plane, the first or last one where y lies outside.
static inline const uint16_t *ksr_row(const struct ksr_plane *plane, int y)
{
    return plane->data + ksr_clamp(y, 0, plane->height - 1) * plane->stride;
}

// Fills tile[0 .. count-1] with samples `first` .. of row y. first: at most the last one of the
// row; first + count: at least 1.
static inline void ksr_tile_fill(uint16_t *tile, const struct ksr_plane *plane, int first,
                                 int count, int y)
{
    const uint16_t *row = ksr_row(plane, y);
    const int last = plane->width - 1;
    // Of the tile, [from, to) lies within the row; the rest repeats the row's ends.
    const int from = ksr_max(0, -first), to = ksr_min(count, last + 1 - first);
    for (int i = 0; i < from; i++)
        tile[i] = row[0];
    memcpy(tile + from, row + first + from, (size_t)(to - from) * sizeof(tile[0]));
    for (int i = to; i < count; i++)
        tile[i] = row[last];
}

// Fills tile[0 .. KSR_TILE_ALL-1] with samples x0 - KSR_TILE_PAD .. of row y.
static inline void ksr_tile_load(uint16_t tile[KSR_TILE_ALL], const struct ksr_plane *plane, int x0,
                                 int y)
{
    ksr_tile_fill(tile, plane, x0 - KSR_TILE_PAD, KSR_TILE_ALL, y);
}

// Returns samples x0 - KSR_TILE_PAD .. of row y like ksr_tile_load(), in place where none of them
// lies outside the picture, else in `spare`.
static inline const uint16_t *ksr_tile_row(uint16_t spare[KSR_TILE_ALL],
                                           const struct ksr_plane *plane, int x0, int y)
{
    const int first = x0 - KSR_TILE_PAD;
    if (first >= 0 && first + KSR_TILE_ALL <= plane->width)
        return ksr_row(plane, y) + first;
    ksr_tile_load(spare, plane, x0, y);
    return spare;
}

// Returns a distance cut to what a smoothing step may follow: the distance itself up to `limit`,
// then less and less, nothing from 2 * limit on. So noise is averaged and lines are left alone.
// In 16 bits, so that SIMD code holds twice as many. distance: of two samples; limit: 0 .. 2048.
static inline int16_t ksr_soft(int16_t distance, int16_t limit)
{
    const int16_t low = (int16_t)-limit, near = distance > limit ? limit : distance;
    const int16_t kept = near < low ? low : near, beyond = (int16_t)(distance - kept);
    const int16_t capped = beyond > limit ? limit : beyond;
    return (int16_t)(kept - (capped < low ? low : capped));
}

#endif
