// Which SIMD level may be used: the one piece of global state, set before the first run.

#ifndef KSR_CORE_CPU_H
#define KSR_CORE_CPU_H

#include <stdbool.h>

// An architecture has the levels of one of the two lists.
enum ksr_cpu_level {
    KSR_CPU_C = 0,

    // x86-64
    KSR_CPU_AVX2 = 1,
    KSR_CPU_AVXVNNI = 2,    // and AVX-VNNI; not all processors with a higher level have it
    KSR_CPU_AVX512 = 3,     // AVX2, and AVX-512 F, BW, DQ, VL
    KSR_CPU_AVX512VNNI = 4, // and VNNI, VBMI
    KSR_CPU_AMX = 5,        // and AMX with 8-bit integers

    // 64-bit Arm
    KSR_CPU_NEON = 1,    // all of these processors
    KSR_CPU_DOTPROD = 2, // and SDOT
};

// Returns the highest level that the machine and the operating system support and the limit allows.
enum ksr_cpu_level ksr_cpu_level(void);

// Returns whether the machine and the operating system support a level and the limit allows it.
bool ksr_cpu_has(enum ksr_cpu_level level);

// Returns the name of a level, NULL behind the last: "c", "avx2", "avxvnni", "avx512",
// "avx512vnni", "amx" on x86-64, "c", "neon", "dotprod" on 64-bit Arm, "c" elsewhere.
const char *ksr_cpu_level_name(int level);

// Sets the limit by name (see ksr_cpu_limit() in context.h). Returns false for unknown names.
bool ksr_cpu_set_limit(const char *name);

// Returns the limit set, the last level if none.
enum ksr_cpu_level ksr_cpu_get_limit(void);

// Returns the number of processors this process may run on, at least 1.
int ksr_cpu_count(void);

// Returns the bytes of memory that can be used without swapping, or -1 when not known.
long long ksr_memory_available(void);

#endif
