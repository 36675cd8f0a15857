#version 460
// Shifted chroma: stages/chroma_shift.c.

#extension GL_GOOGLE_include_directive : require
#include "plane.glsl"

PARAMS(ksr_gpu_chroma_shift);

const int TAPS = 8, BITS = 14, HALF = 1 << (BITS - 1), OFFSET = 16384;

void main()
{
    const ivec2 at = here();
    if (outside(p.dst, at))
        return;
    int sum = HALF;
    for (int i = 0; i < TAPS; i++) {
        int column = HALF - (OFFSET << BITS);
        for (int k = 0; k < TAPS; k++)
            column += p.y[k] * load(p.src, at.x + p.first_x + i, at.y + p.first_y + k);
        sum += p.x[i] * (column >> BITS);
    }
    store(p.dst, at.x, at.y, clamp((sum >> BITS) + OFFSET, 0, SAMPLE_MAX));
}
