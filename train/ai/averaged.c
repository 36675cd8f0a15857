// Stage 5 for training: what stands still averaged over the frames of a clip, as the program does
// it before everything else. averaged.py compiles this with the stage itself.

#include <stdlib.h>
#include <string.h>

#include "kizunasr/config.h"
#include "stages/temporal.h"

// Writes n frames of luma, 15-bit samples of w x h, to out. weight, threshold: temporal_weight and
// motion_threshold. Returns false when out of memory.
bool train_average(uint16_t *out, const uint16_t *in, int n, int w, int h, double weight,
                   double threshold);

static struct ksr_plane plane_of(uint16_t *data, int w, int h)
{
    return (struct ksr_plane){.data = data, .stride = ksr_plane_stride(w), .width = w, .height = h};
}

static void copy(uint16_t *to, ptrdiff_t to_stride, const uint16_t *from, ptrdiff_t from_stride,
                 int w, int h)
{
    for (int y = 0; y < h; y++)
        memcpy(to + y * to_stride, from + y * from_stride, (size_t)w * sizeof(*to));
}

bool train_average(uint16_t *out, const uint16_t *in, int n, int w, int h, double weight,
                   double threshold)
{
    const struct ksr_pipeline_config config = {.temporal_weight = weight,
                                               .motion_threshold = threshold};
    const struct ksr_temporal_params params = ksr_temporal_params_make(&config);
    const ptrdiff_t stride = ksr_plane_stride(w);
    const size_t all = (size_t)stride * (size_t)h;
    uint16_t *const room = calloc(6 * all, sizeof(*room));
    struct ksr_plane cur, before, memory[2], next[2];
    if (!room)
        return false;
    cur = plane_of(room, w, h), before = plane_of(room + all, w, h);
    for (int k = 0; k < 2; k++)
        memory[k] = plane_of(room + (2 + (size_t)k) * all, w, h),
        next[k] = plane_of(room + (4 + (size_t)k) * all, w, h);
    for (int t = 0; t < n; t++) {
        const size_t at = (size_t)t * (size_t)w * (size_t)h;
        copy(cur.data, stride, in + at, w, w, h);
        const bool cut =
            t == 0 || ksr_temporal_is_cut(ksr_temporal_changed_rows(&cur, &before, &params, 0, h),
                                          (int64_t)w * h);
        for (int k = 0; k < 2; k++) {
            const struct ksr_temporal_memory turn = ksr_temporal_memory(&params, t, k);
            if (cut || turn.weight == 0)
                copy(next[k].data, stride, cur.data, stride, w, h);
            else
                ksr_temporal_rows(&next[k], &memory[k], &cur, &params, turn.weight, 0, h);
            if (turn.shown)
                copy(out + at, w, next[k].data, stride, w, h);
            struct ksr_plane swapped = memory[k];
            memory[k] = next[k];
            next[k] = swapped;
        }
        struct ksr_plane swapped = before;
        before = cur;
        cur = swapped;
    }
    free(room);
    return true;
}
