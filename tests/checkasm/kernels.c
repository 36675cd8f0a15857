// The functions to check, each with its planes and all corners of its parameters.

#include "checkasm.h"

#include "config/table.h"
#include <stdlib.h>

#include "core/mem.h"

// Returns the corner's next choice among n, and takes it off.
static unsigned choose(unsigned *corner, unsigned n)
{
    const unsigned choice = *corner % n;
    *corner /= n;
    return choice;
}

static void make_in_place(struct job *j)
{
    j->out[j->outs++] = j->in[--j->ins];
}

static struct ksr_code_plane code_plane(const struct ksr_plane *p, int bits, bool upside_down)
{
    uint8_t *data = (uint8_t *)p->data;
    const ptrdiff_t stride = p->stride * 2;
    if (upside_down)
        return (struct ksr_code_plane){data + (p->height - 1) * stride, -stride, bits};
    return (struct ksr_code_plane){data, stride, bits};
}

// --- Frames ---

static void prepare_unpack(struct job *j, unsigned corner)
{
    j->bits = 8 + (int)choose(&corner, 9);
    j->flag = choose(&corner, 2);
    struct ksr_plane *in = check_in(j, j->width, j->height);
    for (int y = 0; y < in->height; y++)
        for (int x = 0; x < in->width; x++) // the top bit too: garbage above the depth
            in->data[y * in->stride + x] ^= (uint16_t)((check_random(&j->random) >> 7 & 1) << 15);
    check_out(j, j->width, j->height);
}

static void run_unpack(struct job *j, const struct tables *t)
{
    const struct ksr_code_plane code = code_plane(&j->in[0].plane, j->bits, j->flag);
    t->frame->unpack_rows(&j->out[0].plane, &code, j->y0, j->y1);
}

static void prepare_pack(struct job *j, unsigned corner)
{
    static const int depths[] = {8, 10, 12, 16, 9, 15, 14, 11, 13};
    j->pack = (struct ksr_pack_params){.source_bits = 8, .dither = !choose(&corner, 2)};
    j->bits = depths[choose(&corner, 9)];
    j->pack.chroma = choose(&corner, 2);
    j->pack.scale = choose(&corner, 2);
    j->flag = choose(&corner, 2);
    j->pack.source_bits = 8 + (int)choose(&corner, 9);
    check_in(j, j->width, j->height);
    check_out(j, j->width, j->height);
}

// The usual way for full-range video that changes depth.
static void prepare_pack_scaled(struct job *j, unsigned corner)
{
    prepare_pack(j, corner);
    j->pack.scale = true;
    j->pack.source_bits = 10 - 2 * (j->bits == 10);
}

static void run_pack(struct job *j, const struct tables *t)
{
    const struct ksr_code_plane code = code_plane(&j->out[0].plane, j->bits, j->flag);
    t->frame->pack_rows(&code, &j->in[0].plane, &j->pack, j->y0, j->y1);
}

static void prepare_rgb(struct job *j, unsigned corner)
{
    (void)corner;
    for (int i = 0; i < 3; i++) {
        check_in(j, j->width, j->height);
        make_in_place(j);
    }
}

static struct ksr_frame job_frame(const struct job *j)
{
    struct ksr_frame f = {.layout = {.width = j->width, .height = j->height, .planes = 3}};
    for (int i = 0; i < 3; i++)
        f.plane[i] = j->out[i].plane;
    return f;
}

static void run_to_ycc(struct job *j, const struct tables *t)
{
    const struct ksr_frame f = job_frame(j);
    t->frame->rgb_to_ycc_rows(&f, j->y0, j->y1);
}

static void run_from_ycc(struct job *j, const struct tables *t)
{
    const struct ksr_frame f = job_frame(j);
    t->frame->rgb_from_ycc_rows(&f, j->y0, j->y1);
}

// --- Descaling ---

// Of a size to another: up, down, and the same.
static int other_size(int size, unsigned which)
{
    static const int parts[][2] = {{3, 2}, {2, 3}, {9, 8}, {8, 9}, {1, 1}, {5, 2}};
    const int other = size * parts[which][0] / parts[which][1];
    return other < KSR_DESCALE_LEAST ? KSR_DESCALE_LEAST : other;
}

static void prepare_descale(struct job *j, unsigned corner)
{
    const enum ksr_kernel kernel = (enum ksr_kernel)choose(&corner, KSR_KERNELS);
    const unsigned which_x = choose(&corner, 6), which_y = choose(&corner, 6);
    const int width = j->width < KSR_DESCALE_LEAST ? KSR_DESCALE_LEAST : j->width;
    const int height = j->height < KSR_DESCALE_LEAST ? KSR_DESCALE_LEAST : j->height;
    const struct ksr_plane *in =
        check_in(j, other_size(width, which_x), other_size(height, which_y));
    check_out(j, width, height);
    j->y1 = j->whole ? height : j->y1;
    if (!ksr_descale_axis_make(&j->axis[0], kernel, in->width, width) ||
        !ksr_descale_axis_make(&j->axis[1], kernel, in->height, height))
        abort();
}

static void run_descale(struct job *j, const struct tables *t)
{
    void *scratch = ksr_aligned_calloc(ksr_descale_scratch(j->in[0].plane.width));
    if (!scratch)
        abort();
    t->stage.descale_rows(&j->out[0].plane, &j->in[0].plane, &j->axis[0], &j->axis[1], scratch,
                          j->y0, j->y1);
    ksr_aligned_free(scratch);
}

// --- Stages ---

// Draws every number of the configuration, so that those that no corner names are varied too.
static void draw_config(struct job *j)
{
    struct ksr_processor_config config = ksr_processor_config_default();
    for (size_t i = 0; i < ksr_option_count; i++) {
        const struct ksr_option *o = &ksr_options[i];
        const double low = o->field->minimum, high = o->field->maximum;
        if (o->type == KSR_OPTION_NUMBER)
            *(double *)((char *)&config + o->offset) =
                low + (high - low) * (check_random(&j->random) >> 8 & 255) / 255;
    }
    j->config = config.pipeline;
}

static void prepare_chroma_shift(struct job *j, unsigned corner)
{
    // Whole samples, parts of them, and further than small planes reach.
    static const int shifts[] = {0, -16, 9, 37, -128, 128};
    j->chroma_shift.x = shifts[choose(&corner, 6)];
    j->chroma_shift.y = shifts[choose(&corner, 6)] - (int)(check_random(&j->random) >> 8) % 8;
    check_in(j, j->width, j->height);
    check_out(j, j->width, j->height);
}

static void run_chroma_shift(struct job *j, const struct tables *t)
{
    t->stage.chroma_shift_rows(&j->out[0].plane, &j->in[0].plane, &j->chroma_shift, j->y0, j->y1);
}

static void prepare_normalize(struct job *j, unsigned corner)
{
    static const double strengths[] = {0.2, 1.0, 0.0005, 0.5, 0};
    draw_config(j);
    j->config.denoise = strengths[choose(&corner, 5)];
    j->normalize = ksr_normalize_params_make(&j->config);
    check_in(j, j->width, j->height);
    check_out(j, j->width, j->height);
}

static void run_normalize(struct job *j, const struct tables *t)
{
    t->stage.normalize_rows(&j->out[0].plane, &j->in[0].plane, &j->normalize, j->y0, j->y1);
}

// The patterns' samples without their lowest bits, and a gradient in bands.
static void prepare_deband(struct job *j, unsigned corner)
{
    static const double strengths[] = {0.25, 1, 0.0005, 0.5};
    draw_config(j);
    j->config.deband = strengths[choose(&corner, 4)];
    const bool bands = !choose(&corner, 2);
    const int drop = 3 * (int)choose(&corner, 3), dx = (int)(check_random(&j->random) >> 8) % 40,
              dy = (int)(check_random(&j->random) >> 8) % 40;
    j->deband = ksr_deband_params_make(&j->config);
    struct ksr_plane *in = check_in(j, j->width, j->height);
    for (int y = 0; y < in->height; y++)
        for (int x = 0; x < in->width; x++) {
            uint16_t *c = &in->data[y * in->stride + x];
            *c = (uint16_t)(bands ? (9000 + x * dx + y * dy) >> 7 << 7 & KSR_SAMPLE_MAX : *c);
            *c = (uint16_t)(*c >> drop << drop);
        }
    check_out(j, j->width, j->height);
}

static void run_deband(struct job *j, const struct tables *t)
{
    t->stage.deband_rows(&j->out[0].plane, &j->in[0].plane, &j->deband, j->y0, j->y1);
}

// Patterns, and flat blocks with little steps in them.
static void prepare_deblock(struct job *j, unsigned corner)
{
    static const double strengths[] = {0.5, 1, 0.0005, 0.1};
    draw_config(j);
    j->config.deblock = strengths[choose(&corner, 4)];
    j->deblock = ksr_deblock_params_make(&j->config);
    const bool blocks = !choose(&corner, 2);
    j->deblock.x = (int)(check_random(&j->random) >> 8) % 8;
    j->deblock.y = (int)(check_random(&j->random) >> 8) % 8;
    const uint32_t salt = check_random(&j->random);
    struct ksr_plane *in = check_in(j, j->width, j->height);
    for (int y = 0; y < in->height && blocks; y++)
        for (int x = 0; x < in->width; x++) {
            const uint32_t block = (uint32_t)((x + j->deblock.x) / 8 * 31 + (y + j->deblock.y) / 8);
            uint16_t *c = &in->data[y * in->stride + x];
            *c = (uint16_t)(9000 + (block * 2654435761u ^ salt) % 3000 + *c % 100);
        }
    check_out(j, j->width, j->height);
}

static void run_deblock(struct job *j, const struct tables *t)
{
    t->stage.deblock_rows(&j->out[0].plane, &j->in[0].plane, &j->deblock, j->y0, j->y1);
}

// Patterns, and slanted lines with rims on both sides, some of them drawn higher than others.
static void prepare_dehalo(struct job *j, unsigned corner)
{
    static const double strengths[] = {0.5, 1, 0.0005, 0.1};
    static const int16_t profile[24] = {0,   0,   0, 0, 0, 40, 100, 10,   -300, -310, -305, -10,
                                        -70, -20, 0, 0, 0, 0,  40,  -500, -500, -500, 50,   10};
    draw_config(j);
    j->config.dehalo = strengths[choose(&corner, 4)];
    j->dehalo = ksr_dehalo_params_make(&j->config);
    const bool lines = !choose(&corner, 2);
    const int dx = (int)(check_random(&j->random) >> 8) % 9 - 4,
              dy = (int)(check_random(&j->random) >> 8) % 9 - 4,
              height = (int)(check_random(&j->random) >> 8) % 32, noise = 1 + height * height;
    struct ksr_plane *in = check_in(j, j->width, j->height);
    for (int y = 0; y < in->height && lines; y++)
        for (int x = 0; x < in->width; x++) {
            uint16_t *c = &in->data[y * in->stride + x];
            const int place = ((x * dx + y * dy) / 4 % 24 + 24) % 24;
            *c = (uint16_t)(17000 + profile[place] * height + *c % noise);
        }
    check_out(j, j->width, j->height);
}

static void run_dehalo(struct job *j, const struct tables *t)
{
    t->stage.dehalo_rows(&j->out[0].plane, &j->in[0].plane, &j->dehalo, j->y0, j->y1);
}

static void prepare_structure(struct job *j, unsigned corner)
{
    static const double strengths[] = {0.2, 1, 0.0005, 0.5};
    draw_config(j);
    j->config.structure_smoothing = strengths[choose(&corner, 4)];
    j->structure = ksr_structure_params_make(&j->config);
    check_in(j, j->width, j->height);
    check_out(j, j->width, j->height);
}

static void run_structure(struct job *j, const struct tables *t)
{
    t->stage.structure_rows(&j->out[0].plane, &j->in[0].plane, &j->structure, j->y0, j->y1);
}

// Patterns, and slanted and bent lines of two colours with a little noise, drawn once or doubled,
// across and upright.
static void prepare_antialias(struct job *j, unsigned corner)
{
    static const double strengths[] = {1, 0.5, 0.002, 0.9};
    draw_config(j);
    j->config.antialias = strengths[choose(&corner, 4)];
    j->antialias = ksr_antialias_params_make(&j->config);
    const bool lines = !choose(&corner, 2);
    const int noise = 1 + (int)(check_random(&j->random) >> 8) % 2000;
    const int doubled = (int)(check_random(&j->random) >> 8) % 2;
    const bool upright = check_random(&j->random) >> 8 & 1;
    const uint32_t salt = check_random(&j->random);
    struct ksr_plane *in = check_in(j, j->width, j->height);
    for (int y = 0; y < in->height && lines; y++)
        for (int x = 0; x < in->width; x++) {
            const int u = (upright ? y : x) >> doubled, v = (upright ? x : y) >> doubled;
            const int slope = (int)(salt >> (v / 32 % 4 * 8) & 255) - 128; // in 1/128
            const int thick = 1 + (int)(salt >> 3 & 7);
            uint16_t *c = &in->data[y * in->stride + x];
            const int bend = (u % 32 - 16) * (u % 32 - 16) * (int)(salt >> 6 & 31);
            const int at = (v * 128 + u * slope + bend) >> 7;
            *c = (uint16_t)(((at & 15) < thick ? 5000 : 21000) + *c % noise);
        }
    check_out(j, j->width, j->height);
}

static void run_antialias(struct job *j, const struct tables *t)
{
    t->stage.antialias_rows(&j->out[0].plane, &j->in[0].plane, &j->antialias, j->y0, j->y1);
}

static void prepare_upscale(struct job *j, unsigned corner)
{
    const unsigned plane = 1 - choose(&corner, 2), shift_x = 1 + choose(&corner, 2),
                   shift_y = 1 + choose(&corner, 2), siting_x = choose(&corner, 2),
                   siting_y = 1 - choose(&corner, 2), odd = choose(&corner, 4);
    const struct ksr_layout layout = {.planes = 3,
                                      .chroma_shift_x = (int)shift_x,
                                      .chroma_shift_y = (int)shift_y,
                                      .siting_x = (enum ksr_siting)siting_x,
                                      .siting_y = (enum ksr_siting)siting_y};
    j->upscale = ksr_upscale_params_make(&layout, (int)plane);
    check_in(j, j->width, j->height);
    j->y0 *= 2;
    j->y1 *= 2;
    j->y0 += !j->whole && j->y0 + 1 < j->y1 && (odd & 1);
    j->y1 -= j->y1 == 2 * j->height && (odd & 1);
    check_out(j, 2 * j->width - (int)(odd >> 1), 2 * j->height - (int)(odd & 1));
}

static void run_upscale(struct job *j, const struct tables *t)
{
    t->stage.upscale_rows(&j->out[0].plane, &j->in[0].plane, &j->upscale, j->y0, j->y1);
}

// Luma is the second plane that is read. Every other time chroma follows it, up to some noise.
static void prepare_guided(struct job *j, unsigned corner)
{
    static const double strengths[] = {1, 0.3, 0.002};
    const struct ksr_layout layout = {.planes = 3,
                                      .chroma_shift_x = 1,
                                      .chroma_shift_y = 1,
                                      .siting_x = (enum ksr_siting)choose(&corner, 2),
                                      .siting_y = (enum ksr_siting)(1 - choose(&corner, 2))};
    const unsigned follows = choose(&corner, 2), odd = choose(&corner, 4);
    draw_config(j);
    j->config.guided_chroma = strengths[choose(&corner, 3)];
    j->guide = ksr_guide_params_make(&j->config, &layout);
    const int width = 2 * j->width - (int)(odd >> 1), height = 2 * j->height - (int)(odd & 1);
    const struct ksr_plane *chroma = check_in(j, j->width, j->height),
                           *luma = check_in(j, width, height);
    for (int y = 0; y < luma->height && follows; y++)
        for (int x = 0; x < luma->width; x++)
            luma->data[y * luma->stride + x] =
                (uint16_t)((chroma->data[y / 2 * chroma->stride + x / 2] / 2 * 3 +
                            (check_random(&j->random) >> 8) % 1200) &
                           KSR_SAMPLE_MAX);
    j->y0 *= 2;
    j->y1 *= 2;
    j->y0 += !j->whole && j->y0 + 1 < j->y1 && (odd & 1);
    j->y1 -= j->y1 == 2 * j->height && (odd & 1);
    check_out(j, width, height);
}

static void run_guided(struct job *j, const struct tables *t)
{
    t->stage.guided_rows(&j->out[0].plane, &j->in[0].plane, &j->in[1].plane, &j->guide, j->y0,
                         j->y1);
}

static void run_learned(struct job *j, const struct tables *t)
{
    t->stage.learned_rows(&j->out[0].plane, &j->in[0].plane, j->y0, j->y1);
}

// What is drawn for all networks: weights of the first layer, of those between, and of the last.
static struct {
    int32_t bias[KSR_MODEL_CHANNELS];
    uint8_t shift[3][KSR_MODEL_CHANNELS];
    int16_t weight[3][KSR_MODEL_WIDTH * KSR_MODEL_WIDTH * 9];
} drawn;

// inputs: of the first layer.
static void draw_weights(uint32_t random, int inputs)
{
    for (int i = 0; i < KSR_MODEL_CHANNELS; i++) {
        drawn.bias[i] = (int32_t)(check_random(&random) >> 20) - 2048;
        for (int k = 0; k < 3; k++)
            drawn.shift[k][i] = (uint8_t)((k == 0   ? 13
                                           : k == 1 ? 5
                                                    : 0) +
                                          check_random(&random) % 6);
    }
    for (int k = 0; k < 3; k++)
        for (size_t i = 0; i < sizeof(drawn.weight[k]) / sizeof(drawn.weight[k][0]); i++) {
            const uint32_t r = check_random(&random) >> 8;
            drawn.weight[k][i] =
                (int16_t)(k == 0       ? (int)(r % (uint32_t)(4000 / inputs + 1)) - 2000 / inputs
                          : r % 5 == 0 ? (r & 256 ? 127 : -127)
                                       : (int)(r % 255) - 127);
        }
}

static void add_layer(struct ksr_model *m, enum ksr_layer_kind kind, int outputs, int side,
                      int skip)
{
    const int i = m->layers++, set = i == 0 ? 0 : outputs < 16 ? 2 : 1;
    m->layer[i] =
        (struct ksr_model_layer){.kind = kind,
                                 .skip = skip,
                                 .inputs = i > 0 ? m->layer[i - 1].outputs : m->layer[0].inputs,
                                 .outputs = outputs,
                                 .side = side,
                                 .bias = drawn.bias,
                                 .shift = drawn.shift[set],
                                 .weight = drawn.weight[set]};
}

#define NET_KINDS 30

static bool net_is_wide(unsigned corner)
{
    return corner % NET_KINDS >= 12;
}

// A network drawn at random: any weights, any kind. It is made once and kept for the next runs, as
// its sums are exact whatever the picture.
static const ksr_net *random_net(unsigned corner, bool chroma)
{
    static ksr_net *nets[2][NET_KINDS];
    static const int widths[] = {32, 16, 64, 48, 96, 128};
    const unsigned kind = corner % NET_KINDS;
    if (nets[chroma][kind])
        return nets[chroma][kind];
    const int width = widths[kind < 12   ? kind % 3
                             : kind < 24 ? kind % 3 + kind / 2 % 2 * 3
                                         : kind % 6];
    const int other = widths[kind * 5 % 6], half = kind / 3 & 1 ? 3 : 1;
    const int inputs = chroma ? KSR_MODEL_CHROMA_INPUTS : KSR_MODEL_LUMA_INPUTS;
    struct ksr_model m = {.layer[0].inputs = inputs};
    draw_weights(77 + kind, inputs);
    add_layer(&m, KSR_LAYER_CONV, width, kind / 3 & 1 ? 3 : 5, 0);
    if (kind < 12 || kind >= 24) {
        add_layer(&m, KSR_LAYER_CONV, width, 3, 0);
        add_layer(&m, KSR_LAYER_CONV, width, 3, kind >= 24 ? 1 : 0);
    } else { // two resolutions, or three
        add_layer(&m, KSR_LAYER_DOWN, other, 3, 0);
        if (kind % 2)
            add_layer(&m, KSR_LAYER_DOWN, 16, 3, 0);
        if (kind % 2)
            add_layer(&m, KSR_LAYER_UP, other, 1, kind & 4 ? 2 : 0);
        add_layer(&m, KSR_LAYER_CONV, other, half, kind & 2 ? m.layers : 0);
        add_layer(&m, KSR_LAYER_UP, width, 1, kind & 8 ? 1 : 0);
    }
    add_layer(&m, KSR_LAYER_CONV, chroma ? KSR_MODEL_CHROMA_OUTPUTS : KSR_MODEL_LUMA_OUTPUTS,
              kind / 6 & 1 ? 1 : 3, 0);
    if (ksr_model_trace(&m))
        abort();
    return nets[chroma][kind] = ksr_net_create(&m);
}

// Takes a network, and a part of the picture, as plain C takes long.
static void prepare_any_net(struct job *j, unsigned corner, bool chroma)
{
    j->net = random_net(corner, chroma);
    if (corner % 32 || net_is_wide(corner)) {
        j->width = j->width % (net_is_wide(corner) ? 30 : 70) + 1;
        j->y1 = j->y1 > j->y0 + 2 ? j->y0 + 2 : j->y1;
    }
    j->y0 *= 2;
    j->y1 *= 2;
}

static void prepare_net(struct job *j, unsigned corner)
{
    const unsigned odd = corner / NET_KINDS % 4;
    prepare_any_net(j, corner, false);
    check_in(j, j->width, j->height);
    j->y1 -= j->y1 == 2 * j->height && (odd & 1);
    check_out(j, 2 * j->width - (int)(odd >> 1), 2 * j->height - (int)(odd & 1));
}

// U, V and luma are read; what is added to is any picture.
static void prepare_net_chroma(struct job *j, unsigned corner)
{
    const unsigned odd = corner / NET_KINDS % 4;
    prepare_any_net(j, corner, true);
    const int width = 2 * j->width - (int)(odd >> 1), height = 2 * j->height - (int)(odd & 1);
    check_in(j, j->width, j->height);
    check_in(j, j->width, j->height);
    check_in(j, width, height);
    j->y1 -= j->y1 == 2 * j->height && (odd & 1);
    j->y0 += !j->whole && j->y0 + 1 < j->y1 && (odd >> 1);
    for (int i = 0; i < 2; i++) {
        const struct ksr_plane *out = check_out(j, width, height);
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                out->data[y * out->stride + x] =
                    (uint16_t)(check_random(&j->random) >> 9 & KSR_SAMPLE_MAX);
    }
}

// For the widest.
static void *net_scratch(const ksr_net *net)
{
    static void *scratch;
    static size_t size;
    if (size < ksr_net_scratch(net)) {
        ksr_aligned_free(scratch);
        size = ksr_net_scratch(net);
        scratch = ksr_aligned_calloc(size);
    }
    return scratch;
}

static void run_net(struct job *j, const struct tables *t)
{
    t->stage.net_rows(&j->out[0].plane, &j->in[0].plane, j->net, net_scratch(j->net), j->y0, j->y1);
}

static void run_net_chroma(struct job *j, const struct tables *t)
{
    const struct ksr_net_chroma src = {{j->in[0].plane, j->in[1].plane}, j->in[2].plane};
    const struct ksr_plane dst[2] = {j->out[0].plane, j->out[1].plane};
    t->stage.net_chroma_rows(dst, &src, j->net, net_scratch(j->net), j->y0, j->y1);
}

static void prepare_enhance(struct job *j, double sharpening, double darkening, double contrast,
                            double saturation, bool full)
{
    draw_config(j);
    j->config.sharpening = sharpening;
    j->config.line_darkening = darkening;
    j->config.contrast_boost = contrast;
    j->config.saturation_boost = saturation;
    j->enhance = ksr_enhance_params_make(&j->config, full);
    check_in(j, j->width, j->height);
}

static void prepare_sharpening(struct job *j, unsigned corner)
{
    static const double values[] = {0.5, 2, 0.004, 1};
    const double value = values[choose(&corner, 4)];
    prepare_enhance(j, value, 0, 1, 1, choose(&corner, 2));
    check_out(j, j->width, j->height);
}

static void prepare_darkening(struct job *j, unsigned corner)
{
    static const double values[] = {0.5, 1, 0.004};
    const double value = values[choose(&corner, 3)];
    prepare_enhance(j, 0, value, 1, 1, choose(&corner, 2));
    check_out(j, j->width, j->height);
}

static void prepare_contrast(struct job *j, unsigned corner)
{
    static const double values[] = {1.2, 4, 0, 0.5};
    const double value = values[choose(&corner, 4)];
    prepare_enhance(j, 0, 0, value, 1, choose(&corner, 2));
    check_out(j, j->width, j->height);
}

static void prepare_luma(struct job *j, unsigned corner)
{
    static const double values[] = {0.5, 2}, darkening[] = {0.5, 1}, contrast[] = {1.2, 4, 0};
    const double a = values[choose(&corner, 2)], b = darkening[choose(&corner, 2)];
    const double c = contrast[choose(&corner, 3)];
    prepare_enhance(j, a, b, c, 1, choose(&corner, 2));
    check_out(j, j->width, j->height);
}

static void run_luma(struct job *j, const struct tables *t)
{
    t->stage.enhance_luma_rows(&j->out[0].plane, &j->in[0].plane, &j->enhance, j->y0, j->y1);
}

static void prepare_chroma(struct job *j, unsigned corner)
{
    static const double values[] = {1.2, 4, 0, 0.5};
    const double value = values[choose(&corner, 4)];
    prepare_enhance(j, 0, 0, 1, value, choose(&corner, 2));
    j->flag = choose(&corner, 2);
    if (j->flag)
        make_in_place(j);
    else
        check_out(j, j->width, j->height);
}

static void run_chroma(struct job *j, const struct tables *t)
{
    const struct ksr_plane *dst = &j->out[0].plane;
    t->stage.enhance_chroma_rows(dst, j->flag ? dst : &j->in[0].plane, &j->enhance, j->y0, j->y1);
}

static void prepare_temporal(struct job *j, unsigned corner)
{
    static const double weights[] = {0.15, 0.98, 0.0001}, thresholds[] = {0.1, 1, 0.0001, 0.004};
    static const unsigned noise[] = {0, 255, 2047, 8191};
    draw_config(j);
    j->config.temporal_weight = weights[choose(&corner, 3)];
    j->config.motion_threshold = thresholds[choose(&corner, 4)];
    j->temporal = ksr_temporal_params_make(&j->config);
    for (int i = 0; i < 2; i++)
        check_in(j, j->width, j->height);
    const unsigned most = noise[choose(&corner, 4)];
    if (most > 0) // a still picture with a little noise, so that something is blended
        for (int y = 0; y < j->height; y++)
            for (int x = 0; x < j->width; x++) {
                const ptrdiff_t at = y * j->in[0].plane.stride + x;
                const int v = j->in[0].plane.data[at] + (int)(check_random(&j->random) >> 8 & most);
                j->in[1].plane.data[at] = (uint16_t)(v > KSR_SAMPLE_MAX ? KSR_SAMPLE_MAX : v);
            }
    check_out(j, j->width, j->height);
}

static void run_temporal(struct job *j, const struct tables *t)
{
    t->stage.temporal_rows(&j->out[0].plane, &j->in[1].plane, &j->in[0].plane, &j->temporal,
                           j->temporal.weight, j->y0, j->y1);
}

// The first frame of `in` with noise of a neighbour, which is held, and a neighbour of it.
static void prepare_held(struct job *j, unsigned corner)
{
    static const double strengths[] = {0.5, 1, 0.01};
    prepare_temporal(j, corner);
    j->temporal = ksr_composite_params_make(strengths[corner % 3]);
}

static void run_smooth(struct job *j, const struct tables *t)
{
    t->stage.composite_smooth_rows(&j->out[0].plane, &j->in[0].plane, j->y0, j->y1);
}

static void run_held(struct job *j, const struct tables *t)
{
    t->stage.temporal_still_rows(&j->out[0].plane, &j->in[1].plane, &j->in[0].plane, &j->temporal,
                                 j->y0, j->y1);
}

// Two frames around, one on each side, held anywhere; luma is as large as the plane or larger.
static void prepare_composite(struct job *j, unsigned corner)
{
    draw_config(j);
    j->flag = choose(&corner, 2);
    const int scale = j->flag ? 2 : 1;
    for (int i = 0; i < 3; i++)
        check_in(j, j->width, j->height);
    struct ksr_plane *held = check_in(j, j->width * scale, j->height * scale);
    for (int y = 0; y < held->height; y++)
        for (int x = 0; x < held->width; x++)
            held->data[y * held->stride + x] %= 9;
    check_out(j, j->width, j->height);
}

static void run_composite(struct job *j, const struct tables *t)
{
    struct ksr_composite_frame frames[KSR_COMPOSITE_FRAMES] = {0};
    for (int i = 0; i < 3; i++) // of n+2 there is none
        frames[i] = (struct ksr_composite_frame){j->in[1 + i % 2].plane, j->in[3].plane};
    t->stage.composite_rows(&j->out[0].plane, &j->in[0].plane, frames, j->flag, j->flag, j->y0,
                            j->y1);
}

// Strong and weak grain, fine and coarse.
static void prepare_grain(struct job *j, unsigned corner)
{
    struct ksr_grain grain = {.amount = choose(&corner, 2) ? 200 : 100};
    const int most = choose(&corner, 2) ? KSR_GRAIN_STRONGEST : 300;
    draw_config(j);
    for (int i = 0; i < KSR_GRAIN_BANDS; i++)
        grain.luma[i] = (int)(check_random(&j->random) >> 8) % (most + 1);
    grain.chroma = (int)(check_random(&j->random) >> 8) % (most + 1);
    for (int i = 0; i < 2; i++)
        grain.alike[i] = (int)(check_random(&j->random) >> 8) % (KSR_GRAIN_ALIKE + 1);
    const bool full_range = choose(&corner, 2);
    const int plane = (int)choose(&corner, 3);
    j->grain = ksr_grain_params_make(&grain, full_range, plane, (int[]){2, 3},
                                     (int[]){j->flag ? 8 : 4, 6});
    j->frame = (int64_t)check_random(&j->random) << 3;
    check_in(j, j->width, j->height);
    check_out(j, j->width, j->height);
}

static void run_grain(struct job *j, const struct tables *t)
{
    t->stage.grain_rows(&j->out[0].plane, &j->in[0].plane, &j->grain, j->frame, j->y0, j->y1);
}

static void run_changed(struct job *j, const struct tables *t)
{
    j->result = t->stage.temporal_changed_rows(&j->in[0].plane, &j->in[1].plane, &j->temporal,
                                               j->y0, j->y1);
}

#define FUNCTION(which, member)                                                                    \
    static const void *which(const struct tables *t)                                               \
    {                                                                                              \
        return (const void *)(uintptr_t)(t->member);                                               \
    }

FUNCTION(of_unpack, frame->unpack_rows)
FUNCTION(of_pack, frame->pack_rows)
FUNCTION(of_to_ycc, frame->rgb_to_ycc_rows)
FUNCTION(of_from_ycc, frame->rgb_from_ycc_rows)
FUNCTION(of_descale, stage.descale_rows)
FUNCTION(of_chroma_shift, stage.chroma_shift_rows)
FUNCTION(of_normalize, stage.normalize_rows)
FUNCTION(of_deband, stage.deband_rows)
FUNCTION(of_deblock, stage.deblock_rows)
FUNCTION(of_dehalo, stage.dehalo_rows)
FUNCTION(of_structure, stage.structure_rows)
FUNCTION(of_antialias, stage.antialias_rows)
FUNCTION(of_upscale, stage.upscale_rows)
FUNCTION(of_guided, stage.guided_rows)
FUNCTION(of_learned, stage.learned_rows)
FUNCTION(of_net, stage.net_rows)
FUNCTION(of_net_chroma, stage.net_chroma_rows)
FUNCTION(of_luma, stage.enhance_luma_rows)
FUNCTION(of_chroma, stage.enhance_chroma_rows)
FUNCTION(of_changed, stage.temporal_changed_rows)
FUNCTION(of_temporal, stage.temporal_rows)
FUNCTION(of_held, stage.temporal_still_rows)
FUNCTION(of_smooth, stage.composite_smooth_rows)
FUNCTION(of_composite, stage.composite_rows)
FUNCTION(of_grain, stage.grain_rows)

const struct kernel check_kernels[] = {
    {"unpack", prepare_unpack, run_unpack, of_unpack},
    {"pack", prepare_pack, run_pack, of_pack},
    {"pack_scaled", prepare_pack_scaled, run_pack, of_pack},
    {"rgb_to_ycc", prepare_rgb, run_to_ycc, of_to_ycc},
    {"rgb_from_ycc", prepare_rgb, run_from_ycc, of_from_ycc},
    {"descale", prepare_descale, run_descale, of_descale},
    {"chroma_shift", prepare_chroma_shift, run_chroma_shift, of_chroma_shift},
    {"normalize", prepare_normalize, run_normalize, of_normalize},
    {"deblock", prepare_deblock, run_deblock, of_deblock},
    {"dehalo", prepare_dehalo, run_dehalo, of_dehalo},
    {"deband", prepare_deband, run_deband, of_deband},
    {"structure", prepare_structure, run_structure, of_structure},
    {"antialias", prepare_antialias, run_antialias, of_antialias},
    {"upscale", prepare_upscale, run_upscale, of_upscale},
    {"guided", prepare_guided, run_guided, of_guided},
    {"learned", prepare_upscale, run_learned, of_learned},
    {"net", prepare_net, run_net, of_net},
    {"net_chroma", prepare_net_chroma, run_net_chroma, of_net_chroma},
    {"sharpening", prepare_sharpening, run_luma, of_luma},
    {"line_darkening", prepare_darkening, run_luma, of_luma},
    {"contrast", prepare_contrast, run_luma, of_luma},
    {"enhance_luma", prepare_luma, run_luma, of_luma},
    {"enhance_chroma", prepare_chroma, run_chroma, of_chroma},
    {"temporal_changed", prepare_temporal, run_changed, of_changed},
    {"temporal", prepare_temporal, run_temporal, of_temporal},
    {"temporal_still", prepare_held, run_held, of_held},
    {"composite_smooth", prepare_held, run_smooth, of_smooth},
    {"composite", prepare_composite, run_composite, of_composite},
    {"grain", prepare_grain, run_grain, of_grain},
};
const int check_kernel_count = sizeof(check_kernels) / sizeof(check_kernels[0]);
