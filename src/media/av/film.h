// The film: the input video as the index (index/index.h) found it: its frames, and what they look
// like.

#ifndef KSR_MEDIA_AV_FILM_H
#define KSR_MEDIA_AV_FILM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/log.h"
#include "core/rational.h"
#include "frame/geometry.h"

#define KSR_KEPT_BACK_MOST 16 // frames that a decoder keeps back, until it knows their order

// What decoded frames look like. Colour members are the code points of ITU-T H.273, which FFmpeg
// uses as they are; 2 = unspecified (0 for range and chroma_location).
struct ksr_video_format {
    int width, height;
    char pixel_format[32];             // FFmpeg name
    struct ksr_rational sample_aspect; // 0/1 = not known
    struct ksr_rational frame_rate;    // average, for encoders that want one
    int color_range, color_space, color_primaries, color_transfer;
    int chroma_location; // FFmpeg's AVCHROMA_LOC_*
    bool transposed;     // pixel_format names frames whose rows have become columns
    bool interlaced;
    bool bottom_first; // of two fields; where the container says so, or the pictures show it
    bool single_field; // it is marked as one field of a frame, half as high: HEVC alone
};

// What players cut off the edges of frames.
struct ksr_aperture {
    int left, right, top, bottom;
};

// What pictures carry beside samples and colour tags; all zero = nothing.
struct ksr_extras {
    bool has_primaries, has_luminance, has_light; // of the three below
    int chromaticity[4][2]; // green, blue, red, white of the mastering display, in 1/50000
    int max_luminance, min_luminance; // of the mastering display, in 1/10000 cd/m2
    int max_cll, max_fall;            // content light levels in cd/m2
    int matrix[9];                    // how to show it: FFmpeg's display matrix; 0 = as it is
    struct ksr_aperture aperture;     // what the container has players cut off
    bool film_grain;                  // the decoder is to add some
    bool icc_profile, active_format, time_codes; // of frames
    bool pan_scan;                               // of frames; cannot be carried
    bool captions;                               // CEA-608 or 708
    bool hdr10_plus, dolby_vision;               // cannot be carried
};

// What a filter makes of a decoded frame and the one before it (filter.h).
enum ksr_frame_made {
    KSR_MADE_WHOLE,  // the frame as it is
    KSR_MADE_WOVEN,  // its first field with the second one of the frame before
    KSR_MADE_FIRST,  // its first field alone, deinterlaced,
    KSR_MADE_SECOND, // and its second one
    KSR_MADE_KINDS,
};

// One frame, in presentation order. Times are in the film's time base.
struct ksr_film_frame {
    int64_t source; // timestamp in the file (linear films: place in the decode)
    int64_t
        time; // the same in the timeline (audio_timestamps.h): unique, rising; less a cut's offset
    int64_t duration;         // at least 1
    enum ksr_frame_made made; // by a filter that weaves; else KSR_MADE_WHOLE
};

// A frame where decoding can begin. In a cut film those before its start have the frame 0.
struct ksr_film_key {
    size_t frame;     // its index in `frames`
    int64_t time;     // its packet's timestamp
    int64_t position; // its packet's byte offset in the file, -1 = not known
};

// Packets of one stream whose timestamps are changed (audio_timestamps.h, timeline.md).
struct ksr_film_jump {
    int stream;
    int64_t first, count; // of the stream's packets, in the order of the file
    int64_t by;           // added to their timestamps, in the stream's time base
    bool drop;            // they are left out: what follows overlaps them
    bool back;            // their timestamps jumped and came back; else the clock did not come back
};

// What became of the clocks of a file.
struct ksr_timeline {
    int restarts;       // places where all streams restart or jump, and go on without a gap
    int alone;          // places where one stream does
    double first;       // of those, in seconds of the output
    int holes;          // pauses of all streams that stay
    double hole, pause; // where the first of those begins, and how long it is, in seconds
};

// Frames from one source on are of this kind.
struct ksr_film_kind {
    int64_t source;
    struct ksr_video_format format;
};

struct ksr_film {
    int stream;    // index of the video stream
    int64_t probe; // bytes to look at so that late streams are known (late.h); 0 = as usual
    struct ksr_known *known; // of the stream, for who opens the file again (known.h); of an index
                             // alone, NULL: nothing
    struct ksr_rational time_base;
    struct ksr_video_format format;  // of the frames that the stages see
    struct ksr_video_format decoded; // of those before `filter`; all others are converted to it
    struct ksr_film_kind *kinds;     // by source: what the frames are before that (kinds.h)
    size_t kind_count, kind_capacity;
    struct ksr_film_frame *frames;
    size_t frame_count;
    struct ksr_film_key *keys; // by frame; keys[0].frame is 0 in a film that is not linear
    size_t key_count;
    bool cut;         // `frames` are a piece of the film, beginning at time 0
    int64_t offset;   // of a cut: time of its first frame in the whole film, else 0
    size_t skipped;   // of a cut: frames of the whole film before the first
    bool linear;      // frames are found by counting from the start
    bool open_gop;    // some frames before a keyframe are decoded after it
    bool *corrupt;    // per stream of the file: the demuxer flagged a packet of it as corrupt
    bool *changing;   // per stream of the file: audio whose format changes midway (audio_config.h)
    int64_t *packets; // per stream of the file: how many there are; of an index alone
    bool *falling;    // per stream of the file: times of sound fall, and `jumps` do not mend it
    struct ksr_film_jump *jumps; // by stream, then by packet
    size_t jump_count;
    struct ksr_timeline timeline;
    int stream_count;
    size_t undecoded; // linear: packets of which no frame came
    int64_t *damaged; // linear: sources of frames that the decoder calls damaged, rising
    size_t damaged_count, damaged_capacity;
    int repaired;            // timestamps that were missing, equal or falling
    bool telecined;          // it looks as if telecine had made it (scan.h)
    int first_field;         // as the pictures show: 1 = top, -1 = bottom, 0 = unknown (scan.h)
    bool soft_telecine;      // flags tell players to repeat fields of whole frames (scan.h)
    bool marked_wrongly;     // it is marked as interlaced, but looks whole (scan.h)
    bool unmarked_fields;    // it looks interlaced, but is not marked so (scan.h)
    bool single_fields;      // its frames are single fields, and look so (scan.h)
    bool turns_interlaced;   // its first frames are not marked as interlaced, but later ones are:
    int64_t interlaced_from; // the source of the first of those
    char content[48];        // without black borders, as --crop takes it; "" = none (scan.h)
    struct ksr_extras extras;
    char *subs;                   // list of subtitle files (external.h); NULL = none
    bool no_grain;                // film grain is not to be added by the decoder
    struct ksr_geometry geometry; // what of decoded frames makes those of `format`
    char filter[160]; // libavfilter graph between decoder and stages (filter.h); "" = none
    bool fields;      // it makes two of each frame: `frames` has both, with the same source
};

// Frees everything; leaves *film all zero. Accepts an all-zero film.
void ksr_film_free(struct ksr_film *film);

// Sorts the frames by source.
void ksr_film_sort(struct ksr_film *film);

// Returns the index of the frame with this source timestamp, or SIZE_MAX. second: of two that have
// it, the second one.
size_t ksr_film_find(const struct ksr_film *film, int64_t source, bool second);

// Returns whether a frame is the second that is made of its source.
bool ksr_film_is_second(const struct ksr_film *film, size_t frame);

// Returns how many frames of the film are known to be damaged; *first: the first of them.
size_t ksr_film_damaged(const struct ksr_film *film, size_t *first);

// Returns a time of the film in seconds.
double ksr_film_seconds(const struct ksr_film *film, int64_t time);

// Returns how many seconds `count` frames (at least 1) are shown from frame `first` on.
double ksr_film_length(const struct ksr_film *film, size_t first, size_t count);

// Returns where decoding can begin in any film: at its first frame.
struct ksr_film_key ksr_film_start(const struct ksr_film *film);

// Returns the first frame that is not shown at its number / rate after the first one, within a tick
// or a millisecond, whichever is longer; frame_count where all are.
size_t ksr_film_irregular(const struct ksr_film *film, struct ksr_rational rate);

// --- Kinds of frames (index/kinds.h) ---

// Adds that frames from `source` on are described by `format`, unless that holds already; entries
// come in any order. Returns false when out of memory.
bool ksr_kinds_add(struct ksr_film *film, int64_t source, const struct ksr_video_format *format);

// Returns how many entries of film->kinds begin at or before a source.
size_t ksr_kinds_until(const struct ksr_film *film, int64_t source);

// Returns the description of a frame, NULL when there is none.
const struct ksr_video_format *ksr_kinds_at(const struct ksr_film *film, int64_t source);

// Returns whether two descriptions differ in what matters for samples or their display; frame rate
// and fields do not.
bool ksr_kinds_differ(const struct ksr_video_format *a, const struct ksr_video_format *b);

// Returns whether two names of pixel formats stand for the same samples: yuvj420p is yuv420p whose
// range is said in its name.
bool ksr_kinds_same_name(const char *a, const char *b);

// Returns the first frame of the film at or after a source, such as that of an entry of
// film->kinds.
size_t ksr_kinds_frame(const struct ksr_film *film, int64_t source);

#endif
