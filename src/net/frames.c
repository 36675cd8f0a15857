// An .onnx model on whole pictures; see frames.h.
//
// make_tile() is the core: samples in, the model, samples out. Around it are loops over tiles and
// over passes, and, with rgb, chroma on its way to luma's size and back.

#include "net/frames.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "frame/resample.h"
#include "frame/tile.h"
#include "net/tiles.h"

#define LEAST_TILE 32
#define CODES      32640.0f // the sample of code 255 of 8 bits
#define MESSAGE    512

struct ksr_frames {
    ksr_onnx *onnx;
    struct ksr_frames_params params;
    int tile;        // now
    float *in, *out; // a tile's tensors
    size_t in_room, out_room;
    struct ksr_frame between; // the first pass's result, where there are two
    // rgb only: pictures with chroma at luma's size, and the ways there and back
    struct ksr_frame whole[2];
    ksr_resampler *wider, *narrower;
    struct ksr_layout made_for; // the source that the above are for
};

// How working samples become what the model sees, luma and chroma as 0..1 and -0.5..0.5, and back.
struct mapping {
    float black, luma, chroma; // value = (sample - black) * luma, (sample - 16384) * chroma
    float kr, kg, kb;
    float white; // of the model
    float luma_out, cb_out,
        cr_out; // samples for the model's weighted sum, its B and its R less that
};

// A pass: the model once, on a picture. Its result, `scale` times as large, is brought to dst's
// size: one sample of dst covers part / whole samples of the result along each axis.
struct pass {
    ksr_frames *frames;
    struct mapping map;
    const struct ksr_frame *src, *dst;
    int part, whole;
    bool rgb;             // else luma
    struct ksr_tile x, y; // the tile at work
    int width, height;    // of its picture
    atomic_bool bad;      // there are values that are no numbers
};

static struct mapping make_mapping(const ksr_frames *f, bool full_range)
{
    const int bits = f->params.bits;
    const float peak = bits >= 15 ? KSR_SAMPLE_MAX : (float)(((1 << bits) - 1) << (15 - bits));
    struct mapping m = {.kr = (float)f->params.kr,
                        .kg = (float)(1 - f->params.kr - f->params.kb),
                        .kb = (float)f->params.kb,
                        .white = (float)f->onnx->white};
    m.black = full_range ? 0 : 16 << 7;
    m.luma = full_range ? 1 / peak : 1.0f / (219 << 7);
    m.chroma = full_range ? 1 / peak : 1.0f / (224 << 7);
    if (f->onnx->channels == 1) {
        m.black = 0;
        m.luma = 1 / CODES;
    }
    m.luma_out = 1 / (m.luma * m.white);
    m.cb_out = 1 / (2 * (1 - m.kb) * m.chroma * m.white);
    m.cr_out = 1 / (2 * (1 - m.kr) * m.chroma * m.white);
    return m;
}

// --- Samples in ---

static void load_luma(const struct pass *p, const uint16_t *row, int x0, float *out)
{
    const struct mapping *m = &p->map;
    const int last = p->src->plane[0].width - 1;
    const float factor = m->luma * m->white;
    for (int x = 0; x < p->width; x++)
        out[x] = ((float)row[ksr_min(x0 + x, last)] - m->black) * factor;
}

static void load_rgb(const struct pass *p, int y, int x0, float *const out[3])
{
    const struct mapping *m = &p->map;
    const int last = p->src->plane[0].width - 1;
    const uint16_t *luma = ksr_row(&p->src->plane[0], y), *cb = ksr_row(&p->src->plane[1], y),
                   *cr = ksr_row(&p->src->plane[2], y);
    const float to_b = 2 * (1 - m->kb) * m->chroma, to_r = 2 * (1 - m->kr) * m->chroma;
    const float to_g = m->white / m->kg;
    for (int i = 0; i < p->width; i++) {
        const int x = ksr_min(x0 + i, last);
        const float v = ((float)luma[x] - m->black) * m->luma;
        const float b = v + to_b * ((float)cb[x] - KSR_CHROMA_ZERO);
        const float r = v + to_r * ((float)cr[x] - KSR_CHROMA_ZERO);
        out[0][i] = r * m->white;
        out[1][i] = (v - m->kr * r - m->kb * b) * to_g;
        out[2][i] = b * m->white;
    }
}

static void load_row(void *arg, int y, int thread)
{
    const struct pass *p = arg;
    const ksr_frames *f = p->frames;
    const size_t plane = (size_t)p->width * (size_t)p->height;
    float *row = f->in + (size_t)y * (size_t)p->width;
    (void)thread;
    if (p->rgb) {
        load_rgb(p, p->y.start + y, p->x.start, (float *[3]){row, row + plane, row + 2 * plane});
        return;
    }
    load_luma(p, ksr_row(&p->src->plane[0], p->y.start + y), p->x.start, row);
    for (int c = 1; c < f->onnx->channels; c++)
        memcpy(row + (size_t)c * plane, row, (size_t)p->width * sizeof(row[0]));
}

// --- Samples out ---

// The first sample of dst that a tile keeps, of all whose place is `from` or more in src.
static int first_kept(const struct pass *p, int from)
{
    const int scale = p->frames->onnx->scale;
    return (from * scale * p->whole + p->part - 1) / p->part;
}

// Value at (x, y) of dst in one channel: the mean of the area that it covers.
static float area_mean(const struct pass *p, const float *plane, int x, int y)
{
    const int scale = p->frames->onnx->scale, width = p->width * scale, height = p->height * scale;
    const int left = x * p->part - p->x.start * scale * p->whole;
    const int top = y * p->part - p->y.start * scale * p->whole;
    float sum = 0;
    for (int v = top / p->whole; v * p->whole < top + p->part; v++) {
        const int rows = ksr_min(top + p->part, (v + 1) * p->whole) - ksr_max(top, v * p->whole);
        const float *row = plane + (size_t)ksr_min(v, height - 1) * (size_t)width;
        for (int u = left / p->whole; u * p->whole < left + p->part; u++) {
            const int columns =
                ksr_min(left + p->part, (u + 1) * p->whole) - ksr_max(left, u * p->whole);
            sum += row[ksr_min(u, width - 1)] * (float)(rows * columns);
        }
    }
    return sum / (float)(p->part * p->part);
}

#define STRIP 256 // samples of a row at once

// Makes samples of values; what is no number becomes 0.
static void to_samples(uint16_t *restrict out, const float *restrict in, float factor, float zero,
                       int count)
{
    for (int i = 0; i < count; i++) {
        const float value = in[i] * factor + zero, above = value > 0 ? value : 0;
        out[i] = (uint16_t)(int)((above < KSR_SAMPLE_MAX ? above : KSR_SAMPLE_MAX) + 0.5f);
    }
}

static uint16_t *writable_row(const struct pass *p, int plane, int y)
{
    return p->dst->plane[plane].data + y * p->dst->plane[plane].stride;
}

// Whether there are values that are no numbers, or beyond all.
static bool any_bad(const float *values, int count)
{
    int bad = 0;
    for (int i = 0; i < count; i++)
        bad |= values[i] - values[i] != 0;
    return bad;
}

// Brings row y of dst, samples x0 .. x1-1, of one channel into `row`.
static const float *result_row(const struct pass *p, int channel, int y, int x0, int x1,
                               float *spare)
{
    const int scale = p->frames->onnx->scale, width = p->width * scale;
    const float *plane =
        p->frames->out + (size_t)channel * (size_t)width * (size_t)(p->height * scale);
    if (p->part == p->whole)
        return plane + (size_t)(y - p->y.start * scale) * (size_t)width + (x0 - p->x.start * scale);
    for (int x = x0; x < x1; x++)
        spare[x - x0] = area_mean(p, plane, x, y);
    return spare;
}

static void store_rgb(struct pass *p, int y, int x0, int count, const float *const in[3])
{
    const float *restrict r = in[0], *restrict g = in[1], *restrict b = in[2];
    const struct mapping *m = &p->map;
    const float kr = m->kr, kg = m->kg, kb = m->kb;
    float luma[STRIP], blue[STRIP], red[STRIP]; // the last two less luma
    for (int i = 0; i < count; i++) {
        luma[i] = kr * r[i] + kg * g[i] + kb * b[i];
        blue[i] = b[i] - luma[i];
        red[i] = r[i] - luma[i];
    }
    if (any_bad(luma, count))
        atomic_store(&p->bad, true);
    to_samples(writable_row(p, 0, y) + x0, luma, m->luma_out, m->black, count);
    to_samples(writable_row(p, 1, y) + x0, blue, m->cb_out, KSR_CHROMA_ZERO, count);
    to_samples(writable_row(p, 2, y) + x0, red, m->cr_out, KSR_CHROMA_ZERO, count);
}

static void store_luma(struct pass *p, int y, int x0, int count, const float *const in[3])
{
    const struct mapping *m = &p->map;
    float luma[STRIP];
    if (p->frames->onnx->channels == 3)
        for (int i = 0; i < count; i++)
            luma[i] = (in[0][i] + in[1][i] + in[2][i]) / 3;
    else
        memcpy(luma, in[0], (size_t)count * sizeof(luma[0]));
    if (any_bad(luma, count))
        atomic_store(&p->bad, true);
    to_samples(writable_row(p, 0, y) + x0, luma, m->luma_out, m->black, count);
}

static void store_row(void *arg, int i, int thread)
{
    struct pass *p = arg;
    const int y = first_kept(p, p->y.from) + i, first = first_kept(p, p->x.from);
    const int end = ksr_min(first_kept(p, p->x.to), p->dst->plane[0].width);
    float spare[3][STRIP];
    (void)thread;
    for (int x = first; x < end; x += STRIP) {
        const int count = ksr_min(STRIP, end - x);
        const float *in[3] = {NULL, NULL, NULL};
        for (int c = 0; c < p->frames->onnx->channels; c++)
            in[c] = result_row(p, c, y, x, x + count, spare[c]);
        if (p->rgb)
            store_rgb(p, y, x, count, in);
        else
            store_luma(p, y, x, count, in);
    }
}

// --- Tiles ---

static bool make_room(float **buffer, size_t *room, size_t count)
{
    if (*room >= count)
        return true;
    ksr_aligned_free(*buffer);
    *buffer = ksr_aligned_calloc(count * sizeof(float));
    *room = *buffer ? count : 0;
    return *buffer != NULL;
}

// Makes what one tile keeps. KSR_ONNX_NO_MEMORY: nothing has changed.
static enum ksr_onnx_result make_tile(struct pass *p, ksr_pool *pool, char *message)
{
    ksr_frames *f = p->frames;
    const size_t samples = (size_t)f->onnx->channels * (size_t)p->width * (size_t)p->height,
                 area = (size_t)(f->onnx->scale * f->onnx->scale);
    if (!make_room(&f->in, &f->in_room, samples) ||
        !make_room(&f->out, &f->out_room, samples * area))
        return KSR_ONNX_NO_MEMORY;
    ksr_pool_run(pool, load_row, p, p->height);
    const enum ksr_onnx_result result =
        ksr_onnx_run(f->onnx, f->in, p->width, p->height, f->out, message, MESSAGE);
    if (result != KSR_ONNX_DONE)
        return result;
    const int end = ksr_min(first_kept(p, p->y.to), p->dst->plane[0].height);
    ksr_pool_run(pool, store_row, p, end - first_kept(p, p->y.from));
    return KSR_ONNX_DONE;
}

static enum ksr_onnx_result make_tiles(ksr_context *ctx, struct pass *p, ksr_pool *pool,
                                       char *message)
{
    const ksr_frames *f = p->frames;
    const ksr_onnx *o = f->onnx;
    const int overlap = f->params.overlap;
    const struct ksr_tiling x = ksr_tiling_make(p->src->plane[0].width,
                                                o->width ? o->width : f->tile, overlap, o->multiple,
                                                o->width),
                            y = ksr_tiling_make(p->src->plane[0].height,
                                                o->height ? o->height : f->tile, overlap,
                                                o->multiple, o->height);
    p->width = x.size;
    p->height = y.size;
    for (int i = 0; i < x.count * y.count; i++) {
        p->x = ksr_tiling_tile(&x, i % x.count);
        p->y = ksr_tiling_tile(&y, i / x.count);
        const enum ksr_onnx_result result = make_tile(p, pool, message);
        if (result != KSR_ONNX_DONE || ksr_check_cancel(ctx) != KSR_OK)
            return result;
    }
    return KSR_ONNX_DONE;
}

// Runs the model once, with smaller tiles where memory runs out.
static ksr_status run_pass(ksr_context *ctx, struct pass *p, ksr_pool *pool)
{
    ksr_frames *f = p->frames;
    const bool fixed = f->onnx->width && f->onnx->height;
    char message[MESSAGE] = "";
    for (;;) {
        const enum ksr_onnx_result result = make_tiles(ctx, p, pool, message);
        if (result == KSR_ONNX_DONE && atomic_load(&p->bad))
            return ksr_fail(ctx, KSR_E_PROCESS, "the model returns values that are not numbers");
        if (result == KSR_ONNX_DONE)
            return ksr_check_cancel(ctx);
        if (result == KSR_ONNX_FAILED)
            return ksr_fail(ctx, KSR_E_PROCESS, "the model fails: %s", message);
        if (fixed || f->tile / 2 < LEAST_TILE)
            return ksr_fail_memory(ctx);
        ksr_log(ctx, KSR_LOG_WARNING, "out of memory with tiles of %d: continuing with tiles of %d",
                f->tile, f->tile / 2);
        f->tile /= 2;
    }
}

// --- Passes ---

static int gcd(int a, int b)
{
    return b ? gcd(b, a % b) : a;
}

static ksr_status pass(ksr_context *ctx, ksr_frames *f, const struct ksr_frame *dst,
                       const struct ksr_frame *src, ksr_pool *pool)
{
    const int made = src->layout.width * f->onnx->scale, common = gcd(made, dst->layout.width);
    struct pass p = {.frames = f,
                     .map = make_mapping(f, src->layout.full_range),
                     .src = src,
                     .dst = dst,
                     .rgb = f->params.rgb && src->layout.planes == 3,
                     .part = made / common,
                     .whole = dst->layout.width / common};
    return run_pass(ctx, &p, pool);
}

// All passes, on pictures whose chroma, if any, has luma's size.
static ksr_status passes(ksr_context *ctx, ksr_frames *f, const struct ksr_frame *dst,
                         const struct ksr_frame *src, ksr_pool *pool)
{
    if (!f->between.buffer)
        return pass(ctx, f, dst, src, pool);
    const ksr_status status = pass(ctx, f, &f->between, src, pool);
    return status == KSR_OK ? pass(ctx, f, dst, &f->between, pool) : status;
}

static struct ksr_layout scaled(const struct ksr_layout *layout, int scale, bool whole_chroma)
{
    struct ksr_layout l = *layout;
    l.width *= scale;
    l.height *= scale;
    if (whole_chroma)
        l.chroma_shift_x = l.chroma_shift_y = 0;
    return l;
}

static void forget_layout(ksr_frames *f)
{
    ksr_frame_free(&f->between);
    ksr_frame_free(&f->whole[0]);
    ksr_frame_free(&f->whole[1]);
    ksr_resampler_destroy(&f->wider);
    ksr_resampler_destroy(&f->narrower);
    f->made_for = (struct ksr_layout){0};
}

// Prepares for pictures of a layout, unless that has been done.
static bool prepare(ksr_frames *f, const struct ksr_layout *dst, const struct ksr_layout *src,
                    ksr_pool *pool)
{
    const int scale = ksr_frames_scale(f);
    const bool resampled =
        f->params.rgb && src->planes == 3 && (src->chroma_shift_x || src->chroma_shift_y);
    if (ksr_layout_equal(&f->made_for, src))
        return true;
    forget_layout(f);
    const struct ksr_layout first = scaled(src, f->onnx->scale, f->params.rgb),
                            in = scaled(src, 1, true), out = scaled(src, scale, true);
    if (scale > f->onnx->scale && !ksr_frame_alloc(&f->between, &first))
        return false;
    if (resampled) {
        f->wider = ksr_resampler_create(src, &in, pool);
        f->narrower = ksr_resampler_create(&out, dst, pool);
        if (!f->wider || !f->narrower || !ksr_frame_alloc(&f->whole[0], &in) ||
            !ksr_frame_alloc(&f->whole[1], &out))
            return false;
    }
    f->made_for = *src;
    return true;
}

static void resample(ksr_resampler *resampler, const struct ksr_frame *dst,
                     const struct ksr_frame *src)
{
    const struct ksr_row_sink in = ksr_resampler_sink(resampler), out = ksr_frame_sink(dst);
    for (int i = 0; i < src->layout.planes; i++)
        in.rows(in.opaque, i, &src->plane[i], 0, src->plane[i].height);
    ksr_resampler_run(resampler, &out);
}

ksr_status ksr_frames_run(ksr_context *ctx, ksr_frames *f, const struct ksr_frame *dst,
                          const struct ksr_frame *src, ksr_pool *pool)
{
    if (!prepare(f, &dst->layout, &src->layout, pool)) {
        forget_layout(f);
        return ksr_fail_memory(ctx);
    }
    if (!f->wider)
        return passes(ctx, f, dst, src, pool);
    resample(f->wider, &f->whole[0], src);
    const ksr_status status = passes(ctx, f, &f->whole[1], &f->whole[0], pool);
    if (status == KSR_OK)
        resample(f->narrower, dst, &f->whole[1]);
    return status;
}

// --- Life ---

int ksr_frames_scale(const ksr_frames *frames)
{
    return frames->onnx->scale == 1 ? 1 : frames->params.scale;
}

int ksr_frames_planes(const ksr_frames *frames, const struct ksr_layout *layout)
{
    return frames->params.rgb && layout->planes >= 3 ? 3 : 1;
}

ksr_frames *ksr_frames_create(ksr_onnx *onnx, const struct ksr_frames_params *params)
{
    ksr_frames *f = calloc(1, sizeof(*f));
    if (!f)
        return NULL;
    f->onnx = onnx;
    f->params = *params;
    f->tile = params->tile;
    return f;
}

void ksr_frames_destroy(ksr_frames **frames)
{
    if (!frames || !*frames)
        return;
    ksr_frames *f = *frames;
    forget_layout(f);
    ksr_aligned_free(f->in);
    ksr_aligned_free(f->out);
    ksr_onnx_close(&f->onnx);
    free(f);
    *frames = NULL;
}
