// Does a GPU compute what the processor does? Every kernel on a small frame, before it is trusted.

#ifndef KSR_VULKAN_SELFTEST_H
#define KSR_VULKAN_SELFTEST_H

#include "vulkan/net.h"
#include "vulkan/stages.h"

// Compares every kernel of the stages with plain C on samples drawn at random and on extreme ones.
// Returns KSR_OK; KSR_E_PROCESS (gpu->trouble names the kernel that differs), KSR_E_NOMEM.
KSR_MUST_USE ksr_status ksr_gpu_selftest(struct ksr_gpu *gpu, const struct ksr_gpu_stages *stages);

// The same for a network, against the processor's fastest functions.
KSR_MUST_USE ksr_status ksr_gpu_selftest_net(struct ksr_gpu *gpu,
                                             const struct ksr_gpu_stages *stages,
                                             const struct ksr_gpu_net *on_it, const ksr_net *net);

#endif
