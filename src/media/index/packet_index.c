// Looking at the headers of video packets; see packet_index.h.
//
// H.264 and HEVC count the order of display in every header, older codecs name their B-frames:
// FFmpeg's parsers read both. Whether frames of VP8, VP9 and AV1 are shown is a bit near the start,
// which no parser hands out.

#include "media/index/packet_index.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

struct ksr_coded {
    enum AVCodecID codec;
    AVCodecParserContext *parser; // NULL: none that is of use
    AVCodecContext *context;      // of the parser
    bool reorders;                // a decoder of this stream may give frames in another order
    size_t packets, fields;
    int open_field;     // of a frame that lacks the other one; 0 = none
    int64_t last_time;  // of the packet before
    int64_t last_order; // and its number in the order of display, UNKNOWN if not known
    int64_t anchor;     // timestamp of the last frame that is no B-frame
    bool falls;         // timestamps are not in decode order
    bool against_order; // timestamps do not follow the order of display
    bool several;       // a packet holds several frames that are shown
    bool unread_start;  // the first packet's header cannot be read
};

#define UNKNOWN INT64_MIN

static bool has_order(enum AVCodecID codec)
{
    return codec == AV_CODEC_ID_H264 || codec == AV_CODEC_ID_HEVC;
}

static bool names_b_frames(enum AVCodecID codec)
{
    return codec == AV_CODEC_ID_MPEG1VIDEO || codec == AV_CODEC_ID_MPEG2VIDEO ||
           codec == AV_CODEC_ID_MPEG4 || codec == AV_CODEC_ID_VC1;
}

static bool open_parser(ksr_coded *c, const AVCodecParameters *p)
{
    c->context = avcodec_alloc_context3(NULL);
    if (!c->context || avcodec_parameters_to_context(c->context, p) < 0)
        return false;
    c->parser = av_parser_init(p->codec_id);
    if (c->parser)
        c->parser->flags |= PARSER_FLAG_COMPLETE_FRAMES;
    return true;
}

ksr_coded *ksr_coded_create(const AVStream *video)
{
    const AVCodecParameters *p = video->codecpar;
    const AVCodecDescriptor *d = avcodec_descriptor_get(p->codec_id);
    ksr_coded *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->codec = p->codec_id;
    c->last_time = c->last_order = c->anchor = UNKNOWN;
    c->reorders = p->video_delay > 0 && d && d->props & AV_CODEC_PROP_REORDER;
    ksr_ffmpeg_clear_message();
    if ((has_order(c->codec) || names_b_frames(c->codec)) &&
        (!open_parser(c, p) || ksr_memory_ran_out()))
        ksr_coded_destroy(&c);
    return c;
}

void ksr_coded_destroy(ksr_coded **coded)
{
    if (!coded || !*coded)
        return;
    av_parser_close((*coded)->parser);
    avcodec_free_context(&(*coded)->context);
    free(*coded);
    *coded = NULL;
}

// --- Frames that are not shown ---

struct bits {
    const uint8_t *data;
    size_t size, at; // in bits
};

static int read_bits(struct bits *b, int count)
{
    int value = 0;
    for (int i = 0; i < count; i++, b->at++)
        value = value << 1 | (b->at < b->size && b->data[b->at / 8] >> (7 - b->at % 8) & 1);
    return value;
}

static int vp9_shown(const uint8_t *data, size_t size)
{
    struct bits b = {data, size * 8, 0};
    if (size == 0 || read_bits(&b, 2) != 2) // frame marker
        return 1;
    const int low = read_bits(&b, 1), profile = read_bits(&b, 1) << 1 | low;
    if (profile == 3)
        read_bits(&b, 1);
    if (read_bits(&b, 1)) // show_existing_frame
        return 1;
    read_bits(&b, 1); // frame_type
    return read_bits(&b, 1);
}

// A superframe ends with an index: a byte, the sizes of its frames, and the byte once more.
static int vp9_packet_shown(const uint8_t *data, size_t size)
{
    const uint8_t mark = data[size - 1];
    const size_t frames = (size_t)(mark & 7) + 1, length = (size_t)(mark >> 3 & 3) + 1;
    const size_t index = 2 + frames * length;
    if (mark >> 5 != 6 || size < index || data[size - index] != mark)
        return vp9_shown(data, size);
    const uint8_t *sizes = data + size - index + 1;
    size_t rest = size - index;
    int shown = 0;
    for (size_t i = 0; i < frames; i++) {
        size_t frame = 0;
        for (size_t k = 0; k < length; k++)
            frame |= (size_t)*sizes++ << 8 * k;
        if (frame > rest)
            return 1;
        shown += frame > 0 ? vp9_shown(data, frame) : 0;
        data += frame;
        rest -= frame;
    }
    return shown;
}

#define OBU_FRAME_HEADER 3
#define OBU_FRAME        6

// Reads the length of an AV1 unit. Returns false at the end.
static bool read_leb128(const uint8_t **at, const uint8_t *end, size_t *value)
{
    *value = 0;
    for (int i = 0; i < 8 && *at < end; i++) {
        const uint8_t byte = *(*at)++;
        *value |= (size_t)(byte & 0x7F) << 7 * i;
        if (!(byte & 0x80))
            return true;
    }
    return false;
}

// A still picture may leave its bits out: such a stream has no hidden frames.
static int av1_packet_shown(const uint8_t *at, size_t size)
{
    const uint8_t *end = at + size;
    int frames = 0, shown = 0;
    while (at < end) {
        const int head = *at++, type = head >> 3 & 15;
        size_t length;
        if (head & 4 && at < end) // extension
            at++;
        if (!(head & 2))
            length = (size_t)(end - at);
        else if (!read_leb128(&at, end, &length))
            return 1;
        if (length > (size_t)(end - at))
            return 1;
        if ((type == OBU_FRAME || type == OBU_FRAME_HEADER) && length > 0) {
            frames++;
            shown += *at & 0x80 || *at & 0x10; // show_existing_frame, show_frame
        }
        at += length;
    }
    return frames == 0 || shown > 0; // of several layers one comes out
}

// Whether a frame of MPEG-4 is coded, or stands for the one before. at: behind its start code.
static bool vop_coded(const uint8_t *at, size_t size, int ticks)
{
    struct bits b = {at, size * 8, 2}; // behind the type
    while (b.at < b.size && read_bits(&b, 1))
        ;                                                                   // seconds
    b.at += 2 + (size_t)(ticks > 1 ? av_log2((unsigned)ticks - 1) + 1 : 1); // time, and its markers
    return b.at >= b.size || read_bits(&b, 1);
}

// Packed streams have a B-frame behind the frame that it needs, and later an empty one in its
// place.
static int mpeg4_packet_shown(const uint8_t *data, size_t size, int ticks)
{
    static const uint8_t VOP[] = {0, 0, 1, 0xB6};
    const uint8_t *end = data + size;
    int frames = 0, shown = 0;
    for (const uint8_t *at = data; end - at >= 4; at++) {
        if (memcmp(at, VOP, sizeof(VOP)) != 0)
            continue;
        frames++;
        shown += ticks <= 0 || vop_coded(at + 4, (size_t)(end - at - 4), ticks);
    }
    return frames > 0 ? shown : 1;
}

int ksr_coded_shown(enum AVCodecID codec, const uint8_t *data, size_t size, int ticks)
{
    if (size == 0)
        return 1;
    switch (codec) {
    case AV_CODEC_ID_VP8: return data[0] >> 4 & 1;
    case AV_CODEC_ID_VP9: return vp9_packet_shown(data, size);
    case AV_CODEC_ID_AV1: return av1_packet_shown(data, size);
    case AV_CODEC_ID_MPEG4: return mpeg4_packet_shown(data, size, ticks);
    default: return 1;
    }
}

// --- Fields, and the order of display ---

static int opposite(int field)
{
    return field == AV_PICTURE_STRUCTURE_TOP_FIELD ? AV_PICTURE_STRUCTURE_BOTTOM_FIELD
                                                   : AV_PICTURE_STRUCTURE_TOP_FIELD;
}

// The structure of MPEG-2's picture in a packet: a field only where the other one is not with it.
static int mpeg2_structure(const uint8_t *data, size_t size)
{
    int structure = AV_PICTURE_STRUCTURE_UNKNOWN;
    for (size_t at = 0; at + 7 <= size;) {
        const uint8_t *found = memchr(data + at + 2, 1, size - at - 2);
        if (!found || (size_t)(found - data) + 5 > size)
            break;
        at = (size_t)(found - data) - 1;
        if (found[-1] != 0 || found[-2] != 0 || found[1] != 0xB5 || found[2] >> 4 != 8)
            continue;
        const int bits = found[4] & 3;
        if (structure != AV_PICTURE_STRUCTURE_UNKNOWN || bits == 0 || bits == 3)
            return AV_PICTURE_STRUCTURE_FRAME;
        structure = bits == 1 ? AV_PICTURE_STRUCTURE_TOP_FIELD : AV_PICTURE_STRUCTURE_BOTTOM_FIELD;
    }
    return structure;
}

// Returns whether the packet is the second field of a frame. Demuxers may also put both fields into
// one packet; that looks like the first of them.
static bool note_field(ksr_coded *c, int structure)
{
    const bool field = structure == AV_PICTURE_STRUCTURE_TOP_FIELD ||
                       structure == AV_PICTURE_STRUCTURE_BOTTOM_FIELD;
    const bool second = field && c->open_field && structure == opposite(c->open_field);
    c->fields += field;
    c->open_field = field && !second ? structure : 0;
    return second;
}

// Between two keyframes timestamps must rise and fall as the numbers of the order of display do.
static void check_order(ksr_coded *c, int64_t order, int64_t time, bool key)
{
    if (!key && c->last_order != UNKNOWN && order != c->last_order && time != c->last_time)
        c->against_order |= (order > c->last_order) != (time > c->last_time);
    c->last_order = order;
}

// A B-frame is shown before the frame that was decoded before it.
static void check_b_frame(ksr_coded *c, bool is_b, int64_t time)
{
    if (!is_b)
        c->anchor = time;
    else if (c->anchor != UNKNOWN)
        c->against_order |= time > c->anchor;
}

// Returns whether the packet is the second field of a frame.
static bool parse(ksr_coded *c, const AVPacket *packet)
{
    uint8_t *out;
    int size;
    AVCodecParserContext *p = c->parser;
    p->output_picture_number = INT_MIN;
    p->picture_structure = AV_PICTURE_STRUCTURE_UNKNOWN;
    p->pict_type = AV_PICTURE_TYPE_NONE;
    av_parser_parse2(p, c->context, &out, &size, packet->data, packet->size, packet->pts,
                     packet->dts, packet->pos);
    const bool timed = packet->pts != AV_NOPTS_VALUE;
    if (!has_order(c->codec)) {
        if (timed && p->pict_type != AV_PICTURE_TYPE_NONE)
            check_b_frame(c, p->pict_type == AV_PICTURE_TYPE_B, packet->pts);
        return c->codec == AV_CODEC_ID_MPEG2VIDEO &&
               note_field(c, mpeg2_structure(packet->data, (size_t)packet->size));
    }
    const bool known = p->output_picture_number != INT_MIN;
    c->unread_start |= !known && c->packets == 0;
    if (known && timed)
        check_order(c, p->output_picture_number, packet->pts, p->key_frame == 1);
    else
        c->last_order = UNKNOWN;
    return c->codec == AV_CODEC_ID_H264 && note_field(c, p->picture_structure);
}

int ksr_coded_note(ksr_coded *c, const AVPacket *packet)
{
    const size_t bytes = packet->data && packet->size > 0 ? (size_t)packet->size : 0;
    const bool second = c->parser && bytes > 0 && parse(c, packet);
    const int ticks = c->context ? c->context->framerate.num : 0;
    const int shown = second ? 0 : ksr_coded_shown(c->codec, packet->data, bytes, ticks);
    c->several |= shown > 1;
    c->falls |=
        packet->pts != AV_NOPTS_VALUE && c->last_time != UNKNOWN && packet->pts < c->last_time;
    c->last_time = packet->pts == AV_NOPTS_VALUE ? UNKNOWN : packet->pts;
    c->packets++;
    return shown;
}

const char *ksr_coded_reason(const ksr_coded *c)
{
    if (c->fields > 0)
        return "fields are coded one by one";
    if (c->several)
        return "packets hold several frames";
    if (c->against_order || (!c->parser && c->reorders && !c->falls))
        return "timestamps are those of decoding";
    return c->unread_start ? "it does not begin with its headers" : NULL;
}

size_t ksr_coded_fields(const ksr_coded *c)
{
    return c->fields;
}
