// Still pictures of a film as text that a page can hold: PNG, in base64.

#ifndef KSR_MEDIA_COMPARE_PNG_H
#define KSR_MEDIA_COMPARE_PNG_H

#include "media/av/film.h"

struct AVFrame;

// Makes "data:image/png;base64,..." of a decoded picture. terms: matrix and range of the film it
// stands in, or of the one that it should look like where its own are not told. geometry: how it
// is cropped and turned.
// *out: free with free().
// Returns KSR_OK, KSR_E_INPUT (the picture cannot be converted; logged), KSR_E_NOMEM.
ksr_status ksr_still_encode(ksr_context *ctx, const struct AVFrame *picture,
                            const struct ksr_video_format *terms,
                            const struct ksr_geometry *geometry, char **out);

#endif
