// Arithmetic ceilings; see peak.h. Independent sums hide the latency of an instruction.

#include "bench/peak.h"

#include <stdint.h>
#include <string.h>

#include "core/attributes.h"

// The sum of pairs without VNNI is one quick addition: few sums do, and more would not stay in
// registers.
enum { SUMS = 10, SUMS_AVX2 = 6, ROUNDS = 2000000 };

#if defined(KSR_HAVE_X86)
#include <immintrin.h>

// Keeps the compiler from doing the work once, or never.
static volatile int sink;

// A function that adds STEP(sum, a, b) to some sums of a vector type, again and again. The empty
// instruction makes `a` look new every time.
#define MULTIPLY(name, target, count, vector, set, step, low)                                      \
    KSR_TARGET(target)                                                                             \
    static void name(void)                                                                         \
    {                                                                                              \
        vector sum[count], a = set(sink), b = set(0x03030303);                                     \
        _Pragma("GCC unroll 10") for (int i = 0; i < (count); i++) sum[i] = set(i);                \
        for (int round = 0; round < ROUNDS; round++) {                                             \
            _Pragma("GCC unroll 10") for (int i = 0; i < (count); i++)                             \
            {                                                                                      \
                KSR_OPAQUE_VECTOR(a);                                                              \
                sum[i] = step(sum[i], a, b);                                                       \
            }                                                                                      \
        }                                                                                          \
        unsigned total = 0;                                                                        \
        _Pragma("GCC unroll 10") for (int i = 0; i < (count); i++) total += (unsigned)low(sum[i]); \
        sink = (int)total;                                                                         \
    }

#define LOW_256(v)          _mm_cvtsi128_si32(_mm256_castsi256_si128(v))
#define LOW_512(v)          _mm_cvtsi128_si32(_mm512_castsi512_si128(v))
#define MADD_256(sum, a, b) _mm256_add_epi32(sum, _mm256_madd_epi16(a, b))
#define MADD_512(sum, a, b) _mm512_add_epi32(sum, _mm512_madd_epi16(a, b))

MULTIPLY(multiply_avx2, "avx2", SUMS_AVX2, __m256i, _mm256_set1_epi32, MADD_256, LOW_256)
MULTIPLY(multiply_avxvnni16, "avx2,avxvnni", SUMS, __m256i, _mm256_set1_epi32,
         _mm256_dpwssd_avx_epi32, LOW_256)
MULTIPLY(multiply_avxvnni8, "avx2,avxvnni", SUMS, __m256i, _mm256_set1_epi32,
         _mm256_dpbusd_avx_epi32, LOW_256)
MULTIPLY(multiply_avx512, "avx512f,avx512bw", SUMS, __m512i, _mm512_set1_epi32, MADD_512, LOW_512)
MULTIPLY(multiply_vnni16, "avx512f,avx512vnni", SUMS, __m512i, _mm512_set1_epi32,
         _mm512_dpwssd_epi32, LOW_512)
MULTIPLY(multiply_vnni8, "avx512f,avx512vnni", SUMS, __m512i, _mm512_set1_epi32,
         _mm512_dpbusd_epi32, LOW_512)

bool ksr_ceiling_multiply(enum ksr_cpu_level level, const char *what, double *operations)
{
    static const struct {
        void (*int16)(void), (*int8)(void);
        int lanes, sums; // lanes of int16
    } kinds[] = {
        [KSR_CPU_C] = {NULL, NULL, 0, 0},
        [KSR_CPU_AVX2] = {multiply_avx2, NULL, 16, SUMS_AVX2},
        [KSR_CPU_AVXVNNI] = {multiply_avxvnni16, multiply_avxvnni8, 16, SUMS},
        [KSR_CPU_AVX512] = {multiply_avx512, NULL, 32, SUMS},
        [KSR_CPU_AVX512VNNI] = {multiply_vnni16, multiply_vnni8, 32, SUMS},
        [KSR_CPU_AMX] = {multiply_vnni16, multiply_vnni8, 32, SUMS}, // tiles are not measured
    };
    const bool bytes = strcmp(what, "int8") == 0;
    void (*run)(void) = bytes ? kinds[level].int8 : kinds[level].int16;
    if (run)
        run();
    *operations = (bytes ? 2.0 : 1.0) * kinds[level].lanes * kinds[level].sums * ROUNDS;
    return run != NULL;
}
#else
bool ksr_ceiling_multiply(enum ksr_cpu_level level, const char *what, double *operations)
{
    (void)level;
    (void)what;
    *operations = 0;
    return false;
}
#endif
