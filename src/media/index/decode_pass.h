// One pass over a file for its index: over its packets, and over its frames where they must be
// decoded, all of them or the first.

#ifndef KSR_MEDIA_INDEX_DECODE_PASS_H
#define KSR_MEDIA_INDEX_DECODE_PASS_H

#include "media/av/film.h"
#include "media/input/input.h"

// One pass over the packets of a file.
struct ksr_pass {
    ksr_context *ctx;
    struct ksr_input *input;
    bool tolerant; // what cannot be read ends the file
    bool corrupt;  // the last packet was
};

// Reads the next packet. Returns KSR_OK with *end false, or with *end true after the last one.
ksr_status ksr_pass_read(struct ksr_pass *pass, AVPacket *packet, bool *end);

// Reports how much of a file of `size` bytes has been read.
void ksr_pass_report(const struct ksr_pass *pass, int64_t size);

// What the packets of the video stream told.
struct ksr_decode_hints {
    size_t fields; // packets that are fields
    size_t falls;  // timestamps below the one before, in decode order
};

// Opens the file anew with a decoder. In a linear film, makes `frames`, `keys` and the format of
// all frames by decoding the whole; else takes the format of the first frame. Returns KSR_OK,
// KSR_E_INPUT (no frame decodes; logged), KSR_E_NOMEM, KSR_E_CANCELLED.
ksr_status ksr_index_decode(ksr_context *ctx, const char *path,
                            const struct ksr_decode_hints *hints, struct ksr_film *film);

#endif
