// Frames of Theora that repeat the one before; see theora.h. Numbers of sections are those of the
// Theora specification.

#include "media/encode/theora.h"

#include <stdbool.h>
#include <string.h>

#define LONGEST_RUN 4129

struct bits {
    uint8_t *data;
    size_t count;
};

static void put(struct bits *b, uint32_t value, int length)
{
    for (int i = length - 1; i >= 0; i--, b->count++)
        if (b->count < 8 * (size_t)KSR_THEORA_REPEAT && value >> i & 1)
            b->data[b->count / 8] |= (uint8_t)(128 >> b->count % 8);
}

// A run of flags that are alike (7.2.1): a prefix, and how far it is beyond the least that has it.
static void put_run(struct bits *b, int length)
{
    static const struct {
        int least, prefix, prefix_bits, more_bits;
    } codes[] = {{34, 63, 6, 12}, {18, 62, 6, 4}, {10, 30, 5, 3}, {6, 14, 4, 2},
                 {4, 6, 3, 1},    {2, 2, 2, 1},   {1, 0, 1, 0}};
    size_t i = 0;
    while (length < codes[i].least)
        i++;
    put(b, (uint32_t)codes[i].prefix, codes[i].prefix_bits);
    put(b, (uint32_t)(length - codes[i].least), codes[i].more_bits);
}

// `count` flags that are all 0; the bit is said again after each longest run.
static void put_zeros(struct bits *b, int count)
{
    for (; count > 0; count -= LONGEST_RUN) {
        put(b, 0, 1);
        put_run(b, count < LONGEST_RUN ? count : LONGEST_RUN);
    }
}

// Superblocks of 32x32 samples in a plane of whole macroblocks of luma.
static int superblocks(int width, int height, int shift_x, int shift_y)
{
    const int w = ((width + 15) / 16 * 16) >> shift_x, h = ((height + 15) / 16 * 16) >> shift_y;
    return ((w + 31) / 32) * ((h + 31) / 32);
}

size_t ksr_theora_repeat(int width, int height, int chroma_shift_x, int chroma_shift_y,
                         uint8_t out[KSR_THEORA_REPEAT])
{
    struct bits b = {out, 0};
    const int count = superblocks(width, height, 0, 0) +
                      2 * superblocks(width, height, chroma_shift_x, chroma_shift_y);
    memset(out, 0, KSR_THEORA_REPEAT);
    put(&b, 1, 2);        // data, of a frame that depends on others (7.1)
    put(&b, 0, 6 + 1);    // any quantizer, and no second
    put_zeros(&b, count); // none partly coded (7.3)
    put_zeros(&b, count); // none wholly coded
    put(&b, 1, 3);        // a scheme of modes that needs no table: there are none (7.4)
    put(&b, 0, 1);        // any scheme of motion vectors: there are none (7.5)
    put(&b, 0, 4 * 4);    // any tables of coefficients (7.7)
    const size_t bytes = (b.count + 7) / 8;
    return bytes <= KSR_THEORA_REPEAT ? bytes : 0;
}
