// Which network a source gets that may be clean.

#include "unit.h"

#include <string.h>

#include "config/config.h"
#include "media/index/clean.h"
#include "net/engine.h"

static struct ksr_pipeline_config asked_for(const char *network)
{
    struct ksr_pipeline_config p = ksr_processor_config_default().pipeline;
    p.use_ai = true;
    p.ai_model_path = network;
    return p;
}

static void networks_for_damaged_sources_have_another(void **state)
{
    (void)state;
    struct ksr_pipeline_config p = asked_for("anime-web");
    assert_string_equal(ksr_engine_for_clean(&p)->name, "anime-best");
    p = asked_for("anime-dvd");
    assert_string_equal(ksr_engine_for_clean(&p)->name, "anime-best");
    p = asked_for("anime-best");
    assert_null(ksr_engine_for_clean(&p));
    p = asked_for(NULL);
    assert_null(ksr_engine_for_clean(&p));
}

static void what_is_said_exactly_is_taken_so(void **state)
{
    (void)state;
    struct ksr_pipeline_config p = asked_for("anime-web");
    p.ai_variant = KSR_VARIANT_GENERAL;
    assert_null(ksr_engine_for_clean(&p));
    p = asked_for("anime-web");
    p.ai_engine = "onnxruntime";
    assert_null(ksr_engine_for_clean(&p));
    p = asked_for("anime-web");
    p.use_ai = false;
    assert_null(ksr_engine_for_clean(&p));
    p = asked_for(KSR_MODELS_SOURCE "/anime-web.ksrnet");
    assert_null(ksr_engine_for_clean(&p));
}

// Where one stands in for another, it is the end of it, and it is chosen by `auto`, too.
static void the_table_is_sound(void **state)
{
    (void)state;
    for (size_t i = 0; i < ksr_network_count; i++) {
        const struct ksr_network *n = &ksr_networks[i], *other = ksr_network_find(n->clean);
        assert_true(!n->clean || (other && !other->clean && ksr_network_is_chosen(other)));
        assert_true(!n->clean || !ksr_network_is_chosen(n));
        assert_in_range(n->clean_doubt, n->clean ? 1 : 0, n->clean ? KSR_DOUBT_MOST - 1 : 0);
        assert_in_range(n->clean_alike, n->clean ? 1 : 0, n->clean ? 100 : 0);
    }
}

static struct ksr_clean judged(int64_t damaged, int64_t clean, int64_t both)
{
    const struct ksr_changes c = {damaged, clean, both};
    return ksr_changes_judge(&c);
}

static void what_both_take_away_is_noise(void **state)
{
    (void)state;
    assert_int_equal(judged(1000, 1000, 950).doubt, 95);
    assert_int_equal(judged(1000, 1000, 1000).doubt, 100);
    assert_int_equal(judged(4000, 1000, 2000).doubt, 200);
    assert_int_equal(judged(1000, 1000, 0).doubt, 0);
    assert_int_equal(judged(1000, 1000, -500).doubt, 0);
}

static void alike_is_what_differs_in_size_alone(void **state)
{
    (void)state;
    assert_int_equal(judged(1000, 1000, 1000).alike, 100);
    assert_int_equal(judged(4000, 1000, 2000).alike, 100);
    assert_int_equal(judged(4000, 1000, 1000).alike, 25);
    assert_int_equal(judged(1000, 1000, -500).alike, 0);
}

static void the_largest_sums_are_no_trouble(void **state)
{
    (void)state;
    const int64_t most = (INT64_C(1) << 55) - 1;
    assert_int_equal(judged(most, most, most).doubt, 100);
    assert_int_equal(judged(most, most, -most).doubt, 0);
    assert_int_equal(judged(1, 1, most).doubt, KSR_DOUBT_MOST);
    assert_int_equal(judged(1, 1, -most).doubt, 0);
}

static void nothing_to_see_is_not_clean(void **state)
{
    (void)state;
    assert_int_equal(judged(0, 0, 0).doubt, KSR_DOUBT_MOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_for_damaged_sources_have_another),
        cmocka_unit_test(what_is_said_exactly_is_taken_so),
        cmocka_unit_test(the_table_is_sound),
        cmocka_unit_test(what_both_take_away_is_noise),
        cmocka_unit_test(alike_is_what_differs_in_size_alone),
        cmocka_unit_test(the_largest_sums_are_no_trouble),
        cmocka_unit_test(nothing_to_see_is_not_clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
