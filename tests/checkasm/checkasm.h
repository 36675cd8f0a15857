// Are the SIMD functions equal to plain C? One `kernel` per function of the dispatch tables; the
// programs (checkasm.c, and gpu/gpu.c for GPUs) have the same job prepared twice (pair.c), run one
// by plain C and one by a level, and every byte of the outputs compared with all that lies around
// them.

#ifndef KSR_TESTS_CHECKASM_H
#define KSR_TESTS_CHECKASM_H

#include <stdbool.h>
#include <stdint.h>

#include "frame/dispatch.h"
#include "stages/dispatch.h"

#define CHECK_IMAGES 4

enum pattern {
    PATTERN_RANDOM,
    PATTERN_EXTREME, // 0, 32767, 16384
    PATTERN_COLUMNS, // 0 and 32767 by turns along the row
    PATTERN_ROWS,    // and along the column
    PATTERN_CHECKER,
    PATTERN_RAMP,
    PATTERN_IMPULSES, // single samples at the ends, on a flat ground
    PATTERN_NOISE,    // small differences: what the smoothing functions follow
    PATTERN_EDGE,     // a step at a random place, either way
    PATTERN_COUNT
};

// A plane with guard rows around it. All bytes but the samples are poison.
struct image {
    struct ksr_plane plane;
    uint16_t *memory;
    size_t samples; // in memory
};

// One call: its planes, its rows, its parameters.
struct job {
    uint32_t random; // the same in both jobs of a pair
    uint32_t poison; // what lies around the samples of inputs: not the same
    enum pattern pattern;
    int width, height, y0, y1;
    bool whole; // all rows are wanted
    struct image in[CHECK_IMAGES], out[CHECK_IMAGES];
    int ins, outs;

    struct ksr_pipeline_config config; // what the parameters below are made from
    struct ksr_chroma_shift_params chroma_shift;
    struct ksr_normalize_params normalize;
    struct ksr_deband_params deband;
    struct ksr_deblock_params deblock;
    struct ksr_dehalo_params dehalo;
    struct ksr_grain_params grain;
    int64_t frame;
    struct ksr_structure_params structure;
    struct ksr_antialias_params antialias;
    struct ksr_upscale_params upscale;
    struct ksr_guide_params guide;
    struct ksr_enhance_params enhance;
    struct ksr_temporal_params temporal;
    struct ksr_pack_params pack;
    const ksr_net *net; // borrowed
    struct ksr_descale_axis axis[2];
    int bits;
    bool flag;
    int64_t result;
};

struct tables {
    const struct ksr_frame_table *frame;
    struct ksr_stage_table stage;
};

// corner: which combination of parameters, any number from 0 up; the first is the usual one.
struct kernel {
    const char *name;
    void (*prepare)(struct job *job, unsigned corner);
    void (*run)(struct job *job, const struct tables *tables);
    const void *(*function)(const struct tables *tables); // to see whether a level has its own
};

extern const struct kernel check_kernels[];
extern const int check_kernel_count;

uint32_t check_random(uint32_t *state);

// Returns the functions of a level.
struct tables check_tables(enum ksr_cpu_level level);

// Add an image of the job's size, or of the given one, and fill it; return its plane.
struct ksr_plane *check_in(struct job *job, int width, int height);
struct ksr_plane *check_out(struct job *job, int width, int height);

// Frees the images of a job.
void check_free(struct job *job);

// Another way than plain C to do a job.
struct runner {
    void (*run)(void *opaque, const struct kernel *kernel, struct job *job);
    void *opaque;
};

// Prepares the same job twice, runs one by plain C and one the other way. Returns whether all
// results are equal and nothing was written beside them; prints what differs.
bool check_pair(const struct kernel *kernel, const struct tables *c, const struct runner *other,
                const struct job *model, unsigned corner);

// Runs a job by plain C. Returns a digest of what came before and of all that it wrote.
uint64_t check_digest(const struct kernel *kernel, const struct tables *c, const struct job *model,
                      unsigned corner, uint64_t before);

#endif
