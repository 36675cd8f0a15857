// Does a GPU compute what the processor does? Every kernel of the stages on a small frame, before
// it is trusted; networks are tested by net_check.c.

#ifndef KSR_VULKAN_SELFTEST_H
#define KSR_VULKAN_SELFTEST_H

#include "vulkan/stages.h"

// Compares every kernel of the stages with plain C on samples drawn at random and on extreme ones,
// unless the result is known (tested.h).
// Returns KSR_OK; KSR_E_PROCESS (gpu->trouble names the kernel that differs), KSR_E_NOMEM.
KSR_MUST_USE ksr_status ksr_gpu_selftest(struct ksr_gpu *gpu, const struct ksr_gpu_stages *stages);

#endif
