// The model reader: what is committed, and damage of every kind.

#include "unit.h"

#include <stdio.h>

#include "net/model.h"

static uint8_t file[1 << 17];

static size_t load(const char *name)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s.ksrnet", KSR_MODELS_SOURCE, name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    const size_t size = fread(file, 1, sizeof(file), f);
    fclose(f);
    assert_in_range(size, 1000, sizeof(file) - 1);
    return size;
}

static const char *parse(const uint8_t *data, size_t size)
{
    struct ksr_model model;
    const char *wrong = ksr_model_parse(data, size, &model);
    if (wrong)
        assert_int_equal(model.layers, 0);
    ksr_model_free(&model);
    return wrong;
}

static const char *parse_resealed(uint8_t *data, size_t size)
{
    ksr_hash128(data, size - 16, data + size - 16);
    return parse(data, size);
}

static void committed_models_are_whole(void **state)
{
    (void)state;
    static const struct {
        const char *name, *hash;
        int layers, width, reach;
    } want[] = {{"anime-fast", "71071944ab88a6433b6af5be35be7e6b", 7, 16, 7},
                {"anime-quality", "7b88c51fc27f1427a2819821d08bc380", 7, 32, 8}};
    for (int i = 0; i < 2; i++) {
        struct ksr_model model;
        const char *wrong = ksr_model_parse(file, load(want[i].name), &model);
        assert_null(wrong);
        assert_int_equal(model.layers, want[i].layers);
        assert_int_equal(model.width, want[i].width);
        assert_int_equal(model.reach, want[i].reach);
        assert_string_equal(model.hash, want[i].hash);
        ksr_model_free(&model);
    }
}

static void damage_is_refused(void **state)
{
    (void)state;
    const size_t size = load("anime-fast");
    for (size_t i = 0; i < size; i += i < 300 ? 1 : 97)
        assert_non_null(parse(file, i));
    assert_string_equal(parse(file, size + 1), "its checksum is wrong");
    for (size_t i = 0; i < size; i += i < 300 ? 1 : 31) {
        file[i] ^= (uint8_t)(1 << i % 8);
        assert_non_null(parse(file, size));
        file[i] ^= (uint8_t)(1 << i % 8);
    }
    assert_null(parse(file, size));
}

// Files that are whole but hold what the engine cannot do.
static void wrong_shapes_are_refused(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
        const char *wrong;
    } cases[] = {
        {0, 'K', "it is not a .ksrnet file"},
        {8, 2, "it has another version"},
        {10, 2, "it has unsupported layers"},
        {10, 6, "it has unsupported layers"},
        {10, 8, "it has unsupported layers"},
        {10, 255, "it has unsupported layers"},
        {12, 2, "it has unsupported layers"},
        {14, 17, "it has unsupported layers"},
        {14, 48, "it has unsupported layers"},
        {16, 4, "it has unsupported layers"},
        {16, 7, "it has unsupported layers"},
        {18, 1, "it has unsupported layers"},
        {23, 0x40, "its sums can overflow"},
        {20 + 64, 31, "a shift is out of range"},
    };
    const size_t size = load("anime-fast");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const uint8_t was = file[cases[i].at];
        file[cases[i].at] = cases[i].value;
        const char *wrong = parse_resealed(file, size);
        if (!wrong || strcmp(wrong, cases[i].wrong) != 0)
            fail_msg("byte %zu = %d: %s", cases[i].at, cases[i].value, wrong ? wrong : "accepted");
        file[cases[i].at] = was;
    }
    assert_string_equal(parse_resealed(file, size + 5), "its length is wrong");
    assert_null(parse_resealed(file, size));
    assert_string_equal(parse_resealed(file, size - 40), "it is truncated");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(committed_models_are_whole),
        cmocka_unit_test(damage_is_refused),
        cmocka_unit_test(wrong_shapes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
