#version 460
// The last layer of a network of chroma, whose differences are added to U and V: net/conv.c,
// ksr_net_tail(), and net/rows.c, add_rows().

#extension GL_GOOGLE_include_directive : require
#define QUADS 2
#include "net_conv.glsl"

PARAMS(ksr_gpu_net_tail_chroma);

// Of what becomes of a sample: the range of the 3x3 samples around, and half as much more.
ivec2 find_limits(ksr_gpu_plane src, ivec2 at)
{
    int low = 32767, high = 0;
    [[unroll]] for (int i = 0; i < 9; i++) {
        const ivec2 last = ivec2(src.width - 1, src.height - 1);
        const ivec2 around = clamp(at + ivec2(i % 3 - 1, i / 3 - 1), ivec2(0), last);
        const int v = int(src.data.at[uint(around.y) * uint(src.stride) + uint(around.x)]);
        low = min(low, v);
        high = max(high, v);
    }
    const int more = (high - low) >> 1;
    return ivec2(max(low - more, 0), min(high + more, 32767));
}

void add(ksr_gpu_plane dst, ivec2 limits, int x, int y, int difference)
{
    const uint at = uint(y) * uint(dst.stride) + uint(x);
    if (x < dst.width && y >= p.y0 && y < p.y1)
        dst.data.at[at] =
            uint16_t(clamp(int(dst.data.at[at]) + difference, limits.x, limits.y));
}

void main()
{
    const ivec2 at = tile_corner() + tile_place() + ivec2(0, p.y0 >> 1);
    ivec4 sum[ROWS][QUADS];
    convolve(sum, p.activations, p.stride, p.block, p.weights, 0);
    [[unroll]] for (int k = 0; k < ROWS; k++)
        [[unroll]] for (int q = 0; q < QUADS; q++) {
            const ivec4 difference = sum[k][q] >> p.weights.at[SHIFT + q];
            const ivec2 limits = find_limits(p.src[q], at + ivec2(0, k));
            const int x = 2 * at.x, y = 2 * (at.y + k);
            add(p.dst[q], limits, x, y, difference.x);
            add(p.dst[q], limits, x + 1, y, difference.y);
            add(p.dst[q], limits, x, y + 1, difference.z);
            add(p.dst[q], limits, x + 1, y + 1, difference.w);
        }
}
