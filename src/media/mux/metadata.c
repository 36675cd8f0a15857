// Tags, chapters and side data; see metadata.h.

#include "media/mux/metadata.h"

#include <libavutil/avstring.h>
#include <string.h>

#include "media/av/alpha.h"
#include "media/container/track_language.h"

static bool tag_is_stale(const char *key, bool reencoded)
{
    // Brands and statistics describe the input file, not this one.
    static const char *const always[] = {"encoder",        "major_brand",
                                         "minor_version",  "compatible_brands",
                                         KSR_LANGUAGE_TAG, // these go their own way
                                         KSR_DISABLED_TAG, KSR_EXTERNAL_TAG};
    static const char *const measured[] = {
        "BPS", "DURATION", "NUMBER_OF_FRAMES", "NUMBER_OF_BYTES", "_STATISTICS_", KSR_ALPHA_TAG};
    for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
        if (av_strcasecmp(key, always[i]) == 0)
            return true;
    for (size_t i = 0; reencoded && i < sizeof(measured) / sizeof(measured[0]); i++)
        if (av_strncasecmp(key, measured[i], strlen(measured[i])) == 0)
            return true;
    return false;
}

int ksr_copy_tags(AVDictionary **to, const AVDictionary *from, bool reencoded)
{
    const AVDictionaryEntry *tag = NULL;
    while ((tag = av_dict_get(from, "", tag, AV_DICT_IGNORE_SUFFIX)))
        if (!tag_is_stale(tag->key, reencoded) && av_dict_set(to, tag->key, tag->value, 0) < 0)
            return AVERROR(ENOMEM);
    return 0;
}

int ksr_copy_time_code(AVDictionary **to, const AVDictionary *from)
{
    const AVDictionaryEntry *tag = av_dict_get(from, "timecode", NULL, 0);
    return tag ? av_dict_set(to, "timecode", tag->value, 0) : 0;
}

// Cuts a chapter. Returns whether anything is left of it.
static bool cut_chapter(const struct ksr_cut *cut, AVChapter *c)
{
    if (!cut->on)
        return true;
    const int64_t from = av_rescale_q(cut->from, cut->base, c->time_base);
    const int64_t to = av_rescale_q(cut->to, cut->base, c->time_base);
    if (c->start >= to || (c->end != AV_NOPTS_VALUE && c->end <= from))
        return false;
    c->start = c->start > from ? c->start - from : 0;
    if (c->end != AV_NOPTS_VALUE)
        c->end = (c->end < to ? c->end : to) - from;
    return true;
}

int ksr_copy_chapters(AVFormatContext *to, const AVFormatContext *from, const struct ksr_cut *cut,
                      bool keep_tags, bool titled)
{
    for (unsigned i = 0; i < from->nb_chapters; i++) {
        const AVChapter *c = from->chapters[i];
        AVChapter *copy = av_mallocz(sizeof(*copy));
        if (!copy)
            return AVERROR(ENOMEM);
        copy->id = c->id;
        copy->time_base = c->time_base;
        copy->start = c->start;
        copy->end = c->end;
        if (!cut_chapter(cut, copy)) {
            av_free(copy);
            continue;
        }
        if (keep_tags)
            av_dict_copy(&copy->metadata, c->metadata, 0);
        else if (titled)
            av_dict_set(&copy->metadata, "title", "", 0);
        if (av_dynarray_add_nofree(&to->chapters, (int *)&to->nb_chapters, copy) < 0) {
            av_dict_free(&copy->metadata);
            av_free(copy);
            return AVERROR(ENOMEM);
        }
    }
    return 0;
}

int ksr_copy_side_data(AVStream *to, const AVStream *from, bool is_video)
{
#if LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(60, 15, 100)
    if (!is_video)
        return 0; // copied with the codec parameters
    const AVPacketSideData *list = from->codecpar->coded_side_data;
    const int count = from->codecpar->nb_coded_side_data;
#else
    const AVPacketSideData *list = from->side_data;
    const int count = from->nb_side_data;
#endif
    for (int i = 0; i < count; i++) {
        const AVPacketSideData *sd = &list[i];
        if (is_video && sd->type != AV_PKT_DATA_STEREO3D && sd->type != AV_PKT_DATA_SPHERICAL)
            continue;
#if LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(60, 15, 100)
        AVPacketSideData *copy =
            av_packet_side_data_new(&to->codecpar->coded_side_data,
                                    &to->codecpar->nb_coded_side_data, sd->type, sd->size, 0);
        uint8_t *data = copy ? copy->data : NULL;
#else
        uint8_t *data = av_stream_new_side_data(to, sd->type, sd->size);
#endif
        if (!data)
            return AVERROR(ENOMEM);
        memcpy(data, sd->data, sd->size);
    }
    return 0;
}
