#version 460
// Stage 3 for luma: stages/turn.c, patch.c and bank.c, in their order and words. One invocation
// for each sample of src, which makes the up to four samples of dst in its place. Workgroups of
// 32 x 16: gradients and their sums over columns go through shared memory.

#extension GL_GOOGLE_include_directive : require
#include "plane.glsl"

PARAMS(ksr_gpu_learned);

const int W = 32, H = 16, THREADS = W * H; // of the workgroup
const int RADIUS = 4;                      // of the window in which gradients are summed
const int REACH = RADIUS + 1;
const int TILE_W = W + 2 * REACH, TILE_H = H + 2 * REACH;
const int WIDE = W + 2 * RADIUS, HIGH = H + 2 * RADIUS; // columns and rows of gradients
const int SIDE = 5, MIDDLE = 2;                         // of the patch that is turned and filtered
const int TAPS = 24, BITS = 13, CLASSES = 32;

const int INNER_DEPTH = 0, OUTER_DEPTH = 1, INNER_RANGE = 2, LEFT = 3, RIGHT = 4, FAR_RIGHT = 5,
          FAR_LEFT = 6, ACROSS = 7, ALONG = 8, ALONG_SIZE = 9, LAPLACE = 10, SLOPE = 11,
          SLOPE_Y = 12, TOP_LEFT = 13, TOP_RIGHT = 14, BOTTOM_LEFT = 15, BOTTOM_RIGHT = 16, UP = 17,
          DOWN = 18, DIAGONAL = 19, DIAGONAL_2 = 20, FEATURES = 21;

struct split {
    int from, feature, threshold, to;
};
#define static
#define struct
#include "../../stages/learned_splits.h"
#undef struct
#undef static

shared int tile[TILE_H][TILE_W];
shared int tilt[HIGH][WIDE], product[HIGH][WIDE], energy[HIGH][WIDE]; // of single gradients
shared ivec4 columns[H][WIDE]; // sums over nine rows: tilt, cross, energy, moment
shared int bank[4 * TAPS / 2 * CLASSES]; // pairs of taps

// --- Shared memory ---

void load_tile(ivec2 corner)
{
    for (uint i = gl_LocalInvocationIndex; i < TILE_W * TILE_H; i += THREADS) {
        const ivec2 at = ivec2(i % TILE_W, i / TILE_W);
        tile[at.y][at.x] = load(p.src, corner.x + at.x - REACH, corner.y + at.y - REACH);
    }
}

void load_bank()
{
    for (uint i = gl_LocalInvocationIndex; i < bank.length(); i += THREADS)
        bank[i] = p.bank.at[i];
}

int reduced(int x, int y)
{
    return (tile[y][x] + 8) >> 4;
}

void find_gradients()
{
    for (uint i = gl_LocalInvocationIndex; i < WIDE * HIGH; i += THREADS) {
        const int x = int(i % WIDE), y = int(i / WIDE);
        const int gx = reduced(x + 2, y + 1) - reduced(x, y + 1);
        const int gy = reduced(x + 1, y + 2) - reduced(x + 1, y);
        tilt[y][x] = gx * gx - gy * gy;
        product[y][x] = gx * gy;
        energy[y][x] = gx * gx + gy * gy;
    }
}

void sum_columns()
{
    for (uint i = gl_LocalInvocationIndex; i < WIDE * H; i += THREADS) {
        const int x = int(i % WIDE), y = int(i / WIDE);
        ivec4 sum = ivec4(0);
        [[unroll]] for (int r = 0; r <= 2 * RADIUS; r++) {
            const int e = energy[y + r][x];
            sum += ivec4(tilt[y + r][x], product[y + r][x], e, (r - RADIUS) * e);
        }
        columns[y][x] = sum;
    }
}

// --- Turn ---

struct turn {
    bool transpose, flip_x, flip_y;
};

turn find_turn(ivec2 local)
{
    int tilts = 0, crosses = 0, side_x = 0, side_y = 0;
    [[unroll]] for (int k = 0; k <= 2 * RADIUS; k++) {
        const ivec4 c = columns[local.y][local.x + k];
        tilts += c.x;
        crosses += c.y;
        side_x += (k - RADIUS) * c.z;
        side_y += c.w;
    }
    const bool transpose = tilts < 0, falling = crosses < 0;
    const bool side = transpose ? side_y < 0 : side_x < 0, other = side != falling;
    return turn(transpose, transpose ? other : side, transpose ? side : other);
}

int around[SIDE][SIDE]; // turned, differences to the middle
int feature[FEATURES];
int low, high, range;

void load_patch(ivec2 local, turn t, int middle)
{
    const int x = t.flip_x ? -1 : 1, y = t.flip_y ? -1 : 1;
    [[unroll]] for (int r = 0; r < SIDE; r++)
        [[unroll]] for (int k = 0; k < SIDE; k++) {
            const ivec2 d = t.transpose ? ivec2(r - MIDDLE, k - MIDDLE) : ivec2(k - MIDDLE, r - MIDDLE);
            around[r][k] = tile[local.y + REACH + y * d.y][local.x + REACH + x * d.x] - middle;
        }
}

// --- Class and limits ---

void find_ranges(int middle)
{
    int low3 = 0, high3 = 0, low5 = 0, high5 = 0;
    [[unroll]] for (int r = 0; r < SIDE; r++)
        [[unroll]] for (int k = 0; k < SIDE; k++) {
            const int v = around[r][k];
            low5 = min(low5, v);
            high5 = max(high5, v);
            if (abs(r - MIDDLE) <= 1 && abs(k - MIDDLE) <= 1) {
                low3 = min(low3, v);
                high3 = max(high3, v);
            }
        }
    const ivec4 a = ivec4(around[2][1], around[1][2], around[1][1], around[1][3]);
    const ivec4 b = ivec4(around[2][3], around[3][2], around[3][3], around[3][1]);
    const ivec4 least = min(a, b), most = max(a, b);
    const int valley = max(0, max(max(least.x, least.y), max(least.z, least.w)));
    const int crest = min(0, min(min(most.x, most.y), min(most.z, most.w)));
    low = max(low3 - (valley >> 1), -middle);
    high = min(high3 + (-crest >> 1), SAMPLE_MAX - middle);
    range = high5 - low5;
    feature[INNER_DEPTH] = min(-low3, high3);
    feature[OUTER_DEPTH] = min(-low5, high5);
    feature[INNER_RANGE] = high3 - low3;
}

int mean(int a, int b)
{
    return (a + b) >> 1;
}

void find_features()
{
    const int m = around[2][3] < around[2][1] ? -1 : 1;
    const int left = m * around[2][1], right = m * around[2][3];
    const int up = m * around[1][2], down = m * around[3][2];
    const int top_left = m * around[1][1], top_right = m * around[1][3];
    const int bottom_left = m * around[3][1], bottom_right = m * around[3][3];
    const int across = mean(left, right), along = mean(up, down);
    feature[LEFT] = -left;
    feature[RIGHT] = right;
    feature[FAR_RIGHT] = m * around[2][4] - right;
    feature[FAR_LEFT] = left - m * around[2][0];
    feature[ACROSS] = across;
    feature[ALONG] = along;
    feature[ALONG_SIZE] = abs(along);
    feature[LAPLACE] = abs(mean(across, along));
    feature[SLOPE] = right - left;
    feature[SLOPE_Y] = down - up;
    feature[TOP_LEFT] = top_left;
    feature[TOP_RIGHT] = top_right;
    feature[BOTTOM_LEFT] = bottom_left;
    feature[BOTTOM_RIGHT] = bottom_right;
    feature[UP] = up;
    feature[DOWN] = down;
    feature[DIAGONAL] = abs(mean(top_left, bottom_right));
    feature[DIAGONAL_2] = abs(mean(top_right, bottom_left));
}

int classify()
{
    int kind = 0;
    [[unroll]] for (int k = 0; k < splits.length(); k++) {
        const split s = splits[k];
        const int share = ((s.threshold * range >> 14) + 1) >> 1;
        kind = kind == s.from && feature[s.feature] >= share ? s.to : kind;
    }
    return kind;
}

// --- Filter and limit ---

int filtered(int which, int kind)
{
    int sum = 1 << (BITS - 1);
    [[unroll]] for (int k = 0; k < TAPS; k += 2) {
        const int pair = bank[(which * TAPS / 2 + k / 2) * CLASSES + kind];
        const int a = k + int(k >= TAPS / 2), b = k + 1 + int(k + 1 >= TAPS / 2);
        sum += bitfieldExtract(pair, 0, 16) * around[a / SIDE][a % SIDE] +
               bitfieldExtract(pair, 16, 16) * around[b / SIDE][b % SIDE];
    }
    return clamp(sum >> BITS, low, high); // which lie within 16 bits
}

int limited(int v, int least, int most)
{
    const int distance = most - least, margin = (distance >> 3) + (distance >> 4);
    return v + max(least - v - margin, 0) - max(v - most - margin, 0);
}

ivec4 limit(ivec4 v)
{
    ivec4 made;
    [[unroll]] for (int k = 0; k < 4; k++) {
        const int y = k & 2, x = 2 * (k & 1);
        const int a = around[2][1 + x], b = around[1 + y][2], c = around[1 + y][1 + x];
        const int beside = v[k ^ 1], o0 = v[k ^ 2], o1 = v[k ^ 3];
        const int least = min(min(min(o0, o1), beside), min(min(a, b), c));
        const int most = max(max(max(o0, o1), beside), max(max(a, b), c));
        made[k] = limited(v[k], least, most);
    }
    return made;
}

ivec4 turn_back(ivec4 v, turn t)
{
    v = t.transpose ? v.xzyw : v;
    v = t.flip_y ? v.zwxy : v;
    return t.flip_x ? v.yxwz : v;
}

void main()
{
    const ivec2 at = here(), local = ivec2(gl_LocalInvocationID.xy);
    load_tile(at - local);
    load_bank();
    barrier();
    find_gradients();
    barrier();
    sum_columns();
    barrier();
    if (outside(p.dst, 2 * at))
        return;
    const int middle = tile[local.y + REACH][local.x + REACH];
    const turn t = find_turn(local);
    load_patch(local, t, middle);
    find_ranges(middle);
    find_features();
    const int kind = classify();
    const ivec4 v = ivec4(filtered(0, kind), filtered(1, kind), filtered(2, kind),
                          filtered(3, kind));
    const ivec4 made = middle + turn_back(limit(v), t);
    [[unroll]] for (int k = 0; k < 4; k++) {
        const ivec2 to = 2 * at + ivec2(k & 1, k >> 1);
        if (!outside(p.dst, to))
            store(p.dst, to.x, to.y, made[k]);
    }
}
