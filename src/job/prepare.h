// Before the work: checks first what could fail at the end, opens and locks the work folder, and
// reads or makes the plan.
//
// Resuming is this same path: the job's key (key.h) is formed from the input and the settings, and
// compared with that of the folder. Equal: the manifest is adopted, and the work continues with the
// segments that are missing. Different: the run is refused, because continuing would mix two jobs,
// and deleting would throw away finished work; only `fresh` may. No manifest or a damaged one: it
// is made again. The order matters: the lock is taken before anything in the folder is read or
// changed, the whole input is read for its fingerprint before the folder is believed, and whether
// the output may be replaced is decided before planning, which can take minutes.
//
// The folder job:
//   takes        paths, the configuration and the options of a run
//   gives        a work folder with its manifest and segments; the output, the record
//   may include  check and below

#ifndef KSR_JOB_PREPARE_H
#define KSR_JOB_PREPARE_H

#include "job/manifest.h"
#include "job/provenance.h"
#include "kizunasr/job.h"

// An opened job. All zero is a closed one.
struct ksr_job {
    char *folder;
    int lock; // -1 = not held
    struct ksr_manifest manifest;
    bool done;                // the output stands, written by this very job
    struct ksr_record record; // if that is known from a record: then there is no manifest
    char *source;             // what is read in place of the input, where that is a pipe; else NULL
    bool spooled;             // `source` was made by this call
};

// Checks configuration, input, output, container and model; opens or makes the work folder, takes
// its lock, and loads the manifest of this job or plans it. A folder of another job is refused.
// Returns KSR_OK or any failure (logged); on failure *job is closed.
ksr_status ksr_job_prepare(ksr_context *ctx, const struct ksr_processor_config *config,
                           const struct ksr_run_options *options, struct ksr_job *job);

// The same for looking only: reads and plans, but makes, locks and changes nothing.
ksr_status ksr_job_look(ksr_context *ctx, const struct ksr_processor_config *config,
                        const struct ksr_run_options *options, struct ksr_job *job);

// Opens a folder that has a manifest: for work (shared) and join (exclusive). Checks that the
// input and the versions are still those of the plan: all of the input for join, or when its date
// is another; else its size and ends.
ksr_status ksr_job_open(ksr_context *ctx, const char *folder, bool exclusive, struct ksr_job *job);

// Releases the lock and frees everything; leaves the folder.
void ksr_job_close(struct ksr_job *job);

// --- The work folder (work_folder.c) ---

// Deletes the folder's files that are KizunaSR's, and the folder; call before ksr_job_close().
ksr_status ksr_job_remove_folder(ksr_context *ctx, struct ksr_job *job);

// Deletes them all but the lock and what was read from pipes; temporary files of runs that were
// killed; and a folder in which nothing is that tells of a job.
ksr_status ksr_job_clear_folder(ksr_context *ctx, const struct ksr_job *job);
ksr_status ksr_job_clear_temporary(ksr_context *ctx, const struct ksr_job *job);
void ksr_job_drop_folder(const struct ksr_job *job);

// Deletes what earlier runs have read from pipes.
ksr_status ksr_job_clear_sources(ksr_context *ctx, const struct ksr_job *job);

// Notes in the folder that files of an output sequence begin to stand under their names; whether
// that was noted.
ksr_status ksr_job_note_publishing(ksr_context *ctx, const struct ksr_job *job);
bool ksr_job_was_publishing(const struct ksr_job *job);

// Notes in the folder what the output holds; part: where it stands until it gets its name. To be
// called before that, so that a run that is stopped between knows its output again.
ksr_status ksr_job_note_done(ksr_context *ctx, const struct ksr_job *job, const char *part);

// Whether the output that stands was written by the job of this id (NULL: whichever), as its
// folder notes. output_path: NULL = the one that is noted. Returns KSR_OK, KSR_E_NOMEM (logged).
ksr_status ksr_job_wrote(ksr_context *ctx, const struct ksr_job *job, const char *output_path,
                         const char *job_id, bool *wrote);

// Returns the output that is noted, free with free(); NULL when there is none.
char *ksr_job_noted_output(ksr_context *ctx, const struct ksr_job *job);

#endif
