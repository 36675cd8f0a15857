// A recipe on a GPU: memory for the planes of one frame, and the commands that make it.

#ifndef KSR_PIPELINE_VULKAN_RECIPE_H
#define KSR_PIPELINE_VULKAN_RECIPE_H

#include "pipeline/around.h"
#include "pipeline/device_parts.h"
#include "vulkan/drawing.h"

struct ksr_gpu_frame {
    struct ksr_gpu_plane plane[KSR_MAX_PLANES];
};

// Frames follow each other on the compute queue, so all but the codes that come in and go out is
// there once.
struct ksr_gpu_recipe {
    struct ksr_recipe recipe;
    ksr_device *device; // borrowed
    // Of the device; NULL: none. `again` is of the second doubling of luma, if that has its own.
    const struct ksr_gpu_net *net, *again, *chroma;
    struct ksr_gpu_buffer scratch; // of all, which take turns

    int bands;                   // that the chains' rows are made in, one after the other
    struct ksr_gpu_buffer arena; // holds the planes
    struct ksr_gpu_frame in;     // that the chains read
    // What the steps make, of one band; the last one's only if there are several.
    struct ksr_gpu_plane between[KSR_MAX_PLANES][KSR_MAX_STEPS + 1];
    struct ksr_gpu_frame made;       // what the last ones do
    // Of composite video: the frames around, unpacked, their luma without a subcarrier, and how far
    // it is held against each.
    struct ksr_gpu_frame around[KSR_AROUND_KEPT];
    struct ksr_gpu_plane smooth[KSR_AROUND_KEPT];
    struct ksr_gpu_plane held[KSR_COMPOSITE_FRAMES];
    struct ksr_gpu_frame source;     // unpacked or clean, where it is descaled
    struct ksr_gpu_drawing drawing;  // of that
    struct ksr_gpu_frame current[2]; // unpacked, clean or drawn; the second one of stage 5 only
    // Both memories of stage 5, as they are and as the next frame makes them.
    struct ksr_gpu_frame memory[2][2];
    int turn; // which of `current` and of each memory's two is this frame's
    struct ksr_gpu_buffer changed;
    struct ksr_gpu_fit fit;
    struct ksr_gpu_plane columns[KSR_MAX_PLANES]; // of fitting
    struct ksr_gpu_frame fitted;
    struct ksr_grain_params grain[KSR_MAX_PLANES];
    struct ksr_gpu_buffer grain_tables; // of all planes
};

// Codes in the GPU's memory: those that stand at `host` in the processor's are at `address`.
struct ksr_gpu_raw {
    const struct ksr_raw_frame *raw;
    const void *host;
    uint64_t address;
};

// *out: free with ksr_gpu_recipe_free(), which accepts all zero. recipe: is copied; may have no
// model. bands: 1 or more; the more, the less memory it takes, and the more rows are made twice.
// Returns KSR_OK; KSR_E_NOMEM, KSR_E_PROCESS (gpu->trouble says why), with *out all zero.
KSR_MUST_USE ksr_status ksr_gpu_recipe_create(ksr_context *ctx, struct ksr_gpu_recipe *out,
                                              ksr_device *device, const struct ksr_recipe *recipe,
                                              int bands);
void ksr_gpu_recipe_free(struct ksr_gpu_recipe *recipe);

// A frame to be made.
struct ksr_gpu_making {
    int64_t frame; // its number in the film
    bool follows;  // it is the next one after the last that was made
    // Of composite video: its number among those taken, and of those around it (around.h).
    int64_t number, around[KSR_COMPOSITE_FRAMES];
};

// Records what unpacks a frame, taken as number `number`; only with composite video may others be
// taken before it is made.
void ksr_gpu_recipe_take(struct ksr_gpu_recipe *recipe, struct ksr_gpu_commands *commands,
                         int64_t number, const struct ksr_gpu_raw *in);

// Records all else that makes a frame, up to codes of the output's layout. out: NULL = the frame is
// only remembered.
void ksr_gpu_recipe_make(struct ksr_gpu_recipe *recipe, struct ksr_gpu_commands *commands,
                         const struct ksr_gpu_making *making, const struct ksr_gpu_raw *out);

// Returns what the time before a mark went into.
enum ksr_task ksr_gpu_recipe_task(const char *mark);

#endif
