// How the surroundings of each sample of a tile are turned: step 1 of learned.h.

#ifndef KSR_STAGES_TURN_H
#define KSR_STAGES_TURN_H

#include <stdint.h>

#include "frame/tile.h"

#define KSR_TURN_RADIUS  4 // of the window in which gradients are summed
#define KSR_TURN_ROWS    (2 * KSR_TURN_RADIUS + 1)
#define KSR_TURN_COLUMNS (KSR_TILE_ALL + 16) // of a tile, and what vectors have beyond them

// The gradients of rows, and their sums over the last KSR_TURN_ROWS of them for every column, as
// the level lays them out. Begins as zeros.
struct ksr_columns {
    _Alignas(64) int32_t tilt[KSR_TURN_COLUMNS]; // gx^2 - gy^2
    int32_t cross[KSR_TURN_COLUMNS];             // gx * gy
    int32_t energy[KSR_TURN_COLUMNS];            // gx^2 + gy^2
    int32_t moment[KSR_TURN_COLUMNS];            // (gx^2 + gy^2) * (row - middle row)
    int16_t x[KSR_TURN_ROWS + 1][KSR_TURN_COLUMNS], y[KSR_TURN_ROWS + 1][KSR_TURN_COLUMNS];
    int last; // which of x and y is the last row's; the next one is the row that leaves
};

// Which symmetry of the square turns the surroundings of each sample of a tile: first the flips,
// then the transposition. -1 or 0.
struct ksr_turn {
    int16_t transpose[KSR_TILE], flip_x[KSR_TILE], flip_y[KSR_TILE];
};

// Takes in the next row, given with those above and below as ksr_tile_row() returns them.
void ksr_columns_add(struct ksr_columns *columns, const uint16_t *const row[3]);

// Finds the turn of the samples of the middle row.
void ksr_columns_turn(struct ksr_turn *turn, const struct ksr_columns *columns);

#endif
