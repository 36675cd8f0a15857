// See character.h. A character is painted back to front, around the middle of the face: chin at
// y = 110, crown at y = -130, both sides mirrored.

#include "character.h"

#include <math.h>

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

void character_draw(struct canvas *c, const struct character *who, const struct pose *pose)
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

struct pose character_pose(int drawing, bool talks)
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
