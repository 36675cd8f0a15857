// Looking into files: what is in them, and whether streams of two files are the same.
//
// The folder media/compare:
//   takes        paths of one or two files
//   gives        what is in a file, and where streams of two differ
//   may include  media/mux and below

#ifndef KSR_MEDIA_COMPARE_INSPECT_H
#define KSR_MEDIA_COMPARE_INSPECT_H

#include <jansson.h>

#include "media/av/film.h"
#include "media/container/output_plan.h"

// Returns KSR_OK when the file opens and has video, by its header where that tells, else
// KSR_E_INPUT (logged).
ksr_status ksr_media_check(ksr_context *ctx, const char *path);

// Has FFmpeg look at the file of a film that was read from a manifest, and keeps what it finds in
// film->known, if nothing is there and the film is not linear. Returns KSR_OK, KSR_E_INPUT
// (logged).
ksr_status ksr_media_look_at(ksr_context *ctx, const char *path, struct ksr_film *film);

// Rescales a time, rounding to nearest.
int64_t ksr_rescale(int64_t time, struct ksr_rational from, struct ksr_rational to);

// Whether a file's container cannot hold every start (most none below zero, AVI none but zero), so
// that all times may be shifted alike.
bool ksr_media_may_shift(const char *path, const struct ksr_film *film);

// Whether a file's container has no timestamps for some frames, so that FFmpeg counts them from
// those before.
bool ksr_media_counts_times(const char *path);

// Whether a file is the stream of one codec without a container, or an image, which have no
// timestamps.
bool ksr_media_is_raw(const char *path);

// *out: a description of the file for ksr_probe() (a new reference).
ksr_status ksr_media_describe(ksr_context *ctx, const char *path, const struct ksr_film *film,
                              json_t **out);

// Decodes up to `limit` frames of a film, from the start (all: to the end, against `expected` for
// progress). *decoded: frames that came out; *bad: of those, how many the decoder calls damaged.
ksr_status ksr_media_decode(ksr_context *ctx, const char *path, const struct ksr_film *film,
                            size_t limit, size_t expected, size_t *decoded, size_t *bad);

// One stream of an input and its counterpart.
struct ksr_stream_match {
    int input, output; // indices; output -1 = there is none
    char type[24], codec[32];
    bool expected;  // the container could hold it: missing is wrong
    bool encoded;   // it was meant to be encoded anew
    bool converted; // text of subtitles, in another form
    bool guessed;   // nobody knows what was meant: a changed first packet means encoded anew
    bool attachment, same_attachment; // no packets; its data is equal
};

// An output, and what its index has found.
struct ksr_made {
    const char *path;
    const struct ksr_film *film;
    bool raw; // it has no timestamps
};

// Pairs the streams of two files. carry: what was meant per input stream; guessed: it may have been
// something else. *out: to be freed with free().
ksr_status ksr_media_match_streams(ksr_context *ctx, const char *input_path,
                                   const struct ksr_film *film, const struct ksr_made *made,
                                   const enum ksr_carry *carry, bool guessed,
                                   struct ksr_stream_match **out, int *count);

struct ksr_stream_comparison {
    bool equal; // copied: data and times; encoded anew: start and end
    bool encoded_anew, converted;
    int64_t packets;
    double worst_ms;         // largest difference of a time
    double start_ms, end_ms; // encoded anew: how much later the output starts and ends
    double hole_ms;          // encoded anew: what is missing in the middle; 0 = nothing
    char difference[128];    // in plain words, when not equal
};

// Reads both streams packet by packet, side by side, in bounded memory. film: what the output
// should be of the input, which may be a piece of it. shift_ms: how much later everything is in the
// output; NAN: as much as the first packet says.
ksr_status ksr_media_compare(ksr_context *ctx, const char *input_path, const struct ksr_film *film,
                             const struct ksr_made *made, const struct ksr_stream_match *match,
                             double shift_ms, struct ksr_stream_comparison *out);

// The same with an output that is in memory, up to `limit` packets. format: name of its demuxer.
ksr_status ksr_media_compare_bytes(ksr_context *ctx, const char *input_path,
                                   const struct ksr_film *film, const uint8_t *bytes, int64_t size,
                                   const char *format, const struct ksr_stream_match *match,
                                   double shift_ms, int64_t limit,
                                   struct ksr_stream_comparison *out);

#endif
