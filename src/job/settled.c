// What planning settled, in words; see settled.h.

#include "job/settled.h"

#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "frame/grain.h"
#include "job/key.h"
#include "job/settle.h"
#include "net/model.h"

#define TEXT 80

// What was asked for; NULL where it is no text.
static const char *asked_for(const struct ksr_manifest *m, const char *name)
{
    const json_t *config = json_object_get(m->key, "config");
    return json_string_value(json_object_get(json_object_get(config, "pipeline"), name));
}

// Whatever the locale's decimal point is.
static void print_number(double value, char *out, size_t size)
{
    const long long millionths = (long long)(value * 1e6 + 0.5);
    snprintf(out, size, "%lld.%06lld", millionths / 1000000, millionths % 1000000);
    size_t length = strlen(out);
    while (out[length - 1] == '0')
        out[--length] = 0;
    if (out[length - 1] == '.')
        out[--length] = 0;
}

static void print_measured(const struct ksr_manifest *m, enum ksr_measured which, char out[TEXT])
{
    const struct ksr_pipeline_config *p = &ksr_config_get(m->config)->pipeline;
    const double values[] = {[KSR_MEASURED_DENOISE] = p->denoise,
                             [KSR_MEASURED_DEBLOCK] = p->deblock,
                             [KSR_MEASURED_DEHALO] = p->dehalo,
                             [KSR_MEASURED_COMPOSITE] = p->composite};
    char number[32];
    print_number(values[which], number, sizeof(number));
    if (m->reasons[which][0])
        snprintf(out, TEXT, "%s (%s)", number, m->reasons[which]);
    else
        snprintf(out, TEXT, "%s", number);
}

// Returns false where that was not asked for.
static bool print_descale(const struct ksr_manifest *m, char out[TEXT])
{
    const char *asked = asked_for(m, "descale");
    const char *value = ksr_config_get(m->config)->pipeline.descale;
    const bool measured = asked && strcmp(asked, "auto") == 0;
    const bool off = strcmp(value, "off") == 0;
    snprintf(out, TEXT, "%s%s", value,
             !measured ? ""
             : off     ? " (no drawing size is clear)"
                       : " (measured)");
    return measured || !off;
}

// Returns false where it is the one that was asked for.
static bool print_network(const struct ksr_manifest *m, char out[TEXT])
{
    const char *asked = ksr_manifest_replaced(m);
    if (asked)
        snprintf(out, TEXT, "%s (clean source; %s is for damaged ones)",
                 ksr_config_get(m->config)->pipeline.ai_model_path, asked);
    return asked;
}

// Returns false where the network has none.
static bool print_variant(const struct ksr_manifest *m, char out[TEXT])
{
    const char *asked = asked_for(m, "ai_variant");
    const struct ksr_pipeline_config *p = &ksr_config_get(m->config)->pipeline;
    const bool measured = asked && strcmp(asked, "auto") == 0;
    const bool general = strcmp(p->ai_variant, KSR_VARIANT_GENERAL) == 0;
    const bool twice = p->ai_scale > 2 && !general && strcmp(p->descale, "off") == 0;
    const char *why = strcmp(p->descale, "off") != 0 ? " (descaled)"
                      : general                      ? " (no variant is clear)"
                      : twice                        ? " (measured; the second doubling: general)"
                                                     : " (measured)";
    snprintf(out, TEXT, "%s%s", p->ai_variant,
             measured ? why
             : twice  ? " (the second doubling: general)"
                      : "");
    return json_object_get(m->key, "variants") || ksr_manifest_replaced(m);
}

// Returns false where none is asked for.
static bool print_chroma(const struct ksr_manifest *m, char out[TEXT])
{
    const struct ksr_pipeline_config *p = &ksr_config_get(m->config)->pipeline;
    const char *asked = asked_for(m, "ai_chroma"), *name = ksr_manifest_chroma(m);
    const char *obstacle = ksr_settle_chroma_obstacle(m);
    if (name)
        snprintf(out, TEXT, "%s", name);
    else
        snprintf(out, TEXT, "filters (%s)", obstacle ? obstacle : "");
    return name || (p->use_ai && obstacle && strcmp(p->ai_chroma, "off") == 0 && asked &&
                    strcmp(asked, "off") != 0);
}

// Returns false where stage 5 is on, or off, as it was asked for.
static bool print_temporal(const struct ksr_manifest *m, char out[TEXT])
{
    const struct ksr_network *network = ksr_settle_temporal_for(m);
    char number[32];
    print_number(ksr_config_get(m->config)->pipeline.motion_threshold, number, sizeof(number));
    snprintf(out, TEXT, "motion threshold %s (%s)", number, network ? network->name : "");
    return network;
}

// Returns false where it is kept.
static bool print_grain(const struct ksr_manifest *m, char out[TEXT])
{
    const char *asked = asked_for(m, "grain");
    char amount[32] = "remove";
    struct ksr_grain grain = {0};
    enum ksr_grain_kind kind = KSR_GRAIN_KEEP;
    ksr_grain_parse(ksr_config_get(m->config)->pipeline.grain, &kind, &grain);
    const int most = ksr_grain_strongest(&grain);
    if (kind == KSR_GRAIN_MEASURED && grain.amount > 0)
        print_number(grain.amount / 100.0, amount, sizeof(amount));
    if (kind == KSR_GRAIN_MEASURED)
        snprintf(out, TEXT, "%s (%d.%02d of 255)", amount, most / 100, most % 100);
    else
        snprintf(out, TEXT, "%s (no grain found)", asked ? asked : "");
    return asked && strcmp(asked, "keep") != 0;
}

json_t *ksr_settled_values(const struct ksr_manifest *m)
{
    const json_t *asked = json_object_get(json_object_get(m->key, "config"), "pipeline");
    json_t *all = ksr_config_to_json(ksr_config_get(m->config), false);
    json_t *settled = json_object(), *value;
    const char *name;
    json_object_foreach(json_object_get(all, "pipeline"), name, value)
    {
        if (!json_equal(value, json_object_get(asked, name)))
            json_object_set(settled, name, value);
    }
    json_decref(all);
    return json_pack("{s:o}", "pipeline", settled);
}

json_t *ksr_settled_texts(const struct ksr_manifest *m)
{
    char text[TEXT];
    json_t *texts = json_object();
    if (print_network(m, text))
        json_object_set_new(texts, "ai_model_path", json_string(text));
    if (print_variant(m, text))
        json_object_set_new(texts, "ai_variant", json_string(text));
    if (print_chroma(m, text))
        json_object_set_new(texts, "ai_chroma", json_string(text));
    if (print_descale(m, text))
        json_object_set_new(texts, "descale", json_string(text));
    for (int i = 0; i < KSR_MEASURED_COUNT; i++) {
        print_measured(m, (enum ksr_measured)i, text);
        if (i == KSR_MEASURED_DENOISE || m->reasons[i][0])
            json_object_set_new(texts, ksr_measured_names[i], json_string(text));
    }
    if (print_temporal(m, text))
        json_object_set_new(texts, "ai_temporal", json_string(text));
    if (print_grain(m, text))
        json_object_set_new(texts, "grain", json_string(text));
    return texts;
}

void ksr_settled_log(ksr_context *ctx, const struct ksr_manifest *m)
{
    char text[TEXT];
    if (print_network(m, text))
        ksr_log(ctx, KSR_LOG_INFO, "AI model: %s", text);
    if (print_variant(m, text))
        ksr_log(ctx, KSR_LOG_INFO, "variant: %s", text);
    if (print_chroma(m, text))
        ksr_log(ctx, KSR_LOG_INFO, "chroma: %s", text);
    if (print_descale(m, text))
        ksr_log(ctx, KSR_LOG_INFO, "descale: %s", text);
    for (int i = 0; i < KSR_MEASURED_COUNT; i++) {
        print_measured(m, (enum ksr_measured)i, text);
        if (m->reasons[i][0])
            ksr_log(ctx, KSR_LOG_INFO, "%s: %s", ksr_measured_names[i], text);
    }
    if (print_temporal(m, text))
        ksr_log(ctx, KSR_LOG_INFO, "temporal: %s", text);
    if (print_grain(m, text))
        ksr_log(ctx, KSR_LOG_INFO, "grain: %s", text);
}
