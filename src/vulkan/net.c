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
#define MATRIX_ROWS 32 // of a workgroup with matrices
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

static int head_weight(const struct ksr_net_layer *l, int output, int row, int column)
{
    const int pairs = (l->side + 1) / 2;
    return l->weight16[((row * pairs + column / 2) * l->outputs + output) * 2 + column % 2];
}

static int body_weight(const struct ksr_net_layer *l, int output, int input, int row, int column)
{
    const int tap = row * l->side + column;
    return l->weight16[((tap * l->inputs / 2 + input / 2) * l->outputs + output) * 2 + input % 2];
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
        for (int c = 0; c < l->side; c++)
            for (int r = 0; r < l->side; r++)
                for (int o = 0; o < CHANNELS; o++)
                    put(w, head_weight(l, first + o, r, c));
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
    const int count = ksr_min(CHANNELS, l->outputs);
    for (int first = 0; first < l->outputs; first += count) {
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

// The matrices for a block of 32 outputs and inputs: [row][column][step][matrix][output][input].
static void put_block(struct writer *w, const struct ksr_net_layer *l,
                      const struct ksr_gpu_shape *s, int output, int input)
{
    const int k = s->k;
    for (int row = 0; row < l->side; row++)
        for (int column = 0; column < unit_columns(l); column++)
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
    const int units = ksr_max(l->inputs, UNIT);
    for (int first = 0; first < units; first += UNIT) {
        for (int input = 0; input < units; input += UNIT)
            put_block(w, l, s, first, input);
        for (int i = 0; i < UNIT * s->m; i++) // every row of a matrix alike
            put(w, body_bias(l, (first + table_output(s, i)) % l->outputs));
        for (int i = 0; i < UNIT * s->m; i++)
            put(w, l->shift[(first + table_output(s, i)) % l->outputs]);
    }
}

// --- The network on the GPU ---

static void put_layers(struct ksr_gpu_net *g, const ksr_net *net, int32_t *memory, size_t *words)
{
    struct writer w = {memory, 0};
    for (int i = 0; i < net->layers; i++) {
        g->address[i] = g->weights.address + w.count * sizeof(int32_t);
        if (i == 0)
            put_head(&w, &net->layer[i]);
        else if (i < net->layers - 1 && g->tier == KSR_GPU_NET_MATRIX)
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

static ksr_status create_kernel(struct ksr_gpu *gpu, struct ksr_gpu_kernel *out,
                                const struct ksr_gpu_net *g, const char *shader, size_t params,
                                int side)
{
    const int32_t constants[] = {g->width, side, g->tier != KSR_GPU_NET_INT};
    const struct ksr_gpu_kernel_info info = {
        shader, TILE_WIDTH, TILE_HEIGHT / TILE_ROWS, params, constants, 3, 0};
    return ksr_gpu_kernel_create(gpu, out, &info);
}

static ksr_status create_body(struct ksr_gpu *gpu, struct ksr_gpu_kernel *out,
                              const struct ksr_gpu_net *g, const struct ksr_net_layer *l)
{
    if (g->tier != KSR_GPU_NET_MATRIX)
        return create_kernel(gpu, out, g, "net_body", sizeof(struct ksr_gpu_net_body), l->side);
    const int32_t constants[] = {
        ksr_max(g->width / UNIT, 1), l->side, unit_columns(l), g->shape.m, g->shape.n, g->shape.k};
    const struct ksr_gpu_kernel_info info = {
        "net_matrix", SUBGROUPS * gpu->subgroup, 1, sizeof(struct ksr_gpu_net_body), constants, 6,
        gpu->subgroup};
    return ksr_gpu_kernel_create(gpu, out, &info);
}

static ksr_status create_kernels(struct ksr_gpu *gpu, struct ksr_gpu_net *g, const ksr_net *net)
{
    const int last = net->layers - 1;
    ksr_status status = create_kernel(gpu, &g->head, g, "net_head", sizeof(struct ksr_gpu_net_head),
                                      net->layer[0].side);
    if (status == KSR_OK)
        status = create_kernel(gpu, &g->tail, g, "net_tail", sizeof(struct ksr_gpu_net_tail),
                               net->layer[last].side);
    for (int i = 1; i < last && status == KSR_OK; i++) {
        struct ksr_gpu_kernel *body = &g->body[net->layer[i].side / 2];
        if (!body->name)
            status = create_body(gpu, body, g, &net->layer[i]);
    }
    return status;
}

// Finds a shape that net_matrix.comp is made for: best one with N = 8.
static bool find_shape(const struct ksr_gpu *gpu, struct ksr_gpu_shape *out)
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
    return tier != KSR_GPU_NET_MATRIX || find_shape(gpu, &shape);
}

enum ksr_gpu_net_tier ksr_gpu_net_best_tier(const struct ksr_gpu *gpu)
{
    return ksr_gpu_net_has_tier(gpu, KSR_GPU_NET_MATRIX) ? KSR_GPU_NET_MATRIX
           : gpu->dot_product                            ? KSR_GPU_NET_DOT
                                                         : KSR_GPU_NET_INT;
}

ksr_status ksr_gpu_net_create(struct ksr_gpu *gpu, struct ksr_gpu_net *out, const ksr_net *net,
                              enum ksr_gpu_net_tier tier)
{
    memset(out, 0, sizeof(*out));
    out->layers = net->layers;
    out->width = net->width;
    out->reach = net->reach;
    out->tier = tier;
    for (int i = 0; i < net->layers; i++)
        out->side[i] = net->layer[i].side;
    if (tier == KSR_GPU_NET_MATRIX && !find_shape(gpu, &out->shape))
        assert(false);
    ksr_status status = create_kernels(gpu, out, net);
    if (status == KSR_OK)
        status = upload_weights(gpu, out, net);
    if (status != KSR_OK)
        ksr_gpu_net_free(gpu, out);
    return status;
}

void ksr_gpu_net_free(struct ksr_gpu *gpu, struct ksr_gpu_net *net)
{
    ksr_gpu_kernel_free(gpu, &net->head);
    ksr_gpu_kernel_free(gpu, &net->tail);
    for (int i = 0; i < 2; i++)
        ksr_gpu_kernel_free(gpu, &net->body[i]);
    ksr_gpu_buffer_free(gpu, &net->weights);
    memset(net, 0, sizeof(*net));
}

// --- Work ---

static int round_up(int value, int to)
{
    return (value + to - 1) / to * to;
}

// Pixels from a row of activations to the next, room for whole workgroups.
static int activation_stride(const struct ksr_gpu_net *g, int width)
{
    return round_up(width + 2 * g->reach, ROUND_TO);
}

// Bytes of a layer's activations for `rows` rows of the picture. Workgroups read up to two rows and
// a pixel more than they make.
static size_t activation_bytes(const struct ksr_gpu_net *g, int width, int rows)
{
    const size_t height = (size_t)round_up(rows + 2 * g->reach, MATRIX_ROWS) + 3;
    return height * (size_t)activation_stride(g, width) * (size_t)g->width;
}

size_t ksr_gpu_net_scratch(const struct ksr_gpu_net *g, int width, int rows)
{
    return 2 * activation_bytes(g, width, rows);
}

// A band of the picture on its way through the layers.
struct band {
    struct ksr_gpu_commands *commands;
    const struct ksr_gpu_net *net;
    const struct ksr_gpu_plane *dst, *src;
    uint64_t activations[2];
    int stride;
    int y0, y1;        // rows of dst
    int width, height; // of the layer's activations
};

static void run_head(const struct band *b)
{
    const struct ksr_gpu_net *g = b->net;
    const struct ksr_gpu_net_head p = {.src = *b->src,
                                       .dst = b->activations[0],
                                       .weights = g->address[0],
                                       .x = -g->reach,
                                       .y = b->y0 / 2 - g->reach,
                                       .stride = b->stride};
    ksr_gpu_run(b->commands, &g->head, &p, b->width, (b->height + TILE_ROWS - 1) / TILE_ROWS,
                g->width / CHANNELS);
    ksr_gpu_mark(b->commands, "net head");
}

static void run_body(const struct band *b, int layer)
{
    const struct ksr_gpu_net *g = b->net;
    const struct ksr_gpu_kernel *kernel = &g->body[g->side[layer] / 2];
    const int pixels = g->tier == KSR_GPU_NET_MATRIX ? unit_pixels(g->width) : 1;
    const struct ksr_gpu_net_body p = {.src = b->activations[(layer - 1) % 2],
                                       .dst = b->activations[layer % 2],
                                       .weights = g->address[layer],
                                       .stride = b->stride / pixels};
    if (g->tier == KSR_GPU_NET_MATRIX) {
        const int across = 2 * g->shape.m * pixels;
        ksr_gpu_run(b->commands, kernel, &p, (b->width + across - 1) / across * (int)kernel->width,
                    (b->height + MATRIX_ROWS - 1) / MATRIX_ROWS, ksr_max(g->width / UNIT, 1));
    } else {
        ksr_gpu_run(b->commands, kernel, &p, b->width, (b->height + TILE_ROWS - 1) / TILE_ROWS,
                    g->width / CHANNELS);
    }
    ksr_gpu_mark(b->commands, "net body");
}

static void run_tail(const struct band *b)
{
    const struct ksr_gpu_net *g = b->net;
    const struct ksr_gpu_net_tail p = {.dst = *b->dst,
                                       .src = *b->src,
                                       .activations = b->activations[g->layers % 2],
                                       .weights = g->address[g->layers - 1],
                                       .stride = b->stride,
                                       .y0 = b->y0,
                                       .y1 = b->y1};
    ksr_gpu_run(b->commands, &g->tail, &p, b->width, (b->height + TILE_ROWS - 1) / TILE_ROWS, 1);
    ksr_gpu_mark(b->commands, "net tail");
}

static void run_band(struct band *b)
{
    const struct ksr_gpu_net *g = b->net;
    b->width = b->src->width + 2 * g->reach;
    b->height = (b->y1 + 1) / 2 - b->y0 / 2 + 2 * g->reach;
    for (int i = 0; i < g->layers; i++) {
        b->width -= g->side[i] - 1;
        b->height -= g->side[i] - 1;
        if (i > 0)
            ksr_gpu_barrier(b->commands);
        if (i == 0)
            run_head(b);
        else if (i < g->layers - 1)
            run_body(b, i);
        else
            run_tail(b);
    }
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

void ksr_gpu_net_rows(struct ksr_gpu_commands *commands, const struct ksr_gpu_net *g,
                      const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *src,
                      const struct ksr_gpu_buffer *scratch, int y0, int y1)
{
    const int rows = band_rows(g, src->width, src->height, scratch->size);
    struct band b = {
        .commands = commands,
        .net = g,
        .dst = dst,
        .src = src,
        .activations = {scratch->address, scratch->address + activation_bytes(g, src->width, rows)},
        .stride = activation_stride(g, src->width)};
    for (b.y0 = y0; b.y0 < y1; b.y0 = b.y1) {
        b.y1 = ksr_min(y1, b.y0 / 2 * 2 + 2 * rows);
        if (b.y0 > y0)
            ksr_gpu_barrier(commands);
        run_band(&b);
    }
}
