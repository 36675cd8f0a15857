// Stage 5 for training: what stands still averaged over the frames of a clip, as the program does
// it before everything else (pipeline/cpu.c). averaged.py compiles this with the stage itself.

#include <string.h>

#include "core/mem.h"
#include "kizunasr/config.h"
#include "stages/temporal.h"

enum { CURRENT, BEFORE, MEMORY, NEXT = MEMORY + 2, PLANES = NEXT + 2 };

// Writes `count` frames of luma, 15-bit samples of w x h without gaps, to out. weight, threshold:
// temporal_weight and motion_threshold. Returns false when out of memory.
bool ksr_train_average(uint16_t *out, const uint16_t *in, int count, int w, int h, double weight,
                       double threshold);

static void swap(struct ksr_plane *a, struct ksr_plane *b)
{
    const struct ksr_plane c = *a;
    *a = *b;
    *b = c;
}

static void read_frame(const struct ksr_plane *plane, const uint16_t *from)
{
    for (int y = 0; y < plane->height; y++)
        memcpy(plane->data + y * plane->stride, from + (ptrdiff_t)y * plane->width,
               (size_t)plane->width * sizeof(*from));
}

static void write_frame(uint16_t *to, const struct ksr_plane *plane)
{
    for (int y = 0; y < plane->height; y++)
        memcpy(to + (ptrdiff_t)y * plane->width, plane->data + y * plane->stride,
               (size_t)plane->width * sizeof(*to));
}

static bool is_cut(const struct ksr_plane *plane, const struct ksr_temporal_params *params)
{
    const int w = plane[CURRENT].width, h = plane[CURRENT].height;
    return ksr_temporal_is_cut(
        ksr_temporal_changed_rows(&plane[CURRENT], &plane[BEFORE], params, 0, h), (int64_t)w * h);
}

bool ksr_train_average(uint16_t *out, const uint16_t *in, int count, int w, int h, double weight,
                       double threshold)
{
    const struct ksr_pipeline_config config = {.temporal_weight = weight,
                                               .motion_threshold = threshold};
    const struct ksr_temporal_params params = ksr_temporal_params_make(&config);
    const struct ksr_layout layout = {.width = w, .height = h, .planes = 1};
    const ptrdiff_t size = (ptrdiff_t)w * h;
    struct ksr_frame frame[PLANES] = {0};
    struct ksr_plane plane[PLANES];
    bool done = true;
    for (int i = 0; i < PLANES && done; i++) {
        done = ksr_frame_alloc(&frame[i], &layout);
        plane[i] = frame[i].plane[0];
    }
    for (int t = 0; t < count && done; t++) {
        read_frame(&plane[CURRENT], in + t * size);
        const bool forget = t == 0 || is_cut(plane, &params);
        for (int k = 0; k < 2; k++) {
            const struct ksr_temporal_memory turn = ksr_temporal_memory(&params, t, k);
            if (forget || turn.weight == 0)
                read_frame(&plane[NEXT + k], in + t * size);
            else
                ksr_temporal_rows(&plane[NEXT + k], &plane[MEMORY + k], &plane[CURRENT], &params,
                                  turn.weight, 0, h);
            if (turn.shown)
                write_frame(out + t * size, &plane[NEXT + k]);
            swap(&plane[MEMORY + k], &plane[NEXT + k]);
        }
        swap(&plane[CURRENT], &plane[BEFORE]);
    }
    for (int i = 0; i < PLANES; i++)
        ksr_frame_free(&frame[i]);
    return done;
}
