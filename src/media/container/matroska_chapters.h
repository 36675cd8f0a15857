// Chapters from Matroska to Matroska, whole: editions, ordered chapters, hidden ones, chapters
// within chapters, and titles in several languages, of which FFmpeg knows the last title of each.
//
// The muxer is given a first title long enough that what it writes has room for all that the input
// has; when the file is written, this takes its place.

#ifndef KSR_MEDIA_CONTAINER_MATROSKA_CHAPTERS_H
#define KSR_MEDIA_CONTAINER_MATROSKA_CHAPTERS_H

#include "media/av/memory.h"

struct ksr_matroska_chapters {
    uint8_t *bytes; // NULL: nothing to carry
    int64_t size;
};

// Reads them from the bytes of a file, wherever its reader stands, which it does again afterwards.
// What is no Matroska, or damaged, has none. Returns 0 or an AVERROR.
int ksr_matroska_chapters_read(AVIOContext *io, struct ksr_matroska_chapters *out);

// As above, from the bytes of a file in memory.
int ksr_matroska_chapters_of(const uint8_t *bytes, int64_t size, struct ksr_matroska_chapters *out);

// Makes room for them in an output that has the chapters that FFmpeg knows of the same input; frees
// them where it has none. Returns 0 or an AVERROR.
int ksr_matroska_chapters_reserve(AVFormatContext *output, struct ksr_matroska_chapters *c);

struct ksr_ebml_part;

// Puts them into the room, in place of the chapters of a file; the part then begins at its head.
// Returns 0 or an AVERROR.
int ksr_matroska_chapters_put(struct ksr_ebml_part *there, const struct ksr_matroska_chapters *c);

// Frees them; leaves *c all zero.
void ksr_matroska_chapters_free(struct ksr_matroska_chapters *c);

#endif
