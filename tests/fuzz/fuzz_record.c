// The readers of what a run leaves beside its output, under libFuzzer: provenance records, with the
// settings in them, and files of times. tests/fuzz/meson.build has how to build it.

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/config.h"
#include "job/provenance.h"
#include "job/timings.h"

#define JOB    "78e2b2f78f1ab72d67d20a8253750289" // of the corpus
#define FRAMES 48

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int fuzz_accepted;

// What was accepted must be as promised.
static void read_times(const char *path)
{
    json_t *segments;
    if (ksr_times_load(NULL, path, NULL, FRAMES, &segments) != KSR_OK)
        return;
    int64_t end = 0;
    size_t i;
    json_t *s;
    json_array_foreach(segments, i, s)
    {
        const int64_t first = json_integer_value(json_object_get(s, "first"));
        if (first < end)
            abort();
        end = first + json_integer_value(json_object_get(s, "frames"));
    }
    if (end > FRAMES)
        abort();
    json_decref(segments);
    fuzz_accepted++;
}

static void read_settings(const uint8_t *data, size_t size)
{
    json_t *root = json_loadb((const char *)data, size, 0, NULL);
    ksr_config *config = NULL;
    if (ksr_config_create(&config, NULL) != KSR_OK)
        abort();
    if (ksr_config_is_record(root) &&
        ksr_config_from_record(config, root, "the record") == KSR_OK) {
        fuzz_accepted++;
        (void)!ksr_config_check(NULL, ksr_config_get(config));
    }
    ksr_config_destroy(&config);
    json_decref(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    struct ksr_record record;
    const int file = memfd_create("record", 0);
    if (file < 0 || write(file, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    if (ksr_provenance_look(NULL, path, JOB, path, &record) != KSR_OK || record.stands)
        abort(); // a record that holds its own checksum is not to be had
    read_times(path);
    read_settings(data, size);
    close(file);
    return 0;
}
