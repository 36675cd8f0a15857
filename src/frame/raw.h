// Frames as decoders and encoders have them in memory: planes of code values.

#ifndef KSR_FRAME_RAW_H
#define KSR_FRAME_RAW_H

#include "frame/frame.h"
#include "frame/pack.h"

// A plane of code values. The code of sample (x, y) stands in the `bytes` bytes at data + y *
// stride
// + x * step, as a native integer, `shift` bits up; all other bits of these bytes are 0. Where
// `step` is larger, other planes have the bytes between: pixels of `step` bytes hold a code of
// each.
struct ksr_raw_plane {
    uint8_t *data;
    ptrdiff_t stride; // in bytes; may be negative
    int step, bytes;  // bytes is 1 for 8 bits, else 2
    int bits, shift;  // bits is 8 .. 16; a working sample is code << (15 - bits), or >> 1
    struct ksr_pack_params pack; // of a sink: how ksr_pack_rows() makes the code of a sample
};

struct ksr_raw_frame {
    struct ksr_raw_plane plane[KSR_MAX_PLANES]; // of the same planes as the working frame
    bool rgb; // the first three are G, B, R; ksr_rgb_to_ycc_rows() makes working samples of theirs
};

// Returns the format of codes of 8 bits in planes, dithered where they are made; no data, no strides.
struct ksr_raw_frame ksr_raw_codes(const struct ksr_layout *layout);

// Returns planes of the format of `like` in one block of memory at `data`, one after the other,
// rows at multiples of KSR_ALIGN bytes. Their places depend on the format and the layout alone.
// like: NULL = working samples, as codes of 15 bits; no other format needs more bytes.
// data: NULL = only the size is wanted. *bytes: size of the block; may be NULL.
struct ksr_raw_frame ksr_raw_block(const struct ksr_raw_frame *like,
                                   const struct ksr_layout *layout, uint8_t *data, size_t *bytes);

// Returns whether two frames have the same codes in the same places, and are packed alike.
bool ksr_raw_equal(const struct ksr_raw_frame *a, const struct ksr_raw_frame *b, int planes);

// Copies rows y0 .. y1-1 of plane i of a layout to a frame of the same format, whole pixels;
// nothing where they are those of an earlier plane.
void ksr_raw_copy_rows(const struct ksr_raw_frame *to, const struct ksr_raw_frame *from,
                       const struct ksr_layout *layout, int i, int y0, int y1);

#endif
