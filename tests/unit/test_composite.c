// Dot crawl and rainbows of known truth: gone where frames are held, whatever the phases; all else
// stays. Segments: the same frames from the middle and to the middle.

#include "unit.h"

#include <stdlib.h>

#include "pipeline/pipeline.h"
#include "stages/composite.h"
#include "stages/temporal.h"

#define W    96
#define H    64
#define CODE 128 // of 8 bits
#define MARGIN 6 // rows at the edges are repeated, which no subcarrier is

// Luma of a drawing: areas, slanted edges and lines; it has moved by dx.
static int drawn(int x, int y, int dx)
{
    x += 200 - dx;
    return (x + y / 3) % 17 < 7 ? 9000 : (x + 100 - y) % 11 < 3 ? 2500 : 21000;
}

// What is left of the subcarrier: +-amplitude, period of four samples, reversed every two rows of a
// frame, at edges more than elsewhere. phase: of each field, +1 or -1.
static int crawl(int x, int y, int amplitude, int top, int bottom)
{
    static const int wave[] = {3, 1, -3, -1};
    const int row = y / 2 % 2 ? -1 : 1;
    return wave[x % 4] * amplitude / 3 * row * (y % 2 ? bottom : top) / (x / 16 % 2 + 1);
}

// A frame: luma, and chroma of a quarter of its samples, whose faults are of the fields' phase too.
static struct ksr_frame picture(int dx, int amplitude, int top, int bottom)
{
    struct ksr_frame f = unit_frame(unit_layout(W, H, 3, 1));
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            *unit_at(&f.plane[0], x, y) = (uint16_t)(drawn(x, y, dx) + crawl(x, y, amplitude, top, bottom));
    for (int i = 1; i < 3; i++)
        for (int y = 0; y < H / 2; y++)
            for (int x = 0; x < W / 2; x++) {
                const int fault = (x * 7 % 13 - 6) * amplitude / 4 * (y % 2 ? bottom : top);
                *unit_at(&f.plane[i], x, y) = (uint16_t)(KSR_CHROMA_ZERO + 900 * i + fault);
            }
    return f;
}

// Cleans a frame with those around: n-1, n+1, n-2, n+2; NULL: there is none.
static struct ksr_frame clean(const struct ksr_frame *cur,
                              const struct ksr_frame *around[KSR_COMPOSITE_FRAMES], double strength)
{
    const struct ksr_temporal_params p = ksr_composite_params_make(strength);
    struct ksr_frame held[KSR_COMPOSITE_FRAMES], out = unit_frame(cur->layout);
    struct ksr_frame smooth[2] = {unit_grey(W, H), unit_grey(W, H)};
    ksr_composite_smooth_rows(&smooth[0].plane[0], &cur->plane[0], 0, H);
    for (int k = 0; k < KSR_COMPOSITE_FRAMES; k++) {
        held[k] = unit_grey(W, H);
        if (!around[k])
            continue;
        ksr_composite_smooth_rows(&smooth[1].plane[0], &around[k]->plane[0], 0, H);
        ksr_temporal_still_rows(&held[k].plane[0], &smooth[1].plane[0], &smooth[0].plane[0], &p, 0, H);
    }
    for (int i = 0; i < 3; i++) {
        struct ksr_composite_frame frames[KSR_COMPOSITE_FRAMES] = {0};
        const int height = cur->plane[i].height;
        for (int k = 0; k < KSR_COMPOSITE_FRAMES; k++)
            if (around[k])
                frames[k] = (struct ksr_composite_frame){around[k]->plane[i], held[k].plane[0]};
        // In two parts, as bands are.
        ksr_composite_rows(&out.plane[i], &cur->plane[i], frames, i > 0, i > 0, 0, 5);
        ksr_composite_rows(&out.plane[i], &cur->plane[i], frames, i > 0, i > 0, 5, height);
    }
    for (int k = 0; k < KSR_COMPOSITE_FRAMES; k++)
        ksr_frame_free(&held[k]);
    ksr_frame_free(&smooth[0]);
    ksr_frame_free(&smooth[1]);
    return out;
}

static int largest_difference(const struct ksr_plane *a, const struct ksr_plane *b, int margin)
{
    int most = 0;
    for (int y = margin; y < a->height - margin; y++)
        for (int x = margin; x < a->width - margin; x++) {
            const int d = abs(*unit_at(a, x, y) - *unit_at(b, x, y));
            most = d > most ? d : most;
        }
    return most;
}

// top, bottom: phases of n-1, n, n+1, n-2, n+2; 0: there is no such frame. dx: how far each has moved.
static void check(const int top[5], const int bottom[5], const int dx[5], int amplitude, bool cleaned)
{
    struct ksr_frame f[5], truth = picture(0, 0, 1, 1);
    const struct ksr_frame *around[KSR_COMPOSITE_FRAMES] = {NULL};
    for (int k = 0; k < 5; k++)
        f[k] = picture(dx[k], amplitude, top[k], bottom[k]);
    for (int k = 0, n = 0; k < 5; k++)
        if (k != 1)
            around[n++] = top[k] ? &f[k] : NULL;
    struct ksr_frame out = clean(&f[1], around, 0.5);
    for (int i = 0; i < 3; i++)
        if (cleaned) {
            assert_in_range(largest_difference(&f[1].plane[i], &truth.plane[i], MARGIN), 100, KSR_SAMPLE_MAX);
            assert_in_range(largest_difference(&out.plane[i], &truth.plane[i], MARGIN), 0, 2);
        } else {
            unit_assert_equal(&out.plane[i], &f[1].plane[i]);
        }
    for (int k = 0; k < 5; k++)
        ksr_frame_free(&f[k]);
    ksr_frame_free(&out);
    ksr_frame_free(&truth);
}

static const int still[5] = {0};

static void held_frames_come_out_clean(void **state)
{
    (void)state;
    static const int native[5] = {-1, 1, -1, 1, 1}, first[5] = {0, 1, -1, 0, 1}, last[5] = {-1, 1, 0, 1, 0};
    check(native, native, still, 12 * CODE, true);
    check(first, first, still, 12 * CODE, true);
    check(last, last, still, 12 * CODE, true);
}

// Fields of film: top and bottom are of opposite phase in different frames, if in n+2 alone.
static void frames_of_film_come_out_clean(void **state)
{
    (void)state;
    static const int a[5] = {-1, 1, 1, -1, -1}, b[5] = {1, 1, -1, -1, 1}, c[5] = {0, 1, 1, 0, -1};
    check(a, b, still, 12 * CODE, true);
    check(c, b, still, 12 * CODE, true);
}

// A drawing on twos: on one side is another.
static void the_held_side_counts(void **state)
{
    (void)state;
    static const int native[5] = {-1, 1, -1, 1, 1}, left[5] = {0, 0, 9, 5, 15}, right[5] = {9, 0, 0, 15, 5};
    check(native, native, left, 12 * CODE, true);
    check(native, native, right, 12 * CODE, true);
}

// What moves is left alone to the bit, and so is what has none of it around.
static void moving_frames_stay(void **state)
{
    (void)state;
    static const int native[5] = {-1, 1, -1, 1, 1}, alone[5] = {0, 1, 0, 0, 0}, dx[5] = {-3, 0, 3, -6, 6};
    check(native, native, dx, 12 * CODE, false);
    check(native, native, dx, 0, false);
    check(native, native, still, 0, false);
    check(alone, alone, still, 12 * CODE, false);
}

// A frame of another scene between them ends the hold.
static void nothing_is_taken_from_behind_another_frame(void **state)
{
    (void)state;
    static const int native[5] = {1, 1, 1, -1, -1}, dx[5] = {14, 0, 14, 0, 0};
    check(native, native, dx, 12 * CODE, false);
}

// Colours fade under still luma: the frames on both sides are as far away.
static void fades_of_colour_stay(void **state)
{
    (void)state;
    struct ksr_frame f[3];
    for (int k = 0; k < 3; k++) {
        f[k] = picture(0, 0, 1, 1);
        unit_fill(&f[k].plane[1], (uint16_t)(15000 + 300 * k));
    }
    const struct ksr_frame *around[KSR_COMPOSITE_FRAMES] = {&f[0], &f[2], NULL, NULL};
    struct ksr_frame out = clean(&f[1], around, 1);
    unit_assert_equal(&out.plane[1], &f[1].plane[1]);
    for (int k = 0; k < 3; k++)
        ksr_frame_free(&f[k]);
    ksr_frame_free(&out);
}

// --- Films ---

#define FRAMES 40

// Frame n of a film on threes with dot crawl, and a cut.
static struct ksr_frame film_frame(int n)
{
    const int phase = n % 2 ? 1 : -1;
    return picture(n < 21 ? n / 3 * 5 : 50 + n, 9 * CODE, phase, -phase);
}

struct run {
    ksr_pipeline *pipeline;
    struct ksr_frame *out; // of each frame
    int first, pulled;     // the next to come out
};

static void pull(struct run *r, int most)
{
    while (r->pipeline->held > most) {
        const struct ksr_row_sink sink = ksr_frame_sink(&r->out[r->pulled++]);
        assert_int_equal(ksr_pipeline_pull(NULL, r->pipeline, &sink), KSR_OK);
    }
}

// Makes frames first .. end-1, with `warmup` before and `after` behind them.
static void make(struct run *r, int first, int end, int warmup, int after)
{
    r->pulled = first;
    ksr_pipeline_reset(r->pipeline);
    for (int n = first > warmup ? first - warmup : 0; n < FRAMES && n < end + after; n++) {
        struct ksr_frame in = film_frame(n);
        const struct ksr_row_source source = ksr_frame_source(&in);
        assert_int_equal(ksr_pipeline_push(NULL, r->pipeline, n, &source, n < first || n >= end), KSR_OK);
        ksr_frame_free(&in); // it is not read after the push
        pull(r, r->pipeline->delay);
    }
    pull(r, 0);
    assert_int_equal(r->pulled, end);
}

static struct run start(const struct ksr_recipe *recipe, ksr_pool *pool)
{
    struct run r = {.out = calloc(FRAMES, sizeof(r.out[0]))};
    assert_non_null(r.out);
    assert_int_equal(ksr_pipeline_create(NULL, recipe, NULL, pool, &r.pipeline), KSR_OK);
    for (int n = 0; n < FRAMES; n++)
        r.out[n] = unit_frame(recipe->output);
    return r;
}

static void finish(struct run *r)
{
    for (int n = 0; n < FRAMES; n++)
        ksr_frame_free(&r->out[n]);
    free(r->out);
    ksr_pipeline_destroy(&r->pipeline);
}

static int different(const struct run *a, const struct run *b, int first, int end)
{
    int count = 0;
    for (int n = first; n < end; n++)
        for (int i = 0; i < 3; i++)
            count += largest_difference(&a->out[n].plane[i], &b->out[n].plane[i], 0) > 0;
    return count;
}

// Parts of a film with what its ends depend on are those of an unbroken run; with one frame less
// they are not.
static void parts_of_a_film_are_equal(void **state)
{
    (void)state;
    for (int temporal = 0; temporal < 2; temporal++) {
        const struct ksr_pipeline_config c = {.shader_scale = 2, .ai_scale = 2, .composite = 1,
                                              .contrast_boost = 1, .saturation_boost = 1,
                                              .enable_temporal = temporal, .temporal_weight = 0.3,
                                              .motion_threshold = 0.3};
        const struct ksr_layout l = unit_layout(W, H, 3, 1);
        struct ksr_recipe recipe;
        assert_true(ksr_recipe_make(&recipe, &l, &c, NULL));
        ksr_pool *pool = ksr_pool_create(3);
        struct run whole = start(&recipe, NULL), part = start(&recipe, pool);
        const int warmup = ksr_recipe_warmup(&c);
        assert_int_equal(whole.pipeline->ahead, 2);
        assert_int_equal(recipe.warmup, warmup);
        assert_int_equal(warmup, temporal ? 7 : 2);
        make(&whole, 0, FRAMES, 0, 0);
        for (int first = 0; first < FRAMES; first += 6) {
            const int end = first + 6 > FRAMES ? FRAMES : first + 6;
            make(&part, first, end, warmup, 2);
            assert_int_equal(different(&whole, &part, first, end), 0);
        }
        make(&part, 1, 3, warmup, 1); // frame 3 is another drawing than 2
        assert_int_equal(different(&whole, &part, 1, 3), 0);
        make(&part, 3, 4, warmup, 0); // and 4 the same
        assert_true(different(&whole, &part, 3, 4) > 0);
        make(&part, 14, 15, 0, 2);
        assert_true(different(&whole, &part, 14, 15) > 0);
        finish(&whole);
        finish(&part);
        ksr_pool_destroy(&pool);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(held_frames_come_out_clean),
        cmocka_unit_test(frames_of_film_come_out_clean),
        cmocka_unit_test(the_held_side_counts),
        cmocka_unit_test(moving_frames_stay),
        cmocka_unit_test(nothing_is_taken_from_behind_another_frame),
        cmocka_unit_test(fades_of_colour_stay),
        cmocka_unit_test(parts_of_a_film_are_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
