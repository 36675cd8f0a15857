// One habit of the Matroska muxer that differs between FFmpeg versions.

#ifndef KSR_MEDIA_CONTAINER_OPUS_DELAY_H
#define KSR_MEDIA_CONTAINER_OPUS_DELAY_H

#include "core/log.h"

// Readers of Matroska take the codec delay of Opus (its pre-skip) off every time. *adds: whether
// the muxer in use adds it first, or leaves that to its caller (FFmpeg 5.1 does); found out by
// writing and reading one packet in memory, once per process.
// Returns KSR_OK, KSR_E_NOMEM (logged).
ksr_status ksr_matroska_adds_delay(ksr_context *ctx, bool *adds);

#endif
