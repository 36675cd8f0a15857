// SIMD levels and machine size; see cpu.h.

#include "core/cpu.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#if defined(__x86_64__) && (defined(__linux__) || defined(_WIN32))
#include <cpuid.h>
#endif
#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#endif

#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#elif defined(__aarch64__) && defined(__APPLE__)
#include <sys/sysctl.h>
#endif

static const char *const level_names[] = {
    "c",
#if defined(__x86_64__)
    "avx2", "avxvnni", "avx512", "avx512vnni", "amx",
#elif defined(__aarch64__)
    "neon", "dotprod",
#endif
};

enum { LAST = sizeof(level_names) / sizeof(level_names[0]) - 1 };

static atomic_int limit = LAST;

#if defined(__x86_64__)
// Whether there are AMX tiles for 8-bit integers. Linux saves them only for processes that ask; the
// answer holds for all threads.
static bool may_use_tiles(void)
{
#if defined(__linux__) && defined(SYS_arch_prctl)
    enum { REQUEST_PERMISSION = 0x1023, TILE_DATA = 18, TILES = 1 << 24, INTEGERS = 1 << 25 };
    unsigned a, b, c, d;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(d & TILES) || !(d & INTEGERS))
        return false;
    return syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
#else
    return false;
#endif
}
#endif

#if defined(__x86_64__)
static bool has_avx_vnni(void)
{
#if defined(__linux__) || defined(_WIN32)
    enum { AVX_VNNI = 1 << 4 };
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & AVX_VNNI);
#else
    return false;
#endif
}
#endif

#if defined(__aarch64__)
static bool has_dot_product(void)
{
#if defined(__linux__)
    enum { DOT_PRODUCT = 1 << 20 };
    return getauxval(AT_HWCAP) & DOT_PRODUCT;
#elif defined(__APPLE__)
    int has = 0;
    size_t size = sizeof(has);
    return sysctlbyname("hw.optional.arm.FEAT_DotProd", &has, &size, NULL, 0) == 0 && has;
#else
    return false;
#endif
}
#endif

// Returns a bit for every level.
static int detect(void)
{
    int levels = 1 << KSR_CPU_C;
#if defined(__x86_64__)
    // The compiler's check covers the operating system's part (saved registers) too.
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2"))
        return levels;
    levels |= 1 << KSR_CPU_AVX2;
    if (has_avx_vnni())
        levels |= 1 << KSR_CPU_AVXVNNI;
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
        !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl"))
        return levels;
    levels |= 1 << KSR_CPU_AVX512;
    if (!__builtin_cpu_supports("avx512vnni") || !__builtin_cpu_supports("avx512vbmi"))
        return levels;
    levels |= 1 << KSR_CPU_AVX512VNNI;
    if (may_use_tiles())
        levels |= 1 << KSR_CPU_AMX;
#elif defined(__aarch64__)
    levels |= 1 << KSR_CPU_NEON;
    if (has_dot_product())
        levels |= 1 << KSR_CPU_DOTPROD;
#endif
    return levels;
}

// Detected once: asking the processor takes long where a hypervisor answers, and rows ask often.
static int machine_levels(void)
{
    static atomic_int known;
    int levels = atomic_load_explicit(&known, memory_order_relaxed);
    if (levels == 0) {
        levels = detect();
        atomic_store_explicit(&known, levels, memory_order_relaxed);
    }
    return levels;
}

bool ksr_cpu_has(enum ksr_cpu_level level)
{
    return level <= ksr_cpu_get_limit() && machine_levels() >> level & 1;
}

enum ksr_cpu_level ksr_cpu_level(void)
{
    enum ksr_cpu_level level = ksr_cpu_get_limit();
    while (!ksr_cpu_has(level))
        level--;
    return level;
}

const char *ksr_cpu_level_name(int level)
{
    return level >= 0 && level <= LAST ? level_names[level] : NULL;
}

bool ksr_cpu_set_limit(const char *name)
{
    if (!name || !*name) {
        atomic_store(&limit, LAST);
        return true;
    }
    for (int i = 0; ksr_cpu_level_name(i); i++)
        if (strcmp(name, ksr_cpu_level_name(i)) == 0) {
            atomic_store(&limit, i);
            return true;
        }
    return false;
}

enum ksr_cpu_level ksr_cpu_get_limit(void)
{
    return (enum ksr_cpu_level)atomic_load(&limit);
}

int ksr_cpu_count(void)
{
#if defined(__linux__)
    cpu_set_t set;
    const int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
#else
    const int n = (int)sysconf(_SC_NPROCESSORS_ONLN);
#endif
    return n > 0 ? n : 1;
}

long long ksr_memory_available(void)
{
#ifdef _WIN32
    return (long long)sysconf(_SC_AVPHYS_PAGES) * sysconf(_SC_PAGESIZE);
#else
    FILE *file = fopen("/proc/meminfo", "re");
    if (!file)
        return -1;
    char line[256];
    long long kib = -1;
    while (fgets(line, sizeof(line), file))
        if (sscanf(line, "MemAvailable: %lld kB", &kib) == 1)
            break;
    fclose(file);
    return kib < 0 ? -1 : kib * 1024;
#endif
}
