// From YCbCr to RGB, to YCbCr of another matrix, and from one range to another, on working samples
// of 4:4:4 and of any layout.
//
// What comes out is of the full range of 15 bits (0 .. 32767, chroma around 16384), or limited as
// it stands in working samples (2048 .. 30080). Rounded to the nearest, cut to the range.

#ifndef KSR_FRAME_MATRIX_H
#define KSR_FRAME_MATRIX_H

#include "frame/frame.h"

// How samples map: filled by the functions below, in units of 2^-32.
struct ksr_matrix {
    int64_t luma, chroma[3][2]; // factors: of luma; of Cb and Cr for green, blue, red
    int black;                  // of the input
    int64_t range_luma, range_chroma;
    int range_black; // of the output
};

// kr, kb: the weights of red and blue in luma. full, bits: of the input; bits is the depth that it
// was unpacked from, which says where full range ends.
struct ksr_matrix ksr_matrix_rgb(double kr, double kb, bool full, int bits);

// From full to limited range or back (to_full).
struct ksr_matrix ksr_matrix_range(bool to_full, int bits);

// How samples code light: matrix (kr and kb: weights of red and blue in luma; both 0 = it has none,
// or is unknown), range, and the depth they were unpacked from, which says where full range ends.
struct ksr_code_terms {
    double kr, kb;
    bool full;
    int bits;
};

// How samples of one kind of terms become those of another, in units of 2^-32.
struct ksr_recode {
    int64_t factor[3][3]; // of Y, Cb, Cr in Y, Cb, Cr
    int64_t alpha;
    int black, new_black;
    int opaque;   // what alpha has where nothing shines through, before
    bool mixes;   // planes depend on each other: chroma must have the size of luma
    bool nothing; // all stays as it is
};

struct ksr_recode ksr_recode_make(const struct ksr_code_terms *from,
                                  const struct ksr_code_terms *to);

// Recodes the rows of a frame that stand for rows y0 .. y1-1 of luma.
void ksr_recode_rows(const struct ksr_recode *recode, struct ksr_frame *frame, int y0, int y1);

// Turns rows y0 .. y1-1 of a 4:4:4 frame from Y, Cb, Cr into G, B, R.
void ksr_matrix_rgb_rows(const struct ksr_matrix *m, struct ksr_frame *frame, int y0, int y1);

// Changes the range of rows y0 .. y1-1 of plane i (of its own rows). Leave alpha out.
void ksr_matrix_range_rows(const struct ksr_matrix *m, struct ksr_frame *frame, int i, int y0,
                           int y1);

#endif
