// Where rows of working samples come from and where they go to: what the stages know of a decoder
// and of an encoder.

#ifndef KSR_FRAME_ROWS_H
#define KSR_FRAME_ROWS_H

#include "frame/raw.h"

// Fills rows y0 .. y1-1 of dst, which stands for plane `plane` of the picture. Any rows, in any
// order, more than once, from several threads at once.
struct ksr_row_source {
    void (*rows)(void *opaque, int plane, const struct ksr_plane *dst, int y0, int y1);
    void *opaque;
    // What rows() reads, for executors that unpack by themselves; valid as long as the source is.
    // NULL: samples are converted on the way (palettes, other byte orders, turned frames).
    const struct ksr_raw_frame *raw;
};

// Takes rows y0 .. y1-1 of src, which stands for plane `plane` of the picture. Every row once.
// Several threads at once, but the planes of one part of the picture come from one thread.
struct ksr_row_sink {
    void (*rows)(void *opaque, int plane, const struct ksr_plane *src, int y0, int y1);
    void *opaque;
    // What rows() writes, for executors that pack by themselves: then every sample of every plane,
    // and no call of rows(). NULL: samples are converted on the way.
    const struct ksr_raw_frame *raw;
};

// Copies rows y0 .. y1-1 of a plane to another of the same width.
void ksr_plane_copy_rows(const struct ksr_plane *dst, const struct ksr_plane *src, int y0, int y1);

// Return a whole frame as a source or a sink. The frame must outlive it.
struct ksr_row_source ksr_frame_source(const struct ksr_frame *frame);
struct ksr_row_sink ksr_frame_sink(const struct ksr_frame *frame);

// Returns codes as a source, which unpacks them; those of RGB as they are. They must outlive it.
struct ksr_row_source ksr_raw_source(const struct ksr_raw_frame *raw);

#endif
