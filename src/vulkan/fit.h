// Fitting to a smaller size on a GPU, with the bits of frame/resample.h.

#ifndef KSR_VULKAN_FIT_H
#define KSR_VULKAN_FIT_H

#include "frame/resample.h"
#include "vulkan/stages.h"

struct ksr_gpu_fit_axis {
    uint64_t places, coefficients; // addresses
    int taps;
};

struct ksr_gpu_fit {
    struct ksr_gpu_fit_axis x[KSR_MAX_PLANES], y[KSR_MAX_PLANES];
    struct ksr_gpu_buffer tables;
};

// *out: what fitting frames of layout `from` to those of layout `to` needs; free with
// ksr_gpu_fit_free(), which accepts all zero. Returns KSR_OK; KSR_E_NOMEM, KSR_E_PROCESS with *out
// all zero.
KSR_MUST_USE ksr_status ksr_gpu_fit_create(struct ksr_gpu *gpu, struct ksr_gpu_fit *out,
                                           const struct ksr_layout *from,
                                           const struct ksr_layout *to);
void ksr_gpu_fit_free(struct ksr_gpu *gpu, struct ksr_gpu_fit *fit);

// Records the two passes on a plane: columns, from src to `between`, and rows. between has the
// width of src and the height of dst.
void ksr_gpu_fit_columns(struct ksr_gpu_commands *commands, const struct ksr_gpu_stages *stages,
                         const struct ksr_gpu_fit *fit, int plane,
                         const struct ksr_gpu_plane *between, const struct ksr_gpu_plane *src);
void ksr_gpu_fit_rows(struct ksr_gpu_commands *commands, const struct ksr_gpu_stages *stages,
                      const struct ksr_gpu_fit *fit, int plane, const struct ksr_gpu_plane *dst,
                      const struct ksr_gpu_plane *between);

#endif
