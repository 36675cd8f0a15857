// The output file: which streams go along and how, the container, interleaving.
//
// What the container cannot hold is found by ksr_carry_decide() before any work, with a trial
// header, and never in the middle of a run.

#ifndef KSR_MEDIA_MUX_OUTPUT_H
#define KSR_MEDIA_MUX_OUTPUT_H

#include "media/av/film.h"
#include "media/encode/encoder.h"

enum ksr_carry {
    KSR_CARRY_VIDEO = 0,   // the stream that is processed
    KSR_CARRY_COPY = 1,    // packets copied
    KSR_CARRY_ENCODE = 2,  // audio, decoded and encoded anew
    KSR_CARRY_DROP = 3,    // cannot be kept
    KSR_CARRY_CONVERT = 4, // text of subtitles, put into another form
};

#define KSR_MAX_STREAMS 256

// How the output is made; part of the manifest.
struct ksr_output_plan {
    char format[32]; // FFmpeg muxer name
    bool image;      // picture files alone
    bool sequence;   // many of them, numbered
    int first;       // of a sequence: its first number
    bool keep_tags;
    bool accompanied;                      // of a trial: a video is written beside the stream
    enum ksr_carry carry[KSR_MAX_STREAMS]; // per stream of the input
    char codec[KSR_MAX_STREAMS][32];       // encoder of KSR_CARRY_ENCODE and _CONVERT, per stream
    int stream_count;
    int64_t audio_bit_rate; // for KSR_CARRY_ENCODE
};

// What an encoder or container is called that the output decides.
#define KSR_BY_OUTPUT "auto"

// Finds the container for a path: config->format unless "auto", else by extension, else mp4.
// *codec: the encoder: config->codec unless "auto", else the one of an image file's extension, of a
// container that is made for one codec (GIF, raw streams) or has one that players expect (MPEG-PS),
// else libx264. Valid as long as `config`.
// Returns KSR_OK, KSR_E_PARAM (unknown format; logged).
ksr_status ksr_output_format(ksr_context *ctx, const char *path,
                             const struct ksr_encoder_config *config, struct ksr_output_plan *out,
                             const char **codec);

// Refuses an encoder whose output is not what the extension of an image file says: readers go by
// the extension. Returns KSR_OK, KSR_E_PARAM (logged).
ksr_status ksr_output_check_image(ksr_context *ctx, const char *path, const char *name);

// Returns whether a format is the stream of one codec without a container: it has no timestamps.
bool ksr_output_is_raw(const char *format);

// Returns whether a container has a frame rate in place of timestamps, or neither.
bool ksr_output_counts_frames(const char *format);

// Returns whether a container can only hold a constant frame rate.
bool ksr_output_needs_rate(const char *format);

// Returns whether the first frame of a container is always shown at 0.
bool ksr_output_begins_at_zero(const char *format);

// Returns whether the container keeps parameter sets in its header.
bool ksr_output_global_header(const struct ksr_output_plan *plan);

// Decides for every stream of the input what happens to it, and warns of what is lost. plan holds
// the format already. Writes a trial header.
// Returns KSR_OK, KSR_E_PARAM (the container cannot hold the video; logged), ...
ksr_status ksr_carry_decide(ksr_context *ctx, const char *input_path, const struct ksr_film *film,
                            const struct ksr_processor_config *config,
                            const struct ksr_encoder_settings *encoder,
                            struct ksr_output_plan *plan);

struct ksr_memory;

// Encodes some frames, writes them and reads them back, and warns by name of what colour tags and
// metadata of the film (film->extras) the codec and the container do not keep. *untold: they do not
// keep the matrix that RGB was coded by.
// Returns KSR_OK, KSR_E_PARAM (no picture comes back; logged), KSR_E_NOMEM, KSR_E_CANCELLED.
ksr_status ksr_picture_trial(ksr_context *ctx, const char *input_path, const struct ksr_film *film,
                             const struct ksr_encoder_settings *encoder,
                             const struct ksr_output_plan *plan, bool *untold);

// The same of images, which have no container: says whether an ICC profile is lost.
// Returns KSR_OK, KSR_E_NOMEM.
ksr_status ksr_picture_trial_image(ksr_context *ctx, const struct ksr_film *film,
                                   const struct ksr_encoder_settings *encoder);
struct ksr_choice;

// Decides the same for an output that stands, as far as its name tells, without a word.
ksr_status ksr_carry_guess(ksr_context *ctx, const char *input_path, const struct ksr_film *film,
                           const char *output_path, const struct ksr_choice *choice,
                           struct ksr_output_plan *plan);

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
// *written: how many; *whole: they are all; *bytes: of the finished trial, owned by the caller,
// free with av_free(). Returns KSR_OK, KSR_E_OUTPUT (the container does not take them; not logged),
// ...
ksr_status ksr_output_try(ksr_context *ctx, ksr_output *output, size_t limit, size_t *written,
                          bool *whole, const struct ksr_memory **file);

// Returns how much of a track that is encoded anew is cut off because it comes before the picture,
// as far as packets were written.
double ksr_output_early_ms(const ksr_output *output, int stream);

// Returns whether the container keeps what players are to cut off the frames.
bool ksr_output_keeps_aperture(const struct ksr_output_plan *plan);

// Returns what is taken off every time of the film, in its time base: a film that begins before
// zero would lose those frames, and AVI always begins at zero.
int64_t ksr_output_shift(const struct ksr_output_plan *plan, const struct ksr_film *film);

// Returns whether a container cannot hold times below zero (decode times of the first frames), so
// that all of its streams may begin later than the film does.
bool ksr_output_may_shift(const char *format);

// Returns the bytes written so far.
int64_t ksr_output_size(const ksr_output *output);

#endif
