// The reader of manifests under libFuzzer: tests/fuzz/meson.build has how to build it. Each input
// is tried as it is, and once more as the object behind a right checksum, so that what lies behind
// is reached; what is accepted then must come out the same when written and read again.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int fuzz_accepted;

static const char *folder;

static bool any(const char *name)
{
    return name[0] != '.';
}

static void remove_folder(void)
{
    ksr_fs_remove_folder(NULL, folder, any);
}

static void make_folder(void)
{
    static char name[] = "/tmp/fuzz-manifest-XXXXXX";
    folder = mkdtemp(name);
    if (!folder)
        abort();
    atexit(remove_folder);
}

static void write_and_read(const struct ksr_manifest *manifest)
{
    struct ksr_manifest again;
    if (!folder)
        make_folder();
    if (ksr_manifest_save(NULL, manifest, folder) != KSR_OK ||
        ksr_manifest_load(NULL, folder, &again) != KSR_OK)
        abort();
    if (strcmp(again.id, manifest->id) != 0 || again.segment_count != manifest->segment_count ||
        again.film.frame_count != manifest->film.frame_count ||
        memcmp(again.film.frames, manifest->film.frames,
               again.film.frame_count * sizeof(again.film.frames[0])) != 0)
        abort();
    ksr_manifest_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ksr_manifest manifest;
    if (ksr_manifest_parse((const char *)data, size, &manifest) == KSR_OK)
        ksr_manifest_free(&manifest);
    if (size == 0 || data[0] != '{')
        return 0;
    char sum[KSR_HASH_TEXT];
    ksr_hash_text(data + 1, size - 1, sum);
    char *text = malloc(size + 64);
    if (!text)
        return 0;
    const int start = snprintf(text, 64, "{\"checksum\":\"%s\",", sum);
    memcpy(text + start, data + 1, size - 1);
    if (ksr_manifest_parse(text, size - 1 + (size_t)start, &manifest) == KSR_OK) {
        fuzz_accepted++;
        if (memchr(data, 0, size) == NULL)
            write_and_read(&manifest);
        ksr_manifest_free(&manifest);
    }
    free(text);
    return 0;
}
