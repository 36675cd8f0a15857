// Reads chosen frames of a film: from a place where decoding can begin, or by counting.
//
// The folder media/input:
//   takes        a path, and the film that its index made
//   gives        packets, and chosen frames as rows of samples
//   may include  media/container and below

#ifndef KSR_MEDIA_INPUT_READER_H
#define KSR_MEDIA_INPUT_READER_H

#include "core/pool.h"
#include "frame/rows.h"
#include "media/av/film.h"

struct AVFrame;

// Thread-safety: one thread at a time per object.
typedef struct ksr_reader ksr_reader;

// film: must outlive the reader; its frames may be any run of the film as long as `first` below
// counts within it. Nothing is opened before ksr_reader_seek().
// Returns KSR_OK, KSR_E_NOMEM.
ksr_status ksr_reader_create(ksr_context *ctx, const char *path, const struct ksr_film *film,
                             ksr_reader **out);
void ksr_reader_destroy(ksr_reader **reader);

// Creates a reader that stands at the film's first frame. Returns what both steps return.
ksr_status ksr_reader_open(ksr_context *ctx, const char *path, const struct ksr_film *film,
                           ksr_reader **out);

// Returns where to begin decoding so that `frame` comes out clean: the keyframe at or before it,
// or one earlier in films where frames before a keyframe need the group before; with a filter,
// early enough for that.
struct ksr_film_key ksr_reader_entry(const struct ksr_film *film, size_t frame);

// Makes ksr_reader_next() begin with frame `first`. from: the keyframe to decode from (ignored in
// linear films, which are decoded from the start, or on from where the reader stands).
// Returns KSR_OK, KSR_E_INPUT, KSR_E_PROCESS (the keyframe is not where plan saw it), ...
ksr_status ksr_reader_seek(ksr_context *ctx, ksr_reader *reader, size_t first,
                           const struct ksr_film_key *from);

// Decodes the next frame at or after the one last asked for. *index: its number in the film,
// rising from call to call, or SIZE_MAX after the last one. *damaged: the decoder says that the
// picture is not as it was coded, or it is of a kind that cannot be converted. Numbers that are
// left out are frames that did not decode.
ksr_status ksr_reader_next(ksr_context *ctx, ksr_reader *reader, size_t *index, bool *damaged);

// Makes the reader give frames as they come out of the decoder, instead of converted to the kind of
// all of the film; for a film without a filter.
void ksr_reader_keep_kinds(ksr_reader *reader);

// Makes the decoder leave film grain out, and hand out with frames what it is, whatever the film
// says. Before the first seek.
void ksr_reader_leave_grain(ksr_reader *reader);

// Makes the decoder leave out what only samples need, where it can: frames are then not to be
// looked at, but all that is told of them is there. Before the first seek.
void ksr_reader_leave_samples(ksr_reader *reader);

// Makes the decoder hand out its quantizers with frames, where it can. Before the first seek.
void ksr_reader_export_quantizers(ksr_reader *reader);

// Returns whether the first packet since the last seek told the quantizer of its frame, where the
// decoder hands out none: of H.265.
bool ksr_reader_quantizer(const ksr_reader *reader, int *qp);

// Returns FFmpeg's name of the codec, "" before the first seek.
const char *ksr_reader_codec(const ksr_reader *reader);

// Returns what the frame of the last ksr_reader_next() looked like before it was converted.
const struct ksr_video_format *ksr_reader_format(const ksr_reader *reader);

// Returns whether the coded video has no chroma, even though its frames have.
bool ksr_reader_is_grey(const ksr_reader *reader);

// Returns the picture of the last ksr_reader_next(), until the next call.
const struct AVFrame *ksr_reader_frame(const ksr_reader *reader);

// Returns a reference to the frame last taken, for as long as one likes: free with
// ksr_reader_release(), which accepts a pointer to NULL. NULL when out of memory.
struct AVFrame *ksr_reader_share(const ksr_reader *reader);
void ksr_reader_release(struct AVFrame **frame);

// Returns how many frames came out of the decoder since the last seek.
size_t ksr_reader_decoded(const ksr_reader *reader);

// Takes the picture of the last ksr_reader_next(), once. *source: gives its rows of working
// samples, until the next picture is taken. layout: what the film's format says.
ksr_status ksr_reader_take(ksr_context *ctx, ksr_reader *reader, const struct ksr_layout *layout,
                           ksr_pool *pool, struct ksr_row_source *source);

#endif
