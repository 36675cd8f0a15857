// Where stages and networks run, if not on the processor: a GPU with its kernels, tested and ready.

#ifndef KSR_PIPELINE_DEVICE_H
#define KSR_PIPELINE_DEVICE_H

#include "core/log.h"
#include "core/pool.h"
#include "pipeline/pipeline.h"

// Thread-safety: one thread at a time; pipelines that were made with it are used by that thread
// too.
typedef struct ksr_device ksr_device;

#define KSR_DEVICE_TEXT 256
#define KSR_DEVICE_MOST 16

// --- Names: what --device may be (device_name.c) ---

// What a list of names asks for.
struct ksr_device_choice {
    bool automatic;           // the fastest GPU that can be used, else the processor
    bool all;                 // every GPU that can be used
    bool cpu;                 // the processor
    int gpu[KSR_DEVICE_MOST]; // numbers of ksr_device_list(); KSR_DEVICE_FASTEST
    int gpus;
};

#define KSR_DEVICE_FASTEST -1

// Reads "auto" (also NULL), "all", or names with commas between: "cpu", "vulkan" (the fastest GPU),
// "vulkan:N" (number N of ksr_device_list()). onnx: the job runs a model in ONNX Runtime, so any
// other single name passes, too, which ONNX Runtime's side looks at: the choice is then the
// processor. Returns KSR_OK, KSR_E_PARAM (logged).
KSR_MUST_USE ksr_status ksr_device_choose(ksr_context *ctx, const char *names, bool onnx,
                                          struct ksr_device_choice *out);

// Returns what ONNX Runtime is asked for: the name, NULL where it is one of ours.
const char *ksr_device_provider(const char *names);

// --- GPUs ---

// Returns whether it is worth looking for a GPU: a guess that starts no driver.
bool ksr_device_may_exist(void);

// Returns how many GPUs, none of them a software device, can be opened, and their numbers, the
// fastest first as far as their kind and memory tell. If 0, `reason` says why.
int ksr_device_rank(int order[KSR_DEVICE_MOST], char reason[KSR_DEVICE_TEXT]);

// Opens GPU number `index` of ksr_device_list(), or KSR_DEVICE_FASTEST. Every kernel is compared
// with plain C on small frames, unless that was done lately (vulkan/tested.h). Returns NULL where
// it is not there or fails the test, which `reason` says; close with ksr_device_close().
ksr_device *ksr_device_open(int index, char reason[KSR_DEVICE_TEXT]);

// What a GPU is.
struct ksr_device_info {
    char name[16]; // as ksr_device_choose() takes it
    char gpu[KSR_DEVICE_TEXT], driver[KSR_DEVICE_TEXT];
    uint64_t memory;               // bytes
    bool software;                 // it is none, and only used by its number
    char trouble[KSR_DEVICE_TEXT]; // why it cannot be used; empty: it has passed the test
};

// Lists all GPUs, and tests those that can be used anew. Returns how many; if 0, `reason` says why.
int ksr_device_list(struct ksr_device_info list[KSR_DEVICE_MOST], char reason[KSR_DEVICE_TEXT]);

// Returns whether it was lost, and the processor stands in for it; false for NULL.
bool ksr_device_has_failed(const ksr_device *device);

// Closes it, sets it to NULL; accepts NULL and a pointer to NULL. Its pipelines must be gone.
void ksr_device_close(ksr_device **device);

// Returns its name as ksr_device_choose() takes it: "vulkan:0", or "cpu" for NULL. Valid as long as
// it is.
const char *ksr_device_id(const ksr_device *device);

// Returns its name and driver, such as "NVIDIA H100 80GB HBM3 (NVIDIA 580.65)"; "cpu" for NULL.
// Valid as long as it is.
const char *ksr_device_name(const ksr_device *device);

// --- Measuring ---

// Speeds that a GPU reaches with nothing else to do.
struct ksr_device_peaks {
    double upload, download; // bytes per second
    double multiplications;  // per second, of the kind that networks use: ...
    const char *way;         // "matrix", "dot product" or "int32"
};

// seconds: for each figure. Returns KSR_OK, KSR_E_NOMEM, KSR_E_PROCESS (logged).
KSR_MUST_USE ksr_status ksr_device_measure(ksr_context *ctx, ksr_device *device, double seconds,
                                           struct ksr_device_peaks *out);

#define KSR_DEVICE_WAYS 3

// A network by one of the ways to multiply, luma alone.
struct ksr_device_way {
    const char *name; // as in struct ksr_device_peaks
    double seconds;   // of a frame, by the GPU's clock if it has one
    size_t memory;    // bytes of activations
    // Of each layer:
    const char *kernel[KSR_MODEL_LAYERS];
    double layer[KSR_MODEL_LAYERS]; // seconds; 0 without a clock
};

// Measures a network by the way that is used on this GPU, then by those that are slower, on a frame
// that all of them must make alike. seconds: for each. *count: how many, fewer where memory is
// short (with a warning). Returns KSR_OK, KSR_E_PROCESS, KSR_E_CANCELLED (logged).
KSR_MUST_USE ksr_status ksr_device_measure_ways(ksr_context *ctx, ksr_device *device,
                                                const ksr_net *net, int width, int height,
                                                double seconds,
                                                struct ksr_device_way out[KSR_DEVICE_WAYS],
                                                int *count);

#define KSR_DEVICE_KERNELS 16

// What a kernel took, or several that run together.
struct ksr_device_kernel {
    const char *name; // static
    double seconds;
};

// What the GPU spent on frames, in seconds by its clock; 0 where it has none.
struct ksr_device_times {
    double upload, download; // copies over the bus
    struct ksr_device_kernel kernel[KSR_DEVICE_KERNELS];
    int kernels;
};

// Gives the times of the frames that were pulled since the last call.
void ksr_device_take_times(ksr_device *device, struct ksr_device_times *out);

// --- Work ---

// Returns an executor that has up to three frames under way on a GPU. What the GPU fails at is made
// by the processor, with a warning. Returns NULL where the device cannot do this recipe, or lacks
// memory for it (which it warns of), or is not usable any more.
ksr_pipeline *ksr_pipeline_create_device(ksr_context *ctx, ksr_device *device,
                                         const struct ksr_recipe *recipe, ksr_pool *pool);

#endif
