// Metadata of pictures; see side_data.h.

#include "media/index/side_data.h"

#include <libavutil/mastering_display_metadata.h>
#include <stdlib.h>
#include <string.h>

#include "media/container/aperture.h"
#include "media/input/input.h"
#include "media/input/reader.h"

#define LOOK_FRAMES  24 // captions may begin some frames late
#define MAX_CAPTIONS 31 // of a picture, three bytes each

// --- Reading ---

static int in_units(AVRational q, int unit)
{
    return q.den > 0 ? (int)av_rescale(q.num, unit, q.den) : 0;
}

static void read_mastering(const AVMasteringDisplayMetadata *m, struct ksr_extras *e)
{
    static const int order[3] = {1, 2, 0}; // FFmpeg has red, green, blue
    e->has_primaries = m->has_primaries;
    e->has_luminance = m->has_luminance;
    for (int i = 0; m->has_primaries && i < 4; i++) {
        const AVRational *xy = i < 3 ? m->display_primaries[order[i]] : m->white_point;
        e->chromaticity[i][0] = in_units(xy[0], 50000);
        e->chromaticity[i][1] = in_units(xy[1], 50000);
    }
    if (m->has_luminance) {
        e->max_luminance = in_units(m->max_luminance, 10000);
        e->min_luminance = in_units(m->min_luminance, 10000);
    }
}

static void read_light(const AVContentLightMetadata *l, struct ksr_extras *e)
{
    e->has_light = l->MaxCLL > 0 || l->MaxFALL > 0;
    e->max_cll = (int)l->MaxCLL;
    e->max_fall = (int)l->MaxFALL;
}

static void read_matrix(const uint8_t *data, size_t size, struct ksr_extras *e)
{
    static const int32_t identity[9] = {65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30};
    if (size >= sizeof(identity) && memcmp(data, identity, sizeof(identity)) != 0)
        memcpy(e->matrix, data, sizeof(e->matrix));
}

// MPEG-2 gives every frame one; it says something where it is not the frame itself.
static bool is_pan_scan(const AVFrame *frame, const AVPanScan *p)
{
    bool moved = false;
    for (int i = 0; i < 3; i++)
        moved |= p->position[i][0] != 0 || p->position[i][1] != 0;
    return p->width > 0 && p->height > 0 &&
           (moved || p->width != 16 * frame->width || p->height != 16 * frame->height);
}

void ksr_extras_read_frame(const AVFrame *frame, struct ksr_extras *e)
{
    for (int i = 0; i < frame->nb_side_data; i++) {
        const AVFrameSideData *sd = frame->side_data[i];
        switch (sd->type) {
        case AV_FRAME_DATA_MASTERING_DISPLAY_METADATA:
            read_mastering((const AVMasteringDisplayMetadata *)(const void *)sd->data, e);
            break;
        case AV_FRAME_DATA_CONTENT_LIGHT_LEVEL:
            read_light((const AVContentLightMetadata *)(const void *)sd->data, e);
            break;
        case AV_FRAME_DATA_DISPLAYMATRIX: read_matrix(sd->data, sd->size, e); break;
        case AV_FRAME_DATA_A53_CC: e->captions = true; break;
        case AV_FRAME_DATA_FILM_GRAIN_PARAMS: e->film_grain = true; break;
        case AV_FRAME_DATA_ICC_PROFILE: e->icc_profile = true; break;
        case AV_FRAME_DATA_AFD: e->active_format = true; break;
        case AV_FRAME_DATA_S12M_TIMECODE: e->time_codes = true; break;
        case AV_FRAME_DATA_PANSCAN:
            e->pan_scan |= is_pan_scan(frame, (const AVPanScan *)(const void *)sd->data);
            break;
        case AV_FRAME_DATA_DYNAMIC_HDR_PLUS: e->hdr10_plus = true; break;
        case AV_FRAME_DATA_DOVI_METADATA:
        case AV_FRAME_DATA_DOVI_RPU_BUFFER: e->dolby_vision = true; break;
        default: break;
        }
    }
}

void ksr_extras_read_stream(const AVStream *stream, struct ksr_extras *e)
{
#if LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(60, 15, 100)
    const AVPacketSideData *list = stream->codecpar->coded_side_data;
    const int count = stream->codecpar->nb_coded_side_data;
#else
    const AVPacketSideData *list = stream->side_data;
    const int count = stream->nb_side_data;
#endif
    for (int i = 0; i < count; i++)
        switch (list[i].type) {
        case AV_PKT_DATA_MASTERING_DISPLAY_METADATA:
            read_mastering((const AVMasteringDisplayMetadata *)(const void *)list[i].data, e);
            break;
        case AV_PKT_DATA_CONTENT_LIGHT_LEVEL:
            read_light((const AVContentLightMetadata *)(const void *)list[i].data, e);
            break;
        case AV_PKT_DATA_ICC_PROFILE: e->icc_profile = true; break;
        case AV_PKT_DATA_DOVI_CONF: e->dolby_vision = true; break;
        case AV_PKT_DATA_DISPLAYMATRIX: read_matrix(list[i].data, list[i].size, e); break;
        default: break;
        }
}

static bool may_have_captions(const AVStream *video)
{
    const enum AVCodecID id = video->codecpar->codec_id;
    return id == AV_CODEC_ID_H264 || id == AV_CODEC_ID_HEVC || id == AV_CODEC_ID_MPEG2VIDEO ||
           id == AV_CODEC_ID_AV1;
}

static ksr_status look_at_frames(ksr_context *ctx, const char *path, const struct ksr_film *film,
                                 int count, struct ksr_extras *extras)
{
    const struct ksr_film_key start = ksr_film_start(film);
    ksr_reader *reader;
    ksr_status status = ksr_reader_create(ctx, path, film, &reader);
    if (status != KSR_OK)
        return status;
    ksr_reader_leave_grain(reader); // only then do decoders tell of it
    ksr_reader_leave_samples(reader);
    status = ksr_reader_seek(ctx, reader, 0, film->key_count > 0 ? &film->keys[0] : &start);
    for (int i = 0; status == KSR_OK && i < count && !extras->captions; i++) {
        size_t index;
        bool damaged;
        status = ksr_reader_next(ctx, reader, &index, &damaged);
        if (status != KSR_OK || index == SIZE_MAX)
            break;
        ksr_extras_read_frame(ksr_reader_frame(reader), extras);
    }
    ksr_reader_destroy(&reader);
    return status;
}

ksr_status ksr_extras_look(ksr_context *ctx, const char *path, const struct ksr_film *film,
                           struct ksr_extras *out)
{
    struct ksr_input input;
    ksr_status status = ksr_input_open_video(ctx, path, film->known, film->stream, &input);
    *out = (struct ksr_extras){0};
    if (status != KSR_OK)
        return status;
    ksr_extras_read_stream(input.video, out);
    if (ksr_aperture_read(input.format, film->stream, &out->aperture) == AVERROR(ENOMEM))
        status = ksr_fail_memory(ctx);
    const int count = may_have_captions(input.video) ? LOOK_FRAMES : 1;
    ksr_input_close(&input);
    return status == KSR_OK ? look_at_frames(ctx, path, film, count, out) : status;
}

// --- Writing ---

static int add_side_data(AVStream *stream, enum AVPacketSideDataType type, void *data, size_t size)
{
#if LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(60, 15, 100)
    if (av_packet_side_data_add(&stream->codecpar->coded_side_data,
                                &stream->codecpar->nb_coded_side_data, type, data, size, 0))
        return 0;
#else
    if (av_stream_add_side_data(stream, type, data, size) >= 0)
        return 0;
#endif
    av_free(data);
    return AVERROR(ENOMEM);
}

static int write_mastering(const struct ksr_extras *e, AVStream *stream)
{
    static const int order[3] = {1, 2, 0};
    AVMasteringDisplayMetadata *m = av_mastering_display_metadata_alloc();
    if (!m)
        return AVERROR(ENOMEM);
    m->has_primaries = e->has_primaries;
    m->has_luminance = e->has_luminance;
    for (int i = 0; i < 4; i++) {
        AVRational *xy = i < 3 ? m->display_primaries[order[i]] : m->white_point;
        xy[0] = (AVRational){e->chromaticity[i][0], 50000};
        xy[1] = (AVRational){e->chromaticity[i][1], 50000};
    }
    m->max_luminance = (AVRational){e->max_luminance, 10000};
    m->min_luminance = (AVRational){e->min_luminance, 10000};
    return add_side_data(stream, AV_PKT_DATA_MASTERING_DISPLAY_METADATA, m, sizeof(*m));
}

static int write_matrix(const struct ksr_extras *e, AVStream *stream)
{
    static const int none[9];
    if (memcmp(e->matrix, none, sizeof(none)) == 0)
        return 0;
    void *copy = av_memdup(e->matrix, sizeof(e->matrix));
    return copy ? add_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, copy, sizeof(e->matrix))
                : AVERROR(ENOMEM);
}

int ksr_extras_write_stream(const struct ksr_extras *e, AVStream *stream)
{
    int result = write_matrix(e, stream);
    if (result >= 0 && (e->has_primaries || e->has_luminance))
        result = write_mastering(e, stream);
    if (result < 0 || !e->has_light)
        return result;
    size_t size;
    AVContentLightMetadata *light = av_content_light_metadata_alloc(&size);
    if (!light)
        return AVERROR(ENOMEM);
    light->MaxCLL = (unsigned)e->max_cll;
    light->MaxFALL = (unsigned)e->max_fall;
    return add_side_data(stream, AV_PKT_DATA_CONTENT_LIGHT_LEVEL, light, size);
}

static int copy_captions(AVFrame *to, const AVFrame *from, bool even)
{
    const AVFrameSideData *captions = av_frame_get_side_data(from, AV_FRAME_DATA_A53_CC);
    if (!captions)
        return 0;
    const size_t size = even ? MAX_CAPTIONS * 3 : captions->size;
    AVFrameSideData *copy = av_frame_new_side_data(to, AV_FRAME_DATA_A53_CC, size);
    if (!copy)
        return AVERROR(ENOMEM);
    memcpy(copy->data, captions->data, captions->size < size ? captions->size : size);
    for (size_t i = captions->size / 3 * 3; i + 3 <= size; i += 3)
        memcpy(copy->data + i, "\xfa\0\0", 3); // not valid, so nothing
    return 0;
}

static int copy_one(AVFrame *to, const AVFrame *from, enum AVFrameSideDataType type)
{
    const AVFrameSideData *sd = av_frame_get_side_data(from, type);
    AVFrameSideData *copy = sd ? av_frame_new_side_data(to, type, sd->size) : NULL;
    if (copy)
        memcpy(copy->data, sd->data, sd->size);
    return !sd || copy ? 0 : AVERROR(ENOMEM);
}

static bool is_grey(const AVFrame *frame)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(frame->format);
    return d && d->nb_components < 3 && !(d->flags & AV_PIX_FMT_FLAG_PAL);
}

int ksr_extras_copy_frame(AVFrame *to, const AVFrame *from, bool even)
{
    static const enum AVFrameSideDataType carried[] = {AV_FRAME_DATA_A53_CC,
                                                       AV_FRAME_DATA_ICC_PROFILE, AV_FRAME_DATA_AFD,
                                                       AV_FRAME_DATA_S12M_TIMECODE};
    const size_t count = sizeof(carried) / sizeof(carried[0]);
    for (size_t i = 0; i < count; i++)
        av_frame_remove_side_data(to, carried[i]);
    int result = from ? copy_captions(to, from, even) : 0;
    for (size_t i = 1; from && result >= 0 && i < count; i++)
        if (carried[i] != AV_FRAME_DATA_ICC_PROFILE || is_grey(to) == is_grey(from))
            result = copy_one(to, from, carried[i]);
    return result;
}

void ksr_extras_params(const struct ksr_extras *e, const char *mastering, const char *light,
                       char *out, size_t size)
{
    int used = 0;
    out[0] = 0;
    if (mastering && e->has_primaries && e->has_luminance)
        used = snprintf(out, size, "%s=G(%d,%d)B(%d,%d)R(%d,%d)WP(%d,%d)L(%d,%d)", mastering,
                        e->chromaticity[0][0], e->chromaticity[0][1], e->chromaticity[1][0],
                        e->chromaticity[1][1], e->chromaticity[2][0], e->chromaticity[2][1],
                        e->chromaticity[3][0], e->chromaticity[3][1], e->max_luminance,
                        e->min_luminance);
    if (light && e->has_light && used >= 0 && (size_t)used < size)
        snprintf(out + used, size - (size_t)used, "%s%s=%d,%d", used ? ":" : "", light, e->max_cll,
                 e->max_fall);
}
