// A Vulkan layer for tests: Mesa's software device passes for a graphics card, and is slow or lost
// in the middle if wanted.
//
//   KSR_LAYER_DELAY=N  every submission waits for N microseconds
//   KSR_LAYER_LOSE=N   submission N of every device that is opened fails, counted from 1; 0: none
//
// The loader puts it between the program and the driver:
//
//   VK_INSTANCE_LAYERS=VK_LAYER_KSR_test VK_LAYER_PATH=FOLDER_OF_ITS_JSON

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <vulkan/vk_layer.h>
#include <vulkan/vulkan.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT VkResult vkNegotiateLoaderLayerInterfaceVersion(VkNegotiateLayerInterface *version);

// One instance, and every device of one driver: the same functions below.
static PFN_vkGetInstanceProcAddr next_instance;
static PFN_vkGetDeviceProcAddr next_device;
static PFN_vkGetPhysicalDeviceProperties2 next_properties;
static PFN_vkQueueSubmit2 next_submit;
static atomic_int submissions;

static VkResult create_instance(const VkInstanceCreateInfo *info,
                                const VkAllocationCallbacks *memory, VkInstance *instance)
{
    VkLayerInstanceCreateInfo *link = (void *)info->pNext;
    while (link->sType != VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO ||
           link->function != VK_LAYER_LINK_INFO)
        link = (void *)link->pNext;
    next_instance = link->u.pLayerInfo->pfnNextGetInstanceProcAddr;
    link->u.pLayerInfo = link->u.pLayerInfo->pNext;
    const PFN_vkCreateInstance create =
        (PFN_vkCreateInstance)next_instance(NULL, "vkCreateInstance");
    const VkResult result = create(info, memory, instance);
    if (result == VK_SUCCESS)
        next_properties = (PFN_vkGetPhysicalDeviceProperties2)next_instance(
            *instance, "vkGetPhysicalDeviceProperties2");
    return result;
}

static void get_properties(VkPhysicalDevice physical, VkPhysicalDeviceProperties2 *properties)
{
    next_properties(physical, properties);
    properties->properties.deviceType = VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU;
}

static VkResult create_device(VkPhysicalDevice physical, const VkDeviceCreateInfo *info,
                              const VkAllocationCallbacks *memory, VkDevice *device)
{
    VkLayerDeviceCreateInfo *link = (void *)info->pNext;
    while (link->sType != VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO ||
           link->function != VK_LAYER_LINK_INFO)
        link = (void *)link->pNext;
    const PFN_vkGetInstanceProcAddr get = link->u.pLayerInfo->pfnNextGetInstanceProcAddr;
    next_device = link->u.pLayerInfo->pfnNextGetDeviceProcAddr;
    link->u.pLayerInfo = link->u.pLayerInfo->pNext;
    const PFN_vkCreateDevice create = (PFN_vkCreateDevice)get(NULL, "vkCreateDevice");
    const VkResult result = create(physical, info, memory, device);
    if (result == VK_SUCCESS)
        next_submit = (PFN_vkQueueSubmit2)next_device(*device, "vkQueueSubmit2");
    return result;
}

static VkResult submit(VkQueue queue, uint32_t count, const VkSubmitInfo2 *info, VkFence fence)
{
    const char *delay = getenv("KSR_LAYER_DELAY"), *last = getenv("KSR_LAYER_LOSE");
    if (delay)
        usleep((useconds_t)atoi(delay));
    if (last && atomic_fetch_add(&submissions, 1) + 1 == atoi(last))
        return VK_ERROR_DEVICE_LOST;
    return next_submit(queue, count, info, fence);
}

static PFN_vkVoidFunction of_instance(VkInstance instance, const char *name);

static PFN_vkVoidFunction of_device(VkDevice device, const char *name)
{
    if (strcmp(name, "vkQueueSubmit2") == 0)
        return (PFN_vkVoidFunction)submit;
    if (strcmp(name, "vkGetDeviceProcAddr") == 0)
        return (PFN_vkVoidFunction)of_device;
    return next_device(device, name);
}

static PFN_vkVoidFunction of_instance(VkInstance instance, const char *name)
{
    static const struct {
        const char *name;
        PFN_vkVoidFunction function;
    } own[] = {
        {"vkGetInstanceProcAddr", (PFN_vkVoidFunction)of_instance},
        {"vkGetDeviceProcAddr", (PFN_vkVoidFunction)of_device},
        {"vkCreateInstance", (PFN_vkVoidFunction)create_instance},
        {"vkCreateDevice", (PFN_vkVoidFunction)create_device},
        {"vkGetPhysicalDeviceProperties2", (PFN_vkVoidFunction)get_properties},
    };
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        if (strcmp(name, own[i].name) == 0)
            return own[i].function;
    return instance ? next_instance(instance, name) : NULL;
}

VkResult vkNegotiateLoaderLayerInterfaceVersion(VkNegotiateLayerInterface *version)
{
    version->loaderLayerInterfaceVersion = 2;
    version->pfnGetInstanceProcAddr = of_instance;
    version->pfnGetDeviceProcAddr = of_device;
    version->pfnGetPhysicalDeviceProcAddr = NULL;
    return VK_SUCCESS;
}
