// Flags of tracks, set when the file is written; see track_flags.h.

#include "media/container/track_flags.h"

#include <errno.h>
#include <libavutil/intreadwrite.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "media/container/containers.h"
#include "media/container/ebml.h"

#define ENABLED 1 // in the flags of a track's header

bool ksr_track_flags_needed(const AVFormatContext *output)
{
    bool any = false;
    if (ksr_container_of(output->oformat->name)->parts != KSR_PARTS_BOXES)
        return false;
    for (unsigned i = 0; i < output->nb_streams; i++) {
        const AVStream *s = output->streams[i];
        if (s->codecpar->codec_type != AVMEDIA_TYPE_SUBTITLE)
            continue;
        if (s->disposition & AV_DISPOSITION_DEFAULT)
            return false;
        any = true;
    }
    return any;
}

struct box {
    uint32_t type;
    int64_t data, end; // places in the file
};

// Reads the head of the box at *at, and moves on behind it. Returns false where none is that ends
// before `end`.
static bool next_box(FILE *file, int64_t *at, int64_t end, struct box *b)
{
    uint8_t head[16];
    if (end - *at < 8 || fseeko(file, *at, SEEK_SET) != 0 || fread(head, 1, 8, file) != 8)
        return false;
    uint64_t size = AV_RB32(head);
    b->type = AV_RB32(head + 4);
    b->data = *at + 8;
    if (size == 1) { // 64 bits follow
        if (fread(head + 8, 1, 8, file) != 8)
            return false;
        size = AV_RB64(head + 8);
        b->data += 8;
    }
    if (size < (uint64_t)(b->data - *at) || size > (uint64_t)(end - *at))
        return false;
    b->end = *at += (int64_t)size;
    return true;
}

static bool is_subtitle(const AVFormatContext *output, uint32_t track)
{
    return track > 0 && track <= output->nb_streams &&
           output->streams[track - 1]->codecpar->codec_type == AVMEDIA_TYPE_SUBTITLE;
}

// Turns a track off if it is one of subtitles; they are numbered as the streams are.
static bool finish_header(FILE *file, const struct box *header, const AVFormatContext *output)
{
    uint8_t bytes[24];
    if (header->end - header->data < (int64_t)sizeof(bytes) ||
        fseeko(file, header->data, SEEK_SET) != 0 ||
        fread(bytes, 1, sizeof(bytes), file) != sizeof(bytes))
        return false;
    const bool long_times = bytes[0] == 1;
    if (!is_subtitle(output, AV_RB32(bytes + (long_times ? 20 : 12))))
        return true;
    bytes[3] &= (uint8_t)~ENABLED;
    return fseeko(file, header->data + 3, SEEK_SET) == 0 && fwrite(bytes + 3, 1, 1, file) == 1;
}

static bool finish_boxes(FILE *file, int64_t at, int64_t end, const AVFormatContext *output)
{
    struct box b;
    while (next_box(file, &at, end, &b)) {
        const bool outer =
            b.type == MKBETAG('m', 'o', 'o', 'v') || b.type == MKBETAG('t', 'r', 'a', 'k');
        if (outer && !finish_boxes(file, b.data, b.end, output))
            return false;
        if (b.type == MKBETAG('t', 'k', 'h', 'd') && !finish_header(file, &b, output))
            return false;
    }
    return ferror(file) == 0;
}

int ksr_track_flags_finish_file(const char *path, const AVFormatContext *output)
{
    FILE *file = fopen(path, "r+b");
    if (!file)
        return AVERROR(errno);
    errno = 0;
    const bool ok = fseeko(file, 0, SEEK_END) == 0 && finish_boxes(file, 0, ftello(file), output);
    const int result = ok ? 0 : AVERROR(errno ? errno : EIO);
    return fclose(file) == 0 || result < 0 ? result : AVERROR(errno);
}

// --- Matroska ---

// Writes FlagEnabled = 0 over the first FlagLacing = 0 of a track. Returns whether there is one.
static bool disable(uint8_t *bytes, const struct ksr_element *track)
{
    static const uint8_t lacing[] = {KSR_EBML_FLAG_LACING, 0x80 | 1, 0};
    struct ksr_element e;
    for (const uint8_t *p = track->data; ksr_element_take(&p, track->data + track->size, &e);) {
        uint8_t *head = bytes + (e.head - bytes);
        if (p - e.head != sizeof(lacing) || memcmp(head, lacing, sizeof(lacing)) != 0)
            continue;
        *head = KSR_EBML_FLAG_ENABLED;
        return true;
    }
    return false;
}

static bool is_track(const AVStream *s)
{
    return s->codecpar->codec_type != AVMEDIA_TYPE_ATTACHMENT;
}

bool ksr_track_flags_disable(struct ksr_ebml_part *tracks, const AVFormatContext *output,
                             const bool *disabled)
{
    struct ksr_element e;
    const uint8_t *p = tracks->bytes;
    bool ok = true;
    for (unsigned i = 0; p && i < output->nb_streams; i++) {
        if (!is_track(output->streams[i]))
            continue;
        do
            ok = ok && ksr_element_take(&p, tracks->bytes + tracks->size, &e);
        while (ok && e.id != KSR_EBML_TRACK);
        ok = ok && (!disabled[i] || disable(tracks->bytes, &e));
    }
    ksr_ebml_put_checksum(tracks);
    return ok && p;
}
