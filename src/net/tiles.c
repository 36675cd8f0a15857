// How one axis of a picture is cut into tiles; see tiles.h.

#include "net/tiles.h"

#include "frame/tile.h"

static int round_up(int value, int multiple)
{
    return (value + multiple - 1) / multiple * multiple;
}

// As few tiles as the wanted size needs, then no larger than that many need: what tiles share is
// computed twice, and so is what reaches beyond the picture.
static int even_size(int length, int size, int overlap, int multiple)
{
    const int step = ksr_max((size - overlap) / multiple, 1) * multiple;
    const int count = (length - size + step - 1) / step + 1;
    const int shared = round_up(overlap, multiple) * (count - 1);
    return ksr_min(size, round_up((length + shared + count - 1) / count, multiple));
}

struct ksr_tiling ksr_tiling_make(int length, int size, int overlap, int multiple, int fixed)
{
    struct ksr_tiling t = {.length = length, .size = size, .count = 1};
    if (fixed)
        multiple = 1; // the size is given, and groups are counted from any start
    else
        t.size = ksr_max(size / multiple, 2) * multiple; // or none could overlap
    overlap = ksr_min(overlap, t.size / 2);
    if (!fixed)
        t.size = length <= t.size ? round_up(length, multiple)
                                  : even_size(length, t.size, overlap, multiple);
    t.step = ksr_max((t.size - overlap) / multiple, 1) * multiple;
    if (length <= t.size)
        return t;
    t.last = round_up(length - t.size, multiple);
    t.count = (t.last + t.step - 1) / t.step + 1;
    return t;
}

static int start_of(const struct ksr_tiling *t, int i)
{
    return ksr_min(i * t->step, t->last);
}

// Where tile i - 1 ends and tile i begins.
static int border(const struct ksr_tiling *t, int i)
{
    const int start = start_of(t, i), end = start_of(t, i - 1) + t->size;
    return start + (end - start) / 2;
}

struct ksr_tile ksr_tiling_tile(const struct ksr_tiling *t, int i)
{
    return (struct ksr_tile){start_of(t, i), i > 0 ? border(t, i) : 0,
                             i < t->count - 1 ? border(t, i + 1) : t->length};
}
