// Stage 3 for luma: rows of samples, cut into tiles; turn.c and patch.c have the steps. See
// learned.h.
//
// Works down a column of tiles, so that the sums of gradients over nine rows follow by one row in
// and one row out.

#include "stages/learned.h"

#include "frame/tile.h"
#include "stages/patch.h"
#include "stages/turn.h"

#define AROUND 8 // rows kept: those of a patch, and up to the last that gradients need
_Static_assert(AROUND >= KSR_LEARNED_REACH + KSR_PATCH_MIDDLE + 1, "all rows in use are kept");

// Rows of a tile, each in the place of the one AROUND rows before.
struct rows {
    const uint16_t *row[AROUND];
    uint16_t spare[AROUND][KSR_TILE_ALL];
};

static void load_row(struct rows *rows, const struct ksr_plane *src, int x0, int y)
{
    const int at = y & (AROUND - 1);
    rows->row[at] = ksr_tile_row(rows->spare[at], src, x0, y);
}

// Finds `count` rows from row y on.
static void find_rows(const uint16_t **row, const struct rows *rows, int y, int count)
{
    for (int i = 0; i < count; i++)
        row[i] = rows->row[(y + i) & (AROUND - 1)];
}

// Loads row y + 1, so that row y can be added.
static void add_row(struct ksr_columns *columns, struct rows *rows, const struct ksr_plane *src,
                    int x0, int y)
{
    const uint16_t *row[3];
    load_row(rows, src, x0, y + 1);
    find_rows(row, rows, y - 1, 3);
    ksr_columns_add(columns, row);
}

// Upscales a column of tiles.
static void upscale_tiles(const struct ksr_plane *dst, const struct ksr_plane *src,
                          const struct ksr_bank_order *bank, int x0, int y0, int y1)
{
    struct ksr_columns columns = {0};
    struct ksr_turn turn;
    struct rows rows;
    uint16_t spare[2][2 * KSR_TILE];
    const uint16_t *row[KSR_PATCH_SIDE];
    const int count = ksr_min(2 * KSR_TILE, dst->width - 2 * x0), first = y0 / 2 - KSR_TURN_RADIUS;
    load_row(&rows, src, x0, first - 1);
    load_row(&rows, src, x0, first);
    for (int y = first; y < y0 / 2 + KSR_TURN_RADIUS; y++)
        add_row(&columns, &rows, src, x0, y);
    for (int i = y0 / 2; 2 * i < y1; i++) {
        add_row(&columns, &rows, src, x0, i + KSR_TURN_RADIUS);
        ksr_columns_turn(&turn, &columns);
        find_rows(row, &rows, i - KSR_PATCH_MIDDLE, KSR_PATCH_SIDE);
        uint16_t *to[2], *out[2];
        for (int k = 0; k < 2; k++) {
            const int y = 2 * i + k;
            to[k] = y >= y0 && y < y1 ? dst->data + y * dst->stride + 2 * x0 : NULL;
            out[k] = to[k] && count == 2 * KSR_TILE ? to[k] : spare[k];
        }
        ksr_patch_upscale(out, row, &turn, bank, (count + 1) / 2);
        for (int k = 0; k < 2; k++)
            if (to[k] && out[k] == spare[k])
                memcpy(to[k], spare[k], (size_t)count * sizeof(spare[0][0]));
    }
}

void ksr_learned_rows(const struct ksr_plane *dst, const struct ksr_plane *src, int y0, int y1)
{
    struct ksr_bank_order bank;
    ksr_bank_prepare(&bank);
    for (int x0 = 0; 2 * x0 < dst->width; x0 += KSR_TILE)
        upscale_tiles(dst, src, &bank, x0, y0, y1);
}
