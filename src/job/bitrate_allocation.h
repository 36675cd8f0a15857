// How hard each segment is to encode: the first look that shares out the bits of --bitrate.

#ifndef KSR_JOB_BITRATE_ALLOCATION_H
#define KSR_JOB_BITRATE_ALLOCATION_H

#include "job/manifest.h"

// Reads the whole film once and sets the bit rate of every segment, so that together they have
// what the encoder's settings ask for: more where there is much to draw anew, hardly any where
// nothing moves. Does nothing for a job by quality, or of an encoder that is not promised.
// Frames that do not decode count as nothing.
// Returns KSR_OK, KSR_E_INPUT, KSR_E_PROCESS, KSR_E_NOMEM, KSR_E_CANCELLED; logged.
ksr_status ksr_effort_share(ksr_context *ctx, struct ksr_manifest *manifest);

#endif
