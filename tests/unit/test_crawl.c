// Dot crawl is told from noise, from grain and from motion.

#include "unit.h"

#include "frame/crawl.h"

#define W    160
#define H    96
#define CODE 128 // of 8 bits

enum { CARRIER, NOISE, FADE, STEADY, ROWS };

// Luma of frame n of a still with such a difference from frame to frame, of `size` codes.
static void draw(const struct ksr_plane *p, int n, int kind, int size)
{
    static const int wave[] = {10, -1, -10, 4, 8, -7, -6, 9, 2, -10, 1, 9, -5, -7, 8, 4}; // 3.77
    uint32_t seed = (uint32_t)(n + 1) * 77;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            const int sign = (n + y / 2) % 2 ? -1 : 1, columns = (n + x / 2) % 2 ? -1 : 1;
            const int noise = (int)(unit_random(&seed) >> 20 & 255) - 128;
            const int more = kind == CARRIER  ? sign * wave[x % 15] * size * CODE / 10
                             : kind == NOISE  ? noise * size * CODE / 100
                             : kind == FADE   ? n * size * CODE
                             : kind == ROWS   ? sign * size * CODE
                             : kind == STEADY ? columns * size * CODE
                                              : 0;
            *unit_at(p, x, y) = (uint16_t)((x + y / 3) % 50 < 25 ? 9000 + more : 21000 + more);
        }
}

static struct ksr_crawl look(int kind, int size)
{
    struct ksr_frame a = unit_grey(W, H), b = unit_grey(W, H);
    struct ksr_crawl crawl = {0};
    draw(&a.plane[0], 0, kind, size);
    draw(&b.plane[0], 1, kind, size);
    ksr_crawl_add(&crawl, &a.plane[0], &b.plane[0]);
    ksr_frame_free(&a);
    ksr_frame_free(&b);
    return crawl;
}

static void carriers_are_found(void **state)
{
    (void)state;
    struct ksr_crawl crawl = look(CARRIER, 3);
    assert_int_equal(crawl.blocks, W / 16 * (H / 16));
    assert_int_equal(crawl.crawl, crawl.blocks);
    assert_false(ksr_crawl_found(&crawl)); // one pair of so few blocks tells too little
    crawl.blocks *= 2;
    crawl.crawl *= 2;
    assert_true(ksr_crawl_found(&crawl));
}

static void nothing_else_is(void **state)
{
    (void)state;
    static const int kinds[] = {NOISE, FADE, STEADY, ROWS};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        const struct ksr_crawl crawl = look(kinds[i], 2);
        if (crawl.crawl > 0)
            fail_msg("kind %d: %d of %d blocks", kinds[i], (int)crawl.crawl, (int)crawl.blocks);
    }
    assert_true(look(NOISE, 2).blocks > 0);
    assert_int_equal(look(FADE, 2).blocks, 0);
    assert_int_equal(look(CARRIER, 0).blocks, 0);
}

static void a_tenth_of_blocks_counts(void **state)
{
    (void)state;
    assert_true(ksr_crawl_found(&(struct ksr_crawl){.blocks = 70, .crawl = 7}));
    assert_false(ksr_crawl_found(&(struct ksr_crawl){.blocks = 70, .crawl = 6}));
    assert_false(ksr_crawl_found(&(struct ksr_crawl){.blocks = 63, .crawl = 63}));
    assert_false(ksr_crawl_found(&(struct ksr_crawl){0}));
    struct ksr_frame small = unit_grey(15, 40);
    struct ksr_crawl crawl = {0};
    unit_fill(&small.plane[0], 9000);
    ksr_crawl_add(&crawl, &small.plane[0], &small.plane[0]);
    assert_int_equal(crawl.blocks, 0);
    ksr_frame_free(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(carriers_are_found),
        cmocka_unit_test(nothing_else_is),
        cmocka_unit_test(a_tenth_of_blocks_counts),
    };
    return cmocka_run_group_tests_name("crawl", tests, NULL, NULL);
}
