#version 460
// Counts for stage 5 how many samples changed: ksr_temporal_changed_rows().

#extension GL_GOOGLE_include_directive : require
#include "plane.glsl"

PARAMS(ksr_gpu_changed);

shared uint count; // of the workgroup

void main()
{
    const ivec2 at = here();
    if (gl_LocalInvocationIndex == 0)
        count = 0;
    barrier();
    if (!outside(p.cur, at) &&
        abs(load(p.cur, at.x, at.y) - load(p.before, at.x, at.y)) > p.changed)
        atomicAdd(count, 1);
    barrier();
    if (gl_LocalInvocationIndex == 0 && count > 0)
        atomicAdd(p.total.at[0], count);
}
