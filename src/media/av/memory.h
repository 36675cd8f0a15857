// A file in memory, for the FFmpeg libraries to write and to read.

#ifndef KSR_MEDIA_AV_MEMORY_H
#define KSR_MEDIA_AV_MEMORY_H

#include "media/av/ffmpeg.h"

struct ksr_memory {
    AVIOContext *io;
    uint8_t *data;
    int64_t size, at;
    size_t capacity; // 0: `data` is somebody else's and only read
    bool starved;    // something could not be written for want of memory
};

// Opens an empty file to be written. Returns NULL when out of memory.
struct ksr_memory *ksr_memory_write(void);

// Opens bytes to be read; they must outlive the object.
struct ksr_memory *ksr_memory_read(const uint8_t *bytes, int64_t size);

// Frees everything but bytes given to ksr_memory_read(); sets *memory to NULL. Accepts NULL.
void ksr_memory_close(struct ksr_memory **memory);

#endif
