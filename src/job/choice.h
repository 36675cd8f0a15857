// Which network a job runs if its configuration leaves that to the machine (ai_model_path auto).
//
// A choice depends on the machine, and a job's bytes must not. So it is made before there is a job:
// key, manifest and record have the name of a network and nothing of how it came about. What a work
// folder or a record of the same output has is taken over, whatever this machine would choose.

#ifndef KSR_JOB_CHOICE_H
#define KSR_JOB_CHOICE_H

#include "kizunasr/job.h"
#include "net/networks.h"
#include "pipeline/device.h"

// Frames per second of the networks at 1920x1080, in the order of the table; 0 = cannot be run, or
// was not measured.
struct ksr_speeds {
    struct ksr_speed {
        double processor, gpu;
    } of[KSR_NETWORK_MOST];
    int threads;               // of the processor
    char gpu[KSR_DEVICE_TEXT]; // its name and driver; "" = there is none
};

// Measures the networks, on the processor and on the GPU that `device` (struct ksr_run_options)
// asks for. The variable KIZUNASR_SPEEDS has speeds instead, for tests:
// "anime-fast=14,anime-quality=3.5,gpu:anime-ultra=80".
// all: also those that are never chosen there. Returns KSR_OK, KSR_E_PARAM (the device),
// KSR_E_MODEL, KSR_E_NOMEM, KSR_E_CANCELLED, KSR_E_PROCESS; logged.
KSR_MUST_USE ksr_status ksr_speeds_measure(ksr_context *ctx, const char *device, bool all,
                                           struct ksr_speeds *out);

// Returns the last network of the table that is as fast as it says (models/networks.toml) on the
// GPU, if there is one, or else on the processor; the fastest, if none is.
const struct ksr_network *ksr_speeds_choose(const struct ksr_speeds *speeds);

// Puts a network's name in place of "auto", and says which one. folder: of the job, if it is there.
// Does nothing without AI, or if a model is named. Returns what ksr_speeds_measure() returns,
// KSR_E_PARAM (auto with ONNX Runtime; logged).
KSR_MUST_USE ksr_status ksr_choice_settle(ksr_context *ctx, struct ksr_pipeline_config *config,
                                          const struct ksr_run_options *options,
                                          const char *folder);

#endif
