// Calls of Vulkan that fail, as drivers fail, and calls that come too early: in place of the
// loader's functions, which volk keeps in variables.

#include "gpu.h"

#include <stdlib.h>

// --- Calls that come too early ---

#define LISTS 8192
#define WAITS 4

// The last submission of a part of a list of commands.
struct list {
    VkCommandBuffer buffer;
    VkSemaphoreSubmitInfo signal, wait[WAITS];
    uint32_t waits;
    bool pending; // nobody knows yet that it is done
};

static struct list lists[LISTS];
static int early;

// A submission is known to be done once it, or a later one of its queue, was waited for, or one
// that waits for it.
static void note_done(VkSemaphore timeline, uint64_t number)
{
    for (int i = 0; i < LISTS; i++) {
        struct list *l = &lists[i];
        if (!l->pending || l->signal.semaphore != timeline || l->signal.value > number)
            continue;
        l->pending = false;
        for (uint32_t k = 0; k < l->waits; k++)
            note_done(l->wait[k].semaphore, l->wait[k].value);
    }
}

// Returns the entry of a list, or one that is free.
static struct list *find_list(VkCommandBuffer buffer)
{
    struct list *found = NULL;
    for (int i = 0; i < LISTS && !(found && found->buffer == buffer); i++)
        if (lists[i].buffer == buffer || (!found && !lists[i].pending))
            found = &lists[i];
    if (!found)
        abort();
    return found;
}

static void note_submission(const VkSubmitInfo2 *info)
{
    for (uint32_t i = 0; i < info->commandBufferInfoCount; i++) {
        const VkCommandBuffer buffer = info->pCommandBufferInfos[i].commandBuffer;
        struct list *l = find_list(buffer);
        *l = (struct list){.buffer = buffer,
                           .signal = info->pSignalSemaphoreInfos[0],
                           .waits = info->waitSemaphoreInfoCount,
                           .pending = true};
        for (uint32_t k = 0; k < l->waits && k < WAITS; k++)
            l->wait[k] = info->pWaitSemaphoreInfos[k];
    }
}

int gpu_begun_early(void)
{
    return early;
}

// --- Calls that fail ---

#define SLOW_WAITS 100 // that end without an answer: many more than may where nothing is done

static enum gpu_fault chosen;
static int left, calls; // until one fails; since then

static bool hung;       // none of the work is done any more
static int slow_waits;  // still to come
static uint64_t slowly; // work that was done during them

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
static PFN_vkGetSemaphoreCounterValue count_done;
static PFN_vkAllocateMemory allocate;
static PFN_vkMapMemory map;
static PFN_vkBeginCommandBuffer begin;
static PFN_vkCreateComputePipelines compile;
static PFN_vkDeviceWaitIdle idle;

static VkResult submit_or_fail(VkQueue queue, uint32_t count, const VkSubmitInfo2 *info,
                               VkFence fence)
{
    const VkResult result =
        fails(GPU_FAULT_SUBMIT) ? VK_ERROR_DEVICE_LOST : submit(queue, count, info, fence);
    for (uint32_t i = 0; i < count && result == VK_SUCCESS; i++)
        note_submission(&info[i]);
    return result;
}

// Nothing runs any more on a GPU that is lost. On one that hangs, what runs goes on.
static VkResult wait_or_fail(VkDevice device, const VkSemaphoreWaitInfo *info, uint64_t timeout)
{
    hung |= fails(GPU_FAULT_HANG);
    slow_waits = fails(GPU_FAULT_SLOW) ? SLOW_WAITS : slow_waits;
    if (hung)
        return VK_TIMEOUT;
    if (slow_waits > 0) {
        slow_waits--;
        slowly++;
        return VK_TIMEOUT;
    }
    const VkResult result = wait(device, info, timeout);
    for (uint32_t i = 0; i < info->semaphoreCount && result == VK_SUCCESS; i++)
        note_done(info->pSemaphores[i], info->pValues[i]);
    return fails(GPU_FAULT_WAIT) ? VK_ERROR_DEVICE_LOST : result;
}

static VkResult count_done_or_not(VkDevice device, VkSemaphore timeline, uint64_t *out)
{
    const VkResult result = count_done(device, timeline, out);
    *out = hung ? 1 : *out + slowly;
    return result;
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
    early += find_list(buffer)->buffer == buffer && find_list(buffer)->pending;
    return fails(GPU_FAULT_RECORD) ? VK_ERROR_OUT_OF_HOST_MEMORY : begin(buffer, info);
}

static VkResult compile_or_fail(VkDevice device, VkPipelineCache cache, uint32_t count,
                                const VkComputePipelineCreateInfo *info,
                                const VkAllocationCallbacks *memory, VkPipeline *out)
{
    return fails(GPU_FAULT_COMPILE) ? VK_ERROR_DEVICE_LOST
                                    : compile(device, cache, count, info, memory, out);
}

// What would never return on a GPU that hangs.
static VkResult count_idle(VkDevice device)
{
    fails(GPU_FAULT_IDLE);
    for (int i = 0; i < LISTS; i++)
        lists[i].pending = false;
    return idle(device);
}

void gpu_fail(enum gpu_fault fault, int call)
{
    if (!submit) {
        submit = vkQueueSubmit2;
        wait = vkWaitSemaphores;
        count_done = vkGetSemaphoreCounterValue;
        allocate = vkAllocateMemory;
        map = vkMapMemory;
        begin = vkBeginCommandBuffer;
        compile = vkCreateComputePipelines;
        idle = vkDeviceWaitIdle;
        vkQueueSubmit2 = submit_or_fail;
        vkWaitSemaphores = wait_or_fail;
        vkGetSemaphoreCounterValue = count_done_or_not;
        vkAllocateMemory = allocate_or_fail;
        vkMapMemory = map_or_fail;
        vkBeginCommandBuffer = begin_or_fail;
        vkCreateComputePipelines = compile_or_fail;
        vkDeviceWaitIdle = count_idle;
    }
    hung = false;
    slow_waits = 0;
    chosen = fault;
    left = call;
    calls = 0;
    early = 0;
}

int gpu_fault_calls(void)
{
    return calls;
}
