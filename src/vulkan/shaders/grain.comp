#version 460
// Grain: stages/grain.c. Workgroups of 32 x 16: noise, and its sums along rows, go through shared
// memory.

#extension GL_GOOGLE_include_directive : require
#include "plane.glsl"

PARAMS(ksr_gpu_grain);

const int W = 32, H = 16, THREADS = W * H; // of the workgroup
const int REACH = 12, CODES = 256;
const int WHITE_MEAN = 510, ROW_SHIFT = 5, UNIT_BITS = 10, NORM_BITS = 16;
const int WIDE = W + 2 * REACH, HIGH = H + 2 * REACH; // at most

shared uvec2 keys[HIGH]; // of rows
shared int white[HIGH][WIDE];
shared int sums[HIGH][W];

uvec2 key_of(int y)
{
    uint64_t h = p.frame * 0x9e3779b97f4a7c15ul;
    h ^= (uint64_t(uint(y)) << 8 | uint64_t(p.plane)) * 0xd1342543de82ef95ul;
    h = (h ^ h >> 30) * 0xbf58476d1ce4e5b9ul;
    h = (h ^ h >> 27) * 0x94d049bb133111ebul;
    h ^= h >> 31;
    return uvec2(uint(h & 0xffffffffu), uint(h >> 32));
}

int white_at(uvec2 key, int x)
{
    uint h = uint(x) * 0x9e3779b1u + key.x;
    h = (h ^ h >> 15) * 0x2c1b3c6du + key.y;
    h = (h ^ h >> 12) * 0x297a2d39u;
    h ^= h >> 15;
    return int((h & 255u) + (h >> 8 & 255u) + (h >> 16 & 255u) + (h >> 24)) - WHITE_MEAN;
}

int tap(int axis, int k)
{
    return p.table.at[CODES + axis * (REACH + 1) + k];
}

void main()
{
    const ivec2 at = here(), own = ivec2(gl_LocalInvocationID.xy), reach = ivec2(p.reach_x, p.reach_y);
    const ivec2 corner = at - own - reach;
    const int number = int(gl_LocalInvocationIndex), wide = W + 2 * reach.x, high = H + 2 * reach.y;
    if (number < high)
        keys[number] = key_of(corner.y + number);
    barrier();
    for (int i = number; i < wide * high; i += THREADS)
        white[i / wide][i % wide] = white_at(keys[i / wide], corner.x + i % wide);
    barrier();
    for (int i = number; i < W * high; i += THREADS) {
        const int x = i % W + reach.x, y = i / W;
        int sum = tap(0, 0) * white[y][x] + (1 << (ROW_SHIFT - 1));
        for (int k = 1; k <= reach.x; k++)
            sum += tap(0, k) * (white[y][x - k] + white[y][x + k]);
        sums[y][i % W] = sum >> ROW_SHIFT;
    }
    barrier();
    if (outside(p.dst, at))
        return;
    const int y = own.y + reach.y;
    int sum = tap(1, 0) * sums[y][own.x] + (1 << p.shift >> 1);
    for (int k = 1; k <= reach.y; k++)
        sum += tap(1, k) * (sums[y - k][own.x] + sums[y + k][own.x]);
    const int grain = (clamp(sum >> p.shift, -32767, 32767) * p.norm + (1 << (NORM_BITS - 1))) >> NORM_BITS;
    const int c = load(p.src, at.x, at.y), room = max(0, min(c - p.low, p.high - c));
    const int change = (grain * p.table.at[c >> 7] + (1 << (UNIT_BITS - 1))) >> UNIT_BITS;
    store(p.dst, at.x, at.y, c + clamp(change, -room, room));
}
