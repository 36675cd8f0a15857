// Buffers; see memory.h.

#include "vulkan/memory.h"

#include <string.h>

// Returns the first type of memory among `types` with all of `flags`, or -1.
static int find_type(const struct ksr_gpu *gpu, uint32_t types, VkMemoryPropertyFlags flags)
{
    for (uint32_t i = 0; i < gpu->memory.memoryTypeCount; i++)
        if (types >> i & 1 && (gpu->memory.memoryTypes[i].propertyFlags & flags) == flags)
            return (int)i;
    return -1;
}

// Memory that is read should be cached, and memory that is written once need not be.
static int choose_type(const struct ksr_gpu *gpu, uint32_t types, enum ksr_gpu_place place)
{
    const VkMemoryPropertyFlags mapped =
        VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    const int local = find_type(gpu, types, VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT);
    const int cached = find_type(gpu, types, mapped | VK_MEMORY_PROPERTY_HOST_CACHED_BIT);
    if (place == KSR_GPU_LOCAL)
        return local;
    return place == KSR_GPU_DOWNLOAD && cached >= 0 ? cached : find_type(gpu, types, mapped);
}

static VkResult create_buffer(struct ksr_gpu *gpu, struct ksr_gpu_buffer *b)
{
    uint32_t families[3];
    uint32_t count = 0;
    for (int i = 0; i < gpu->queue_count; i++)
        if (count == 0 || families[count - 1] != gpu->queues[i].family)
            families[count++] = gpu->queues[i].family;
    const VkBufferCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
        .size = b->size,
        .usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
                 VK_BUFFER_USAGE_TRANSFER_DST_BIT | VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT,
        .sharingMode = count > 1 ? VK_SHARING_MODE_CONCURRENT : VK_SHARING_MODE_EXCLUSIVE,
        .queueFamilyIndexCount = count,
        .pQueueFamilyIndices = families};
    return vkCreateBuffer(gpu->device, &info, NULL, &b->buffer);
}

static VkResult allocate(struct ksr_gpu *gpu, struct ksr_gpu_buffer *b, enum ksr_gpu_place place)
{
    VkMemoryRequirements needs;
    vkGetBufferMemoryRequirements(gpu->device, b->buffer, &needs);
    const int type = choose_type(gpu, needs.memoryTypeBits, place);
    if (type < 0)
        return VK_ERROR_OUT_OF_DEVICE_MEMORY;
    const VkMemoryAllocateFlagsInfo flags = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO,
                                             .flags = VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT};
    const VkMemoryAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                       .pNext = &flags,
                                       .allocationSize = needs.size,
                                       .memoryTypeIndex = (uint32_t)type};
    VkResult result = vkAllocateMemory(gpu->device, &info, NULL, &b->memory);
    if (result == VK_SUCCESS)
        result = vkBindBufferMemory(gpu->device, b->buffer, b->memory, 0);
    if (result == VK_SUCCESS && place != KSR_GPU_LOCAL)
        result = vkMapMemory(gpu->device, b->memory, 0, VK_WHOLE_SIZE, 0, &b->map);
    return result;
}

ksr_status ksr_gpu_buffer_create(struct ksr_gpu *gpu, struct ksr_gpu_buffer *out,
                                 enum ksr_gpu_place place, size_t size)
{
    struct ksr_gpu_buffer b = {.size = size};
    memset(out, 0, sizeof(*out));
    const bool fits = size <= gpu->buffer_limit &&
                      (place != KSR_GPU_LOCAL || size <= gpu->memory_limit - gpu->memory_used);
    VkResult result = fits ? create_buffer(gpu, &b) : VK_ERROR_OUT_OF_DEVICE_MEMORY;
    if (result == VK_SUCCESS)
        result = allocate(gpu, &b, place);
    if (result != VK_SUCCESS) {
        ksr_gpu_buffer_free(gpu, &b);
        return ksr_gpu_check(gpu, result, "allocate a buffer");
    }
    const VkBufferDeviceAddressInfo info = {.sType = VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_INFO,
                                            .buffer = b.buffer};
    b.address = vkGetBufferDeviceAddress(gpu->device, &info);
    b.local = place == KSR_GPU_LOCAL;
    gpu->memory_used += b.local ? size : 0;
    *out = b;
    return KSR_OK;
}

void ksr_gpu_buffer_free(struct ksr_gpu *gpu, struct ksr_gpu_buffer *buffer)
{
    if (gpu->hangs)
        return;
    vkDestroyBuffer(gpu->device, buffer->buffer, NULL);
    vkFreeMemory(gpu->device, buffer->memory, NULL);
    gpu->memory_used -= buffer->local ? buffer->size : 0;
    memset(buffer, 0, sizeof(*buffer));
}
