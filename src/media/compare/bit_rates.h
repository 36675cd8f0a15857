// The bit rate of a video over time.

#ifndef KSR_MEDIA_COMPARE_BIT_RATES_H
#define KSR_MEDIA_COMPARE_BIT_RATES_H

#include "media/av/film.h"

// The video stream's bit rate in kbit/s, second by second from the film's first frame on.
// *rates: `*count` of them, free with free().
// Returns KSR_OK, KSR_E_INPUT, KSR_E_NOMEM, KSR_E_CANCELLED.
ksr_status ksr_media_rates(ksr_context *ctx, const char *path, const struct ksr_film *film,
                           float **rates, size_t *count);

#endif
