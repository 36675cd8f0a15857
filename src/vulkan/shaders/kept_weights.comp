#version 460
// From marks of cells to weights: ksr_kept_weigh(). Beyond the edges, cells are as those at them,
// marked or grown.

#extension GL_GOOGLE_include_directive : require
#include "plane.glsl"

PARAMS(ksr_gpu_kept_weights);

const int GROW = 2, FULL = 256;

int grown(int x, int y)
{
    int any = 0;
    for (int j = y - GROW; j <= y + GROW; j++)
        for (int i = x - GROW; i <= x + GROW; i++)
            any |= load(p.marks, i, j);
    return any;
}

void main()
{
    const ivec2 at = here(), last = ivec2(p.marks.width, p.marks.height) - 1;
    if (outside(p.dst, at))
        return;
    int sum = 0;
    for (int j = at.y - 1; j <= at.y + 1; j++)
        for (int i = at.x - 1; i <= at.x + 1; i++)
            sum += grown(clamp(i, 0, last.x), clamp(j, 0, last.y));
    store(p.dst, at.x, at.y, (sum * FULL + 4) / 9);
}
