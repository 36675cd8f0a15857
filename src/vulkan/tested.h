// Results of tests of GPUs, kept from run to run in the user's cache folder:
// $XDG_CACHE_HOME/kizunasr/gpu-tests, or ~/.cache/kizunasr/gpu-tests.
//
// A result holds for one GPU with one version of its driver, this version of the program and these
// kernels: for 30 days, or for one day if the GPU has computed something wrong. What else can fail
// in a test, such as a lack of memory, is not kept. Without a folder to write to, every test runs
// every time; a file that is damaged or not ours is ignored.

#ifndef KSR_VULKAN_TESTED_H
#define KSR_VULKAN_TESTED_H

#include "vulkan/device.h"

enum ksr_gpu_result { KSR_GPU_UNTESTED, KSR_GPU_PASSED, KSR_GPU_WRONG };

// Returns the kept result of a test; gpu->trouble says what was wrong. Nothing is kept of a GPU
// with gpu->keeps_results false.
enum ksr_gpu_result ksr_gpu_recall(struct ksr_gpu *gpu, const char *test);

// Keeps the result of a test; KSR_GPU_WRONG with gpu->trouble.
void ksr_gpu_keep(const struct ksr_gpu *gpu, const char *test, enum ksr_gpu_result result);

// Forgets the results of all GPUs.
void ksr_gpu_forget_results(void);

#endif
