#version 460
// Stage 1: stages/normalize.c.

#extension GL_GOOGLE_include_directive : require
#include "plane.glsl"

PARAMS(ksr_gpu_normalize);

void main()
{
    const ivec2 at = here();
    if (outside(p.dst, at))
        return;
    const int c = load(p.src, at.x, at.y);
    int sum = 8;
    [[unroll]] for (int dy = -1; dy <= 1; dy++)
        [[unroll]] for (int dx = -1; dx <= 1; dx++)
            sum += (dx == 0 || dy == 0 ? 2 : 1) *
                   soft(load(p.src, at.x + dx, at.y + dy) - c, p.limit);
    store(p.dst, at.x, at.y, c + (sum >> 4));
}
