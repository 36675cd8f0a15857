#version 460
// The last layer and the interpolation that its differences are added to: net/conv.c,
// ksr_net_tail(), and net/rows.c, store_row().

#extension GL_GOOGLE_include_directive : require
#define QUADS 1
#include "net_conv.glsl"

PARAMS(ksr_gpu_net_tail);

// At -1/4 of a pixel from b, at +1/4 from it with the order reversed.
int interpolate(int a, int b, int c, int d)
{
    return -3 * a + 29 * b + 111 * c - 9 * d;
}

int sample_at(int x, int y)
{
    return samples[y * SAMPLES_WIDTH + x];
}

void store(int x, int y, int interpolated, int difference)
{
    if (x < p.dst.width && y >= p.y0 && y < p.y1)
        p.dst.data.at[uint(y) * uint(p.dst.stride) + uint(x)] =
            uint16_t(clamp(((interpolated + 8192) >> 14) + 16384 + difference, 0, 32767));
}

void main()
{
    const ivec2 corner = tile_corner(), at = tile_place();
    const int top = p.y0 >> 1;
    load_samples(p.src, corner.x - 2, corner.y + top - 2);
    ivec4 sum[ROWS][QUADS];
    convolve(sum, p.activations, p.stride, p.block, p.weights, 0);

    [[unroll]] for (int k = 0; k < ROWS; k++) {
        const ivec4 difference = sum[k][0] >> p.weights.at[SHIFT];
        const int x = 2 * (corner.x + at.x), y = 2 * (corner.y + at.y + k + top);
        int above[5], below[5];
        [[unroll]] for (int i = 0; i < 5; i++) {
            int column[5];
            [[unroll]] for (int r = 0; r < 5; r++)
                column[r] = sample_at(at.x + i, at.y + k + r);
            above[i] = interpolate(column[0], column[1], column[2], column[3]);
            below[i] = interpolate(column[4], column[3], column[2], column[1]);
        }
        store(x, y, interpolate(above[0], above[1], above[2], above[3]), difference.x);
        store(x + 1, y, interpolate(above[4], above[3], above[2], above[1]), difference.y);
        store(x, y + 1, interpolate(below[0], below[1], below[2], below[3]), difference.z);
        store(x + 1, y + 1, interpolate(below[4], below[3], below[2], below[1]), difference.w);
    }
}
