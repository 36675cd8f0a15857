// Arithmetic ceilings; see peak.h. Independent sums hide the latency of an instruction.

#include "bench/peak.h"

#include <stdint.h>
#include <string.h>

#include "core/attributes.h"

// The sum of pairs without VNNI is one quick addition: few sums do, and more would not stay in
// registers.
enum { SUMS = 10, SUMS_AVX2 = 6, SUMS_ARM = 16, ROUNDS = 2000000 };

// Keeps the compiler from doing the work once, or never.
static volatile int sink;

// A function that adds STEP(sum, a, b) to some sums of a vector type, again and again. The empty
// instruction makes `a` look new every time.
#define MULTIPLY(name, target, count, vector, set, step, low)                                      \
    KSR_TARGET(target)                                                                             \
    static void name(void)                                                                         \
    {                                                                                              \
        vector sum[count], a = set(sink), b = set(0x03030303);                                     \
        _Pragma("GCC unroll 16") for (int i = 0; i < (count); i++) sum[i] = set(i);                \
        for (int round = 0; round < ROUNDS; round++) {                                             \
            _Pragma("GCC unroll 16") for (int i = 0; i < (count); i++)                             \
            {                                                                                      \
                KSR_OPAQUE_VECTOR(a);                                                              \
                sum[i] = step(sum[i], a, b);                                                       \
            }                                                                                      \
        }                                                                                          \
        unsigned total = 0;                                                                        \
        _Pragma("GCC unroll 16") for (int i = 0; i < (count); i++) total += (unsigned)low(sum[i]); \
        sink = (int)total;                                                                         \
    }

// What a level multiplies with: products of an instruction, and how many sums there are.
struct ceiling {
    void (*run)(void);
    int products, sums;
};

#if defined(KSR_HAVE_X86)
#include <immintrin.h>

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

static const struct ceiling int16[] = {
    [KSR_CPU_AVX2] = {multiply_avx2, 16, SUMS_AVX2},
    [KSR_CPU_AVXVNNI] = {multiply_avxvnni16, 16, SUMS},
    [KSR_CPU_AVX512] = {multiply_avx512, 32, SUMS},
    [KSR_CPU_AVX512VNNI] = {multiply_vnni16, 32, SUMS},
    [KSR_CPU_AMX] = {multiply_vnni16, 32, SUMS},
};
static const struct ceiling int8[] = {
    [KSR_CPU_AVXVNNI] = {multiply_avxvnni8, 32, SUMS},
    [KSR_CPU_AVX512VNNI] = {multiply_vnni8, 64, SUMS},
    [KSR_CPU_AMX] = {multiply_vnni8, 64, SUMS}, // tiles are not measured
};

#elif defined(KSR_HAVE_ARM)
#include <arm_neon.h>

#define LOW_128(v) vgetq_lane_s32(v, 0)
#define HALF(v)    vget_low_s16(vreinterpretq_s16_s32(v))
#define BYTES(v)   vreinterpretq_s8_s32(v)

#define SMLAL(sum, a, b) vmlal_s16(sum, HALF(a), HALF(b))
#define SDOT(sum, a, b)  vdotq_s32(sum, BYTES(a), BYTES(b))

MULTIPLY(multiply_neon, "arch=armv8-a", SUMS_ARM, int32x4_t, vdupq_n_s32, SMLAL, LOW_128)
MULTIPLY(multiply_dotprod, "arch=armv8.2-a+dotprod", SUMS_ARM, int32x4_t, vdupq_n_s32, SDOT, LOW_128)

static const struct ceiling int16[] = {
    [KSR_CPU_NEON] = {multiply_neon, 4, SUMS_ARM},
    [KSR_CPU_DOTPROD] = {multiply_neon, 4, SUMS_ARM},
};
static const struct ceiling int8[] = {
    [KSR_CPU_DOTPROD] = {multiply_dotprod, 16, SUMS_ARM},
};

#else
static const struct ceiling int16[1], int8[1];
#endif

bool ksr_ceiling_multiply(enum ksr_cpu_level level, const char *what, double *operations)
{
    const bool bytes = strcmp(what, "int8") == 0;
    const struct ceiling *table = bytes ? int8 : int16;
    const int count = (int)((bytes ? sizeof(int8) : sizeof(int16)) / sizeof(table[0]));
    const struct ceiling c = (int)level < count ? table[level] : (struct ceiling){0};
    if (c.run)
        c.run();
    *operations = (double)c.products * c.sums * ROUNDS;
    return c.run != NULL;
}
