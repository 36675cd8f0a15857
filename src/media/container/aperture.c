// Crops that containers ask of players; see aperture.h.

#include "media/container/aperture.h"

#include <libavutil/intreadwrite.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "media/container/containers.h"
#include "media/container/ebml.h"

enum {
    VIDEO = 0xe0,
    NAME = 0x536e,
    PIXEL_WIDTH = 0xb0,
    PIXEL_HEIGHT = 0xba,
    CROP_BOTTOM = 0x54aa,
    CROP_TOP = 0x54bb,
    CROP_LEFT = 0x54cc,
    CROP_RIGHT = 0x54dd,
    DISPLAY_WIDTH = 0x54b0,
    DISPLAY_HEIGHT = 0x54ba,
    DISPLAY_UNIT = 0x54b2,
};

#define UNIT_UNKNOWN 4
#define MAX_BOXES    100000
#define MAX_ENTRY    (1 << 20) // bytes

// What the video of a track says.
struct video {
    uint64_t width, height, display_width, display_height, unit;
    uint64_t left, right, top, bottom;
};

bool ksr_aperture_crops(const struct ksr_aperture *a)
{
    return a->left || a->right || a->top || a->bottom;
}

struct ksr_aperture ksr_aperture_scale(const struct ksr_aperture *a, int from_width,
                                       int from_height, int to_width, int to_height)
{
    return (struct ksr_aperture){
        .left = (int)av_rescale(a->left, to_width, from_width),
        .right = (int)av_rescale(a->right, to_width, from_width),
        .top = (int)av_rescale(a->top, to_height, from_height),
        .bottom = (int)av_rescale(a->bottom, to_height, from_height),
    };
}

// --- Reading Matroska ---

static void read_video(const struct ksr_element *parent, struct video *v)
{
    struct ksr_element e;
    for (const uint8_t *p = parent->data; ksr_element_take(&p, parent->data + parent->size, &e);) {
        uint64_t *const number = e.id == PIXEL_WIDTH      ? &v->width
                                 : e.id == PIXEL_HEIGHT   ? &v->height
                                 : e.id == CROP_LEFT      ? &v->left
                                 : e.id == CROP_RIGHT     ? &v->right
                                 : e.id == CROP_TOP       ? &v->top
                                 : e.id == CROP_BOTTOM    ? &v->bottom
                                 : e.id == DISPLAY_WIDTH  ? &v->display_width
                                 : e.id == DISPLAY_HEIGHT ? &v->display_height
                                 : e.id == DISPLAY_UNIT   ? &v->unit
                                                          : NULL;
        if (number)
            *number = ksr_element_number(&e);
    }
}

// Whether a track is one that a demuxer shows as video.
static bool read_track(const struct ksr_element *track, struct video *v)
{
    struct ksr_element e;
    bool has_codec = false;
    uint64_t type = 0;
    memset(v, 0, sizeof(*v));
    for (const uint8_t *p = track->data; ksr_element_take(&p, track->data + track->size, &e);) {
        has_codec |= e.id == KSR_EBML_CODEC && e.size > 0;
        if (e.id == KSR_EBML_TRACK_TYPE)
            type = ksr_element_number(&e);
        if (e.id == VIDEO)
            read_video(&e, v);
    }
    return type == 1 && has_codec;
}

static bool is_cropped(const struct video *v)
{
    return v->width <= 65535 && v->height <= 65535 && v->left < v->width && v->right < v->width &&
           v->left + v->right < v->width && v->top < v->height && v->bottom < v->height &&
           v->top + v->bottom < v->height && (v->left || v->right || v->top || v->bottom);
}

static bool is_track(const AVStream *s)
{
    return s->codecpar->codec_type == AVMEDIA_TYPE_VIDEO && !ksr_stream_is_cover(s);
}

// Calls visit() for each video stream, which come in the order of tracks. Where a demuxer leaves
// some out, nothing is known.
static void visit_tracks(const AVFormatContext *f, const struct ksr_ebml_part *tracks,
                         void (*visit)(void *opaque, AVStream *stream, const struct video *v),
                         void *opaque)
{
    struct ksr_element e;
    struct video v;
    unsigned counted = 0, streams = 0, i = 0;
    for (const uint8_t *p = tracks->bytes;
         p && ksr_element_take(&p, tracks->bytes + tracks->size, &e);)
        counted += e.id == KSR_EBML_TRACK && read_track(&e, &v);
    for (unsigned n = 0; n < f->nb_streams; n++)
        streams += is_track(f->streams[n]);
    if (counted != streams)
        return;
    for (const uint8_t *p = tracks->bytes;
         p && ksr_element_take(&p, tracks->bytes + tracks->size, &e);) {
        if (e.id != KSR_EBML_TRACK || !read_track(&e, &v))
            continue;
        while (!is_track(f->streams[i]))
            i++;
        visit(opaque, f->streams[i++], &v);
    }
}

static int read_tracks(const AVFormatContext *input,
                       void (*visit)(void *opaque, AVStream *stream, const struct video *v),
                       void *opaque)
{
    AVIOContext *io = input->pb;
    struct ksr_ebml_part tracks;
    if (!io || !(io->seekable & AVIO_SEEKABLE_NORMAL) ||
        ksr_container_read_by(input->iformat->name)->parts != KSR_PARTS_EBML)
        return 0;
    const int64_t at = avio_tell(io);
    const bool ok = ksr_ebml_find(io, KSR_EBML_TRACKS, &tracks);
    const int64_t back = avio_seek(io, at, SEEK_SET);
    if (ok)
        visit_tracks(input, &tracks, visit, opaque);
    free(tracks.bytes);
    return !ok ? AVERROR(ENOMEM) : back < 0 ? (int)back : 0;
}

static void correct_aspect(void *opaque, AVStream *s, const struct video *v)
{
    (void)opaque;
    if (!is_cropped(v) || v->unit >= UNIT_UNKNOWN)
        return;
    const uint64_t width = v->width - v->left - v->right, height = v->height - v->top - v->bottom;
    const uint64_t shown_width = v->display_width ? v->display_width : width;
    const uint64_t shown_height = v->display_height ? v->display_height : height;
    if (shown_width > INT32_MAX || shown_height > INT32_MAX)
        return;
    av_reduce(&s->sample_aspect_ratio.num, &s->sample_aspect_ratio.den,
              (int64_t)(shown_width * height), (int64_t)(shown_height * width), INT32_MAX);
    s->codecpar->sample_aspect_ratio = s->sample_aspect_ratio;
}

int ksr_aperture_correct_aspects(AVFormatContext *input)
{
    return read_tracks(input, correct_aspect, NULL);
}

struct wanted {
    int stream;
    struct ksr_aperture *out;
};

static void take_crop(void *opaque, AVStream *s, const struct video *v)
{
    const struct wanted *wanted = opaque;
    if (s->index == wanted->stream && is_cropped(v))
        *wanted->out =
            (struct ksr_aperture){(int)v->left, (int)v->right, (int)v->top, (int)v->bottom};
}

// --- Reading MP4 and MOV ---

// Finds the next box of a type from *at on, and moves behind it. Returns false where none is whole.
static bool find_box(AVIOContext *io, int64_t *at, int64_t end, uint32_t type, int64_t *data,
                     int64_t *data_end)
{
    for (int i = 0; i < MAX_BOXES && end - *at >= 8; i++) {
        if (avio_seek(io, *at, SEEK_SET) < 0)
            return false;
        int64_t size = avio_rb32(io), head = 8;
        const uint32_t found = avio_rb32(io);
        if (size == 1) {
            size = (int64_t)avio_rb64(io);
            head = 16;
        } else if (size == 0) {
            size = end - *at;
        }
        if (avio_feof(io) || size < head || size > end - *at)
            return false;
        *data = *at + head;
        *data_end = *at += size;
        if (found == type)
            return true;
    }
    return false;
}

static bool is_track_id(AVIOContext *io, int64_t data, int64_t end, int id)
{
    int64_t header, header_end;
    if (!find_box(io, &data, end, MKBETAG('t', 'k', 'h', 'd'), &header, &header_end))
        return false;
    avio_seek(io, header, SEEK_SET);
    const bool long_times = avio_r8(io) == 1;
    avio_seek(io, header + (long_times ? 20 : 12), SEEK_SET);
    return (int)avio_rb32(io) == id;
}

// Reads the first sample entry of a track; free with free().
static int read_entry(AVIOContext *io, int64_t data, int64_t end, uint8_t **bytes, size_t *size)
{
    static const uint32_t path[] = {MKBETAG('m', 'd', 'i', 'a'), MKBETAG('m', 'i', 'n', 'f'),
                                    MKBETAG('s', 't', 'b', 'l'), MKBETAG('s', 't', 's', 'd')};
    for (int i = 0; i < 4; i++) {
        int64_t at = data;
        if (!find_box(io, &at, end, path[i], &data, &end))
            return 0;
    }
    data += 8; // version, flags, and how many entries there are
    if (end - data < 8 || avio_seek(io, data, SEEK_SET) < 0)
        return 0;
    *size = avio_rb32(io);
    if (*size < 8 || *size > MAX_ENTRY || (int64_t)*size > end - data)
        return 0;
    *bytes = malloc(*size);
    if (!*bytes)
        return AVERROR(ENOMEM);
    if (avio_seek(io, data, SEEK_SET) < 0 || avio_read(io, *bytes, (int)*size) != (int)*size) {
        free(*bytes);
        *bytes = NULL;
    }
    return 0;
}

static bool read_fraction(const uint8_t *at, double *out)
{
    const int32_t num = (int32_t)AV_RB32(at), den = (int32_t)AV_RB32(at + 4);
    *out = den != 0 ? (double)num / den : 0;
    return den > 0;
}

// One axis of a clean aperture: what is cut off before and after it.
static bool cut(int size, const uint8_t *length_at, const uint8_t *offset_at, int *before,
                int *after)
{
    double length, offset;
    if (!read_fraction(length_at, &length) || !read_fraction(offset_at, &offset) || length < 1 ||
        length > size)
        return false;
    const double first = (size - round(length)) / 2 + offset;
    if (first < 0 || first + round(length) > size)
        return false;
    *before = (int)floor(first + 0.5);
    *after = size - *before - (int)round(length);
    return *after >= 0;
}

void ksr_aperture_of_entry(const uint8_t *entry, size_t size, struct ksr_aperture *out)
{
    const size_t children = 86, clap = 40; // bytes before the boxes of an entry, and of that box
    memset(out, 0, sizeof(*out));
    for (size_t at = children; size >= children && size - at >= 8;) {
        const uint8_t *b = entry + at;
        const size_t length = AV_RB32(b);
        if (length < 8 || length > size - at)
            return;
        at += length;
        if (AV_RB32(b + 4) != MKBETAG('c', 'l', 'a', 'p') || length < clap)
            continue;
        struct ksr_aperture a;
        if (cut(AV_RB16(entry + 32), b + 8, b + 24, &a.left, &a.right) &&
            cut(AV_RB16(entry + 34), b + 16, b + 32, &a.top, &a.bottom))
            *out = a;
        return;
    }
}

static int read_movie(const AVFormatContext *input, int id, struct ksr_aperture *out)
{
    AVIOContext *io = input->pb;
    const int64_t back = avio_tell(io);
    int64_t at = 0, data, end, track, track_end;
    uint8_t *entry = NULL;
    size_t size = 0;
    int result = 0;
    if (find_box(io, &at, avio_size(io), MKBETAG('m', 'o', 'o', 'v'), &data, &end))
        while (result == 0 && !entry &&
               find_box(io, &data, end, MKBETAG('t', 'r', 'a', 'k'), &track, &track_end))
            if (is_track_id(io, track, track_end, id))
                result = read_entry(io, track, track_end, &entry, &size);
    if (entry)
        ksr_aperture_of_entry(entry, size, out);
    free(entry);
    const int64_t sought = avio_seek(io, back, SEEK_SET);
    return result < 0 ? result : sought < 0 ? (int)sought : 0;
}

int ksr_aperture_read(const AVFormatContext *input, int stream, struct ksr_aperture *out)
{
    struct wanted wanted = {stream, out};
    memset(out, 0, sizeof(*out));
    if (!input->pb || !(input->pb->seekable & AVIO_SEEKABLE_NORMAL))
        return 0;
    if (ksr_container_read_by(input->iformat->name)->parts == KSR_PARTS_BOXES)
        return read_movie(input, input->streams[stream]->id, out);
    return read_tracks(input, take_crop, &wanted);
}

// --- Writing Matroska ---

#define ROOM 40 // bytes that the elements below can take: 4 * 5, less what they replace, and a void

int ksr_aperture_reserve(AVStream *video)
{
    const AVDictionaryEntry *title = av_dict_get(video->metadata, "title", NULL, 0);
    char more[ROOM + 1] = "";
    memset(more, '-', ROOM);
    char *name = ksr_format("%s%s", title ? title->value : "", more);
    const int result = name ? av_dict_set(&video->metadata, "title", name, 0) : AVERROR(ENOMEM);
    free(name);
    return result < 0 ? result : 0;
}

static bool has_room(const struct ksr_element *name)
{
    for (size_t i = 0; i < ROOM; i++)
        if (name->size < ROOM || name->data[name->size - 1 - i] != '-')
            return false;
    return true;
}

// Bytes under construction, of a buffer that is large enough.
static void put_head(uint8_t **out, uint32_t id, size_t size)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        if (id >> shift)
            *(*out)++ = (uint8_t)(id >> shift);
    const int length = size < 127 ? 1 : size < 16383 ? 2 : 4;
    memset(*out, 0, (size_t)length);
    ksr_element_put_size(*out, length, size);
    *out += length;
}

static void put_bytes(uint8_t **out, const uint8_t *from, size_t size)
{
    memcpy(*out, from, size);
    *out += size;
}

static void put_number(uint8_t **out, uint32_t id, uint64_t value)
{
    const int bytes = value < 256 ? 1 : value < 65536 ? 2 : 4;
    put_head(out, id, (size_t)bytes);
    for (int i = bytes - 1; i >= 0; i--)
        *(*out)++ = (uint8_t)(value >> 8 * i);
}

// The size to show or, by its unit, the aspect ratio: of the part that is left.
static void put_display(uint8_t **out, const struct video *v, const struct ksr_aperture *a)
{
    const int64_t width = (int64_t)v->width, height = (int64_t)v->height;
    const int64_t shown_width = (int64_t)v->display_width * (width - a->left - a->right);
    const int64_t shown_height = (int64_t)v->display_height * (height - a->top - a->bottom);
    int num = (int)((shown_width + width / 2) / width);
    int den = (int)((shown_height + height / 2) / height);
    if (v->unit != 0)
        av_reduce(&num, &den, shown_width * height, shown_height * width, 65535);
    put_number(out, DISPLAY_WIDTH, (uint64_t)num);
    put_number(out, DISPLAY_HEIGHT, (uint64_t)den);
}

static void put_video(uint8_t **out, const struct ksr_element *video, const struct ksr_aperture *a,
                      uint8_t *scratch)
{
    const uint32_t ids[] = {CROP_BOTTOM, CROP_TOP, CROP_LEFT, CROP_RIGHT};
    const int values[] = {a->bottom, a->top, a->left, a->right};
    struct video v = {0};
    struct ksr_element e;
    uint8_t *made = scratch;
    read_video(video, &v);
    const bool display = v.display_width > 0 && v.display_height > 0 && v.width > 0 &&
                         v.height > 0 && v.display_width <= 1 << 20 &&
                         v.display_height <= 1 << 20 && v.unit < UNIT_UNKNOWN;
    for (const uint8_t *p = video->data; ksr_element_take(&p, video->data + video->size, &e);)
        if (!display || (e.id != DISPLAY_WIDTH && e.id != DISPLAY_HEIGHT))
            put_bytes(&made, e.head, (size_t)(p - e.head));
    if (display)
        put_display(&made, &v, a);
    for (int i = 0; i < 4; i++)
        if (values[i] > 0)
            put_number(&made, ids[i], (uint64_t)values[i]);
    put_head(out, VIDEO, (size_t)(made - scratch));
    put_bytes(out, scratch, (size_t)(made - scratch));
}

// Puts the crop in the place of the room, in a track that stays as long as it is.
static bool rebuild(const struct ksr_element *track, const struct ksr_aperture *a, uint8_t *buffer,
                    uint8_t *scratch)
{
    struct ksr_element e;
    uint8_t *out = buffer;
    for (const uint8_t *p = track->data; ksr_element_take(&p, track->data + track->size, &e);) {
        if (e.id == NAME && has_room(&e)) {
            if (e.size > ROOM) {
                put_head(&out, NAME, e.size - ROOM);
                put_bytes(&out, e.data, e.size - ROOM);
            }
        } else if (e.id == VIDEO) {
            put_video(&out, &e, a, scratch);
        } else {
            put_bytes(&out, e.head, (size_t)(p - e.head));
        }
    }
    const size_t used = (size_t)(out - buffer);
    if (used > track->size || track->size - used < 2 || track->size - used > 127)
        return false;
    const size_t rest = track->size - used - 2;
    put_head(&out, KSR_EBML_VOID, rest);
    memset(out, 0, rest);
    return true;
}

static bool is_reserved(const struct ksr_element *track)
{
    struct ksr_element e;
    struct video v;
    bool room = false;
    for (const uint8_t *p = track->data; ksr_element_take(&p, track->data + track->size, &e);)
        room |= e.id == NAME && has_room(&e);
    return room && read_track(track, &v);
}

int ksr_aperture_put(struct ksr_ebml_part *tracks, const struct ksr_aperture *aperture)
{
    struct ksr_element track = {0};
    const uint8_t *p = tracks->bytes;
    bool found = false;
    while (p && !found && ksr_element_take(&p, tracks->bytes + tracks->size, &track))
        found = track.id == KSR_EBML_TRACK && is_reserved(&track);
    if (!found)
        return AVERROR_BUG;                    // the muxer has written another name
    const size_t size = track.size + 4 * ROOM; // no number takes more room than this adds
    uint8_t *buffer = malloc(size), *scratch = malloc(size);
    const int result = !buffer || !scratch                          ? AVERROR(ENOMEM)
                       : rebuild(&track, aperture, buffer, scratch) ? 0
                                                                    : AVERROR_BUG;
    if (result == 0) {
        memcpy(tracks->bytes + (track.data - tracks->bytes), buffer, track.size);
        ksr_ebml_put_checksum(tracks);
    }
    free(buffer);
    free(scratch);
    return result;
}
