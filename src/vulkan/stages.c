// The kernels of the stages; see stages.h.

#include "vulkan/stages.h"

#include <string.h>

#include "stages/bank.h"

// A row of a workgroup is 64 bytes of samples.
#define KERNEL(stage, name, height, params)                                                        \
    [stage] = {name, 32, height, sizeof(struct params), NULL, 0, 0}

static const struct ksr_gpu_kernel_info kernels[KSR_GPU_STAGES] = {
    KERNEL(KSR_GPU_DEBLOCK, "deblock", 8, ksr_gpu_deblock),
    KERNEL(KSR_GPU_DEHALO, "dehalo", 8, ksr_gpu_dehalo),
    KERNEL(KSR_GPU_NORMALIZE, "normalize", 8, ksr_gpu_normalize),
    KERNEL(KSR_GPU_CHROMA_SHIFT, "chroma_shift", 8, ksr_gpu_chroma_shift),
    KERNEL(KSR_GPU_DEBAND, "deband", 8, ksr_gpu_deband),
    KERNEL(KSR_GPU_STRUCTURE, "structure", 8, ksr_gpu_structure),
    KERNEL(KSR_GPU_ANTIALIAS, "antialias", 8, ksr_gpu_antialias),
    KERNEL(KSR_GPU_UPSCALE, "upscale", 8, ksr_gpu_upscale),
    KERNEL(KSR_GPU_GUIDE, "guide", 8, ksr_gpu_guide),
    KERNEL(KSR_GPU_LEARNED, "learned", 16, ksr_gpu_learned),
    KERNEL(KSR_GPU_ENHANCE_LUMA, "enhance_luma", 8, ksr_gpu_enhance_luma),
    KERNEL(KSR_GPU_ENHANCE_CHROMA, "enhance_chroma", 8, ksr_gpu_enhance_chroma),
    KERNEL(KSR_GPU_CHANGED, "changed", 8, ksr_gpu_changed),
    KERNEL(KSR_GPU_TEMPORAL, "temporal", 8, ksr_gpu_temporal),
    KERNEL(KSR_GPU_COMPOSITE_SMOOTH, "composite_smooth", 8, ksr_gpu_composite_smooth),
    KERNEL(KSR_GPU_COMPOSITE, "composite", 8, ksr_gpu_composite),
    KERNEL(KSR_GPU_DESCALE, "descale", 8, ksr_gpu_descale),
    KERNEL(KSR_GPU_KEPT_MARKS, "kept_marks", 8, ksr_gpu_kept_marks),
    KERNEL(KSR_GPU_KEPT_WEIGHTS, "kept_weights", 8, ksr_gpu_kept_weights),
    KERNEL(KSR_GPU_KEPT, "kept", 8, ksr_gpu_kept),
    KERNEL(KSR_GPU_GRAIN, "grain", 16, ksr_gpu_grain),
    KERNEL(KSR_GPU_UNPACK, "unpack", 8, ksr_gpu_unpack),
    KERNEL(KSR_GPU_PACK, "pack", 8, ksr_gpu_pack),
    KERNEL(KSR_GPU_RGB, "rgb", 8, ksr_gpu_rgb),
    KERNEL(KSR_GPU_RESAMPLE, "resample", 8, ksr_gpu_resample),
};

// --- Life ---

ksr_status ksr_gpu_stages_create(struct ksr_gpu *gpu, struct ksr_gpu_stages *out)
{
    ksr_status status = KSR_OK;
    memset(out, 0, sizeof(*out));
    for (int i = 0; i < KSR_GPU_STAGES && status == KSR_OK; i++)
        status = ksr_gpu_kernel_create(gpu, &out->kernel[i], &kernels[i]);
    if (status == KSR_OK)
        status = ksr_gpu_upload(gpu, &out->bank, ksr_bank, sizeof(ksr_bank));
    if (status != KSR_OK)
        ksr_gpu_stages_free(gpu, out);
    return status;
}

void ksr_gpu_stages_free(struct ksr_gpu *gpu, struct ksr_gpu_stages *stages)
{
    for (int i = 0; i < KSR_GPU_STAGES; i++)
        ksr_gpu_kernel_free(gpu, &stages->kernel[i]);
    ksr_gpu_buffer_free(gpu, &stages->bank);
}

// --- Stages ---

void ksr_gpu_normalize(struct ksr_gpu_commands *c, const struct ksr_gpu_stages *stages,
                       const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *src,
                       const struct ksr_normalize_params *params)
{
    const struct ksr_gpu_normalize p = {*dst, *src, params->limit};
    ksr_gpu_run(c, &stages->kernel[KSR_GPU_NORMALIZE], &p, dst->width, dst->height, 1);
}

void ksr_gpu_chroma_shift(struct ksr_gpu_commands *c, const struct ksr_gpu_stages *stages,
                          const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *src,
                          const struct ksr_chroma_shift_params *params)
{
    const struct ksr_chroma_shift_axis x = ksr_chroma_shift_axis_make(params->x),
                                       y = ksr_chroma_shift_axis_make(params->y);
    struct ksr_gpu_chroma_shift p = {
        .dst = *dst, .src = *src, .first_x = x.first, .first_y = y.first};
    for (int k = 0; k < KSR_CHROMA_SHIFT_TAPS; k++) {
        p.x[k] = x.tap[k];
        p.y[k] = y.tap[k];
    }
    ksr_gpu_run(c, &stages->kernel[KSR_GPU_CHROMA_SHIFT], &p, dst->width, dst->height, 1);
}

void ksr_gpu_dehalo(struct ksr_gpu_commands *c, const struct ksr_gpu_stages *stages,
                    const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *src,
                    const struct ksr_dehalo_params *params)
{
    const struct ksr_gpu_dehalo p = {*dst, *src, params->limit};
    ksr_gpu_run(c, &stages->kernel[KSR_GPU_DEHALO], &p, dst->width, dst->height, 1);
}

void ksr_gpu_deblock(struct ksr_gpu_commands *c, const struct ksr_gpu_stages *stages,
                     const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *src,
                     const struct ksr_deblock_params *params)
{
    const struct ksr_gpu_deblock p = {*dst, *src, params->limit, params->x, params->y};
    ksr_gpu_run(c, &stages->kernel[KSR_GPU_DEBLOCK], &p, dst->width, dst->height, 1);
}

void ksr_gpu_deband(struct ksr_gpu_commands *c, const struct ksr_gpu_stages *stages,
                    const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *src,
                    const struct ksr_deband_params *params)
{
    const struct ksr_gpu_deband p = {*dst, *src, params->limit};
    ksr_gpu_run(c, &stages->kernel[KSR_GPU_DEBAND], &p, dst->width, dst->height, 1);
}

void ksr_gpu_structure(struct ksr_gpu_commands *c, const struct ksr_gpu_stages *stages,
                       const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *src,
                       const struct ksr_structure_params *params)
{
    const struct ksr_gpu_structure p = {*dst, *src, params->limit};
    ksr_gpu_run(c, &stages->kernel[KSR_GPU_STRUCTURE], &p, dst->width, dst->height, 1);
}

static void pair_taps(int pairs[8], const struct ksr_upscale_filter *filter)
{
    for (int i = 0; i < 8; i++) {
        const int16_t *tap = filter->tap[i / 4] + 2 * (i % 4);
        pairs[i] = (int)((uint32_t)(uint16_t)tap[0] | (uint32_t)(uint16_t)tap[1] << 16);
    }
}

// Runs a kernel with one invocation for each 2x2 samples of dst.
static void run_double(struct ksr_gpu_commands *c, const struct ksr_gpu_kernel *kernel,
                       const void *params, const struct ksr_gpu_plane *dst)
{
    ksr_gpu_run(c, kernel, params, (dst->width + 1) / 2, (dst->height + 1) / 2, 1);
}

void ksr_gpu_antialias(struct ksr_gpu_commands *c, const struct ksr_gpu_stages *stages,
                       const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *src,
                       const struct ksr_antialias_params *params)
{
    const struct ksr_gpu_antialias p = {*dst, *src, params->strength};
    ksr_gpu_run(c, &stages->kernel[KSR_GPU_ANTIALIAS], &p, dst->width, dst->height, 1);
}

void ksr_gpu_upscale(struct ksr_gpu_commands *c, const struct ksr_gpu_stages *stages,
                     const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *src,
                     const struct ksr_upscale_params *params)
{
    struct ksr_gpu_upscale p = {.dst = *dst, .src = *src};
    pair_taps(p.x, params->x);
    pair_taps(p.y, params->y);
    run_double(c, &stages->kernel[KSR_GPU_UPSCALE], &p, dst);
}

void ksr_gpu_guided(struct ksr_gpu_commands *c, const struct ksr_gpu_stages *stages,
                    const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *src,
                    const struct ksr_gpu_plane *luma, const struct ksr_guide_params *params)
{
    const struct ksr_gpu_guide p = {.dst = *dst,
                                    .src = *src,
                                    .luma = *luma,
                                    .before_x = params->x == KSR_SITING_COSITED,
                                    .before_y = params->y == KSR_SITING_COSITED,
                                    .strength = params->strength,
                                    .limit = params->limit};
    ksr_gpu_upscale(c, stages, dst, src, &params->upscale);
    ksr_gpu_barrier(c);
    run_double(c, &stages->kernel[KSR_GPU_GUIDE], &p, dst);
}

void ksr_gpu_learned(struct ksr_gpu_commands *c, const struct ksr_gpu_stages *stages,
                     const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *src)
{
    const struct ksr_gpu_learned p = {*dst, *src, stages->bank.address};
    run_double(c, &stages->kernel[KSR_GPU_LEARNED], &p, dst);
}

void ksr_gpu_enhance_luma(struct ksr_gpu_commands *c, const struct ksr_gpu_stages *stages,
                          const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *src,
                          const struct ksr_enhance_params *params)
{
    const struct ksr_gpu_enhance_luma p = {
        *dst,          *src,          params->sharpening, params->line_darkening, params->contrast,
        params->black, params->white, params->mid};
    ksr_gpu_run(c, &stages->kernel[KSR_GPU_ENHANCE_LUMA], &p, dst->width, dst->height, 1);
}

void ksr_gpu_enhance_chroma(struct ksr_gpu_commands *c, const struct ksr_gpu_stages *stages,
                            const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *src,
                            const struct ksr_enhance_params *params)
{
    const struct ksr_gpu_enhance_chroma p = {*dst, *src, params->saturation, params->chroma_low,
                                             params->chroma_high};
    ksr_gpu_run(c, &stages->kernel[KSR_GPU_ENHANCE_CHROMA], &p, dst->width, dst->height, 1);
}

void ksr_gpu_changed(struct ksr_gpu_commands *c, const struct ksr_gpu_stages *stages,
                     const struct ksr_gpu_plane *cur, const struct ksr_gpu_plane *before,
                     const struct ksr_temporal_params *params, uint64_t total)
{
    const struct ksr_gpu_changed p = {*cur, *before, total, params->changed};
    ksr_gpu_run(c, &stages->kernel[KSR_GPU_CHANGED], &p, cur->width, cur->height, 1);
}

static void record_temporal(struct ksr_gpu_commands *c, const struct ksr_gpu_stages *stages,
                            const struct ksr_gpu_plane *cur, struct ksr_gpu_temporal p,
                            const struct ksr_temporal_params *params)
{
    p.cur = cur->data;
    p.stride = cur->stride;
    p.width = cur->width;
    p.height = cur->height;
    p.one = params->one;
    p.mean = params->mean;
    p.size = params->size;
    p.shift = params->shift;
    ksr_gpu_run(c, &stages->kernel[KSR_GPU_TEMPORAL], &p, cur->width, cur->height, 1);
}

void ksr_gpu_temporal(struct ksr_gpu_commands *c, const struct ksr_gpu_stages *stages,
                      const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *memory,
                      const struct ksr_gpu_plane *cur, const struct ksr_temporal_params *params,
                      int weight, uint64_t changed, uint32_t samples)
{
    const struct ksr_gpu_temporal p = {.dst = dst->data,
                                       .memory = memory->data,
                                       .changed = changed,
                                       .weight = weight,
                                       .samples = samples};
    record_temporal(c, stages, cur, p, params);
}

// --- Composite video ---

void ksr_gpu_temporal_still(struct ksr_gpu_commands *c, const struct ksr_gpu_stages *stages,
                            const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *other,
                            const struct ksr_gpu_plane *cur,
                            const struct ksr_temporal_params *params)
{
    const struct ksr_gpu_temporal p = {.dst = dst->data,
                                       .memory = other->data,
                                       .changed = cur->data, // is not read
                                       .weight = 8,
                                       .still = true};
    record_temporal(c, stages, cur, p, params);
}

void ksr_gpu_composite_smooth(struct ksr_gpu_commands *c, const struct ksr_gpu_stages *stages,
                              const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *src)
{
    const struct ksr_gpu_composite_smooth p = {*dst, *src};
    ksr_gpu_run(c, &stages->kernel[KSR_GPU_COMPOSITE_SMOOTH], &p, dst->width, dst->height, 1);
}

void ksr_gpu_composite(struct ksr_gpu_commands *c, const struct ksr_gpu_stages *stages,
                       const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *cur,
                       const struct ksr_gpu_plane *const around[KSR_COMPOSITE_FRAMES],
                       const struct ksr_gpu_plane *held, uint32_t held_step, int shift_x,
                       int shift_y)
{
    struct ksr_gpu_composite p = {.dst = dst->data,
                                  .cur = cur->data,
                                  .held = held->data,
                                  .stride = cur->stride,
                                  .width = cur->width,
                                  .height = cur->height,
                                  .held_stride = held->stride,
                                  .held_width = held->width,
                                  .held_height = held->height,
                                  .held_step = held_step,
                                  .shift_x = shift_x,
                                  .shift_y = shift_y};
    for (int f = 0; f < KSR_COMPOSITE_FRAMES; f++)
        p.other[f] = around[f] ? around[f]->data : cur->data;
    ksr_gpu_run(c, &stages->kernel[KSR_GPU_COMPOSITE], &p, cur->width, cur->height, 1);
}

// --- Grain ---

void ksr_gpu_grain_table(int32_t out[KSR_GPU_GRAIN_WORDS], const struct ksr_grain_params *params)
{
    for (int i = 0; i < KSR_GRAIN_CODES; i++)
        *out++ = params->strength[i];
    for (int i = 0; i < 2; i++)
        for (int k = 0; k <= KSR_GRAIN_REACH; k++)
            *out++ = params->tap[i][k];
}

// How far the taps reach that are not 0.
static int reach_of(const int tap[KSR_GRAIN_REACH + 1])
{
    int k = 0;
    while (k < KSR_GRAIN_REACH && tap[k + 1] > 0)
        k++;
    return k;
}

void ksr_gpu_grain(struct ksr_gpu_commands *c, const struct ksr_gpu_stages *stages,
                   const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *src,
                   const struct ksr_grain_params *params, uint64_t table, int64_t frame)
{
    const struct ksr_gpu_grain p = {.dst = *dst,
                                    .src = *src,
                                    .table = table,
                                    .frame = (uint64_t)frame,
                                    .plane = params->plane,
                                    .reach_x = reach_of(params->tap[0]),
                                    .reach_y = reach_of(params->tap[1]),
                                    .low = params->low,
                                    .high = params->high,
                                    .shift = params->shift,
                                    .norm = params->norm};
    ksr_gpu_run(c, &stages->kernel[KSR_GPU_GRAIN], &p, dst->width, dst->height, 1);
}

// --- Packing ---

void ksr_gpu_unpack(struct ksr_gpu_commands *c, const struct ksr_gpu_stages *stages,
                    const struct ksr_gpu_plane *dst, const struct ksr_gpu_codes *src)
{
    const struct ksr_gpu_unpack p = {*dst,      src->data, src->stride,
                                     src->step, src->bits, src->shift};
    ksr_gpu_run(c, &stages->kernel[KSR_GPU_UNPACK], &p, dst->width, dst->height, 1);
}

void ksr_gpu_pack(struct ksr_gpu_commands *c, const struct ksr_gpu_stages *stages,
                  const struct ksr_gpu_codes *dst, const struct ksr_gpu_plane *src,
                  const struct ksr_pack_params *params)
{
    const struct ksr_pack_ratio ratio = ksr_pack_ratio_make(params, dst->bits);
    const struct ksr_gpu_pack p = {.src = *src,
                                   .dst = dst->data,
                                   .factor = ratio.factor,
                                   .zero = ratio.zero,
                                   .centre = ratio.centre,
                                   .stride = dst->stride,
                                   .step = dst->step,
                                   .bits = dst->bits,
                                   .shift = dst->shift,
                                   .dither = params->dither};
    ksr_gpu_run(c, &stages->kernel[KSR_GPU_PACK], &p, src->width, src->height, 1);
}

static void record_rgb(struct ksr_gpu_commands *c, const struct ksr_gpu_stages *stages,
                       const struct ksr_gpu_plane planes[3], bool back)
{
    const struct ksr_gpu_rgb p = {{planes[0], planes[1], planes[2]}, back};
    ksr_gpu_run(c, &stages->kernel[KSR_GPU_RGB], &p, planes[0].width, planes[0].height, 1);
}

void ksr_gpu_rgb_to_ycc(struct ksr_gpu_commands *c, const struct ksr_gpu_stages *stages,
                        const struct ksr_gpu_plane planes[3])
{
    record_rgb(c, stages, planes, false);
}

void ksr_gpu_rgb_from_ycc(struct ksr_gpu_commands *c, const struct ksr_gpu_stages *stages,
                          const struct ksr_gpu_plane planes[3])
{
    record_rgb(c, stages, planes, true);
}
