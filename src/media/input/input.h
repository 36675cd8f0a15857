// An opened input file: its streams, the video stream among them, and a decoder for it.

#ifndef KSR_MEDIA_INPUT_INPUT_H
#define KSR_MEDIA_INPUT_INPUT_H

#include "media/av/buffers.h"
#include "media/av/known.h"
#include "media/av/memory.h"
#include "media/container/containers.h"

struct ksr_input {
    AVFormatContext *format;
    AVStream *video;             // the stream to process; never cover art
    AVCodecContext *decoder;     // NULL until ksr_input_open_decoder()
    struct ksr_buffers *buffers; // of the decoder
    bool no_grain;               // its decoder leaves film grain out, and hands on what it is
    bool quantizers;             // its decoder hands out its quantizers with frames
    bool no_samples;             // its decoder leaves out what only samples need, where it can
    uint64_t headers;            // of the last packet that had any (headers.h)
    int64_t probe;               // bytes that were looked at for its streams; 0 = as usual
    struct ksr_known *known; // what FFmpeg's look has found, for the next to open the file; or NULL
    struct ksr_memory *memory; // of ksr_input_open_bytes()
};

// Opens a file and reads its headers. want_video: fail without a video stream; where containers
// without a full header show none, it is looked for in up to 256 MiB. Returns KSR_OK, KSR_E_INPUT
// (missing, unreadable, not media, no video; logged), KSR_E_NOMEM.
ksr_status ksr_input_open(ksr_context *ctx, const char *path, bool want_video,
                          struct ksr_input *out);

// Whether a file opens and has video, by its header where that tells. Returns and logs as
// ksr_input_open() that wants video.
ksr_status ksr_input_check(ksr_context *ctx, const char *path);

// Returns the row of the container that a file is, by its header alone; NULL where it does not
// open.
const struct ksr_container *ksr_input_container(const char *path);

struct ksr_film;

// Opens the file of a film, with all the streams that its index has found. known.h says how packets
// of the film's own stream may differ from those that the index has seen. Errors as above.
ksr_status ksr_input_open_film(ksr_context *ctx, const char *path, const struct ksr_film *film,
                               struct ksr_input *out);

// Opens a file for the frames of a video stream. known: of its streams, or NULL; known.h says how
// the packets of this one may differ then.
// Errors as above; KSR_E_INPUT also where there is no such stream (logged).
ksr_status ksr_input_open_video(ksr_context *ctx, const char *path, const struct ksr_known *known,
                                int stream, struct ksr_input *out);

// Opens a file with video, and looks at so many bytes for its streams; 0 = as usual.
// video: the number of its video stream, from 1; 0 = the default one, else the first.
ksr_status ksr_input_open_far(ksr_context *ctx, const char *path, int64_t probe, int video,
                              struct ksr_input *out);

// Returns whether a stream is a video beside the one to process, which is not the default one.
bool ksr_input_is_passed_over(const struct ksr_input *input, const AVStream *stream);

// Returns the default video stream, else the first that can be used; NULL when there is none.
AVStream *ksr_input_default_video(const AVFormatContext *format);

// Opens a file that is in memory and outlives the input. format: name of its demuxer.
// Returns KSR_OK, KSR_E_INPUT (it does not open; not logged), KSR_E_NOMEM.
ksr_status ksr_input_open_bytes(ksr_context *ctx, const uint8_t *bytes, int64_t size,
                                const char *format, struct ksr_input *out);

// Opens the decoder of the video stream: one thread, bit-exact, so that what it gives depends on
// the packets alone.
ksr_status ksr_input_open_decoder(ksr_context *ctx, struct ksr_input *input);

// Returns whether a packet, which comes next, makes the decoder start over and forget frames that
// it has not given yet: they must be taken out (packet NULL) and the decoder flushed first. Says so
// once.
bool ksr_input_renews(struct ksr_input *input, const AVPacket *packet);

// Closes everything; leaves *input all zero. Accepts an all-zero object.
void ksr_input_close(struct ksr_input *input);

// Discards the packets of every stream but the given one (-1: of none).
void ksr_input_select(struct ksr_input *input, int stream);

// Opens a decoder for any stream with the settings above; free with avcodec_free_context().
ksr_status ksr_stream_open_decoder(ksr_context *ctx, const AVStream *stream, AVCodecContext **out);

// Reads the next packet as av_read_frame() does, but for demuxers that say "again": they are asked
// again. Returns AVERROR(ENOMEM) whenever memory ran out: av_read_frame() may succeed all the same,
// with a packet that is not marked as a keyframe, or one left out, for want of a parser.
int ksr_input_read(AVFormatContext *format, AVPacket *packet);

// The same without the packets of subtitle files (external.h).
int ksr_input_read_own(AVFormatContext *format, AVPacket *packet);

// Returns whether a file ended here that was read to its last byte, although its demuxer calls it
// an error. result: of ksr_input_read(). corrupt: the last packet was, as one that is cut off is.
bool ksr_input_ended(const AVFormatContext *format, int result, bool corrupt);

// Gives a decoder its next packet (NULL: none follows). One that it refuses is damage, and shows as
// frames that do not come; *refused, where not NULL, tells.
// Returns KSR_OK, KSR_E_NOMEM (logged).
ksr_status ksr_stream_send(ksr_context *ctx, AVCodecContext *decoder, const AVPacket *packet,
                           bool *refused);

// Takes the next frame as avcodec_receive_frame() does, but goes on behind what does not decode:
// only a decoder that has nothing more to say takes the next packet.
int ksr_stream_take(AVCodecContext *decoder, AVFrame *frame);

// Takes the next frame of a decoder. *got: whether there is one for now; if not, the next packet
// can be sent. Returns KSR_OK, KSR_E_NOMEM (logged).
ksr_status ksr_stream_receive(ksr_context *ctx, AVCodecContext *decoder, AVFrame *frame, bool *got);

// Returns whether the decoder says that a frame is not as it was coded.
bool ksr_frame_damaged(const AVFrame *frame);

// The time of a decoded frame in its stream's time base: what the container said, else the best
// guess; AV_NOPTS_VALUE if there is none.
int64_t ksr_frame_time(const AVFrame *frame);

struct ksr_video_format;

// Describes the pictures of an input by a decoded frame.
void ksr_film_describe(const struct ksr_input *input, AVFrame *frame, struct ksr_video_format *out);

#endif
