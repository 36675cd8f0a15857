// One audio track decoded and encoded anew: packets in, packets out, in time with the film.

#ifndef KSR_MEDIA_ENCODE_AUDIO_ENCODER_H
#define KSR_MEDIA_ENCODE_AUDIO_ENCODER_H

#include "media/av/ffmpeg.h"

// Thread-safety: one thread at a time per object.
typedef struct ksr_audio ksr_audio;

// stream: of the input; must outlive the object. codec: FFmpeg encoder name. bit_rate: bits per
// second. global_header: as the container wants. from_zero: it has no late starts, so silence comes
// first, and no early ones, so what is before 0 is cut off.
// Returns KSR_OK, KSR_E_PARAM (no such encoder, or it does not open), KSR_E_INPUT (no decoder),
// KSR_E_NOMEM; logged.
ksr_status ksr_audio_open(ksr_context *ctx, const AVStream *stream, const char *codec,
                          int64_t bit_rate, bool global_header, bool from_zero, ksr_audio **out);
void ksr_audio_close(ksr_audio **audio);

// Sends a packet of the track, NULL at the end. A packet that does not decode leaves a gap that
// is filled with silence.
ksr_status ksr_audio_send(ksr_context *ctx, ksr_audio *audio, const AVPacket *packet);

// Takes the next packet (times in 1 / sample rate). Returns KSR_OK with packet->size 0 when there
// is none for now.
ksr_status ksr_audio_receive(ksr_context *ctx, ksr_audio *audio, AVPacket *packet);

// Returns how much sound before 0 was cut off, as far as packets were sent.
double ksr_audio_early_ms(const ksr_audio *audio);

// Returns how much sound was cut so far because it overlapped other sound.
double ksr_audio_cut_ms(const ksr_audio *audio);

// Returns whether frames came with other channels or another sample rate than the first ones.
bool ksr_audio_changed(const ksr_audio *audio);

// Returns the encoder, for the muxer's stream parameters.
const AVCodecContext *ksr_audio_encoder(const ksr_audio *audio);

#endif
