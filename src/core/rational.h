// Fractions: frame rates, time bases, shapes of pixels.

#ifndef KSR_CORE_RATIONAL_H
#define KSR_CORE_RATIONAL_H

#include <stdbool.h>
#include <stdint.h>

struct ksr_rational {
    int num, den;
};

// Returns whether two ratios are the same; those that are not positive stand for "not known".
static inline bool ksr_same_ratio(struct ksr_rational a, struct ksr_rational b)
{
    return (int64_t)a.num * b.den == (int64_t)b.num * a.den || (a.num <= 0 && b.num <= 0);
}

#endif
