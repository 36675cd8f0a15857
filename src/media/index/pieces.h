// What audio_timestamps.c and timeline.c share: the timestamps of each stream, as pieces without a
// break.

#ifndef KSR_MEDIA_INDEX_PIECES_H
#define KSR_MEDIA_INDEX_PIECES_H

#include "media/av/ffmpeg.h"
#include "media/av/film.h"

#define KSR_LARGEST_TIME (INT64_C(1) << 55) // sums of 64 of them still fit
#define STRAY_PACKETS    8                  // so few packets are no part of a recording

// Packets of one stream that follow one another in time. Times are in the stream's ticks.
struct piece {
    int64_t first;             // number of its first packet in the stream
    int64_t order, last_order; // number of its first and last packet in the file
    int64_t start, last, end;  // decode time of its first and last packet, and the end of that
    int64_t shown, shown_end;  // the same by presentation time
    int64_t clamped;           // added to `start` because it is no time at all (LARGEST)
    int64_t by;                // puts it in line with its own stream, when `moved`
    int64_t clock;             // puts it in line with all streams; the times above have it already
    int64_t dropped;           // packets at its end that overlap what follows
    double audio;              // seconds that audio was at when it began, NAN = not known
    bool moved, unknown;       // unknown: its packets get no timestamps
};

enum track_kind { TRACK_OTHER, TRACK_VIDEO, TRACK_AUDIO };

struct track {
    enum track_kind kind;
    AVRational base;
    struct piece *pieces;
    size_t count, capacity;
    int64_t packets;
    int64_t wrap;              // ticks after which its clock begins at 0 again, 0 = never
    int64_t hole, fall, brief; // in ticks; see audio_timestamps.c
    int64_t usual;             // duration of a packet that says none
    size_t placed;             // pieces that belong to an epoch already; see timeline.c
    bool reorders;             // frames are shown in another order than they are decoded in
    bool made_up;              // its decode times are; the first packets have none then
    bool part;                 // the next packet begins a piece, whatever its time
};

struct ksr_jumps {
    int count;
    struct track *tracks; // one per stream
    struct track *video;  // the one that is upscaled
    bool restarts;        // of a format in which clocks may jump forward
    int64_t packets;      // of all streams
    double audio;         // seconds that audio was at last, NAN = no audio yet
};

static inline int64_t length_of(const struct piece *p)
{
    return p->end - p->start;
}

static inline int64_t packets_of(const struct track *t, size_t i)
{
    return (i + 1 < t->count ? t->pieces[i + 1].first : t->packets) - t->pieces[i].first;
}

static inline double seconds_of(const struct track *t, int64_t time)
{
    return (double)time * av_q2d(t->base);
}

// Whether times that are shifted further are still far from where sums of them end.
static inline bool ksr_pieces_may_shift(const struct piece *p, int64_t by)
{
    const int64_t most = 4 * KSR_LARGEST_TIME;
    return by > -most && by < most && p->clock + by > -most && p->clock + by < most;
}

// Adds `by` to the times of pieces from..count-1.
void ksr_pieces_shift(struct track *t, size_t from, int64_t by);

// Puts pieces from..to-1 one after the other in line, the first at a time.
void ksr_pieces_line_up(struct track *t, size_t from, size_t to, int64_t time);

// Closes the gaps where the clock of all streams, or of the video alone, restarts or jumps.
void ksr_timeline_close(struct ksr_jumps *jumps, struct ksr_timeline *found);

// The same for audio whose clock jumps alone, once what jumps and comes back has been mended.
void ksr_timeline_close_alone(struct ksr_jumps *jumps, struct track *audio,
                              struct ksr_timeline *found);

#endif
