// The key of a job: all that its bytes follow from. Two runs with one key make one output, so a
// work folder is adopted by whoever comes with its key, and segments carry its hash.
//
// It is JSON: the fingerprint of the input, the configuration without paths, the versions of the
// library, of FFmpeg and of the encoder, and for AI the hash of the model and what runs it.

#ifndef KSR_JOB_KEY_H
#define KSR_JOB_KEY_H

#include "job/manifest.h"

// Makes the key (a new reference) of a job: fingerprint, configuration with its container
// resolved, versions with the encoder's, and what runs the model (.model empty without AI).
// Returns KSR_OK, KSR_E_NOMEM (logged).
ksr_status ksr_manifest_key(ksr_context *ctx, const struct ksr_fingerprint *input,
                            const struct ksr_processor_config *config, const char *format,
                            const char *codec, const struct ksr_engine_identity *engine,
                            json_t **key);

// Opens the engine of a job with AI, as it was planned. options: where the runtime is; a device or
// threads named there must be those of the plan.
// Returns KSR_OK, KSR_E_MODEL, KSR_E_MISMATCH when model, runtime, provider or threads are not
// those that were planned with (all logged), KSR_E_NOMEM.
ksr_status ksr_manifest_engine(ksr_context *ctx, const struct ksr_manifest *manifest,
                               const struct ksr_run_options *options, ksr_engine **out);

// Writes what runs the model of a job, for people; empty without AI.
void ksr_manifest_engine_text(const struct ksr_manifest *manifest, char *out, size_t size);

// Writes the id of a key.
// Returns false when out of memory.
bool ksr_manifest_id(const json_t *key, char id[KSR_HASH_TEXT]);

// Logs, as the failure of a run, what differs between the job in a folder and the wanted one.
// Returns KSR_E_MISMATCH.
ksr_status ksr_manifest_mismatch(ksr_context *ctx, const char *folder, const json_t *there,
                                 const json_t *wanted);

#endif
