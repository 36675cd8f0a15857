#version 460
// Stage 2: stages/structure.c.

#extension GL_GOOGLE_include_directive : require
#include "plane.glsl"

PARAMS(ksr_gpu_structure);

const int STEPS[5] = {1, 2, 3, 2, 1};

int reduced(int x, int y)
{
    return (load(p.src, x, y) + 8) >> 4;
}

// The tensor (xx, xy, yy) of the 5x5 window around.
ivec3 find_tensor(ivec2 at)
{
    int t[7][7];
    [[unroll]] for (int r = 0; r < 7; r++)
        [[unroll]] for (int k = 0; k < 7; k++)
            t[r][k] = reduced(at.x + k - 3, at.y + r - 3);
    ivec3 sum = ivec3(0);
    [[unroll]] for (int r = 0; r < 5; r++)
        [[unroll]] for (int k = 0; k < 5; k++) {
            const int gx = t[r + 1][k + 2] - t[r + 1][k], gy = t[r + 2][k + 1] - t[r][k + 1];
            sum += STEPS[r] * STEPS[k] * ivec3(gx * gx, gx * gy, gy * gy);
        }
    return sum;
}

int find_strength(int trace)
{
    const int one = 16 * 16 * 81;
    return int(trace >= one) + int(trace >= 9 * one) + int(trace >= 100 * one);
}

// Whether the coherence is 2 or more.
bool is_coherent(int trace, int64_t u, int64_t v)
{
    return trace > 0 && u * u + v * v >= (int64_t(trace) * trace) >> 2;
}

int find_direction(int u, int v)
{
    const int64_t au = abs(u), av = abs(v);
    const int left = int(u < 0), up = int(v < 0);
    if (av * 65536 <= au * 27146)
        return 4 * left;
    if (au * 65536 <= av * 27146)
        return 2 + 4 * up;
    return up != 0 ? 7 - 2 * left : 1 + 2 * left;
}

int pair(ivec2 at, ivec2 d, int c)
{
    return soft(load(p.src, at.x + d.x, at.y + d.y) - c, p.limit) +
           soft(load(p.src, at.x - d.x, at.y - d.y) - c, p.limit);
}

// By direction: a step that counts once, and one that counts twice.
const ivec4 ALONG[8] = {
    ivec4(0, 2, 0, 1), ivec4(0, 1, -1, 2), ivec4(-2, 2, -1, 1), ivec4(-1, 0, -2, 1),
    ivec4(2, 0, 1, 0), ivec4(1, 0, 2, 1),  ivec4(2, 2, 1, 1),   ivec4(0, 1, 1, 2),
};

void main()
{
    const ivec2 at = here();
    if (outside(p.dst, at))
        return;
    const ivec3 tensor = find_tensor(at);
    const int trace = tensor.x + tensor.z, u = tensor.x - tensor.z, v = 2 * tensor.y;
    const int strength = find_strength(trace), c = load(p.src, at.x, at.y);
    int sum = 0;
    if (strength >= 1 && is_coherent(trace, u, v)) {
        const ivec4 way = ALONG[find_direction(u, v)];
        sum = 2 * pair(at, way.xy, c) + 4 * pair(at, way.zw, c);
    } else if (strength <= 1) {
        sum = 2 * pair(at, ivec2(1, 0), c) + 2 * pair(at, ivec2(0, 1), c) +
              pair(at, ivec2(1, 1), c) + pair(at, ivec2(1, -1), c);
    }
    store(p.dst, at.x, at.y, c + ((sum + 8) >> 4));
}
