// Is what comes out of a GPU's executor equal to the processor's, frame by frame, whatever happens?

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../golden/raw.h"
#include "core/mem.h"
#include "gpu.h"
#include "pipeline/device_parts.h"
#include "vulkan/selftest.h"

// How codes stand in memory.
struct format {
    enum { ROWS, PLANES, PAIRS, PIXELS } kind; // not described; one, two chroma or all in a pixel
    int bits, shift;
    bool upside_down, rgb;
};

struct sequence {
    const char *name, *net; // NULL: none
    struct ksr_layout layout;
    struct format in, out;
    struct ksr_pipeline_config config;
    int fit_width, fit_height; // 0 = none
    int frames;
    int64_t first; // number in the film of the first one
    int warms_up;  // how many of them
    int gap;       // before this one a frame is missing; 0 = none
    int reset;     // before this one all is forgotten
    int drop;      // the same, and frames under way are never pulled
    int lose;      // the GPU is lost at this submission
    int change;    // from this frame on the encoder does not describe its planes
    bool in_parts; // a submission for each workgroup
    const char *chroma; // a network for it; NULL: none
    const char *again;  // one for the second doubling; NULL: the first one
};

static const struct sequence sequences[] = {
    {"4:2:0",
     NULL,
     {61, 35, 3, 1, 1, KSR_SITING_COSITED, KSR_SITING_CENTRED, false},
     {PLANES, 8},
     {PLANES, 8},
     {.shader_scale = 2,
      .denoise = 0.2,
      .chroma_shift_x = -1.5,
      .chroma_shift_y = 0.25,
      .deblock = 0.7,
      .dehalo = 0.6,
      .deband = 0.8,
      .structure_smoothing = 0.3,
      .antialias = 0.8,
      .guided_chroma = 1,
      .sharpening = 0.5,
      .line_darkening = 0.3,
      .contrast_boost = 1.1,
      .saturation_boost = 1.2,
      .grain = "1:9,8,2,9,4,7,5,6:0.5:3:0.3"},
     .frames = 6,
     .first = 1000},
    {"grey, lost",
     NULL,
     {40, 77, 1, 0, 0, 0, 0, true},
     {PLANES, 8},
     {PLANES, 10},
     {.shader_scale = 2,
      .contrast_boost = 1,
      .saturation_boost = 1,
      .grain = "0.5:9,8,2,9,4,7,5,6:0:3:0"},
     .frames = 6,
     .lose = 10},
    {"temporal",
     NULL,
     {64, 33, 3, 1, 1, KSR_SITING_COSITED, KSR_SITING_CENTRED, false},
     {ROWS, 8},
     {ROWS, 10},
     {.shader_scale = 2,
      .denoise = 0.2,
      .contrast_boost = 1,
      .saturation_boost = 1.1,
      .enable_temporal = true,
      .temporal_weight = 0.3,
      .motion_threshold = 1},
     .frames = 19,
     .first = 3,
     .warms_up = 4,
     .gap = 9,
     .reset = 15},
    {"temporal, lost",
     NULL,
     {64, 33, 3, 1, 0, KSR_SITING_COSITED, KSR_SITING_CENTRED, false},
     {PAIRS, 10, 6},
     {PAIRS, 10, 6, true},
     {.shader_scale = 2,
      .denoise = 0.2,
      .contrast_boost = 1,
      .saturation_boost = 1.1,
      .enable_temporal = true,
      .temporal_weight = 0.3,
      .motion_threshold = 1},
     .frames = 19,
     .first = 2,
     .warms_up = 2,
     .lose = 41},
    // Period 11: both memories of stage 5 start afresh and are shown in turn. Frames that warm up
    // are not waited for, so that slots are used again while the GPU is busy.
    {"temporal, long",
     NULL,
     {96, 64, 3, 1, 1, KSR_SITING_COSITED, KSR_SITING_CENTRED, false},
     {ROWS, 9},
     {PLANES, 8},
     {.shader_scale = 2,
      .denoise = 0.2,
      .structure_smoothing = 0.3,
      .contrast_boost = 1,
      .saturation_boost = 1.1,
      .enable_temporal = true,
      .temporal_weight = 0.6,
      .motion_threshold = 1},
     .frames = 45,
     .first = 5,
     .warms_up = 12},
    // Two frames are never pulled; nobody has waited for their downloads.
    {"dropped",
     NULL,
     {48, 26, 3, 1, 1, KSR_SITING_COSITED, KSR_SITING_CENTRED, false},
     {PLANES, 8},
     {PLANES, 8},
     {.shader_scale = 2, .contrast_boost = 1, .saturation_boost = 1},
     .frames = 10,
     .drop = 5},
    {"4x, alpha, fit, temporal",
     NULL,
     {23, 31, 4, 0, 0, 0, 0, true},
     {PIXELS, 8},
     {PIXELS, 16},
     {.shader_scale = 4,
      .deblock = 0.4,
      .dehalo = 0.5,
      .deband = 0.5,
      .structure_smoothing = 0.2,
      .antialias = 1,
      .contrast_boost = 1,
      .saturation_boost = 1,
      .enable_temporal = true,
      .temporal_weight = 0.5,
      .motion_threshold = 1,
      .grain = "1:0,0,0,0,0,0,0,0:0.5:3:0.3"}, // of chroma alone
     .fit_width = 60,
     .fit_height = 81,
     .frames = 8},
    {"network, 4x",
     "anime-fast",
     {37, 25, 3, 1, 1, KSR_SITING_COSITED, KSR_SITING_CENTRED, false},
     {PAIRS, 8},
     {PLANES, 8},
     {.use_ai = true,
      .ai_scale = 4,
      .chroma_shift_x = 3,
      .deblock = 1,
      .dehalo = 1,
      .antialias = 1,

      .deband = 0.4,

      .guided_chroma = 0.7,
      .contrast_boost = 1.1,
      .saturation_boost = 1},
     .frames = 4},
    {"network, resolutions, lost",
     "resolutions",
     {39, 27, 3, 1, 1, KSR_SITING_COSITED, KSR_SITING_CENTRED, false},
     {PLANES, 8},
     {PLANES, 8},
     {.use_ai = true, .ai_scale = 2, .contrast_boost = 1, .saturation_boost = 1},
     .frames = 4,
     .lose = 3},
    {"networks, 4x",
     "anime-fast",
     {37, 25, 3, 1, 1, KSR_SITING_COSITED, KSR_SITING_CENTRED, false},
     {PAIRS, 8},
     {PLANES, 8},
     {.use_ai = true,
      .ai_scale = 4,
      .chroma_shift_x = 3,
      .deblock = 1,
      .dehalo = 1,
      .denoise = 0.2,
      .guided_chroma = 0.7,
      .contrast_boost = 1.1,
      .saturation_boost = 1.2},
     .frames = 4,
     .chroma = "chroma"},
    {"two networks of luma, 4x",
     "anime-fast",
     {47, 61, 3, 1, 1, KSR_SITING_COSITED, KSR_SITING_CENTRED, false},
     {PLANES, 8},
     {PLANES, 8},
     {.use_ai = true, .ai_scale = 4, .contrast_boost = 1, .saturation_boost = 1},
     .frames = 2,
     .chroma = "chroma",
     .again = "resolutions"},
    {"two networks of luma, 4x, the other way round, lost",
     "resolutions",
     {61, 47, 3, 1, 1, KSR_SITING_COSITED, KSR_SITING_CENTRED, false},
     {PLANES, 8},
     {PLANES, 10},
     {.use_ai = true, .ai_scale = 4, .contrast_boost = 1, .saturation_boost = 1},
     .frames = 4,
     .lose = 3,
     .again = "anime-fast"},
    {"networks, resolutions, alpha, fit, lost",
     "resolutions",
     {70, 43, 4, 1, 1, KSR_SITING_COSITED, KSR_SITING_CENTRED, true},
     {PLANES, 8},
     {PLANES, 10},
     {.use_ai = true, .ai_scale = 2, .contrast_boost = 1, .saturation_boost = 1},
     .fit_width = 100,
     .fit_height = 61,
     .frames = 6,
     .lose = 8,
     .chroma = "chroma, resolutions"},
    {"descale, where a network of chroma is not used",
     NULL,
     {93, 61, 3, 1, 1, KSR_SITING_COSITED, KSR_SITING_CENTRED, false},
     {PLANES, 8},
     {PLANES, 8},
     {.use_ai = true,
      .ai_scale = 2,
      .descale = "63x41:bicubic",
      .contrast_boost = 1,
      .saturation_boost = 1,
      .enable_temporal = true,
      .temporal_weight = 0.3,
      .motion_threshold = 1},
     .frames = 10,
     .warms_up = 2,
     .chroma = "chroma"},
    {"networks, one sample",
     "resolutions",
     {1, 1, 3, 1, 1, KSR_SITING_COSITED, KSR_SITING_CENTRED, false},
     {PLANES, 8},
     {PLANES, 8},
     {.use_ai = true, .ai_scale = 4, .contrast_boost = 1, .saturation_boost = 1},
     .frames = 2,
     .chroma = "chroma, resolutions"},
    {"descale, 4:2:0, temporal",
     NULL,
     {93, 61, 3, 1, 1, KSR_SITING_COSITED, KSR_SITING_CENTRED, false},
     {PLANES, 8},
     {PLANES, 8},
     {.shader_scale = 2,
      .descale = "62x41:bicubic",
      .chroma_shift_x = 1.5,
      .denoise = 0.2,
      .contrast_boost = 1,
      .saturation_boost = 1,
      .enable_temporal = true,
      .temporal_weight = 0.3,
      .motion_threshold = 1,
      .grain = "1:9,8,2,9,4,7,5,6:0.5:3:0.3"},
     .frames = 10,
     .warms_up = 2},
    {"descale, 4:4:4, not fitted",
     NULL,
     {60, 48, 3, 0, 0, 0, 0, true},
     {PLANES, 10},
     {PIXELS, 16},
     {.shader_scale = 2,
      .descale = "40x32:lanczos3",
      .sharpening = 0.3,
      .contrast_boost = 1,
      .saturation_boost = 1},
     .fit_width = 80,
     .fit_height = 64,
     .frames = 4},
    {"descale, one axis, alpha, 4:2:2, network, lost",
     "anime-fast",
     {71, 40, 4, 1, 0, KSR_SITING_COSITED, 0, false},
     {PLANES, 12},
     {PLANES, 8},
     {.use_ai = true,
      .ai_scale = 2,
      .descale = "47x40:bilinear",
      .contrast_boost = 1,
      .saturation_boost = 1},
     .frames = 8,
     .lose = 18},
    {"composite, 4:2:0",
     NULL,
     {75, 43, 3, 1, 1, KSR_SITING_COSITED, KSR_SITING_CENTRED, false},
     {PLANES, 8},
     {PLANES, 8},
     {.shader_scale = 2,
      .composite = 0.5,
      .denoise = 0.2,
      .contrast_boost = 1,
      .saturation_boost = 1},
     .frames = 20,
     .first = 5,
     .warms_up = 2,
     .gap = 9,
     .reset = 16},
    {"composite, 4:2:2, alpha, temporal, descale, grain",
     NULL,
     {46, 33, 4, 1, 0, KSR_SITING_COSITED, 0, true},
     {ROWS, 10},
     {PLANES, 10},
     {.shader_scale = 2,
      .composite = 1,
      .descale = "31x22:bicubic",
      .chroma_shift_x = 1,
      .contrast_boost = 1,
      .saturation_boost = 1,
      .enable_temporal = true,
      .temporal_weight = 0.3,
      .motion_threshold = 1,
      .grain = "1:9,8,2,9,4,7,5,6:0.5:3:0.3"},
     .frames = 18,
     .first = 30,
     .warms_up = 7,
     .gap = 12},
    {"composite, lost",
     NULL,
     {66, 36, 3, 0, 0, 0, 0, false},
     {PLANES, 8},
     {PLANES, 8},
     {.shader_scale = 2, .composite = 0.5, .contrast_boost = 1, .saturation_boost = 1},
     .frames = 14,
     .warms_up = 2,
     .lose = 31},
    {"composite, temporal, lost behind the end",
     NULL,
     {66, 36, 3, 0, 0, 0, 0, false},
     {PLANES, 8},
     {PLANES, 8},
     {.shader_scale = 2,
      .composite = 0.5,
      .contrast_boost = 1,
      .saturation_boost = 1,
      .enable_temporal = true,
      .temporal_weight = 0.3,
      .motion_threshold = 1},
     .frames = 9,
     .first = 4,
     .warms_up = 3,
     .reset = 8,
     .lose = 28},
    {"4:4:4, fit",
     NULL,
     {50, 30, 3, 0, 0, 0, 0, false},
     {PLANES, 16, 0, true},
     {PIXELS, 12, 4},
     {.shader_scale = 2, .contrast_boost = 1.1, .saturation_boost = 1},
     .fit_width = 75,
     .fit_height = 45,
     .frames = 4},
    {"RGB",
     NULL,
     {31, 42, 3, 0, 0, 0, 0, true},
     {PIXELS, 8, .rgb = true},
     {PLANES, 10, .rgb = true},
     {.shader_scale = 2, .sharpening = 0.3, .contrast_boost = 1, .saturation_boost = 1},
     .frames = 5},
    {"RGB, alpha, temporal, lost",
     NULL,
     {26, 40, 4, 0, 0, 0, 0, true},
     {PIXELS, 16, .rgb = true},
     {PIXELS, 8, .rgb = true},
     {.shader_scale = 2,
      .contrast_boost = 1,
      .saturation_boost = 1.1,
      .enable_temporal = true,
      .temporal_weight = 0.3,
      .motion_threshold = 1},
     .frames = 12,
     .lose = 28},
    {"the output's format changes",
     NULL,
     {30, 20, 3, 0, 0, 0, 0, false},
     {PLANES, 10},
     {PLANES, 8},
     {.shader_scale = 2, .contrast_boost = 1, .saturation_boost = 1},
     .frames = 8,
     .change = 5},
};

// --- Frames of an encoder or a decoder ---

#define PADDING 24 // bytes behind each row
#define GUARD   0x5a

struct coded {
    struct ksr_raw_frame raw;
    uint8_t *memory;
    size_t size;
};

// Returns how many planes have a code in a pixel of plane i.
static int pixel_codes(const struct format *f, const struct ksr_layout *layout, int i)
{
    if (f->kind == PIXELS)
        return layout->planes;
    return f->kind == PAIRS && (i == 1 || i == 2) ? 2 : 1;
}

static bool make_coded(struct coded *c, const struct format *f, const struct ksr_layout *layout,
                       int source_bits)
{
    const int bytes = f->bits == 8 ? 1 : 2;
    size_t at = 0, start = 0;
    c->size = (size_t)layout->width * (size_t)layout->height * 16 + 65536;
    c->memory = ksr_aligned_calloc(c->size);
    if (!c->memory)
        return false;
    memset(c->memory, GUARD, c->size);
    for (int i = 0; i < layout->planes; i++) {
        const int codes = pixel_codes(f, layout, i), height = ksr_layout_plane_height(layout, i);
        const int place = f->kind == PIXELS ? i : i == 2 && f->kind == PAIRS;
        const ptrdiff_t stride = ksr_layout_plane_width(layout, i) * codes * bytes + PADDING;
        start = place == 0 ? at : start;
        at = start + (size_t)(stride * height);
        // Codes of a pixel stand in another order than planes.
        c->raw.plane[i] = (struct ksr_raw_plane){
            .data = c->memory + start + (codes - 1 - place) * bytes,
            .stride = stride,
            .step = codes * bytes,
            .bytes = bytes,
            .bits = f->bits,
            .shift = f->shift,
            .pack = {source_bits, layout->full_range, !f->rgb && (i == 1 || i == 2), true}};
        if (f->upside_down) {
            c->raw.plane[i].data += stride * (height - 1);
            c->raw.plane[i].stride = -stride;
        }
    }
    c->raw.rgb = f->rgb;
    return true;
}

// --- Sequences ---

// A ground that moves, with noise that both memories of stage 5 show; another one from the seventh
// frame on. For descaling the left half is soft, as if it had been enlarged; of composite video it
// is held, but for dots.
static void draw(const struct coded *c, const struct sequence *s, int number)
{
    const struct ksr_layout *layout = &s->layout;
    uint32_t random = (uint32_t)number * 7919 + 1;
    for (int i = 0; i < layout->planes; i++)
        for (int y = 0; y < ksr_layout_plane_height(layout, i); y++)
            for (int x = 0; x < ksr_layout_plane_width(layout, i); x++) {
                const int cell = (x + number / 3) / 9 + y / 7 + (number >= 7 ? 5 : 0);
                const uint32_t r = check_random(&random) >> 9;
                const int noise = (int)(r % 8 == 0 ? r % 14000 : r % 900);
                const bool soft = s->config.descale && 2 * x < ksr_layout_plane_width(layout, i);
                const bool held = s->config.composite > 0 && 2 * x < layout->width;
                const int dots = held && (x + y + number) % 2 ? 500 : 0;
                const int sample = soft || held ? 60 * (x + number / (held ? 5 : 1)) + 90 * y + dots
                                                : cell * 5003 % 18000 + noise;
                put_code(&c->raw.plane[i], x, y, sample << 1 >> (16 - c->raw.plane[i].bits));
            }
}

struct film {
    struct coded in, *out;
    struct ksr_frame samples, made; // of `in`; as rows of a sink
    atomic_bool rows;               // came for `made`
    bool planes_only;               // rows may not be asked for where planes are described
};

static bool make_film(struct film *film, const struct sequence *s, const struct ksr_layout *output)
{
    film->out = calloc((size_t)s->frames, sizeof(film->out[0]));
    bool ok = film->out && make_coded(&film->in, &s->in, &s->layout, s->in.bits);
    for (int i = 0; i < s->frames && ok; i++)
        ok = make_coded(&film->out[i], &s->out, output, s->in.bits);
    return ok && ksr_frame_alloc(&film->samples, &s->layout) &&
           ksr_frame_alloc(&film->made, output);
}

static void free_film(struct film *film, int frames)
{
    ksr_aligned_free(film->in.memory);
    ksr_frame_free(&film->samples);
    ksr_frame_free(&film->made);
    for (int i = 0; i < frames && film->out; i++)
        ksr_aligned_free(film->out[i].memory);
    free(film->out);
}

static void take_rows(void *opaque, int i, const struct ksr_plane *src, int y0, int y1)
{
    struct film *film = opaque;
    film->rows = true;
    ksr_plane_copy_rows(&film->made.plane[i], src, y0, y1);
}

// Frames that are pulled first were pushed before the encoder's format was known.
static bool pull(ksr_pipeline *p, const struct sequence *s, struct film *film, int *pulled)
{
    struct coded *out = &film->out[*pulled];
    const bool described = s->out.kind != ROWS && !(s->change && *pulled >= s->change);
    const bool by_planes = film->planes_only && described && *pulled > s->warms_up + p->delay;
    const struct ksr_row_sink sink = {take_rows, film, described ? &out->raw : NULL};
    film->rows = false;
    const bool ok = ksr_pipeline_pull(NULL, p, &sink) == KSR_OK;
    if (film->rows)
        write_raw(&out->raw, &film->made);
    if (by_planes && film->rows)
        printf("    frame %d is packed by the processor\n", *pulled);
    ++*pulled;
    return ok && !(by_planes && film->rows);
}

// Pushes the next frame of a sequence.
static bool push(ksr_pipeline *p, const struct sequence *s, struct film *film, int i,
                 int64_t number, bool warms_up)
{
    struct ksr_row_source source = ksr_frame_source(&film->samples);
    source.raw = s->in.kind == ROWS ? NULL : &film->in.raw;
    draw(&film->in, s, i);
    if (!film->planes_only || s->in.kind == ROWS)
        read_raw(&film->in.raw, &film->samples);
    return ksr_pipeline_push(NULL, p, number, &source, warms_up) == KSR_OK;
}

// Pulls all that is held, of a pipeline that has had frame i - 1; where it looks ahead, frames
// follow.
static bool drain(ksr_pipeline *p, const struct sequence *s, struct film *film, int i,
                  int64_t number, int *pulled)
{
    bool ok = true;
    for (int k = 0; k < p->ahead && p->held > 0 && ok; k++)
        ok = push(p, s, film, i + k, number + k, true);
    while (ok && p->held > 0)
        ok = pull(p, s, film, pulled);
    return ok;
}

// Runs a sequence as a worker does.
static bool run_film(ksr_pipeline *p, const struct sequence *s, struct film *film)
{
    int pulled = s->warms_up;
    int64_t number = s->first;
    bool ok = p != NULL;
    for (int i = 0; i < s->frames && ok; i++) {
        if ((s->reset && i == s->reset) || (s->gap && i == s->gap))
            ok = drain(p, s, film, i, number, &pulled);
        if (s->gap && i == s->gap)
            number++;
        if (s->reset && i == s->reset)
            ksr_pipeline_reset(p);
        if (s->drop && i == s->drop) {
            pulled = i;
            ksr_pipeline_reset(p);
        }
        ok = ok && push(p, s, film, i, number++, i < s->warms_up);
        while (p->held > p->delay && ok)
            ok = pull(p, s, film, &pulled);
        memset(film->in.memory, 0x55, 64); // it is not looked at any more
        memset(film->samples.buffer, 0x55, 64);
    }
    ok = ok && drain(p, s, film, s->frames, number, &pulled);
    return ok && pulled == s->frames;
}

// Compares what lies between the codes, too.
static bool same_frame(const struct coded *a, const struct coded *b, int number)
{
    for (size_t i = 0; i < a->size; i++)
        if (a->memory[i] != b->memory[i]) {
            printf("    frame %d, byte %zu: processor %d, GPU %d\n", number, i, a->memory[i],
                   b->memory[i]);
            return false;
        }
    return true;
}

// Returns whether frame i is not pulled, being one of those under way when all is dropped.
static bool is_dropped(const struct sequence *s, int i)
{
    return s->drop > 0 && i >= s->drop - 2 && i < s->drop;
}

static ksr_engine open_engine(const struct sequence *s)
{
    return (ksr_engine){.net = s->net ? gpu_load_net(s->net) : NULL,
                        .again = s->again ? gpu_load_net(s->again) : NULL,
                        .chroma = s->chroma ? gpu_load_net(s->chroma) : NULL};
}

static void close_engine(ksr_engine *engine)
{
    ksr_net_destroy(&engine->net);
    ksr_net_destroy(&engine->again);
    ksr_net_destroy(&engine->chroma);
}

static bool check_sequence(struct ksr_device *device, const struct sequence *s, ksr_pool *pool)
{
    struct ksr_recipe recipe;
    const bool fails = s->lose > 0 || s->change > 0;
    struct film film[2] = {{.out = NULL}, {.planes_only = !fails}};
    ksr_engine engine = open_engine(s);
    bool ok = ksr_recipe_make(&recipe, &s->layout, &s->config, &engine);
    if (s->fit_width > 0)
        ksr_recipe_fit(&recipe, s->fit_width, s->fit_height);
    ksr_pipeline *cpu, *gpu = ksr_pipeline_create_device(NULL, device, &recipe, pool);
    gpu_fail(GPU_FAULT_SUBMIT, s->lose);
    ok = ksr_pipeline_create(NULL, &recipe, NULL, pool, &cpu) == KSR_OK && ok &&
         make_film(&film[0], s, &recipe.output) && make_film(&film[1], s, &recipe.output) &&
         run_film(cpu, s, &film[0]) && run_film(gpu, s, &film[1]) && device->failed == fails &&
         gpu_begun_early() == 0;
    for (int i = s->warms_up; i < s->frames && ok; i++)
        ok = is_dropped(s, i) || same_frame(&film[0].out[i], &film[1].out[i], i);
    device->failed = false;
    gpu_fail(GPU_FAULT_SUBMIT, 0);
    ksr_pipeline_destroy(&cpu);
    ksr_pipeline_destroy(&gpu);
    close_engine(&engine);
    free_film(&film[0], s->frames);
    free_film(&film[1], s->frames);
    return ok;
}

// Those that GPUs of all sizes make: all steps, in frames that are high enough for bands.
static const struct sequence shorts[] = {
    {"short of memory",
     NULL,
     {18, 301, 4, 1, 1, KSR_SITING_COSITED, KSR_SITING_CENTRED, false},
     {PLANES, 8},
     {PLANES, 8},
     {.shader_scale = 4,
      .denoise = 0.2,
      .deblock = 0.7,
      .dehalo = 0.6,
      .deband = 0.8,
      .structure_smoothing = 0.3,
      .antialias = 0.8,
      .guided_chroma = 1,
      .sharpening = 0.5,
      .line_darkening = 0.3,
      .contrast_boost = 1.1,
      .saturation_boost = 1.2},
     .frames = 4},
    {"short of memory, stage 5, fit",
     NULL,
     {17, 203, 3, 1, 1, KSR_SITING_COSITED, KSR_SITING_CENTRED, false},
     {PLANES, 8},
     {PLANES, 8},
     {.shader_scale = 2,
      .structure_smoothing = 0.3,
      .contrast_boost = 1,
      .saturation_boost = 1.2,
      .enable_temporal = true,
      .temporal_weight = 0.5,
      .motion_threshold = 1},
     .fit_width = 30,
     .fit_height = 331,
     .frames = 5},
    {"short of memory, composite, descale, grain",
     NULL,
     {18, 301, 3, 1, 1, KSR_SITING_COSITED, KSR_SITING_CENTRED, false},
     {PLANES, 8},
     {PLANES, 8},
     {.shader_scale = 4,
      .composite = 0.5,
      .descale = "16x201:bicubic",
      .denoise = 0.2,
      .dehalo = 0.6,
      .deband = 0.8,
      .structure_smoothing = 0.3,
      .antialias = 0.8,
      .sharpening = 0.5,
      .contrast_boost = 1,
      .saturation_boost = 1.2,
      .grain = "1:9,8,2,9,4,7,5,6:0.5:3:0.3"},
     .frames = 4},
    {"short of memory, network",
     "anime-fast",
     {16, 180, 1, 0, 0, 0, 0, false},
     {PLANES, 8},
     {PLANES, 8},
     {.use_ai = true, .ai_scale = 2, .contrast_boost = 1.1, .saturation_boost = 1},
     .frames = 4},
    {"short of memory, network, resolutions",
     "resolutions",
     {20, 331, 1, 0, 0, 0, 0, false},
     {PLANES, 8},
     {PLANES, 8},
     {.use_ai = true, .ai_scale = 2, .contrast_boost = 1.1, .saturation_boost = 1},
     .frames = 4},
    {"short of memory, networks",
     "resolutions",
     {18, 203, 3, 1, 1, KSR_SITING_COSITED, KSR_SITING_CENTRED, false},
     {PLANES, 8},
     {PLANES, 8},
     {.use_ai = true, .ai_scale = 2, .denoise = 0.2, .contrast_boost = 1.1, .saturation_boost = 1},
     .frames = 4,
     .chroma = "chroma, resolutions"},
    {"short of memory, network of chroma alone, 4x",
     NULL,
     {22, 301, 3, 1, 1, KSR_SITING_COSITED, KSR_SITING_CENTRED, false},
     {PLANES, 8},
     {PLANES, 8},
     {.use_ai = true, .ai_scale = 4, .contrast_boost = 1, .saturation_boost = 1.2},
     .frames = 4,
     .chroma = "chroma"},
};

// What the executor says that it has memory for.
struct share {
    int slots, bands, lines;
};

static void note_share(void *opaque, ksr_log_level level, const char *message)
{
    struct share *share = opaque;
    const char *text = strstr(message, "under way: ");
    (void)level;
    share->lines++;
    if (!text || sscanf(text, "under way: %d instead of 3, parts of a frame: %d", &share->slots,
                        &share->bands) != 2)
        share->slots = 0;
}

// Returns what a recipe gets of a GPU's memory; no slots: it is left to the processor.
static struct share find_share(struct ksr_device *device, const struct ksr_recipe *recipe)
{
    struct share share = {.slots = 3, .bands = 1};
    const struct ksr_callbacks callbacks = {.log = note_share, .opaque = &share};
    ksr_context *ctx;
    if (ksr_context_create(&ctx, &callbacks) != KSR_OK)
        abort();
    ksr_pipeline *p = ksr_pipeline_create_device(ctx, device, recipe, NULL);
    share.lines += p && share.slots != p->delay - p->ahead + 1 ? 100 : 0;
    ksr_pipeline_destroy(&p);
    ksr_context_destroy(&ctx);
    return share;
}

// With less and less memory fewer frames are under way, then they are made in bands, then by the
// processor; a line says so, and afterwards all memory is as before.
static bool check_short(struct ksr_device *device, const struct sequence *s, ksr_pool *pool)
{
    struct ksr_gpu *gpu = device->gpu;
    const uint64_t limit = gpu->memory_limit;
    struct ksr_recipe recipe;
    ksr_engine engine = open_engine(s);
    bool ok = ksr_recipe_make(&recipe, &s->layout, &s->config, &engine);
    if (s->fit_width > 0)
        ksr_recipe_fit(&recipe, s->fit_width, s->fit_height);
    struct share last = find_share(device, &recipe), share = last;
    const uint64_t used = gpu->memory_used;
    bool one = false, two = false, bands = false;
    for (uint64_t most = 4 << 20; ok && share.slots > 0; most -= most / 32) {
        gpu->memory_limit = used + most;
        share = find_share(device, &recipe);
        const bool less = share.slots != last.slots || share.bands != last.bands;
        ok = gpu->memory_used == used && !device->failed && share.lines == (share.slots < 3);
        if (ok && less && share.slots > 0)
            ok = check_sequence(device, s, pool);
        two |= share.slots == 2;
        one |= share.slots == 1 && share.bands == 1;
        bands |= share.bands > 1;
        last = share;
    }
    gpu->memory_limit = limit;
    close_engine(&engine);
    return ok && one && two && bands;
}

// --- Sequences drawn at random ---

#define DRAWN_FRAMES 5

// Any value from 0 to `most`, half of them 0.
static double draw_strength(uint32_t *random, double most)
{
    const int r = (int)(check_random(random) >> 8);
    return r & 1 ? most * (r / 2 % 100) / 100 : 0;
}

// Networks of luma and chroma, 2x and 4x, with whatever else.
static struct sequence draw_sequence(uint32_t *random)
{
    static const char *const lumas[] = {NULL, "anime-fast", "resolutions"},
                             *const others[] = {NULL, "resolutions", "anime-fast"},
                             *const chromas[] = {"chroma", "chroma, resolutions"};
    uint32_t r[8];
    for (int i = 0; i < 8; i++)
        r[i] = check_random(random) >> 8;
    const bool higher = r[0] % 2;
    return (struct sequence){.net = lumas[r[1] % 3],
                             .again = r[7] % 2 ? others[r[1] % 3] : NULL,
                             .chroma = chromas[r[2] % 2],
                             .layout = {.width = (int)(r[3] % (higher ? 25 : 90)) + 1,
                                        .height = (int)(r[4] % (higher ? 250 : 60)) + 1,
                                        .planes = r[5] % 4 == 0 ? 4 : 3,
                                        .chroma_shift_x = 1,
                                        .chroma_shift_y = 1,
                                        .siting_x = KSR_SITING_COSITED,
                                        .siting_y = KSR_SITING_CENTRED},
                             .in = {PLANES, 8},
                             .out = {PLANES, r[5] % 3 == 0 ? 10 : 8},
                             .config = {.use_ai = true,
                                        .ai_scale = r[6] % 3 == 0 ? 4 : 2,
                                        .denoise = draw_strength(random, 0.5),
                                        .deblock = draw_strength(random, 1),
                                        .dehalo = draw_strength(random, 1),
                                        .antialias = draw_strength(random, 1),
                                        .structure_smoothing = draw_strength(random, 0.5),
                                        .guided_chroma = draw_strength(random, 1),
                                        .chroma_shift_x = draw_strength(random, 4),
                                        .chroma_shift_y = -draw_strength(random, 2),
                                        .sharpening = draw_strength(random, 1),
                                        .contrast_boost = 1 + draw_strength(random, 0.2),
                                        .saturation_boost = 1 + draw_strength(random, 0.2),
                                        .enable_temporal = r[6] / 3 % 3 == 0,
                                        .temporal_weight = 0.3,
                                        .motion_threshold = 1},
                             .frames = DRAWN_FRAMES,
                             .lose = r[7] % 4 == 0 ? (int)(r[7] / 4 % (3 * DRAWN_FRAMES)) + 1 : 0};
}

// Leaves so little memory that frames are made in bands, if they can be.
static void shorten(struct ksr_device *device, const struct sequence *s)
{
    struct ksr_gpu *gpu = device->gpu;
    struct ksr_recipe recipe;
    ksr_engine engine = open_engine(s);
    if (!ksr_recipe_make(&recipe, &s->layout, &s->config, &engine))
        abort();
    struct share share = find_share(device, &recipe);
    const uint64_t used = gpu->memory_used;
    uint64_t most = 32 << 20, enough = most;
    while (share.slots > 0 && share.bands == 1) {
        enough = most;
        most -= most / 32;
        gpu->memory_limit = used + most;
        share = find_share(device, &recipe);
    }
    gpu->memory_limit = used + (share.slots > 0 ? most : enough);
    close_engine(&engine);
}

static bool check_drawn(struct ksr_device *device, int count, ksr_pool *pool)
{
    const uint64_t limit = device->gpu->memory_limit;
    uint32_t random = 2077;
    bool ok = true;
    for (int i = 0; i < count && ok; i++) {
        const struct sequence s = draw_sequence(&random);
        if (i % 2)
            shorten(device, &s);
        ok = check_sequence(device, &s, pool);
        device->gpu->memory_limit = limit;
        if (!ok)
            printf("    sequence %d: %s, %s, %dx%d, scale %d, lost at %d\n", i,
                   s.net ? s.net : "none", s.chroma, s.layout.width, s.layout.height,
                   s.config.ai_scale, s.lose);
    }
    return ok;
}

// --- Faults ---

// All that a driver is asked for: several frames under way, some of them dropped, stage 5, fitting;
// and kernels and weights of a network.
static const struct sequence faulty[] = {
    {"a driver that fails",
     NULL,
     {14, 10, 3, 1, 1, KSR_SITING_COSITED, KSR_SITING_CENTRED, false},
     {PLANES, 8},
     {PLANES, 8},
     {.shader_scale = 2,
      .contrast_boost = 1,
      .saturation_boost = 1,
      .enable_temporal = true,
      .temporal_weight = 0.3,
      .motion_threshold = 1},
     .fit_width = 21,
     .fit_height = 15,
     .frames = 8,
     .warms_up = 1,
     .drop = 5},
    {"a driver that fails, network",
     "anime-fast",
     {7, 5, 1, 0, 0, 0, 0, false},
     {PLANES, 8},
     {PLANES, 8},
     {.use_ai = true, .ai_scale = 2, .contrast_boost = 1, .saturation_boost = 1},
     .frames = 1},
    {"a driver that fails, two networks of luma",
     "anime-fast",
     {7, 5, 1, 0, 0, 0, 0, false},
     {PLANES, 8},
     {PLANES, 8},
     {.use_ai = true, .ai_scale = 4, .contrast_boost = 1, .saturation_boost = 1},
     .frames = 1,
     .again = "anime-fast"},
    {"a driver that fails, network of chroma",
     NULL,
     {7, 5, 3, 1, 1, KSR_SITING_COSITED, KSR_SITING_CENTRED, false},
     {PLANES, 8},
     {PLANES, 8},
     {.use_ai = true, .ai_scale = 2, .contrast_boost = 1, .saturation_boost = 1},
     .frames = 1,
     .chroma = "chroma, two layers"},
    {"a driver that fails, composite, descale, grain",
     NULL,
     {24, 18, 1, 0, 0, 0, 0, false},
     {PLANES, 8},
     {PLANES, 8},
     {.shader_scale = 2,
      .composite = 0.5,
      .descale = "16x16:bilinear",
      .contrast_boost = 1,
      .saturation_boost = 1,
      .grain = "1:9,8,2,9,4,7,5,6:0.5:3:0.3"},
     .frames = 4,
     .warms_up = 1},
    {"in parts: a driver that fails",
     NULL,
     {7, 5, 1, 0, 0, 0, 0, false},
     {PLANES, 8},
     {PLANES, 8},
     {.shader_scale = 2, .contrast_boost = 1.1, .saturation_boost = 1},
     .frames = 2,
     .in_parts = true},
};

// Runs the sequence while call number `call` of a kind fails; *failed: it did. Returns whether all
// frames are those of the processor.
static bool run_fault(struct ksr_device *device, const struct sequence *s,
                      const struct ksr_recipe *recipe, const struct film *expected,
                      enum gpu_fault fault, int call, bool *failed)
{
    struct film film = {.out = NULL};
    ksr_pipeline *p = NULL;
    const uint64_t used = device->gpu->memory_used;
    gpu_fail(fault, fault == GPU_FAULT_HANG ? 0 : call);
    bool ok = ksr_pipeline_create(NULL, recipe, device, NULL, &p) == KSR_OK;
    if (fault == GPU_FAULT_HANG) // what is made before would stay, with nobody to free it
        gpu_fail(fault, call);
    ok = ok && make_film(&film, s, &recipe->output) && run_film(p, s, &film);
    *failed = gpu_fault_calls() >= call;
    const bool less = fault == GPU_FAULT_MEMORY || fault == GPU_FAULT_RECORD; // may be enough
    const bool slow = fault == GPU_FAULT_SLOW;
    const enum ksr_gpu_net_tier best = ksr_gpu_net_best_tier(device->gpu);
    const bool slower = (s->net && device->network[KSR_DEVICE_LUMA].net.tier < best) ||
                        (s->again && device->network[KSR_DEVICE_AGAIN].net.tier < best) ||
                        (s->chroma && device->network[KSR_DEVICE_CHROMA].net.tier < best);
    const bool replaced = slow ? p->device != NULL : !p->device || less || slower;
    gpu_fail(GPU_FAULT_IDLE, 0);
    for (int i = s->warms_up; i < s->frames && ok; i++)
        ok = is_dropped(s, i) || same_frame(&expected->out[i], &film.out[i], i);
    ok = ok && (!*failed || replaced) && device->gpu->hangs == (fault == GPU_FAULT_HANG && *failed);
    if (device->gpu->hangs) {
        ksr_gpu_idle(device->gpu); // must not wait for what never ends
        ok = ok && gpu_fault_calls() == 0;
        device->gpu->hangs = false;
    }
    ksr_pipeline_destroy(&p);
    ksr_device_free_nets(device);
    device->failed = false;
    free_film(&film, s->frames);
    if (!ok || device->gpu->memory_used != used)
        printf("    fault %d at call %d\n", (int)fault, call);
    return ok && device->gpu->memory_used == used;
}

// Whatever call fails, no frame is lost or another.
static bool check_faults(struct ksr_device *device, const struct sequence *s)
{
    struct ksr_recipe recipe;
    struct film expected = {.out = NULL};
    const uint64_t groups = device->gpu->first_groups;
    device->gpu->first_groups = s->in_parts ? 1 : groups;
    ksr_engine engine = open_engine(s);
    bool ok = ksr_recipe_make(&recipe, &s->layout, &s->config, &engine);
    if (s->fit_width > 0)
        ksr_recipe_fit(&recipe, s->fit_width, s->fit_height);
    ksr_pipeline *cpu;
    ok = ksr_pipeline_create(NULL, &recipe, NULL, NULL, &cpu) == KSR_OK && ok &&
         make_film(&expected, s, &recipe.output) && run_film(cpu, s, &expected);
    ksr_device_free_nets(device);
    for (int fault = 0; fault < GPU_FAULTS && ok; fault++) {
        bool failed = true;
        int call = 0;
        while (ok && failed)
            ok = run_fault(device, s, &recipe, &expected, (enum gpu_fault)fault, ++call, &failed);
        ok = ok && (call > 1 || fault == GPU_FAULT_COMPILE);
    }
    ksr_pipeline_destroy(&cpu);
    close_engine(&engine);
    free_film(&expected, s->frames);
    device->gpu->first_groups = groups;
    return ok;
}

// With few workgroups in a submission frames are the same.
static bool check_in_parts(struct ksr_device *device, const struct sequence *s, ksr_pool *pool)
{
    struct ksr_gpu *gpu = device->gpu;
    const struct ksr_gpu before = *gpu;
    gpu->first_groups = 3;
    gpu->most_seconds = 0;
    gpu_take_work();
    const bool ok = check_sequence(device, s, pool);
    const struct gpu_work work = gpu_take_work();
    gpu->first_groups = before.first_groups;
    gpu->most_seconds = before.most_seconds;
    if (work.most_groups > 3)
        printf("    workgroups of a submission: %d\n", (int)work.most_groups);
    return ok && work.most_groups >= 1 && work.most_groups <= 3;
}

// The way that is used is measured first, and every layer of it; a lack of memory is no failure, a
// lost GPU is one.
static bool check_ways(struct ksr_device *device)
{
    struct ksr_gpu *gpu = device->gpu;
    const uint64_t limit = gpu->memory_limit, used = gpu->memory_used;
    const bool dot_product = gpu->dot_product;
    struct ksr_device_way ways[KSR_DEVICE_WAYS];
    ksr_net *net = gpu_load_net("anime-fast");
    int count;
    gpu->dot_product = true; // so that there are two ways at least
    bool ok = ksr_device_measure_ways(NULL, device, net, 33, 20, 0, ways, &count) == KSR_OK &&
              count >= 2 && ways[0].seconds > 0 && ways[0].memory > 0 &&
              strcmp(ways[0].name, ksr_gpu_net_tier_name(ksr_gpu_net_best_tier(gpu))) == 0;
    for (int i = 0; i < net->layers && ok; i++)
        ok = ways[0].kernel[i] && (gpu->compute->clock == 0 || ways[0].layer[i] > 0);
    gpu->memory_limit = used + 100000; // frames fit, what is between layers does not
    ok = ok && ksr_device_measure_ways(NULL, device, net, 33, 20, 0, ways, &count) == KSR_OK &&
         count == 0;
    gpu->memory_limit = limit;
    gpu_fail(GPU_FAULT_SUBMIT, 3);
    ok = ok && ksr_device_measure_ways(NULL, device, net, 33, 20, 0, ways, &count) != KSR_OK;
    gpu_fail(GPU_FAULT_SUBMIT, 0);
    gpu->dot_product = dot_product;
    ksr_device_free_nets(device);
    ksr_net_destroy(&net);
    return ok && gpu->memory_used == used;
}

// A kernel that computes wrong is found, by its name.
static bool check_selftest(struct ksr_gpu *gpu, const struct ksr_gpu_stages *stages)
{
    bool ok = ksr_gpu_selftest(gpu, stages) == KSR_OK;
    for (int i = 0; i < KSR_GPU_STAGES && ok; i++) {
        struct ksr_gpu_stages broken = *stages;
        char name[32];
        broken.kernel[i].pipeline = VK_NULL_HANDLE;
        snprintf(name, sizeof(name), "'%s'", stages->kernel[i].name);
        ok = ksr_gpu_selftest(gpu, &broken) == KSR_E_PROCESS && strstr(gpu->trouble, name);
    }
    return ok;
}

static void count(const char *name, bool ok, int *passed, int *failed)
{
    printf("%-32s %s\n", name, ok ? "ok" : "FAILED");
    *(ok ? passed : failed) += 1;
}

// With sanitizers a third of the sequences: their results are judged without.
#ifdef __SANITIZE_ADDRESS__
enum { EVERY = 3 };
#else
enum { EVERY = 1 };
#endif

void gpu_check_pipeline(struct bench *bench, int *passed, int *failed)
{
    struct ksr_device device = {.gpu = bench->gpu, .stages = bench->stages};
    ksr_pool *pool = ksr_pool_create(2);
    for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i += EVERY)
        count(sequences[i].name, check_sequence(&device, &sequences[i], pool), passed, failed);
    for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i += EVERY) {
        if (sequences[i].frames > 20) // takes long
            continue;
        char name[64];
        snprintf(name, sizeof(name), "in parts: %s", sequences[i].name);
        count(name, check_in_parts(&device, &sequences[i], pool), passed, failed);
    }
    for (size_t i = 0; i < sizeof(shorts) / sizeof(shorts[0]); i++)
        count(shorts[i].name, check_short(&device, &shorts[i], pool), passed, failed);
    count("drawn at random", check_drawn(&device, (getenv("KSR_TEST_GPU") ? 60 : 12) / EVERY, pool),
          passed, failed);
    for (size_t i = 0; i < sizeof(faulty) / sizeof(faulty[0]); i++)
        count(faulty[i].name, check_faults(&device, &faulty[i]), passed, failed);
    ksr_device_free_nets(&device);
    count("ways of a network", check_ways(&device), passed, failed);
    count("self-test", check_selftest(bench->gpu, &bench->stages), passed, failed);
    ksr_pool_destroy(&pool);
}
