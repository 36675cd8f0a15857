// Networks on a GPU; see net.h.

#include "vulkan/net.h"

#include <assert.h>
#include <string.h>

#include "frame/tile.h"

// As in shaders/net.glsl and shaders/net_matrix.comp.
#define TILE_WIDTH  32
#define TILE_HEIGHT 16
#define TILE_ROWS   4 // of an invocation
#define CHANNELS    16
#define UNIT        32 // channels of a matrix
#define SUBGROUPS   4
#define MATRIX_ROWS 32 // of a workgroup with matrices, at most
#define ROUND_TO    64 // a multiple of the widths of all tiles

// --- Weights ---

// Where weights are written. Without memory they are only counted.
struct writer {
    int32_t *at;
    size_t count;
};

static void put(struct writer *w, int32_t value)
{
    if (w->at)
        w->at[w->count] = value;
    w->count++;
}

static int head_weight(const struct ksr_net_layer *l, int output, int input, int row, int column)
{
    const int pairs = (l->side + 1) / 2, pair = (input * l->side + row) * pairs + column / 2;
    return l->weight16[(pair * l->outputs + output) * 2 + column % 2];
}

static int body_weight(const struct ksr_net_layer *l, int output, int input, int row, int column)
{
    const int tap = row * l->side + column;
    return l->weight16[((tap * l->inputs / 2 + input / 2) * l->channels + output) * 2 + input % 2];
}

// The bias for activations less 128.
static int32_t body_bias(const struct ksr_net_layer *l, int output)
{
    int32_t sum = 0;
    for (int i = 0; i < l->inputs; i++)
        for (int r = 0; r < l->side; r++)
            for (int c = 0; c < l->side; c++)
                sum += body_weight(l, output, i, r, c);
    return l->bias[output] + 128 * sum;
}

static void put_head(struct writer *w, const struct ksr_net_layer *l)
{
    for (int first = 0; first < l->outputs; first += CHANNELS) {
        for (int i = 0; i < l->inputs; i++)
            for (int c = 0; c < l->side; c++)
                for (int r = 0; r < l->side; r++)
                    for (int o = 0; o < CHANNELS; o++)
                        put(w, head_weight(l, first + o, i, r, c));
        for (int o = 0; o < CHANNELS; o++)
            put(w, l->bias[first + o]);
        for (int o = 0; o < CHANNELS; o++)
            put(w, l->shift[first + o]);
    }
}

static int32_t packed(const int weight[4])
{
    uint32_t word = 0;
    for (int i = 0; i < 4; i++)
        word |= (uint32_t)(uint8_t)weight[i] << 8 * i;
    return (int32_t)word;
}

// For outputs first .. first+count-1, of inputs from `input` on.
static void put_inputs(struct writer *w, const struct ksr_net_layer *l, int first, int count,
                       int input)
{
    for (int c = 0; c < l->side; c++)
        for (int i = input; i < input + CHANNELS; i += 4)
            for (int r = 0; r < l->side; r++)
                for (int o = first; o < first + count; o++) {
                    int weight[4];
                    for (int k = 0; k < 4; k++)
                        weight[k] = body_weight(l, o, i + k, r, c);
                    put(w, packed(weight));
                }
}

// The body and the tail.
static void put_body(struct writer *w, const struct ksr_net_layer *l)
{
    const int count = ksr_min(CHANNELS, l->channels);
    for (int first = 0; first < l->channels; first += count) {
        for (int input = 0; input < l->inputs; input += CHANNELS)
            put_inputs(w, l, first, count, input);
        for (int o = 0; o < count; o++)
            put(w, body_bias(l, first + o));
        for (int o = 0; o < count; o++)
            put(w, l->shift[first + o]);
    }
}

// --- Weights of matrices ---

// Pixels in a unit of activations.
static int unit_pixels(int width)
{
    return width < UNIT ? UNIT / width : 1;
}

// Units of so many channels.
static int unit_blocks(int channels)
{
    return ksr_max(channels / UNIT, 1);
}

// Columns of the kernel in units.
static int unit_columns(const struct ksr_net_layer *l)
{
    const int pixels = unit_pixels(l->inputs);
    return (l->side + 2 * (pixels - 1)) / pixels;
}

// From one channel of the unit `column` units on to another channel of a unit.
static int unit_weight(const struct ksr_net_layer *l, int output, int input, int row, int column)
{
    if (unit_pixels(l->inputs) == 1)
        return body_weight(l, output, input, row, column);
    const int pixels = unit_pixels(l->inputs), width = l->inputs;
    const int between = column * pixels + input / width - output / width;
    return between < 0 || between >= l->side
               ? 0
               : body_weight(l, output % width, input % width, row, between);
}

// Which of the 32 outputs of a unit a column of matrix n makes; see net_matrix.comp.
static int matrix_output(const struct ksr_gpu_shape *s, int n, int column)
{
    return s->n == 8 ? column * 4 + n : n * s->n + column;
}

// The matrices for a block of 32 outputs and inputs: [column][row][step][matrix][output][input].
static void put_block(struct writer *w, const struct ksr_net_layer *l,
                      const struct ksr_gpu_shape *s, int output, int input)
{
    const int k = s->k;
    for (int column = 0; column < unit_columns(l); column++)
        for (int row = 0; row < l->side; row++)
            for (int step = 0; step < UNIT; step += k)
                for (int i = 0; i < UNIT * k; i += 4) {
                    const int o = output + matrix_output(s, i / k / s->n, i / k % s->n);
                    int weight[4];
                    for (int b = 0; b < 4; b++)
                        weight[b] = unit_weight(l, o, input + step + i % k + b, row, column);
                    put(w, packed(weight));
                }
}

// Which output element i of the matrices of biases is for.
static int table_output(const struct ksr_gpu_shape *s, int i)
{
    return matrix_output(s, i / (s->m * s->n), i % s->n);
}

static void put_matrices(struct writer *w, const struct ksr_net_layer *l,
                         const struct ksr_gpu_shape *s)
{
    for (int first = 0; first < l->channels; first += UNIT) {
        for (int input = 0; input < l->inputs; input += UNIT)
            put_block(w, l, s, first, input);
        for (int i = 0; i < UNIT * s->m; i++) // every row of a matrix alike
            put(w, body_bias(l, (first + table_output(s, i)) % l->channels));
        for (int i = 0; i < UNIT * s->m; i++)
            put(w, l->shift[(first + table_output(s, i)) % l->channels]);
    }
}

// --- The network on the GPU ---

static void put_layers(struct ksr_gpu_net *g, const ksr_net *net, int32_t *memory, size_t *words)
{
    struct writer w = {memory, 0};
    for (int i = 0; i < net->layers; i++) {
        g->layer[i].weights = g->weights.address + w.count * sizeof(int32_t);
        if (i == 0)
            put_head(&w, &net->layer[i]);
        else if (g->layer[i].matrix)
            put_matrices(&w, &net->layer[i], &g->shape);
        else
            put_body(&w, &net->layer[i]);
    }
    *words = w.count;
}

static ksr_status copy_weights(struct ksr_gpu *gpu, const struct ksr_gpu_net *g,
                               const struct ksr_gpu_buffer *from)
{
    struct ksr_gpu_commands commands;
    ksr_status status = ksr_gpu_commands_create(gpu, gpu->compute, &commands);
    if (status == KSR_OK)
        status = ksr_gpu_begin(&commands);
    if (status == KSR_OK) {
        ksr_gpu_copy(&commands, &g->weights, 0, from, 0, from->size);
        status = ksr_gpu_submit(&commands, NULL, 0);
    }
    if (status == KSR_OK)
        status = ksr_gpu_wait(&commands);
    ksr_gpu_commands_free(&commands);
    return status;
}

static ksr_status upload_weights(struct ksr_gpu *gpu, struct ksr_gpu_net *g, const ksr_net *net)
{
    struct ksr_gpu_buffer upload;
    size_t words;
    put_layers(g, net, NULL, &words);
    const size_t size = words * sizeof(int32_t);
    ksr_status status = ksr_gpu_buffer_create(gpu, &upload, KSR_GPU_UPLOAD, size);
    if (status == KSR_OK)
        status = ksr_gpu_buffer_create(gpu, &g->weights, KSR_GPU_LOCAL, size);
    if (status == KSR_OK) {
        put_layers(g, net, upload.map, &words);
        status = copy_weights(gpu, g, &upload);
    }
    ksr_gpu_buffer_free(gpu, &upload);
    return status;
}

// Rows of a subgroup, and the parts of the weights that it keeps: as many as leave registers.
static int matrix_rows(const struct ksr_net_layer *l)
{
    return l->inputs <= UNIT && l->kind != KSR_LAYER_DOWN ? 16 : 8;
}

static int matrix_kept(const struct ksr_net_layer *l)
{
    return l->inputs <= UNIT ? unit_columns(l) : 1;
}

static ksr_status create_matrix(struct ksr_gpu *gpu, struct ksr_gpu_kernel *out,
                                const struct ksr_gpu_net *g, const struct ksr_net_layer *l)
{
    const int32_t constants[] = {unit_blocks(l->inputs),
                                 l->side,
                                 unit_columns(l),
                                 g->shape.m,
                                 g->shape.n,
                                 g->shape.k,
                                 matrix_rows(l),
                                 matrix_kept(l),
                                 l->kind == KSR_LAYER_DOWN ? 2 : 1,
                                 unit_blocks(l->outputs),
                                 l->kind == KSR_LAYER_UP,
                                 l->skip > 0};
    const struct ksr_gpu_kernel_info info = {.shader = "net_matrix",
                                             .width = SUBGROUPS * gpu->subgroup,
                                             .height = 1,
                                             .params = sizeof(struct ksr_gpu_net_body),
                                             .constants = constants,
                                             .constant_count = 12,
                                             .subgroup = gpu->subgroup};
    return ksr_gpu_kernel_create(gpu, out, &info);
}

static ksr_status create_kernel(struct ksr_gpu *gpu, struct ksr_gpu_kernel *out,
                                const struct ksr_gpu_net *g, int index)
{
    const struct ksr_net_layer *l = &g->layer[index].shape;
    const bool head = index == 0, tail = index == g->layers - 1;
    if (g->layer[index].matrix)
        return create_matrix(gpu, out, g, l);
    const int32_t constants[] = {head ? l->outputs : l->inputs,
                                 l->side,
                                 head ? l->inputs : g->tier != KSR_GPU_NET_INT,
                                 l->kind == KSR_LAYER_DOWN ? 2 : 1,
                                 l->outputs,
                                 l->kind == KSR_LAYER_UP,
                                 l->skip > 0};
    struct ksr_gpu_kernel_info info = {.shader = "net_body",
                                       .width = TILE_WIDTH,
                                       .height = TILE_HEIGHT / TILE_ROWS,
                                       .params = sizeof(struct ksr_gpu_net_body),
                                       .constants = constants,
                                       .constant_count = head || tail ? 3 : 7};
    if (head) {
        info.shader = "net_head";
        info.params = sizeof(struct ksr_gpu_net_head);
    } else if (tail) {
        info.shader = g->chroma ? "net_tail_chroma" : "net_tail";
        info.params =
            g->chroma ? sizeof(struct ksr_gpu_net_tail_chroma) : sizeof(struct ksr_gpu_net_tail);
    }
    return ksr_gpu_kernel_create(gpu, out, &info);
}

static bool alike(const struct ksr_gpu_net_layer *a, const struct ksr_gpu_net_layer *b)
{
    return a->shape.kind == b->shape.kind && a->shape.inputs == b->shape.inputs &&
           a->shape.outputs == b->shape.outputs && a->shape.side == b->shape.side &&
           !a->shape.skip == !b->shape.skip && a->matrix == b->matrix;
}

static ksr_status create_kernels(struct ksr_gpu *gpu, struct ksr_gpu_net *g)
{
    ksr_status status = KSR_OK;
    for (int i = 0; i < g->layers && status == KSR_OK; i++) {
        g->layer[i].kernel = i;
        for (int k = i - 1; k > 0 && i < g->layers - 1; k--)
            if (alike(&g->layer[k], &g->layer[i]))
                g->layer[i].kernel = g->layer[k].kernel;
        if (g->layer[i].kernel == i)
            status = create_kernel(gpu, &g->kernel[i], g, i);
    }
    return status;
}

// Best is one with N = 8.
bool ksr_gpu_net_shape(const struct ksr_gpu *gpu, struct ksr_gpu_shape *out)
{
    for (int n = 8; n <= 16; n += 8)
        for (int i = 0; i < gpu->shape_count; i++) {
            *out = gpu->shapes[i];
            if ((out->m == 8 || out->m == 16) && out->n == n && (out->k == 16 || out->k == 32))
                return true;
        }
    return false;
}

const char *ksr_gpu_net_tier_name(enum ksr_gpu_net_tier tier)
{
    static const char *const names[KSR_GPU_NET_TIERS] = {"int32", "dot product", "matrix"};
    return names[tier];
}

bool ksr_gpu_net_has_tier(const struct ksr_gpu *gpu, enum ksr_gpu_net_tier tier)
{
    struct ksr_gpu_shape shape;
    return tier != KSR_GPU_NET_MATRIX || ksr_gpu_net_shape(gpu, &shape);
}

enum ksr_gpu_net_tier ksr_gpu_net_best_tier(const struct ksr_gpu *gpu)
{
    return ksr_gpu_net_has_tier(gpu, KSR_GPU_NET_MATRIX) ? KSR_GPU_NET_MATRIX
           : gpu->dot_product                            ? KSR_GPU_NET_DOT
                                                         : KSR_GPU_NET_INT;
}

// Returns whether net_matrix.comp can do a layer between the first and the last.
static bool fits_matrices(const struct ksr_net_layer *l)
{
    return (l->inputs % UNIT == 0 && l->outputs % UNIT == 0) ||
           (l->kind == KSR_LAYER_CONV && l->inputs == 16 && l->outputs == 16);
}

// Gives each layer a part of the scratch memory that no layer up to it reads any more.
static void share_memory(struct ksr_gpu_net *g)
{
    int reader[KSR_MODEL_LAYERS] = {0}; // the last one of what is in a part
    g->parts = 0;
    for (int i = 0; i < g->layers - 1; i++) {
        int last = i + 1, part = 0;
        for (int k = i + 1; k < g->layers; k++)
            if (g->layer[k].shape.skip == i + 1)
                last = k;
        while (part < g->parts && reader[part] >= i)
            part++;
        reader[part] = last;
        g->layer[i].part = part;
        g->parts = ksr_max(g->parts, part + 1);
    }
}

static void describe(struct ksr_gpu_net *g, const ksr_net *net, enum ksr_gpu_net_tier tier)
{
    g->chroma = net->chroma;
    g->layers = net->layers;
    g->unit = net->unit;
    g->tier = tier;
    for (int i = 0; i < net->layers; i++) {
        struct ksr_net_layer *l = &g->layer[i].shape;
        *l = net->layer[i];
        l->bias = l->shift = NULL;
        l->weight16 = l->tail16 = l->tiled16 = NULL;
        l->weight8 = l->tail8 = NULL;
        g->around[l->halvings] = ksr_max(g->around[l->halvings], l->before + l->after);
        g->layer[i].matrix =
            tier == KSR_GPU_NET_MATRIX && i > 0 && i < net->layers - 1 && fits_matrices(l);
    }
    share_memory(g);
}

ksr_status ksr_gpu_net_create(struct ksr_gpu *gpu, struct ksr_gpu_net *out, const ksr_net *net,
                              enum ksr_gpu_net_tier tier)
{
    memset(out, 0, sizeof(*out));
    describe(out, net, tier);
    if (tier == KSR_GPU_NET_MATRIX && !ksr_gpu_net_shape(gpu, &out->shape))
        assert(false);
    ksr_status status = create_kernels(gpu, out);
    if (status == KSR_OK)
        status = upload_weights(gpu, out, net);
    if (status != KSR_OK)
        ksr_gpu_net_free(gpu, out);
    return status;
}

void ksr_gpu_net_free(struct ksr_gpu *gpu, struct ksr_gpu_net *net)
{
    for (int i = 0; i < KSR_MODEL_LAYERS; i++)
        ksr_gpu_kernel_free(gpu, &net->kernel[i]);
    ksr_gpu_buffer_free(gpu, &net->weights);
    memset(net, 0, sizeof(*net));
}

// --- Work ---

static int round_up(int value, int to)
{
    return (value + to - 1) / to * to;
}

// Pixels from a row of activations to the next, room for whole workgroups.
static int activation_stride(const struct ksr_gpu_net *g, int width, int halvings)
{
    return round_up((round_up(width, g->unit) >> halvings) + g->around[halvings], ROUND_TO);
}

// Rows of activations for `rows` rows of the picture, which may begin at any. Workgroups read up to
// two rows and a pixel more than they make, twice as many where every second is read, and a skip
// reads beside what it is added to, by as much as later layers reach.
static int activation_rows(const struct ksr_gpu_net *g, int rows, int halvings)
{
    const int whole = g->unit == 1 ? rows : round_up(rows, g->unit) + g->unit;
    return round_up((whole >> halvings) + g->around[halvings], MATRIX_ROWS) +
           g->around[halvings] + (g->unit == 1 ? 3 : MATRIX_ROWS + 6);
}

// Pixels of a block of channels.
static int activation_block(const struct ksr_gpu_net *g, int width, int rows, int halvings)
{
    return activation_rows(g, rows, halvings) * activation_stride(g, width, halvings);
}

static size_t activation_bytes(const struct ksr_gpu_net *g, int index, int width, int rows)
{
    const struct ksr_net_layer *l = &g->layer[index].shape;
    return (size_t)activation_block(g, width, rows, l->halvings) * (size_t)l->outputs;
}

// Returns where a part of the scratch memory begins, as an offset.
static size_t part_offset(const struct ksr_gpu_net *g, int part, int width, int rows)
{
    size_t most[KSR_MODEL_LAYERS] = {0}, offset = 0;
    for (int i = 0; i < g->layers - 1; i++) {
        const size_t bytes = activation_bytes(g, i, width, rows);
        if (bytes > most[g->layer[i].part])
            most[g->layer[i].part] = bytes;
    }
    for (int i = 0; i < part; i++)
        offset += most[i];
    return offset;
}

size_t ksr_gpu_net_scratch(const struct ksr_gpu_net *g, int width, int rows)
{
    return part_offset(g, g->parts, width, rows);
}

// A band of the picture on its way through the layers.
struct band {
    struct ksr_gpu_commands *commands;
    const struct ksr_gpu_net *net;
    const struct ksr_gpu_plane *dst;        // luma; or U and V
    struct ksr_gpu_plane src[3];            // luma; or luma, U, V
    int width;                              // of what is doubled
    uint64_t activations[KSR_MODEL_LAYERS]; // of each layer
    int y0, y1;                             // rows of dst
    int first, end;                         // of what is doubled; multiples of the network's unit
    int most;                               // rows of it that the memory is for
};

static int stride_of(const struct band *b, int layer)
{
    return activation_stride(b->net, b->width, b->net->layer[layer].shape.halvings);
}

static int block_of(const struct band *b, int layer)
{
    return activation_block(b->net, b->width, b->most, b->net->layer[layer].shape.halvings);
}

// Columns and rows that a layer makes.
static int columns_of(const struct band *b, const struct ksr_net_layer *l)
{
    return (round_up(b->width, b->net->unit) >> l->halvings) + l->before + l->after;
}

static int rows_of(const struct band *b, const struct ksr_net_layer *l)
{
    return ((b->end - b->first) >> l->halvings) + l->before + l->after;
}

// Returns the address of activations of a layer, so many rows and columns from where they begin.
static uint64_t activations_at(const struct band *b, int layer, int x, int y)
{
    const int64_t pixels = (int64_t)y * stride_of(b, layer) + x;
    const int channels = b->net->layer[layer].shape.outputs;
    return b->activations[layer] + (uint64_t)(pixels * (channels % UNIT == 0 ? UNIT : channels));
}

// How far the first pixel that a layer's first one reads lies from the first of its input.
static int input_offset(const struct ksr_gpu_net *g, int layer)
{
    const struct ksr_net_layer *l = &g->layer[layer].shape;
    const int before = g->layer[layer - 1].shape.before;
    return l->kind == KSR_LAYER_DOWN ? before - 2 * l->before - 1
           : l->kind == KSR_LAYER_UP ? before - l->before / 2
                                     : before - l->before - l->side / 2;
}

// A kernel whose invocations make TILE_ROWS pixels of CHANNELS each.
static void run_tiles(const struct band *b, const struct ksr_gpu_kernel *kernel, const void *params,
                      int columns, int rows, int channels)
{
    ksr_gpu_run(b->commands, kernel, params, columns, (rows + TILE_ROWS - 1) / TILE_ROWS,
                (channels + CHANNELS - 1) / CHANNELS);
}

static void run_head(const struct band *b)
{
    const struct ksr_gpu_net *g = b->net;
    const struct ksr_net_layer *l = &g->layer[0].shape;
    const int around = l->before + l->side / 2;
    const struct ksr_gpu_net_head p = {.src = {b->src[0], b->src[1], b->src[2]},
                                       .dst = b->activations[0],
                                       .weights = g->layer[0].weights,
                                       .x = -around,
                                       .y = b->first - around,
                                       .stride = stride_of(b, 0),
                                       .block = block_of(b, 0)};
    run_tiles(b, &g->kernel[0], &p, columns_of(b, l), rows_of(b, l), l->outputs);
    ksr_gpu_mark(b->commands, "net head");
}

static void run_matrices(const struct band *b, const struct ksr_gpu_kernel *kernel,
                         struct ksr_gpu_net_body *p, const struct ksr_net_layer *l, int columns,
                         int rows)
{
    const int pixels = unit_pixels(l->inputs), across = 2 * b->net->shape.m * pixels;
    const int down = 2 * matrix_rows(l);
    p->stride /= pixels;
    p->out_stride /= pixels;
    ksr_gpu_run(b->commands, kernel, p, (columns + across - 1) / across * (int)kernel->width,
                (rows + down - 1) / down, unit_blocks(l->channels));
}

static void run_body(const struct band *b, int layer)
{
    const struct ksr_gpu_net *g = b->net;
    const struct ksr_net_layer *l = &g->layer[layer].shape;
    const struct ksr_gpu_kernel *kernel = &g->kernel[g->layer[layer].kernel];
    const int offset = input_offset(g, layer), half = l->kind == KSR_LAYER_UP ? 2 : 1;
    const int columns = columns_of(b, l) / half, rows = rows_of(b, l) / half;
    const int beside = l->skip > 0 ? g->layer[l->skip - 1].shape.before - l->before : 0;
    struct ksr_gpu_net_body p = {.src = activations_at(b, layer - 1, offset, offset),
                                 .dst = b->activations[layer],
                                 .weights = g->layer[layer].weights,
                                 .stride = stride_of(b, layer - 1),
                                 .block = block_of(b, layer - 1),
                                 .out_stride = stride_of(b, layer),
                                 .out_block = block_of(b, layer)};
    if (l->skip > 0)
        p.skip = activations_at(b, l->skip - 1, beside, beside);
    if (g->layer[layer].matrix)
        run_matrices(b, kernel, &p, l, columns, rows);
    else
        run_tiles(b, kernel, &p, columns, rows, l->channels);
    ksr_gpu_mark(b->commands, "net body");
}

static void run_tail(const struct band *b)
{
    const struct ksr_gpu_net *g = b->net;
    const int last = g->layers - 1, offset = input_offset(g, last);
    const struct ksr_gpu_net_tail luma = {
        .dst = b->dst[0],
        .src = b->src[0],
        .activations = activations_at(b, last - 1, offset, offset + b->y0 / 2 - b->first),
        .weights = g->layer[last].weights,
        .stride = stride_of(b, last - 1),
        .block = block_of(b, last - 1),
        .y0 = b->y0,
        .y1 = b->y1};
    struct ksr_gpu_net_tail_chroma chroma = {.activations = luma.activations,
                                             .weights = luma.weights,
                                             .stride = luma.stride,
                                             .block = luma.block,
                                             .y0 = b->y0,
                                             .y1 = b->y1};
    if (g->chroma)
        memcpy(chroma.dst, b->dst, sizeof(chroma.dst));
    if (g->chroma)
        memcpy(chroma.src, b->src + 1, sizeof(chroma.src));
    run_tiles(b, &g->kernel[last], g->chroma ? (const void *)&chroma : &luma, b->width,
              (b->y1 + 1) / 2 - b->y0 / 2, 1);
    ksr_gpu_mark(b->commands, "net tail");
}

static void run_band(struct band *b)
{
    const struct ksr_gpu_net *g = b->net;
    b->first = b->y0 / 2 / g->unit * g->unit;
    b->end = round_up((b->y1 + 1) / 2, g->unit);
    run_head(b);
    for (int i = 1; i < g->layers - 1; i++) {
        ksr_gpu_barrier(b->commands);
        run_body(b, i);
    }
    ksr_gpu_barrier(b->commands);
    run_tail(b);
}

// Returns how many rows of the picture fit the memory at once.
static int band_rows(const struct ksr_gpu_net *g, int width, int height, size_t size)
{
    int rows = height;
    while (rows > 1 && ksr_gpu_net_scratch(g, width, rows) > size)
        rows -= ksr_min(rows - 1, TILE_HEIGHT);
    assert(ksr_gpu_net_scratch(g, width, rows) <= size);
    return rows;
}

// Makes rows y0 .. y1-1 of dst, from a picture of so many rows, in bands.
static void run_bands(struct band *b, int height, const struct ksr_gpu_buffer *scratch, int y0,
                      int y1)
{
    const struct ksr_gpu_net *g = b->net;
    b->most = band_rows(g, b->width, height, scratch->size);
    for (int i = 0; i < g->layers - 1; i++)
        b->activations[i] = scratch->address + part_offset(g, g->layer[i].part, b->width, b->most);
    for (b->y0 = y0; b->y0 < y1; b->y0 = b->y1) {
        b->y1 = ksr_min(y1, b->y0 / 2 * 2 + 2 * b->most);
        if (b->y0 > y0)
            ksr_gpu_barrier(b->commands);
        run_band(b);
    }
}

void ksr_gpu_net_rows(struct ksr_gpu_commands *commands, const struct ksr_gpu_net *g,
                      const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *src,
                      const struct ksr_gpu_buffer *scratch, int y0, int y1)
{
    struct band b = {
        .commands = commands, .net = g, .dst = dst, .src = {*src}, .width = src->width};
    run_bands(&b, src->height, scratch, y0, y1);
}

void ksr_gpu_net_chroma_rows(struct ksr_gpu_commands *commands, const struct ksr_gpu_net *g,
                             const struct ksr_gpu_plane dst[2],
                             const struct ksr_gpu_net_chroma *src,
                             const struct ksr_gpu_buffer *scratch, int y0, int y1)
{
    struct band b = {.commands = commands,
                     .net = g,
                     .dst = dst,
                     .src = {src->luma, src->src[0], src->src[1]},
                     .width = src->src[0].width};
    run_bands(&b, src->src[0].height, scratch, y0, y1);
}
