// Do the frames that workers read equal those of one linear decode?
//
//   frames FILE [STEP [deinterlace|field|inverse_telecine|mixed]]
//
// Reads the film once from its start, hashing every frame; then enters it anew at every STEP-th
// frame, as a worker with a segment there would, and compares the hashes. Ends with a line
// `N frames, N entries, equal` (status 0) or says what differs (status 1).

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "media/av/pixel_format.h"
#include "media/index/index.h"
#include "media/index/telecine.h"
#include "media/input/filter.h"
#include "media/input/reader.h"

// Frames compared after each entry: past the first group of B-frames.
#define FRAMES_AFTER_ENTRY 12

static void print_line(void *opaque, ksr_log_level level, const char *message)
{
    (void)opaque;
    if (level <= KSR_LOG_WARNING)
        fprintf(stderr, "frames: %s\n", message);
}

static uint64_t hash_frame(const struct ksr_frame *frame)
{
    uint64_t hash = 0;
    for (int p = 0; p < frame->layout.planes; p++)
        for (int y = 0; y < frame->plane[p].height; y++)
            hash = hash * 1099511628211u ^
                   ksr_hash64(frame->plane[p].data + y * frame->plane[p].stride,
                              (size_t)frame->plane[p].width * sizeof(uint16_t));
    return hash;
}

// Reads `count` frames from `first` on and stores their hashes.
static bool read_run(ksr_context *ctx, ksr_reader *reader, struct ksr_frame *frame, size_t first,
                     size_t count, const struct ksr_film_key *from, uint64_t *hashes)
{
    if (ksr_reader_seek(ctx, reader, first, from) != KSR_OK)
        return false;
    for (size_t i = 0; i < count; i++) {
        size_t index;
        bool damaged;
        if (ksr_reader_next(ctx, reader, &index, &damaged) != KSR_OK)
            return false;
        if (index != first + i || damaged) {
            fprintf(stderr, "frames: wanted frame %zu, got %zd%s\n", first + i, (ssize_t)index,
                    damaged ? " (damaged)" : "");
            return false;
        }
        struct ksr_row_source source;
        if (ksr_reader_take(ctx, reader, &frame->layout, NULL, &source) != KSR_OK)
            return false;
        for (int p = 0; p < frame->layout.planes; p++)
            source.rows(source.opaque, p, &frame->plane[p], 0, frame->plane[p].height);
        hashes[i] = hash_frame(frame);
    }
    return true;
}

static bool compare_entries(ksr_context *ctx, const char *path, const struct ksr_film *film,
                            struct ksr_frame *frame, size_t step, size_t *entries)
{
    ksr_reader *reader = NULL;
    uint64_t *linear = calloc(film->frame_count, sizeof(*linear));
    uint64_t entered[FRAMES_AFTER_ENTRY];
    const struct ksr_film_key start = ksr_reader_entry(film, 0);
    bool ok = linear && ksr_reader_create(ctx, path, film, &reader) == KSR_OK &&
              read_run(ctx, reader, frame, 0, film->frame_count, &start, linear);
    *entries = 0;
    for (size_t first = step; ok && first < film->frame_count; first += step) {
        const struct ksr_film_key from = ksr_reader_entry(film, first);
        const size_t left = film->frame_count - first;
        const size_t count = left < FRAMES_AFTER_ENTRY ? left : FRAMES_AFTER_ENTRY;
        ok = read_run(ctx, reader, frame, first, count, &from, entered);
        if (ok && memcmp(entered, linear + first, count * sizeof(entered[0])) != 0) {
            fprintf(stderr, "frames: entering at frame %zu gives other pictures\n", first);
            ok = false;
        }
        ++*entries;
    }
    ksr_reader_destroy(&reader);
    free(linear);
    return ok;
}

int main(int argc, char **argv)
{
    if (argc < 2 || argc > 4) {
        fprintf(stderr, "usage: frames FILE [STEP [deinterlace|field|inverse_telecine|mixed]]\n");
        return 2;
    }
    const size_t step = argc >= 3 ? strtoul(argv[2], NULL, 10) : 7;
    struct ksr_pipeline_config config = ksr_pipeline_config_default();
    config.deinterlace = argc == 4 && strcmp(argv[3], "deinterlace") == 0;
    if (argc == 4 && strcmp(argv[3], "field") == 0)
        config.deinterlace = KSR_DEINTERLACE_FIELD;
    if (argc == 4 && strcmp(argv[3], "inverse_telecine") == 0)
        config.inverse_telecine = KSR_TELECINE_FILM;
    if (argc == 4 && strcmp(argv[3], "mixed") == 0)
        config.inverse_telecine = KSR_TELECINE_MIXED;
    const struct ksr_callbacks callbacks = {.log = print_line};
    ksr_context *ctx = NULL;
    struct ksr_film film = {0};
    struct ksr_frame frame = {0};
    struct ksr_layout layout;
    size_t entries = 0;
    int bits;
    const bool ok = step > 0 && ksr_context_create(&ctx, &callbacks) == KSR_OK &&
                    ksr_film_index(ctx, argv[1], false, &film) == KSR_OK &&
                    ksr_filter_plan(ctx, argv[1], &config, &film) == KSR_OK &&
                    ksr_pixels_layout(&film.format, &layout, &bits) &&
                    ksr_frame_alloc(&frame, &layout) &&
                    compare_entries(ctx, argv[1], &film, &frame, step, &entries);
    if (ok)
        printf("%zu frames, %zu entries, equal (%s)\n", film.frame_count, entries,
               film.linear     ? "linear"
               : film.open_gop ? "open groups"
                               : "closed groups");
    ksr_frame_free(&frame);
    ksr_film_free(&film);
    ksr_context_destroy(&ctx);
    return ok ? 0 : 1;
}
