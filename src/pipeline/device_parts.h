// A device's inside: see device.h.

#ifndef KSR_PIPELINE_DEVICE_PARTS_H
#define KSR_PIPELINE_DEVICE_PARTS_H

#include "pipeline/device.h"
#include "vulkan/net.h"
#include "vulkan/stages.h"

// A network that a device has.
struct ksr_device_network {
    struct ksr_gpu_net net;
    char hash[KSR_HASH_TEXT]; // of its model; empty: none
    int variant;              // of that model
};

struct ksr_device {
    struct ksr_gpu *gpu;
    struct ksr_gpu_stages stages;
    bool failed;                            // it is not used any more
    struct ksr_device_network luma, chroma; // the last ones that were asked for
    char name[2 * KSR_DEVICE_TEXT];
    char id[16];
    struct ksr_device_times times;
};

// Gives a network by the fastest way that passes its test; it stays until another one of luma, or
// of chroma if it is one, is asked for. ctx: hears of those that do not. Returns KSR_OK;
// KSR_E_NOMEM, KSR_E_PROCESS (gpu->trouble says why).
KSR_MUST_USE ksr_status ksr_device_net(ksr_context *ctx, ksr_device *device, const ksr_net *net,
                                       const struct ksr_gpu_net **out);

// Frees the networks that a device has.
void ksr_device_free_nets(ksr_device *device);

// Adds to what a kernel took. name: static.
void ksr_device_add_kernel(ksr_device *device, const char *name, double seconds);

#endif
