// A thread beside its owner's, that runs one call at a time: what comes next is made while the
// owner still works on what came before.
//
// Nothing depends on which of the two is faster. The owner starts calls and waits for them in an
// order of its own, and hears of a failure when it waits, not when it happens.

#ifndef KSR_CORE_BACKGROUND_H
#define KSR_CORE_BACKGROUND_H

#include "core/log.h"

// Thread-safety: one thread at a time per object.
typedef struct ksr_background ksr_background;

// *out: free with ksr_background_destroy(), which waits for the call in progress and accepts NULL
// and a pointer to NULL. Returns KSR_OK, KSR_E_NOMEM (logged).
KSR_MUST_USE ksr_status ksr_background_create(ksr_context *ctx, ksr_background **out);
void ksr_background_destroy(ksr_background **background);

// Runs call(arg) on the thread. Every call is to be waited for before the next one is started.
// What the owner wrote until now, the call sees.
void ksr_background_start(ksr_background *background, ksr_status (*call)(void *arg), void *arg);

// Waits for the call that was started and returns its status. What it failed with is logged here.
// What it wrote, the owner sees.
ksr_status ksr_background_wait(ksr_background *background);

// Waits for it, too, but nobody wants to know what became of it.
void ksr_background_drop(ksr_background *background);

// Returns the seconds that calls have taken since this was last asked for. None may be in progress.
double ksr_background_take_time(ksr_background *background);

// Runs two calls at once, the second on the calling thread, and returns when both are over. Returns
// and logs what the first fails with; only where it succeeds, what the second does.
KSR_MUST_USE ksr_status ksr_run_both(ksr_context *ctx, ksr_status (*first)(void *arg),
                                     void *first_arg, ksr_status (*second)(void *arg),
                                     void *second_arg);

#endif
