// See scene.h. Everything is painted back to front.

#include "scene.h"

#include <math.h>

#include "character.h"

enum { DRAWINGS_PER_SECOND = 12 };

// A number from 0 to 1 that looks random and depends on `seed` alone.
static double noise(uint32_t seed)
{
    seed = seed * 747796405u + 2891336453u;
    seed = ((seed >> ((seed >> 28) + 4)) ^ seed) * 277803737u;
    return ((seed >> 22) ^ seed) / 4294967296.0;
}

static double half_width(const struct canvas *canvas)
{
    return CANVAS_HEIGHT / 2 * canvas->width / canvas->height;
}

static void fill_screen(struct canvas *canvas, struct colour top, struct colour bottom)
{
    const double half = half_width(canvas) + 4;

    path_rectangle(canvas, -half, -454, 2 * half, 908);
    paint_gradient(canvas, top, -450, bottom, 300, 1);
}

// --- scene 0: the road by day ---

static void draw_cloud(struct canvas *c, double x, double y, double size, uint32_t seed)
{
    for (int pass = 0; pass < 2; pass++) {
        const struct colour colour = pass ? RGB(0xffffff) : RGB(0xcfe3f3);
        const double shift = pass ? -0.10 * size : 0;
        for (uint32_t i = 0; i < 9; i++) {
            const double t = i / 8.0 * 2 - 1,
                         r = size * (0.20 + 0.24 * noise(seed + i)) * (1.15 - t * t * 0.8);
            path_ellipse(c, x + t * size, y - r * 0.7 + shift, r * 1.15, r);
            paint_fill(c, colour, 1);
        }
        path_rectangle(c, x - size, y - size * 0.16 + shift, 2 * size, size * 0.16);
        paint_fill(c, colour, 1);
    }
}

// A ridge of hills, from edge to edge.
static void draw_hills(struct canvas *c, double pan, double base, double height, double length,
                       struct colour top, struct colour bottom)
{
    const double half = half_width(c) + 10;

    path_begin(c, -half, 460);
    for (double x = -half; x <= half + 12; x += 12) {
        const double t = (x + pan) / length;
        path_line(c, x, base - height * (0.5 + 0.32 * sin(t) + 0.18 * sin(t * 2.3 + 1)));
    }
    path_line(c, half + 12, 460);
    paint_gradient(c, top, base - height, bottom, base + 60, 1);
}

static void draw_house(struct canvas *c, double x, double y, double width, double height,
                       uint32_t seed)
{
    static const uint32_t walls[] = {0xf4ead8, 0xe9dfe6, 0xdfe7ea, 0xf3e1d0};
    static const uint32_t roofs[] = {0xb5584a, 0x5a6f9c, 0x7d6a5c, 0x4f8a86};
    const struct colour line = RGB(0x5b5568);
    const uint32_t wall = walls[(int)(noise(seed) * 4)], roof = roofs[(int)(noise(seed + 1) * 4)];

    path_rectangle(c, x, y - height, width, height);
    paint_fill(c, RGB(wall), 1);
    paint_outline(c, line, 2.4);
    path_begin(c, x - 12, y - height);
    path_line(c, x + width * 0.2, y - height - 44);
    path_line(c, x + width * 0.8, y - height - 44);
    path_line(c, x + width + 12, y - height);
    paint_fill(c, RGB(roof), 1);
    paint_outline(c, line, 2.4);
    for (int i = 0; i < 2; i++) {
        path_rectangle(c, x + width * (0.16 + 0.42 * i), y - height * 0.74, width * 0.24,
                       height * 0.30);
        paint_fill(c, RGB(0x8fb8d8), 1);
        paint_outline(c, line, 2);
    }
}

static void draw_town(struct canvas *c, double pan)
{
    const double half = half_width(c), step = 190;
    const int first = (int)floor((pan - half - step) / step);

    for (int i = first; i * step - pan < half + step; i++) {
        const uint32_t seed = (uint32_t)i * 7 + 100;
        draw_house(c, i * step - pan + 30 * noise(seed + 3), 262, 110 + 40 * noise(seed + 4),
                   70 + 50 * noise(seed + 5), seed);
        path_ellipse(c, i * step - pan + 168, 236, 34, 40);
        paint_fill(c, RGB(0x4d9160), 1);
        path_ellipse(c, i * step - pan + 160, 226, 22, 26);
        paint_fill(c, RGB(0x6db377), 1);
    }
}

static void draw_poles(struct canvas *c, double pan)
{
    const struct colour line = RGB(0x4a4a5c), fill = RGB(0x8d8b94);
    const double half = half_width(c), step = 760;
    const int first = (int)floor((pan - half - step) / step);

    for (int i = first; i * step - pan < half + step; i++) {
        const double x = i * step - pan + 120;
        for (int wire = 0; wire < 3; wire++) {
            const double y = -300 + wire * 38, sag = 46 + 8 * wire;
            path_begin(c, x, y);
            path_curve(c, x + step * 0.33, y + sag, x + step * 0.67, y + sag, x + step, y);
            paint_stroke(c, line, 2.6, 2, 2.6);
        }
        path_rectangle(c, x - 9, -350, 18, 720);
        paint_fill(c, fill, 1);
        paint_outline(c, line, 2.6);
        for (int arm = 0; arm < 2; arm++) {
            path_rectangle(c, x - 56, -306 + arm * 44, 112, 10);
            paint_fill(c, fill, 1);
            paint_outline(c, line, 2.2);
        }
    }
}

static void draw_rail(struct canvas *c, double pan)
{
    const struct colour line = RGB(0x55627a), fill = RGB(0xf2f6fa), shade = RGB(0xc4d2e0);
    const double half = half_width(c) + 20, step = 170;

    path_rectangle(c, -half, 320, 2 * half, 140);
    paint_gradient(c, RGB(0xc9b79c), 320, RGB(0xab9a86), 450, 1);
    for (double x = -fmod(pan, step) - half - step + fmod(half, step); x < half; x += step) {
        path_rectangle(c, x, 262, 16, 110);
        paint_fill(c, shade, 1);
        paint_outline(c, line, 2.4);
    }
    for (int i = 0; i < 2; i++) {
        path_rectangle(c, -half, 270 + 40 * i, 2 * half, 18);
        paint_gradient(c, fill, 272 + 40 * i, shade, 286 + 40 * i, 1);
        paint_outline(c, line, 2.4);
    }
}

// "KIZUNA" in straight pen strokes, with a dark rim, as a title card has it.
static void draw_title(struct canvas *c)
{
    static const struct {
        int letter;
        double x0, y0, x1, y1;
    } strokes[] = {
        {0, 0, 0, 0, 1},    {0, .62, 0, 0, .55},     {0, .2, .4, .66, 1},  {1, .3, 0, .3, 1},
        {2, 0, 0, .66, 0},  {2, .66, 0, 0, 1},       {2, 0, 1, .66, 1},    {3, 0, 0, 0, .8},
        {3, 0, .8, .2, 1},  {3, .2, 1, .46, 1},      {3, .46, 1, .66, .8}, {3, .66, .8, .66, 0},
        {4, 0, 1, 0, 0},    {4, 0, 0, .66, 1},       {4, .66, 1, .66, 0},  {5, 0, 1, .35, 0},
        {5, .35, 0, .7, 1}, {5, .12, .66, .58, .66},
    };
    const double size = 92, left = -half_width(c) + 70, top = 262;

    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < sizeof(strokes) / sizeof(strokes[0]); i++) {
            const double x = left + strokes[i].letter * size * 0.95;
            const double width = pass ? 15 : 29;
            path_begin(c, x + strokes[i].x0 * size, top + strokes[i].y0 * size);
            path_line(c, x + strokes[i].x0 * size, top + strokes[i].y0 * size);
            path_line(c, x + strokes[i].x1 * size, top + strokes[i].y1 * size);
            paint_stroke(c, pass ? RGB(0xfffdf5) : RGB(0x27386b), width, width, width);
        }
    }
}

static void paint_day(struct canvas *c, const struct moment *moment)
{
    static const struct character girl = {
        .line = {0.23f, 0.14f, 0.17f},
        .skin = {1.00f, 0.90f, 0.83f},
        .skin_shade = {0.95f, 0.76f, 0.70f},
        .blush = {0.96f, 0.56f, 0.55f},
        .hair = {0.98f, 0.62f, 0.42f},
        .hair_shade = {0.82f, 0.42f, 0.34f},
        .hair_light = {1.00f, 0.83f, 0.63f},
        .eye_top = {0.08f, 0.30f, 0.48f},
        .eye_bottom = {0.36f, 0.84f, 0.90f},
        .eye_dark = {0.06f, 0.14f, 0.28f},
        .shirt = {0.98f, 0.98f, 1.00f},
        .shirt_shade = {0.80f, 0.84f, 0.93f},
        .collar = {0.20f, 0.29f, 0.55f},
        .ribbon = {0.90f, 0.25f, 0.32f},
        .ribbon_shade = {0.70f, 0.15f, 0.26f},
        .long_hair = true,
    };
    const double t = moment->seconds, half = half_width(c);
    const struct pose pose = character_pose(moment->drawing, true);
    const double step = sin(moment->drawing * TURN / 8);

    fill_screen(c, RGB(0x3f8fe0), RGB(0xd5f1fb));
    for (int i = -1; i < 4; i++) {
        const double span = 760, x = fmod(i * span - t * 26 + 8 * span, 5 * span) - 1.6 * span;
        draw_cloud(c, x, -150 + 90 * (i & 1), 170 + 40 * (i & 1), (uint32_t)(i + 9) * 31);
    }
    draw_hills(c, t * 40, 190, 170, 210, RGB(0x8fc3cf), RGB(0xb9dde0));
    draw_hills(c, t * 70 + 500, 250, 130, 150, RGB(0x63a585), RGB(0x8cc48f));
    draw_town(c, t * 110);
    draw_poles(c, t * 230);
    draw_rail(c, t * 420);

    const struct transform before =
        canvas_place(c, half * 0.22, 40 + 6 * step, 1.75, 1.75, 0.012 * step);
    character_draw(c, &girl, &pose);
    canvas_restore(c, before);
    if (moment->title && moment->drawing < 2 * DRAWINGS_PER_SECOND)
        draw_title(c);
}

// --- scene 1: the city at dusk ---

static void draw_stars(struct canvas *c, int drawing)
{
    for (uint32_t i = 0; i < 70; i++) {
        const double x = (noise(i) * 2 - 1) * half_width(c), y = -450 + 420 * noise(i + 500);
        const double twinkle = noise(i * 13 + (uint32_t)(drawing / 3)) > 0.15 ? 1 : 0.4;
        const double size = 1.5 + 2.5 * noise(i + 900);
        path_ellipse(c, x, y, size, size);
        paint_fill(c, RGB(0xfff6dc), twinkle * (0.5 + 0.5 * noise(i + 77)));
    }
}

static void draw_city(struct canvas *c, double shift, double base, double unit, uint32_t seed,
                      struct colour wall, bool lights)
{
    const double half = half_width(c) + 40;
    double x = -half * 1.2 + shift;

    for (uint32_t i = 0; x < half; i++) {
        const double width = unit * (0.7 + noise(seed + i));
        const double height = unit * (0.8 + 2.2 * noise(seed + i + 300));
        path_rectangle(c, x, base - height, width + 1, height + 500);
        paint_fill(c, wall, 1);
        for (int row = 0; lights && row * 34 + 30 < height; row++) {
            for (int col = 0; col * 30 + 34 < width; col++) {
                const double on = noise(seed + i * 997 + (uint32_t)row * 31 + (uint32_t)col);
                if (on < 0.45)
                    continue;
                path_rectangle(c, x + 14 + col * 30, base - height + 16 + row * 34, 14, 18);
                paint_fill(c, on > 0.9 ? RGB(0xbfe3ff) : RGB(0xffd27a), 1);
            }
        }
        x += width + 4;
    }
}

static void draw_petals(struct canvas *c, double t)
{
    for (uint32_t i = 0; i < 26; i++) {
        const double speed = 60 + 70 * noise(i + 40), size = 8 + 10 * noise(i + 80);
        const double span = 2 * half_width(c) + 200;
        const double x = span / 2 - fmod(noise(i) * span + t * speed * 1.6, span);
        const double y = fmod(noise(i + 20) * 1000 + t * speed, 1000) - 500;
        const struct transform before =
            canvas_place(c, x + 18 * sin(t * 2 + i), y, size, size * (0.5 + 0.4 * sin(t * 3 + i)),
                         t * (1 + noise(i + 60)) + i);
        path_begin(c, -1, 0);
        path_curve(c, -0.4, -0.9, 0.7, -0.8, 1, -0.2);
        path_line(c, 0.75, 0);
        path_line(c, 1, 0.2);
        path_curve(c, 0.7, 0.8, -0.4, 0.9, -1, 0);
        paint_fill(c, i % 3 ? RGB(0xffc7d6) : RGB(0xf79bb6), 1);
        canvas_restore(c, before);
    }
}

static void paint_dusk(struct canvas *c, const struct moment *moment)
{
    static const struct character companion = {
        .line = {0.12f, 0.08f, 0.20f},
        .skin = {0.98f, 0.83f, 0.79f},
        .skin_shade = {0.83f, 0.62f, 0.68f},
        .blush = {0.90f, 0.46f, 0.52f},
        .hair = {0.33f, 0.30f, 0.58f},
        .hair_shade = {0.21f, 0.18f, 0.42f},
        .hair_light = {0.58f, 0.55f, 0.84f},
        .eye_top = {0.48f, 0.16f, 0.10f},
        .eye_bottom = {1.00f, 0.76f, 0.30f},
        .eye_dark = {0.25f, 0.08f, 0.10f},
        .shirt = {0.87f, 0.84f, 0.94f},
        .shirt_shade = {0.62f, 0.58f, 0.78f},
        .collar = {0.24f, 0.20f, 0.36f},
        .ribbon = {0.30f, 0.62f, 0.70f},
        .ribbon_shade = {0.20f, 0.44f, 0.56f},
        .long_hair = false,
    };
    const double t = moment->seconds, half = half_width(c), zoom = 1 + 0.02 * t;
    struct pose pose = character_pose(moment->drawing + 9, false);

    if (moment->drawing > DRAWINGS_PER_SECOND)
        pose.mouth = moment->drawing % 7 < 4 ? 3 : 1;
    fill_screen(c, RGB(0x221f56), RGB(0xf2916b));
    draw_stars(c, moment->drawing);
    path_ellipse(c, half * 0.52, -210, 118, 118);
    paint_fill(c, RGB(0xfff3cf), 0.25);
    path_ellipse(c, half * 0.52, -210, 92, 92);
    paint_fill(c, RGB(0xfff3cf), 1);
    path_ellipse(c, half * 0.52 - 26, -232, 20, 18);
    paint_fill(c, RGB(0xf0dca8), 1);
    path_ellipse(c, half * 0.52 + 30, -190, 30, 26);
    paint_fill(c, RGB(0xf0dca8), 1);

    struct transform before = canvas_place(c, 0, 0, zoom, zoom, 0);
    draw_city(c, -8 * t, 250, 110, 11, RGB(0x7a4a7c), false);
    draw_city(c, -16 * t, 360, 150, 57, RGB(0x3b2a5a), true);
    canvas_restore(c, before);

    before = canvas_place(c, -half * 0.24, 20, 2.35 * zoom, 2.35 * zoom, -0.05);
    character_draw(c, &companion, &pose);
    canvas_restore(c, before);
    draw_petals(c, t);
}

void scene_paint(struct canvas *canvas, const struct moment *moment)
{
    if (moment->scene == 0)
        paint_day(canvas, moment);
    else
        paint_dusk(canvas, moment);
}
