// Chroma guided by luma, plain C: the definition. See guide.h.

#include "stages/guide.h"

#include <stdlib.h>

#include "frame/tile.h"

#define TILE  KSR_TILE // chroma samples of a row worked on at once
#define SIDE  2        // on either side of them
#define WIDTH (TILE + 2 * SIDE)
#define LUMA  (2 * WIDTH + 2) // luma samples below them, and one before
#define LINES 5               // rows of chroma around the one worked on

#define SLOPE_MAX  2048
#define FLAT       65536 // added to V: luma that varies by two codes counts half
#define FAINT      16384 // added to C
#define DIFFERENCE 4     // bits of differences that do not count
#define REST_MAX   4096

bool ksr_guide_possible(const struct ksr_layout *layout)
{
    return layout->planes >= 3 && layout->chroma_shift_x == 1 && layout->chroma_shift_y == 1;
}

struct ksr_guide_params ksr_guide_params_make(const struct ksr_pipeline_config *config,
                                              const struct ksr_layout *layout)
{
    const double strength = config->guided_chroma;
    return (struct ksr_guide_params){.upscale = ksr_upscale_params_make(layout, 1),
                                     .x = layout->siting_x,
                                     .y = layout->siting_y,
                                     .strength = (int)(strength * 256 + 0.5),
                                     .limit = (int)(strength * config->denoise * 1024 + 0.5)};
}

// What is known of a row of chroma samples, from SIDE before the first of the tile on.
struct line {
    int32_t chroma[WIDTH], luma[WIDTH];
    int32_t slope[WIDTH], rest[WIDTH]; // without the first and the last one
};

struct guide {
    const struct ksr_plane *dst, *src, *luma;
    const struct ksr_guide_params *params;
    int x0;                   // of the tile
    struct line lines[LINES]; // row y at (y + LINES) % LINES
};

static struct line *line_at(struct guide *g, int y)
{
    return &g->lines[(y + LINES) % LINES];
}

// Adds a row of luma, from the tile's first sample less 2 * SIDE + 1 on, with a weight.
static void add_luma(const struct guide *g, int32_t sum[LUMA], int y, int weight)
{
    uint16_t row[LUMA];
    ksr_tile_fill(row, g->luma, 2 * (g->x0 - SIDE) - 1, LUMA, y);
    for (int i = 0; i < LUMA; i++)
        sum[i] += weight * row[i];
}

// Outside the plane its first or last sample is repeated.
static void repeat_ends(const struct guide *g, int32_t row[WIDTH])
{
    const int first = SIDE - g->x0, last = g->src->width - 1 - g->x0 + SIDE;
    for (int i = 0; i < first; i++)
        row[i] = row[first];
    for (int i = ksr_max(0, last + 1); i < WIDTH; i++)
        row[i] = row[last];
}

// Chroma of a row, and luma as chroma has been made of it.
static void load(struct guide *g, int row)
{
    struct line *line = line_at(g, row);
    const int y = ksr_clamp(row, 0, g->src->height - 1);
    const int before_x = g->params->x == KSR_SITING_COSITED, after_x = 2 - before_x;
    const int before_y = g->params->y == KSR_SITING_COSITED, after_y = 2 - before_y;
    uint16_t chroma[WIDTH];
    int32_t sum[LUMA] = {0};
    ksr_tile_fill(chroma, g->src, g->x0 - SIDE, WIDTH, y);
    if (before_y)
        add_luma(g, sum, 2 * y - 1, 1);
    add_luma(g, sum, 2 * y, 2);
    add_luma(g, sum, 2 * y + 1, after_y);
    for (int i = 0; i < WIDTH; i++) {
        line->chroma[i] = chroma[i];
        line->luma[i] =
            (before_x * sum[2 * i] + 2 * sum[2 * i + 1] + after_x * sum[2 * i + 2] + 8) >> 4;
    }
    repeat_ends(g, line->luma);
}

// Sums over the 3x3 samples around, of differences from the one in the middle.
struct sums {
    int32_t l[WIDTH], c[WIDTH], ll[WIDTH], cc[WIDTH], lc[WIDTH];
};

static void add_sums(struct sums *s, const struct line *middle, const struct line *line, int dx,
                     int weight)
{
    for (int i = 1; i < WIDTH - 1; i++) {
        const int32_t l = (line->luma[i + dx] - middle->luma[i]) >> DIFFERENCE;
        const int32_t c = (line->chroma[i + dx] - middle->chroma[i]) >> DIFFERENCE;
        s->l[i] += weight * l;
        s->c[i] += weight * c;
        s->ll[i] += weight * l * l;
        s->cc[i] += weight * c * c;
        s->lc[i] += weight * l * c;
    }
}

// How chroma follows luma in a row; those above and below are loaded.
static void find_slopes(struct guide *g, int y)
{
    struct sums s = {.l = {0}};
    struct line *line = line_at(g, y);
    const int strength = g->params->strength, limit = g->params->limit;
    for (int dy = -1; dy <= 1; dy++)
        for (int dx = -1; dx <= 1; dx++)
            if (dx || dy)
                add_sums(&s, line, line_at(g, y + dy), dx, (2 - abs(dx)) * (2 - abs(dy)));
    for (int i = 1; i < WIDTH - 1; i++) {
        const int32_t luma = 16 * s.ll[i] - s.l[i] * s.l[i];
        const int32_t chroma = 16 * s.cc[i] - s.c[i] * s.c[i];
        const int32_t both = 16 * s.lc[i] - s.l[i] * s.c[i];
        const int64_t size = (int64_t)abs(both) * 1024 / (luma + FLAT);
        const int64_t part = abs(both) * size / (chroma + FAINT);
        const int64_t a = both < 0 ? -size : size;
        const int64_t slope = (a * part * part * strength + (1 << 27)) >> 28;
        const int64_t rest = ((int64_t)s.c[i] * 1024 - a * s.l[i] + 512) >> 10;
        line->slope[i] = (int32_t)(slope < -SLOPE_MAX  ? -SLOPE_MAX
                                   : slope > SLOPE_MAX ? SLOPE_MAX
                                                       : slope);
        const int64_t near = rest < -REST_MAX ? -REST_MAX : rest > REST_MAX ? REST_MAX : rest;
        line->rest[i] = ksr_soft((int16_t)near, (int16_t)limit);
    }
}

// Eighths of the sample before an even sample that is made, or after an odd one.
static int eighths(enum ksr_siting siting, int phase)
{
    return siting == KSR_SITING_CENTRED ? 2 : phase ? 3 : 1;
}

// Interpolates a row of lines between two.
static void between(int32_t out[WIDTH], const int32_t a[WIDTH], const int32_t b[WIDTH], int part)
{
    for (int i = 1; i < WIDTH - 1; i++)
        out[i] = (8 - part) * a[i] + part * b[i];
}

// The samples of one phase, in one row: what of `rows` lies there.
struct rows {
    int32_t luma[WIDTH], slope[WIDTH], rest[WIDTH], low[WIDTH], high[WIDTH];
    int32_t guide[LUMA]; // luma, in quarters
};

static void correct(uint16_t *dst, const struct rows *r, int phase, int part, int before, int count)
{
    const int side = phase ? 1 : -1;
    for (int i = 0; i < count; i++) {
        const int k = i + SIDE;
        const int32_t luma = ((8 - part) * r->luma[k] + part * r->luma[k + side] + 32) >> 6;
        const int32_t slope = ((8 - part) * r->slope[k] + part * r->slope[k + side] + 32) >> 6;
        const int32_t rest = ((8 - part) * r->rest[k] + part * r->rest[k + side] + 32) >> 6;
        const int32_t *at = r->guide + 2 * k + phase; // before the sample
        const int32_t guide = (before * at[0] + (4 - before) * at[1] + 8) >> 4;
        const int32_t v = dst[2 * i + phase] + ((slope * (guide - luma) + 512) >> 10) + rest;
        dst[2 * i + phase] = (uint16_t)ksr_clamp(v, r->low[k], r->high[k]);
    }
}

static void find_range(struct rows *r, struct guide *g, int y)
{
    const struct line *a = line_at(g, y - 1), *b = line_at(g, y), *c = line_at(g, y + 1);
    int32_t low[WIDTH], high[WIDTH];
    for (int i = 0; i < WIDTH; i++) {
        low[i] = ksr_min(ksr_min(a->chroma[i], b->chroma[i]), c->chroma[i]);
        high[i] = ksr_max(ksr_max(a->chroma[i], b->chroma[i]), c->chroma[i]);
    }
    for (int i = 1; i < WIDTH - 1; i++) {
        r->low[i] = ksr_min(ksr_min(low[i - 1], low[i]), low[i + 1]);
        r->high[i] = ksr_max(ksr_max(high[i - 1], high[i]), high[i + 1]);
    }
}

// Corrects row y of dst.
static void correct_row(struct guide *g, int y)
{
    const int middle = y / 2, before_x = g->params->x == KSR_SITING_COSITED;
    const int before_y = g->params->y == KSR_SITING_COSITED;
    const int part = eighths(g->params->y, y & 1), count = g->dst->width - 2 * g->x0;
    const struct line *a = line_at(g, middle), *b = line_at(g, y & 1 ? middle + 1 : middle - 1);
    uint16_t *dst = g->dst->data + y * g->dst->stride + 2 * g->x0;
    struct rows r = {.guide = {0}};
    between(r.luma, a->luma, b->luma, part);
    between(r.slope, a->slope, b->slope, part);
    between(r.rest, a->rest, b->rest, part);
    find_range(&r, g, middle);
    if (before_y)
        add_luma(g, r.guide, y - 1, 1);
    add_luma(g, r.guide, y, 4 - before_y);
    for (int phase = 0; phase < 2; phase++)
        correct(dst, &r, phase, eighths(g->params->x, phase), before_x,
                ksr_min(TILE, (count + 1 - phase) / 2));
}

void ksr_guided_rows(const struct ksr_plane *dst, const struct ksr_plane *src,
                     const struct ksr_plane *luma, const struct ksr_guide_params *params, int y0,
                     int y1)
{
    struct guide g = {.dst = dst, .src = src, .luma = luma, .params = params};
    ksr_upscale_rows(dst, src, &params->upscale, y0, y1);
    for (g.x0 = 0; g.x0 < src->width; g.x0 += TILE)
        for (int y = y0 / 2 - 2; y < (y1 + 1) / 2 + 2; y++) {
            load(&g, y);
            if (y >= y0 / 2)
                find_slopes(&g, y - 1);
            for (int row = 2 * (y - 2); row < 2 * (y - 1); row++)
                if (row >= y0 && row < y1)
                    correct_row(&g, row);
        }
}
