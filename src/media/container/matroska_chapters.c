// Chapters from Matroska to Matroska, whole; see matroska_chapters.h.

#include "media/container/matroska_chapters.h"

#include <libavutil/intreadwrite.h>
#include <stdlib.h>
#include <string.h>

#include "media/container/ebml.h"

#define MAX_CHAPTERS (4 << 20) // bytes
#define HEAD         12        // bytes of the element's id and of its size in the longest form

void ksr_matroska_chapters_free(struct ksr_matroska_chapters *c)
{
    free(c->bytes);
    memset(c, 0, sizeof(*c));
}

// Makes chapters that are for some tracks only to be for all: an output's tracks have other
// numbers. Checksums over what is changed go as well. Returns whether anything changed.
static bool forget_tracks(uint8_t *bytes, size_t size, int depth)
{
    enum { DEEPEST = 8 };
    struct ksr_element e;
    uint8_t *sum = NULL;
    bool any = false;
    const uint8_t *p = bytes;
    while (ksr_element_take(&p, bytes + size, &e)) {
        uint8_t *head = bytes + (e.head - bytes);
        if (e.id == KSR_EBML_CRC)
            sum = head;
        const bool is_tracks = e.id == KSR_EBML_CHAPTER_TRACKS;
        if (is_tracks)
            *head = KSR_EBML_VOID;
        any |= is_tracks;
        if ((e.id == KSR_EBML_EDITION || e.id == KSR_EBML_CHAPTER) && depth < DEEPEST)
            any |= forget_tracks(bytes + (e.data - bytes), e.size, depth + 1);
    }
    if (any && sum)
        *sum = KSR_EBML_VOID;
    return any;
}

// Whether bytes are elements that end where the bytes end, with an edition among them.
static bool are_whole(const uint8_t *bytes, int64_t size)
{
    struct ksr_element e;
    bool any = false;
    const uint8_t *p = bytes, *end = bytes + size;
    while (ksr_element_take(&p, end, &e)) {
        any |= e.id == KSR_EBML_EDITION;
        const uint8_t *q = e.data;
        for (struct ksr_element inner; e.id == KSR_EBML_EDITION;)
            if (!ksr_element_take(&q, e.data + e.size, &inner))
                break;
        if (e.id == KSR_EBML_EDITION && q != e.data + e.size)
            return false;
    }
    return any && p == end;
}

int ksr_matroska_chapters_read(AVIOContext *io, struct ksr_matroska_chapters *out)
{
    struct ksr_ebml_part part;
    memset(out, 0, sizeof(*out));
    if (!io || !(io->seekable & AVIO_SEEKABLE_NORMAL))
        return 0;
    const int64_t at = avio_tell(io);
    const bool ok = ksr_ebml_find(io, KSR_EBML_CHAPTERS, &part);
    const int64_t back = avio_seek(io, at, SEEK_SET);
    if (ok && back >= 0 && part.bytes && part.size <= MAX_CHAPTERS &&
        are_whole(part.bytes, part.size)) {
        out->bytes = part.bytes;
        out->size = part.size;
        forget_tracks(out->bytes, (size_t)out->size, 0);
        return 0;
    }
    free(part.bytes);
    return !ok ? AVERROR(ENOMEM) : back < 0 ? (int)back : 0;
}

int ksr_matroska_chapters_of(const uint8_t *bytes, int64_t size, struct ksr_matroska_chapters *out)
{
    struct ksr_memory *memory = ksr_memory_read(bytes, size);
    memset(out, 0, sizeof(*out));
    const int result = memory ? ksr_matroska_chapters_read(memory->io, out) : AVERROR(ENOMEM);
    ksr_memory_close(&memory);
    return result;
}

int ksr_matroska_chapters_reserve(AVFormatContext *output, struct ksr_matroska_chapters *c)
{
    if (!c->bytes || output->nb_chapters == 0) {
        ksr_matroska_chapters_free(c);
        return 0;
    }
    char *room = malloc((size_t)c->size + HEAD + 1);
    if (!room)
        return AVERROR(ENOMEM);
    memset(room, '-', (size_t)c->size + HEAD);
    room[c->size + HEAD] = 0;
    const int result = av_dict_set(&output->chapters[0]->metadata, "title", room, 0);
    free(room);
    return result < 0 ? result : 0;
}

// Writes an element's id and its size, in 8 bytes. Returns how many.
static int put_head(uint8_t *out, uint32_t id, int64_t size)
{
    int n = 0;
    for (int shift = 24; shift >= 0; shift -= 8)
        if (id >> shift)
            out[n++] = (uint8_t)(id >> shift);
    AV_WB64(out + n, (uint64_t)1 << 56 | (uint64_t)size);
    return n + 8;
}

// Makes what takes the place of the muxer's chapters, of the same length: the chapters, and nothing
// behind them. Returns NULL when out of memory; *size is 0 where there is no room.
static uint8_t *make_part(const struct ksr_ebml_part *there, const struct ksr_matroska_chapters *c,
                          int64_t *size)
{
    const int void_head = 9;
    const int64_t left = there->head + there->size - HEAD - c->size;
    *size = left < void_head || !there->bytes ? 0 : there->head + there->size;
    uint8_t *bytes = calloc(1, (size_t)*size + 1);
    if (!bytes || *size == 0)
        return bytes;
    uint8_t *p = bytes + put_head(bytes, KSR_EBML_CHAPTERS, c->size);
    memcpy(p, c->bytes, (size_t)c->size);
    put_head(p + c->size, KSR_EBML_VOID, left - void_head);
    return bytes;
}

int ksr_matroska_chapters_put(struct ksr_ebml_part *there, const struct ksr_matroska_chapters *c)
{
    int64_t size = 0;
    uint8_t *bytes = make_part(there, c, &size);
    if (!bytes)
        return AVERROR(ENOMEM);
    free(there->bytes);
    there->bytes = bytes;
    there->at -= there->head;
    there->head = 0;
    there->size = size;
    return size > 0 ? 0 : AVERROR_BUG; // the muxer has written less than it was given
}
