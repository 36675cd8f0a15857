// Resampling: to a smaller size (`fit`), and chroma to another subsampling.
//
// Each axis is filtered by itself with Spline36, stretched by the ratio of the sizes, in integers;
// docs/stages.md has the formula. Every sample keeps its place. Needs the whole picture at hand, so
// rows are gathered first.

#ifndef KSR_FRAME_RESAMPLE_H
#define KSR_FRAME_RESAMPLE_H

#include "core/pool.h"
#include "frame/rows.h"

// A size that a picture of width x height fits into, and how wide its pixels are shown.
struct ksr_fit_box {
    int width, height;
};

// Reads "1920x1080". Returns false when it is no such thing, or out of 1 .. 65535.
bool ksr_fit_parse(const char *text, struct ksr_fit_box *out);

// Finds the largest size within the box, and not above *width x *height, that keeps their ratio.
// aspect_num / aspect_den: width of a pixel by its height; the width as shown counts too. step_x,
// step_y: 1, 2 or 4, what the sizes must be multiples of where they change.
void ksr_fit_size(const struct ksr_fit_box *box, int aspect_num, int aspect_den, int step_x,
                  int step_y, int *width, int *height);

// What one output sample is made of: as many samples as there are taps from `first` on, which may
// lie outside (edges replicate), and those `inner` ones around it that limit the result.
struct ksr_resample_place {
    int first;
    int inner_first, inner_count; // from `first` on
};

struct ksr_resample_axis {
    int size, taps;
    struct ksr_resample_place *places;
    int16_t *coefficients; // `taps` for each place, in 1/16384
};

// Thread-safety: one thread at a time per object.
typedef struct ksr_resampler ksr_resampler;

// Returns an object that makes frames of layout `to` of those of layout `from`, which has as many
// planes; sizes, subsampling and siting may differ. NULL when out of memory. pool: may be NULL;
// must outlive it.
ksr_resampler *ksr_resampler_create(const struct ksr_layout *from, const struct ksr_layout *to,
                                    ksr_pool *pool);

// Returns one that puts chroma in its place, which sits x and y luma samples further to the right
// and below than its siting says.
ksr_resampler *ksr_resampler_create_shift(const struct ksr_layout *layout, double x, double y,
                                          ksr_pool *pool);
void ksr_resampler_destroy(ksr_resampler **resampler);

// Makes it leave out luma, which is then neither read nor handed on.
void ksr_resampler_skip_luma(ksr_resampler *resampler);

// Returns how a plane is filtered along an axis: columns first, rounded and limited, then rows.
const struct ksr_resample_axis *ksr_resampler_axis(const ksr_resampler *resampler, int plane,
                                                   bool along_y);

// Returns the sink for the rows of a frame of layout `from`.
struct ksr_row_sink ksr_resampler_sink(ksr_resampler *resampler);

// Scales the gathered frame and hands its rows to `sink`, on the threads of the pool.
void ksr_resampler_run(ksr_resampler *resampler, const struct ksr_row_sink *sink);

#endif
