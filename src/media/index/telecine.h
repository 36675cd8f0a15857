// Planning deinterlacing and inverse telecine: which frames remain, and when they are shown.

#ifndef KSR_MEDIA_INDEX_TELECINE_H
#define KSR_MEDIA_INDEX_TELECINE_H

#include "kizunasr/config.h"
#include "media/av/film.h"

// Makes the film what the stages will see: sets film->filter and the format of its frames; for
// inverse telecine, keeps the frames that remain, with times anew; for one frame of each field,
// makes two of each. Decodes the whole film for inverse telecine, its beginning for deinterlacing.
// Changes nothing when the configuration asks for neither. Returns KSR_OK, KSR_E_PARAM (both asked
// for, or a format that the filter does not take; logged), KSR_E_INPUT, KSR_E_NOMEM,
// KSR_E_CANCELLED; on failure the film is unchanged but for `filter`.
ksr_status ksr_filter_plan(ksr_context *ctx, const char *path,
                           const struct ksr_pipeline_config *config, struct ksr_film *film);

#endif
