// What makes luma larger in AI mode: a loaded model, of one of two engines. Beside either there may
// be a network of chroma: `chroma` is set, KSR_STEP_NETWORK_CHROMA.
//
//   native       our own models in integers (net.h), on any rows of luma at any time, from any
//                thread: `net` is set, KSR_STEP_NETWORK in a recipe
//   onnxruntime  any .onnx model (frames.h), on whole frames only: `frames` is set, KSR_STEP_MODEL
//
// An engine only loads and tells its identity; running it is a step of a recipe
// (pipeline/recipe.h). A third one is a member here, a function that opens it in engine.c, a name
// in the configuration, a kind of step, and that step in every executor.
//
// The folder net:
//   takes        a model, rows of luma or whole frames
//   gives        the same, twice or four times as large
//   may include  config and below

#ifndef KSR_NET_ENGINE_H
#define KSR_NET_ENGINE_H

#include "core/log.h"
#include "core/pool.h"
#include "kizunasr/config.h"
#include "net/frames.h"
#include "net/net.h"
#include "net/networks.h"

struct ksr_engine_params {
    const struct ksr_pipeline_config *config; // model, engine, scale, tiles, colour
    const char *library;                      // of ONNX Runtime; NULL = looked for
    const char *device;                       // of ONNX Runtime; NULL = cpu
    bool only_device;                         // that device or none: no falling back to the CPU
    int threads;                              // inside the model, with ONNX Runtime
    int white;                                // its value of white; 0 = as configured
    double kr, kb;                            // weights of red and blue in luma; both 0: BT.709
    int bits;                                 // depth that samples were unpacked from; 0 = 8
};

// What of an engine reaches the output's bytes.
struct ksr_engine_identity {
    char model[KSR_HASH_TEXT]; // of the model's file
    char runtime[64];          // "ONNX Runtime 1.30.0"; empty with the native engine, as the next
    char provider[64];         // "CPUExecutionProvider"
    int threads;
    int white;    // value of white: 1 or 255
    int variants; // of a network of ours; 0 or 1: no choice
    char clean[KSR_HASH_TEXT]; // of the file of ksr_engine_for_clean(); empty: there is none
    char chroma[KSR_HASH_TEXT]; // of the file of the network of chroma, with any engine; or empty
};

// Thread-safety: one thread at a time per object, but networks are for any number of threads.
typedef struct ksr_engine {
    ksr_net *net;       // this
    ksr_net *again;     // `general`, for a second doubling; NULL: `net` does both
    ksr_frames *frames; // or that one; the other is NULL
    ksr_net *chroma;    // NULL: filters enlarge chroma
    struct ksr_engine_identity identity;
} ksr_engine;

// Loads the model into the engine that it needs, and the network of chroma. One that is not named,
// or with `ai_fallback` any, is left out with a warning where it cannot be used.
// *out: free with ksr_engine_close(). Returns KSR_OK, KSR_E_MODEL, KSR_E_PARAM (a device that this
// engine does not have, colour that the model does not take, or a variant that it does not have;
// all logged), KSR_E_NOMEM.
ksr_status ksr_engine_open(ksr_context *ctx, const struct ksr_engine_params *params,
                           ksr_engine **out);
void ksr_engine_close(ksr_engine **engine);

// Returns whether the configuration asks for ONNX Runtime.
bool ksr_engine_is_onnx(const struct ksr_pipeline_config *config);

// Returns whether it asks for a certain variant, which not every model has: one that was named, or
// that planning has chosen.
bool ksr_engine_names_variant(const struct ksr_pipeline_config *config);

// Returns the name or file of the network of chroma that the configuration asks for; NULL: none.
const char *ksr_engine_chroma(const struct ksr_pipeline_config *config);

// Returns the bundled network that planning puts in place of the one that is asked for, where the
// source turns out to be clean; NULL: that one stays. A file, or any variant by name, is taken as
// it is.
const struct ksr_network *ksr_engine_for_clean(const struct ksr_pipeline_config *config);

#endif
