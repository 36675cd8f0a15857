// Likeness of words; see suggest.h.

#include "core/suggest.h"

#include <stdio.h>
#include <string.h>

// Longer words are never alike. No likeness of a misspelling reaches PART_OF_NAME.
enum { LONGEST = 63, PART_OF_NAME = 64 };

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

// The usual table of edit distances with swaps of neighbours; three rows of it are enough.
static size_t distance(const char *a, size_t rows, const char *b, size_t columns)
{
    size_t table[3][LONGEST + 1];
    for (size_t j = 0; j <= columns; j++)
        table[0][j] = j;
    for (size_t i = 1; i <= rows; i++) {
        size_t *row = table[i % 3];
        const size_t *above = table[(i - 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= columns; j++) {
            const size_t change = above[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = min_size(change, min_size(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = min_size(row[j], table[(i - 2) % 3][j - 2] + 1);
        }
    }
    return table[rows % 3][columns];
}

size_t ksr_word_likeness(const char *word, const char *candidate)
{
    const size_t length = strlen(word), other = strlen(candidate);
    if (length > LONGEST || other > LONGEST)
        return SIZE_MAX;
    const size_t found = distance(word, length, candidate, other);
    if (found <= (length + 1) / 3)
        return found;
    return length >= 3 && strstr(candidate, word) ? PART_OF_NAME + found : SIZE_MAX;
}

void ksr_guess_consider(struct ksr_guess *guess, const char *candidate)
{
    const size_t likeness = ksr_word_likeness(guess->word, candidate);
    if (likeness == SIZE_MAX || (guess->best && likeness >= guess->likeness))
        return;
    guess->best = candidate;
    guess->likeness = likeness;
}

const char *ksr_guess_text(const struct ksr_guess *guess, char out[KSR_GUESS_TEXT])
{
    out[0] = 0;
    if (guess->best)
        snprintf(out, KSR_GUESS_TEXT, " (did you mean %s?)", guess->best);
    return out;
}
