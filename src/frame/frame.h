// Working frames: what the stages read and write.
//
// Samples are 15-bit unsigned (0..32767) in uint16_t, planar, in the stream's own matrix, range
// and chroma subsampling. An N-bit code value v stands as v << (15 - N) (16 bits: v >> 1), so the
// nominal peak of an N-bit full-range signal is ((1 << N) - 1) << (15 - N), and chroma is centred
// on 16384. Colour tags travel beside the frames and never change them.
//
// The folder frame:
//   takes        rows of samples
//   gives        working frames; rows packed, turned, resampled, converted and measured
//   may include  core and below

#ifndef KSR_FRAME_FRAME_H
#define KSR_FRAME_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KSR_SAMPLE_MAX  32767
#define KSR_CHROMA_ZERO 16384
#define KSR_MAX_PLANES  4

// Where chroma samples sit between luma samples along one axis of a subsampled plane.
enum ksr_siting {
    KSR_SITING_COSITED = 0, // on the first luma sample of its group (left; top)
    KSR_SITING_CENTRED = 1, // in the middle of its group
};

// What the planes of a frame mean.
struct ksr_layout {
    int width, height; // of plane 0, in samples; 1 .. 65535
    int planes;        // 1 grey, 2 grey + alpha, 3 YCbCr, 4 YCbCr + alpha; alpha is always last
    int chroma_shift_x, chroma_shift_y; // log2 of the subsampling of planes 1 and 2: 0 .. 2
    enum ksr_siting siting_x, siting_y; // of planes 1 and 2; no meaning where the shift is 0
    bool full_range;                    // luma spans all code values, not 16..235 of 8 bits
};

// One plane. Writing is for the owner of the buffer; reading past the last sample of a row is
// allowed up to the end of its stride.
struct ksr_plane {
    uint16_t *data;
    ptrdiff_t stride; // samples from one row to the next; a multiple of 32
    int width, height;
};

// One frame with the buffer of its planes.
struct ksr_frame {
    struct ksr_layout layout;
    struct ksr_plane plane[KSR_MAX_PLANES]; // the first layout.planes are set
    void *buffer;                           // owned
};

// Returns whether plane i of a layout is subsampled chroma (i is 1 or 2 of YCbCr).
bool ksr_layout_is_chroma(const struct ksr_layout *layout, int i);

// Returns the width or height of plane i: a subsampled size is rounded up.
int ksr_layout_plane_width(const struct ksr_layout *layout, int i);
int ksr_layout_plane_height(const struct ksr_layout *layout, int i);

// Returns the layout of frames that are `scale` times as wide and high.
struct ksr_layout ksr_layout_scaled(const struct ksr_layout *layout, int scale);

// Returns how many planes of a layout are picture: all but alpha.
int ksr_layout_picture_planes(const struct ksr_layout *layout);

// Returns whether two layouts are equal in every member.
bool ksr_layout_equal(const struct ksr_layout *a, const struct ksr_layout *b);

// Returns whether all members of a layout are in their ranges.
bool ksr_layout_valid(const struct ksr_layout *layout);

// Returns the stride, in samples, of rows of `width` samples: the next multiple of KSR_ALIGN bytes.
ptrdiff_t ksr_plane_stride(int width);

// Allocates the planes of *frame (zeroed) for a layout; free with ksr_frame_free().
// Returns false, with *frame all zero, when out of memory or when a size is out of range.
bool ksr_frame_alloc(struct ksr_frame *frame, const struct ksr_layout *layout);

// Frees the planes; leaves *frame all zero. Accepts an all-zero frame.
void ksr_frame_free(struct ksr_frame *frame);

// Copies the samples of a frame to another of the same layout.
void ksr_frame_copy(struct ksr_frame *to, const struct ksr_frame *from);

// Exchanges two frames.
void ksr_frame_swap(struct ksr_frame *a, struct ksr_frame *b);

#endif
