// Subtitle files whose streams are added to those of an input.
//
// A list names them: one file a line, each as PATH or PATH:LANGUAGE. Their streams follow those of
// the input, in the order of the list. Time 0 of a file is where the input begins, and timestamps
// that the input restarts or jumps in do not change theirs: they follow the timeline of the output.
// ksr_input_open_film() adds them and ksr_input_read() returns their packets between those of the
// input, so trials, cuts, the output and verification treat them as any other stream.

#ifndef KSR_MEDIA_INPUT_EXTERNAL_H
#define KSR_MEDIA_INPUT_EXTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/log.h"
#include "media/av/language.h"

struct AVFormatContext;
struct AVPacket;
struct AVStream;

// Is given the files of a list in order, i from 0.
typedef ksr_status ksr_external_visitor(ksr_context *ctx, void *opaque, size_t i, const char *path,
                                        const char *language);

// Visits the files of a list (may be NULL) until one fails. Returns KSR_OK, what the visitor
// returned, KSR_E_NOMEM (logged).
ksr_status ksr_external_each(ksr_context *ctx, const char *list, ksr_external_visitor *visit,
                             void *opaque);

// Takes the next file off a list. *path: free with free(); NULL at the end of the list. language:
// "" where none is given. A file that exists under the whole name has no language. Returns false
// when out of memory.
bool ksr_external_next(const char **list, char **path, char language[KSR_LANGUAGE_TAG_SIZE]);

// *out: the .sub file with the subtitles of an .idx file (VobSub), free with free(); NULL for all
// other files. Returns false when out of memory.
bool ksr_external_second(const char *path, char **out);

// Returns the name of the file that a stream was added from; NULL for streams of the input itself.
const char *ksr_stream_file(const struct AVStream *stream);

// Checks that all files of a list are there, have subtitles, and are UTF-8 or UTF-16 where they are
// text. output: a path that none may have; may be NULL.
// Returns KSR_OK, KSR_E_INPUT, KSR_E_PARAM (both logged), KSR_E_NOMEM, KSR_E_CANCELLED.
ksr_status ksr_external_check(ksr_context *ctx, const char *list, const char *output);

// Adds the streams of the files to an input that was just opened.
// Returns KSR_OK, KSR_E_INPUT (logged), KSR_E_NOMEM, KSR_E_CANCELLED.
ksr_status ksr_external_add(ksr_context *ctx, const char *list, struct AVFormatContext *input);

// Returns how many streams were added to an input.
int ksr_external_count(const struct AVFormatContext *input);

// Reads the next packet of an input with such streams: 0 or an AVERROR.
int ksr_external_read(struct AVFormatContext *input, struct AVPacket *packet);

// Notes how far a packet of the input itself was moved, before: its pts until then. Added subtitles
// are then returned in the order of the corrected timestamps.
void ksr_external_follow(const struct AVFormatContext *input, const struct AVPacket *packet,
                         int64_t before);

// Counts the packets of each added stream, in packets[] by the number of the stream, and warns of
// what the files have that FFmpeg does not read. The input is at its end then. Returns KSR_OK,
// KSR_E_INPUT (logged), KSR_E_NOMEM, KSR_E_CANCELLED.
ksr_status ksr_external_count_packets(ksr_context *ctx, struct AVFormatContext *input,
                                      int64_t *packets);

// Removes the streams, before the input is closed. Accepts an input without any.
void ksr_external_remove(struct AVFormatContext *input);

#endif
