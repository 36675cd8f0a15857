// Image sequences: one path with a number in its name, such as in%05d.png, stands for many files.

#ifndef KSR_CORE_IMAGE_SEQUENCE_H
#define KSR_CORE_IMAGE_SEQUENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/log.h"

// Returns whether a path stands for a sequence: %d or %0Nd once in its last part, and no file of
// that very name.
bool ksr_sequence_is(const char *path);

// Returns the name of file `number`, free with free(); NULL when out of memory.
char *ksr_sequence_name(const char *pattern, int number);

// Returns the pattern of temporary names beside the sequence, free with free(); NULL when out of
// memory.
char *ksr_sequence_part(const char *pattern);

// Finds the files that are there. *count: 0 if there are none.
// Returns KSR_OK, KSR_E_INPUT (a number between the first and the last is missing; logged),
// KSR_E_NOMEM.
ksr_status ksr_sequence_scan(ksr_context *ctx, const char *pattern, int *first, int *count);

// Whether the file, or any file of the sequence, is there; how many bytes they have, or -1.
bool ksr_sequence_exists(const char *path);
int64_t ksr_sequence_size(const char *path);

#endif
