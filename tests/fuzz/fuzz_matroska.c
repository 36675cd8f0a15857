// The reader of languages, chapters and links in Matroska files under libFuzzer:
// tests/fuzz/meson.build has how to build it. What is found must be text; the same bytes then go
// through what ends a written file, which may change the length of languages and nothing's size.

#include <stdlib.h>
#include <string.h>

#include "media/container/patches.h"
#include "media/container/track_language.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ksr_track_languages found;
    if (size == 0 || size > 1 << 20)
        return 0;
    if (!ksr_track_languages_of(data, (int64_t)size, &found))
        abort();
    for (int i = 0; i < found.count; i++)
        if (strlen(found.track[i].text) >= KSR_LANGUAGE_TEXT || found.track[i].type <= 0)
            abort();
    const int count = found.count;
    free(found.track);
    struct ksr_memory *file = ksr_memory_write();
    if (!file)
        abort();
    avio_write(file->io, data, (int)size);
    avio_flush(file->io);
    if (ksr_patches_apply_memory(&(struct ksr_patches){.languages = true}, file, NULL) < 0 ||
        file->size != (int64_t)size)
        abort();
    if (!ksr_track_languages_of(file->data, file->size, &found) || found.count != count)
        abort();
    free(found.track);
    ksr_memory_close(&file);
    struct ksr_matroska_chapters chapters;
    if (ksr_matroska_chapters_of(data, (int64_t)size, &chapters) < 0 ||
        chapters.size > (int64_t)size)
        abort();
    ksr_matroska_chapters_free(&chapters);
    struct ksr_matroska_links links;
    struct ksr_memory *memory = ksr_memory_read(data, (int64_t)size);
    if (!memory || ksr_matroska_links_read(memory->io, &links) < 0 || links.size > KSR_LINKS_SIZE)
        abort();
    ksr_memory_close(&memory);
    return 0;
}
