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

char *text_path(char *path)
{
#ifdef _WIN32
    return ksr_posix_slashes(path);
#else
    return path;
#endif
}

struct range {
    uint32_t first, last;
};

// The larger blocks of Unicode whose characters are drawn over two columns: kana, kanji, hangul,
// full-width forms, pictographs.
static const struct range wide[] = {{0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},
                                    {0xa960, 0xa97f},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},
                                    {0xfe30, 0xfe6f},   {0xff01, 0xff60},   {0xffe0, 0xffe6},
                                    {0x1f300, 0x1f64f}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};

// Marks that are drawn on the character before them; file names from a Mac have the voiced sound
// marks of kana apart.
static const struct range joined[] = {
    {0x0300, 0x036f}, {0x200b, 0x200f}, {0x3099, 0x309a}, {0xfe00, 0xfe0f}};

static bool is_within(const struct range *ranges, size_t count, uint32_t character)
{
    for (size_t i = 0; i < count; i++)
        if (character >= ranges[i].first && character <= ranges[i].last)
            return true;
    return false;
}

static size_t character_columns(uint32_t character)
{
    if (is_within(joined, sizeof(joined) / sizeof(joined[0]), character))
        return 0;
    return is_within(wide, sizeof(wide) / sizeof(wide[0]), character) ? 2 : 1;
}

size_t text_columns(const char *text)
{
    size_t columns = 0;
    for (const unsigned char *c = (const unsigned char *)text; *c;) {
        uint32_t character = *c >= 0xf0 ? *c & 0x07 : *c >= 0xe0 ? *c & 0x0f : *c & 0x1f;
        if (*c < 0xc0) // ASCII; what is not UTF-8 takes a column
            character = *c;
        for (c++; (*c & 0xc0) == 0x80; c++)
            character = character << 6 | (*c & 0x3f);
        columns += character_columns(character);
    }
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
