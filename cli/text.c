// Text for people; see text.h.

#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *text_size(char out[TEXT_SHORT], int64_t bytes)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB"};
    if (bytes < 1024) {
        snprintf(out, TEXT_SHORT, "%lld byte%s", (long long)bytes, text_plural(bytes));
        return out;
    }
    double value = (double)bytes / 1024;
    size_t unit = 0;
    // 1023.95 would be shown as 1024.0.
    while (value >= 1023.95 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        value /= 1024;
        unit++;
    }
    snprintf(out, TEXT_SHORT, "%.1f %s", value, units[unit]);
    return out;
}

char *text_time(char out[TEXT_SHORT], int64_t seconds)
{
    const long long s = seconds < 0 ? 0 : seconds;
    if (s < 3600)
        snprintf(out, TEXT_SHORT, "%lld:%02lld", s / 60, s % 60);
    else
        snprintf(out, TEXT_SHORT, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
    return out;
}

const char *text_plural(int64_t n)
{
    return n == 1 ? "" : "s";
}

char *text_clean(char *text)
{
    for (unsigned char *c = (unsigned char *)text; *c; c++) {
        if (*c < 0x20 || *c == 0x7f)
            *c = '?';
        else if (*c == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0) // U+0080..U+009F in UTF-8
            c[0] = c[1] = '?';
    }
    return text;
}

size_t text_columns(const char *text)
{
    size_t columns = 0;
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        columns += (*c & 0xc0) != 0x80;
    return columns;
}

bool text_integer(const char *text, int low, int high, int *out)
{
    const bool negative = *text == '-';
    const char *c = text + negative;
    if (!*c)
        return false;
    long long value = 0;
    for (; *c; c++) {
        if (*c < '0' || *c > '9' || value > 0x7fffffff)
            return false;
        value = value * 10 + (*c - '0');
    }
    if (negative)
        value = -value;
    if (value < low || value > high)
        return false;
    *out = (int)value;
    return true;
}
