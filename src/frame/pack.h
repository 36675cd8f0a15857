// Between code values as decoders and encoders hold them and 15-bit working samples.
//
// unpack: v << (15 - bits); 16 bits: v >> 1 (the last bit is lost, and the caller says so).
// pack: the inverse with rounding, clipped to 0 .. (1 << bits) - 1. Where source and target depth
// of a full-range signal differ, the value is scaled by the ratio of the two maxima instead of
// shifted, so that peak stays peak (255 becomes 1023). Halves go up, or away from the centre for
// scaled chroma. To 8 bits and fewer, ordered dither may replace the rounding: a fraction of f/128
// is rounded up at f of 128 places of a 16x16 matrix, so a sample that is an exact 8-bit code value
// stays that value at every position.

#ifndef KSR_FRAME_PACK_H
#define KSR_FRAME_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frame/frame.h"

// A plane of code values in memory: bytes for 8 bits, native-endian uint16_t for all others.
struct ksr_code_plane {
    uint8_t *data;
    ptrdiff_t stride; // bytes from one row to the next; may be negative
    int bits;         // 1 .. 16: depth of a code value, stored in the low bits
};

// How to pack one plane.
struct ksr_pack_params {
    int source_bits; // depth the working samples were unpacked from
    bool scale;      // scale by the ratio of maxima: luma, alpha and grey of full-range signals.
                     // Full-range chroma scales around its centre
    bool chroma;     // centred on KSR_CHROMA_ZERO
    bool dither;     // ordered dither; has an effect only when code.bits is 8 or less
};

// How a full-range plane changes depth: code = centre + (w - zero) * max / peak.
struct ksr_pack_ratio {
    uint64_t factor; // max / peak in units of 2^-32, rounded up; 0 = codes are shifted, not scaled
    int zero, centre, max;
};

struct ksr_pack_ratio ksr_pack_ratio_make(const struct ksr_pack_params *params, int bits);

// Fills rows y0 .. y1-1 of dst from src. src has at least dst's width and those rows.
void ksr_unpack_rows(const struct ksr_plane *dst, const struct ksr_code_plane *src, int y0, int y1);

// Fills rows y0 .. y1-1 of dst (src->width samples each) from src.
void ksr_pack_rows(const struct ksr_code_plane *dst, const struct ksr_plane *src,
                   const struct ksr_pack_params *params, int y0, int y1);

#endif
