// A file in memory; see memory.h. FFmpeg's own dynamic buffer spoils what the AVI muxer writes into
// its header afterwards.

#include "media/av/memory.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

#define BUFFER_SIZE 32768

static int read_memory(void *opaque, uint8_t *out, int size)
{
    struct ksr_memory *m = opaque;
    const int64_t left = m->size - m->at;
    if (left <= 0) // a seek may lead far behind the end
        return AVERROR_EOF;
    const int n = size < left ? size : (int)left;
    memcpy(out, m->data + m->at, (size_t)n);
    m->at += n;
    return n;
}

#if LIBAVFORMAT_VERSION_MAJOR >= 61
static int write_memory(void *opaque, const uint8_t *bytes, int size)
#else
static int write_memory(void *opaque, uint8_t *bytes, int size)
#endif
{
    struct ksr_memory *m = opaque;
    const size_t end = (size_t)m->at + (size_t)size;
    if (!ksr_array_reserve((void **)&m->data, &m->capacity, end, 1)) {
        m->starved = true; // muxers do not look at every write
        return AVERROR(ENOMEM);
    }
    if (m->at > m->size)
        memset(m->data + m->size, 0, (size_t)(m->at - m->size));
    memcpy(m->data + m->at, bytes, (size_t)size);
    m->at = (int64_t)end;
    if (m->at > m->size)
        m->size = m->at;
    return size;
}

static int64_t seek_memory(void *opaque, int64_t offset, int whence)
{
    struct ksr_memory *m = opaque;
    if (whence & AVSEEK_SIZE)
        return m->size;
    const int64_t at = offset + (whence == SEEK_CUR ? m->at : whence == SEEK_END ? m->size : 0);
    if (at < 0)
        return AVERROR(EINVAL);
    return m->at = at;
}

static struct ksr_memory *open_memory(const uint8_t *bytes, int64_t size)
{
    struct ksr_memory *m = calloc(1, sizeof(*m));
    uint8_t *buffer = av_malloc(BUFFER_SIZE);
    if (m && buffer)
        m->io = avio_alloc_context(buffer, BUFFER_SIZE, !bytes, m, bytes ? read_memory : NULL,
                                   bytes ? NULL : write_memory, seek_memory);
    if (!m || !m->io) {
        av_free(buffer);
        free(m);
        return NULL;
    }
    m->data = (uint8_t *)(uintptr_t)bytes;
    m->size = size;
    return m;
}

struct ksr_memory *ksr_memory_write(void)
{
    return open_memory(NULL, 0);
}

struct ksr_memory *ksr_memory_read(const uint8_t *bytes, int64_t size)
{
    return open_memory(bytes, size);
}

void ksr_memory_close(struct ksr_memory **memory)
{
    struct ksr_memory *m = *memory;
    if (!m)
        return;
    av_freep(&m->io->buffer);
    avio_context_free(&m->io);
    if (m->capacity > 0)
        free(m->data);
    free(m);
    *memory = NULL;
}
