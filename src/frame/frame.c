// Working frames; see frame.h.

#include "frame/frame.h"

#include <string.h>

#include "core/mem.h"

#define MAX_SIZE    65535
#define STRIDE_STEP (KSR_ALIGN / sizeof(uint16_t))

bool ksr_layout_is_chroma(const struct ksr_layout *layout, int i)
{
    return layout->planes >= 3 && (i == 1 || i == 2);
}

static int subsampled(int size, int shift)
{
    return (size + (1 << shift) - 1) >> shift;
}

int ksr_layout_plane_width(const struct ksr_layout *layout, int i)
{
    return subsampled(layout->width, ksr_layout_is_chroma(layout, i) ? layout->chroma_shift_x : 0);
}

int ksr_layout_plane_height(const struct ksr_layout *layout, int i)
{
    return subsampled(layout->height, ksr_layout_is_chroma(layout, i) ? layout->chroma_shift_y : 0);
}

struct ksr_layout ksr_layout_scaled(const struct ksr_layout *layout, int scale)
{
    struct ksr_layout scaled = *layout;
    scaled.width *= scale;
    scaled.height *= scale;
    return scaled;
}

int ksr_layout_picture_planes(const struct ksr_layout *layout)
{
    return layout->planes - (layout->planes % 2 == 0);
}

bool ksr_layout_equal(const struct ksr_layout *a, const struct ksr_layout *b)
{
    return a->width == b->width && a->height == b->height && a->planes == b->planes &&
           a->chroma_shift_x == b->chroma_shift_x && a->chroma_shift_y == b->chroma_shift_y &&
           a->siting_x == b->siting_x && a->siting_y == b->siting_y &&
           a->full_range == b->full_range;
}

bool ksr_layout_valid(const struct ksr_layout *l)
{
    return l->width >= 1 && l->width <= MAX_SIZE && l->height >= 1 && l->height <= MAX_SIZE &&
           l->planes >= 1 && l->planes <= KSR_MAX_PLANES && l->chroma_shift_x >= 0 &&
           l->chroma_shift_x <= 2 && l->chroma_shift_y >= 0 && l->chroma_shift_y <= 2;
}

ptrdiff_t ksr_plane_stride(int width)
{
    return (ptrdiff_t)(((size_t)width + STRIDE_STEP - 1) / STRIDE_STEP * STRIDE_STEP);
}

bool ksr_frame_alloc(struct ksr_frame *frame, const struct ksr_layout *layout)
{
    memset(frame, 0, sizeof(*frame));
    if (!ksr_layout_valid(layout))
        return false;
    size_t offset[KSR_MAX_PLANES] = {0}, samples = 0;
    struct ksr_frame f = {.layout = *layout};
    for (int i = 0; i < layout->planes; i++) {
        struct ksr_plane *p = &f.plane[i];
        p->width = ksr_layout_plane_width(layout, i);
        p->height = ksr_layout_plane_height(layout, i);
        p->stride = ksr_plane_stride(p->width);
        offset[i] = samples;
        samples += (size_t)p->stride * (size_t)p->height; // at most 4 * 65536^2: fits 64 bits
    }
    size_t bytes;
    if (!ksr_size_multiply(samples, sizeof(uint16_t), &bytes))
        return false;
    uint16_t *buffer = ksr_aligned_calloc(bytes);
    if (!buffer)
        return false;
    for (int i = 0; i < layout->planes; i++)
        f.plane[i].data = buffer + offset[i];
    f.buffer = buffer;
    *frame = f;
    return true;
}

void ksr_frame_free(struct ksr_frame *frame)
{
    ksr_aligned_free(frame->buffer);
    memset(frame, 0, sizeof(*frame));
}

void ksr_frame_copy(struct ksr_frame *to, const struct ksr_frame *from)
{
    for (int i = 0; i < from->layout.planes; i++)
        memcpy(to->plane[i].data, from->plane[i].data,
               (size_t)from->plane[i].stride * (size_t)from->plane[i].height * sizeof(uint16_t));
}

void ksr_frame_swap(struct ksr_frame *a, struct ksr_frame *b)
{
    const struct ksr_frame t = *a;
    *a = *b;
    *b = t;
}
