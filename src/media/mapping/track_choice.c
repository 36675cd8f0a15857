// Choosing tracks; see track_choice.h.

#include "media/mapping/track_choice.h"

#include <libavutil/avstring.h>
#include <stdlib.h>
#include <string.h>

#include "media/container/track_language.h"
#include "media/input/external.h"

static const char *list_of(const struct ksr_choice *choice, enum AVMediaType kind)
{
    const char *list = kind == AVMEDIA_TYPE_AUDIO      ? choice->audio
                       : kind == AVMEDIA_TYPE_SUBTITLE ? choice->subs
                                                       : NULL;
    return list ? list : "all";
}

static bool is_word(const char *text, size_t length, const char *word)
{
    return strlen(word) == length && av_strncasecmp(text, word, length) == 0;
}

// Number of a stream among those of its kind, from 1.
static int number_of(const AVFormatContext *input, const AVStream *stream)
{
    int number = 0;
    for (int i = 0; i <= stream->index; i++)
        number += input->streams[i]->codecpar->codec_type == stream->codecpar->codec_type;
    return number;
}

// Whether one word of a list, which ends with the list or a comma, means a stream.
static bool means(const char *word, size_t length, const AVFormatContext *input, const AVStream *s)
{
    const AVDictionaryEntry *language = av_dict_get(s->metadata, "language", NULL, 0);
    const AVDictionaryEntry *full = av_dict_get(s->metadata, KSR_LANGUAGE_TAG, NULL, 0);
    char *end;
    if (ksr_stream_file(s))
        return false;
    const long number = strtol(word, &end, 10);
    if (end == word + length && length > 0)
        return number == number_of(input, s);
    return is_word(word, length, "all") || (language && is_word(word, length, language->value)) ||
           (full && (is_word(word, length, full->value) ||
                     (strlen(full->value) > length && full->value[length] == '-' &&
                      av_strncasecmp(word, full->value, length) == 0)));
}

bool ksr_choice_has(const struct ksr_choice *choice, const AVFormatContext *input,
                    const AVStream *stream)
{
    const char *word = list_of(choice, stream->codecpar->codec_type);
    if (ksr_stream_file(stream))
        return true;
    if (strcmp(word, "none") == 0)
        return false;
    for (;; word++) {
        const size_t length = strcspn(word, ",");
        if (means(word, length, input, stream))
            return true;
        word += length;
        if (!*word)
            return false;
    }
}

// What there is to choose from, as "1: jpn, 2: eng".
static void list_tracks(const AVFormatContext *input, enum AVMediaType kind, char *out, size_t size)
{
    size_t used = 0;
    int number = 0;
    snprintf(out, size, "there is none");
    for (unsigned i = 0; i < input->nb_streams && used < size; i++) {
        const AVStream *s = input->streams[i];
        const AVDictionaryEntry *language = av_dict_get(s->metadata, "language", NULL, 0);
        if (s->codecpar->codec_type != kind || ksr_stream_file(s))
            continue;
        number++;
        used += (size_t)snprintf(out + used, size - used, "%s%d: %s", number > 1 ? ", " : "",
                                 number, language ? language->value : "und");
    }
}

static ksr_status check_list(ksr_context *ctx, const char *name, const char *list,
                             const AVFormatContext *input, enum AVMediaType kind)
{
    char tracks[256];
    if (strcmp(list, "none") == 0 || strcmp(list, "all") == 0)
        return KSR_OK;
    for (const char *word = list;; word++) {
        const size_t length = strcspn(word, ",");
        bool found = false;
        for (unsigned i = 0; i < input->nb_streams && !found; i++)
            found = input->streams[i]->codecpar->codec_type == kind &&
                    means(word, length, input, input->streams[i]);
        if (!found) {
            list_tracks(input, kind, tracks, sizeof(tracks));
            return ksr_fail(ctx, KSR_E_PARAM, "%s: there is no track '%.*s' (%s)", name,
                            (int)length, word, tracks);
        }
        word += length;
        if (!*word)
            return KSR_OK;
    }
}

ksr_status ksr_choice_check(ksr_context *ctx, const struct ksr_choice *choice,
                            const AVFormatContext *input)
{
    const enum AVMediaType audio = AVMEDIA_TYPE_AUDIO, subs = AVMEDIA_TYPE_SUBTITLE;
    const ksr_status status = check_list(ctx, "audio", list_of(choice, audio), input, audio);
    return status == KSR_OK ? check_list(ctx, "subs", list_of(choice, subs), input, subs) : status;
}
