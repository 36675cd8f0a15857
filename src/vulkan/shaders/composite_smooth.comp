#version 460
// Luma without what is left of a subcarrier: ksr_composite_smooth_rows().

#extension GL_GOOGLE_include_directive : require
#include "plane.glsl"

PARAMS(ksr_gpu_composite_smooth);

void main()
{
    const ivec2 at = here();
    if (outside(p.dst, at))
        return;
    int sum = 8;
    [[unroll]] for (int y = -1; y <= 2; y++)
        [[unroll]] for (int x = -1; x <= 2; x++)
            sum += load(p.src, at.x + x, at.y + y);
    store(p.dst, at.x, at.y, sum >> 4);
}
