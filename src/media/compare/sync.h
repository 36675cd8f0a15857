// Whether a sound track that was encoded anew is still in time: offset and drift by correlation.

#ifndef KSR_MEDIA_COMPARE_SYNC_H
#define KSR_MEDIA_COMPARE_SYNC_H

#include "media/compare/inspect.h"

struct ksr_sync {
    int places; // where the two could be compared; 0 = nowhere: silence, or nothing alike
    int unlike; // places where there is sound, but not the same
    double
        limit_ms; // from where on the output is off: a millisecond, or as docs/verification.md says
    int late;     // of the places, those where it is
    double offset_ms; // how much later the output is, in the middle of the others
    double start_ms;  // the same at the first and at the last place, by the line through all
    double end_ms;
    double drift_ppm; // the slope of that line, in millionths
    bool periodic;    // the sound repeats itself so much that other offsets fit as well
};

// Decodes both tracks and compares a second of sound every now and then, all over the film.
// film, shift_ms: as for ksr_media_compare().
// Returns KSR_OK, KSR_E_INPUT (no decoder; logged), KSR_E_NOMEM, KSR_E_CANCELLED.
ksr_status ksr_media_sync(ksr_context *ctx, const char *input_path, const struct ksr_film *film,
                          const char *output_path, const struct ksr_stream_match *match,
                          double shift_ms, struct ksr_sync *out);

#endif
