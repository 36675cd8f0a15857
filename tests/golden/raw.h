// Reading and writing the planes that struct ksr_raw_frame describes, as its comments say: what an
// executor on a GPU does.

#ifndef KSR_TESTS_RAW_H
#define KSR_TESTS_RAW_H

#include <string.h>

#include "frame/rgb.h"
#include "frame/rows.h"

static inline int get_code(const struct ksr_raw_plane *p, int x, int y)
{
    const uint8_t *at = p->data + y * p->stride + (ptrdiff_t)x * p->step;
    uint16_t code = at[0];
    if (p->bytes == 2)
        memcpy(&code, at, 2);
    return code >> p->shift;
}

static inline void put_code(const struct ksr_raw_plane *p, int x, int y, int code)
{
    uint8_t *at = p->data + y * p->stride + (ptrdiff_t)x * p->step;
    const uint16_t value = (uint16_t)(code << p->shift);
    if (p->bytes == 2)
        memcpy(at, &value, 2);
    else
        at[0] = (uint8_t)value;
}

static inline void read_raw(const struct ksr_raw_frame *raw, const struct ksr_frame *to)
{
    for (int i = 0; i < to->layout.planes; i++) {
        const struct ksr_raw_plane *from = &raw->plane[i];
        const struct ksr_plane *p = &to->plane[i];
        for (int y = 0; y < p->height; y++)
            for (int x = 0; x < p->width; x++) {
                const int code = get_code(from, x, y);
                p->data[y * p->stride + x] =
                    (uint16_t)(from->bits == 16 ? code >> 1 : code << (15 - from->bits));
            }
    }
    if (raw->rgb)
        ksr_rgb_to_ycc_rows(to, 0, to->layout.height);
}

// Turns frames that become RGB in place.
static inline void write_raw(const struct ksr_raw_frame *raw, const struct ksr_frame *from)
{
    if (raw->rgb)
        ksr_rgb_from_ycc_rows(from, 0, from->layout.height);
    for (int i = 0; i < from->layout.planes; i++) {
        const struct ksr_raw_plane *to = &raw->plane[i];
        const struct ksr_plane *p = &from->plane[i];
        uint16_t wide[65536];
        uint8_t *narrow = (uint8_t *)wide;
        const struct ksr_code_plane row = {narrow, 0, to->bits};
        for (int y = 0; y < p->height; y++) {
            ksr_pack_rows(&row, p, &to->pack, y, y + 1);
            for (int x = 0; x < p->width; x++)
                put_code(to, x, y, to->bits == 8 ? narrow[x] : wide[x]);
        }
    }
}

#endif
