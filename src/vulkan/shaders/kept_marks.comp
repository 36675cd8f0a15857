#version 460
// Which cells a drawing does not bring back: add_along() of stages/descale.c, and
// ksr_kept_mark_row(). Workgroups of 32 x 8: four cells each.

#extension GL_GOOGLE_include_directive : require
#include "plane.glsl"

PARAMS(ksr_gpu_kept_marks);

const int CELL = 8, CELLS = 4, DIFFERENT = 12 << 7, LEAST = 3;

shared uint count[CELLS];

int again(ivec2 at)
{
    const int first = p.first.at[at.x];
    int sum = 1 << (p.bits - 1);
    for (int k = 0; k < p.taps; k++)
        sum += int(p.weights.at[at.x * p.taps + k]) * load(p.high, first + k, at.y);
    return clamp(sum >> p.bits, 0, SAMPLE_MAX);
}

void main()
{
    const ivec2 at = here(), own = ivec2(gl_LocalInvocationID.xy), cell = at / CELL;
    if (gl_LocalInvocationIndex < CELLS)
        count[gl_LocalInvocationIndex] = 0;
    barrier();
    if (!outside(p.frame, at) && abs(load(p.frame, at.x, at.y) - again(at)) > DIFFERENT)
        atomicAdd(count[own.x / CELL], 1);
    barrier();
    if (own.x % CELL == 0 && own.y == 0 && !outside(p.dst, cell))
        store(p.dst, cell.x, cell.y, int(count[own.x / CELL] >= LEAST));
}
