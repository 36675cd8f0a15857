// The text of `grain`; see grain.h.

#include "frame/grain.h"

#include <stdio.h>
#include <string.h>

// Reads a number of at most two decimals as hundredths, up to `most`, and moves *text behind it.
static bool read_hundredths(const char **text, int most, int *out)
{
    const char *c = *text;
    int value = 0, decimals = 0;
    if (*c < '0' || *c > '9')
        return false;
    for (; *c >= '0' && *c <= '9' && value <= most; c++)
        value = 10 * value + (*c - '0');
    if (*c == '.' && c[1] >= '0' && c[1] <= '9')
        for (c++; *c >= '0' && *c <= '9' && decimals < 2; c++, decimals++)
            value = 10 * value + (*c - '0');
    for (; decimals < 2; decimals++)
        value *= 10;
    *text = c;
    *out = value;
    return value <= most;
}

static bool read_part(const char **text, char before, int most, int *out)
{
    return *(*text)++ == before && read_hundredths(text, most, out);
}

bool ksr_grain_parse(const char *text, enum ksr_grain_kind *kind, struct ksr_grain *out)
{
    *out = (struct ksr_grain){0};
    *kind = strcmp(text, "keep") == 0 ? KSR_GRAIN_KEEP : KSR_GRAIN_UNKNOWN;
    if (*kind == KSR_GRAIN_KEEP || strcmp(text, "remove") == 0)
        return true;
    if (!read_hundredths(&text, KSR_GRAIN_AMOUNT, &out->amount))
        return false;
    if (*text == 0)
        return true;
    *kind = KSR_GRAIN_MEASURED;
    for (int i = 0; i < KSR_GRAIN_BANDS; i++)
        if (!read_part(&text, i == 0 ? ':' : ',', KSR_GRAIN_STRONGEST, &out->luma[i]))
            return false;
    return read_part(&text, ':', KSR_GRAIN_ALIKE, &out->alike[0]) &&
           read_part(&text, ':', KSR_GRAIN_STRONGEST, &out->chroma) &&
           read_part(&text, ':', KSR_GRAIN_ALIKE, &out->alike[1]) && *text == 0;
}

bool ksr_grain_unknown(const char *text)
{
    struct ksr_grain grain;
    enum ksr_grain_kind kind;
    return ksr_grain_parse(text, &kind, &grain) && kind == KSR_GRAIN_UNKNOWN;
}

void ksr_grain_print(char out[KSR_GRAIN_TEXT], const struct ksr_grain *grain)
{
    int length = snprintf(out, KSR_GRAIN_TEXT, "%d.%02d", grain->amount / 100, grain->amount % 100);
    for (int i = 0; i < KSR_GRAIN_BANDS; i++)
        length += snprintf(out + length, (size_t)(KSR_GRAIN_TEXT - length), "%c%d.%02d",
                           i == 0 ? ':' : ',', grain->luma[i] / 100, grain->luma[i] % 100);
    const int rest[3] = {grain->alike[0], grain->chroma, grain->alike[1]};
    for (int i = 0; i < 3; i++)
        length += snprintf(out + length, (size_t)(KSR_GRAIN_TEXT - length), ":%d.%02d",
                           rest[i] / 100, rest[i] % 100);
}

int ksr_grain_strongest(const struct ksr_grain *grain)
{
    int most = 0;
    for (int i = 0; i < KSR_GRAIN_BANDS; i++)
        most = grain->luma[i] > most ? grain->luma[i] : most;
    return most;
}
