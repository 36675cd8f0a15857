// Alpha beside packets; see alpha.h.

#include "media/av/alpha.h"

#include <libavutil/intreadwrite.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH 4 // bytes at the end that tell how many are before them

static bool is_vpx(enum AVCodecID codec)
{
    return codec == AV_CODEC_ID_VP8 || codec == AV_CODEC_ID_VP9;
}

bool ksr_alpha_is_beside(const AVStream *stream)
{
    const AVDictionaryEntry *tag = av_dict_get(stream->metadata, KSR_ALPHA_TAG, NULL, 0);
    return tag && strtol(tag->value, NULL, 10) > 0 && is_vpx(stream->codecpar->codec_id);
}

const AVCodec *ksr_alpha_decoder(const AVStream *stream)
{
    return avcodec_find_decoder_by_name(
        stream->codecpar->codec_id == AV_CODEC_ID_VP8 ? "libvpx" : "libvpx-vp9");
}

bool ksr_alpha_goes_beside(enum AVCodecID codec, enum AVPixelFormat format)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(format);
    return is_vpx(codec) && d && (d->flags & AV_PIX_FMT_FLAG_ALPHA) != 0;
}

int ksr_alpha_pack(AVPacket *packet)
{
    size_t beside = 0;
    const int size = packet->size;
    const uint8_t *data =
        av_packet_get_side_data(packet, AV_PKT_DATA_MATROSKA_BLOCKADDITIONAL, &beside);
    beside = data ? beside : 0;
    if (beside > (size_t)(INT32_MAX / 2) || av_grow_packet(packet, (int)beside + LENGTH) < 0)
        return AVERROR(ENOMEM);
    if (beside > 0)
        memcpy(packet->data + size, data, beside);
    AV_WB32(packet->data + size + beside, (uint32_t)beside);
    return 0;
}

int ksr_alpha_unpack(AVPacket *packet)
{
    if (packet->size < LENGTH)
        return AVERROR_INVALIDDATA;
    const uint32_t beside = AV_RB32(packet->data + packet->size - LENGTH);
    if (beside > (uint32_t)(packet->size - LENGTH))
        return AVERROR_INVALIDDATA;
    const int size = packet->size - LENGTH - (int)beside;
    uint8_t *data =
        beside > 0 ? av_packet_new_side_data(packet, AV_PKT_DATA_MATROSKA_BLOCKADDITIONAL, beside)
                   : NULL;
    if (beside > 0 && !data)
        return AVERROR(ENOMEM);
    if (beside > 0)
        memcpy(data, packet->data + size, beside);
    av_shrink_packet(packet, size);
    return 0;
}
