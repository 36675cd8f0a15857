#version 460
// Dot crawl and rainbows: ksr_composite_rows(). Workgroups of 32 x 8: what the four frames around
// differ by goes through shared memory, and its sums along rows.

#extension GL_GOOGLE_include_directive : require
#include "plane.glsl"

PARAMS(ksr_gpu_composite);

const int W = 32, H = 8, THREADS = W * H, FRAMES = 4, REACH = 4;
const int WIDE = W + 2 * REACH, HIGH = H + 2 * REACH;

shared ivec4 gaps[HIGH][WIDE];  // times held, of each frame
shared ivec4 energy[HIGH][W];   // sums of their sizes along rows

// How far each of the frames is held at a sample of the plane: the least of luma there.
ivec4 held_at(int x, int y)
{
    ivec4 least = ivec4(8);
    for (int k = y << p.shift_y; k < (y + 1) << p.shift_y; k++)
        for (int n = x << p.shift_x; n < (x + 1) << p.shift_x; n++) {
            const uint at = uint(min(k, p.held_height - 1)) * uint(p.held_stride) + uint(min(n, p.held_width - 1));
            [[unroll]] for (int f = 0; f < FRAMES; f++)
                least[f] = min(least[f], int(p.held.at[uint(f) * p.held_step + at]));
        }
    return ivec4(least.xy, min(least.xy, least.zw));
}

ivec4 gap_at(int x, int y)
{
    x = clamp(x, 0, p.width - 1);
    y = clamp(y, 0, p.height - 1);
    const uint at = uint(y) * uint(p.stride) + uint(x);
    const int c = int(p.cur.at[at]);
    const ivec4 held = held_at(x, y);
    ivec4 gap = ivec4(0);
    [[unroll]] for (int f = 0; f < FRAMES; f++)
        gap[f] = (int(p.other[f].at[at]) - c) * held[f];
    return gap;
}

int share_of(int energy, int most)
{
    const int above = 4 * (energy - most) + most;
    return above <= 0 ? 0 : 8 * (above >> 3) / max(1, most >> 3);
}

void main()
{
    const ivec2 at = here(), own = ivec2(gl_LocalInvocationID.xy), corner = at - own - REACH;
    const int number = int(gl_LocalInvocationIndex);
    for (int i = number; i < WIDE * HIGH; i += THREADS)
        gaps[i / WIDE][i % WIDE] = gap_at(corner.x + i % WIDE, corner.y + i / WIDE);
    barrier();
    for (int i = number; i < W * HIGH; i += THREADS) {
        ivec4 sum = ivec4(0);
        [[unroll]] for (int k = 0; k <= 2 * REACH; k++)
            sum += abs(gaps[i / W][i % W + k]);
        energy[i / W][i % W] = sum;
    }
    barrier();
    if (at.x >= p.width || at.y >= p.height)
        return;
    const ivec4 gap = gaps[own.y + REACH][own.x + REACH];
    ivec4 all = ivec4(0);
    [[unroll]] for (int k = 0; k <= 2 * REACH; k += 2) // of the same field
        all += energy[own.y + k][own.x];
    const int most = max(max(all.x, all.y), max(all.z, all.w));
    int sum = 0, shares = 0;
    if (most > 0)
        [[unroll]] for (int f = 0; f < FRAMES; f++) {
            const int share = share_of(all[f], most);
            sum += share * gap[f];
            shares += share;
        }
    const int whole = 16 * max(shares, 1), change = (abs(sum) + whole / 2) / whole;
    const uint here = uint(at.y) * uint(p.stride) + uint(at.x);
    p.dst.at[here] = uint16_t(int(p.cur.at[here]) + (sum < 0 ? -change : change));
}
