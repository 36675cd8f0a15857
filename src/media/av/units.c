// Splitting packets into units; see units.h.

#include "media/av/units.h"

int ksr_unit_length_size(const AVCodecParameters *p)
{
    if (p->codec_id == AV_CODEC_ID_H264 && p->extradata_size > 4 && p->extradata[0] == 1)
        return (p->extradata[4] & 3) + 1;
    // hvcC of version 1, or 0 as some writers have it; a start code has 1 in byte 2 or 3.
    if (p->codec_id == AV_CODEC_ID_HEVC && p->extradata_size > 21 &&
        (p->extradata[0] == 1 || p->extradata[1] != 0 || p->extradata[2] > 1))
        return (p->extradata[21] & 3) + 1;
    return 0;
}

static bool next_sized(struct ksr_bytes *packet, int length, struct ksr_bytes *unit)
{
    size_t size = 0;
    if (packet->end - packet->at <= length)
        return false;
    for (int i = 0; i < length; i++)
        size = size << 8 | *packet->at++;
    if (size == 0 || size > (size_t)(packet->end - packet->at))
        return false;
    *unit = (struct ksr_bytes){packet->at, packet->at + size};
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

static bool next_coded(struct ksr_bytes *packet, struct ksr_bytes *unit)
{
    const uint8_t *code = find_start_code(packet->at, packet->end);
    if (packet->end - code < 4)
        return false;
    *unit = (struct ksr_bytes){code + 3, find_start_code(code + 3, packet->end)};
    packet->at = unit->end;
    return unit->at < unit->end;
}

bool ksr_unit_next(struct ksr_bytes *packet, int length_size, struct ksr_bytes *unit)
{
    return length_size > 0 ? next_sized(packet, length_size, unit) : next_coded(packet, unit);
}
