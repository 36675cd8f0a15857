// Deblocking, plain C: the definition. See deblock.h.

#include "stages/deblock.h"

#include "frame/tile.h"

#define LIMIT_MAX 2048 // 16 codes of 8 bits
#define BLOCK     KSR_DEBLOCK_BLOCK

#define FOUND_LIMIT 512 // 4 codes of 8 bits
#define FOUND_LINES 24  // least number that tells
#define FOUND_SHARE 60  // percent

struct ksr_deblock_params ksr_deblock_params_make(const struct ksr_pipeline_config *config)
{
    return (struct ksr_deblock_params){.limit = (int)(config->deblock * LIMIT_MAX + 0.5)};
}

static inline int distance(int a, int b)
{
    return a < b ? b - a : a - b;
}

// Returns n of the samples p1 p0 | q0 q1, negative where p0 and p1 are to go down.
static inline int seam(int p1, int p0, int q0, int q1, int limit)
{
    const int twice = 3 * (q0 - p0) - (q1 - p1);
    const int size = ksr_min(distance(twice, 0) >> 1, distance(q0, p0));
    const int beyond = 2 * limit - size, soft = size < beyond ? size : beyond;
    const int inside = ksr_max(distance(p0, p1), distance(q1, q0));
    const int n = ksr_max(soft - inside, 0);
    return twice < 0 ? -n : n;
}

// Returns what a seam changes at distance 0 or 1 from the border, before it or behind it.
static inline int change(int n, int place)
{
    // Rounded alike in both directions, so that mirrored planes give mirrored results.
    const int weight = place == BLOCK - 1 || place == 0 ? 7 : 3;
    const int size = (weight * distance(n, 0) + 8) >> 4;
    return (n < 0) == (place >= BLOCK / 2) ? -size : size;
}

// Adds the changes at borders between columns.
static void across(int16_t *sum, const uint16_t *c, int first, int count, int limit)
{
    for (int place = BLOCK - 2; place < BLOCK + 2; place++) {
        const int at = (place & (BLOCK - 1)) - first, ahead = BLOCK - place;
        for (int i = at < 0 ? at + BLOCK : at; i < count; i += BLOCK) {
            const uint16_t *q = c + i + ahead;
            sum[i] = (int16_t)(sum[i] +
                               change(seam(q[-2], q[-1], q[0], q[1], limit), place & (BLOCK - 1)));
        }
    }
}

// Adds the changes of a row at `place` of its block, near a border between rows.
static void down(int16_t *restrict sum, const uint16_t *restrict p1, const uint16_t *restrict p0,
                 const uint16_t *restrict q0, const uint16_t *restrict q1, int place, int count,
                 int limit)
{
    for (int i = 0; i < count; i++)
        sum[i] = (int16_t)change(seam(p1[i], p0[i], q0[i], q1[i], limit), place);
}

void ksr_deblock_rows(const struct ksr_plane *dst, const struct ksr_plane *src,
                      const struct ksr_deblock_params *params, int y0, int y1)
{
    uint16_t spare[5][KSR_TILE_ALL];
    const uint16_t *t[5];
    for (int y = y0; y < y1; y++) {
        const int place = (y + params->y) & (BLOCK - 1);
        const bool near = place < 2 || place >= BLOCK - 2;
        const int border = y + (place < 2 ? -place : BLOCK - place); // its first row behind it
        for (int x0 = 0; x0 < src->width; x0 += KSR_TILE) {
            const int count = ksr_min(KSR_TILE, src->width - x0);
            uint16_t *out = dst->data + y * dst->stride + x0;
            int16_t sum[KSR_TILE] = {0};
            t[4] = ksr_tile_row(spare[4], src, x0, y) + KSR_TILE_PAD;
            for (int i = 0; i < 4 && near; i++)
                t[i] = ksr_tile_row(spare[i], src, x0, border - 2 + i) + KSR_TILE_PAD;
            if (near)
                down(sum, t[0], t[1], t[2], t[3], place, count, params->limit);
            across(sum, t[4], (x0 + params->x) & (BLOCK - 1), count, params->limit);
            for (int i = 0; i < count; i++)
                out[i] = (uint16_t)ksr_clamp(t[4][i] + sum[i], 0, KSR_SAMPLE_MAX);
        }
    }
}

// Returns the sum of seams on a line. p: the first sample behind it; `over` leads across the line,
// `along` along it.
static int64_t sum_line(const uint16_t *p, ptrdiff_t over, ptrdiff_t along, int count)
{
    int64_t sum = 0;
    for (int i = 0; i < count; i++, p += along)
        sum += distance(seam(p[-2 * over], p[-over], p[0], p[over], FOUND_LIMIT), 0);
    return sum;
}

void ksr_blocks_add(struct ksr_blocks *blocks, const struct ksr_plane *luma)
{
    for (int axis = 0; axis < 2; axis++) {
        const ptrdiff_t over = axis ? luma->stride : 1, along = axis ? 1 : luma->stride;
        const int size = axis ? luma->height : luma->width;
        const int count = axis ? luma->width : luma->height;
        for (int line = BLOCK; line <= size - BLOCK; line += BLOCK) {
            const uint16_t *p = luma->data + line * over;
            const int64_t here = sum_line(p, over, along, count);
            int64_t inside = 0; // of ten lines
            for (int i = 2; i <= BLOCK - 2; i++)
                inside += sum_line(p - i * over, over, along, count) +
                          sum_line(p + i * over, over, along, count);
            blocks->lines[axis] += here + inside > 0;
            blocks->seams[axis] += 20 * here > 3 * inside;
        }
    }
}

int ksr_blocks_share(const struct ksr_blocks *blocks)
{
    int share = 0;
    for (int axis = 0; axis < 2; axis++)
        if (blocks->lines[axis] >= FOUND_LINES)
            share = ksr_max(share, (int)(100 * blocks->seams[axis] / blocks->lines[axis]));
    return share;
}

bool ksr_blocks_found(const struct ksr_blocks *blocks)
{
    return ksr_blocks_share(blocks) >= FOUND_SHARE;
}
