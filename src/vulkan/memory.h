// Buffers of a GPU: its own, and those that the processor writes to or reads from.

#ifndef KSR_VULKAN_MEMORY_H
#define KSR_VULKAN_MEMORY_H

#include <stddef.h>

#include "vulkan/device.h"

enum ksr_gpu_place {
    KSR_GPU_LOCAL,    // for kernels
    KSR_GPU_UPLOAD,   // the processor writes, once and in order; the GPU copies from it
    KSR_GPU_DOWNLOAD, // the GPU copies into it; the processor reads
};

struct ksr_gpu_buffer {
    VkBuffer buffer;
    VkDeviceMemory memory;
    size_t size;      // bytes
    uint64_t address; // for kernels; a multiple of 256
    void *map;        // for the processor; NULL: local
    bool local;       // counts against gpu->memory_limit
};

// *out: a buffer of `size` bytes (1 or more) with any contents, which every queue may use; free
// with ksr_gpu_buffer_free(). Returns KSR_OK; KSR_E_NOMEM when memory is used up, after which all
// goes on as before; KSR_E_PROCESS. *out is all zero after a failure.
KSR_MUST_USE ksr_status ksr_gpu_buffer_create(struct ksr_gpu *gpu, struct ksr_gpu_buffer *out,
                                              enum ksr_gpu_place place, size_t size);

// Frees it; leaves all zero. No work that uses it may be under way. Accepts all zero.
void ksr_gpu_buffer_free(struct ksr_gpu *gpu, struct ksr_gpu_buffer *buffer);

#endif
