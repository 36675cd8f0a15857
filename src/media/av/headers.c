// Hashes of packets' headers; see headers.h.

#include "media/av/headers.h"

#include <string.h>

#include "core/hash.h"
#include "media/av/units.h"

// Adds bytes to a hash that stands for those before.
static uint64_t add(uint64_t hash, struct ksr_bytes bytes)
{
    const size_t size = (size_t)(bytes.end - bytes.at);
    const uint64_t both[2] = {hash, size > 0 ? ksr_hash64(bytes.at, size) : 0};
    return ksr_hash64(both, sizeof(both));
}

// --- Codecs of units ---

// Whether a unit says what frames look like; *last: none that does comes after it.
static bool is_header(enum AVCodecID codec, struct ksr_bytes unit, bool *last)
{
    const int byte = unit.at[0], next = unit.end - unit.at > 1 ? unit.at[1] >> 4 : -1;
    switch (codec) {
    case AV_CODEC_ID_H264: // ISO/IEC 14496-10: sequence parameter set; slices
        *last = (byte & 31) >= 1 && (byte & 31) <= 5;
        return (byte & 31) == 7;
    case AV_CODEC_ID_HEVC: // ISO/IEC 23008-2
        *last = (byte >> 1 & 63) < 32;
        return (byte >> 1 & 63) == 33;
    case AV_CODEC_ID_MPEG1VIDEO: // ISO/IEC 13818-2: sequence header, its extension and display
    case AV_CODEC_ID_MPEG2VIDEO: // extension; picture
        *last = byte == 0;
        return byte == 0xb3 || (byte == 0xb5 && (next == 1 || next == 2));
    case AV_CODEC_ID_MPEG4: // ISO/IEC 14496-2: visual object and its layer; VOP
        *last = byte == 0xb6;
        return byte == 0xb5 || (byte >= 0x20 && byte <= 0x2f);
    case AV_CODEC_ID_VC1: // SMPTE 421M: sequence header, entry point; frame
        *last = byte == 0x0d;
        return byte == 0x0e || byte == 0x0f;
    default: return false;
    }
}

// Adds a unit. Of a sequence header of MPEG-1 and 2 only size and aspect: frame and bit rate
// follow.
static uint64_t add_unit(uint64_t hash, enum AVCodecID codec, struct ksr_bytes unit)
{
    const bool mpeg = codec == AV_CODEC_ID_MPEG1VIDEO || codec == AV_CODEC_ID_MPEG2VIDEO;
    if (!mpeg || unit.at[0] != 0xb3 || unit.end - unit.at < 5)
        return add(hash, unit);
    const uint8_t part[4] = {unit.at[1], unit.at[2], unit.at[3], unit.at[4] & 0xf0};
    return add(hash, (struct ksr_bytes){part, part + sizeof(part)});
}

static uint64_t hash_units(const AVCodecParameters *p, struct ksr_bytes packet)
{
    const int length_size = ksr_unit_length_size(p);
    uint64_t hash = 0;
    struct ksr_bytes unit;
    bool last = false;
    while (!last && ksr_unit_next(&packet, length_size, &unit))
        if (is_header(p->codec_id, unit, &last))
            hash = add_unit(hash, p->codec_id, unit);
    return hash;
}

// --- Codecs with a header at a known place ---

static uint64_t hash_range(struct ksr_bytes packet, int from, int to)
{
    if (packet.end - packet.at < to)
        return 0;
    return add(0, (struct ksr_bytes){packet.at + from, packet.at + to});
}

// Sequence headers of AV1 (section 5.3 of its specification: OBU headers).
static uint64_t hash_av1(struct ksr_bytes packet)
{
    uint64_t hash = 0;
    while (packet.end - packet.at > 1) {
        const int type = *packet.at >> 3 & 15;
        const bool extension = *packet.at & 4, sized = *packet.at & 2;
        uint64_t size = 0;
        packet.at += extension ? 2 : 1;
        for (int i = 0; sized && i < 8 && packet.at < packet.end; i++) {
            const int byte = *packet.at++;
            size |= (uint64_t)(byte & 127) << 7 * i;
            if (byte < 128)
                break;
        }
        const uint64_t left = (uint64_t)(packet.end - packet.at);
        size = sized && size < left ? size : left;
        if (type == 1)
            hash = add(hash, (struct ksr_bytes){packet.at, packet.at + size});
        packet.at += size;
    }
    return hash;
}

// Keyframes of VP9 begin with everything: profile, colour and size lie in the first 10 bytes, the
// first of which also has what differs from frame to frame.
static uint64_t hash_vp9(struct ksr_bytes packet)
{
    if (packet.end - packet.at < 10 || packet.at[1] != 0x49 || packet.at[2] != 0x83 ||
        packet.at[3] != 0x42)
        return 0;
    return hash_range(packet, 4, 9);
}

// Start-of-frame and Adobe's colour transform, up to the scan.
static uint64_t hash_jpeg(struct ksr_bytes packet)
{
    uint64_t hash = 0;
    const uint8_t *at = packet.at + 2;
    while (packet.end - at >= 4 && at[0] == 0xff && at[1] != 0xda) {
        const int marker = at[1], size = at[2] << 8 | at[3];
        if (marker == 0xff) { // a filler
            at++;
            continue;
        }
        if (size < 2 || size > packet.end - at - 2)
            break;
        const bool frame =
            marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
        if (frame || marker == 0xee)
            hash = add(hash, (struct ksr_bytes){at, at + 2 + size});
        at += 2 + size;
    }
    return hash;
}

// Header and colour of a PNG; that there is a palette or transparency, but not which.
static uint64_t hash_png(struct ksr_bytes packet)
{
    static const char *const whole[] = {"IHDR", "cHRM", "gAMA", "sRGB", "cICP"};
    uint64_t hash = 0;
    packet.at += packet.end - packet.at > 8 ? 8 : 0;
    while (packet.end - packet.at >= 12) {
        const uint8_t *at = packet.at;
        const uint64_t size = (uint64_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
        if (size > (uint64_t)(packet.end - at - 12) || memcmp(at + 4, "IDAT", 4) == 0)
            break;
        struct ksr_bytes part = {at + 4, at + 8};
        for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
            if (memcmp(at + 4, whole[i], 4) == 0)
                part.end = at + 8 + size;
        if (part.end - part.at > 4 || at[4] == 'P' || at[4] == 't') // PLTE, tRNS
            hash = add(hash, part);
        packet.at += 12 + size;
    }
    return hash;
}

// --- All ---

bool ksr_headers_known(enum AVCodecID codec)
{
    switch (codec) {
    case AV_CODEC_ID_H264:
    case AV_CODEC_ID_HEVC:
    case AV_CODEC_ID_MPEG1VIDEO:
    case AV_CODEC_ID_MPEG2VIDEO:
    case AV_CODEC_ID_MPEG4:
    case AV_CODEC_ID_VC1:
    case AV_CODEC_ID_AV1:
    case AV_CODEC_ID_VP9:
    case AV_CODEC_ID_MJPEG:
    case AV_CODEC_ID_PNG:
    case AV_CODEC_ID_PRORES: return true;
    default: return false;
    }
}

static uint64_t hash_codec(const AVCodecParameters *p, const AVPacket *packet)
{
    const struct ksr_bytes bytes = {packet->data, packet->data + packet->size};
    switch (p->codec_id) {
    case AV_CODEC_ID_AV1: return hash_av1(bytes);
    case AV_CODEC_ID_VP9: return hash_vp9(bytes);
    case AV_CODEC_ID_MJPEG: return hash_jpeg(bytes);
    case AV_CODEC_ID_PNG: return hash_png(bytes);
    case AV_CODEC_ID_PRORES: return hash_range(bytes, 16, 26); // of its frame header
    default: return packet->flags & AV_PKT_FLAG_KEY ? hash_units(p, bytes) : 0;
    }
}

uint64_t ksr_packet_headers(const AVCodecParameters *p, const AVPacket *packet)
{
    uint64_t hash = packet->size > 2 ? hash_codec(p, packet) : 0;
    for (int i = 0; i < packet->side_data_elems; i++) {
        const AVPacketSideData *sd = &packet->side_data[i];
        if (sd->type == AV_PKT_DATA_NEW_EXTRADATA || sd->type == AV_PKT_DATA_PARAM_CHANGE)
            hash = add(hash, (struct ksr_bytes){sd->data, sd->data + sd->size});
    }
    return hash;
}

// --- H.264 without chroma ---

// Bits of a parameter set from `at` on; what is behind its end reads as zero.
struct bits {
    struct ksr_bytes unit;
    size_t at;
};

static int read_bit(struct bits *b)
{
    const size_t size = (size_t)(b->unit.end - b->unit.at), at = b->at++;
    return at / 8 < size ? b->unit.at[at / 8] >> (7 - at % 8) & 1 : 0;
}

// An Exp-Golomb number of at most 16 bits; -1: it is longer, or the data ends.
static int read_number(struct bits *b)
{
    int zeros = 0, value = 1;
    while (zeros <= 16 && !read_bit(b))
        zeros++;
    for (int i = 0; zeros <= 16 && i < zeros; i++)
        value = value << 1 | read_bit(b);
    return zeros <= 16 ? value - 1 : -1;
}

// Whether a sequence parameter set is of a profile that names the chroma format, and names none.
static bool says_grey(struct ksr_bytes unit)
{
    static const uint8_t profiles[] = {100, 110, 122, 244, 44,  83, 86,
                                       118, 128, 138, 139, 134, 135};
    struct bits b = {unit, 32}; // behind the type, the profile, its constraints and the level
    const bool known = unit.end - unit.at > 4 && memchr(profiles, unit.at[1], sizeof(profiles));
    return known && read_number(&b) >= 0 && read_number(&b) == 0;
}

bool ksr_headers_grey(const AVCodecParameters *p)
{
    struct ksr_bytes all = {p->extradata, p->extradata + p->extradata_size}, unit;
    const bool boxed = ksr_unit_length_size(p) > 0;
    if (p->codec_id != AV_CODEC_ID_H264 || !p->extradata || p->extradata_size < 8)
        return false;
    if (boxed)
        all.at += 6; // the sets follow with lengths of two bytes
    while (ksr_unit_next(&all, boxed ? 2 : 0, &unit))
        if ((unit.at[0] & 31) == 7)
            return says_grey(unit);
    return false;
}
