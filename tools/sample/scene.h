// What the sample film shows: two scenes of a simple anime, drawn on a canvas.
//
// Scene 0: a girl walks along a road by day; the background pans behind her, she talks, blinks and
// her hair sways. Scene 1, after a hard cut: a friend at dusk, closer, with the moon, city lights
// and drifting petals, and a slow zoom. As in real anime, backgrounds move on every frame and
// drawings on twos: a drawing stands for two frames.

#ifndef SAMPLE_SCENE_H
#define SAMPLE_SCENE_H

#include "canvas.h"

struct moment {
    int scene;      // 0 or 1
    double seconds; // since the scene began, for what moves smoothly
    int drawing;    // number of the drawing since the scene began, for what moves on twos
    bool title;     // show the title over scene 0 while it is young
};

// Paints the band that the canvas has been started with.
void scene_paint(struct canvas *canvas, const struct moment *moment);

#endif
