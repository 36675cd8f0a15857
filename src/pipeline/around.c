// The order of frames with others around them; see around.h.

#include "pipeline/around.h"

#define AROUND KSR_COMPOSITE_AROUND

static struct ksr_around_frame *at(struct ksr_around *a, int64_t number)
{
    return &a->kept[number % KSR_AROUND_KEPT];
}

bool ksr_around_push(struct ksr_around *a, int64_t frame, bool warms_up, int held)
{
    const bool after = warms_up && held > 0;
    if (after && a->after == AROUND)
        return false;
    // Those that only followed: the ones before this frame warm up, it takes the place of the
    // others.
    for (; !after && a->after > 0; a->after--)
        a->pushed -= at(a, a->pushed - 1)->frame >= frame;
    a->run += a->begins || a->pushed == 0 || frame != at(a, a->pushed - 1)->frame + 1;
    a->begins = false;
    *at(a, a->pushed++) = (struct ksr_around_frame){frame, a->run, warms_up};
    a->after += after;
    return true;
}

bool ksr_around_ready(const struct ksr_around *a, bool drains)
{
    return drains ? a->next < a->pushed - a->after : a->next + AROUND < a->pushed;
}

// Returns a number, if it is kept and one of a run with a frame; else -1.
static int64_t neighbour(struct ksr_around *a, int run, int64_t number)
{
    return number < 0 || number >= a->pushed || at(a, number)->run != run ? -1 : number;
}

const struct ksr_around_frame *ksr_around_take(struct ksr_around *a,
                                               int64_t numbers[KSR_COMPOSITE_FRAMES])
{
    const struct ksr_around_frame *f = at(a, a->next);
    for (int k = 0; k < KSR_COMPOSITE_FRAMES; k++)
        numbers[k] = neighbour(a, f->run, a->next + (k / 2 + 1) * (k % 2 ? 1 : -1));
    a->next++;
    return f;
}

void ksr_around_reset(struct ksr_around *a)
{
    a->next = a->pushed;
    a->after = 0;
    a->begins = true;
}
