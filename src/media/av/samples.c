// Samples of frames; see samples.h.

#include "media/av/samples.h"

#include <libavutil/pixdesc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// Where whole bytes can be taken as they lie: neither bits nor other ends first, nor palettes.
static bool is_simple(const AVPixFmtDescriptor *d, const AVComponentDescriptor *c)
{
    const uint64_t odd = AV_PIX_FMT_FLAG_BITSTREAM | AV_PIX_FMT_FLAG_BE | AV_PIX_FMT_FLAG_PAL;
    return !(d->flags & odd) && c->depth >= 8 && c->depth + c->shift <= (c->depth > 8 ? 16 : 8);
}

static inline void gather_words(const AVComponentDescriptor *c, const uint8_t *in, int width,
                                int step, uint16_t *row)
{
    const int shift = c->shift, mask = (1 << c->depth) - 1;
    for (int x = 0; x < width; x++) {
        uint16_t sample;
        memcpy(&sample, in + (ptrdiff_t)x * step, sizeof(sample));
        row[x] = sample >> shift & mask;
    }
}

// Writes a row of samples, which may be kept among those of other components (nv12), in the upper
// bits of two bytes (p010le), or beside bits of others (x2rgb10le).
static void gather_row(const AVComponentDescriptor *c, const uint8_t *in, int width, void *row)
{
    if (c->depth > 8 && c->step == 2)
        gather_words(c, in, width, 2, row);
    else if (c->depth > 8 && c->step == 4)
        gather_words(c, in, width, 4, row);
    else if (c->depth > 8)
        gather_words(c, in, width, c->step, row);
    for (int x = 0; x < width && c->depth <= 8; x++)
        ((uint8_t *)row)[x] = in[(ptrdiff_t)x * c->step];
}

// The same for all other formats. Returns the bytes of a sample.
static int read_row(const AVPixFmtDescriptor *d, const AVFrame *f, int component, int y, int width,
                    void *row)
{
    const int size = d->comp[component].depth > 16 ? 4 : 2;
    av_read_image_line2(row, (const uint8_t **)(void *)f->data, f->linesize, d, 0, y, component,
                        width, 0, size);
    if (d->comp[component].depth > 8)
        return size;
    for (int x = 0; x < width; x++)
        ((uint8_t *)row)[x] = (uint8_t)((uint16_t *)row)[x];
    return 1;
}

static void add_row(ksr_hasher *hasher, const AVPixFmtDescriptor *d, const AVFrame *f,
                    int component, int y, int width, void *row)
{
    const AVComponentDescriptor *c = &d->comp[component];
    const int bytes = c->depth > 8 ? 2 : 1;
    const uint8_t *in = f->data[c->plane] + (ptrdiff_t)y * f->linesize[c->plane] + c->offset;
    if (!is_simple(d, c)) {
        const int size = read_row(d, f, component, y, width, row);
        ksr_hasher_add(hasher, row, (size_t)width * (size_t)size);
    } else if (c->step == bytes && c->shift == 0) {
        ksr_hasher_add(hasher, in, (size_t)width * (size_t)bytes);
    } else {
        gather_row(c, in, width, row);
        ksr_hasher_add(hasher, row, (size_t)width * (size_t)bytes);
    }
}

bool ksr_samples_add(ksr_hasher *hasher, const AVFrame *frame)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(frame->format);
    void *row = calloc((size_t)frame->width, 4);
    for (int c = 0; row && c < d->nb_components; c++) {
        const bool chroma = !(d->flags & AV_PIX_FMT_FLAG_RGB) && (c == 1 || c == 2);
        const int width = AV_CEIL_RSHIFT(frame->width, chroma ? d->log2_chroma_w : 0);
        const int height = AV_CEIL_RSHIFT(frame->height, chroma ? d->log2_chroma_h : 0);
        for (int y = 0; y < height; y++)
            add_row(hasher, d, frame, c, y, width, row);
    }
    free(row);
    return row != NULL;
}

bool ksr_samples_alike(const char *a, const char *b)
{
    const AVPixFmtDescriptor *p = av_pix_fmt_desc_get(av_get_pix_fmt(a));
    const AVPixFmtDescriptor *q = av_pix_fmt_desc_get(av_get_pix_fmt(b));
    return p && q && p->nb_components == q->nb_components && p->comp[0].depth == q->comp[0].depth &&
           p->log2_chroma_w == q->log2_chroma_w && p->log2_chroma_h == q->log2_chroma_h &&
           (p->flags & AV_PIX_FMT_FLAG_RGB) == (q->flags & AV_PIX_FMT_FLAG_RGB);
}
