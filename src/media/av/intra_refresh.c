// Finding gradual refresh in H.264; see intra_refresh.h.
//
// ISO/IEC 14496-10: a recovery point is an SEI message (NAL unit type 6) of payload type 6, whose
// first field, recovery_frame_cnt, is 0 in Exp-Golomb code ('1') where the picture itself is clean.

#include "media/av/intra_refresh.h"

#include "media/av/units.h"

#define NAL_SEI              6
#define SEI_RECOVERY_POINT   6
#define NAL_TYPE(first_byte) ((first_byte)&31)

// Reads a number that is a run of 255 and a last byte. Returns -1 at the end.
static int read_sei_number(struct ksr_bytes *b)
{
    int value = 0;
    while (b->at < b->end && *b->at == 255) {
        value += 255;
        b->at++;
    }
    return b->at < b->end ? value + *b->at++ : -1;
}

static bool sei_is_refresh(struct ksr_bytes sei)
{
    while (sei.end - sei.at > 2) {
        const int type = read_sei_number(&sei), size = read_sei_number(&sei);
        if (type < 0 || size < 1 || size > sei.end - sei.at)
            return false;
        if (type == SEI_RECOVERY_POINT)
            return (*sei.at & 0x80) == 0;
        sei.at += size;
    }
    return false;
}

bool ksr_packet_is_refresh(const AVCodecParameters *p, const AVPacket *packet)
{
    if (p->codec_id != AV_CODEC_ID_H264)
        return false;
    const int length = ksr_unit_length_size(p);
    struct ksr_bytes rest = {packet->data, packet->data + packet->size}, unit;
    while (ksr_unit_next(&rest, length, &unit))
        if (NAL_TYPE(unit.at[0]) == NAL_SEI &&
            sei_is_refresh((struct ksr_bytes){unit.at + 1, unit.end}))
            return true;
    return false;
}
