// Kernels that videos are enlarged with, and what `descale` says: which one, and from which size.

#ifndef KSR_FRAME_KERNEL_H
#define KSR_FRAME_KERNEL_H

#include <stdbool.h>

enum ksr_kernel {
    KSR_KERNEL_BILINEAR,
    KSR_KERNEL_BICUBIC,  // b = 0, c = 0.5: Catmull-Rom
    KSR_KERNEL_MITCHELL, // b = c = 1/3
    KSR_KERNEL_SPLINE36,
    KSR_KERNEL_LANCZOS2,
    KSR_KERNEL_LANCZOS3,
    KSR_KERNEL_LANCZOS4,
    KSR_KERNELS
};

// The size at which a video was drawn, and what enlarged it.
struct ksr_drawn_size {
    int width, height;
    enum ksr_kernel kernel;
};

// Returns a kernel's name, and finds one; false: there is none of this name.
const char *ksr_kernel_name(enum ksr_kernel kernel);
bool ksr_kernel_find(const char *name, enum ksr_kernel *out);

// Reads "1280x720:bicubic". Returns false when it is no such thing.
bool ksr_drawn_size_parse(const char *text, struct ksr_drawn_size *out);

// Returns whether frames of width x height can have been drawn at a size: along each axis a third to
// 15/16 of them, or one axis as it is.
bool ksr_drawn_size_fits(const struct ksr_drawn_size *drawn, int width, int height);

#endif
