// Kernels and commands; see kernel.h.

#include "vulkan/kernel.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frame/tile.h"

#define CONSTANTS    12
#define WAITS        4
#define WAIT_SECONDS 5
#define WAITS_MOST   12   // in which nothing is done: a driver that hangs
#define PARTS_TIMED  1024 // of a list
#define GROWTH_MOST  4    // where there are more
#define SHRINK_MOST  16   // a long time may be one of sleep

// --- Kernels ---

static const struct ksr_gpu_shader *find_shader(const char *name)
{
    const struct ksr_gpu_shader *s = ksr_gpu_shaders;
    while (s->name && strcmp(s->name, name) != 0)
        s++;
    assert(s->name);
    return s;
}

static VkResult create_module(struct ksr_gpu *gpu, VkShaderModule *out, const char *name)
{
    const struct ksr_gpu_shader *shader = find_shader(name);
    const VkShaderModuleCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
                                           .codeSize = shader->bytes,
                                           .pCode = shader->code};
    return vkCreateShaderModule(gpu->device, &info, NULL, out);
}

static VkResult create_pipeline(struct ksr_gpu *gpu, VkPipeline *out, VkShaderModule module,
                                const struct ksr_gpu_kernel_info *info)
{
    int32_t values[CONSTANTS + 2] = {info->width, info->height};
    VkSpecializationMapEntry entries[CONSTANTS + 2];
    const int count = info->constant_count + 2;
    for (int i = 0; i < count; i++) {
        values[i] = i < 2 ? values[i] : info->constants[i - 2];
        entries[i] = (VkSpecializationMapEntry){(uint32_t)i, (uint32_t)i * 4, 4};
    }
    const VkSpecializationInfo constants = {(uint32_t)count, entries, (size_t)count * 4, values};
    const VkPipelineShaderStageRequiredSubgroupSizeCreateInfo subgroup = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO,
        .requiredSubgroupSize = (uint32_t)info->subgroup};
    const VkComputePipelineCreateInfo pipeline = {
        .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
        .flags = VK_PIPELINE_CREATE_DISPATCH_BASE_BIT,
        .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                  .pNext = info->subgroup > 0 ? &subgroup : NULL,
                  .flags = info->subgroup > 0
                               ? VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT
                               : 0,
                  .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                  .module = module,
                  .pName = "main",
                  .pSpecializationInfo = &constants},
        .layout = gpu->layout};
    return vkCreateComputePipelines(gpu->device, VK_NULL_HANDLE, 1, &pipeline, NULL, out);
}

ksr_status ksr_gpu_kernel_create(struct ksr_gpu *gpu, struct ksr_gpu_kernel *out,
                                 const struct ksr_gpu_kernel_info *info)
{
    struct ksr_gpu_kernel kernel = {.name = info->shader,
                                    .width = (uint32_t)info->width,
                                    .height = (uint32_t)info->height,
                                    .params = info->params};
    VkShaderModule module = VK_NULL_HANDLE;
    char what[64];
    memset(out, 0, sizeof(*out));
    assert(info->constant_count <= CONSTANTS);
    snprintf(what, sizeof(what), "compile kernel %s", info->shader);
    VkResult result = create_module(gpu, &module, info->shader);
    if (result == VK_SUCCESS)
        result = create_pipeline(gpu, &kernel.pipeline, module, info);
    vkDestroyShaderModule(gpu->device, module, NULL);
    if (result == VK_SUCCESS)
        *out = kernel;
    return ksr_gpu_check(gpu, result, what);
}

void ksr_gpu_kernel_free(struct ksr_gpu *gpu, struct ksr_gpu_kernel *kernel)
{
    if (gpu->hangs)
        return;
    vkDestroyPipeline(gpu->device, kernel->pipeline, NULL);
    memset(kernel, 0, sizeof(*kernel));
}

// --- Lists of commands ---

ksr_status ksr_gpu_commands_create(struct ksr_gpu *gpu, struct ksr_gpu_queue *queue,
                                   struct ksr_gpu_commands *out)
{
    struct ksr_gpu_commands c = {.gpu = gpu, .queue = queue, .most_groups = gpu->first_groups};
    const VkCommandPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                          .queueFamilyIndex = queue->family};
    const VkQueryPoolCreateInfo queries = {.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
                                           .queryType = VK_QUERY_TYPE_TIMESTAMP,
                                           .queryCount = KSR_GPU_MARKS + 1 + PARTS_TIMED};
    VkResult result = vkCreateCommandPool(gpu->device, &pool, NULL, &c.pool);
    if (result == VK_SUCCESS && queue->clock > 0)
        result = vkCreateQueryPool(gpu->device, &queries, NULL, &c.queries);
    *out = c;
    if (result != VK_SUCCESS)
        ksr_gpu_commands_free(out);
    return ksr_gpu_check(gpu, result, "make a list of commands");
}

void ksr_gpu_commands_free(struct ksr_gpu_commands *c)
{
    free(c->part);
    c->part = NULL;
    if (!c->gpu || c->gpu->hangs)
        return;
    vkDestroyQueryPool(c->gpu->device, c->queries, NULL);
    vkDestroyCommandPool(c->gpu->device, c->pool, NULL);
    memset(c, 0, sizeof(*c));
}

static double seconds_between(const struct ksr_gpu_commands *c, uint64_t from, uint64_t to)
{
    return (double)((to - from) & c->queue->clock) * c->gpu->tick * 1e-9;
}

// --- Parts ---

// Notes the time when the first parts are done, `count` of them.
static void time_parts(struct ksr_gpu_commands *c, int count)
{
    if (c->queries && count <= PARTS_TIMED)
        vkCmdWriteTimestamp2(c->buffer, VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT, c->queries,
                             KSR_GPU_MARKS + (uint32_t)count);
}

// Returns the part of the last submission that took longest, and for how long; NULL: not known.
static const struct ksr_gpu_part *longest_part(struct ksr_gpu_commands *c, double *seconds)
{
    const int timed = ksr_min(c->parts, PARTS_TIMED);
    uint64_t time[PARTS_TIMED + 1];
    const struct ksr_gpu_part *longest = NULL;
    *seconds = 0;
    if (!c->queries || timed == 0 ||
        vkGetQueryPoolResults(c->gpu->device, c->queries, KSR_GPU_MARKS, (uint32_t)timed + 1,
                              sizeof(time), time, sizeof(time[0]),
                              VK_QUERY_RESULT_64_BIT) != VK_SUCCESS)
        return NULL;
    for (int i = 0; i < timed; i++) {
        const double part = seconds_between(c, time[i], time[i + 1]);
        if (part > *seconds) {
            *seconds = part;
            longest = &c->part[i];
        }
    }
    return longest;
}

// Sets how many workgroups a part has, by the times of the last submission's. Larger parts join
// several of those, at least half full, so none takes more than twice as long as is wanted.
static void learn_groups(struct ksr_gpu_commands *c)
{
    double seconds;
    const struct ksr_gpu_part *part = longest_part(c, &seconds);
    if (!part || part->groups == 0) // no clock, or only copies take time
        return;
    const double ratio = fmax(c->gpu->most_seconds / seconds, 1.0 / SHRINK_MOST);
    double groups = (double)part->groups * ratio;
    if (c->parts > PARTS_TIMED)
        groups = fmin(groups, GROWTH_MOST * (double)c->most_groups);
    c->most_groups = (uint64_t)fmax(1, groups);
}

static VkResult allocate_part(struct ksr_gpu_commands *c)
{
    const VkCommandBufferAllocateInfo info = {.sType =
                                                  VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                              .commandPool = c->pool,
                                              .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                                              .commandBufferCount = 1};
    struct ksr_gpu_part *part = realloc(c->part, (size_t)(c->room + 1) * sizeof(*part));
    if (!part)
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    c->part = part;
    const VkResult result = vkAllocateCommandBuffers(c->gpu->device, &info, &part[c->room].buffer);
    c->room += result == VK_SUCCESS;
    return result;
}

static VkResult begin_part(struct ksr_gpu_commands *c)
{
    const VkCommandBufferBeginInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                           .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT};
    VkResult result = c->parts < c->room ? VK_SUCCESS : allocate_part(c);
    if (result == VK_SUCCESS)
        result = vkBeginCommandBuffer(c->part[c->parts].buffer, &info);
    if (result != VK_SUCCESS)
        return result;
    c->part[c->parts].groups = 0;
    c->buffer = c->part[c->parts++].buffer;
    return VK_SUCCESS;
}

static void note(struct ksr_gpu_commands *c, VkResult result)
{
    if (c->result == VK_SUCCESS)
        c->result = result;
}

// Where there is no next part, what follows goes into this one, for nothing.
static void next_part(struct ksr_gpu_commands *c)
{
    const VkCommandBuffer last = c->buffer;
    time_parts(c, c->parts);
    const VkResult result = begin_part(c);
    note(c, result);
    if (result == VK_SUCCESS)
        note(c, vkEndCommandBuffer(last));
}

ksr_status ksr_gpu_begin(struct ksr_gpu_commands *c)
{
    learn_groups(c);
    VkResult result = vkResetCommandPool(c->gpu->device, c->pool, 0);
    while (c->room > c->parts)
        vkFreeCommandBuffers(c->gpu->device, c->pool, 1, &c->part[--c->room].buffer);
    c->parts = c->marks = 0;
    c->result = VK_SUCCESS;
    if (result == VK_SUCCESS)
        result = begin_part(c);
    if (result == VK_SUCCESS && c->queries)
        vkResetQueryPool(c->gpu->device, c->queries, 0, KSR_GPU_MARKS + 1 + PARTS_TIMED);
    if (result == VK_SUCCESS)
        time_parts(c, 0);
    return ksr_gpu_check(c->gpu, result, "record commands");
}

// --- Commands ---

// A box of workgroups along x, y and z.
struct box {
    uint32_t first[3], count[3];
};

static uint64_t groups_of(const struct box *b)
{
    return (uint64_t)b->count[0] * b->count[1] * b->count[2];
}

// Cuts a box of several workgroups in halves, into bands of rows if possible; returns the second.
static struct box halve(struct box *b)
{
    const int axis = b->count[1] > 1 ? 1 : b->count[0] > 1 ? 0 : 2;
    struct box second = *b;
    b->count[axis] /= 2;
    second.first[axis] += b->count[axis];
    second.count[axis] -= b->count[axis];
    return second;
}

// A call of a kernel.
struct call {
    const struct ksr_gpu_kernel *kernel;
    const void *params;
};

static void run_box(struct ksr_gpu_commands *c, const struct call *call, struct box b)
{
    const uint64_t groups = groups_of(&b);
    if (groups > c->most_groups && groups > 1) {
        const struct box second = halve(&b);
        run_box(c, call, b);
        run_box(c, call, second);
        return;
    }
    if (c->part[c->parts - 1].groups + groups > c->most_groups)
        next_part(c);
    c->part[c->parts - 1].groups += groups;
    vkCmdBindPipeline(c->buffer, VK_PIPELINE_BIND_POINT_COMPUTE, call->kernel->pipeline);
    vkCmdPushConstants(c->buffer, c->gpu->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0,
                       (uint32_t)call->kernel->params, call->params);
    vkCmdDispatchBase(c->buffer, b.first[0], b.first[1], b.first[2], b.count[0], b.count[1],
                      b.count[2]);
}

static uint32_t groups(int size, uint32_t group)
{
    return ((uint32_t)size + group - 1) / group;
}

void ksr_gpu_run(struct ksr_gpu_commands *c, const struct ksr_gpu_kernel *kernel,
                 const void *params, int width, int height, int depth)
{
    const struct box all = {
        .count = {groups(width, kernel->width), groups(height, kernel->height), (uint32_t)depth}};
    if (kernel->pipeline) // else a test wants it broken
        run_box(c, &(struct call){kernel, params}, all);
}

void ksr_gpu_copy(struct ksr_gpu_commands *c, const struct ksr_gpu_buffer *to, size_t to_offset,
                  const struct ksr_gpu_buffer *from, size_t from_offset, size_t size)
{
    const VkBufferCopy region = {from_offset, to_offset, size};
    vkCmdCopyBuffer(c->buffer, from->buffer, to->buffer, 1, &region);
}

void ksr_gpu_fill(struct ksr_gpu_commands *c, const struct ksr_gpu_buffer *buffer, uint32_t value)
{
    vkCmdFillBuffer(c->buffer, buffer->buffer, 0, VK_WHOLE_SIZE, value);
}

// One barrier for everything: finer ones gain nothing where a step needs all of the one before.
static void barrier(struct ksr_gpu_commands *c, VkPipelineStageFlags2 after, VkAccessFlags2 access)
{
    const VkMemoryBarrier2 memory = {.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER_2,
                                     .srcStageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
                                     .srcAccessMask = VK_ACCESS_2_MEMORY_WRITE_BIT,
                                     .dstStageMask = after,
                                     .dstAccessMask = access};
    const VkDependencyInfo info = {.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO,
                                   .memoryBarrierCount = 1,
                                   .pMemoryBarriers = &memory};
    vkCmdPipelineBarrier2(c->buffer, &info);
}

void ksr_gpu_barrier(struct ksr_gpu_commands *c)
{
    barrier(c, VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
            VK_ACCESS_2_MEMORY_READ_BIT | VK_ACCESS_2_MEMORY_WRITE_BIT);
}

void ksr_gpu_mark(struct ksr_gpu_commands *c, const char *name)
{
    if (!c->queries || c->marks == KSR_GPU_MARKS)
        return;
    vkCmdWriteTimestamp2(c->buffer, VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT, c->queries,
                         (uint32_t)c->marks);
    c->mark[c->marks++] = name;
}

static VkSemaphoreSubmitInfo point(const struct ksr_gpu_queue *queue, uint64_t number)
{
    return (VkSemaphoreSubmitInfo){.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO,
                                   .semaphore = queue->timeline,
                                   .value = number,
                                   .stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT};
}

static VkResult submit_part(struct ksr_gpu_commands *c, const struct ksr_gpu_part *part,
                            const VkSemaphoreSubmitInfo *waits, uint32_t wait_count)
{
    const VkSemaphoreSubmitInfo done = point(c->queue, c->queue->submitted + 1);
    const VkCommandBufferSubmitInfo buffer = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO,
                                              .commandBuffer = part->buffer};
    const VkSubmitInfo2 info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
                                .waitSemaphoreInfoCount = wait_count,
                                .pWaitSemaphoreInfos = waits,
                                .commandBufferInfoCount = 1,
                                .pCommandBufferInfos = &buffer,
                                .signalSemaphoreInfoCount = 1,
                                .pSignalSemaphoreInfos = &done};
    const VkResult result = vkQueueSubmit2(c->queue->queue, 1, &info, VK_NULL_HANDLE);
    if (result == VK_SUCCESS)
        c->number = ++c->queue->submitted;
    return result;
}

// Returns a number that rises whenever a submission is done.
static uint64_t count_done(struct ksr_gpu *gpu)
{
    uint64_t all = 0;
    for (int i = 0; i < gpu->queue_count; i++) {
        uint64_t done = 0;
        if (vkGetSemaphoreCounterValue(gpu->device, gpu->queues[i].timeline, &done) == VK_SUCCESS)
            all += done;
    }
    return all;
}

static VkResult wait_for(struct ksr_gpu_commands *c)
{
    const VkSemaphoreWaitInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
                                      .semaphoreCount = 1,
                                      .pSemaphores = &c->queue->timeline,
                                      .pValues = &c->number};
    uint64_t done = 0;
    VkResult result = VK_TIMEOUT;
    for (int idle = 0; result == VK_TIMEOUT && idle < WAITS_MOST; idle++) {
        result = vkWaitSemaphores(c->gpu->device, &info, WAIT_SECONDS * 1000000000ull);
        const uint64_t before = done;
        done = count_done(c->gpu);
        idle = done > before ? 0 : idle;
    }
    c->gpu->hangs |= result == VK_TIMEOUT;
    return result;
}

ksr_status ksr_gpu_submit(struct ksr_gpu_commands *c, const struct ksr_gpu_commands *const *after,
                          int count)
{
    VkSemaphoreSubmitInfo waits[WAITS];
    uint32_t wait_count = 0;
    assert(count <= WAITS);
    for (int i = 0; i < count; i++)
        if (after[i]->number > 0)
            waits[wait_count++] = point(after[i]->queue, after[i]->number);
    barrier(c, VK_PIPELINE_STAGE_2_HOST_BIT, VK_ACCESS_2_HOST_READ_BIT);
    time_parts(c, c->parts);
    note(c, vkEndCommandBuffer(c->buffer));
    // What the first part waits for, the others wait for too: they follow it on the queue.
    for (int i = 0; i < c->parts && c->result == VK_SUCCESS; i++)
        note(c, submit_part(c, &c->part[i], waits, i == 0 ? wait_count : 0));
    if (c->result != VK_SUCCESS)
        note(c, wait_for(c)); // the parts that were handed over
    return ksr_gpu_check(c->gpu, c->result, "submit work");
}

ksr_status ksr_gpu_wait(struct ksr_gpu_commands *c)
{
    return ksr_gpu_check(c->gpu, wait_for(c), "finish work");
}

void ksr_gpu_idle(struct ksr_gpu *gpu)
{
    if (!gpu->hangs)
        vkDeviceWaitIdle(gpu->device);
}

ksr_status ksr_gpu_upload(struct ksr_gpu *gpu, struct ksr_gpu_buffer *out, const void *data,
                          size_t size)
{
    struct ksr_gpu_buffer staging = {0};
    struct ksr_gpu_commands commands = {0};
    ksr_status status = ksr_gpu_buffer_create(gpu, out, KSR_GPU_LOCAL, size);
    if (status == KSR_OK)
        status = ksr_gpu_buffer_create(gpu, &staging, KSR_GPU_UPLOAD, size);
    if (status == KSR_OK)
        status = ksr_gpu_commands_create(gpu, gpu->compute, &commands);
    if (status == KSR_OK)
        status = ksr_gpu_begin(&commands);
    if (status == KSR_OK) {
        memcpy(staging.map, data, size);
        ksr_gpu_copy(&commands, out, 0, &staging, 0, size);
        status = ksr_gpu_submit(&commands, NULL, 0);
    }
    if (status == KSR_OK)
        status = ksr_gpu_wait(&commands);
    ksr_gpu_commands_free(&commands);
    ksr_gpu_buffer_free(gpu, &staging);
    if (status != KSR_OK)
        ksr_gpu_buffer_free(gpu, out);
    return status;
}

double ksr_gpu_mark_seconds(struct ksr_gpu_commands *c, int i)
{
    uint64_t time[2];
    if (i < 1 || i >= c->marks ||
        vkGetQueryPoolResults(c->gpu->device, c->queries, (uint32_t)i - 1, 2, sizeof(time), time,
                              sizeof(time[0]),
                              VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT) != VK_SUCCESS)
        return 0;
    return seconds_between(c, time[0], time[1]);
}
