// Elements of Matroska files that FFmpeg does not hand on, as RFC 8794 and RFC 9559 have them.

#ifndef KSR_MEDIA_CONTAINER_EBML_H
#define KSR_MEDIA_CONTAINER_EBML_H

#include "media/av/memory.h"

enum {
    KSR_EBML_HEAD = 0x1a45dfa3,
    KSR_EBML_DOC_TYPE = 0x4282,
    KSR_EBML_VOID = 0xec,
    KSR_EBML_CRC = 0xbf,
    KSR_EBML_SEGMENT = 0x18538067,
    KSR_EBML_SEEK_HEAD = 0x114d9b74,
    KSR_EBML_SEEK = 0x4dbb,
    KSR_EBML_SEEK_ID = 0x53ab,
    KSR_EBML_SEEK_POSITION = 0x53ac,
    KSR_EBML_CLUSTER = 0x1f43b675,
    KSR_EBML_TRACKS = 0x1654ae6b,
    KSR_EBML_TRACK = 0xae,
    KSR_EBML_TRACK_TYPE = 0x83,
    KSR_EBML_FLAG_LACING = 0x9c,
    KSR_EBML_FLAG_ENABLED = 0xb9,
    KSR_EBML_CODEC = 0x86,
    KSR_EBML_LANGUAGE = 0x22b59c,
    KSR_EBML_LANGUAGE_FULL = 0x22b59d,
    KSR_EBML_CHAPTERS = 0x1043a770,
    KSR_EBML_EDITION = 0x45b9,
    KSR_EBML_CHAPTER = 0xb6,
    KSR_EBML_CHAPTER_TRACKS = 0x8f,
    KSR_EBML_INFO = 0x1549a966,
    KSR_EBML_TITLE = 0x7ba9,
    KSR_EBML_SEGMENT_UUID = 0x73a4,
    KSR_EBML_PREV_UUID = 0x3cb923,
    KSR_EBML_NEXT_UUID = 0x3eb923,
    KSR_EBML_SEGMENT_FAMILY = 0x4444,
};

// An element in memory.
struct ksr_element {
    uint32_t id;
    const uint8_t *head; // where it begins
    const uint8_t *data;
    size_t size; // of the data
};

// Takes the next element off the bytes from *at to `end`. Returns false where none follows that is
// whole; *at then stays.
bool ksr_element_take(const uint8_t **at, const uint8_t *end, struct ksr_element *e);

// Returns the number that an element holds, of its first eight bytes.
uint64_t ksr_element_number(const struct ksr_element *e);

// Writes the size of an element into `length` bytes, which must be enough.
void ksr_element_put_size(uint8_t *at, int length, uint64_t size);

// One of the large elements of a file, as it is in it.
struct ksr_ebml_part {
    uint8_t *bytes;   // its data, free with free(); NULL: there is none
    int64_t at, size; // where the data begin in the file, and their bytes
    int head;         // bytes of the element before them
    bool webm;        // the file is WebM
};

// Finds the first element of that id which is right within the segment: before the first cluster,
// or where the list of places at its beginning says, or another list that it names. Moves the place
// of `io`. Returns false when out of memory.
bool ksr_ebml_find(AVIOContext *io, uint32_t id, struct ksr_ebml_part *out);

// Puts the checksum right with which its bytes begin, if they do.
void ksr_ebml_put_checksum(struct ksr_ebml_part *part);

#endif
