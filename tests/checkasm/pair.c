// Jobs, and two of them run by plain C and another way; see checkasm.h.

#include "checkasm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

struct tables check_tables(enum ksr_cpu_level level)
{
    struct tables t = {.frame = ksr_frame_table(level)};
    ksr_stage_table_init(&t.stage, level);
    return t;
}

// --- Images ---

static void make_image(struct image *image, int width, int height, int extra, int guard)
{
    const ptrdiff_t stride = ksr_plane_stride(width) + extra;
    image->samples = (size_t)stride * (size_t)(height + 2 * guard);
    // Inputs have no guards, so that a sanitizer sees any reading outside them.
    image->memory = ksr_aligned_alloc(image->samples * sizeof(uint16_t));
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

void check_free(struct job *j)
{
    for (int i = 0; i < j->ins; i++)
        ksr_aligned_free(j->in[i].memory);
    for (int i = 0; i < j->outs; i++)
        ksr_aligned_free(j->out[i].memory);
    for (int i = 0; i < 2; i++)
        ksr_descale_axis_free(&j->axis[i]);
}

// --- Comparing ---

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
            printf("    %s (%td, %td) of %dx%d: C %d, other %d\n",
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

bool check_pair(const struct kernel *kernel, const struct tables *c, const struct runner *other,
                const struct job *model, unsigned corner)
{
    struct job a = make_job(kernel, model, corner, 0x1234567u);
    struct job b = make_job(kernel, model, corner, 0x89ABCDEu);
    struct job a0 = make_job(kernel, model, corner, 0x1234567u);
    struct job b0 = make_job(kernel, model, corner, 0x89ABCDEu);
    kernel->run(&a, c);
    other->run(other->opaque, kernel, &b);
    bool ok = a.result == b.result;
    if (!ok)
        printf("    returned: C %lld, other %lld\n", (long long)a.result, (long long)b.result);
    for (int i = 0; i < a.outs && ok; i++)
        ok = same_image(&a.out[i], &b.out[i], &a0.out[i], &b0.out[i]);
    for (int i = 0; i < a.ins && ok; i++)
        ok = memcmp(b.in[i].memory, b0.in[i].memory, b.in[i].samples * sizeof(uint16_t)) == 0;
    check_free(&a);
    check_free(&b);
    check_free(&a0);
    check_free(&b0);
    if (!ok)
        printf("    %dx%d, rows %d..%d, pattern %d, corner %u\n", model->width, model->height,
               model->y0, model->y1, model->pattern, corner);
    return ok;
}

uint64_t check_digest(const struct kernel *kernel, const struct tables *c, const struct job *model,
                      unsigned corner, uint64_t before)
{
    const uint64_t prime = 0x100000001b3u; // FNV-1a, 16 bits at a time
    struct job j = make_job(kernel, model, corner, 0x1234567u);
    kernel->run(&j, c);
    uint64_t digest = (before ^ (uint64_t)j.result) * prime;
    for (int i = 0; i < j.outs; i++)
        for (size_t k = 0; k < j.out[i].samples; k++)
            digest = (digest ^ j.out[i].memory[k]) * prime;
    check_free(&j);
    return digest;
}
