// Packing and RGB functions, one pointer each, so that a SIMD level can replace them. Each does
// what the plain C function of that name in pack.h or rgb.h does, to the bit.

#ifndef KSR_FRAME_DISPATCH_H
#define KSR_FRAME_DISPATCH_H

#include "core/cpu.h"
#include "frame/pack.h"
#include "frame/rgb.h"

struct ksr_frame_table {
    void (*unpack_rows)(const struct ksr_plane *dst, const struct ksr_code_plane *src, int y0,
                        int y1);
    void (*pack_rows)(const struct ksr_code_plane *dst, const struct ksr_plane *src,
                      const struct ksr_pack_params *params, int y0, int y1);
    void (*rgb_to_ycc_rows)(const struct ksr_frame *frame, int y0, int y1);
    void (*rgb_from_ycc_rows)(const struct ksr_frame *frame, int y0, int y1);
};

// The plain C functions.
extern const struct ksr_frame_table ksr_frame_level;

// Returns the fastest functions of a level. Depends on the level alone.
const struct ksr_frame_table *ksr_frame_table(enum ksr_cpu_level level);

#endif
