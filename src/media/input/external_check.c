// What must be true of a subtitle file before it is added; see external.h.

#include <libavutil/avstring.h>
#include <libavutil/opt.h>
#include <stdlib.h>
#include <string.h>

#include "core/fs.h"
#include "core/mem.h"
#include "core/text.h"
#include "media/input/external.h"
#include "media/input/input.h"

static ksr_status check_second(ksr_context *ctx, const char *path)
{
    char *second;
    if (!ksr_external_second(path, &second))
        return ksr_fail_memory(ctx);
    const ksr_status status =
        second && !ksr_fs_exists(second)
            ? ksr_fail(ctx, KSR_E_INPUT, "sub: the subtitles of %s are in %s, which does not exist",
                       path, second)
            : KSR_OK;
    free(second);
    return status;
}

// FFmpeg reads UTF-16 that begins with its byte order mark.
static bool is_utf16(const char *text, size_t size)
{
    return size >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0);
}

static ksr_status check_text(ksr_context *ctx, const char *path)
{
    char *text;
    size_t size;
    const ksr_status status = ksr_fs_read_file(ctx, path, &text, &size);
    if (status != KSR_OK)
        return status == KSR_E_INPUT ? ksr_fail(ctx, status, "cannot read %s", path) : status;
    const bool good = is_utf16(text, size) || (strlen(text) == size && ksr_text_is_utf8(text));
    free(text);
    return good ? KSR_OK
                : ksr_fail(ctx, KSR_E_INPUT,
                           "sub: %s is not UTF-8; convert it from its encoding, such as: iconv -f "
                           "CP1252 -t UTF-8 FILE > NEW",
                           path);
}

// Whether a demuxer reads files of text, which FFmpeg does not convert to UTF-8.
static bool is_text(const char *demuxer)
{
    static const char names[] = "ass,srt,webvtt,microdvd,mpl2,sami,realtext,subviewer,subviewer1,"
                                "jacosub,vplayer,pjs,stl,mpsub,aqtitle,lrc,tedcaptions,scc";
    return av_match_name(demuxer, names);
}

// MicroDVD counts frames; without a rate, FFmpeg would take them for those of 23.976 Hz.
static bool has_rate(const AVFormatContext *file)
{
    AVRational rate = {0, 1};
    return strcmp(file->iformat->name, "microdvd") != 0 ||
           (av_opt_get_q(file->priv_data, "subfps", 0, &rate) >= 0 && rate.num > 0);
}

static ksr_status check_streams(ksr_context *ctx, const AVFormatContext *file, const char *path,
                                const char *language)
{
    int count = 0;
    for (unsigned i = 0; i < file->nb_streams; i++)
        count += file->streams[i]->codecpar->codec_type == AVMEDIA_TYPE_SUBTITLE;
    if (strcmp(file->iformat->name, "mpeg") == 0)
        return ksr_fail(ctx, KSR_E_INPUT, "sub: %s belongs to an .idx file; use that one", path);
    if (count == 0)
        return ksr_fail(ctx, KSR_E_INPUT, "sub: there are no subtitles in %s", path);
    if (file->iformat->flags & AVFMT_TS_DISCONT)
        return ksr_fail(ctx, KSR_E_INPUT,
                        "sub: %s has a clock of its own; extract its subtitles first: ffmpeg -i "
                        "FILE -map 0:s -c copy NEW.mks",
                        path);
    if (!has_rate(file))
        return ksr_fail(ctx, KSR_E_INPUT,
                        "sub: %s counts frames but has no frame rate; put it into its first line, "
                        "such as: %s",
                        path, "{1}{1}23.976"); // in a format, braces are options
    if (*language && count > 1)
        return ksr_fail(ctx, KSR_E_PARAM,
                        "sub: %s has %d tracks with their own languages; give it without ':%s'",
                        path, count, language);
    return KSR_OK;
}

static ksr_status check_packets(ksr_context *ctx, AVFormatContext *file, const char *path)
{
    AVPacket *packet = av_packet_alloc();
    bool any = false;
    int result = packet ? 0 : AVERROR(ENOMEM);
    ksr_ffmpeg_clear_message();
    while (result >= 0 && !any) {
        result = ksr_input_read(file, packet);
        any = result >= 0 && packet->size > 0 &&
              file->streams[packet->stream_index]->codecpar->codec_type == AVMEDIA_TYPE_SUBTITLE;
        av_packet_unref(packet);
    }
    av_packet_free(&packet);
    if (ksr_ffmpeg_starved(result))
        return ksr_fail_memory(ctx);
    if (any)
        return KSR_OK;
    return ksr_fail(ctx, KSR_E_INPUT, "sub: there are no subtitles in %s%s", path,
                    strcmp(file->iformat->name, "webvtt") == 0
                        ? " that FFmpeg reads; remove its STYLE and REGION blocks, if it has any"
                        : "");
}

static ksr_status check_path(ksr_context *ctx, const char *path, const char *output)
{
    if (!ksr_fs_exists(path))
        return ksr_fail(
            ctx, KSR_E_INPUT,
            "sub: file not found: %s (FILE, or FILE:LANGUAGE such as a.srt:eng or a.srt:pt-BR)",
            path);
    if (ksr_fs_is_special(path) || ksr_fs_is_folder(path))
        return ksr_fail(ctx, KSR_E_INPUT,
                        "sub: %s is not a regular file; save the subtitles to a file first", path);
    if (ksr_fs_size(path) == 0)
        return ksr_fail(ctx, KSR_E_INPUT, "sub: %s is empty", path);
    if (output && ksr_fs_same_file(path, output))
        return ksr_fail(ctx, KSR_E_PARAM, "sub: %s is the output", path);
    return check_second(ctx, path);
}

static ksr_status check_file(ksr_context *ctx, const char *path, const char *language)
{
    struct ksr_input input;
    char letters[4];
    if (*language && !ksr_language_letters(language, letters))
        return ksr_fail(ctx, KSR_E_PARAM, "sub: there is no language '%s' (such as ja, eng, pt-BR)",
                        language);
    ksr_status status = ksr_input_open(NULL, path, false, &input);
    if (status == KSR_E_NOMEM)
        return ksr_fail_memory(ctx);
    if (status != KSR_OK)
        return ksr_fail(ctx, KSR_E_INPUT,
                        "sub: FFmpeg finds no subtitles in %s (SRT, ASS, WebVTT, .sup, .idx and "
                        "others; text must be UTF-8)",
                        path);
    const bool text = is_text(input.format->iformat->name);
    status = check_streams(ctx, input.format, path, language);
    if (status == KSR_OK)
        status = check_packets(ctx, input.format, path);
    ksr_input_close(&input);
    return status == KSR_OK && text ? check_text(ctx, path) : status;
}

static ksr_status check(ksr_context *ctx, void *opaque, size_t i, const char *path,
                        const char *language)
{
    const char *const *output = opaque;
    (void)i;
    const ksr_status status = check_path(ctx, path, *output);
    return status == KSR_OK ? check_file(ctx, path, language) : status;
}

ksr_status ksr_external_check(ksr_context *ctx, const char *list, const char *output)
{
    return ksr_external_each(ctx, list, check, &output);
}
