// Kinds of frames: size, pixel format, range, matrix, pixel aspect and so on, where these change in
// the middle of a video.
//
// Every frame is described by the last entry of film->kinds at or before it. The reader converts
// frames to one kind, film->decoded, so that nothing behind it meets any other (conform.h).

#ifndef KSR_MEDIA_INDEX_KINDS_H
#define KSR_MEDIA_INDEX_KINDS_H

#include "media/av/ffmpeg.h"
#include "media/av/film.h"

// Where the headers of packets change, noted while they are read.
struct ksr_kind_hints {
    struct ksr_kind_hint {
        int64_t time; // pts of the packet
        uint64_t headers;
    } * list;
    size_t count, capacity;
    uint64_t last;
};

// Notes a packet of the video stream. Returns false when out of memory.
bool ksr_kinds_note(struct ksr_kind_hints *hints, const AVCodecParameters *video,
                    const AVPacket *packet);

// Finds the kinds of a film that was indexed by packets, whose first kind is known: decodes a frame
// where headers change, or every frame of an image sequence whose headers are not known.
// Returns KSR_OK, KSR_E_INPUT, KSR_E_NOMEM, KSR_E_CANCELLED.
ksr_status ksr_kinds_find(ksr_context *ctx, const char *path, struct ksr_film *film,
                          const struct ksr_kind_hints *hints);

// Chooses film->decoded and film->format for the frames first .. end-1: the kind of the first one,
// but where it has no colour or transparency and a later one has, the pixel format of that one.
void ksr_kinds_choose(struct ksr_film *film, size_t first, size_t end);

// Writes what differs between two formats, such as "size 64x48 to 96x48, range tv to pc".
void ksr_kinds_text(const struct ksr_video_format *from, const struct ksr_video_format *to,
                    char *out, size_t size);

// Logs one warning where the frames of the film are of several kinds, and what becomes of them.
void ksr_kinds_warn(ksr_context *ctx, const struct ksr_film *film);

#endif
