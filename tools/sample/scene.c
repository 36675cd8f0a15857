// See scene.h. Everything is painted back to front. The character is drawn around the middle of
// the face: chin at y = 110, crown at y = -130, both sides mirrored.

#include "scene.h"

#include <math.h>

#define TURN 6.28318530717958647692
#define RGB(hex)                                                                                   \
    ((struct colour){((hex) >> 16 & 255) / 255.0f, ((hex) >> 8 & 255) / 255.0f,                    \
                     ((hex)&255) / 255.0f})

enum { DRAWINGS_PER_SECOND = 12 };

// The colours and the cut of one character.
struct character {
    struct colour line;
    struct colour skin, skin_shade, blush;
    struct colour hair, hair_shade, hair_light;
    struct colour eye_top, eye_bottom, eye_dark;
    struct colour shirt, shirt_shade, collar, ribbon, ribbon_shade;
    bool long_hair;
};

// What changes from drawing to drawing.
struct pose {
    double blink; // 0 open .. 1 closed
    int mouth;    // 0 closed, 1 small, 2 open, 3 smile
    double look;  // iris, to the side
    double sway;  // hair, -1 .. 1
};

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

// --- the character ---

static void draw_back_hair(struct canvas *c, const struct character *who, const struct pose *pose)
{
    const double s = pose->sway * 14;

    if (who->long_hair) {
        path_begin(c, -60, -110);
        path_curve(c, -140, -60, -128, 60, -132 + s * 0.4, 150);
        path_curve(c, -134 + s, 220, -150 + s, 260, -168 + s * 1.4, 300);
        path_curve(c, -130 + s, 292, -112 + s, 276, -104 + s, 256);
        path_curve(c, -100 + s, 290, -108 + s, 316, -112 + s, 330);
        path_curve(c, -76 + s, 310, -60, 280, -56, 240);
        path_line(c, 60, 240);
        path_curve(c, 64, 280, 84 + s, 306, 116 + s * 1.2, 322);
        path_curve(c, 104 + s, 300, 104 + s, 280, 104 + s, 262);
        path_curve(c, 122 + s, 276, 142 + s, 286, 176 + s * 1.4, 284);
        path_curve(c, 150 + s, 256, 134 + s, 210, 130 + s * 0.4, 150);
        path_curve(c, 126, 60, 140, -60, 60, -110);
    } else {
        path_begin(c, -60, -110);
        path_curve(c, -132, -70, -124, 20, -112, 76);
        path_curve(c, -112 + s * 0.3, 96, -118 + s * 0.6, 112, -128 + s, 124);
        path_curve(c, -100, 124, -84, 116, -70, 104);
        path_line(c, 70, 104);
        path_curve(c, 84, 116, 100, 124, 128 + s, 122);
        path_curve(c, 118 + s * 0.6, 110, 112 + s * 0.3, 96, 112, 76);
        path_curve(c, 124, 20, 132, -70, 60, -110);
    }
    paint_fill(c, who->hair_shade, 1);
    paint_outline(c, who->line, 3.4);
}

static void draw_body(struct canvas *c, const struct character *who)
{
    // Neck, with the shadow of the chin on it.
    path_begin(c, -27, 80);
    path_curve(c, -26, 110, -26, 124, -34, 140);
    path_line(c, 0, 236);
    path_line(c, 34, 140);
    path_curve(c, 26, 124, 26, 110, 27, 80);
    paint_fill(c, who->skin, 1);
    canvas_clip(c);
    path_begin(c, -40, 80);
    path_line(c, -40, 112);
    path_curve(c, -20, 142, 14, 146, 40, 116);
    path_line(c, 40, 80);
    paint_fill(c, who->skin_shade, 1);
    canvas_unclip(c);
    path_begin(c, -27, 96);
    path_curve(c, -26, 112, -26, 126, -36, 142);
    path_move(c, 27, 96);
    path_curve(c, 26, 112, 26, 126, 36, 142);
    paint_stroke(c, who->line, 1.5, 3, 2);

    // Shirt and sleeves.
    path_begin(c, -36, 138);
    path_curve(c, -74, 160, -128, 160, -154, 200);
    path_curve(c, -172, 240, -184, 300, -192, 400);
    path_line(c, 192, 400);
    path_curve(c, 184, 300, 172, 240, 154, 200);
    path_curve(c, 128, 160, 74, 160, 36, 138);
    path_line(c, 0, 240);
    paint_fill(c, who->shirt, 1);
    paint_outline(c, who->line, 3.2);
    canvas_clip(c);
    path_begin(c, 60, 190);
    path_curve(c, 96, 240, 84, 320, 110, 400);
    path_line(c, 200, 400);
    path_line(c, 180, 240);
    path_curve(c, 150, 230, 120, 190, 60, 190);
    paint_fill(c, who->shirt_shade, 1);
    canvas_unclip(c);
    path_begin(c, -112, 262);
    path_curve(c, -122, 300, -124, 340, -124, 400);
    path_move(c, 112, 262);
    path_curve(c, 122, 300, 124, 340, 124, 400);
    paint_stroke(c, who->line, 1, 3, 3);
}

static void draw_collar(struct canvas *c, const struct character *who)
{
    for (int side = -1; side <= 1; side += 2) {
        const struct transform before = canvas_place(c, 0, 0, side, 1, 0);
        path_begin(c, 34, 134);
        path_curve(c, 66, 152, 100, 156, 122, 172);
        path_curve(c, 112, 200, 96, 224, 74, 246);
        path_curve(c, 48, 244, 20, 238, 0, 232);
        path_curve(c, 14, 200, 28, 170, 34, 134);
        paint_fill(c, who->collar, 1);
        paint_outline(c, who->line, 3);
        path_begin(c, 108, 176);
        path_curve(c, 100, 198, 86, 216, 70, 232);
        path_curve(c, 50, 231, 30, 227, 12, 220);
        paint_stroke(c, who->shirt, 3, 3, 3);
        canvas_restore(c, before);
    }
    // The ribbon: two tails, two loops, a knot.
    for (int side = -1; side <= 1; side += 2) {
        const struct transform before = canvas_place(c, 0, 236, side, 1, 0);
        path_begin(c, 2, 4);
        path_curve(c, 12, 30, 22, 52, 38, 84);
        path_line(c, 20, 78);
        path_line(c, 8, 92);
        path_curve(c, 4, 60, 0, 30, -2, 4);
        paint_fill(c, who->ribbon_shade, 1);
        paint_outline(c, who->line, 2.6);
        path_begin(c, 4, 0);
        path_curve(c, 26, -26, 52, -28, 64, -18);
        path_curve(c, 70, 0, 66, 18, 58, 28);
        path_curve(c, 40, 28, 20, 14, 4, 0);
        paint_fill(c, who->ribbon, 1);
        paint_outline(c, who->line, 2.8);
        path_begin(c, 10, 0);
        path_curve(c, 24, -6, 34, -8, 46, -6);
        paint_stroke(c, who->ribbon_shade, 4, 3, 1);
        canvas_restore(c, before);
    }
    path_ellipse(c, 0, 236, 11, 12);
    paint_fill(c, who->ribbon, 1);
    paint_outline(c, who->line, 2.8);
}

static void path_face(struct canvas *c)
{
    path_begin(c, 0, 111);
    path_curve(c, -14, 108, -60, 82, -72, 54);
    path_curve(c, -82, 28, -84, 0, -84, -40);
    path_curve(c, -80, -120, 80, -120, 84, -40);
    path_curve(c, 84, 0, 82, 28, 72, 54);
    path_curve(c, 60, 82, 14, 108, 0, 111);
}

static void draw_face(struct canvas *c, const struct character *who)
{
    path_face(c);
    paint_fill(c, who->skin, 1);
    paint_outline(c, who->line, 3.2);
    canvas_clip(c);
    // The shadow that the fringe throws on the forehead and on one cheek.
    path_begin(c, -90, -120);
    path_line(c, -90, 40);
    path_curve(c, -80, 10, -78, -4, -72, -14);
    path_curve(c, -40, 16, -14, -8, 4, -16);
    path_curve(c, 30, 12, 56, 14, 76, -8);
    path_curve(c, 72, 40, 64, 74, 40, 100);
    path_line(c, 100, 100);
    path_line(c, 90, -120);
    paint_fill(c, who->skin_shade, 1);
    canvas_unclip(c);
    for (int side = -1; side <= 1; side += 2) {
        path_ellipse(c, side * 50, 68, 15, 7);
        paint_fill(c, who->blush, 0.55);
        for (int i = 0; i < 3; i++) {
            path_begin(c, side * 50 - 6 + i * 7, 64);
            path_line(c, side * 50 - 10 + i * 7, 72);
            paint_stroke(c, who->blush, 1.2, 2, 1.2);
        }
    }
    path_begin(c, 3, 58);
    path_curve(c, 5, 62, 4, 65, -1, 66);
    paint_stroke(c, who->line, 0.8, 2.2, 0.8);
}

static void draw_iris(struct canvas *c, const struct character *who, double look)
{
    path_ellipse(c, 40 + look, 26, 16.5, 25);
    paint_gradient(c, who->eye_top, 6, who->eye_bottom, 48, 1);
    paint_outline(c, who->eye_dark, 3);
    path_ellipse(c, 40 + look, 40, 10, 9);
    paint_fill(c, who->eye_bottom, 0.9);
    path_ellipse(c, 40 + look, 25, 7.5, 11);
    paint_fill(c, who->eye_dark, 1);
    // The lid's shadow over white and iris.
    path_begin(c, 8, 0);
    path_line(c, 8, 16);
    path_curve(c, 24, 8, 54, 8, 72, 18);
    path_line(c, 72, 0);
    path_line(c, 40, -10);
    paint_fill(c, who->eye_dark, 0.35);
}

// One eye, for the right side of the picture; the left one is mirrored.
static void draw_eye(struct canvas *c, const struct character *who, const struct pose *pose,
                     int side)
{
    const double b = pose->blink;
    const double inner = 24 + 20 * b, top = -2 + 52 * b, outer = 15 + 29 * b; // the upper lid

    if (b < 0.9) {
        path_begin(c, 17, inner);
        path_curve(c, 22, top + 4, 50, top - 2, 64, outer);
        path_curve(c, 67, 34, 60, 50, 48, 52);
        path_curve(c, 34, 54, 22, 50, 17, fmax(inner, 34));
        paint_fill(c, RGB(0xffffff), 1);
        canvas_clip(c);
        draw_iris(c, who, pose->look * side);
        // Highlights stay on the same side in both eyes.
        path_ellipse(c, 40 + pose->look * side - side * 7, 15 + 30 * b, 5.5, 6.5 * (1 - b));
        paint_fill(c, RGB(0xffffff), 1);
        path_ellipse(c, 40 + pose->look * side + side * 7, 40, 3, 3.4);
        paint_fill(c, RGB(0xffffff), 0.95);
        canvas_unclip(c);
        path_begin(c, 28, 53);
        path_curve(c, 38, 55, 50, 55, 59, 46);
        paint_stroke(c, who->line, 0.8, 2.4, 1.6);
    }
    // Upper lashes: one thick brush line and a small wing.
    path_begin(c, 14, inner + 1);
    path_curve(c, 22, top + 2, 50, top - 4, 65, outer);
    path_line(c, 70, outer + 6);
    paint_stroke(c, who->line, 2, 7.5, 3);
    path_begin(c, 60, outer - 3);
    path_curve(c, 66, outer - 1, 70, outer - 3, 75, outer - 7);
    paint_stroke(c, who->line, 5, 4, 0.8);
    path_begin(c, 24, 2 + 14 * b);
    path_curve(c, 34, -8 + 14 * b, 48, -9 + 14 * b, 58, -1 + 14 * b);
    paint_stroke(c, who->line, 0.6, 1.8, 0.6);
}

static void draw_mouth(struct canvas *c, const struct character *who, int mouth)
{
    const struct colour inside = RGB(0xa8434c), tongue = RGB(0xe98a86);

    if (mouth == 0) {
        path_begin(c, -10, 85);
        path_curve(c, -5, 89, 4, 89, 10, 84);
        paint_stroke(c, who->line, 1.2, 3, 1.2);
        return;
    }
    if (mouth == 1) {
        path_begin(c, -8, 83);
        path_curve(c, -3, 81, 4, 81, 9, 83);
        path_curve(c, 8, 92, -6, 93, -8, 83);
    } else if (mouth == 2) {
        path_begin(c, -12, 81);
        path_curve(c, -4, 78, 6, 78, 13, 81);
        path_curve(c, 13, 100, -10, 102, -12, 81);
    } else {
        path_begin(c, -18, 80);
        path_curve(c, -6, 85, 8, 85, 19, 79);
        path_curve(c, 14, 102, -12, 102, -18, 80);
    }
    paint_fill(c, inside, 1);
    paint_outline(c, who->line, 2.2);
    canvas_clip(c);
    path_ellipse(c, 1, mouth == 1 ? 93 : 99, 9, 7);
    paint_fill(c, tongue, 1);
    canvas_unclip(c);
}

// The lock of hair before the ear; drawn for the right side.
static void draw_lock(struct canvas *c, const struct character *who, double sway)
{
    const double low = who->long_hair ? 150 : 96;

    path_begin(c, 62, -70);
    path_curve(c, 96, -40, 108, 10, 104, low * 0.5);
    path_curve(c, 102, low * 0.8, 96 + sway, low * 0.95, 80 + sway * 1.5, low + 14);
    path_curve(c, 82 + sway, low * 0.9, 80, low * 0.75, 78, low * 0.5);
    path_curve(c, 76 + sway, low * 0.7, 72 + sway, low * 0.76, 66 + sway, low * 0.82);
    path_curve(c, 70, low * 0.5, 74, 10, 66, -30);
    paint_fill(c, who->hair, 1);
    paint_outline(c, who->line, 3);
    path_begin(c, 88, -26);
    path_curve(c, 96, 10, 94, low * 0.4, 88 + sway * 0.4, low * 0.7);
    paint_stroke(c, who->hair_shade, 1, 4, 1);
}

static void path_fringe(struct canvas *c, const struct character *who, double sway)
{
    path_begin(c, -92, 22);
    path_curve(c, -116, -60, -84, -134, 0, -136);
    path_curve(c, 84, -134, 116, -60, 92, 22);
    path_curve(c, 88, 2, 82, -18, 74, -30);
    path_curve(c, 74, -14, 70 + sway, 0, 60 + sway, 12);
    path_curve(c, 60, -8, 56, -28, 46, -46);
    path_curve(c, 44, -26, 38 + sway, -8, 24 + sway, 6);
    path_curve(c, 24, -10, 20, -26, 12, -42);
    if (who->long_hair) {
        path_curve(c, 8, -22, 2 + sway, -8, -10 + sway, 4);
        path_curve(c, -12, -12, -14, -28, -22, -44);
        path_curve(c, -24, -26, -30 + sway, -6, -46 + sway, 10);
    } else {
        path_curve(c, 2, -18, -18 + sway, -2, -50 + sway, 4);
    }
    path_curve(c, -48, -12, -50, -28, -54, -42);
    path_curve(c, -62, -20, -66 + sway, -6, -76 + sway, 8);
    path_curve(c, -76, -8, -76, -20, -76, -28);
    path_curve(c, -84, -14, -88, 4, -92, 22);
}

static void draw_fringe(struct canvas *c, const struct character *who, const struct pose *pose)
{
    path_fringe(c, who, pose->sway * 3);
    paint_fill(c, who->hair, 1);
    canvas_clip(c);
    // Shade near the tips, then the shining band that runs around the head.
    path_begin(c, -120, 30);
    path_curve(c, -80, -26, -40, -10, 0, -22);
    path_curve(c, 40, -10, 80, -26, 120, 30);
    path_line(c, 120, 60);
    path_line(c, -120, 60);
    paint_fill(c, who->hair_shade, 1);
    path_begin(c, -96, -58);
    path_curve(c, -60, -96, 50, -98, 96, -58);
    for (int i = 0; i < 8; i++) { // and back, in teeth
        const double x = 96 - 24 * i, y = -58 - 32 * sin((i + 0.5) / 8 * TURN / 2);
        path_line(c, x - 10, y + 24 + 5 * (i % 3));
        path_line(c, x - 24, -60 - 26 * sin((i + 1) / 8.0 * TURN / 2) + 8);
    }
    paint_fill(c, who->hair_light, 1);
    canvas_unclip(c);
    path_fringe(c, who, pose->sway * 3);
    paint_outline(c, who->line, 3.2);

    // Lines that follow the strands.
    path_begin(c, 46, -46);
    path_curve(c, 44, -66, 38, -84, 28, -100);
    path_move(c, 12, -42);
    path_curve(c, 10, -64, 8, -84, 4, -102);
    path_move(c, -54, -42);
    path_curve(c, -54, -62, -48, -82, -34, -102);
    path_move(c, 74, -30);
    path_curve(c, 74, -56, 68, -76, 56, -92);
    paint_stroke(c, who->line, 2.6, 1.8, 0.4);

    // The strand that never lies flat.
    path_begin(c, -4, -134);
    path_curve(c, 2 + pose->sway * 8, -160, 22 + pose->sway * 14, -172, 40 + pose->sway * 18, -160);
    path_curve(c, 26 + pose->sway * 12, -158, 16 + pose->sway * 6, -150, 10, -134);
    paint_fill(c, who->hair, 1);
    paint_outline(c, who->line, 2.6);
    path_begin(c, -6, -131);
    path_line(c, 12, -131);
    paint_stroke(c, who->hair, 6, 6, 6);
}

static void draw_character(struct canvas *c, const struct character *who, const struct pose *pose)
{
    draw_back_hair(c, who, pose);
    draw_body(c, who);
    draw_collar(c, who);
    draw_face(c, who);
    draw_mouth(c, who, pose->mouth);
    for (int side = -1; side <= 1; side += 2) {
        const struct transform before = canvas_place(c, 0, 0, side, 1, 0);
        draw_eye(c, who, pose, side);
        canvas_restore(c, before);
    }
    for (int side = -1; side <= 1; side += 2) {
        const struct transform before = canvas_place(c, 0, 0, side, 1, 0);
        draw_lock(c, who, pose->sway * 10 * side);
        canvas_restore(c, before);
    }
    draw_fringe(c, who, pose);
    for (int side = -1; side <= 1; side += 2) { // brows show through the hair
        path_begin(c, side * 22, -20);
        path_curve(c, side * 34, -28, side * 50, -30, side * 64, -22);
        paint_stroke(c, who->line, 2.4, 3, 0.8);
    }
}

// Eyes close for a moment every two seconds and a half; the mouth follows a line of speech.
static struct pose pose_at(int drawing, bool talks)
{
    static const double blink[] = {0.45, 1, 1, 0.5};
    static const char speech[] = "0121020012102120102100001210120002101021000000";
    const int since = (drawing + 10) % 30;

    return (struct pose){
        .blink = since >= 26 ? blink[since - 26] : 0,
        .mouth = talks ? speech[drawing % (int)(sizeof(speech) - 1)] - '0' : 0,
        .sway = sin(drawing * TURN / 22) * 0.8 + 0.3 * sin(drawing * TURN / 9),
        .look = drawing % 60 > 40 ? 4 : 0,
    };
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
    const struct pose pose = pose_at(moment->drawing, true);
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
    draw_character(c, &girl, &pose);
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
    struct pose pose = pose_at(moment->drawing + 9, false);

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
    draw_character(c, &companion, &pose);
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
