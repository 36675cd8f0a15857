// Codes of languages: containers take the three letters of ISO 639-2/B (jpn), people also write the
// two of ISO 639-1 (ja), and BCP 47 adds a region or a script (pt-BR, zh-Hant).

#ifndef KSR_MEDIA_AV_LANGUAGE_H
#define KSR_MEDIA_AV_LANGUAGE_H

#include <stdbool.h>
#include <stddef.h>

#define KSR_LANGUAGE_TAG_SIZE 36 // with the 0 at its end

// Returns whether a text of this length has the form of a tag: two or three letters, then parts of
// up to eight letters and digits, each after a hyphen. text: ends with 0, there or later.
bool ksr_language_is_tag(const char *text, size_t length);

// out: the three letters of a tag's language; of three, those. Returns false where two letters are
// no language.
bool ksr_language_letters(const char *tag, char out[4]);

#endif
