// Opening the devices that --device asks for, with what is said about it.

#ifndef KSR_JOB_DEVICES_H
#define KSR_JOB_DEVICES_H

#include "pipeline/device.h"

struct ksr_devices {
    int gpu[KSR_DEVICE_MOST];          // numbers of those that passed their test
    ksr_device *open[KSR_DEVICE_MOST]; // of each; whoever takes one puts NULL in its place
    int gpus;
    bool cpu; // the processor runs stages beside them, or alone
};

// Opens what `names` (ksr_device_choose()) asks for, and says which GPUs those are or why there is
// none. onnx: the model is one of ONNX Runtime, which no GPU of ours runs.
// *out: free with ksr_devices_close(). Returns KSR_OK, KSR_E_PARAM (no such device; logged).
KSR_MUST_USE ksr_status ksr_devices_open(ksr_context *ctx, const char *names, bool onnx,
                                         struct ksr_devices *out);

// Closes those that were not taken. Accepts all zero.
void ksr_devices_close(struct ksr_devices *devices);

#endif
