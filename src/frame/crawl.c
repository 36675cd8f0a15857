// Dot crawl; see crawl.h.

#include "frame/crawl.h"

#include <stdlib.h>

#define BLOCK        16
#define CELL         4
#define CODE         8  // differences are in eighths of a code of 8 bits
#define FOUND_BLOCKS 64 // least number that tells
#define FOUND_SHARE  10 // percent

// How alike the differences of a block are to those `x` samples and `y` rows further: the sum of
// products, for as many as there are without shifting.
static int64_t alike(int (*d)[BLOCK], int x, int y)
{
    int64_t sum = 0;
    for (int r = 0; r < BLOCK - y; r++)
        for (int c = 0; c < BLOCK - x; c++)
            sum += d[r][c] * d[r + y][c + x];
    return sum * (BLOCK * BLOCK) / ((BLOCK - x) * (BLOCK - y));
}

// Sets d[] to the differences of a block. Returns whether it is held.
static bool find_differences(int (*d)[BLOCK], const struct ksr_plane *a, const struct ksr_plane *b,
                             int x, int y)
{
    int cells[BLOCK / CELL][BLOCK / CELL] = {{0}};
    for (int r = 0; r < BLOCK; r++)
        for (int c = 0; c < BLOCK; c++) {
            const int before = a->data[(y + r) * a->stride + x + c];
            d[r][c] = (before - b->data[(y + r) * b->stride + x + c]) / (128 / CODE);
            cells[r / CELL][c / CELL] += d[r][c];
        }
    for (int i = 0; i < BLOCK / CELL * (BLOCK / CELL); i++)
        if (abs(cells[i / (BLOCK / CELL)][i % (BLOCK / CELL)]) > CODE * CELL * CELL)
            return false;
    return true;
}

void ksr_crawl_add(struct ksr_crawl *crawl, const struct ksr_plane *first,
                   const struct ksr_plane *second)
{
    int d[BLOCK][BLOCK];
    for (int y = 0; y + BLOCK <= first->height; y += BLOCK)
        for (int x = 0; x + BLOCK <= first->width; x += BLOCK) {
            if (!find_differences(d, first, second, x, y))
                continue;
            const int64_t energy = alike(d, 0, 0);
            if (energy < CODE * CODE * BLOCK * BLOCK)
                continue;
            crawl->blocks++;
            crawl->crawl += -2 * alike(d, 2, 0) > energy && -2 * alike(d, 0, 2) > energy &&
                            10 * alike(d, 0, 4) > 3 * energy;
        }
}

bool ksr_crawl_found(const struct ksr_crawl *crawl)
{
    return crawl->blocks >= FOUND_BLOCKS && 100 * crawl->crawl >= FOUND_SHARE * crawl->blocks;
}
