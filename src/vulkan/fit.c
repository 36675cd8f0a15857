// Fitting; see fit.h.

#include "vulkan/fit.h"

#include <stdlib.h>
#include <string.h>

static size_t places_bytes(const struct ksr_resample_axis *axis)
{
    return (size_t)axis->size * sizeof(axis->places[0]);
}

static size_t coefficients_bytes(const struct ksr_resample_axis *axis)
{
    const size_t bytes = (size_t)axis->size * (size_t)axis->taps * sizeof(axis->coefficients[0]);
    return (bytes + 3) / 4 * 4;
}

// Copies the tables of an axis to `data`, where there is any. offset: in it; moves on.
static struct ksr_gpu_fit_axis put_axis(const struct ksr_resample_axis *axis, char *data,
                                        size_t *offset)
{
    const size_t places = *offset, coefficients = places + places_bytes(axis);
    *offset = coefficients + coefficients_bytes(axis);
    if (data) {
        memcpy(data + places, axis->places, places_bytes(axis));
        memcpy(data + coefficients, axis->coefficients,
               (size_t)axis->size * (size_t)axis->taps * sizeof(axis->coefficients[0]));
    }
    return (struct ksr_gpu_fit_axis){places, coefficients, axis->taps};
}

// Returns the size of all tables. Addresses are offsets as yet.
static size_t put_axes(struct ksr_gpu_fit *fit, const ksr_resampler *resampler, int planes,
                       char *data)
{
    size_t size = 0;
    for (int i = 0; i < planes; i++) {
        fit->x[i] = put_axis(ksr_resampler_axis(resampler, i, false), data, &size);
        fit->y[i] = put_axis(ksr_resampler_axis(resampler, i, true), data, &size);
    }
    return size;
}

static void move(struct ksr_gpu_fit_axis *axis, uint64_t address)
{
    axis->places += address;
    axis->coefficients += address;
}

ksr_status ksr_gpu_fit_create(struct ksr_gpu *gpu, struct ksr_gpu_fit *out,
                              const struct ksr_layout *from, const struct ksr_layout *to)
{
    struct ksr_gpu_fit fit = {0};
    memset(out, 0, sizeof(*out));
    ksr_resampler *resampler = ksr_resampler_create(from, to, NULL);
    const size_t size = resampler ? put_axes(&fit, resampler, from->planes, NULL) : 0;
    char *data = resampler ? malloc(size) : NULL;
    if (data)
        put_axes(&fit, resampler, from->planes, data);
    ksr_status status = data ? ksr_gpu_upload(gpu, &fit.tables, data, size)
                             : ksr_gpu_check(gpu, VK_ERROR_OUT_OF_HOST_MEMORY, "fit frames");
    for (int i = 0; i < from->planes && status == KSR_OK; i++) {
        move(&fit.x[i], fit.tables.address);
        move(&fit.y[i], fit.tables.address);
    }
    free(data);
    ksr_resampler_destroy(&resampler);
    if (status == KSR_OK)
        *out = fit;
    return status;
}

void ksr_gpu_fit_free(struct ksr_gpu *gpu, struct ksr_gpu_fit *fit)
{
    ksr_gpu_buffer_free(gpu, &fit->tables);
    memset(fit, 0, sizeof(*fit));
}

static void resample(struct ksr_gpu_commands *c, const struct ksr_gpu_stages *stages,
                     const struct ksr_gpu_fit_axis *axis, bool along_y,
                     const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *src)
{
    const struct ksr_gpu_resample p = {*dst,       *src,   axis->places, axis->coefficients,
                                       axis->taps, along_y};
    ksr_gpu_run(c, &stages->kernel[KSR_GPU_RESAMPLE], &p, dst->width, dst->height, 1);
}

void ksr_gpu_fit_columns(struct ksr_gpu_commands *c, const struct ksr_gpu_stages *stages,
                         const struct ksr_gpu_fit *fit, int plane,
                         const struct ksr_gpu_plane *between, const struct ksr_gpu_plane *src)
{
    resample(c, stages, &fit->y[plane], true, between, src);
}

void ksr_gpu_fit_rows(struct ksr_gpu_commands *c, const struct ksr_gpu_stages *stages,
                      const struct ksr_gpu_fit *fit, int plane, const struct ksr_gpu_plane *dst,
                      const struct ksr_gpu_plane *between)
{
    resample(c, stages, &fit->x[plane], false, dst, between);
}
