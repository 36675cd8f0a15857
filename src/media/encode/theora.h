// Frames of Theora that repeat the one before.
//
// libtheora makes an empty packet of a frame that does not change, which FFmpeg's muxers drop. The
// same frame can be written as one in which no block is coded.

#ifndef KSR_MEDIA_ENCODE_THEORA_H
#define KSR_MEDIA_ENCODE_THEORA_H

#include <stddef.h>
#include <stdint.h>

// Room for the largest frame: runs of 4129 superblocks take 19 bits.
#define KSR_THEORA_REPEAT 1024

// Writes a frame that repeats the one before. chroma_shift_x, chroma_shift_y: log2 of the
// subsampling. Returns the bytes written, 0 if it does not fit.
size_t ksr_theora_repeat(int width, int height, int chroma_shift_x, int chroma_shift_y,
                         uint8_t out[KSR_THEORA_REPEAT]);

#endif
