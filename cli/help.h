// The help texts.

#ifndef KSR_CLI_HELP_H
#define KSR_CLI_HELP_H

#include <stdio.h>

#include "verbs.h"

// Prints how to call the program, in two lines.
void help_usage(FILE *out);

// Prints the verbs, the general options and the exit statuses.
void help_program(FILE *out);

// Prints what a verb does and all its options, within 80 columns.
void help_verb(FILE *out, const struct verb *verb);

#endif
