// The table of sets of settings, which `make generate` makes from sources.toml: what
// ksr_config_source() sets.

#ifndef KSR_CONFIG_SOURCES_H
#define KSR_CONFIG_SOURCES_H

#include <stddef.h>

#define KSR_SOURCE_SETTINGS 12 // of one set, at most

struct ksr_source_setting {
    const char *name, *value; // as ksr_config_set() takes them
};

struct ksr_source {
    const char *name, *help;
    struct ksr_source_setting settings[KSR_SOURCE_SETTINGS + 1]; // the last one has no name
};

extern const struct ksr_source ksr_sources[];
extern const size_t ksr_source_count;

#endif
