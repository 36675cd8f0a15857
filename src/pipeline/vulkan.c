// The executor of a GPU: whole planes, up to three frames under way; see pipeline.h.
//
//     push: source -> frame in memory -> upload buffer -> (upload queue) in
//           in -> the steps of all chains -> stage 5 -> fit -> out (compute queue)
//           out -> download buffer (download queue)
//     pull: waits for the download; download buffer -> sink
//
// A GPU that fails is replaced by the processor, for the frames under way too: the last sources are
// kept in memory, as many as stage 5 needs to come to the same state again.

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "frame/tile.h"
#include "pipeline/device_parts.h"
#include "vulkan/fit.h"

#define SLOTS     3 // frames under way
#define BAND_ROWS 64
#define ALIGNMENT 256

#define NET_ROWS_LEAST 32 // with fewer rows in a band a network is not worth it

// Planes in the GPU's memory, laid out one after the other as ksr_frame_alloc() does.
struct gpu_frame {
    struct ksr_gpu_plane plane[KSR_MAX_PLANES];
    uint64_t address;
    size_t bytes;
};

// What one frame under way occupies.
struct slot {
    struct ksr_gpu_buffer upload, download;
    struct gpu_frame in, out;
    struct ksr_gpu_commands uploading, working, downloading;
};

// A frame that was pushed, with its source.
struct entry {
    int64_t frame;
    struct ksr_frame source;
};

struct vulkan {
    struct ksr_pipeline base;
    struct ksr_recipe recipe;
    ksr_pool *pool;     // borrowed
    ksr_device *device; // borrowed
    struct ksr_gpu *gpu;
    const struct ksr_gpu_net *net; // of the device; NULL: none
    struct ksr_gpu_buffer scratch; // of the network
    ksr_pipeline *cpu;             // after a failure

    struct slot slot[SLOTS];
    struct entry *entries; // of the last pushes, by number modulo their count
    int64_t entry_count, pushed;
    int64_t first; // push before which all is forgotten

    struct ksr_gpu_buffer arena; // holds all that follows, and the slots' frames
    struct ksr_gpu_plane between[KSR_MAX_PLANES][KSR_MAX_STEPS]; // steps' results but the last
    struct gpu_frame made;                        // the last ones, where they are fitted
    struct ksr_gpu_plane columns[KSR_MAX_PLANES]; // of fitting
    struct gpu_frame current[2], memory[2];       // of stage 5
    int turn;                                     // which of `current` is this frame's
    struct ksr_gpu_buffer changed;
    struct ksr_gpu_fit fit;

    double seconds[KSR_TASKS];
};

// --- Memory ---

static struct ksr_gpu_plane lay_plane(uint64_t *next, int width, int height)
{
    const struct ksr_gpu_plane plane = {*next, (int)ksr_plane_stride(width), width, height};
    *next += (uint64_t)plane.stride * (uint64_t)height * sizeof(uint16_t);
    return plane;
}

static struct gpu_frame lay_frame(uint64_t *next, const struct ksr_layout *layout)
{
    *next = (*next + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    struct gpu_frame frame = {.address = *next};
    for (int i = 0; i < layout->planes; i++)
        frame.plane[i] =
            lay_plane(next, ksr_layout_plane_width(layout, i), ksr_layout_plane_height(layout, i));
    frame.bytes = (size_t)(*next - frame.address);
    return frame;
}

// Lays out all that is in the arena, which begins at `address`; returns its size.
static size_t lay_out(struct vulkan *p, uint64_t address)
{
    const struct ksr_recipe *r = &p->recipe;
    uint64_t next = address;
    for (int i = 0; i < SLOTS; i++) {
        p->slot[i].in = lay_frame(&next, &r->input);
        p->slot[i].out = lay_frame(&next, &r->output);
    }
    for (int i = 0; i < r->made.planes; i++)
        for (int k = 1; k < r->chain[i].count; k++)
            p->between[i][k] = lay_plane(&next, r->chain[i].width[k], r->chain[i].height[k]);
    for (int i = 0; i < 2 && r->temporal_on; i++) {
        p->current[i] = lay_frame(&next, &r->made);
        p->memory[i] = lay_frame(&next, &r->made);
    }
    if (ksr_recipe_fits(r)) {
        p->made = lay_frame(&next, &r->made);
        for (int i = 0; i < r->made.planes; i++)
            p->columns[i] = lay_plane(&next, ksr_layout_plane_width(&r->made, i),
                                      ksr_layout_plane_height(&r->output, i));
    }
    return (size_t)(next - address);
}

// Where a plane or frame of the arena is in its buffer.
static size_t offset_of(const struct vulkan *p, uint64_t address)
{
    return (size_t)(address - p->arena.address);
}

// Returns a frame of mapped memory.
static struct ksr_frame mapped_frame(const struct ksr_gpu_buffer *buffer,
                                     const struct ksr_layout *layout)
{
    struct ksr_frame frame = {.layout = *layout};
    uint16_t *next = buffer->map;
    for (int i = 0; i < layout->planes; i++) {
        struct ksr_plane *plane = &frame.plane[i];
        plane->width = ksr_layout_plane_width(layout, i);
        plane->height = ksr_layout_plane_height(layout, i);
        plane->stride = ksr_plane_stride(plane->width);
        plane->data = next;
        next += plane->stride * plane->height;
    }
    return frame;
}

// --- Recording ---

static const char *const task_names[KSR_TASKS] = {[KSR_TASK_CONVERT] = "convert",
                                                  [KSR_TASK_NORMALIZE] = "normalize",
                                                  [KSR_TASK_STRUCTURE] = "structure",
                                                  [KSR_TASK_UPSCALE] = "upscale",
                                                  [KSR_TASK_ENHANCE] = "enhance",
                                                  [KSR_TASK_TEMPORAL] = "temporal",
                                                  [KSR_TASK_FIT] = "fit"};

// Ends a group of commands: what follows reads what they wrote.
static void end_group(struct ksr_gpu_commands *c, enum ksr_task task)
{
    ksr_gpu_barrier(c);
    ksr_gpu_mark(c, task_names[task]);
}

static void record_step(struct vulkan *p, struct ksr_gpu_commands *c, const struct ksr_step *step,
                        const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *src)
{
    const struct ksr_gpu_stages *stages = &p->device->stages;
    switch (step->kind) {
    case KSR_STEP_NORMALIZE: ksr_gpu_normalize(c, stages, dst, src, &step->normalize); break;
    case KSR_STEP_STRUCTURE: ksr_gpu_structure(c, stages, dst, src, &step->structure); break;
    case KSR_STEP_UPSCALE: ksr_gpu_upscale(c, stages, dst, src, &step->upscale); break;
    case KSR_STEP_LEARNED: ksr_gpu_learned(c, stages, dst, src); break;
    case KSR_STEP_ENHANCE_LUMA: ksr_gpu_enhance_luma(c, stages, dst, src, &step->enhance); break;
    case KSR_STEP_ENHANCE_CHROMA:
        ksr_gpu_enhance_chroma(c, stages, dst, src, &step->enhance);
        break;
    case KSR_STEP_NETWORK:
        ksr_gpu_net_rows(c, p->net, dst, src, &p->scratch, 0, dst->height);
        break;
    case KSR_STEP_MODEL: // see can_do()
    case KSR_STEP_KINDS: break;
    }
}

// Runs the chains of all planes, from the slot's input to `last`. Steps of one task run together.
static void record_chains(struct vulkan *p, const struct slot *slot, struct ksr_gpu_commands *c,
                          const struct gpu_frame *last)
{
    const struct ksr_recipe *r = &p->recipe;
    int done[KSR_MAX_PLANES] = {0};
    for (;;) {
        enum ksr_task task = KSR_TASKS;
        for (int i = 0; i < r->made.planes; i++)
            if (done[i] < r->chain[i].count && ksr_step_task(&r->chain[i].step[done[i]]) < task)
                task = ksr_step_task(&r->chain[i].step[done[i]]);
        if (task == KSR_TASKS)
            return;
        for (int i = 0; i < r->made.planes; i++) {
            const struct ksr_chain *chain = &r->chain[i];
            const int k = done[i];
            if (k == chain->count || ksr_step_task(&chain->step[k]) != task)
                continue;
            record_step(p, c, &chain->step[k],
                        k + 1 == chain->count ? &last->plane[i] : &p->between[i][k + 1],
                        k == 0 ? &slot->in.plane[i] : &p->between[i][k]);
            done[i]++;
        }
        end_group(c, task);
    }
}

// Stage 5 on the current frame, number `frame` in the film; *shown: what comes of it.
static void record_temporal(struct vulkan *p, struct ksr_gpu_commands *c, int64_t frame,
                            bool follows, struct gpu_frame *shown)
{
    const struct ksr_recipe *r = &p->recipe;
    const struct ksr_gpu_stages *stages = &p->device->stages;
    const struct gpu_frame *cur = &p->current[p->turn], *before = &p->current[!p->turn];
    const int show = frame / r->temporal.period % 2 == 0;
    const struct ksr_gpu_blend blend = {.changed = p->changed.address,
                                        .samples =
                                            (uint32_t)r->made.width * (uint32_t)r->made.height,
                                        .forget = !follows,
                                        .fresh = frame % r->temporal.period == 0};
    if (follows) {
        ksr_gpu_fill(c, &p->changed, 0);
        ksr_gpu_barrier(c);
        ksr_gpu_changed(c, stages, &cur->plane[0], &before->plane[0], &r->temporal,
                        p->changed.address);
        ksr_gpu_barrier(c);
    }
    *shown = *cur;
    for (int i = 0; i < ksr_layout_picture_planes(&r->made); i++) {
        shown->plane[i] = p->memory[show].plane[i];
        ksr_gpu_temporal(c, stages, &shown->plane[i], &p->memory[!show].plane[i], &cur->plane[i],
                         &before->plane[i], &r->temporal, &blend);
    }
    end_group(c, KSR_TASK_TEMPORAL);
}

static void record_fit(struct vulkan *p, struct ksr_gpu_commands *c, const struct gpu_frame *out,
                       const struct gpu_frame *from)
{
    const struct ksr_gpu_stages *stages = &p->device->stages;
    for (int i = 0; i < p->recipe.made.planes; i++)
        ksr_gpu_fit_columns(c, stages, &p->fit, i, &p->columns[i], &from->plane[i]);
    ksr_gpu_barrier(c);
    for (int i = 0; i < p->recipe.made.planes; i++)
        ksr_gpu_fit_rows(c, stages, &p->fit, i, &out->plane[i], &p->columns[i]);
    end_group(c, KSR_TASK_FIT);
}

static void record_copy(struct vulkan *p, struct ksr_gpu_commands *c, const struct gpu_frame *out,
                        const struct gpu_frame *from)
{
    for (int i = 0; i < p->recipe.output.planes; i++) {
        const struct ksr_gpu_plane *to = &out->plane[i];
        ksr_gpu_copy(c, &p->arena, offset_of(p, to->data), &p->arena,
                     offset_of(p, from->plane[i].data),
                     (size_t)to->stride * (size_t)to->height * sizeof(uint16_t));
    }
    end_group(c, KSR_TASK_CONVERT);
}

static void record_work(struct vulkan *p, const struct slot *slot, struct ksr_gpu_commands *c,
                        int64_t frame, bool follows, bool warms_up)
{
    const bool fits = ksr_recipe_fits(&p->recipe), temporal = p->recipe.temporal_on;
    const struct gpu_frame *last = temporal ? &p->current[p->turn] : fits ? &p->made : &slot->out;
    struct gpu_frame result = *last;
    ksr_gpu_barrier(c); // the frame before is done with what this one writes
    ksr_gpu_mark(c, NULL);
    record_chains(p, slot, c, last);
    if (temporal)
        record_temporal(p, c, frame, follows, &result);
    if (fits && !warms_up)
        record_fit(p, c, &slot->out, &result);
    else if (temporal && !warms_up)
        record_copy(p, c, &slot->out, &result);
}

// --- Under way ---

static ksr_status submit_upload(struct vulkan *p, struct slot *slot)
{
    struct ksr_gpu_commands *c = &slot->uploading;
    ksr_status status = ksr_gpu_begin(c);
    if (status != KSR_OK)
        return status;
    ksr_gpu_copy(c, &p->arena, offset_of(p, slot->in.address), &slot->upload, 0, slot->in.bytes);
    return ksr_gpu_submit(c, NULL, 0);
}

static ksr_status submit_work(struct vulkan *p, struct slot *slot, int64_t frame, bool follows,
                              bool warms_up)
{
    const struct ksr_gpu_commands *after = &slot->uploading;
    ksr_status status = ksr_gpu_begin(&slot->working);
    if (status != KSR_OK)
        return status;
    record_work(p, slot, &slot->working, frame, follows, warms_up);
    status = ksr_gpu_submit(&slot->working, &after, 1);
    p->turn = !p->turn;
    return status;
}

static ksr_status submit_download(struct vulkan *p, struct slot *slot)
{
    const struct ksr_gpu_commands *after = &slot->working;
    struct ksr_gpu_commands *c = &slot->downloading;
    ksr_status status = ksr_gpu_begin(c);
    if (status != KSR_OK)
        return status;
    ksr_gpu_copy(c, &slot->download, 0, &p->arena, offset_of(p, slot->out.address),
                 slot->out.bytes);
    return ksr_gpu_submit(c, &after, 1);
}

static ksr_status submit(struct vulkan *p, struct slot *slot, int64_t frame, bool follows,
                         bool warms_up)
{
    ksr_status status = submit_upload(p, slot);
    if (status == KSR_OK)
        status = submit_work(p, slot, frame, follows, warms_up);
    if (status == KSR_OK && !warms_up)
        status = submit_download(p, slot);
    return status;
}

static struct entry *entry_of(const struct vulkan *p, int64_t number)
{
    return &p->entries[number % p->entry_count];
}

static struct slot *slot_of(struct vulkan *p, int64_t number)
{
    return &p->slot[number % SLOTS];
}

// --- Rows ---

struct transfer {
    struct ksr_frame from, to; // those that rows are read from or written to
    const struct ksr_row_source *source;
    const struct ksr_row_sink *sink;
};

// Rows of a band of plane i, as the processor's executor has them.
static void band_rows(const struct ksr_layout *layout, int i, int band, int *y0, int *y1)
{
    const int shift = ksr_layout_is_chroma(layout, i) ? layout->chroma_shift_y : 0;
    const bool last = (band + 1) * BAND_ROWS >= layout->height;
    *y0 = band * BAND_ROWS >> shift;
    *y1 = last ? ksr_layout_plane_height(layout, i) : (band + 1) * BAND_ROWS >> shift;
}

static int bands_of(const struct ksr_layout *layout)
{
    return (layout->height + BAND_ROWS - 1) / BAND_ROWS;
}

static void read_band(void *arg, int band, int thread)
{
    const struct transfer *t = arg;
    (void)thread;
    for (int i = 0; i < t->from.layout.planes; i++) {
        int y0, y1;
        band_rows(&t->from.layout, i, band, &y0, &y1);
        if (y0 < y1) {
            t->source->rows(t->source->opaque, i, &t->from.plane[i], y0, y1);
            if (t->to.layout.planes > 0)
                ksr_plane_copy_rows(&t->to.plane[i], &t->from.plane[i], y0, y1);
        }
    }
}

static void write_band(void *arg, int band, int thread)
{
    const struct transfer *t = arg;
    (void)thread;
    for (int i = 0; i < t->from.layout.planes; i++) {
        int y0, y1;
        band_rows(&t->from.layout, i, band, &y0, &y1);
        if (y0 < y1)
            t->sink->rows(t->sink->opaque, i, &t->from.plane[i], y0, y1);
    }
}

// Keeps the source, and copies it for the GPU.
static void read_source(struct vulkan *p, const struct entry *entry, const struct slot *slot,
                        const struct ksr_row_source *source)
{
    struct transfer t = {.from = entry->source, .source = source};
    if (!p->cpu)
        t.to = mapped_frame(&slot->upload, &p->recipe.input);
    ksr_pool_run(p->pool, read_band, &t, bands_of(&p->recipe.input));
}

static void write_result(struct vulkan *p, const struct slot *slot, const struct ksr_row_sink *sink)
{
    struct transfer t = {.from = mapped_frame(&slot->download, &p->recipe.output), .sink = sink};
    ksr_pool_run(p->pool, write_band, &t, bands_of(&p->recipe.output));
}

// --- The processor instead ---

static ksr_status cpu_push(ksr_context *ctx, struct vulkan *p, int64_t number, bool warms_up)
{
    const struct entry *e = entry_of(p, number);
    const struct ksr_row_source source = ksr_frame_source(&e->source);
    return ksr_pipeline_push(ctx, p->cpu, e->frame, &source, warms_up);
}

// Has the processor make push `number` and all that follow; those before it bring it to the same
// state.
static ksr_status fall_back(ksr_context *ctx, struct vulkan *p, int64_t number)
{
    int64_t from = number - p->recipe.warmup;
    ksr_status status = KSR_OK;
    ksr_log(ctx, KSR_LOG_WARNING, "device: the processor goes on, with the same result: %s: %s",
            p->gpu->info.name, p->gpu->trouble);
    p->device->failed = true;
    p->cpu = ksr_pipeline_create_cpu(&p->recipe, p->pool, 0);
    if (!p->cpu)
        return ksr_fail_memory(ctx);
    for (from = from > p->first ? from : p->first; from < number && status == KSR_OK; from++)
        status = cpu_push(ctx, p, from, true);
    return status;
}

// --- The executor ---

static ksr_status push(ksr_context *ctx, ksr_pipeline *pipeline, int64_t frame,
                       const struct ksr_row_source *source, bool warms_up)
{
    struct vulkan *p = (struct vulkan *)pipeline;
    if (warms_up && !p->recipe.temporal_on)
        return KSR_OK;
    const int64_t number = p->pushed;
    struct entry *entry = entry_of(p, number);
    struct slot *slot = slot_of(p, number);
    const bool follows = number > p->first && frame == entry_of(p, number - 1)->frame + 1;
    // A frame that only warmed up or was dropped may still be under way here.
    ksr_status status = p->cpu ? KSR_OK : ksr_gpu_wait(&slot->working);
    if (!p->cpu && status == KSR_OK)
        status = ksr_gpu_wait(&slot->downloading);
    read_source(p, entry, slot, source);
    entry->frame = frame;
    if (!p->cpu && status == KSR_OK)
        status = submit(p, slot, frame, follows, warms_up);
    p->pushed++;
    if (status != KSR_OK)
        status = fall_back(ctx, p, number - p->base.held);
    if (status == KSR_OK && p->cpu && warms_up)
        status = cpu_push(ctx, p, number, true);
    return status;
}

// Adds up what the marks of a frame say.
static void take_marks(struct vulkan *p, struct ksr_gpu_commands *c)
{
    for (int i = 1; i < c->marks; i++) {
        enum ksr_task task = KSR_TASK_UPSCALE; // networks have marks of their own
        for (int k = 0; k < KSR_TASKS; k++)
            if (c->mark[i] == task_names[k])
                task = (enum ksr_task)k;
        p->seconds[task] += ksr_gpu_mark_seconds(c, i);
    }
}

static ksr_status pull(ksr_context *ctx, ksr_pipeline *pipeline, const struct ksr_row_sink *sink)
{
    struct vulkan *p = (struct vulkan *)pipeline;
    const int64_t number = p->pushed - p->base.held - 1;
    struct slot *slot = slot_of(p, number);
    ksr_status status = p->cpu ? KSR_OK : ksr_gpu_wait(&slot->downloading);
    if (status != KSR_OK)
        status = fall_back(ctx, p, number);
    if (p->cpu) {
        if (status == KSR_OK)
            status = cpu_push(ctx, p, number, false);
        return status == KSR_OK ? ksr_pipeline_pull(ctx, p->cpu, sink) : status;
    }
    take_marks(p, &slot->working);
    write_result(p, slot, sink);
    return KSR_OK;
}

static void reset(ksr_pipeline *pipeline)
{
    struct vulkan *p = (struct vulkan *)pipeline;
    p->first = p->pushed;
    if (p->cpu)
        ksr_pipeline_reset(p->cpu);
}

static void take_times(ksr_pipeline *pipeline, double seconds[KSR_TASKS])
{
    struct vulkan *p = (struct vulkan *)pipeline;
    if (p->cpu)
        ksr_pipeline_take_times(p->cpu, seconds);
    for (int i = 0; i < KSR_TASKS; i++) {
        seconds[i] = p->seconds[i] + (p->cpu ? seconds[i] : 0);
        p->seconds[i] = 0;
    }
}

// --- Life ---

static void destroy(ksr_pipeline *pipeline)
{
    struct vulkan *p = (struct vulkan *)pipeline;
    ksr_gpu_idle(p->gpu);
    for (int i = 0; i < SLOTS; i++) {
        struct slot *slot = &p->slot[i];
        ksr_gpu_commands_free(&slot->uploading);
        ksr_gpu_commands_free(&slot->working);
        ksr_gpu_commands_free(&slot->downloading);
        ksr_gpu_buffer_free(p->gpu, &slot->upload);
        ksr_gpu_buffer_free(p->gpu, &slot->download);
    }
    ksr_gpu_fit_free(p->gpu, &p->fit);
    ksr_gpu_buffer_free(p->gpu, &p->scratch);
    ksr_gpu_buffer_free(p->gpu, &p->changed);
    ksr_gpu_buffer_free(p->gpu, &p->arena);
    for (int64_t i = 0; i < p->entry_count; i++)
        ksr_frame_free(&p->entries[i].source);
    free(p->entries);
    ksr_pipeline_destroy(&p->cpu);
    free(p);
}

static ksr_status create_slot(struct vulkan *p, struct slot *slot)
{
    struct ksr_gpu *gpu = p->gpu;
    ksr_status status = ksr_gpu_buffer_create(gpu, &slot->upload, KSR_GPU_UPLOAD, slot->in.bytes);
    if (status == KSR_OK) // the sink may read behind the last sample
        status = ksr_gpu_buffer_create(gpu, &slot->download, KSR_GPU_DOWNLOAD,
                                       slot->out.bytes + KSR_ALIGN);
    if (status == KSR_OK)
        status = ksr_gpu_commands_create(gpu, gpu->upload, &slot->uploading);
    if (status == KSR_OK)
        status = ksr_gpu_commands_create(gpu, gpu->compute, &slot->working);
    if (status == KSR_OK)
        status = ksr_gpu_commands_create(gpu, gpu->download, &slot->downloading);
    return status;
}

static ksr_status create_memory(struct vulkan *p)
{
    const struct ksr_recipe *r = &p->recipe;
    ksr_status status = ksr_gpu_buffer_create(p->gpu, &p->arena, KSR_GPU_LOCAL, lay_out(p, 0));
    if (status == KSR_OK) {
        lay_out(p, p->arena.address);
        status = ksr_gpu_buffer_create(p->gpu, &p->changed, KSR_GPU_LOCAL, ALIGNMENT);
    }
    for (int i = 0; i < SLOTS && status == KSR_OK; i++)
        status = create_slot(p, &p->slot[i]);
    if (status == KSR_OK && ksr_recipe_fits(r))
        status = ksr_gpu_fit_create(p->gpu, &p->fit, &r->made, &r->output);
    return status;
}

static ksr_status create_entries(struct vulkan *p)
{
    bool ok = true;
    p->entry_count = SLOTS + p->recipe.warmup;
    p->entries = calloc((size_t)p->entry_count, sizeof(p->entries[0]));
    for (int64_t i = 0; i < p->entry_count && p->entries && ok; i++)
        ok = ksr_frame_alloc(&p->entries[i].source, &p->recipe.input);
    if (!p->entries)
        p->entry_count = 0;
    return p->entries && ok
               ? KSR_OK
               : ksr_gpu_check(p->gpu, VK_ERROR_OUT_OF_HOST_MEMORY, "keep the last frames");
}

// A network works on bands of rows, the higher the better, where memory is short.
static ksr_status create_network(ksr_context *ctx, struct vulkan *p)
{
    const struct ksr_chain *chain = &p->recipe.chain[0];
    int width = 0, rows = 0;
    if (!p->recipe.net)
        return KSR_OK;
    ksr_status status = ksr_device_net(ctx, p->device, p->recipe.net, &p->net);
    for (int k = 0; k < chain->count; k++)
        if (chain->step[k].kind == KSR_STEP_NETWORK) {
            width = chain->width[k];
            rows = chain->height[k];
        }
    while (status == KSR_OK) {
        status = ksr_gpu_buffer_create(p->gpu, &p->scratch, KSR_GPU_LOCAL,
                                       ksr_gpu_net_scratch(p->net, width, rows));
        if (status != KSR_E_NOMEM || rows <= NET_ROWS_LEAST)
            return status;
        rows = (rows + 1) / 2;
        status = KSR_OK;
    }
    return status;
}

// Models run in ONNX Runtime, which has devices of its own.
static bool can_do(ksr_context *ctx, const ksr_device *device, const struct ksr_recipe *recipe)
{
    const char *lacks = recipe->model ? ".onnx models"
                        : recipe->net && !recipe->net->plain
                            ? "networks of several resolutions or widths"
                            : NULL;
    if (lacks)
        ksr_log(ctx, KSR_LOG_WARNING, "device: the processor runs the stages: %s does not run %s",
                device->gpu->info.name, lacks);
    return !device->failed && !lacks;
}

ksr_pipeline *ksr_pipeline_create_device(ksr_context *ctx, ksr_device *device,
                                         const struct ksr_recipe *recipe, ksr_pool *pool)
{
    static const struct ksr_executor executor = {"vulkan", push, pull, reset, take_times, destroy};
    if (!can_do(ctx, device, recipe))
        return NULL;
    struct vulkan *p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    p->base.executor = &executor;
    p->base.delay = SLOTS - 1;
    p->recipe = *recipe;
    p->pool = pool;
    p->device = device;
    p->gpu = device->gpu;
    ksr_pipeline *pipeline = &p->base;
    ksr_status status = create_entries(p);
    if (status == KSR_OK)
        status = create_memory(p);
    if (status == KSR_OK)
        status = create_network(ctx, p);
    if (status != KSR_OK) {
        ksr_log(ctx, KSR_LOG_WARNING, "device: the processor runs the stages: %s: %s",
                device->gpu->info.name, device->gpu->trouble);
        ksr_pipeline_destroy(&pipeline);
    }
    return pipeline;
}
