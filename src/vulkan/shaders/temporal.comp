#version 460
// Stage 5: ksr_temporal_rows(), and with `still` ksr_temporal_still_rows().

#extension GL_GOOGLE_include_directive : require
#include "plane.glsl"

PARAMS(ksr_gpu_temporal);

const int WEIGHT_BITS = 14, SHARE_BITS = 15, REACH = 5, FLOOR = 384000, GAP_MAX = 4088;
const int NOISE_MAX = 128;
const int WIDTH = 32 + 2 * REACH, HEIGHT = 8 + 2 * REACH;

// Gap, slopes along x and y, and size of the gap less noise, of the workgroup's samples and those around.
shared ivec4 found[HEIGHT][WIDTH];

int both(ksr_gpu_plane memory, ksr_gpu_plane cur, int x, int y)
{
    return load(memory, x, y) + load(cur, x, y);
}

int bend(ksr_gpu_plane cur, int x, int y)
{
    return load(cur, x - 1, y) - 2 * load(cur, x, y) + load(cur, x + 1, y);
}

// Rows beyond an edge repeat the sample there, and samples beside them do so too.
ivec4 find(ksr_gpu_plane memory, ksr_gpu_plane cur, int x, int y)
{
    const int gap = load(memory, x, y) - load(cur, x, y);
    const int cut = (clamp(gap, -GAP_MAX, GAP_MAX) + 4) >> 3;
    const int rough = bend(cur, x, y - 1) - 2 * bend(cur, x, y) + bend(cur, x, y + 1);
    return ivec4(cut, (both(memory, cur, x + 1, y) - both(memory, cur, x - 1, y) + 32) >> 6,
                 (both(memory, cur, x, y + 1) - both(memory, cur, x, y - 1) + 32) >> 6,
                 abs(cut) - min(abs(rough) * 85 >> 12, NOISE_MAX));
}

int eighths(int part, int whole)
{
    int left = 2 * whole - part, level = 0;
    if (left >= whole)
        return 8;
    [[unroll]] for (int k = 0; k < 3; k++) {
        left *= 2;
        const int more = int(left >= whole);
        left -= more * whole;
        level = 2 * level + more;
    }
    return level;
}

int still_along(int gap, int slope)
{
    const int part = abs(gap) >> 6 << 8, whole = ((slope + FLOOR) >> 6) * p.shift;
    return eighths(min(part, 2 * whole), whole);
}

int find_weight(ivec2 local, int gap)
{
    int total = 0, size = 0;
    ivec2 by_slope = ivec2(0), squares = ivec2(0);
    for (int y = 0; y <= 2 * REACH; y++)
        for (int x = 0; x <= 2 * REACH; x++) {
            const ivec4 f = found[local.y + y][local.x + x];
            total += f.x;
            size += f.w;
            by_slope += f.x * f.yz;
            squares += f.yz * f.yz;
        }
    const int most = max(abs(gap) * p.one, max(abs(total) * p.mean, max(size, 0) * p.size));
    const int level = clamp(16 - (most >> SHARE_BITS), 0, 8);
    const int still = min(still_along(by_slope.x, squares.x), still_along(by_slope.y, squares.y));
    return p.weight * min(level, still) >> 3;
}

void main()
{
    ksr_gpu_plane cur = {p.cur, p.stride, p.width, p.height};
    ksr_gpu_plane memory = {p.memory, p.stride, p.width, p.height};
    ksr_gpu_plane dst = {p.dst, p.stride, p.width, p.height};
    const ivec2 at = here(), local = ivec2(gl_LocalInvocationID.xy), first = at - local - REACH;
    const bool forget =
        p.still == 0 && (p.weight == 0 || 2 * uint64_t(p.changed.at[0]) >= uint64_t(p.samples));
    if (!forget)
        for (int i = int(gl_LocalInvocationIndex); i < WIDTH * HEIGHT; i += 32 * 8)
            found[i / WIDTH][i % WIDTH] = find(memory, cur, first.x + i % WIDTH, first.y + i / WIDTH);
    barrier();
    if (outside(cur, at))
        return;
    const int c = load(cur, at.x, at.y);
    if (forget) {
        store(dst, at.x, at.y, c);
        return;
    }
    const int gap = load(memory, at.x, at.y) - c, weight = find_weight(local, gap);
    if (p.still != 0) {
        store(dst, at.x, at.y, weight);
        return;
    }
    const int move = weight * abs(gap) >> WEIGHT_BITS;
    store(dst, at.x, at.y, gap < 0 ? c - move : c + move);
}
