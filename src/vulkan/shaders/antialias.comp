#version 460
// Anti-aliasing: stages/antialias.c.

#extension GL_GOOGLE_include_directive : require
#include "plane.glsl"

PARAMS(ksr_gpu_antialias);

const int REACH = 16, STEP_MIN = 16 * 128, LIMIT_MIN = 2 * 128;

// What is known of the way to the end of a run on one side.
struct Way {
    int distance, rise; // rise of the border, above 0: to the first side
    bool clear;
};

int at(ivec2 a)
{
    return load(p.src, a.x, a.y);
}

int gap(ivec2 a, ivec2 b)
{
    return abs(at(a) - at(b));
}

int limit_of(int step)
{
    return max(3 * (step >> 2) >> 2, LIMIT_MIN);
}

// SAMPLE_MAX where `a` lies between what is on both sides of it.
int no_line(ivec2 a, ivec2 behind, ivec2 b)
{
    return (at(a) < at(behind)) == (at(a) < at(b)) ? 0 : SAMPLE_MAX;
}

// a: a sample behind whose border, in direction d, lies the other colour; on: one step along it.
int misfit_one(ivec2 a, ivec2 d, ivec2 on)
{
    const ivec2 b = a + d, behind = a - d;
    const int thin = max(max(gap(a + on, behind), gap(behind + on, behind)),
                         max(gap(b + d, b), no_line(a, behind, b)));
    return max(max(gap(b + on, a), gap(b + d + on, b)), min(gap(a + on, a), thin));
}

int misfit_two(ivec2 a, ivec2 d, ivec2 on)
{
    const ivec2 b = a + d, behind = a - 2 * d;
    const int thin = max(max(gap(a + on, behind), gap(a - d + on, behind)),
                         max(max(gap(behind + on, behind), gap(b + 2 * d, b)),
                             no_line(a, behind, b)));
    const int doubled = max(gap(a - d, a), gap(b + d, b));
    return max(max(max(gap(b + on, a), gap(b + d + on, a)), max(gap(b + 2 * d + on, b), doubled)),
               min(gap(a + on, a), thin));
}

// Follows the border between a and a + d along `on`.
Way follow(ivec2 a, ivec2 d, ivec2 on)
{
    for (int k = 0; k < REACH; k++) {
        const ivec2 b = a + d;
        const int step = gap(a, b), lesser = min(step, gap(a + on, b + on));
        if (lesser >= STEP_MIN && max(gap(a, a + on), gap(b, b + on)) <= limit_of(lesser)) {
            a += on;
            continue;
        }
        const int limit = limit_of(step);
        const int down_one = misfit_one(a, d, on), down_two = misfit_two(a, d, on);
        const int up_one = misfit_one(b, -d, on), up_two = misfit_two(b, -d, on);
        const int two = min(down_two, up_two), misfit = min(min(down_one, up_one), two);
        if (step < STEP_MIN || misfit > limit)
            return Way(k, 0, false);
        const int lines = two == misfit ? 2 : 1;
        return Way(k, min(down_one, down_two) == misfit ? -lines : lines,
                   misfit <= max(step >> 4, LIMIT_MIN));
    }
    return Way(REACH, 0, false);
}

bool counts(Way back, Way forth, int len)
{
    const int stair = max(abs(back.rise), abs(forth.rise));
    if (back.rise * forth.rise < 0)
        return abs(back.rise) + abs(forth.rise) <= 2 * len &&
               (len > stair || back.clear && forth.clear);
    if (back.rise * forth.rise > 0)
        return len >= 5 * stair;
    return len >= 2 * stair && (back.clear || forth.clear);
}

int part_of(int step, int part, int whole)
{
    const int size = (abs(step) * part + whole / 2) / whole;
    return step < 0 ? -size : size;
}

// What the border between a and a + d changes at a, or at a + d if `beyond`.
int change(ivec2 a, ivec2 d, bool beyond)
{
    const int step = at(a + d) - at(a);
    if (abs(step) < STEP_MIN)
        return 0;
    const ivec2 on = d.yx;
    const Way back = follow(a, d, -on), forth = follow(a, d, on);
    const int len = back.distance + forth.distance + 1, off = abs(back.distance - forth.distance);
    if (!counts(back, forth, len))
        return 0;
    const int rise = back.distance < forth.distance ? back.rise : forth.rise;
    if (off == 0 && back.rise * forth.rise < 0) {
        const int both =
            part_of(step, (abs(back.rise) + abs(forth.rise)) * p.strength, 16 * len * 256);
        return beyond ? -both : both;
    }
    if (rise > 0 == beyond)
        return 0;
    const int part = part_of(step, abs(rise) * off * p.strength, 2 * len * 256);
    return beyond ? -part : part;
}

void main()
{
    const ivec2 c = here(), right = ivec2(1, 0), down = ivec2(0, 1);
    if (outside(p.dst, c))
        return;
    const int rows = change(c, down, false) + change(c - down, down, true);
    const int columns = change(c, right, false) + change(c - right, right, true);
    const int sum = abs(columns) > abs(rows) ? columns : rows;
    store(p.dst, c.x, c.y, clamp(at(c) + sum, 0, SAMPLE_MAX));
}
