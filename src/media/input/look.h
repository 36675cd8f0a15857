// FFmpeg's look at the streams of a file whose header names them all (avformat_find_stream_info()),
// without what nobody asks for: it decodes the first frames of each video.

#ifndef KSR_MEDIA_INPUT_LOOK_H
#define KSR_MEDIA_INPUT_LOOK_H

#include "media/av/known.h"

// Looks at all streams, for which decoders leave out what only samples need. *learnt: what it
// finds, for those who open the file again. Returns an FFmpeg error code.
int ksr_look_at_all(AVFormatContext *format, struct ksr_known **learnt);

// Looks at the streams but one, which ksr_known_tell() has told of. alone: packets of others are not
// wanted, so that the first of them may lack durations. Returns an FFmpeg error code.
int ksr_look_at_rest(AVFormatContext *format, int known, bool alone);

#endif
