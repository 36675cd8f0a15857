// Whole frames as sources and sinks of rows; see rows.h.

#include "frame/rows.h"

#include <string.h>

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
