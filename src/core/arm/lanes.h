// Vectors of eight 16-bit lanes, NEON; see core/lanes.h.

#ifndef KSR_CORE_ARM_LANES_H
#define KSR_CORE_ARM_LANES_H

#include <arm_neon.h>
#include <stdint.h>

#define LANES 8
typedef int16x8_t lanes;
typedef uint16x8_t lane_mask; // all bits of a lane, or none

static inline lanes lanes_load(const void *from)
{
    return vld1q_s16(from);
}

static inline void lanes_store(void *to, lanes v)
{
    vst1q_s16(to, v);
}

static inline lane_mask lanes_less(lanes a, lanes b)
{
    return vcltq_s16(a, b);
}

static inline lane_mask lanes_load_mask(const int16_t *from)
{
    return vreinterpretq_u16_s16(lanes_load(from));
}

static inline int lanes_any(lanes v)
{
    return vmaxvq_u16(vreinterpretq_u16_s16(v)) != 0;
}

static inline lanes lanes_pick(lane_mask mask, lanes a, lanes b)
{
    return vbslq_s16(mask, b, a);
}

static inline lanes lanes_negate(lane_mask mask, lanes v)
{
    const lanes m = vreinterpretq_s16_u16(mask);
    return vsubq_s16(veorq_s16(v, m), m);
}

static inline lanes lanes_or(lanes a, lanes b)
{
    return vorrq_s16(a, b);
}

static inline lanes lanes_xor(lanes a, lanes b)
{
    return veorq_s16(a, b);
}

static inline void lanes_store_interleaved(void *to, lanes a, lanes b)
{
    vst2q_s16(to, ((int16x8x2_t){{a, b}}));
}

static inline lanes lanes_set(int v)
{
    return vdupq_n_s16((int16_t)v);
}

static inline lanes lanes_add(lanes a, lanes b)
{
    return vaddq_s16(a, b);
}

static inline lanes lanes_sub(lanes a, lanes b)
{
    return vsubq_s16(a, b);
}

static inline lanes lanes_add_limited(lanes a, lanes b)
{
    return vqaddq_s16(a, b);
}

static inline lanes lanes_sub_limited(lanes a, lanes b)
{
    return vqsubq_s16(a, b);
}

static inline lanes lanes_min(lanes a, lanes b)
{
    return vminq_s16(a, b);
}

static inline lanes lanes_max(lanes a, lanes b)
{
    return vmaxq_s16(a, b);
}

static inline lanes lanes_size(lanes v)
{
    return vabsq_s16(v);
}

// bits: a constant.
#define lanes_shift(v, bits) vshrq_n_s16(v, bits)

static inline lanes lanes_scale(lanes a, lanes b)
{
    return vqrdmulhq_s16(a, b);
}

// The sum could leave 16 bits; halving it does not.
static inline lanes lanes_mean(lanes a, lanes b)
{
    return vhaddq_s16(a, b);
}

#endif
