// Whole frames as sources and sinks of rows; see rows.h.

#include "frame/rows.h"

#include <string.h>

#include "frame/dispatch.h"

// --- Working frames ---

void ksr_plane_copy_rows(const struct ksr_plane *dst, const struct ksr_plane *src, int y0, int y1)
{
    for (int y = y0; y < y1; y++)
        memcpy(dst->data + y * dst->stride, src->data + y * src->stride,
               (size_t)src->width * sizeof(src->data[0]));
}

static void read_rows(void *opaque, int plane, const struct ksr_plane *dst, int y0, int y1)
{
    const struct ksr_frame *frame = opaque;
    ksr_plane_copy_rows(dst, &frame->plane[plane], y0, y1);
}

static void write_rows(void *opaque, int plane, const struct ksr_plane *src, int y0, int y1)
{
    const struct ksr_frame *frame = opaque;
    ksr_plane_copy_rows(&frame->plane[plane], src, y0, y1);
}

struct ksr_row_source ksr_frame_source(const struct ksr_frame *frame)
{
    return (struct ksr_row_source){read_rows, (void *)frame, NULL};
}

struct ksr_row_sink ksr_frame_sink(const struct ksr_frame *frame)
{
    return (struct ksr_row_sink){write_rows, (void *)frame, NULL};
}

// --- Codes ---

#define GATHERED 1024 // codes of a row at once

// Copies codes of a row, from x0 on, without what stands between them.
static void gather_codes(uint16_t *codes, const struct ksr_raw_plane *p, int x0, int y, int count)
{
    const uint8_t *row = p->data + y * p->stride + (ptrdiff_t)x0 * p->step;
    uint8_t *narrow = (uint8_t *)codes;
    for (int x = 0; x < count; x++) {
        const uint8_t *at = row + (ptrdiff_t)x * p->step;
        if (p->bytes == 1)
            narrow[x] = *at;
        else
            codes[x] = (uint16_t)(*(const uint16_t *)(const void *)at >> p->shift);
    }
}

static void unpack_rows(void *opaque, int plane, const struct ksr_plane *dst, int y0, int y1)
{
    const struct ksr_raw_plane *p = &((const struct ksr_raw_frame *)opaque)->plane[plane];
    const struct ksr_frame_table *table = ksr_frame_table(ksr_cpu_level());
    if (p->step == p->bytes && p->shift == 0) {
        const struct ksr_code_plane codes = {p->data, p->stride, p->bits};
        table->unpack_rows(dst, &codes, y0, y1);
        return;
    }
    uint16_t row[GATHERED];
    const struct ksr_code_plane codes = {(uint8_t *)row, 0, p->bits};
    for (int y = y0; y < y1; y++)
        for (int x = 0; x < dst->width; x += GATHERED) {
            const int count = dst->width - x < GATHERED ? dst->width - x : GATHERED;
            const struct ksr_plane part = {dst->data + y * dst->stride + x, dst->stride, count, 1};
            gather_codes(row, p, x, y, count);
            table->unpack_rows(&part, &codes, 0, 1);
        }
}

struct ksr_row_source ksr_raw_source(const struct ksr_raw_frame *raw)
{
    return (struct ksr_row_source){unpack_rows, (void *)raw, raw};
}
