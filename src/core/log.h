// The context's inside: messages, progress, the cancel flag, what is kept for the next run. See
// include/kizunasr/context.h.
//
// The folder core:
//   takes        bytes, text and paths
//   gives        messages and failures, memory, threads, files, hashes, text
//   may include  nothing

#ifndef KSR_CORE_LOG_H
#define KSR_CORE_LOG_H

#include <stdatomic.h>
#include <stdbool.h>

#include "core/attributes.h"
#include "kizunasr/context.h"

#define KSR_REASON_SIZE 1024

// Sends one line to the log callback. Thread-safe. In the format here and of ksr_fail(), "{crop}",
// "{overwrite=true}" or "{on_frame_error=repeat|skip}" is an option of the configuration or the
// run, with the value or values that would help, which the context words in its style.
void ksr_log(ksr_context *ctx, ksr_log_level level, const char *format, ...) KSR_PRINTF(3, 4);

// Logs the reason of a failure at KSR_LOG_ERROR and returns `status`:
//     return ksr_fail(ctx, KSR_E_INPUT, "Input file not found: %s", path);
ksr_status ksr_fail(ksr_context *ctx, ksr_status status, const char *format, ...) KSR_PRINTF(3, 4);

// The same, with what errno says behind the message: "Cannot write out.mkv: No space left on
// device". Want of memory is that and nothing else.
ksr_status ksr_fail_errno(ksr_context *ctx, ksr_status status, const char *format, ...)
    KSR_PRINTF(3, 4);

// Returns whether a status says that an input cannot be had: KSR_E_INPUT or KSR_E_NOT_FOUND.
bool ksr_is_unreadable(ksr_status status);

// Several threads that work on one thing tend to fail together, for one reason: between these two
// calls only the first ksr_fail() of a context is an error, and later ones are for debugging.
// ksr_failures_end() returns the status of that first one, KSR_OK if there was none.
void ksr_failures_begin(ksr_context *ctx);
ksr_status ksr_failures_end(ksr_context *ctx);

// A failure that has happened and is not logged yet.
struct ksr_failure {
    ksr_context *ctx;
    ksr_status status; // KSR_OK: there is none
    char text[KSR_REASON_SIZE];
    struct ksr_failure *outer; // where failures of the thread went before
};

// From here on ksr_fail() with this context on this thread notes the first failure in `failure`,
// which is emptied, and logs nothing. So threads that go on side by side fail in the order of what
// they work on, and not in that of the clock. Calls may be nested.
void ksr_failure_hold(ksr_context *ctx, struct ksr_failure *failure);

// Ends that, for the failure that was held last on this thread.
void ksr_failure_release(struct ksr_failure *failure);

// Logs a failure that was held, as ksr_fail() would have. Does nothing if there is none.
void ksr_failure_tell(const struct ksr_failure *failure);

// Logs "out of memory" and returns KSR_E_NOMEM.
ksr_status ksr_fail_memory(ksr_context *ctx);

// Returns KSR_E_CANCELLED once ksr_context_cancel() was called, else KSR_OK. Logs nothing.
ksr_status ksr_check_cancel(const ksr_context *ctx);

// Sends one progress report. Thread-safe.
void ksr_report_progress(ksr_context *ctx, const struct ksr_progress *progress);

// *out: a context that shows nothing: the message of the last failure goes into `reason`, which has
// KSR_REASON_SIZE bytes and must outlive it, in the style of `like` (may be NULL).
// Returns KSR_OK, KSR_E_NOMEM (not logged).
ksr_status ksr_context_create_quiet(ksr_context **out, const ksr_context *like, char *reason);

// Returns the number of warnings logged so far.
int ksr_warning_count(const ksr_context *ctx);

// Gives the context something costly to make, such as a loaded model, for later calls with it. The
// last few are kept until the context is destroyed. NULL as context: destroyed at once.
// Thread-safe.
void ksr_context_keep(ksr_context *ctx, void *thing, void (*destroy)(void *thing));

// Returns a thing of that kind that fits `wanted`, which is the caller's again, or NULL.
// Thread-safe.
void *ksr_context_take(ksr_context *ctx, void (*destroy)(void *thing),
                       bool (*fits)(const void *thing, const void *wanted), const void *wanted);

// The texts of warnings. All zero is an empty list.
struct ksr_warnings {
    char **texts; // owned
    size_t count, capacity;
    bool lost; // out of memory: some are missing
};

// From here on warnings are also added to `list`, which must stay where it is; NULL ends that.
// For the parts of a run that have one thread.
void ksr_warnings_collect(ksr_context *ctx, struct ksr_warnings *list);

// Adds a text. Returns false when out of memory.
bool ksr_warnings_add(struct ksr_warnings *list, const char *text);

// Frees the texts and leaves an empty list.
void ksr_warnings_free(struct ksr_warnings *list);

#endif
