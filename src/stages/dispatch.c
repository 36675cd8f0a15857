// Which function runs at which SIMD level; see dispatch.h.

#include "stages/dispatch.h"

void ksr_stage_table_init(struct ksr_stage_table *table, enum ksr_cpu_level level)
{
    (void)level; // there is only plain C so far
    *table = (struct ksr_stage_table){
        .normalize_rows = ksr_normalize_rows,
        .structure_rows = ksr_structure_rows,
        .upscale_rows = ksr_upscale_rows,
        .learned_rows = ksr_learned_rows,
        .enhance_luma_rows = ksr_enhance_luma_rows,
        .enhance_chroma_rows = ksr_enhance_chroma_rows,
        .temporal_changed_rows = ksr_temporal_changed_rows,
        .temporal_rows = ksr_temporal_rows,
    };
}
