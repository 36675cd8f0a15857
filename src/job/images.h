// Writing an image sequence: see images.c.

#ifndef KSR_JOB_IMAGES_H
#define KSR_JOB_IMAGES_H

#include <stddef.h>

#include "core/log.h"

// Writes file `number` of a pattern.
// Returns KSR_OK, KSR_E_OUTPUT (logged), KSR_E_NOMEM.
ksr_status ksr_images_write(ksr_context *ctx, const char *pattern, int number, const void *data,
                            size_t size);

// Renames `count` files of one pattern to another, each after syncing it.
ksr_status ksr_images_publish(ksr_context *ctx, const char *part, const char *pattern, int first,
                              size_t count);

// Deletes them, as far as they are there.
void ksr_images_remove(const char *part, int first, size_t count);

#endif
