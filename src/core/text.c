// Text that may not be UTF-8; see text.h.

#include "core/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kizunasr/common.h"

#define STAND_IN 0xEF00 // plus a byte

// Returns how many bytes make a character of UTF-8 here, 0 if they make none. *code: which.
static size_t character(const unsigned char *c, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const size_t n = c[0] < 0x80       ? 1
                     : c[0] >> 5 == 6  ? 2
                     : c[0] >> 4 == 14 ? 3
                     : c[0] >> 3 == 30 ? 4
                                       : 0;
    *code = n == 1 ? c[0] : n > 0 ? c[0] & (0xffu >> (n + 1)) : 0;
    for (size_t i = 1; i < n; i++) {
        if (c[i] >> 6 != 2)
            return 0;
        *code = *code << 6 | (c[i] & 63);
    }
    const bool surrogate = *code >= 0xD800 && *code < 0xE000;
    return n == 0 || *code < least[n] || *code > 0x10FFFF || surrogate ? 0 : n;
}

bool ksr_text_is_utf8(const char *text)
{
    const unsigned char *c = (const unsigned char *)text;
    uint32_t code;
    for (size_t n; *c; c += n) {
        n = character(c, &code);
        if (n == 0)
            return false;
    }
    return true;
}

static bool stands_in(uint32_t code)
{
    return code >= STAND_IN + 0x80 && code <= STAND_IN + 0xFF;
}

char *ksr_text_to_utf8(const char *text)
{
    const unsigned char *in = (const unsigned char *)text;
    char *whole = malloc(3 * strlen(text) + 1), *out = whole;
    uint32_t code;
    while (whole && *in) {
        const size_t n = character(in, &code);
        if (n > 0 && !stands_in(code)) {
            memcpy(out, in, n);
            out += n;
            in += n;
            continue;
        }
        *out++ = (char)0xEE;
        *out++ = (char)(0xBC | (*in >> 6));
        *out++ = (char)(0x80 | (*in++ & 63));
    }
    if (whole)
        *out = 0;
    return whole;
}

char *ksr_text_from_utf8(const char *text)
{
    const unsigned char *in = (const unsigned char *)text;
    char *whole = malloc(strlen(text) + 1), *out = whole;
    uint32_t code;
    while (whole && *in) {
        const size_t n = character(in, &code);
        if (n > 0 && stands_in(code)) {
            *out++ = (char)(code - STAND_IN);
            in += n;
        } else {
            *out++ = (char)*in++;
        }
    }
    if (whole)
        *out = 0;
    return whole;
}
