// The context: receives the messages and progress of a run, and cancels it.
//
// Use one context per run at a time; to run two jobs at once, create two. Wherever a function takes
// a context, it may be NULL: no messages, no progress, no cancellation.
//
// State of the whole process: the CPU limit (ksr_cpu_limit()), an instance of Vulkan once a GPU was
// looked for, and FFmpeg's log callback and CPU flags, which belong to KizunaSR as soon as it is
// used. FFmpeg's log lines are quoted in KizunaSR's own messages; the library itself prints
// nothing.
//
//     struct ksr_callbacks callbacks = {.log = print_line};
//     ksr_context *ctx = NULL;
//     if (ksr_context_create(&ctx, &callbacks) == KSR_OK)
//         status = ksr_upscale(ctx, config, NULL, &result);
//     ksr_context_destroy(&ctx);

#ifndef KIZUNASR_CONTEXT_H
#define KIZUNASR_CONTEXT_H

#include <stdint.h>

#include "kizunasr/common.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum ksr_log_level {
    KSR_LOG_ERROR = 0,   // the reason of a failure; exactly one for each failed call
    KSR_LOG_WARNING = 1, // something is lost or changed; the run continues
    KSR_LOG_INFO = 2,    // what the run is about to do, or has done
    KSR_LOG_DEBUG = 3,   // details for debugging
} ksr_log_level;

typedef enum ksr_phase {
    KSR_PHASE_PLAN = 0,   // reading the input once; units are bytes
    KSR_PHASE_WORK = 1,   // decoding, processing, encoding; units are frames
    KSR_PHASE_JOIN = 2,   // copying packets into the output; units are frames
    KSR_PHASE_VERIFY = 3, // checking the output; units are frames
} ksr_phase;

struct ksr_progress {
    ksr_phase phase;
    int64_t done;        // units finished, including those of reused segments
    int64_t total;       // units in this phase; 0 = unknown
    int64_t reused;      // of `done`: units that an earlier run had finished
    int64_t output_size; // bytes of encoded video or of output written so far
    char devices[16];    // that run the stages now, such as "vulkan:0", "cpu" or "2 devices", in
                         // KSR_PHASE_WORK; else empty
};

// All members may be NULL (off). `opaque` is passed to both functions unchanged.
// Thread-safety: both functions are called from any thread of the run, but never twice at once for
// one context. They must return quickly and must not call the library with the same context, except
// ksr_context_cancel().
struct ksr_callbacks {
    // message: one line without a line break; valid only during the call.
    void (*log)(void *opaque, ksr_log_level level, const char *message);
    void (*progress)(void *opaque, const struct ksr_progress *progress);
    void *opaque;
};

// Thread-safety: one run at a time per context; ksr_context_cancel() from any thread.
typedef struct ksr_context ksr_context;

// *out: new context, owned by the caller, free with ksr_context_destroy(); NULL on failure.
// callbacks: copied; NULL = silent.
// Returns KSR_OK, KSR_E_PARAM (out is NULL), KSR_E_NOMEM.
KSR_API KSR_MUST_USE ksr_status ksr_context_create(ksr_context **out,
                                                   const struct ksr_callbacks *callbacks);

// Frees *ctx and sets it to NULL. Accepts NULL and a pointer to NULL.
KSR_API void ksr_context_destroy(ksr_context **ctx);

// Cancels the run: it returns KSR_E_CANCELLED soon, and leaves the work folder intact. The context
// stays cancelled until it is destroyed. May be called from any thread and from a signal handler.
// ctx may be NULL.
KSR_API void ksr_context_cancel(ksr_context *ctx);

// How messages name the options that would help, as in "Output file exists: out.mkv (overwrite=true
// replaces it)". The names are members of struct ksr_processor_config and struct ksr_run_options.
typedef enum ksr_option_style {
    KSR_OPTIONS_AS_MEMBERS = 0,   // overwrite=true, codec=ffv1; the default
    KSR_OPTIONS_AS_ARGUMENTS = 1, // as the program takes them: --overwrite, --codec ffv1
    KSR_OPTIONS_AS_KEYWORDS = 2,  // as in Python: overwrite=True, codec='ffv1'
} ksr_option_style;

// Sets the style of all later messages of a context. Not during a run. ctx may be NULL.
KSR_API void ksr_context_name_options(ksr_context *ctx, ksr_option_style style);

// Limits the SIMD instructions used by KizunaSR and the FFmpeg libraries to those of `level` and
// below: "c" (none), "avx2", "avxvnni", "avx512", "avx512vnni", "amx", on 64-bit Arm "c", "neon",
// "dotprod"; NULL or "" = everything the processor supports. The output does not depend on it.
// Applies to the whole process: call it before the first run, from one thread.
// Returns KSR_OK, KSR_E_PARAM (unknown name, or of another architecture; nothing has changed).
KSR_API KSR_MUST_USE ksr_status ksr_cpu_limit(const char *level);

#ifdef __cplusplus
}
#endif

#endif
