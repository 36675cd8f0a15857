// See picture.h.

#include "picture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/pixdesc.h>

enum { BAND_ROWS = 32 };

const char *picture_create(struct picture *picture)
{
    const AVPixFmtDescriptor *format = av_pix_fmt_desc_get(picture->format);
    const uint64_t unusual = AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BITSTREAM |
                             AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_FLOAT |
                             AV_PIX_FMT_FLAG_BAYER;
    const size_t pixels = (size_t)picture->width * (size_t)picture->height;

    if (!format || (format->flags & unusual))
        return "this pixel format cannot be drawn";
    if (!canvas_create(&picture->canvas, picture->width, picture->height, BAND_ROWS))
        return "out of memory";
    picture->row = calloc((size_t)picture->width, sizeof(*picture->row));
    picture->line = calloc((size_t)picture->width, sizeof(*picture->line));
    for (int i = 0; i < 3; i++)
        picture->planes[i] = calloc(pixels, sizeof(**picture->planes));
    if (!picture->row || !picture->line || !picture->planes[0] || !picture->planes[1] ||
        !picture->planes[2]) {
        picture_destroy(picture);
        return "out of memory";
    }
    return NULL;
}

void picture_destroy(struct picture *picture)
{
    canvas_destroy(&picture->canvas);
    free(picture->row);
    free(picture->line);
    picture->row = NULL;
    picture->line = NULL;
    for (int i = 0; i < 3; i++) {
        free(picture->planes[i]);
        picture->planes[i] = NULL;
    }
}

// Kr and Kb of the matrix; Kg is what is left.
static void matrix_weights(enum AVColorSpace matrix, float *red, float *blue)
{
    if (matrix == AVCOL_SPC_BT470BG || matrix == AVCOL_SPC_SMPTE170M) {
        *red = 0.299f;
        *blue = 0.114f;
    } else if (matrix == AVCOL_SPC_BT2020_NCL) {
        *red = 0.2627f;
        *blue = 0.0593f;
    } else {
        *red = 0.2126f;
        *blue = 0.0722f;
    }
}

static void store_row(struct picture *picture, int y, const struct colour *row, bool rgb)
{
    const size_t start = (size_t)y * (size_t)picture->width;
    float red, blue;

    matrix_weights(picture->matrix, &red, &blue);
    for (int x = 0; x < picture->width; x++) {
        const struct colour c = row[x];
        if (rgb) {
            picture->planes[0][start + (size_t)x] = c.r;
            picture->planes[1][start + (size_t)x] = c.g;
            picture->planes[2][start + (size_t)x] = c.b;
        } else {
            const float luma = red * c.r + (1 - red - blue) * c.g + blue * c.b;
            picture->planes[0][start + (size_t)x] = luma;
            picture->planes[1][start + (size_t)x] = (c.b - luma) / (2 * (1 - blue));
            picture->planes[2][start + (size_t)x] = (c.r - luma) / (2 * (1 - red));
        }
    }
}

static int clamp(int value, int limit)
{
    return value < 0 ? 0 : value >= limit ? limit - 1 : value;
}

// The mean of the `step` luma positions that sample `i` of a subsampled axis stands for. On an
// axis that is co-sited with luma they lie around position i * step, with half a share at the ends.
static int axis_taps(int i, int step, bool cosited, int positions[9], float shares[9])
{
    const bool spread = cosited && step > 1;
    const int count = spread ? step + 1 : step;
    const int first = spread ? i * step - step / 2 : i * step;

    for (int k = 0; k < count; k++) {
        positions[k] = first + k;
        shares[k] = (spread && (k == 0 || k == step) ? 0.5f : 1.0f) / step;
    }
    return count;
}

static float mean_at(const struct picture *picture, const float *plane, int x, int y, int step_x,
                     int step_y)
{
    const bool left = picture->siting != AVCHROMA_LOC_CENTER && picture->siting != AVCHROMA_LOC_TOP;
    const bool top = picture->siting == AVCHROMA_LOC_TOPLEFT || picture->siting == AVCHROMA_LOC_TOP;
    int columns[9], rows[9];
    float shares_x[9], shares_y[9], sum = 0;
    const int count_x = axis_taps(x, step_x, left, columns, shares_x);
    const int count_y = axis_taps(y, step_y, top, rows, shares_y);

    for (int j = 0; j < count_y; j++) {
        const float *row = plane + (size_t)clamp(rows[j], picture->height) * (size_t)picture->width;
        for (int i = 0; i < count_x; i++)
            sum += row[clamp(columns[i], picture->width)] * shares_x[i] * shares_y[j];
    }
    return sum;
}

static uint16_t quantize(float value, bool chroma, bool full, int depth)
{
    const float unit = (float)(1 << (depth - 8 > 0 ? depth - 8 : 0)); // of limited range
    const int maximum = (1 << depth) - 1;
    float code;

    if (full)
        code = value * maximum + (chroma ? (float)(1 << (depth - 1)) : 0);
    else
        code = chroma ? (128 + 224 * value) * unit : (16 + 219 * value) * unit;
    const long rounded = lrintf(code);
    return (uint16_t)(rounded < 0 ? 0 : rounded > maximum ? maximum : rounded);
}

static void write_component(struct picture *picture, const AVPixFmtDescriptor *format,
                            int component, AVFrame *frame)
{
    const bool rgb = format->flags & AV_PIX_FMT_FLAG_RGB;
    const bool alpha =
        (format->flags & AV_PIX_FMT_FLAG_ALPHA) && component == format->nb_components - 1;
    const bool chroma = !rgb && !alpha && component > 0;
    const bool full = rgb || alpha || picture->range == AVCOL_RANGE_JPEG;
    const int shift_x = chroma ? format->log2_chroma_w : 0;
    const int shift_y = chroma ? format->log2_chroma_h : 0;
    const int width = AV_CEIL_RSHIFT(picture->width, shift_x);
    const int height = AV_CEIL_RSHIFT(picture->height, shift_y);

    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            // Alpha fades a little from left to right, so that a lost plane is noticed.
            const float value = alpha ? 1 - 0.5f * x / width
                                      : mean_at(picture, picture->planes[component], x, y,
                                                1 << shift_x, 1 << shift_y);
            picture->line[x] = quantize(value, chroma, full, format->comp[component].depth);
        }
        av_write_image_line(picture->line, frame->data, frame->linesize, format, 0, y, component,
                            width);
    }
}

void picture_paint(struct picture *picture, const struct moment *moment, AVFrame *frame)
{
    const AVPixFmtDescriptor *format = av_pix_fmt_desc_get(picture->format);

    for (int top = 0; top < picture->height; top += BAND_ROWS) {
        const int left = picture->height - top;
        const int rows = left < BAND_ROWS ? left : BAND_ROWS;
        canvas_start(&picture->canvas, top, rows);
        scene_paint(&picture->canvas, moment);
        for (int y = 0; y < rows; y++) {
            canvas_resolve(&picture->canvas, y, picture->row);
            store_row(picture, top + y, picture->row, format->flags & AV_PIX_FMT_FLAG_RGB);
        }
    }
    // av_write_image_line() adds bits to what is there.
    for (int i = 0; i < AV_NUM_DATA_POINTERS && frame->buf[i]; i++)
        memset(frame->buf[i]->data, 0, frame->buf[i]->size);
    for (int component = 0; component < format->nb_components; component++)
        write_component(picture, format, component, frame);
}
