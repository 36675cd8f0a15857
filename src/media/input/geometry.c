// Planning crop and rotation; see geometry.h.

#include "media/input/geometry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/parse.h"

// --- Display matrices ---

// A source sample at (p, q) is shown at (a p + c q, b p + d q): numbers 0, 1, 3, 4 of the matrix.
struct linear {
    int a, b, c, d;
};

static struct linear linear_part(const int matrix[9])
{
    return (struct linear){matrix[0], matrix[1], matrix[3], matrix[4]};
}

static bool is_straight(const struct linear *l)
{
    return l->b == 0 && l->c == 0 && l->a != 0 && l->d != 0;
}

static bool is_transposed(const struct linear *l)
{
    return l->a == 0 && l->d == 0 && l->b != 0 && l->c != 0;
}

const char *ksr_display_name(const int matrix[9])
{
    const struct linear l = linear_part(matrix);
    if (l.a == 0 && l.b == 0 && l.c == 0 && l.d == 0)
        return NULL;
    if (!is_straight(&l) || l.a < 0 || l.d < 0)
        return "rotation";
    return l.a == 65536 && l.d == 65536 ? NULL : "display size";
}

// --- The crop ---

// Moves an edge outwards to where a sample of chroma begins.
static void widen(int *at, int *size, int step)
{
    const int more = *at % step;
    *at -= more;
    *size += more;
}

static ksr_status plan_crop(ksr_context *ctx, const char *text, struct ksr_film *film)
{
    struct ksr_video_format *f = &film->format;
    struct ksr_geometry *g = &film->geometry;
    int c[4];
    if (!ksr_crop_parse(text, c))
        return KSR_E_PARAM; // seen when the settings were read
    if (c[2] >= f->width || c[3] >= f->height || c[0] > f->width - c[2] || c[1] > f->height - c[3])
        return ksr_fail(ctx, KSR_E_PARAM, "crop: %s is not within the input's %dx%d", text,
                        f->width, f->height);
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(av_get_pix_fmt(f->pixel_format));
    *g = (struct ksr_geometry){f->width, f->height, c[2], c[3], c[0], c[1], false, false, false};
    if (d)
        widen(&g->x, &g->part_width, 1 << d->log2_chroma_w);
    if (d)
        widen(&g->y, &g->part_height, 1 << d->log2_chroma_h);
    if (g->x != c[2] || g->y != c[3])
        ksr_log(ctx, KSR_LOG_WARNING,
                "crop: %s begins between chroma samples of %s; cropping to %d:%d:%d:%d", text,
                f->pixel_format, g->part_width, g->part_height, g->x, g->y);
    f->width = g->part_width;
    f->height = g->part_height;
    film->extras.aperture = (struct ksr_aperture){0}; // the user's crop is in its place
    return KSR_OK;
}

// --- The rotation ---

// Where chroma is said to sit once rows have become columns. Left is what is taken where nothing is
// said.
static int transposed_location(int location)
{
    switch (location) {
    case AVCHROMA_LOC_UNSPECIFIED:
    case AVCHROMA_LOC_LEFT: return AVCHROMA_LOC_TOP;
    case AVCHROMA_LOC_TOP: return AVCHROMA_LOC_LEFT;
    case AVCHROMA_LOC_BOTTOMLEFT: return AVCHROMA_LOC_TOP;
    case AVCHROMA_LOC_BOTTOM: return AVCHROMA_LOC_CENTER;
    default: return location;
    }
}

static void transpose(struct ksr_video_format *f)
{
    const int width = f->width;
    f->width = f->height;
    f->height = width;
    if (f->sample_aspect.num > 0)
        f->sample_aspect = (struct ksr_rational){f->sample_aspect.den, f->sample_aspect.num};
    f->chroma_location = transposed_location(f->chroma_location);
    f->transposed = true;
}

static void turn_aperture(const struct ksr_geometry *g, struct ksr_aperture *a)
{
    if (g->transposed)
        *a = (struct ksr_aperture){a->top, a->bottom, a->left, a->right};
    if (g->mirrored_x)
        *a = (struct ksr_aperture){a->right, a->left, a->top, a->bottom};
    if (g->mirrored_y)
        *a = (struct ksr_aperture){a->left, a->right, a->bottom, a->top};
}

static void plan_rotation(ksr_context *ctx, struct ksr_film *film)
{
    struct ksr_geometry *g = &film->geometry;
    struct ksr_video_format *f = &film->format;
    const struct linear l = linear_part(film->extras.matrix);
    const char *name = ksr_display_name(film->extras.matrix);
    if (!name || strcmp(name, "rotation") != 0)
        return;
    if (!is_straight(&l) && !is_transposed(&l)) {
        ksr_log(
            ctx, KSR_LOG_WARNING,
            "rotate: the input's rotation is not a multiple of 90 degrees; frames are not rotated");
        return;
    }
    if (g->width == 0)
        *g = (struct ksr_geometry){f->width,  f->height, 0,     0,    f->width,
                                   f->height, false,     false, false};
    g->transposed = is_transposed(&l);
    g->mirrored_x = (g->transposed ? l.c : l.a) < 0;
    g->mirrored_y = (g->transposed ? l.b : l.d) < 0;
    if (g->transposed)
        transpose(f);
    turn_aperture(g, &film->extras.aperture);
    memset(film->extras.matrix, 0, sizeof(film->extras.matrix));
}

// An aperture is that of the decoder's frames, where these are no smaller than it says.
static void check_aperture(struct ksr_film *film)
{
    struct ksr_aperture *a = &film->extras.aperture;
    if (a->left + a->right >= film->format.width || a->top + a->bottom >= film->format.height)
        *a = (struct ksr_aperture){0};
}

ksr_status ksr_geometry_plan(ksr_context *ctx, const struct ksr_pipeline_config *config,
                             struct ksr_film *film)
{
    check_aperture(film);
    const ksr_status status = config->crop ? plan_crop(ctx, config->crop, film) : KSR_OK;
    if (status == KSR_OK && config->rotate && strcmp(config->rotate, "apply") == 0)
        plan_rotation(ctx, film);
    return status;
}

// --- Pictures for a page ---

static void turn_rgb_rows(const struct ksr_geometry *g, const AVFrame *from, AVFrame *to)
{
    for (int y = 0; y < to->height; y++)
        for (int x = 0; x < to->width; x++) {
            const int column = g->mirrored_x ? to->width - 1 - x : x;
            const int row = g->mirrored_y ? to->height - 1 - y : y;
            const int from_x = g->x + (g->transposed ? row : column);
            const int from_y = g->y + (g->transposed ? column : row);
            memcpy(to->data[0] + (ptrdiff_t)y * to->linesize[0] + (ptrdiff_t)3 * x,
                   from->data[0] + (ptrdiff_t)from_y * from->linesize[0] + (ptrdiff_t)3 * from_x,
                   3);
        }
}

bool ksr_geometry_turn_rgb(const struct ksr_geometry *g, AVFrame *picture)
{
    if (g->width == 0 || picture->width != g->width || picture->height != g->height)
        return true;
    AVFrame *made = av_frame_alloc();
    if (!made)
        return false;
    made->format = picture->format;
    made->width = g->transposed ? g->part_height : g->part_width;
    made->height = g->transposed ? g->part_width : g->part_height;
    const bool ok = av_frame_get_buffer(made, 0) >= 0;
    if (ok) {
        turn_rgb_rows(g, picture, made);
        av_frame_unref(picture);
        av_frame_move_ref(picture, made);
    }
    av_frame_free(&made);
    return ok;
}
