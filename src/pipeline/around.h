// The order of work where each frame is made with those before and after it: which frames are kept,
// which of them follow each other, and when one can be made (composite video, on either executor).
//
// Frames have numbers in the order of their pushes, which never fall but for those that only
// followed others and are replaced. Number n is kept at place n % KSR_AROUND_KEPT.

#ifndef KSR_PIPELINE_AROUND_H
#define KSR_PIPELINE_AROUND_H

#include <stdbool.h>
#include <stdint.h>

#include "stages/composite.h"

// The one to make next, those before it, and those pushed after it.
#define KSR_AROUND_KEPT (3 * KSR_COMPOSITE_AROUND)

struct ksr_around_frame {
    int64_t frame; // its number in the film
    int run;       // frames with the same one follow each other
    bool warms_up;
};

// All zero = nothing was pushed.
struct ksr_around {
    struct ksr_around_frame kept[KSR_AROUND_KEPT];
    int64_t pushed; // the number of the next one
    int64_t next;   // of the first that was not made
    int after;      // of the last ones: they only follow
    int run;
    bool begins; // the next one follows none
};

// Notes a push; held: frames that are held, as ksr_pipeline_push() counts them. Returns whether the
// frame is needed: it has the last number then.
bool ksr_around_push(struct ksr_around *around, int64_t frame, bool warms_up, int held);

// Returns whether the next one can be made: those after it are there, or, where it `drains`, no
// frame follows but those that were pushed.
bool ksr_around_ready(const struct ksr_around *around, bool drains);

// Takes the next one; numbers: of those around it, n-1, n+1, n-2, n+2; -1: there is none.
const struct ksr_around_frame *ksr_around_take(struct ksr_around *around,
                                               int64_t numbers[KSR_COMPOSITE_FRAMES]);

// Forgets all that was pushed; numbers go on.
void ksr_around_reset(struct ksr_around *around);

#endif
