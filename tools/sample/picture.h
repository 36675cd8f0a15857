// From the canvas to the encoder: painted rows become samples of any usual pixel format.

#ifndef SAMPLE_PICTURE_H
#define SAMPLE_PICTURE_H

#include <libavutil/frame.h>

#include "scene.h"

struct picture {
    struct canvas canvas;
    float *planes[3];   // width * height each: Y'CbCr (Y 0..1, Cb and Cr -0.5..0.5), or R'G'B'
    struct colour *row; // one row as painted
    uint16_t *line;     // one row as code values
    int width, height;
    enum AVPixelFormat format;
    enum AVColorSpace matrix;
    enum AVColorRange range;
    enum AVChromaLocation siting;
};

// Allocates what painting needs; the members from `width` on are set by the caller before.
// Returns NULL, or a text that says what is wrong.
const char *picture_create(struct picture *picture);
void picture_destroy(struct picture *picture);

// Paints one moment into a writable frame of the picture's size and format.
void picture_paint(struct picture *picture, const struct moment *moment, AVFrame *frame);

#endif
