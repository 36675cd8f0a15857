#version 460
// The first layer: net/conv.c, ksr_net_head(), and net/rows.c, load_chroma(). Workgroups along z:
// 16 channels each.

#extension GL_GOOGLE_include_directive : require
#include "net.glsl"

layout(constant_id = 4) const int INPUTS = 1; // luma; or 6: at four places of chroma, U and V

PARAMS(ksr_gpu_net_head);

const int CHANNELS = 16, QUADS = CHANNELS / 4;
const int WEIGHTS = SIDE * SIDE * QUADS;                 // of an input
const int BIAS = INPUTS * WEIGHTS, SHIFT = BIAS + QUADS; // behind all weights

shared ivec4 weights[5 * 5 * QUADS]; // [column][row][channel], of an input

void load_input(int i, ivec2 at)
{
    if (INPUTS == 1)
        load_samples(p.src[0], at.x, at.y);
    else if (i < 4)
        load_every(p.src[0], 2, ivec2(i % 2, i / 2), ivec2(p.src[1].width, p.src[1].height), at.x,
                   at.y);
    else
        load_samples(p.src[i - 3], at.x, at.y);
}

// Adds what the input that is loaded gives.
void add_products(inout ivec4 sum[ROWS][QUADS])
{
    const ivec2 at = tile_place();
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
}

void main()
{
    const ivec2 corner = tile_corner();
    const int first = int(gl_WorkGroupID.z) * (SHIFT + QUADS);
    ivec4 sum[ROWS][QUADS];
    [[unroll]] for (int k = 0; k < ROWS; k++)
        [[unroll]] for (int q = 0; q < QUADS; q++)
            sum[k][q] = p.weights.at[first + BIAS + q];
    for (int number = 0; number < INPUTS; number++) {
        if (number > 0)
            barrier();
        load_input(number, ivec2(p.x, p.y) + corner);
        for (int i = int(gl_LocalInvocationIndex); i < WEIGHTS; i += INVOCATIONS)
            weights[i] = p.weights.at[first + number * WEIGHTS + i];
        barrier();
        add_products(sum);
    }

    [[unroll]] for (int k = 0; k < ROWS; k++) {
        ivec4 words;
        [[unroll]] for (int q = 0; q < QUADS; q++)
            words[q] = activations(sum[k][q] >> p.weights.at[first + SHIFT + q]);
        p.dst.at[quad_of(corner + tile_place() + ivec2(0, k), p.stride, p.block,
                         int(gl_WorkGroupID.z), WIDTH / CHANNELS)] = words;
    }
}
