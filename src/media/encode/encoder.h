// The video encoder: settings that are resolved once, in plan, and opened alike by every worker.
//
// What reaches the bytes is pinned here: thread counts, look-ahead, everything an encoder would
// otherwise take from the machine. docs/determinism.md says why for each.
//
// The folder media/encode:
//   takes        the configuration, frames, audio and text packets
//   gives        pinned settings, encoded packets
//   may include  media/index and below

#ifndef KSR_MEDIA_ENCODE_ENCODER_H
#define KSR_MEDIA_ENCODE_ENCODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/hash.h"
#include "core/log.h"
#include "core/pool.h"
#include "frame/rows.h"
#include "kizunasr/config.h"
#include "media/av/film.h"

#define KSR_MAX_ENCODER_OPTIONS 64
#define KSR_HARDWARE_TEXT       160

struct ksr_name_value {
    char name[64];
    char value[448];
};

// Everything needed to open the encoder again with the same result.
struct ksr_encoder_settings {
    char codec[64];                 // FFmpeg encoder name
    struct ksr_video_format format; // of the encoded video
    struct ksr_rational time_base;  // of the times handed in
    bool frame_ticks;   // the encoder cannot take the film's time base: times are frame numbers
    bool global_header; // the container keeps the parameter sets
    int64_t bit_rate;   // bits per second; 0 = by quality
    int quality_scale;  // fixed quantizer for encoders without crf; 0 = off
    bool promised;      // its bytes are covered by the promise of docs/determinism.md
    struct ksr_name_value options[KSR_MAX_ENCODER_OPTIONS];
    int option_count;
    char headers[KSR_HASH_TEXT]; // hash of the parameter sets; a worker that gets others fails
};

// An encoded packet. data belongs to the encoder until the next call.
struct ksr_packet {
    const uint8_t *data;
    size_t size;
    int64_t time; // presentation time as handed to ksr_encoder_write()
    bool key;
};

struct ksr_output_plan;

// Resolves a configuration for a film whose output has the given format (size and colour; the
// pixel format is chosen here), and tries the encoder once: unknown codec, preset or option, a
// size it refuses, all come out here.
// output: its container. name: the encoder that ksr_output_format() gave.
// Returns KSR_OK, KSR_E_PARAM (logged), KSR_E_NOMEM, KSR_E_PROCESS.
ksr_status ksr_encoder_resolve(ksr_context *ctx, const struct ksr_encoder_config *config,
                               const struct ksr_film *film, int width, int height,
                               const struct ksr_output_plan *output, const char *name,
                               struct ksr_encoder_settings *out);

// Codes full range as limited: for a codec whose readers take it for that.
ksr_status ksr_encoder_limit_range(ksr_context *ctx, struct ksr_encoder_settings *settings);

// Codes RGB by the matrix that readers guess from the output's size: for a codec and a container
// that cannot tell them.
ksr_status ksr_encoder_guess_matrix(ksr_context *ctx, const struct ksr_film *film,
                                    struct ksr_encoder_settings *settings);

// Opens the encoder once and notes the hash of its parameter sets in settings->headers.
ksr_status ksr_encoder_note_headers(ksr_context *ctx, struct ksr_encoder_settings *settings);

// Fixes the level of libx264 and libx265 at what they choose for a bit rate, the highest of any
// segment, so that all segments have the same parameter sets. Leaves other encoders, and a level
// that the user chose, as they are.
ksr_status ksr_encoder_pin_level(ksr_context *ctx, struct ksr_encoder_settings *settings,
                                 int64_t bit_rate);

// Writes what tells one build of an encoder from another: the hash of what it makes of one small
// grey frame. "none" for encoders that refuse such a frame. Returns KSR_OK, KSR_E_NOMEM (logged).
ksr_status ksr_encoder_identity(ksr_context *ctx, const char *codec, char out[KSR_HASH_TEXT]);

// Writes which GPU and which driver encode, for an encoder in hardware and the user's options;
// empty for one in software.
void ksr_encoder_hardware(const char *codec, const struct ksr_encoder_config *config, char *out,
                          size_t size);

// Returns whether decoding what an encoder made gives the frames that it got, with these settings.
bool ksr_encoder_is_lossless(const char *codec, const struct ksr_encoder_config *config);

// Returns how many cores one encoder of this name keeps busy, at any size: 1 or more.
int ksr_encoder_cores(const char *codec);

struct AVCodecContext;

// What the frames handed to an encoder look like.
struct ksr_encoder_input {
    const struct ksr_video_format *source; // the film's format, which the frames were read from
    struct ksr_layout layout;              // of the frames: the output's size
    bool dither;
    ksr_pool *pool; // may be NULL
};

// Thread-safety: one thread at a time per object, but see ksr_encoder_begin().
typedef struct ksr_encoder ksr_encoder;

// input: NULL opens it for its stream parameters alone. threads: size of the thread pool of
// encoders whose bytes do not depend on it (x265).
// Returns KSR_OK, KSR_E_PARAM (it does not open), KSR_E_PROCESS (it opens with other parameter
// sets than in plan), KSR_E_NOMEM; logged.
ksr_status ksr_encoder_open(ksr_context *ctx, const struct ksr_encoder_settings *settings,
                            const struct ksr_encoder_input *input, int threads, ksr_encoder **out);
void ksr_encoder_close(ksr_encoder **encoder);

// Opens an encoder for what its headers say, and for no frames. One that is not promised has
// encoded two grey frames then: some write their headers with the first packet only, some find out
// so late that they cannot encode, and some make one packet of all frames, which is refused.
// Returns what ksr_encoder_open() returns.
ksr_status ksr_encoder_look(ksr_context *ctx, const struct ksr_encoder_settings *settings,
                            ksr_encoder **out);

// Adds what an encoder makes of one grey frame to a hash. Returns KSR_OK, or what failed (not
// logged: it fails again, and is logged, where it matters).
ksr_status ksr_encoder_hash_grey(const struct ksr_encoder_settings *settings, ksr_hasher *hasher);

// Returns whether packets of an encoder follow from all before them, so that what two encoders
// have made cannot be joined.
bool ksr_encoder_is_whole(const char *codec);

// Each frame is filled, completed, and then encoded:
//
//     begin, rows into the sink, complete; write, receive until there is no packet
//
// One frame may be written by another thread while the next one is filled and completed, as each
// has a picture of its own. Two frames must not be written, nor begun, at the same time.

// *sink: takes the rows of the next frame.
ksr_status ksr_encoder_begin(ksr_context *ctx, ksr_encoder *encoder, struct ksr_row_sink *sink);

struct AVFrame;

// Ends the filling of a frame whose rows the sink has got. from: a decoded frame of which captions
// and whatever else belongs to that image alone go along; NULL = nothing.
ksr_status ksr_encoder_complete(ksr_context *ctx, ksr_encoder *encoder, const struct AVFrame *from);

// Encodes the oldest frame that is complete. time: rising from call to call, in
// settings.time_base.
ksr_status ksr_encoder_write(ksr_context *ctx, ksr_encoder *encoder, int64_t time,
                             int64_t duration);

// Tells the encoder that no frame follows.
ksr_status ksr_encoder_finish(ksr_context *ctx, ksr_encoder *encoder);

// Takes the next packet. Returns KSR_OK with packet->data NULL when there is none for now.
ksr_status ksr_encoder_receive(ksr_context *ctx, ksr_encoder *encoder, struct ksr_packet *packet);

// Returns the parameter sets that the container keeps; *size may be 0.
const uint8_t *ksr_encoder_headers(const ksr_encoder *encoder, size_t *size);

// Writes the hash of the samples of all frames that were written (media/av/samples.h). For an
// encoder with frames.
void ksr_encoder_samples(const ksr_encoder *encoder, char out[KSR_HASH_TEXT]);

// Returns how many frames the encoder may hold back to reorder.
int ksr_encoder_delay(const ksr_encoder *encoder);

struct AVCodecParameters;

// Sets the muxer's stream parameters. Returns KSR_OK, KSR_E_NOMEM.
ksr_status ksr_encoder_parameters(ksr_context *ctx, const ksr_encoder *encoder,
                                  struct AVCodecParameters *out);

#endif
