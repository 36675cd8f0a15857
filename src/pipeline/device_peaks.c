// The speeds of a GPU that its work is held against; see device.h.

#include "core/clock.h"
#include "pipeline/device_parts.h"
#include "pipeline/warm.h"

enum { COPY_BYTES = 64 << 20, GROUPS = 1024, WIDTH = 256, SUBGROUPS = 4, CHAINS = 8, LEAST = 3 };

#define LONG_ENOUGH 0.005 // seconds, beside which the start of a submission is short

// What is timed: a list of commands, recorded anew each time.
struct peak {
    struct ksr_gpu_commands commands;
    struct ksr_gpu_buffer from, to;
    struct ksr_gpu_kernel kernel; // no pipeline: copies
    struct ksr_gpu_peak params;
};

static ksr_status time_once(struct peak *p, double *seconds)
{
    ksr_status status = ksr_gpu_begin(&p->commands);
    if (status != KSR_OK)
        return status;
    if (p->kernel.pipeline)
        ksr_gpu_run(&p->commands, &p->kernel, &p->params, GROUPS * (int)p->kernel.width, 1, 1);
    else
        ksr_gpu_copy(&p->commands, &p->to, 0, &p->from, 0, COPY_BYTES);
    const double begin = ksr_clock();
    status = ksr_gpu_submit(&p->commands, NULL, 0);
    if (status == KSR_OK)
        status = ksr_gpu_wait(&p->commands);
    *seconds = ksr_clock() - begin;
    return status;
}

// *seconds: of the last of the times that warm the GPU up.
static ksr_status warm_up(struct peak *p, double *seconds)
{
    struct ksr_warmth warmth = {0};
    ksr_status status;
    do
        status = time_once(p, seconds);
    while (status == KSR_OK && ksr_warm_up(&warmth, *seconds));
    return status;
}

// *best: the shortest of the times that fit into `limit` seconds, LEAST at least.
static ksr_status time_best(struct peak *p, double limit, double *best)
{
    ksr_status status = warm_up(p, best);
    const double end = ksr_clock() + limit;
    for (int i = 0; status == KSR_OK && (i < LEAST || ksr_clock() < end); i++) {
        double seconds;
        status = time_once(p, &seconds);
        *best = i == 0 || seconds < *best ? seconds : *best;
    }
    return status;
}

static void free_peak(struct ksr_gpu *gpu, struct peak *p)
{
    ksr_gpu_kernel_free(gpu, &p->kernel);
    ksr_gpu_buffer_free(gpu, &p->from);
    ksr_gpu_buffer_free(gpu, &p->to);
    ksr_gpu_commands_free(&p->commands);
}

// *rate: bytes per second.
static ksr_status measure_copy(struct ksr_gpu *gpu, struct ksr_gpu_queue *queue,
                               enum ksr_gpu_place from, enum ksr_gpu_place to, double limit,
                               double *rate)
{
    struct peak p = {0};
    double best = 1;
    ksr_status status = ksr_gpu_commands_create(gpu, queue, &p.commands);
    if (status == KSR_OK)
        status = ksr_gpu_buffer_create(gpu, &p.from, from, COPY_BYTES);
    if (status == KSR_OK)
        status = ksr_gpu_buffer_create(gpu, &p.to, to, COPY_BYTES);
    if (status == KSR_OK)
        status = time_best(&p, limit, &best);
    *rate = COPY_BYTES / best;
    free_peak(gpu, &p);
    return status;
}

// *products: of an invocation, or a subgroup with matrices, in a round; *words: that one writes.
static ksr_status create_kernel(struct ksr_gpu *gpu, struct ksr_gpu_kernel *out, double *products,
                                size_t *words)
{
    const enum ksr_gpu_net_tier tier = ksr_gpu_net_best_tier(gpu);
    const bool matrix = tier == KSR_GPU_NET_MATRIX;
    struct ksr_gpu_shape shape = {0};
    if (matrix)
        ksr_gpu_net_shape(gpu, &shape);
    const int32_t shapes[] = {shape.m, shape.n, shape.k}, dot[] = {tier == KSR_GPU_NET_DOT};
    const struct ksr_gpu_kernel_info info = {.shader = matrix ? "peak_matrix" : "peak",
                                             .width = matrix ? SUBGROUPS * gpu->subgroup : WIDTH,
                                             .height = 1,
                                             .params = sizeof(struct ksr_gpu_peak),
                                             .constants = matrix ? shapes : dot,
                                             .constant_count = matrix ? 3 : 1,
                                             .subgroup = matrix ? gpu->subgroup : 0};
    const int writers = GROUPS * (matrix ? SUBGROUPS : WIDTH);
    *products = (double)CHAINS * writers * (matrix ? shape.m * shape.n * shape.k : dot[0] ? 4 : 1);
    *words = (size_t)writers * (size_t)(matrix ? shape.m * shape.n : 1);
    return ksr_gpu_kernel_create(gpu, out, &info);
}

// Makes the kernel work LONG_ENOUGH at full clock.
static ksr_status lengthen(struct peak *p)
{
    double seconds;
    p->params.rounds = 1;
    ksr_status status = time_once(p, &seconds); // the first takes longer
    for (seconds = 0; status == KSR_OK && seconds < LONG_ENOUGH;) {
        p->params.rounds *= 2;
        status = time_once(p, &seconds);
        if (status == KSR_OK && seconds >= LONG_ENOUGH)
            status = warm_up(p, &seconds);
    }
    return status;
}

// *rate: multiplications per second.
static ksr_status measure_products(struct ksr_gpu *gpu, double limit, double *rate)
{
    struct peak p = {0};
    double products = 0, best = 1;
    size_t words;
    ksr_status status = ksr_gpu_commands_create(gpu, gpu->compute, &p.commands);
    if (status == KSR_OK)
        status = create_kernel(gpu, &p.kernel, &products, &words);
    if (status == KSR_OK)
        status = ksr_gpu_buffer_create(gpu, &p.to, KSR_GPU_LOCAL, words * sizeof(int32_t));
    p.params = (struct ksr_gpu_peak){.dst = p.to.address};
    if (status == KSR_OK)
        status = lengthen(&p);
    if (status == KSR_OK)
        status = time_best(&p, limit, &best);
    *rate = products * p.params.rounds / best;
    free_peak(gpu, &p);
    return status;
}

ksr_status ksr_device_measure(ksr_context *ctx, ksr_device *device, double seconds,
                              struct ksr_device_peaks *out)
{
    struct ksr_gpu *gpu = device->gpu;
    *out = (struct ksr_device_peaks){.way = ksr_gpu_net_tier_name(ksr_gpu_net_best_tier(gpu))};
    ksr_status status =
        measure_copy(gpu, gpu->upload, KSR_GPU_UPLOAD, KSR_GPU_LOCAL, seconds, &out->upload);
    if (status == KSR_OK)
        status = measure_copy(gpu, gpu->download, KSR_GPU_LOCAL, KSR_GPU_DOWNLOAD, seconds,
                              &out->download);
    if (status == KSR_OK)
        status = measure_products(gpu, seconds, &out->multiplications);
    return status == KSR_OK ? KSR_OK
                            : ksr_fail(ctx, status, "device: %s: %s", device->name, gpu->trouble);
}
