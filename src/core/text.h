// Text that may not be UTF-8, such as names of files, as UTF-8.
//
// A byte that is no part of UTF-8 becomes the character U+EF00 plus the byte (U+EF80 to U+EFFF, of
// the area for private use); a name that has such characters has their bytes written so. So every
// name can be told from every other, and comes back.

#ifndef KSR_CORE_TEXT_H
#define KSR_CORE_TEXT_H

#include <stdbool.h>

// Returns whether all of a text is UTF-8.
bool ksr_text_is_utf8(const char *text);

// Undoes ksr_text_to_utf8(). Returns NULL when out of memory; free with free().
char *ksr_text_from_utf8(const char *text);

#endif
