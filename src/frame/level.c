// The packing functions of one level; compiled once for plain C and once more for every SIMD
// level (core/level.h), chosen among by frame/dispatch.c.

#include "frame/dispatch.h"

const struct ksr_frame_table ksr_frame_level = {
    .unpack_rows = ksr_unpack_rows,
    .pack_rows = ksr_pack_rows,
    .rgb_to_ycc_rows = ksr_rgb_to_ycc_rows,
    .rgb_from_ycc_rows = ksr_rgb_from_ycc_rows,
};
