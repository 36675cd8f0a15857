// Settling: the settings that follow from what frames of the source look like.
//
// They are measured before a cut, a filter or a crop is planned, so that pieces of a video are like
// the whole, and stand in the configuration of the manifest.

#ifndef KSR_JOB_SETTLE_H
#define KSR_JOB_SETTLE_H

#include "job/manifest.h"
#include "net/networks.h"

// Looks at the film's frames and settles what follows from them: in m->config every "auto" but the
// network's, with its reason in m->reasons, and the strength of grain; in m->film the filter.
// config: as asked for. m: with key, config and film. Returns KSR_OK, or why not (logged).
ksr_status ksr_settle_frames(ksr_context *ctx, const struct ksr_processor_config *config,
                             struct ksr_manifest *m);

// Returns the network before which stage 5 is on, though it was not asked for; NULL: there is none.
const struct ksr_network *ksr_settle_temporal_for(const struct ksr_manifest *manifest);

// Returns why a job cannot use a network of chroma; NULL: it can.
const char *ksr_settle_chroma_obstacle(const struct ksr_manifest *manifest);

// Settles whether a network of chroma that is asked for is used: it must suit the frames as they
// are cropped and turned. Returns KSR_OK, KSR_E_NOMEM (logged).
ksr_status ksr_settle_chroma(const struct ksr_processor_config *config,
                             struct ksr_manifest *manifest);

#endif
