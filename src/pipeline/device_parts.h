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

// What a network is for. A device keeps one for each.
enum ksr_device_use {
    KSR_DEVICE_LUMA,
    KSR_DEVICE_AGAIN, // luma, the second time
    KSR_DEVICE_CHROMA,
    KSR_DEVICE_USES
};

struct ksr_device {
    struct ksr_gpu *gpu;
    struct ksr_gpu_stages stages;
    bool failed;                                        // it is not used any more
    struct ksr_device_network network[KSR_DEVICE_USES]; // the last ones that were asked for
    char name[2 * KSR_DEVICE_TEXT];
    char id[16];
    struct ksr_device_times times;
};

// Gives a network by the fastest way that passes its test; it stays until another one is asked for
// that use. ctx: hears of those that do not. Returns KSR_OK; KSR_E_NOMEM, KSR_E_PROCESS
// (gpu->trouble says why).
KSR_MUST_USE ksr_status ksr_device_net(ksr_context *ctx, ksr_device *device,
                                       enum ksr_device_use use, const ksr_net *net,
                                       const struct ksr_gpu_net **out);

// Frees the networks that a device has.
void ksr_device_free_nets(ksr_device *device);

// Adds to what a kernel took. name: static.
void ksr_device_add_kernel(ksr_device *device, const char *name, double seconds);

#endif
