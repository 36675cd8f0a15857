// The executor of a GPU: whole frames, up to three under way; see pipeline.h.
//
//     push: source -> upload buffer -> (upload queue) given
//           given -> the recipe -> made (compute queue)
//           made -> download buffer (download queue)
//     pull: waits for the download; download buffer -> sink
//
// With composite video, what is made is not the frame that was pushed but the one two before it, of
// frames that stay on the GPU; and at a pull those that nothing follows (around.h).
//
// Frames cross the bus as they come from the decoder and go to the encoder: the GPU unpacks and
// packs the codes. Which codes an encoder wants shows when the first frame is pulled. Those before
// are packed as working samples, which every sink takes.
//
// A GPU that fails is replaced by the processor, for the frames under way too: the codes of the
// last sources are kept, as many as stage 5 needs to come to the same state again.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "frame/rgb_reader.h"
#include "pipeline/vulkan_recipe.h"

#define SLOTS      3  // frames under way, or fewer where memory is short
#define BANDS_MOST 16 // that a frame is made in, where memory is shorter still
#define BAND_ROWS  64 // that one thread copies

// What one frame under way occupies: mapped buffers, and codes in the GPU's memory. A frame that is
// pushed takes those in, by the number of its push; one that is made those out, by how many were
// made before it. Without composite video both are the same.
struct slot {
    struct ksr_gpu_buffer upload, download;
    struct ksr_gpu_buffer given, made;
    struct ksr_raw_frame result; // in `download`
    struct ksr_gpu_commands uploading, working, downloading;
    struct ksr_gpu_commands taking; // before `working`; of composite video only
};

// A frame that was pushed, with the codes of its source.
struct entry {
    int64_t frame;
    bool warms_up;
    struct ksr_raw_frame raw; // in `block`
    uint8_t *block;
    size_t bytes; // used of it
};

struct vulkan {
    struct ksr_pipeline base;
    struct ksr_recipe recipe;
    ksr_pool *pool;     // borrowed
    ksr_device *device; // borrowed
    struct ksr_gpu *gpu;
    ksr_pipeline *cpu;   // after a failure
    int64_t cpu_next;    // the first push that it has not had
    ksr_rgb_reader *rgb; // for that, once frames of RGB are kept

    struct slot slot[SLOTS];
    int slots;             // in use
    struct entry *entries; // of the last pushes, by number modulo their count
    int64_t entry_count, pushed;
    int64_t first;            // push before which all is forgotten
    struct ksr_around around; // of composite video: its numbers are those of pushes
    int64_t made;             // frames
    int under_way;            // of these: not pulled
    int64_t last;             // the last one's number in the film
    bool remembers;           // it is remembered

    struct ksr_raw_frame wanted; // by the last sink; the format counts
    struct ksr_gpu_recipe work;
    double seconds[KSR_TASKS];
};

static struct entry *entry_of(const struct vulkan *p, int64_t number)
{
    return &p->entries[number % p->entry_count];
}

static bool is_composite(const struct vulkan *p)
{
    return p->recipe.composite_on;
}

static struct slot *slot_of(struct vulkan *p, int64_t number)
{
    return &p->slot[number % p->slots];
}

// --- Under way ---

static ksr_status submit_upload(const struct entry *entry, struct slot *slot)
{
    struct ksr_gpu_commands *c = &slot->uploading;
    ksr_status status = ksr_gpu_begin(c);
    if (status != KSR_OK)
        return status;
    ksr_gpu_mark(c, NULL);
    ksr_gpu_copy(c, &slot->given, 0, &slot->upload, 0, entry->bytes);
    ksr_gpu_mark(c, "upload");
    return ksr_gpu_submit(c, NULL, 0);
}

static void record_take(struct vulkan *p, struct ksr_gpu_commands *c, const struct entry *entry,
                        const struct slot *slot)
{
    const struct ksr_gpu_raw in = {&entry->raw, entry->block, slot->given.address};
    ksr_gpu_recipe_take(&p->work, c, p->pushed, &in);
}

// Has the frame of the next push unpacked, to be made later.
static ksr_status submit_take(struct vulkan *p, const struct entry *entry, struct slot *slot)
{
    const struct ksr_gpu_commands *after = &slot->uploading;
    ksr_status status = ksr_gpu_begin(&slot->taking);
    if (status != KSR_OK)
        return status;
    record_take(p, &slot->taking, entry, slot);
    return ksr_gpu_submit(&slot->taking, &after, 1);
}

// taken: NULL, or the entry that is unpacked before.
static ksr_status submit_work(struct vulkan *p, const struct entry *taken, struct slot *slot,
                              const struct ksr_gpu_making *making, bool warms_up)
{
    const struct ksr_gpu_commands *after = &slot->uploading;
    const struct ksr_gpu_raw out = {&slot->result, slot->download.map, slot->made.address};
    ksr_status status = ksr_gpu_begin(&slot->working);
    if (status != KSR_OK)
        return status;
    if (taken)
        record_take(p, &slot->working, taken, slot);
    ksr_gpu_recipe_make(&p->work, &slot->working, making, warms_up ? NULL : &out);
    return ksr_gpu_submit(&slot->working, &after, taken ? 1 : 0);
}

static ksr_status submit_download(struct slot *slot, size_t bytes)
{
    const struct ksr_gpu_commands *after = &slot->working;
    struct ksr_gpu_commands *c = &slot->downloading;
    ksr_status status = ksr_gpu_begin(c);
    if (status != KSR_OK)
        return status;
    ksr_gpu_mark(c, NULL);
    ksr_gpu_copy(c, &slot->download, 0, &slot->made, 0, bytes);
    ksr_gpu_mark(c, "download");
    return ksr_gpu_submit(c, &after, 1);
}

// Waits until nothing is under way of what was made in the next frame's slot: one that only warmed
// up, or was dropped.
static ksr_status wait_for_slot(struct vulkan *p)
{
    struct slot *slot = slot_of(p, p->made);
    const ksr_status status = ksr_gpu_wait(&slot->working);
    return status == KSR_OK ? ksr_gpu_wait(&slot->downloading) : status;
}

// Has a frame made, in the slot that was waited for.
static ksr_status submit_make(struct vulkan *p, const struct entry *taken,
                              struct ksr_gpu_making *making, bool warms_up)
{
    struct slot *slot = slot_of(p, p->made);
    size_t bytes;
    slot->result = ksr_raw_block(&p->wanted, &p->recipe.output, slot->download.map, &bytes);
    making->follows = p->remembers && making->frame == p->last + 1;
    p->last = making->frame;
    p->remembers = true;
    ksr_status status = submit_work(p, taken, slot, making, warms_up);
    if (status == KSR_OK && !warms_up)
        status = submit_download(slot, bytes);
    p->made++;
    p->under_way += !warms_up;
    return status;
}

// Has frames of composite video made that are ready.
static ksr_status submit_ready(struct vulkan *p, bool drains)
{
    ksr_status status = KSR_OK;
    while (status == KSR_OK && p->under_way < p->slots && ksr_around_ready(&p->around, drains)) {
        struct ksr_gpu_making making = {.number = p->around.next};
        const struct ksr_around_frame *f = ksr_around_take(&p->around, making.around);
        making.frame = f->frame;
        if (f->warms_up && !p->recipe.temporal_on)
            continue;
        status = wait_for_slot(p);
        if (status == KSR_OK)
            status = submit_make(p, NULL, &making, f->warms_up);
    }
    return status;
}

static ksr_status submit(struct vulkan *p, const struct entry *entry, struct slot *slot)
{
    struct ksr_gpu_making making = {.frame = entry->frame};
    ksr_status status = submit_upload(entry, slot);
    if (status == KSR_OK && is_composite(p))
        status = submit_take(p, entry, slot);
    else if (status == KSR_OK)
        status = submit_make(p, entry, &making, entry->warms_up);
    return status;
}

// --- Rows ---

// Returns plane i of working samples in a block.
static struct ksr_plane samples_of(const struct ksr_raw_frame *block,
                                   const struct ksr_layout *layout, int i)
{
    return (struct ksr_plane){(uint16_t *)(void *)block->plane[i].data, block->plane[i].stride / 2,
                              ksr_layout_plane_width(layout, i),
                              ksr_layout_plane_height(layout, i)};
}

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

struct reading {
    const struct ksr_layout *layout;
    const struct ksr_row_source *source;
    struct ksr_raw_frame kept, upload;
    bool uploads;
};

static void read_band(void *arg, int band, int thread)
{
    const struct reading *r = arg;
    (void)thread;
    for (int i = 0; i < r->layout->planes; i++) {
        const struct ksr_plane samples = samples_of(&r->kept, r->layout, i);
        int y0, y1;
        band_rows(r->layout, i, band, &y0, &y1);
        if (y0 >= y1)
            continue;
        if (r->source->raw)
            ksr_raw_copy_rows(&r->kept, r->source->raw, r->layout, i, y0, y1);
        else
            r->source->rows(r->source->opaque, i, &samples, y0, y1);
        if (r->uploads)
            ksr_raw_copy_rows(&r->upload, &r->kept, r->layout, i, y0, y1);
    }
}

// Keeps the codes of a source, and copies them for the GPU.
static void read_source(struct vulkan *p, struct entry *entry, const struct slot *slot,
                        const struct ksr_row_source *source)
{
    const struct ksr_layout *layout = &p->recipe.input;
    struct reading r = {.layout = layout, .source = source, .uploads = !p->cpu};
    r.kept = ksr_raw_block(source->raw, layout, entry->block, &entry->bytes);
    if (r.uploads)
        r.upload = ksr_raw_block(&r.kept, layout, slot->upload.map, NULL);
    entry->raw = r.kept;
    ksr_pool_run(p->pool, read_band, &r, bands_of(layout));
}

struct writing {
    const struct ksr_layout *layout;
    const struct ksr_row_sink *sink;
    const struct ksr_raw_frame *result;
    bool packed; // for the sink
};

static void write_band(void *arg, int band, int thread)
{
    const struct writing *w = arg;
    (void)thread;
    for (int i = 0; i < w->layout->planes; i++) {
        const struct ksr_plane samples = samples_of(w->result, w->layout, i);
        int y0, y1;
        band_rows(w->layout, i, band, &y0, &y1);
        if (y0 < y1 && w->packed)
            ksr_raw_copy_rows(w->sink->raw, w->result, w->layout, i, y0, y1);
        else if (y0 < y1)
            w->sink->rows(w->sink->opaque, i, &samples, y0, y1);
    }
}

// Fails if the frame was packed for a sink of another format.
static ksr_status write_result(struct vulkan *p, const struct slot *slot,
                               const struct ksr_row_sink *sink)
{
    const struct ksr_layout *layout = &p->recipe.output;
    const struct ksr_raw_frame samples = ksr_raw_block(NULL, layout, slot->download.map, NULL);
    p->wanted = ksr_raw_block(sink->raw, layout, slot->download.map, NULL);
    const bool packed = sink->raw && ksr_raw_equal(&slot->result, &p->wanted, layout->planes);
    struct writing w = {layout, sink, &slot->result, packed};
    if (!packed && !ksr_raw_equal(&slot->result, &samples, layout->planes)) {
        snprintf(p->gpu->trouble, sizeof(p->gpu->trouble), "the format of the output changed");
        return KSR_E_PROCESS;
    }
    ksr_pool_run(p->pool, write_band, &w, bands_of(layout));
    return KSR_OK;
}

// --- The processor instead ---

// Returns how many of the last pushes only follow those that are held.
static int after_of(const struct vulkan *p)
{
    return is_composite(p) ? p->around.after : 0;
}

static ksr_status cpu_push(ksr_context *ctx, struct vulkan *p, int64_t number, bool warms_up)
{
    const struct entry *e = entry_of(p, number);
    struct ksr_row_source source = ksr_raw_source(&e->raw);
    if (e->raw.rgb && !p->rgb)
        p->rgb = ksr_rgb_reader_create(&p->recipe.input);
    if (e->raw.rgb && !p->rgb)
        return ksr_fail_memory(ctx);
    const struct ksr_row_source codes = source;
    if (e->raw.rgb)
        source = ksr_rgb_reader_start(p->rgb, &codes);
    return ksr_pipeline_push(ctx, p->cpu, e->frame, &source, warms_up);
}

// Gives the processor all pushes that it can take.
static ksr_status cpu_feed(ksr_context *ctx, struct vulkan *p)
{
    ksr_status status = KSR_OK;
    for (; status == KSR_OK && p->cpu_next < p->pushed && p->cpu->held <= p->cpu->delay;
         p->cpu_next++)
        status = cpu_push(ctx, p, p->cpu_next, entry_of(p, p->cpu_next)->warms_up);
    return status;
}

// Has the processor make push `number` and all that follow; those before it bring it to the same
// state.
static ksr_status fall_back(ksr_context *ctx, struct vulkan *p, int64_t number)
{
    int64_t from = number - p->recipe.warmup;
    ksr_log(ctx, KSR_LOG_WARNING, "device: the processor goes on, with the same result: %s: %s",
            p->gpu->info.name, p->gpu->trouble);
    p->device->failed = true;
    p->base.device = NULL;
    ksr_status status = ksr_pipeline_create(ctx, &p->recipe, NULL, p->pool, &p->cpu);
    for (from = from > p->first ? from : p->first; from < number && status == KSR_OK; from++)
        status = cpu_push(ctx, p, from, true);
    p->cpu_next = number;
    return status;
}

// --- The executor ---

// Adds up what the marks of a list say.
static void take_marks(struct vulkan *p, struct ksr_gpu_commands *c)
{
    for (int i = 1; i < c->marks; i++) {
        const double seconds = ksr_gpu_mark_seconds(c, i);
        p->seconds[ksr_gpu_recipe_task(c->mark[i])] += seconds;
        ksr_device_add_kernel(p->device, c->mark[i], seconds);
    }
}

// Waits until the next push's part of its slot is free.
static ksr_status wait_for_taken(struct vulkan *p, struct slot *slot)
{
    if (!is_composite(p))
        return wait_for_slot(p);
    const ksr_status status = ksr_gpu_wait(&slot->taking);
    if (status == KSR_OK && slot->taking.marks > 0) {
        take_marks(p, &slot->taking);
        p->device->times.upload += ksr_gpu_mark_seconds(&slot->uploading, 1);
    }
    return status;
}

static ksr_status push(ksr_context *ctx, ksr_pipeline *pipeline, int64_t frame,
                       const struct ksr_row_source *source, bool warms_up)
{
    struct vulkan *p = (struct vulkan *)pipeline;
    if (warms_up && p->recipe.warmup == 0)
        return KSR_OK;
    if (is_composite(p)) {
        if (!ksr_around_push(&p->around, frame, warms_up, p->base.held))
            return KSR_OK;
        p->pushed = p->around.pushed - 1; // fewer than before where this one replaces some
    }
    struct entry *entry = entry_of(p, p->pushed);
    struct slot *slot = slot_of(p, p->pushed);
    ksr_status status = p->cpu ? KSR_OK : wait_for_taken(p, slot);
    read_source(p, entry, slot, source);
    entry->frame = frame;
    entry->warms_up = warms_up;
    p->cpu_next = p->cpu_next < p->pushed ? p->cpu_next : p->pushed;
    if (!p->cpu && status == KSR_OK)
        status = submit(p, entry, slot);
    p->pushed++;
    if (!p->cpu && status == KSR_OK && is_composite(p))
        status = submit_ready(p, false);
    if (status != KSR_OK)
        status = fall_back(ctx, p, p->pushed - (after_of(p) > 0 ? after_of(p) : 1) - p->base.held);
    if (status == KSR_OK && p->cpu && warms_up && p->base.held == 0)
        status = cpu_feed(ctx, p);
    return status;
}

static ksr_status pull(ksr_context *ctx, ksr_pipeline *pipeline, const struct ksr_row_sink *sink)
{
    struct vulkan *p = (struct vulkan *)pipeline;
    ksr_status status = KSR_OK;
    if (!p->cpu && is_composite(p))
        status = submit_ready(p, true);
    struct slot *slot = slot_of(p, p->made - p->under_way);
    if (status == KSR_OK && !p->cpu)
        status = ksr_gpu_wait(&slot->downloading);
    if (status == KSR_OK && !p->cpu)
        status = write_result(p, slot, sink);
    if (status != KSR_OK)
        status = fall_back(ctx, p, p->pushed - after_of(p) - p->base.held - 1);
    if (status == KSR_OK && p->cpu)
        status = cpu_feed(ctx, p);
    if (status == KSR_OK && p->cpu)
        status = ksr_pipeline_pull(ctx, p->cpu, sink);
    if (status != KSR_OK || p->cpu)
        return status;
    p->under_way--;
    take_marks(p, &slot->working);
    if (!is_composite(p))
        p->device->times.upload += ksr_gpu_mark_seconds(&slot->uploading, 1);
    p->device->times.download += ksr_gpu_mark_seconds(&slot->downloading, 1);
    return KSR_OK;
}

static void reset(ksr_pipeline *pipeline)
{
    struct vulkan *p = (struct vulkan *)pipeline;
    ksr_around_reset(&p->around);
    p->first = p->cpu_next = p->pushed;
    p->under_way = 0;
    p->remembers = false;
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

static void free_slot(struct vulkan *p, struct slot *slot)
{
    ksr_gpu_commands_free(&slot->uploading);
    ksr_gpu_commands_free(&slot->taking);
    ksr_gpu_commands_free(&slot->working);
    ksr_gpu_commands_free(&slot->downloading);
    ksr_gpu_buffer_free(p->gpu, &slot->upload);
    ksr_gpu_buffer_free(p->gpu, &slot->download);
    ksr_gpu_buffer_free(p->gpu, &slot->given);
    ksr_gpu_buffer_free(p->gpu, &slot->made);
}

static void free_memory(struct vulkan *p)
{
    for (int i = 0; i < SLOTS; i++)
        free_slot(p, &p->slot[i]);
    ksr_gpu_recipe_free(&p->work);
}

static void destroy(ksr_pipeline *pipeline)
{
    struct vulkan *p = (struct vulkan *)pipeline;
    ksr_gpu_idle(p->gpu);
    free_memory(p);
    for (int64_t i = 0; i < p->entry_count; i++)
        ksr_aligned_free(p->entries[i].block);
    free(p->entries);
    ksr_pipeline_destroy(&p->cpu);
    ksr_rgb_reader_destroy(&p->rgb);
    free(p);
}

// Makes a buffer for a frame in any format.
static ksr_status create_block(struct vulkan *p, struct ksr_gpu_buffer *out,
                               enum ksr_gpu_place place, const struct ksr_layout *layout)
{
    size_t bytes;
    ksr_raw_block(NULL, layout, NULL, &bytes);
    bytes += KSR_ALIGN; // a sink may read behind the last sample
    return ksr_gpu_buffer_create(p->gpu, out, place, bytes);
}

static ksr_status create_slot(struct vulkan *p, struct slot *slot)
{
    struct ksr_gpu *gpu = p->gpu;
    ksr_status status = create_block(p, &slot->upload, KSR_GPU_UPLOAD, &p->recipe.input);
    if (status == KSR_OK)
        status = create_block(p, &slot->given, KSR_GPU_LOCAL, &p->recipe.input);
    if (status == KSR_OK)
        status = create_block(p, &slot->made, KSR_GPU_LOCAL, &p->recipe.output);
    if (status == KSR_OK)
        status = create_block(p, &slot->download, KSR_GPU_DOWNLOAD, &p->recipe.output);
    if (status == KSR_OK)
        status = ksr_gpu_commands_create(gpu, gpu->upload, &slot->uploading);
    if (status == KSR_OK && is_composite(p))
        status = ksr_gpu_commands_create(gpu, gpu->compute, &slot->taking);
    if (status == KSR_OK)
        status = ksr_gpu_commands_create(gpu, gpu->compute, &slot->working);
    if (status == KSR_OK)
        status = ksr_gpu_commands_create(gpu, gpu->download, &slot->downloading);
    return status;
}

static ksr_status create_entries(struct vulkan *p)
{
    size_t bytes;
    bool ok = true;
    ksr_raw_block(NULL, &p->recipe.input, NULL, &bytes);
    p->entry_count = SLOTS + p->recipe.warmup + (is_composite(p) ? 2 * KSR_COMPOSITE_AROUND : 0);
    p->entries = calloc((size_t)p->entry_count, sizeof(p->entries[0]));
    for (int64_t i = 0; i < p->entry_count && p->entries && ok; i++) {
        p->entries[i].block = ksr_aligned_calloc(bytes);
        ok = p->entries[i].block != NULL;
    }
    if (!p->entries)
        p->entry_count = 0;
    return p->entries && ok
               ? KSR_OK
               : ksr_gpu_check(p->gpu, VK_ERROR_OUT_OF_HOST_MEMORY, "keep the last frames");
}

// A failure leaves nothing.
static ksr_status try_memory(ksr_context *ctx, struct vulkan *p, int slots, int bands)
{
    ksr_status status = KSR_OK;
    for (int i = 0; i < slots && status == KSR_OK; i++)
        status = create_slot(p, &p->slot[i]);
    if (status == KSR_OK)
        status = ksr_gpu_recipe_create(ctx, &p->work, p->device, &p->recipe, bands);
    if (status != KSR_OK)
        free_memory(p);
    p->slots = slots;
    p->base.ahead = is_composite(p) ? KSR_COMPOSITE_AROUND : 0;
    p->base.delay = slots - 1 + p->base.ahead;
    return status;
}

// Where memory is short, fewer frames are under way; then the one that is left is made in bands.
static ksr_status create_memory(ksr_context *ctx, struct vulkan *p)
{
    int slots = SLOTS, bands = 1;
    ksr_status status = try_memory(ctx, p, slots, bands);
    while (status == KSR_E_NOMEM && bands < BANDS_MOST) {
        if (slots > 1)
            slots--;
        else
            bands *= 2;
        status = try_memory(ctx, p, slots, bands);
    }
    if (status == KSR_OK && slots < SLOTS)
        ksr_log(ctx, KSR_LOG_INFO,
                "device: %s: GPU memory is short: frames under way: %d instead of %d, parts of a "
                "frame: %d (use fewer {workers})",
                p->gpu->info.name, slots, SLOTS, bands);
    return status;
}

// Models run in ONNX Runtime, which has devices of its own.
static bool can_do(ksr_context *ctx, const ksr_device *device, const struct ksr_recipe *recipe)
{
    if (recipe->model)
        ksr_log(ctx, KSR_LOG_WARNING,
                "device: the processor runs the stages: %s does not run .onnx models",
                device->gpu->info.name);
    return !device->failed && !recipe->model;
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
    p->base.device = device;
    p->recipe = *recipe;
    p->pool = pool;
    p->device = device;
    p->gpu = device->gpu;
    ksr_pipeline *pipeline = &p->base;
    p->wanted = ksr_raw_block(NULL, &p->recipe.output, NULL, NULL);
    ksr_status status = create_entries(p);
    if (status == KSR_OK)
        status = create_memory(ctx, p);
    if (status != KSR_OK) {
        ksr_log(ctx, KSR_LOG_WARNING, "device: the processor runs the stages: %s: %s",
                device->gpu->info.name, device->gpu->trouble);
        ksr_pipeline_destroy(&pipeline);
    }
    return pipeline;
}
