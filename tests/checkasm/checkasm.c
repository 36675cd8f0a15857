// Compares every SIMD function with plain C, or times them; see checkasm.h.
//
//     checkasm [--seed=N] [--test=PATTERN] [--every=N] [--bench]
//
// PATTERN is a shell pattern for the names of functions. --every leaves all but each Nth case out,
// for slow machines. --bench prints, per function and level, the processor time for one output
// sample, and for a plane of 3840x2160 samples.

#include "checkasm.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/mem.h"

#define GUARD_ROWS 2
#define OUT_POISON 0xA5C3u

uint32_t check_random(uint32_t *state)
{
    uint32_t x = *state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return *state = x;
}

// --- Images ---

static void make_image(struct image *image, int width, int height, int extra, int guard)
{
    const ptrdiff_t stride = ksr_plane_stride(width) + extra;
    image->samples = (size_t)stride * (size_t)(height + 2 * guard);
    // Inputs have no guards, so that a sanitizer sees any reading outside them.
    image->memory = aligned_alloc(KSR_ALIGN, image->samples * sizeof(uint16_t));
    if (!image->memory)
        abort();
    image->plane = (struct ksr_plane){image->memory + guard * stride, stride, width, height};
}

static int pattern_sample(struct job *j, const struct image *image, int x, int y, uint32_t place)
{
    const uint32_t r = check_random(&j->random);
    const int ends[4] = {0, KSR_SAMPLE_MAX, KSR_CHROMA_ZERO, KSR_SAMPLE_MAX};
    const int size = image->plane.width + image->plane.height;
    switch (j->pattern) {
    case PATTERN_EXTREME: return ends[r >> 13 & 3];
    case PATTERN_COLUMNS: return x & 1 ? KSR_SAMPLE_MAX : 0;
    case PATTERN_ROWS: return y & 1 ? KSR_SAMPLE_MAX : 0;
    case PATTERN_CHECKER: return (x ^ y) & 1 ? KSR_SAMPLE_MAX : 0;
    case PATTERN_RAMP:
        return (x * (int)(place & 255) + y * (int)(place >> 8 & 255)) % (KSR_SAMPLE_MAX + 1);
    case PATTERN_IMPULSES: return (r >> 11) % 23 == 0 ? ends[place & 1] : ends[1 - (place & 1)];
    case PATTERN_NOISE: return (int)(place >> 3) % 30000 + (int)(r >> 9) % (2 << place % 11);
    case PATTERN_EDGE:
        return (x + y < (int)(place >> 4) % size) == (int)(place & 1) ? KSR_SAMPLE_MAX : 0;
    default: return (int)(r >> 9 & KSR_SAMPLE_MAX);
    }
}

static int extra_stride(const struct job *j)
{
    return (j->width + j->height) % 3 == 0 ? 32 : 0;
}

struct ksr_plane *check_in(struct job *j, int width, int height)
{
    struct image *image = &j->in[j->ins++];
    make_image(image, width, height, extra_stride(j), 0);
    for (size_t i = 0; i < image->samples; i++)
        image->memory[i] = (uint16_t)(check_random(&j->poison) >> 9);
    const uint32_t place = check_random(&j->random);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            image->plane.data[y * image->plane.stride + x] =
                (uint16_t)pattern_sample(j, image, x, y, place);
    return &image->plane;
}

struct ksr_plane *check_out(struct job *j, int width, int height)
{
    struct image *image = &j->out[j->outs++];
    make_image(image, width, height, extra_stride(j), GUARD_ROWS);
    for (size_t i = 0; i < image->samples; i++)
        image->memory[i] = OUT_POISON;
    return &image->plane;
}

static void free_job(struct job *j)
{
    for (int i = 0; i < j->ins; i++)
        free(j->in[i].memory);
    for (int i = 0; i < j->outs; i++)
        free(j->out[i].memory);
}

// --- Comparing ---

struct options {
    uint32_t seed;
    const char *test;
    unsigned every;
    bool bench;
};

// A plane worked on in place is compared sample by sample, as its poison differs; behind its
// samples each job's own poison must still stand.
static bool same_image(const struct image *a, const struct image *b, const struct image *a0,
                       const struct image *b0)
{
    const struct ksr_plane *p = &a->plane;
    const ptrdiff_t first = p->data - a->memory;
    for (size_t i = 0; i < a->samples; i++) {
        const ptrdiff_t at = (ptrdiff_t)i - first;
        const bool inside = at >= 0 && at / p->stride < p->height && at % p->stride < p->width;
        const bool ok = inside ? a->memory[i] == b->memory[i]
                               : a->memory[i] == a0->memory[i] && b->memory[i] == b0->memory[i];
        if (!ok) {
            printf("    %s (%td, %td) of %dx%d: C %d, level %d\n",
                   inside ? "sample" : "written outside:", at % p->stride, at / p->stride, p->width,
                   p->height, a->memory[i], b->memory[i]);
            return false;
        }
    }
    return true;
}

static struct job make_job(const struct kernel *kernel, const struct job *model, unsigned corner,
                           uint32_t poison)
{
    struct job j = *model;
    j.poison = poison;
    kernel->prepare(&j, corner);
    return j;
}

// Runs one pair. All jobs of a pair begin with the same random state.
static bool check_once(const struct kernel *kernel, const struct tables *c,
                       const struct tables *level, const struct job *model, unsigned corner)
{
    struct job a = make_job(kernel, model, corner, 0x1234567u);
    struct job b = make_job(kernel, model, corner, 0x89ABCDEu);
    struct job a0 = make_job(kernel, model, corner, 0x1234567u);
    struct job b0 = make_job(kernel, model, corner, 0x89ABCDEu);
    kernel->run(&a, c);
    kernel->run(&b, level);
    bool ok = a.result == b.result;
    if (!ok)
        printf("    returned: C %lld, level %lld\n", (long long)a.result, (long long)b.result);
    for (int i = 0; i < a.outs && ok; i++)
        ok = same_image(&a.out[i], &b.out[i], &a0.out[i], &b0.out[i]);
    for (int i = 0; i < a.ins && ok; i++)
        ok = memcmp(b.in[i].memory, b0.in[i].memory, b.in[i].samples * sizeof(uint16_t)) == 0;
    free_job(&a);
    free_job(&b);
    free_job(&a0);
    free_job(&b0);
    if (!ok)
        printf("    %dx%d, rows %d..%d, pattern %d, corner %u\n", model->width, model->height,
               model->y0, model->y1, model->pattern, corner);
    return ok;
}

// The widths around multiples of all vector and tile sizes; half of them, drawn anew, for every
// pattern, with other heights, rows and corners each time.
static bool check_kernel(const struct kernel *kernel, const struct tables *c,
                         const struct tables *level, const struct options *options)
{
    static const int bases[] = {1, 8, 16, 32, 64, 128, 256, 272, 288, 512, 544};
    static const int heights[] = {1, 2, 3, 5, 9, 18};
    const int count = (int)(sizeof(bases) / sizeof(bases[0]));
    uint32_t random = options->seed;
    unsigned corner = 0;
    for (int pattern = 0; pattern < PATTERN_COUNT; pattern++)
        for (int i = 0; i < count; i++)
            for (int by = -1; by <= 1; by++) {
                struct job model = {.pattern = (enum pattern)pattern, .width = bases[i] + by};
                model.width = model.width < 1 ? 1 : model.width;
                model.height = heights[check_random(&random) % 6];
                model.y0 = (int)(check_random(&random) >> 3) % model.height;
                model.y0 = check_random(&random) >> 8 & 1 ? 0 : model.y0;
                model.y1 =
                    model.y0 + 1 + (int)(check_random(&random) >> 3) % (model.height - model.y0);
                model.random = check_random(&random);
                const uint32_t other = check_random(&random) >> 5;
                if (corner++ % options->every != 0)
                    continue;
                if (!check_once(kernel, c, level, &model, corner - 1) ||
                    !check_once(kernel, c, level, &model, other))
                    return false;
            }
    return true;
}

// --- Timing ---

#define BENCH_WIDTH  1920
#define BENCH_HEIGHT 32 // as many rows as a band, so that memory has no say

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

// Returns nanoseconds per output sample: the best of several runs.
static double bench_kernel(const struct kernel *kernel, const struct tables *tables)
{
    struct job j = {.pattern = PATTERN_NOISE,
                    .width = BENCH_WIDTH,
                    .height = BENCH_HEIGHT,
                    .y1 = BENCH_HEIGHT,
                    .random = 1,
                    .poison = 2};
    kernel->prepare(&j, 0);
    const struct ksr_plane *out = j.outs ? &j.out[0].plane : &j.in[0].plane;
    const double samples = (double)out->width * out->height;
    double best = 1e30;
    for (int i = 0; i < 60; i++) {
        const double start = now();
        for (int k = 0; k < 3; k++)
            kernel->run(&j, tables);
        const double time = (now() - start) / 3;
        best = time < best ? time : best;
    }
    free_job(&j);
    return best / samples;
}

// --- The program ---

static struct tables level_tables(enum ksr_cpu_level level)
{
    struct tables t = {.frame = ksr_frame_table(level)};
    ksr_stage_table_init(&t.stage, level);
    return t;
}

static void bench_all(const struct options *options)
{
    printf("%-18s%-12s%10s%14s%10s\n", "function", "level", "ns/sample", "ms/3840x2160", "times C");
    for (int i = 0; i < check_kernel_count; i++) {
        const struct kernel *kernel = &check_kernels[i];
        if (options->test && fnmatch(options->test, kernel->name, 0) != 0)
            continue;
        double c = 0;
        for (int level = 0; level <= (int)ksr_cpu_level(); level++) {
            if (!ksr_cpu_has((enum ksr_cpu_level)level))
                continue;
            const struct tables tables = level_tables((enum ksr_cpu_level)level);
            const double time = bench_kernel(kernel, &tables);
            c = level == 0 ? time : c;
            printf("%-18s%-12s%10.4f%14.3f%10.2f\n", kernel->name, ksr_cpu_level_name(level), time,
                   time * 3840 * 2160 / 1e6, c / time);
        }
    }
}

static int check_all(const struct options *options)
{
    int passed = 0, failed = 0, skipped = 0;
    const struct tables c = level_tables(KSR_CPU_C);
    printf("seed %u\n", options->seed);
    for (int level = 1; ksr_cpu_level_name(level); level++) {
        const bool have = ksr_cpu_has((enum ksr_cpu_level)level);
        for (int i = 0; i < check_kernel_count; i++) {
            const struct kernel *kernel = &check_kernels[i];
            if (options->test && fnmatch(options->test, kernel->name, 0) != 0)
                continue;
            const struct tables tables =
                have ? level_tables((enum ksr_cpu_level)level) : (struct tables){0};
            const char *word = "ok";
            if (!have || kernel->function(&tables) == kernel->function(&c)) {
                word = have ? "skipped: plain C here" : "skipped: not on this processor";
                skipped++;
            } else if (check_kernel(kernel, &c, &tables, options)) {
                passed++;
            } else {
                word = "FAILED";
                failed++;
            }
            printf("%-12s%-18s%s\n", ksr_cpu_level_name(level), kernel->name, word);
        }
    }
    printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
    return failed ? 1 : passed ? 0 : 77;
}

int main(int argc, char **argv)
{
    struct options options = {.seed = (uint32_t)time(NULL), .every = 1};
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--seed=", 7) == 0) {
            options.seed = (uint32_t)strtoul(argv[i] + 7, NULL, 0);
        } else if (strncmp(argv[i], "--test=", 7) == 0) {
            options.test = argv[i] + 7;
        } else if (strncmp(argv[i], "--every=", 8) == 0 && atoi(argv[i] + 8) > 0) {
            options.every = (unsigned)atoi(argv[i] + 8);
        } else if (strcmp(argv[i], "--bench") == 0) {
            options.bench = true;
        } else {
            fprintf(stderr, "usage: checkasm [--seed=N] [--test=PATTERN] [--every=N] [--bench]\n");
            return 2;
        }
    }
    options.seed += options.seed == 0; // the generator's one bad state
    if (options.bench)
        bench_all(&options);
    else
        return check_all(&options);
    return 0;
}
