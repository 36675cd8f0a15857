// An .onnx model on whole pictures of working samples, tile by tile.
//
//   luma  what the model sees of a sample Y: Y / 32640 (codes of 8 bits / 255) if it takes one
//         channel; three times (Y - black) / (white - black) if it takes three, of which the mean
//         is what comes out
//   rgb   R, G, B, made of Y, Cb, Cr with the stream's matrix and range, black 0 and white 1;
//         chroma is brought to luma's size before and to its own after
//
// times 255 where 255 is white. A model of a larger scale than wanted has its result averaged over
// the area of each sample wanted, one of a smaller scale runs again on its result, and one that
// keeps the size runs once: the filters of shader mode then make the picture larger.

#ifndef KSR_NET_FRAMES_H
#define KSR_NET_FRAMES_H

#include "core/pool.h"
#include "frame/frame.h"
#include "net/onnx.h"

struct ksr_frames_params {
    int scale;         // wanted: 2 or 4
    int tile, overlap; // in samples of the input
    bool rgb;
    double kr, kb; // weights of red and blue in luma
    int bits;      // depth that samples were unpacked from: where full range ends
};

// Thread-safety: one thread at a time per object.
typedef struct ksr_frames ksr_frames;

// onnx: taken over on success. Returns NULL when out of memory.
ksr_frames *ksr_frames_create(ksr_onnx *onnx, const struct ksr_frames_params *params);
void ksr_frames_destroy(ksr_frames **frames);

// Returns the size of what ksr_frames_run() makes / the size of what it gets: the wanted scale, or
// 1 if the model keeps the size.
int ksr_frames_scale(const ksr_frames *frames);

// Returns how many planes of a layout it makes, from the first on: 1, or 3 where it sees colour.
int ksr_frames_planes(const ksr_frames *frames, const struct ksr_layout *layout);

// Makes dst of src, which has one plane (luma), or three with rgb unless it is grey; dst is of that
// layout, larger by the scale. pool: converts samples; may be NULL. Where memory runs out, tiles
// get half as large, with one line, for good. Returns KSR_OK, KSR_E_PROCESS (the model fails, or
// gives no numbers; logged), KSR_E_NOMEM, KSR_E_CANCELLED.
ksr_status ksr_frames_run(ksr_context *ctx, ksr_frames *frames, const struct ksr_frame *dst,
                          const struct ksr_frame *src, ksr_pool *pool);

#endif
