#version 460
// The last layer of a network of chroma, whose differences are added to U and V: net/conv.c,
// ksr_net_tail(), and net/rows.c, add_row().

#extension GL_GOOGLE_include_directive : require
#define QUADS 2
#include "net_conv.glsl"

PARAMS(ksr_gpu_net_tail_chroma);

void add(ksr_gpu_plane dst, int x, int y, int difference)
{
    const uint at = uint(y) * uint(dst.stride) + uint(x);
    if (x < dst.width && y >= p.y0 && y < p.y1)
        dst.data.at[at] = uint16_t(clamp(int(dst.data.at[at]) + difference, 0, 32767));
}

void main()
{
    const ivec2 at = tile_corner() + tile_place() + ivec2(0, p.y0 >> 1);
    ivec4 sum[ROWS][QUADS];
    convolve(sum, p.activations, p.stride, p.block, p.weights, 0);
    [[unroll]] for (int k = 0; k < ROWS; k++)
        [[unroll]] for (int q = 0; q < QUADS; q++) {
            const ivec4 difference = sum[k][q] >> p.weights.at[SHIFT + q];
            const int x = 2 * at.x, y = 2 * (at.y + k);
            add(p.dst[q], x, y, difference.x);
            add(p.dst[q], x + 1, y, difference.y);
            add(p.dst[q], x, y + 1, difference.z);
            add(p.dst[q], x + 1, y + 1, difference.w);
        }
}
