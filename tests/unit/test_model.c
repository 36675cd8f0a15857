// The model reader: what is committed, and damage of every kind.

#include "unit.h"

#include <stdio.h>

#include "net/model.h"
#include "net/networks.h"

static uint8_t file[1 << 23];

static size_t load(const char *name)
{
    char path[512];
    if (strchr(name, '-') == NULL)
        snprintf(path, sizeof(path), "%s/../tests/fuzz/corpus/model/%s", KSR_MODELS_SOURCE, name);
    else
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
    const char *wrong = ksr_model_parse(data, size, NULL, &model);
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
        const char *name;
        int layers, width, reach;
    } want[] = {{"anime-fast", 7, 16, 7},   {"anime-quality", 7, 32, 8},
                {"anime-best", 13, 64, 21}, {"anime-ultra", 13, 128, 19},
                {"anime-chroma", 6, 32, 6}, {"chroma", 3, 16, 3},
                {"chroma_halved", 5, 32, 6}};
    for (int i = 0; i < 7; i++) {
        struct ksr_model model;
        const char *wrong = ksr_model_parse(file, load(want[i].name), NULL, &model);
        assert_null(wrong);
        assert_int_equal(model.layers, want[i].layers);
        assert_int_equal(model.width, want[i].width);
        assert_int_equal(model.reach, want[i].reach);
        assert_int_equal(model.chroma, strstr(want[i].name, "chroma") != NULL);
        assert_false(model.chroma && model.plain);
        if (!model.chroma)
            assert_string_equal(model.hash, ksr_network_find(want[i].name)->hash);
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

struct wrong {
    size_t at;
    uint8_t value;
    const char *wrong; // NULL = it is accepted
};

static void check_wrong(size_t size, const struct wrong *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const uint8_t was = file[cases[i].at];
        file[cases[i].at] = cases[i].value;
        const char *wrong = parse_resealed(file, size);
        if (strcmp(wrong ? wrong : "", cases[i].wrong ? cases[i].wrong : "") != 0)
            fail_msg("byte %zu = %d: %s", cases[i].at, cases[i].value, wrong ? wrong : "accepted");
        file[cases[i].at] = was;
    }
    assert_null(parse_resealed(file, size));
}

#define CHECK_WRONG(size, cases) check_wrong(size, cases, sizeof(cases) / sizeof((cases)[0]))

// Files that are whole but hold what the engine cannot do.
static void wrong_shapes_are_refused(void **state)
{
    (void)state;
    static const struct wrong cases[] = {
        {0, 'K', "it is not a .ksrnet file"},  {8, 0, "it has another version"},
        {8, 4, "it has another version"},      {8, 3, "it has another number of variants"},
        {10, 2, "it has unsupported layers"},  {10, 6, "it has unsupported layers"},
        {10, 8, "it has unsupported layers"},  {10, 255, "it has unsupported layers"},
        {12, 2, "it has unsupported layers"},  {14, 17, "it has unsupported layers"},
        {14, 48, "it has unsupported layers"}, {16, 4, "it has unsupported layers"},
        {16, 7, "it has unsupported layers"},  {18, 1, "it has unsupported layers"},
        {23, 0x40, "its sums can overflow"},   {20 + 64, 31, "a shift is out of range"},
    };
    const size_t size = load("anime-fast");
    CHECK_WRONG(size, cases);
    assert_string_equal(parse_resealed(file, size + 5), "its length is wrong");
    assert_null(parse_resealed(file, size));
    assert_string_equal(parse_resealed(file, size - 40), "it is truncated");
}

// The same with layers of several resolutions, which tests/golden/networks.py draws.
static void wrong_resolutions_are_refused(void **state)
{
    (void)state;
    enum {
        FIRST = 12,
        SECOND = FIRST + 8 + 16 * 5 + 16 * 9 * 2,
        THIRD = SECOND + 8 + 48 * 5 + 48 * 16 * 9
    };
    static const struct wrong cases[] = {
        {8, 1, "it has unsupported layers"},
        {FIRST, 1, "it has unsupported layers"}, // kind
        {FIRST, 255, "it has unsupported layers"},
        {FIRST + 1, 1, "its resolutions do not fit together"}, // skip: of itself
        {SECOND, 0, "its resolutions do not fit together"},
        {SECOND, 2, "it has unsupported layers"}, // up with a kernel of 3x3
        {SECOND, 3, "it has unsupported layers"},
        {SECOND + 1, 1, "its resolutions do not fit together"}, // another resolution
        {SECOND + 4, 80, "it has unsupported layers"},          // outputs
        {SECOND + 6, 5, "it has unsupported layers"},           // side
        {THIRD, 1, "it has unsupported layers"},
        {THIRD + 1, 0, NULL},
        {THIRD + 1, 1, "its resolutions do not fit together"},
        {THIRD + 1, 3, "its resolutions do not fit together"},
        {THIRD + 1, 255, "its resolutions do not fit together"},
    };
    const size_t size = load("resolutions");
    assert_null(parse(file, size));
    CHECK_WRONG(size, cases);
    for (size_t i = 0; i < size; i += i < 500 ? 1 : 997)
        assert_non_null(parse(file, i));
}

// Networks of chroma have six inputs and eight outputs, in version 2 alone.
static void wrong_planes_are_refused(void **state)
{
    (void)state;
    enum {
        FIRST = 12,
        SECOND = FIRST + 8 + 16 * 5 + 16 * 6 * 9 * 2,
        LAST = SECOND + 8 + 16 * 5 + 16 * 16 * 9
    };
    static const struct wrong cases[] = {
        {8, 1, "it has unsupported layers"},
        {FIRST + 2, 0, "it has unsupported layers"},
        {FIRST + 2, 1, "it has unsupported layers"},
        {FIRST + 2, 2, "it has unsupported layers"},
        {FIRST + 2, 5, "it has unsupported layers"},
        {FIRST + 2, 7, "it has unsupported layers"},
        {FIRST + 3, 1, "it has unsupported layers"},
        {LAST + 4, 4, "it has unsupported layers"},
        {LAST + 4, 2, "it has unsupported layers"},
        {LAST + 4, 6, "it has unsupported layers"},
        {LAST + 4, 9, "it has unsupported layers"},
        {LAST + 4, 16, "it has unsupported layers"},
        {SECOND + 1, 1, NULL}, // skip
    };
    const size_t size = load("chroma");
    assert_int_equal(file[LAST + 4], 8);
    assert_null(parse(file, size));
    CHECK_WRONG(size, cases);
    for (size_t i = 0; i < size; i += i < 500 ? 1 : 97)
        assert_non_null(parse(file, i));
    // Eight outputs to one input, in either version.
    const size_t last = 12 + 8 + 16 * 5 + 16 * 25 * 2 + 5 * (8 + 16 * 5 + 16 * 16 * 9);
    const size_t fast = load("anime-fast");
    assert_int_equal(file[last + 2], 4);
    file[last + 2] = 8;
    assert_string_equal(parse_resealed(file, fast), "it has unsupported layers");
    const size_t resolutions = load("resolutions");
    const size_t tail = resolutions - 16 - (8 + 4 * 5 + 4 * 16 * 9);
    assert_int_equal(file[tail + 4], 4);
    file[tail + 4] = 8;
    assert_string_equal(parse_resealed(file, resolutions), "it has unsupported layers");
}

static void networks_of_chroma_have_no_variants(void **state)
{
    (void)state;
    static uint8_t inner[1 << 16];
    const size_t size = load("chroma");
    assert_in_range(size, 1000, sizeof(inner));
    memcpy(inner, file, size);
    static const char names[3][KSR_VARIANT_NAME] = {"general", "other", "auto"};
    memcpy(file, "ksrnet\r\n\3\0\3", 12);
    size_t at = 12;
    for (int i = 0; i < 3; i++) {
        memcpy(file + at, names[i], KSR_VARIANT_NAME);
        memcpy(file + at + KSR_VARIANT_NAME, (uint8_t[]){size & 255, size >> 8, 0, 0}, 4);
        memcpy(file + at + KSR_VARIANT_NAME + 4, inner, size);
        at += KSR_VARIANT_NAME + 4 + size;
    }
    assert_string_equal(parse_resealed(file, at + 16), "networks of chroma have no variants");
}

static void a_variant_is_found_by_its_name(void **state)
{
    (void)state;
    static const char *const names[] = {NULL, "general", "turned", KSR_VARIANT_AUTO};
    static const int variant[] = {0, 0, 1, 2}, layers[] = {4, 4, 4, 3};
    const size_t size = load("variants");
    int first = 0;
    for (int i = 0; i < 4; i++) {
        struct ksr_model model;
        assert_null(ksr_model_parse(file, size, names[i], &model));
        assert_int_equal(model.variants, 2);
        assert_int_equal(model.variant, variant[i]);
        assert_int_equal(model.layers, layers[i]);
        assert_string_equal(model.variant_name[1], "turned");
        first = i == 0 ? model.layer[1].weight[0] : first;
        if (i < 3)
            assert_int_equal(model.layer[1].weight[0], i < 2 ? first : -first);
        ksr_model_free(&model);
    }
    struct ksr_model model;
    assert_int_not_equal(first, 0);
    assert_string_equal(ksr_model_parse(file, size, "other", &model), KSR_MODEL_NO_VARIANT);
    assert_int_equal(model.layers, 0);
    const size_t plain = load("resolutions");
    assert_string_equal(ksr_model_parse(file, plain, "turned", &model), KSR_MODEL_NO_VARIANT);
    assert_null(ksr_model_parse(file, plain, KSR_VARIANT_GENERAL, &model));
    ksr_model_free(&model);
    assert_string_equal(ksr_model_parse(file, plain, KSR_VARIANT_AUTO, &model),
                        KSR_MODEL_NO_VARIANT);
}

// Where the second network of a file of variants has its name.
static size_t second_name(void)
{
    return 12 + 20 + (size_t)(file[28] | file[29] << 8);
}

static void wrong_variants_are_refused(void **state)
{
    (void)state;
    const size_t size = load("variants"), second = second_name();
    const size_t third = second + (second - 12);
    const struct wrong cases[] = {
        {10, 0, "it has another number of variants"},
        {10, 2, "it has another number of variants"},
        {10, 7, "it has another number of variants"},
        {10, 4, "the network that chooses is not the last"},
        {12, 'G', "a variant has no usable name"},
        {12, 0, "a variant has no usable name"},
        {12 + 15, 'x', NULL}, // behind the end of the name
        {28, 0, "its checksum is wrong"},
        {31, 0x40, "it is truncated"},
        {12 + 20, 'K', "it is not a .ksrnet file"},
        {12 + 20 + 8, 3, "its checksum is wrong"},
        {12 + 20 + 200, 0x55, "its checksum is wrong"},
        {second, 'g', NULL},
        {12, 'a', "the network for all sources is not the first"},
        {third, 'b', "the network that chooses is not the last"},
        {second + 20 + 100, 0x55, "its checksum is wrong"},
    };
    assert_memory_equal(file + second, "turned", 7);
    assert_memory_equal(file + third, "auto", 5);
    assert_null(parse(file, size));
    CHECK_WRONG(size, cases);
    for (size_t i = 0; i < size; i += i < 500 ? 1 : 997)
        assert_non_null(parse(file, i));
    // Two of one name, and a network that chooses among the others.
    memcpy(file + second, "general", 8);
    assert_string_equal(parse_resealed(file, size), "two variants have one name");
    memcpy(file + second, "auto\0\0\0", 8);
    assert_string_equal(parse_resealed(file, size), "the network that chooses is not the last");
    load("variants");
    assert_string_equal(parse_resealed(file, size + 5), "its length is wrong");
    load("variants"); // within variants
    file[12 + 20 + 8] = 3;
    ksr_hash128(file + 32, second - 32 - 16, file + second - 16);
    assert_string_equal(parse_resealed(file, size), "it has another version");
    // The network that chooses once more, as a variant: it has another shape.
    load("variants");
    const size_t last = size - 16 - third;
    memmove(file + second + last, file + third, last);
    memmove(file + second, file + second + last, last);
    memcpy(file + second, "other", 6);
    assert_string_equal(parse_resealed(file, second + 2 * last + 16),
                        "its variants have different shapes");
}

static void add(struct ksr_model *m, enum ksr_layer_kind kind, int outputs, int side, int skip)
{
    const int inputs = m->layers > 0 ? m->layer[m->layers - 1].outputs : m->layer[0].inputs;
    m->layer[m->layers++] = (struct ksr_model_layer){
        .kind = kind, .skip = skip, .inputs = inputs, .outputs = outputs, .side = side};
}

// A network of three resolutions, `wide` layers of 3x3 first, of which `skips` are added at the
// end.
static const char *trace(int wide, int deep, int skips, struct ksr_model *m)
{
    *m = (struct ksr_model){.layer[0].inputs = 1};
    add(m, KSR_LAYER_CONV, 128, 5, 0);
    for (int i = 0; i < wide; i++)
        add(m, KSR_LAYER_CONV, 128, 3, 0);
    add(m, KSR_LAYER_DOWN, 64, 3, 0);
    add(m, KSR_LAYER_DOWN, 96, 3, 0);
    for (int i = 0; i < deep; i++)
        add(m, KSR_LAYER_CONV, 96, 3, 0);
    add(m, KSR_LAYER_UP, 64, 1, wide + 2);
    add(m, KSR_LAYER_UP, 128, 1, wide + 1);
    for (int i = 0; i < skips; i++)
        add(m, KSR_LAYER_CONV, 128, 1, i + 1);
    add(m, KSR_LAYER_CONV, 4, 3, 0);
    return ksr_model_trace(m);
}

static void sizes_follow_from_layers(void **state)
{
    (void)state;
    struct ksr_model m;
    assert_null(trace(1, 3, 0, &m));
    assert_int_equal(m.unit, 4);
    assert_false(m.plain);
    assert_int_equal(m.width, 128);
    // Backwards: 1 row of the tail, to an even number, 1 of half, 1 + 3 of a quarter, then
    // 2 * 4 + 1 and 2 * 9 + 1 before, 2 * 4 and 2 * 8 after, and 3x3 and 5x5.
    assert_int_equal(m.before, 22);
    assert_int_equal(m.after, 19);
    assert_int_equal(m.reach, 22 + 3);
    // Rows wait from where they are made to where they are added: 2 + 1 below the newest samples,
    // and 2 + 1 + 1 + 2 + 3 * 4.
    assert_int_equal(m.layer[1].kept, 16);
    assert_string_equal(trace(3, 13, 0, &m), "its reach is not supported");
    assert_null(trace(3, 9, 1, &m));
    assert_string_equal(trace(3, 9, 4, &m), "it needs too much memory");
    m.layer[m.layers - 1].kind = KSR_LAYER_UP;
    assert_string_equal(ksr_model_trace(&m), "it has unsupported layers");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(committed_models_are_whole),
        cmocka_unit_test(damage_is_refused),
        cmocka_unit_test(wrong_shapes_are_refused),
        cmocka_unit_test(wrong_resolutions_are_refused),
        cmocka_unit_test(wrong_planes_are_refused),
        cmocka_unit_test(networks_of_chroma_have_no_variants),
        cmocka_unit_test(a_variant_is_found_by_its_name),
        cmocka_unit_test(wrong_variants_are_refused),
        cmocka_unit_test(sizes_follow_from_layers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
