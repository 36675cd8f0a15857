#version 460
// Between G, B, R and Y, Cb, Cr, in place: frame/rgb.c.

#extension GL_GOOGLE_include_directive : require
#include "plane.glsl"

PARAMS(ksr_gpu_rgb);

const int FRACTION = 16, HALF = 1 << (FRACTION - 1);

int limited(int v)
{
    return clamp(v, 0, SAMPLE_MAX);
}

int snap(int v)
{
    const int code = (v + 4) & ~7;
    return limited(abs(v - code) <= 1 ? code : v);
}

ivec3 to_ycc(int g, int b, int r)
{
    const int y = (13933 * r + 46871 * g + 4732 * b + HALF) >> FRACTION;
    return ivec3(y, limited(CHROMA_ZERO + ((35318 * (b - y) + HALF) >> FRACTION)),
                 limited(CHROMA_ZERO + ((41615 * (r - y) + HALF) >> FRACTION)));
}

ivec3 from_ycc(int y, int cb, int cr)
{
    return ivec3(snap(y - ((12276 * cb + 30679 * cr + HALF) >> FRACTION)),
                 snap(y + ((121609 * cb + HALF) >> FRACTION)),
                 snap(y + ((103206 * cr + HALF) >> FRACTION)));
}

void main()
{
    const ivec2 at = here();
    if (outside(p.plane[0], at))
        return;
    const ivec3 v = ivec3(load(p.plane[0], at.x, at.y), load(p.plane[1], at.x, at.y),
                          load(p.plane[2], at.x, at.y));
    const ivec3 made = p.back != 0 ? from_ycc(v.x, v.y - CHROMA_ZERO, v.z - CHROMA_ZERO)
                                   : to_ycc(v.x, v.y, v.z);
    for (int i = 0; i < 3; i++)
        store(p.plane[i], at.x, at.y, made[i]);
}
