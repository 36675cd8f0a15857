// Finding gradual refresh in H.264; see refresh.h.
//
// ISO/IEC 14496-10: a recovery point is an SEI message (NAL unit type 6) of payload type 6, whose
// first field, recovery_frame_cnt, is 0 in Exp-Golomb code ('1') where the picture itself is clean.

#include "media/refresh.h"

#define NAL_SEI              6
#define SEI_RECOVERY_POINT   6
#define NAL_TYPE(first_byte) ((first_byte)&31)

struct bytes {
    const uint8_t *at, *end;
};

// Reads a number that is a run of 255 and a last byte. Returns -1 at the end.
static int read_sei_number(struct bytes *b)
{
    int value = 0;
    while (b->at < b->end && *b->at == 255) {
        value += 255;
        b->at++;
    }
    return b->at < b->end ? value + *b->at++ : -1;
}

static bool sei_is_refresh(struct bytes sei)
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

// The next unit of a packet whose units have their length before them, in `length` bytes.
static bool next_sized(struct bytes *packet, int length, struct bytes *unit)
{
    size_t size = 0;
    if (packet->end - packet->at <= length)
        return false;
    for (int i = 0; i < length; i++)
        size = size << 8 | *packet->at++;
    if (size == 0 || size > (size_t)(packet->end - packet->at))
        return false;
    *unit = (struct bytes){packet->at, packet->at + size};
    packet->at += size;
    return true;
}

static const uint8_t *find_start_code(const uint8_t *at, const uint8_t *end)
{
    for (; end - at >= 3; at++)
        if (at[0] == 0 && at[1] == 0 && at[2] == 1)
            return at;
    return end;
}

// The next unit of a packet with start codes.
static bool next_coded(struct bytes *packet, struct bytes *unit)
{
    const uint8_t *code = find_start_code(packet->at, packet->end);
    if (packet->end - code < 4)
        return false;
    *unit = (struct bytes){code + 3, find_start_code(code + 3, packet->end)};
    packet->at = unit->end;
    return unit->at < unit->end;
}

bool ksr_packet_is_refresh(const AVCodecParameters *p, const AVPacket *packet)
{
    if (p->codec_id != AV_CODEC_ID_H264)
        return false;
    const bool sized = p->extradata_size > 4 && p->extradata[0] == 1;
    const int length = sized ? (p->extradata[4] & 3) + 1 : 0;
    struct bytes rest = {packet->data, packet->data + packet->size}, unit;
    while (sized ? next_sized(&rest, length, &unit) : next_coded(&rest, &unit))
        if (NAL_TYPE(unit.at[0]) == NAL_SEI &&
            sei_is_refresh((struct bytes){unit.at + 1, unit.end}))
            return true;
    return false;
}
