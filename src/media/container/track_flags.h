// Flags of tracks that FFmpeg's muxers write otherwise than they are to be, set when the file is
// written: which subtitles of an MP4 or MOV are on by default, and which tracks of a Matroska are
// disabled.
//
// FFmpeg's muxer of MP4 turns the first track of a kind on where none is marked as the default. For
// picture and sound that is right; subtitles would be shown that nobody asked for. So they are
// turned off again. In Matroska, FlagEnabled = 0 takes the place of FlagLacing = 0, which the muxer
// writes for every track and which is as long; without it, readers expect lacing, which all of them
// know.

#ifndef KSR_MEDIA_CONTAINER_TRACK_FLAGS_H
#define KSR_MEDIA_CONTAINER_TRACK_FLAGS_H

#include "media/av/memory.h"

// Whether that must be done to what the muxer makes of these streams.
bool ksr_track_flags_needed(const AVFormatContext *output);

// Does it in the file at `path`, which is written and closed; `output` is what it was written with.
// Returns 0 or an AVERROR.
int ksr_track_flags_finish_file(const char *path, const AVFormatContext *output);

struct ksr_ebml_part;

// Disables tracks of a Matroska, which come in the order of streams. disabled: by stream of
// `output`, which it was written with. Returns whether all could be disabled that are to be.
bool ksr_track_flags_disable(struct ksr_ebml_part *tracks, const AVFormatContext *output,
                             const bool *disabled);

#endif
