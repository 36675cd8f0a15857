// Choosing and opening a GPU; see device.h.

#define VOLK_IMPLEMENTATION
#include "vulkan/device.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vulkan/matrix.h"

#define PUSH_BYTES 128 // of parameters of a kernel; every GPU has as many
#define SHAPES_ALL 64  // listed by a driver, of all types

// Few enough for the slowest GPUs, by an estimate: a workgroup of a wide network multiplies 10^7
// times, and a GPU of an old laptop does 10^10 in a second.
#define FIRST_GROUPS 512
#define MOST_SECONDS 0.25

// --- Failures ---

static const char *result_name(VkResult result)
{
    switch (result) {
    case VK_ERROR_OUT_OF_HOST_MEMORY: return "out of memory";
    case VK_ERROR_OUT_OF_DEVICE_MEMORY: return "out of GPU memory";
    case VK_ERROR_DEVICE_LOST: return "the GPU was lost";
    case VK_ERROR_INCOMPATIBLE_DRIVER: return "no driver";
    case VK_TIMEOUT: return "it does not answer";
    default: return NULL;
    }
}

static ksr_status explain(char reason[KSR_GPU_REASON], VkResult result, const char *what)
{
    if (result == VK_SUCCESS)
        return KSR_OK;
    const char *name = result_name(result);
    if (name)
        snprintf(reason, KSR_GPU_REASON, "cannot %s: %s", what, name);
    else
        snprintf(reason, KSR_GPU_REASON, "cannot %s: Vulkan error %d", what, (int)result);
    const bool memory =
        result == VK_ERROR_OUT_OF_HOST_MEMORY || result == VK_ERROR_OUT_OF_DEVICE_MEMORY;
    return memory ? KSR_E_NOMEM : KSR_E_PROCESS;
}

ksr_status ksr_gpu_check(struct ksr_gpu *gpu, VkResult result, const char *what)
{
    return explain(gpu->trouble, result, what);
}

// --- The instance ---

// One for the whole process, never destroyed: volk keeps the loader's functions in variables of the
// process, and drivers do not expect to be unloaded.
static VkInstance instance;
static pthread_mutex_t instance_mutex = PTHREAD_MUTEX_INITIALIZER;

static void create_instance(char reason[KSR_GPU_REASON])
{
    if (volkInitialize() != VK_SUCCESS) {
        snprintf(reason, KSR_GPU_REASON, "no Vulkan loader (libvulkan.so.1) is installed");
        return;
    }
    const VkApplicationInfo application = {.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                           .pApplicationName = "KizunaSR",
                                           .apiVersion = VK_API_VERSION_1_3};
    const VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                       .pApplicationInfo = &application};
    VkInstance created;
    if (explain(reason, vkCreateInstance(&info, NULL, &created), "start Vulkan") != KSR_OK)
        return;
    volkLoadInstance(created);
    instance = created;
}

// Returns whether there is an instance, and if not, why.
static bool start_vulkan(char reason[KSR_GPU_REASON])
{
    pthread_mutex_lock(&instance_mutex);
    if (!instance)
        create_instance(reason);
    pthread_mutex_unlock(&instance_mutex);
    return instance != NULL;
}

bool ksr_gpu_may_exist(void)
{
#ifdef __linux__
    static const char *const files[] = {"/dev/dri", "/dev/nvidiactl", "/dev/dxg", "/dev/kgsl-3d0",
                                        "/dev/mali0"};
    static const char *const variables[] = {"VK_DRIVER_FILES", "VK_ICD_FILENAMES",
                                            "VK_ADD_DRIVER_FILES"};
    bool found = false;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        found |= access(files[i], F_OK) == 0;
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
        found |= getenv(variables[i]) != NULL;
    return found;
#else
    return true;
#endif
}

// --- What GPUs offer ---

// All that is asked of a GPU, in one chain.
struct features {
    VkPhysicalDeviceFeatures2 all;
    VkPhysicalDeviceVulkan11Features v11;
    VkPhysicalDeviceVulkan12Features v12;
    VkPhysicalDeviceVulkan13Features v13;
    VkPhysicalDeviceCooperativeMatrixFeaturesKHR matrix;
};

static void chain_features(struct features *f, bool matrix)
{
    memset(f, 0, sizeof(*f));
    f->all.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
    f->v11.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES;
    f->v12.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES;
    f->v13.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES;
    f->matrix.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR;
    f->all.pNext = &f->v11;
    f->v11.pNext = &f->v12;
    f->v12.pNext = &f->v13;
    f->v13.pNext = matrix ? &f->matrix : NULL;
}

// Names a feature that kernels need, Vulkan 1.3 does not promise and the GPU lacks, or returns
// NULL.
static const char *missing_feature(const struct features *f)
{
    return !f->all.features.shaderInt64       ? "64-bit integers"
           : !f->all.features.shaderInt16     ? "16-bit integers"
           : !f->v12.shaderInt8               ? "8-bit integers"
           : !f->v11.storageBuffer16BitAccess ? "16-bit storage"
           : !f->v12.storageBuffer8BitAccess  ? "8-bit storage"
                                              : NULL;
}

// Leaves only the features that kernels use.
static void choose_features(struct features *f)
{
    const bool matrix = f->matrix.cooperativeMatrix && f->v13.computeFullSubgroups;
    chain_features(f, matrix);
    f->all.features.shaderInt64 = VK_TRUE;
    f->all.features.shaderInt16 = VK_TRUE;
    f->v11.storageBuffer16BitAccess = VK_TRUE;
    f->v12.storageBuffer8BitAccess = VK_TRUE;
    f->v12.shaderInt8 = VK_TRUE;
    f->v12.bufferDeviceAddress = VK_TRUE;
    f->v12.timelineSemaphore = VK_TRUE;
    f->v12.hostQueryReset = VK_TRUE; // queues that only copy cannot reset
    f->v12.vulkanMemoryModel = VK_TRUE;
    f->v12.vulkanMemoryModelDeviceScope = VK_TRUE;
    f->v13.synchronization2 = VK_TRUE;
    f->v13.maintenance4 = VK_TRUE; // sizes of workgroups as specialization constants
    f->v13.subgroupSizeControl = VK_TRUE;
    f->v13.computeFullSubgroups = matrix;
    f->v13.shaderIntegerDotProduct = VK_TRUE;
    f->matrix.cooperativeMatrix = matrix;
}

static bool has_extension(VkPhysicalDevice physical, const char *name)
{
    uint32_t count = 0;
    if (vkEnumerateDeviceExtensionProperties(physical, NULL, &count, NULL) != VK_SUCCESS)
        return false;
    VkExtensionProperties *list = calloc(count ? count : 1, sizeof(list[0]));
    bool found = false;
    if (list && vkEnumerateDeviceExtensionProperties(physical, NULL, &count, list) == VK_SUCCESS)
        for (uint32_t i = 0; i < count; i++)
            found |= strcmp(list[i].extensionName, name) == 0;
    free(list);
    return found;
}

static bool has_matrices(VkPhysicalDevice physical)
{
    return has_extension(physical, VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME);
}

static uint64_t local_memory(const VkPhysicalDeviceMemoryProperties *memory)
{
    uint64_t most = 0;
    for (uint32_t i = 0; i < memory->memoryHeapCount; i++)
        if (memory->memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT &&
            memory->memoryHeaps[i].size > most)
            most = memory->memoryHeaps[i].size;
    return most;
}

static void describe(struct ksr_gpu_info *info, VkPhysicalDevice physical)
{
    VkPhysicalDeviceDriverProperties driver = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES};
    VkPhysicalDeviceProperties2 p = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
                                     .pNext = &driver};
    VkPhysicalDeviceMemoryProperties memory;
    struct features features;
    memset(info, 0, sizeof(*info));
    vkGetPhysicalDeviceMemoryProperties(physical, &memory);
    vkGetPhysicalDeviceProperties2(physical, &p);
    snprintf(info->name, sizeof(info->name), "%s", p.properties.deviceName);
    snprintf(info->driver, sizeof(info->driver), "%.100s %.100s", driver.driverName,
             driver.driverInfo);
    info->memory = local_memory(&memory);
    info->software = p.properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU;
    info->discrete = p.properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU;
    if (p.properties.apiVersion < VK_API_VERSION_1_3) {
        snprintf(info->refused, sizeof(info->refused), "its driver has Vulkan %u.%u, not 1.3",
                 VK_API_VERSION_MAJOR(p.properties.apiVersion),
                 VK_API_VERSION_MINOR(p.properties.apiVersion));
        return;
    }
    chain_features(&features, false);
    vkGetPhysicalDeviceFeatures2(physical, &features.all);
    const char *missing = missing_feature(&features);
    if (missing)
        snprintf(info->refused, sizeof(info->refused), "it lacks %s", missing);
}

// Fills the list of GPUs; returns how many.
static int enumerate(VkPhysicalDevice physical[KSR_GPU_MOST],
                     struct ksr_gpu_info list[KSR_GPU_MOST], char reason[KSR_GPU_REASON])
{
    uint32_t count = KSR_GPU_MOST;
    const VkResult result = vkEnumeratePhysicalDevices(instance, &count, physical);
    if (result != VK_INCOMPLETE && explain(reason, result, "list GPUs") != KSR_OK)
        return 0;
    for (uint32_t i = 0; i < count; i++)
        describe(&list[i], physical[i]);
    if (count == 0)
        snprintf(reason, KSR_GPU_REASON, "no GPU with a Vulkan driver");
    return (int)count;
}

int ksr_gpu_list(struct ksr_gpu_info list[KSR_GPU_MOST], char reason[KSR_GPU_REASON])
{
    VkPhysicalDevice physical[KSR_GPU_MOST];
    return start_vulkan(reason) ? enumerate(physical, list, reason) : 0;
}

static bool is_faster(const struct ksr_gpu_info *a, const struct ksr_gpu_info *b)
{
    return a->discrete != b->discrete ? a->discrete : a->memory > b->memory;
}

int ksr_gpu_rank(const struct ksr_gpu_info *list, int count, int order[KSR_GPU_MOST],
                 char reason[KSR_GPU_REASON])
{
    int found = 0;
    for (int i = 0; i < count; i++) {
        if (list[i].software || list[i].refused[0])
            continue;
        int at = found++;
        for (; at > 0 && is_faster(&list[i], &list[order[at - 1]]); at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    if (count > 0 && found == 0)
        snprintf(reason, KSR_GPU_REASON, "no usable GPU (of %d: %.60s: %s)", count, list[0].name,
                 list[0].software ? "a software device, used only if named" : list[0].refused);
    return found;
}

// --- Opening one ---

static ksr_status choose(struct ksr_gpu *gpu, int index, char reason[KSR_GPU_REASON])
{
    VkPhysicalDevice physical[KSR_GPU_MOST];
    struct ksr_gpu_info list[KSR_GPU_MOST];
    const int count = enumerate(physical, list, reason);
    int order[KSR_GPU_MOST];
    if (count > 0 && index == KSR_GPU_FASTEST && ksr_gpu_rank(list, count, order, reason) > 0)
        index = order[0];
    if (count > 0 && index >= count)
        snprintf(reason, KSR_GPU_REASON, "there is no GPU %d ('kizunasr devices' lists them)",
                 index);
    else if (index >= 0 && count > 0 && list[index].refused[0])
        snprintf(reason, KSR_GPU_REASON, "%.80s: %.120s", list[index].name, list[index].refused);
    if (index < 0 || index >= count || list[index].refused[0])
        return KSR_E_PROCESS;
    gpu->physical = physical[index];
    gpu->info = list[index];
    gpu->index = index;
    return KSR_OK;
}

static void find_limits(struct ksr_gpu *gpu)
{
    VkPhysicalDeviceVulkan13Properties v13 = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_PROPERTIES};
    VkPhysicalDeviceVulkan11Properties v11 = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES, .pNext = &v13};
    VkPhysicalDeviceProperties2 p = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
                                     .pNext = &v11};
    vkGetPhysicalDeviceProperties2(gpu->physical, &p);
    vkGetPhysicalDeviceMemoryProperties(gpu->physical, &gpu->memory);
    gpu->memory_limit = gpu->info.memory / 10 * 9;
    gpu->buffer_limit = v11.maxMemoryAllocationSize < v13.maxBufferSize
                            ? v11.maxMemoryAllocationSize
                            : v13.maxBufferSize;
    gpu->shared_bytes = (int)p.properties.limits.maxComputeSharedMemorySize;
    gpu->subgroup = (int)v11.subgroupSize;
    gpu->least_subgroup = (int)v13.minSubgroupSize;
    gpu->most_subgroup = (int)v13.maxSubgroupSize;
    gpu->tick = (double)p.properties.limits.timestampPeriod;
    gpu->most_seconds = MOST_SECONDS;
    gpu->first_groups = FIRST_GROUPS;
    gpu->dot_product = v13.integerDotProduct4x8BitPackedSignedAccelerated;
}

static void find_shapes(struct ksr_gpu *gpu)
{
    VkCooperativeMatrixPropertiesKHR list[SHAPES_ALL];
    uint32_t count = SHAPES_ALL;
    const PFN_vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR get =
        (PFN_vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR)vkGetInstanceProcAddr(
            instance, "vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR");
    memset(list, 0, sizeof(list));
    for (int i = 0; i < SHAPES_ALL; i++)
        list[i].sType = VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_KHR;
    if (!get || get(gpu->physical, &count, list) < 0)
        return;
    for (uint32_t i = 0; i < count && gpu->shape_count < KSR_GPU_SHAPES; i++) {
        const VkCooperativeMatrixPropertiesKHR *m = &list[i];
        if (m->AType == VK_COMPONENT_TYPE_SINT8_KHR && m->BType == VK_COMPONENT_TYPE_SINT8_KHR &&
            m->CType == VK_COMPONENT_TYPE_SINT32_KHR &&
            m->ResultType == VK_COMPONENT_TYPE_SINT32_KHR && !m->saturatingAccumulation &&
            m->scope == VK_SCOPE_SUBGROUP_KHR)
            gpu->shapes[gpu->shape_count++] =
                (struct ksr_gpu_shape){(int)m->MSize, (int)m->NSize, (int)m->KSize};
    }
}

struct family {
    uint32_t index, queues; // how many of its queues are used
    uint64_t clock;         // see struct ksr_gpu_queue
};

// The queue families to work and to copy with; returns false if none computes. Copies go best
// through a family that can do nothing else.
static bool find_families(VkPhysicalDevice physical, struct family *compute, struct family *copy)
{
    VkQueueFamilyProperties list[16];
    uint32_t count = 16;
    *compute = *copy = (struct family){0};
    vkGetPhysicalDeviceQueueFamilyProperties(physical, &count, list);
    for (uint32_t i = 0; i < count; i++) {
        const VkQueueFlags flags = list[i].queueFlags;
        const bool computes = flags & VK_QUEUE_COMPUTE_BIT;
        const uint32_t bits = list[i].timestampValidBits;
        const uint64_t clock = bits > 0 ? ~UINT64_C(0) >> (64 - bits) : 0;
        if (computes && compute->queues == 0)
            *compute = (struct family){i, 1, clock};
        if (flags & VK_QUEUE_TRANSFER_BIT && !computes && !(flags & VK_QUEUE_GRAPHICS_BIT) &&
            copy->queues == 0)
            *copy = (struct family){i, list[i].queueCount < 2 ? list[i].queueCount : 2, clock};
    }
    return compute->queues > 0;
}

static ksr_status create_device(struct ksr_gpu *gpu)
{
    struct family compute, copy;
    struct features features;
    const bool matrix = has_matrices(gpu->physical);
    if (!find_families(gpu->physical, &compute, &copy))
        return ksr_gpu_check(gpu, VK_ERROR_INITIALIZATION_FAILED, "find a queue");
    chain_features(&features, matrix);
    vkGetPhysicalDeviceFeatures2(gpu->physical, &features.all);
    choose_features(&features);
    if (features.matrix.cooperativeMatrix)
        find_shapes(gpu);
    static const float priority[2] = {1, 1};
    static const char *const extension = VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME;
    const VkDeviceQueueCreateInfo queues[2] = {{.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                                .queueFamilyIndex = compute.index,
                                                .queueCount = 1,
                                                .pQueuePriorities = priority},
                                               {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                                .queueFamilyIndex = copy.index,
                                                .queueCount = copy.queues,
                                                .pQueuePriorities = priority}};
    const VkDeviceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                                     .pNext = &features.all,
                                     .queueCreateInfoCount = copy.queues > 0 ? 2 : 1,
                                     .pQueueCreateInfos = queues,
                                     .enabledExtensionCount = features.matrix.cooperativeMatrix,
                                     .ppEnabledExtensionNames = &extension};
    const VkResult result = vkCreateDevice(gpu->physical, &info, NULL, &gpu->device);
    gpu->queue_count = 1 + (int)copy.queues;
    for (int i = 0; result == VK_SUCCESS && i < gpu->queue_count; i++) {
        const struct family *family = i == 0 ? &compute : &copy;
        gpu->queues[i].family = family->index;
        gpu->queues[i].clock = family->clock;
        vkGetDeviceQueue(gpu->device, family->index, i == 2, &gpu->queues[i].queue);
    }
    gpu->compute = &gpu->queues[0];
    gpu->upload = &gpu->queues[copy.queues > 0];
    gpu->download = &gpu->queues[copy.queues];
    return ksr_gpu_check(gpu, result, "open the GPU");
}

static ksr_status create_timelines(struct ksr_gpu *gpu)
{
    const VkSemaphoreTypeCreateInfo type = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
                                            .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE};
    const VkSemaphoreCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
                                        .pNext = &type};
    VkResult result = VK_SUCCESS;
    for (int i = 0; i < gpu->queue_count && result == VK_SUCCESS; i++)
        result = vkCreateSemaphore(gpu->device, &info, NULL, &gpu->queues[i].timeline);
    return ksr_gpu_check(gpu, result, "make a semaphore");
}

static ksr_status create_layout(struct ksr_gpu *gpu)
{
    const VkPushConstantRange range = {VK_SHADER_STAGE_COMPUTE_BIT, 0, PUSH_BYTES};
    const VkPipelineLayoutCreateInfo info = {.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
                                             .pushConstantRangeCount = 1,
                                             .pPushConstantRanges = &range};
    return ksr_gpu_check(gpu, vkCreatePipelineLayout(gpu->device, &info, NULL, &gpu->layout),
                         "describe kernels");
}

ksr_status ksr_gpu_open(struct ksr_gpu **out, int index, char reason[KSR_GPU_REASON])
{
    *out = NULL;
    struct ksr_gpu *gpu = calloc(1, sizeof(*gpu));
    if (!gpu)
        return explain(reason, VK_ERROR_OUT_OF_HOST_MEMORY, "open a GPU");
    ksr_status status = start_vulkan(reason) ? choose(gpu, index, reason) : KSR_E_PROCESS;
    if (status == KSR_OK) {
        find_limits(gpu);
        status = create_device(gpu);
        status = status == KSR_OK ? create_timelines(gpu) : status;
        status = status == KSR_OK ? create_layout(gpu) : status;
        if (status != KSR_OK)
            memcpy(reason, gpu->trouble, KSR_GPU_REASON);
    }
    if (status == KSR_OK)
        *out = gpu;
    else
        ksr_gpu_close(&gpu);
    return status;
}

void ksr_gpu_close(struct ksr_gpu **pointer)
{
    if (!pointer || !*pointer)
        return;
    struct ksr_gpu *gpu = *pointer;
    *pointer = NULL;
    if (gpu->hangs)
        return;
    if (gpu->device) {
        vkDeviceWaitIdle(gpu->device);
        for (int i = 0; i < gpu->queue_count; i++)
            vkDestroySemaphore(gpu->device, gpu->queues[i].timeline, NULL);
        vkDestroyPipelineLayout(gpu->device, gpu->layout, NULL);
        vkDestroyDevice(gpu->device, NULL);
    }
    free(gpu);
}
