// How a film was scanned: whether its frames show that telecine made them.

#ifndef KSR_MEDIA_SCAN_H
#define KSR_MEDIA_SCAN_H

#include "media/film.h"

// Sets film->telecined from a few seconds of the film. Looks only at films that are marked as
// interlaced, or run at the rate that telecine makes (29.97 frames per second), and have 8 bits.
// Returns KSR_OK, or why nothing could be looked at (KSR_E_INPUT, KSR_E_NOMEM, ...; logged).
ksr_status ksr_scan_film(ksr_context *ctx, const char *path, struct ksr_film *film);

#endif
