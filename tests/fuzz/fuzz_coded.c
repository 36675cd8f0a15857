// The look at packets' headers under libFuzzer: tests/fuzz/meson.build has how to build it. The
// first byte chooses the codec; whole packets also go through FFmpeg's parser, as they do in plan.

#include <stdlib.h>
#include <string.h>

#include "media/index/packet_index.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum AVCodecID CODECS[] = {
        AV_CODEC_ID_VP8,  AV_CODEC_ID_VP9,  AV_CODEC_ID_AV1,       AV_CODEC_ID_MPEG4,
        AV_CODEC_ID_H264, AV_CODEC_ID_HEVC, AV_CODEC_ID_MPEG2VIDEO};
    if (size < 2 || size > 1 << 16)
        return 0;
    const enum AVCodecID codec = CODECS[data[0] % 7];
    uint8_t *exact = malloc(size - 1); // so that a byte past the end is found
    if (!exact)
        abort();
    memcpy(exact, data + 1, size - 1);
    if (ksr_coded_shown(codec, exact, size - 1, data[0] / 7 * 700) < 0)
        abort();
    free(exact);
    ksr_ffmpeg_init();
    AVCodecParameters *parameters = avcodec_parameters_alloc();
    AVPacket *packet = av_packet_alloc();
    if (!parameters || !packet || av_new_packet(packet, (int)size - 1) < 0)
        abort();
    parameters->codec_id = codec;
    parameters->codec_type = AVMEDIA_TYPE_VIDEO;
    const AVStream stream = {.codecpar = parameters};
    memcpy(packet->data, data + 1, size - 1);
    ksr_coded *coded = ksr_coded_create(&stream);
    for (int i = 0; coded && i < 3; i++) {
        packet->pts = i ^ 1;
        if (ksr_coded_note(coded, packet) < 0)
            abort();
    }
    if (!coded || ksr_coded_fields(coded) > 3)
        abort();
    ksr_coded_destroy(&coded);
    av_packet_free(&packet);
    avcodec_parameters_free(&parameters);
    return 0;
}
