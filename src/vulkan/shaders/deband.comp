#version 460
// Debanding: stages/deband.c.

#extension GL_GOOGLE_include_directive : require
#include "plane.glsl"

PARAMS(ksr_gpu_deband);

const int NEAR = 3, RINGS = 6;

// Of each ring, a sample; of as many that count, the factor.
const ivec2 RING[RINGS] = {ivec2(3, 0),  ivec2(4, 6),   ivec2(9, 4),
                           ivec2(3, 13), ivec2(12, 11), ivec2(20, 3)};
const int FACTOR[RINGS] = {16384, 8192, 5461, 4096, 3277, 2731};

// Whether the samples around differ from c by at most the limit.
bool is_flat(ivec2 at, int c)
{
    for (int dy = -NEAR; dy <= NEAR; dy++) {
        int most = 0;
        [[unroll]] for (int dx = -NEAR; dx <= NEAR; dx++)
            most = max(most, abs(load(p.src, at.x + dx, at.y + dy) - c));
        if (most > p.limit)
            return false;
    }
    return true;
}

bool is_ridge(ivec2 at, ivec2 d, int c)
{
    const int a = load(p.src, at.x + d.x, at.y + d.y) - c;
    const int b = load(p.src, at.x - d.x, at.y - d.y) - c;
    const int depth = p.limit / 4;
    return min(a, b) > depth || max(a, b) < -depth;
}

bool is_any_ridge(ivec2 at, int c)
{
    for (int d = 1; d <= 2; d++)
        if (is_ridge(at, ivec2(d, 0), c) || is_ridge(at, ivec2(0, d), c) ||
            is_ridge(at, ivec2(d, d), c) || is_ridge(at, ivec2(d, -d), c))
            return true;
    return false;
}

// Adds the differences of two opposite samples to `sum`. Returns whether they are flat.
bool add_pair(ivec2 at, ivec2 d, int c, inout int sum)
{
    const int a = load(p.src, at.x + d.x, at.y + d.y) - c;
    const int b = load(p.src, at.x - d.x, at.y - d.y) - c;
    sum += a + b;
    return max(max(abs(a), abs(b)), abs(a + b)) <= p.limit;
}

void main()
{
    const ivec2 at = here();
    if (outside(p.dst, at))
        return;
    const int c = load(p.src, at.x, at.y);
    int sum = 0, factor = 0;
    if (is_flat(at, c) && !is_any_ridge(at, c))
        for (int k = 0; k < RINGS; k++) {
            const ivec2 d = RING[k];
            int more = 0;
            if (!add_pair(at, d, c, more) || !add_pair(at, ivec2(-d.y, d.x), c, more))
                break;
            sum += more;
            factor = FACTOR[k];
        }
    store(p.dst, at.x, at.y, c + ((sum * factor + 32768) >> 16));
}
