// Results of tests that are kept from run to run (vulkan/tested.h): used, forgotten, and ignored
// when they are old, damaged or of something else.

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/fs.h"
#include "gpu.h"
#include "vulkan/net.h"
#include "vulkan/selftest.h"
#include "vulkan/tested.h"

static char cache[] = "/tmp/kizunasr-gpu-XXXXXX";

// Returns the only file of results, or "" if there is another number of them.
static const char *only_file(void)
{
    static char path[256];
    char pattern[128];
    glob_t found;
    snprintf(pattern, sizeof(pattern), "%s/kizunasr/gpu-tests/*", cache);
    const bool one = glob(pattern, 0, NULL, &found) == 0 && found.gl_pathc == 1;
    snprintf(path, sizeof(path), "%s", one ? found.gl_pathv[0] : "");
    globfree(&found);
    return path;
}

static void make_old(const char *path, double days)
{
    const time_t when = time(NULL) - (time_t)(days * 24 * 60 * 60);
    const struct timespec times[2] = {{when, 0}, {when, 0}};
    if (utimensat(AT_FDCWD, path, times, 0) != 0)
        abort();
}

// The test is left out where it has passed, and a GPU is refused where it has not.
static bool check_use(struct ksr_gpu *gpu, const struct ksr_gpu_stages *stages)
{
    struct ksr_gpu_stages broken = *stages;
    broken.kernel[KSR_GPU_LEARNED].pipeline = VK_NULL_HANDLE;
    gpu_fail(GPU_FAULT_SUBMIT, 1);
    bool ok = ksr_gpu_selftest(gpu, stages) == KSR_E_PROCESS && !*only_file();
    ok = ok && ksr_gpu_selftest(gpu, stages) == KSR_OK && *only_file();
    ok = ok && ksr_gpu_selftest(gpu, &broken) == KSR_OK;
    make_old(only_file(), 29);
    ok = ok && ksr_gpu_selftest(gpu, &broken) == KSR_OK;
    make_old(only_file(), 31);
    ok = ok && ksr_gpu_selftest(gpu, &broken) == KSR_E_PROCESS;
    gpu->trouble[0] = 0;
    ok = ok && ksr_gpu_selftest(gpu, stages) == KSR_E_PROCESS && strstr(gpu->trouble, "'learned'");
    make_old(only_file(), 1.1);
    ok = ok && ksr_gpu_selftest(gpu, stages) == KSR_OK;
    make_old(only_file(), -1);
    return ok && ksr_gpu_recall(gpu, "stages") == KSR_GPU_UNTESTED;
}

// The next tier is taken where one is known to be wrong, or cannot be made.
static bool check_network(struct ksr_gpu *gpu)
{
    ksr_net *net = gpu_load_net("anime-fast");
    const bool accelerated = gpu->dot_product;
    bool ok = true;
    gpu->dot_product = true; // so that there are two tiers at least
    const enum ksr_gpu_net_tier best = ksr_gpu_net_best_tier(gpu);
    for (int kept = 0; kept < 2 && ok; kept++) {
        struct ksr_gpu_net on_it;
        char refused[KSR_GPU_REASON], test[128];
        snprintf(test, sizeof(test), "%s %d %s", net->hash, net->variant,
                 ksr_gpu_net_tier_name(best));
        snprintf(gpu->trouble, sizeof(gpu->trouble), "kernel: said before");
        if (kept)
            ksr_gpu_keep(gpu, test, KSR_GPU_WRONG);
        gpu_fail(GPU_FAULT_COMPILE, !kept);
        ok = ksr_gpu_net_choose(gpu, &on_it, net, refused) == KSR_OK && on_it.tier == best - 1 &&
             strstr(refused, kept ? "said before" : "compile kernel net_head");
        ksr_gpu_net_free(gpu, &on_it);
    }
    // What is known of one variant is not known of another, which has the same file's hash.
    struct ksr_gpu_net on_it;
    char refused[KSR_GPU_REASON];
    net->variant++;
    ok = ok && ksr_gpu_net_choose(gpu, &on_it, net, refused) == KSR_OK && on_it.tier == best;
    if (ok)
        ksr_gpu_net_free(gpu, &on_it);
    gpu->dot_product = accelerated;
    ksr_net_destroy(&net);
    return ok;
}

static void write_file(const char *path, const char *text, size_t size)
{
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(text, 1, size, file) != size || fclose(file) != 0)
        abort();
}

// No damaged file is taken for a result.
static bool check_damage(struct ksr_gpu *gpu, enum ksr_gpu_result result)
{
    char path[256], *text, other[1024] = "";
    size_t size;
    ksr_gpu_forget_results();
    snprintf(gpu->trouble, sizeof(gpu->trouble), "it computes 'pack' wrong");
    ksr_gpu_keep(gpu, "damaged", result);
    snprintf(path, sizeof(path), "%s", only_file());
    bool ok = ksr_gpu_recall(gpu, "damaged") == result &&
              ksr_gpu_recall(gpu, "another") == KSR_GPU_UNTESTED;
    if (ksr_fs_read_file(NULL, path, &text, &size) != KSR_OK || size >= sizeof(other))
        abort();
    for (size_t i = 0; i < size && ok; i++) {
        memcpy(other, text, size);
        other[i] ^= (char)(1 << i % 8);
        write_file(path, other, size);
        ok = ksr_gpu_recall(gpu, "damaged") == KSR_GPU_UNTESTED;
        write_file(path, text, i);
        ok = ok && ksr_gpu_recall(gpu, "damaged") == KSR_GPU_UNTESTED;
    }
    memcpy(other, text, size);
    write_file(path, other, sizeof(other));
    ok = ok && ksr_gpu_recall(gpu, "damaged") == KSR_GPU_UNTESTED;
    ksr_gpu_keep(gpu, "another", result);
    unlink(path);
    ok = ok && rename(only_file(), path) == 0 && ksr_gpu_recall(gpu, "damaged") == KSR_GPU_UNTESTED;
    write_file(path, text, size);
    free(text);
    return ok && ksr_gpu_recall(gpu, "damaged") == result;
}

// All is as without a cache where no folder can be made.
static bool check_nowhere(struct ksr_gpu *gpu)
{
    char path[256];
    snprintf(path, sizeof(path), "%s", only_file());
    setenv("XDG_CACHE_HOME", path, 1); // a file
    ksr_gpu_keep(gpu, "nowhere", KSR_GPU_PASSED);
    ksr_gpu_forget_results();
    const bool ok = ksr_gpu_recall(gpu, "nowhere") == KSR_GPU_UNTESTED;
    setenv("XDG_CACHE_HOME", cache, 1);
    return ok && *only_file();
}

static bool check_forgetting(struct ksr_gpu *gpu)
{
    char path[256];
    ksr_gpu_keep(gpu, "forgotten", KSR_GPU_PASSED);
    snprintf(path, sizeof(path), "%s/kizunasr/gpu-tests/notes", cache);
    write_file(path, "", 0);
    ksr_gpu_forget_results();
    const bool ok =
        ksr_gpu_recall(gpu, "forgotten") == KSR_GPU_UNTESTED && strcmp(only_file(), path) == 0;
    unlink(path);
    ksr_gpu_forget_results();
    snprintf(path, sizeof(path), "%s/kizunasr", cache);
    return ok && rmdir(path) == 0 && rmdir(cache) == 0;
}

bool gpu_check_kept(struct bench *b)
{
    if (!mkdtemp(cache))
        abort();
    setenv("XDG_CACHE_HOME", cache, 1);
    b->gpu->keeps_results = true;
    const bool ok = check_use(b->gpu, &b->stages) && check_network(b->gpu) &&
                    check_damage(b->gpu, KSR_GPU_PASSED) && check_damage(b->gpu, KSR_GPU_WRONG) &&
                    check_nowhere(b->gpu) && check_forgetting(b->gpu);
    b->gpu->keeps_results = false;
    return ok;
}
