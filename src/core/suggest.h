// What a mistyped name was meant to be.
//
//     struct ksr_guess guess = {.word = typed};
//     for (...)
//         ksr_guess_consider(&guess, name);
//     ... ksr_guess_text(&guess, text) ...

#ifndef KSR_CORE_SUGGEST_H
#define KSR_CORE_SUGGEST_H

#include <stddef.h>
#include <stdint.h>

#include "kizunasr/common.h"

#define KSR_GUESS_TEXT 96

struct ksr_guess {
    const char *word; // as it was typed
    const char *best; // the closest candidate so far, borrowed; NULL = none is close
    size_t likeness;  // of `best`
};

// Keeps the candidate if it is closer than those before. Ties go to the earlier one.
void ksr_guess_consider(struct ksr_guess *guess, const char *candidate);

// Writes " (did you mean NAME?)" into `out`, or "" where nothing was close; returns it.
const char *ksr_guess_text(const struct ksr_guess *guess, char out[KSR_GUESS_TEXT]);

#endif
