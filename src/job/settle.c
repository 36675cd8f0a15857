// Settling; see settle.h. What is looked at: media/index/.

#include "job/settle.h"

#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "core/background.h"
#include "frame/tile.h"
#include "job/key.h"
#include "media/av/pixel_format.h"
#include "media/index/clean.h"
#include "media/index/damage.h"
#include "media/index/drawing.h"
#include "media/index/grain.h"
#include "media/index/scan.h"
#include "media/index/side_data.h"
#include "media/index/telecine.h"
#include "media/index/variant.h"
#include "net/engine.h"
#include "net/library.h"
#include "stages/temporal.h"

#define DEBLOCK   50 // in hundredths, where there are blocks
#define DEHALO    25 // where there are halos
#define COMPOSITE 20 // and where there is dot crawl

// The variant that suits what coding leaves of sharp sources, too, as it takes away overshoot.
#define VARIANT_CODED "soft-area"

// What is learnt of a film by decoding some of its frames.
struct looks {
    ksr_context *ctx;
    const char *path;
    const struct ksr_film *film;
    bool measured[KSR_MEASURED_COUNT]; // what is asked for
    const struct ksr_network *network; // by this one; NULL: by filters
    bool for_clean;                    // whether there is another network for clean sources
    struct ksr_extras extras;
    struct ksr_damage damage;
    struct ksr_clean clean;
    struct ksr_blocks blocks;
    struct ksr_halos halos;
    struct ksr_crawl crawl;
    bool measures_grain;
    struct ksr_grain grain;
    struct ksr_scan scan;
};

static ksr_status look_at_damage(struct looks *l)
{
    const bool *asked = l->measured;
    struct ksr_damage_share share = {100, 100};
    struct ksr_damage_more more = {.blocks = asked[KSR_MEASURED_DEBLOCK] ? &l->blocks : NULL,
                                   .halos = asked[KSR_MEASURED_DEHALO] ? &l->halos : NULL,
                                   .crawl = asked[KSR_MEASURED_COMPOSITE] ? &l->crawl : NULL};
    if (!asked[KSR_MEASURED_DENOISE] && !more.blocks && !more.halos && !more.crawl && !l->for_clean)
        return KSR_OK;
    if (l->network)
        share = (struct ksr_damage_share){.quantizer = l->network->denoise_quantizer,
                                          .shown = l->network->denoise_shown};
    return ksr_damage_look(l->ctx, l->path, l->film, share, more, &l->damage);
}

static ksr_status look_at_rest(void *arg)
{
    struct looks *l = arg;
    ksr_status status = ksr_extras_look(l->ctx, l->path, l->film, &l->extras);
    if (status == KSR_OK && l->measures_grain)
        status = ksr_grain_look(l->ctx, l->path, l->film, &l->grain);
    return status == KSR_OK ? look_at_damage(l) : status;
}

static ksr_status look_at_fields(void *arg)
{
    struct looks *l = arg;
    return ksr_scan_look(l->ctx, l->path, l->film, &l->scan);
}

// The bundled network that a job runs, by its name also as .onnx, or by its file's hash; NULL:
// none.
static const struct ksr_network *find_network(const struct ksr_pipeline_config *config,
                                              const json_t *key)
{
    const char *hash = json_string_value(json_object_get(key, "model"));
    const struct ksr_network *named = ksr_network_find(config->ai_model_path);
    if (!config->use_ai || !hash)
        return NULL;
    return named ? named : ksr_network_of(hash);
}

// --- Numbers ---

// Settles a number that was asked for as "auto", in hundredths.
static ksr_status settle(struct ksr_manifest *m, enum ksr_measured which, int hundredths)
{
    char text[16];
    snprintf(text, sizeof(text), "%d.%02d", hundredths / 100, hundredths % 100);
    return ksr_config_set(m->config, ksr_measured_names[which], text);
}

static ksr_status settle_denoise(struct ksr_manifest *m, const struct ksr_damage *damage)
{
    snprintf(m->reasons[KSR_MEASURED_DENOISE], sizeof(m->reasons[0]), "%s", damage->reason);
    return settle(m, KSR_MEASURED_DENOISE, damage->strength);
}

// Settles a fault that was looked for: found in so many percent of the places where it can be.
static ksr_status settle_fault(struct ksr_manifest *m, enum ksr_measured which, bool found,
                               int share)
{
    static const struct {
        int strength; // in hundredths
        const char *fault, *found, *places;
    } texts[] = {
        [KSR_MEASURED_DEBLOCK] = {DEBLOCK, "blocks", "", "lines between blocks"},
        [KSR_MEASURED_DEHALO] = {DEHALO, "halos", "", "edges"},
        [KSR_MEASURED_COMPOSITE] = {COMPOSITE, "dot crawl", "dot crawl ", "blocks that flicker"},
    };
    char *reason = m->reasons[which];
    if (found)
        snprintf(reason, sizeof(m->reasons[0]), "%sat %d %% of %s", texts[which].found, share,
                 texts[which].places);
    else
        snprintf(reason, sizeof(m->reasons[0]), "no %s found", texts[which].fault);
    return settle(m, which, found ? texts[which].strength : 0);
}

static int percent(int64_t part, int64_t all)
{
    return all > 0 ? (int)(100 * part / all) : 0;
}

static ksr_status settle_numbers(struct ksr_manifest *m, const struct looks *l)
{
    ksr_status status = KSR_OK;
    if (l->measured[KSR_MEASURED_DENOISE])
        status = settle_denoise(m, &l->damage);
    if (status == KSR_OK && l->measured[KSR_MEASURED_DEBLOCK])
        status = settle_fault(m, KSR_MEASURED_DEBLOCK, ksr_blocks_found(&l->blocks),
                              ksr_blocks_share(&l->blocks));
    if (status == KSR_OK && l->measured[KSR_MEASURED_DEHALO])
        status = settle_fault(m, KSR_MEASURED_DEHALO, ksr_halos_found(&l->halos),
                              percent(l->halos.halos, l->halos.edges));
    if (status == KSR_OK && l->measured[KSR_MEASURED_COMPOSITE])
        status = settle_fault(m, KSR_MEASURED_COMPOSITE, ksr_crawl_found(&l->crawl),
                              percent(l->crawl.crawl, l->crawl.blocks));
    return status;
}

// --- Grain and drawing ---

// Has stages take out grain of a strength (in hundredths of a code), in stills by stage 5, and
// elsewhere by stages 1 and 2. What is set to do more stays.
static ksr_status settle_removal(struct ksr_manifest *m, int strength)
{
    const struct ksr_pipeline_config *p = &ksr_config_get(m->config)->pipeline;
    const int smoothing = ksr_clamp(strength / 8, 10, 100); // follows twice as much
    const int threshold = ksr_clamp(strength / 20, 10, 40);
    char text[2][16];
    snprintf(text[0], sizeof(text[0]), "%d.%02d", smoothing / 100, smoothing % 100);
    snprintf(text[1], sizeof(text[1]), "0.%02d", threshold);
    ksr_status status = KSR_OK;
    if (p->denoise * 100 < smoothing) {
        snprintf(m->reasons[KSR_MEASURED_DENOISE], sizeof(m->reasons[0]), "grain");
        status = ksr_config_set(m->config, "denoise", text[0]);
    }
    if (status == KSR_OK && p->structure_smoothing * 100 < smoothing)
        status = ksr_config_set(m->config, "structure_smoothing", text[0]);
    if (status == KSR_OK && p->use_ai && !p->enable_temporal)
        status = ksr_config_set(m->config, "ai_temporal", "off"); // not for a network
    if (status == KSR_OK && !p->enable_temporal)
        status = ksr_config_set(m->config, "enable_temporal", "true");
    if (status == KSR_OK && p->motion_threshold * 100 < threshold)
        status = ksr_config_set(m->config, "motion_threshold", text[1]);
    return status;
}

// Settles how strong grain is, where that is to be found out, and has it taken out. found: all 0
// where there is none.
static ksr_status settle_grain(struct ksr_manifest *m, const struct ksr_grain *found)
{
    const char *asked = ksr_config_get(m->config)->pipeline.grain;
    const int strongest = ksr_grain_strongest(found);
    struct ksr_grain grain, put = *found;
    enum ksr_grain_kind kind;
    char text[KSR_GRAIN_TEXT] = "keep";
    if (!ksr_grain_parse(asked, &kind, &grain) || kind != KSR_GRAIN_UNKNOWN)
        return KSR_OK;
    put.amount = grain.amount;
    if (strongest > 0)
        ksr_grain_print(text, &put);
    const ksr_status status = ksr_config_set(m->config, "grain", text);
    return status == KSR_OK && strongest > 0 ? settle_removal(m, strongest) : status;
}

// Whether lines of the frames as they are decoded are those that stages get.
static bool shows_drawing(const struct ksr_pipeline_config *config, const struct ksr_film *film)
{
    return !config->crop && !film->filter[0] && strcmp(config->rotate, "keep") == 0;
}

// Settles at which size the source was drawn, where that is to be found out.
static ksr_status settle_descale(ksr_context *ctx, const struct ksr_processor_config *config,
                                 struct ksr_manifest *m)
{
    struct ksr_drawing d = {0};
    char text[48] = "off";
    if (strcmp(config->pipeline.descale, "auto") != 0)
        return KSR_OK;
    ksr_status status = KSR_OK;
    if (shows_drawing(&config->pipeline, &m->film))
        status = ksr_drawing_look(ctx, config->input_path, &m->film, &d);
    if (status == KSR_OK && d.count > 0) {
        m->curve = ksr_drawing_curve(&d);
        status = m->curve ? KSR_OK : ksr_fail_memory(ctx);
    }
    if (d.width > 0)
        snprintf(text, sizeof(text), "%dx%d:%s", d.width, d.height, ksr_kernel_name(d.kernel));
    ksr_drawing_free(&d);
    return status == KSR_OK ? ksr_config_set(m->config, "descale", text) : status;
}

// Blocks lie on the grid of frames that are descaled before anything could be done about them.
static ksr_status settle_descaled(struct ksr_manifest *m, const struct looks *l)
{
    const char *descale = ksr_config_get(m->config)->pipeline.descale;
    if (!l->measured[KSR_MEASURED_DEBLOCK] || strcmp(descale, "off") == 0)
        return KSR_OK;
    snprintf(m->reasons[KSR_MEASURED_DEBLOCK], sizeof(m->reasons[0]), "descaled");
    return settle(m, KSR_MEASURED_DEBLOCK, 0);
}

// --- The network and its variant ---

// Whether the network gets what the network that chooses sees: not the smaller drawing with
// --descale.
static bool sees_source(const struct ksr_pipeline_config *config)
{
    return strcmp(config->descale, "off") == 0;
}

// Has the network asked for and the one for clean sources look.
static ksr_status look_whether_clean(ksr_context *ctx, const struct ksr_processor_config *config,
                                     const struct ksr_film *film, const struct ksr_network *network,
                                     struct ksr_clean *clean)
{
    ksr_net *asked, *other = NULL;
    ksr_status status = ksr_model_load(ctx, config->pipeline.ai_model_path, NULL, &asked);
    if (status == KSR_OK)
        status = ksr_model_load(ctx, network->name, NULL, &other);
    if (status == KSR_OK)
        status = ksr_clean_look(ctx, config->input_path, film, asked, other, clean);
    ksr_net_destroy(&asked);
    ksr_net_destroy(&other);
    return status;
}

// Returns the network for clean sources, where the job has one beside that which is asked for.
static const struct ksr_network *find_for_clean(const struct ksr_pipeline_config *config,
                                                const json_t *key)
{
    return json_object_get(key, "clean") ? ksr_engine_for_clean(config) : NULL;
}

// Settles whether the network asked for stays, where there is another for clean sources. If it
// does, nothing is left to choose: only networks without variants have one (prepare.c).
static ksr_status settle_network(ksr_context *ctx, const struct ksr_processor_config *config,
                                 struct ksr_manifest *m, struct looks *l)
{
    const struct ksr_network *network = find_for_clean(&config->pipeline, m->key);
    ksr_status status = KSR_OK;
    if (!network)
        return KSR_OK;
    l->clean.doubt = KSR_DOUBT_MOST;
    if (l->damage.none)
        status = look_whether_clean(ctx, config, &m->film, network, &l->clean);
    if (status != KSR_OK)
        return status;
    return l->clean.doubt < l->network->clean_doubt
               ? ksr_config_set(m->config, "ai_model_path", network->name)
               : ksr_config_set(m->config, "ai_variant", KSR_VARIANT_GENERAL);
}

// Whether a variant that was chosen may be used, instead of the first.
static bool is_safe(const struct looks *l, const char *variant)
{
    return !l->network || !l->network->clean || l->clean.alike < l->network->clean_alike ||
           strcmp(variant, VARIANT_CODED) != 0;
}

static ksr_status settle_variant(ksr_context *ctx, const struct ksr_processor_config *config,
                                 struct ksr_manifest *m, const struct looks *l)
{
    const struct ksr_pipeline_config *p = &ksr_config_get(m->config)->pipeline;
    ksr_net *chooser;
    int chosen = 0;
    if ((!json_object_get(m->key, "variants") && !ksr_manifest_replaced(m)) ||
        strcmp(p->ai_variant, KSR_VARIANT_AUTO) != 0)
        return KSR_OK;
    ksr_status status = ksr_model_load(ctx, p->ai_model_path, KSR_VARIANT_AUTO, &chooser);
    if (status != KSR_OK)
        return status;
    if (sees_source(p))
        status = ksr_variant_look(ctx, config->input_path, &m->film, chooser, &chosen);
    if (!is_safe(l, chooser->variant_name[chosen]))
        chosen = 0;
    if (status == KSR_OK)
        status = ksr_config_set(m->config, "ai_variant", chooser->variant_name[chosen]);
    ksr_net_destroy(&chooser);
    return status;
}

// The bundled network that a job uses in the end.
static const struct ksr_network *find_settled_network(const struct ksr_manifest *m)
{
    const struct ksr_pipeline_config *p = &ksr_config_get(m->config)->pipeline;
    return ksr_manifest_replaced(m) ? ksr_network_find(p->ai_model_path) : find_network(p, m->key);
}

// Has stage 5 work before a network that learned from what it leaves. A threshold that is asked for
// stays.
static ksr_status settle_temporal(struct ksr_manifest *m)
{
    const struct ksr_pipeline_config usual = ksr_pipeline_config_default();
    const struct ksr_pipeline_config *p = &ksr_config_get(m->config)->pipeline;
    const struct ksr_network *network = find_settled_network(m);
    char threshold[16];
    if (!network || network->temporal == 0 || p->enable_temporal ||
        strcmp(p->ai_temporal, "auto") != 0 || m->film.frame_count < 2)
        return KSR_OK;
    const struct ksr_temporal_params params = ksr_temporal_params_make(p);
    if (!ksr_temporal_active(&params))
        return KSR_OK;
    const bool asked = p->motion_threshold != usual.motion_threshold;
    snprintf(threshold, sizeof(threshold), "0.%02d", network->temporal);
    ksr_status status = ksr_config_set(m->config, "enable_temporal", "true");
    if (status == KSR_OK && !asked)
        status = ksr_config_set(m->config, "motion_threshold", threshold);
    return status;
}

const struct ksr_network *ksr_settle_temporal_for(const struct ksr_manifest *m)
{
    const struct ksr_pipeline_config *p = &ksr_config_get(m->config)->pipeline;
    const json_t *asked = json_object_get(json_object_get(m->key, "config"), "pipeline");
    const bool on = p->enable_temporal && strcmp(p->ai_temporal, "auto") == 0 &&
                    !json_is_true(json_object_get(asked, "enable_temporal"));
    return on ? find_settled_network(m) : NULL;
}

// --- All of it ---

ksr_status ksr_settle_frames(ksr_context *ctx, const struct ksr_processor_config *config,
                             struct ksr_manifest *m)
{
    const struct ksr_pipeline_config *p = &config->pipeline;
    struct looks l = {.ctx = ctx,
                      .path = config->input_path,
                      .film = &m->film,
                      .measured = {[KSR_MEASURED_DENOISE] = p->denoise == KSR_AUTO,
                                   [KSR_MEASURED_DEBLOCK] = p->deblock == KSR_AUTO,
                                   [KSR_MEASURED_DEHALO] = p->dehalo == KSR_AUTO,
                                   [KSR_MEASURED_COMPOSITE] = p->composite == KSR_AUTO},
                      .measures_grain = ksr_grain_unknown(p->grain),
                      .network = find_network(p, m->key),
                      .for_clean = find_for_clean(p, m->key)};
    ksr_status status = ksr_run_both(ctx, look_at_rest, &l, look_at_fields, &l);
    if (status == KSR_OK)
        m->film.extras = l.extras;
    if (status == KSR_OK)
        status = settle_numbers(m, &l);
    if (status == KSR_OK)
        status = settle_grain(m, &l.grain);
    if (status != KSR_OK)
        return status;
    ksr_scan_judge(ctx, &l.scan, &m->film);
    status = ksr_filter_plan(ctx, config->input_path, p, &m->film);
    if (status == KSR_OK)
        status = settle_descale(ctx, config, m);
    if (status == KSR_OK)
        status = settle_network(ctx, config, m, &l);
    if (status == KSR_OK)
        status = settle_variant(ctx, config, m, &l);
    if (status == KSR_OK)
        status = settle_temporal(m);
    return status == KSR_OK ? settle_descaled(m, &l) : status;
}

// --- Chroma ---

const char *ksr_settle_chroma_obstacle(const struct ksr_manifest *m)
{
    const struct ksr_pipeline_config *p = &ksr_config_get(m->config)->pipeline;
    struct ksr_layout layout;
    int bits;
    if (!ksr_pixels_layout(&m->film.format, &layout, &bits) || !ksr_net_chroma_possible(&layout))
        return "the source is not 4:2:0 sited left";
    if (strcmp(p->descale, "off") != 0)
        return "descaled";
    if (strcmp(p->ai_color, "rgb") == 0)
        return "the model makes chroma";
    return json_object_get(m->key, "chroma") ? NULL : "the network cannot be used";
}

ksr_status ksr_settle_chroma(const struct ksr_processor_config *config, struct ksr_manifest *m)
{
    const char *name = ksr_engine_chroma(&config->pipeline);
    if (!name)
        return KSR_OK;
    return ksr_config_set(m->config, "ai_chroma", ksr_settle_chroma_obstacle(m) ? "off" : name);
}
