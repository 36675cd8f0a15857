// Planes of code values; see raw.h.

#include "frame/raw.h"

#include <string.h>

#include "core/mem.h"

// Returns whether two planes have the same pixels, as Cb and Cr of NV12.
static bool share_pixels(const struct ksr_raw_plane *a, const struct ksr_raw_plane *b)
{
    const intptr_t distance = (intptr_t)a->data - (intptr_t)b->data;
    return a->step > a->bytes && a->step == b->step && a->stride == b->stride &&
           distance > -a->step && distance < a->step;
}

// Returns the first plane with the pixels of plane i.
static int first_of(const struct ksr_raw_frame *raw, int i)
{
    int first = 0;
    while (first < i && !share_pixels(&raw->plane[first], &raw->plane[i]))
        first++;
    return first;
}

// Returns how many bytes of its pixel stand before a code of plane i.
static ptrdiff_t offset_in_pixel(const struct ksr_raw_frame *raw, int i, int planes)
{
    ptrdiff_t offset = 0;
    for (int k = 0; k < planes; k++)
        if (share_pixels(&raw->plane[i], &raw->plane[k]))
            offset = raw->plane[i].data - raw->plane[k].data > offset
                         ? raw->plane[i].data - raw->plane[k].data
                         : offset;
    return offset;
}

struct ksr_raw_frame ksr_raw_codes(const struct ksr_layout *layout)
{
    struct ksr_raw_frame codes = {0};
    for (int i = 0; i < layout->planes; i++)
        codes.plane[i] =
            (struct ksr_raw_plane){.step = 1,
                                   .bytes = 1,
                                   .bits = 8,
                                   .pack = {.source_bits = 8, .chroma = i > 0, .dither = true}};
    return codes;
}

struct ksr_raw_frame ksr_raw_block(const struct ksr_raw_frame *like,
                                   const struct ksr_layout *layout, uint8_t *data, size_t *bytes)
{
    static const struct ksr_raw_frame samples = {{{.step = 2, .bytes = 2, .bits = 15},
                                                  {.step = 2, .bytes = 2, .bits = 15},
                                                  {.step = 2, .bytes = 2, .bits = 15},
                                                  {.step = 2, .bytes = 2, .bits = 15}}};
    const struct ksr_raw_frame *from = like ? like : &samples;
    struct ksr_raw_frame block = *from;
    size_t start[KSR_MAX_PLANES], end = 0; // of pixels
    for (int i = 0; i < layout->planes; i++) {
        struct ksr_raw_plane *p = &block.plane[i];
        const int first = first_of(from, i);
        const size_t row = (size_t)ksr_layout_plane_width(layout, i) * (size_t)p->step;
        p->stride = (ptrdiff_t)((row + KSR_ALIGN - 1) / KSR_ALIGN * KSR_ALIGN);
        start[i] = first < i ? start[first] : end;
        if (data)
            p->data = data + start[i] + offset_in_pixel(from, i, layout->planes);
        if (first == i)
            end += (size_t)p->stride * (size_t)ksr_layout_plane_height(layout, i);
    }
    if (bytes)
        *bytes = end;
    return block;
}

bool ksr_raw_equal(const struct ksr_raw_frame *a, const struct ksr_raw_frame *b, int planes)
{
    bool equal = a->rgb == b->rgb;
    for (int i = 0; i < planes; i++) {
        const struct ksr_raw_plane *p = &a->plane[i], *q = &b->plane[i];
        equal = equal && p->data == q->data && p->stride == q->stride && p->step == q->step &&
                p->bytes == q->bytes && p->bits == q->bits && p->shift == q->shift &&
                p->pack.source_bits == q->pack.source_bits && p->pack.scale == q->pack.scale &&
                p->pack.chroma == q->pack.chroma && p->pack.dither == q->pack.dither;
    }
    return equal;
}

void ksr_raw_copy_rows(const struct ksr_raw_frame *to, const struct ksr_raw_frame *from,
                       const struct ksr_layout *layout, int i, int y0, int y1)
{
    const struct ksr_raw_plane *d = &to->plane[i], *s = &from->plane[i];
    if (first_of(from, i) < i)
        return;
    const ptrdiff_t offset = offset_in_pixel(from, i, layout->planes);
    const size_t row = (size_t)ksr_layout_plane_width(layout, i) * (size_t)s->step;
    for (int y = y0; y < y1; y++)
        memcpy(d->data - offset + y * d->stride, s->data - offset + y * s->stride, row);
}
