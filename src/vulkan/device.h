// GPUs through Vulkan: which ones there are, and one of them opened for work.
//
// Vulkan's loader is opened at run time, so a machine without it differs from one without a GPU in
// nothing but the reason given. A GPU must have Vulkan 1.3 and integers of 8, 16 and 64 bits; what
// else it offers is written down in struct ksr_gpu, for kernels to choose by.
//
// A failure here is never the end of a run, which goes on with the processor. So nothing is logged:
// the reason is given to the caller.
//
// The folder vulkan:
//   takes        planes of samples
//   gives        the same bytes as those of stages and net, from a GPU
//   may include  stages and below

#ifndef KSR_VULKAN_DEVICE_H
#define KSR_VULKAN_DEVICE_H

#include <stdbool.h>
#include <stdint.h>
#include <volk.h>

#include "kizunasr/common.h"

#define KSR_GPU_REASON 256 // bytes of a reason
#define KSR_GPU_MOST   16  // GPUs that are looked at
#define KSR_GPU_SHAPES 8   // of matrices

// What there is, in the order of the driver's list.
struct ksr_gpu_info {
    char name[256], driver[256];
    uint64_t memory;              // bytes of its largest local heap
    bool software;                // runs on the processor
    bool discrete;                // a card of its own, not part of the processor
    char refused[KSR_GPU_REASON]; // why it cannot be used; empty: it can
};

// Work is submitted to a queue, and its timeline rises to the number of each submission when that
// is done. One thread at a time.
struct ksr_gpu_queue {
    VkQueue queue;
    uint32_t family;
    VkSemaphore timeline;
    uint64_t submitted;
    uint64_t clock; // the bits that a timestamp of it has; 0: it has none
};

// A matrix product of signed 8-bit integers in 32 bits by a subgroup: (m x k) * (k x n).
struct ksr_gpu_shape {
    int m, n, k;
};

struct ksr_gpu {
    struct ksr_gpu_info info;
    int index; // in the list
    VkPhysicalDevice physical;
    VkDevice device;
    VkPipelineLayout layout; // of all kernels: push constants alone

    struct ksr_gpu_queue queues[3];
    int queue_count;
    struct ksr_gpu_queue *compute, *upload, *download; // two or all may be the same

    VkPhysicalDeviceMemoryProperties memory;
    uint64_t memory_limit, memory_used; // bytes of local memory
    uint64_t buffer_limit;              // bytes of one buffer

    int shared_bytes; // of a workgroup
    int subgroup, least_subgroup,
        most_subgroup; // invocations in one: usually, and what may be asked for
    double tick;       // nanoseconds of a timestamp's unit
    bool dot_product;  // of four pairs of signed 8-bit integers, at speed
    struct ksr_gpu_shape shapes[KSR_GPU_SHAPES];
    int shape_count;

    // Of one submission. Systems reset a GPU that is busy with a single one for some seconds:
    // Windows after two. See kernel.h.
    double most_seconds;   // that it should take
    uint64_t first_groups; // workgroups, as long as no time is known

    char trouble[KSR_GPU_REASON]; // why the last call that failed did so
    bool keeps_results;           // of its tests, from run to run: tested.h

    // Work did not end in time. Whatever it uses may be in use for ever, so nothing is freed any
    // more and nothing waited for.
    bool hangs;
};

// Returns whether the machine may have a GPU. To list GPUs takes the start of every driver,
// software devices too: 0.1 seconds. On Linux a driver of a GPU needs a device file; without any,
// and without a driver named by a variable of the loader, there is none.
bool ksr_gpu_may_exist(void);

// Lists the GPUs of the machine. Returns how many there are; if 0, `reason` says why.
int ksr_gpu_list(struct ksr_gpu_info list[KSR_GPU_MOST], char reason[KSR_GPU_REASON]);

// Orders the numbers of those that can be used and are no software devices: discrete ones first,
// then by memory. Returns how many; if 0, `reason` says why.
int ksr_gpu_rank(const struct ksr_gpu_info *list, int count, int order[KSR_GPU_MOST],
                 char reason[KSR_GPU_REASON]);

#define KSR_GPU_FASTEST -1 // the first one of ksr_gpu_rank()

// *out: GPU number `index` of the list (any that is not refused), or KSR_GPU_FASTEST; close it with
// ksr_gpu_close().
// Returns KSR_OK; KSR_E_NOMEM, KSR_E_PROCESS with *out NULL and `reason` set.
KSR_MUST_USE ksr_status ksr_gpu_open(struct ksr_gpu **out, int index, char reason[KSR_GPU_REASON]);

// Waits for all work, frees *gpu and sets it to NULL. Accepts NULL and a pointer to NULL. All that
// was made with it must be gone.
void ksr_gpu_close(struct ksr_gpu **gpu);

// Returns KSR_OK, KSR_E_NOMEM or KSR_E_PROCESS for the result of a call of Vulkan, and writes down
// what could not be done ("submit work") in gpu->trouble.
ksr_status ksr_gpu_check(struct ksr_gpu *gpu, VkResult result, const char *what);

#endif
