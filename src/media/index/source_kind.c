// Kinds of sources; see source_kind.h.

#include "media/index/source_kind.h"

#include <stdio.h>
#include <string.h>

#define SD_WIDTH  768 // at most, in samples
#define SD_HEIGHT 576
#define NOISY     15 // strength of stage 1 in hundredths from which coding noise shows

static bool is_one_of(const char *name, const char *const *list)
{
    while (*list && strcmp(*list, name) != 0)
        list++;
    return *list != NULL;
}

// Of discs, tapes and the files that were made of them before H.264.
static bool is_old(const char *codec)
{
    static const char *const names[] = {"mpeg1video", "mpeg2video", "mpeg4",   "msmpeg4v1",
                                        "msmpeg4v2",  "msmpeg4v3",  "dvvideo", NULL};
    return is_one_of(codec, names);
}

// Its quantizer is not known, and low rates are what it is used at.
static bool is_of_the_web(const char *codec)
{
    static const char *const names[] = {"av1", "vp8", NULL};
    return is_one_of(codec, names);
}

const char *ksr_source_kind(const struct ksr_film *film, const struct ksr_damage *damage,
                            char reason[96])
{
    const struct ksr_video_format *f = &film->format;
    const struct ksr_rational aspect = f->sample_aspect;
    const bool small = f->width <= SD_WIDTH && f->height <= SD_HEIGHT;
    const bool fields = f->interlaced || film->telecined || film->unmarked_fields;
    const bool oblong = aspect.num > 0 && aspect.num != aspect.den;
    snprintf(reason, 96, "%s, %dx%d%s, %s", damage->codec, f->width, f->height,
             fields   ? ", two fields"
             : oblong ? ", oblong pixels"
                      : "",
             damage->reason);
    if (small && (is_old(damage->codec) || fields || oblong))
        return "dvd";
    return damage->strength >= NOISY || is_of_the_web(damage->codec) ? "web" : "bluray";
}
