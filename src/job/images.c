// An output that is an image sequence: every packet is a file. Written under temporary names, then
// renamed one by one; each is whole at any moment, and a run that was stopped in between goes on.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/fs.h"
#include "core/image_sequence.h"
#include "job/images.h"

ksr_status ksr_images_write(ksr_context *ctx, const char *pattern, int number, const void *data,
                            size_t size)
{
    char *name = ksr_sequence_name(pattern, number);
    FILE *file = name ? fopen(name, "wbe") : NULL;
    ksr_status status = KSR_OK;
    bool ok = file && fwrite(data, 1, size, file) == size;
    if (file && fclose(file) != 0)
        ok = false;
    if (!name)
        status = ksr_fail_memory(ctx);
    else if (!ok)
        status = ksr_fail_errno(ctx, KSR_E_OUTPUT, "cannot write %s", name);
    free(name);
    return status;
}

ksr_status ksr_images_publish(ksr_context *ctx, const char *part, const char *pattern, int first,
                              size_t count)
{
    ksr_status status = KSR_OK;
    for (size_t i = 0; status == KSR_OK && i < count; i++) {
        char *from = ksr_sequence_name(part, first + (int)i);
        char *to = ksr_sequence_name(pattern, first + (int)i);
        status = from && to ? ksr_fs_publish(ctx, from, to) : ksr_fail_memory(ctx);
        free(from);
        free(to);
    }
    return status;
}

void ksr_images_remove(const char *part, int first, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *name = ksr_sequence_name(part, first + (int)i);
        if (name)
            unlink(name);
        free(name);
    }
}
