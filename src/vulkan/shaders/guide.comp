#version 460
// What luma knows of the edges of chroma that has been upscaled: stages/guide.c. One invocation for
// each sample of src, which corrects the up to four samples of dst in its place.

#extension GL_GOOGLE_include_directive : require
#include "plane.glsl"

PARAMS(ksr_gpu_guide);

const int SLOPE_MAX = 2048, FLAT = 65536, FAINT = 16384, DIFFERENCE = 4, REST_MAX = 4096;

// Of the 5x5 samples around: chroma, and luma as chroma has been made of it.
int chroma[25], luma[25];

int small_luma(int x, int y)
{
    int sum = 0;
    x = 2 * clamp(x, 0, p.src.width - 1);
    y = 2 * clamp(y, 0, p.src.height - 1);
    for (int dy = -p.before_y; dy <= 1; dy++)
        for (int dx = -p.before_x; dx <= 1; dx++)
            sum += (dx == 0 ? 2 : dx < 0 ? 1 : 2 - p.before_x) *
                   (dy == 0 ? 2 : dy < 0 ? 1 : 2 - p.before_y) * load(p.luma, x + dx, y + dy);
    return (sum + 8) >> 4;
}

// The slope and the rest of sample k of the 5x5.
ivec2 find_slope(int k)
{
    int l = 0, c = 0, ll = 0, cc = 0, lc = 0;
    for (int dy = -1; dy <= 1; dy++)
        for (int dx = -1; dx <= 1; dx++) {
            const int weight = (2 - abs(dx)) * (2 - abs(dy)), at = k + 5 * dy + dx;
            const int dl = (luma[at] - luma[k]) >> DIFFERENCE;
            const int dc = (chroma[at] - chroma[k]) >> DIFFERENCE;
            l += weight * dl;
            c += weight * dc;
            ll += weight * dl * dl;
            cc += weight * dc * dc;
            lc += weight * dl * dc;
        }
    const int both = 16 * lc - l * c;
    const uint64_t most = uint64_t(abs(both));
    const uint64_t size = most * 1024 / uint64_t(16 * ll - l * l + FLAT);
    const int64_t part = int64_t(most * size / uint64_t(16 * cc - c * c + FAINT));
    const int64_t a = both < 0 ? -int64_t(size) : int64_t(size);
    const int64_t slope = (a * part * part * p.strength + (1 << 27)) >> 28;
    const int64_t rest = (int64_t(c) * 1024 - a * l + 512) >> 10;
    return ivec2(int(clamp(slope, int64_t(-SLOPE_MAX), int64_t(SLOPE_MAX))),
                 soft(int(clamp(rest, int64_t(-REST_MAX), int64_t(REST_MAX))), p.limit));
}

// Eighths of the sample before an even sample that is made, or after an odd one.
int eighths(int before, int phase)
{
    return before == 0 ? 2 : phase == 1 ? 3 : 1;
}

void main()
{
    const ivec2 at = here();
    if (outside(p.dst, 2 * at))
        return;
    ivec2 slopes[9];
    int low = SAMPLE_MAX, high = 0;
    for (int k = 0; k < 25; k++) {
        chroma[k] = load(p.src, at.x + k % 5 - 2, at.y + k / 5 - 2);
        luma[k] = small_luma(at.x + k % 5 - 2, at.y + k / 5 - 2);
    }
    for (int k = 0; k < 9; k++) {
        const int middle = 6 + 5 * (k / 3) + k % 3;
        slopes[k] = find_slope(middle);
        low = min(low, chroma[middle]);
        high = max(high, chroma[middle]);
    }
    for (int phase = 0; phase < 4; phase++) {
        const ivec2 way = ivec2(phase & 1, phase >> 1), side = 2 * way - 1, dst = 2 * at + way;
        if (outside(p.dst, dst))
            continue;
        const int part_x = eighths(p.before_x, way.x), part_y = eighths(p.before_y, way.y);
        ivec3 sum = ivec3(32);
        for (int k = 0; k < 4; k++) {
            const ivec2 d = ivec2(k & 1, k >> 1);
            const int weight = (d.x == 0 ? 8 - part_x : part_x) * (d.y == 0 ? 8 - part_y : part_y);
            sum.xy += weight * slopes[4 + 3 * d.y * side.y + d.x * side.x];
            sum.z += weight * luma[12 + 5 * d.y * side.y + d.x * side.x];
        }
        sum >>= 6;
        int guide = 8;
        for (int dy = -p.before_y; dy <= 0; dy++)
            for (int dx = -p.before_x; dx <= 0; dx++)
                guide += (dx < 0 ? 1 : 4 - p.before_x) * (dy < 0 ? 1 : 4 - p.before_y) *
                         load(p.luma, dst.x + dx, dst.y + dy);
        const int v = load(p.dst, dst.x, dst.y) + ((sum.x * ((guide >> 4) - sum.z) + 512) >> 10);
        store(p.dst, dst.x, dst.y, clamp(v + sum.y, low, high));
    }
}
