// The names of one SIMD level: included before everything else (compiler option -include) where
// src/meson.build compiles row functions once more, with KSR_LEVEL defined as the level's name.
//
// The sources stay what they are: at level avx2, ksr_normalize_rows() of stages/normalize.c
// becomes ksr_normalize_rows_avx2(), made by the compiler with that level's instructions. Every
// function with external linkage in those files must stand here; one that is missing shows as a
// duplicate symbol when the library is linked. Only two names are used from outside: the tables.

#ifndef KSR_CORE_LEVEL_H
#define KSR_CORE_LEVEL_H

#define KSR_LEVEL_JOIN(name, level)  name##_##level
#define KSR_LEVEL_NAMED(name, level) KSR_LEVEL_JOIN(name, level)
#define KSR_LEVEL_NAME(name)         KSR_LEVEL_NAMED(name, KSR_LEVEL)

#define ksr_frame_level KSR_LEVEL_NAME(ksr_frame_level)
#define ksr_stage_level KSR_LEVEL_NAME(ksr_stage_level)

#define ksr_unpack_rows              KSR_LEVEL_NAME(ksr_unpack_rows)
#define ksr_pack_ratio_make          KSR_LEVEL_NAME(ksr_pack_ratio_make)
#define ksr_pack_rows                KSR_LEVEL_NAME(ksr_pack_rows)
#define ksr_rgb_to_ycc_rows          KSR_LEVEL_NAME(ksr_rgb_to_ycc_rows)
#define ksr_rgb_from_ycc_rows        KSR_LEVEL_NAME(ksr_rgb_from_ycc_rows)
#define ksr_normalize_params_make    KSR_LEVEL_NAME(ksr_normalize_params_make)
#define ksr_normalize_rows           KSR_LEVEL_NAME(ksr_normalize_rows)
#define ksr_chroma_shift_params_make KSR_LEVEL_NAME(ksr_chroma_shift_params_make)
#define ksr_chroma_shift_active      KSR_LEVEL_NAME(ksr_chroma_shift_active)
#define ksr_chroma_shift_reach       KSR_LEVEL_NAME(ksr_chroma_shift_reach)
#define ksr_chroma_shift_axis_make   KSR_LEVEL_NAME(ksr_chroma_shift_axis_make)
#define ksr_chroma_shift_rows        KSR_LEVEL_NAME(ksr_chroma_shift_rows)
#define ksr_deblock_params_make      KSR_LEVEL_NAME(ksr_deblock_params_make)
#define ksr_deblock_rows             KSR_LEVEL_NAME(ksr_deblock_rows)
#define ksr_deband_params_make       KSR_LEVEL_NAME(ksr_deband_params_make)
#define ksr_deband_rows              KSR_LEVEL_NAME(ksr_deband_rows)
#define ksr_dehalo_params_make       KSR_LEVEL_NAME(ksr_dehalo_params_make)
#define ksr_dehalo_rows              KSR_LEVEL_NAME(ksr_dehalo_rows)
#define ksr_halos_add                KSR_LEVEL_NAME(ksr_halos_add)
#define ksr_guide_possible           KSR_LEVEL_NAME(ksr_guide_possible)
#define ksr_guide_params_make        KSR_LEVEL_NAME(ksr_guide_params_make)
#define ksr_guided_rows              KSR_LEVEL_NAME(ksr_guided_rows)
#define ksr_grain_params_make        KSR_LEVEL_NAME(ksr_grain_params_make)
#define ksr_grain_active             KSR_LEVEL_NAME(ksr_grain_active)
#define ksr_grain_rows               KSR_LEVEL_NAME(ksr_grain_rows)
#define ksr_structure_params_make    KSR_LEVEL_NAME(ksr_structure_params_make)
#define ksr_structure_rows           KSR_LEVEL_NAME(ksr_structure_rows)
#define ksr_structure_classify_rows  KSR_LEVEL_NAME(ksr_structure_classify_rows)
#define ksr_antialias_params_make    KSR_LEVEL_NAME(ksr_antialias_params_make)
#define ksr_antialias_rows           KSR_LEVEL_NAME(ksr_antialias_rows)
#define ksr_upscale_params_make      KSR_LEVEL_NAME(ksr_upscale_params_make)
#define ksr_upscale_rows             KSR_LEVEL_NAME(ksr_upscale_rows)
#define ksr_learned_rows             KSR_LEVEL_NAME(ksr_learned_rows)
#define ksr_fir_apply                KSR_LEVEL_NAME(ksr_fir_apply)
#define ksr_fir_apply_along          KSR_LEVEL_NAME(ksr_fir_apply_along)
#define ksr_columns_add              KSR_LEVEL_NAME(ksr_columns_add)
#define ksr_columns_turn             KSR_LEVEL_NAME(ksr_columns_turn)
#define ksr_patch_upscale            KSR_LEVEL_NAME(ksr_patch_upscale)
#define ksr_bank_prepare             KSR_LEVEL_NAME(ksr_bank_prepare)
#define ksr_bank_apply               KSR_LEVEL_NAME(ksr_bank_apply)
#define ksr_net_scratch              KSR_LEVEL_NAME(ksr_net_scratch)
#define ksr_net_rows                 KSR_LEVEL_NAME(ksr_net_rows)
#define ksr_net_head                 KSR_LEVEL_NAME(ksr_net_head)
#define ksr_net_body                 KSR_LEVEL_NAME(ksr_net_body)
#define ksr_net_tail                 KSR_LEVEL_NAME(ksr_net_tail)
#define ksr_net_winograd             KSR_LEVEL_NAME(ksr_net_winograd)
#define ksr_descale_scratch          KSR_LEVEL_NAME(ksr_descale_scratch)
#define ksr_descale_rows             KSR_LEVEL_NAME(ksr_descale_rows)
#define ksr_enhance_params_make      KSR_LEVEL_NAME(ksr_enhance_params_make)
#define ksr_enhance_luma_active      KSR_LEVEL_NAME(ksr_enhance_luma_active)
#define ksr_enhance_chroma_active    KSR_LEVEL_NAME(ksr_enhance_chroma_active)
#define ksr_enhance_luma_rows        KSR_LEVEL_NAME(ksr_enhance_luma_rows)
#define ksr_enhance_chroma_rows      KSR_LEVEL_NAME(ksr_enhance_chroma_rows)
#define ksr_temporal_params_make     KSR_LEVEL_NAME(ksr_temporal_params_make)
#define ksr_temporal_active          KSR_LEVEL_NAME(ksr_temporal_active)
#define ksr_temporal_warmup          KSR_LEVEL_NAME(ksr_temporal_warmup)
#define ksr_temporal_memory          KSR_LEVEL_NAME(ksr_temporal_memory)
#define ksr_temporal_is_cut          KSR_LEVEL_NAME(ksr_temporal_is_cut)
#define ksr_temporal_changed_rows    KSR_LEVEL_NAME(ksr_temporal_changed_rows)
#define ksr_temporal_rows            KSR_LEVEL_NAME(ksr_temporal_rows)
#define ksr_temporal_still_rows      KSR_LEVEL_NAME(ksr_temporal_still_rows)
#define ksr_composite_params_make    KSR_LEVEL_NAME(ksr_composite_params_make)
#define ksr_composite_smooth_rows    KSR_LEVEL_NAME(ksr_composite_smooth_rows)
#define ksr_composite_rows           KSR_LEVEL_NAME(ksr_composite_rows)

#endif
