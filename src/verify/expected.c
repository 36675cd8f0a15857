// Finds out what output is expected; see expected.h.

#include "verify/expected.h"

#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/json.h"
#include "core/fs.h"
#include "core/image_sequence.h"
#include "core/mem.h"
#include "job/manifest.h"
#include "job/plan.h"
#include "job/store.h"
#include "job/subs.h"
#include "media/index/index.h"
#include "media/index/rate.h"
#include "media/index/scan.h"
#include "media/index/side_data.h"
#include "media/index/telecine.h"
#include "media/input/filter.h"
#include "media/input/geometry.h"

void ksr_expected_free(struct ksr_expected *m)
{
    ksr_film_free(&m->film);
    ksr_config_destroy(&m->settings);
    json_decref(m->record);
    free(m->kept);
    free(m->repeated);
    free(m->output);
    memset(m, 0, sizeof(*m));
}

const struct ksr_pipeline_config *ksr_expected_pipeline(const struct ksr_expected *m)
{
    return m->settings ? &ksr_config_get(m->settings)->pipeline : NULL;
}

// --- The film as it went in ---

// Image sequences have no times but those their reader gave them. doubled: each image made two
// frames.
static void set_rate(const char *input_path, const struct ksr_film *output, bool doubled,
                     struct ksr_film *film)
{
    struct ksr_rational rate = output->format.frame_rate;
    if (!ksr_sequence_is(input_path) || rate.num <= 0)
        return;
    if (doubled && rate.num % 2 == 0)
        rate.num /= 2;
    else if (doubled)
        rate.den *= 2;
    ksr_film_set_rate(film, rate);
}

// An output of four fifths of the frames is what inverse telecine makes, of what telecine made.
static bool looks_decimated(const struct ksr_film *film, size_t count)
{
    const struct ksr_rational rate = film->format.frame_rate;
    const double per_second = rate.den > 0 ? (double)rate.num / rate.den : 0;
    return per_second > 29.5 && per_second < 30.5 && count + 2 >= film->frame_count / 5 * 4 &&
           count <= film->frame_count / 5 * 4 + 6 && count < film->frame_count;
}

// An output of twice the frames, at the same places, is what one frame of each field makes, of what
// has fields (shows_fields()).
static bool looks_doubled(const struct ksr_film *film, const struct ksr_film *output, bool timed)
{
    const size_t last = film->frame_count - 1;
    if (output->frame_count != 2 * film->frame_count || !timed)
        return output->frame_count == 2 * film->frame_count;
    const double input = ksr_film_seconds(film, film->frames[last].time - film->frames[0].time);
    const double there =
        ksr_film_seconds(output, output->frames[2 * last].time - output->frames[0].time);
    return there > input - 0.01 && there < input + 0.01;
}

static bool shows_fields(const struct ksr_film *film)
{
    return film->format.interlaced || film->turns_interlaced || film->unmarked_fields;
}

// Crop, rotation and grain as the run had them.
static ksr_status read_geometry(ksr_context *ctx, const char *input_path,
                                const struct ksr_processor_config *known,
                                const struct ksr_verify_options *options, struct ksr_film *film)
{
    struct ksr_pipeline_config pipeline = {.crop = options->crop,
                                           .rotate = options->rotated ? "apply" : "keep",
                                           .film_grain = options->no_grain ? "off" : "keep"};
    if (known)
        pipeline = known->pipeline;
    film->no_grain = strcmp(pipeline.film_grain, "off") == 0;
    ksr_status status = KSR_OK;
    if (strcmp(pipeline.rotate, "apply") == 0)
        status = ksr_extras_look(ctx, input_path, film, &film->extras);
    return status == KSR_OK ? ksr_geometry_plan(ctx, &pipeline, film) : status;
}

static bool is_finer(struct ksr_rational a, struct ksr_rational b)
{
    return (double)a.num / a.den < (double)b.num / b.den;
}

// Whether an output was made with --cfr, as far as it shows: its frames are evenly apart where
// those of the input are so within its ticks.
static bool looks_constant(const struct ksr_film *input, const struct ksr_film *output)
{
    struct ksr_rational a, b;
    return input->frame_count == output->frame_count &&
           is_finer(output->time_base, input->time_base) && ksr_film_is_even(output) &&
           ksr_film_find_rate(input, &a) && ksr_film_find_rate(output, &b) && a.num == b.num &&
           a.den == b.den;
}

// Takes over what the run was told of fields and telecine; where nothing is known, *guessed says
// that the output looks like a frame of each field.
static void choose_filter(const struct ksr_processor_config *known,
                          const struct ksr_verify_options *options, const struct ksr_film *film,
                          const struct ksr_film *output, bool timed,
                          struct ksr_pipeline_config *out, bool *guessed)
{
    out->deinterlace = known ? known->pipeline.deinterlace : options->deinterlace;
    out->inverse_telecine = known ? known->pipeline.inverse_telecine : options->inverse_telecine;
    *guessed = false;
    if (known || out->deinterlace || out->inverse_telecine || options->start || options->duration)
        return;
    out->inverse_telecine = looks_decimated(film, output->frame_count);
    *guessed = looks_doubled(film, output, timed);
    if (*guessed)
        out->deinterlace = KSR_DEINTERLACE_FIELD;
}

// Makes of the film what plan does.
static ksr_status filter_film(ksr_context *ctx, const char *input_path, bool guessed,
                              struct ksr_pipeline_config *pipeline, struct ksr_film *film)
{
    if (!pipeline->deinterlace && !pipeline->inverse_telecine)
        return KSR_OK;
    const ksr_status status = ksr_scan_film(ctx, input_path, film);
    if (guessed && !shows_fields(film))
        pipeline->deinterlace = KSR_DEINTERLACE_OFF;
    return status == KSR_OK ? ksr_filter_plan(ctx, input_path, pipeline, film) : status;
}

// Makes of the input's frames those that `output` is to have.
static ksr_status read_as_expected(ksr_context *ctx, const char *input_path,
                                   const char *output_path,
                                   const struct ksr_verify_options *options,
                                   const struct ksr_film *output, struct ksr_expected *m)
{
    const struct ksr_processor_config *known = m->settings ? ksr_config_get(m->settings) : NULL;
    struct ksr_pipeline_config pipeline = ksr_pipeline_config_default();
    const char *start = known ? known->start : options->start;
    const char *duration = known ? known->duration : options->duration;
    bool guessed;
    choose_filter(known, options, &m->film, output, !ksr_sequence_is(output_path), &pipeline,
                  &guessed);
    set_rate(input_path, output, pipeline.deinterlace == KSR_DEINTERLACE_FIELD, &m->film);
    ksr_plan_focus(start, duration, &m->film);
    ksr_status status = filter_film(ctx, input_path, guessed, &pipeline, &m->film);
    if (status == KSR_OK)
        status = read_geometry(ctx, input_path, known, options, &m->film);
    struct ksr_rational rate;
    if (status == KSR_OK && (known ? known->cfr : looks_constant(&m->film, output)) &&
        ksr_film_find_rate(&m->film, &rate))
        ksr_film_make_constant(&m->film, rate);
    return status == KSR_OK ? ksr_plan_cut(ctx, start, duration, &m->film) : status;
}

static ksr_status read_film(ksr_context *ctx, const char *input_path, const char *output_path,
                            const struct ksr_verify_options *options, struct ksr_expected *m)
{
    const struct ksr_processor_config *known = m->settings ? ksr_config_get(m->settings) : NULL;
    const int video = known ? known->video : options->video;
    struct ksr_film output;
    m->choice = known ? (struct ksr_choice){known->audio, known->subs}
                      : (struct ksr_choice){options->audio, options->subs};
    ksr_status status = ksr_film_index_video(ctx, input_path, video, true, &m->film);
    if (status == KSR_OK)
        status = ksr_film_add_subs(ctx, input_path, known ? known->sub : options->sub, &m->film);
    if (status == KSR_OK)
        status = ksr_film_index(ctx, output_path, true, &output);
    if (status != KSR_OK)
        return status;
    status = read_as_expected(ctx, input_path, output_path, options, &output, m);
    ksr_film_free(&output);
    return status;
}

// --- Frames that were skipped or repeated ---

static ksr_status mark(ksr_context *ctx, const struct ksr_expected *m, const char *list,
                       bool *marks)
{
    size_t i;
    json_t *number;
    json_array_foreach(json_object_get(m->record, list), i, number)
    {
        const json_int_t frame = json_integer_value(number);
        if (!json_is_integer(number) || frame < 0 || frame >= (json_int_t)m->film.frame_count)
            return ksr_fail(ctx, KSR_E_PARAM, "provenance: '%s' contains frames that do not exist",
                            list);
        marks[frame] = true;
    }
    return KSR_OK;
}

static ksr_status read_outcomes(ksr_context *ctx, struct ksr_expected *m)
{
    const size_t count = m->film.frame_count;
    bool *skipped = calloc(count, sizeof(*skipped));
    m->repeated = calloc(count, sizeof(*m->repeated));
    m->kept = calloc(count, sizeof(*m->kept));
    ksr_status status = skipped && m->repeated && m->kept ? KSR_OK : ksr_fail_memory(ctx);
    if (status == KSR_OK && m->record)
        status = mark(ctx, m, "skipped", skipped);
    if (status == KSR_OK && m->record)
        status = mark(ctx, m, "repeated", m->repeated);
    for (size_t i = 0; status == KSR_OK && i < count; i++)
        if (!skipped[i])
            m->kept[m->kept_count++] = i;
    free(skipped);
    return status;
}

// --- The provenance record ---

static ksr_status check_record(ksr_context *ctx, const char *path, const char *input_path,
                               const json_t *record)
{
    const json_t *input = json_object_get(record, "input");
    const json_t *bytes = json_object_get(input, "bytes");
    if (!ksr_config_is_record(record) || !json_is_integer(bytes))
        return ksr_fail(ctx, KSR_E_PARAM, "%s is not a provenance record", path);
    if (json_integer_value(bytes) != ksr_sequence_size(input_path))
        return ksr_fail(ctx, KSR_E_PARAM, "the provenance record %s is of another input than %s",
                        path, input_path);
    return KSR_OK;
}

static ksr_status take_subs(ksr_context *ctx, const char *input_path, const char *told,
                            struct ksr_expected *m)
{
    char *list;
    ksr_status status = ksr_subs_find(ctx, m->record, input_path, told, &list);
    if (status == KSR_OK && list)
        status = ksr_config_replace(m->settings, "sub", list);
    free(list);
    return status;
}

static ksr_status load_record(ksr_context *ctx, const char *path, const char *input_path,
                              const char *subs, struct ksr_expected *m)
{
    char *text = NULL;
    ksr_status status = ksr_fs_read_file(ctx, path, &text, NULL);
    if (status == KSR_E_INPUT)
        return ksr_fail(ctx, KSR_E_PARAM, "cannot read the provenance record %s", path);
    if (status != KSR_OK)
        return status;
    bool starved;
    m->record = ksr_json_read(text, strlen(text), 0, NULL, &starved);
    free(text);
    if (starved)
        return ksr_fail_memory(ctx);
    status = check_record(ctx, path, input_path, m->record);
    if (status == KSR_OK)
        status = ksr_config_create(&m->settings, ctx);
    if (status == KSR_OK)
        status = ksr_config_from_record(m->settings, m->record, path);
    if (status == KSR_OK)
        status = take_subs(ctx, input_path, subs, m);
    m->source = "the provenance record";
    return status;
}

// A record that counts other frames than the film has would put skips in wrong places.
static ksr_status check_frames(ksr_context *ctx, const struct ksr_expected *m)
{
    const json_t *frames = json_object_get(json_object_get(m->record, "input"), "frames");
    if (!m->record || json_integer_value(frames) == (json_int_t)m->film.frame_count)
        return KSR_OK;
    return ksr_fail(ctx, KSR_E_PARAM, "provenance: %lld frames expected, the input has %zu",
                    (long long)json_integer_value(frames), m->film.frame_count);
}

// --- The work folder ---

// Whether the folder's job read this very input.
static bool is_its_input(ksr_context *ctx, const char *input_path, const struct ksr_manifest *m)
{
    struct ksr_fingerprint now;
    return ksr_fs_fingerprint(ctx, input_path, false, &now) == KSR_OK &&
           now.size == m->input.size && strcmp(now.ends, m->input.ends) == 0;
}

// Skipped frames as the segments tell, in the form of a record.
static ksr_status skipped_to_json(ksr_context *ctx, const char *folder,
                                  const struct ksr_manifest *job, json_t *list)
{
    ksr_status status = list ? KSR_OK : ksr_fail_memory(ctx);
    for (int i = 0; status == KSR_OK && i < job->segment_count; i++) {
        struct ksr_segment_info info = {0};
        bool valid;
        status = ksr_segment_check(ctx, folder, i, job->id, &valid, &info);
        for (uint32_t k = 0; status == KSR_OK && valid && k < info.skipped_count; k++)
            if (json_array_append_new(list, json_integer((json_int_t)(job->segments[i].first +
                                                                      info.skipped[k]))) != 0)
                status = ksr_fail_memory(ctx);
        ksr_segment_info_free(&info);
    }
    return status;
}

static ksr_status take_manifest(ksr_context *ctx, const char *folder, struct ksr_manifest *job,
                                struct ksr_expected *m)
{
    m->settings = job->config;
    job->config = NULL;
    m->output = malloc(sizeof(*m->output));
    if (!m->output)
        return ksr_fail_memory(ctx);
    *m->output = job->output;
    m->source = "the work folder";
    json_t *skipped = json_array();
    ksr_status status = skipped_to_json(ctx, folder, job, skipped);
    char *path = ksr_format("%s/provenance.json", folder), *text = NULL;
    const ksr_status read = path ? ksr_fs_read_file(ctx, path, &text, NULL) : ksr_fail_memory(ctx);
    bool starved = false;
    if (read == KSR_OK)
        m->record = ksr_json_read(text, strlen(text), 0, NULL, &starved);
    if (starved)
        status = ksr_fail_memory(ctx);
    if (read == KSR_E_NOMEM)
        status = read;
    free(text);
    free(path);
    if (!m->record)
        m->record = json_pack("{s:{s:I},s:o}", "input", "frames", (json_int_t)job->film.frame_count,
                              "skipped", skipped);
    else
        json_decref(skipped);
    return status == KSR_OK && !m->record ? ksr_fail_memory(ctx) : status;
}

static ksr_status load_folder(ksr_context *ctx, const char *input_path, const char *output_path,
                              struct ksr_expected *m)
{
    struct ksr_manifest job = {0};
    char *folder = ksr_fs_beside(output_path, ".kizunasr");
    if (!folder)
        return ksr_fail_memory(ctx);
    ksr_status status =
        ksr_fs_is_folder(folder) ? ksr_manifest_load(ctx, folder, &job) : KSR_E_INPUT;
    if (status == KSR_OK && is_its_input(ctx, input_path, &job))
        status = take_manifest(ctx, folder, &job, m);
    ksr_manifest_free(&job);
    free(folder);
    return status == KSR_E_INPUT || status == KSR_E_MISMATCH ? KSR_OK : status;
}

// --- All of it ---

ksr_status ksr_expected_find(ksr_context *ctx, const char *input_path, const char *output_path,
                             const struct ksr_verify_options *options, struct ksr_expected *m)
{
    memset(m, 0, sizeof(*m));
    const bool told = options->start || options->duration || options->deinterlace ||
                      options->inverse_telecine || options->crop || options->rotated ||
                      options->no_grain || options->video || options->audio || options->subs;
    if (options->provenance && told)
        return ksr_fail(ctx, KSR_E_PARAM,
                        "provenance: the record already has the settings; only {sub} can be "
                        "combined with it, to say where the subtitle files are");
    ksr_status status = KSR_OK;
    if (options->provenance)
        status = load_record(ctx, options->provenance, input_path, options->sub, m);
    else if (!told && !options->sub)
        status = load_folder(ctx, input_path, output_path, m);
    if (status == KSR_OK)
        status = read_film(ctx, input_path, output_path, options, m);
    if (status == KSR_OK)
        status = check_frames(ctx, m);
    if (status == KSR_OK)
        status = read_outcomes(ctx, m);
    if (status == KSR_OK && m->source)
        ksr_log(ctx, KSR_LOG_INFO, "expected frames from %s: %zu of %zu%s", m->source,
                m->kept_count, m->film.frame_count, m->film.cut ? " (a range of the input)" : "");
    return status;
}
