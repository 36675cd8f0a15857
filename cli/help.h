// The help texts.

#ifndef KSR_CLI_HELP_H
#define KSR_CLI_HELP_H

#include <stdbool.h>
#include <stdio.h>

#include "verbs.h"

// Prints how to call the program, in two lines.
void help_usage(FILE *out);

// Prints the verbs, the general options and the exit statuses.
void help_program(FILE *out);

// Prints what a verb does and its options. topic: NULL = the usual ones, within a screen of 24 rows
// and 80 columns; "all", or the name of a group, such as "encoder" = in full. Returns false for any
// other topic, having printed nothing.
bool help_verb(FILE *out, const struct verb *verb, const char *topic);

struct entry;

// Writes an option as it is called into `out`: "--crf N", "--use-ai[=BOOL]".
void help_label(char *out, size_t size, const struct entry *entry);

#endif
