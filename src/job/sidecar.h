// Subtitle files that stand beside the input.

#ifndef KSR_JOB_SIDECAR_H
#define KSR_JOB_SIDECAR_H

#include "core/log.h"

// Names the subtitle files that belong to a video by their names, as film.srt and film.en.ass
// belong to film.mkv, in one line of information. used: a list (media/input/external.h) of files to
// leave out of that line, NULL = none. Returns KSR_OK, KSR_E_NOMEM.
ksr_status ksr_beside_tell(ksr_context *ctx, const char *input_path, const char *used);

#endif
