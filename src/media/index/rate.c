// Constant frame rates; see rate.h.

#include "media/index/rate.h"

#include <math.h>
#include <stdlib.h>

#include "media/av/ffmpeg.h"

#define SAME       2e-5   // of a rate: written in decimals, or as a number of nanoseconds
#define FASTEST    100000 // frames in a second
#define FINE_TICKS 90000  // in a second, at least: the first frame's time is rounded to one

static double value_of(struct ksr_rational r)
{
    return r.den > 0 ? (double)r.num / r.den : 0;
}

// The rates that sources have: whole, half, and those of NTSC.
static struct ksr_rational usual_rate(double rate)
{
    const struct ksr_rational all[] = {{(int)(rate + 0.5), 1},
                                       {(int)(rate * 1.001 + 0.5) * 1000, 1001},
                                       {(int)(rate * 2 + 0.5), 2}};
    size_t best = 0;
    for (size_t i = 1; i < sizeof(all) / sizeof(all[0]); i++)
        if (fabs(value_of(all[i]) - rate) < fabs(value_of(all[best]) - rate))
            best = i;
    return all[best];
}

static bool fits(const struct ksr_film *film, struct ksr_rational rate, struct ksr_rational *out)
{
    if (rate.num <= 0 || rate.den <= 0 || ksr_film_irregular(film, rate) < film->frame_count)
        return false;
    *out = rate;
    return true;
}

bool ksr_film_find_rate(const struct ksr_film *film, struct ksr_rational *out)
{
    const struct ksr_film_frame *f = film->frames;
    const size_t last = film->frame_count - 1;
    const bool sane = value_of(film->format.frame_rate) < FASTEST;
    const struct ksr_rational said = sane ? film->format.frame_rate : (struct ksr_rational){0, 1};
    const double length = ksr_film_seconds(film, f[last].time - f[0].time);
    const double mean = last > 0 && length > 0 ? (double)last / length : value_of(said);
    *out = said;
    if (!(mean > 0 && mean < FASTEST))
        return false;
    const struct ksr_rational usual = usual_rate(value_of(said)), found = usual_rate(mean);
    const double off = value_of(said) > 0 ? fabs(value_of(usual) / value_of(said) - 1) : 1;
    if ((off < SAME && fits(film, usual, out)) || fits(film, said, out) || fits(film, found, out))
        return true;
    *out = off < 0.02 ? usual : found;
    return false;
}

void ksr_film_make_constant(struct ksr_film *film, struct ksr_rational rate)
{
    const int factor = rate.num < FINE_TICKS ? (FINE_TICKS + rate.num - 1) / rate.num : 1;
    const AVRational old = {film->time_base.num, film->time_base.den};
    const AVRational new = {1, rate.num * factor};
    const int64_t length = (int64_t)rate.den * factor;
    const int64_t start = av_rescale_q(film->frames[0].time, old, new);
    for (size_t i = 0; i < film->frame_count; i++) {
        film->frames[i].time = start + (int64_t)i * length;
        film->frames[i].duration = length;
    }
    film->time_base = (struct ksr_rational){new.num, new.den};
    film->format.frame_rate = rate;
}

bool ksr_film_is_even(const struct ksr_film *film)
{
    int64_t least = INT64_MAX, most = 0;
    for (size_t i = 1; i < film->frame_count; i++) {
        const int64_t step = film->frames[i].time - film->frames[i - 1].time;
        least = step < least ? step : least;
        most = step > most ? step : most;
    }
    return most - least <= 1 || film->frame_count < 3;
}
