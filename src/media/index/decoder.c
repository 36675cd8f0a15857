// Frames of a film as RGB pictures: include/kizunasr/decoder.h.
//
// The film's index (index.c) numbers the frames, the reader finds and decodes them, and the pixel
// writer that feeds encoders makes RGB of them, so a picture here is what an RGB encoder would get.

#include "kizunasr/decoder.h"

#include <stdlib.h>
#include <string.h>

#include "media/av/pixel_choice.h"
#include "media/av/pixels.h"
#include "media/index/index.h"
#include "media/input/reader.h"

struct ksr_decoder {
    ksr_context *ctx;
    struct ksr_film film;
    struct ksr_layout layout;
    struct ksr_decoder_info info;
    struct ksr_picture picture;
    ksr_reader *reader;
    struct ksr_pixel_writer *writer;
    AVFrame *rgb;
    bool at_end; // the last seek asked for the end
};

static void describe(ksr_decoder *d)
{
    const struct ksr_video_format *f = &d->film.format;
    d->info = (struct ksr_decoder_info){.total_frames = (int64_t)d->film.frame_count,
                                        .width = f->width,
                                        .height = f->height,
                                        .pixel_format = f->pixel_format,
                                        .time_base_num = d->film.time_base.num,
                                        .time_base_den = d->film.time_base.den,
                                        .frame_rate_num = f->frame_rate.num,
                                        .frame_rate_den = f->frame_rate.den,
                                        .sample_aspect_num = f->sample_aspect.num,
                                        .sample_aspect_den = f->sample_aspect.den};
    if (d->info.frame_rate_den <= 0 || d->info.frame_rate_num <= 0)
        d->info.frame_rate_num = 0, d->info.frame_rate_den = 1;
    if (d->info.sample_aspect_den <= 0 || d->info.sample_aspect_num <= 0)
        d->info.sample_aspect_num = 0, d->info.sample_aspect_den = 1;
}

// Prepares the way from the film's pictures to RGB.
static ksr_status open_pictures(ksr_decoder *d, int bits)
{
    const struct ksr_video_format *f = &d->film.format;
    const enum AVPixelFormat target = bits == 16 ? AV_PIX_FMT_RGB48 : AV_PIX_FMT_RGB24;
    int source_bits;
    if (!ksr_pixels_layout(f, &d->layout, &source_bits))
        return ksr_fail(d->ctx, KSR_E_INPUT, "pixel format %s cannot be read", f->pixel_format);
    if (ksr_pixels_check(d->ctx, f, target) != KSR_OK)
        return KSR_E_INPUT;
    d->rgb = av_frame_alloc();
    if (!d->rgb)
        return ksr_fail_memory(d->ctx);
    d->rgb->format = target;
    d->rgb->width = f->width;
    d->rgb->height = f->height;
    if (av_frame_get_buffer(d->rgb, 0) < 0)
        return ksr_fail_memory(d->ctx);
    d->picture = (struct ksr_picture){.width = f->width,
                                      .height = f->height,
                                      .bits = bits,
                                      .data = d->rgb->data[0],
                                      .stride = d->rgb->linesize[0]};
    return ksr_pixel_writer_create(d->ctx, f, &d->layout, target, NULL, false, &d->writer);
}

ksr_status ksr_decoder_open(ksr_decoder **out, ksr_context *ctx, const char *path,
                            const struct ksr_decoder_params *params)
{
    if (!out)
        return KSR_E_PARAM;
    *out = NULL;
    const int bits = params && params->bits ? params->bits : 8;
    if (!path || (bits != 8 && bits != 16))
        return path ? ksr_fail(ctx, KSR_E_PARAM, "bits: '%d' is not valid (8 or 16)", bits)
                    : ksr_fail(ctx, KSR_E_PARAM, "path is NULL");
    ksr_decoder *d = calloc(1, sizeof(*d));
    if (!d)
        return ksr_fail_memory(ctx);
    d->ctx = ctx;
    ksr_status status = ksr_film_index(ctx, path, true, &d->film);
    if (status == KSR_OK)
        status = open_pictures(d, bits);
    if (status == KSR_OK)
        status = ksr_reader_open(ctx, path, &d->film, &d->reader);
    if (status == KSR_OK)
        describe(d);
    else
        ksr_decoder_destroy(&d);
    *out = d;
    return status;
}

void ksr_decoder_destroy(ksr_decoder **decoder)
{
    if (!decoder || !*decoder)
        return;
    ksr_decoder *d = *decoder;
    ksr_reader_destroy(&d->reader);
    ksr_pixel_writer_destroy(&d->writer);
    av_frame_free(&d->rgb);
    ksr_film_free(&d->film);
    free(d);
    *decoder = NULL;
}

const struct ksr_decoder_info *ksr_decoder_info(const ksr_decoder *decoder)
{
    return decoder ? &decoder->info : NULL;
}

// Makes RGB of the picture that the reader holds.
static ksr_status convert(ksr_decoder *d)
{
    struct ksr_row_source source;
    const ksr_status status = ksr_reader_take(d->ctx, d->reader, &d->layout, NULL, &source);
    if (status != KSR_OK)
        return status;
    struct ksr_frame frame;
    if (!ksr_frame_alloc(&frame, &d->layout))
        return ksr_fail_memory(d->ctx);
    const struct ksr_row_sink sink = ksr_pixels_write(d->writer, d->rgb);
    for (int i = 0; i < d->layout.planes; i++) {
        source.rows(source.opaque, i, &frame.plane[i], 0, frame.plane[i].height);
        sink.rows(sink.opaque, i, &frame.plane[i], 0, frame.plane[i].height);
    }
    ksr_frame_free(&frame);
    return ksr_pixels_finish(d->ctx, d->writer, NULL);
}

ksr_status ksr_decoder_next(ksr_decoder *decoder, const struct ksr_picture **out)
{
    if (!decoder || !out)
        return KSR_E_PARAM;
    *out = NULL;
    if (decoder->at_end)
        return KSR_OK;
    size_t index = SIZE_MAX;
    ksr_status status = ksr_check_cancel(decoder->ctx);
    if (status == KSR_OK)
        status = ksr_reader_next(decoder->ctx, decoder->reader, &index, &decoder->picture.damaged);
    if (status != KSR_OK || index == SIZE_MAX)
        return status;
    status = convert(decoder);
    if (status != KSR_OK)
        return status;
    // What containers say of durations is often that of packets, in the order they are coded.
    const struct ksr_film_frame *f = &decoder->film.frames[index];
    const bool last = index + 1 == decoder->film.frame_count;
    decoder->picture.frame_index = (int64_t)index;
    decoder->picture.pts = f->time;
    decoder->picture.duration = last ? f->duration : f[1].time - f->time;
    *out = &decoder->picture;
    return KSR_OK;
}

ksr_status ksr_decoder_seek(ksr_decoder *decoder, int64_t frame_index)
{
    if (!decoder)
        return KSR_E_PARAM;
    const int64_t total = decoder->info.total_frames;
    if (frame_index < 0 || frame_index > total)
        return ksr_fail(decoder->ctx, KSR_E_PARAM, "frame_index: '%lld' is not valid (0 to %lld)",
                        (long long)frame_index, (long long)total);
    decoder->at_end = frame_index == total;
    if (decoder->at_end)
        return KSR_OK;
    const struct ksr_film_key from = ksr_reader_entry(&decoder->film, (size_t)frame_index);
    return ksr_reader_seek(decoder->ctx, decoder->reader, (size_t)frame_index, &from);
}
