// The manifest: everything that plan decided, so that workers and join anywhere do the same.
//
// It is a function of the input's content, the configuration and the versions, which together are
// the job's key. Paths are kept beside the key. The file is JSON: manifest.json in the work folder;
// its first member is a checksum of the bytes of all the others.

#ifndef KSR_JOB_MANIFEST_H
#define KSR_JOB_MANIFEST_H

#include <jansson.h>

#include "core/fs.h"
#include "kizunasr/job.h"
#include "media/av/film.h"
#include "media/encode/encoder.h"
#include "media/mux/output.h"
#include "net/engine.h"

// A run of frames that one worker decodes, processes and encodes.
struct ksr_segment_plan {
    size_t first, count;      // frames of the film
    struct ksr_film_key from; // where decoding begins: clean at `first` less the warm-up
    int64_t bit_rate;         // to be met by this segment, bits per second; 0 = the encoder's own
};

// Numbers of the configuration that planning may settle; their names there.
enum ksr_measured {
    KSR_MEASURED_DENOISE,
    KSR_MEASURED_DEBLOCK,
    KSR_MEASURED_DEHALO,
    KSR_MEASURED_COMPOSITE,
    KSR_MEASURED_COUNT,
};
extern const char *const ksr_measured_names[KSR_MEASURED_COUNT];

struct ksr_manifest {
    json_t *key; // {"input", "config", "versions"}, with AI "model": its file's hash, "variants":
                 // how many it has, if that is a choice, "clean": the hash of the network that a
                 // clean source gets, if there is one, and with ONNX Runtime "engine": {"runtime",
                 // "provider", "threads", "white"}
    char id[KSR_HASH_TEXT]; // hash of the key: the job's name in segments
    struct ksr_fingerprint input;
    char *input_path, *output_path; // absolute
    ksr_config *config;             // resolved, paths included
    struct ksr_film film;           // frames, no keys
    struct ksr_encoder_settings encoder;
    struct ksr_output_plan output;
    struct ksr_segment_plan *segments;
    int segment_count;
    // Of those numbers that were measured; else "".
    char reasons[KSR_MEASURED_COUNT][48];
    json_t *curve;                // of the search for the drawing; NULL: there was none
    struct ksr_warnings warnings; // what planning said: losses, repairs
};

// Frees everything; leaves *manifest all zero. Accepts an all-zero manifest.
void ksr_manifest_free(struct ksr_manifest *manifest);

// Checks that the input is still the one that was planned. whole: reads all of it, which is done
// anyway when its date is another; else its size and ends.
// Returns KSR_OK, KSR_E_MISMATCH, KSR_E_INPUT (both logged), KSR_E_CANCELLED, KSR_E_NOMEM.
ksr_status ksr_manifest_check_input(ksr_context *ctx, const struct ksr_manifest *manifest,
                                    bool whole);

// Returns the encoder's settings with everything that is pinned, as JSON; NULL = out of memory.
json_t *ksr_manifest_encoder(const struct ksr_encoder_settings *encoder);

// Returns texts as a JSON list; NULL = out of memory.
json_t *ksr_manifest_texts(const struct ksr_warnings *warnings);

// Writes manifest.json into a folder, whole or not at all.
ksr_status ksr_manifest_save(ksr_context *ctx, const struct ksr_manifest *manifest,
                             const char *folder);

// Reads manifest.json. The file is not trusted: everything in it is checked.
// Returns KSR_OK, KSR_E_INPUT (there is none; not logged), KSR_E_MISMATCH (it is damaged, or of
// another version; not logged), KSR_E_NOMEM.
ksr_status ksr_manifest_load(ksr_context *ctx, const char *folder, struct ksr_manifest *out);

// The same for the contents of manifest.json in memory. Returns KSR_OK, KSR_E_MISMATCH,
// KSR_E_NOMEM; not logged.
ksr_status ksr_manifest_parse(const char *text, size_t size, struct ksr_manifest *out);

#endif
