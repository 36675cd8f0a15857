// The engine against the integer reference of train/ai/reference.py, at every level; bands.

#include "unit.h"

#include <stdio.h>

#include "core/hash.h"
#include "core/mem.h"
#include "stages/dispatch.h"

// What train/ai/reference.py prints, and tests/golden/networks.py, whose networks have several
// resolutions, or double chroma. Sizes are those of luma.
static const struct {
    const char *name;
    int width, height;
    const char *hash;
} golden[] = {
    {"anime-fast", 67, 41, "6a1a4e98754153de8d7f7c5ba2bd13bb"},
    {"anime-fast", 1, 1, "3dac48cae6b899bc205718d02d5e1a59"},
    {"anime-fast", 3, 50, "2a14117a8bc8fa4f30836f76365a576e"},
    {"anime-fast", 509, 9, "45fe19506898eaa91977e2880756de17"},
    {"anime-quality", 67, 41, "7c3da8a74e63767c9c552ff63298f5ce"},
    {"anime-quality", 1, 1, "c69bd64d96d85210255beae11b8c7016"},
    {"anime-quality", 3, 50, "36a8c9341fee1803c54cdfdcfd074889"},
    {"anime-quality", 509, 9, "8b7c7941eeca6de1b75f99d54ace1c98"},
    {"anime-best", 67, 41, "964bef2b937ff365a9cf28d190f45f93"},
    {"anime-best", 1, 1, "76a6e48e7da1fe5162efe37214585384"},
    {"anime-ultra", 67, 41, "eede0f2502e9d54ac664f1ce5f7e82d6"},
    {"anime-web", 67, 41, "e85a1da1f90326c88be747be6b49ed82"},
    {"anime-dvd", 67, 41, "c76f3e87721bae7d70d877b5983fe732"},
    {"anime-chroma", 67, 41, "2722136255734421c67d2be4215880ab"},
    {"anime-chroma", 1, 1, "8c380d9ff3ea6d7b8d1b69e7f6730efe"},
    {"anime-chroma", 4, 50, "095865804cd8f952564a738b98a11a2c"},
    {"anime-chroma", 1019, 9, "b35a188c6477bd0e9631aa1ea94c989e"},
    {"resolutions", 67, 41, "1cad79086d275be9006fadc0df5ec95c"},
    {"resolutions", 1, 1, "13ea458ad7c9c1ffd3a9648f0d856f80"},
    {"resolutions", 3, 50, "a8734bf4c03e569f82455ecbcb78271f"},
    {"resolutions", 1023, 5, "1bcb03351d93884482a623a260cf8234"},
    {"chroma", 67, 41, "0d2259dacfaf052cde17464ca10f9738"},
    {"chroma", 1, 1, "8c380d9ff3ea6d7b8d1b69e7f6730efe"},
    {"chroma", 4, 50, "dd5f927bd06ef432e7e0ff1c6108f542"},
    {"chroma", 1019, 9, "61062bf3480d68ac12f3760968b21a82"},
    {"chroma_halved", 67, 41, "8adc02e3d139dd8a4419d9caee403d35"},
    {"chroma_halved", 1, 1, "8c380d9ff3ea6d7b8d1b69e7f6730efe"},
    {"chroma_halved", 4, 50, "15e18f609b3247f947239d4dbf9f9e40"},
    {"chroma_halved", 2043, 5, "c4cf867762af5fcc757f3667732594ac"},
};

#define GOLDEN (int)(sizeof(golden) / sizeof(golden[0]))

static ksr_net *load(const char *name)
{
    static uint8_t file[1 << 23];
    char path[512];
    if (strchr(name, '-') == NULL)
        snprintf(path, sizeof(path), "%s/../tests/fuzz/corpus/model/%s", KSR_MODELS_SOURCE, name);
    else
        snprintf(path, sizeof(path), "%s/%s.ksrnet", KSR_MODELS_SOURCE, name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    const size_t size = fread(file, 1, sizeof(file), f);
    fclose(f);
    struct ksr_model model;
    const char *wrong = ksr_model_parse(file, size, NULL, &model);
    assert_null(wrong);
    ksr_net *net = ksr_net_create(&model);
    assert_non_null(net);
    ksr_model_free(&model);
    return net;
}

// drawn() of train/ai/reference.py.
static int drawn(int x, int y)
{
    int v = (x * 307 + y * 211) % 32768;
    v = (x - 20) * (x - 20) + (y - 15) * (y - 15) < 120 ? 31000 : v;
    v = (x + 2 * y) % 37 < 3 ? 1500 : v;
    const int noise = (x * 7919 + y * 104729 + x * y * 31) % 8191;
    return x > 40 ? (v / 4 + noise * 3) % 32768 : v;
}

enum turn { AS_IT_IS, UPSIDE_DOWN, NEGATIVE };

static void draw(const struct ksr_plane *p, enum turn turn)
{
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++) {
            const int v = drawn(x, turn == UPSIDE_DOWN ? p->height - 1 - y : y);
            *unit_at(p, x, y) = (uint16_t)(turn == NEGATIVE ? KSR_SAMPLE_MAX - v : v);
        }
}

static void hash_frame(const struct ksr_frame *f, char out[KSR_HASH_TEXT])
{
    ksr_hasher *hasher = ksr_hasher_create();
    assert_non_null(hasher);
    for (int i = 0; i < f->layout.planes; i++)
        for (int y = 0; y < f->plane[i].height; y++)
            ksr_hasher_add(hasher, unit_at(&f->plane[i], 0, y),
                           (size_t)f->plane[i].width * sizeof(uint16_t));
    ksr_hasher_text(hasher, out);
    ksr_hasher_destroy(&hasher);
}

// What a network reads, luma and perhaps chroma of half its size, and what it makes or adds to.
struct pictures {
    struct ksr_frame luma, chroma, dst;
};

// drawn(), or drawn_chroma() of train/ai/reference.py.
static struct pictures draw_pictures(const ksr_net *net, int width, int height)
{
    struct pictures p = {.luma = unit_grey(width, height)};
    draw(&p.luma.plane[0], AS_IT_IS);
    if (!net->chroma) {
        p.dst = unit_grey(2 * width, 2 * height);
        return p;
    }
    p.chroma = unit_frame(unit_layout((width + 1) / 2, (height + 1) / 2, 2, 0));
    draw(&p.chroma.plane[0], UPSIDE_DOWN);
    draw(&p.chroma.plane[1], NEGATIVE);
    p.dst = unit_frame(unit_layout(width, height, 2, 0));
    for (int i = 0; i < 2; i++) // as if a filter had repeated samples
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                *unit_at(&p.dst.plane[i], x, y) = *unit_at(&p.chroma.plane[i], x / 2, y / 2);
    return p;
}

static void free_pictures(struct pictures *p)
{
    ksr_frame_free(&p->luma);
    ksr_frame_free(&p->chroma);
    ksr_frame_free(&p->dst);
}

static void run_rows(const struct ksr_stage_table *table, const struct pictures *p,
                     const ksr_net *net, void *scratch, int y0, int y1)
{
    const struct ksr_net_chroma chroma = {{p->chroma.plane[0], p->chroma.plane[1]},
                                          p->luma.plane[0]};
    if (net->chroma)
        table->net_chroma_rows(p->dst.plane, &chroma, net, scratch, y0, y1);
    else
        table->net_rows(&p->dst.plane[0], &p->luma.plane[0], net, scratch, y0, y1);
}

// Doubles a picture at a level, `rows` output rows at once.
static void check(int i, enum ksr_cpu_level level, int rows)
{
    struct ksr_stage_table table;
    ksr_stage_table_init(&table, level);
    ksr_net *net = load(golden[i].name);
    void *scratch = ksr_aligned_calloc(ksr_net_scratch(net));
    assert_non_null(scratch);
    struct pictures p = draw_pictures(net, golden[i].width, golden[i].height);
    const int height = p.dst.layout.height;
    for (int y = 0; y < height; y += rows)
        run_rows(&table, &p, net, scratch, y, y + rows < height ? y + rows : height);
    char hash[KSR_HASH_TEXT];
    hash_frame(&p.dst, hash);
    if (strcmp(hash, golden[i].hash) != 0)
        fail_msg("%s %dx%d, %s, %d rows: %s", golden[i].name, golden[i].width, golden[i].height,
                 ksr_cpu_level_name((int)level), rows, hash);
    free_pictures(&p);
    ksr_aligned_free(scratch);
    ksr_net_destroy(&net);
}

static void equals_the_reference(void **state)
{
    (void)state;
    for (int level = 0; level <= (int)ksr_cpu_level(); level++)
        for (int i = 0; i < GOLDEN; i++)
            if (ksr_cpu_has((enum ksr_cpu_level)level))
                check(i, (enum ksr_cpu_level)level, 1000);
}

static void bands_change_nothing(void **state)
{
    (void)state;
    static const char *const names[] = {"anime-fast", "anime-quality", "anime-web", "anime-chroma",
                                        "chroma_halved"};
    for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
        int i = 0; // the first of its name
        while (strcmp(golden[i].name, names[n]) != 0)
            i++;
        for (int level = KSR_CPU_C + 1; level <= (int)ksr_cpu_level(); level++)
            for (int rows = 1; rows < 100 && ksr_cpu_has((enum ksr_cpu_level)level); rows += 9)
                check(i, (enum ksr_cpu_level)level, rows);
    }
}

// --- The largest sums ---

enum { ALL_HIGH, ALL_LOW, CHECKER, RANDOM, WEIGHTS };

static int16_t extreme_weight(int weights, uint32_t i)
{
    switch (weights) {
    case ALL_HIGH: return 127;
    case ALL_LOW: return -128;
    case CHECKER: return i % 2 ? 127 : -128;
    default: return i * 2654435761u >> 17 & 1 ? 127 : -128;
    }
}

// Samples of 0 and 32767 become activations of 0 and 255; what the layer between makes of them is
// what the test looks at.
static ksr_net *extreme_net(int width, int weights, int32_t bias)
{
    static int16_t head[KSR_MODEL_WIDTH * 9], body[KSR_MODEL_WIDTH * KSR_MODEL_WIDTH * 9],
        tail[4 * KSR_MODEL_WIDTH];
    static int32_t none[KSR_MODEL_WIDTH], biases[KSR_MODEL_WIDTH];
    static uint8_t shift[3][KSR_MODEL_WIDTH];
    for (int i = 0; i < width; i++) {
        biases[i] = bias;
        head[9 * i + 4] = 4;
        shift[0][i] = 8;
        shift[1][i] = 17;
    }
    for (int i = 0; i < width * width * 9; i++)
        body[i] = extreme_weight(weights, (uint32_t)i);
    for (int i = 0; i < 4 * width; i++)
        tail[i] = (int16_t)(i % 7 - 3);
    struct ksr_model m = {.layer = {{.inputs = 1,
                                     .outputs = width,
                                     .side = 3,
                                     .bias = none,
                                     .shift = shift[0],
                                     .weight = head},
                                    {.inputs = width,
                                     .outputs = width,
                                     .side = 3,
                                     .bias = biases,
                                     .shift = shift[1],
                                     .weight = body},
                                    {.inputs = width,
                                     .outputs = 4,
                                     .side = 1,
                                     .bias = none,
                                     .shift = shift[2],
                                     .weight = tail}},
                          .layers = 3};
    assert_null(ksr_model_trace(&m));
    ksr_net *net = ksr_net_create(&m);
    assert_non_null(net);
    return net;
}

// Black and white, in areas and in single samples.
static void draw_extreme(const struct ksr_plane *p)
{
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++)
            *unit_at(p, x, y) = x < 7 || (x > 13 && (uint32_t)(y * 31 + x) * 2654435761u >> 30 & 1)
                                    ? KSR_SAMPLE_MAX
                                    : 0;
}

static void check_extreme(int width, int weights, int32_t bias, bool tiled)
{
    ksr_net *net = extreme_net(width, weights, bias);
    assert_int_equal(net->layer[1].tiled16 != NULL, tiled);
    void *scratch = ksr_aligned_calloc(ksr_net_scratch(net));
    assert_non_null(scratch);
    struct ksr_frame src = unit_grey(26, 9), dst[2] = {unit_grey(52, 18), unit_grey(52, 18)};
    draw_extreme(&src.plane[0]);
    char hash[2][KSR_HASH_TEXT];
    for (int level = 0; level <= (int)ksr_cpu_level(); level++) {
        if (!ksr_cpu_has((enum ksr_cpu_level)level))
            continue;
        struct ksr_stage_table table;
        ksr_stage_table_init(&table, (enum ksr_cpu_level)level);
        table.net_rows(&dst[level > 0].plane[0], &src.plane[0], net, scratch, 0, 18);
        hash_frame(&dst[level > 0], hash[level > 0]);
        if (level > 0 && strcmp(hash[0], hash[1]) != 0)
            fail_msg("%d wide, weights %d, bias %d: %s differs", width, weights, bias,
                     ksr_cpu_level_name(level));
    }
    for (int i = 0; i < 2; i++)
        ksr_frame_free(&dst[i]);
    ksr_frame_free(&src);
    ksr_aligned_free(scratch);
    ksr_net_destroy(&net);
}

// Tiles take sums modulo 2^26: the last bias that fits, and the next, for which they must not be
// used.
static void largest_sums_are_exact(void **state)
{
    (void)state;
    const int32_t most = 1 << KSR_NET_TILED_BITS, high = 255 * 127 * 64 * 9,
                  low = -255 * 128 * 64 * 9;
    check_extreme(64, ALL_HIGH, most - 1 - high, true);
    check_extreme(64, ALL_HIGH, most - high, false);
    check_extreme(64, ALL_LOW, -most - low, true);
    check_extreme(64, ALL_LOW, -most - low - 1, false);
    check_extreme(128, ALL_HIGH, 0, false);
    check_extreme(128, ALL_LOW, 20000000, true);
    check_extreme(128, ALL_LOW, 2000000, false);
    check_extreme(16, ALL_HIGH, (1 << 29), false);
    for (int width = 16; width <= 128; width *= 2)
        for (int weights = CHECKER; weights < WEIGHTS; weights++)
            check_extreme(width, weights, 1000000, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_the_reference),
        cmocka_unit_test(bands_change_nothing),
        cmocka_unit_test(largest_sums_are_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
