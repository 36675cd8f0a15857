// Elements of Matroska files; see ebml.h.

#include "media/container/ebml.h"

#include <libavutil/crc.h>
#include <libavutil/intreadwrite.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ELEMENTS  1000       // of a file, before its first cluster
#define MAX_PART      (64 << 20) // bytes
#define MAX_SEEK_HEAD (1 << 20)  // bytes
#define MAX_HOPS      8          // from a list of places to another one

// --- Elements in memory ---

// How many bytes a number takes by its first one; 0: more than `most`.
static int length_of(uint8_t first, int most)
{
    for (int n = 1; n <= most; n++)
        if (first & 0x80 >> (n - 1))
            return n;
    return 0;
}

bool ksr_element_take(const uint8_t **at, const uint8_t *end, struct ksr_element *e)
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
    e->head = *at;
    e->data = p;
    e->size = (size_t)size;
    *at = p + size;
    return true;
}

uint64_t ksr_element_number(const struct ksr_element *e)
{
    uint64_t n = 0;
    for (size_t i = 0; i < e->size && i < 8; i++)
        n = n << 8 | e->data[i];
    return n;
}

void ksr_element_put_size(uint8_t *at, int length, uint64_t size)
{
    for (int i = length - 1; i >= 0; i--, size >>= 8)
        at[i] = (uint8_t)size;
    at[0] |= (uint8_t)(0x80 >> (length - 1));
}

void ksr_ebml_put_checksum(struct ksr_ebml_part *part)
{
    const int length = 6; // of the element, which comes first
    uint8_t *p = part->bytes;
    if (part->size < length || p[0] != KSR_EBML_CRC || p[1] != (0x80 | 4))
        return;
    AV_WL32(p + 2, ~av_crc(av_crc_get_table(AV_CRC_32_IEEE_LE), UINT32_MAX, p + length,
                           (size_t)(part->size - length)));
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

// Returns where a list of places says that an element is, -1 if it does not.
static int64_t place_by(const uint8_t *list, size_t size, uint32_t wanted, int64_t segment)
{
    struct ksr_element seek, e;
    for (const uint8_t *p = list; ksr_element_take(&p, list + size, &seek);) {
        uint64_t id = 0, at = INT64_MAX;
        for (const uint8_t *q = seek.data;
             seek.id == KSR_EBML_SEEK && ksr_element_take(&q, seek.data + seek.size, &e);) {
            id = e.id == KSR_EBML_SEEK_ID ? ksr_element_number(&e) : id;
            at = e.id == KSR_EBML_SEEK_POSITION ? ksr_element_number(&e) : at;
        }
        if (id == wanted && at < (uint64_t)(INT64_MAX - segment))
            return segment + (int64_t)at;
    }
    return -1;
}

static bool read_doc_type(AVIOContext *io, int64_t size, bool *webm)
{
    struct ksr_element e;
    uint8_t *bytes;
    if (!read_bytes(io, size, MAX_SEEK_HEAD, &bytes))
        return false;
    for (const uint8_t *p = bytes; bytes && ksr_element_take(&p, bytes + size, &e);)
        *webm |= e.id == KSR_EBML_DOC_TYPE && e.size >= 4 && memcmp(e.data, "webm", 4) == 0;
    free(bytes);
    return true;
}

static bool read_part(AVIOContext *io, int64_t start, int64_t size, struct ksr_ebml_part *out)
{
    out->at = avio_tell(io);
    out->head = (int)(out->at - start);
    out->size = size;
    return read_bytes(io, size, MAX_PART, &out->bytes);
}

// Where a list of places leads, over other lists if it names none of that id. Ends at *at = -1
// where there is nothing. Returns false when out of memory.
static bool follow(AVIOContext *io, const uint8_t *list, size_t size, uint32_t wanted,
                   int64_t segment, int64_t *at)
{
    uint8_t *next = NULL;
    bool ok = true;
    *at = place_by(list, size, wanted, segment);
    for (int i = 0; ok && *at < 0 && i < MAX_HOPS; i++) {
        uint32_t id;
        int64_t length;
        const int64_t other = place_by(list, size, KSR_EBML_SEEK_HEAD, segment);
        if (other < 0 || avio_seek(io, other, SEEK_SET) < 0 || !read_head(io, &id, &length) ||
            id != KSR_EBML_SEEK_HEAD)
            break;
        free(next);
        ok = read_bytes(io, length, MAX_SEEK_HEAD, &next);
        if (!next)
            break;
        list = next;
        size = (size_t)length;
        *at = place_by(list, size, wanted, segment);
    }
    free(next);
    return ok;
}

bool ksr_ebml_find(AVIOContext *io, uint32_t wanted, struct ksr_ebml_part *out)
{
    uint32_t id;
    int64_t size, start = 0, segment = -1, elsewhere = -1;
    memset(out, 0, sizeof(*out));
    if (avio_seek(io, 0, SEEK_SET) < 0)
        return true;
    for (int i = 0; i < MAX_ELEMENTS && read_head(io, &id, &size) && id != KSR_EBML_CLUSTER; i++) {
        const int64_t at = avio_tell(io);
        uint8_t *list = NULL;
        if (i == 0 && id != KSR_EBML_HEAD)
            return true;
        if (id == wanted && segment >= 0)
            return read_part(io, start, size, out);
        start = at;
        if (id == KSR_EBML_SEGMENT) {
            segment = at;
            continue;
        }
        if (id == KSR_EBML_HEAD && !read_doc_type(io, size, &out->webm))
            return false;
        if (id == KSR_EBML_SEEK_HEAD && !read_bytes(io, size, MAX_SEEK_HEAD, &list))
            return false;
        if (list && elsewhere < 0 &&
            !follow(io, list, (size_t)size, wanted, segment > 0 ? segment : 0, &elsewhere)) {
            free(list);
            return false;
        }
        free(list);
        if (size < 0 || size > INT64_MAX - at || avio_seek(io, at + size, SEEK_SET) < 0)
            break;
        start = at + size;
    }
    if (elsewhere >= 0 && avio_seek(io, elsewhere, SEEK_SET) >= 0 && read_head(io, &id, &size) &&
        id == wanted)
        return read_part(io, elsewhere, size, out);
    return true;
}
