// Values of the configuration that are written as text: numbers, times, rates, crops.

#ifndef KSR_CONFIG_PARSE_H
#define KSR_CONFIG_PARSE_H

#include <stdbool.h>
#include <stdint.h>

#include "config/table.h"
#include "core/rational.h"

// Reads true, false, yes, no, 1, 0, on or off. Returns false when it is none.
bool ksr_parse_bool(const char *text, bool *out);

// Reads a number with a point. Returns false when it is none.
bool ksr_parse_number(const char *text, double *out);

// Reads a time as people write it, such as "90", "1:30" or "0:01:30.250". Returns false when it is
// none.
bool ksr_parse_time(const char *text, int64_t *microseconds);

// Reads a frame rate: "24", "24000/1001", "23.976". Returns false when it is none.
bool ksr_parse_rate(const char *text, struct ksr_rational *out);

// Reads "5M", "800k", "1000000". Returns false when it is none of these.
bool ksr_parse_bit_rate(const char *text, int64_t *out);

// Reads a crop such as "704:480:8:0": width, height, x, y. Returns false when it is none.
bool ksr_crop_parse(const char *text, int out[4]);

// Returns whether a text has a form.
bool ksr_parse_form(enum ksr_option_form form, const char *text);

#endif
