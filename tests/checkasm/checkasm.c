// Compares every SIMD function with plain C, or times them; see checkasm.h.
//
//     checkasm [--seed=N] [--test=PATTERN] [--every=N] [--bench | --digest]
//
// PATTERN is a shell pattern for the names of functions. --every leaves all but each Nth case out,
// for slow machines. --bench prints, per function and level, the processor time for one output
// sample, and for a plane of 3840x2160 samples. --digest prints a digest of all that plain C makes
// of the same cases, per function: equal on every machine for the same seed.

#include "checkasm.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct options {
    uint32_t seed;
    const char *test;
    unsigned every;
    bool bench, digest;
};

static void run_level(void *opaque, const struct kernel *kernel, struct job *job)
{
    kernel->run(job, opaque);
}

// What is done with a case. Returns whether to go on.
typedef bool visit_case(void *opaque, const struct job *model, unsigned corner);

// The widths around multiples of all vector and tile sizes; half of them, drawn anew, for every
// pattern, with other heights, rows and corners each time.
static bool visit_cases(const struct options *options, visit_case *visit, void *opaque)
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
                if (!visit(opaque, &model, corner - 1) || !visit(opaque, &model, other))
                    return false;
            }
    return true;
}

struct pair_check {
    const struct kernel *kernel;
    const struct tables *c;
    const struct runner *level;
};

static bool visit_pair(void *opaque, const struct job *model, unsigned corner)
{
    const struct pair_check *p = opaque;
    return check_pair(p->kernel, p->c, p->level, model, corner);
}

// --- Digests ---

struct digest {
    const struct kernel *kernel;
    const struct tables *c;
    uint64_t value;
};

static bool visit_digest(void *opaque, const struct job *model, unsigned corner)
{
    struct digest *d = opaque;
    d->value = check_digest(d->kernel, d->c, model, corner, d->value);
    return true;
}

static void digest_all(const struct options *options)
{
    const struct tables c = check_tables(KSR_CPU_C);
    for (int i = 0; i < check_kernel_count; i++) {
        struct digest digest = {&check_kernels[i], &c, 0};
        if (options->test && fnmatch(options->test, check_kernels[i].name, 0) != 0)
            continue;
        visit_cases(options, visit_digest, &digest);
        printf("%-18s%016llx\n", check_kernels[i].name, (unsigned long long)digest.value);
    }
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
    check_free(&j);
    return best / samples;
}

// --- The program ---

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
            const struct tables tables = check_tables((enum ksr_cpu_level)level);
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
    const struct tables c = check_tables(KSR_CPU_C);
    printf("seed %u\n", options->seed);
    for (int level = 1; ksr_cpu_level_name(level); level++) {
        const bool have = ksr_cpu_has((enum ksr_cpu_level)level);
        for (int i = 0; i < check_kernel_count; i++) {
            const struct kernel *kernel = &check_kernels[i];
            if (options->test && fnmatch(options->test, kernel->name, 0) != 0)
                continue;
            struct tables tables =
                have ? check_tables((enum ksr_cpu_level)level) : (struct tables){0};
            const struct runner runner = {run_level, &tables};
            struct pair_check pair = {kernel, &c, &runner};
            const char *word = "ok";
            if (!have || kernel->function(&tables) == kernel->function(&c)) {
                word = have ? "skipped: plain C here" : "skipped: not on this processor";
                skipped++;
            } else if (visit_cases(options, visit_pair, &pair)) {
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
        } else if (strcmp(argv[i], "--digest") == 0) {
            options.digest = true;
        } else {
            fprintf(stderr, "usage: checkasm [--seed=N] [--test=PATTERN] [--every=N] "
                            "[--bench | --digest]\n");
            return 2;
        }
    }
    options.seed += options.seed == 0; // the generator's one bad state
    if (options.bench)
        bench_all(&options);
    else if (options.digest)
        digest_all(&options);
    else
        return check_all(&options);
    return 0;
}
