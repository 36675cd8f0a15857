#version 460
// Parts of a frame, put over what was made of its drawing: ksr_kept_rows(), of the frame fitted by
// filter_columns() and filter_row() of frame/resample.c. Most samples have no weight, and cost none
// of that.

#extension GL_GOOGLE_include_directive : require
#include "plane.glsl"

PARAMS(ksr_gpu_kept);

const int BITS = 14, FULL = 256;

int limited(int sum, int low, int high)
{
    const int v = sum >> BITS;
    return v < low ? low : v > high ? high : v;
}

// Sample of column x of the frame at row y of dst.
int column(int x, int y)
{
    const int first = p.places_y.at[3 * y], inner = p.places_y.at[3 * y + 1],
              inner_end = inner + p.places_y.at[3 * y + 2];
    int sum = 1 << (BITS - 1), low = SAMPLE_MAX, high = 0;
    for (int k = 0; k < p.taps_y; k++) {
        const int v = load(p.src, x, first + k);
        sum += int(p.coefficients_y.at[y * p.taps_y + k]) * v;
        low = k >= inner && k < inner_end ? min(low, v) : low;
        high = k >= inner && k < inner_end ? max(high, v) : high;
    }
    return limited(sum, low, high);
}

int fitted(ivec2 at)
{
    const int first = p.places_x.at[3 * at.x], inner = p.places_x.at[3 * at.x + 1],
              inner_end = inner + p.places_x.at[3 * at.x + 2];
    int sum = 1 << (BITS - 1), low = SAMPLE_MAX, high = 0;
    for (int k = 0; k < p.taps_x; k++) {
        const int v = column(first + k, at.y);
        sum += int(p.coefficients_x.at[at.x * p.taps_x + k]) * v;
        low = k >= inner && k < inner_end ? min(low, v) : low;
        high = k >= inner && k < inner_end ? max(high, v) : high;
    }
    return limited(sum, low, high);
}

// The weight at column x of cells, between the rows of cells around `place`.
int weight(int x, int place)
{
    const int row = place / FULL, part = place % FULL;
    return (load(p.weights, x, row) * (FULL - part) + load(p.weights, x, row + 1) * part) / FULL;
}

void main()
{
    const ivec2 at = here();
    if (outside(p.dst, at))
        return;
    const int x = p.x.at[at.x], y = p.y.at[at.y], part = x % FULL;
    const int share = (weight(x / FULL, y) * (FULL - part) + weight(x / FULL + 1, y) * part) / FULL;
    if (share == 0)
        return;
    const int made = load(p.dst, at.x, at.y);
    store(p.dst, at.x, at.y, made + (((fitted(at) - made) * share + FULL / 2) >> 8));
}
