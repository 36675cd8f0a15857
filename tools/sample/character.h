// The characters of the sample film, and how they move.

#ifndef SAMPLE_CHARACTER_H
#define SAMPLE_CHARACTER_H

#include "canvas.h"

#define TURN 6.28318530717958647692
#define RGB(hex)                                                                                   \
    ((struct colour){((hex) >> 16 & 255) / 255.0f, ((hex) >> 8 & 255) / 255.0f,                    \
                     ((hex)&255) / 255.0f})

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

// Paints a character around the origin.
void character_draw(struct canvas *c, const struct character *who, const struct pose *pose);

// Returns the pose of a drawing, counted from the scene's first. Eyes close for a moment every two
// seconds and a half; the mouth follows a line of speech if the character talks.
struct pose character_pose(int drawing, bool talks);

#endif
