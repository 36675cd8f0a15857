// The command line of a verb, read into one struct.
//
// Options come from two places: the table in option_table.c (how to run, how to report) and the
// fields of the configuration, which the library lists and checks itself (ksr_config_fields()).

#ifndef KSR_CLI_OPTIONS_H
#define KSR_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "kizunasr/kizunasr.h"
#include "ui.h"

struct verb;
struct setting;

struct options {
    const char *arguments[2]; // positional ones, as many as the verb names; borrowed from argv
    const char **inputs;      // owned list, of a verb that takes many; strings borrowed from argv
    size_t input_count;
    const char *output_dir, *list, *name; // of batch; NULL = not given
    bool recursive;
    struct ksr_run_options run;       // strings borrowed from argv
    struct ksr_verify_options verify; // strings borrowed from argv
    struct ksr_report_options report; // lists owned: --frame, --at
    const char *output;               // of report and preview; NULL = not given
    int samples;                      // of preview; 0 = not given
    const char *source;               // --source; NULL = not given
    struct setting *settings;         // owned: what of the configuration was given, in order
    size_t setting_count;
    ksr_config *config;               // owned; NULL for verbs that take no configuration
    struct ksr_processor_config job;  // what config and arguments say together; borrows from both
    int *segments;                    // owned; --segment
    size_t segment_count;
    bool json;
    bool picture;
    bool dry_run;
    const char *size;       // of the picture that bench makes; NULL = not given
    int milliseconds;       // that bench takes for each figure; 0 = not given
    int measure;            // of models: enum measure
    bool schema;            // of settings files, instead of settings
    int progress;           // enum progress_mode
    int log_level;          // ksr_log_level
    const char *cpu;        // NULL = not given
    char *subs;             // what verify.sub is
    bool help;              // --help was given; nothing else is filled
    const char *help_topic; // of --help=TOPIC; NULL = none
};

// When `models` measures speeds: on a terminal, or as --measure says.
enum measure { MEASURE_AUTO, MEASURE_YES, MEASURE_NO };

// The groups of the help text, in order.
enum option_group {
    GROUP_MAIN,
    GROUP_VIDEO,
    GROUP_ENCODER,
    GROUP_AUDIO,
    GROUP_RUNNING,
    GROUP_COUNT,
};

enum option_kind {
    OPTION_FLAG,    // a bool of struct options; takes no value
    OPTION_INTEGER, // an int of struct options, low..high
    OPTION_SIZE,    // an int64_t: bytes, as 500M or 64G
    OPTION_CHOICE,  // an int: the place of the value in `value`, a list "a|b|c"
    OPTION_MODE,    // the same, counted from 1, which is also what no value means
    OPTION_TEXT,    // a string
    OPTION_SUB,     // added to verify.sub
    OPTION_SEGMENT, // added to `segments`
    OPTION_FRAME,   // added to report.frames
    OPTION_AT,      // added to report.times
    OPTION_CONFIG,  // --config
    OPTION_FIELD,   // another name for configuration fields
};

struct option {
    const char *name;  // without dashes
    const char *value; // what the help calls its value; NULL = takes none
    enum option_kind kind;
    enum option_group group;
    unsigned verbs;        // VERB_ bits
    size_t offset;         // of the member of struct options
    int low, high;         // OPTION_INTEGER
    const char *fields[2]; // OPTION_FIELD: names of configuration fields
    const char *help;
    const char *brief; // help for the short list, at most 47 columns; NULL = `help` fits
    bool common;       // stands in the short list
};

// Returns the table; *count: how many.
const struct option *options_table(size_t *count);

// Returns whether a field may stand on a command line (the paths are arguments instead).
bool field_is_option(const struct ksr_config_field *field);

// Returns whether a field is a switch that is off by default: it may be given without a value.
bool field_is_switch(const struct ksr_config_field *field);

// Returns the field of that name in the library's spelling, or NULL.
const struct ksr_config_field *field_find(const char *name);

// Writes a field's name with dashes into `out`.
void field_option_name(char *out, size_t size, const struct ksr_config_field *field);

// Reads the arguments after the verb. Sets up `ui` (log level, progress) before the configuration
// is read, which may log. *options is filled in every case and wants options_free().
// Returns EXIT_DONE, or another exit status after showing an error line.
int options_read(struct options *options, ksr_context *ctx, struct ui *ui, const struct verb *verb,
                 int argc, char **argv);

// With --source auto, looks at an input and makes the configuration for its kind of source; *out is
// to be destroyed, and stays NULL without that option. options_read() has done it for verbs of one
// input.
ksr_status options_look(const struct options *options, ksr_context *ctx, struct ui *ui,
                        const char *input, ksr_config **out);

// Frees what options_read() made.
void options_free(struct options *options);

#endif
