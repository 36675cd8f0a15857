// Are the kernels of a GPU equal to plain C? The jobs are those of tests/checkasm; here is how a
// GPU does them.

#ifndef KSR_TESTS_GPU_H
#define KSR_TESTS_GPU_H

#include "../checkasm/checkasm.h"
#include "vulkan/stages.h"

#define GPU_TABLE_BYTES (1 << 20)

// What kernels of a test run with.
struct bench {
    struct ksr_gpu *gpu;
    struct ksr_gpu_commands commands;
    struct ksr_gpu_buffer local, upload, download;
    struct ksr_gpu_stages stages;
};

// The planes of a job in the GPU's memory.
struct planes {
    struct ksr_gpu_plane in[CHECK_IMAGES], out[CHECK_IMAGES];
    uint64_t counter; // 32 bits of zero, which become the job's result
    uint64_t table;   // what the kernel's fill() wrote
};

// A job recorded for a GPU.
struct gpu_kernel {
    const char *name;
    void (*record)(struct bench *bench, const struct job *job, const struct planes *planes);
    const struct kernel *job;                // NULL: of the same name of tests/checkasm
    bool (*possible)(const struct bench *b); // NULL: on every GPU
    // Writes a table for the job, of up to GPU_TABLE_BYTES; the rest of these is the kernel's to use.
    // NULL: it needs none.
    void (*fill)(const struct job *job, void *table);
};

extern const struct gpu_kernel gpu_stage_kernels[];
extern const int gpu_stage_kernel_count;
extern const struct gpu_kernel gpu_net_kernels[];
extern const int gpu_net_kernel_count;

// Returns a shipped network, of the folder KSR_TEST_MODELS or of the source tree; free with
// ksr_net_destroy(). Ends the program if there is none. "resolutions" is drawn.
ksr_net *gpu_load_net(const char *name);

// Returns whether the fastest tier is chosen, and a wrong result would be seen.
bool gpu_net_check_choice(struct bench *bench);

// Returns whether results of tests are kept from run to run.
bool gpu_check_kept(struct bench *bench);

// Frees what kernels of networks made; looks at their last guard.
void gpu_net_close(struct bench *bench);

// What can fail in a driver.
enum gpu_fault {
    GPU_FAULT_SUBMIT,   // the GPU is lost
    GPU_FAULT_WAIT,     // the same
    GPU_FAULT_HANG,     // from then on nothing is done
    GPU_FAULT_SLOW,     // a wait takes long, while more and more is done
    GPU_FAULT_MEMORY,   // none is left
    GPU_FAULT_ALLOCATE, // the GPU is lost
    GPU_FAULT_MAP,
    GPU_FAULT_RECORD,
    GPU_FAULT_COMPILE,
    GPU_FAULTS,
    GPU_FAULT_IDLE = GPU_FAULTS // never fails, is only counted
};

// From now on call number `call` of this kind fails, once; 0 = none. Calls are counted anew.
void gpu_fail(enum gpu_fault fault, int call);
int gpu_fault_calls(void);

// Returns how often since then a list of commands was recorded anew before its last submission was
// known to be done.
int gpu_begun_early(void);

// Returns what the GPU was given since the last call.
struct gpu_work {
    int submissions;
    uint64_t most_groups; // workgroups of one
} gpu_take_work(void);

// Add to the counts.
void gpu_check_pipeline(struct bench *bench, int *passed, int *failed);
void gpu_check_parts(struct bench *bench, int *passed, int *failed);

#endif
