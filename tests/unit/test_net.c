// The engine against the integer reference of train/ai/reference.py, at every level; bands.

#include "unit.h"

#include <stdio.h>

#include "core/hash.h"
#include "core/mem.h"
#include "stages/dispatch.h"

// What train/ai/reference.py prints, and tests/golden/networks.py, whose network has several
// resolutions.
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
    {"anime-best", 67, 41, "ad9de5992657ec5c59e5052e1d699bd3"},
    {"anime-best", 1, 1, "e1c3feb5740724ae441b13f50e444ba9"},
    {"anime-ultra", 67, 41, "52d481b24c36ab652bce177329f6a3f6"},
    {"resolutions", 67, 41, "1cad79086d275be9006fadc0df5ec95c"},
    {"resolutions", 1, 1, "13ea458ad7c9c1ffd3a9648f0d856f80"},
    {"resolutions", 3, 50, "a8734bf4c03e569f82455ecbcb78271f"},
    {"resolutions", 1023, 5, "1bcb03351d93884482a623a260cf8234"},
};

static ksr_net *load(const char *name)
{
    static uint8_t file[1 << 21];
    char path[512];
    if (strcmp(name, "resolutions") == 0)
        snprintf(path, sizeof(path), "%s/../tests/fuzz/corpus/model/resolutions",
                 KSR_MODELS_SOURCE);
    else
        snprintf(path, sizeof(path), "%s/%s.ksrnet", KSR_MODELS_SOURCE, name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    const size_t size = fread(file, 1, sizeof(file), f);
    fclose(f);
    struct ksr_model model;
    const char *wrong = ksr_model_parse(file, size, &model);
    assert_null(wrong);
    ksr_net *net = ksr_net_create(&model);
    assert_non_null(net);
    ksr_model_free(&model);
    return net;
}

// drawn() of train/ai/reference.py.
static void draw(const struct ksr_plane *p)
{
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++) {
            int v = (x * 307 + y * 211) % 32768;
            v = (x - 20) * (x - 20) + (y - 15) * (y - 15) < 120 ? 31000 : v;
            v = (x + 2 * y) % 37 < 3 ? 1500 : v;
            const int noise = (x * 7919 + y * 104729 + x * y * 31) % 8191;
            *unit_at(p, x, y) = (uint16_t)(x > 40 ? (v / 4 + noise * 3) % 32768 : v);
        }
}

static void hash_plane(const struct ksr_plane *p, char out[KSR_HASH_TEXT])
{
    ksr_hasher *hasher = ksr_hasher_create();
    assert_non_null(hasher);
    for (int y = 0; y < p->height; y++)
        ksr_hasher_add(hasher, unit_at(p, 0, y), (size_t)p->width * sizeof(uint16_t));
    ksr_hasher_text(hasher, out);
    ksr_hasher_destroy(&hasher);
}

// Doubles a picture at a level, `rows` output rows at once.
static void check(int i, enum ksr_cpu_level level, int rows)
{
    struct ksr_stage_table table;
    ksr_stage_table_init(&table, level);
    ksr_net *net = load(golden[i].name);
    void *scratch = ksr_aligned_calloc(ksr_net_scratch(net));
    assert_non_null(scratch);
    struct ksr_frame src = unit_grey(golden[i].width, golden[i].height);
    struct ksr_frame dst = unit_grey(2 * golden[i].width, 2 * golden[i].height);
    draw(&src.plane[0]);
    for (int y = 0; y < dst.plane[0].height; y += rows) {
        const int end = y + rows < dst.plane[0].height ? y + rows : dst.plane[0].height;
        table.net_rows(&dst.plane[0], &src.plane[0], net, scratch, y, end);
    }
    char hash[KSR_HASH_TEXT];
    hash_plane(&dst.plane[0], hash);
    if (strcmp(hash, golden[i].hash) != 0)
        fail_msg("%s %dx%d, %s, %d rows: %s", golden[i].name, golden[i].width, golden[i].height,
                 ksr_cpu_level_name((int)level), rows, hash);
    ksr_frame_free(&src);
    ksr_frame_free(&dst);
    ksr_aligned_free(scratch);
    ksr_net_destroy(&net);
}

static void equals_the_reference(void **state)
{
    (void)state;
    for (int level = 0; level <= (int)ksr_cpu_level(); level++)
        for (int i = 0; i < (int)(sizeof(golden) / sizeof(golden[0])); i++)
            if (ksr_cpu_has((enum ksr_cpu_level)level))
                check(i, (enum ksr_cpu_level)level, 1000);
}

static void bands_change_nothing(void **state)
{
    (void)state;
    for (int rows = 1; rows < 100; rows += 9) {
        check(0, ksr_cpu_level(), rows);
        check(4, ksr_cpu_level(), rows);
        check(11, ksr_cpu_level(), rows);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_the_reference),
        cmocka_unit_test(bands_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
