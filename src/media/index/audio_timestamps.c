// Times that jump and come back; see audio_timestamps.h.
//
// Packets that follow one another are a piece. Pieces that are out of line are put in line when
// they fill what lies between two others, to within HOLE_MS. At the start and the end of a track
// there is no other side: what comes before a piece that begins earlier, or behind one that ends
// later, is put beside it, if it is short. Falling times that are left have no such rule: then the
// track is encoded anew, where overlapping sound is cut.

#include "media/index/audio_timestamps.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "media/container/containers.h"
#include "media/index/pieces.h"
#include "media/input/input.h"

#define HOLE_MS     30    // more than container ticks and guessed lengths are wrong by
#define FALL_MS     1     // a fall of so little is mended by moving a packet by a tick
#define PAUSE_MS    1000  // of video and texts: what is longer begins a piece
#define LOOK        64    // pieces to look back: what comes back does so soon
#define REORDER     (KSR_KEPT_BACK_MOST + 1) // packets among which the first one shown is
#define SHORT_MS    10000 // of sound at the start or the end of a track
#define OVERLAP_MS  100   // of packets that may be left out for those that follow
#define JOIN_MS     2000  // the same where the clock restarts
#define LARGEST     KSR_LARGEST_TIME
#define MOST_CHANGE (INT64_C(1) << 60) // of a timestamp
#define MANY_JUMPS  1000               // of one track: that is no damage, but how it is

static int64_t ticks(const struct track *t, int64_t milliseconds)
{
    return av_rescale_q(milliseconds, (AVRational){1, 1000}, t->base);
}

// Decode times of some formats are in the file, those of others are made up from the frames' order.
static bool has_decode_times(const AVInputFormat *format)
{
    return (format->flags & AVFMT_TS_DISCONT) != 0 ||
           ksr_container_read_by(format->name)->stores_decode_times;
}

static void begin_video(struct track *t, const AVStream *s, bool decode_times)
{
    const AVRational rate = s->avg_frame_rate.num > 0 ? s->avg_frame_rate
                            : s->r_frame_rate.num > 0 ? s->r_frame_rate
                                                      : (AVRational){25, 1};
    t->kind = TRACK_VIDEO;
    t->reorders = s->codecpar->video_delay > 0;
    t->made_up = !decode_times;
    t->usual = av_rescale_q(1, av_inv_q(rate), t->base);
    t->usual = t->usual > 0 ? t->usual : 1;
    t->fall = decode_times ? t->usual / 2 : t->usual * (s->codecpar->video_delay + 2);
    t->hole = ticks(t, PAUSE_MS);
}

static void begin_track(struct track *t, const AVStream *s, bool decode_times)
{
    t->base = s->time_base;
    t->wrap = s->pts_wrap_bits > 0 && s->pts_wrap_bits < 55 ? INT64_C(1) << s->pts_wrap_bits : 0;
    t->brief = ticks(t, SHORT_MS);
    t->fall = ticks(t, FALL_MS);
    t->hole = ticks(t, PAUSE_MS);
    if (s->codecpar->codec_type == AVMEDIA_TYPE_AUDIO) {
        t->kind = TRACK_AUDIO;
        t->hole = ticks(t, HOLE_MS);
    } else if (s->codecpar->codec_type == AVMEDIA_TYPE_VIDEO && !ksr_stream_is_cover(s)) {
        begin_video(t, s, decode_times);
    }
}

ksr_jumps *ksr_jumps_create(const AVFormatContext *input, int video)
{
    ksr_jumps *j = calloc(1, sizeof(*j));
    if (!j)
        return NULL;
    j->count = (int)input->nb_streams;
    j->tracks = calloc((size_t)j->count, sizeof(j->tracks[0]));
    j->restarts = (input->iformat->flags & AVFMT_TS_DISCONT) != 0;
    j->audio = NAN;
    for (int i = 0; j->tracks && i < j->count; i++)
        begin_track(&j->tracks[i], input->streams[i], has_decode_times(input->iformat));
    if (!j->tracks)
        ksr_jumps_destroy(&j);
    else
        j->video = &j->tracks[video];
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

// What is no time at all is put as far away as times may be.
static int64_t clamp(int64_t time)
{
    return time > LARGEST ? LARGEST : time < -LARGEST ? -LARGEST : time;
}

static bool begin_piece(ksr_jumps *j, struct track *t, const struct piece *now)
{
    if (!ksr_array_reserve((void **)&t->pieces, &t->capacity, t->count + 1, sizeof(t->pieces[0])))
        return false;
    t->pieces[t->count++] = *now;
    t->part = false;
    for (int i = 0; t == j->video && i < j->count; i++)
        j->tracks[i].part = j->tracks[i].kind == TRACK_OTHER;
    return true;
}

static void extend_piece(const struct track *t, struct piece *p, const struct piece *now,
                         bool known)
{
    const int64_t step = now->start > p->last ? now->start - p->last : 0;
    p->end = known || t->kind != TRACK_AUDIO ? now->end : now->start + step;
    p->last = now->start;
    p->last_order = now->order;
    if (now->first - p->first < REORDER && now->shown < p->shown)
        p->shown = now->shown;
    if (now->shown_end > p->shown_end)
        p->shown_end = now->shown_end;
    // The last ones may say when they are decoded only.
    if (p->end + p->shown - p->start > p->shown_end)
        p->shown_end = p->end + p->shown - p->start;
}

// Behind a break, a piece of video has to show first that it is none of some wrong timestamps.
static int64_t hole_of(const struct track *t, int64_t number)
{
    const bool fresh = t->kind == TRACK_VIDEO && t->count > 1 &&
                       number - t->pieces[t->count - 1].first <= STRAY_PACKETS;
    return fresh && 2 * t->usual < t->hole ? 2 * t->usual : t->hole;
}

// When a packet is decoded, of which only is said when it is shown. Decode times that are made up
// begin behind as many packets as the decoder keeps back; those have been decoded by the time that
// the first one is shown, however much later the second is: by eight B-frames, or sixteen.
static int64_t decoded_at(const struct track *t, int64_t number, int64_t shown)
{
    const bool first = t->made_up && t->count > 0 && number < REORDER;
    return first && shown > t->pieces[t->count - 1].last ? t->pieces[t->count - 1].last : shown;
}

bool ksr_jumps_note(ksr_jumps *j, const AVPacket *packet)
{
    const int64_t order = j->packets++;
    if (packet->stream_index >= j->count)
        return true;
    struct track *t = &j->tracks[packet->stream_index];
    const int64_t number = t->packets++;
    const bool by_dts = t->kind == TRACK_VIDEO && packet->dts != AV_NOPTS_VALUE;
    const int64_t said = by_dts || packet->pts == AV_NOPTS_VALUE ? packet->dts : packet->pts;
    if (said == AV_NOPTS_VALUE)
        return true;
    const int64_t time = by_dts ? clamp(said) : decoded_at(t, number, clamp(said));
    const bool known = packet->duration > 0 && packet->duration < t->brief;
    const int64_t duration = known ? packet->duration : t->usual;
    const int64_t shown = packet->pts != AV_NOPTS_VALUE ? clamp(packet->pts) : time;
    const struct piece now = {number,
                              order,
                              order,
                              time,
                              time,
                              time + duration,
                              shown,
                              shown + duration,
                              clamp(said) - said,
                              .audio = j->audio};
    struct piece *p = t->count > 0 ? &t->pieces[t->count - 1] : NULL;
    if (t->kind == TRACK_AUDIO && time == said)
        j->audio = seconds_of(t, now.end);
    if (!p || t->part || time < p->last - t->fall || time > p->end + hole_of(t, number))
        return begin_piece(j, t, &now);
    extend_piece(t, p, &now, known);
    return true;
}

// --- Judging ---

void ksr_pieces_shift(struct track *t, size_t from, int64_t by)
{
    for (size_t i = from; i < t->count; i++) {
        struct piece *p = &t->pieces[i];
        p->clock += by;
        p->start += by;
        p->last += by;
        p->end += by;
        p->shown += by;
        p->shown_end += by;
    }
}

void ksr_pieces_line_up(struct track *t, size_t from, size_t to, int64_t time)
{
    for (size_t i = from; i < to; i++) {
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
            ksr_pieces_line_up(t, i + 1, c, p->end);
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
        ksr_pieces_line_up(t, 0, fall, after->start - length);
}

static void mend_end(struct track *t)
{
    const size_t fall = find_fall(t, 1);
    int64_t length;
    if (fall == t->count)
        return;
    const struct piece *last = &t->pieces[t->count - 1], *before = &t->pieces[fall - 1];
    if (last->end < before->end && !before->moved && are_short(t, fall, t->count, before, &length))
        ksr_pieces_line_up(t, fall, t->count, before->end);
}

// Leaves out packets that what follows overlaps, where they are so few that nobody hears it, or
// where streams were joined: of two sounds at one time only one can be heard.
static void drop_overlaps(struct track *t)
{
    for (size_t i = 1; i < t->count; i++) {
        struct piece *a = &t->pieces[i - 1];
        const struct piece *b = &t->pieces[i];
        const int64_t packet = a->end - a->last;
        const int64_t over = a->last + a->by - (b->start + b->by);
        const int64_t most = ticks(t, a->clock != b->clock ? JOIN_MS : OVERLAP_MS);
        if (over <= t->fall || packet <= 0 || over > (most > 2 * packet ? most : 2 * packet))
            continue;
        const int64_t count = over / packet + 1;
        if (count >= packets_of(t, i - 1))
            continue;
        a->dropped = count;
        a->last -= count * packet;
        a->end -= count * packet;
    }
}

static void mend_track(struct track *t)
{
    size_t fall = 0;
    for (size_t i = 1; i < t->count; i++) {
        if (t->pieces[i].start < t->pieces[i - 1].last - t->fall)
            fall = i;
        if (fall > 0 && i - fall <= LOOK)
            return_to_line(t, i);
    }
    mend_start(t);
    mend_end(t);
}

static size_t count_moved(const struct track *t)
{
    size_t moved = 0;
    for (size_t i = 0; i < t->count; i++)
        moved += t->pieces[i].moved;
    return moved;
}

static bool add_jump(struct ksr_film *film, size_t *capacity, const struct ksr_film_jump *jump)
{
    struct ksr_film_jump *last = film->jump_count > 0 ? &film->jumps[film->jump_count - 1] : NULL;
    if ((jump->by == 0 && !jump->drop) || jump->count == 0)
        return true;
    if (last && last->stream == jump->stream && last->first + last->count == jump->first &&
        last->by == jump->by && last->drop == jump->drop && last->back == jump->back) {
        last->count += jump->count;
        return true;
    }
    if (!ksr_array_reserve((void **)&film->jumps, capacity, film->jump_count + 1,
                           sizeof(film->jumps[0])))
        return false;
    film->jumps[film->jump_count++] = *jump;
    return true;
}

// What is added to the timestamps of a piece, as far as a manifest holds it.
static int64_t change_of(const struct piece *p)
{
    if (llabs(p->clamped) > MOST_CHANGE / 2)
        return p->clamped < 0 ? -MOST_CHANGE : MOST_CHANGE;
    if (p->unknown)
        return LARGEST - (p->start - p->clock - p->clamped);
    const int64_t sum = p->by + p->clock + p->clamped;
    return sum > MOST_CHANGE ? MOST_CHANGE : sum < -MOST_CHANGE ? -MOST_CHANGE : sum;
}

static bool add_jumps(const struct track *t, int stream, struct ksr_film *film, size_t *capacity)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct piece *p = &t->pieces[i];
        struct ksr_film_jump jump = {.stream = stream,
                                     .first = p->first,
                                     .count = packets_of(t, i) - p->dropped,
                                     .by = change_of(p),
                                     .back = p->moved};
        if (!add_jump(film, capacity, &jump))
            return false;
        jump.first += jump.count;
        jump.count = p->dropped;
        jump.drop = true;
        if (p->dropped > 0 && !add_jump(film, capacity, &jump))
            return false;
    }
    return true;
}

static void judge_audio(ksr_jumps *j, struct track *t, struct ksr_film *film)
{
    mend_track(t);
    ksr_timeline_close_alone(j, t, &film->timeline);
    drop_overlaps(t);
    film->falling[t - j->tracks] = find_fall(t, 1) < t->count;
    if (count_moved(t) <= MANY_JUMPS)
        return;
    film->falling[t - j->tracks] = true;
    for (size_t i = 0; i < t->count; i++)
        t->pieces[i].by = 0;
}

bool ksr_jumps_judge(ksr_jumps *j, struct ksr_film *film)
{
    size_t capacity = 0;
    ksr_timeline_close(j, &film->timeline);
    for (int i = 0; i < j->count; i++) {
        struct track *t = &j->tracks[i];
        if (t->kind == TRACK_AUDIO && t->count > 1)
            judge_audio(j, t, film);
        if (!add_jumps(t, i, film, &capacity))
            return false;
    }
    return true;
}

// --- Applying ---

struct ksr_mender {
    const struct ksr_film_jump *jumps;
    size_t count;
    int streams;
    int64_t *read; // per stream: its packets so far
    size_t *at;    // per stream: its first jump that is not behind
};

ksr_mender *ksr_mender_create(const struct ksr_film_jump *jumps, size_t count, int streams)
{
    ksr_mender *m = calloc(1, sizeof(*m));
    if (!m)
        return NULL;
    *m = (ksr_mender){jumps, count, streams, calloc((size_t)streams, sizeof(m->read[0])),
                      calloc((size_t)streams, sizeof(m->at[0]))};
    if (!m->read || !m->at) {
        ksr_mender_destroy(&m);
        return NULL;
    }
    for (int i = 0; i < streams; i++)
        while (m->at[i] < count && jumps[m->at[i]].stream < i)
            m->at[i]++;
    return m;
}

void ksr_mender_destroy(ksr_mender **mender)
{
    if (!*mender)
        return;
    free((*mender)->read);
    free((*mender)->at);
    free(*mender);
    *mender = NULL;
}

static void add_time(int64_t *time, int64_t by)
{
    if (*time != AV_NOPTS_VALUE && by <= (*time < 0 ? INT64_MAX : INT64_MAX - *time) &&
        by >= (*time > 0 ? INT64_MIN + 1 : INT64_MIN + 1 - *time))
        *time += by;
}

bool ksr_mender_apply(ksr_mender *m, AVPacket *p)
{
    if (p->stream_index >= m->streams)
        return true;
    const int64_t number = m->read[p->stream_index]++;
    size_t *at = &m->at[p->stream_index];
    while (*at < m->count && m->jumps[*at].stream == p->stream_index &&
           number >= m->jumps[*at].first + m->jumps[*at].count)
        ++*at;
    const struct ksr_film_jump *jump = *at < m->count ? &m->jumps[*at] : NULL;
    if (!jump || jump->stream != p->stream_index || number < jump->first)
        return true;
    add_time(&p->pts, jump->by);
    add_time(&p->dts, jump->by);
    // What is still no timestamp is none.
    if (p->pts > LARGEST / 2 || p->pts < -LARGEST / 2)
        p->pts = p->dts = AV_NOPTS_VALUE;
    return !jump->drop;
}
