// Kept results; see tested.h. One file for each, named by a hash of what it holds for. Its text is
// that name, the result, what was wrong, and a hash of these.

#include "vulkan/tested.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "core/fs.h"
#include "vulkan/kernel.h"

#define DAY         (24 * 60 * 60)
#define DAYS_PASSED 30
#define DAYS_WRONG  1
#define ENDING      ".txt"

enum { PATH = 4096, TEXT = 512 };

static const char *const words[] = {[KSR_GPU_PASSED] = "passed", [KSR_GPU_WRONG] = "wrong"};

// --- What a result holds for ---

static void add_text(ksr_hasher *hasher, const char *text)
{
    ksr_hasher_add(hasher, text, strlen(text) + 1);
}

static void add_gpu(ksr_hasher *hasher, const struct ksr_gpu *gpu)
{
    VkPhysicalDeviceDriverProperties driver = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES};
    VkPhysicalDeviceIDProperties id = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES,
                                       .pNext = &driver};
    VkPhysicalDeviceProperties2 p = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
                                     .pNext = &id};
    vkGetPhysicalDeviceProperties2(gpu->physical, &p);
    const uint32_t numbers[] = {p.properties.vendorID, p.properties.deviceID,
                                p.properties.driverVersion, p.properties.apiVersion,
                                (uint32_t)driver.driverID};
    ksr_hasher_add(hasher, numbers, sizeof(numbers));
    ksr_hasher_add(hasher, id.deviceUUID, sizeof(id.deviceUUID));
    ksr_hasher_add(hasher, id.driverUUID, sizeof(id.driverUUID));
    ksr_hasher_add(hasher, p.properties.pipelineCacheUUID, sizeof(p.properties.pipelineCacheUUID));
    add_text(hasher, p.properties.deviceName);
    add_text(hasher, driver.driverName);
    add_text(hasher, driver.driverInfo);
}

static bool make_key(const struct ksr_gpu *gpu, const char *test, char key[KSR_HASH_TEXT])
{
    ksr_hasher *hasher = ksr_hasher_create();
    if (!hasher)
        return false;
    add_text(hasher, ksr_version());
    add_text(hasher, test);
    for (const struct ksr_gpu_shader *s = ksr_gpu_shaders; s->name; s++)
        ksr_hasher_add(hasher, s->code, s->bytes);
    add_gpu(hasher, gpu);
    ksr_hasher_text(hasher, key);
    ksr_hasher_destroy(&hasher);
    return true;
}

// --- Files ---

// Writes the path of the user's cache folder (levels 0), of ours in it (1), or of the results' (2).
// Returns false where the environment names none.
static bool folder_path(char path[PATH], int levels)
{
    static const char *const parts[] = {"", "/kizunasr", "/kizunasr/gpu-tests"};
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int length = 0;
    if (cache && ksr_fs_is_absolute(cache))
        length = snprintf(path, PATH, "%s%s", cache, parts[levels]);
    else if (home && ksr_fs_is_absolute(home))
        length = snprintf(path, PATH, "%s/.cache%s", home, parts[levels]);
    return length > 0 && length < PATH - KSR_HASH_TEXT - (int)sizeof(ENDING);
}

static bool file_path(char path[PATH], const char *key)
{
    if (!folder_path(path, 2))
        return false;
    const size_t length = strlen(path);
    snprintf(path + length, PATH - length, "/%s" ENDING, key);
    return true;
}

// Writes all of a file's text; returns its length.
static size_t make_text(char text[TEXT], const char *key, enum ksr_gpu_result result,
                        const char *trouble)
{
    char hash[KSR_HASH_TEXT];
    int length = snprintf(text, TEXT, "%s\n%s\n%s\n", key, words[result],
                          result == KSR_GPU_WRONG ? trouble : "");
    ksr_hash_text(text, (size_t)length, hash);
    length += snprintf(text + length, TEXT - (size_t)length, "%s\n", hash);
    return (size_t)length;
}

// Returns the seconds since a file was written; negative: in the future, or it cannot be used.
static double age_of(const char *path)
{
    struct stat file;
    struct timespec now; // time() may be behind the times of files
    if (stat(path, &file) != 0 || !S_ISREG(file.st_mode) || file.st_size >= TEXT)
        return -1;
    clock_gettime(CLOCK_REALTIME, &now);
    return difftime(now.tv_sec, file.st_mtime);
}

// Returns the result in a file's text if it is what make_text() writes.
static enum ksr_gpu_result read_text(const char *text, size_t size, const char *key,
                                     char trouble[KSR_GPU_REASON])
{
    char expected[TEXT];
    trouble[0] = 0;
    if (size == make_text(expected, key, KSR_GPU_PASSED, "") && memcmp(text, expected, size) == 0)
        return KSR_GPU_PASSED;
    const size_t start = KSR_HASH_TEXT + strlen(words[KSR_GPU_WRONG]) + 1;
    if (size <= start)
        return KSR_GPU_UNTESTED;
    const size_t length = strcspn(text + start, "\n");
    snprintf(trouble, KSR_GPU_REASON, "%.*s", (int)length, text + start);
    return size == make_text(expected, key, KSR_GPU_WRONG, trouble) &&
                   memcmp(text, expected, size) == 0
               ? KSR_GPU_WRONG
               : KSR_GPU_UNTESTED;
}

enum ksr_gpu_result ksr_gpu_recall(struct ksr_gpu *gpu, const char *test)
{
    char key[KSR_HASH_TEXT], path[PATH], trouble[KSR_GPU_REASON], *text = NULL;
    enum ksr_gpu_result result = KSR_GPU_UNTESTED;
    size_t size;
    if (!gpu->keeps_results || !make_key(gpu, test, key) || !file_path(path, key))
        return result;
    const double age = age_of(path);
    if (age >= 0 && age < (double)DAYS_PASSED * DAY &&
        ksr_fs_read_file(NULL, path, &text, &size) == KSR_OK)
        result = read_text(text, size, key, trouble);
    free(text);
    if (result == KSR_GPU_WRONG && age >= (double)DAYS_WRONG * DAY)
        return KSR_GPU_UNTESTED;
    if (result == KSR_GPU_WRONG)
        memcpy(gpu->trouble, trouble, KSR_GPU_REASON);
    return result;
}

void ksr_gpu_keep(const struct ksr_gpu *gpu, const char *test, enum ksr_gpu_result result)
{
    char key[KSR_HASH_TEXT], path[PATH], text[TEXT];
    if (!gpu->keeps_results || !make_key(gpu, test, key))
        return;
    for (int levels = 0; levels < 3; levels++)
        if (!folder_path(path, levels) || ksr_fs_make_folder(NULL, path) != KSR_OK)
            return;
    const size_t size = make_text(text, key, result, gpu->trouble);
    if (file_path(path, key) && ksr_fs_write_file(NULL, path, text, size) != KSR_OK)
        return; // it is tested again
}

static bool is_ours(const char *name)
{
    return strspn(name, "0123456789abcdef") == KSR_HASH_TEXT - 1 &&
           strncmp(name + KSR_HASH_TEXT - 1, ENDING, strlen(ENDING)) == 0; // temporary ones, too
}

void ksr_gpu_forget_results(void)
{
    char path[PATH];
    if (folder_path(path, 2) && ksr_fs_remove_folder(NULL, path, is_ours) != KSR_OK)
        return; // results that stay grow old
}
