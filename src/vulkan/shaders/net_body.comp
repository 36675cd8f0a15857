#version 460
// A layer between the first and the last: net/conv.c, ksr_net_body(). Workgroups along z: 16
// channels each.

#extension GL_GOOGLE_include_directive : require
#define QUADS 4
#include "net_conv.glsl"

PARAMS(ksr_gpu_net_body);

void main()
{
    const int first = int(gl_WorkGroupID.z) * (SHIFT + QUADS);
    const ivec2 at = tile_corner() + tile_place();
    ivec4 sum[ROWS][QUADS];
    convolve(sum, p.src, p.stride, p.weights, first);
    [[unroll]] for (int k = 0; k < ROWS; k++) {
        ivec4 words;
        [[unroll]] for (int q = 0; q < QUADS; q++)
            words[q] = activations(sum[k][q], p.weights.at[first + SHIFT + q]);
        const uint pixel = uint(at.y + k) * uint(p.stride) + uint(at.x);
        p.dst.at[pixel * (WIDTH / INPUTS) + gl_WorkGroupID.z] = words;
    }
}
