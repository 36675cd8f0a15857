// What the folders of media/ share about the FFmpeg libraries. No folder outside media/ includes
// this.
//
// The folder media/av:
//   takes        packets, frames and formats of FFmpeg
//   gives        what they hold and mean; frames as rows of samples
//   may include  pipeline and below

#ifndef KSR_MEDIA_AV_FFMPEG_H
#define KSR_MEDIA_AV_FFMPEG_H

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/avutil.h>
#include <libavutil/channel_layout.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <stdbool.h>

#include "core/attributes.h"
#include "core/log.h"

// Makes the FFmpeg libraries silent and sets their CPU mask; called by everything that opens
// something. Cheap after the first time.
void ksr_ffmpeg_init(void);

// The last error line that FFmpeg logged on this thread since ksr_ffmpeg_clear_message(), without
// line break; "" if none. Static per thread.
const char *ksr_ffmpeg_message(void);

// Takes lines that FFmpeg does not log as errors for such, on this thread: where it tries several
// ways, the reason why each failed is one of them.
void ksr_ffmpeg_keep_more(bool more);

// Forgets the message, and begins a ksr_memory_watch().
void ksr_ffmpeg_clear_message(void);

// Returns whether a function of FFmpeg failed for want of memory: its code says so, or an
// allocation has failed on this thread since ksr_ffmpeg_clear_message(), whatever the codec made of
// it.
bool ksr_ffmpeg_starved(int code);

// Writes the text of an FFmpeg error code, or of the message it logged where that says more.
const char *ksr_ffmpeg_error(int code, char out[256]);

// Returns "file:PATH", which keeps a colon in a file name from being taken for a protocol; free
// with free(). NULL when out of memory.
char *ksr_ffmpeg_url(const char *path);

// An interrupt callback that stops blocking reads once the run is cancelled.
AVIOInterruptCB ksr_ffmpeg_interrupt(ksr_context *ctx);

// Names that changed between FFmpeg 5.1 and 7.1.

static inline bool ksr_av_frame_interlaced(const AVFrame *frame)
{
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(58, 7, 100)
    return (frame->flags & AV_FRAME_FLAG_INTERLACED) != 0;
#else
    return frame->interlaced_frame != 0;
#endif
}

static inline bool ksr_av_frame_top_first(const AVFrame *frame)
{
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(58, 7, 100)
    return (frame->flags & AV_FRAME_FLAG_TOP_FIELD_FIRST) != 0;
#else
    return frame->top_field_first != 0;
#endif
}

// Pulldown by flags, or soft telecine: a whole frame of film, of which a player shows one field
// twice.
static inline bool ksr_av_frame_repeats_field(const AVFrame *frame)
{
    return frame->repeat_pict == 1 && !ksr_av_frame_interlaced(frame);
}

// While libavutil has both, libavfilter's source takes a frame for interlaced where either says so.
static inline void ksr_av_frame_set_fields(AVFrame *frame, bool interlaced, bool top_first)
{
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(58, 7, 100)
    frame->flags &= ~(AV_FRAME_FLAG_INTERLACED | AV_FRAME_FLAG_TOP_FIELD_FIRST);
    frame->flags |= interlaced ? AV_FRAME_FLAG_INTERLACED : 0;
    frame->flags |= top_first ? AV_FRAME_FLAG_TOP_FIELD_FIRST : 0;
#endif
#if LIBAVUTIL_VERSION_INT < AV_VERSION_INT(58, 7, 100) || FF_API_INTERLACED_FRAME
    KSR_DEPRECATED_BEGIN
    frame->interlaced_frame = interlaced;
    frame->top_field_first = top_first;
    KSR_DEPRECATED_END
#endif
}

static inline int64_t ksr_av_frame_duration(const AVFrame *frame)
{
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(57, 30, 100)
    return frame->duration;
#else
    return frame->pkt_duration;
#endif
}

static inline bool ksr_av_frame_key(const AVFrame *frame)
{
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(58, 7, 100)
    return (frame->flags & AV_FRAME_FLAG_KEY) != 0;
#else
    return frame->key_frame != 0;
#endif
}

// What an encoder takes, as lists that end with AV_SAMPLE_FMT_NONE, 0, and a layout without
// channels; NULL: anything goes.
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(61, 13, 100)
static inline const void *ksr_av_supported(const AVCodec *codec, enum AVCodecConfig what)
{
    const void *list = NULL;
    return avcodec_get_supported_config(NULL, codec, what, 0, &list, NULL) < 0 ? NULL : list;
}
#define KSR_AV_SUPPORTED(codec, what, member) ksr_av_supported(codec, what)
#else
#define KSR_AV_SUPPORTED(codec, what, member) ((codec)->member)
#endif

static inline const enum AVPixelFormat *ksr_av_pixel_formats(const AVCodec *codec)
{
    return KSR_AV_SUPPORTED(codec, AV_CODEC_CONFIG_PIX_FORMAT, pix_fmts);
}

static inline const enum AVSampleFormat *ksr_av_sample_formats(const AVCodec *codec)
{
    return KSR_AV_SUPPORTED(codec, AV_CODEC_CONFIG_SAMPLE_FORMAT, sample_fmts);
}

static inline const int *ksr_av_sample_rates(const AVCodec *codec)
{
    return KSR_AV_SUPPORTED(codec, AV_CODEC_CONFIG_SAMPLE_RATE, supported_samplerates);
}

static inline const AVChannelLayout *ksr_av_channel_layouts(const AVCodec *codec)
{
    return KSR_AV_SUPPORTED(codec, AV_CODEC_CONFIG_CHANNEL_LAYOUT, ch_layouts);
}

// Returns whether a stream is a picture that belongs to the file, not a film.
bool ksr_stream_is_cover(const AVStream *stream);

// Returns whether a stream is a picture, a font or another file that belongs to the whole:
// containers keep these apart from the streams.
bool ksr_stream_is_attached(const AVStream *stream);

#endif
