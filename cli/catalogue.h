// Every option of a verb as people see it: what help texts, man pages and completions are made of.
//
// Names, ranges and defaults of settings come from the library, so a new field is in all of them as
// soon as it exists.

#ifndef KSR_CLI_CATALOGUE_H
#define KSR_CLI_CATALOGUE_H

#include "options.h"
#include "verbs.h"

enum { ENTRY_NAME = 64, ENTRY_TEXT = 512, ENTRIES_MAX = 128 };

struct entry {
    char name[ENTRY_NAME];  // without dashes
    char value[ENTRY_NAME]; // what its value is called; "" = takes none
    bool attached;          // a switch: the value is optional, and comes with '='
    bool common;            // stands in the short help
    enum option_group group;
    char help[ENTRY_TEXT];    // what it does
    char brief[ENTRY_NAME];   // the same for the short help; "" = `help` fits
    char limits[ENTRY_TEXT];  // "0 to 63; default 18"; "" = none
    char choices[ENTRY_TEXT]; // values to offer: "a|b|c"; "" = any
};

// Writes the options of a verb, ordered by group, into `out` (ENTRIES_MAX). Returns how many.
size_t catalogue_of(const struct verb *verb, struct entry *out);

// Returns the title of a group, such as "Video".
const char *catalogue_group(enum option_group group);

#endif
