// Comparing chapters and tags; see compare_tags.h.

#include "media/compare/compare_tags.h"

#include <math.h>
#include <string.h>

#include "media/container/containers.h"
#include "media/container/matroska_chapters.h"
#include "media/container/track_language.h"
#include "media/input/input.h"
#include "media/mux/metadata.h"

#define TOLERANCE_MS 2 // a tick of either container

static const char *value_of(const AVDictionary *tags, const char *name)
{
    const AVDictionaryEntry *tag = av_dict_get(tags, name, NULL, 0);
    return tag ? tag->value : "";
}

// --- Chapters ---

static double start_ms(const AVChapter *c)
{
    return (double)c->start * av_q2d(c->time_base) * 1000;
}

static void compare_chapters(const AVFormatContext *wanted, const AVFormatContext *got,
                             double shift_ms, bool titles, struct ksr_tags_comparison *out)
{
    char *text = out->chapters_differ;
    const size_t size = sizeof(out->chapters_differ);
    out->chapters = wanted->nb_chapters;
    if (got->nb_chapters != wanted->nb_chapters) {
        snprintf(text, size, "%u in the output, %u expected", got->nb_chapters,
                 wanted->nb_chapters);
        return;
    }
    for (unsigned i = 0; i < wanted->nb_chapters; i++) {
        const AVChapter *a = wanted->chapters[i], *b = got->chapters[i];
        const double off = start_ms(b) - start_ms(a) - shift_ms;
        const char *title = value_of(a->metadata, "title");
        if (fabs(off) > TOLERANCE_MS)
            snprintf(text, size, "chapter %u begins %.3f ms %s", i + 1, fabs(off),
                     off < 0 ? "early" : "late");
        else if (titles && strcmp(title, value_of(b->metadata, "title")) != 0)
            snprintf(text, size, "chapter %u has another title than '%s'", i + 1, title);
        if (*text)
            return;
    }
}

// From Matroska to Matroska they are the same bytes, with what FFmpeg does not tell of them.
static ksr_status compare_whole_chapters(ksr_context *ctx, const AVFormatContext *input,
                                         AVFormatContext *output, struct ksr_tags_comparison *out)
{
    struct ksr_matroska_chapters a = {0}, b = {0};
    if (ksr_container_read_by(input->iformat->name)->parts != KSR_PARTS_EBML ||
        ksr_container_read_by(output->iformat->name)->parts != KSR_PARTS_EBML ||
        input->nb_chapters == 0)
        return KSR_OK;
    ksr_ffmpeg_clear_message();
    const int webm = ksr_track_languages_webm(output);
    int result = webm < 0 ? webm : ksr_matroska_chapters_read(input->pb, &a);
    if (result >= 0)
        result = ksr_matroska_chapters_read(output->pb, &b);
    const bool same =
        a.size == b.size && (a.size == 0 || memcmp(a.bytes, b.bytes, (size_t)a.size) == 0);
    if (result >= 0 && webm == 0 && a.bytes && !same)
        snprintf(out->chapters_differ, sizeof(out->chapters_differ),
                 "editions, languages or flags differ");
    ksr_matroska_chapters_free(&a);
    ksr_matroska_chapters_free(&b);
    if (result < 0 && !ksr_ffmpeg_starved(result))
        return ksr_fail(ctx, KSR_E_INPUT, "cannot read the chapters");
    return result < 0 ? ksr_fail_memory(ctx) : KSR_OK;
}

static ksr_status compare_cut_chapters(ksr_context *ctx, const AVFormatContext *input,
                                       const struct ksr_film *film, AVFormatContext *output,
                                       double shift_ms, bool titles,
                                       struct ksr_tags_comparison *out)
{
    const struct ksr_cut cut = ksr_cut_of(film);
    AVFormatContext *wanted = avformat_alloc_context();
    if (!wanted || ksr_copy_chapters(wanted, input, &cut, true, false) < 0) {
        avformat_free_context(wanted);
        return ksr_fail_memory(ctx);
    }
    out->chapters_held =
        ksr_container_read_by(output->iformat->name)->chapters == KSR_CHAPTERS_KEPT;
    compare_chapters(wanted, output, shift_ms, titles, out);
    avformat_free_context(wanted);
    return titles && !cut.on && shift_ms == 0 && !out->chapters_differ[0]
               ? compare_whole_chapters(ctx, input, output, out)
               : KSR_OK;
}

// --- Tags ---

static void compare_tag(const AVDictionary *wanted, const AVDictionary *got, const char *name,
                        const char *of, struct ksr_tags_comparison *out)
{
    const char *value = value_of(wanted, name);
    // "und" is what some containers write where no language is known.
    if (!*value || strcmp(value, "und") == 0)
        return;
    out->tags++;
    if (!out->tags_differ[0] && strcmp(value, value_of(got, name)) != 0)
        snprintf(out->tags_differ, sizeof(out->tags_differ), "the %s of %s is not '%s'", name, of,
                 value);
}

static void compare_disabled(const AVStream *wanted, const AVStream *got, const char *of,
                             struct ksr_tags_comparison *out)
{
    const bool disabled = ksr_track_is_disabled(wanted);
    out->tags += disabled;
    if (!out->tags_differ[0] && disabled != ksr_track_is_disabled(got))
        snprintf(out->tags_differ, sizeof(out->tags_differ), "%s is %s in the input only", of,
                 disabled ? "disabled" : "enabled");
}

static bool is_kind(const AVStream *s, enum AVMediaType type)
{
    return s->codecpar->codec_type == type && !ksr_stream_is_cover(s);
}

static unsigned count_of(const AVFormatContext *f, enum AVMediaType type)
{
    unsigned n = 0;
    for (unsigned i = 0; i < f->nb_streams; i++)
        n += is_kind(f->streams[i], type);
    return n;
}

// Streams of a kind keep their order. Where some were left out, there is nothing to say.
static void compare_streams(const AVFormatContext *input, const AVFormatContext *output,
                            enum AVMediaType type, bool in_full, struct ksr_tags_comparison *out)
{
    unsigned o = 0;
    if (count_of(input, type) != count_of(output, type))
        return;
    for (unsigned i = 0; i < input->nb_streams; i++) {
        char of[64];
        if (!is_kind(input->streams[i], type))
            continue;
        while (!is_kind(output->streams[o], type))
            o++;
        snprintf(of, sizeof(of), "%s stream %u", av_get_media_type_string(type), i);
        compare_tag(input->streams[i]->metadata, output->streams[o]->metadata, "language", of, out);
        compare_tag(input->streams[i]->metadata, output->streams[o]->metadata, "title", of, out);
        if (in_full)
            compare_tag(input->streams[i]->metadata, output->streams[o]->metadata, KSR_LANGUAGE_TAG,
                        of, out);
        compare_disabled(input->streams[i], output->streams[o], of, out);
        o++;
    }
}

static ksr_status compare_tags(ksr_context *ctx, const AVFormatContext *input,
                               AVFormatContext *output, struct ksr_tags_comparison *out)
{
    out->tags_held = ksr_container_read_by(output->iformat->name)->keeps_tags;
    const int webm = out->tags_held ? ksr_track_languages_webm(output) : 0;
    if (webm < 0)
        return ksr_fail_memory(ctx);
    const bool in_full = out->tags_held && webm == 0;
    compare_tag(input->metadata, output->metadata, "title", "the file", out);
    compare_streams(input, output, AVMEDIA_TYPE_VIDEO, in_full, out);
    compare_streams(input, output, AVMEDIA_TYPE_AUDIO, in_full, out);
    compare_streams(input, output, AVMEDIA_TYPE_SUBTITLE, in_full, out);
    return KSR_OK;
}

ksr_status ksr_media_compare_tags(ksr_context *ctx, const char *input_path,
                                  const struct ksr_film *film, const char *output_path,
                                  double shift_ms, bool titles, struct ksr_tags_comparison *out)
{
    struct ksr_input input = {0}, output = {0};
    memset(out, 0, sizeof(*out));
    ksr_status status = ksr_input_open_film(ctx, input_path, film, &input);
    if (status == KSR_OK)
        status = ksr_input_open(ctx, output_path, true, &output);
    if (status == KSR_OK)
        status =
            compare_cut_chapters(ctx, input.format, film, output.format, shift_ms, titles, out);
    if (status == KSR_OK && titles)
        status = compare_tags(ctx, input.format, output.format, out);
    ksr_input_close(&input);
    ksr_input_close(&output);
    return status;
}
