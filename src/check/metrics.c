// Measuring pictures pair by pair; see metrics.h. The judgement on it is verify's: judge.c.

#include "check/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check/matrix_mixups.h"
#include "core/background.h"
#include "core/mem.h"
#include "frame/measure.h"
#include "frame/resample.h"
#include "media/av/pixel_format.h"
#include "media/compare/inspect.h"
#include "media/input/reader.h"
#include "stages/chroma_shift.h"
#include "stages/enhance.h"

#define CELLS_X   96
#define CELLS_Y   54
#define CELLS     (CELLS_X * CELLS_Y)
#define NEIGHBOUR 2 // frames before and after that a picture is looked for in
#define ROWS_STEP 4 // rows in which artefacts are looked for, others in the next frame
#define RING      (2 * NEIGHBOUR + 1)

// A film that is read picture by picture, each brought to the layout of the comparison.
struct side {
    ksr_reader *reader;
    const struct ksr_film *film;
    struct ksr_layout layout;
    int bits;
    bool grey;             // the chroma of its frames is the decoder's invention
    struct ksr_frame own;  // as decoded
    struct ksr_frame same; // at the size of the comparison; unused without a resampler
    ksr_resampler *resampler;
    bool begun;
    size_t at;  // the decoder's frame, once begun; SIZE_MAX = at the end
    bool taken; // it is in `own`
    bool damaged;
};

struct comparison {
    ksr_context *ctx;
    const struct ksr_picture_pair *pair;
    struct ksr_pictures *out;
    struct side in, after;
    ksr_pool *pool;
    struct ksr_layout layout; // of the comparison
    bool convert;             // colours of the output are coded in other terms
    bool colours_alone;       // nothing else is measured
    struct ksr_colours in_terms, out_terms;
    struct ksr_enhance_params expected; // contrast and saturation that were asked for
    struct ksr_chroma_shift_params shift;
    struct ksr_frame shifted; // if there is a shift
    float in_cells[RING][3][CELLS], out_cells[RING][3][CELLS];
};

void ksr_pictures_free(struct ksr_pictures *picture)
{
    free(picture->frames);
    memset(picture, 0, sizeof(*picture));
}

// --- Reading ---

// frame: of the film, the first one that is wanted; from: the keyframe before it.
static ksr_status open_side(struct comparison *c, struct side *s, const char *path,
                            const struct ksr_film *film, size_t frame,
                            const struct ksr_film_key *from)
{
    s->film = film;
    if (!ksr_pixels_layout(&film->format, &s->layout, &s->bits))
        return ksr_fail(c->ctx, KSR_E_INPUT, "pixel format %s cannot be compared",
                        film->format.pixel_format);
    ksr_status status = ksr_reader_create(c->ctx, path, film, &s->reader);
    if (status == KSR_OK)
        status = ksr_reader_seek(c->ctx, s->reader, frame, from);
    s->grey = status == KSR_OK && ksr_reader_is_grey(s->reader);
    if (status == KSR_OK && !ksr_frame_alloc(&s->own, &s->layout))
        status = ksr_fail_memory(c->ctx);
    return status;
}

static void close_side(struct side *s)
{
    ksr_reader_destroy(&s->reader);
    ksr_frame_free(&s->own);
    ksr_frame_free(&s->same);
    ksr_resampler_destroy(&s->resampler);
}

// The layout of the comparison with as many planes as the side has.
static ksr_status prepare_side(struct comparison *c, struct side *s)
{
    struct ksr_layout to = c->layout;
    to.planes = s->layout.planes;
    to.full_range = s->layout.full_range;
    if (ksr_layout_equal(&to, &s->layout))
        return KSR_OK;
    s->resampler = ksr_resampler_create(&s->layout, &to, c->pool);
    return s->resampler && ksr_frame_alloc(&s->same, &to) ? KSR_OK : ksr_fail_memory(c->ctx);
}

static struct ksr_frame *compared_frame(struct side *s)
{
    return s->resampler ? &s->same : &s->own;
}

// Moves on to the frame of that number, or to the first after it that comes out of the decoder.
static ksr_status advance(struct comparison *c, struct side *s, size_t wanted)
{
    ksr_status status = KSR_OK;
    while (status == KSR_OK && (!s->begun || s->at < wanted)) {
        status = ksr_reader_next(c->ctx, s->reader, &s->at, &s->damaged);
        s->begun = true;
        s->taken = false;
    }
    if (status != KSR_OK || s->at != wanted || s->taken)
        return status;
    s->taken = true;
    struct ksr_row_source source;
    status = ksr_reader_take(c->ctx, s->reader, &s->layout, c->pool, &source);
    for (int p = 0; status == KSR_OK && p < s->layout.planes; p++)
        source.rows(source.opaque, p, &s->own.plane[p], 0, s->own.plane[p].height);
    return status;
}

static void bring_to_size(struct side *s)
{
    if (!s->resampler)
        return;
    const struct ksr_row_sink sink = ksr_resampler_sink(s->resampler);
    const struct ksr_row_sink out = ksr_frame_sink(&s->same);
    for (int p = 0; p < s->layout.planes; p++)
        sink.rows(sink.opaque, p, &s->own.plane[p], 0, s->own.plane[p].height);
    ksr_resampler_run(s->resampler, &out);
}

// --- Comparing one pair ---

static int colour_planes(const struct comparison *c)
{
    const bool grey = c->in.grey || c->after.grey;
    return !grey && c->in.layout.planes >= 3 && c->after.layout.planes >= 3 ? 3 : 1;
}

// What the user asked for in shifted chroma, contrast and saturation is done to the input as well.
static void expect(const struct comparison *c, struct ksr_frame *f)
{
    if (ksr_enhance_luma_active(&c->expected))
        ksr_enhance_luma_rows(&f->plane[0], &f->plane[0], &c->expected, 0, f->plane[0].height);
    for (int p = 1; p < 3 && f->layout.planes >= 3; p++) {
        if (ksr_chroma_shift_active(&c->shift)) {
            ksr_chroma_shift_rows(&c->shifted.plane[p], &f->plane[p], &c->shift, 0,
                                  f->plane[p].height);
            ksr_plane_copy_rows(&f->plane[p], &c->shifted.plane[p], 0, f->plane[p].height);
        }
        if (ksr_enhance_chroma_active(&c->expected))
            ksr_enhance_chroma_rows(&f->plane[p], &f->plane[p], &c->expected, 0,
                                    f->plane[p].height);
    }
}

static void compare_luma(struct comparison *c, struct ksr_picture_frame *f)
{
    struct ksr_likeness l;
    struct ksr_artefacts artefacts = {0};
    const struct ksr_plane *in = &compared_frame(&c->in)->plane[0];
    ksr_measure_likeness(in, &compared_frame(&c->after)->plane[0], &l);
    if (!c->convert)
        ksr_measure_artefacts(in, &c->after.own.plane[0], (int)(c->out->count % ROWS_STEP),
                              ROWS_STEP, &artefacts);
    f->psnr = (float)ksr_measure_psnr(l.mse);
    f->ssim = (float)l.ssim;
    f->shift_x = (float)l.shift_x;
    f->shift_y = (float)l.shift_y;
    f->texture = (float)l.texture;
    f->mean[0] = (float)l.mean;
    f->banding = (float)artefacts.banding;
    f->ringing = (float)artefacts.ringing;
}

// Both planes of chroma share a shift; the one with more to see counts more.
static void compare_chroma(struct comparison *c, struct ksr_picture_frame *f)
{
    double mse = 0, weight = 0, x = 0, y = 0;
    for (int p = 1; p < 3; p++) {
        struct ksr_likeness l;
        ksr_measure_likeness(&compared_frame(&c->in)->plane[p],
                             &compared_frame(&c->after)->plane[p], &l);
        mse += l.mse / 2;
        weight += l.texture;
        x += l.shift_x * l.texture;
        y += l.shift_y * l.texture;
        f->mean[p] = (float)l.mean;
    }
    f->psnr_chroma = (float)ksr_measure_psnr(mse);
    f->chroma_texture = (float)weight;
    if (weight > 0) {
        f->chroma_x = (float)(x / weight) * (float)(1 << c->layout.chroma_shift_x);
        f->chroma_y = (float)(y / weight) * (float)(1 << c->layout.chroma_shift_y);
    }
}

static float cells_change(const float *a, const float *b)
{
    double sum = 0;
    for (int i = 0; i < CELLS; i++)
        sum += fabsf(b[i] - a[i]);
    return (float)(sum / CELLS);
}

static void sum_colours(struct comparison *c, size_t slot)
{
    const float *before[3], *after[3];
    const int planes = colour_planes(c);
    float neutral[CELLS];
    for (int i = 0; i < CELLS; i++)
        neutral[i] = 128;
    for (int p = 0; p < 3; p++) {
        before[p] = p < planes ? c->in_cells[slot][p] : neutral;
        after[p] = p < planes ? c->out_cells[slot][p] : neutral;
    }
    ksr_colours_add(before, after, CELLS, &c->in_terms, &c->out->colours);
}

static void compare_cells(struct comparison *c, size_t slot)
{
    for (int p = 0; p < colour_planes(c); p++) {
        ksr_measure_cells(&compared_frame(&c->in)->plane[p], CELLS_X, CELLS_Y,
                          c->in_cells[slot][p]);
        ksr_measure_cells(&compared_frame(&c->after)->plane[p], CELLS_X, CELLS_Y,
                          c->out_cells[slot][p]);
    }
    sum_colours(c, slot);
}

static float cells_mean(const float *a, const float *b)
{
    double sum = 0;
    for (int i = 0; i < CELLS; i++)
        sum += b[i] - a[i];
    return (float)(sum / CELLS);
}

// Whether the output is compared at the size of the input. Means of cells are those of any size.
static bool is_scaled(const struct comparison *c)
{
    return !c->colours_alone || c->convert;
}

static void compare_pair(struct comparison *c, struct ksr_picture_frame *f)
{
    const int planes = colour_planes(c);
    const size_t slot = c->out->count % RING;
    bring_to_size(&c->in);
    bring_to_size(&c->after);
    expect(c, compared_frame(&c->in));
    if (c->convert)
        ksr_colours_convert(compared_frame(&c->after), &c->out_terms, &c->in_terms);
    compare_cells(c, slot);
    if (c->colours_alone) {
        for (int p = 0; p < planes; p++)
            f->mean[p] = cells_mean(c->in_cells[slot][p], c->out_cells[slot][p]);
        return;
    }
    f->psnr_chroma = 100;
    compare_luma(c, f);
    if (planes == 3)
        compare_chroma(c, f);
    if (c->out->count > 0)
        f->change = cells_change(c->in_cells[(c->out->count - 1) % RING][0], c->in_cells[slot][0]);
}

// --- Frames in the wrong place ---

// Mean squared difference, less that of the means: a change of brightness is not another picture.
static double cells_differ(const float *a, const float *b)
{
    double squares = 0, sum = 0;
    for (int i = 0; i < CELLS; i++) {
        const double d = b[i] - a[i];
        squares += d * d;
        sum += d;
    }
    return squares / CELLS - sum / CELLS * (sum / CELLS);
}

// Says of pair n whether its output is rather the input of a neighbour. A picture that is held or
// hardly moves is as good as its neighbour, and stays where it is.
static void find_place(struct comparison *c, size_t n)
{
    const float *picture = c->out_cells[n % RING][0];
    const double here = cells_differ(c->in_cells[n % RING][0], picture);
    double best = here;
    for (int d = -NEIGHBOUR; d <= NEIGHBOUR; d++) {
        if ((d < 0 && n < (size_t)-d) || n + (size_t)d >= c->out->count)
            continue;
        const double there = cells_differ(c->in_cells[(n + (size_t)d) % RING][0], picture);
        if (there * 4 < here && here > 0.25 && there < best) {
            best = there;
            c->out->frames[n].shows = d;
        }
    }
}

static void find_places(struct comparison *c, bool end)
{
    const size_t count = c->out->count;
    if (!end && count > NEIGHBOUR)
        find_place(c, count - 1 - NEIGHBOUR);
    for (size_t n = count > NEIGHBOUR ? count - NEIGHBOUR : 0; end && n < count; n++)
        find_place(c, n);
}

// --- Walking through both films ---

// Finds the frame of the input that belongs to one of the output: *n counts wanted frames.
static bool find_partner(const struct comparison *c, size_t output, size_t *n)
{
    const struct ksr_picture_pair *p = c->pair;
    const size_t wanted = p->kept ? p->kept_count : p->input->frame_count;
    if (wanted == p->output->frame_count) {
        *n = output;
        return true;
    }
    const double time = ksr_film_seconds(p->output, p->output->frames[output].time) -
                        ksr_film_seconds(p->output, p->output->frames[0].time);
    const double begin =
        ksr_film_seconds(p->input, p->input->frames[p->kept ? p->kept[0] : 0].time);
    for (; *n < wanted; ++*n) {
        const struct ksr_film_frame *f = &p->input->frames[p->kept ? p->kept[*n] : *n];
        const double half = ksr_film_seconds(p->input, f->duration) / 2;
        const double apart = ksr_film_seconds(p->input, f->time) - begin - time;
        if (apart > half)
            return false;
        if (apart >= -half)
            return true;
    }
    return false;
}

static ksr_status add_pair(struct comparison *c, size_t input, size_t output)
{
    struct ksr_pictures *out = c->out;
    if (!ksr_array_reserve((void **)&out->frames, &out->capacity, out->count + 1,
                           sizeof(out->frames[0])))
        return ksr_fail_memory(c->ctx);
    struct ksr_picture_frame *f = &out->frames[out->count];
    *f = (struct ksr_picture_frame){.input = input, .output = output};
    const struct ksr_film *film = c->pair->input;
    f->time = ksr_film_seconds(film, film->frames[input].time);
    ksr_memory_watch(); // what is measured without room to do so is no number
    compare_pair(c, f);
    if (ksr_memory_ran_out())
        return ksr_fail_memory(c->ctx);
    out->count++;
    find_places(c, false);
    return KSR_OK;
}

// Makes a side begin anew at a frame.
static ksr_status jump(struct comparison *c, struct side *s, size_t frame,
                       const struct ksr_film_key *from)
{
    const ksr_status status = ksr_reader_seek(c->ctx, s->reader, frame, from);
    s->begun = false;
    return status == KSR_OK ? advance(c, s, frame) : status;
}

// Where a side is to go: to a frame, from a keyframe or from where it stands (NULL).
struct move {
    struct comparison *c;
    struct side *side;
    size_t frame;
    const struct ksr_film_key *from;
};

static ksr_status move_side(void *arg)
{
    const struct move *m = arg;
    return m->from ? jump(m->c, m->side, m->frame, m->from) : advance(m->c, m->side, m->frame);
}

// Decodes both sides at once. Only the input may be turned, which takes the pool.
static ksr_status move_both(struct comparison *c, const struct ksr_picture_place *to,
                            const struct ksr_film_key *input_from,
                            const struct ksr_film_key *output_from)
{
    struct move after = {c, &c->after, to->output, output_from};
    struct move in = {c, &c->in, to->input, input_from};
    return ksr_run_both(c->ctx, move_side, &after, move_side, &in);
}

// Both sides begin at the first place.
static ksr_status visit(struct comparison *c, const struct ksr_picture_place *places, size_t count)
{
    ksr_status status = KSR_OK;
    struct ksr_film_key before = {0};
    for (size_t i = 0; status == KSR_OK && i < count; i++) {
        const struct ksr_picture_place *p = &places[i];
        const struct ksr_film_key from = ksr_reader_entry(c->pair->output, p->output);
        const bool goes_on =
            i == 0 || (p->input > p[-1].input && p->output > p[-1].output &&
                       from.frame == before.frame && p->from.frame == p[-1].from.frame);
        status = move_both(c, p, goes_on ? NULL : &p->from, goes_on ? NULL : &from);
        before = from;
        const bool both = c->in.at == p->input && c->after.at == p->output;
        if (status == KSR_OK && both && !c->in.damaged && !c->after.damaged)
            status = add_pair(c, p->input, p->output);
        if (status == KSR_OK)
            status = ksr_check_cancel(c->ctx);
    }
    return status;
}

static ksr_status walk(struct comparison *c)
{
    const struct ksr_picture_pair *p = c->pair;
    ksr_status status = KSR_OK;
    size_t n = 0;
    for (size_t o = 0; status == KSR_OK && o < p->output->frame_count; o++) {
        if (!find_partner(c, o, &n)) {
            c->out->unpaired++;
            continue;
        }
        const size_t input = p->kept ? p->kept[n] : n;
        const struct ksr_picture_place place = {.input = input, .output = o};
        status = move_both(c, &place, NULL, NULL);
        const bool repeated = p->repeated && p->repeated[input];
        if (status == KSR_OK && (c->in.at != input || c->in.damaged || repeated))
            c->out->damaged++;
        else if (status == KSR_OK && c->after.at == o)
            status = add_pair(c, input, o);
        n++;
        ksr_report_progress(c->ctx,
                            &(struct ksr_progress){.phase = KSR_PHASE_VERIFY,
                                                   .done = (int64_t)o + 1,
                                                   .total = (int64_t)p->output->frame_count});
        if (status == KSR_OK)
            status = ksr_check_cancel(c->ctx);
    }
    find_places(c, true);
    return status;
}

// The comparison is made in the input's own planes; where the output codes its colours otherwise,
// with full chroma, so that they can be converted sample by sample.
static ksr_status prepare(struct comparison *c)
{
    ksr_colours_terms(&c->pair->input->format, c->in.bits, &c->in_terms);
    ksr_colours_terms(&c->pair->output->format, c->after.bits, &c->out_terms);
    ksr_colours_agree(&c->pair->input->format, &c->pair->output->format, &c->in_terms,
                      &c->out_terms);
    c->layout = c->in.layout;
    c->convert = !ksr_colours_equal(&c->in_terms, &c->out_terms);
    if (c->convert)
        c->layout.chroma_shift_x = c->layout.chroma_shift_y = 0;
    c->pool = ksr_pool_create((int)fmin(fmax((double)sysconf(_SC_NPROCESSORS_ONLN), 1), 16));
    struct ksr_pipeline_config config = ksr_pipeline_config_default();
    if (c->pair->pipeline) {
        config.contrast_boost = c->pair->pipeline->contrast_boost;
        config.saturation_boost = c->pair->pipeline->saturation_boost;
        config.chroma_shift_x = c->pair->pipeline->chroma_shift_x;
        config.chroma_shift_y = c->pair->pipeline->chroma_shift_y;
    }
    c->expected = ksr_enhance_params_make(&config, c->in.layout.full_range);
    c->shift = ksr_chroma_shift_params_make(&config, &c->layout, &c->layout);
    if (ksr_chroma_shift_active(&c->shift) && !ksr_frame_alloc(&c->shifted, &c->layout))
        return ksr_fail_memory(c->ctx);
    c->out->colour = colour_planes(c) == 3;
    c->out->artefacts = !c->convert;
    ksr_status status = prepare_side(c, &c->in);
    return status == KSR_OK && is_scaled(c) ? prepare_side(c, &c->after) : status;
}

// places: NULL = all frames.
static ksr_status measure(ksr_context *ctx, const struct ksr_picture_pair *pair,
                          const struct ksr_picture_place *places, size_t count,
                          struct ksr_pictures *out)
{
    memset(out, 0, sizeof(*out));
    struct comparison *c = calloc(1, sizeof(*c));
    if (!c)
        return ksr_fail_memory(ctx);
    c->ctx = ctx;
    c->pair = pair;
    c->colours_alone = places != NULL;
    c->out = out;
    const struct ksr_picture_place begin =
        count > 0 ? places[0]
                  : (struct ksr_picture_place){.from = ksr_reader_entry(pair->input, 0)};
    const struct ksr_film_key from = ksr_reader_entry(pair->output, begin.output);
    ksr_status status =
        open_side(c, &c->in, pair->input_path, pair->input, begin.input, &begin.from);
    if (status == KSR_OK)
        status = open_side(c, &c->after, pair->output_path, pair->output, begin.output, &from);
    if (status == KSR_OK)
        status = prepare(c);
    if (status == KSR_OK)
        status = places ? visit(c, places, count) : walk(c);
    close_side(&c->in);
    close_side(&c->after);
    ksr_frame_free(&c->shifted);
    ksr_pool_destroy(&c->pool);
    free(c);
    return status;
}

ksr_status ksr_pictures_measure(ksr_context *ctx, const struct ksr_picture_pair *pair,
                                struct ksr_pictures *out)
{
    return measure(ctx, pair, NULL, 0, out);
}

ksr_status ksr_pictures_sample(ksr_context *ctx, const struct ksr_picture_pair *pair,
                               const struct ksr_picture_place *places, size_t count,
                               struct ksr_pictures *out)
{
    return measure(ctx, pair, places, count, out);
}
