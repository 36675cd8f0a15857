// How far apart the frames of a file are, as its demuxer reads them, whatever a plan made of that.

#ifndef KSR_MEDIA_INDEX_SPACING_H
#define KSR_MEDIA_INDEX_SPACING_H

#include "media/av/film.h"

struct ksr_spacing {
    size_t frames; // distances that are known
    size_t close;  // those below a quarter of the usual one
    double usual;  // seconds that half of the distances do not exceed; 0 = none is known
};

// Reads the video packets of a file. Returns KSR_OK, KSR_E_INPUT (it does not open; logged), ...
ksr_status ksr_media_spacing(ksr_context *ctx, const char *path, int stream,
                             struct ksr_spacing *out);

// Returns how many frames are nearer than `seconds` to the one before.
size_t ksr_film_count_close(const struct ksr_film *film, double seconds);

// Returns how many may be so near where `before` of the input were.
size_t ksr_spacing_limit(size_t before, size_t frames);

#endif
