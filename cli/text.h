// Text for people: sizes, times, safe strings, likeness of words. Independent of the locale.

#ifndef KSR_CLI_TEXT_H
#define KSR_CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Enough for every text_size(), text_time() result.
#define TEXT_SHORT 32

// Writes bytes as "812 bytes", "3.1 MiB" and the like into `out`, and returns it.
char *text_size(char out[TEXT_SHORT], int64_t bytes);

// Writes whole seconds as "0:17", "12:05" or "1:02:05" into `out`, and returns it.
char *text_time(char out[TEXT_SHORT], int64_t seconds);

// Returns "" for 1 and "s" for every other number.
const char *text_plural(int64_t n);

// Replaces control characters by '?', in place, so that a title or a file name cannot steer the
// terminal; UTF-8 stays as it is. Returns `text`.
char *text_clean(char *text);

// Makes '/' of every '\\' in a path where both separate folders, in place. Returns `path`.
char *text_path(char *path);

// Returns the columns that UTF-8 text takes on a terminal: two for kana, kanji and the like.
size_t text_columns(const char *text);

// Reads a whole decimal number within low..high. Returns false, leaving *out alone, for anything
// else (blanks, signs other than a leading '-', overflow).
bool text_integer(const char *text, int low, int high, int *out);

#endif
