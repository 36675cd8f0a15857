// Turned differences on their way to the filters: kept by place, or put together by sample where the
// level's filters read all taps of one sample.

#ifndef KSR_STAGES_LANES_TAPS_H
#define KSR_STAGES_LANES_TAPS_H

#include "core/lanes.h"
#include "stages/bank.h"

#define TAPS_GROUPS (KSR_BANK_TAPS / 8)

// Places of the 5x5 samples, row by row, in groups that the symmetries of the square keep together.
static const uint8_t taps_place[TAPS_GROUPS][8] = {
    {6, 8, 16, 18, 0, 4, 20, 24},   // near corners, far corners
    {11, 13, 7, 17, 10, 14, 2, 22}, // left, right, above, below: near, far
    {5, 9, 15, 19, 1, 3, 21, 23},   // a knight's move away
};

static inline void taps_keep(struct ksr_bank_patch *to, int group, int i, const lanes v[8],
                             int count)
{
    for (int j = 0; j < count; j++)
        lanes_store(to->of[taps_place[group][j]] + i, v[j]);
}

#ifdef KSR_BANK_BY_SAMPLE

// Where sample i of a block lies: a register has two of 16, the one and that eight behind it.
#define TAPS_OF(i) (((i)&16) | (((i)&7) * 2) | ((i) >> 3 & 1))

// Puts eight taps of one sample together, 16 samples at once.
static inline void taps_turn(int16_t to[LANES][8], const lanes v[8])
{
    lanes two[8], four[8]; // that many taps of each sample
    for (int j = 0; j < 8; j += 2) {
        two[j] = _mm256_unpacklo_epi16(v[j], v[j + 1]);
        two[j + 1] = _mm256_unpackhi_epi16(v[j], v[j + 1]);
    }
    for (int j = 0; j < 8; j += 4)
        for (int k = 0; k < 2; k++) {
            four[j + 2 * k] = _mm256_unpacklo_epi32(two[j + k], two[j + k + 2]);
            four[j + 2 * k + 1] = _mm256_unpackhi_epi32(two[j + k], two[j + k + 2]);
        }
    for (int j = 0; j < 4; j++) {
        lanes_store(to[4 * j], _mm256_unpacklo_epi64(four[j], four[j + 4]));
        lanes_store(to[4 * j + 2], _mm256_unpackhi_epi64(four[j], four[j + 4]));
    }
}

// Takes a group of eight places. near: how many of them are read by place, too.
static inline void taps_store(struct ksr_bank_patch *to, int group, int i, const lanes v[8],
                              int near)
{
    taps_keep(to, group, i, v, near);
    taps_turn(to->taps[group] + i, v);
}

#else

static inline void taps_store(struct ksr_bank_patch *to, int group, int i, const lanes v[8],
                              int near)
{
    (void)near;
    taps_keep(to, group, i, v, 8);
}

#endif

#endif
