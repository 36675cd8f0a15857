// Which packing function runs at which SIMD level; see dispatch.h.

#include "frame/dispatch.h"

#if defined(KSR_HAVE_X86)
extern const struct ksr_frame_table ksr_frame_level_avx2, ksr_frame_level_avxvnni,
    ksr_frame_level_avx512, ksr_frame_level_avx512vnni, ksr_frame_level_amx;

const struct ksr_frame_table *ksr_frame_table(enum ksr_cpu_level level)
{
    switch (level) {
    case KSR_CPU_AMX: return &ksr_frame_level_amx;
    case KSR_CPU_AVX512VNNI: return &ksr_frame_level_avx512vnni;
    case KSR_CPU_AVX512: return &ksr_frame_level_avx512;
    case KSR_CPU_AVXVNNI: return &ksr_frame_level_avxvnni;
    case KSR_CPU_AVX2: return &ksr_frame_level_avx2;
    default: return &ksr_frame_level;
    }
}
#elif defined(KSR_HAVE_ARM)
extern const struct ksr_frame_table ksr_frame_level_neon, ksr_frame_level_dotprod;

const struct ksr_frame_table *ksr_frame_table(enum ksr_cpu_level level)
{
    switch (level) {
    case KSR_CPU_DOTPROD: return &ksr_frame_level_dotprod;
    case KSR_CPU_NEON: return &ksr_frame_level_neon;
    default: return &ksr_frame_level;
    }
}
#else
const struct ksr_frame_table *ksr_frame_table(enum ksr_cpu_level level)
{
    (void)level;
    return &ksr_frame_level;
}
#endif
