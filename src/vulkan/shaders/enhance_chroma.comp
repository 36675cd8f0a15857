#version 460
// Stage 4 for chroma: stages/enhance.c. dst and src may be one.

#extension GL_GOOGLE_include_directive : require
#include "plane.glsl"

PARAMS(ksr_gpu_enhance_chroma);

const int ONE = 4096;

void main()
{
    const ivec2 at = here();
    if (outside(p.dst, at))
        return;
    const int c = load(p.src, at.x, at.y), distance = c - CHROMA_ZERO;
    const int v = CHROMA_ZERO + ((distance * p.saturation + ONE / 2) >> 12);
    store(p.dst, at.x, at.y, clamp(v, min(c, p.low), max(c, p.high)));
}
