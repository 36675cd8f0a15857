// Subtitles of text, converted from one form into another.

#ifndef KSR_MEDIA_ENCODE_TEXT_SUBTITLES_H
#define KSR_MEDIA_ENCODE_TEXT_SUBTITLES_H

#include "media/av/ffmpeg.h"

// Thread-safety: one thread at a time per object.
typedef struct ksr_text ksr_text;

// Returns whether a codec is one of the texts that can be converted.
bool ksr_text_is(enum AVCodecID codec);

// stream: of the input; must outlive the object. codec: FFmpeg encoder name.
// Returns KSR_OK, KSR_E_INPUT, KSR_E_PARAM, KSR_E_NOMEM; logged.
ksr_status ksr_text_open(ksr_context *ctx, const AVStream *stream, const char *codec,
                         ksr_text **out);
void ksr_text_close(ksr_text **text);

// Converts a packet; times are in the stream's time base and stay. out->size is 0 for a packet
// that shows nothing.
ksr_status ksr_text_convert(ksr_context *ctx, ksr_text *text, const AVPacket *packet,
                            AVPacket *out);

// Returns the encoder, for the muxer's stream parameters.
const AVCodecContext *ksr_text_encoder(const ksr_text *text);

// Writes what a packet shows in a form in which equal means that nothing is lost: fields, text, and
// the style of every piece of it. Returns "" when it shows nothing or does not decode, NULL when
// out of memory; free with free(). decoder: of the packet's codec.
char *ksr_text_meaning(AVCodecContext *decoder, const AVPacket *packet);

struct ksr_film;

// Converts every subtitle of a stream of the film there and back: *yes = they all mean the same,
// and no style of their own is lost.
ksr_status ksr_text_lossless(ksr_context *ctx, const char *input_path, const struct ksr_film *film,
                             int stream, const char *codec, bool *yes);

#endif
