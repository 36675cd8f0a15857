// The patch around a sample, turned, and what is made of it: steps 2 to 5 of learned.h.

#ifndef KSR_STAGES_PATCH_H
#define KSR_STAGES_PATCH_H

#include <stdint.h>

#include "frame/tile.h"
#include "stages/bank.h"
#include "stages/turn.h"

#define KSR_PATCH_SIDE   5
#define KSR_PATCH_MIDDLE 2

// Makes four output samples of each of the first `count` samples of a tile: two rows, each with
// room for 2 * KSR_TILE. row: as ksr_tile_row() returns them. count: at most KSR_TILE; more may be
// made, up to the next multiple of KSR_BANK_BLOCK.
void ksr_patch_upscale(uint16_t *const out[2], const uint16_t *const row[KSR_PATCH_SIDE],
                       const struct ksr_turn *turn, const struct ksr_bank_order *bank, int count);

#endif
