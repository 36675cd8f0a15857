// Segment files; see store.h.

#include "job/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/mem.h"

#define MAGIC      "KSRSEG3\n"
#define MAGIC_SIZE 8
#define TEXT_SIZE  (KSR_HASH_TEXT - 1)
#define END_MARK   UINT32_C(0xffffffff)
#define MAX_PACKET (UINT32_C(1) << 30)
#define MAX_FRAMES (UINT32_C(1) << 24)

void ksr_segment_info_free(struct ksr_segment_info *info)
{
    free(info->repeated);
    free(info->skipped);
    memset(info, 0, sizeof(*info));
}

char *ksr_segment_path(const char *folder, int number)
{
    return ksr_format("%s/%06d.seg", folder, number);
}

// --- Writing ---

struct ksr_segment_writer {
    FILE *file;
    char *path, *temporary;
    ksr_hasher *hasher;
    uint32_t packets;
    int64_t size;
    bool committed;
};

static ksr_status put(ksr_context *ctx, ksr_segment_writer *w, const void *data, size_t size)
{
    if (size > 0 && fwrite(data, size, 1, w->file) != 1)
        return ksr_fail_errno(ctx, KSR_E_OUTPUT, "cannot write %s", w->path);
    ksr_hasher_add(w->hasher, data, size);
    w->size += (int64_t)size;
    return KSR_OK;
}

static ksr_status put_u32(ksr_context *ctx, ksr_segment_writer *w, uint32_t v)
{
    const uint8_t bytes[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16),
                              (uint8_t)(v >> 24)};
    return put(ctx, w, bytes, sizeof(bytes));
}

static ksr_status put_list(ksr_context *ctx, ksr_segment_writer *w, const uint32_t *list,
                           uint32_t count)
{
    ksr_status status = KSR_OK;
    for (uint32_t i = 0; status == KSR_OK && i < count; i++)
        status = put_u32(ctx, w, list[i]);
    return status;
}

static ksr_status put_start(ksr_context *ctx, ksr_segment_writer *w, int number, const char *job_id,
                            const void *headers, size_t headers_size)
{
    ksr_status status = put(ctx, w, MAGIC, MAGIC_SIZE);
    if (status == KSR_OK)
        status = put(ctx, w, job_id, TEXT_SIZE);
    if (status == KSR_OK)
        status = put_u32(ctx, w, (uint32_t)number);
    if (status == KSR_OK)
        status = put_u32(ctx, w, (uint32_t)headers_size);
    if (status == KSR_OK)
        status = put(ctx, w, headers, headers_size);
    return status;
}

ksr_status ksr_segment_writer_open(ksr_context *ctx, const char *folder, int number,
                                   const char *job_id, const void *headers, size_t headers_size,
                                   ksr_segment_writer **out)
{
    *out = NULL;
    ksr_segment_writer *w = calloc(1, sizeof(*w));
    if (!w)
        return ksr_fail_memory(ctx);
    w->path = ksr_segment_path(folder, number);
    w->temporary = w->path ? ksr_fs_temporary_name(w->path) : NULL;
    w->hasher = ksr_hasher_create();
    ksr_status status = KSR_OK;
    if (!w->temporary || !w->hasher)
        status = ksr_fail_memory(ctx);
    else if (!(w->file = fopen(w->temporary, "wbe")))
        status = ksr_fail_errno(ctx, KSR_E_OUTPUT, "cannot write %s", w->path);
    else
        status = put_start(ctx, w, number, job_id, headers, headers_size);
    if (status != KSR_OK)
        ksr_segment_writer_close(&w);
    *out = w;
    return status;
}

ksr_status ksr_segment_writer_packet(ksr_context *ctx, ksr_segment_writer *w, uint32_t rank,
                                     bool key, const void *data, size_t size)
{
    if (size > MAX_PACKET)
        return ksr_fail(ctx, KSR_E_PROCESS, "a packet of %zu bytes is too large", size);
    ksr_status status = put_u32(ctx, w, (uint32_t)size);
    if (status == KSR_OK)
        status = put_u32(ctx, w, rank << 1 | (key ? 1 : 0));
    if (status == KSR_OK)
        status = put(ctx, w, data, size);
    w->packets++;
    return status;
}

ksr_status ksr_segment_writer_commit(ksr_context *ctx, ksr_segment_writer *w,
                                     struct ksr_segment_info *info)
{
    char checksum[KSR_HASH_TEXT];
    info->packets = w->packets;
    const uint32_t counts[] = {END_MARK, info->packets, info->delay, info->repeated_count,
                               info->skipped_count};
    ksr_status status = put_list(ctx, w, counts, sizeof(counts) / sizeof(counts[0]));
    if (status == KSR_OK)
        status = put_list(ctx, w, info->repeated, info->repeated_count);
    if (status == KSR_OK)
        status = put_list(ctx, w, info->skipped, info->skipped_count);
    if (status == KSR_OK)
        status = put(ctx, w, info->samples, TEXT_SIZE);
    ksr_hasher_text(w->hasher, checksum);
    if (status == KSR_OK)
        status = put(ctx, w, checksum, TEXT_SIZE);
    if (status != KSR_OK)
        return status;
    const int closed = fclose(w->file);
    w->file = NULL;
    if (closed != 0)
        return ksr_fail_errno(ctx, KSR_E_OUTPUT, "cannot write %s", w->path);
    info->size = w->size;
    status = ksr_fs_publish(ctx, w->temporary, w->path);
    w->committed = status == KSR_OK;
    return status;
}

void ksr_segment_writer_close(ksr_segment_writer **writer)
{
    if (!writer || !*writer)
        return;
    ksr_segment_writer *w = *writer;
    const bool opened = w->file || w->size > 0;
    if (w->file)
        fclose(w->file);
    if (opened && !w->committed)
        unlink(w->temporary);
    ksr_hasher_destroy(&w->hasher);
    free(w->temporary);
    free(w->path);
    free(w);
    *writer = NULL;
}

// --- Reading ---

struct ksr_segment_reader {
    FILE *file;
    ksr_hasher *hasher; // of everything read
    uint8_t *data;
    size_t capacity;
    bool no_memory; // why a function below returned false
    // To read packets:
    int number;
    uint32_t packets;             // so far
    char checksum[KSR_HASH_TEXT]; // what there should be at the end
};

// All of these return false at the end of the file or out of memory.
static bool get(ksr_segment_reader *r, void *out, size_t size)
{
    if (size > 0 && fread(out, size, 1, r->file) != 1)
        return false;
    ksr_hasher_add(r->hasher, out, size);
    return true;
}

static bool get_u32(ksr_segment_reader *r, uint32_t *out)
{
    uint8_t b[4];
    if (!get(r, b, sizeof(b)))
        return false;
    *out = (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
    return true;
}

static bool get_data(ksr_segment_reader *r, uint32_t size)
{
    // In steps, so that a damaged size does not become a huge allocation.
    size_t have = 0;
    if (size > MAX_PACKET)
        return false;
    while (have < size) {
        const size_t step = size - have < (1 << 20) ? size - have : (1 << 20);
        r->no_memory = !ksr_array_reserve((void **)&r->data, &r->capacity, have + step, 1);
        if (r->no_memory || !get(r, r->data + have, step))
            return false;
        have += step;
    }
    return true;
}

// Reads up to the first packet; r->data holds the parameter sets.
static bool get_start(ksr_segment_reader *r, char job_id[KSR_HASH_TEXT], uint32_t *number,
                      uint32_t *headers_size)
{
    char magic[MAGIC_SIZE];
    job_id[TEXT_SIZE] = 0;
    return get(r, magic, MAGIC_SIZE) && memcmp(magic, MAGIC, MAGIC_SIZE) == 0 &&
           get(r, job_id, TEXT_SIZE) && get_u32(r, number) && get_u32(r, headers_size) &&
           get_data(r, *headers_size);
}

// *out is set in any case, for its owner to free.
static bool get_list(ksr_segment_reader *r, uint32_t count, uint32_t **out)
{
    if (count > MAX_FRAMES)
        return false;
    *out = calloc((size_t)count + 1, sizeof(**out));
    r->no_memory = !*out;
    for (uint32_t i = 0; *out && i < count; i++)
        if (!get_u32(r, &(*out)[i]) || (i > 0 && (*out)[i] <= (*out)[i - 1]))
            return false;
    return *out != NULL;
}

static bool get_hash(ksr_segment_reader *r, char out[KSR_HASH_TEXT])
{
    out[TEXT_SIZE] = 0;
    return get(r, out, TEXT_SIZE) && strspn(out, "0123456789abcdef") == TEXT_SIZE;
}

static bool get_end(ksr_segment_reader *r, uint32_t packets, struct ksr_segment_info *info)
{
    char stored[KSR_HASH_TEXT] = "";
    if (!get_u32(r, &info->packets) || !get_u32(r, &info->delay) ||
        !get_u32(r, &info->repeated_count) || !get_u32(r, &info->skipped_count) ||
        info->packets != packets || info->delay > 1024 ||
        !get_list(r, info->repeated_count, &info->repeated) ||
        !get_list(r, info->skipped_count, &info->skipped) || !get_hash(r, info->samples))
        return false;
    ksr_hasher_text(r->hasher, info->checksum);
    return get(r, stored, TEXT_SIZE) && strcmp(stored, info->checksum) == 0 &&
           fgetc(r->file) == EOF;
}

// Walks a whole file.
static bool file_is_whole(ksr_context *ctx, ksr_segment_reader *r, int number, const char *job_id,
                          struct ksr_segment_info *info)
{
    char id[KSR_HASH_TEXT];
    uint32_t found, size, tag, packets = 0, delay = 0;
    if (!get_start(r, id, &found, &size) || strcmp(id, job_id) != 0 || found != (uint32_t)number)
        return false;
    ksr_hash_text(r->data, size, info->headers);
    for (;;) {
        if (ksr_check_cancel(ctx) != KSR_OK || !get_u32(r, &size))
            return false;
        if (size == END_MARK)
            break;
        if (!get_u32(r, &tag) || !get_data(r, size))
            return false;
        const uint32_t place = packets++, rank = tag >> 1;
        if (place > rank && place - rank > delay)
            delay = place - rank;
    }
    if (!get_end(r, packets, info))
        return false;
    if (delay > info->delay)
        info->delay = delay;
    return true;
}

static ksr_segment_reader *open_reader(const char *folder, int number)
{
    ksr_segment_reader *r = calloc(1, sizeof(*r));
    char *path = ksr_segment_path(folder, number);
    if (r)
        r->hasher = ksr_hasher_create();
    if (r && path)
        r->file = fopen(path, "rbe");
    if (r)
        r->no_memory = !path || !r->hasher || (!r->file && errno == ENOMEM);
    free(path);
    return r;
}

ksr_status ksr_segment_check(ksr_context *ctx, const char *folder, int number, const char *job_id,
                             bool *valid, struct ksr_segment_info *info)
{
    struct ksr_segment_info found = {0};
    *valid = false;
    ksr_segment_reader *r = open_reader(folder, number);
    if (!r)
        return ksr_fail_memory(ctx);
    bool memory = !r->no_memory;
    if (memory && r->file) {
        *valid = file_is_whole(ctx, r, number, job_id, &found);
        fseeko(r->file, 0, SEEK_END);
        found.size = ftello(r->file);
        memory = !r->no_memory;
    }
    ksr_segment_reader_close(&r);
    if (*valid && info)
        *info = found;
    else
        ksr_segment_info_free(&found);
    return memory ? ksr_check_cancel(ctx) : ksr_fail_memory(ctx);
}

ksr_status ksr_segment_reader_open(ksr_context *ctx, const char *folder, int number,
                                   const char *checksum, ksr_segment_reader **out)
{
    char id[KSR_HASH_TEXT];
    uint32_t found, size;
    ksr_segment_reader *r = open_reader(folder, number);
    *out = NULL;
    if (!r)
        return ksr_fail_memory(ctx);
    r->number = number;
    snprintf(r->checksum, sizeof(r->checksum), "%s", checksum);
    if (r->no_memory || !r->file || !get_start(r, id, &found, &size)) {
        const bool memory = !r->no_memory;
        ksr_segment_reader_close(&r);
        if (!memory)
            return ksr_fail_memory(ctx);
        return ksr_fail(ctx, KSR_E_PROCESS, "segment %d cannot be read", number);
    }
    *out = r;
    return KSR_OK;
}

// What was read must be what was checked: disks and networks have bad moments, and another worker
// may have finished the same segment in between.
static ksr_status check_end(ksr_context *ctx, ksr_segment_reader *r)
{
    struct ksr_segment_info info = {0};
    const bool same = get_end(r, r->packets, &info) && strcmp(info.checksum, r->checksum) == 0;
    ksr_segment_info_free(&info);
    if (r->no_memory)
        return ksr_fail_memory(ctx);
    return same ? KSR_OK
                : ksr_fail(ctx, KSR_E_PROCESS, "segment %d has changed since it was checked",
                           r->number);
}

ksr_status ksr_segment_reader_packet(ksr_context *ctx, ksr_segment_reader *r, uint32_t *rank,
                                     bool *key, const void **data, size_t *size)
{
    uint32_t bytes, tag;
    *data = NULL;
    if (!get_u32(r, &bytes))
        return ksr_fail(ctx, KSR_E_PROCESS, "a segment ends early");
    if (bytes == END_MARK)
        return check_end(ctx, r);
    r->packets++;
    if (!get_u32(r, &tag) || !get_data(r, bytes))
        return r->no_memory ? ksr_fail_memory(ctx)
                            : ksr_fail(ctx, KSR_E_PROCESS, "a segment ends early");
    *rank = tag >> 1;
    *key = tag & 1;
    *data = r->data;
    *size = bytes;
    return KSR_OK;
}

void ksr_segment_reader_close(ksr_segment_reader **reader)
{
    if (!reader || !*reader)
        return;
    if ((*reader)->file)
        fclose((*reader)->file);
    ksr_hasher_destroy(&(*reader)->hasher);
    free((*reader)->data);
    free(*reader);
    *reader = NULL;
}
