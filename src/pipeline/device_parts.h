// A device's inside: see device.h.

#ifndef KSR_PIPELINE_DEVICE_PARTS_H
#define KSR_PIPELINE_DEVICE_PARTS_H

#include "pipeline/device.h"
#include "vulkan/stages.h"

struct ksr_device {
    struct ksr_gpu *gpu;
    struct ksr_gpu_stages stages;
    bool failed; // it is not used any more
};

#endif
