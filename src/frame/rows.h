// Where rows of working samples come from and where they go to: what the stages know of a decoder
// and of an encoder.

#ifndef KSR_FRAME_ROWS_H
#define KSR_FRAME_ROWS_H

#include "frame/frame.h"
#include "frame/pack.h"

// A plane of code values in memory as a decoder or an encoder has it. The code of sample (x, y)
// stands in the `bytes` bytes at data + y * stride + x * step, as a native integer, `shift` bits
// up; all other bits of these bytes are 0. Where `step` is larger, another plane has the bytes
// between.
struct ksr_raw_plane {
    uint8_t *data;
    ptrdiff_t stride; // in bytes; may be negative
    int step, bytes;  // bytes is 1 or 2
    int bits, shift;  // bits is 8 .. 16; a working sample is code << (15 - bits), or >> 1
    struct ksr_pack_params pack; // of a sink: how ksr_pack_rows() makes the code of a sample
};

struct ksr_raw_frame {
    struct ksr_raw_plane plane[KSR_MAX_PLANES]; // of the same planes as the working frame
};

// Fills rows y0 .. y1-1 of dst, which stands for plane `plane` of the picture. Any rows, in any
// order, more than once, from several threads at once.
struct ksr_row_source {
    void (*rows)(void *opaque, int plane, const struct ksr_plane *dst, int y0, int y1);
    void *opaque;
    // What rows() reads, for executors that unpack by themselves (none does yet); valid as long as
    // the source is. NULL: samples are converted on the way (RGB, palettes, other byte orders,
    // cropped or turned frames).
    const struct ksr_raw_frame *raw;
};

// Takes rows y0 .. y1-1 of src, which stands for plane `plane` of the picture. Every row once.
// Several threads at once, but the planes of one part of the picture come from one thread.
struct ksr_row_sink {
    void (*rows)(void *opaque, int plane, const struct ksr_plane *src, int y0, int y1);
    void *opaque;
    // What rows() writes, for executors that pack by themselves (none does yet): then every sample
    // of every plane, and no call of rows(). NULL: samples are converted on the way.
    const struct ksr_raw_frame *raw;
};

// Copies rows y0 .. y1-1 of a plane to another of the same width.
void ksr_plane_copy_rows(const struct ksr_plane *dst, const struct ksr_plane *src, int y0, int y1);

// Return a whole frame as a source or a sink. The frame must outlive it.
struct ksr_row_source ksr_frame_source(const struct ksr_frame *frame);
struct ksr_row_sink ksr_frame_sink(const struct ksr_frame *frame);

#endif
