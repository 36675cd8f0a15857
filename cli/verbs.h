// The verbs of the program: what each takes and who runs it.

#ifndef KSR_CLI_VERBS_H
#define KSR_CLI_VERBS_H

#include "options.h"
#include "ui.h"

// Bits, so that an option can name the verbs that take it.
enum {
    VERB_UPSCALE = 1,
    VERB_PLAN = 2,
    VERB_WORK = 4,
    VERB_JOIN = 8,
    VERB_PROBE = 16,
    VERB_VERIFY = 32,
    VERB_CONFIG = 64,
    VERB_BENCH = 128,
    VERB_BATCH = 256,
    VERB_REPORT = 512,
    VERB_PREVIEW = 1024,
    VERB_MODELS = 2048,
    VERB_DEVICES = 4096,
};

// Those that take the settings of a job, one option for every field of the configuration.
#define VERBS_THAT_COMPARE  (VERB_VERIFY | VERB_REPORT)
#define VERBS_WITH_SETTINGS (VERB_UPSCALE | VERB_PLAN | VERB_CONFIG | VERB_BATCH | VERB_PREVIEW)

enum { VERB_ARGUMENTS = 2 };

struct verb {
    const char *name;
    unsigned bit;
    const char *arguments[VERB_ARGUMENTS]; // names of the positional arguments; NULL = none
    bool many;                             // any number of the first argument, in `inputs`
    const char *summary;                   // one line for the list of verbs
    const char *description;               // opens the verb's own help
    const char *examples[2];
    // Prints the result and returns the exit status.
    int (*run)(ksr_context *ctx, struct ui *ui, const struct options *options);
};

// Returns all verbs; *count: how many.
const struct verb *verbs_all(size_t *count);

// Returns the verb of that name, or NULL.
const struct verb *verb_find(const char *name);

int run_upscale(ksr_context *ctx, struct ui *ui, const struct options *options);
int run_batch(ksr_context *ctx, struct ui *ui, const struct options *options);
int run_plan(ksr_context *ctx, struct ui *ui, const struct options *options);
int run_work(ksr_context *ctx, struct ui *ui, const struct options *options);
int run_join(ksr_context *ctx, struct ui *ui, const struct options *options);
int run_probe(ksr_context *ctx, struct ui *ui, const struct options *options);
int run_bench(ksr_context *ctx, struct ui *ui, const struct options *options);
int run_config(ksr_context *ctx, struct ui *ui, const struct options *options);
int run_report(ksr_context *ctx, struct ui *ui, const struct options *options);
int run_preview(ksr_context *ctx, struct ui *ui, const struct options *options);
int run_models(ksr_context *ctx, struct ui *ui, const struct options *options);
int run_devices(ksr_context *ctx, struct ui *ui, const struct options *options);
int run_verify(ksr_context *ctx, struct ui *ui, const struct options *options);

// Prints what upscale would do, instead of doing it.
int dry_run(ksr_context *ctx, struct ui *ui, const struct options *options);

// Prints the line that ends upscale and join. name: of the output; is made safe for the terminal.
void print_result(const char *name, const struct ksr_result *result);

#endif
