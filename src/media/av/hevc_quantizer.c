// Quantizers of H.265; see hevc_quantizer.h. Section numbers are those of ISO/IEC 23008-2.

#include "media/av/hevc_quantizer.h"

#include <string.h>

#include "media/av/units.h"

#define HEADER_MOST 4096 // bytes of a parameter set or slice header that are read
#define SETS_MOST   64   // short-term reference picture sets
#define PICTURES    16   // in one of them

// Bits of a unit without the bytes that keep start codes out of it. Behind the end are zeros.
struct bits {
    uint8_t bytes[HEADER_MOST];
    size_t size, at; // in bits
    bool bad;        // read beyond the end, or a value out of range
};

struct sequence_set {
    bool known, separate_planes, sao, long_term, temporal;
    int chroma, order_bits, sets, long_terms;
};

struct picture_set {
    bool known, output_flag;
    int sequence, extra_bits, qp;
};

struct hevc {
    struct sequence_set sequences[16];
    struct picture_set pictures[64];
    struct bits bits; // of the unit that is read
};

// --- Bits ---

static void open_bits(struct bits *b, struct ksr_bytes unit)
{
    int zeros = 0;
    b->size = b->at = 0;
    b->bad = false;
    for (const uint8_t *c = unit.at; c < unit.end && b->size < sizeof(b->bytes); c++) {
        const bool inserted = zeros >= 2 && *c == 3;
        zeros = *c || inserted ? 0 : zeros + 1;
        if (!inserted)
            b->bytes[b->size++] = *c;
    }
    b->size *= 8;
}

static unsigned bit(struct bits *b)
{
    if (b->at >= b->size) {
        b->bad = true;
        return 0;
    }
    const unsigned value = b->bytes[b->at / 8] >> (7 - b->at % 8) & 1;
    b->at++;
    return value;
}

// count: 0 .. 32.
static unsigned read_bits(struct bits *b, int count)
{
    unsigned value = 0;
    for (int i = 0; i < count; i++)
        value = value << 1 | bit(b);
    return value;
}

static void skip(struct bits *b, int count)
{
    for (int i = 0; i < count; i++)
        bit(b);
}

// A number in Exp-Golomb code (9.2); what is above `most` makes the bits bad.
static int number(struct bits *b, int most)
{
    int zeros = 0;
    while (!b->bad && zeros < 31 && !bit(b))
        zeros++;
    const unsigned value = (1u << zeros) - 1 + read_bits(b, zeros);
    if (b->bad || value > (unsigned)most) {
        b->bad = true;
        return 0;
    }
    return (int)value;
}

static int signed_number(struct bits *b, int most)
{
    const int value = number(b, 2 * most);
    return value % 2 ? value / 2 + 1 : -(value / 2);
}

// --- Parameter sets ---

// 7.3.3
static void skip_profile(struct bits *b, int layers)
{
    bool profile[8] = {false}, level[8] = {false};
    skip(b, 96);
    for (int i = 0; i < layers; i++) {
        profile[i] = bit(b);
        level[i] = bit(b);
    }
    skip(b, layers > 0 ? 2 * (8 - layers) : 0);
    for (int i = 0; i < layers; i++)
        skip(b, profile[i] * 88 + level[i] * 8);
}

// 7.3.4
static void skip_scaling_lists(struct bits *b)
{
    for (int size = 0; size < 4; size++)
        for (int matrix = 0; matrix < 6 && !b->bad; matrix += size == 3 ? 3 : 1) {
            const int most = size == 0 ? 16 : 64;
            if (!bit(b)) {
                number(b, 6);
                continue;
            }
            if (size > 1)
                signed_number(b, 256);
            for (int i = 0; i < most; i++)
                signed_number(b, 256);
        }
}

// 7.3.7: of set `index`; counts: pictures in those before. Returns how many are in it. in_slice: it
// stands in a slice header.
static int skip_references(struct bits *b, int index, bool in_slice, const int counts[SETS_MOST])
{
    if (index > 0 && bit(b)) {
        const int back = in_slice ? number(b, index - 1) + 1 : 1;
        int count = 0;
        bit(b);
        number(b, 65535);
        for (int i = 0; i <= counts[index - back] && !b->bad; i++) {
            const bool used = bit(b);
            count += used || bit(b);
        }
        return FFMIN(count, PICTURES);
    }
    const int negative = number(b, PICTURES), positive = number(b, PICTURES);
    for (int i = 0; i < negative + positive && !b->bad; i++) {
        number(b, 65535);
        bit(b);
    }
    return FFMIN(negative + positive, PICTURES);
}

// 7.3.2.2, as far as slice headers need it.
static void read_sequence_set(struct hevc *h, int counts[SETS_MOST])
{
    struct bits *b = &h->bits;
    struct sequence_set s = {.known = true};
    skip(b, 4);
    const int layers = (int)read_bits(b, 3);
    bit(b);
    skip_profile(b, layers);
    const int id = number(b, 15);
    s.chroma = number(b, 3);
    s.separate_planes = s.chroma == 3 && bit(b);
    number(b, 65535);
    number(b, 65535);
    if (bit(b))
        for (int i = 0; i < 4; i++)
            number(b, 65535);
    number(b, 8);
    number(b, 8);
    s.order_bits = number(b, 12) + 4;
    for (int i = bit(b) ? 0 : layers; i <= layers; i++)
        for (int k = 0; k < 3; k++)
            number(b, 1 << 30);
    for (int i = 0; i < 6; i++)
        number(b, 64);
    if (bit(b) && bit(b))
        skip_scaling_lists(b);
    bit(b);
    s.sao = bit(b);
    if (bit(b)) {
        skip(b, 8);
        number(b, 8);
        number(b, 8);
        bit(b);
    }
    s.sets = number(b, SETS_MOST);
    for (int i = 0; i < s.sets && !b->bad; i++)
        counts[i] = skip_references(b, i, false, counts);
    s.long_term = bit(b);
    if (s.long_term) {
        s.long_terms = number(b, 32);
        skip(b, s.long_terms * (s.order_bits + 1));
    }
    s.temporal = bit(b);
    if (!b->bad)
        h->sequences[id] = s;
}

// 7.3.2.3
static void read_picture_set(struct hevc *h)
{
    struct bits *b = &h->bits;
    const int id = number(b, 63);
    struct picture_set p = {.known = true, .sequence = number(b, 15)};
    bit(b);
    p.output_flag = bit(b);
    p.extra_bits = (int)read_bits(b, 3);
    skip(b, 2);
    number(b, 15);
    number(b, 15);
    p.qp = 26 + signed_number(b, 100);
    if (!b->bad)
        h->pictures[id] = p;
}

// --- Slices ---

// 7.3.6.1: what stands before the quantizer where pictures are in some order.
static void skip_order(struct bits *b, const struct sequence_set *s, const int counts[SETS_MOST])
{
    int bits = 0;
    skip(b, s->order_bits);
    if (!bit(b)) {
        skip_references(b, s->sets, true, counts);
    } else {
        while (1 << bits < s->sets)
            bits++;
        skip(b, bits);
    }
    if (s->long_term) {
        const int known = s->long_terms > 0 ? number(b, 32) : 0;
        if (known + number(b, 32) > 0) // has no place in a keyframe
            b->bad = true;
    }
    if (s->temporal)
        bit(b);
}

static bool read_slice(struct hevc *h, int type, const int counts[SETS_MOST], int *qp)
{
    struct bits *b = &h->bits;
    const bool first = bit(b);
    if (type >= 16)
        bit(b);
    const struct picture_set *p = &h->pictures[number(b, 63)];
    const struct sequence_set *s = &h->sequences[p->sequence];
    if (b->bad || !first || !p->known || !s->known)
        return false;
    skip(b, p->extra_bits);
    if (number(b, 2) != 2) // not intra
        return false;
    if (p->output_flag)
        bit(b);
    if (s->separate_planes)
        skip(b, 2);
    if (type != 19 && type != 20)
        skip_order(b, s, counts);
    if (s->sao)
        skip(b, s->chroma > 0 && !s->separate_planes ? 2 : 1);
    *qp = p->qp + signed_number(b, 100);
    return !b->bad;
}

// --- Units ---

// Returns whether it was a slice whose quantizer is known.
static bool read_unit(struct hevc *h, struct ksr_bytes unit, int counts[SETS_MOST], int *qp)
{
    if (unit.end - unit.at < 3)
        return false;
    const int type = unit.at[0] >> 1 & 63;
    if (type > 34)
        return false;
    open_bits(&h->bits, (struct ksr_bytes){unit.at + 2, unit.end});
    if (type == 33)
        read_sequence_set(h, counts);
    else if (type == 34)
        read_picture_set(h);
    return type < 32 && read_slice(h, type, counts, qp);
}

// Of the configuration record of MP4 and Matroska (ISO/IEC 14496-15, 8.3.3.1).
static void read_record(struct hevc *h, struct ksr_bytes record, int counts[SETS_MOST])
{
    int qp;
    const uint8_t *at = record.at + 23;
    for (int arrays = record.at[22]; arrays > 0 && record.end - at >= 3; arrays--) {
        int units = at[1] << 8 | at[2];
        for (at += 3; units > 0 && record.end - at >= 2; units--) {
            const int size = at[0] << 8 | at[1];
            at += 2;
            if (size > record.end - at)
                return;
            read_unit(h, (struct ksr_bytes){at, at + size}, counts, &qp);
            at += size;
        }
    }
}

bool ksr_hevc_quantizer(const AVCodecParameters *parameters, const AVPacket *packet, int *qp)
{
    struct hevc h = {0};
    int counts[SETS_MOST] = {0}; // of the sequence set that came last
    const int length_size = ksr_unit_length_size(parameters);
    const uint8_t *extra = parameters->extradata;
    const struct ksr_bytes before = {extra, extra ? extra + parameters->extradata_size : NULL};
    struct ksr_bytes left = before, unit;
    if (length_size > 0 && before.end - before.at >= 23)
        read_record(&h, before, counts);
    else
        while (left.at < left.end && ksr_unit_next(&left, 0, &unit))
            read_unit(&h, unit, counts, qp);
    if (packet->size <= 0)
        return false;
    left = (struct ksr_bytes){packet->data, packet->data + packet->size};
    while (ksr_unit_next(&left, length_size, &unit))
        if (read_unit(&h, unit, counts, qp))
            return true;
    return false;
}
