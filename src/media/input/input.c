// Opening inputs and decoders; see input.h.

#include "media/input/input.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/fs.h"
#include "core/image_sequence.h"
#include "core/mem.h"
#include "media/av/alpha.h"
#include "media/av/film.h"
#include "media/av/headers.h"
#include "media/container/aperture.h"
#include "media/container/containers.h"
#include "media/container/track_language.h"
#include "media/input/external.h"
#include "media/input/look.h"

#define PATIENCE 1000 // times that FFmpeg may ask to be asked again

bool ksr_frame_damaged(const AVFrame *frame)
{
    return (frame->flags & AV_FRAME_FLAG_CORRUPT) || frame->decode_error_flags;
}

int64_t ksr_frame_time(const AVFrame *frame)
{
    return frame->pts != AV_NOPTS_VALUE ? frame->pts : frame->best_effort_timestamp;
}

static bool is_video(const AVStream *s)
{
    return s->codecpar->codec_type == AVMEDIA_TYPE_VIDEO && !ksr_stream_is_cover(s);
}

static bool is_usable(const AVStream *s)
{
    const AVCodecParameters *p = s->codecpar;
    return p->width > 0 && p->height > 0 && avcodec_find_decoder(p->codec_id);
}

// A stream that cannot be used is taken only where there is no other.
AVStream *ksr_input_default_video(const AVFormatContext *format)
{
    AVStream *first = NULL;
    for (unsigned i = 0; i < format->nb_streams; i++) {
        AVStream *s = format->streams[i];
        if (!is_video(s))
            continue;
        if (s->disposition & AV_DISPOSITION_DEFAULT && is_usable(s))
            return s;
        if (!first || (!is_usable(first) && is_usable(s)))
            first = s;
    }
    return first;
}

bool ksr_input_is_passed_over(const struct ksr_input *input, const AVStream *stream)
{
    return is_video(stream) && stream != input->video &&
           input->video != ksr_input_default_video(input->format);
}

static AVStream *choose_video(const AVFormatContext *format, int number)
{
    if (number == 0)
        return ksr_input_default_video(format);
    for (unsigned i = 0; i < format->nb_streams; i++)
        if (is_video(format->streams[i]) && --number == 0)
            return format->streams[i];
    return NULL;
}

// Whether a file begins as WebP whose VP8X chunk says that it is an animation.
static bool is_animated_webp(const char *path)
{
    enum { FLAGS = 20, SIZE = FLAGS + 1, ANIMATION = 0x02 };
    uint8_t head[SIZE];
    FILE *file = fopen(path, "rbe");
    const bool whole = file && fread(head, 1, SIZE, file) == SIZE;
    if (file)
        fclose(file);
    return whole && memcmp(head, "RIFF", 4) == 0 && memcmp(head + 8, "WEBPVP8X", 8) == 0 &&
           head[FLAGS] & ANIMATION;
}

static bool has_size(const AVStream *video)
{
    const AVCodecParameters *p = video->codecpar;
    return p->codec_id != AV_CODEC_ID_NONE && p->width > 0 && p->height > 0;
}

// Text and subtitle files renamed to .mp4 open as something; only what has a usable video counts.
static ksr_status check_video(ksr_context *ctx, const char *path, const AVStream *video)
{
    if (!video)
        return ksr_fail(ctx, KSR_E_INPUT, "no video in %s", path);
    const AVCodecParameters *p = video->codecpar;
    if (p->codec_id == AV_CODEC_ID_ANSI || p->codec_id == AV_CODEC_ID_BINTEXT ||
        p->codec_id == AV_CODEC_ID_XBIN || p->codec_id == AV_CODEC_ID_IDF)
        return ksr_fail(ctx, KSR_E_INPUT, "no video in %s (it is text)", path);
    if (!has_size(video) && is_animated_webp(path))
        return ksr_fail(
            ctx, KSR_E_INPUT,
            "%s is an animated WebP, which FFmpeg %s does not decode: extract its frames with "
            "anim_dump (of libwebp) and upscale dump_%%04d.png with {framerate}",
            path, av_version_info());
    if (!has_size(video))
        return ksr_fail(ctx, KSR_E_INPUT, "no usable video in %s", path);
    return KSR_OK;
}

static ksr_status check_sequence(ksr_context *ctx, const char *path)
{
    int first, count;
    const ksr_status status = ksr_sequence_scan(ctx, path, &first, &count);
    if (status == KSR_OK && count == 0)
        return ksr_fail(ctx, KSR_E_NOT_FOUND, "input file not found: %s", path);
    return status;
}

static ksr_status check_path(ksr_context *ctx, const char *path)
{
    if (ksr_sequence_is(path))
        return check_sequence(ctx, path);
    if (strstr(path, "://") && !ksr_fs_exists(path))
        return ksr_fail(ctx, KSR_E_INPUT, "input is a URL: %s (download it first)", path);
    if (strcmp(path, "-") == 0 || ksr_fs_is_special(path))
        return ksr_fail(ctx, KSR_E_INPUT,
                        "input is not a regular file: %s (it is read more than once: save the data "
                        "of a pipe to a file first)",
                        path);
    if (!ksr_fs_exists(path))
        return errno == ENOENT || errno == ENOTDIR
                   ? ksr_fail(ctx, KSR_E_NOT_FOUND, "input file not found: %s", path)
                   : ksr_fail_errno(ctx, KSR_E_INPUT, "cannot read %s", path);
    if (ksr_fs_is_folder(path))
        return ksr_fail(ctx, KSR_E_INPUT, "input is a folder, not a file: %s", path);
    if (ksr_fs_size(path) == 0)
        return ksr_fail(ctx, KSR_E_INPUT, "input file is empty: %s", path);
    return KSR_OK;
}

#define MAX_DURATION (INT64_C(1) << 50) // in microseconds: no limit

// How a file is to be opened.
struct opening {
    bool want_video;               // without one it fails
    bool brief;                    // only to see whether it opens
    bool alone;                    // for packets of its video stream, not of others
    int video;                     // its number, from 1; 0 = the default one, else the first
    int64_t probe;                 // bytes to look at for streams; 0 = as usual
    const struct ksr_known *known; // of the stream below; NULL: nothing
    int stream;
};

// Lets FFmpeg look at the streams, as far as that is needed. *learnt: what is known from now on, if
// nothing was.
static int look_at_streams(AVFormatContext *format, const struct opening *o,
                           struct ksr_known **learnt)
{
    const bool tells_all = !(format->ctx_flags & AVFMTCTX_NOHEADER) && format->nb_streams > 0 &&
                           ksr_container_read_by(format->iformat->name)->tells_all;
    if (!tells_all)
        return avformat_find_stream_info(format, NULL);
    const AVStream *video = choose_video(format, o->video);
    if (o->brief && video && has_size(video))
        return 0;
    if (!ksr_known_tell(o->known, format, o->stream))
        return ksr_look_at_all(format, learnt);
    const int found = ksr_look_at_rest(format, o->stream, o->alone);
    if (found >= 0)
        ksr_known_tell_times(o->known, format, o->stream);
    return found;
}

// Reads the header. Frees *format on failure. Returns an FFmpeg error code.
static int open_demuxer(AVFormatContext **format, const char *url, const char *path, int64_t probe)
{
    AVDictionary *options = NULL;
    const AVInputFormat *demuxer = NULL;
    if (ksr_sequence_is(path)) {
        int first, count;
        demuxer = av_find_input_format("image2");
        if (ksr_sequence_scan(NULL, path, &first, &count) == KSR_OK)
            av_dict_set_int(&options, "start_number", first, 0);
        av_dict_set(&options, "pattern_type", "sequence", 0);
        av_dict_set(&options, "framerate", "24", 0);
    }
    if (probe > 0) // transport streams: new programmes may come at any time
        av_dict_set(&options, "scan_all_pmts", "1", 0);
    const int opened = avformat_open_input(format, url, demuxer, &options);
    av_dict_free(&options);
    return opened;
}

static ksr_status open_format(ksr_context *ctx, const char *path, const struct opening *o,
                              struct ksr_known **learnt, AVFormatContext **out)
{
    const int64_t probe = o->probe;
    char text[256];
    char *url = ksr_ffmpeg_url(path);
    AVFormatContext *format = avformat_alloc_context();
    if (!url || !format) {
        free(url);
        avformat_free_context(format);
        return ksr_fail_memory(ctx);
    }
    format->interrupt_callback = ksr_ffmpeg_interrupt(ctx);
    if (probe > 0) {
        format->probesize = probe;
        format->max_analyze_duration = MAX_DURATION;
    }
    ksr_ffmpeg_clear_message();
    const int opened = open_demuxer(&format, url, path, probe); // frees it on failure
    free(url);
    if (opened < 0) {
        if (ksr_check_cancel(ctx) != KSR_OK)
            return KSR_E_CANCELLED;
        if (ksr_ffmpeg_starved(opened))
            return ksr_fail_memory(ctx);
        return ksr_fail(ctx, KSR_E_INPUT, "cannot read %s: %s", path,
                        ksr_ffmpeg_error(opened, text));
    }
    format->flags |= AVFMT_FLAG_BITEXACT;
    if (probe > 0) // or FFmpeg's look ends as soon as all streams so far are known
        format->ctx_flags |= AVFMTCTX_NOHEADER;
    const int found = look_at_streams(format, o, learnt);
    if (found < 0) {
        avformat_close_input(&format);
        if (ksr_ffmpeg_starved(found))
            return ksr_fail_memory(ctx);
        return ksr_fail(ctx, KSR_E_INPUT, "cannot read %s: %s", path,
                        ksr_ffmpeg_error(found, text));
    }
    int tagged = ksr_track_languages_tag(format);
    if (tagged >= 0)
        tagged = ksr_aperture_correct_aspects(format);
    if (ksr_memory_ran_out() || ksr_ffmpeg_starved(tagged)) { // packets may be lost
        avformat_close_input(&format);
        return ksr_fail_memory(ctx);
    }
    if (tagged < 0) {
        avformat_close_input(&format);
        return ksr_fail(ctx, KSR_E_INPUT, "cannot read %s: %s", path,
                        ksr_ffmpeg_error(tagged, text));
    }
    *out = format;
    return KSR_OK;
}

#define FAR      (INT64_C(1) << 24) // bytes in which the first video packet is looked for at first,
#define FARTHEST (INT64_C(1) << 28) // and at last

// Whether the video may begin behind what FFmpeg has looked at: containers without a full header
// name streams, or tell what is in them, with their first packets.
static bool is_late(const AVFormatContext *format, const AVStream *video)
{
    return video ? !has_size(video) && video->codecpar->codec_id != AV_CODEC_ID_NONE
                 : (format->ctx_flags & AVFMTCTX_NOHEADER) != 0;
}

static ksr_status open_file(ksr_context *ctx, const char *path, const struct opening *o,
                            struct ksr_input *out)
{
    memset(out, 0, sizeof(*out));
    ksr_ffmpeg_init();
    ksr_status status = check_path(ctx, path);
    if (status == KSR_OK)
        status = open_format(ctx, path, o, &out->known, &out->format);
    if (status != KSR_OK) {
        ksr_known_free(&out->known);
        return status;
    }
    out->video = choose_video(out->format, o->video);
    if (o->want_video && o->probe < FARTHEST && is_late(out->format, out->video)) {
        struct opening farther = *o;
        farther.probe = FFMAX(4 * o->probe, FAR);
        ksr_input_close(out);
        return open_file(ctx, path, &farther, out);
    }
    out->probe = o->probe;
    if (o->video > 0 && !out->video) {
        ksr_input_close(out);
        return ksr_fail(ctx, KSR_E_PARAM, "video: there is no video stream %d in %s", o->video,
                        path);
    }
    if (o->want_video)
        status = check_video(ctx, path, out->video);
    if (status != KSR_OK)
        ksr_input_close(out);
    return status;
}

ksr_status ksr_input_open(ksr_context *ctx, const char *path, bool want_video,
                          struct ksr_input *out)
{
    return open_file(ctx, path, &(struct opening){.want_video = want_video}, out);
}

ksr_status ksr_input_check(ksr_context *ctx, const char *path)
{
    struct ksr_input input;
    const ksr_status status =
        open_file(ctx, path, &(struct opening){.want_video = true, .brief = true}, &input);
    if (status == KSR_OK)
        ksr_input_close(&input);
    return status;
}

const struct ksr_container *ksr_input_container(const char *path)
{
    const struct ksr_container *found = NULL;
    AVFormatContext *format = NULL;
    char *url = ksr_ffmpeg_url(path);
    ksr_ffmpeg_init();
    if (url && check_path(NULL, path) == KSR_OK && open_demuxer(&format, url, path, 0) >= 0)
        found = ksr_container_read_by(format->iformat->name);
    avformat_close_input(&format);
    free(url);
    return found;
}

ksr_status ksr_input_open_far(ksr_context *ctx, const char *path, int64_t probe, int video,
                              struct ksr_input *out)
{
    const struct opening o = {.want_video = true, .video = video, .probe = probe};
    return open_file(ctx, path, &o, out);
}

ksr_status ksr_input_open_video(ksr_context *ctx, const char *path, const struct ksr_known *known,
                                int stream, struct ksr_input *out)
{
    const struct opening o = {
        .want_video = true, .alone = true, .known = known, .stream = stream};
    ksr_status status = open_file(ctx, path, &o, out);
    if (status == KSR_OK && stream >= (int)out->format->nb_streams) {
        ksr_input_close(out);
        status = ksr_fail(ctx, KSR_E_INPUT, "the input has changed: %s", path);
    }
    if (status == KSR_OK)
        out->video = out->format->streams[stream];
    return status;
}

ksr_status ksr_input_open_film(ksr_context *ctx, const char *path, const struct ksr_film *film,
                               struct ksr_input *out)
{
    const struct opening o = {.probe = film->probe, .known = film->known, .stream = film->stream};
    ksr_status status = open_file(ctx, path, &o, out);
    if (status != KSR_OK)
        return status;
    if (film->stream < (int)out->format->nb_streams) {
        out->video = out->format->streams[film->stream];
        status = ksr_external_add(ctx, film->subs, out->format);
        if (status != KSR_OK)
            ksr_input_close(out);
        return status;
    }
    ksr_input_close(out);
    return ksr_fail(ctx, KSR_E_INPUT, "the input has changed: %s", path);
}

ksr_status ksr_input_open_bytes(ksr_context *ctx, const uint8_t *bytes, int64_t size,
                                const char *format, struct ksr_input *out)
{
    memset(out, 0, sizeof(*out));
    if (!bytes || size <= 0)
        return KSR_E_INPUT;
    out->memory = ksr_memory_read(bytes, size);
    out->format = avformat_alloc_context();
    if (!out->memory || !out->format) {
        ksr_input_close(out);
        return ksr_fail_memory(ctx);
    }
    out->format->pb = out->memory->io;
    const AVInputFormat *demuxer = av_find_input_format(format);
    ksr_ffmpeg_clear_message();
    int result = avformat_open_input(&out->format, "", demuxer, NULL); // frees it on failure
    if (result >= 0) {
        out->format->flags |= AVFMT_FLAG_BITEXACT;
        result = avformat_find_stream_info(out->format, NULL);
    }
    if (result >= 0)
        result = ksr_track_languages_tag(out->format);
    if (result >= 0)
        result = ksr_aperture_correct_aspects(out->format);
    const bool starved = ksr_ffmpeg_starved(result) || ksr_memory_ran_out();
    if (result >= 0 && !starved)
        return KSR_OK;
    ksr_input_close(out);
    return starved ? ksr_fail_memory(ctx) : KSR_E_INPUT;
}

// What is asked for of the decoder of a video. Returns false when out of memory.
static bool adjust_decoder(struct ksr_input *input, AVCodecContext *decoder)
{
    if (input->no_grain) // what is handed on is not added
        decoder->export_side_data |= AV_CODEC_EXPORT_DATA_FILM_GRAIN;
    if (input->quantizers)
        decoder->export_side_data |= AV_CODEC_EXPORT_DATA_VIDEO_ENC_PARAMS;
    if (input->no_samples)
        decoder->skip_idct = decoder->skip_loop_filter = AVDISCARD_ALL;
    input->buffers = ksr_buffers_use(decoder);
    return input->buffers != NULL;
}

// input: of a video; NULL: nothing is asked for.
static ksr_status open_decoder(ksr_context *ctx, const AVStream *stream, struct ksr_input *input,
                               AVCodecContext **out)
{
    char text[256];
    *out = NULL;
    const AVCodec *codec = ksr_alpha_is_beside(stream) ? ksr_alpha_decoder(stream) : NULL;
    if (!codec)
        codec = avcodec_find_decoder(stream->codecpar->codec_id);
    if (!codec)
        return ksr_fail(ctx, KSR_E_INPUT, "no decoder for %s (stream %d)",
                        avcodec_get_name(stream->codecpar->codec_id), stream->index);
    AVCodecContext *decoder = avcodec_alloc_context3(codec);
    if (!decoder)
        return ksr_fail_memory(ctx);
    int result = avcodec_parameters_to_context(decoder, stream->codecpar);
    decoder->pkt_timebase = stream->time_base;
    decoder->thread_count = 1;
    // Unaligned: cropping on the left is exact, not rounded to what SIMD likes.
    decoder->flags |= AV_CODEC_FLAG_BITEXACT | AV_CODEC_FLAG_UNALIGNED;
    ksr_ffmpeg_clear_message();
    if (result >= 0 && input && !adjust_decoder(input, decoder))
        result = AVERROR(ENOMEM);
    if (result >= 0)
        result = avcodec_open2(decoder, codec, NULL);
    if (result >= 0 && ksr_memory_ran_out())
        result = AVERROR(ENOMEM); // it opens, and then decodes nothing
    if (result < 0) {
        avcodec_free_context(&decoder);
        if (input)
            ksr_buffers_free(&input->buffers);
        if (ksr_ffmpeg_starved(result))
            return ksr_fail_memory(ctx);
        return ksr_fail(ctx, KSR_E_INPUT, "cannot decode %s (stream %d): %s", codec->name,
                        stream->index, ksr_ffmpeg_error(result, text));
    }
    *out = decoder;
    return KSR_OK;
}

ksr_status ksr_stream_open_decoder(ksr_context *ctx, const AVStream *stream, AVCodecContext **out)
{
    return open_decoder(ctx, stream, NULL, out);
}

ksr_status ksr_input_open_decoder(ksr_context *ctx, struct ksr_input *input)
{
    return open_decoder(ctx, input->video, input, &input->decoder);
}

// Those of FFmpeg's decoders that do not give what they hold back when their headers change.
static bool forgets(enum AVCodecID codec)
{
    return codec == AV_CODEC_ID_MPEG1VIDEO || codec == AV_CODEC_ID_MPEG2VIDEO ||
           codec == AV_CODEC_ID_MPEG4 || codec == AV_CODEC_ID_VC1;
}

bool ksr_input_renews(struct ksr_input *input, const AVPacket *packet)
{
    if (!forgets(input->video->codecpar->codec_id))
        return false;
    const uint64_t before = input->headers;
    const uint64_t headers = ksr_packet_headers(input->video->codecpar, packet);
    if (headers != 0)
        input->headers = headers;
    return before != 0 && headers != 0 && headers != before;
}

int ksr_input_read_own(AVFormatContext *format, AVPacket *packet)
{
    int result = AVERROR(EAGAIN);
    ksr_memory_watch();
    for (int i = 0; i < PATIENCE && result == AVERROR(EAGAIN); i++)
        result = av_read_frame(format, packet);
    if (!ksr_memory_ran_out())
        return result;
    av_packet_unref(packet);
    return AVERROR(ENOMEM);
}

int ksr_input_read(AVFormatContext *format, AVPacket *packet)
{
    return format->opaque ? ksr_external_read(format, packet) : ksr_input_read_own(format, packet);
}

bool ksr_input_ended(const AVFormatContext *format, int result, bool corrupt)
{
    if (result == AVERROR_EOF)
        return true;
    if (result != AVERROR(EPERM) && result != AVERROR(EIO) && result != AVERROR(EAGAIN))
        return false;
    return format->pb && avio_feof(format->pb) && !format->pb->error && !corrupt;
}

ksr_status ksr_stream_send(ksr_context *ctx, AVCodecContext *decoder, const AVPacket *packet,
                           bool *refused)
{
    ksr_ffmpeg_clear_message();
    const int result = avcodec_send_packet(decoder, packet);
    if (refused)
        *refused = result < 0;
    return ksr_ffmpeg_starved(result) || ksr_memory_ran_out() ? ksr_fail_memory(ctx) : KSR_OK;
}

int ksr_stream_take(AVCodecContext *decoder, AVFrame *frame)
{
    int result = avcodec_receive_frame(decoder, frame);
    for (int i = 0; i < PATIENCE && result < 0 && result != AVERROR(EAGAIN) &&
                    result != AVERROR_EOF && !ksr_ffmpeg_starved(result);
         i++)
        result = avcodec_receive_frame(decoder, frame);
    return result;
}

ksr_status ksr_stream_receive(ksr_context *ctx, AVCodecContext *decoder, AVFrame *frame, bool *got)
{
    ksr_ffmpeg_clear_message();
    const int result = ksr_stream_take(decoder, frame);
    *got = result >= 0;
    return ksr_ffmpeg_starved(result) || ksr_memory_ran_out() ? ksr_fail_memory(ctx) : KSR_OK;
}

void ksr_input_select(struct ksr_input *input, int stream)
{
    for (unsigned i = 0; i < input->format->nb_streams; i++)
        input->format->streams[i]->discard =
            stream < 0 || (int)i == stream ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
}

void ksr_input_close(struct ksr_input *input)
{
    avcodec_free_context(&input->decoder);
    ksr_buffers_free(&input->buffers);
    ksr_external_remove(input->format);
    avformat_close_input(&input->format);
    ksr_memory_close(&input->memory);
    ksr_known_free(&input->known);
    memset(input, 0, sizeof(*input));
}

// --- What frames look like ---

static struct ksr_rational rational(AVRational q)
{
    return (struct ksr_rational){q.num, q.den};
}

void ksr_film_describe(const struct ksr_input *input, AVFrame *frame, struct ksr_video_format *out)
{
    AVStream *video = input->video;
    const AVCodecParameters *p = video->codecpar;
    const char *name = av_get_pix_fmt_name(frame->format);
    *out = (struct ksr_video_format){0};
    out->width = frame->width;
    out->height = frame->height;
    // H.264 whose range changes keeps the format with the old range in its name.
    const bool limited =
        frame->color_range == AVCOL_RANGE_MPEG && name && strncmp(name, "yuvj", 4) == 0;
    snprintf(out->pixel_format, sizeof(out->pixel_format), "%s%s", limited ? "yuv" : "",
             limited ? name + 4
             : name  ? name
                     : "unknown");
    out->sample_aspect = rational(av_guess_sample_aspect_ratio(input->format, video, frame));
    out->frame_rate = rational(av_guess_frame_rate(input->format, video, frame));
    // What the frame says goes before what the container says.
    out->color_range = frame->color_range ? frame->color_range : p->color_range;
    out->color_space =
        frame->colorspace != AVCOL_SPC_UNSPECIFIED ? frame->colorspace : p->color_space;
    if (p->codec_id == AV_CODEC_ID_THEORA && out->color_space == AVCOL_SPC_UNSPECIFIED)
        out->color_space = AVCOL_SPC_BT470BG; // by definition
    out->color_primaries = frame->color_primaries != AVCOL_PRI_UNSPECIFIED ? frame->color_primaries
                                                                           : p->color_primaries;
    out->color_transfer =
        frame->color_trc != AVCOL_TRC_UNSPECIFIED ? frame->color_trc : p->color_trc;
    out->chroma_location = frame->chroma_location ? frame->chroma_location : p->chroma_location;
    out->interlaced = ksr_av_frame_interlaced(frame) || (p->field_order != AV_FIELD_UNKNOWN &&
                                                         p->field_order != AV_FIELD_PROGRESSIVE);
    // The last letter tells how the fields are stored; FFmpeg's decoders take both TT and TB, and
    // so Matroska's 9 and QuickTime's, for top first.
    out->bottom_first = p->field_order == AV_FIELD_BB || p->field_order == AV_FIELD_BT;
    // HEVC has no frames of two fields that are marked so.
    out->single_field = p->codec_id == AV_CODEC_ID_HEVC && ksr_av_frame_interlaced(frame);
    if (out->single_field)
        out->bottom_first = !ksr_av_frame_top_first(frame);
}
