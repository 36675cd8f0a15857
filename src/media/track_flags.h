// Which subtitles of an MP4 or MOV are on by default.
//
// FFmpeg's muxer turns the first track of a kind on where none is marked as the default. For picture
// and sound that is right; subtitles would be shown that nobody asked for. So they are turned off
// again when the file is written.

#ifndef KSR_MEDIA_TRACK_FLAGS_H
#define KSR_MEDIA_TRACK_FLAGS_H

#include "media/ffmpeg.h"

// Whether that must be done to what the muxer makes of these streams.
bool ksr_track_flags_needed(const AVFormatContext *output);

// Does it in the file at `path`, which is written and closed; `output` is what it was written with.
// Returns 0 or an AVERROR.
int ksr_track_flags_finish_file(const char *path, const AVFormatContext *output);

#endif
