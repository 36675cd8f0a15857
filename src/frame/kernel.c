// Names of kernels; see kernel.h.

#include "frame/kernel.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "frame/resample.h"

static const char *const names[KSR_KERNELS] = {"bilinear", "bicubic",  "mitchell", "spline36",
                                               "lanczos2", "lanczos3", "lanczos4"};

const char *ksr_kernel_name(enum ksr_kernel kernel)
{
    return names[kernel];
}

bool ksr_kernel_find(const char *name, enum ksr_kernel *out)
{
    for (int i = 0; i < KSR_KERNELS; i++)
        if (strcmp(names[i], name) == 0) {
            *out = (enum ksr_kernel)i;
            return true;
        }
    return false;
}

bool ksr_drawn_size_parse(const char *text, struct ksr_drawn_size *out)
{
    const char *colon = strchr(text, ':');
    char size[16];
    struct ksr_fit_box box;
    if (!colon || colon - text >= (int)sizeof(size))
        return false;
    snprintf(size, sizeof(size), "%.*s", (int)(colon - text), text);
    if (!ksr_fit_parse(size, &box) || !ksr_kernel_find(colon + 1, &out->kernel))
        return false;
    out->width = box.width;
    out->height = box.height;
    return true;
}

// One axis; the limits are those of descale.h.
static bool fits(int drawn, int size)
{
    return drawn >= 16 && (int64_t)3 * drawn >= size &&
           (drawn == size || (int64_t)16 * drawn <= (int64_t)15 * size);
}

bool ksr_drawn_size_fits(const struct ksr_drawn_size *drawn, int width, int height)
{
    return fits(drawn->width, width) && fits(drawn->height, height) &&
           (drawn->width < width || drawn->height < height);
}
