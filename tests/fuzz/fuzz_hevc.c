// The reader of H.265 quantizers under libFuzzer: tests/fuzz/meson.build has how to build it. The
// first two bytes are the size of the stream's extradata, which comes next, before a packet.

#include <stdlib.h>
#include <string.h>

#include "media/av/hevc_quantizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Of exactly that size, so that a byte past the end is found.
static uint8_t *copy(const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size ? size : 1);
    if (!exact)
        abort();
    memcpy(exact, data, size);
    return exact;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int qp = 0;
    if (size < 2 || size > 1 << 16)
        return 0;
    const size_t wanted = (size_t)(data[0] << 8 | data[1]), left = size - 2;
    const size_t extra = wanted < left ? wanted : left;
    AVCodecParameters parameters = {.codec_id = AV_CODEC_ID_HEVC, .extradata_size = (int)extra};
    AVPacket packet = {.size = (int)(left - extra)};
    parameters.extradata = extra > 0 ? copy(data + 2, extra) : NULL;
    packet.data = copy(data + 2 + extra, left - extra);
    if (ksr_hevc_quantizer(&parameters, &packet, &qp) && (qp < -174 || qp > 226))
        abort();
    free(parameters.extradata);
    free(packet.data);
    return 0;
}
