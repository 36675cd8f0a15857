// The parameters of kernels: one structure each, the same in C and in GLSL. Addresses come first,
// so both lay them out alike.

#ifndef KSR_VULKAN_SHADERS_PARAMS_H
#define KSR_VULKAN_SHADERS_PARAMS_H

#ifdef VULKAN // glslang
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_shader_explicit_arithmetic_types_int8 : require
#extension GL_EXT_shader_explicit_arithmetic_types_int16 : require
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
#extension GL_EXT_shader_16bit_storage : require
#extension GL_EXT_shader_8bit_storage : require
#define ADDRESS(name, type, bytes)                                                                 \
    layout(buffer_reference, std430, buffer_reference_align = bytes) buffer name                   \
    {                                                                                              \
        type at[];                                                                                 \
    };
#else
#include <stdint.h>
#define ADDRESS(name, type, bytes) typedef uint64_t name;
typedef uint32_t uint;
typedef struct ksr_gpu_plane ksr_gpu_plane;
#endif

ADDRESS(ksr_gpu_samples, uint16_t, 2)
ADDRESS(ksr_gpu_bytes, uint8_t, 1)
ADDRESS(ksr_gpu_shorts, int16_t, 2)
ADDRESS(ksr_gpu_words, int, 4)
ADDRESS(ksr_gpu_counter, uint, 4)
ADDRESS(ksr_gpu_quads, ivec4, 16)

// A plane of working samples: struct ksr_plane with 32-bit sizes.
struct ksr_gpu_plane {
    ksr_gpu_samples data;
    int stride, width, height;
};

struct ksr_gpu_normalize {
    ksr_gpu_plane dst, src;
    int limit;
};

// Of each axis, the first sample that is read, seen from the one that is made, and eight taps.
struct ksr_gpu_chroma_shift {
    ksr_gpu_plane dst, src;
    int first_x, first_y, x[8], y[8];
};

struct ksr_gpu_deband {
    ksr_gpu_plane dst, src;
    int limit;
};

struct ksr_gpu_deblock {
    ksr_gpu_plane dst, src;
    int limit, x, y;
};

struct ksr_gpu_dehalo {
    ksr_gpu_plane dst, src;
    int limit;
};

struct ksr_gpu_antialias {
    ksr_gpu_plane dst, src;
    int strength;
};

struct ksr_gpu_structure {
    ksr_gpu_plane dst, src;
    int limit;
};

// Of each axis, two sets of eight taps: the pair 2k, 2k + 1 in the low and the high half of x[k].
struct ksr_gpu_upscale {
    ksr_gpu_plane dst, src;
    int x[8], y[8];
};

// dst is corrected in place. before: chroma stands on the first luma sample of its group.
struct ksr_gpu_guide {
    ksr_gpu_plane dst, src, luma;
    int before_x, before_y, strength, limit;
};

struct ksr_gpu_learned {
    ksr_gpu_plane dst, src;
    ksr_gpu_words bank; // ksr_bank, pairs of taps in a word
};

struct ksr_gpu_enhance_luma {
    ksr_gpu_plane dst, src;
    int sharpening, line_darkening, contrast, black, white, mid;
};

struct ksr_gpu_enhance_chroma {
    ksr_gpu_plane dst, src;
    int saturation, low, high;
};

struct ksr_gpu_changed {
    ksr_gpu_plane cur, before;
    ksr_gpu_counter total; // is added to
    int changed;
};

// All planes have one size.
struct ksr_gpu_temporal {
    ksr_gpu_samples dst, memory, cur;
    ksr_gpu_counter changed;
    int stride, width, height;
    int weight; // of the memory where still; 0 = dst becomes cur
    int one, mean, size, shift;
    uint samples; // so many of luma, of which `changed` did so
    int still;    // not 0: dst becomes the weights, and `changed` is not looked at
};

struct ksr_gpu_composite_smooth {
    ksr_gpu_plane dst, src;
};

// All planes have one size, and those of `held` another. Frames around: n-1, n+1, n-2, n+2; `cur` in
// place of one that is not there, from which it does not differ.
struct ksr_gpu_composite {
    ksr_gpu_samples dst, cur, other[4];
    ksr_gpu_samples held; // of the first frame; the others' are `held_step` samples apart
    int stride, width, height;
    int held_stride, held_width, held_height;
    uint held_step;
    int shift_x, shift_y; // how much smaller the plane is than luma
};

// Along one axis.
struct ksr_gpu_resample {
    ksr_gpu_plane dst, src;
    ksr_gpu_words places;        // struct ksr_resample_place for each sample of the axis
    ksr_gpu_shorts coefficients; // `taps` for each
    int taps, along_y;
};

// Along one axis.
struct ksr_gpu_descale {
    ksr_gpu_plane dst, src;
    ksr_gpu_words first;    // of each sample of the axis
    ksr_gpu_shorts weights; // `taps` for each
    int taps, bits, along_y;
};

// Runs on `frame`; dst has a sample for each cell of it. The rest is as above, along rows of `high`.
struct ksr_gpu_kept_marks {
    ksr_gpu_plane dst, frame, high;
    ksr_gpu_words first;
    ksr_gpu_shorts weights;
    int taps, bits;
};

struct ksr_gpu_kept_weights {
    ksr_gpu_plane dst, marks;
};

// src: the frame, which is fitted on the way as by struct ksr_gpu_resample along both axes.
struct ksr_gpu_kept {
    ksr_gpu_plane dst, src, weights;
    ksr_gpu_words x, y; // places among cells
    ksr_gpu_words places_x, places_y;
    ksr_gpu_shorts coefficients_x, coefficients_y;
    int taps_x, taps_y;
};

// dst may be src.
struct ksr_gpu_grain {
    ksr_gpu_plane dst, src;
    ksr_gpu_words table; // ksr_gpu_grain_table()
    uint64_t frame;
    int plane, reach_x, reach_y, low, high, shift, norm;
};

// Codes of 8 bits stand in bytes, those of 9 to 16 bits in words.
struct ksr_gpu_unpack {
    ksr_gpu_plane dst;
    ksr_gpu_bytes src;
    int stride, step; // bytes from one row and from one code to the next
    int bits, shift;  // of a code; of words: the bit it begins at
};

struct ksr_gpu_pack {
    ksr_gpu_plane src;
    ksr_gpu_bytes dst;
    uint64_t factor; // of struct ksr_pack_ratio; 0 = codes are shifted
    int zero, centre;
    int stride, step, bits, shift; // as above
    int dither;
};

// In place.
struct ksr_gpu_rgb {
    ksr_gpu_plane plane[3];
    int back; // to G, B, R
};

// One word for each invocation; with matrices M x N for each subgroup.
struct ksr_gpu_peak {
    ksr_gpu_words dst;
    int rounds;
};

// Of networks: activations and weights as in vulkan/net.h. stride, block: pixels of a row of
// activations, and from one block of channels to the next.
struct ksr_gpu_net_head {
    ksr_gpu_plane src[3]; // luma; of a network of chroma luma, U, V
    ksr_gpu_quads dst, weights;
    int x, y; // in luma, or in U and V, of the sample at the top left of the first pixel's kernel
    int stride, block;
};

struct ksr_gpu_net_body {
    ksr_gpu_quads src, dst, weights;
    int stride, block;         // of src
    int out_stride, out_block; // of dst and skip
    ksr_gpu_quads skip;        // added to the result; 0 = nothing
};

struct ksr_gpu_net_tail {
    ksr_gpu_plane dst, src;
    ksr_gpu_quads activations, weights;
    int stride, block;
    int y0, y1; // rows of dst to make
};

// U and V, to which differences are added, and what they were before a filter enlarged them.
struct ksr_gpu_net_tail_chroma {
    ksr_gpu_plane dst[2], src[2];
    ksr_gpu_quads activations, weights;
    int stride, block;
    int y0, y1; // as above
};

#endif
