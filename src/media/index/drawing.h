// At which size a video was drawn, before it was enlarged to the one that it has; see
// stages/drawing.h.

#ifndef KSR_MEDIA_INDEX_DRAWING_H
#define KSR_MEDIA_INDEX_DRAWING_H

#include <jansson.h>

#include "media/av/film.h"
#include "stages/drawing.h"

// Looks at frames all over a video, before a cut or a crop is planned. What cannot be decoded is
// passed over. *out: to be freed with ksr_drawing_free(). Returns KSR_OK, KSR_E_NOMEM (logged),
// KSR_E_CANCELLED.
ksr_status ksr_drawing_look(ksr_context *ctx, const char *path, const struct ksr_film *film,
                            struct ksr_drawing *out);

// Returns the curve of a search, {"first": height, "errors": [codes of 8 bits]}; NULL = out of
// memory.
json_t *ksr_drawing_curve(const struct ksr_drawing *drawing);

// Returns whether JSON is such a curve.
bool ksr_drawing_is_curve(const json_t *curve);

#endif
