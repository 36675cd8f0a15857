// How a GPU does networks: in each tier, the shipped ones and random ones at the ends of what a
// model may hold. Models are read from the folder KSR_TEST_MODELS, else from the source tree.

#include "gpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "vulkan/net.h"

#define SHIPPED  2
#define BRANCHED 4 // several resolutions, skips
#define FIRST    (SHIPPED + BRANCHED)
#define CHROMA   (FIRST + 24) // here those of chroma begin
#define CHROMAS  7
#define NETS     (CHROMA + CHROMAS)
#define SCRATCH  ((size_t)8 << 20)
#define GUARD    ((size_t)1 << 16)
#define POISON   0xA5

// --- Networks ---

// A layer at the ends: the weights are drawn from 4 or from all, biases reach what sums leave of
// 2^30, and shifts bring a sum to about 8 bits, or not.
static void draw_layer(struct ksr_model_layer *l, bool first, uint32_t *seed)
{
    const int outputs = ksr_model_channels(l);
    const int count = l->inputs * l->side * l->side, ends = check_random(seed) >> 8 & 1;
    const int most = 2600 / l->inputs, head[4] = {-most, most, 0, 1};
    static const int body[4] = {-128, -127, 127, 0};
    l->bias = calloc((size_t)outputs, sizeof(l->bias[0]));
    l->shift = calloc((size_t)outputs, 1);
    l->weight = calloc((size_t)(outputs * count), sizeof(l->weight[0]));
    for (int i = 0; i < outputs * count; i++) {
        const int r = (int)(check_random(seed) >> 8);
        l->weight[i] = (int16_t)(first ? (ends ? head[r % 4] : r % (2 * most) - most)
                                       : (ends ? body[r % 4] : r % 256 - 128));
    }
    for (int o = 0; o < outputs; o++) {
        static const int bits[] = {4, 12, 18, 29};
        const int r = (int)(check_random(seed) >> 8), kind = r % 4;
        const int bias = (1 << bits[kind]) - r % 16, usual = first ? 18 : outputs <= 8 ? 6 : 9;
        l->bias[o] = r & 64 ? bias : -bias;
        l->shift[o] = (uint8_t)(kind == 3 ? 22 + r / 128 % 9 : usual + r / 128 % 4 - 1);
        l->shift[o] = (uint8_t)(r / 4096 % 8 == 0 ? r / 65536 % 31 : l->shift[o]);
    }
}

static ksr_net *finish_net(struct ksr_model *m, uint32_t seed)
{
    const uint32_t number = seed;
    for (int i = 0; i < m->layers; i++)
        draw_layer(&m->layer[i], i == 0, &seed);
    if (ksr_model_trace(m))
        abort();
    ksr_net *net = ksr_net_create(m);
    ksr_model_free(m);
    if (net) // devices know networks by it
        snprintf(net->hash, sizeof(net->hash), "drawn %u", number);
    return net;
}

static ksr_net *draw_net(int kind)
{
    static const int widths[] = {32, 16, 64}, heads[] = {5, 3, 1, 5};
    struct ksr_model m = {.layers = 4 + kind / 3 % 2};
    const int width = widths[kind % 3];
    for (int i = 0; i < m.layers; i++) {
        const bool last = i == m.layers - 1;
        const int side = i == 0           ? heads[(kind / 3 + kind) % 4]
                         : i == 2 || last ? (kind + i) % 4 == 0 ? 1 : 3
                                          : 3;
        m.layer[i] = (struct ksr_model_layer){
            .inputs = i == 0 ? 1 : width, .outputs = last ? 4 : width, .side = side};
    }
    return finish_net(&m, 77 + (uint32_t)kind);
}

#define LAYERS 10 // of a chain, at most

// A chain of layers: kind, skip, inputs, outputs, side.
static ksr_net *draw_chain(const struct ksr_model_layer chain[LAYERS], uint32_t seed)
{
    struct ksr_model m = {0};
    while (m.layers < LAYERS && chain[m.layers].side > 0) {
        m.layer[m.layers] = chain[m.layers];
        m.layers++;
    }
    return finish_net(&m, seed);
}

static ksr_net *draw_branched(int kind)
{
    static const struct ksr_model_layer chains[BRANCHED][LAYERS] = {
        {{KSR_LAYER_CONV, 0, 1, 32, 5},
         {KSR_LAYER_DOWN, 0, 32, 48, 3},
         {KSR_LAYER_DOWN, 0, 48, 16, 3},
         {KSR_LAYER_CONV, 0, 16, 16, 3},
         {KSR_LAYER_UP, 2, 16, 48, 1},
         {KSR_LAYER_CONV, 5, 48, 48, 1},
         {KSR_LAYER_UP, 1, 48, 32, 1},
         {KSR_LAYER_CONV, 0, 32, 32, 3},
         {KSR_LAYER_CONV, 0, 32, 4, 3}},
        {{KSR_LAYER_CONV, 0, 1, 16, 3},
         {KSR_LAYER_CONV, 1, 16, 16, 3},
         {KSR_LAYER_DOWN, 0, 16, 64, 3},
         {KSR_LAYER_CONV, 0, 64, 64, 3},
         {KSR_LAYER_CONV, 0, 64, 64, 1},
         {KSR_LAYER_UP, 2, 64, 16, 1},
         {KSR_LAYER_CONV, 0, 16, 4, 1}},
        {{KSR_LAYER_CONV, 0, 1, 48, 1},
         {KSR_LAYER_CONV, 0, 48, 16, 3},
         {KSR_LAYER_CONV, 0, 16, 4, 3}},
        {{KSR_LAYER_CONV, 0, 1, 32, 3},
         {KSR_LAYER_DOWN, 0, 32, 64, 3},
         {KSR_LAYER_CONV, 2, 64, 64, 3},
         {KSR_LAYER_DOWN, 0, 64, 96, 3},
         {KSR_LAYER_UP, 3, 96, 64, 1},
         {KSR_LAYER_CONV, 0, 64, 32, 1},
         {KSR_LAYER_UP, 1, 32, 32, 1},
         {KSR_LAYER_CONV, 7, 32, 32, 3},
         {KSR_LAYER_CONV, 0, 32, 4, 3}}};
    return draw_chain(chains[kind], 1077 + (uint32_t)kind);
}

static ksr_net *draw_chroma(int kind)
{
    static const struct ksr_model_layer chains[CHROMAS][LAYERS] = {
        {{KSR_LAYER_CONV, 0, 6, 32, 3},
         {KSR_LAYER_CONV, 0, 32, 32, 3},
         {KSR_LAYER_CONV, 0, 32, 32, 3},
         {KSR_LAYER_CONV, 0, 32, 8, 3}},
        {{KSR_LAYER_CONV, 0, 6, 16, 5},
         {KSR_LAYER_CONV, 1, 16, 16, 3},
         {KSR_LAYER_DOWN, 0, 16, 64, 3},
         {KSR_LAYER_CONV, 3, 64, 64, 1},
         {KSR_LAYER_UP, 2, 64, 16, 1},
         {KSR_LAYER_CONV, 0, 16, 8, 1}},
        {{KSR_LAYER_CONV, 0, 6, 48, 1},
         {KSR_LAYER_CONV, 0, 48, 48, 3},
         {KSR_LAYER_CONV, 0, 48, 8, 3}},
        {{KSR_LAYER_CONV, 0, 6, 32, 5},
         {KSR_LAYER_DOWN, 0, 32, 64, 3},
         {KSR_LAYER_DOWN, 0, 64, 32, 3},
         {KSR_LAYER_UP, 2, 32, 64, 1},
         {KSR_LAYER_UP, 1, 64, 32, 1},
         {KSR_LAYER_CONV, 0, 32, 32, 3},
         {KSR_LAYER_CONV, 0, 32, 8, 3}},
        {{KSR_LAYER_CONV, 0, 6, 64, 3}, {KSR_LAYER_CONV, 0, 64, 8, 3}},
        {{KSR_LAYER_CONV, 0, 6, 16, 3},
         {KSR_LAYER_CONV, 0, 16, 16, 3},
         {KSR_LAYER_CONV, 0, 16, 8, 3}},
        {{KSR_LAYER_CONV, 0, 6, 96, 5},
         {KSR_LAYER_CONV, 0, 96, 64, 1},
         {KSR_LAYER_CONV, 0, 64, 8, 1}}};
    return draw_chain(chains[kind], 2077 + (uint32_t)kind);
}

ksr_net *gpu_load_net(const char *name)
{
    if (strcmp(name, "resolutions") == 0)
        return draw_branched(0);
    if (strcmp(name, "chroma") == 0)
        return draw_chroma(0);
    if (strcmp(name, "chroma, resolutions") == 0)
        return draw_chroma(3);
    if (strcmp(name, "chroma, two layers") == 0)
        return draw_chroma(4);
    static uint8_t file[1 << 23];
    char path[512];
    const char *folder = getenv("KSR_TEST_MODELS");
    snprintf(path, sizeof(path), "%s/%s.ksrnet", folder ? folder : KSR_MODELS_SOURCE, name);
    FILE *f = fopen(path, "rb");
    struct ksr_model model;
    const char *wrong = f ? ksr_model_parse(file, fread(file, 1, sizeof(file), f), NULL, &model)
                          : "not there: KSR_TEST_MODELS names the folder of models";
    if (f)
        fclose(f);
    ksr_net *net = wrong ? NULL : ksr_net_create(&model);
    if (!net) {
        printf("error: %s: %s\n", path, wrong ? wrong : "out of memory");
        exit(1);
    }
    ksr_model_free(&model);
    return net;
}

// The network of a number, made once.
static const ksr_net *get_net(unsigned index)
{
    static ksr_net *nets[NETS];
    if (!nets[index])
        nets[index] = index == 0       ? gpu_load_net("anime-quality")
                      : index == 1     ? gpu_load_net("anime-fast")
                      : index < FIRST  ? draw_branched((int)index - SHIPPED)
                      : index < CHROMA ? draw_net((int)index - FIRST)
                                       : draw_chroma((int)index - CHROMA);
    if (!nets[index])
        abort();
    return nets[index];
}

// --- The job ---

// Few rows, as plain C takes long, and few networks, as a software device compiles kernels for
// long; odd sizes of the output, and not always all of its rows.
static void prepare(struct job *j, unsigned corner)
{
    const unsigned nets = getenv("KSR_TEST_GPU") ? CHROMA : FIRST + 4;
    const unsigned index = corner % nets, odd = corner / nets;
    j->net = get_net(index);
    j->width = (j->width - 1) % 70 + 1;
    j->height = (j->height - 1) % 20 + 1;
    check_in(j, j->width, j->height);
    j->y0 = odd & 4 ? j->height - 1 : 0;
    j->y1 = 2 * j->height - (int)(odd & 1);
    check_out(j, 2 * j->width - (int)(odd >> 1 & 1), 2 * j->height - (int)(odd & 1));
}

// Of chroma: U, V and luma, of even and odd sizes; U and V as a filter has enlarged them.
static void prepare_chroma(struct job *j, unsigned corner)
{
    const unsigned nets = getenv("KSR_TEST_GPU") ? CHROMAS : 4, odd = corner / nets;
    j->net = get_net(CHROMA + corner % nets);
    j->width = (j->width - 1) % 70 + 1;
    j->height = (j->height - 1) % 40 + 1;
    const int width = 2 * j->width - (int)(odd >> 1 & 1), height = 2 * j->height - (int)(odd & 1);
    check_in(j, j->width, j->height);
    check_in(j, j->width, j->height);
    for (int i = 0; i < 2; i++) {
        check_in(j, width, height);
        j->out[j->outs++] = j->in[--j->ins];
    }
    check_in(j, width, height);
    j->y0 = odd & 4 ? height / 2 : 0;
    j->y1 = height - (odd & 8 ? height / 5 : 0);
}

static unsigned index_of(const ksr_net *net)
{
    unsigned i = 0;
    while (get_net(i) != net)
        i++;
    return i;
}

static void run_c(struct job *j, const struct tables *t)
{
    void *memory = ksr_aligned_calloc(ksr_net_scratch(j->net));
    if (!memory)
        abort();
    const struct ksr_plane dst[2] = {j->out[0].plane, j->out[1].plane};
    const struct ksr_net_chroma src = {{j->in[0].plane, j->in[1].plane}, j->in[2].plane};
    if (j->net->chroma)
        t->stage.net_chroma_rows(dst, &src, j->net, memory, j->y0, j->y1);
    else
        t->stage.net_rows(&j->out[0].plane, &j->in[0].plane, j->net, memory, j->y0, j->y1);
    ksr_aligned_free(memory);
}

static const struct kernel job = {"net", prepare, run_c, NULL};
static const struct kernel chroma_job = {"net chroma", prepare_chroma, run_c, NULL};

// --- On the GPU ---

// What is made once.
enum way { WAY_INT, WAY_DOT, WAY_MATRIX_8, WAY_MATRIX_16, WAYS }; // matrices with N = 8 and 16
static struct ksr_gpu_net on_gpu[WAYS][NETS];
static struct ksr_gpu_buffer scratch; // mapped, to look at the guard
static size_t guard;                  // where it begins

static bool guard_stands(void)
{
    const uint8_t *memory = scratch.map;
    for (size_t i = guard; i < guard + GUARD; i++)
        if (memory[i] != POISON)
            return false;
    return true;
}

// Lets the next job have so many bytes, with a guard behind them.
static struct ksr_gpu_buffer take_scratch(struct bench *b, size_t size)
{
    if (!scratch.map &&
        ksr_gpu_buffer_create(b->gpu, &scratch, KSR_GPU_DOWNLOAD, SCRATCH) != KSR_OK)
        abort();
    if (size + GUARD > SCRATCH || (guard && !guard_stands())) {
        printf("    written behind the memory of activations\n");
        exit(1);
    }
    guard = size;
    memset((uint8_t *)scratch.map + guard, POISON, GUARD);
    struct ksr_gpu_buffer part = scratch;
    part.size = size;
    return part;
}

// Lets the GPU have only the shapes of matrices of one way; returns all of them.
static struct ksr_gpu keep_shapes(struct ksr_gpu *gpu, enum way way)
{
    const struct ksr_gpu all = *gpu;
    gpu->shape_count = 0;
    for (int i = 0; i < all.shape_count; i++)
        if (way < WAY_MATRIX_8 || all.shapes[i].n == (way == WAY_MATRIX_16 ? 16 : 8))
            gpu->shapes[gpu->shape_count++] = all.shapes[i];
    return all;
}

static void restore_shapes(struct ksr_gpu *gpu, const struct ksr_gpu *all)
{
    memcpy(gpu->shapes, all->shapes, sizeof(gpu->shapes));
    gpu->shape_count = all->shape_count;
}

static void create(struct bench *b, struct ksr_gpu_net *net, const ksr_net *from, enum way way)
{
    const struct ksr_gpu all = keep_shapes(b->gpu, way);
    const enum ksr_gpu_net_tier tier = way == WAY_INT   ? KSR_GPU_NET_INT
                                       : way == WAY_DOT ? KSR_GPU_NET_DOT
                                                        : KSR_GPU_NET_MATRIX;
    if (ksr_gpu_net_create(b->gpu, net, from, tier) != KSR_OK) {
        printf("error: %s\n", b->gpu->trouble);
        exit(1);
    }
    restore_shapes(b->gpu, &all);
}

static bool have_way(const struct bench *b, enum way way)
{
    const struct ksr_gpu all = keep_shapes(b->gpu, way);
    const bool have = ksr_gpu_net_has_tier(b->gpu, KSR_GPU_NET_MATRIX);
    restore_shapes(b->gpu, &all);
    return have;
}

// The whole picture at once, or in bands.
static void record(struct bench *b, const struct job *j, const struct planes *p, enum way way)
{
    struct ksr_gpu_net *net = &on_gpu[way][index_of(j->net)];
    if (!net->layers)
        create(b, net, j->net, way);
    const int rows = j->height % 3 == 0 ? 1 : j->height;
    const struct ksr_gpu_buffer part =
        take_scratch(b, ksr_gpu_net_scratch(net, j->in[0].plane.width, rows));
    const struct ksr_gpu_net_chroma src = {{p->in[0], p->in[1]}, p->in[2]};
    if (j->net->chroma)
        ksr_gpu_net_chroma_rows(&b->commands, net, p->out, &src, &part, j->y0, j->y1);
    else
        ksr_gpu_net_rows(&b->commands, net, &p->out[0], &p->in[0], &part, j->y0, j->y1);
}

static void record_int(struct bench *b, const struct job *j, const struct planes *p)
{
    record(b, j, p, WAY_INT);
}

static void record_dot(struct bench *b, const struct job *j, const struct planes *p)
{
    record(b, j, p, WAY_DOT);
}

static void record_matrix_8(struct bench *b, const struct job *j, const struct planes *p)
{
    record(b, j, p, WAY_MATRIX_8);
}

static void record_matrix_16(struct bench *b, const struct job *j, const struct planes *p)
{
    record(b, j, p, WAY_MATRIX_16);
}

static bool have_matrix_8(const struct bench *b)
{
    return have_way(b, WAY_MATRIX_8);
}

static bool have_matrix_16(const struct bench *b)
{
    return have_way(b, WAY_MATRIX_16);
}

const struct gpu_kernel gpu_net_kernels[] = {
    {"net int", record_int, &job, NULL},
    {"net dot", record_dot, &job, NULL},
    {"net matrix n=8", record_matrix_8, &job, have_matrix_8},
    {"net matrix n=16", record_matrix_16, &job, have_matrix_16},
    {"net chroma int", record_int, &chroma_job, NULL},
    {"net chroma dot", record_dot, &chroma_job, NULL},
    {"net chroma n=8", record_matrix_8, &chroma_job, have_matrix_8},
    {"net chroma n=16", record_matrix_16, &chroma_job, have_matrix_16},
};
const int gpu_net_kernel_count = sizeof(gpu_net_kernels) / sizeof(gpu_net_kernels[0]);

// index, other: of two networks that are not alike.
static bool check_choice(struct bench *b, unsigned index, unsigned other)
{
    char refused[KSR_GPU_REASON];
    struct ksr_gpu_net net;
    const ksr_status status = ksr_gpu_net_choose(b->gpu, &net, get_net(index), refused);
    const bool ok = status == KSR_OK && net.tier == ksr_gpu_net_best_tier(b->gpu) && !refused[0];
    if (!ok)
        printf("    %s\n", status == KSR_OK ? refused : b->gpu->trouble);
    if (status == KSR_OK)
        ksr_gpu_net_free(b->gpu, &net);
    // A network whose results are others must not pass.
    struct ksr_gpu_net wrong;
    if (ksr_gpu_net_create(b->gpu, &wrong, get_net(index), KSR_GPU_NET_INT) != KSR_OK)
        abort();
    const bool refuses = ksr_gpu_net_check(b->gpu, &wrong, get_net(other)) == KSR_E_PROCESS;
    ksr_gpu_net_free(b->gpu, &wrong);
    return ok && refuses;
}

bool gpu_net_check_choice(struct bench *b)
{
    return check_choice(b, FIRST, 1) && check_choice(b, CHROMA, CHROMA + 1);
}

void gpu_net_close(struct bench *b)
{
    take_scratch(b, 1); // looks at the guard
    for (int way = 0; way < WAYS; way++)
        for (int i = 0; i < NETS; i++)
            ksr_gpu_net_free(b->gpu, &on_gpu[way][i]);
    ksr_gpu_buffer_free(b->gpu, &scratch);
}
