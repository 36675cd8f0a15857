// What FFmpeg does not read of Matroska's tracks; see track_language.h.

#include "media/container/track_language.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "media/container/containers.h"
#include "media/container/ebml.h"

#define MAX_LETTERS 56 // of the other element; with the full one and its head not over 126 bytes

// What BCP 47 can be made of.
static bool is_language(const uint8_t *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        const bool letter = (text[i] | 32) >= 'a' && (text[i] | 32) <= 'z';
        if (!letter && !(text[i] >= '0' && text[i] <= '9') && text[i] != '-')
            return false;
    }
    return size > 0 && size < KSR_LANGUAGE_TEXT;
}

static bool is_shown(int type)
{
    enum { PICTURE = 1, SOUND = 2, SUBTITLES = 0x11, METADATA = 0x21 };
    return type == PICTURE || type == SOUND || type == SUBTITLES || type == METADATA;
}

// Reads what a track says. Returns false where it is none that a demuxer would show.
static bool read_track(const struct ksr_element *track, struct ksr_track_language *out)
{
    struct ksr_element e;
    bool has_codec = false;
    memset(out, 0, sizeof(*out));
    for (const uint8_t *p = track->data; ksr_element_take(&p, track->data + track->size, &e);) {
        has_codec |= e.id == KSR_EBML_CODEC && e.size > 0;
        if (e.id == KSR_EBML_TRACK_TYPE)
            out->type = (int)(ksr_element_number(&e) & 0xff);
        if (e.id == KSR_EBML_FLAG_ENABLED) // an empty element stands for its default, 1
            out->disabled = e.size > 0 && ksr_element_number(&e) == 0;
        if (e.id == KSR_EBML_LANGUAGE_FULL) {
            const size_t length = strnlen((const char *)e.data, e.size); // padding may follow
            memset(out->text, 0, sizeof(out->text));
            if (is_language(e.data, length))
                memcpy(out->text, e.data, length);
        }
    }
    return has_codec && is_shown(out->type);
}

bool ksr_track_languages_read(AVIOContext *io, struct ksr_track_languages *out)
{
    struct ksr_ebml_part t;
    struct ksr_element e;
    struct ksr_track_language track;
    size_t room = 0;
    memset(out, 0, sizeof(*out));
    bool ok = ksr_ebml_find(io, KSR_EBML_TRACKS, &t);
    out->webm = t.webm;
    for (const uint8_t *p = t.bytes; ok && p && ksr_element_take(&p, t.bytes + t.size, &e);) {
        if (e.id != KSR_EBML_TRACK || !read_track(&e, &track))
            continue;
        ok = ksr_array_reserve((void **)&out->track, &room, (size_t)out->count + 1, sizeof(track));
        if (ok)
            out->track[out->count++] = track;
    }
    free(t.bytes);
    if (ok)
        return true;
    free(out->track);
    memset(out, 0, sizeof(*out));
    return false;
}

bool ksr_track_languages_of(const uint8_t *bytes, int64_t size, struct ksr_track_languages *out)
{
    struct ksr_memory *memory = ksr_memory_read(bytes, size);
    memset(out, 0, sizeof(*out));
    const bool ok = memory && ksr_track_languages_read(memory->io, out);
    ksr_memory_close(&memory);
    return ok;
}

// --- Reading ---

static bool is_type(const AVStream *s, int type)
{
    const enum AVMediaType t = s->codecpar->codec_type;
    return (type == 1) == (t == AVMEDIA_TYPE_VIDEO) && (type == 2) == (t == AVMEDIA_TYPE_AUDIO);
}

// Streams come in the order of tracks. Where a demuxer leaves some out, nothing is known.
static int tag_streams(AVFormatContext *f, const struct ksr_track_languages *languages)
{
    int n = 0, result = 0;
    for (unsigned i = 0; i < f->nb_streams; i++) {
        if (ksr_stream_is_attached(f->streams[i]))
            continue;
        if (n == languages->count || !is_type(f->streams[i], languages->track[n].type))
            return 0;
        n++;
    }
    if (n != languages->count)
        return 0;
    n = 0;
    for (unsigned i = 0; i < f->nb_streams && result >= 0; i++) {
        if (ksr_stream_is_attached(f->streams[i]))
            continue;
        const struct ksr_track_language *track = &languages->track[n++];
        const char *text = track->text;
        const AVDictionaryEntry *letters =
            av_dict_get(f->streams[i]->metadata, "language", NULL, 0);
        if (*text && (!letters || strlen(letters->value) <= MAX_LETTERS))
            result = av_dict_set(&f->streams[i]->metadata, KSR_LANGUAGE_TAG, text, 0);
        if (track->disabled && result >= 0)
            result = av_dict_set(&f->streams[i]->metadata, KSR_DISABLED_TAG, "1", 0);
    }
    return result < 0 ? result : 0;
}

int ksr_track_languages_tag(AVFormatContext *input)
{
    struct ksr_track_languages languages;
    AVIOContext *io = input->pb;
    // What a file calls so itself is a word of its own, and not to be trusted.
    for (unsigned i = 0; i < input->nb_streams; i++) {
        av_dict_set(&input->streams[i]->metadata, KSR_LANGUAGE_TAG, NULL, 0);
        av_dict_set(&input->streams[i]->metadata, KSR_DISABLED_TAG, NULL, 0);
        av_dict_set(&input->streams[i]->metadata, KSR_EXTERNAL_TAG, NULL, 0);
    }
    if (!io || !(io->seekable & AVIO_SEEKABLE_NORMAL) ||
        ksr_container_read_by(input->iformat->name)->parts != KSR_PARTS_EBML)
        return 0;
    const int64_t at = avio_tell(io);
    int result = ksr_track_languages_read(io, &languages) ? 0 : AVERROR(ENOMEM);
    const int64_t back = avio_seek(io, at, SEEK_SET);
    if (result == 0)
        result = back < 0 ? (int)back : tag_streams(input, &languages);
    free(languages.track);
    return result;
}

int ksr_track_languages_webm(AVFormatContext *input)
{
    struct ksr_track_languages languages;
    if (!input->pb || !ksr_track_languages_read(input->pb, &languages))
        return input->pb ? AVERROR(ENOMEM) : 0;
    free(languages.track);
    return languages.webm;
}

// --- Writing ---

int ksr_track_language_set(AVStream *out, const AVStream *in)
{
    const AVDictionaryEntry *full = av_dict_get(in->metadata, KSR_LANGUAGE_TAG, NULL, 0);
    const AVDictionaryEntry *letters = av_dict_get(out->metadata, "language", NULL, 0);
    char both[MAX_LETTERS + 4 + KSR_LANGUAGE_TEXT];
    if (!full)
        return 0;
    snprintf(both, sizeof(both), "%.*s\x22\xb5\x9d%c%s", MAX_LETTERS,
             letters && *letters->value ? letters->value : "und",
             (char)(0x80 | strlen(full->value)), full->value);
    const int result = av_dict_set(&out->metadata, "language", both, 0);
    return result < 0 ? result : 1;
}

// Puts the length of the languages of a track right.
static bool split_languages(uint8_t *bytes, const struct ksr_element *track)
{
    static const uint8_t id[] = {0x22, 0xb5, 0x9d};
    struct ksr_element e;
    bool any = false;
    for (const uint8_t *p = track->data; ksr_element_take(&p, track->data + track->size, &e);) {
        const uint8_t *full =
            e.id == KSR_EBML_LANGUAGE ? memmem(e.data, e.size, id, sizeof(id)) : NULL;
        const size_t letters = full ? (size_t)(full - e.data) : 0;
        // The size takes one byte, up to 126.
        if (!full || e.size < letters + 5 || bytes[e.data - bytes - 1] != (0x80 | e.size) ||
            e.size > 126 || full[3] != (0x80 | (e.size - letters - 4)))
            continue;
        bytes[e.data - bytes - 1] = (uint8_t)(0x80 | letters);
        any = true;
    }
    return any;
}

void ksr_track_languages_put(struct ksr_ebml_part *tracks)
{
    struct ksr_element e;
    bool any = false;
    const uint8_t *p = tracks->bytes;
    while (p && ksr_element_take(&p, tracks->bytes + tracks->size, &e))
        if (e.id == KSR_EBML_TRACK)
            any |= split_languages(tracks->bytes, &e);
    if (any)
        ksr_ebml_put_checksum(tracks);
}
