// The table of networks, and choosing one by speed.

#include "unit.h"

#include <stdio.h>

#include "job/choice.h"
#include "net/library.h"

static char *read_text(const char *name, const char *end)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s%s", KSR_MODELS_SOURCE, name, end);
    FILE *f = fopen(path, "rb");
    if (!f)
        fail_msg("%s is missing", path);
    char *text = calloc(1, 1 << 16);
    assert_non_null(text);
    assert_true(fread(text, 1, (1 << 16) - 1, f) > 0);
    fclose(f);
    return text;
}

static void files_are_those_of_the_table(void **state)
{
    (void)state;
    ksr_context *ctx;
    assert_int_equal(ksr_context_create(&ctx, NULL), KSR_OK);
    assert_in_range(ksr_network_count, 4, KSR_NETWORK_MOST);
    for (size_t i = 0; i < ksr_network_count; i++) {
        const struct ksr_network *n = &ksr_networks[i];
        ksr_net *net;
        assert_int_equal(ksr_model_load(ctx, n->name, NULL, &net), KSR_OK);
        assert_string_equal(net->hash, n->hash);
        assert_ptr_equal(ksr_network_of(net->hash), n);
        assert_ptr_equal(ksr_network_find(n->name), n);
        assert_in_range(strlen(n->purpose), 1, 24);
        assert_in_range(n->denoise_quantizer, 0, 100);
        assert_in_range(n->denoise_shown, 0, 100);
        assert_in_range(n->temporal, 0, n->enlarges_chroma ? 0 : 99);
        assert_int_equal(n->enlarges_chroma, net->chroma);
        if (n->chroma) {
            assert_false(n->enlarges_chroma);
            assert_non_null(ksr_network_find(n->chroma));
            assert_true(ksr_network_find(n->chroma)->enlarges_chroma);
        }
        assert_false(n->enlarges_chroma && ksr_network_is_chosen(n));
        ksr_net_destroy(&net);
        free(read_text(n->name, ".onnx"));
        free(read_text(n->name, ".npz"));
    }
    assert_null(ksr_network_of("71071944ab88a6433b6af5be35be7e6c"));
    assert_null(ksr_network_find("anime"));
    assert_null(ksr_network_find(NULL));
    ksr_context_destroy(&ctx);
}

// Cards are for a terminal.
static void cards_are_narrow(void **state)
{
    (void)state;
    for (size_t i = 0; i < ksr_network_count; i++) {
        char *card = read_text(ksr_networks[i].name, ".md"), *rest = card;
        for (char *line; (line = strtok_r(rest, "\n", &rest));)
            if (strlen(line) > 60)
                fail_msg("%s.md: longer than 60 columns: %s", ksr_networks[i].name, line);
        free(card);
    }
}

static const char *chosen(const char *speeds)
{
    struct ksr_speeds s;
    assert_int_equal(setenv("KIZUNASR_SPEEDS", speeds, 1), 0);
    assert_int_equal(ksr_speeds_measure(NULL, NULL, false, &s), KSR_OK);
    return ksr_speeds_choose(&s)->name;
}

static void the_largest_that_is_fast_enough_is_chosen(void **state)
{
    (void)state;
    assert_string_equal(chosen("anime-fast=14,anime-quality=3,anime-best=2.99"), "anime-quality");
    assert_string_equal(chosen("anime-fast=14,anime-quality=7,anime-best=3.0"), "anime-best");
    assert_string_equal(chosen("anime-fast=3,anime-quality=0.8,anime-best=0.4"), "anime-fast");
    // None: the fastest.
    assert_string_equal(chosen("anime-fast=0.5,anime-quality=0.1"), "anime-fast");
    // Never on a processor.
    assert_string_equal(chosen("anime-fast=99,anime-quality=90,anime-best=40,anime-ultra=30"),
                        "anime-best");
    // Jobs run on the GPU, where there is one.
    assert_string_equal(chosen("anime-best=50,gpu:anime-fast=9,gpu:anime-quality=2.9"),
                        "anime-fast");
    assert_string_equal(chosen("gpu:anime-best=60,gpu:anime-ultra=19.9"), "anime-best");
    assert_string_equal(chosen("gpu:anime-best=60,gpu:anime-ultra=20"), "anime-ultra");
    assert_string_equal(chosen("gpu:anime-fast=1,gpu:anime-ultra=0.2"), "anime-fast");
    assert_int_equal(unsetenv("KIZUNASR_SPEEDS"), 0);
}

static void networks_for_some_sources_are_not_chosen(void **state)
{
    (void)state;
    char speeds[1024] = "";
    for (size_t i = 0; i < ksr_network_count; i++)
        snprintf(speeds + strlen(speeds), sizeof(speeds) - strlen(speeds), "gpu:%s=999,",
                 ksr_networks[i].name);
    assert_true(ksr_network_is_chosen(ksr_network_find(chosen(speeds))));
    assert_int_equal(unsetenv("KIZUNASR_SPEEDS"), 0);
}

static void speeds_are_measured(void **state)
{
    (void)state;
    struct ksr_speeds s;
    ksr_context *ctx;
    assert_int_equal(ksr_context_create(&ctx, NULL), KSR_OK);
    assert_int_equal(ksr_speeds_measure(ctx, "cpu", false, &s), KSR_OK);
    assert_string_equal(s.gpu, "");
    assert_true(s.threads >= 1);
    for (size_t i = 0; i < ksr_network_count; i++) {
        assert_true((s.of[i].processor > 0) == (ksr_networks[i].least_processor > 0));
        assert_true(s.of[i].gpu == 0);
    }
    // By a factor of four and two in multiplications.
    assert_true(s.of[0].processor > 1.5 * s.of[1].processor);
    assert_true(s.of[1].processor > s.of[2].processor);
    assert_int_equal(ksr_speeds_measure(ctx, "gpu", false, &s), KSR_E_PARAM);
    ksr_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_those_of_the_table),
        cmocka_unit_test(cards_are_narrow),
        cmocka_unit_test(the_largest_that_is_fast_enough_is_chosen),
        cmocka_unit_test(networks_for_some_sources_are_not_chosen),
        cmocka_unit_test(speeds_are_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
