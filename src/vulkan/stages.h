// The kernels of the stages and of packing, on whole planes. Each records what the row function of
// its name in stages/dispatch.h and frame/dispatch.h computes for all rows, to the bit.

#ifndef KSR_VULKAN_STAGES_H
#define KSR_VULKAN_STAGES_H

#include "frame/dispatch.h"
#include "stages/dispatch.h"
#include "vulkan/kernel.h"
#include "vulkan/shaders/params.h"

enum ksr_gpu_stage {
    KSR_GPU_DEBLOCK,
    KSR_GPU_DEHALO,
    KSR_GPU_NORMALIZE,
    KSR_GPU_CHROMA_SHIFT,
    KSR_GPU_DEBAND,
    KSR_GPU_STRUCTURE,
    KSR_GPU_ANTIALIAS,
    KSR_GPU_UPSCALE,
    KSR_GPU_GUIDE,
    KSR_GPU_LEARNED,
    KSR_GPU_ENHANCE_LUMA,
    KSR_GPU_ENHANCE_CHROMA,
    KSR_GPU_CHANGED,
    KSR_GPU_TEMPORAL,
    KSR_GPU_COMPOSITE_SMOOTH,
    KSR_GPU_COMPOSITE,
    KSR_GPU_DESCALE,
    KSR_GPU_KEPT_MARKS,
    KSR_GPU_KEPT_WEIGHTS,
    KSR_GPU_KEPT,
    KSR_GPU_GRAIN,
    KSR_GPU_UNPACK,
    KSR_GPU_PACK,
    KSR_GPU_RGB,
    KSR_GPU_RESAMPLE,
    KSR_GPU_STAGES,
};

struct ksr_gpu_stages {
    struct ksr_gpu_kernel kernel[KSR_GPU_STAGES];
    struct ksr_gpu_buffer bank; // the learned filters
};

// Makes all kernels; free with ksr_gpu_stages_free(). Returns KSR_OK; KSR_E_NOMEM, KSR_E_PROCESS
// with *out all zero.
KSR_MUST_USE ksr_status ksr_gpu_stages_create(struct ksr_gpu *gpu, struct ksr_gpu_stages *out);
void ksr_gpu_stages_free(struct ksr_gpu *gpu, struct ksr_gpu_stages *stages);

// Fill all of dst.
void ksr_gpu_normalize(struct ksr_gpu_commands *commands, const struct ksr_gpu_stages *stages,
                       const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *src,
                       const struct ksr_normalize_params *params);
void ksr_gpu_chroma_shift(struct ksr_gpu_commands *commands, const struct ksr_gpu_stages *stages,
                          const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *src,
                          const struct ksr_chroma_shift_params *params);
void ksr_gpu_dehalo(struct ksr_gpu_commands *commands, const struct ksr_gpu_stages *stages,
                    const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *src,
                    const struct ksr_dehalo_params *params);
void ksr_gpu_deblock(struct ksr_gpu_commands *commands, const struct ksr_gpu_stages *stages,
                     const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *src,
                     const struct ksr_deblock_params *params);
void ksr_gpu_deband(struct ksr_gpu_commands *commands, const struct ksr_gpu_stages *stages,
                    const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *src,
                    const struct ksr_deband_params *params);
void ksr_gpu_structure(struct ksr_gpu_commands *commands, const struct ksr_gpu_stages *stages,
                       const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *src,
                       const struct ksr_structure_params *params);
void ksr_gpu_antialias(struct ksr_gpu_commands *commands, const struct ksr_gpu_stages *stages,
                       const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *src,
                       const struct ksr_antialias_params *params);
void ksr_gpu_upscale(struct ksr_gpu_commands *commands, const struct ksr_gpu_stages *stages,
                     const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *src,
                     const struct ksr_upscale_params *params);
void ksr_gpu_guided(struct ksr_gpu_commands *commands, const struct ksr_gpu_stages *stages,
                    const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *src,
                    const struct ksr_gpu_plane *luma, const struct ksr_guide_params *params);
void ksr_gpu_learned(struct ksr_gpu_commands *commands, const struct ksr_gpu_stages *stages,
                     const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *src);
void ksr_gpu_enhance_luma(struct ksr_gpu_commands *commands, const struct ksr_gpu_stages *stages,
                          const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *src,
                          const struct ksr_enhance_params *params);
void ksr_gpu_enhance_chroma(struct ksr_gpu_commands *commands, const struct ksr_gpu_stages *stages,
                            const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *src,
                            const struct ksr_enhance_params *params);

// Adds to the 32 bits at address `total` how many samples of two inputs of stage 5 changed.
void ksr_gpu_changed(struct ksr_gpu_commands *commands, const struct ksr_gpu_stages *stages,
                     const struct ksr_gpu_plane *cur, const struct ksr_gpu_plane *before,
                     const struct ksr_temporal_params *params, uint64_t total);

// Blends cur with a memory into dst, which is neither of them. All planes have the same stride and
// size. changed: address of the number of samples of luma, of `samples`, that changed: dst becomes
// cur if that is a scene cut. weight: of ksr_temporal_memory(); 0 = dst becomes cur.
void ksr_gpu_temporal(struct ksr_gpu_commands *commands, const struct ksr_gpu_stages *stages,
                      const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *memory,
                      const struct ksr_gpu_plane *cur, const struct ksr_temporal_params *params,
                      int weight, uint64_t changed, uint32_t samples);

// Fills dst with how still cur is against another frame: 0 to 8. All planes have the same stride
// and size.
void ksr_gpu_temporal_still(struct ksr_gpu_commands *commands, const struct ksr_gpu_stages *stages,
                            const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *other,
                            const struct ksr_gpu_plane *cur,
                            const struct ksr_temporal_params *params);

void ksr_gpu_composite_smooth(struct ksr_gpu_commands *commands,
                              const struct ksr_gpu_stages *stages, const struct ksr_gpu_plane *dst,
                              const struct ksr_gpu_plane *src);

// Cleans a plane of composite video. around: the same of n-1, n+1, n-2, n+2; NULL: there is none.
// dst and these have the same stride and size. held: of the first of them, of luma's size; those of
// the others follow, `held_step` samples apart. shift_x, shift_y: how much smaller than luma it is.
void ksr_gpu_composite(struct ksr_gpu_commands *commands, const struct ksr_gpu_stages *stages,
                       const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *cur,
                       const struct ksr_gpu_plane *const around[KSR_COMPOSITE_FRAMES],
                       const struct ksr_gpu_plane *held, uint32_t held_step, int shift_x,
                       int shift_y);

#define KSR_GPU_GRAIN_WORDS (KSR_GRAIN_CODES + 2 * (KSR_GRAIN_REACH + 1))

// Writes what the GPU reads of a plane's parameters: strengths, taps along rows and along columns.
void ksr_gpu_grain_table(int32_t out[KSR_GPU_GRAIN_WORDS], const struct ksr_grain_params *params);

// Puts grain of frame `frame` into dst, which may be src. table: address of the plane's.
void ksr_gpu_grain(struct ksr_gpu_commands *commands, const struct ksr_gpu_stages *stages,
                   const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *src,
                   const struct ksr_grain_params *params, uint64_t table, int64_t frame);

// A plane of codes: bytes for 8 bits, words for 9 to 16.
struct ksr_gpu_codes {
    uint64_t data;
    int stride, step; // bytes from one row and from one code to the next
    int bits, shift;  // of a code; of words: the bit it begins at
};

void ksr_gpu_unpack(struct ksr_gpu_commands *commands, const struct ksr_gpu_stages *stages,
                    const struct ksr_gpu_plane *dst, const struct ksr_gpu_codes *src);
void ksr_gpu_pack(struct ksr_gpu_commands *commands, const struct ksr_gpu_stages *stages,
                  const struct ksr_gpu_codes *dst, const struct ksr_gpu_plane *src,
                  const struct ksr_pack_params *params);

// Between G, B, R and Y, Cb, Cr, in place.
void ksr_gpu_rgb_to_ycc(struct ksr_gpu_commands *commands, const struct ksr_gpu_stages *stages,
                        const struct ksr_gpu_plane planes[3]);
void ksr_gpu_rgb_from_ycc(struct ksr_gpu_commands *commands, const struct ksr_gpu_stages *stages,
                          const struct ksr_gpu_plane planes[3]);

#endif
