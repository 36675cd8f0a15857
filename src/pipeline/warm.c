// When a GPU is warm enough to be measured; see warm.h.

#include "pipeline/warm.h"

#include <math.h>

#define LEAST 0.3  // seconds: clocks stay low for the first tenth or two, and look steady
#define MOST  1.5  // seconds: on a device whose times never settle, and on a slow one
#define BATCH 0.05 // seconds: a single piece may be far shorter, and vary
#define ALIKE 0.03 // the part by which two batches may differ

bool ksr_warm_up(struct ksr_warmth *warmth, double seconds)
{
    struct ksr_warmth *w = warmth;
    w->total += seconds;
    w->batch += seconds;
    w->pieces++;
    if (w->batch >= BATCH) {
        const double piece = w->batch / w->pieces;
        w->steady = fabs(piece - w->last) <= ALIKE * w->last;
        w->last = piece;
        w->batch = 0;
        w->pieces = 0;
    }
    return w->total < MOST && (w->total < LEAST || !w->steady);
}
