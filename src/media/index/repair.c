// Repairing timestamps; see repair.h.
//
// Frames come in the order in which they are shown. Of their timestamps the largest number is kept
// that rises, and of equally many those that keep the usual distance; the others are wrong.

#include "media/index/repair.h"

#include <stdlib.h>
#include <string.h>

#include "media/av/ffmpeg.h"
#include "media/index/spacing.h"

#define LOOK      64                 // wrong timestamps in a row, at most, that are bridged
#define NEAR_MOST 4                  // frames near to the one before: more are how the video is
#define FAR       (INT64_C(1) << 54) // from 0: no clock has run so long
#define WHOLE     100                // worth of a timestamp that is kept
#define ODD       25 // less where it is not at the usual distance from the one before

bool ksr_film_is_time(int64_t time)
{
    return time > -FAR && time < FAR;
}

static bool is_rising(const struct ksr_film *film)
{
    for (size_t i = 0; i < film->frame_count; i++)
        if (!ksr_film_is_time(film->frames[i].time) ||
            (i > 0 && film->frames[i].time <= film->frames[i - 1].time))
            return false;
    return true;
}

static int by_value(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

int64_t ksr_film_usual_step(const struct ksr_film *film)
{
    const struct ksr_rational rate = film->format.frame_rate;
    size_t count = 0;
    int64_t usual = 0;
    int64_t *steps = malloc(film->frame_count * sizeof(*steps));
    if (!steps)
        return 0;
    for (size_t i = 1; i < film->frame_count; i++) {
        const int64_t a = film->frames[i - 1].time, b = film->frames[i].time;
        if (ksr_film_is_time(a) && ksr_film_is_time(b) && b > a)
            steps[count++] = b - a;
    }
    qsort(steps, count, sizeof(*steps), by_value);
    if (count > 0)
        usual = steps[count / 2];
    else if (rate.num > 0)
        usual = av_rescale_q(1, (AVRational){rate.den, rate.num},
                             (AVRational){film->time_base.num, film->time_base.den});
    free(steps);
    const int64_t most = FAR / (int64_t)(film->frame_count + 1); // a line of all frames ends there
    return usual > most ? most : usual > 0 ? usual : 1;
}

bool ksr_film_looks_misplaced(const struct ksr_film *film, int64_t usual)
{
    const struct ksr_film_frame *f = film->frames;
    const size_t last = film->frame_count - 1;
    const double second = film->time_base.den / (double)film->time_base.num;
    size_t near = 0;
    for (size_t i = 1; i <= last; i++)
        near += f[i].time - f[i - 1].time < usual - usual / 4;
    if (near > 0 && near <= NEAR_MOST + film->frame_count / 100)
        return true;
    return last > 1 && (double)(f[last].time - f[last - 1].time) > second &&
           f[last].time - f[last - 1].time > 2 * usual;
}

// Chains of rising timestamps: per frame, what the best one that ends with it is worth, and the
// frame before it in that; SIZE_MAX = none.
struct chain {
    int64_t worth;
    size_t before;
};

static int64_t worth_of_step(const struct ksr_film *film, size_t from, size_t to, int64_t usual)
{
    const int64_t wanted = (int64_t)(to - from) * usual;
    const int64_t step = film->frames[to].time - film->frames[from].time;
    return llabs(step - wanted) > wanted / 4 ? WHOLE - ODD : WHOLE;
}

static void extend_chain(const struct ksr_film *film, struct chain *chains, size_t i, int64_t usual)
{
    chains[i] = (struct chain){WHOLE, SIZE_MAX};
    for (size_t k = i; k-- > 0 && i - k <= LOOK;) {
        if (!ksr_film_is_time(film->frames[k].time) || film->frames[k].time >= film->frames[i].time)
            continue;
        const int64_t worth = chains[k].worth + worth_of_step(film, k, i, usual);
        if (worth > chains[i].worth)
            chains[i] = (struct chain){worth, k};
    }
}

// Marks the timestamps that are wrong as missing. Returns false when out of memory.
static bool drop_wrong(struct ksr_film *film, int64_t usual)
{
    struct chain *chains = calloc(film->frame_count, sizeof(*chains));
    size_t best = SIZE_MAX;
    if (!chains)
        return false;
    for (size_t i = 0; i < film->frame_count; i++) {
        if (!ksr_film_is_time(film->frames[i].time))
            continue;
        extend_chain(film, chains, i, usual);
        if (best == SIZE_MAX || chains[i].worth > chains[best].worth)
            best = i;
    }
    for (size_t i = film->frame_count; i-- > 0;) {
        if (i == best)
            best = chains[i].before;
        else
            film->frames[i].time = AV_NOPTS_VALUE;
    }
    free(chains);
    return true;
}

// Fills frames from..to-1, whose neighbours on both sides, where there are any, are known.
static void fill(struct ksr_film *film, size_t from, size_t to, int64_t usual)
{
    struct ksr_film_frame *f = film->frames;
    int64_t step = usual, start = from > 0 ? f[from - 1].time : -usual;
    if (from == 0 && to < film->frame_count)
        start = f[to].time - (int64_t)(to + 1) * usual;
    else if (to < film->frame_count) {
        const int64_t even = (f[to].time - start) / (int64_t)(to - from + 1);
        step = even < 2 * usual ? even : usual;
    }
    for (size_t i = from; i < to; i++)
        f[i].time = start + (int64_t)(i - from + 1) * step;
}

static void fill_missing(struct ksr_film *film, int64_t usual)
{
    for (size_t i = 0; i < film->frame_count; i++) {
        size_t end = i;
        while (end < film->frame_count && film->frames[end].time == AV_NOPTS_VALUE)
            end++;
        film->repaired += (int)(end - i);
        if (end > i)
            fill(film, i, end, usual);
        i = end;
    }
    for (size_t i = 1; i < film->frame_count; i++)
        if (film->frames[i].time <= film->frames[i - 1].time)
            film->frames[i].time = film->frames[i - 1].time + 1;
}

// Where timestamps leave frames no room, none of them means anything.
static void make_even(struct ksr_film *film, int64_t usual)
{
    for (size_t i = 1; i < film->frame_count; i++)
        film->frames[i].time = film->frames[0].time + (int64_t)i * usual;
    film->repaired = (int)film->frame_count;
}

static bool repair_times(struct ksr_film *film, int64_t usual)
{
    const double quarter = ksr_film_seconds(film, usual) / 4;
    const size_t before = ksr_film_count_close(film, quarter);
    if (!drop_wrong(film, usual))
        return false;
    fill_missing(film, usual);
    if (ksr_film_count_close(film, quarter) > ksr_spacing_limit(before, film->frame_count))
        make_even(film, usual);
    return true;
}

// Frames at the end without a timestamp. Where a container says only when packets are decoded, such
// as AVI, the last frames of a video with B-frames never have one: nothing is wrong with it.
static int count_kept_back(const struct ksr_film *film)
{
    size_t n = 0;
    while (n < film->frame_count && film->frames[film->frame_count - 1 - n].time == AV_NOPTS_VALUE)
        n++;
    return film->linear && n <= KSR_KEPT_BACK_MOST && n < film->frame_count ? (int)n : 0;
}

bool ksr_film_repair(struct ksr_film *film)
{
    const int64_t usual = ksr_film_usual_step(film);
    const int kept_back = count_kept_back(film);
    if (usual == 0)
        return false;
    if (!is_rising(film) && !repair_times(film, usual))
        return false;
    film->repaired = film->repaired > kept_back ? film->repaired - kept_back : 0;
    for (size_t i = 0; i < film->frame_count; i++) {
        struct ksr_film_frame *f = &film->frames[i];
        if (f->duration <= 0)
            f->duration = i + 1 < film->frame_count ? f[1].time - f->time : usual;
        if (film->linear)
            f->source = (int64_t)i;
    }
    return true;
}
