// What FFmpeg's look at a file (avformat_find_stream_info()) found by decoding the first frames of
// its video. Whoever opens the file again tells FFmpeg, which then decodes nothing: of 1080p H.264
// that takes a millisecond instead of twenty.
//
// Only for containers whose header names all streams and whose packets have the timestamps of the
// file (container/containers.h: tells_all). The packets of the stream are the same, except that
// some may lack the decode timestamp or the duration that FFmpeg derives from what it has decoded.

#ifndef KSR_MEDIA_AV_KNOWN_H
#define KSR_MEDIA_AV_KNOWN_H

#include "media/av/ffmpeg.h"

struct ksr_known;

// Notes what the header says of each stream: between avformat_open_input() and FFmpeg's look.
// Returns NULL when out of memory.
struct ksr_known *ksr_known_begin(const AVFormatContext *opened);

// Adds what the look found. Returns false when out of memory.
bool ksr_known_finish(struct ksr_known *known, const AVFormatContext *looked);

// Before the look: gives a stream what is known of it. Returns false, with nothing done, where the
// header does not say the same as then, or where not enough was found. known: may be NULL.
bool ksr_known_tell(const struct ksr_known *known, AVFormatContext *opened, int stream);

// Behind it: gives the file and the stream the times and rates that packets told.
void ksr_known_tell_times(const struct ksr_known *known, AVFormatContext *looked, int stream);

// Sets *known to NULL. Accepts a pointer to NULL.
void ksr_known_free(struct ksr_known **known);

#endif
