// When a GPU is warm enough to be measured.
//
// An idle GPU lowers its clocks, to a fifth and less, and raises them only after some tenth of a
// second of work. So work like that to be measured comes first, until it gets no faster.

#ifndef KSR_PIPELINE_WARM_H
#define KSR_PIPELINE_WARM_H

#include <stdbool.h>

// What is known so far; all zero at the beginning.
struct ksr_warmth {
    double total; // seconds of work
    double batch; // seconds of the batch that is being filled
    int pieces;   // of that batch
    double last;  // seconds of a piece in the batch before; 0: none
    bool steady;  // the last two batches were alike
};

// Notes a piece of work that took so many seconds (> 0) by the processor's clock. Returns whether
// the GPU must go on warming up: at first, and as long as the pieces of a batch take another time
// than those of the batch before, but not for long, so that a slow device makes a few pieces.
bool ksr_warm_up(struct ksr_warmth *warmth, double seconds);

#endif
