// How alike two planes are, and what an upscaled plane has that its source has not.
//
// For checks, not for pixels: results are floating point, summed in a fixed order. Differences are
// given in codes of 8 bits (128 working samples).

#ifndef KSR_FRAME_MEASURE_H
#define KSR_FRAME_MEASURE_H

#include "frame/frame.h"

#define KSR_CODE 128.0 // working samples in one code of 8 bits

struct ksr_likeness {
    double mse;     // mean squared difference, in squared codes
    double ssim;    // structural similarity, 1 = equal: windows of 8x8, four samples apart
    double mean;    // of b - a, in codes
    double shift_x; // how far to the right b lies of a, in samples; 0 where nothing shows it
    double shift_y; // how far below
    double texture; // mean squared slope: how much a shift would show, in squared codes
};

// Compares two planes of one size.
void ksr_measure_likeness(const struct ksr_plane *a, const struct ksr_plane *b,
                          struct ksr_likeness *out);

// Returns the peak signal-to-noise ratio of a mean squared difference in dB, at most 100.
double ksr_measure_psnr(double mse);

struct ksr_artefacts {
    double banding; // false contours, per thousand samples where the source is smooth
    double ringing; // how far samples near edges leave what the source has around them, in codes,
                    // on average
};

// Looks for artefacts in a plane that was scaled up from `source`, at any ratio of sizes: in what
// became of every `step`-th row of the source, from row `first` on.
void ksr_measure_artefacts(const struct ksr_plane *source, const struct ksr_plane *scaled,
                           int first, int step, struct ksr_artefacts *out);

// Averages a plane into width x height cells, in codes. Cells of a plane smaller than that repeat
// samples.
void ksr_measure_cells(const struct ksr_plane *plane, int width, int height, float *cells);

#endif
