// Patches of files that muxers have written; see patches.h.

#include "media/container/patches.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "media/container/aperture.h"
#include "media/container/ebml.h"
#include "media/container/track_flags.h"
#include "media/container/track_language.h"

// --- Placeholders ---

int ksr_patches_add_stream(struct ksr_patches *patches, const struct ksr_container *container,
                           AVStream *out, const AVStream *in, bool keep_tags)
{
    if (container->disabled_flag && ksr_track_is_disabled(in))
        patches->disables = patches->disabled[out->index] = true;
    const int full = keep_tags && container->full_language ? ksr_track_language_set(out, in) : 0;
    patches->languages |= full > 0;
    return full < 0 ? full : 0;
}

int ksr_patches_add_crop(struct ksr_patches *patches, const struct ksr_aperture *crop,
                         AVStream *video)
{
    patches->aperture = *crop;
    return ksr_aperture_reserve(video);
}

int ksr_patches_add_file(struct ksr_patches *patches, AVFormatContext *output,
                         const AVFormatContext *input)
{
    int result = ksr_matroska_chapters_read(input->pb, &patches->chapters);
    if (result >= 0)
        result = ksr_matroska_chapters_reserve(output, &patches->chapters);
    if (result >= 0)
        result = ksr_matroska_links_read(input->pb, &patches->links);
    return result >= 0 ? ksr_matroska_links_reserve(output, &patches->links) : result;
}

void ksr_patches_free(struct ksr_patches *patches)
{
    ksr_matroska_chapters_free(&patches->chapters);
    memset(patches, 0, sizeof(*patches));
}

// --- Matroska ---

static int patch_tracks(const struct ksr_patches *patches, const AVFormatContext *output,
                        struct ksr_ebml_part *tracks)
{
    int result =
        ksr_aperture_crops(&patches->aperture) ? ksr_aperture_put(tracks, &patches->aperture) : 0;
    if (result == 0 && patches->languages)
        ksr_track_languages_put(tracks);
    if (result == 0 && patches->disables &&
        !ksr_track_flags_disable(tracks, output, patches->disabled))
        result = AVERROR_BUG;
    return result;
}

static int patch_info(const struct ksr_patches *patches, const AVFormatContext *output,
                      struct ksr_ebml_part *info)
{
    (void)output;
    return ksr_matroska_links_put(info, &patches->links) ? 0 : AVERROR_BUG;
}

static int patch_chapters(const struct ksr_patches *patches, const AVFormatContext *output,
                          struct ksr_ebml_part *chapters)
{
    (void)output;
    return ksr_matroska_chapters_put(chapters, &patches->chapters);
}

// A part of the file that there is something to change of.
struct patched {
    uint32_t id;
    int (*patch)(const struct ksr_patches *patches, const AVFormatContext *output,
                 struct ksr_ebml_part *part);
    bool wanted;
    struct ksr_ebml_part part;
};

#define PARTS 3

static int read_parts(const char *path, struct patched parts[PARTS])
{
    AVIOContext *io = NULL;
    char *url = ksr_ffmpeg_url(path);
    int result = url ? avio_open2(&io, url, AVIO_FLAG_READ, NULL, NULL) : AVERROR(ENOMEM);
    free(url);
    for (int i = 0; result >= 0 && i < PARTS; i++)
        if (parts[i].wanted && !ksr_ebml_find(io, parts[i].id, &parts[i].part))
            result = AVERROR(ENOMEM);
    if (result >= 0 && io->error < 0)
        result = io->error;
    avio_closep(&io);
    return result < 0 ? result : 0;
}

static int write_parts(const char *path, const struct patched parts[PARTS])
{
    FILE *file = fopen(path, "r+b");
    bool ok = file != NULL;
    for (int i = 0; ok && i < PARTS; i++) {
        const size_t size = parts[i].part.bytes ? (size_t)parts[i].part.size : 0;
        ok = size == 0 || (fseeko(file, parts[i].part.at, SEEK_SET) == 0 &&
                           fwrite(parts[i].part.bytes, 1, size, file) == size);
    }
    const int result = ok ? 0 : AVERROR(errno);
    return !file || fclose(file) == 0 || result < 0 ? result : AVERROR(errno);
}

static int patch_matroska(const struct ksr_patches *patches, const char *path,
                          const AVFormatContext *output)
{
    const bool tracks =
        ksr_aperture_crops(&patches->aperture) || patches->languages || patches->disables;
    struct patched parts[PARTS] = {
        {KSR_EBML_TRACKS, patch_tracks, tracks, {0}},
        {KSR_EBML_INFO, patch_info, patches->links.size > 0, {0}},
        {KSR_EBML_CHAPTERS, patch_chapters, patches->chapters.bytes != NULL, {0}}};
    if (!parts[0].wanted && !parts[1].wanted && !parts[2].wanted)
        return 0;
    int result = read_parts(path, parts);
    for (int i = 0; result == 0 && i < PARTS; i++)
        if (parts[i].wanted)
            result = parts[i].patch(patches, output, &parts[i].part);
    if (result == 0)
        result = write_parts(path, parts);
    for (int i = 0; i < PARTS; i++)
        free(parts[i].part.bytes);
    return result;
}

int ksr_patches_apply_memory(const struct ksr_patches *patches, struct ksr_memory *file,
                             const AVFormatContext *output)
{
    struct ksr_ebml_part tracks = {0};
    if (!patches->languages && !patches->disables)
        return 0;
    struct ksr_memory *reader = ksr_memory_read(file->data, file->size);
    const bool found = reader && ksr_ebml_find(reader->io, KSR_EBML_TRACKS, &tracks);
    ksr_memory_close(&reader);
    if (!found)
        return AVERROR(ENOMEM);
    if (tracks.bytes && patches->languages) {
        ksr_track_languages_put(&tracks);
        memcpy(file->data + tracks.at, tracks.bytes, (size_t)tracks.size);
    }
    if (tracks.bytes && patches->disables &&
        ksr_track_flags_disable(&tracks, output, patches->disabled))
        memcpy(file->data + tracks.at, tracks.bytes, (size_t)tracks.size);
    free(tracks.bytes);
    return 0;
}

// --- Any file ---

int ksr_patches_apply(const struct ksr_patches *patches, const char *path,
                      const AVFormatContext *output)
{
    switch (ksr_container_of(output->oformat->name)->parts) {
    case KSR_PARTS_EBML: return patch_matroska(patches, path, output);
    case KSR_PARTS_BOXES:
        return ksr_track_flags_needed(output) ? ksr_track_flags_finish_file(path, output) : 0;
    default: return 0;
    }
}
