// Which tracks of a kind go along, as a list says: "all", "none", or numbers among the tracks of
// the kind, counted from 1 as probe lists them, and languages: "2", "jpn,eng".

#ifndef KSR_MEDIA_MAPPING_TRACK_CHOICE_H
#define KSR_MEDIA_MAPPING_TRACK_CHOICE_H

#include "media/av/ffmpeg.h"

// What was chosen; NULL = all.
struct ksr_choice {
    const char *audio, *subs;
};

// Returns whether a stream goes along.
bool ksr_choice_has(const struct ksr_choice *choice, const AVFormatContext *input,
                    const AVStream *stream);

// Returns KSR_OK, KSR_E_PARAM (something in a list is no track; logged).
ksr_status ksr_choice_check(ksr_context *ctx, const struct ksr_choice *choice,
                            const AVFormatContext *input);

#endif
