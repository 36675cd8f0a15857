// The preview: samples of a film, their reports, and what the whole would take. See
// include/kizunasr/report.h.

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "config/parse.h"
#include "core/clock.h"
#include "core/fs.h"
#include "core/mem.h"
#include "kizunasr/report.h"
#include "media/av/film.h"
#include "media/container/containers.h"
#include "media/index/index.h"

#define SAMPLES      3
#define SAMPLES_MOST 16
#define SECONDS      4.0

struct preview {
    ksr_context *ctx;
    const struct ksr_preview_options *options;
    struct ksr_processor_config config;
    ksr_config *plain; // without what restores; NULL if nothing does
    struct ksr_preview_result *result;
    double film_seconds;
    double spent, sample_seconds; // work on all samples; their length
    double sample_bytes;
};

// --- The whole film ---

static ksr_status look_at_film(struct preview *p)
{
    struct ksr_film film;
    ksr_status status =
        ksr_film_index_video(p->ctx, p->config.input_path, p->config.video, true, &film);
    if (status != KSR_OK)
        return status;
    p->film_seconds = ksr_film_length(&film, 0, film.frame_count);
    const bool fields = p->config.pipeline.deinterlace == KSR_DEINTERLACE_FIELD;
    p->result->film_frames = (int64_t)film.frame_count * (fields ? 2 : 1);
    ksr_film_free(&film);
    return KSR_OK;
}

// --- One sample ---

// Matroska holds everything, so that samples need no other container unless one was asked for.
static const char *extension_of(const struct preview *p)
{
    const char *format = p->config.encoder.format;
    return strcmp(format, "auto") != 0 ? ksr_container_label(format) : "mkv";
}

// Samples lie in the middle of equal parts of the film, and never reach beyond its end.
static double start_of(const struct preview *p, int number, double length)
{
    const double part = p->film_seconds / p->result->samples;
    return fmax(0, fmin(part * (number + 0.5) - length / 2, p->film_seconds - length));
}

// Adds one sample to the estimates: seconds of work and bytes for each second of film.
static void learn(struct preview *p, double seconds, double bytes, double length)
{
    struct ksr_preview_result *r = p->result;
    const double all_seconds = seconds / length * p->film_seconds;
    const double all_bytes = bytes / length * p->film_seconds;
    const bool first = p->sample_seconds <= 0;
    r->slowest_seconds = first ? all_seconds : fmax(r->slowest_seconds, all_seconds);
    r->fastest_seconds = first ? all_seconds : fmin(r->fastest_seconds, all_seconds);
    r->largest_bytes = first ? all_bytes : fmax(r->largest_bytes, all_bytes);
    r->smallest_bytes = first ? all_bytes : fmin(r->smallest_bytes, all_bytes);
    p->spent += seconds;
    p->sample_seconds += length;
    p->sample_bytes += bytes;
    r->seconds = p->spent / p->sample_seconds * p->film_seconds;
    r->bytes = p->sample_bytes / p->sample_seconds * p->film_seconds;
    r->frames_per_second = (double)r->frames / p->spent;
}

static ksr_status report_sample(struct preview *p, const char *output, const char *without,
                                const struct ksr_run_options *run, const char *page, double seconds,
                                double length)
{
    const struct ksr_preview_result *r = p->result;
    char text[200];
    snprintf(text, sizeof(text),
             "a sample of %.1f s took %.1f s; estimate for the whole job on this machine: %.0f s, "
             "%.0f MiB",
             length, seconds, r->seconds, r->bytes / (1 << 20));
    const struct ksr_report_options options = {.verify = {.provenance = run->provenance},
                                               .stage_times = run->stage_times,
                                               .without = without,
                                               .estimated_seconds = r->seconds,
                                               .estimated_bytes = r->bytes,
                                               .estimate_text = text};
    bool passed = false;
    const ksr_status status =
        ksr_report(p->ctx, p->config.input_path, output, &options, page, &passed);
    p->result->passed = p->result->passed && passed;
    return status;
}

// Makes a sample without restoration, for the report; it counts for no estimate. The network is
// that of the sample, whose record says which one and which variant was chosen.
static ksr_status make_without(struct preview *p, const struct ksr_processor_config *config,
                               const struct ksr_run_options *run, const char *output)
{
    struct ksr_processor_config plain = *ksr_config_get(p->plain);
    struct ksr_run_options quiet = *run;
    json_t *record = json_load_file(run->provenance, 0, NULL);
    const json_t *settled = json_object_get(json_object_get(record, "settled"), "pipeline");
    const char *network = json_string_value(json_object_get(settled, "ai_model_path"));
    const char *variant = json_string_value(json_object_get(settled, "ai_variant"));
    if (network)
        plain.pipeline.ai_model_path = network;
    if (variant)
        plain.pipeline.ai_variant = variant;
    plain.input_path = config->input_path; // which may be named "null"
    plain.start = config->start;
    plain.duration = config->duration;
    plain.output_path = output;
    quiet.provenance = quiet.stage_times = NULL;
    const ksr_status status = ksr_upscale(p->ctx, &plain, &quiet, NULL);
    json_decref(record);
    return status;
}

static ksr_status make_sample(struct preview *p, int number, double wanted)
{
    char start[32], duration[32];
    char *output = ksr_format("%s/sample-%d.%s", p->options->folder, number + 1, extension_of(p));
    char *record = ksr_format("%s/sample-%d.json", p->options->folder, number + 1);
    char *page = ksr_format("%s/report-%d.html", p->options->folder, number + 1);
    char *times = ksr_format("%s/sample-%d.times", p->options->folder, number + 1);
    char *without =
        ksr_format("%s/sample-%d-without.%s", p->options->folder, number + 1, extension_of(p));
    struct ksr_processor_config config = p->config;
    struct ksr_run_options run = p->options->run;
    struct ksr_result done = {0};
    ksr_status status = output && record && page && times && without ? KSR_OK : ksr_fail_memory(p->ctx);
    if (status == KSR_OK && ksr_fs_same_file(output, config.input_path))
        status = ksr_fail(p->ctx, KSR_E_PARAM, "the sample would replace the input %s", output);
    const double length = fmin(wanted, p->film_seconds);
    if (!config.start) {
        snprintf(start, sizeof(start), "%.3f", start_of(p, number, length));
        config.start = start;
    }
    snprintf(duration, sizeof(duration), "%.3f", length);
    if (!config.duration)
        config.duration = duration;
    config.output_path = output;
    run.overwrite = run.fresh = true;
    run.keep_work = false;
    run.accept = true; // the page says what is wrong
    run.work_dir = NULL;
    run.provenance = record;
    run.stage_times = times;
    const double before = ksr_clock();
    if (status == KSR_OK)
        status = ksr_upscale(p->ctx, &config, &run, &done);
    const double seconds = ksr_clock() - before;
    if (status == KSR_OK) {
        p->result->frames += done.frames;
        learn(p, seconds, (double)done.output_size, length);
        if (p->plain)
            status = make_without(p, &config, &run, without);
    }
    if (status == KSR_OK) {
        status = report_sample(p, output, p->plain ? without : NULL, &run, page, seconds, length);
        unlink(times); // the page has them
    }
    free(without);
    free(times);
    free(record);
    free(page);
    free(output);
    return status;
}

ksr_status ksr_preview(ksr_context *ctx, const struct ksr_processor_config *config,
                       const struct ksr_preview_options *options, struct ksr_preview_result *result)
{
    struct ksr_preview_result unused;
    result = result ? result : &unused;
    memset(result, 0, sizeof(*result));
    if (!config || !options || !options->folder || !config->input_path)
        return ksr_fail(ctx, KSR_E_PARAM, "config, input_path or folder is NULL");
    if (options->samples < 0 || options->samples > SAMPLES_MOST || options->seconds < 0)
        return ksr_fail(ctx, KSR_E_PARAM, "samples: expected 1 to %d", SAMPLES_MOST);
    struct preview p = {.ctx = ctx, .options = options, .config = *config, .result = result};
    double length = options->seconds > 0 ? options->seconds : SECONDS;
    int64_t microseconds;
    if (config->duration && ksr_parse_time(config->duration, &microseconds))
        length = (double)microseconds / 1e6;
    result->passed = true;
    ksr_status status = look_at_film(&p);
    result->samples = config->start ? 1 : options->samples > 0 ? options->samples : SAMPLES;
    // A short film is one sample.
    if (status == KSR_OK && p.film_seconds <= length * result->samples)
        result->samples = config->start ? 1 : (int)fmax(1, floor(p.film_seconds / length));
    if (status == KSR_OK)
        status = ksr_fs_make_folder(ctx, options->folder);
    if (status == KSR_OK)
        status = ksr_config_plain(ctx, config, &p.plain);
    for (int i = 0; status == KSR_OK && i < result->samples; i++)
        status = make_sample(&p, i, length);
    ksr_config_destroy(&p.plain);
    return status;
}
