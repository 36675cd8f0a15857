#version 460
// Fitting, along one axis: filter_columns() and filter_row() of frame/resample.c.

#extension GL_GOOGLE_include_directive : require
#include "plane.glsl"

PARAMS(ksr_gpu_resample);

const int BITS = 14;

void main()
{
    const ivec2 at = here();
    if (outside(p.dst, at))
        return;
    const int j = p.along_y != 0 ? at.y : at.x;
    const int first = p.places.at[3 * j], inner = p.places.at[3 * j + 1],
              inner_end = inner + p.places.at[3 * j + 2];
    int sum = 1 << (BITS - 1), low = SAMPLE_MAX, high = 0;
    for (int k = 0; k < p.taps; k++) {
        const int v = p.along_y != 0 ? load(p.src, at.x, first + k) : load(p.src, first + k, at.y);
        sum += int(p.coefficients.at[j * p.taps + k]) * v;
        low = k >= inner && k < inner_end ? min(low, v) : low;
        high = k >= inner && k < inner_end ? max(high, v) : high;
    }
    const int v = sum >> BITS;
    store(p.dst, at.x, at.y, v < low ? low : v > high ? high : v);
}
