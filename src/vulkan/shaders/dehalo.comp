#version 460
// Dehalo: stages/dehalo.c. Workgroups of 32 x 8: votes and their sums over columns go through
// shared memory.

#extension GL_GOOGLE_include_directive : require
#include "plane.glsl"

PARAMS(ksr_gpu_dehalo);

const int W = 32, H = 8, THREADS = W * H; // of the workgroup
const int CONTRAST = 3072, WHITE = 29800, BLACK = 2300, AROUND = 24, NEEDED = 16, SHARES = 64;
const int WIDE = W + 2 * AROUND, HIGH = H + 2 * AROUND; // columns and rows of votes

shared int votes[HIGH / 4][WIDE]; // of four rows, a byte each
shared int columns[H][WIDE]; // sums over the rows around

int least(int a, int b, int c)
{
    return min(min(a, b), c);
}

int greatest(int a, int b, int c)
{
    return max(max(a, b), c);
}

// Sample k of the profile through `at` along d. turned: 0 or -1.
#define S(k) (load(p.src, at.x + (k)*d.x, at.y + (k)*d.y) ^ turned)

int judge(ivec2 at, ivec2 d, int turned)
{
    const int end = turned != 0 ? ~BLACK : WHITE;
    const int s4 = S(4), s5 = S(5), s6 = S(6), base = greatest(s4, s5, s6);
    const int uneven = base - least(s4, s5, s6), s1 = S(-1), s0 = S(0);
    const int contrast = base - least(s1, S(-2), S(-3)), begin = base - (contrast >> 2);
    const int over = greatest(s0, S(1), S(2)) - base;
    if (contrast < CONTRAST || uneven > contrast >> 4 || s1 >= begin || s0 < begin ||
        (over <= contrast >> 6 && base >= end))
        return 0;
    return over >= contrast >> 4 && over <= contrast >> 1 ? 1 : -1;
}

int vote(ivec2 at)
{
    int sum = 0;
    if (at.x < 0 || at.y < 0 || outside(p.src, at))
        return 0;
    for (int turned = -1; turned <= 0; turned++)
        sum += judge(at, ivec2(1, 0), turned) + judge(at, ivec2(-1, 0), turned) +
               judge(at, ivec2(0, 1), turned) + judge(at, ivec2(0, -1), turned);
    return sum;
}

int opposite(int at, int far0, int far1, int far2, int base, int line)
{
    const int high = greatest(far0, far1, far2), low = least(far0, far1, far2);
    return max(min(low - at, base - high), min(at - high, at - line));
}

int find(ivec2 at, ivec2 d, int turned)
{
    const int s3 = S(3), s4 = S(4), base = max(s3, s4);
    const int uneven = base - min(s3, s4), height = S(0) - base;
    if (uneven > height)
        return 0;
    int inner[12]; // inner[k] = S(-k)
    [[unroll]] for (int k = 1; k <= 11; k++)
        inner[k] = S(-k);
    const int contrast = base - least(inner[1], inner[2], inner[3]);
    if (contrast < CONTRAST)
        return 0;
    const int bound = 2 * (contrast * p.limit >> 16);
    const int soft = min(height, bound - max(height - bound, 0));
    int line = inner[1], other = opposite(line, inner[4], inner[5], inner[6], base, line);
    [[unroll]] for (int k = 2; k <= 6; k++) {
        other = max(other, opposite(inner[k], inner[k + 3], inner[k + 4], inner[k + 5], base, line));
        line = min(line, inner[k]);
    }
    return max(min(soft, other) - (contrast >> 6), 0);
}

// The greatest of all ways.
int find_all(ivec2 at, int turned)
{
    int most = 0;
    for (int y = -1; y <= 1; y++)
        for (int x = -1; x <= 1; x++)
            if (x != 0 || y != 0)
                most = max(most, find(at, ivec2(x, y), turned));
    return most;
}

void main()
{
    const ivec2 at = here(), own = ivec2(gl_LocalInvocationID.xy), corner = at - own - AROUND;
    for (uint i = gl_LocalInvocationIndex; i < WIDE * HIGH / 4; i += THREADS) {
        const int x = int(i % WIDE), y = int(i / WIDE);
        int four = 0;
        for (int k = 0; k < 4; k++)
            four = bitfieldInsert(four, vote(corner + ivec2(x, 4 * y + k)), 8 * k, 8);
        votes[y][x] = four;
    }
    barrier();
    for (uint i = gl_LocalInvocationIndex; i < WIDE * H; i += THREADS) {
        const int x = int(i % WIDE), y = int(i / WIDE);
        int sum = 0;
        for (int k = 0; k <= 2 * AROUND; k++)
            sum += bitfieldExtract(votes[(y + k) / 4][x], 8 * ((y + k) % 4), 8);
        columns[y][x] = sum;
    }
    barrier();
    if (outside(p.dst, at))
        return;
    int sum = -NEEDED;
    for (int k = 0; k <= 2 * AROUND; k++)
        sum += columns[own.y][own.x + k];
    const int share = clamp(sum, 0, SHARES), c = load(p.src, at.x, at.y);
    const int change = share == 0 ? 0 : find_all(at, -1) - find_all(at, 0);
    store(p.dst, at.x, at.y, c + ((change * share + SHARES / 2) >> 6));
}
