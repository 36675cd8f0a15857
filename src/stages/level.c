// The row functions of one level; compiled once for plain C and once more for every SIMD level
// (core/level.h), chosen among by dispatch.c.

#include "stages/dispatch.h"

const struct ksr_stage_table ksr_stage_level = {
    .descale_rows = ksr_descale_rows,
    .chroma_shift_rows = ksr_chroma_shift_rows,
    .deband_rows = ksr_deband_rows,
    .deblock_rows = ksr_deblock_rows,
    .dehalo_rows = ksr_dehalo_rows,
    .normalize_rows = ksr_normalize_rows,
    .structure_rows = ksr_structure_rows,
    .antialias_rows = ksr_antialias_rows,
    .upscale_rows = ksr_upscale_rows,
    .guided_rows = ksr_guided_rows,
    .learned_rows = ksr_learned_rows,
    .net_rows = ksr_net_rows,
    .net_chroma_rows = ksr_net_chroma_rows,
    .enhance_luma_rows = ksr_enhance_luma_rows,
    .enhance_chroma_rows = ksr_enhance_chroma_rows,
    .temporal_changed_rows = ksr_temporal_changed_rows,
    .temporal_rows = ksr_temporal_rows,
    .temporal_still_rows = ksr_temporal_still_rows,
    .composite_smooth_rows = ksr_composite_smooth_rows,
    .composite_rows = ksr_composite_rows,
    .grain_rows = ksr_grain_rows,
};
