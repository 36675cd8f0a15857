// See canvas.h. Fills are scanline fills with the non-zero rule; strokes are chains of fills.

#include "canvas.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TURN 6.28318530717958647692

enum { MAX_CROSSINGS = 256 };

struct paint {
    struct colour top, bottom; // colours at heights y0 and y1, in samples
    double y0, y1;
    float alpha;
    bool into_mask; // sets the mask instead of painting
};

struct crossing {
    double x;
    int direction;
};

bool canvas_create(struct canvas *canvas, int width, int height, int max_rows)
{
    size_t samples = (size_t)width * CANVAS_SUPER * (size_t)max_rows * CANVAS_SUPER;

    memset(canvas, 0, sizeof(*canvas));
    canvas->width = width;
    canvas->height = height;
    canvas->max_rows = max_rows;
    canvas->rows = calloc(samples, sizeof(*canvas->rows));
    canvas->mask = calloc(samples, 1);
    if (!canvas->rows || !canvas->mask) {
        canvas_destroy(canvas);
        return false;
    }
    return true;
}

void canvas_destroy(struct canvas *canvas)
{
    free(canvas->rows);
    free(canvas->mask);
    canvas->rows = NULL;
    canvas->mask = NULL;
}

void canvas_start(struct canvas *canvas, int top, int rows)
{
    double scale = canvas->height * CANVAS_SUPER / CANVAS_HEIGHT;

    canvas->band_top = top;
    canvas->band_rows = rows;
    canvas->clipped = false;
    canvas->now = (struct transform){
        .a = scale,
        .d = scale,
        .e = canvas->width * CANVAS_SUPER / 2.0,
        .f = (canvas->height / 2.0 - top) * CANVAS_SUPER,
    };
}

void canvas_resolve(const struct canvas *canvas, int y, struct colour *out)
{
    const size_t stride = (size_t)canvas->width * CANVAS_SUPER;
    const struct colour *first = canvas->rows + (size_t)y * CANVAS_SUPER * stride;
    const float share = 1.0f / (CANVAS_SUPER * CANVAS_SUPER);

    for (int x = 0; x < canvas->width; x++) {
        struct colour sum = {0, 0, 0};
        for (int j = 0; j < CANVAS_SUPER; j++) {
            const struct colour *sample = first + (size_t)j * stride + (size_t)x * CANVAS_SUPER;
            for (int i = 0; i < CANVAS_SUPER; i++) {
                sum.r += sample[i].r;
                sum.g += sample[i].g;
                sum.b += sample[i].b;
            }
        }
        out[x] = (struct colour){sum.r * share, sum.g * share, sum.b * share};
    }
}

struct transform canvas_place(struct canvas *canvas, double x, double y, double scale_x,
                              double scale_y, double angle)
{
    const struct transform old = canvas->now;
    const double cosine = cos(angle), sine = sin(angle);
    const double a = cosine * scale_x, b = sine * scale_x;
    const double c = -sine * scale_y, d = cosine * scale_y;

    canvas->now = (struct transform){
        .a = old.a * a + old.c * b,
        .b = old.b * a + old.d * b,
        .c = old.a * c + old.c * d,
        .d = old.b * c + old.d * d,
        .e = old.a * x + old.c * y + old.e,
        .f = old.b * x + old.d * y + old.f,
    };
    return old;
}

void canvas_restore(struct canvas *canvas, struct transform before)
{
    canvas->now = before;
}

// --- paths ---

static struct point to_samples(const struct canvas *canvas, double x, double y)
{
    const struct transform *t = &canvas->now;
    return (struct point){t->a * x + t->c * y + t->e, t->b * x + t->d * y + t->f};
}

// How many samples a unit of the current drawing is long, on average.
static double unit_length(const struct canvas *canvas)
{
    const struct transform *t = &canvas->now;
    return sqrt(fabs(t->a * t->d - t->b * t->c));
}

static void add_point(struct canvas *canvas, struct point point)
{
    if (canvas->count < CANVAS_POINTS)
        canvas->points[canvas->count++] = point;
    canvas->starts[canvas->parts] = canvas->count;
}

void path_begin(struct canvas *canvas, double x, double y)
{
    canvas->count = 0;
    canvas->parts = 0;
    path_move(canvas, x, y);
}

void path_move(struct canvas *canvas, double x, double y)
{
    if (canvas->parts < CANVAS_PARTS) {
        canvas->starts[canvas->parts] = canvas->count;
        canvas->parts++;
    }
    add_point(canvas, to_samples(canvas, x, y));
}

void path_line(struct canvas *canvas, double x, double y)
{
    add_point(canvas, to_samples(canvas, x, y));
}

void path_curve(struct canvas *canvas, double x1, double y1, double x2, double y2, double x,
                double y)
{
    const struct point p0 = canvas->points[canvas->count - 1];
    const struct point p1 = to_samples(canvas, x1, y1), p2 = to_samples(canvas, x2, y2);
    const struct point p3 = to_samples(canvas, x, y);
    const double length = hypot(p1.x - p0.x, p1.y - p0.y) + hypot(p2.x - p1.x, p2.y - p1.y) +
                          hypot(p3.x - p2.x, p3.y - p2.y);
    int steps = (int)(length / 10.0) + 4; // ten samples, 2.5 pixels, look straight enough
    if (steps > 48)
        steps = 48;

    for (int i = 1; i <= steps; i++) {
        const double t = (double)i / steps, u = 1.0 - t;
        const double b0 = u * u * u, b1 = 3 * u * u * t, b2 = 3 * u * t * t, b3 = t * t * t;
        add_point(canvas, (struct point){b0 * p0.x + b1 * p1.x + b2 * p2.x + b3 * p3.x,
                                         b0 * p0.y + b1 * p1.y + b2 * p2.y + b3 * p3.y});
    }
}

void path_ellipse(struct canvas *canvas, double x, double y, double radius_x, double radius_y)
{
    const double k = 0.55228474983; // how far the handles of a quarter circle stand out

    path_begin(canvas, x + radius_x, y);
    path_curve(canvas, x + radius_x, y + k * radius_y, x + k * radius_x, y + radius_y, x,
               y + radius_y);
    path_curve(canvas, x - k * radius_x, y + radius_y, x - radius_x, y + k * radius_y, x - radius_x,
               y);
    path_curve(canvas, x - radius_x, y - k * radius_y, x - k * radius_x, y - radius_y, x,
               y - radius_y);
    path_curve(canvas, x + k * radius_x, y - radius_y, x + radius_x, y - k * radius_y, x + radius_x,
               y);
}

void path_rectangle(struct canvas *canvas, double x, double y, double width, double height)
{
    path_begin(canvas, x, y);
    path_line(canvas, x + width, y);
    path_line(canvas, x + width, y + height);
    path_line(canvas, x, y + height);
}

// --- painting ---

static struct colour mix(struct colour from, struct colour to, float share)
{
    return (struct colour){from.r + (to.r - from.r) * share, from.g + (to.g - from.g) * share,
                           from.b + (to.b - from.b) * share};
}

static void paint_span(struct canvas *canvas, int y, int from, int to, const struct paint *paint)
{
    const size_t start = (size_t)y * (size_t)canvas->width * CANVAS_SUPER;
    struct colour colour = paint->top;

    if (paint->into_mask) {
        memset(canvas->mask + start + from, 1, (size_t)(to - from));
        return;
    }
    if (paint->y1 > paint->y0) {
        double share = (y + 0.5 - paint->y0) / (paint->y1 - paint->y0);
        share = share < 0 ? 0 : share > 1 ? 1 : share;
        colour = mix(paint->top, paint->bottom, (float)share);
    }
    for (int x = from; x < to; x++) {
        struct colour *sample = canvas->rows + start + x;
        if (!canvas->clipped || canvas->mask[start + (size_t)x])
            *sample = paint->alpha >= 1 ? colour : mix(*sample, colour, paint->alpha);
    }
}

static int by_x(const void *left, const void *right)
{
    const double a = ((const struct crossing *)left)->x, b = ((const struct crossing *)right)->x;
    return (a > b) - (a < b);
}

static void add_crossing(struct crossing *list, int *count, struct point a, struct point b,
                         double y)
{
    if ((a.y <= y) == (b.y <= y) || *count >= MAX_CROSSINGS)
        return;
    list[(*count)++] = (struct crossing){
        .x = a.x + (y - a.y) * (b.x - a.x) / (b.y - a.y),
        .direction = a.y <= y ? 1 : -1,
    };
}

// The sample whose centre lies at or right of `x`, within the picture.
static int first_sample(const struct canvas *canvas, double x)
{
    const double limit = (double)canvas->width * CANVAS_SUPER;
    x = ceil(x - 0.5);
    return (int)(x < 0 ? 0 : x > limit ? limit : x);
}

static void fill_row(struct canvas *canvas, int y, const struct point *points, const int *starts,
                     int parts, const struct paint *paint)
{
    struct crossing list[MAX_CROSSINGS];
    int count = 0, winding = 0;

    for (int part = 0; part < parts; part++) {
        const int end = starts[part + 1];
        for (int i = starts[part]; i < end; i++)
            add_crossing(list, &count, points[i], points[i + 1 < end ? i + 1 : starts[part]],
                         y + 0.5);
    }
    if (count > 2) // two need no order: min and max below do it
        qsort(list, (size_t)count, sizeof(list[0]), by_x);
    for (int i = 0; i + 1 < count; i++) {
        winding += list[i].direction;
        const double left = fmin(list[i].x, list[i + 1].x);
        const double right = fmax(list[i].x, list[i + 1].x);
        const int from = first_sample(canvas, left), to = first_sample(canvas, right);
        if (winding != 0 && from < to)
            paint_span(canvas, y, from, to, paint);
    }
}

static void fill_points(struct canvas *canvas, const struct point *points, const int *starts,
                        int parts, const struct paint *paint)
{
    double top = INFINITY, bottom = -INFINITY;

    for (int i = starts[0]; i < starts[parts]; i++) {
        top = fmin(top, points[i].y);
        bottom = fmax(bottom, points[i].y);
    }
    const int limit = canvas->band_rows * CANVAS_SUPER;
    const int first = top < 0 ? 0 : top > limit ? limit : (int)top;
    const int last = bottom < 0 ? 0 : bottom + 1 > limit ? limit : (int)bottom + 1;
    for (int y = first; y < last; y++)
        fill_row(canvas, y, points, starts, parts, paint);
}

void paint_fill(struct canvas *canvas, struct colour colour, double alpha)
{
    const struct paint paint = {.top = colour, .alpha = (float)alpha};
    fill_points(canvas, canvas->points, canvas->starts, canvas->parts, &paint);
}

void paint_gradient(struct canvas *canvas, struct colour top, double y0, struct colour bottom,
                    double y1, double alpha)
{
    const struct paint paint = {
        .top = top,
        .bottom = bottom,
        .y0 = to_samples(canvas, 0, y0).y,
        .y1 = to_samples(canvas, 0, y1).y,
        .alpha = (float)alpha,
    };
    fill_points(canvas, canvas->points, canvas->starts, canvas->parts, &paint);
}

// A piece of a pen line: a tapered bar from a to b and a round joint at b.
static void fill_piece(struct canvas *canvas, struct point a, double radius_a, struct point b,
                       double radius_b, const struct paint *paint)
{
    enum { CORNERS = 12 };
    const double length = hypot(b.x - a.x, b.y - a.y);
    struct point points[CORNERS];
    const int starts_bar[2] = {0, 4}, starts_joint[2] = {0, CORNERS};

    if (length > 0) {
        const double nx = -(b.y - a.y) / length, ny = (b.x - a.x) / length;
        points[0] = (struct point){a.x + nx * radius_a, a.y + ny * radius_a};
        points[1] = (struct point){b.x + nx * radius_b, b.y + ny * radius_b};
        points[2] = (struct point){b.x - nx * radius_b, b.y - ny * radius_b};
        points[3] = (struct point){a.x - nx * radius_a, a.y - ny * radius_a};
        fill_points(canvas, points, starts_bar, 1, paint);
    }
    for (int i = 0; i < CORNERS; i++)
        points[i] = (struct point){b.x + radius_b * cos(TURN * i / CORNERS),
                                   b.y + radius_b * sin(TURN * i / CORNERS)};
    fill_points(canvas, points, starts_joint, 1, paint);
}

void paint_stroke(struct canvas *canvas, struct colour colour, double start, double middle,
                  double end)
{
    const struct paint paint = {.top = colour, .alpha = 1};
    const double half = unit_length(canvas) / 2;

    for (int part = 0; part < canvas->parts; part++) {
        const int first = canvas->starts[part], last = canvas->starts[part + 1] - 1;
        double radius = start * half;
        for (int i = first + 1; i <= last; i++) {
            const double t = 2.0 * (i - first) / (last - first);
            const double width = t < 1 ? start + (middle - start) * t : // up to the middle
                                     middle + (end - middle) * (t - 1);
            fill_piece(canvas, canvas->points[i - 1], radius, canvas->points[i], width * half,
                       &paint);
            radius = width * half;
        }
    }
}

void paint_outline(struct canvas *canvas, struct colour colour, double width)
{
    const struct paint paint = {.top = colour, .alpha = 1};
    const double radius = width * unit_length(canvas) / 2;

    for (int part = 0; part < canvas->parts; part++) {
        const int first = canvas->starts[part], end = canvas->starts[part + 1];
        for (int i = first; i < end; i++)
            fill_piece(canvas, canvas->points[i], radius,
                       canvas->points[i + 1 < end ? i + 1 : first], radius, &paint);
    }
}

void canvas_clip(struct canvas *canvas)
{
    const struct paint paint = {.into_mask = true};
    const size_t samples =
        (size_t)canvas->width * CANVAS_SUPER * (size_t)canvas->band_rows * CANVAS_SUPER;

    memset(canvas->mask, 0, samples);
    canvas->clipped = false;
    fill_points(canvas, canvas->points, canvas->starts, canvas->parts, &paint);
    canvas->clipped = true;
}

void canvas_unclip(struct canvas *canvas)
{
    canvas->clipped = false;
}
