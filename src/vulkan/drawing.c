// Drawings; see drawing.h.

#include "vulkan/drawing.h"

#include <stdlib.h>
#include <string.h>

#include "stages/kept.h"

// --- The kernels ---

struct ksr_gpu_descale_axis ksr_gpu_descale_put(const struct ksr_descale_axis *axis, char *data,
                                                size_t *offset)
{
    const size_t firsts = (size_t)axis->size * sizeof(axis->first[0]);
    const size_t weights = (size_t)axis->size * (size_t)axis->taps * sizeof(axis->weights[0]);
    const size_t at = *offset;
    *offset = at + firsts + (weights + 3) / 4 * 4;
    if (data) {
        memcpy(data + at, axis->first, firsts);
        memcpy(data + at + firsts, axis->weights, weights);
    }
    return (struct ksr_gpu_descale_axis){at, at + firsts, axis->taps, axis->bits};
}

void ksr_gpu_descale(struct ksr_gpu_commands *c, const struct ksr_gpu_stages *stages,
                     const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *src,
                     const struct ksr_gpu_descale_axis *axis, bool along_y)
{
    const struct ksr_gpu_descale p = {*dst,       *src,       axis->first, axis->weights,
                                      axis->taps, axis->bits, along_y};
    ksr_gpu_run(c, &stages->kernel[KSR_GPU_DESCALE], &p, dst->width, dst->height, 1);
}

void ksr_gpu_kept_marks(struct ksr_gpu_commands *c, const struct ksr_gpu_stages *stages,
                        const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *frame,
                        const struct ksr_gpu_plane *high, const struct ksr_gpu_descale_axis *axis)
{
    const struct ksr_gpu_kept_marks p = {*dst,          *frame,     *high,     axis->first,
                                         axis->weights, axis->taps, axis->bits};
    ksr_gpu_run(c, &stages->kernel[KSR_GPU_KEPT_MARKS], &p, frame->width, frame->height, 1);
}

void ksr_gpu_kept_weights(struct ksr_gpu_commands *c, const struct ksr_gpu_stages *stages,
                          const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *marks)
{
    const struct ksr_gpu_kept_weights p = {*dst, *marks};
    ksr_gpu_run(c, &stages->kernel[KSR_GPU_KEPT_WEIGHTS], &p, dst->width, dst->height, 1);
}

void ksr_gpu_kept(struct ksr_gpu_commands *c, const struct ksr_gpu_stages *stages,
                  const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *frame,
                  const struct ksr_gpu_plane *weights, uint64_t x, uint64_t y,
                  const struct ksr_gpu_fit *fit, int plane)
{
    const struct ksr_gpu_fit_axis *along_x = &fit->x[plane], *along_y = &fit->y[plane];
    const struct ksr_gpu_kept p = {.dst = *dst,
                                   .src = *frame,
                                   .weights = *weights,
                                   .x = x,
                                   .y = y,
                                   .places_x = along_x->places,
                                   .places_y = along_y->places,
                                   .coefficients_x = along_x->coefficients,
                                   .coefficients_y = along_y->coefficients,
                                   .taps_x = along_x->taps,
                                   .taps_y = along_y->taps};
    ksr_gpu_run(c, &stages->kernel[KSR_GPU_KEPT], &p, dst->width, dst->height, 1);
}

// --- Tables ---

// Writes the places of an axis; returns their offset.
static uint64_t put_places(int shift, int from, int to, char *data, size_t *offset)
{
    const size_t at = *offset;
    *offset += (size_t)to * sizeof(int32_t);
    for (int i = 0; i < to && data; i++) {
        const int32_t place = ksr_kept_place(i, shift, from, to);
        memcpy(data + at + (size_t)i * sizeof(place), &place, sizeof(place));
    }
    return at;
}

// Returns the size of all tables. Addresses are offsets as yet.
static size_t put_tables(struct ksr_gpu_drawing *d, const struct ksr_descale_axis axes[4],
                         const struct ksr_layout *output, char *data)
{
    size_t size = 0;
    for (int i = 0; i < 2; i++) {
        d->down[i] = ksr_gpu_descale_put(&axes[i], data, &size);
        d->up[i] = ksr_gpu_descale_put(&axes[2 + i], data, &size);
        d->x[i] =
            put_places(i ? output->chroma_shift_x : 0, d->input.width, output->width, data, &size);
        d->y[i] = put_places(i ? output->chroma_shift_y : 0, d->input.height, output->height, data,
                             &size);
    }
    return size;
}

static void move(struct ksr_gpu_descale_axis *axis, uint64_t address)
{
    axis->first += address;
    axis->weights += address;
}

static ksr_status upload_tables(struct ksr_gpu *gpu, struct ksr_gpu_drawing *d,
                                const struct ksr_descale_axis axes[4],
                                const struct ksr_layout *output)
{
    const size_t size = put_tables(d, axes, output, NULL);
    char *data = malloc(size);
    if (!data)
        return ksr_gpu_check(gpu, VK_ERROR_OUT_OF_HOST_MEMORY, "descale frames");
    put_tables(d, axes, output, data);
    const ksr_status status = ksr_gpu_upload(gpu, &d->tables, data, size);
    for (int i = 0; i < 2; i++) {
        move(&d->down[i], d->tables.address);
        move(&d->up[i], d->tables.address);
        d->x[i] += d->tables.address;
        d->y[i] += d->tables.address;
    }
    free(data);
    return status;
}

static ksr_status create_tables(struct ksr_gpu *gpu, struct ksr_gpu_drawing *d,
                                const struct ksr_layout *drawn, const struct ksr_layout *output,
                                enum ksr_kernel kernel)
{
    const struct ksr_layout *in = &d->input;
    struct ksr_descale_axis axes[4] = {{0}};
    ksr_status status =
        ksr_descale_axis_make(&axes[0], kernel, in->width, drawn->width) &&
                ksr_descale_axis_make(&axes[1], kernel, in->height, drawn->height) &&
                ksr_descale_axis_make(&axes[2], kernel, drawn->width, in->width) &&
                ksr_descale_axis_make(&axes[3], kernel, drawn->height, in->height)
            ? KSR_OK
            : ksr_gpu_check(gpu, VK_ERROR_OUT_OF_HOST_MEMORY, "descale frames");
    if (status == KSR_OK)
        status = upload_tables(gpu, d, axes, output);
    for (int i = 0; i < 4; i++)
        ksr_descale_axis_free(&axes[i]);
    return status;
}

// --- Life ---

static struct ksr_gpu_plane lay_plane(uint64_t *next, int width, int height)
{
    const struct ksr_gpu_plane plane = {*next, (int)ksr_plane_stride(width), width, height};
    *next += (uint64_t)plane.stride * (uint64_t)height * sizeof(uint16_t);
    return plane;
}

// Lays out all that is in the arena, which begins at `address`; returns its size.
static size_t lay_out(struct ksr_gpu_drawing *d, const struct ksr_layout *drawn, uint64_t address)
{
    const struct ksr_layout *in = &d->input;
    const int cells_x = ksr_kept_cells(in->width), cells_y = ksr_kept_cells(in->height);
    uint64_t next = address;
    d->narrow = lay_plane(&next, in->width, drawn->height);
    d->high = lay_plane(&next, drawn->width, in->height);
    d->marks = lay_plane(&next, cells_x, cells_y);
    d->weights = lay_plane(&next, cells_x, cells_y);
    for (int i = 1; i < in->planes; i++) {
        const int width = ksr_layout_plane_width(in, i);
        d->columns[i] = lay_plane(&next, width, ksr_layout_plane_height(drawn, i));
        if (ksr_layout_is_chroma(in, i) && ksr_chroma_shift_active(&d->shift))
            d->moved[i] = lay_plane(&next, width, ksr_layout_plane_height(in, i));
    }
    return (size_t)(next - address);
}

ksr_status ksr_gpu_drawing_create(struct ksr_gpu *gpu, struct ksr_gpu_drawing *out,
                                  const struct ksr_layout *input, const struct ksr_layout *drawn,
                                  const struct ksr_layout *output, enum ksr_kernel kernel,
                                  const struct ksr_chroma_shift_params *shift)
{
    *out = (struct ksr_gpu_drawing){.input = *input, .shift = *shift};
    ksr_status status =
        ksr_gpu_buffer_create(gpu, &out->arena, KSR_GPU_LOCAL, lay_out(out, drawn, 0));
    if (status == KSR_OK) {
        lay_out(out, drawn, out->arena.address);
        status = create_tables(gpu, out, drawn, output, kernel);
    }
    if (status == KSR_OK)
        status = ksr_gpu_fit_create(gpu, &out->rest, input, drawn);
    if (status == KSR_OK)
        status = ksr_gpu_fit_create(gpu, &out->kept, input, output);
    if (status != KSR_OK)
        ksr_gpu_drawing_free(gpu, out);
    return status;
}

void ksr_gpu_drawing_free(struct ksr_gpu *gpu, struct ksr_gpu_drawing *d)
{
    ksr_gpu_fit_free(gpu, &d->rest);
    ksr_gpu_fit_free(gpu, &d->kept);
    ksr_gpu_buffer_free(gpu, &d->tables);
    ksr_gpu_buffer_free(gpu, &d->arena);
    memset(d, 0, sizeof(*d));
}

// --- Work ---

void ksr_gpu_drawing_make(struct ksr_gpu_commands *c, const struct ksr_gpu_stages *stages,
                          const struct ksr_gpu_drawing *d,
                          const struct ksr_gpu_plane drawn[KSR_MAX_PLANES],
                          const struct ksr_gpu_plane frame[KSR_MAX_PLANES])
{
    ksr_gpu_descale(c, stages, &d->narrow, &frame[0], &d->down[1], true);
    for (int i = 1; i < d->input.planes; i++)
        ksr_gpu_fit_columns(c, stages, &d->rest, i, &d->columns[i], &frame[i]);
    ksr_gpu_barrier(c);
    ksr_gpu_descale(c, stages, &drawn[0], &d->narrow, &d->down[0], false);
    for (int i = 1; i < d->input.planes; i++)
        ksr_gpu_fit_rows(c, stages, &d->rest, i, &drawn[i], &d->columns[i]);
}

void ksr_gpu_drawing_keep(struct ksr_gpu_commands *c, const struct ksr_gpu_stages *stages,
                          const struct ksr_gpu_drawing *d,
                          const struct ksr_gpu_plane output[KSR_MAX_PLANES],
                          const struct ksr_gpu_plane drawn[KSR_MAX_PLANES],
                          const struct ksr_gpu_plane frame[KSR_MAX_PLANES])
{
    ksr_gpu_descale(c, stages, &d->high, &drawn[0], &d->up[1], true);
    for (int i = 1; i < d->input.planes; i++)
        if (d->moved[i].data)
            ksr_gpu_chroma_shift(c, stages, &d->moved[i], &frame[i], &d->shift);
    ksr_gpu_barrier(c);
    ksr_gpu_kept_marks(c, stages, &d->marks, &frame[0], &d->high, &d->up[0]);
    ksr_gpu_barrier(c);
    ksr_gpu_kept_weights(c, stages, &d->weights, &d->marks);
    ksr_gpu_barrier(c);
    for (int i = 0; i < d->input.planes; i++) {
        const int chroma = ksr_layout_is_chroma(&d->input, i);
        ksr_gpu_kept(c, stages, &output[i], d->moved[i].data ? &d->moved[i] : &frame[i],
                     &d->weights, d->x[chroma], d->y[chroma], &d->kept, i);
    }
}
