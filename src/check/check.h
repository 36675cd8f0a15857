// Checks of an output against what it should be: in quick form after every join, in full by verify.
//
// The folder check:
//   takes        an output and the film that it is made of
//   gives        a list of checks, passed or failed, and measured values
//   may include  media/mapping and below

#ifndef KSR_CHECK_CHECK_H
#define KSR_CHECK_CHECK_H

#include <jansson.h>
#include <stdbool.h>

#include "core/attributes.h"
#include "media/av/film.h"
#include "media/compare/inspect.h"
#include "media/mux/output.h"

// A list of named checks with their outcome in plain words.
struct ksr_check {
    char name[64];
    char detail[256];
    bool passed;
};

struct ksr_checks {
    struct ksr_check *list;
    size_t count, capacity;
};

void ksr_checks_free(struct ksr_checks *checks);

// Returns the detail of the first check that failed, NULL if all passed.
const char *ksr_checks_first_failure(const struct ksr_checks *checks);

// Adds one check with its outcome in plain words.
ksr_status ksr_checks_add(ksr_context *ctx, struct ksr_checks *checks, bool passed,
                          const char *name, const char *format, ...) KSR_PRINTF(5, 6);

// Returns {"passed", "checks": [...]}, NULL = out of memory.
json_t *ksr_checks_to_json(const struct ksr_checks *checks);

enum ksr_decode { KSR_DECODE_SOME, KSR_DECODE_ALL };

// Reads the index of an output. *output: free with ksr_film_free(), whatever is returned. *raw:
// whether the file has no timestamps. Returns KSR_OK, with a failed check where it cannot be read,
// or the failure of the checking itself.
ksr_status ksr_check_readable(ksr_context *ctx, struct ksr_checks *checks, const char *output_path,
                              struct ksr_film *output, bool *raw);

// Frame count, every timestamp, that no frames are squeezed together, and that frames decode. kept:
// frames of the film that the output should have, in order (NULL: all). *shift_ms: how much later
// everything is in the output.
// Returns KSR_OK with the outcome in checks, or the failure of the checking itself.
ksr_status ksr_check_film(ksr_context *ctx, struct ksr_checks *checks, const char *input_path,
                          const struct ksr_film *film, const size_t *kept, size_t kept_count,
                          const struct ksr_made *made, enum ksr_decode decode, double *shift_ms);

// Every other stream: there, copied packet for packet, or encoded anew in time.
// carry: what was meant per stream of the input; NULL = judge by what is there, and by the choice
// of tracks. decode: whether
// sound that was encoded anew is decoded and compared.
struct ksr_choice;
ksr_status ksr_check_streams(ksr_context *ctx, struct ksr_checks *checks, const char *input_path,
                             const struct ksr_film *film, const struct ksr_made *output,
                             double shift_ms, const enum ksr_carry *carry,
                             const struct ksr_choice *choice, enum ksr_decode decode);

#endif
