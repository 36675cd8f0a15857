// Checks before the work, and the work folder; see prepare.h.

#include "job/prepare.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "core/cpu.h"
#include "core/image_sequence.h"
#include "core/mem.h"
#include "job/choice.h"
#include "job/key.h"
#include "job/plan.h"
#include "job/provenance.h"
#include "job/spool.h"
#include "job/subs.h"
#include "job/timings.h"
#include "media/compare/inspect.h"
#include "media/container/output_plan.h"
#include "media/input/external.h"
#include "net/engine.h"
#include "net/library.h"
#include "pipeline/device.h"

ksr_status ksr_work_folder(const char *output_path, const struct ksr_run_options *options,
                           char **out)
{
    if (!output_path || !out)
        return KSR_E_PARAM;
    *out = options && options->work_dir ? strdup(options->work_dir)
                                        : ksr_fs_beside(output_path, ".kizunasr");
    return *out ? KSR_OK : KSR_E_NOMEM;
}

void ksr_job_close(struct ksr_job *job)
{
    if (job->folder)
        ksr_fs_unlock(&job->lock);
    free(job->folder);
    free(job->source);
    ksr_manifest_free(&job->manifest);
    memset(job, 0, sizeof(*job));
    job->lock = -1;
}

// --- Checks ---

static ksr_status check_options(ksr_context *ctx, const struct ksr_run_options *o)
{
    if (o->threads < 0 || o->threads > 64)
        return ksr_fail(ctx, KSR_E_PARAM, "threads: '%d' is not valid (1 to 64)", o->threads);
    if (o->workers < 0 || o->workers > 64)
        return ksr_fail(ctx, KSR_E_PARAM, "workers: '%d' is not valid (1 to 64)", o->workers);
    if (o->spool_limit < 0)
        return ksr_fail(ctx, KSR_E_PARAM, "spool_limit: '%lld' is not valid (bytes, from 0)",
                        (long long)o->spool_limit);
    return KSR_OK;
}

static ksr_status check_output(ksr_context *ctx, const struct ksr_processor_config *config)
{
    const char *output = config->output_path;
    if (ksr_fs_is_folder(output))
        return ksr_fail(ctx, KSR_E_OUTPUT, "output is a folder, not a file: %s", output);
    if (strstr(output, "://") && !ksr_fs_exists(output))
        return ksr_fail(ctx, KSR_E_PARAM, "output is a URL, which cannot be written: %s", output);
    if (ksr_fs_is_special(output))
        return ksr_fail(ctx, KSR_E_OUTPUT,
                        "output is not a regular file: %s (pipes, devices and dangling links are "
                        "never replaced; use a file name)",
                        output);
    if (strcmp(output, "-") == 0)
        return ksr_fail(
            ctx, KSR_E_PARAM,
            "output is '-': only upscale writes to standard output (use a file name, such as ./-)");
    if (ksr_fs_same_file(config->input_path, output) || strcmp(config->input_path, output) == 0)
        return ksr_fail(ctx, KSR_E_PARAM, "input and output are the same file: %s", output);
    char *parent = ksr_fs_parent(output);
    if (!parent)
        return ksr_fail_memory(ctx);
    ksr_status status = KSR_OK;
    if (!ksr_fs_is_folder(parent))
        status = ksr_fail(ctx, KSR_E_OUTPUT, "output folder not found: %s", parent);
    else if (access(parent, W_OK) != 0)
        status = ksr_fail_errno(ctx, KSR_E_OUTPUT, "cannot write to %s", parent);
    free(parent);
    return status;
}

// --- The engine of AI mode ---

// Identifies the network that a clean source gets, if there is one. Where it cannot be used, the
// one that is asked for is for all sources; so is one that has variants itself.
static ksr_status identify_for_clean(ksr_context *ctx, const struct ksr_pipeline_config *p,
                                     struct ksr_engine_identity *identity)
{
    const struct ksr_network *network = ksr_engine_for_clean(p);
    char reason[KSR_REASON_SIZE];
    ksr_context *quiet;
    ksr_net *net;
    if (!network || identity->variants > 1)
        return KSR_OK;
    if (ksr_context_create_quiet(&quiet, ctx, reason) != KSR_OK)
        return ksr_fail_memory(ctx);
    const ksr_status status = ksr_model_load(quiet, network->name, NULL, &net);
    ksr_context_destroy(&quiet);
    if (status == KSR_E_MODEL) {
        ksr_log(ctx, KSR_LOG_WARNING, "%s: a clean source would get %s, too", reason,
                p->ai_model_path);
        return KSR_OK;
    }
    if (status != KSR_OK)
        return ksr_fail_memory(ctx);
    if (net->variants > 1)
        memcpy(identity->clean, net->hash, sizeof(identity->clean));
    ksr_net_destroy(&net);
    return KSR_OK;
}

static ksr_status open_engine(ksr_context *ctx, const struct ksr_pipeline_config *p,
                              const struct ksr_run_options *options,
                              struct ksr_engine_identity *identity)
{
    const struct ksr_engine_params params = {.config = p,
                                             .library = options->onnxruntime_library,
                                             .device = ksr_device_provider(options->device),
                                             .threads = options->threads > 0 ? options->threads
                                                                             : ksr_cpu_count()};
    ksr_engine *engine;
    const ksr_status status = ksr_engine_open(ctx, &params, &engine);
    if (status == KSR_OK)
        *identity = engine->identity;
    ksr_engine_close(&engine);
    return status == KSR_OK ? identify_for_clean(ctx, p, identity) : status;
}

// The same, where a model that cannot be used only means that there is no AI.
static ksr_status try_engine(ksr_context *ctx, struct ksr_pipeline_config *p,
                             const struct ksr_run_options *options,
                             struct ksr_engine_identity *identity)
{
    char reason[KSR_REASON_SIZE];
    ksr_context *quiet;
    ksr_status status = ksr_context_create_quiet(&quiet, ctx, reason);
    if (status != KSR_OK)
        return ksr_fail_memory(ctx);
    status = open_engine(quiet, p, options, identity);
    ksr_context_destroy(&quiet);
    if (status == KSR_E_MODEL) {
        ksr_log(ctx, KSR_LOG_WARNING, "%s: continuing without AI", reason);
        p->use_ai = false;
        p->shader_scale = p->ai_scale;
        return KSR_OK;
    }
    // Once more, for its messages.
    return open_engine(ctx, p, options, identity);
}

// Whether the model can be used, and what runs it (all zero without AI).
static ksr_status check_engine(ksr_context *ctx, struct ksr_pipeline_config *p,
                               const struct ksr_run_options *options,
                               struct ksr_engine_identity *identity)
{
    *identity = (struct ksr_engine_identity){0};
    const bool onnx = p->use_ai && ksr_engine_is_onnx(p);
    struct ksr_device_choice choice;
    const ksr_status status = ksr_device_choose(ctx, options->device, onnx, &choice);
    if (status != KSR_OK || !p->use_ai)
        return status;
    return p->ai_fallback ? try_engine(ctx, p, options, identity)
                          : open_engine(ctx, p, options, identity);
}

// --- The folder ---

// Does nothing where the lock is held already.
static ksr_status lock_folder(ksr_context *ctx, struct ksr_job *job, bool exclusive)
{
    if (job->lock >= 0)
        return KSR_OK;
    ksr_status status = ksr_fs_make_folder(ctx, job->folder);
    if (status == KSR_OK)
        status = ksr_fs_lock(ctx, job->folder, exclusive, &job->lock);
    return status;
}

// Takes over the manifest of a folder when it is of this very job. *found tells.
static ksr_status adopt_manifest(ksr_context *ctx, struct ksr_job *job, const json_t *key,
                                 bool *found)
{
    struct ksr_manifest there;
    ksr_status status = ksr_manifest_load(ctx, job->folder, &there);
    *found = false;
    if (status == KSR_E_INPUT)
        return KSR_OK;
    if (status == KSR_E_MISMATCH) {
        // Segments name the job they belong to, so planning anew loses nothing.
        ksr_log(ctx, KSR_LOG_WARNING, "manifest.json in %s is damaged or of another version: planning again",
                job->folder);
        return KSR_OK;
    }
    char id[KSR_HASH_TEXT];
    if (status == KSR_OK && !ksr_manifest_id(key, id))
        status = ksr_fail_memory(ctx);
    if (status == KSR_OK && strcmp(there.id, id) != 0)
        status = ksr_manifest_mismatch(ctx, job->folder, there.key, key);
    if (status != KSR_OK) {
        ksr_manifest_free(&there);
        return status;
    }
    ksr_manifest_free(&job->manifest);
    job->manifest = there;
    *found = true;
    return KSR_OK;
}

// The same for subtitle files; *changed is set where they have other names now.
static ksr_status update_subs(ksr_context *ctx, struct ksr_manifest *m, const char *list,
                              bool *changed)
{
    char *now;
    ksr_status status = ksr_subs_absolute(ctx, list, &now);
    if (status != KSR_OK || !now || !m->film.subs || strcmp(now, m->film.subs) == 0) {
        free(now);
        return status;
    }
    *changed = true;
    status = ksr_config_replace(m->config, "sub", now);
    free(m->film.subs);
    m->film.subs = now;
    return status;
}

// The manifest of this job may have been made when its files had other names or dates.
static ksr_status update_paths(ksr_context *ctx, struct ksr_job *job,
                               const struct ksr_processor_config *config,
                               const struct ksr_fingerprint *input)
{
    struct ksr_manifest *m = &job->manifest;
    char *const paths[] = {ksr_fs_absolute(config->input_path),
                           ksr_fs_absolute(config->output_path)};
    const char *const names[] = {"input_path", "output_path"};
    char **const there[] = {&m->input_path, &m->output_path};
    bool changed = m->input.modified != input->modified;
    ksr_status status = paths[0] && paths[1] ? KSR_OK : ksr_fail_memory(ctx);
    for (int i = 0; status == KSR_OK && i < 2; i++) {
        changed = changed || strcmp(*there[i], paths[i]) != 0;
        status = ksr_config_set(m->config, names[i], paths[i]);
    }
    for (int i = 0; i < 2; i++) {
        if (status == KSR_OK) {
            free(*there[i]);
            *there[i] = paths[i];
        } else {
            free(paths[i]);
        }
    }
    m->input.modified = input->modified;
    if (status == KSR_OK)
        status = update_subs(ctx, m, config->sub, &changed);
    if (status == KSR_OK && changed)
        status = ksr_manifest_save(ctx, m, job->folder);
    return status;
}

// The folder exists: continue in it, or clear it first.
static ksr_status enter_folder(ksr_context *ctx, struct ksr_job *job,
                               const struct ksr_run_options *options, const json_t *key,
                               bool *found)
{
    *found = false;
    ksr_status status = lock_folder(ctx, job, true);
    if (status == KSR_OK && options->fresh)
        return ksr_job_clear_folder(ctx, job);
    if (status == KSR_OK) // nobody else writes here now: left by a run that was killed
        status = ksr_job_clear_temporary(ctx, job);
    return status == KSR_OK ? adopt_manifest(ctx, job, key, found) : status;
}

static ksr_status plan_into_folder(ksr_context *ctx, struct ksr_job *job,
                                   const struct ksr_processor_config *config,
                                   const struct ksr_fingerprint *input, json_t *key)
{
    bool found = false;
    const bool locked = job->lock >= 0;
    ksr_status status = ksr_plan_make(ctx, config, input, key, &job->manifest);
    if (status == KSR_OK && !locked)
        status = lock_folder(ctx, job, true);
    // Another run may have planned at the same time, and have left its folder since.
    if (status == KSR_OK && !locked)
        status = adopt_manifest(ctx, job, key, &found);
    if (status == KSR_OK)
        status = ksr_manifest_save(ctx, &job->manifest, job->folder);
    return status;
}

// Forms the key of a job: reads the whole input once for its fingerprint.
static ksr_status form_key(ksr_context *ctx, const struct ksr_processor_config *config,
                           const struct ksr_engine_identity *engine, struct ksr_fingerprint *input,
                           json_t **key, char id[KSR_HASH_TEXT])
{
    struct ksr_output_plan container = {0};
    const char *codec;
    *key = NULL;
    ksr_status status =
        ksr_output_format(ctx, config->output_path, &config->encoder, &container, &codec);
    if (status == KSR_OK && container.image && config->sub)
        status = ksr_fail(ctx, KSR_E_PARAM,
                          "sub: images cannot hold subtitles (write a video, or omit {sub})");
    if (status == KSR_OK)
        status = ksr_fs_fingerprint(ctx, config->input_path, true, input);
    if (status != KSR_OK)
        return status;
    status = ksr_manifest_key(ctx, input, config, container.format, codec, engine, key);
    if (status == KSR_OK && !ksr_manifest_id(*key, id))
        status = ksr_fail_memory(ctx);
    return status;
}

// id: of the job. found: the folder is of this very job. Fills in job->done.
static ksr_status check_output_exists(ksr_context *ctx, const struct ksr_processor_config *config,
                                      const struct ksr_run_options *options, const char *id,
                                      bool found, struct ksr_job *job)
{
    ksr_status status = KSR_OK;
    if (!options->fresh)
        status = ksr_job_wrote(ctx, job, config->output_path, id, &job->done);
    if (status != KSR_OK)
        return status;
    if (!job->done && !options->overwrite && ksr_sequence_exists(config->output_path) &&
        !(found && ksr_job_was_publishing(job)))
        return ksr_fail(ctx, KSR_E_EXISTS,
                        "output file exists: %s (use {overwrite=true} to replace it)",
                        config->output_path);
    return KSR_OK;
}

// Without a folder, a record can tell that this very job has written the output.
static ksr_status look_for_record(ksr_context *ctx, const struct ksr_processor_config *config,
                                  const struct ksr_run_options *options, const char *id,
                                  struct ksr_job *job)
{
    if (options->fresh)
        return KSR_OK;
    const ksr_status status =
        ksr_provenance_look(ctx, options->provenance, id, config->output_path, &job->record);
    job->done = job->record.stands;
    return status;
}

static ksr_status open_folder(ksr_context *ctx, const struct ksr_processor_config *config,
                              const struct ksr_run_options *options,
                              const struct ksr_engine_identity *engine, struct ksr_job *job)
{
    struct ksr_fingerprint input;
    json_t *key;
    char id[KSR_HASH_TEXT];
    bool found = false;
    ksr_status status = form_key(ctx, config, engine, &input, &key, id);
    if (status == KSR_OK && ksr_fs_exists(job->folder))
        status = enter_folder(ctx, job, options, key, &found);
    if (status == KSR_OK && found)
        status = update_paths(ctx, job, config, &input);
    if (status == KSR_OK && !found)
        status = look_for_record(ctx, config, options, id, job);
    if (status == KSR_OK && !job->done)
        status = check_output_exists(ctx, config, options, id, found, job);
    if (status == KSR_OK && !found && !job->done)
        status = plan_into_folder(ctx, job, config, &input, key);
    if (status != KSR_OK && !found && job->lock >= 0)
        ksr_job_drop_folder(job); // nothing of worth was in it
    json_decref(key);
    return status;
}

// The same without touching anything: no folder, no lock.
static ksr_status look_into_folder(ksr_context *ctx, const struct ksr_processor_config *config,
                                   const struct ksr_run_options *options,
                                   const struct ksr_engine_identity *engine, struct ksr_job *job)
{
    struct ksr_fingerprint input;
    json_t *key;
    char id[KSR_HASH_TEXT];
    bool found = false;
    ksr_status status = form_key(ctx, config, engine, &input, &key, id);
    if (status == KSR_OK && !options->fresh && ksr_fs_exists(job->folder))
        status = adopt_manifest(ctx, job, key, &found);
    if (status == KSR_OK)
        status = check_output_exists(ctx, config, options, id, found, job);
    if (status == KSR_OK && !found)
        status = ksr_plan_make(ctx, config, &input, key, &job->manifest);
    json_decref(key);
    return status;
}

// --- A pipe as input ---

// What is known to fail without the input is not found out after hours of reading it.
static ksr_status check_before_spooling(ksr_context *ctx, const struct ksr_processor_config *config,
                                        const struct ksr_run_options *options,
                                        const struct ksr_job *job)
{
    struct ksr_output_plan container = {0};
    const char *codec;
    const ksr_status status =
        ksr_output_format(ctx, config->output_path, &config->encoder, &container, &codec);
    if (status != KSR_OK || options->overwrite || options->provenance ||
        ksr_fs_exists(job->folder) || !ksr_sequence_exists(config->output_path))
        return status;
    return ksr_fail(ctx, KSR_E_EXISTS,
                    "output file exists: %s (use {overwrite=true} to replace it)",
                    config->output_path);
}

// Copies the pipe into the folder, which is locked from here on, and reads the copy instead.
static ksr_status spool_input(ksr_context *ctx, struct ksr_processor_config *config,
                              const struct ksr_run_options *options, struct ksr_job *job)
{
    ksr_status status = check_before_spooling(ctx, config, options, job);
    if (status == KSR_OK)
        status = lock_folder(ctx, job, true);
    if (status == KSR_OK && options->fresh)
        status = ksr_job_clear_sources(ctx, job);
    if (status == KSR_OK)
        status = ksr_job_clear_temporary(ctx, job);
    if (status == KSR_OK)
        status = ksr_spool_input(ctx, config->input_path, job->folder, options->spool_limit,
                                 &job->source, &job->spooled);
    if (status != KSR_OK)
        return status;
    config->input_path = job->source;
    status = ksr_media_check(ctx, config->input_path);
    return status == KSR_OK ? check_output(ctx, config) : status;
}

// After a failure: the folder keeps only what it had before.
static void drop_spooled(const struct ksr_job *job)
{
    if (job->spooled)
        unlink(job->source);
    if (job->lock >= 0)
        ksr_job_drop_folder(job);
}

typedef ksr_status folder_function(ksr_context *ctx, const struct ksr_processor_config *config,
                                   const struct ksr_run_options *options,
                                   const struct ksr_engine_identity *engine, struct ksr_job *job);

static ksr_status prepare(ksr_context *ctx, const struct ksr_processor_config *config,
                          const struct ksr_run_options *options, folder_function *enter,
                          struct ksr_job *job)
{
    memset(job, 0, sizeof(*job));
    job->lock = -1;
    struct ksr_processor_config resolved =
        *config; // with the network that was chosen, without AI where that cannot be had
    struct ksr_engine_identity engine;
    ksr_status status = ksr_config_check(ctx, config);
    const bool pipe =
        status == KSR_OK && enter == open_folder && ksr_spool_is_needed(config->input_path);
    if (status == KSR_OK)
        status = check_options(ctx, options);
    if (status == KSR_OK && !pipe)
        status = ksr_media_check(ctx, config->input_path);
    if (status == KSR_OK)
        status = check_output(ctx, config);
    if (status == KSR_OK)
        status = ksr_external_check(ctx, config->sub, config->output_path);
    if (status == KSR_OK)
        status = ksr_provenance_check(ctx, options, config->input_path, config->output_path);
    if (status == KSR_OK)
        status = ksr_times_check(ctx, options, config->input_path, config->output_path);
    if (status == KSR_OK && ksr_work_folder(config->output_path, options, &job->folder) != KSR_OK)
        status = ksr_fail_memory(ctx);
    if (status == KSR_OK)
        status = ksr_choice_settle(ctx, &resolved.pipeline, options, job->folder);
    if (status == KSR_OK)
        status = check_engine(ctx, &resolved.pipeline, options, &engine);
    if (status == KSR_OK && pipe)
        status = spool_input(ctx, &resolved, options, job);
    if (status == KSR_OK)
        status = enter(ctx, &resolved, options, &engine, job);
    if (status != KSR_OK && pipe)
        drop_spooled(job);
    if (status != KSR_OK)
        ksr_job_close(job);
    return status;
}

ksr_status ksr_job_prepare(ksr_context *ctx, const struct ksr_processor_config *config,
                           const struct ksr_run_options *options, struct ksr_job *job)
{
    return prepare(ctx, config, options, open_folder, job);
}

ksr_status ksr_job_look(ksr_context *ctx, const struct ksr_processor_config *config,
                        const struct ksr_run_options *options, struct ksr_job *job)
{
    return prepare(ctx, config, options, look_into_folder, job);
}

// --- Opening for work and join ---

// A part of the video that another GPU or driver has encoded would look different.
static ksr_status check_hardware(ksr_context *ctx, const struct ksr_manifest *m)
{
    const char *there = json_string_value(json_object_get(m->key, "hardware"));
    char here[KSR_HARDWARE_TEXT];
    if (!there)
        return KSR_OK;
    ksr_encoder_hardware(m->encoder.codec, &ksr_config_get(m->config)->encoder, here, sizeof(here));
    return strcmp(there, here) == 0
               ? KSR_OK
               : ksr_fail(ctx, KSR_E_MISMATCH,
                          "the job was planned for another GPU or driver of %s: %s, not %s",
                          m->encoder.codec, there, here);
}

static ksr_status check_versions(ksr_context *ctx, const struct ksr_manifest *m)
{
    char identity[KSR_HASH_TEXT];
    const ksr_status status = ksr_encoder_identity(ctx, m->encoder.codec, identity);
    if (status != KSR_OK)
        return status;
    json_t *versions = json_object_get(m->key, "versions");
    const char *const want[][2] = {
        {"kizunasr", ksr_version()}, {"libraries", ksr_library_versions()}, {"encoder", identity}};
    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        const char *there = json_string_value(json_object_get(versions, want[i][0]));
        if (!there || strcmp(there, want[i][1]) != 0)
            return ksr_fail(ctx, KSR_E_MISMATCH,
                            "the job was planned with another version of %s: %s, not %s",
                            want[i][0], there ? there : "?", want[i][1]);
    }
    return KSR_OK;
}

// A folder that a join was just removing has no manifest any more, but still says what was done.
static ksr_status load_manifest(ksr_context *ctx, struct ksr_job *job, bool for_join)
{
    struct ksr_manifest *m = &job->manifest;
    ksr_status status = ksr_manifest_load(ctx, job->folder, m);
    bool wrote = false;
    if (status == KSR_E_INPUT && for_join) {
        const ksr_status looked = ksr_job_wrote(ctx, job, NULL, NULL, &wrote);
        if (looked != KSR_OK)
            return looked;
    }
    if (wrote) {
        m->output_path = ksr_job_noted_output(ctx, job);
        job->done = m->output_path != NULL;
        return job->done ? KSR_OK : ksr_fail_memory(ctx);
    }
    if (status == KSR_E_INPUT && for_join)
        ksr_job_drop_folder(job);
    if (status == KSR_E_INPUT)
        return ksr_fail(ctx, status, "no manifest.json in %s", job->folder);
    if (status == KSR_E_MISMATCH)
        return ksr_fail(ctx, status, "manifest.json in %s is damaged or of another version",
                        job->folder);
    if (status == KSR_OK)
        status = ksr_media_check(ctx, m->input_path);
    if (status == KSR_OK) {
        const int64_t modified = ksr_fs_modified(m->input_path);
        status = ksr_manifest_check_input(ctx, m, for_join);
        m->input.modified = modified;
    }
    if (status == KSR_OK)
        status = ksr_media_look_at(ctx, m->input_path, &m->film);
    if (status == KSR_OK)
        status = ksr_subs_check(ctx, m, for_join);
    return status;
}

ksr_status ksr_job_open(ksr_context *ctx, const char *folder, bool exclusive, struct ksr_job *job)
{
    memset(job, 0, sizeof(*job));
    job->lock = -1;
    job->folder = strdup(folder);
    if (!job->folder)
        return ksr_fail_memory(ctx);
    ksr_status status = KSR_OK;
    if (!ksr_fs_is_folder(folder))
        status = ksr_fail(ctx, KSR_E_INPUT, "work folder not found: %s", folder);
    if (status == KSR_OK)
        status = ksr_fs_lock(ctx, folder, exclusive, &job->lock);
    if (status == KSR_OK)
        status = load_manifest(ctx, job, exclusive);
    if (job->done)
        return KSR_OK;
    if (status == KSR_OK)
        status = check_versions(ctx, &job->manifest);
    if (status == KSR_OK && !exclusive) // what has been encoded is joined anywhere
        status = check_hardware(ctx, &job->manifest);
    if (status == KSR_OK && exclusive)
        status = ksr_job_wrote(ctx, job, job->manifest.output_path, job->manifest.id, &job->done);
    if (status != KSR_OK)
        ksr_job_close(job);
    return status;
}
