// The reader of segment files under libFuzzer: tests/fuzz/meson.build has how to build it. Each
// input is tried as it is, and once more with its job, number and checksum put right, so that what
// lies behind is reached; what is accepted is read to its end as a join does.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "job/store.h"

#define JOB "00000000000000000000000000000000"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *folder;
static char *path;

static void remove_folder(void)
{
    unlink(path);
    rmdir(folder);
}

static void make_folder(void)
{
    static char name[] = "/tmp/fuzz-segment-XXXXXX";
    folder = mkdtemp(name);
    path = folder ? ksr_segment_path(folder, 0) : NULL;
    if (!path)
        abort();
    atexit(remove_folder);
}

// A segment that was found whole must give as many packets as it says.
static void read_packets(uint32_t packets, const char *checksum)
{
    ksr_segment_reader *reader;
    if (ksr_segment_reader_open(NULL, folder, 0, checksum, &reader) != KSR_OK)
        abort();
    for (uint32_t i = 0; i <= packets; i++) {
        uint32_t rank;
        bool key;
        const void *bytes;
        size_t size;
        if (ksr_segment_reader_packet(NULL, reader, &rank, &key, &bytes, &size) != KSR_OK ||
            (bytes == NULL) != (i == packets))
            abort();
    }
    ksr_segment_reader_close(&reader);
}

static void check(const uint8_t *data, size_t size)
{
    struct ksr_segment_info info = {0};
    bool valid;
    FILE *file = fopen(path, "wb");
    if (!file || (size > 0 && fwrite(data, size, 1, file) != 1) || fclose(file) != 0)
        abort();
    if (ksr_segment_check(NULL, folder, 0, JOB, &valid, &info) == KSR_OK && valid)
        read_packets(info.packets, info.checksum);
    ksr_segment_info_free(&info);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char sum[KSR_HASH_TEXT];
    if (!folder)
        make_folder();
    check(data, size);
    if (size < 44 + sizeof(sum) - 1)
        return 0;
    uint8_t *copy = malloc(size);
    if (!copy)
        return 0;
    memcpy(copy, data, size);
    memcpy(copy, "KSRSEG3\n" JOB "\0\0\0\0", 44);
    ksr_hash_text(copy, size - (sizeof(sum) - 1), sum);
    memcpy(copy + size - (sizeof(sum) - 1), sum, sizeof(sum) - 1);
    check(copy, size);
    free(copy);
    return 0;
}
