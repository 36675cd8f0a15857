// The segment store: finished segments as files `NNNNNN.seg` in the work folder.
//
// Layout, integers little-endian:
//   "KSRSEG3\n" | job id (32 bytes of text) | u32 segment number
//   u32 size, parameter sets
//   per packet: u32 size (never 0xffffffff), u32 rank << 1 | key, bytes
//   u32 0xffffffff, u32 packets, u32 reorder delay, u32 repeated, u32 skipped,
//   u32 x (repeated + skipped): frame of the segment
//   hash of the samples of its frames, before the encoder, as 32 bytes of text
//   XXH3-128 of everything before, as 32 bytes of text
// rank: place of the packet's frame among the frames encoded in this segment, in film order.
// A file stands under its name only when it is whole; the checksum finds later damage.

#ifndef KSR_JOB_STORE_H
#define KSR_JOB_STORE_H

#include "core/fs.h"

// What a worker tells about a segment beside its packets.
struct ksr_segment_info {
    uint32_t packets;
    uint32_t delay; // frames the encoder may hold back; read from a file: or really does
    // Frames, from 0 in the segment, rising; owned.
    uint32_t *repeated; // in whose place the frame before is shown again
    uint32_t *skipped;  // without a packet
    uint32_t repeated_count, skipped_count;
    char samples[KSR_HASH_TEXT];  // hash of the frames before the encoder (media/av/samples.h)
    int64_t size;                 // bytes of the file
    char headers[KSR_HASH_TEXT];  // of the parameter sets; filled in on reading
    char checksum[KSR_HASH_TEXT]; // the file's own, at its end; filled in on reading
};

void ksr_segment_info_free(struct ksr_segment_info *info);

// Returns the file name of a segment, free with free(); NULL when out of memory.
char *ksr_segment_path(const char *folder, int number);

// --- Writing ---

typedef struct ksr_segment_writer ksr_segment_writer;

// Returns KSR_OK, KSR_E_OUTPUT, KSR_E_NOMEM.
ksr_status ksr_segment_writer_open(ksr_context *ctx, const char *folder, int number,
                                   const char *job_id, const void *headers, size_t headers_size,
                                   ksr_segment_writer **out);
ksr_status ksr_segment_writer_packet(ksr_context *ctx, ksr_segment_writer *writer, uint32_t rank,
                                     bool key, const void *data, size_t size);

// Finishes the file, syncs it and puts it under its name. info->packets and ->size are filled in.
ksr_status ksr_segment_writer_commit(ksr_context *ctx, ksr_segment_writer *writer,
                                     struct ksr_segment_info *info);

// Frees the writer; deletes the file unless it was committed.
void ksr_segment_writer_close(ksr_segment_writer **writer);

// --- Reading ---

// Checks a whole file: magic, job, number, structure, checksum.
// *valid: whether it is a finished segment of this job; info (may be NULL) is filled when it is.
// Returns KSR_OK (also when it is missing or damaged), KSR_E_NOMEM, KSR_E_CANCELLED.
ksr_status ksr_segment_check(ksr_context *ctx, const char *folder, int number, const char *job_id,
                             bool *valid, struct ksr_segment_info *info);

typedef struct ksr_segment_reader ksr_segment_reader;

// Opens a file that has been checked. checksum: what the check found; a file that has another one by
// now fails after its last packet.
ksr_status ksr_segment_reader_open(ksr_context *ctx, const char *folder, int number,
                                   const char *checksum, ksr_segment_reader **out);

// Reads the next packet. *data belongs to the reader until the next call; NULL after the last.
ksr_status ksr_segment_reader_packet(ksr_context *ctx, ksr_segment_reader *reader, uint32_t *rank,
                                     bool *key, const void **data, size_t *size);
void ksr_segment_reader_close(ksr_segment_reader **reader);

#endif
