// The row functions of all stages, one pointer each, so that a SIMD level can replace some of
// them. Each does what the plain C function of that name in the stage's header does, to the bit.
//
// The folder stages:
//   takes        rows and integer parameters
//   gives        rows: what each stage makes of them
//   may include  net and below

#ifndef KSR_STAGES_DISPATCH_H
#define KSR_STAGES_DISPATCH_H

#include "core/cpu.h"
#include "net/net.h"
#include "stages/antialias.h"
#include "stages/chroma_shift.h"
#include "stages/composite.h"
#include "stages/deband.h"
#include "stages/deblock.h"
#include "stages/dehalo.h"
#include "stages/descale.h"
#include "stages/enhance.h"
#include "stages/grain.h"
#include "stages/guide.h"
#include "stages/learned.h"
#include "stages/normalize.h"
#include "stages/structure.h"
#include "stages/temporal.h"
#include "stages/upscale.h"

struct ksr_stage_table {
    void (*descale_rows)(const struct ksr_plane *dst, const struct ksr_plane *src,
                         const struct ksr_descale_axis *x, const struct ksr_descale_axis *y,
                         void *scratch, int y0, int y1);
    void (*chroma_shift_rows)(const struct ksr_plane *dst, const struct ksr_plane *src,
                              const struct ksr_chroma_shift_params *params, int y0, int y1);
    void (*deband_rows)(const struct ksr_plane *dst, const struct ksr_plane *src,
                        const struct ksr_deband_params *params, int y0, int y1);
    void (*deblock_rows)(const struct ksr_plane *dst, const struct ksr_plane *src,
                         const struct ksr_deblock_params *params, int y0, int y1);
    void (*dehalo_rows)(const struct ksr_plane *dst, const struct ksr_plane *src,
                        const struct ksr_dehalo_params *params, int y0, int y1);
    void (*normalize_rows)(const struct ksr_plane *dst, const struct ksr_plane *src,
                           const struct ksr_normalize_params *params, int y0, int y1);
    void (*structure_rows)(const struct ksr_plane *dst, const struct ksr_plane *src,
                           const struct ksr_structure_params *params, int y0, int y1);
    void (*antialias_rows)(const struct ksr_plane *dst, const struct ksr_plane *src,
                           const struct ksr_antialias_params *params, int y0, int y1);
    void (*upscale_rows)(const struct ksr_plane *dst, const struct ksr_plane *src,
                         const struct ksr_upscale_params *params, int y0, int y1);
    void (*guided_rows)(const struct ksr_plane *dst, const struct ksr_plane *src,
                        const struct ksr_plane *luma, const struct ksr_guide_params *params, int y0,
                        int y1);
    void (*learned_rows)(const struct ksr_plane *dst, const struct ksr_plane *src, int y0, int y1);
    void (*net_rows)(const struct ksr_plane *dst, const struct ksr_plane *src, const ksr_net *net,
                     void *scratch, int y0, int y1);
    void (*net_chroma_rows)(const struct ksr_plane dst[2], const struct ksr_net_chroma *src,
                            const ksr_net *net, void *scratch, int y0, int y1);
    void (*enhance_luma_rows)(const struct ksr_plane *dst, const struct ksr_plane *src,
                              const struct ksr_enhance_params *params, int y0, int y1);
    void (*enhance_chroma_rows)(const struct ksr_plane *dst, const struct ksr_plane *src,
                                const struct ksr_enhance_params *params, int y0, int y1);
    int64_t (*temporal_changed_rows)(const struct ksr_plane *cur, const struct ksr_plane *before,
                                     const struct ksr_temporal_params *params, int y0, int y1);
    void (*temporal_rows)(const struct ksr_plane *dst, const struct ksr_plane *memory,
                          const struct ksr_plane *cur, const struct ksr_temporal_params *params,
                          int weight, int y0, int y1);
    void (*temporal_still_rows)(const struct ksr_plane *dst, const struct ksr_plane *other,
                                const struct ksr_plane *cur,
                                const struct ksr_temporal_params *params, int y0, int y1);
    void (*composite_smooth_rows)(const struct ksr_plane *dst, const struct ksr_plane *src, int y0,
                                  int y1);
    void (*composite_rows)(const struct ksr_plane *dst, const struct ksr_plane *cur,
                           const struct ksr_composite_frame frames[KSR_COMPOSITE_FRAMES],
                           int shift_x, int shift_y, int y0, int y1);
    void (*grain_rows)(const struct ksr_plane *dst, const struct ksr_plane *src,
                       const struct ksr_grain_params *params, int64_t frame, int y0, int y1);
};

// The plain C functions.
extern const struct ksr_stage_table ksr_stage_level;

// Fills the table with the fastest functions of a level. Depends on the level alone.
void ksr_stage_table_init(struct ksr_stage_table *table, enum ksr_cpu_level level);

#endif
