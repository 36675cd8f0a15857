// Film grain: how strong it is at each brightness, how coarse, and how that is written in `grain`.
//
// Grain is measured on pairs of frames some frames apart (ksr_grain_add()). Two things bound it in
// each block of 16x16 samples, and either is exact somewhere: how much samples differ from those
// four samples away, where the drawing is flat; and from the same ones of the other frame, where it
// is held. The lowest cluster of both, over all blocks of a brightness, is grain: texture that does
// not change, motion and edges lie above it. The distance of the frames matters, because encoders
// carry grain along from frame to frame.

#ifndef KSR_FRAME_GRAIN_H
#define KSR_FRAME_GRAIN_H

#include <stddef.h>

#include "frame/frame.h"

#define KSR_GRAIN_BANDS     8    // of brightness, from 0 to the greatest code
#define KSR_GRAIN_AMOUNT    200  // most that can be put back, in hundredths of what was there
#define KSR_GRAIN_STRONGEST 3200 // in hundredths of a code of 8 bits
#define KSR_GRAIN_ALIKE     80   // most that neighbours can be alike
#define KSR_GRAIN_BINS      168
#define KSR_GRAIN_TEXT      128

struct ksr_grain {
    int amount;                // to be put back, in hundredths of what was there
    int luma[KSR_GRAIN_BANDS]; // standard deviation in the middle of each band, in hundredths of a
                               // code of 8 bits
    int chroma;                // the same of Cb and Cr
    int alike[2];              // correlation of neighbouring samples in hundredths: luma, chroma
};

// What the text of `grain` says.
enum ksr_grain_kind {
    KSR_GRAIN_KEEP,     // "keep"
    KSR_GRAIN_UNKNOWN,  // "remove" or an amount: grain is to be measured
    KSR_GRAIN_MEASURED, // "1:3.1,3.4,3.5,3.5,3.4,3.2,3,2.7:0.4:1.2:0.5": amount, luma, alike,
                        // chroma, alike
};

// Reads such a text. *out: what it says, the rest 0. Returns false when it is no such thing.
bool ksr_grain_parse(const char *text, enum ksr_grain_kind *kind, struct ksr_grain *out);

// Returns whether such a text leaves it to be measured how strong grain is.
bool ksr_grain_unknown(const char *text);

// Writes it in the last form.
void ksr_grain_print(char out[KSR_GRAIN_TEXT], const struct ksr_grain *grain);

// Returns the greatest strength of luma.
int ksr_grain_strongest(const struct ksr_grain *grain);

// --- Measuring ---

// Values of about the same size.
struct ksr_grain_bin {
    int64_t count, power, step; // how many; sums: variances, those of steps between neighbours
};

// All zero = none.
struct ksr_grain_tally {
    struct ksr_grain_bin bin[KSR_GRAIN_BANDS + 1][KSR_GRAIN_BINS]; // bands of luma, and chroma
};

// Adds what a frame shows, and another of the same layout some frames later; NULL: there is none.
void ksr_grain_add(struct ksr_grain_tally *tally, const struct ksr_frame *frame,
                   const struct ksr_frame *later);

// Adds one tally to another.
void ksr_grain_merge(struct ksr_grain_tally *to, const struct ksr_grain_tally *from);

// Returns whether there is grain. bits: of the source's codes, whose rounding is none.
bool ksr_grain_shows(const struct ksr_grain_tally *tally, int bits);

// Writes how strong it is to *out, whose amount becomes 0.
void ksr_grain_find(const struct ksr_grain_tally *tally, int bits, struct ksr_grain *out);

#endif
