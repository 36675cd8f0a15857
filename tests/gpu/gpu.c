// Compares every kernel of a GPU with plain C; see gpu.h.
//
//     gpu [--seed=N] [--test=PATTERN] [--every=N]
//
// PATTERN is a shell pattern for the names of kernels. KSR_TEST_GPU=N takes GPU number N and leaves
// no case out; else Mesa's software device does some of them (--every), always the same ones: all
// widths, and the combinations of parameters one after the other.

#include "gpu.h"

#include <fnmatch.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROOM     ((size_t)16 << 20) // for the images of one job
#define ALIGN_TO 256
#define SKIP     77

struct options {
    uint32_t seed;
    const char *test;
    unsigned every;
};

static size_t aligned(size_t size)
{
    return (size + ALIGN_TO - 1) / ALIGN_TO * ALIGN_TO;
}

// --- One job ---

// Puts an image into the upload buffer; returns its plane in the GPU's memory.
static struct ksr_gpu_plane put(struct bench *b, const struct image *image, size_t *used)
{
    const struct ksr_plane *p = &image->plane;
    const size_t bytes = image->samples * sizeof(uint16_t), at = *used;
    *used += aligned(bytes);
    if (*used > ROOM / 2)
        abort();
    memcpy((char *)b->upload.map + at, image->memory, bytes);
    return (struct ksr_gpu_plane){b->local.address + at +
                                      (size_t)(p->data - image->memory) * sizeof(uint16_t),
                                  (int)p->stride, p->width, p->height};
}

static void get(const struct bench *b, struct image *image, size_t *used)
{
    const size_t bytes = image->samples * sizeof(uint16_t);
    memcpy(image->memory, (const char *)b->download.map + *used, bytes);
    *used += aligned(bytes);
}

static void must(struct bench *b, ksr_status status)
{
    if (status == KSR_OK)
        return;
    printf("error: %s\n", b->gpu->trouble);
    exit(1);
}

// What is copied there and back: the counter, inputs, outputs.
struct runs {
    struct bench *bench;
    const struct gpu_kernel *kernel;
};

static void run_job(void *opaque, const struct kernel *kernel, struct job *job)
{
    const struct runs *runs = opaque;
    struct bench *b = runs->bench;
    struct planes planes = {.counter = b->local.address, .table = b->local.address + ALIGN_TO};
    size_t used = ALIGN_TO + GPU_TABLE_BYTES;
    (void)kernel;
    memset(b->upload.map, 0, ALIGN_TO);
    if (runs->kernel->fill)
        runs->kernel->fill(job, (char *)b->upload.map + ALIGN_TO);
    for (int i = 0; i < job->ins; i++)
        planes.in[i] = put(b, &job->in[i], &used);
    for (int i = 0; i < job->outs; i++)
        planes.out[i] = put(b, &job->out[i], &used);
    must(b, ksr_gpu_begin(&b->commands));
    ksr_gpu_copy(&b->commands, &b->local, 0, &b->upload, 0, used);
    ksr_gpu_barrier(&b->commands);
    runs->kernel->record(b, job, &planes);
    ksr_gpu_barrier(&b->commands);
    ksr_gpu_copy(&b->commands, &b->download, 0, &b->local, 0, used);
    must(b, ksr_gpu_submit(&b->commands, NULL, 0));
    must(b, ksr_gpu_wait(&b->commands));
    used = ALIGN_TO + GPU_TABLE_BYTES;
    for (int i = 0; i < job->ins; i++)
        get(b, &job->in[i], &used);
    for (int i = 0; i < job->outs; i++)
        get(b, &job->out[i], &used);
    job->result = *(const uint32_t *)b->download.map;
}

// --- All jobs of a kernel ---

// Sizes around the edges of workgroups.
static bool check_kernel(const struct kernel *kernel, const struct runner *runner,
                         const struct options *options)
{
    static const int sizes[] = {1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 63, 64, 65};
    const int count = (int)(sizeof(sizes) / sizeof(sizes[0]));
    const struct tables c = check_tables(KSR_CPU_C);
    uint32_t random = options->seed;
    unsigned corner = 0, number = 0;
    for (int pattern = 0; pattern < PATTERN_COUNT; pattern++)
        for (int i = 0; i < 3 * count; i++) {
            struct job model = {
                .pattern = (enum pattern)pattern, .width = sizes[i % count], .whole = true};
            model.width += i >= count ? (int)(check_random(&random) >> 9) % 200 : 0;
            model.height = model.y1 = sizes[(check_random(&random) >> 9) % (unsigned)count];
            model.random = check_random(&random);
            const uint32_t other = check_random(&random) >> 5;
            if (number++ % options->every > 0)
                continue;
            if (!check_pair(kernel, &c, runner, &model, corner++) ||
                (options->every > 1 && !check_pair(kernel, &c, runner, &model, corner++)) ||
                !check_pair(kernel, &c, runner, &model, other))
                return false;
        }
    return true;
}

static const struct kernel *find_job(const char *name)
{
    for (int i = 0; i < check_kernel_count; i++)
        if (strcmp(check_kernels[i].name, name) == 0)
            return &check_kernels[i];
    abort();
}

static void check_all(struct bench *bench, const struct gpu_kernel *kernels, int count,
                      const struct options *options, int *passed, int *failed)
{
    for (int i = 0; i < count; i++) {
        struct runs runs = {bench, &kernels[i]};
        const struct runner runner = {run_job, &runs};
        if (options->test && fnmatch(options->test, kernels[i].name, 0) != 0)
            continue;
        if (kernels[i].possible && !kernels[i].possible(bench)) {
            printf("%-18snot on this GPU\n", kernels[i].name);
            continue;
        }
        const struct kernel *job = kernels[i].job ? kernels[i].job : find_job(kernels[i].name);
        const bool ok = check_kernel(job, &runner, options);
        *(ok ? passed : failed) += 1;
        printf("%-18s%s\n", kernels[i].name, ok ? "ok" : "FAILED");
    }
}

// --- The program ---

// Lets the loader see Mesa's software device alone, where that is installed.
static void prefer_software(void)
{
    glob_t found;
    if (glob("/usr/share/vulkan/icd.d/lvp_icd*.json", 0, NULL, &found) == 0)
        setenv("VK_ICD_FILENAMES", found.gl_pathv[0], 0);
    globfree(&found);
}

static int software_device(void)
{
    struct ksr_gpu_info list[KSR_GPU_MOST];
    char reason[KSR_GPU_REASON];
    prefer_software();
    const int count = ksr_gpu_list(list, reason);
    for (int i = 0; i < count; i++)
        if (list[i].software && !list[i].refused[0])
            return i;
    return -1;
}

static bool open_bench(struct bench *b, int index)
{
    char reason[KSR_GPU_REASON];
    memset(b, 0, sizeof(*b));
    if (ksr_gpu_open(&b->gpu, index, reason) != KSR_OK) {
        printf("error: %s\n", reason);
        return false;
    }
    must(b, ksr_gpu_commands_create(b->gpu, b->gpu->compute, &b->commands));
    must(b, ksr_gpu_buffer_create(b->gpu, &b->local, KSR_GPU_LOCAL, ROOM));
    must(b, ksr_gpu_buffer_create(b->gpu, &b->upload, KSR_GPU_UPLOAD, ROOM));
    must(b, ksr_gpu_buffer_create(b->gpu, &b->download, KSR_GPU_DOWNLOAD, ROOM));
    must(b, ksr_gpu_stages_create(b->gpu, &b->stages));
    printf("%s, %s\n", b->gpu->info.name, b->gpu->info.driver);
    return true;
}

static void close_bench(struct bench *b)
{
    gpu_net_close(b);
    ksr_gpu_stages_free(b->gpu, &b->stages);
    ksr_gpu_buffer_free(b->gpu, &b->local);
    ksr_gpu_buffer_free(b->gpu, &b->upload);
    ksr_gpu_buffer_free(b->gpu, &b->download);
    ksr_gpu_commands_free(&b->commands);
    ksr_gpu_close(&b->gpu);
}

static void count(const char *name, bool ok, int *passed, int *failed)
{
    *(ok ? passed : failed) += 1;
    printf("%-18s%s\n", name, ok ? "ok" : "FAILED");
}

int main(int argc, char **argv)
{
    const char *wanted = getenv("KSR_TEST_GPU");
    struct options options = {.seed = wanted ? (uint32_t)time(NULL) : 1, .every = wanted ? 1 : 16};
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--seed=", 7) == 0) {
            options.seed = (uint32_t)strtoul(argv[i] + 7, NULL, 0);
        } else if (strncmp(argv[i], "--test=", 7) == 0) {
            options.test = argv[i] + 7;
        } else if (strncmp(argv[i], "--every=", 8) == 0 && atoi(argv[i] + 8) > 0) {
            options.every = (unsigned)atoi(argv[i] + 8);
        } else {
            fprintf(stderr, "usage: gpu [--seed=N] [--test=PATTERN] [--every=N]\n");
            return 2;
        }
    }
    options.seed += options.seed == 0; // the generator's one bad state
    struct bench bench;
    int passed = 0, failed = 0;
    const int index = wanted ? atoi(wanted) : software_device();
    if (index < 0) {
        printf("skipped: Mesa's software device for Vulkan is not installed\n");
        return SKIP;
    }
    if (!open_bench(&bench, index))
        return 1;
    printf("seed %u\n", options.seed);
    check_all(&bench, gpu_stage_kernels, gpu_stage_kernel_count, &options, &passed, &failed);
    if (!options.test) {
        gpu_check_parts(&bench, &passed, &failed);
        gpu_check_pipeline(&bench, &passed, &failed);
    }
    options.every *= wanted ? 4 : 2; // plain C takes long; still all networks come up
    check_all(&bench, gpu_net_kernels, gpu_net_kernel_count, &options, &passed, &failed);
    count("choice of tier", gpu_net_check_choice(&bench), &passed, &failed);
    count("kept results", gpu_check_kept(&bench), &passed, &failed);
    close_bench(&bench);
    printf("%d passed, %d failed, 0 skipped\n", passed, failed);
    return failed > 0 || passed == 0;
}
