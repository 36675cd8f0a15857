// Kernels, and lists of commands that run them.
//
// A kernel is a compute shader of shaders/, embedded as SPIR-V. It has no descriptors: its push
// constants hold the addresses of the buffers that it reads and writes and all its numbers, so a
// call is one structure (shaders/params.h). Its two first specialization constants are the width
// and height of its workgroup.
//
//     ksr_gpu_begin(&commands);
//     ksr_gpu_run(&commands, &kernel, &params, width, height, 1);
//     ksr_gpu_barrier(&commands); // what follows reads what was written
//     ...
//     ksr_gpu_submit(&commands, NULL, 0), ksr_gpu_wait(&commands);

#ifndef KSR_VULKAN_KERNEL_H
#define KSR_VULKAN_KERNEL_H

#include "vulkan/memory.h"

// --- Kernels ---

// The embedded shaders; the last one has no name.
struct ksr_gpu_shader {
    const char *name; // of the file, without .comp
    const uint32_t *code;
    size_t bytes;
};
extern const struct ksr_gpu_shader ksr_gpu_shaders[];

struct ksr_gpu_kernel {
    const char *name;
    VkPipeline pipeline;
    uint32_t width, height; // of the workgroup
    size_t params;          // bytes of its parameters
};

// How a kernel is made of a shader.
struct ksr_gpu_kernel_info {
    const char *shader;
    int width, height;        // of the workgroup, in invocations
    size_t params;            // bytes of its parameters, 128 at most
    const int32_t *constants; // specialization constants from number 2 on
    int constant_count;       // 12 at most
    int subgroup;             // size that it needs; 0 = any
};

// *out: the kernel; free with ksr_gpu_kernel_free(). Returns KSR_OK; KSR_E_NOMEM, KSR_E_PROCESS
// with *out all zero.
KSR_MUST_USE ksr_status ksr_gpu_kernel_create(struct ksr_gpu *gpu, struct ksr_gpu_kernel *out,
                                              const struct ksr_gpu_kernel_info *info);
void ksr_gpu_kernel_free(struct ksr_gpu *gpu, struct ksr_gpu_kernel *kernel);

// --- Commands ---

#define KSR_GPU_MARKS 64

// What one submission does.
struct ksr_gpu_part {
    VkCommandBuffer buffer;
    uint64_t groups; // workgroups
};

// Workgroups of a part when a GPU is tested: so few that the driver's way to divide dispatches, which
// the first frames need, is tested as well.
enum { KSR_GPU_TEST_GROUPS = 3 };

// One list, made again and again: begin, record, submit, wait. One thread at a time.
//
// It is handed over in parts, so that no submission takes longer than gpu->most_seconds. A part has
// `most_groups` workgroups at most; what has more is divided into bands of rows, down to single
// workgroups. How many fit that time shows the longest part of the time before, so that a fast GPU
// gets the list as one part again after a few rounds. Without a clock it stays divided.
struct ksr_gpu_commands {
    struct ksr_gpu *gpu;         // borrowed
    struct ksr_gpu_queue *queue; // borrowed
    VkCommandPool pool;
    uint64_t number; // of its last submission on the queue's timeline; 0 = none

    struct ksr_gpu_part *part; // those that are recorded, and some more with a buffer
    int parts, room;
    VkCommandBuffer buffer; // of the last part
    VkResult result;        // of recording
    uint64_t most_groups;   // of a part

    VkQueryPool queries; // timestamps: marks, the beginning of the first part, the ends of all
    const char *mark[KSR_GPU_MARKS];
    int marks;
};

// *out: an empty list for a queue; free with ksr_gpu_commands_free(), which accepts all zero.
// Returns KSR_OK, KSR_E_NOMEM, KSR_E_PROCESS.
KSR_MUST_USE ksr_status ksr_gpu_commands_create(struct ksr_gpu *gpu, struct ksr_gpu_queue *queue,
                                                struct ksr_gpu_commands *out);
void ksr_gpu_commands_free(struct ksr_gpu_commands *commands);

// Empties the list, whose last submission must be done, to record anew. What cannot be recorded
// later fails ksr_gpu_submit().
KSR_MUST_USE ksr_status ksr_gpu_begin(struct ksr_gpu_commands *commands);

// Runs a kernel for width x height x depth invocations at least: whole workgroups, depth of 1 each.
// params: of the kernel's size; copied.
void ksr_gpu_run(struct ksr_gpu_commands *commands, const struct ksr_gpu_kernel *kernel,
                 const void *params, int width, int height, int depth);

// Copies bytes between buffers.
void ksr_gpu_copy(struct ksr_gpu_commands *commands, const struct ksr_gpu_buffer *to,
                  size_t to_offset, const struct ksr_gpu_buffer *from, size_t from_offset,
                  size_t size);

// Fills a buffer with a value of 32 bits.
void ksr_gpu_fill(struct ksr_gpu_commands *commands, const struct ksr_gpu_buffer *buffer,
                  uint32_t value);

// All that follows waits for all before, and sees what it wrote. Without it they may overlap.
void ksr_gpu_barrier(struct ksr_gpu_commands *commands);

// Notes the time when all before is done; `name` (static) is for what was done since the mark
// before. Nothing where the queue has no clock, and beyond KSR_GPU_MARKS.
void ksr_gpu_mark(struct ksr_gpu_commands *commands, const char *name);

// Hands the list over. It begins when the last submissions of the lists in `after` are done.
// `after` may name lists that were never submitted. Returns KSR_OK; KSR_E_NOMEM, KSR_E_PROCESS
// (lost, for one) with nothing of it under way.
KSR_MUST_USE ksr_status ksr_gpu_submit(struct ksr_gpu_commands *commands,
                                       const struct ksr_gpu_commands *const *after, int count);

// Waits until the last submission is done. What it wrote can then be read from mapped buffers.
// Gives up when nothing of what the GPU has to do was done for a minute.
KSR_MUST_USE ksr_status ksr_gpu_wait(struct ksr_gpu_commands *commands);

// Waits until nothing is under way.
void ksr_gpu_idle(struct ksr_gpu *gpu);

// *out: a new local buffer with `size` bytes of `data`; free with ksr_gpu_buffer_free(). Waits.
// Returns KSR_OK; KSR_E_NOMEM, KSR_E_PROCESS with *out all zero.
KSR_MUST_USE ksr_status ksr_gpu_upload(struct ksr_gpu *gpu, struct ksr_gpu_buffer *out,
                                       const void *data, size_t size);

// Returns the seconds between mark `i` (1 or more) and the one before; for a list that was waited
// for.
double ksr_gpu_mark_seconds(struct ksr_gpu_commands *commands, int i);

#endif
