// Kernels and commands; see kernel.h.

#include "vulkan/kernel.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define CONSTANTS    12
#define WAITS        4
#define WAIT_SECONDS 60 // far more than any submission takes: a driver that hangs

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

// --- Commands ---

ksr_status ksr_gpu_commands_create(struct ksr_gpu *gpu, struct ksr_gpu_queue *queue,
                                   struct ksr_gpu_commands *out)
{
    struct ksr_gpu_commands c = {.gpu = gpu, .queue = queue};
    const VkCommandPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                          .queueFamilyIndex = queue->family};
    const VkQueryPoolCreateInfo queries = {.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
                                           .queryType = VK_QUERY_TYPE_TIMESTAMP,
                                           .queryCount = KSR_GPU_MARKS};
    VkResult result = vkCreateCommandPool(gpu->device, &pool, NULL, &c.pool);
    if (result == VK_SUCCESS) {
        const VkCommandBufferAllocateInfo buffer = {
            .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
            .commandPool = c.pool,
            .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
            .commandBufferCount = 1};
        result = vkAllocateCommandBuffers(gpu->device, &buffer, &c.buffer);
    }
    if (result == VK_SUCCESS && queue->clock > 0)
        result = vkCreateQueryPool(gpu->device, &queries, NULL, &c.queries);
    *out = c;
    if (result != VK_SUCCESS)
        ksr_gpu_commands_free(out);
    return ksr_gpu_check(gpu, result, "make a list of commands");
}

void ksr_gpu_commands_free(struct ksr_gpu_commands *c)
{
    if (!c->gpu || c->gpu->hangs)
        return;
    vkDestroyQueryPool(c->gpu->device, c->queries, NULL);
    vkDestroyCommandPool(c->gpu->device, c->pool, NULL);
    memset(c, 0, sizeof(*c));
}

ksr_status ksr_gpu_begin(struct ksr_gpu_commands *c)
{
    const VkCommandBufferBeginInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                           .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT};
    VkResult result = vkResetCommandPool(c->gpu->device, c->pool, 0);
    if (result == VK_SUCCESS)
        result = vkBeginCommandBuffer(c->buffer, &info);
    c->marks = 0;
    if (result == VK_SUCCESS && c->queries)
        vkResetQueryPool(c->gpu->device, c->queries, 0, KSR_GPU_MARKS);
    return ksr_gpu_check(c->gpu, result, "record commands");
}

static uint32_t groups(int size, uint32_t group)
{
    return ((uint32_t)size + group - 1) / group;
}

void ksr_gpu_run(struct ksr_gpu_commands *c, const struct ksr_gpu_kernel *kernel,
                 const void *params, int width, int height, int depth)
{
    if (!kernel->pipeline) // a test wants it broken
        return;
    vkCmdBindPipeline(c->buffer, VK_PIPELINE_BIND_POINT_COMPUTE, kernel->pipeline);
    vkCmdPushConstants(c->buffer, c->gpu->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0,
                       (uint32_t)kernel->params, params);
    vkCmdDispatch(c->buffer, groups(width, kernel->width), groups(height, kernel->height),
                  (uint32_t)depth);
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

ksr_status ksr_gpu_submit(struct ksr_gpu_commands *c, const struct ksr_gpu_commands *const *after,
                          int count)
{
    VkSemaphoreSubmitInfo waits[WAITS];
    uint32_t wait_count = 0;
    assert(count <= WAITS);
    for (int i = 0; i < count; i++)
        if (after[i]->number > 0)
            waits[wait_count++] = point(after[i]->queue, after[i]->number);
    const VkSemaphoreSubmitInfo done = point(c->queue, c->queue->submitted + 1);
    const VkCommandBufferSubmitInfo buffer = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO,
                                              .commandBuffer = c->buffer};
    const VkSubmitInfo2 info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
                                .waitSemaphoreInfoCount = wait_count,
                                .pWaitSemaphoreInfos = waits,
                                .commandBufferInfoCount = 1,
                                .pCommandBufferInfos = &buffer,
                                .signalSemaphoreInfoCount = 1,
                                .pSignalSemaphoreInfos = &done};
    barrier(c, VK_PIPELINE_STAGE_2_HOST_BIT, VK_ACCESS_2_HOST_READ_BIT);
    VkResult result = vkEndCommandBuffer(c->buffer);
    if (result == VK_SUCCESS)
        result = vkQueueSubmit2(c->queue->queue, 1, &info, VK_NULL_HANDLE);
    if (result == VK_SUCCESS)
        c->number = ++c->queue->submitted;
    return ksr_gpu_check(c->gpu, result, "submit work");
}

ksr_status ksr_gpu_wait(struct ksr_gpu_commands *c)
{
    const VkSemaphoreWaitInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
                                      .semaphoreCount = 1,
                                      .pSemaphores = &c->queue->timeline,
                                      .pValues = &c->number};
    const VkResult result = vkWaitSemaphores(c->gpu->device, &info, WAIT_SECONDS * 1000000000ull);
    c->gpu->hangs |= result == VK_TIMEOUT;
    return ksr_gpu_check(c->gpu, result, "finish work");
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
    return (double)((time[1] - time[0]) & c->queue->clock) * c->gpu->tick * 1e-9;
}
