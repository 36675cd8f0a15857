// What the network of chroma does to pictures that have one right answer, added to the program's
// filter as the pipeline does it. Limits are in samples of 15 bits; a code of 8 bits is 128. They
// lie somewhat above what was measured, so that a retrained network is held to them.

#include "ai_run.h"

#include <math.h>

#include "core/mem.h"
#include "net/library.h"
#include "pipeline/pipeline.h"
#include "stages/dispatch.h"

#define NETWORK "anime-chroma"

// Luma, its chroma of half the size, and what this becomes.
struct picture {
    struct ksr_frame in;
    struct ksr_frame out; // of two planes: U and V
};

static struct {
    ksr_net *net;
    void *scratch;
    struct ksr_stage_table table;
} engine;

static int load(void **state)
{
    (void)state;
    ksr_context *ctx = NULL;
    assert_int_equal(ksr_context_create(&ctx, NULL), KSR_OK);
    assert_int_equal(ksr_model_load(ctx, NETWORK, NULL, &engine.net), KSR_OK);
    ksr_context_destroy(&ctx);
    assert_true(engine.net->chroma);
    engine.scratch = ksr_aligned_calloc(ksr_net_scratch(engine.net));
    assert_non_null(engine.scratch);
    ksr_stage_table_init(&engine.table, ksr_cpu_level());
    return 0;
}

static int unload(void **state)
{
    (void)state;
    ksr_aligned_free(engine.scratch);
    ksr_net_destroy(&engine.net);
    return 0;
}

static struct picture new_picture(int width, int height)
{
    return (struct picture){unit_frame(unit_layout(width, height, 3, 1)),
                            unit_frame(unit_layout(width, height, 2, 0))};
}

static void free_picture(struct picture *p)
{
    ksr_frame_free(&p->in);
    ksr_frame_free(&p->out);
}

// Enlarges chroma by the filter, and by the network.
static void enlarge(const struct picture *p, bool network)
{
    const struct ksr_plane *in = p->in.plane, *out = p->out.plane;
    assert_true(ksr_net_chroma_possible(&p->in.layout));
    for (int i = 0; i < 2; i++) {
        const struct ksr_upscale_params params = ksr_upscale_params_make(&p->in.layout, 1 + i);
        engine.table.upscale_rows(&out[i], &in[1 + i], &params, 0, out[i].height);
    }
    const struct ksr_net_chroma src = {{in[1], in[2]}, in[0]};
    if (network)
        engine.table.net_chroma_rows(out, &src, engine.net, engine.scratch, 0, out->height);
}

// Y, U and V in codes of 8 bits.
struct colour {
    int code[3];
};

// --- Flat areas ---

// Fills a picture with a colour. Returns how far off chroma is at most, and in *places, which may
// be NULL, how much its four places differ.
static int flat_colour(const struct picture *p, struct colour c, int *places)
{
    int off = 0;
    for (int i = 0; i < 3; i++)
        unit_fill(&p->in.plane[i], (uint16_t)(c.code[i] << 7));
    enlarge(p, true);
    for (int i = 0; i < 2; i++) {
        int low = KSR_SAMPLE_MAX, high = 0;
        for (int y = 0; y < p->out.plane[i].height; y++)
            for (int x = 0; x < p->out.plane[i].width; x++) {
                const int v = *unit_at(&p->out.plane[i], x, y);
                low = v < low ? v : low;
                high = v > high ? v : high;
                off = abs(v - (c.code[1 + i] << 7)) > off ? abs(v - (c.code[1 + i] << 7)) : off;
            }
        if (places)
            *places = high - low > *places ? high - low : *places;
    }
    return off;
}

// Whether a colour can be made of red, green and blue (BT.709, limited range).
static bool is_rgb(struct colour c)
{
    const double y = (c.code[0] - 16) / 219.0, u = (c.code[1] - 128) / 224.0,
                 v = (c.code[2] - 128) / 224.0;
    const double part[3] = {y + 1.5748 * v, y - 0.1873 * u - 0.4681 * v, y + 1.8556 * u};
    return fmin(part[0], fmin(part[1], part[2])) >= 0 && fmax(part[0], fmax(part[1], part[2])) <= 1;
}

// Tries flat colours. Returns how far they are off at most.
static int try_colours(bool rgb, int *places)
{
    struct picture p = new_picture(4, 4);
    int worst = 0, count = 0;
    for (int y = 16; y <= 235; y += 10)
        for (int u = 16; u <= 240; u += 7)
            for (int v = 16; v <= 240; v += 7) {
                const struct colour c = {{y, u, v}};
                if (is_rgb(c) != rgb)
                    continue;
                const int off = flat_colour(&p, c, places);
                worst = off > worst ? off : worst;
                count++;
            }
    free_picture(&p);
    print_message("%d flat colours%s are off by at most %d, places by %d\n", count,
                  rgb ? "" : " outside of RGB", worst, *places);
    return worst;
}

// Flat colours get no other colour, and no checkerboard, even those outside of RGB, which coding
// can make.
static void flat_colours_stay(void **state)
{
    (void)state;
    int places = 0;
    assert_int_equal(try_colours(true, &places), 0);
    assert_int_equal(try_colours(false, &places), 0);
    assert_int_equal(places, 0);
}

// Nothing in luma brings colour to where there is none.
static void grey_stays_grey(void **state)
{
    (void)state;
    struct picture p = new_picture(64, 48);
    for (int i = 0; i < 3; i++)
        unit_fill(&p.in.plane[i], KSR_CHROMA_ZERO);
    for (int y = 0; y < 48; y++)
        for (int x = 0; x < 64; x++)
            *unit_at(&p.in.plane[0], x, y) = (uint16_t)(x < 32 ? (x * 7919 + y * 104729) % 32768
                                                        : (x + 2 * y) % 11 < 3 ? 2048
                                                                               : 30080);
    enlarge(&p, true);
    for (int i = 0; i < 2; i++)
        for (int y = 0; y < 48; y++)
            for (int x = 0; x < 64; x++)
                assert_int_equal(*unit_at(&p.out.plane[i], x, y), KSR_CHROMA_ZERO);
    free_picture(&p);
}

// --- Ramps ---

// A slow ramp keeps its straightness, and its four output places lie on one line. Sample (x, y) of
// what is made lies at (x - 1/4, y) of luma, as chroma is sited left.
static void ramps_stay_straight(void **state)
{
    (void)state;
    enum { SIZE = 60, EDGE = 16 };
    struct picture p = new_picture(SIZE, SIZE);
    double worst = 0, apart = 0;
    for (int degrees = 0; degrees < 360; degrees += 15) {
        const int dx = (int)lround(75 * cos(degrees * M_PI / 180)),
                  dy = (int)lround(75 * sin(degrees * M_PI / 180));
        const int at = 16384 - 30 * (dx + dy);
        unit_fill_ramp(&p.in.plane[0], at, dx, dy);
        unit_fill_ramp(&p.in.plane[1], at + dy / 2, 2 * dx, 2 * dy);
        unit_fill_ramp(&p.in.plane[2], KSR_SAMPLE_MAX - at - dy / 2, -2 * dx, -2 * dy);
        enlarge(&p, true);
        for (int i = 0; i < 2; i++) {
            double sum[4] = {0};
            for (int y = EDGE; y < SIZE - EDGE; y++)
                for (int x = EDGE; x < SIZE - EDGE; x++) {
                    const double v = at + dx * (x - 0.25) + dy * y;
                    const double off =
                        *unit_at(&p.out.plane[i], x, y) - (i ? KSR_SAMPLE_MAX - v : v);
                    worst = fmax(worst, fabs(off));
                    sum[y % 2 * 2 + x % 2] += 4 * off / ((SIZE - 2 * EDGE) * (SIZE - 2 * EDGE));
                }
            for (int k = 1; k < 4; k++)
                apart = fmax(apart, fabs(sum[k] - sum[0]));
        }
    }
    free_picture(&p);
    print_message("ramps are off by %.1f, places by %.1f\n", worst, apart);
    assert_true(worst <= 128 && apart <= 64);
}

// --- Edges ---

enum { SIZE = 48, LARGE = 2 * SIZE, EDGE = 8 };

// How much of every sample one of two colours covers: of a picture of twice the size, of the
// picture, of what its chroma should become, and of its chroma.
static struct {
    double large[LARGE][LARGE], luma[SIZE][SIZE], truth[SIZE][SIZE], chroma[SIZE / 2][SIZE / 2];
} cover;

// Halves chroma that is sited left: 1 2 1 along rows, 1 1 along columns.
static void halve_left(int size, const double *in, double *out)
{
    for (int y = 0; y < size; y++)
        for (int x = 0; x < size; x++) {
            out[y * size + x] = 0;
            for (int r = 0; r < 2; r++) {
                const double *row = in + (2 * y + r) * 2 * size + 2 * x;
                out[y * size + x] += (row[x > 0 ? -1 : 0] + 2 * row[0] + row[1]) / 8;
            }
        }
}

// An edge through the middle.
static void cover_edge(double degrees)
{
    const double c = cos(degrees * M_PI / 180), s = sin(degrees * M_PI / 180);
    for (int y = 0; y < LARGE; y++)
        for (int x = 0; x < LARGE; x++) {
            cover.large[y][x] = 0;
            for (int k = 0; k < 16; k++) {
                const double u = x + (k % 4 + 0.5) / 4 - 48.6, v = y + (k / 4 + 0.5) / 4 - 47.6;
                cover.large[y][x] += u * c + v * s > 0 ? 1.0 / 16 : 0;
            }
        }
    for (int y = 0; y < SIZE; y++)
        for (int x = 0; x < SIZE; x++)
            cover.luma[y][x] = (cover.large[2 * y][2 * x] + cover.large[2 * y][2 * x + 1] +
                                cover.large[2 * y + 1][2 * x] + cover.large[2 * y + 1][2 * x + 1]) /
                               4;
    halve_left(SIZE, cover.large[0], cover.truth[0]);
    halve_left(SIZE / 2, cover.luma[0], cover.chroma[0]);
}

// A colour on another.
static const struct edge {
    const char *name;
    struct colour a, b;
    double error; // limit: of the filter's, that is left
} edges[] = {
    {"dark on skin", {{200, 110, 150}}, {{40, 128, 128}}, 0.45},
    {"blue on white", {{235, 128, 128}}, {{41, 240, 110}}, 0.5},
    {"red on green", {{145, 54, 34}}, {{81, 90, 240}}, 0.75},
    {"equal luma", {{120, 90, 180}}, {{120, 180, 90}}, 0.6},
};
#define EDGES (sizeof(edges) / sizeof(edges[0]))

static double mixed(const struct edge *e, int i, double share)
{
    return 128 * (e->a.code[i] + (e->b.code[i] - e->a.code[i]) * share);
}

// Of the chroma that changes more.
static double step_of(const struct edge *e)
{
    return 128 * fmax(abs(e->a.code[1] - e->b.code[1]), abs(e->a.code[2] - e->b.code[2]));
}

static void draw_edge(const struct picture *p, const struct edge *e)
{
    for (int y = 0; y < SIZE; y++)
        for (int x = 0; x < SIZE; x++)
            *unit_at(&p->in.plane[0], x, y) = (uint16_t)lround(mixed(e, 0, cover.luma[y][x]));
    for (int i = 1; i < 3; i++)
        for (int y = 0; y < SIZE / 2; y++)
            for (int x = 0; x < SIZE / 2; x++)
                *unit_at(&p->in.plane[i], x, y) = (uint16_t)lround(mixed(e, i, cover.chroma[y][x]));
}

struct found {
    double error;  // mean square
    double beyond; // what goes beyond both colours
};

static void judge_edge(const struct picture *p, const struct edge *e, struct found *out)
{
    for (int i = 0; i < 2; i++) {
        const double a = mixed(e, 1 + i, 0), b = mixed(e, 1 + i, 1);
        for (int y = EDGE; y < SIZE - EDGE; y++)
            for (int x = EDGE; x < SIZE - EDGE; x++) {
                const double v = *unit_at(&p->out.plane[i], x, y),
                             off = v - mixed(e, 1 + i, cover.truth[y][x]);
                out->error += off * off;
                out->beyond = fmax(out->beyond, fmax(fmin(a, b) - v, v - fmax(a, b)));
            }
    }
}

// Chroma comes nearer to what the picture had than by the filter, and goes little beyond it.
static void edges_are_sharp(void **state)
{
    (void)state;
    struct picture p = new_picture(SIZE, SIZE);
    for (size_t n = 0; n < EDGES; n++) {
        const struct edge *e = &edges[n];
        struct found filter = {0}, network = {0};
        for (int degrees = 0; degrees < 360; degrees += 12) {
            cover_edge(degrees);
            draw_edge(&p, e);
            enlarge(&p, false);
            judge_edge(&p, e, &filter);
            enlarge(&p, true);
            judge_edge(&p, e, &network);
        }
        const double step = step_of(e);
        const double left = sqrt(network.error / filter.error);
        print_message("%s: error %.3f of the filter's, beyond %.1f %% (filter %.1f %%)\n", e->name,
                      left, 100 * network.beyond / step, 100 * filter.beyond / step);
        assert_true(left <= e->error && network.beyond <= 0.12 * step);
    }
    free_picture(&p);
}

static void turn_over(const struct ksr_plane *p)
{
    for (int y = 0; y < p->height / 2; y++)
        for (int x = 0; x < p->width; x++) {
            uint16_t *a = unit_at(p, x, y), *b = unit_at(p, x, p->height - 1 - y), v = *a;
            *a = *b;
            *b = v;
        }
}

// An edge upside down becomes nearly the same upside down: nothing moves up or down.
static void upside_down_is_nearly_the_same(void **state)
{
    (void)state;
    struct picture p = new_picture(SIZE, SIZE), q = new_picture(SIZE, SIZE);
    for (size_t n = 0; n < EDGES; n++) {
        double worst = 0, sum = 0, count = 0;
        for (int degrees = 0; degrees < 360; degrees += 12) {
            cover_edge(degrees);
            draw_edge(&p, &edges[n]);
            draw_edge(&q, &edges[n]);
            for (int i = 0; i < 3; i++)
                turn_over(&q.in.plane[i]);
            enlarge(&p, true);
            enlarge(&q, true);
            for (int i = 0; i < 2; i++) {
                turn_over(&q.out.plane[i]);
                for (int y = EDGE; y < SIZE - EDGE; y++)
                    for (int x = EDGE; x < SIZE - EDGE; x++, count++) {
                        const double off =
                            *unit_at(&p.out.plane[i], x, y) - *unit_at(&q.out.plane[i], x, y);
                        worst = fmax(worst, fabs(off));
                        sum += off * off;
                    }
            }
        }
        const double step = step_of(&edges[n]) / 100;
        print_message("%s: upside down it differs by %.2f %% at most, %.3f %% on average\n",
                      edges[n].name, worst / step, sqrt(sum / count) / step);
        assert_true(worst / step <= 18 && sqrt(sum / count) / step <= 1.5);
    }
    free_picture(&p);
    free_picture(&q);
}

// --- In the pipeline ---

static struct ksr_frame run(const struct ksr_frame *in, const ksr_net *net, int scale,
                            ksr_pool *pool, int band_rows)
{
    const ksr_engine both = {.net = (ksr_net *)net, .chroma = engine.net}; // borrowed: never closed
    return unit_ai_run(in, &both, scale, pool, band_rows);
}

// Whole, in bands and on threads; at four times, filters do the rest.
static void the_pipeline_makes_the_same(void **state)
{
    (void)state;
    ksr_context *ctx = NULL;
    ksr_net *net = NULL;
    assert_int_equal(ksr_context_create(&ctx, NULL), KSR_OK);
    assert_int_equal(ksr_model_load(ctx, "anime-fast", NULL, &net), KSR_OK);
    ksr_context_destroy(&ctx);
    ksr_pool *pool = ksr_pool_create(3);
    struct picture p = new_picture(45, 61);
    uint32_t seed = 5;
    for (int i = 0; i < 3; i++)
        unit_fill_random(&p.in.plane[i], &seed, false);
    enlarge(&p, true);
    for (int rows = 2; rows <= 1000; rows *= 3) {
        struct ksr_frame out = run(&p.in, net, 2, rows > 10 ? pool : NULL, rows);
        for (int i = 0; i < 2; i++)
            unit_assert_equal(&out.plane[1 + i], &p.out.plane[i]);
        ksr_frame_free(&out);
    }
    struct ksr_frame whole = run(&p.in, net, 4, NULL, 1000), bands = run(&p.in, net, 4, pool, 14);
    for (int i = 0; i < 2; i++) {
        const struct ksr_layout layout = ksr_layout_scaled(&p.in.layout, 2);
        const struct ksr_upscale_params params = ksr_upscale_params_make(&layout, 1 + i);
        struct ksr_frame want = unit_grey(whole.plane[1].width, whole.plane[1].height);
        engine.table.upscale_rows(&want.plane[0], &p.out.plane[i], &params, 0, want.layout.height);
        unit_assert_equal(&whole.plane[1 + i], &want.plane[0]);
        unit_assert_equal(&bands.plane[1 + i], &want.plane[0]);
        ksr_frame_free(&want);
    }
    ksr_frame_free(&whole);
    ksr_frame_free(&bands);
    free_picture(&p);
    ksr_pool_destroy(&pool);
    ksr_net_destroy(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flat_colours_stay),
        cmocka_unit_test(grey_stays_grey),
        cmocka_unit_test(ramps_stay_straight),
        cmocka_unit_test(edges_are_sharp),
        cmocka_unit_test(upside_down_is_nearly_the_same),
        cmocka_unit_test(the_pipeline_makes_the_same),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
