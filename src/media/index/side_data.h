// What a film's pictures carry beside samples and colour tags: the mastering display of HDR10, its
// light level, captions, dynamic metadata.

#ifndef KSR_MEDIA_INDEX_SIDE_DATA_H
#define KSR_MEDIA_INDEX_SIDE_DATA_H

#include "media/av/ffmpeg.h"
#include "media/av/film.h"

// Looks at the film's first frames, and at what its container says. *out: for film->extras.
// Returns KSR_OK, KSR_E_INPUT, KSR_E_NOMEM, ...; logged.
ksr_status ksr_extras_look(ksr_context *ctx, const char *path, const struct ksr_film *film,
                           struct ksr_extras *out);

// Adds what a decoded frame, or a stream's header, says. Frames win over headers: read those last.
void ksr_extras_read_frame(const AVFrame *frame, struct ksr_extras *extras);
void ksr_extras_read_stream(const AVStream *stream, struct ksr_extras *extras);

// Gives a stream to be written the side data of HDR10. Returns an FFmpeg error code.
int ksr_extras_write_stream(const struct ksr_extras *extras, AVStream *stream);

// Copies what belongs to one frame (captions, ICC profile, active format, time codes) to a frame
// for an encoder, which loses what it had. from: may be NULL. even: to one size for all pictures,
// filled up. Returns an FFmpeg error code.
int ksr_extras_copy_frame(AVFrame *to, const AVFrame *from, bool even);

// Writes the metadata of HDR10 as parameters with these keys (NULL: not that part), such as
// "master-display=G(...)...:max-cll=1000,400"; "" if there is none.
void ksr_extras_params(const struct ksr_extras *extras, const char *mastering, const char *light,
                       char *out, size_t size);

#endif
