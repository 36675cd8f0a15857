// Is a list of commands handed over in parts that are short enough, and in one where that is?

#include <stdio.h>
#include <stdlib.h>

#include "gpu.h"

// --- What the GPU is given, and a clock that is made up ---

#define BUFFERS 256

static PFN_vkQueueSubmit2 submit;
static PFN_vkBeginCommandBuffer begin;
static PFN_vkCmdDispatchBase dispatch;
static PFN_vkGetQueryPoolResults get_times;

static struct gpu_work work;
static uint64_t groups[BUFFERS]; // workgroups in the buffers that were begun last, in a ring
static unsigned buffers;         // that were begun
static double group_ticks;       // that a workgroup is said to take; 0: the clock is right
static uint64_t clock_bits;

static VkResult count_submission(VkQueue queue, uint32_t count, const VkSubmitInfo2 *info,
                                 VkFence fence)
{
    work.submissions++;
    if (count != 1 || info->commandBufferInfoCount != 1)
        abort();
    return submit(queue, count, info, fence);
}

static VkResult count_buffer(VkCommandBuffer buffer, const VkCommandBufferBeginInfo *info)
{
    groups[++buffers % BUFFERS] = 0;
    return begin(buffer, info);
}

static void count_groups(VkCommandBuffer buffer, uint32_t x0, uint32_t y0, uint32_t z0, uint32_t x,
                         uint32_t y, uint32_t z)
{
    uint64_t *of_buffer = &groups[buffers % BUFFERS];
    *of_buffer += (uint64_t)x * y * z;
    work.most_groups = *of_buffer > work.most_groups ? *of_buffer : work.most_groups;
    dispatch(buffer, x0, y0, z0, x, y, z);
}

// The times are those of the buffers that were begun last.
static VkResult make_up_times(VkDevice device, VkQueryPool pool, uint32_t first, uint32_t count,
                              size_t size, void *data, VkDeviceSize stride,
                              VkQueryResultFlags flags)
{
    const VkResult result = get_times(device, pool, first, count, size, data, stride, flags);
    uint64_t *time = data;
    for (uint32_t i = 1; i < count && group_ticks > 0; i++) {
        const uint64_t part = groups[(buffers - (count - 1) + i) % BUFFERS];
        time[i] = (time[i - 1] + (uint64_t)((double)part * group_ticks)) & clock_bits;
    }
    return result;
}

// Has the GPU need so long for a workgroup, or 0 = as long as it does.
static void make_up_clock(const struct ksr_gpu *gpu, double group_seconds)
{
    group_ticks = group_seconds * 1e9 / gpu->tick;
    clock_bits = gpu->compute->clock;
}

struct gpu_work gpu_take_work(void)
{
    const struct gpu_work all = work;
    if (!submit) {
        submit = vkQueueSubmit2;
        begin = vkBeginCommandBuffer;
        dispatch = vkCmdDispatchBase;
        get_times = vkGetQueryPoolResults;
        vkQueueSubmit2 = count_submission;
        vkBeginCommandBuffer = count_buffer;
        vkCmdDispatchBase = count_groups;
        vkGetQueryPoolResults = make_up_times;
    }
    work = (struct gpu_work){0};
    return all;
}

// --- Lists ---

// A frame of 64 workgroups.
#define WIDTH  256
#define HEIGHT 64
#define GROUPS 64

// Runs a list; returns how many submissions it takes, or -1.
static int run_list(struct bench *b, struct ksr_gpu_commands *c)
{
    const struct ksr_gpu_plane plane = {b->local.address, WIDTH, WIDTH, HEIGHT};
    const struct ksr_normalize_params params = {.limit = 100};
    gpu_take_work();
    bool ok = ksr_gpu_begin(c) == KSR_OK;
    ksr_gpu_normalize(c, &b->stages, &plane, &plane, &params);
    ok = ok && ksr_gpu_submit(c, NULL, 0) == KSR_OK && ksr_gpu_wait(c) == KSR_OK;
    return ok ? gpu_take_work().submissions : -1;
}

// Returns whether a list takes these numbers of submissions, one time after the other; 0: the end.
static bool takes(struct bench *b, struct ksr_gpu_commands *c, const int *submissions)
{
    bool ok = true;
    for (int i = 0; submissions[i] > 0 && ok; i++) {
        const int number = run_list(b, c);
        ok = number == submissions[i];
        if (!ok)
            printf("    submissions: %d instead of %d\n", number, submissions[i]);
    }
    return ok;
}

static bool create_list(struct bench *b, struct ksr_gpu_commands *c)
{
    const uint64_t before = b->gpu->first_groups;
    b->gpu->first_groups = 1;
    const bool ok = ksr_gpu_commands_create(b->gpu, b->gpu->compute, c) == KSR_OK;
    b->gpu->first_groups = before;
    return ok;
}

// A GPU that needs `group_seconds` for a workgroup; bits: of its clock; 0 = it has none.
static bool check_speed(struct bench *b, double group_seconds, int bits, const int *submissions)
{
    struct ksr_gpu_queue *queue = b->gpu->compute;
    const uint64_t clock = queue->clock;
    struct ksr_gpu_commands c;
    queue->clock = bits > 0 ? UINT64_MAX >> (64 - bits) : 0;
    make_up_clock(b->gpu, group_seconds);
    const bool ok = create_list(b, &c) && takes(b, &c, submissions);
    ksr_gpu_commands_free(&c);
    make_up_clock(b->gpu, 0);
    queue->clock = clock;
    return ok;
}

// One that becomes slower, as others use it too, and fast again.
static bool check_change(struct bench *b)
{
    static const struct {
        double group_seconds;
        int submissions[4];
    } changes[] = {
        {1e-6, {64, 1, 1}}, // the first time nothing is known
        {0.03, {8, 8}},     // a submission has 8 workgroups at most
        {10, {64, 64}},
        {1e-6, {1, 1}},
    };
    struct ksr_gpu_commands c;
    bool ok = create_list(b, &c);
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]) && ok; i++) {
        make_up_clock(b->gpu, changes[i].group_seconds);
        ok = takes(b, &c, changes[i].submissions);
    }
    ksr_gpu_commands_free(&c);
    make_up_clock(b->gpu, 0);
    return ok;
}

// What a list handed over before it failed is done, so that it can be freed.
static bool check_failure(struct bench *b)
{
    struct ksr_gpu_commands c;
    uint64_t done = 0;
    bool ok = create_list(b, &c);
    gpu_fail(GPU_FAULT_SUBMIT, GROUPS);
    ok = ok && run_list(b, &c) < 0 && gpu_fault_calls() == GROUPS &&
         vkGetSemaphoreCounterValue(b->gpu->device, c.queue->timeline, &done) == VK_SUCCESS &&
         done == c.queue->submitted;
    gpu_fail(GPU_FAULT_SUBMIT, 0);
    ksr_gpu_commands_free(&c);
    return ok;
}

static void count(const char *name, bool ok, int *passed, int *failed)
{
    printf("%-32s %s\n", name, ok ? "ok" : "FAILED");
    *(ok ? passed : failed) += 1;
}

void gpu_check_parts(struct bench *b, int *passed, int *failed)
{
    static const int one[] = {64, 1, 1, 0}, four[] = {64, 4, 4, 0}, all[] = {64, 64, 64, 0};
    count("parts: fast", check_speed(b, 1e-6, 64, one), passed, failed);
    count("parts: slow", check_speed(b, 0.01, 64, four), passed, failed); // 25 in 0.25 s
    count("parts: a short clock", check_speed(b, 0.01, 29, four), passed, failed);
    count("parts: without a clock", check_speed(b, 1e-6, 0, all), passed, failed);
    count("parts: a change", check_change(b), passed, failed);
    count("parts: a failure", check_failure(b), passed, failed);
}
