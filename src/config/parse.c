// Values that are written as text; see parse.h.

#include "config/parse.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "frame/grain.h"
#include "frame/kernel.h"
#include "frame/resample.h"

bool ksr_parse_bool(const char *text, bool *out)
{
    static const char *const words[] = {"false", "true", "no", "yes", "0", "1", "off", "on"};
    for (int i = 0; i < 8; i++)
        if (strcasecmp(text, words[i]) == 0) {
            *out = i % 2 == 1;
            return true;
        }
    return false;
}

// Reads digits, a sign and a point, whatever the locale says a decimal point is. One division of
// two exact numbers: the result is the double nearest to the text, as a JSON reader has it.
bool ksr_parse_number(const char *text, double *out)
{
    double digits = 0, place = 1;
    const char *c = text;
    const bool negative = *c == '-';
    int count = 0;
    if (*c == '-' || *c == '+')
        c++;
    for (; *c >= '0' && *c <= '9'; c++, count++)
        digits = digits * 10 + (*c - '0');
    if (*c == '.')
        for (c++; *c >= '0' && *c <= '9'; c++, count++, place *= 10)
            digits = digits * 10 + (*c - '0');
    *out = (negative ? -digits : digits) / place;
    return count > 0 && count < 16 && *c == 0;
}

// Reads whole digits up to `end`. Returns false when there are none or too many.
static bool parse_digits(const char **text, int64_t *out)
{
    int count = 0;
    for (*out = 0; **text >= '0' && **text <= '9'; ++*text, count++)
        if (count < 9)
            *out = *out * 10 + (**text - '0');
    return count > 0 && count <= 9;
}

bool ksr_parse_time(const char *text, int64_t *microseconds)
{
    int64_t seconds = 0, part;
    int parts = 0;
    do {
        if (!parse_digits(&text, &part) || (parts > 0 && part > 59))
            return false;
        seconds = seconds * 60 + part;
    } while (++parts < 3 && *text == ':' && text++);
    *microseconds = seconds * 1000000;
    if (*text == '.')
        for (int64_t place = 100000; *++text >= '0' && *text <= '9'; place /= 10)
            *microseconds += (*text - '0') * place;
    return *text == 0;
}

bool ksr_parse_rate(const char *text, struct ksr_rational *out)
{
    static const struct {
        const char *text;
        struct ksr_rational rate;
    } known[] = {{"23.976", {24000, 1001}}, {"29.97", {30000, 1001}}, {"59.94", {60000, 1001}}};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(text, known[i].text) == 0) {
            *out = known[i].rate;
            return true;
        }
    char *end;
    const long num = strtol(text, &end, 10);
    const long den = *end == '/' ? strtol(end + 1, &end, 10) : 1;
    *out = (struct ksr_rational){(int)num, (int)den};
    return *end == 0 && num > 0 && den > 0 && num <= 1000000 && den <= 1000000;
}

bool ksr_parse_bit_rate(const char *text, int64_t *out)
{
    int64_t value = 0, fraction = 0, place = 1;
    const char *c = text;
    for (; *c >= '0' && *c <= '9' && value < (INT64_C(1) << 40); c++)
        value = value * 10 + (*c - '0');
    if (c == text)
        return false;
    if (*c == '.')
        for (c++; *c >= '0' && *c <= '9' && place < 1000000; c++, place *= 10)
            fraction = fraction * 10 + (*c - '0');
    int64_t unit = 1;
    if (*c == 'k' || *c == 'K')
        unit = 1000;
    else if (*c == 'm' || *c == 'M')
        unit = 1000000;
    else if (*c == 'g' || *c == 'G')
        unit = 1000000000;
    if (unit > 1)
        c++;
    *out = value * unit + fraction * unit / place;
    return *c == 0 && *out >= 1000 && *out <= INT64_C(10000000000);
}

bool ksr_crop_parse(const char *text, int out[4])
{
    for (int i = 0; i < 4; i++) {
        char *end;
        if (*text < '0' || *text > '9')
            return false;
        const long value = strtol(text, &end, 10);
        if (end - text > 5 || *end != (i < 3 ? ':' : 0))
            return false;
        out[i] = (int)value;
        text = end + 1;
    }
    return out[0] > 0 && out[1] > 0;
}

static bool is_fit(const char *text)
{
    struct ksr_fit_box box;
    return ksr_fit_parse(text, &box);
}

static bool is_crop(const char *text)
{
    int crop[4];
    return ksr_crop_parse(text, crop);
}

static bool is_descale(const char *text)
{
    struct ksr_drawn_size size;
    return strcmp(text, "off") == 0 || strcmp(text, "auto") == 0 ||
           ksr_drawn_size_parse(text, &size);
}

static bool is_grain(const char *text)
{
    struct ksr_grain grain;
    enum ksr_grain_kind kind;
    return ksr_grain_parse(text, &kind, &grain);
}

static bool is_bit_rate(const char *text)
{
    int64_t rate;
    return ksr_parse_bit_rate(text, &rate);
}

static bool is_rate(const char *text)
{
    struct ksr_rational rate;
    return ksr_parse_rate(text, &rate);
}

static bool is_time(const char *text)
{
    int64_t time;
    return ksr_parse_time(text, &time);
}

bool ksr_parse_form(enum ksr_option_form form, const char *text)
{
    switch (form) {
    case KSR_FORM_FILLED: return *text != 0;
    case KSR_FORM_FIT: return is_fit(text);
    case KSR_FORM_CROP: return is_crop(text);
    case KSR_FORM_DESCALE: return is_descale(text);
    case KSR_FORM_GRAIN: return is_grain(text);
    case KSR_FORM_BIT_RATE: return is_bit_rate(text);
    case KSR_FORM_FRAME_RATE: return is_rate(text);
    case KSR_FORM_TIME: return is_time(text);
    case KSR_FORM_ANY: break;
    }
    return true;
}
