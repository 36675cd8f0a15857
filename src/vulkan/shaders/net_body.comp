#version 460
// A layer between the first and the last: net/conv.c, ksr_net_body(). Workgroups along z: 16
// channels of the convolution each.

#extension GL_GOOGLE_include_directive : require
#define QUADS 4
#include "net_conv.glsl"

layout(constant_id = 6) const int OUTPUTS = 32;
layout(constant_id = 7) const bool UP = false; // four channels for an output, net.h has their order
layout(constant_id = 8) const bool SKIP = false;

PARAMS(ksr_gpu_net_body);

ivec4 unpacked(int word)
{
    return ivec4(bitfieldExtract(word, 0, 8), bitfieldExtract(word, 8, 8),
                 bitfieldExtract(word, 16, 8), word >> 24) + 128;
}

void main()
{
    const int group = int(gl_WorkGroupID.z), first = group * (SHIFT + QUADS);
    const int groups = OUTPUTS / (4 * QUADS), phase = group / groups;
    const ivec2 at = tile_corner() + tile_place();
    ivec4 sum[ROWS][QUADS];
    convolve(sum, p.src, p.stride, p.block, p.weights, first);
    [[unroll]] for (int k = 0; k < ROWS; k++) {
        const ivec2 place = at + ivec2(0, k);
        const ivec2 to = UP ? 2 * place + ivec2(phase % 2, phase / 2) : place;
        const uint quad = quad_of(to, p.out_stride, p.out_block, group % groups, groups);
        ivec4 added = ivec4(0), words;
        if (SKIP)
            added = p.skip.at[quad];
        [[unroll]] for (int q = 0; q < QUADS; q++) {
            const ivec4 value = sum[k][q] >> p.weights.at[first + SHIFT + q];
            words[q] = activations(SKIP ? value + unpacked(added[q]) : value);
        }
        p.dst.at[quad] = words;
    }
}
