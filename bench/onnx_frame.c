// Times AI mode's engine for .onnx models on one picture; bench/onnx_engine.py runs it and says
// against what.
//
//   onnx_frame MODEL LIBRARY THREADS WIDTH HEIGHT TILE OVERLAP luma|rgb REPEAT [DEVICE]
//
// From working samples to working samples, as the pipeline has it. Prints JSON: the milliseconds of
// each of REPEAT pictures after one that does not count, those of all processors, and by how much
// memory grew at most, in KiB, from before the runtime was loaded; the two pictures were there
// before.

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kizunasr/context.h"
#include "net/engine.h"

static void say(void *user, ksr_log_level level, const char *message)
{
    (void)user;
    if (level <= KSR_LOG_WARNING)
        fprintf(stderr, "%s\n", message);
}

static double now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1000 + (double)t.tv_nsec / 1e6;
}

// Of this process, in KiB, by its name in /proc/self/status; 0 where there is no such file.
static long memory(const char *name)
{
    char line[256];
    long kib = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof(line), file))
        if (strncmp(line, name, strlen(name)) == 0)
            kib = atol(line + strlen(name) + 1);
    if (file)
        fclose(file);
    return kib;
}

static void fill(const struct ksr_frame *frame)
{
    for (int i = 0; i < frame->layout.planes; i++)
        for (int y = 0; y < frame->plane[i].height; y++)
            for (int x = 0; x < frame->plane[i].width; x++)
                frame->plane[i].data[y * frame->plane[i].stride + x] =
                    (uint16_t)(8000 + (x * 37 + y * 11 + x * y % 97 * 50) % 16000);
}

static bool make_pictures(struct ksr_layout layout, int scale, struct ksr_frame *src,
                          struct ksr_frame *dst)
{
    if (!ksr_frame_alloc(src, &layout))
        return false;
    layout.width *= scale;
    layout.height *= scale;
    if (!ksr_frame_alloc(dst, &layout))
        return false;
    fill(src);
    fill(dst);
    return true;
}

static json_t *measure(ksr_context *ctx, const struct ksr_engine_params *params, int repeat,
                       const struct ksr_frame *dst, const struct ksr_frame *src)
{
    ksr_engine *engine = NULL;
    ksr_pool *pool = ksr_pool_create(params->threads);
    json_t *times = json_array(), *busy = json_array();
    const long before = memory("VmRSS");
    ksr_status status = ksr_engine_open(ctx, params, &engine);
    for (int i = 0; status == KSR_OK && i <= repeat; i++) {
        const double start = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
        status = ksr_frames_run(ctx, engine->frames, dst, src, pool);
        if (i == 0)
            continue;
        json_array_append_new(times, json_real(now(CLOCK_MONOTONIC) - start));
        json_array_append_new(busy, json_real(now(CLOCK_PROCESS_CPUTIME_ID) - cpu));
    }
    json_t *result = json_pack("{s:o,s:o,s:i}", "ms", times, "busy", busy, "kib",
                               (int)(memory("VmHWM") - before));
    ksr_engine_close(&engine);
    ksr_pool_destroy(&pool);
    if (status == KSR_OK)
        return result;
    json_decref(result);
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc != 10 && argc != 11) {
        fprintf(stderr, "see the head of bench/onnx_frame.c\n");
        return 2;
    }
    const bool rgb = strcmp(argv[8], "rgb") == 0;
    const struct ksr_layout layout = {
        .width = atoi(argv[4]), .height = atoi(argv[5]), .planes = rgb ? 3 : 1};
    struct ksr_pipeline_config config = ksr_pipeline_config_default();
    config.use_ai = true;
    config.ai_model_path = argv[1];
    config.ai_tile_size = atoi(argv[6]);
    config.ai_tile_overlap = atoi(argv[7]);
    config.ai_color = argv[8];
    const struct ksr_engine_params params = {.config = &config,
                                             .library = argv[2],
                                             .threads = atoi(argv[3]),
                                             .bits = 8,
                                             .device = argc == 11 ? argv[10] : NULL,
                                             .only_device = true};
    const struct ksr_callbacks callbacks = {.log = say};
    struct ksr_frame src = {0}, dst = {0};
    ksr_context *ctx = NULL;
    json_t *result = NULL;
    if (ksr_context_create(&ctx, &callbacks) == KSR_OK &&
        make_pictures(layout, config.ai_scale, &src, &dst))
        result = measure(ctx, &params, atoi(argv[9]), &dst, &src);
    if (result)
        json_dumpf(result, stdout, JSON_COMPACT);
    json_decref(result);
    ksr_frame_free(&src);
    ksr_frame_free(&dst);
    ksr_context_destroy(&ctx);
    return result ? 0 : 1;
}
