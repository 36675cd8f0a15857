// One timeline for all streams of a file whose clock restarts, jumps or wraps; docs/timeline.md.
//
// The video leads: where its timestamps break, the other streams tell whether the clock of the file
// broke there, or that of the video alone. Then everything behind the break goes on where the video
// before it ended.

#include <math.h>
#include <stdlib.h>

#include "media/index/pieces.h"

#define JUMP_SECONDS  10.0 // forward: FFmpeg's own limit for formats whose clocks restart
#define ALONE_SECONDS 1.0  // by which one stream must leave the others
#define NEAR_SECONDS  3.0  // by which streams differ where they are cut
#define SMALL_SECONDS 0.25 // an overlap of some frames, as joined pieces have
#define STRAY_PIECES  64
#define NEAR_PACKETS  1000 // between the first packets of two streams behind a break
#define LAG_PACKETS   40   // the same of a stream of few packets
#define MANY_BREAKS   1000 // more are damage

// Where the timestamps of the video break.
struct place {
    int64_t order;   // number of the packet in the file
    double old, new; // seconds of the old clock at its end, of the new one at its beginning
};

static double leap_of(const struct place *b)
{
    return b->new - b->old;
}

// --- What does not belong to a recording ---

// The piece with which the line goes on after strays that begin at piece k; k where there are none.
static size_t end_of_strays(const struct track *t, size_t k)
{
    const int64_t end = t->pieces[k - 1].end + t->pieces[k - 1].by;
    const int64_t near = t->fall > 3 * t->usual ? t->fall : 3 * t->usual;
    int64_t between = 0, packets = 0;
    for (size_t m = k + 1; m < t->count && m - k <= STRAY_PIECES; m++) {
        between += length_of(&t->pieces[m - 1]);
        packets += packets_of(t, m - 1);
        const int64_t off = t->pieces[m].start - end - between;
        const int64_t late = packets <= STRAY_PACKETS ? t->hole : near;
        if (off >= -near && off <= late)
            return m;
    }
    return k;
}

// Where frames are decoded in another order, their place among the others is not known yet: then
// they have no timestamp any more, and get one when they have been decoded (repair.h).
static void mend_strays(struct track *t, size_t from, size_t to, int64_t time)
{
    const struct piece *p = &t->pieces[from];
    const int64_t packets = (to < t->count ? t->pieces[to].first : t->packets) - p->first;
    const bool unknown = t->reorders && packets <= STRAY_PACKETS;
    ksr_pieces_line_up(t, from, to, time);
    for (size_t i = from; unknown && i < to; i++)
        t->pieces[i].unknown = true;
}

static bool audio_began_with(const struct ksr_jumps *j, double first, double second)
{
    for (int i = 0; i < j->count; i++) {
        const struct track *t = &j->tracks[i];
        if (t->kind == TRACK_AUDIO && t->count > 0) {
            const double start = seconds_of(t, t->pieces[0].start);
            return fabs(start - first) < fabs(start - second);
        }
    }
    return false;
}

// The first timestamps of a file may be wrong: nothing comes before them to tell.
static void mend_beginning(const struct ksr_jumps *j)
{
    struct track *t = j->video;
    if (t->count < 2)
        return;
    const struct piece *a = &t->pieces[0], *b = &t->pieces[1];
    if (packets_of(t, 0) > STRAY_PACKETS || packets_of(t, 1) < 2 * packets_of(t, 0) ||
        a->start < b->start ||
        audio_began_with(j, seconds_of(t, a->start), seconds_of(t, b->start)))
        return;
    mend_strays(t, 0, 1, b->start - length_of(a));
}

// Nor does anything come behind the last ones.
static void mend_end(const struct ksr_jumps *j)
{
    struct track *t = j->video;
    if (t->count < 2)
        return;
    const struct piece *a = &t->pieces[t->count - 2], *b = &t->pieces[t->count - 1];
    if (!b->moved && packets_of(t, t->count - 1) <= STRAY_PACKETS &&
        packets_of(t, t->count - 2) > STRAY_PACKETS && b->start < a->last - t->fall)
        mend_strays(t, t->count - 1, t->count, a->end);
}

// --- What the other streams say ---

// The piece of a track that follows the same break, 0 where there is none.
static size_t find_break(const struct track *t, const struct place *b)
{
    const double leap = leap_of(b), near = fmin(NEAR_SECONDS, fabs(leap) / 2);
    size_t found = 0;
    for (size_t i = t->placed + 1; i < t->count; i++) {
        const struct piece *p = &t->pieces[i];
        const int64_t away = llabs(p->order - b->order);
        if (p->order > b->order + NEAR_PACKETS)
            break;
        if (away <= NEAR_PACKETS && fabs(seconds_of(t, p->start - p[-1].end) - leap) <= near &&
            (found == 0 || away < llabs(t->pieces[found].order - b->order)))
            found = i;
    }
    return found;
}

// Whether a track goes on over a packet of another stream as if nothing had been there. *time:
// about where it is then.
static bool goes_on(const struct track *t, int64_t order, double *time)
{
    for (size_t i = 0; i < t->count && t->pieces[i].order < order; i++) {
        const struct piece *p = &t->pieces[i];
        if (p->last_order <= order)
            continue;
        const double share = (double)(order - p->order) / (double)(p->last_order - p->order);
        const double length = seconds_of(t, length_of(p));
        *time = seconds_of(t, p->start) + share * length;
        return (1 - share) * length >= ALONE_SECONDS;
    }
    return false;
}

struct evidence {
    int with, against; // audio tracks that break there too, that go on
};

static struct evidence ask_audio(const struct ksr_jumps *j, const struct place *b)
{
    struct evidence e = {0, 0};
    for (int i = 0; i < j->count; i++) {
        double time;
        if (j->tracks[i].kind != TRACK_AUDIO)
            continue;
        if (find_break(&j->tracks[i], b) > 0)
            e.with++;
        else if (goes_on(&j->tracks[i], b->order, &time))
            e.against++;
    }
    return e;
}

enum verdict { KEEP, CLOSE_ALL, CLOSE_VIDEO, HOLE };

static enum verdict judge_fall(const struct evidence *e, double leap)
{
    if (e->with > 0 || e->against == 0 || leap > -SMALL_SECONDS)
        return CLOSE_ALL;
    return CLOSE_VIDEO;
}

// A still is shown for as long as it likes while audio goes on, and slides follow one another so.
static enum verdict judge_jump(const struct ksr_jumps *j, size_t k, const struct place *b,
                               const struct evidence *e)
{
    const struct track *t = j->video;
    const double audio = t->pieces[k].audio;
    if (e->with > 0)
        return j->restarts ? CLOSE_ALL : HOLE;
    if (e->against > 0)
        return fabs(audio - b->old) < fabs(audio - b->new) && j->restarts ? CLOSE_VIDEO : KEEP;
    const bool recordings =
        packets_of(t, k - 1) > STRAY_PACKETS && packets_of(t, k) > STRAY_PACKETS;
    return j->restarts && recordings ? CLOSE_ALL : KEEP;
}

// --- Closing ---

// The first piece of a track that has the new clock. What lies near the break is told by its times.
static size_t first_behind(const struct track *t, const struct place *b)
{
    size_t i = find_break(t, b);
    if (t->kind == TRACK_AUDIO && i > 0)
        return i;
    i = t->placed;
    while (i < t->count && t->pieces[i].order < b->order)
        i++;
    while (i > t->placed && t->pieces[i - 1].order + LAG_PACKETS > b->order) {
        const double time = seconds_of(t, t->pieces[i - 1].start);
        if (fabs(time - b->new) >= fabs(time - b->old))
            break;
        i--;
    }
    while (i < t->count && t->pieces[i].order < b->order + LAG_PACKETS) {
        const double time = seconds_of(t, t->pieces[i].start);
        if (fabs(time - b->new) <= fabs(time - b->old))
            break;
        i++;
    }
    return i;
}

// Which piece of each track the break comes before, then what it is put off by.
static void close_all(struct ksr_jumps *j, const struct place *b, int64_t by)
{
    for (int i = 0; i < j->count; i++) {
        struct track *t = &j->tracks[i];
        if (t == j->video || t->count == 0)
            continue;
        const size_t first = first_behind(t, b);
        const int64_t ticks = av_rescale_q(by, j->video->base, t->base);
        if (first < t->count && ksr_pieces_may_shift(&t->pieces[first], ticks))
            ksr_pieces_shift(t, first, ticks);
        t->placed = first;
    }
}

// What a clock is put off by that has run through all its bits from `from` to `to`; 0 = it has not.
static int64_t wrap_shift(const struct track *t, int64_t from, int64_t to)
{
    const int64_t slack = av_rescale_q((int64_t)JUMP_SECONDS, (AVRational){1, 1}, t->base);
    const int64_t up = to + t->wrap - from, down = to - t->wrap - from;
    if (t->wrap > 0 && up >= -t->usual && up <= slack)
        return t->wrap;
    return t->wrap > 0 && down >= -t->usual && down <= slack ? -t->wrap : 0;
}

static void note_break(struct ksr_timeline *found, int *count, double time)
{
    if (found->restarts + found->alone == 0)
        found->first = time;
    ++*count;
}

// Where the video alone was away from audio, and comes back: what was away is put before that.
static bool bring_back(struct track *t, size_t k, const struct place *b)
{
    const double audio = t->pieces[k].audio;
    size_t from = k;
    if (!(fabs(audio - b->new) < fabs(audio - b->old)))
        return false;
    while (from > 0) {
        const struct piece *p = &t->pieces[from - 1];
        const double off = seconds_of(t, p->shown) - p->audio;
        if (fabs(off) < fabs(off + leap_of(b)))
            break;
        from--;
    }
    const int64_t by = t->pieces[k].shown - t->pieces[k - 1].shown_end - t->pieces[k - 1].by;
    ksr_pieces_shift(t, from, by);
    ksr_pieces_shift(t, k, -by);
    return from < k;
}

// Closes the break before piece k of the video, if it is one.
static void settle(struct ksr_jumps *j, size_t k, struct ksr_timeline *found)
{
    struct track *t = j->video;
    const struct piece *a = &t->pieces[k - 1], *p = &t->pieces[k];
    const int64_t end = a->shown_end + a->by;
    const bool falls = p->start < a->last + a->by - t->fall;
    if (!falls && seconds_of(t, p->shown - end) <= JUMP_SECONDS)
        return;
    const struct place b = {p->order, seconds_of(t, end), seconds_of(t, p->shown)};
    const struct evidence e = ask_audio(j, &b);
    const enum verdict verdict = falls ? judge_fall(&e, leap_of(&b)) : judge_jump(j, k, &b, &e);
    if (verdict == HOLE && found->holes++ == 0) {
        found->hole = b.old;
        found->pause = leap_of(&b);
    }
    if (verdict == KEEP || verdict == HOLE)
        return;
    const int64_t wrap = wrap_shift(t, a->end + a->by, p->start);
    const int64_t by = wrap != 0 ? wrap : end - p->shown;
    if (!ksr_pieces_may_shift(p, by))
        return;
    if (wrap == 0)
        note_break(found, verdict == CLOSE_ALL ? &found->restarts : &found->alone, b.old);
    if (verdict == CLOSE_VIDEO && bring_back(t, k, &b))
        return;
    ksr_pieces_shift(t, k, by);
    if (verdict == CLOSE_ALL)
        close_all(j, &b, by);
}

// The piece with which the video goes on after strays that begin at piece k; k where there are
// none. A part of a recording that is followed by what would have been in its place is none.
static size_t skip_strays(const struct ksr_jumps *j, size_t k)
{
    const struct track *t = j->video;
    const struct piece *a = &t->pieces[k - 1], *p = &t->pieces[k];
    const size_t back = end_of_strays(t, k);
    if (back == k || (p->start >= a->last + a->by - t->fall && t->pieces[back].start >= p->start))
        return k;
    const struct place b = {p->order, seconds_of(t, a->end + a->by), seconds_of(t, p->start)};
    const bool few = t->pieces[back].first - p->first <= STRAY_PACKETS;
    return few || ask_audio(j, &b).with == 0 ? back : k;
}

void ksr_timeline_close(struct ksr_jumps *j, struct ksr_timeline *found)
{
    struct track *t = j->video;
    mend_beginning(j);
    mend_end(j);
    for (size_t k = 1; k < t->count && found->restarts + found->alone < MANY_BREAKS; k++) {
        const struct piece *a = &t->pieces[k - 1];
        const size_t back = skip_strays(j, k);
        if (back > k)
            mend_strays(t, k, back, a->end + a->by);
        else if (!t->pieces[k].moved)
            settle(j, k, found);
        k = back; // which goes on where the piece before the strays ended
    }
}

void ksr_timeline_close_alone(struct ksr_jumps *j, struct track *t, struct ksr_timeline *found)
{
    for (size_t i = 1; i < t->count && found->restarts + found->alone < MANY_BREAKS; i++) {
        const struct piece *a = &t->pieces[i - 1], *b = &t->pieces[i];
        const int64_t gap = b->start + b->by - (a->end + a->by);
        const double old = seconds_of(t, a->end + a->by), new = seconds_of(t, b->start + b->by);
        const bool jump = new - old > JUMP_SECONDS && j->restarts;
        double video = 0;
        if ((!jump && new - old > -ALONE_SECONDS) || !goes_on(j->video, b->order, &video) ||
            fabs(video - new) < fabs(video - old) || !ksr_pieces_may_shift(b, -gap))
            continue;
        note_break(found, &found->alone, old);
        ksr_pieces_shift(t, i, -gap);
    }
}
