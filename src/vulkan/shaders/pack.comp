#version 460
// Working samples to code values: ksr_pack_rows() of frame/pack.c, for any format whose components are
// bytes or words.

#extension GL_GOOGLE_include_directive : require
#include "plane.glsl"

PARAMS(ksr_gpu_pack);

int bayer_rank(ivec2 at)
{
    int rank = 0;
    [[unroll]] for (int bit = 0; bit < 4; bit++) {
        rank = rank << 1 | (((at.x ^ at.y) >> bit) & 1);
        rank = rank << 1 | ((at.y >> bit) & 1);
    }
    return rank;
}

int scaled(int value, int offset)
{
    const int distance = value - p.zero;
    const int code = int((uint64_t(abs(distance)) * p.factor + (uint64_t(offset) << 25)) >> 32);
    return distance < 0 ? p.centre - code : p.centre + code;
}

// offset: in 1/128 of a code of 8 bits.
int shifted(int value, int offset)
{
    if (p.bits == 16)
        return value << 1;
    const int shift = 15 - p.bits;
    return (value + (p.bits == 8 ? offset : (1 << shift) >> 1)) >> shift;
}

void main()
{
    const ivec2 at = here();
    if (outside(p.src, at))
        return;
    const int value = load(p.src, at.x, at.y);
    const int offset = p.dither != 0 && p.bits == 8 ? bayer_rank(at) >> 1 : 64;
    const int code = clamp(p.factor != 0 ? scaled(value, offset) : shifted(value, offset), 0,
                           (1 << p.bits) - 1);
    const uint64_t to = uint64_t(p.dst) + int64_t(at.y) * p.stride + int64_t(at.x) * p.step;
    if (p.bits == 8)
        ksr_gpu_bytes(to).at[0] = uint8_t(code);
    else
        ksr_gpu_samples(to).at[0] = uint16_t(code << p.shift);
}
