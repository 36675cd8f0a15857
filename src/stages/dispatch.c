// Which row function runs at which SIMD level; see dispatch.h.

#include "stages/dispatch.h"

#if defined(KSR_HAVE_X86)
extern const struct ksr_stage_table ksr_stage_level_avx2, ksr_stage_level_avxvnni,
    ksr_stage_level_avx512, ksr_stage_level_avx512vnni, ksr_stage_level_amx;

static const struct ksr_stage_table *level_table(enum ksr_cpu_level level)
{
    switch (level) {
    case KSR_CPU_AMX: return &ksr_stage_level_amx;
    case KSR_CPU_AVX512VNNI: return &ksr_stage_level_avx512vnni;
    case KSR_CPU_AVX512: return &ksr_stage_level_avx512;
    case KSR_CPU_AVXVNNI: return &ksr_stage_level_avxvnni;
    case KSR_CPU_AVX2: return &ksr_stage_level_avx2;
    default: return &ksr_stage_level;
    }
}
#elif defined(KSR_HAVE_ARM)
extern const struct ksr_stage_table ksr_stage_level_neon, ksr_stage_level_dotprod;

static const struct ksr_stage_table *level_table(enum ksr_cpu_level level)
{
    switch (level) {
    case KSR_CPU_DOTPROD: return &ksr_stage_level_dotprod;
    case KSR_CPU_NEON: return &ksr_stage_level_neon;
    default: return &ksr_stage_level;
    }
}
#else
static const struct ksr_stage_table *level_table(enum ksr_cpu_level level)
{
    (void)level;
    return &ksr_stage_level;
}
#endif

void ksr_stage_table_init(struct ksr_stage_table *table, enum ksr_cpu_level level)
{
    *table = *level_table(level);
}
