// The readers of crops in Matroska, MP4 and MOV under libFuzzer: tests/fuzz/meson.build has how to
// build it. What is found must leave something of a frame.

#include <stdlib.h>
#include <string.h>

#include "media/av/memory.h"
#include "media/container/aperture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct ksr_aperture *a)
{
    if (a->left < 0 || a->right < 0 || a->top < 0 || a->bottom < 0 || a->left + a->right > 65534 ||
        a->top + a->bottom > 65534)
        abort();
}

static void read_as(const char *demuxer, const uint8_t *data, size_t size)
{
    AVFormatContext *f = avformat_alloc_context();
    AVStream *s = f ? avformat_new_stream(f, NULL) : NULL;
    struct ksr_memory *memory = ksr_memory_read(data, (int64_t)size);
    struct ksr_aperture a;
    if (!s || !memory)
        abort();
    s->id = 1;
    s->codecpar->codec_type = AVMEDIA_TYPE_VIDEO;
    f->iformat = av_find_input_format(demuxer);
    f->pb = memory->io;
    if (ksr_aperture_read(f, 0, &a) < 0 || ksr_aperture_correct_aspects(f) < 0)
        abort();
    check(&a);
    if (s->sample_aspect_ratio.num < 0 || s->sample_aspect_ratio.den < 0)
        abort();
    f->pb = NULL;
    ksr_memory_close(&memory);
    avformat_free_context(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ksr_aperture a;
    if (size == 0 || size > 1 << 20)
        return 0;
    ksr_aperture_of_entry(data, size, &a);
    check(&a);
    read_as("matroska", data, size);
    read_as("mov", data, size);
    return 0;
}
