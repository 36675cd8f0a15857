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

// Adds that frames from `source` on are described by `format`, unless that holds already; entries
// come in any order. Returns false when out of memory.
bool ksr_kinds_add(struct ksr_film *film, int64_t source, const struct ksr_video_format *format);

// Returns the description of a frame, NULL when there is none.
const struct ksr_video_format *ksr_kinds_at(const struct ksr_film *film, int64_t source);

// Chooses film->decoded and film->format for the frames first .. end-1: the kind of the first one,
// but where it has no colour or transparency and a later one has, the pixel format of that one.
void ksr_kinds_choose(struct ksr_film *film, size_t first, size_t end);

// Returns whether two descriptions differ in what matters for samples or their display; frame rate
// and fields do not.
bool ksr_kinds_differ(const struct ksr_video_format *a, const struct ksr_video_format *b);

// Returns whether two names of pixel formats stand for the same samples: yuvj420p is yuv420p whose
// range is said in its name.
bool ksr_kinds_same_name(const char *a, const char *b);

// Returns the first frame of the film at or after a source, such as that of an entry of
// film->kinds.
size_t ksr_kinds_frame(const struct ksr_film *film, int64_t source);

// Writes what differs between two formats, such as "size 64x48 to 96x48, range tv to pc".
void ksr_kinds_text(const struct ksr_video_format *from, const struct ksr_video_format *to,
                    char *out, size_t size);

// Logs one warning where the frames of the film are of several kinds, and what becomes of them.
void ksr_kinds_warn(ksr_context *ctx, const struct ksr_film *film);

#endif
