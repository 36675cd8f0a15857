// The languages of Matroska's tracks in full; see track_language.h.

#include "media/track_language.h"

#include <errno.h>
#include <libavutil/crc.h>
#include <libavutil/intreadwrite.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "media/input.h"

// Elements, by RFC 8794 and RFC 9559.
enum {
    ID_EBML = 0x1a45dfa3,
    ID_DOC_TYPE = 0x4282,
    ID_CRC = 0xbf,
    ID_SEGMENT = 0x18538067,
    ID_SEEK_HEAD = 0x114d9b74,
    ID_SEEK = 0x4dbb,
    ID_SEEK_ID = 0x53ab,
    ID_SEEK_POSITION = 0x53ac,
    ID_CLUSTER = 0x1f43b675,
    ID_TRACKS = 0x1654ae6b,
    ID_TRACK = 0xae,
    ID_TRACK_TYPE = 0x83,
    ID_CODEC = 0x86,
    ID_LANGUAGE = 0x22b59c,
    ID_LANGUAGE_FULL = 0x22b59d,
};

#define MAX_ELEMENTS  1000       // of a file, before its first cluster
#define MAX_TRACKS    (64 << 20) // bytes
#define MAX_SEEK_HEAD (1 << 20)  // bytes

// --- Elements in memory ---

struct element {
    uint32_t id;
    const uint8_t *data;
    size_t size;
};

// How many bytes a number takes by its first one; 0: more than `most`.
static int length_of(uint8_t first, int most)
{
    for (int n = 1; n <= most; n++)
        if (first & 0x80 >> (n - 1))
            return n;
    return 0;
}

// Takes the next element off the bytes from *at to `end`. Returns false where none follows that is
// whole.
static bool take(const uint8_t **at, const uint8_t *end, struct element *e)
{
    const uint8_t *p = *at;
    const int id = p < end ? length_of(*p, 4) : 0;
    if (id == 0 || end - p <= id)
        return false;
    e->id = 0;
    for (int i = 0; i < id; i++)
        e->id = e->id << 8 | *p++;
    const int length = length_of(*p, 8);
    if (length == 0 || end - p < length)
        return false;
    uint64_t size = *p++ & (0xff >> length);
    for (int i = 1; i < length; i++)
        size = size << 8 | *p++;
    if (size > (uint64_t)(end - p))
        return false;
    e->data = p;
    e->size = (size_t)size;
    *at = p + size;
    return true;
}

static uint64_t number_in(const struct element *e)
{
    uint64_t n = 0;
    for (size_t i = 0; i < e->size && i < 8; i++)
        n = n << 8 | e->data[i];
    return n;
}

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

// Reads what a track says. Returns false where it is none that a demuxer would show.
static bool read_track(const struct element *track, struct ksr_track_language *out)
{
    struct element e;
    bool has_codec = false;
    memset(out, 0, sizeof(*out));
    for (const uint8_t *p = track->data; take(&p, track->data + track->size, &e);) {
        has_codec |= e.id == ID_CODEC && e.size > 0;
        if (e.id == ID_TRACK_TYPE)
            out->type = (int)(number_in(&e) & 0xff);
        if (e.id == ID_LANGUAGE_FULL && is_language(e.data, e.size))
            memcpy(out->text, e.data, e.size);
    }
    return has_codec && out->type > 0;
}

// --- Elements of a file ---

// Reads what an element begins with. *size: -1 = unknown. Returns false at the end of the file.
static bool read_head(AVIOContext *io, uint32_t *id, int64_t *size)
{
    const uint8_t first = (uint8_t)avio_r8(io);
    const int id_length = length_of(first, 4);
    *id = first;
    for (int i = 1; i < id_length; i++)
        *id = *id << 8 | (uint32_t)avio_r8(io);
    const uint8_t head = (uint8_t)avio_r8(io);
    const int length = length_of(head, 8);
    uint64_t n = head & (0xff >> length);
    for (int i = 1; i < length; i++)
        n = n << 8 | (uint64_t)avio_r8(io);
    const uint64_t unknown = length > 0 ? ((uint64_t)1 << 7 * length) - 1 : 0;
    *size = n == unknown || n > INT64_MAX ? -1 : (int64_t)n;
    return id_length > 0 && length > 0 && !avio_feof(io);
}

// Reads the bytes of an element, of at most `most`; free with free(). Returns false when out of
// memory; *bytes is NULL where the file ends before.
static bool read_bytes(AVIOContext *io, int64_t size, int64_t most, uint8_t **bytes)
{
    *bytes = NULL;
    if (size <= 0 || size > most)
        return true;
    // Not at the word of a damaged file: where it says that it is shorter.
    const int64_t file = avio_size(io);
    if (file >= 0 && size > file - avio_tell(io))
        return true;
    uint8_t *data = malloc((size_t)size);
    if (!data)
        return false;
    if (avio_read(io, data, (int)size) == (int)size)
        *bytes = data;
    else
        free(data);
    return true;
}

// Returns where a list of places says that the tracks are, -1 if it does not.
static int64_t tracks_by(const uint8_t *list, size_t size, int64_t segment)
{
    struct element seek, e;
    for (const uint8_t *p = list; take(&p, list + size, &seek);) {
        uint64_t id = 0, at = INT64_MAX;
        for (const uint8_t *q = seek.data;
             seek.id == ID_SEEK && take(&q, seek.data + seek.size, &e);) {
            id = e.id == ID_SEEK_ID ? number_in(&e) : id;
            at = e.id == ID_SEEK_POSITION ? number_in(&e) : at;
        }
        if (id == ID_TRACKS && at < (uint64_t)(INT64_MAX - segment))
            return segment + (int64_t)at;
    }
    return -1;
}

// The tracks of a file, as they are in it.
struct tracks {
    uint8_t *bytes; // NULL: none
    int64_t at, size;
    bool webm;
};

static bool read_doc_type(AVIOContext *io, int64_t size, bool *webm)
{
    struct element e;
    uint8_t *bytes;
    if (!read_bytes(io, size, MAX_SEEK_HEAD, &bytes))
        return false;
    for (const uint8_t *p = bytes; bytes && take(&p, bytes + size, &e);)
        *webm |= e.id == ID_DOC_TYPE && e.size >= 4 && memcmp(e.data, "webm", 4) == 0;
    free(bytes);
    return true;
}

static bool read_tracks(AVIOContext *io, int64_t size, struct tracks *out)
{
    out->at = avio_tell(io);
    out->size = size;
    return read_bytes(io, size, MAX_TRACKS, &out->bytes);
}

// Finds the tracks of a file: before its first cluster, or where its list of places says, which is
// at its end after some editors. Returns false when out of memory.
static bool find_tracks(AVIOContext *io, struct tracks *out)
{
    uint32_t id;
    int64_t size, segment = -1, elsewhere = -1;
    memset(out, 0, sizeof(*out));
    if (avio_seek(io, 0, SEEK_SET) < 0)
        return true;
    for (int i = 0; i < MAX_ELEMENTS && read_head(io, &id, &size) && id != ID_CLUSTER; i++) {
        const int64_t at = avio_tell(io);
        uint8_t *list = NULL;
        if (i == 0 && id != ID_EBML)
            return true;
        if (id == ID_TRACKS && segment >= 0)
            return read_tracks(io, size, out);
        if (id == ID_SEGMENT) {
            segment = at;
            continue;
        }
        if (id == ID_EBML && !read_doc_type(io, size, &out->webm))
            return false;
        if (id == ID_SEEK_HEAD && !read_bytes(io, size, MAX_SEEK_HEAD, &list))
            return false;
        if (list && elsewhere < 0)
            elsewhere = tracks_by(list, (size_t)size, segment > 0 ? segment : 0);
        free(list);
        if (size < 0 || size > INT64_MAX - at || avio_seek(io, at + size, SEEK_SET) < 0)
            break;
    }
    if (elsewhere >= 0 && avio_seek(io, elsewhere, SEEK_SET) >= 0 && read_head(io, &id, &size) &&
        id == ID_TRACKS)
        return read_tracks(io, size, out);
    return true;
}

bool ksr_track_languages_read(AVIOContext *io, struct ksr_track_languages *out)
{
    struct tracks t;
    struct element e;
    struct ksr_track_language track;
    size_t room = 0;
    memset(out, 0, sizeof(*out));
    bool ok = find_tracks(io, &t);
    out->webm = t.webm;
    for (const uint8_t *p = t.bytes; ok && p && take(&p, t.bytes + t.size, &e);) {
        if (e.id != ID_TRACK || !read_track(&e, &track))
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

static bool is_attached(const AVStream *s)
{
    return ksr_stream_is_cover(s) || s->codecpar->codec_type == AVMEDIA_TYPE_ATTACHMENT;
}

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
        if (is_attached(f->streams[i]))
            continue;
        if (n == languages->count || !is_type(f->streams[i], languages->track[n].type))
            return 0;
        n++;
    }
    if (n != languages->count)
        return 0;
    n = 0;
    for (unsigned i = 0; i < f->nb_streams && result >= 0; i++) {
        if (is_attached(f->streams[i]))
            continue;
        const char *text = languages->track[n++].text;
        if (*text)
            result = av_dict_set(&f->streams[i]->metadata, KSR_LANGUAGE_TAG, text, 0);
    }
    return result < 0 ? result : 0;
}

int ksr_track_languages_tag(AVFormatContext *input)
{
    struct ksr_track_languages languages;
    AVIOContext *io = input->pb;
    if (!io || !(io->seekable & AVIO_SEEKABLE_NORMAL) || !strstr(input->iformat->name, "matroska"))
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
    char both[KSR_LANGUAGE_TEXT + 8];
    if (!full || (letters && strlen(letters->value) != 3))
        return 0;
    snprintf(both, sizeof(both), "%s\x22\xb5\x9d%c%s", letters ? letters->value : "und",
             (char)(0x80 | strlen(full->value)), full->value);
    const int result = av_dict_set(&out->metadata, "language", both, 0);
    return result < 0 ? result : 1;
}

// Puts the length of the languages of a track right.
static bool split_languages(uint8_t *bytes, const struct element *track)
{
    static const uint8_t id[] = {0x22, 0xb5, 0x9d};
    struct element e;
    bool any = false;
    for (const uint8_t *p = track->data; take(&p, track->data + track->size, &e);) {
        const uint8_t *full = e.data + 3;
        if (e.id != ID_LANGUAGE || e.size < 8 || memcmp(full, id, sizeof(id)) != 0 ||
            full[3] != (0x80 | (e.size - 7)))
            continue;
        bytes[e.data - bytes - 1] = 0x80 | 3;
        any = true;
    }
    return any;
}

// Returns whether anything changed.
static bool split_all(struct tracks *t)
{
    struct element e, crc = {0};
    bool any = false;
    for (const uint8_t *p = t->bytes; p && take(&p, t->bytes + t->size, &e);) {
        if (e.id == ID_CRC && e.size == 4 && e.data == t->bytes + 2)
            crc = e;
        if (e.id == ID_TRACK)
            any |= split_languages(t->bytes, &e);
    }
    if (any && crc.data) {
        const size_t from = (size_t)(crc.data - t->bytes) + 4;
        const uint32_t sum = av_crc(av_crc_get_table(AV_CRC_32_IEEE_LE), UINT32_MAX,
                                    t->bytes + from, (size_t)t->size - from);
        AV_WL32(t->bytes + from - 4, ~sum);
    }
    return any;
}

static int write_back(const char *path, const struct tracks *t)
{
    FILE *file = fopen(path, "r+b");
    if (!file)
        return AVERROR(errno);
    const bool ok = fseeko(file, t->at, SEEK_SET) == 0 &&
                    fwrite(t->bytes, 1, (size_t)t->size, file) == (size_t)t->size;
    const int result = ok ? 0 : AVERROR(errno);
    return fclose(file) == 0 || result < 0 ? result : AVERROR(errno);
}

int ksr_track_languages_finish_file(const char *path)
{
    struct tracks t = {0};
    AVIOContext *io = NULL;
    char *url = ksr_ffmpeg_url(path);
    int result = url ? avio_open2(&io, url, AVIO_FLAG_READ, NULL, NULL) : AVERROR(ENOMEM);
    free(url);
    if (result >= 0 && !find_tracks(io, &t))
        result = AVERROR(ENOMEM);
    avio_closep(&io);
    if (result >= 0 && split_all(&t))
        result = write_back(path, &t);
    free(t.bytes);
    return result < 0 ? result : 0;
}

int ksr_track_languages_finish(struct ksr_memory *file)
{
    struct tracks t = {0};
    struct ksr_memory *reader = ksr_memory_read(file->data, file->size);
    const bool ok = reader && find_tracks(reader->io, &t);
    if (ok && split_all(&t))
        memcpy(file->data + t.at, t.bytes, (size_t)t.size);
    free(t.bytes);
    ksr_memory_close(&reader);
    return ok ? 0 : AVERROR(ENOMEM);
}
