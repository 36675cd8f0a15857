// Links between Matroska files; see matroska_links.h.

#include "media/container/matroska_links.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "media/container/ebml.h"

#define TITLE_HEAD 3 // bytes of the element's id and of its size in the shortest form

// Whether an element is a link, of the 16 bytes that a UUID has.
static bool is_link(const struct ksr_element *e)
{
    return e->size == 16 && (e->id == KSR_EBML_SEGMENT_UUID || e->id == KSR_EBML_PREV_UUID ||
                             e->id == KSR_EBML_NEXT_UUID || e->id == KSR_EBML_SEGMENT_FAMILY);
}

int ksr_matroska_links_read(AVIOContext *io, struct ksr_matroska_links *out)
{
    struct ksr_ebml_part part;
    struct ksr_element e;
    memset(out, 0, sizeof(*out));
    if (!io || !(io->seekable & AVIO_SEEKABLE_NORMAL))
        return 0;
    const int64_t at = avio_tell(io);
    const bool ok = ksr_ebml_find(io, KSR_EBML_INFO, &part);
    const int64_t back = avio_seek(io, at, SEEK_SET);
    for (const uint8_t *p = part.bytes;
         ok && p && ksr_element_take(&p, part.bytes + part.size, &e);)
        if (is_link(&e) && p - e.head <= KSR_LINKS_SIZE - out->size) {
            memcpy(out->bytes + out->size, e.head, (size_t)(p - e.head));
            out->size += (int)(p - e.head);
        }
    free(part.bytes);
    return !ok ? AVERROR(ENOMEM) : back < 0 ? (int)back : 0;
}

int ksr_matroska_links_reserve(AVFormatContext *output, struct ksr_matroska_links *links)
{
    if (links->size == 0)
        return 0;
    const AVDictionaryEntry *title = av_dict_get(output->metadata, "title", NULL, 0);
    char more[KSR_LINKS_SIZE + 1] = "";
    links->no_title = !title || !*title->value;
    memset(more, '-', (size_t)(links->no_title ? links->size - TITLE_HEAD : links->size));
    char *room = ksr_format("%s%s", title ? title->value : "", more);
    const int result = room ? av_dict_set(&output->metadata, "title", room, 0) : AVERROR(ENOMEM);
    free(room);
    return result < 0 ? result : 0;
}

bool ksr_matroska_links_put(struct ksr_ebml_part *info, const struct ksr_matroska_links *links)
{
    const int id = 2; // bytes of the title's
    const size_t size = (size_t)links->size;
    struct ksr_element e = {0};
    const uint8_t *p = info->bytes;
    while (e.id != KSR_EBML_TITLE)
        if (!p || !ksr_element_take(&p, info->bytes + info->size, &e))
            return false;
    uint8_t *head = info->bytes + (e.head - info->bytes);
    uint8_t *end = info->bytes + (p - info->bytes);
    if (links->no_title ? end - head != links->size : e.size <= size)
        return false;
    if (!links->no_title)
        ksr_element_put_size(head + id, (int)(e.data - e.head) - id, e.size - size);
    memcpy(end - size, links->bytes, size);
    ksr_ebml_put_checksum(info);
    return true;
}
