// Subtitle files whose streams are added to those of an input; see external.h.

#include "media/input/external.h"

#include <ctype.h>
#include <inttypes.h>
#include <libavcodec/bsf.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/fs.h"
#include "core/mem.h"
#include "media/container/track_language.h"
#include "media/input/input.h"

struct file {
    char *path;
    AVFormatContext *format;
    AVBSFContext *merge; // for .sup, where several packets make one subtitle; else NULL
    AVPacket *next;      // read already, when `holding`
    bool holding, ended;
    int error;   // an AVERROR that parts of it were lost to, else 0
    int *stream; // per stream of the file: its number in the input, -1 = not added
    unsigned stream_count;
};

// What the input's `opaque` points to. While FFmpeg reads the input, `streams` of its context are
// those that FFmpeg made; at all other times the added ones follow them.
struct external {
    AVStream **own, **all;
    unsigned own_count, all_count;
    unsigned first;          // number of the first added stream
    AVFormatContext *holder; // owns the added streams
    struct file *files;
    size_t count, capacity;
    AVPacket *main; // next packet of the input itself, when `holding`
    bool holding;
    int ended;     // the AVERROR with which the input ended, else 0
    int64_t shift; // what was last added to timestamps of the input, in AV_TIME_BASE
};

// --- The list ---

// Returns the length of the path in PATH:LANGUAGE; of all where no language is at the end.
static size_t path_length(const char *text)
{
    const char *colon = strrchr(text, ':');
    return colon && colon > text && ksr_language_is_tag(colon + 1, strlen(colon + 1))
               ? (size_t)(colon - text)
               : strlen(text);
}

bool ksr_external_next(const char **list, char **path, char language[KSR_LANGUAGE_TAG_SIZE])
{
    const char *text = *list;
    *path = NULL;
    *language = 0;
    if (!text || !*text)
        return true;
    const size_t length = strcspn(text, "\n");
    *list += length + (text[length] == '\n');
    *path = strndup(text, length);
    if (!*path)
        return false;
    const size_t named = path_length(*path);
    if (named == length || ksr_fs_exists(*path))
        return true;
    snprintf(language, KSR_LANGUAGE_TAG_SIZE, "%s", *path + named + 1);
    (*path)[named] = 0;
    return true;
}

ksr_status ksr_external_each(ksr_context *ctx, const char *list, ksr_external_visitor *visit,
                             void *opaque)
{
    char language[KSR_LANGUAGE_TAG_SIZE], *path;
    for (size_t i = 0;; i++) {
        if (!ksr_external_next(&list, &path, language))
            return ksr_fail_memory(ctx);
        if (!path)
            return KSR_OK;
        const ksr_status status = visit(ctx, opaque, i, path, language);
        free(path);
        if (status != KSR_OK)
            return status;
    }
}

// --- VobSub ---

bool ksr_external_second(const char *path, char **out)
{
    const char *ending = strrchr(path, '.');
    *out = NULL;
    if (!ending || strcasecmp(ending, ".idx") != 0)
        return true;
    *out = strdup(path);
    if (*out) // as FFmpeg forms it
        memcpy(*out + (ending + 1 - path), strcmp(ending, ".IDX") == 0 ? "SUB" : "sub", 3);
    return *out != NULL;
}

// --- Adding streams ---

const char *ksr_stream_file(const AVStream *stream)
{
    const AVDictionaryEntry *file = av_dict_get(stream->metadata, KSR_EXTERNAL_TAG, NULL, 0);
    return file ? file->value : NULL;
}

int ksr_external_count(const AVFormatContext *input)
{
    const struct external *x = input->opaque;
    return x ? (int)(x->all_count - x->first) : 0;
}

static void show_own(AVFormatContext *input, const struct external *x)
{
    input->streams = x->own;
    input->nb_streams = x->own_count;
}

static void show_all(AVFormatContext *input, struct external *x)
{
    x->own = input->streams; // FFmpeg may have found more
    x->own_count = input->nb_streams;
    input->streams = x->all;
    input->nb_streams = x->all_count;
}

// Sets the language of a stream: what was asked for, else what the file says.
static int set_language(AVStream *s, const char *asked)
{
    const AVDictionaryEntry *own = av_dict_get(s->metadata, "language", NULL, 0);
    const char *tag = *asked ? asked : own ? own->value : "";
    char letters[4];
    int result = 0;
    if (*asked)
        result = av_dict_set(&s->metadata, KSR_LANGUAGE_TAG, NULL, 0);
    if (result >= 0 && *asked && strchr(asked, '-'))
        result = av_dict_set(&s->metadata, KSR_LANGUAGE_TAG, asked, 0);
    if (result >= 0 && ksr_language_letters(tag, letters))
        result = av_dict_set(&s->metadata, "language", letters, 0);
    return result;
}

static AVStream *make_stream(struct external *x, const AVStream *in, const char *path,
                             const char *language)
{
    AVStream *s = avformat_new_stream(x->holder, NULL);
    AVStream **all = s ? realloc(x->all, (x->all_count + 1) * sizeof(*all)) : NULL;
    if (!all)
        return NULL;
    x->all = all;
    s->index = (int)x->all_count;
    s->time_base = in->time_base;
    s->disposition = in->disposition & ~AV_DISPOSITION_DEFAULT; // of its own file
    if (avcodec_parameters_copy(s->codecpar, in->codecpar) < 0 ||
        av_dict_copy(&s->metadata, in->metadata, 0) < 0 ||
        av_dict_set(&s->metadata, KSR_EXTERNAL_TAG, ksr_fs_name(path), 0) < 0 ||
        set_language(s, language) < 0)
        return NULL;
    x->all[x->all_count++] = s;
    return s;
}

static bool add_streams(struct external *x, struct file *f, const char *path, const char *language)
{
    f->next = av_packet_alloc();
    f->stream_count = f->format->nb_streams; // FFmpeg may find more while it reads
    f->stream = calloc(f->stream_count + 1, sizeof(*f->stream));
    for (unsigned i = 0; f->next && f->stream && i < f->stream_count; i++) {
        const AVStream *in = f->format->streams[i];
        f->stream[i] = -1;
        if (in->codecpar->codec_type != AVMEDIA_TYPE_SUBTITLE)
            continue;
        const AVStream *s = make_stream(x, in, path, language);
        if (!s)
            return false;
        f->stream[i] = s->index;
    }
    return f->next && f->stream;
}

static bool open_merge(struct file *f)
{
    const AVBitStreamFilter *merge = av_bsf_get_by_name("pgs_frame_merge");
    if (strcmp(f->format->iformat->name, "sup") != 0 || !merge)
        return true;
    return av_bsf_alloc(merge, &f->merge) >= 0 &&
           avcodec_parameters_copy(f->merge->par_in, f->format->streams[0]->codecpar) >= 0 &&
           av_bsf_init(f->merge) >= 0;
}

static ksr_status add_file(ksr_context *ctx, void *external, size_t i, const char *path,
                           const char *language)
{
    struct external *x = external;
    struct ksr_input opened;
    (void)i;
    if (!ksr_array_reserve((void **)&x->files, &x->capacity, x->count + 1, sizeof(*x->files)))
        return ksr_fail_memory(ctx);
    const ksr_status status = ksr_input_open(ctx, path, false, &opened);
    if (status != KSR_OK)
        return status;
    struct file *f = &x->files[x->count++];
    memset(f, 0, sizeof(*f));
    f->format = opened.format;
    ksr_known_free(&opened.known);
    f->path = strdup(path);
    return f->path && add_streams(x, f, path, language) && open_merge(f) ? KSR_OK
                                                                         : ksr_fail_memory(ctx);
}

static void free_external(struct external *x)
{
    for (size_t i = 0; i < x->count; i++) {
        avformat_close_input(&x->files[i].format);
        av_bsf_free(&x->files[i].merge);
        av_packet_free(&x->files[i].next);
        free(x->files[i].stream);
        free(x->files[i].path);
    }
    free(x->files);
    free(x->all);
    avformat_free_context(x->holder);
    av_packet_free(&x->main);
    free(x);
}

static struct external *create(const AVFormatContext *input)
{
    struct external *x = calloc(1, sizeof(*x));
    if (!x)
        return NULL;
    x->first = x->all_count = input->nb_streams;
    x->main = av_packet_alloc();
    x->holder = avformat_alloc_context();
    x->all = calloc(input->nb_streams + 1, sizeof(*x->all));
    if (x->main && x->holder && x->all) {
        memcpy(x->all, input->streams, input->nb_streams * sizeof(*x->all));
        return x;
    }
    free_external(x);
    return NULL;
}

ksr_status ksr_external_add(ksr_context *ctx, const char *list, AVFormatContext *input)
{
    if (!list || !*list)
        return KSR_OK;
    struct external *x = create(input);
    const ksr_status status = x ? ksr_external_each(ctx, list, add_file, x) : ksr_fail_memory(ctx);
    if (status == KSR_OK) {
        input->opaque = x;
        show_all(input, x);
    } else if (x) {
        free_external(x);
    }
    return status;
}

void ksr_external_remove(AVFormatContext *input)
{
    struct external *x = input ? input->opaque : NULL;
    if (!x)
        return;
    show_own(input, x);
    input->opaque = NULL;
    free_external(x);
}

// --- Reading ---

static bool is_read(const AVStream *s)
{
    return s->discard < AVDISCARD_ALL;
}

static bool any_own(const struct external *x)
{
    for (unsigned i = 0; i < x->first; i++)
        if (is_read(x->all[i]))
            return true;
    return false;
}

// Takes the input's own next packet, unless all its streams are discarded. Packets of streams that
// were found after the files were added are skipped: their numbers are taken.
static void hold_own(AVFormatContext *input, struct external *x)
{
    while (!x->holding && x->ended == 0) {
        if (!any_own(x)) {
            x->ended = AVERROR_EOF;
            return;
        }
        show_own(input, x);
        const int result = ksr_input_read_own(input, x->main);
        show_all(input, x);
        x->ended = result < 0 ? result : 0;
        x->holding = result >= 0 && (unsigned)x->main->stream_index < x->first;
        if (result >= 0 && !x->holding)
            av_packet_unref(x->main);
    }
}

// Where time 0 of the files is. Audio may begin a little below 0, which is what its encoder puts
// before the first sample; the video begins at 0 then.
static int64_t start_of(const AVFormatContext *input, const struct external *x)
{
    const int64_t start = input->start_time != AV_NOPTS_VALUE ? input->start_time : 0;
    for (unsigned i = 0; start < 0 && i < x->first; i++) {
        const AVStream *s = x->all[i];
        if (s->codecpar->codec_type == AVMEDIA_TYPE_VIDEO && s->start_time < 0 &&
            s->start_time != AV_NOPTS_VALUE)
            return start;
    }
    return start > 0 ? start : 0;
}

static void place(const AVFormatContext *input, const struct external *x, AVPacket *p, int stream)
{
    const AVRational base = input->streams[stream]->time_base;
    const int64_t start = av_rescale_q(start_of(input, x), AV_TIME_BASE_Q, base);
    p->stream_index = stream;
    if (p->pts != AV_NOPTS_VALUE)
        p->pts = av_sat_add64(p->pts, start);
    if (p->dts != AV_NOPTS_VALUE)
        p->dts = av_sat_add64(p->dts, start);
    p->pos = -1;
}

// Reads what is next in a file itself: 0 or an AVERROR.
static int read_part(struct file *f)
{
    const int result = ksr_input_read(f->format, f->next);
    if (result < 0 && result != AVERROR_EOF)
        f->error = result;
    return result;
}

// Merges the next parts of a .sup file into a packet: 0 or an AVERROR.
static int merge_parts(struct file *f)
{
    int result;
    while ((result = av_bsf_receive_packet(f->merge, f->next)) == AVERROR(EAGAIN)) {
        const int read = read_part(f);
        const int sent = read == AVERROR(ENOMEM)
                             ? read
                             : av_bsf_send_packet(f->merge, read < 0 ? NULL : f->next);
        if (sent < 0)
            return sent;
    }
    return result;
}

// Whether a subtitle of .sup ends with the segment that players show it at.
static bool is_whole(const AVPacket *p)
{
    static const uint8_t end[] = {0x80, 0, 0};
    return p->size >= 3 && memcmp(p->data + p->size - 3, end, 3) == 0;
}

// Reads the next packet of a file: 0 or an AVERROR.
static int read_file(struct file *f)
{
    if (!f->merge)
        return read_part(f);
    int result = merge_parts(f);
    for (; result >= 0 && !is_whole(f->next); result = merge_parts(f)) {
        f->error = AVERROR_INVALIDDATA;
        av_packet_unref(f->next);
    }
    if (result < 0 && result != AVERROR_EOF)
        f->error = result;
    return result;
}

// Takes the next packet of a file. Returns 0 or AVERROR(ENOMEM): every other error ends the file.
static int hold_next(const AVFormatContext *input, const struct external *x, struct file *f)
{
    while (!f->holding && !f->ended) {
        const int result = read_file(f);
        if (result == AVERROR(ENOMEM))
            return result;
        f->ended = result < 0;
        const unsigned i = f->ended ? f->stream_count : (unsigned)f->next->stream_index;
        const int stream = i < f->stream_count ? f->stream[i] : -1;
        f->holding = stream >= 0 && is_read(input->streams[stream]);
        if (f->holding)
            place(input, x, f->next, stream);
        else
            av_packet_unref(f->next);
    }
    return 0;
}

// When a packet is due, in AV_TIME_BASE; INT64_MIN, which is at once, without a timestamp.
static int64_t due(const AVFormatContext *input, const AVPacket *p)
{
    const int64_t time = p->dts != AV_NOPTS_VALUE ? p->dts : p->pts;
    const AVRational base = input->streams[p->stream_index]->time_base;
    return time == AV_NOPTS_VALUE ? INT64_MIN : av_rescale_q(time, base, AV_TIME_BASE_Q);
}

void ksr_external_follow(const AVFormatContext *input, const AVPacket *packet, int64_t before)
{
    struct external *x = input->opaque;
    if (!x || packet->pts == AV_NOPTS_VALUE || before == AV_NOPTS_VALUE ||
        (unsigned)packet->stream_index >= x->first)
        return;
    const AVRational base = input->streams[packet->stream_index]->time_base;
    x->shift = av_rescale_q(av_sat_sub64(packet->pts, before), base, AV_TIME_BASE_Q);
}

int ksr_external_read(AVFormatContext *input, AVPacket *packet)
{
    struct external *x = input->opaque;
    hold_own(input, x);
    AVPacket *first = x->holding ? x->main : NULL;
    bool *holding = &x->holding;
    int64_t time = first ? due(input, first) : INT64_MAX;
    if (first && time != INT64_MIN)
        time = av_sat_add64(time, x->shift);
    for (size_t i = 0; i < x->count; i++) {
        struct file *f = &x->files[i];
        const int result = hold_next(input, x, f);
        if (result < 0)
            return result;
        if (f->holding && (!first || due(input, f->next) < time)) {
            first = f->next;
            time = due(input, first);
            holding = &f->holding;
        }
    }
    if (!first)
        return x->ended;
    *holding = false;
    av_packet_move_ref(packet, first);
    return 0;
}

// Lines that say when a subtitle is shown, in SRT and WebVTT.
static int64_t count_cues(const char *text)
{
    int64_t count = 0;
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        const char *arrow = isdigit((unsigned char)*line) ? strstr(line, "-->") : NULL;
        count += arrow && (size_t)(arrow - line) < strcspn(line, "\n");
    }
    return count;
}

// Warns of what FFmpeg skips in SRT and WebVTT, whose reader ends at the first line it does not
// know.
static ksr_status tell_skipped(ksr_context *ctx, const struct file *f, int64_t packets)
{
    const bool vtt = strcmp(f->format->iformat->name, "webvtt") == 0;
    char *text;
    if (!vtt && strcmp(f->format->iformat->name, "srt") != 0)
        return KSR_OK;
    const ksr_status status = ksr_fs_read_file(ctx, f->path, &text, NULL);
    if (status != KSR_OK)
        return status == KSR_E_INPUT ? ksr_fail(ctx, status, "cannot read %s", f->path) : status;
    const int64_t cues = count_cues(text);
    if (packets < cues)
        ksr_log(ctx, KSR_LOG_WARNING,
                "sub: only %" PRId64 " of %" PRId64
                " subtitles in %s can be read; check it for damaged lines",
                packets, cues, f->path);
    if (vtt && (strstr(text, "\nSTYLE") || strstr(text, "\nREGION")))
        ksr_log(ctx, KSR_LOG_WARNING,
                "sub: STYLE and REGION blocks of %s are dropped; an .ass file keeps styles",
                f->path);
    free(text);
    return KSR_OK;
}

static ksr_status tell_losses(ksr_context *ctx, const struct file *f, const int64_t *packets)
{
    char text[256];
    int64_t count = 0;
    for (unsigned i = 0; i < f->stream_count; i++)
        count += f->stream[i] >= 0 ? packets[f->stream[i]] : 0;
    if (f->error != 0)
        ksr_log(ctx, KSR_LOG_WARNING,
                "sub: %s is damaged or truncated (%s): unreadable parts are dropped", f->path,
                ksr_ffmpeg_error(f->error, text));
    return tell_skipped(ctx, f, count);
}

ksr_status ksr_external_count_packets(ksr_context *ctx, AVFormatContext *input, int64_t *packets)
{
    struct external *x = input->opaque;
    AVPacket *packet = av_packet_alloc();
    int result = packet ? 0 : AVERROR(ENOMEM);
    for (unsigned i = 0; i < x->first; i++)
        x->all[i]->discard = AVDISCARD_ALL;
    ksr_ffmpeg_clear_message();
    while (result >= 0) {
        result = ksr_external_read(input, packet);
        if (result >= 0)
            packets[packet->stream_index]++;
        av_packet_unref(packet);
    }
    av_packet_free(&packet);
    if (ksr_ffmpeg_starved(result))
        return ksr_fail_memory(ctx);
    ksr_status status = ksr_check_cancel(ctx);
    for (size_t i = 0; i < x->count && status == KSR_OK; i++)
        status = tell_losses(ctx, &x->files[i], packets);
    return status;
}
