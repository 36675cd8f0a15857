#version 460
// Stage 5: stages/temporal.c, and blend() of the pipeline, which says what each memory does.

#extension GL_GOOGLE_include_directive : require
#include "plane.glsl"

PARAMS(ksr_gpu_temporal);

const int WEIGHT_BITS = 14;

// The weight of the memory.
int find_weight(ksr_gpu_plane cur, ksr_gpu_plane before, ivec2 at)
{
    int motion = 0;
    [[unroll]] for (int dy = -1; dy <= 1; dy++)
        [[unroll]] for (int dx = -1; dx <= 1; dx++)
            motion = max(motion, abs(load(cur, at.x + dx, at.y + dy) -
                                     load(before, at.x + dx, at.y + dy)));
    const int ramp = p.threshold - p.threshold / 2;
    return min(clamp(p.threshold - motion, 0, ramp) * p.slope >> p.slope_bits, p.weight);
}

void blend(ksr_gpu_samples memory, uint i, int c, int weight)
{
    const int gap = int(memory.at[i]) - c, move = weight * abs(gap) >> WEIGHT_BITS;
    memory.at[i] = uint16_t(gap < 0 ? c - move : c + move);
}

void main()
{
    ksr_gpu_plane cur = {p.cur, p.stride, p.width, p.height};
    ksr_gpu_plane before = {p.before, p.stride, p.width, p.height};
    const ivec2 at = here();
    if (outside(cur, at))
        return;
    const bool forget = p.forget != 0 || 2 * uint64_t(p.changed.at[0]) >= uint64_t(p.samples);
    const uint i = place(cur, at.x, at.y);
    const int c = load(cur, at.x, at.y), weight = forget ? 0 : find_weight(cur, before, at);
    if (forget)
        p.shown.at[i] = uint16_t(c);
    else
        blend(p.shown, i, c, weight);
    if (forget || p.fresh != 0)
        p.other.at[i] = uint16_t(c);
    else
        blend(p.other, i, c, weight);
}
