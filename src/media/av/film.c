// What is known of an input video; see film.h.

#include "media/av/film.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "media/av/known.h"

void ksr_film_free(struct ksr_film *film)
{
    free(film->frames);
    free(film->keys);
    free(film->corrupt);
    free(film->changing);
    free(film->packets);
    free(film->falling);
    free(film->jumps);
    free(film->kinds);
    free(film->damaged);
    free(film->subs);
    ksr_known_free(&film->known);
    memset(film, 0, sizeof(*film));
}

double ksr_film_seconds(const struct ksr_film *film, int64_t time)
{
    return (double)time * film->time_base.num / film->time_base.den;
}

double ksr_film_length(const struct ksr_film *film, size_t first, size_t count)
{
    const struct ksr_film_frame *last = &film->frames[first + count - 1];
    return ksr_film_seconds(film, last->time + last->duration - film->frames[first].time);
}

struct ksr_film_key ksr_film_start(const struct ksr_film *film)
{
    return (struct ksr_film_key){0, film->frames[0].source, -1};
}

size_t ksr_film_irregular(const struct ksr_film *film, struct ksr_rational rate)
{
    const AVRational base = {film->time_base.num, film->time_base.den};
    const AVRational frame = {rate.den, rate.num};
    const int64_t millisecond = av_rescale_q(1, (AVRational){1, 1000}, base);
    const int64_t allowed = millisecond > 1 ? millisecond : 1;
    for (size_t i = 0; i < film->frame_count; i++) {
        const int64_t wanted = film->frames[0].time + av_rescale_q((int64_t)i, frame, base);
        if (llabs(film->frames[i].time - wanted) > allowed)
            return i;
    }
    return film->frame_count;
}

static int compare_times(const void *a, const void *b)
{
    const int64_t x = ((const struct ksr_film_frame *)a)->source;
    const int64_t y = ((const struct ksr_film_frame *)b)->source;
    return (x > y) - (x < y);
}

void ksr_film_sort(struct ksr_film *film)
{
    qsort(film->frames, film->frame_count, sizeof(film->frames[0]), compare_times);
}

bool ksr_film_is_second(const struct ksr_film *film, size_t frame)
{
    return film->fields ? (film->skipped + frame) % 2 == 1
                        : film->frames[frame].made == KSR_MADE_SECOND;
}

size_t ksr_film_find(const struct ksr_film *film, int64_t source, bool second)
{
    const struct ksr_film_frame wanted = {.source = source};
    const struct ksr_film_frame *found =
        bsearch(&wanted, film->frames, film->frame_count, sizeof(wanted), compare_times);
    size_t i = found ? (size_t)(found - film->frames) : SIZE_MAX;
    if (!found || ksr_film_is_second(film, i) == second)
        return i;
    i = second ? i + 1 : i - 1; // SIZE_MAX where a cut begins with the second
    return i < film->frame_count && film->frames[i].source == source ? i : SIZE_MAX;
}

size_t ksr_film_damaged(const struct ksr_film *film, size_t *first)
{
    size_t count = 0;
    for (size_t i = 0; i < film->damaged_count; i++)
        for (int second = 0; second <= 1; second++) {
            const size_t frame = ksr_film_find(film, film->damaged[i], second);
            if (frame != SIZE_MAX && count++ == 0)
                *first = frame;
        }
    return count;
}

// --- Kinds of frames ---

size_t ksr_kinds_until(const struct ksr_film *film, int64_t source)
{
    size_t low = 0, high = film->kind_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (film->kinds[middle].source <= source)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool ksr_kinds_differ(const struct ksr_video_format *a, const struct ksr_video_format *b)
{
    return a->width != b->width || a->height != b->height ||
           strcmp(a->pixel_format, b->pixel_format) != 0 || a->color_range != b->color_range ||
           a->color_space != b->color_space || a->color_primaries != b->color_primaries ||
           a->color_transfer != b->color_transfer || a->chroma_location != b->chroma_location ||
           !ksr_same_ratio(a->sample_aspect, b->sample_aspect);
}

bool ksr_kinds_same_name(const char *a, const char *b)
{
    const bool a_j = strncmp(a, "yuvj", 4) == 0, b_j = strncmp(b, "yuvj", 4) == 0;
    if (a_j == b_j || strncmp(a, "yuv", 3) != 0 || strncmp(b, "yuv", 3) != 0)
        return strcmp(a, b) == 0;
    return strcmp(a + 3 + a_j, b + 3 + b_j) == 0;
}

const struct ksr_video_format *ksr_kinds_at(const struct ksr_film *film, int64_t source)
{
    const size_t n = ksr_kinds_until(film, source);
    if (film->kind_count == 0)
        return NULL;
    return &film->kinds[n > 0 ? n - 1 : 0].format;
}

bool ksr_kinds_add(struct ksr_film *film, int64_t source, const struct ksr_video_format *format)
{
    const size_t at = ksr_kinds_until(film, source);
    if (at > 0 && !ksr_kinds_differ(&film->kinds[at - 1].format, format))
        return true;
    if (!ksr_array_reserve((void **)&film->kinds, &film->kind_capacity, film->kind_count + 1,
                           sizeof(film->kinds[0])))
        return false;
    memmove(film->kinds + at + 1, film->kinds + at,
            (film->kind_count - at) * sizeof(film->kinds[0]));
    film->kinds[at] = (struct ksr_film_kind){source, *format};
    film->kind_count++;
    return true;
}

size_t ksr_kinds_frame(const struct ksr_film *film, int64_t source)
{
    size_t low = 0, high = film->frame_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (film->frames[middle].source < source)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}
