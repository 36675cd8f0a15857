// The table of options, which `make generate` makes from options.toml: what ksr_config_fields()
// lists, and beside it what only the library needs to read and check a value.

#ifndef KSR_CONFIG_TABLE_H
#define KSR_CONFIG_TABLE_H

#include "kizunasr/config.h"

enum ksr_option_type {
    KSR_OPTION_BOOL,
    KSR_OPTION_INT,
    KSR_OPTION_NUMBER,
    KSR_OPTION_STRING,
    KSR_OPTION_CHOICE, // a string that is one of the field's choices
    KSR_OPTION_ENUM,   // an enumeration: an index into `names`
    KSR_OPTION_MAP,    // encoder_options
    KSR_OPTION_LINES,  // a string to which lines are added
};

// What the text of a KSR_OPTION_STRING has to be.
enum ksr_option_form {
    KSR_FORM_ANY,
    KSR_FORM_FILLED, // not empty
    KSR_FORM_FIT,
    KSR_FORM_CROP,
    KSR_FORM_DESCALE,
    KSR_FORM_GRAIN,
    KSR_FORM_BIT_RATE,
    KSR_FORM_FRAME_RATE,
    KSR_FORM_TIME,
};

struct ksr_option {
    const struct ksr_config_field *field;
    enum ksr_option_type type;
    enum ksr_option_form form;
    size_t offset;            // of its member in struct ksr_processor_config
    const char *const *names; // KSR_OPTION_ENUM: its values, ended by NULL
    bool is_switch;           // KSR_OPTION_ENUM: true and false stand for its values 1 and 0
    bool is_path;             // names files: no part of a job's key
    const char *neutral;      // of an option that restores: leaves frames alone; NULL: no such option
    const char *example;      // what values look like, for messages; NULL = as the field's range
};

// In the order of ksr_config_fields().
extern const struct ksr_option ksr_options[];
extern const size_t ksr_option_count;

#endif
