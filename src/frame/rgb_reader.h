// RGB frames as sources of rows of Y, Cb and Cr.

#ifndef KSR_FRAME_RGB_READER_H
#define KSR_FRAME_RGB_READER_H

#include "frame/rows.h"

// Converts a band of rows, of all planes, when the first of them is asked for.
// Thread-safety: one thread at a time per object; its source is for any threads.
typedef struct ksr_rgb_reader ksr_rgb_reader;

// layout: of the frames. Returns NULL when out of memory. Free with ksr_rgb_reader_destroy().
ksr_rgb_reader *ksr_rgb_reader_create(const struct ksr_layout *layout);
void ksr_rgb_reader_destroy(ksr_rgb_reader **reader);

// rgb: rows of G, B, R and alpha if there is any; must outlive what is returned, a source that is
// valid until the next call. Its raw frame is that of `rgb`.
struct ksr_row_source ksr_rgb_reader_start(ksr_rgb_reader *reader,
                                           const struct ksr_row_source *rgb);

#endif
