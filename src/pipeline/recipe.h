// What is to be done to a frame: the steps of every plane, as a value. Who does it: pipeline.h.
//
// A recipe follows from the configuration, the layout of what comes in and the engine of AI mode.
// It has every number that reaches a sample and none that depends on the machine, so executors that
// are given one recipe make the same bytes. It holds no function and no frame; copy it freely.
//
//     input -> composite, if on -> descale, if on -> drawn
//     drawn -> temporal, if on -> chain of each plane -> made -> fit, if the size differs
//     -> grain, if on -> output

#ifndef KSR_PIPELINE_RECIPE_H
#define KSR_PIPELINE_RECIPE_H

#include <stdio.h>

#include "frame/frame.h"
#include "frame/geometry.h"
#include "frame/kernel.h"
#include "kizunasr/config.h"
#include "net/engine.h"
#include "stages/antialias.h"
#include "stages/chroma_shift.h"
#include "stages/composite.h"
#include "stages/deband.h"
#include "stages/deblock.h"
#include "stages/dehalo.h"
#include "stages/enhance.h"
#include "stages/grain.h"
#include "stages/guide.h"
#include "stages/normalize.h"
#include "stages/structure.h"
#include "stages/temporal.h"
#include "stages/upscale.h"

// Of luma: deblock, dehalo, normalize, deband, structure, antialias, model, two passes of upscale,
// enhance.
#define KSR_MAX_STEPS 10

// What a step does to a plane. Each is defined by the plain C function beside it.
enum ksr_step_kind {
    KSR_STEP_CHROMA_SHIFT,   // ksr_chroma_shift_rows()
    KSR_STEP_DEBLOCK,        // ksr_deblock_rows()
    KSR_STEP_DEHALO,         // ksr_dehalo_rows(): luma
    KSR_STEP_NORMALIZE,      // ksr_normalize_rows()
    KSR_STEP_DEBAND,         // ksr_deband_rows()
    KSR_STEP_STRUCTURE,      // ksr_structure_rows()
    KSR_STEP_ANTIALIAS,      // ksr_antialias_rows(): luma
    KSR_STEP_UPSCALE,        // ksr_upscale_rows(): chroma and alpha
    KSR_STEP_GUIDED,         // ksr_guided_rows(): the first pass of chroma, reads luma too
    KSR_STEP_LEARNED,        // ksr_learned_rows(): luma
    KSR_STEP_NETWORK,        // ksr_net_rows() with the step's `net`: luma
    KSR_STEP_NETWORK_CHROMA, // ksr_upscale_rows(), then ksr_net_chroma_rows() with the recipe's
                             // `chroma`: the first pass of U and V together, reads luma too
    KSR_STEP_MODEL,          // ksr_frames_run() with the recipe's `model`: whole frames, see below
    KSR_STEP_ENHANCE_LUMA,   // ksr_enhance_luma_rows()
    KSR_STEP_ENHANCE_CHROMA, // ksr_enhance_chroma_rows()
    KSR_STEP_KINDS
};

struct ksr_step {
    enum ksr_step_kind kind;
    int scale; // size of what it makes / size of what it reads, per axis: 1, 2, or 4 (a model)
    int reach; // row y is made of the rows y / scale - reach .. y / scale + reach
    union {    // by kind; the others have no parameters
        struct ksr_chroma_shift_params chroma_shift;
        struct ksr_deblock_params deblock;
        struct ksr_dehalo_params dehalo;
        struct ksr_normalize_params normalize;
        struct ksr_deband_params deband;
        struct ksr_structure_params structure;
        struct ksr_antialias_params antialias;
        struct ksr_upscale_params upscale;
        struct ksr_guide_params guide;
        struct ksr_enhance_params enhance;
        const ksr_net *net; // the recipe's `net` or `again`
    };
};

// The steps of one plane in order. Step k reads a plane of width[k] x height[k] and makes one of
// width[k + 1] x height[k + 1]; edges replicate.
//
// A chain reads its own plane alone, but for KSR_STEP_GUIDED and KSR_STEP_NETWORK_CHROMA: to make a
// plane as large as the luma of `drawn`, they also read that luma, as the luma chain does: before
// any step. Of it, they need the rows at the places of those that they read of their own plane
// (ksr_guide_span()), so nothing but these rows of the input ties the chains to each other.
//
// KSR_STEP_NETWORK_CHROMA is one run for U and V: with it, these two chains, which always have the
// same steps, are carried out together (ksr_recipe_together()).
//
// A KSR_STEP_MODEL is one run for all planes that have one: the first planes, in each the step in
// the same sense, between stages 1 and 2 and the rest. It reads whole planes (reach is 0 and has no
// meaning), so an executor makes those of all planes first.
struct ksr_chain {
    struct ksr_step step[KSR_MAX_STEPS];
    int width[KSR_MAX_STEPS + 1], height[KSR_MAX_STEPS + 1];
    int count;
};

struct ksr_recipe {
    struct ksr_layout input;
    struct ksr_layout drawn;  // where the chains begin: input, or smaller where that is descaled,
                              // with chroma as large as luma, so that none of it is lost
    struct ksr_layout made;   // at the end of the chains
    struct ksr_layout output; // after fitting: ksr_resampler_create(made, output)
    struct ksr_chain chain[KSR_MAX_PLANES];
    bool composite_on; // whole frames of the input are cleaned: ksr_composite_rows()
    struct ksr_temporal_params composite; // ksr_composite_params_make()
    bool descales;                        // input to drawn: ksr_descale_rows() for luma
    // Where descaling keeps parts of the input, their chroma is moved by as much.
    struct ksr_chroma_shift_params kept_shift;
    enum ksr_kernel kernel;
    const ksr_net *net;    // borrowed; NULL without KSR_STEP_NETWORK
    const ksr_net *again;  // borrowed: of the second such step; else NULL
    const ksr_net *chroma; // borrowed; NULL without KSR_STEP_NETWORK_CHROMA
    ksr_frames *model;     // borrowed; NULL without KSR_STEP_MODEL
    int model_planes;   // how many planes have one
    // Stage 5 blends whole frames before the chains: all planes but alpha, in the order of the
    // frames.
    bool temporal_on;
    struct ksr_temporal_params temporal;
    int warmup;    // ksr_recipe_warmup()
    bool grain_on; // grain is put back: ksr_grain_rows()
    struct ksr_grain grain;
};

// Writes the recipe for frames of `input` layout, whose output is as large as the configuration's
// scale says.
// config: values in range (the caller has checked), no KSR_AUTO, which plan settles.
// engine: makes luma larger if config->use_ai, and chroma where it has a network for that; else not
// looked at; borrowed, must outlive the recipe. Returns false when what is made would be wider or
// higher than 65535, or the input cannot have been drawn at the size that it is to be descaled to.
bool ksr_recipe_make(struct ksr_recipe *out, const struct ksr_layout *input,
                     const struct ksr_pipeline_config *config, const ksr_engine *engine);

// The same for an output of this size. Where the input is descaled, the chains enlarge it by 2, or
// by 4 where that is not enough.
bool ksr_recipe_make_for(struct ksr_recipe *out, const struct ksr_layout *input,
                         const struct ksr_pipeline_config *config, const ksr_engine *engine,
                         int width, int height);

// Returns the recipe of what comes before grain is put back.
struct ksr_recipe ksr_recipe_of_smooth(const struct ksr_recipe *recipe);

// Returns the recipe of what follows the cleaning of composite video.
struct ksr_recipe ksr_recipe_of_clean(const struct ksr_recipe *recipe);

// Returns the recipe of what follows descaling, whose input is `drawn`.
struct ksr_recipe ksr_recipe_of_drawn(const struct ksr_recipe *recipe);

// Writes how grain is put into each plane of the output; all zero for planes that have none.
void ksr_recipe_grain(const struct ksr_recipe *recipe, struct ksr_grain_params out[KSR_MAX_PLANES]);

// Sets the size of the output.
void ksr_recipe_fit(struct ksr_recipe *recipe, int width, int height);

// Tells which part of the decoder's frames the input is, and how it is turned: the blocks of coding
// begin elsewhere in it.
void ksr_recipe_place(struct ksr_recipe *recipe, const struct ksr_geometry *geometry);

// Returns whether what is made must be resampled to the size of the output.
bool ksr_recipe_fits(const struct ksr_recipe *recipe);

// Returns how many planes from this one on are made together: U and V where a network of chroma
// makes both, else 1.
int ksr_recipe_together(const struct ksr_recipe *recipe, int plane);

// Returns whether a step reads luma beside its own plane.
bool ksr_step_reads_luma(const struct ksr_step *step);

// Returns where the model stands in a plane's chain, or the number of its steps if there is none.
int ksr_chain_model(const struct ksr_chain *chain);

// Changes rows *y0 .. *y1-1 of a plane to those of luma, `height` high, beside them.
void ksr_guide_span(int *y0, int *y1, int height);

// Returns the scale of a configuration: 2 or 4.
int ksr_recipe_scale(const struct ksr_pipeline_config *config);

// Returns how many frames before the first wanted one (or all there are, if fewer) must be run so
// that it equals the one of an unbroken run: ksr_temporal_warmup(), and KSR_COMPOSITE_AROUND more
// with composite; 0 without both. Such frames go through these alone.
int ksr_recipe_warmup(const struct ksr_pipeline_config *config);

// Prints a line for every step, for tests and debugging.
void ksr_recipe_print(const struct ksr_recipe *recipe, FILE *out);

#endif
