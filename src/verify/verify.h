// Verifying an output: everything that ksr_verify() finds, before it becomes text. The report needs
// the same.
//
// The folder verify:
//   takes        an output, its input, and the record of its run
//   gives        what should be in it, the checks on that, the report
//   may include  job and below

#ifndef KSR_VERIFY_VERIFY_H
#define KSR_VERIFY_VERIFY_H

#include "check/check.h"
#include "check/metrics.h"
#include "verify/expected.h"

struct ksr_verification {
    struct ksr_expected expected;
    struct ksr_film output;
    struct ksr_pictures picture; // no frames where it could not be compared
    struct ksr_checks checks;
};

// options: NULL = defaults. Free *out with ksr_verification_free(), also after a failure.
// Returns KSR_OK with the outcome in out->checks, or why it could not be found out.
ksr_status ksr_verification_run(ksr_context *ctx, const char *input_path, const char *output_path,
                                const struct ksr_verify_options *options,
                                struct ksr_verification *out);
void ksr_verification_free(struct ksr_verification *v);

// Returns what ksr_verify() hands out (a new reference), NULL = out of memory. frames: with the
// measures of every frame.
json_t *ksr_verification_to_json(const struct ksr_verification *v, bool frames);

#endif
