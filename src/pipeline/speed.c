// How fast this machine runs a network; see speed.h.

#include "pipeline/speed.h"

#include <time.h>

#include "core/clock.h"
#include "core/cpu.h"
#include "core/mem.h"
#include "frame/tile.h"
#include "pipeline/warm.h"

#define FIRST_WIDTH 64   // of the part of a frame that is tried first
#define LONG        0.04 // seconds for a frame that are enough to go by

// --- The place ---

// The GPU of a run: the fastest that works, or the first of those named that does.
static ksr_device *open_gpu(const struct ksr_device_choice *choice)
{
    char reason[KSR_DEVICE_TEXT];
    int order[KSR_DEVICE_MOST];
    const bool any = choice->all || (choice->automatic && ksr_device_may_exist());
    const int count = any ? ksr_device_rank(order, reason) : choice->gpus;
    ksr_device *device = NULL;
    for (int i = 0; i < count && !device; i++)
        device = ksr_device_open(any ? order[i] : choice->gpu[i], reason);
    return device;
}

ksr_status ksr_speed_open(ksr_context *ctx, const char *names, struct ksr_speed_place *out)
{
    struct ksr_device_choice choice;
    *out = (struct ksr_speed_place){.threads = ksr_min(ksr_cpu_count(), 64)};
    const ksr_status status = ksr_device_choose(ctx, names, false, &choice);
    if (status != KSR_OK)
        return status;
    out->device = open_gpu(&choice);
    if (out->threads > 1)
        out->pool = ksr_pool_create(out->threads);
    return out->pool || out->threads == 1 ? KSR_OK : ksr_fail_memory(ctx);
}

void ksr_speed_close(struct ksr_speed_place *place)
{
    ksr_device_close(&place->device);
    ksr_pool_destroy(&place->pool);
}

// --- Frames ---

struct run {
    ksr_pipeline *pipeline;
    struct ksr_raw_frame in, out;
    uint8_t *codes;
    int64_t frame;
};

static void drop_rows(void *opaque, int plane, const struct ksr_plane *src, int y0, int y1)
{
    (void)opaque;
    (void)plane;
    (void)src;
    (void)y0;
    (void)y1;
}

static bool make_codes(struct run *r, const struct ksr_recipe *recipe)
{
    const struct ksr_raw_frame before = ksr_raw_codes(&recipe->input);
    const struct ksr_raw_frame after = ksr_raw_codes(&recipe->output);
    size_t in, out;
    ksr_raw_block(&before, &recipe->input, NULL, &in);
    ksr_raw_block(&after, &recipe->output, NULL, &out);
    r->codes = ksr_aligned_calloc(in + out);
    if (!r->codes)
        return false;
    r->in = ksr_raw_block(&before, &recipe->input, r->codes, NULL);
    r->out = ksr_raw_block(&after, &recipe->output, r->codes + in, NULL);
    for (size_t i = 0; i < in; i++) // what it is has no influence on the speed
        r->codes[i] = (uint8_t)(60 + i * 7 % 160);
    return true;
}

static ksr_status open_run(ksr_context *ctx, const struct ksr_speed_place *place,
                           const ksr_engine *engine, ksr_device *device, int width, struct run *r)
{
    const struct ksr_layout layout = {.width = width,
                                      .height = KSR_SPEED_HEIGHT,
                                      .planes = 3,
                                      .chroma_shift_x = 1,
                                      .chroma_shift_y = 1,
                                      .siting_y = KSR_SITING_CENTRED};
    struct ksr_pipeline_config config = ksr_pipeline_config_default();
    struct ksr_recipe recipe;
    config.use_ai = true;
    config.denoise = 0;
    *r = (struct run){0};
    if (!ksr_recipe_make(&recipe, &layout, &config, engine) || !make_codes(r, &recipe))
        return ksr_fail_memory(ctx);
    return ksr_pipeline_create(ctx, &recipe, device, place->pool, &r->pipeline);
}

static void close_run(struct run *r)
{
    ksr_pipeline_destroy(&r->pipeline);
    ksr_aligned_free(r->codes);
}

// Hands in a frame, and takes out all but `most` of those that are held.
static ksr_status run_frame(ksr_context *ctx, struct run *r, int most)
{
    const struct ksr_row_source source = ksr_raw_source(&r->in);
    const struct ksr_row_sink sink = {drop_rows, NULL, &r->out};
    ksr_status status = ksr_check_cancel(ctx);
    if (status == KSR_OK)
        status = ksr_pipeline_push(ctx, r->pipeline, r->frame++, &source, false);
    while (status == KSR_OK && r->pipeline->held > most)
        status = ksr_pipeline_pull(ctx, r->pipeline, &sink);
    return status;
}

// --- Time ---

// Seconds that all threads of the program have worked: what other programs do does not count.
static double worked(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

// *seconds: what each thread works for a frame.
static ksr_status time_processor(ksr_context *ctx, struct run *r, int threads, double *seconds)
{
    const double begin = worked();
    ksr_status status = run_frame(ctx, r, 0);
    if (status == KSR_OK)
        status = run_frame(ctx, r, 0);
    *seconds = (worked() - begin) / 2 / threads;
    return status;
}

// *seconds: for each of some frames by the clock, with `most` under way before and after.
static ksr_status time_frames(ksr_context *ctx, struct run *r, int most, int frames,
                              double *seconds)
{
    const double begin = ksr_clock();
    ksr_status status = KSR_OK;
    for (int i = 0; i < frames && status == KSR_OK; i++)
        status = run_frame(ctx, r, most);
    *seconds = (ksr_clock() - begin) / frames;
    return status;
}

// Makes frames until the GPU is warm, and leaves `most` of them under way. *seconds: of the frame
// before, then of the last.
static ksr_status warm_up(ksr_context *ctx, struct run *r, int most, double *seconds)
{
    struct ksr_warmth warmth = {0};
    ksr_status status = KSR_OK;
    while (status == KSR_OK && r->pipeline->device && ksr_warm_up(&warmth, *seconds))
        status = time_frames(ctx, r, most, 1, seconds);
    return status;
}

// *seconds: for a frame: of one alone if that takes long, else with as many under way as the
// pipeline wants; 0 where the processor stands in for the GPU. A part of a frame that does not take
// long even on a cold GPU is too small, so the GPU need not be warm.
static ksr_status time_gpu(ksr_context *ctx, struct run *r, bool whole, double *seconds)
{
    const int delay = r->pipeline->delay;
    ksr_status status = run_frame(ctx, r, 0); // the first takes longer
    if (status == KSR_OK)
        status = time_frames(ctx, r, 0, 1, seconds);
    if (status == KSR_OK && *seconds >= LONG)
        status = warm_up(ctx, r, 0, seconds);
    if (status == KSR_OK && *seconds < LONG && whole) {
        status = warm_up(ctx, r, delay, seconds);
        if (status == KSR_OK)
            status = time_frames(ctx, r, delay, delay + 4, seconds);
    }
    if (!r->pipeline->device)
        *seconds = 0;
    return status;
}

// Multiplications for a row of a picture of that width: every layer makes columns beside it, too.
static double work_of(const ksr_net *net, int width)
{
    double sum = 0;
    for (int i = 0; i < net->layers; i++) {
        const struct ksr_net_layer *l = &net->layer[i];
        const int halvings = l->halvings + (l->kind == KSR_LAYER_UP); // where it multiplies
        const double columns = width + (double)((l->before + l->after) << l->halvings);
        sum += columns / (1 << 2 * halvings) * l->inputs * l->side * l->side * l->channels;
    }
    return sum;
}

// The same of both networks; chroma has half the rows and columns.
static double work(const ksr_engine *engine, int width)
{
    return work_of(engine->net, width) +
           (engine->chroma ? work_of(engine->chroma, width / 2) / 2 : 0);
}

ksr_status ksr_speed_measure(ksr_context *ctx, const struct ksr_speed_place *place,
                             const ksr_net *net, const ksr_net *chroma, ksr_device *device,
                             double *fps)
{
    const ksr_engine engine = {.net = (ksr_net *)net, .chroma = (ksr_net *)chroma};
    int width = FIRST_WIDTH;
    *fps = 0;
    while (true) {
        struct run r;
        double seconds = 0;
        ksr_status status = open_run(ctx, place, &engine, device, width, &r);
        if (status == KSR_OK)
            status = device ? time_gpu(ctx, &r, width == KSR_SPEED_WIDTH, &seconds)
                            : time_processor(ctx, &r, place->threads, &seconds);
        close_run(&r);
        if (status != KSR_OK || seconds <= 0) {
            *fps = 0; // also if a smaller part of the frame was possible
            return status;
        }
        *fps = work(&engine, width) / work(&engine, KSR_SPEED_WIDTH) / seconds;
        if (width == KSR_SPEED_WIDTH || seconds >= LONG)
            return KSR_OK;
        const double wider = 1.5 * LONG / seconds * width;
        width = wider < 2 * width         ? 2 * width
                : wider < KSR_SPEED_WIDTH ? (int)wider
                                          : KSR_SPEED_WIDTH;
        width = ksr_min(width / 16 * 16, KSR_SPEED_WIDTH);
    }
}
