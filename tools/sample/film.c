// See film.h.

#include "film.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>

#include "picture.h"
#include "sound.h"

enum { PCM_FRAME = 1024 }; // samples in a frame, for encoders that take any number

struct track {
    AVCodecContext *encoder;
    AVStream *stream;
    AVFrame *frame;
    int64_t next; // timestamp of the next frame, in the encoder's time base
};

struct writer {
    const struct film *film;
    AVFormatContext *container;
    AVPacket *packet;
    struct picture picture;
    struct track video;
    struct track audio[FILM_TRACKS];
    AVStream *subtitles;
    int drawn;          // video frames encoded so far
    int subtitles_done; // subtitle lines written so far
    int tracks;         // of audio
    int64_t samples;    // in each audio track
    bool begun;         // the file has been created
};

static bool fail(const char *format, ...)
{
    va_list arguments;

    fputs("ksr-sample: error: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    return false;
}

static bool fail_av(int error, const char *what, const char *which)
{
    char text[AV_ERROR_MAX_STRING_SIZE] = "";

    av_strerror(error, text, sizeof(text));
    return fail("%s %s: %s", what, which, text);
}

// --- time ---

// With variable frame rate a frame lasts 2 to 8 quarters of the nominal duration.
static const int uneven[] = {4, 4, 2, 6, 4, 8, 2, 2};
enum { UNEVEN_COUNT = 8, UNEVEN_SUM = 32 };

static int64_t frame_time(const struct film *film, int frame)
{
    if (!film->vfr)
        return frame;
    int64_t time = (int64_t)(frame / UNEVEN_COUNT) * UNEVEN_SUM;
    for (int i = 0; i < frame % UNEVEN_COUNT; i++)
        time += uneven[i];
    return time;
}

static AVRational frame_time_base(const struct film *film)
{
    const AVRational frame = av_inv_q(film->fps);
    return film->vfr ? av_mul_q(frame, (AVRational){1, 4}) : frame;
}

static int64_t frame_duration(const struct film *film, int64_t time)
{
    if (!film->vfr)
        return 1;
    int64_t rest = time % UNEVEN_SUM;
    for (int i = 0; i < UNEVEN_COUNT; i++) {
        if (rest <= 0)
            return uneven[i];
        rest -= uneven[i];
    }
    return uneven[0];
}

static double frame_seconds(const struct film *film, int frame)
{
    return frame_time(film, frame) * av_q2d(frame_time_base(film));
}

static int64_t frame_sample(const struct film *film, int frame)
{
    return av_rescale_q(frame_time(film, frame), frame_time_base(film),
                        (AVRational){1, SOUND_RATE});
}

// --- opening ---

// The lists an encoder comes with; FFmpeg 7.1 moved them behind a function.
static const void *supported(const AVCodec *codec, bool pixel_formats)
{
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(61, 13, 100)
    const void *list = NULL;
    avcodec_get_supported_config(
        NULL, codec, pixel_formats ? AV_CODEC_CONFIG_PIX_FORMAT : AV_CODEC_CONFIG_SAMPLE_FORMAT, 0,
        &list, NULL);
    return list;
#else
    return pixel_formats ? (const void *)codec->pix_fmts : (const void *)codec->sample_fmts;
#endif
}

static const AVCodec *find_encoder(const struct writer *writer, const char *asked,
                                   const char *preferred, enum AVMediaType type)
{
    const AVOutputFormat *format = writer->container->oformat;

    if (asked) {
        const AVCodec *codec = avcodec_find_encoder_by_name(asked);
        return codec && codec->type == type ? codec : NULL;
    }
    const AVCodec *codec = avcodec_find_encoder_by_name(preferred);
    if (codec && avformat_query_codec(format, codec->id, FF_COMPLIANCE_NORMAL) == 1)
        return codec;
    return avcodec_find_encoder(av_guess_codec(format, NULL, writer->film->path, NULL, type));
}

static enum AVPixelFormat choose_pixel_format(const struct film *film, const AVCodec *codec)
{
    const enum AVPixelFormat *list = supported(codec, true);
    const enum AVPixelFormat wanted =
        film->pixel_format != AV_PIX_FMT_NONE ? film->pixel_format : AV_PIX_FMT_YUV420P;

    for (int i = 0; list && list[i] != AV_PIX_FMT_NONE; i++) {
        if (list[i] == wanted)
            return wanted;
    }
    if (!list)
        return wanted;
    return film->pixel_format != AV_PIX_FMT_NONE ? AV_PIX_FMT_NONE : list[0];
}

// Opens the encoder of a track and describes its stream. Takes every entry out of `options` that
// the encoder knows; an entry that is left is an error.
static bool open_track(struct writer *writer, struct track *track, const AVCodec *codec,
                       AVDictionary **options)
{
    AVCodecContext *encoder = track->encoder;

    encoder->thread_count = 1;
    encoder->strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL;
    encoder->flags |= AV_CODEC_FLAG_BITEXACT;
    if (writer->container->oformat->flags & AVFMT_GLOBALHEADER)
        encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;

    int error = avcodec_open2(encoder, codec, options);
    if (error < 0)
        return fail_av(error, "cannot open the encoder", codec->name);
    const AVDictionaryEntry *left = av_dict_get(*options, "", NULL, AV_DICT_IGNORE_SUFFIX);
    if (left)
        return fail("the encoder %s has no option '%s'", codec->name, left->key);

    track->stream = avformat_new_stream(writer->container, NULL);
    track->frame = av_frame_alloc();
    if (!track->stream || !track->frame)
        return fail("out of memory");
    track->stream->time_base = encoder->time_base;
    error = avcodec_parameters_from_context(track->stream->codecpar, encoder);
    return error >= 0 || fail_av(error, "cannot describe the stream of", codec->name);
}

// What "open" and "closed" GOPs are called by those encoders that care.
static void set_gop_kind(const struct film *film, const AVCodec *codec, AVCodecContext *encoder,
                         AVDictionary **options)
{
    if (film->open_gop)
        encoder->flags &= ~AV_CODEC_FLAG_CLOSED_GOP;
    else
        encoder->flags |= AV_CODEC_FLAG_CLOSED_GOP;

    if (!strcmp(codec->name, "libx264")) {
        // The encoder's own default is "+cgop", applied when no one sets flags as an option.
        av_dict_set(options, "flags", film->open_gop ? "-cgop" : "+cgop", AV_DICT_DONT_OVERWRITE);
        av_dict_set(options, "crf", "20", AV_DICT_DONT_OVERWRITE);
    } else if (!strcmp(codec->name, "libx265")) {
        char text[512];
        const AVDictionaryEntry *more = av_dict_get(*options, "x265-params", NULL, 0);
        snprintf(text, sizeof(text),
                 "log-level=error:info=0:pools=none:frame-threads=1:open-gop=%d%s%s",
                 film->open_gop, more ? ":" : "", more ? more->value : "");
        av_dict_set(options, "x265-params", text, 0);
    } else if (!film->open_gop &&
               (codec->id == AV_CODEC_ID_MPEG1VIDEO || codec->id == AV_CODEC_ID_MPEG2VIDEO ||
                codec->id == AV_CODEC_ID_MPEG4)) {
        // These refuse closed GOPs together with scene cut detection.
        av_dict_set(options, "sc_threshold", "1000000000", AV_DICT_DONT_OVERWRITE);
    }
}

static void describe_colour(const struct film *film, AVCodecContext *encoder)
{
    const AVPixFmtDescriptor *format = av_pix_fmt_desc_get(encoder->pix_fmt);
    const bool rgb = format->flags & AV_PIX_FMT_FLAG_RGB;

    encoder->colorspace = rgb ? AVCOL_SPC_RGB : film->matrix;
    encoder->color_range = rgb ? AVCOL_RANGE_JPEG : film->range;
    encoder->color_primaries = AVCOL_PRI_BT709;
    encoder->color_trc = AVCOL_TRC_BT709;
    if (film->matrix == AVCOL_SPC_BT470BG)
        encoder->color_primaries = AVCOL_PRI_BT470BG;
    else if (film->matrix == AVCOL_SPC_SMPTE170M)
        encoder->color_primaries = AVCOL_PRI_SMPTE170M;
    else if (film->matrix == AVCOL_SPC_BT2020_NCL)
        encoder->color_primaries = AVCOL_PRI_BT2020;
    if (!rgb && (format->log2_chroma_w || format->log2_chroma_h))
        encoder->chroma_sample_location = film->siting;
}

static bool open_video(struct writer *writer)
{
    const struct film *film = writer->film;
    const AVCodec *codec = find_encoder(writer, film->video_codec, "libx264", AVMEDIA_TYPE_VIDEO);
    AVDictionary *options = NULL;

    if (!codec)
        return fail("no video encoder '%s'", film->video_codec ? film->video_codec : "");
    AVCodecContext *encoder = writer->video.encoder = avcodec_alloc_context3(codec);
    if (!encoder)
        return fail("out of memory");
    encoder->width = film->width;
    encoder->height = film->height;
    encoder->sample_aspect_ratio = film->sar;
    encoder->time_base = frame_time_base(film);
    encoder->framerate = film->fps;
    encoder->pix_fmt = choose_pixel_format(film, codec);
    if (encoder->pix_fmt == AV_PIX_FMT_NONE)
        return fail("the encoder %s does not take the pixel format %s", codec->name,
                    av_get_pix_fmt_name(film->pixel_format));
    describe_colour(film, encoder);
    if (film->gop >= 0)
        encoder->gop_size = film->gop;
    if (film->bframes >= 0)
        encoder->max_b_frames = film->bframes;
    av_dict_copy(&options, film->video_options, 0);
    set_gop_kind(film, codec, encoder, &options);
    const bool opened = open_track(writer, &writer->video, codec, &options);
    av_dict_free(&options);
    if (!opened)
        return false;

    AVFrame *frame = writer->video.frame;
    frame->width = film->width;
    frame->height = film->height;
    frame->format = encoder->pix_fmt;
    frame->colorspace = encoder->colorspace;
    frame->color_range = encoder->color_range;
    frame->color_primaries = encoder->color_primaries;
    frame->color_trc = encoder->color_trc;
    frame->chroma_location = encoder->chroma_sample_location;
    frame->sample_aspect_ratio = film->sar;
    const int error = av_frame_get_buffer(frame, 0);
    if (error < 0)
        return fail_av(error, "cannot allocate", "a frame");
    writer->video.stream->sample_aspect_ratio = film->sar;
    writer->video.stream->disposition |= AV_DISPOSITION_DEFAULT;
    if (!film->vfr)
        writer->video.stream->avg_frame_rate = film->fps;

    struct picture *picture = &writer->picture;
    picture->width = film->width;
    picture->height = film->height;
    picture->format = encoder->pix_fmt;
    picture->matrix = film->matrix;
    picture->range = film->range;
    picture->siting = film->siting;
    const char *trouble = picture_create(picture);
    return !trouble || fail("%s: %s", av_get_pix_fmt_name(encoder->pix_fmt), trouble);
}

static enum AVSampleFormat choose_sample_format(const AVCodec *codec)
{
    const enum AVSampleFormat *list = supported(codec, false);

    for (int i = 0; list && list[i] != AV_SAMPLE_FMT_NONE; i++) {
        const enum AVSampleFormat packed = av_get_packed_sample_fmt(list[i]);
        if (packed == AV_SAMPLE_FMT_FLT || packed == AV_SAMPLE_FMT_S16 ||
            packed == AV_SAMPLE_FMT_S32)
            return list[i];
    }
    return AV_SAMPLE_FMT_NONE;
}

static bool open_audio(struct writer *writer, int number)
{
    static const char *const languages[] = {"jpn", "eng", "deu", "fra", "spa", "ita", "por", "kor"};
    const struct film *film = writer->film;
    const AVCodec *codec = find_encoder(writer, film->audio_codec, "aac", AVMEDIA_TYPE_AUDIO);
    struct track *track = &writer->audio[number];
    AVDictionary *none = NULL;

    if (!codec)
        return fail("no audio encoder '%s' (or --no-audio)",
                    film->audio_codec ? film->audio_codec : "");
    AVCodecContext *encoder = track->encoder = avcodec_alloc_context3(codec);
    if (!encoder)
        return fail("out of memory");
    encoder->sample_rate = SOUND_RATE;
    encoder->time_base = (AVRational){1, SOUND_RATE};
    encoder->bit_rate = 128000;
    encoder->ch_layout = (AVChannelLayout)AV_CHANNEL_LAYOUT_STEREO;
    encoder->sample_fmt = choose_sample_format(codec);
    if (encoder->sample_fmt == AV_SAMPLE_FMT_NONE)
        return fail("the encoder %s takes no sample format that can be made here", codec->name);
    const bool opened = open_track(writer, track, codec, &none);
    av_dict_free(&none);
    if (!opened)
        return false;

    track->frame->format = encoder->sample_fmt;
    track->frame->sample_rate = SOUND_RATE;
    track->frame->nb_samples = encoder->frame_size > 0 ? encoder->frame_size : PCM_FRAME;
    int error = av_channel_layout_copy(&track->frame->ch_layout, &encoder->ch_layout);
    if (error >= 0)
        error = av_frame_get_buffer(track->frame, 0);
    if (error < 0)
        return fail_av(error, "cannot allocate", "an audio frame");
    av_dict_set(&track->stream->metadata, "language", languages[number], 0);
    if (number == 0)
        track->stream->disposition |= AV_DISPOSITION_DEFAULT;
    return true;
}

// The default style that every MP4 text track carries: white, centred, at the bottom.
static bool set_text_style(AVCodecParameters *parameters)
{
    static const uint8_t style[] = {
        0, 0,  0,   0,   1,   0xff, 0, 0, 0, 0,  0,    0,    0,    0,    0,   0,
        0, 0,  0,   0,   0,   0,    0, 1, 0, 18, 0xff, 0xff, 0xff, 0xff, 0,   0,
        0, 18, 'f', 't', 'a', 'b',  0, 1, 0, 1,  5,    'S',  'e',  'r',  'i', 'f',
    };

    parameters->extradata = av_mallocz(sizeof(style) + AV_INPUT_BUFFER_PADDING_SIZE);
    if (!parameters->extradata)
        return fail("out of memory");
    memcpy(parameters->extradata, style, sizeof(style));
    parameters->extradata_size = sizeof(style);
    return true;
}

static bool open_subtitles(struct writer *writer)
{
    static const enum AVCodecID kinds[] = {AV_CODEC_ID_SUBRIP, AV_CODEC_ID_MOV_TEXT,
                                           AV_CODEC_ID_WEBVTT};
    const AVOutputFormat *format = writer->container->oformat;
    enum AVCodecID kind = AV_CODEC_ID_NONE;

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && kind == AV_CODEC_ID_NONE; i++) {
        if (avformat_query_codec(format, kinds[i], FF_COMPLIANCE_NORMAL) == 1)
            kind = kinds[i];
    }
    if (kind == AV_CODEC_ID_NONE)
        return fail("the container %s holds no text subtitles", format->name);
    writer->subtitles = avformat_new_stream(writer->container, NULL);
    if (!writer->subtitles)
        return fail("out of memory");
    writer->subtitles->codecpar->codec_type = AVMEDIA_TYPE_SUBTITLE;
    writer->subtitles->codecpar->codec_id = kind;
    writer->subtitles->time_base = (AVRational){1, 1000};
    av_dict_set(&writer->subtitles->metadata, "language", "eng", 0);
    av_dict_set(&writer->subtitles->metadata, "title", "Signs", 0);
    return kind != AV_CODEC_ID_MOV_TEXT || set_text_style(writer->subtitles->codecpar);
}

static bool add_chapters(struct writer *writer)
{
    const struct film *film = writer->film;
    AVFormatContext *container = writer->container;

    for (int first = 0, number = 1; first < film->frames; first += film->cut, number++) {
        const int end = film->frames - first > film->cut ? first + film->cut : film->frames;
        char title[32];
        AVChapter **chapters =
            av_realloc_array(container->chapters, (size_t)number, sizeof(*chapters));
        AVChapter *chapter = av_mallocz(sizeof(*chapter));
        if (chapters)
            container->chapters = chapters;
        if (!chapters || !chapter) {
            av_free(chapter);
            return fail("out of memory");
        }
        snprintf(title, sizeof(title), "Scene %d", number);
        chapter->id = number;
        chapter->time_base = frame_time_base(film);
        chapter->start = frame_time(film, first);
        chapter->end = frame_time(film, end);
        av_dict_set(&chapter->metadata, "title", title, 0);
        chapters[container->nb_chapters++] = chapter;
    }
    return true;
}

static bool open_container(struct writer *writer)
{
    const char *path = writer->film->path;
    const int error = avformat_alloc_output_context2(&writer->container, NULL, NULL, path);

    if (error < 0)
        return fail("no container goes with the extension of %s", path);
    writer->container->flags |= AVFMT_FLAG_BITEXACT;
    av_dict_set(&writer->container->metadata, "title", "KizunaSR sample", 0);
    writer->packet = av_packet_alloc();
    return writer->packet || fail("out of memory");
}

static bool start_file(struct writer *writer)
{
    AVFormatContext *container = writer->container;
    AVDictionary *options = NULL;
    int error = 0;

    if (!(container->oformat->flags & AVFMT_NOFILE))
        error = avio_open(&container->pb, writer->film->path, AVIO_FLAG_WRITE);
    if (error < 0)
        return fail_av(error, "cannot write", writer->film->path);
    writer->begun = true;
    av_dict_copy(&options, writer->film->container_options, 0);
    error = avformat_write_header(container, &options);
    const AVDictionaryEntry *left = av_dict_get(options, "", NULL, AV_DICT_IGNORE_SUFFIX);
    const bool fine = error < 0
                          ? fail_av(error, "cannot start the container of", writer->film->path)
                      : left ? fail("the container has no option '%s'", left->key)
                             : true;
    av_dict_free(&options);
    return fine;
}

// --- writing ---

// Hands a frame, or the end (NULL), to an encoder and what comes out to the container.
static bool encode(struct writer *writer, struct track *track, const AVFrame *frame)
{
    int error = avcodec_send_frame(track->encoder, frame);

    while (error >= 0) {
        error = avcodec_receive_packet(track->encoder, writer->packet);
        if (error < 0)
            break;
        AVPacket *packet = writer->packet;
        if (track == &writer->video)
            packet->duration = frame_duration(writer->film, packet->pts);
        packet->stream_index = track->stream->index;
        av_packet_rescale_ts(packet, track->encoder->time_base, track->stream->time_base);
        error = av_interleaved_write_frame(writer->container, packet);
    }
    if (error == AVERROR(EAGAIN) || error == AVERROR_EOF)
        return true;
    return fail_av(error, "cannot encode with", track->encoder->codec->name);
}

static bool encode_picture(struct writer *writer)
{
    const struct film *film = writer->film;
    const int frame = writer->drawn, first = frame / film->cut * film->cut;
    const double seconds = frame_seconds(film, frame) - frame_seconds(film, first);
    const struct moment moment = {
        .scene = frame / film->cut % 2,
        .seconds = seconds,
        .drawing = (int)(seconds * 12 + 1e-6), // on twos, at 24 frames per second
        .title = film->title && frame < film->cut,
    };

    const int error = av_frame_make_writable(writer->video.frame);
    if (error < 0)
        return fail_av(error, "cannot allocate", "a frame");
    picture_paint(&writer->picture, &moment, writer->video.frame);
    writer->video.frame->pts = frame_time(film, frame);
    writer->drawn++;
    writer->video.next = frame_time(film, writer->drawn);
    return encode(writer, &writer->video, writer->video.frame);
}

static void put_sample(AVFrame *frame, int index, int channel, double value)
{
    const bool planar = av_sample_fmt_is_planar(frame->format);
    uint8_t *data = frame->data[planar ? channel : 0];
    const int at = planar ? index : index * 2 + channel;

    switch (av_get_packed_sample_fmt(frame->format)) {
    case AV_SAMPLE_FMT_S16: ((int16_t *)data)[at] = (int16_t)(value * 32767); break;
    case AV_SAMPLE_FMT_S32: ((int32_t *)data)[at] = (int32_t)(value * 2147483392.0); break;
    default: ((float *)data)[at] = (float)value; break;
    }
}

static bool encode_sound(struct writer *writer, int number)
{
    const struct film *film = writer->film;
    struct track *track = &writer->audio[number];
    const int usual = track->encoder->frame_size > 0 ? track->encoder->frame_size : PCM_FRAME;
    const int64_t left = writer->samples - track->next;
    AVFrame *frame = track->frame;
    int scene = 0;

    const int error = av_frame_make_writable(frame);
    if (error < 0)
        return fail_av(error, "cannot allocate", "an audio frame");
    frame->nb_samples = left < usual ? (int)left : usual;
    for (int i = 0; i < frame->nb_samples; i++) {
        const int64_t at = track->next + i;
        while ((int64_t)(scene + 1) * film->cut < film->frames &&
               at >= frame_sample(film, (scene + 1) * film->cut))
            scene++;
        for (int channel = 0; channel < 2; channel++)
            put_sample(
                frame, i, channel,
                sound_at(number, channel, scene, at - frame_sample(film, scene * film->cut)));
    }
    frame->pts = track->next;
    track->next += frame->nb_samples;
    return encode(writer, track, frame);
}

// Writes the subtitle lines that begin at or before `seconds`.
static bool write_subtitles(struct writer *writer, double seconds)
{
    static const char *const lines[] = {"The road by the sea", "The city at dusk"};
    const struct film *film = writer->film;

    while (writer->subtitles && writer->subtitles_done * film->cut < film->frames) {
        const double start = frame_seconds(film, writer->subtitles_done * film->cut) + 0.25;
        const char *line = lines[writer->subtitles_done % 2];
        const bool prefixed = writer->subtitles->codecpar->codec_id == AV_CODEC_ID_MOV_TEXT;
        const size_t prefix = prefixed ? 2 : 0, length = strlen(line);
        if (start > seconds)
            return true;
        int error = av_new_packet(writer->packet, (int)(prefix + length));
        if (error < 0)
            return fail_av(error, "cannot allocate", "a subtitle");
        if (prefixed) {
            writer->packet->data[0] = 0;
            writer->packet->data[1] = (uint8_t)length;
        }
        memcpy(writer->packet->data + prefix, line, length);
        writer->packet->stream_index = writer->subtitles->index;
        writer->packet->pts = writer->packet->dts = (int64_t)(start * 1000);
        writer->packet->duration = 2000;
        av_packet_rescale_ts(writer->packet, (AVRational){1, 1000}, writer->subtitles->time_base);
        error = av_interleaved_write_frame(writer->container, writer->packet);
        if (error < 0)
            return fail_av(error, "cannot write", "a subtitle");
        writer->subtitles_done++;
    }
    return true;
}

static bool write_streams(struct writer *writer)
{
    const struct film *film = writer->film;
    bool fine = true;

    while (fine && writer->drawn < film->frames) {
        const int64_t sample = frame_sample(film, writer->drawn);
        for (int i = 0; fine && i < writer->tracks; i++) {
            while (fine && writer->audio[i].next <= sample &&
                   writer->audio[i].next < writer->samples)
                fine = encode_sound(writer, i);
        }
        fine = fine && write_subtitles(writer, frame_seconds(film, writer->drawn)) &&
               encode_picture(writer);
    }
    for (int i = 0; fine && i < writer->tracks; i++) {
        while (fine && writer->audio[i].next < writer->samples)
            fine = encode_sound(writer, i);
        fine = fine && encode(writer, &writer->audio[i], NULL);
    }
    fine = fine && encode(writer, &writer->video, NULL);
    if (!fine)
        return false;
    const int error = av_write_trailer(writer->container);
    return error >= 0 || fail_av(error, "cannot finish", film->path);
}

static void close_track(struct track *track)
{
    avcodec_free_context(&track->encoder);
    av_frame_free(&track->frame);
}

static bool close_file(struct writer *writer)
{
    AVFormatContext *container = writer->container;
    int error = 0;

    if (container && container->pb && !(container->oformat->flags & AVFMT_NOFILE))
        error = avio_closep(&container->pb);
    avformat_free_context(container);
    av_packet_free(&writer->packet);
    close_track(&writer->video);
    for (int i = 0; i < FILM_TRACKS; i++)
        close_track(&writer->audio[i]);
    picture_destroy(&writer->picture);
    return error >= 0 || fail_av(error, "cannot finish", writer->film->path);
}

static void print_summary(const struct writer *writer)
{
    const struct film *film = writer->film;

    printf("%s: %d frames, %dx%d, %g s, %s %s", film->path, film->frames, film->width, film->height,
           frame_seconds(film, film->frames), writer->video.encoder->codec->name,
           av_get_pix_fmt_name(writer->video.encoder->pix_fmt));
    if (writer->tracks > 0)
        printf(", %d audio (%s)", writer->tracks, writer->audio[0].encoder->codec->name);
    if (writer->subtitles)
        printf(", subtitles");
    putchar('\n');
}

bool film_write(const struct film *film)
{
    struct writer *writer = calloc(1, sizeof(*writer)); // the canvas in it is large for a stack
    bool fine;

    if (!writer)
        return fail("out of memory");
    writer->film = film;
    writer->samples = frame_sample(film, film->frames);
    fine = open_container(writer) && open_video(writer);
    writer->tracks = film->tracks;
    if (fine && film->tracks < 0) // a picture has no sound, a film has
        writer->tracks = writer->container->oformat->audio_codec != AV_CODEC_ID_NONE;
    for (int i = 0; fine && i < writer->tracks; i++)
        fine = open_audio(writer, i);
    fine = fine && (!film->subtitles || open_subtitles(writer)) &&
           (!film->chapters || add_chapters(writer));
    fine = fine && start_file(writer) && write_streams(writer);
    if (fine)
        print_summary(writer);
    fine = close_file(writer) && fine;
    if (!fine && writer->begun)
        unlink(film->path);
    free(writer);
    return fine;
}
