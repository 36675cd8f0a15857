#version 460
// Deblocking: stages/deblock.c.

#extension GL_GOOGLE_include_directive : require
#include "plane.glsl"

PARAMS(ksr_gpu_deblock);

const int BLOCK = 8;

// What the border near a sample at `place` of its block changes, along direction d.
int change(ivec2 at, ivec2 d, int place)
{
    if (place >= 2 && place < BLOCK - 2)
        return 0;
    const ivec2 q = at + d * (place < 2 ? -place : BLOCK - place);
    const int p1 = load(p.src, q.x - 2 * d.x, q.y - 2 * d.y), p0 = load(p.src, q.x - d.x, q.y - d.y);
    const int q0 = load(p.src, q.x, q.y), q1 = load(p.src, q.x + d.x, q.y + d.y);
    const int twice = 3 * (q0 - p0) - (q1 - p1), size = min(abs(twice) >> 1, abs(q0 - p0));
    const int n = max(min(size, 2 * p.limit - size) - max(abs(p0 - p1), abs(q1 - q0)), 0);
    const int change = ((place == 0 || place == BLOCK - 1 ? 7 : 3) * n + 8) >> 4;
    return n == 0 ? 0 : (twice < 0) == (place < 2) ? change : -change;
}

void main()
{
    const ivec2 at = here();
    if (outside(p.dst, at))
        return;
    const int sum = change(at, ivec2(1, 0), (at.x + p.x) & (BLOCK - 1)) +
                    change(at, ivec2(0, 1), (at.y + p.y) & (BLOCK - 1));
    store(p.dst, at.x, at.y, clamp(load(p.src, at.x, at.y) + sum, 0, SAMPLE_MAX));
}
