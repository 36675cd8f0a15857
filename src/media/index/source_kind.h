// Which kind of source a video is: what `--source auto` stands for. The kinds are those of
// config/sources.toml.

#ifndef KSR_MEDIA_INDEX_SOURCE_KIND_H
#define KSR_MEDIA_INDEX_SOURCE_KIND_H

#include "media/av/film.h"
#include "media/index/damage.h"

// Returns the kind, from a film that was scanned (scan.h) and damage by coding as all of it counts.
// Integers alone decide, so it is the same on every machine.
// reason: gets what told, such as "mpeg2video, 720x480, MPEG-2 noise".
const char *ksr_source_kind(const struct ksr_film *film, const struct ksr_damage *damage,
                            char reason[96]);

#endif
