// Numbers of 16 bits (IEEE binary16), which some models take and give.

#ifndef KSR_NET_HALF_H
#define KSR_NET_HALF_H

#include <stdint.h>
#include <string.h>

// Rounds to the nearest, ties to even; too large becomes infinite.
static inline uint16_t ksr_half_from_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    const uint32_t sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000)
        return (uint16_t)(sign | 0x7e00); // not a number
    if (magnitude >= 0x477ff000)
        return (uint16_t)(sign | 0x7c00);
    if (magnitude < 0x33000001) // below half of the smallest
        return (uint16_t)sign;
    const int exponent = (int)(magnitude >> 23);
    // 113 is the exponent of the smallest normal number; below it, more bits are dropped.
    const uint32_t mantissa = exponent < 113 ? (magnitude & 0x7fffff) | 0x800000 : magnitude;
    const int drop = exponent < 113 ? 126 - exponent : 13;
    const uint32_t kept = exponent < 113 ? mantissa >> drop : (mantissa - 0x38000000) >> drop;
    const uint32_t rest = mantissa & ((1u << drop) - 1), tie = 1u << (drop - 1);
    return (uint16_t)(sign | (kept + (rest > tie || (rest == tie && (kept & 1)))));
}

static inline float ksr_half_to_float(uint16_t half)
{
    const uint32_t sign = (uint32_t)(half & 0x8000) << 16, magnitude = half & 0x7fff;
    uint32_t bits = (magnitude << 13) + 0x38000000;
    if (magnitude >= 0x7c00)
        bits = (magnitude << 13) + 0x70000000; // infinite, or not a number
    float value;
    if (magnitude < 0x400) {
        value = (float)magnitude / 16777216.0f;
        memcpy(&bits, &value, sizeof(bits));
    }
    bits |= sign;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

#endif
