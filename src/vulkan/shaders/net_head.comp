#version 460
// The first layer: net/conv.c, ksr_net_head(). Workgroups along z: 16 channels each.

#extension GL_GOOGLE_include_directive : require
#include "net.glsl"

PARAMS(ksr_gpu_net_head);

const int CHANNELS = 16, QUADS = CHANNELS / 4, WEIGHTS = SIDE * SIDE * QUADS;

shared ivec4 weights[5 * 5 * QUADS]; // [column][row][channel]

void main()
{
    const ivec2 corner = tile_corner(), at = tile_place();
    const int first = int(gl_WorkGroupID.z) * (WEIGHTS + 2 * QUADS);
    load_samples(p.src, p.x + corner.x, p.y + corner.y);
    for (int i = int(gl_LocalInvocationIndex); i < WEIGHTS; i += INVOCATIONS)
        weights[i] = p.weights.at[first + i];
    barrier();

    ivec4 sum[ROWS][QUADS];
    [[unroll]] for (int k = 0; k < ROWS; k++)
        [[unroll]] for (int q = 0; q < QUADS; q++)
            sum[k][q] = p.weights.at[first + WEIGHTS + q];
    for (int c = 0; c < SIDE; c++) {
        int value[ROWS + 4];
        [[unroll]] for (int i = 0; i < ROWS + SIDE - 1; i++)
            value[i] = samples[(at.y + i) * SAMPLES_WIDTH + at.x + c];
        [[unroll]] for (int r = 0; r < SIDE; r++)
            [[unroll]] for (int q = 0; q < QUADS; q++) {
                const ivec4 weight = weights[(c * SIDE + r) * QUADS + q];
                [[unroll]] for (int k = 0; k < ROWS; k++)
                    sum[k][q] += value[k + r] * weight;
            }
    }

    [[unroll]] for (int k = 0; k < ROWS; k++) {
        ivec4 words;
        [[unroll]] for (int q = 0; q < QUADS; q++)
            words[q] = activations(sum[k][q] >> p.weights.at[first + WEIGHTS + QUADS + q]);
        p.dst.at[quad_of(corner + at + ivec2(0, k), p.stride, p.block, int(gl_WorkGroupID.z),
                         WIDTH / CHANNELS)] = words;
    }
}
