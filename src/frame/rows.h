// Where rows of working samples come from and where they go to: what the stages know of a decoder
// and of an encoder.

#ifndef KSR_FRAME_ROWS_H
#define KSR_FRAME_ROWS_H

#include "frame/frame.h"

// Fills rows y0 .. y1-1 of dst, which stands for plane `plane` of the picture. Any rows, in any
// order, more than once, from several threads at once.
struct ksr_row_source {
    void (*rows)(void *opaque, int plane, const struct ksr_plane *dst, int y0, int y1);
    void *opaque;
};

// Takes rows y0 .. y1-1 of src, which stands for plane `plane` of the picture. Every row once.
// Several threads at once, but the planes of one part of the picture come from one thread.
struct ksr_row_sink {
    void (*rows)(void *opaque, int plane, const struct ksr_plane *src, int y0, int y1);
    void *opaque;
};

// Copies rows y0 .. y1-1 of a plane to another of the same width.
void ksr_plane_copy_rows(const struct ksr_plane *dst, const struct ksr_plane *src, int y0, int y1);

// Return a whole frame as a source or a sink. The frame must outlive it.
struct ksr_row_source ksr_frame_source(const struct ksr_frame *frame);
struct ksr_row_sink ksr_frame_sink(const struct ksr_frame *frame);

#endif
