// What FFmpeg does not read of Matroska's tracks: their languages in full, and which are disabled.
//
// A track has its language in three letters (por), and since 2020 in an element of its own as IETF
// BCP 47 has it (pt-BR, zh-Hant, es-419), which files of mkvmerge always have. FFmpeg neither reads
// nor writes that element. So it is read here, kept as a tag of the stream, and written this way:
// the muxer is given three letters with the whole element behind them as the language, and when
// the file is written, the length of the language is put right, which leaves two elements.
//
// A disabled track (FlagEnabled = 0) is one that players must not use. FFmpeg neither reads nor
// writes the flag; it is read here, kept as a tag of the stream, and written by track_flags.h.

#ifndef KSR_MEDIA_CONTAINER_TRACK_LANGUAGE_H
#define KSR_MEDIA_CONTAINER_TRACK_LANGUAGE_H

#include "media/av/memory.h"

// The tag that an input's streams have it in.
#define KSR_LANGUAGE_TAG "language in full"

// The tag of a stream whose track is disabled.
#define KSR_DISABLED_TAG "disabled track"

// The tag of a stream that was added from a subtitle file (input/external.h): the name of the file.
#define KSR_EXTERNAL_TAG "subtitle file"

#define KSR_LANGUAGE_TEXT 64 // with the 0 at its end

struct ksr_track_language {
    int type;                     // Matroska's: 1 = video, 2 = audio, 17 = subtitles, ...
    char text[KSR_LANGUAGE_TEXT]; // "" = none that is valid
    bool disabled;
};

struct ksr_track_languages {
    struct ksr_track_language *track; // in the order of the file; free with free()
    int count;
    bool webm; // which has no such element
};

// Returns whether a stream of an input is a disabled track.
static inline bool ksr_track_is_disabled(const AVStream *stream)
{
    return av_dict_get(stream->metadata, KSR_DISABLED_TAG, NULL, 0) != NULL;
}

// Reads them from the bytes of a file that begins at 0 of `io`, wherever it stands; moves it.
// Returns false when out of memory; what is no Matroska has no tracks.
bool ksr_track_languages_read(AVIOContext *io, struct ksr_track_languages *out);

// As above, from memory.
bool ksr_track_languages_of(const uint8_t *bytes, int64_t size, struct ksr_track_languages *out);

// Sets the tags of the streams of an input that was just opened, where it is Matroska.
// Returns 0 or an AVERROR.
int ksr_track_languages_tag(AVFormatContext *input);

// Whether a file that was just opened is WebM, which has no such element. Moves its bytes' place.
// Returns 1, 0, or an AVERROR.
int ksr_track_languages_webm(AVFormatContext *input);

// Sets the language of an output's stream so that the muxer of Matroska writes it in full.
// Returns 1 if there was something to set, 0, or an AVERROR.
int ksr_track_language_set(AVStream *out, const AVStream *in);

struct ksr_ebml_part;

// Ends what ksr_track_language_set() began, in the tracks of a file that is written.
void ksr_track_languages_put(struct ksr_ebml_part *tracks);

#endif
