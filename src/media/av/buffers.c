// The memory that decoders put frames in; see buffers.h. Sizes and alignments are those that
// get_buffer2() asks for in FFmpeg's documentation.

#include "media/av/buffers.h"

#include <libavutil/buffer.h>
#include <libavutil/imgutils.h>
#include <stdlib.h>

#include "core/mem.h"

#define BEHIND (2 * KSR_ALIGN) // bytes that may be read behind each plane, more than FFmpeg leaves
// Bytes of the planes of a frame.
#define MOST ((size_t)PTRDIFF_MAX - BEHIND - KSR_ALIGN)

struct ksr_buffers {
    AVBufferPool *pool; // of frames of one size
    size_t size;
};

// Where the planes of a frame are.
struct places {
    int linesize[4];
    size_t offset[4];
    size_t size; // of all
};

static bool is_aligned(const int linesize[4], const int align[AV_NUM_DATA_POINTERS])
{
    for (int i = 0; i < 4; i++)
        if (align[i] > 0 && linesize[i] % align[i] != 0) // at most KSR_ALIGN, on all processors
            return false;
    return true;
}

// Returns an FFmpeg error code.
static int find_places(AVCodecContext *decoder, const AVFrame *frame, struct places *out)
{
    int align[AV_NUM_DATA_POINTERS], width = frame->width, height = frame->height;
    avcodec_align_dimensions2(decoder, &width, &height, align);
    int result;
    do {
        result = av_image_fill_linesizes(out->linesize, frame->format, width);
        width += width & -width; // rows of chroma are to be aligned, too
    } while (result >= 0 && width > 0 && !is_aligned(out->linesize, align));
    if (result < 0 || width <= 0)
        return result < 0 ? result : AVERROR(EINVAL);
    ptrdiff_t strides[4];
    size_t sizes[4];
    for (int i = 0; i < 4; i++)
        strides[i] = out->linesize[i];
    result = av_image_fill_plane_sizes(sizes, frame->format, height, strides);
    out->size = 0;
    for (int i = 0; i < 4 && result >= 0; i++) {
        out->offset[i] = out->size;
        if (out->size > MOST || sizes[i] > MOST - out->size)
            return AVERROR(EINVAL);
        if (sizes[i] > 0)
            out->size += (sizes[i] + BEHIND + KSR_ALIGN - 1) / KSR_ALIGN * KSR_ALIGN;
    }
    return result;
}

static void free_memory(void *opaque, uint8_t *data)
{
    (void)opaque;
    ksr_aligned_free(data);
}

static AVBufferRef *take_memory(size_t size)
{
    uint8_t *data = ksr_aligned_calloc(size);
    AVBufferRef *buffer = data ? av_buffer_create(data, size, free_memory, NULL, 0) : NULL;
    if (!buffer)
        ksr_aligned_free(data);
    return buffer;
}

static int give_frame(AVCodecContext *decoder, AVFrame *frame, int flags)
{
    struct ksr_buffers *b = decoder->opaque;
    const AVPixFmtDescriptor *format = av_pix_fmt_desc_get(frame->format);
    const bool plain = format && !(format->flags & (AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_PAL));
    if (!plain || !(decoder->codec->capabilities & AV_CODEC_CAP_DR1))
        return avcodec_default_get_buffer2(decoder, frame, flags);
    struct places places;
    const int result = find_places(decoder, frame, &places);
    if (result < 0)
        return result;
    if (!b->pool || b->size != places.size) {
        av_buffer_pool_uninit(&b->pool); // its frames keep what they need
        b->pool = av_buffer_pool_init(places.size, take_memory);
        b->size = places.size;
    }
    frame->buf[0] = b->pool ? av_buffer_pool_get(b->pool) : NULL;
    if (!frame->buf[0])
        return AVERROR(ENOMEM);
    for (int i = 0; i < 4; i++) {
        frame->linesize[i] = places.linesize[i];
        frame->data[i] = places.linesize[i] > 0 ? frame->buf[0]->data + places.offset[i] : NULL;
    }
    frame->extended_data = frame->data;
    return 0;
}

struct ksr_buffers *ksr_buffers_use(AVCodecContext *decoder)
{
    struct ksr_buffers *b = calloc(1, sizeof(*b));
    if (!b)
        return NULL;
    decoder->opaque = b;
    decoder->get_buffer2 = give_frame;
    return b;
}

void ksr_buffers_free(struct ksr_buffers **buffers)
{
    if (*buffers)
        av_buffer_pool_uninit(&(*buffers)->pool);
    free(*buffers);
    *buffers = NULL;
}
