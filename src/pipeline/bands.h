// Bands of rows of whole frames, for executors that keep those (composite.c, descaled.c).

#ifndef KSR_PIPELINE_BANDS_H
#define KSR_PIPELINE_BANDS_H

#include "frame/frame.h"

#define KSR_BAND_ROWS 32 // of luma, worked on at once

static inline int ksr_bands_of(const struct ksr_layout *layout)
{
    return (layout->height + KSR_BAND_ROWS - 1) / KSR_BAND_ROWS;
}

// Sets the rows of plane i in a band. Returns whether there are any.
static inline bool ksr_band_rows(const struct ksr_layout *layout, int i, int band, int *y0, int *y1)
{
    const int shift = ksr_layout_is_chroma(layout, i) ? layout->chroma_shift_y : 0;
    const int height = ksr_layout_plane_height(layout, i);
    *y0 = band * KSR_BAND_ROWS >> shift;
    *y1 =
        (band + 1) * KSR_BAND_ROWS >= layout->height ? height : (band + 1) * KSR_BAND_ROWS >> shift;
    return *y0 < *y1;
}

#endif
