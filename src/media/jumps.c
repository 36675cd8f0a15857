// Times that jump and come back; see jumps.h.
//
// Packets that follow one another are a piece. Pieces that are out of line are put in line when
// they fill what lies between two others, to within HOLE_MS. At the start and the end of a track
// there is no other side: what comes before a piece that begins earlier, or behind one that ends
// later, is put beside it, if it is short. Falling times that are left have no such rule: then the
// track is encoded anew, where overlapping sound is cut.

#include "media/jumps.h"

#include <stdlib.h>

#include "core/mem.h"

#define HOLE_MS    30                 // more than container ticks and guessed lengths are wrong by
#define FALL_MS    1                  // a fall of so little is mended by moving a packet by a tick
#define LOOK       64                 // pieces to look back: what comes back does so soon
#define SHORT_MS   10000              // of sound at the start or the end of a track
#define LARGEST    (INT64_C(1) << 55) // of times: sums of LOOK of them still fit
#define MANY_JUMPS 1000               // of one track: that is no damage, but how it is

struct piece {
    int64_t first;            // number of its first packet in the stream
    int64_t start, last, end; // times of its first and last packet, and the end of that
    int64_t by;               // puts it in line
    bool moved;               // `by` counts
};

struct track {
    struct piece *pieces;
    size_t count, capacity;
    int64_t packets;
    int64_t hole, fall, brief; // HOLE_MS, FALL_MS and SHORT_MS in the stream's ticks
    bool sound;
};

struct ksr_jumps {
    int count;
    struct track *tracks; // one per stream
};

ksr_jumps *ksr_jumps_create(const AVFormatContext *input)
{
    const AVRational millisecond = {1, 1000};
    ksr_jumps *j = calloc(1, sizeof(*j));
    if (!j)
        return NULL;
    j->count = (int)input->nb_streams;
    j->tracks = calloc((size_t)j->count, sizeof(j->tracks[0]));
    for (int i = 0; j->tracks && i < j->count; i++) {
        const AVStream *s = input->streams[i];
        struct track *t = &j->tracks[i];
        t->sound = s->codecpar->codec_type == AVMEDIA_TYPE_AUDIO;
        t->hole = av_rescale_q(HOLE_MS, millisecond, s->time_base);
        t->fall = av_rescale_q(FALL_MS, millisecond, s->time_base);
        t->brief = av_rescale_q(SHORT_MS, millisecond, s->time_base);
    }
    if (!j->tracks)
        ksr_jumps_destroy(&j);
    return j;
}

void ksr_jumps_destroy(ksr_jumps **jumps)
{
    ksr_jumps *j = *jumps;
    if (!j)
        return;
    for (int i = 0; j->tracks && i < j->count; i++)
        free(j->tracks[i].pieces);
    free(j->tracks);
    free(j);
    *jumps = NULL;
}

// --- Collecting ---

static bool begin_piece(struct track *t, int64_t number, int64_t time, int64_t end)
{
    if (!ksr_array_reserve((void **)&t->pieces, &t->capacity, t->count + 1, sizeof(t->pieces[0])))
        return false;
    t->pieces[t->count++] =
        (struct piece){.first = number, .start = time, .last = time, .end = end};
    return true;
}

bool ksr_jumps_note(ksr_jumps *j, const AVPacket *packet)
{
    struct track *t = packet->stream_index < j->count ? &j->tracks[packet->stream_index] : NULL;
    if (!t || !t->sound)
        return true;
    const int64_t number = t->packets++;
    const int64_t time = packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
    if (time == AV_NOPTS_VALUE || llabs(time) > LARGEST)
        return true;
    const bool known = packet->duration > 0 && packet->duration < t->brief;
    const int64_t end = time + (known ? packet->duration : 0);
    struct piece *p = t->count > 0 ? &t->pieces[t->count - 1] : NULL;
    if (!p || time < p->last - t->fall || time > p->end + t->hole)
        return begin_piece(t, number, time, end);
    p->end = known ? end : time + (time > p->last ? time - p->last : 0);
    p->last = time;
    return true;
}

// --- Judging ---

static int64_t length_of(const struct piece *p)
{
    return p->end - p->start;
}

// Puts pieces first..end-1 one after the other in line, the first at a time.
static void line_up(struct track *t, size_t first, size_t end, int64_t time)
{
    for (size_t i = first; i < end; i++) {
        struct piece *p = &t->pieces[i];
        p->by = time - p->start;
        p->moved = true;
        time += length_of(p);
    }
}

// Puts what lies between piece c and an earlier one in line, when it fills the time between them.
static void return_to_line(struct track *t, size_t c)
{
    const struct piece *now = &t->pieces[c], *before = now - 1;
    int64_t between = 0;
    for (size_t i = c; i-- > 0 && c - i <= LOOK;) {
        const struct piece *p = &t->pieces[i];
        const int64_t room = now->start - p->end;
        const int64_t last = p->end + between - (before->end - before->last);
        if (i + 1 < c && !p->moved && llabs(room - between) <= t->hole && last < now->start) {
            line_up(t, i + 1, c, p->end);
            return;
        }
        between += length_of(p);
    }
}

// The first piece from `from` on whose time is before that of the packet before it.
static size_t find_fall(const struct track *t, size_t from)
{
    for (size_t i = from; i < t->count; i++) {
        const struct piece *a = &t->pieces[i - 1], *b = &t->pieces[i];
        if (b->start + b->by < a->last + a->by - t->fall)
            return i;
    }
    return t->count;
}

// Whether pieces first..end-1 are short, as they are and against their neighbour. *length: of them.
static bool are_short(const struct track *t, size_t first, size_t end,
                      const struct piece *neighbour, int64_t *length)
{
    *length = 0;
    for (size_t i = first; i < end && end - first <= LOOK; i++)
        *length += length_of(&t->pieces[i]);
    return end - first <= LOOK && *length <= t->brief && *length < length_of(neighbour);
}

static void mend_start(struct track *t)
{
    const size_t fall = find_fall(t, 1);
    int64_t length;
    if (fall == t->count)
        return;
    const struct piece *first = &t->pieces[0], *after = &t->pieces[fall];
    if (first->start > after->start && are_short(t, 0, fall, after, &length))
        line_up(t, 0, fall, after->start - length);
}

static void mend_end(struct track *t)
{
    const size_t fall = find_fall(t, 1);
    int64_t length;
    if (fall == t->count)
        return;
    const struct piece *last = &t->pieces[t->count - 1], *before = &t->pieces[fall - 1];
    if (last->end < before->end && !before->moved && are_short(t, fall, t->count, before, &length))
        line_up(t, fall, t->count, before->end);
}

static size_t mend_track(struct track *t)
{
    size_t fall = 0, moved = 0;
    for (size_t i = 1; i < t->count; i++) {
        if (t->pieces[i].start < t->pieces[i - 1].last - t->fall)
            fall = i;
        if (fall > 0 && i - fall <= LOOK)
            return_to_line(t, i);
    }
    mend_start(t);
    mend_end(t);
    for (size_t i = 0; i < t->count; i++)
        moved += t->pieces[i].moved;
    return moved;
}

static bool add_jumps(const struct track *t, int stream, struct ksr_film *film, size_t *capacity)
{
    for (size_t i = 0; i < t->count; i++) {
        const int64_t next = i + 1 < t->count ? t->pieces[i + 1].first : t->packets;
        const struct piece *p = &t->pieces[i];
        if (!p->moved)
            continue;
        if (!ksr_array_reserve((void **)&film->jumps, capacity, film->jump_count + 1,
                               sizeof(film->jumps[0])))
            return false;
        film->jumps[film->jump_count++] =
            (struct ksr_film_jump){stream, p->first, next - p->first, p->by};
    }
    return true;
}

bool ksr_jumps_judge(const ksr_jumps *jumps, struct ksr_film *film)
{
    size_t capacity = 0;
    for (int i = 0; i < jumps->count; i++) {
        struct track *t = &jumps->tracks[i];
        if (t->count < 2)
            continue;
        const size_t moved = mend_track(t);
        film->falling[i] = find_fall(t, 1) < t->count || moved > MANY_JUMPS;
        if (moved > 0 && moved <= MANY_JUMPS && !add_jumps(t, i, film, &capacity))
            return false;
    }
    return true;
}
