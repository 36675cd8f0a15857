// How fast this machine runs a network, measured in about a tenth of a second, on a GPU in a third
// to two seconds, as it warms up before (warm.h), for people and for choosing one. `kizunasr bench`
// (src/bench/) measures the same at leisure and in detail.

#ifndef KSR_PIPELINE_SPEED_H
#define KSR_PIPELINE_SPEED_H

#include "net/networks.h"
#include "pipeline/device.h"

#define KSR_SPEED_WIDTH  1920 // of the frames that speeds are for
#define KSR_SPEED_HEIGHT 1080

// What it is measured with.
struct ksr_speed_place {
    ksr_pool *pool;     // of all processors, or NULL: one
    ksr_device *device; // the GPU that names ask for, or NULL
    int threads;
};

// Opens the GPU that a run with these names (device.h) would use, the fastest one if several are
// named, and starts threads. A GPU that cannot be used is left out.
// *out: close with ksr_speed_close(), also after a failure. Returns KSR_OK, KSR_E_PARAM (names;
// logged), KSR_E_NOMEM.
KSR_MUST_USE ksr_status ksr_speed_open(ksr_context *ctx, const char *names,
                                       struct ksr_speed_place *out);
void ksr_speed_close(struct ksr_speed_place *place);

// Measures the stages from rows to rows with a network of luma, one of chroma (NULL: filters) and
// default settings: no decoder, no encoder. A part of a frame as high as a whole one is made, as
// wide as time allows, and the rest is estimated by the samples that each layer makes. device:
// place->device, or NULL: the processor. *fps: frames per second; 0 where the device cannot run it.
// Returns KSR_OK, KSR_E_NOMEM, KSR_E_CANCELLED, KSR_E_PROCESS (logged).
KSR_MUST_USE ksr_status ksr_speed_measure(ksr_context *ctx, const struct ksr_speed_place *place,
                                          const ksr_net *net, const ksr_net *chroma,
                                          ksr_device *device, double *fps);

#endif
