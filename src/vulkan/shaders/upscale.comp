#version 460
// Stage 3 for chroma and alpha: stages/upscale.c. One invocation for each sample of src, which makes
// the up to four samples of dst in its place.

#extension GL_GOOGLE_include_directive : require
#include "plane.glsl"

PARAMS(ksr_gpu_upscale);

const int TAPS = 8, BITS = 14, HALF = 1 << (BITS - 1), OFFSET = 16384;

// Tap k of a phase of an axis.
int tap(int pairs[8], int phase, int k)
{
    return bitfieldExtract(pairs[4 * phase + k / 2], 16 * (k & 1), 16);
}

int limit16(int value)
{
    return clamp(value, -32768, 32767);
}

// The range of the 3x3 samples around.
ivec2 find_limits(ivec2 at)
{
    ivec2 range = ivec2(SAMPLE_MAX, 0);
    [[unroll]] for (int dy = -1; dy <= 1; dy++)
        [[unroll]] for (int dx = -1; dx <= 1; dx++) {
            const int v = load(p.src, at.x + dx, at.y + dy);
            range = ivec2(min(range.x, v), max(range.y, v));
        }
    return range;
}

void main()
{
    const ivec2 at = here();
    if (outside(p.dst, 2 * at))
        return;
    const ivec2 range = find_limits(at);
    [[unroll]] for (int phase_y = 0; phase_y < 2; phase_y++) {
        if (2 * at.y + phase_y >= p.dst.height)
            break;
        int column[TAPS + 1];
        [[unroll]] for (int i = 0; i <= TAPS; i++) {
            int sum = HALF - (OFFSET << BITS);
            [[unroll]] for (int k = 0; k < TAPS; k++)
                sum += tap(p.y, phase_y, k) * load(p.src, at.x - 4 + i, at.y - 4 + phase_y + k);
            column[i] = limit16(sum >> BITS);
        }
        [[unroll]] for (int phase_x = 0; phase_x < 2; phase_x++) {
            int sum = HALF;
            [[unroll]] for (int k = 0; k < TAPS; k++)
                sum += tap(p.x, phase_x, k) * column[k + phase_x];
            if (2 * at.x + phase_x < p.dst.width)
                store(p.dst, 2 * at.x + phase_x, 2 * at.y + phase_y,
                      clamp(limit16(sum >> BITS) + OFFSET, range.x, range.y));
        }
    }
}
