#version 460
// Stage 4 for luma: stages/enhance.c.

#extension GL_GOOGLE_include_directive : require
#include "plane.glsl"

PARAMS(ksr_gpu_enhance_luma);

const int CODE = 128, ONE = 4096;
const int BINOMIAL[5] = {1, 4, 6, 4, 1};

int sharpened(ivec2 at, int c)
{
    int detail = 256 * c, low = c, high = c;
    [[unroll]] for (int dy = -2; dy <= 2; dy++)
        [[unroll]] for (int dx = -2; dx <= 2; dx++) {
            const int v = load(p.src, at.x + dx, at.y + dy);
            detail -= BINOMIAL[dx + 2] * BINOMIAL[dy + 2] * v;
            if (abs(dx) <= 1 && abs(dy) <= 1) {
                low = min(low, v);
                high = max(high, v);
            }
        }
    const int v = c + ((((detail + 8) >> 4) * p.sharpening + 2048) >> 12);
    const int beyond = ((high - low) * p.sharpening) >> 12;
    return clamp(v, low - beyond, high + beyond);
}

// How far both samples at a distance are above the middle one.
int valley(ivec2 at, int c, int dx, int dy)
{
    return min(load(p.src, at.x + dx, at.y + dy), load(p.src, at.x - dx, at.y - dy)) - c;
}

int darkening(ivec2 at, int c)
{
    int depth = 0;
    [[unroll]] for (int far = 2; far <= 4; far += 2) {
        const int diagonal = far == 2 ? 2 : 3;
        depth = max(depth, valley(at, c, far, 0));
        depth = max(depth, valley(at, c, 0, far));
        depth = max(depth, valley(at, c, diagonal, diagonal));
        depth = max(depth, valley(at, c, diagonal, -diagonal));
    }
    return (max(0, depth - CODE) * p.line_darkening + 256) >> 9;
}

void main()
{
    const ivec2 at = here();
    if (outside(p.dst, at))
        return;
    const int c = load(p.src, at.x, at.y);
    int v = c;
    if (p.sharpening != 0)
        v = sharpened(at, c);
    if (p.line_darkening != 0)
        v -= darkening(at, c);
    const int distance = clamp(v, 0, SAMPLE_MAX) - p.mid;
    const int enhanced = p.mid + ((distance * p.contrast + ONE / 2) >> 12);
    store(p.dst, at.x, at.y, clamp(enhanced, min(c, p.black), max(c, p.white)));
}
