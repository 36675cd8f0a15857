// Formats of audio that change midway; see audio_config.h.

#include "media/av/audio_config.h"

#include <string.h>

int ksr_audio_config(const AVStream *stream, const AVPacket *packet)
{
    const uint8_t *d = packet->data;
    if (stream->codecpar->codec_id != AV_CODEC_ID_AAC || packet->size < 7 || d[0] != 0xff ||
        (d[1] & 0xf6) != 0xf0)
        return 0;
    return 0x10000 | (d[2] & 0xfd) << 8 | (d[3] & 0xc0); // less the private bit
}

bool ksr_audio_config_changes(const AVStream *stream, const AVPacket *packet, int first)
{
    const AVCodecParameters *p = stream->codecpar;
    size_t size = 0;
    const uint8_t *data = av_packet_get_side_data(packet, AV_PKT_DATA_NEW_EXTRADATA, &size);
    const int config = ksr_audio_config(stream, packet);
    if (p->codec_type != AVMEDIA_TYPE_AUDIO)
        return false;
    if (data && p->extradata_size > 0 &&
        (size != (size_t)p->extradata_size || memcmp(data, p->extradata, size) != 0))
        return true;
    return first && config && config != first;
}
