// Arithmetic ceilings; see ceiling.h. Twelve independent sums hide the latency of an instruction.

#include "job/ceiling.h"

#include <stdint.h>
#include <string.h>

#include "core/attributes.h"

enum { SUMS = 12, ROUNDS = 2000000 };

#if defined(KSR_HAVE_X86)
#include <immintrin.h>

// Keeps the compiler from doing the work once, or never.
static volatile int sink;

KSR_TARGET("avx2")
static void multiply_avx2(void)
{
    __m256i sum[SUMS], a = _mm256_set1_epi16((short)sink), b = _mm256_set1_epi16(3);
    for (int i = 0; i < SUMS; i++)
        sum[i] = _mm256_set1_epi32(i);
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < SUMS; i++)
            sum[i] = _mm256_add_epi32(sum[i], _mm256_madd_epi16(_mm256_xor_si256(a, sum[i]), b));
    for (int i = 1; i < SUMS; i++)
        sum[0] = _mm256_add_epi32(sum[0], sum[i]);
    sink = _mm256_extract_epi32(sum[0], 0);
}

KSR_TARGET("avx512f,avx512bw")
static void multiply_avx512(void)
{
    __m512i sum[SUMS], a = _mm512_set1_epi16((short)sink), b = _mm512_set1_epi16(3);
    for (int i = 0; i < SUMS; i++)
        sum[i] = _mm512_set1_epi32(i);
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < SUMS; i++)
            sum[i] = _mm512_add_epi32(sum[i], _mm512_madd_epi16(_mm512_xor_si512(a, sum[i]), b));
    for (int i = 1; i < SUMS; i++)
        sum[0] = _mm512_add_epi32(sum[0], sum[i]);
    sink = _mm_extract_epi32(_mm512_castsi512_si128(sum[0]), 0);
}

KSR_TARGET("avx512f,avx512vnni")
static void multiply_vnni16(void)
{
    __m512i sum[SUMS], a = _mm512_set1_epi32(sink), b = _mm512_set1_epi32(0x00030003);
    for (int i = 0; i < SUMS; i++)
        sum[i] = _mm512_set1_epi32(i);
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < SUMS; i++)
            sum[i] = _mm512_dpwssd_epi32(sum[i], a, b);
    for (int i = 1; i < SUMS; i++)
        sum[0] = _mm512_add_epi32(sum[0], sum[i]);
    sink = _mm_cvtsi128_si32(_mm512_castsi512_si128(sum[0]));
}

KSR_TARGET("avx512f,avx512vnni")
static void multiply_vnni8(void)
{
    __m512i sum[SUMS], a = _mm512_set1_epi32(sink), b = _mm512_set1_epi32(0x03030303);
    for (int i = 0; i < SUMS; i++)
        sum[i] = _mm512_set1_epi32(i);
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < SUMS; i++)
            sum[i] = _mm512_dpbusd_epi32(sum[i], a, b);
    for (int i = 1; i < SUMS; i++)
        sum[0] = _mm512_add_epi32(sum[0], sum[i]);
    sink = _mm_cvtsi128_si32(_mm512_castsi512_si128(sum[0]));
}

bool ksr_ceiling_multiply(enum ksr_cpu_level level, const char *what, double *operations)
{
    const bool bytes = strcmp(what, "int8") == 0;
    void (*run)(void) = NULL;
    int lanes = 0;
    if (bytes && level >= KSR_CPU_AVX512VNNI) {
        run = multiply_vnni8;
        lanes = 64;
    } else if (!bytes && level >= KSR_CPU_AVX512VNNI) {
        run = multiply_vnni16;
        lanes = 32;
    } else if (!bytes && level >= KSR_CPU_AVX512) {
        run = multiply_avx512;
        lanes = 32;
    } else if (!bytes && level >= KSR_CPU_AVX2) {
        run = multiply_avx2;
        lanes = 16;
    }
    if (run)
        run();
    *operations = (double)lanes * SUMS * ROUNDS;
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
