// Calls of Vulkan that fail, as drivers fail: in place of the loader's functions, which volk keeps
// in variables.

#include "gpu.h"

static enum gpu_fault chosen;
static int left, calls; // until one fails; since then

// Returns whether this call fails.
static bool fails(enum gpu_fault fault)
{
    if (fault != chosen)
        return false;
    calls++;
    return left > 0 && --left == 0;
}

static PFN_vkQueueSubmit2 submit;
static PFN_vkWaitSemaphores wait;
static PFN_vkAllocateMemory allocate;
static PFN_vkMapMemory map;
static PFN_vkBeginCommandBuffer begin;
static PFN_vkCreateComputePipelines compile;
static PFN_vkDeviceWaitIdle idle;

static VkResult submit_or_fail(VkQueue queue, uint32_t count, const VkSubmitInfo2 *info,
                               VkFence fence)
{
    return fails(GPU_FAULT_SUBMIT) ? VK_ERROR_DEVICE_LOST : submit(queue, count, info, fence);
}

// Nothing runs any more on a GPU that is lost. On one that hangs, what runs goes on.
static VkResult wait_or_fail(VkDevice device, const VkSemaphoreWaitInfo *info, uint64_t timeout)
{
    if (fails(GPU_FAULT_HANG))
        return VK_TIMEOUT;
    const VkResult result = wait(device, info, timeout);
    return fails(GPU_FAULT_WAIT) ? VK_ERROR_DEVICE_LOST : result;
}

static VkResult allocate_or_fail(VkDevice device, const VkMemoryAllocateInfo *info,
                                 const VkAllocationCallbacks *memory, VkDeviceMemory *out)
{
    return fails(GPU_FAULT_MEMORY)     ? VK_ERROR_OUT_OF_DEVICE_MEMORY
           : fails(GPU_FAULT_ALLOCATE) ? VK_ERROR_DEVICE_LOST
                                       : allocate(device, info, memory, out);
}

static VkResult map_or_fail(VkDevice device, VkDeviceMemory memory, VkDeviceSize offset,
                            VkDeviceSize size, VkMemoryMapFlags flags, void **out)
{
    return fails(GPU_FAULT_MAP) ? VK_ERROR_MEMORY_MAP_FAILED
                                : map(device, memory, offset, size, flags, out);
}

static VkResult begin_or_fail(VkCommandBuffer buffer, const VkCommandBufferBeginInfo *info)
{
    return fails(GPU_FAULT_RECORD) ? VK_ERROR_OUT_OF_HOST_MEMORY : begin(buffer, info);
}

static VkResult compile_or_fail(VkDevice device, VkPipelineCache cache, uint32_t count,
                                const VkComputePipelineCreateInfo *info,
                                const VkAllocationCallbacks *memory, VkPipeline *out)
{
    return fails(GPU_FAULT_COMPILE) ? VK_ERROR_DEVICE_LOST
                                    : compile(device, cache, count, info, memory, out);
}

// What would never return.
static VkResult count_idle(VkDevice device)
{
    fails(GPU_FAULT_IDLE);
    return idle(device);
}

void gpu_fail(enum gpu_fault fault, int call)
{
    if (!submit) {
        submit = vkQueueSubmit2;
        wait = vkWaitSemaphores;
        allocate = vkAllocateMemory;
        map = vkMapMemory;
        begin = vkBeginCommandBuffer;
        compile = vkCreateComputePipelines;
        idle = vkDeviceWaitIdle;
        vkQueueSubmit2 = submit_or_fail;
        vkWaitSemaphores = wait_or_fail;
        vkAllocateMemory = allocate_or_fail;
        vkMapMemory = map_or_fail;
        vkBeginCommandBuffer = begin_or_fail;
        vkCreateComputePipelines = compile_or_fail;
        vkDeviceWaitIdle = count_idle;
    }
    chosen = fault;
    left = call;
    calls = 0;
}

int gpu_fault_calls(void)
{
    return calls;
}
