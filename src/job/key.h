// The key of a job: everything that its output's bytes depend on. Two runs with the same key make
// the same output, so a run adopts any work folder with its key, and segments carry the key's hash.
//
// It is JSON: the fingerprint of the input, the configuration without paths, the versions of the
// library, of FFmpeg and of the encoder, for an encoder in hardware its GPU and driver, and for AI
// the hash of the model and what runs it.
//
// Resuming depends on this alone: there is no list of finished work that could be wrong. A segment
// counts if its file is complete, its checksum is right and it carries the hash. Something that
// changes bytes but is missing from the key joins segments that do not belong together, which no
// later check can find; something in the key that changes nothing (a path, a number of threads)
// throws away finished work. What planning derives from the key need not be in it, if planning is
// deterministic: a damaged manifest is planned again and its segments still fit.

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

// Returns the network that was asked for, where planning has put another in its place, which is for
// clean sources; NULL: the job runs what was asked for.
const char *ksr_manifest_replaced(const struct ksr_manifest *manifest);

// Returns the network of chroma that the job runs, by name or file; NULL: none.
const char *ksr_manifest_chroma(const struct ksr_manifest *manifest);

// Returns the hash of the file of the model that the job runs; NULL without AI.
const char *ksr_manifest_model(const struct ksr_manifest *manifest);

// Opens the engine of a job with AI, as it was planned. options: where the runtime is; a device or
// threads named there must be those of the plan.
// Returns KSR_OK, KSR_E_MODEL, KSR_E_MISMATCH when a model, runtime, provider or threads are not
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
