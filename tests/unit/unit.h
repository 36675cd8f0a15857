// What the unit tests share: random numbers from a seed, planes to fill and to compare.

#ifndef KSR_TESTS_UNIT_H
#define KSR_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "frame/frame.h"

// Returns the next number of a xorshift sequence; *state must not be 0.
static inline uint32_t unit_random(uint32_t *state)
{
    uint32_t x = *state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return *state = x;
}

// Returns a layout; chroma is subsampled by 1 << shift on both axes.
static inline struct ksr_layout unit_layout(int width, int height, int planes, int shift)
{
    return (struct ksr_layout){.width = width,
                               .height = height,
                               .planes = planes,
                               .chroma_shift_x = shift,
                               .chroma_shift_y = shift,
                               .siting_x = KSR_SITING_COSITED,
                               .siting_y = KSR_SITING_CENTRED};
}

static inline struct ksr_frame unit_frame(struct ksr_layout layout)
{
    struct ksr_frame frame;
    assert_true(ksr_frame_alloc(&frame, &layout));
    return frame;
}

// A frame of one plane.
static inline struct ksr_frame unit_grey(int width, int height)
{
    return unit_frame(unit_layout(width, height, 1, 0));
}

static inline uint16_t *unit_at(const struct ksr_plane *plane, int x, int y)
{
    return plane->data + y * plane->stride + x;
}

// Fills whole rows, with what lies behind their last sample.
static inline void unit_fill(const struct ksr_plane *plane, uint16_t value)
{
    for (int y = 0; y < plane->height; y++)
        for (int x = 0; x < plane->stride; x++)
            *unit_at(plane, x, y) = value;
}

// Random samples: of the whole range, or with `extreme` only the two ends and the middle.
static inline void unit_fill_random(const struct ksr_plane *plane, uint32_t *state, bool extreme)
{
    static const uint16_t ends[4] = {0, KSR_SAMPLE_MAX, KSR_CHROMA_ZERO, KSR_SAMPLE_MAX};
    for (int y = 0; y < plane->height; y++)
        for (int x = 0; x < plane->width; x++) {
            const uint32_t r = unit_random(state);
            *unit_at(plane, x, y) = extreme ? ends[r >> 13 & 3] : (uint16_t)(r >> 9 & 32767);
        }
}

// base + dx * x + dy * y, cut to the range.
static inline void unit_fill_ramp(const struct ksr_plane *plane, int base, int dx, int dy)
{
    for (int y = 0; y < plane->height; y++)
        for (int x = 0; x < plane->width; x++) {
            const int v = base + dx * x + dy * y;
            *unit_at(plane, x, y) = (uint16_t)(v < 0 ? 0 : v > 32767 ? 32767 : v);
        }
}

static inline void unit_copy(const struct ksr_plane *dst, const struct ksr_plane *src)
{
    for (int y = 0; y < src->height; y++)
        memcpy(unit_at(dst, 0, y), unit_at(src, 0, y), (size_t)src->width * sizeof(uint16_t));
}

// Fails at the first sample that differs, and says where.
static inline void unit_assert_equal(const struct ksr_plane *a, const struct ksr_plane *b)
{
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    for (int y = 0; y < a->height; y++)
        for (int x = 0; x < a->width; x++)
            if (*unit_at(a, x, y) != *unit_at(b, x, y))
                fail_msg("sample (%d, %d) of %dx%d is %d, not %d", x, y, a->width, a->height,
                         *unit_at(a, x, y), *unit_at(b, x, y));
}

static inline void unit_assert_flat(const struct ksr_plane *plane, int value)
{
    for (int y = 0; y < plane->height; y++)
        for (int x = 0; x < plane->width; x++)
            if (*unit_at(plane, x, y) != value)
                fail_msg("sample (%d, %d) of %dx%d is %d, not %d", x, y, plane->width,
                         plane->height, *unit_at(plane, x, y), value);
}

#endif
