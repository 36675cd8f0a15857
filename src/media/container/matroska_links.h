// What links Matroska files with each other: an episode whose ordered chapters take the opening
// from another file names that one's UUID, and files of a series may name the one before and the
// next. FFmpeg does not read them, so that the links of its copies lead nowhere.
//
// The muxer is given a title that is longer by what the links take; when the file is written, they
// take the place of what is too much.

#ifndef KSR_MEDIA_CONTAINER_MATROSKA_LINKS_H
#define KSR_MEDIA_CONTAINER_MATROSKA_LINKS_H

#include "media/av/memory.h"

#define KSR_LINKS_SIZE 120

// UUIDs of the segment, of the one before and the next, and of families, as elements.
struct ksr_matroska_links {
    uint8_t bytes[KSR_LINKS_SIZE];
    int size;      // 0: nothing to carry
    bool no_title; // set by ksr_matroska_links_reserve()
};

// Reads them from the bytes of a file, wherever its reader stands, which it does again afterwards.
// What is no Matroska, or damaged, has none. Returns 0 or an AVERROR.
int ksr_matroska_links_read(AVIOContext *io, struct ksr_matroska_links *out);

// Makes room for them in an output that has its tags. Returns 0 or an AVERROR.
int ksr_matroska_links_reserve(AVFormatContext *output, struct ksr_matroska_links *links);

struct ksr_ebml_part;

// Puts them into the room, behind the title or in its place. Returns whether there is room.
bool ksr_matroska_links_put(struct ksr_ebml_part *info, const struct ksr_matroska_links *links);

#endif
