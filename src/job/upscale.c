// The public verbs of a job: upscale = plan, work and join on one machine.

#include <stdlib.h>
#include <string.h>

#include "core/fs.h"
#include "core/image_sequence.h"
#include "core/log.h"
#include "job/key.h"
#include "job/prepare.h"
#include "job/provenance.h"
#include "job/timings.h"
#include "job/work.h"

static const struct ksr_run_options no_options;

// What every verb can tell about its job.
static void describe_job(ksr_context *ctx, const struct ksr_job *job, int warnings_before,
                         struct ksr_result *result)
{
    const struct ksr_manifest *m = &job->manifest;
    *result = (struct ksr_result){.frames = (int64_t)m->film.frame_count,
                                  .segments = m->segment_count,
                                  .width = m->encoder.format.width,
                                  .height = m->encoder.format.height,
                                  .warnings = ksr_warning_count(ctx) - warnings_before,
                                  .already_done = job->done};
    ksr_manifest_engine_text(m, result->engine, sizeof(result->engine));
}

// What a record tells about a job that is done and has no folder any more.
static void describe_record(const struct ksr_record *record, struct ksr_result *result)
{
    result->frames = record->frames;
    result->frames_repeated = record->repeated;
    result->frames_skipped = record->skipped;
    result->segments = record->segments;
    result->width = record->width;
    result->height = record->height;
    result->output_size = record->bytes;
}

// Join, then tidy up.
static ksr_status join_job(ksr_context *ctx, struct ksr_job *job,
                           const struct ksr_run_options *options, struct ksr_result *result)
{
    struct ksr_join_result joined = {0};
    ksr_status status = ksr_join_run(ctx, job, options, &joined);
    if (status == KSR_OK)
        status = ksr_provenance_copy(ctx, job, options->provenance);
    if (status == KSR_OK)
        status = ksr_times_copy(ctx, job, options->stage_times);
    if (status == KSR_OK && !options->keep_work)
        status = ksr_job_remove_folder(ctx, job);
    result->frames = joined.frames;
    result->frames_repeated = joined.repeated;
    result->frames_skipped = joined.skipped;
    result->output_size = joined.size;
    result->accepted = joined.accepted;
    memcpy(result->devices, joined.devices, sizeof(result->devices));
    return status;
}

// The output stands, whole: a run that was stopped may have left the folder.
// input_path: NULL where the folder does not tell it any more; its date was copied before that.
static ksr_status tidy_up(ksr_context *ctx, struct ksr_job *job, const char *input_path,
                          const char *output_path, const struct ksr_run_options *options,
                          struct ksr_result *result)
{
    result->output_size = ksr_sequence_size(output_path);
    ksr_status status =
        job->record.stands ? KSR_OK : ksr_provenance_copy(ctx, job, options->provenance);
    if (status == KSR_OK && options->keep_date && input_path)
        status = ksr_fs_copy_date(ctx, input_path, output_path);
    if (status == KSR_OK)
        status = ksr_times_copy(ctx, job, options->stage_times);
    if (status == KSR_OK && !options->keep_work)
        status = ksr_job_remove_folder(ctx, job);
    return status;
}

static ksr_status work_and_join(ksr_context *ctx, struct ksr_job *job,
                                const struct ksr_run_options *options, struct ksr_result *result)
{
    ksr_status status = ksr_work_run(ctx, job, NULL, 0, options, &result->segments_reused);
    if (status == KSR_OK)
        status = join_job(ctx, job, options, result);
    return status;
}

ksr_status ksr_upscale(ksr_context *ctx, const struct ksr_processor_config *config,
                       const struct ksr_run_options *options, struct ksr_result *result)
{
    if (!config)
        return ksr_fail(ctx, KSR_E_PARAM, "config is NULL");
    struct ksr_result done = {0};
    struct ksr_job job;
    const int warnings = ksr_warning_count(ctx);
    options = options ? options : &no_options;
    ksr_status status = ksr_job_prepare(ctx, config, options, &job);
    if (status != KSR_OK)
        return status;
    describe_job(ctx, &job, warnings, &done);
    if (job.record.stands)
        describe_record(&job.record, &done);
    if (job.done)
        status = tidy_up(ctx, &job, job.source ? job.source : config->input_path,
                         config->output_path, options, &done);
    else
        status = work_and_join(ctx, &job, options, &done);
    done.warnings = ksr_warning_count(ctx) - warnings;
    if (status == KSR_OK && result)
        *result = done;
    ksr_job_close(&job);
    return status;
}

ksr_status ksr_plan(ksr_context *ctx, const struct ksr_processor_config *config,
                    const struct ksr_run_options *options, struct ksr_result *result)
{
    if (!config)
        return ksr_fail(ctx, KSR_E_PARAM, "config is NULL");
    struct ksr_job job;
    struct ksr_run_options here = options ? *options : no_options;
    here.provenance = here.stage_times =
        NULL; // which are not written here; no record stands for a plan
    const int warnings = ksr_warning_count(ctx);
    const ksr_status status = ksr_job_prepare(ctx, config, &here, &job);
    if (status != KSR_OK)
        return status;
    if (result)
        describe_job(ctx, &job, warnings, result);
    ksr_job_close(&job);
    return KSR_OK;
}

ksr_status ksr_work(ksr_context *ctx, const char *folder, const int *segments, size_t count,
                    const struct ksr_run_options *options, struct ksr_result *result)
{
    if (!folder || (count > 0 && !segments))
        return ksr_fail(ctx, KSR_E_PARAM, "folder or segments is NULL");
    struct ksr_job job;
    int reused;
    const int warnings = ksr_warning_count(ctx);
    ksr_status status = ksr_job_open(ctx, folder, false, &job);
    if (status != KSR_OK)
        return status;
    status = ksr_work_run(ctx, &job, segments, count, options ? options : &no_options, &reused);
    if (status == KSR_OK && result) {
        describe_job(ctx, &job, warnings, result);
        result->segments_reused = reused;
    }
    ksr_job_close(&job);
    return status;
}

ksr_status ksr_join(ksr_context *ctx, const char *folder, const struct ksr_run_options *options,
                    struct ksr_result *result)
{
    if (!folder)
        return ksr_fail(ctx, KSR_E_PARAM, "folder is NULL");
    struct ksr_job job;
    struct ksr_result done = {0};
    const int warnings = ksr_warning_count(ctx);
    options = options ? options : &no_options;
    ksr_status status = ksr_job_open(ctx, folder, true, &job);
    if (status != KSR_OK)
        return status;
    describe_job(ctx, &job, warnings, &done);
    if (!job.done)
        status =
            ksr_provenance_check(ctx, options, job.manifest.input_path, job.manifest.output_path);
    if (status == KSR_OK && !job.done)
        status = ksr_times_check(ctx, options, job.manifest.input_path, job.manifest.output_path);
    if (status == KSR_OK)
        status = job.done ? tidy_up(ctx, &job, job.manifest.input_path, job.manifest.output_path,
                                    options, &done)
                          : join_job(ctx, &job, options, &done);
    done.warnings = ksr_warning_count(ctx) - warnings;
    if (status == KSR_OK && result)
        *result = done;
    ksr_job_close(&job);
    return status;
}
