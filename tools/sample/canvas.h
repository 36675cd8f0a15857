// A small vector canvas for the sample generator: filled and stroked curves, nothing else.
//
// The canvas holds a band of rows of the picture, enlarged by CANVAS_SUPER on both axes. Shapes
// are painted with hard edges, and canvas_resolve() averages them down, which makes the edges
// smooth. A picture is painted band by band with the same calls, so memory stays small.
//
// Coordinates are "units": the picture is 900 units high, (0, 0) is its centre, y points down.
// A transform on top of it places a drawing that was made around its own origin.
// Thread-safety: one thread at a time per canvas.

#ifndef SAMPLE_CANVAS_H
#define SAMPLE_CANVAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CANVAS_SUPER = 4,     // samples per pixel and axis
    CANVAS_POINTS = 2048, // points in one path, after curves are flattened
    CANVAS_PARTS = 64,    // closed parts of one path
};

#define CANVAS_HEIGHT 900.0 // units

// Channels 0..1, as the film's red, green and blue code values (no linear light).
struct colour {
    float r, g, b;
};

struct point {
    double x, y;
};

// x' = a x + c y + e, y' = b x + d y + f
struct transform {
    double a, b, c, d, e, f;
};

struct canvas {
    int width, height;                  // of the whole picture, in pixels
    int band_top;                       // first pixel row of the band
    int band_rows;                      // pixel rows in the band
    int max_rows;                       // pixel rows there is memory for
    struct colour *rows;                // band_rows * SUPER rows of width * SUPER samples
    uint8_t *mask;                      // same size: 1 = inside the clip path
    bool clipped;                       // painting is limited to the mask
    struct transform now;               // from drawing coordinates to samples
    struct point points[CANVAS_POINTS]; // the current path, in samples
    int starts[CANVAS_PARTS + 1];       // first point of each part
    int parts;
    int count;
};

// Returns false when there is no memory. max_rows: the highest band that will be asked for.
bool canvas_create(struct canvas *canvas, int width, int height, int max_rows);
void canvas_destroy(struct canvas *canvas);

// Starts a band; what was painted is forgotten, the transform is reset.
void canvas_start(struct canvas *canvas, int top, int rows);

// Averages pixel row `y` of the band into `out`, canvas->width colours.
void canvas_resolve(const struct canvas *canvas, int y, struct colour *out);

// Places what follows: first scaled, then turned by `angle` (radians), then moved.
// Returns the transform before it, for canvas_restore().
struct transform canvas_place(struct canvas *canvas, double x, double y, double scale_x,
                              double scale_y, double angle);
void canvas_restore(struct canvas *canvas, struct transform before);

// Paths. path_begin() forgets the last path; path_move() starts a further part of it.
void path_begin(struct canvas *canvas, double x, double y);
void path_move(struct canvas *canvas, double x, double y);
void path_line(struct canvas *canvas, double x, double y);
void path_curve(struct canvas *canvas, double x1, double y1, double x2, double y2, double x,
                double y);
void path_ellipse(struct canvas *canvas, double x, double y, double radius_x, double radius_y);
void path_rectangle(struct canvas *canvas, double x, double y, double width, double height);

// Painting the current path, which stays. alpha 0..1.
void paint_fill(struct canvas *canvas, struct colour colour, double alpha);
// From `top` at drawing height y0 to `bottom` at y1.
void paint_gradient(struct canvas *canvas, struct colour top, double y0, struct colour bottom,
                    double y1, double alpha);
// A pen line along each part: its width at the start, in the middle and at the end.
void paint_stroke(struct canvas *canvas, struct colour colour, double start, double middle,
                  double end);
// The same width all the way, the last point joined to the first.
void paint_outline(struct canvas *canvas, struct colour colour, double width);

// Limits painting to the inside of the current path until canvas_unclip(). No nesting.
void canvas_clip(struct canvas *canvas);
void canvas_unclip(struct canvas *canvas);

#endif
