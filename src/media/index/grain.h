// How much film grain a video has, for `grain`.

#ifndef KSR_MEDIA_INDEX_GRAIN_H
#define KSR_MEDIA_INDEX_GRAIN_H

#include "frame/grain.h"
#include "media/av/film.h"

// Measures pairs of frames all over a video, before a cut, a filter or a crop is planned: the same
// for all pieces of it. What cannot be decoded is passed over. *out: all 0 where at least half of
// them show no grain. Returns KSR_OK, KSR_E_NOMEM, KSR_E_CANCELLED.
ksr_status ksr_grain_look(ksr_context *ctx, const char *path, const struct ksr_film *film,
                          struct ksr_grain *out);

#endif
