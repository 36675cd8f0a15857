// Recipes on a GPU; see vulkan_recipe.h.

#include "pipeline/vulkan_recipe.h"

#include <string.h>

#include "frame/tile.h"

#define ALIGNMENT      256
#define NET_ROWS_LEAST 32 // with fewer rows in a band a network is not worth it

// --- Bands ---

// Rows of the end of a plane's chain that are made together, `first` .. `end` - 1, and the rows of
// the input that they are made of. Chains treat those as a whole plane: what is wrong at its edges,
// where rows are missing, does not reach as far as the rows that are made.
struct band {
    int first, end;
    int y0, y1; // of the input
};

// Returns what a band's first row of the input must be a multiple of: networks of several
// resolutions read it at the places of the coarsest one.
static int first_of(const struct ksr_recipe *r, const struct ksr_chain *chain)
{
    int unit = 1;
    for (int k = 0; k < chain->count; k++) {
        if (chain->step[k].kind == KSR_STEP_NETWORK)
            unit = ksr_max(unit, chain->step[k].net->unit);
        if (chain->step[k].kind == KSR_STEP_NETWORK_CHROMA)
            unit = ksr_max(unit, r->chroma->unit);
    }
    return unit;
}

static struct band band_of(const struct ksr_recipe *r, int plane, int number, int count)
{
    const struct ksr_chain *chain = &r->chain[plane];
    const int height = chain->height[chain->count];
    const struct band whole = {0, height, 0, chain->height[0]};
    struct band b = {.first = height * number / count, .end = height * (number + 1) / count};
    b.y0 = b.first;
    b.y1 = b.end;
    for (int k = chain->count - 1; k >= 0; k--) {
        const struct ksr_step *step = &chain->step[k];
        b.y0 = ksr_max(0, b.y0 / step->scale - step->reach);
        b.y1 = ksr_min(chain->height[k], (b.y1 - 1) / step->scale + step->reach + 1);
    }
    b.y0 -= b.y0 % first_of(r, chain);
    return count == 1 ? whole : b;
}

// Rows of what step k - 1 makes; k = 0: of what the first one reads.
static void band_rows(const struct ksr_chain *chain, const struct band *b, int k, int *y0, int *y1)
{
    int scale = 1;
    for (int i = 0; i < k; i++)
        scale *= chain->step[i].scale;
    *y0 = b->y0 * scale;
    *y1 = ksr_min(b->y1 * scale, chain->height[k]);
}

// Returns the rows of the highest band.
static int most_rows(const struct ksr_recipe *r, int plane, int k, int bands)
{
    int most = 0;
    for (int i = 0; i < bands; i++) {
        const struct band b = band_of(r, plane, i, bands);
        int y0, y1;
        band_rows(&r->chain[plane], &b, k, &y0, &y1);
        most = ksr_max(most, y1 - y0);
    }
    return most;
}

// --- Memory ---

static struct ksr_gpu_plane lay_plane(uint64_t *next, int width, int height)
{
    const struct ksr_gpu_plane plane = {*next, (int)ksr_plane_stride(width), width, height};
    *next += (uint64_t)plane.stride * (uint64_t)height * sizeof(uint16_t);
    return plane;
}

static struct ksr_gpu_frame lay_frame(uint64_t *next, const struct ksr_layout *layout)
{
    struct ksr_gpu_frame frame = {0};
    for (int i = 0; i < layout->planes; i++)
        frame.plane[i] =
            lay_plane(next, ksr_layout_plane_width(layout, i), ksr_layout_plane_height(layout, i));
    return frame;
}

// Lays out all that is in the arena, which begins at `address`; returns its size.
static size_t lay_out(struct ksr_gpu_recipe *g, uint64_t address)
{
    const struct ksr_recipe *r = &g->recipe;
    uint64_t next = address;
    for (int i = 0; i < KSR_AROUND_KEPT && r->composite_on; i++) {
        g->around[i] = lay_frame(&next, &r->input);
        g->smooth[i] = lay_plane(&next, r->input.width, r->input.height);
    }
    for (int i = 0; i < KSR_COMPOSITE_FRAMES && r->composite_on; i++)
        g->held[i] = lay_plane(&next, r->input.width, r->input.height);
    if (r->descales)
        g->source = lay_frame(&next, &r->input);
    for (int i = 0; i < (r->temporal_on ? 2 : 1); i++)
        g->current[i] = lay_frame(&next, &r->drawn);
    for (int i = 0; i < 4 && r->temporal_on; i++)
        g->memory[i / 2][i % 2] = lay_frame(&next, &r->drawn);
    for (int i = 0; i < r->made.planes; i++)
        for (int k = 1; k < r->chain[i].count + (g->bands > 1); k++)
            g->between[i][k] = lay_plane(&next, r->chain[i].width[k], most_rows(r, i, k, g->bands));
    g->made = lay_frame(&next, &r->made);
    if (ksr_recipe_fits(r)) {
        for (int i = 0; i < r->made.planes; i++)
            g->columns[i] = lay_plane(&next, ksr_layout_plane_width(&r->made, i),
                                      ksr_layout_plane_height(&r->output, i));
        g->fitted = lay_frame(&next, &r->output);
    }
    return (size_t)(next - address);
}

static ksr_status create_memory(struct ksr_gpu_recipe *g)
{
    struct ksr_gpu *gpu = g->device->gpu;
    ksr_status status = ksr_gpu_buffer_create(gpu, &g->arena, KSR_GPU_LOCAL, lay_out(g, 0));
    if (status == KSR_OK) {
        lay_out(g, g->arena.address);
        status = ksr_gpu_buffer_create(gpu, &g->changed, KSR_GPU_LOCAL, ALIGNMENT);
    }
    if (status == KSR_OK && ksr_recipe_fits(&g->recipe))
        status = ksr_gpu_fit_create(gpu, &g->fit, &g->recipe.made, &g->recipe.output);
    return status;
}

static ksr_status create_drawing(struct ksr_gpu_recipe *g)
{
    const struct ksr_recipe *r = &g->recipe;
    return r->descales ? ksr_gpu_drawing_create(g->device->gpu, &g->drawing, &r->input, &r->drawn,
                                                &r->output, r->kernel, &r->kept_shift)
                       : KSR_OK;
}

static ksr_status create_grain(struct ksr_gpu_recipe *g)
{
    int32_t tables[KSR_MAX_PLANES][KSR_GPU_GRAIN_WORDS] = {{0}};
    if (!g->recipe.grain_on)
        return KSR_OK;
    ksr_recipe_grain(&g->recipe, g->grain);
    for (int i = 0; i < KSR_MAX_PLANES; i++)
        ksr_gpu_grain_table(tables[i], &g->grain[i]);
    return ksr_gpu_upload(g->device->gpu, &g->grain_tables, tables, sizeof(tables));
}

// What a network doubles at most.
struct doubled {
    int width, rows;
};

static struct doubled doubled_by(const struct ksr_gpu_recipe *g, int plane, enum ksr_step_kind kind)
{
    const struct ksr_chain *chain = &g->recipe.chain[plane];
    struct doubled most = {0, 0};
    for (int k = 0; k < chain->count; k++)
        if (chain->step[k].kind == kind)
            most = (struct doubled){chain->width[k], most_rows(&g->recipe, plane, k, g->bands)};
    return most;
}

// Returns the memory for a network that works on so many rows at once; 0 without a network.
static size_t scratch_of(const struct ksr_gpu_net *net, const struct doubled *d, int rows)
{
    return net ? ksr_gpu_net_scratch(net, d->width, ksr_min(d->rows, rows)) : 0;
}

// Networks work on bands of rows, the higher the better, where memory is short.
static ksr_status create_scratch(struct ksr_gpu_recipe *g)
{
    const struct doubled luma = doubled_by(g, 0, KSR_STEP_NETWORK),
                         chroma = doubled_by(g, 1, KSR_STEP_NETWORK_CHROMA);
    for (int rows = ksr_max(luma.rows, chroma.rows);; rows = (rows + 1) / 2) {
        const size_t needed[] = {scratch_of(g->net, &luma, rows), scratch_of(g->again, &luma, rows),
                                 scratch_of(g->chroma, &chroma, rows)};
        size_t most = 0;
        for (int i = 0; i < 3; i++)
            most = needed[i] > most ? needed[i] : most;
        const ksr_status status =
            ksr_gpu_buffer_create(g->device->gpu, &g->scratch, KSR_GPU_LOCAL, most);
        if (status != KSR_E_NOMEM || rows <= NET_ROWS_LEAST)
            return status;
    }
}

static ksr_status create_networks(ksr_context *ctx, struct ksr_gpu_recipe *g)
{
    const struct ksr_recipe *r = &g->recipe;
    ksr_status status = KSR_OK;
    if (r->net)
        status = ksr_device_net(ctx, g->device, KSR_DEVICE_LUMA, r->net, &g->net);
    if (status == KSR_OK && r->again)
        status = ksr_device_net(ctx, g->device, KSR_DEVICE_AGAIN, r->again, &g->again);
    if (status == KSR_OK && r->chroma)
        status = ksr_device_net(ctx, g->device, KSR_DEVICE_CHROMA, r->chroma, &g->chroma);
    return status == KSR_OK && (r->net || r->chroma) ? create_scratch(g) : status;
}

ksr_status ksr_gpu_recipe_create(ksr_context *ctx, struct ksr_gpu_recipe *out, ksr_device *device,
                                 const struct ksr_recipe *recipe, int bands)
{
    *out = (struct ksr_gpu_recipe){.recipe = *recipe, .device = device, .bands = bands};
    ksr_status status = create_memory(out);
    if (status == KSR_OK)
        status = create_drawing(out);
    if (status == KSR_OK)
        status = create_grain(out);
    if (status == KSR_OK)
        status = create_networks(ctx, out);
    if (status != KSR_OK)
        ksr_gpu_recipe_free(out);
    return status;
}

void ksr_gpu_recipe_free(struct ksr_gpu_recipe *g)
{
    if (!g->device)
        return;
    ksr_gpu_fit_free(g->device->gpu, &g->fit);
    ksr_gpu_drawing_free(g->device->gpu, &g->drawing);
    ksr_gpu_buffer_free(g->device->gpu, &g->scratch);
    ksr_gpu_buffer_free(g->device->gpu, &g->changed);
    ksr_gpu_buffer_free(g->device->gpu, &g->grain_tables);
    ksr_gpu_buffer_free(g->device->gpu, &g->arena);
    memset(g, 0, sizeof(*g));
}

// --- Groups of commands ---

static const char *const task_names[KSR_TASKS] = {[KSR_TASK_CONVERT] = "convert",
                                                  [KSR_TASK_COMPOSITE] = "composite",
                                                  [KSR_TASK_DESCALE] = "descale",
                                                  [KSR_TASK_DEBLOCK] = "deblock",
                                                  [KSR_TASK_DEHALO] = "dehalo",
                                                  [KSR_TASK_CHROMA_SHIFT] = "chroma shift",
                                                  [KSR_TASK_NORMALIZE] = "normalize",
                                                  [KSR_TASK_DEBAND] = "deband",
                                                  [KSR_TASK_STRUCTURE] = "structure",
                                                  [KSR_TASK_ANTIALIAS] = "antialias",
                                                  [KSR_TASK_UPSCALE] = "upscale",
                                                  [KSR_TASK_ENHANCE] = "enhance",
                                                  [KSR_TASK_TEMPORAL] = "temporal",
                                                  [KSR_TASK_FIT] = "fit",
                                                  [KSR_TASK_GRAIN] = "grain"};

enum ksr_task ksr_gpu_recipe_task(const char *mark)
{
    for (int i = 0; i < KSR_TASKS; i++)
        if (mark == task_names[i])
            return (enum ksr_task)i;
    return KSR_TASK_UPSCALE; // networks have marks of their own
}

// Ends a group of commands: what follows reads what they wrote.
static void end_group(struct ksr_gpu_commands *c, enum ksr_task task)
{
    ksr_gpu_barrier(c);
    ksr_gpu_mark(c, task_names[task]);
}

// Copies rows of a plane in the arena to another of its width.
static void copy_rows(struct ksr_gpu_recipe *g, struct ksr_gpu_commands *c,
                      const struct ksr_gpu_plane *to, int to_y, const struct ksr_gpu_plane *from,
                      int from_y, int count)
{
    const size_t row = (size_t)to->stride * sizeof(uint16_t);
    if (count > 0)
        ksr_gpu_copy(c, &g->arena, (size_t)(to->data - g->arena.address) + (size_t)to_y * row,
                     &g->arena, (size_t)(from->data - g->arena.address) + (size_t)from_y * row,
                     (size_t)count * row);
}

// --- Codes ---

static struct ksr_gpu_codes codes_of(const struct ksr_gpu_raw *r, int i)
{
    const struct ksr_raw_plane *p = &r->raw->plane[i];
    const uint64_t offset = (uint64_t)(p->data - (const uint8_t *)r->host);
    return (struct ksr_gpu_codes){r->address + offset, (int)p->stride, p->step, p->bits, p->shift};
}

static void record_unpack(struct ksr_gpu_recipe *g, struct ksr_gpu_commands *c,
                          const struct ksr_gpu_frame *to, const struct ksr_gpu_raw *in)
{
    for (int i = 0; i < g->recipe.input.planes; i++) {
        const struct ksr_gpu_codes codes = codes_of(in, i);
        ksr_gpu_unpack(c, &g->device->stages, &to->plane[i], &codes);
    }
    if (in->raw->rgb) {
        ksr_gpu_barrier(c);
        ksr_gpu_rgb_to_ycc(c, &g->device->stages, to->plane);
    }
    end_group(c, KSR_TASK_CONVERT);
}

static void record_pack(struct ksr_gpu_recipe *g, struct ksr_gpu_commands *c,
                        const struct ksr_gpu_raw *out, const struct ksr_gpu_frame *from)
{
    if (out->raw->rgb) {
        ksr_gpu_barrier(c);
        ksr_gpu_rgb_from_ycc(c, &g->device->stages, from->plane);
        ksr_gpu_barrier(c);
    }
    for (int i = 0; i < g->recipe.output.planes; i++) {
        const struct ksr_gpu_codes codes = codes_of(out, i);
        ksr_gpu_pack(c, &g->device->stages, &codes, &from->plane[i], &out->raw->plane[i].pack);
    }
    end_group(c, KSR_TASK_CONVERT);
}

// --- Steps ---

// Returns the rows of luma beside rows y0 .. y1-1 of chroma.
static struct ksr_gpu_plane luma_beside(const struct ksr_gpu_recipe *g, int y0, int y1)
{
    struct ksr_gpu_plane luma = g->in.plane[0];
    ksr_guide_span(&y0, &y1, luma.height);
    luma.data += (uint64_t)y0 * (uint64_t)luma.stride * sizeof(uint16_t);
    luma.height = y1 - y0;
    return luma;
}

// Records a step, but for what a network adds to U and V. y0, y1: the rows that src has of its
// plane.
static void record_step(struct ksr_gpu_recipe *g, struct ksr_gpu_commands *c,
                        const struct ksr_step *step, const struct ksr_gpu_plane *dst,
                        const struct ksr_gpu_plane *src, int y0, int y1)
{
    const struct ksr_gpu_stages *stages = &g->device->stages;
    switch (step->kind) {
    case KSR_STEP_CHROMA_SHIFT:
        ksr_gpu_chroma_shift(c, stages, dst, src, &step->chroma_shift);
        break;
    case KSR_STEP_DEBLOCK: {
        struct ksr_deblock_params p = step->deblock;
        p.y = (p.y + y0) % KSR_DEBLOCK_BLOCK;
        ksr_gpu_deblock(c, stages, dst, src, &p);
        break;
    }
    case KSR_STEP_DEHALO: ksr_gpu_dehalo(c, stages, dst, src, &step->dehalo); break;
    case KSR_STEP_NORMALIZE: ksr_gpu_normalize(c, stages, dst, src, &step->normalize); break;
    case KSR_STEP_DEBAND: ksr_gpu_deband(c, stages, dst, src, &step->deband); break;
    case KSR_STEP_STRUCTURE: ksr_gpu_structure(c, stages, dst, src, &step->structure); break;
    case KSR_STEP_ANTIALIAS: ksr_gpu_antialias(c, stages, dst, src, &step->antialias); break;
    case KSR_STEP_UPSCALE:
    case KSR_STEP_NETWORK_CHROMA: ksr_gpu_upscale(c, stages, dst, src, &step->upscale); break;
    case KSR_STEP_GUIDED: {
        const struct ksr_gpu_plane luma = luma_beside(g, y0, y1);
        ksr_gpu_guided(c, stages, dst, src, &luma, &step->guide);
        break;
    }
    case KSR_STEP_LEARNED: ksr_gpu_learned(c, stages, dst, src); break;
    case KSR_STEP_ENHANCE_LUMA: ksr_gpu_enhance_luma(c, stages, dst, src, &step->enhance); break;
    case KSR_STEP_ENHANCE_CHROMA:
        ksr_gpu_enhance_chroma(c, stages, dst, src, &step->enhance);
        break;
    case KSR_STEP_NETWORK:
        ksr_gpu_net_rows(c, step->net == g->recipe.again ? g->again : g->net, dst, src, &g->scratch,
                         0, dst->height);
        break;
    case KSR_STEP_MODEL: // see can_do()
    case KSR_STEP_KINDS: break;
    }
}

// Returns a band's rows of what step k - 1 of plane i makes (k = 0: of the input).
static struct ksr_gpu_plane plane_of(const struct ksr_gpu_recipe *g, int i, int k,
                                     const struct band *b, const struct ksr_gpu_frame *last)
{
    const struct ksr_chain *chain = &g->recipe.chain[i];
    const bool ends = k == chain->count && g->bands == 1;
    struct ksr_gpu_plane plane = k == 0 ? g->in.plane[i] : ends ? last->plane[i] : g->between[i][k];
    int y0, y1;
    band_rows(chain, b, k, &y0, &y1);
    plane.data += k == 0 ? (uint64_t)y0 * (uint64_t)plane.stride * sizeof(uint16_t) : 0;
    plane.height = y1 - y0;
    return plane;
}

// Has a network add to what filters have just made of U and V: step k of a band. The barrier is for
// these, and for a network of luma, which may use the scratch memory.
static void record_chroma(struct ksr_gpu_recipe *g, struct ksr_gpu_commands *c, int k,
                          const struct band *b, const struct ksr_gpu_plane dst[KSR_MAX_PLANES],
                          const struct ksr_gpu_plane src[KSR_MAX_PLANES])
{
    int y0, y1;
    band_rows(&g->recipe.chain[1], b, k, &y0, &y1);
    const struct ksr_gpu_net_chroma in = {{src[1], src[2]}, luma_beside(g, y0, y1)};
    ksr_gpu_barrier(c);
    ksr_gpu_net_chroma_rows(c, g->chroma, &dst[1], &in, &g->scratch, 0, dst[1].height);
}

// Takes a band through the chains of all planes. Steps of one task run together.
static void record_band(struct ksr_gpu_recipe *g, struct ksr_gpu_commands *c,
                        const struct band bands[KSR_MAX_PLANES], const struct ksr_gpu_frame *last)
{
    const struct ksr_recipe *r = &g->recipe;
    int done[KSR_MAX_PLANES] = {0};
    for (;;) {
        enum ksr_task task = KSR_TASKS;
        for (int i = 0; i < r->made.planes; i++)
            if (done[i] < r->chain[i].count && ksr_step_task(&r->chain[i].step[done[i]]) < task)
                task = ksr_step_task(&r->chain[i].step[done[i]]);
        if (task == KSR_TASKS)
            return;
        struct ksr_gpu_plane src[KSR_MAX_PLANES] = {{0}}, dst[KSR_MAX_PLANES] = {{0}};
        int chroma = -1; // the step of U and V, which always have the same, where a network adds
        for (int i = 0; i < r->made.planes; i++) {
            const struct ksr_chain *chain = &r->chain[i];
            const int k = done[i];
            if (k == chain->count || ksr_step_task(&chain->step[k]) != task)
                continue;
            src[i] = plane_of(g, i, k, &bands[i], last);
            dst[i] = plane_of(g, i, k + 1, &bands[i], last);
            int y0, y1;
            band_rows(chain, &bands[i], k, &y0, &y1);
            record_step(g, c, &chain->step[k], &dst[i], &src[i], y0, y1);
            if (chain->step[k].kind == KSR_STEP_NETWORK_CHROMA)
                chroma = k;
            done[i]++;
        }
        if (chroma >= 0)
            record_chroma(g, c, chroma, &bands[1], dst, src);
        end_group(c, task);
    }
}

static void copy_band(struct ksr_gpu_recipe *g, struct ksr_gpu_commands *c,
                      const struct band bands[KSR_MAX_PLANES], const struct ksr_gpu_frame *last)
{
    for (int i = 0; i < g->recipe.made.planes; i++) {
        const struct ksr_chain *chain = &g->recipe.chain[i];
        const struct band *b = &bands[i];
        int y0, y1;
        band_rows(chain, b, chain->count, &y0, &y1);
        copy_rows(g, c, &last->plane[i], b->first, &g->between[i][chain->count], b->first - y0,
                  b->end - b->first);
    }
    end_group(c, KSR_TASK_CONVERT);
}

// Runs the chains of all planes, from the input to `last`.
static void record_chains(struct ksr_gpu_recipe *g, struct ksr_gpu_commands *c,
                          const struct ksr_gpu_frame *last)
{
    for (int number = 0; number < g->bands; number++) {
        struct band bands[KSR_MAX_PLANES];
        for (int i = 0; i < g->recipe.made.planes; i++)
            bands[i] = band_of(&g->recipe, i, number, g->bands);
        record_band(g, c, bands, last);
        if (g->bands > 1)
            copy_band(g, c, bands, last);
    }
}

// Stage 5 on the current frame, number `frame` in the video; what comes of it is g->in.
static void record_temporal(struct ksr_gpu_recipe *g, struct ksr_gpu_commands *c, int64_t frame,
                            bool follows)
{
    const struct ksr_recipe *r = &g->recipe;
    const struct ksr_gpu_stages *stages = &g->device->stages;
    const struct ksr_gpu_frame *cur = &g->current[g->turn], *before = &g->current[!g->turn];
    const uint32_t samples = (uint32_t)r->drawn.width * (uint32_t)r->drawn.height;
    if (follows) {
        ksr_gpu_fill(c, &g->changed, 0);
        ksr_gpu_barrier(c);
        ksr_gpu_changed(c, stages, &cur->plane[0], &before->plane[0], &r->temporal,
                        g->changed.address);
        ksr_gpu_barrier(c);
    }
    for (int k = 0; k < 2; k++) {
        const struct ksr_temporal_memory m = ksr_temporal_memory(&r->temporal, frame, k);
        const struct ksr_gpu_frame *memory = &g->memory[k][!g->turn],
                                   *next = &g->memory[k][g->turn];
        for (int i = 0; i < ksr_layout_picture_planes(&r->drawn); i++) {
            ksr_gpu_temporal(c, stages, &next->plane[i], &memory->plane[i], &cur->plane[i],
                             &r->temporal, follows ? m.weight : 0, g->changed.address, samples);
            if (m.shown)
                g->in.plane[i] = next->plane[i];
        }
    }
    end_group(c, KSR_TASK_TEMPORAL);
}

static void record_fit(struct ksr_gpu_recipe *g, struct ksr_gpu_commands *c,
                       const struct ksr_gpu_frame *from)
{
    const struct ksr_gpu_stages *stages = &g->device->stages;
    for (int i = 0; i < g->recipe.made.planes; i++)
        ksr_gpu_fit_columns(c, stages, &g->fit, i, &g->columns[i], &from->plane[i]);
    ksr_gpu_barrier(c);
    for (int i = 0; i < g->recipe.made.planes; i++)
        ksr_gpu_fit_rows(c, stages, &g->fit, i, &g->fitted.plane[i], &g->columns[i]);
    end_group(c, KSR_TASK_FIT);
}

// In place.
static void record_grain(struct ksr_gpu_recipe *g, struct ksr_gpu_commands *c, int64_t frame,
                         const struct ksr_gpu_frame *of)
{
    for (int i = 0; i < g->recipe.output.planes; i++) {
        const struct ksr_gpu_plane *plane = &of->plane[i];
        const uint64_t table = g->grain_tables.address +
                               (uint64_t)i * KSR_GPU_GRAIN_WORDS * sizeof(int32_t);
        if (ksr_grain_active(&g->grain[i]))
            ksr_gpu_grain(c, &g->device->stages, plane, plane, &g->grain[i], table, frame);
    }
    end_group(c, KSR_TASK_GRAIN);
}

// Cleans a frame of composite video.
static void record_clean(struct ksr_gpu_recipe *g, struct ksr_gpu_commands *c,
                         const struct ksr_gpu_making *m, const struct ksr_gpu_frame *to)
{
    const struct ksr_layout *l = &g->recipe.input;
    const struct ksr_gpu_stages *stages = &g->device->stages;
    const int64_t place = m->number % KSR_AROUND_KEPT;
    const uint32_t step = (uint32_t)((g->held[1].data - g->held[0].data) / sizeof(uint16_t));
    for (int k = 0; k < KSR_COMPOSITE_FRAMES; k++)
        if (m->around[k] >= 0)
            ksr_gpu_temporal_still(c, stages, &g->held[k],
                                   &g->smooth[m->around[k] % KSR_AROUND_KEPT], &g->smooth[place],
                                   &g->recipe.composite);
    ksr_gpu_barrier(c);
    for (int i = 0; i < l->planes; i++) {
        const struct ksr_gpu_plane *dst = &to->plane[i], *cur = &g->around[place].plane[i];
        const struct ksr_gpu_plane *around[KSR_COMPOSITE_FRAMES];
        const bool chroma = ksr_layout_is_chroma(l, i);
        for (int k = 0; k < KSR_COMPOSITE_FRAMES; k++)
            around[k] =
                m->around[k] < 0 ? NULL : &g->around[m->around[k] % KSR_AROUND_KEPT].plane[i];
        if (i < ksr_layout_picture_planes(l))
            ksr_gpu_composite(c, stages, dst, cur, around, &g->held[0], step,
                              chroma ? l->chroma_shift_x : 0, chroma ? l->chroma_shift_y : 0);
        else
            copy_rows(g, c, dst, 0, cur, 0, dst->height);
    }
    end_group(c, KSR_TASK_COMPOSITE);
}

// Returns where the frame to be made next is, before it is drawn.
static const struct ksr_gpu_frame *given_of(const struct ksr_gpu_recipe *g)
{
    return g->recipe.descales ? &g->source : &g->current[g->recipe.temporal_on ? g->turn : 0];
}

// Begins a list: the one before is done with what this one writes.
static void begin(struct ksr_gpu_commands *c)
{
    ksr_gpu_barrier(c);
    ksr_gpu_mark(c, NULL);
}

void ksr_gpu_recipe_take(struct ksr_gpu_recipe *g, struct ksr_gpu_commands *c, int64_t number,
                         const struct ksr_gpu_raw *in)
{
    const int place = (int)(number % KSR_AROUND_KEPT);
    begin(c);
    record_unpack(g, c, g->recipe.composite_on ? &g->around[place] : given_of(g), in);
    if (g->recipe.composite_on) {
        ksr_gpu_composite_smooth(c, &g->device->stages, &g->smooth[place],
                                 &g->around[place].plane[0]);
        end_group(c, KSR_TASK_COMPOSITE);
    }
}

void ksr_gpu_recipe_make(struct ksr_gpu_recipe *g, struct ksr_gpu_commands *c,
                         const struct ksr_gpu_making *m, const struct ksr_gpu_raw *out)
{
    const struct ksr_recipe *r = &g->recipe;
    const struct ksr_gpu_stages *stages = &g->device->stages;
    const struct ksr_gpu_frame *current = &g->current[r->temporal_on ? g->turn : 0];
    const struct ksr_gpu_frame *result = ksr_recipe_fits(r) ? &g->fitted : &g->made;
    if (r->composite_on) {
        begin(c);
        record_clean(g, c, m, given_of(g));
    }
    if (r->descales) {
        ksr_gpu_drawing_make(c, stages, &g->drawing, current->plane, g->source.plane);
        end_group(c, KSR_TASK_DESCALE);
    }
    g->in = *current;
    if (r->temporal_on)
        record_temporal(g, c, m->frame, m->follows);
    g->turn = !g->turn;
    if (!out)
        return;
    record_chains(g, c, &g->made);
    if (ksr_recipe_fits(r))
        record_fit(g, c, &g->made);
    if (r->descales) {
        ksr_gpu_drawing_keep(c, stages, &g->drawing, result->plane, current->plane,
                             g->source.plane);
        end_group(c, KSR_TASK_DESCALE);
    }
    if (r->grain_on)
        record_grain(g, c, m->frame, result);
    record_pack(g, c, out, result);
}
