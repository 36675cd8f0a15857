#version 460
// Descaling and enlarging again, along one axis: add_columns() and add_along() of stages/descale.c.

#extension GL_GOOGLE_include_directive : require
#include "plane.glsl"

PARAMS(ksr_gpu_descale);

void main()
{
    const ivec2 at = here();
    if (outside(p.dst, at))
        return;
    const bool along_y = p.along_y != 0;
    const int j = along_y ? at.y : at.x, first = p.first.at[j];
    int sum = 1 << (p.bits - 1);
    for (int k = 0; k < p.taps; k++)
        sum += int(p.weights.at[j * p.taps + k]) *
               (along_y ? load(p.src, at.x, first + k) : load(p.src, first + k, at.y));
    store(p.dst, at.x, at.y, clamp(sum >> p.bits, 0, SAMPLE_MAX));
}
