// How a GPU does the jobs of the stages and of packing.

#include "gpu.h"

#include <stdlib.h>

#include "vulkan/drawing.h"

static void chroma_shift(struct bench *b, const struct job *j, const struct planes *p)
{
    ksr_gpu_chroma_shift(&b->commands, &b->stages, &p->out[0], &p->in[0], &j->chroma_shift);
}

static void normalize(struct bench *b, const struct job *j, const struct planes *p)
{
    ksr_gpu_normalize(&b->commands, &b->stages, &p->out[0], &p->in[0], &j->normalize);
}

static void deband(struct bench *b, const struct job *j, const struct planes *p)
{
    ksr_gpu_deband(&b->commands, &b->stages, &p->out[0], &p->in[0], &j->deband);
}

static void deblock(struct bench *b, const struct job *j, const struct planes *p)
{
    ksr_gpu_deblock(&b->commands, &b->stages, &p->out[0], &p->in[0], &j->deblock);
}

static void dehalo(struct bench *b, const struct job *j, const struct planes *p)
{
    ksr_gpu_dehalo(&b->commands, &b->stages, &p->out[0], &p->in[0], &j->dehalo);
}

static void structure(struct bench *b, const struct job *j, const struct planes *p)
{
    ksr_gpu_structure(&b->commands, &b->stages, &p->out[0], &p->in[0], &j->structure);
}

static void antialias(struct bench *b, const struct job *j, const struct planes *p)
{
    ksr_gpu_antialias(&b->commands, &b->stages, &p->out[0], &p->in[0], &j->antialias);
}

static void upscale(struct bench *b, const struct job *j, const struct planes *p)
{
    ksr_gpu_upscale(&b->commands, &b->stages, &p->out[0], &p->in[0], &j->upscale);
}

static void guided(struct bench *b, const struct job *j, const struct planes *p)
{
    ksr_gpu_guided(&b->commands, &b->stages, &p->out[0], &p->in[0], &p->in[1], &j->guide);
}

static void learned(struct bench *b, const struct job *j, const struct planes *p)
{
    (void)j;
    ksr_gpu_learned(&b->commands, &b->stages, &p->out[0], &p->in[0]);
}

static void enhance_luma(struct bench *b, const struct job *j, const struct planes *p)
{
    ksr_gpu_enhance_luma(&b->commands, &b->stages, &p->out[0], &p->in[0], &j->enhance);
}

static void enhance_chroma(struct bench *b, const struct job *j, const struct planes *p)
{
    ksr_gpu_enhance_chroma(&b->commands, &b->stages, &p->out[0], j->flag ? &p->out[0] : &p->in[0],
                           &j->enhance);
}

static void changed(struct bench *b, const struct job *j, const struct planes *p)
{
    ksr_gpu_changed(&b->commands, &b->stages, &p->in[0], &p->in[1], &j->temporal, p->counter);
}

// No sample has changed, so the memory is blended, as by plain C.
static void temporal(struct bench *b, const struct job *j, const struct planes *p)
{
    ksr_gpu_temporal(&b->commands, &b->stages, &p->out[0], &p->in[1], &p->in[0], &j->temporal,
                     j->temporal.weight, p->counter, 1);
}

static void still(struct bench *b, const struct job *j, const struct planes *p)
{
    ksr_gpu_temporal_still(&b->commands, &b->stages, &p->out[0], &p->in[1], &p->in[0],
                           &j->temporal);
}

static void smooth(struct bench *b, const struct job *j, const struct planes *p)
{
    (void)j;
    ksr_gpu_composite_smooth(&b->commands, &b->stages, &p->out[0], &p->in[0]);
}

// All are held alike.
static void composite(struct bench *b, const struct job *j, const struct planes *p)
{
    const struct ksr_gpu_plane *const around[] = {&p->in[1], &p->in[2], &p->in[1], NULL};
    ksr_gpu_composite(&b->commands, &b->stages, &p->out[0], &p->in[0], around, &p->in[3], 0,
                      j->flag, j->flag);
}

// Axes along rows and along columns, in a table.
static size_t put_axes(const struct job *j, char *table, struct ksr_gpu_descale_axis axis[2])
{
    size_t size = 0;
    axis[0] = ksr_gpu_descale_put(&j->axis[0], table, &size);
    axis[1] = ksr_gpu_descale_put(&j->axis[1], table, &size);
    return size;
}

static void fill_descale(const struct job *j, void *table)
{
    struct ksr_gpu_descale_axis axis[2];
    if (put_axes(j, NULL, axis) > GPU_TABLE_BYTES)
        abort();
    put_axes(j, table, axis);
}

// The result of the first pass is behind the axes.
static void descale(struct bench *b, const struct job *j, const struct planes *p)
{
    struct ksr_gpu_descale_axis axis[2];
    struct ksr_gpu_plane between = p->in[0];
    const size_t axes = (put_axes(j, NULL, axis) + 15) / 16 * 16;
    between.data = p->table + axes;
    between.height = p->out[0].height;
    if (axes + (size_t)between.stride * (size_t)between.height * 2 > GPU_TABLE_BYTES)
        abort();
    for (int i = 0; i < 2; i++) {
        axis[i].first += p->table;
        axis[i].weights += p->table;
    }
    ksr_gpu_descale(&b->commands, &b->stages, &between, &p->in[0], &axis[1], true);
    ksr_gpu_barrier(&b->commands);
    ksr_gpu_descale(&b->commands, &b->stages, &p->out[0], &between, &axis[0], false);
}

static void fill_grain(const struct job *j, void *table)
{
    ksr_gpu_grain_table(table, &j->grain);
}

static void grain(struct bench *b, const struct job *j, const struct planes *p)
{
    ksr_gpu_grain(&b->commands, &b->stages, &p->out[0], &p->in[0], &j->grain, p->table, j->frame);
}

static struct ksr_gpu_codes codes(const struct ksr_gpu_plane *p, int bits, bool upside_down)
{
    const int stride = 2 * p->stride;
    const struct ksr_gpu_codes c = {p->data, stride, bits == 8 ? 1 : 2, bits, 0};
    const struct ksr_gpu_codes turned = {p->data + (uint64_t)(p->height - 1) * (uint64_t)stride,
                                         -stride, bits == 8 ? 1 : 2, bits, 0};
    return upside_down ? turned : c;
}

static void unpack(struct bench *b, const struct job *j, const struct planes *p)
{
    const struct ksr_gpu_codes c = codes(&p->in[0], j->bits, j->flag);
    ksr_gpu_unpack(&b->commands, &b->stages, &p->out[0], &c);
}

static void pack(struct bench *b, const struct job *j, const struct planes *p)
{
    const struct ksr_gpu_codes c = codes(&p->out[0], j->bits, j->flag);
    ksr_gpu_pack(&b->commands, &b->stages, &c, &p->in[0], &j->pack);
}

static void to_ycc(struct bench *b, const struct job *j, const struct planes *p)
{
    (void)j;
    ksr_gpu_rgb_to_ycc(&b->commands, &b->stages, p->out);
}

static void from_ycc(struct bench *b, const struct job *j, const struct planes *p)
{
    (void)j;
    ksr_gpu_rgb_from_ycc(&b->commands, &b->stages, p->out);
}

const struct gpu_kernel gpu_stage_kernels[] = {
    {"unpack", unpack},
    {"pack", pack},
    {"pack_scaled", pack},
    {"rgb_to_ycc", to_ycc},
    {"rgb_from_ycc", from_ycc},
    {"chroma_shift", chroma_shift},
    {"normalize", normalize},
    {"deblock", deblock},
    {"dehalo", dehalo},
    {"deband", deband},
    {"structure", structure},
    {"antialias", antialias},
    {"upscale", upscale},
    {"guided", guided},
    {"learned", learned},
    {"sharpening", enhance_luma},
    {"line_darkening", enhance_luma},
    {"contrast", enhance_luma},
    {"enhance_luma", enhance_luma},
    {"enhance_chroma", enhance_chroma},
    {"temporal_changed", changed},
    {"temporal", temporal},
    {"temporal_still", still},
    {"composite_smooth", smooth},
    {"composite", composite},
    {"descale", descale, .fill = fill_descale},
    {"grain", grain, .fill = fill_grain},
};
const int gpu_stage_kernel_count = sizeof(gpu_stage_kernels) / sizeof(gpu_stage_kernels[0]);
