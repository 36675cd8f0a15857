// An output's pictures beside those of its input: measured frame by frame, at the input's size.

#ifndef KSR_CHECK_METRICS_H
#define KSR_CHECK_METRICS_H

#include "check/matrix_mixups.h"
#include "kizunasr/config.h"
#include "media/av/film.h"

// One pair. Colour differences are in codes of 8 bits, shifts in samples of the input's luma.
struct ksr_picture_frame {
    size_t input, output; // numbers in the films
    double time;          // in the input, in seconds
    float psnr, ssim;     // of luma
    float psnr_chroma;    // of Cb and Cr together; 100 without colour
    float shift_x, shift_y, texture;
    float chroma_x, chroma_y, chroma_texture; // where chroma lies, and how surely
    float mean[3];                            // how much larger Y, Cb, Cr are on average
    float change;                             // of luma since the pair before, on average
    float banding, ringing;                   // frame/measure.h
    int shows; // 0, or how many frames later (earlier: < 0) the picture in the output comes
};

struct ksr_pictures {
    struct ksr_picture_frame *frames;
    size_t count, capacity;
    size_t unpaired;                // frames of the output that no frame of the input belongs to
    size_t damaged;                 // pairs left out: the input's frame does not decode cleanly,
                                    // or another was shown in its place on purpose
    bool colour;                    // both have colours
    bool artefacts;                 // banding and ringing were looked for
    struct ksr_colour_sums colours; // of all frames
};

// Which pictures belong together.
struct ksr_picture_pair {
    const char *input_path, *output_path;
    const struct ksr_film *input, *output;
    const size_t *kept; // frames of the input that the output should have, in order; NULL: all
    size_t kept_count;
    const bool *repeated; // per frame of the input: the one before stands in its place; NULL: none
    const struct ksr_pipeline_config *pipeline; // what was meant to change; NULL: nothing
};

// Decodes both films side by side. Frames are paired by number where there are as many as wanted,
// else by time. Free *out with ksr_pictures_free(), also after a failure.
// Returns KSR_OK, KSR_E_INPUT, KSR_E_NOMEM, KSR_E_CANCELLED.
ksr_status ksr_pictures_measure(ksr_context *ctx, const struct ksr_picture_pair *pair,
                                struct ksr_pictures *out);
// A pair of frames, and where to begin decoding the input for it (ignored in linear films).
struct ksr_picture_place {
    size_t input, output;
    struct ksr_film_key from;
};

// Measures some pairs alone, in the order of the films, and of them colours alone: `mean` of each
// frame, `colours` of all. Returns what ksr_pictures_measure() does.
ksr_status ksr_pictures_sample(ksr_context *ctx, const struct ksr_picture_pair *pair,
                               const struct ksr_picture_place *places, size_t count,
                               struct ksr_pictures *out);
void ksr_pictures_free(struct ksr_pictures *picture);

#endif
