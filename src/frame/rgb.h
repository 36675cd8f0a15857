// RGB input: to full-range YCbCr 4:4:4 working samples and back (BT.709 matrix, which never
// leaves the program: the output is RGB again).

#ifndef KSR_FRAME_RGB_H
#define KSR_FRAME_RGB_H

#include "frame/frame.h"

// Converts rows y0 .. y1-1 of three planes in place: in G, B, R order as decoders give them, full
// range; out Y, Cb, Cr. ksr_rgb_from_ycc_rows() is the way back. Samples that stand for codes of
// up to 12 bits come back exactly, which also keeps dithered flat colours flat; codes of 13 bits
// come back within 1 of 32767, so rounding restores them; finer samples within 2.
void ksr_rgb_to_ycc_rows(const struct ksr_frame *frame, int y0, int y1);
void ksr_rgb_from_ycc_rows(const struct ksr_frame *frame, int y0, int y1);

#endif
