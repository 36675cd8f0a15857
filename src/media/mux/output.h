// The output file: its header, its tracks, interleaving, its trailer.
//
// The folder media/mux:
//   takes        a plan of the streams, packets of the video
//   gives        the output file
//   may include  media/encode and below

#ifndef KSR_MEDIA_MUX_OUTPUT_H
#define KSR_MEDIA_MUX_OUTPUT_H

#include "media/av/film.h"
#include "media/container/output_plan.h"
#include "media/encode/encoder.h"

struct ksr_memory;

// Thread-safety: one thread at a time per object.
typedef struct ksr_output ksr_output;

// Opens the output under `path` (a temporary name) and the input for the streams that go along,
// and writes the header. path NULL: a trial in memory, to see whether the container takes it.
// Returns KSR_OK, KSR_E_OUTPUT (of a trial: the header is refused; not logged), KSR_E_INPUT,
// KSR_E_PARAM, KSR_E_NOMEM; logged.
ksr_status ksr_output_open(ksr_context *ctx, const char *path, const char *input_path,
                           const struct ksr_film *film, const struct ksr_encoder_settings *encoder,
                           const struct ksr_output_plan *plan, ksr_output **out);

// Frees everything, finished or not; leaves the file.
void ksr_output_close(ksr_output **output);

// Writes a video packet, preceded by whatever of the other streams comes before it. Times in the
// film's time base, decode times rising.
ksr_status ksr_output_video(ksr_context *ctx, ksr_output *output, const void *data, size_t size,
                            int64_t time, int64_t decode_time, int64_t duration, bool key);

// Writes the rest of the other streams and the trailer, and closes the file.
ksr_status ksr_output_finish(ksr_context *ctx, ksr_output *output);

// Writes the first packets of the other streams, at most `limit` (a trial: there is no video).
// *written: how many; *whole: they are all; *file: the finished trial, borrowed, valid until the
// output is closed. Returns KSR_OK, KSR_E_OUTPUT (the container does not take them; not logged),
// ...
ksr_status ksr_output_try(ksr_context *ctx, ksr_output *output, size_t limit, size_t *written,
                          bool *whole, const struct ksr_memory **file);

// Returns how much of a track that is encoded anew is cut off because it comes before the picture,
// as far as packets were written.
double ksr_output_early_ms(const ksr_output *output, int stream);

// Returns what is taken off every time of the film, in its time base: a film that begins before
// zero would lose those frames, and AVI always begins at zero.
int64_t ksr_output_shift(const struct ksr_output_plan *plan, const struct ksr_film *film);

// Returns how many chapters of the input are in the range.
unsigned ksr_output_chapters(const ksr_output *output);

// Returns the bytes written so far.
int64_t ksr_output_size(const ksr_output *output);

#endif
