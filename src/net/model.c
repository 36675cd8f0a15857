// The reader of model files; see model.h.

#include "net/model.h"

#include <stdlib.h>
#include <string.h>

#define CHECKSUM 16
#define MOST     (1 << 30) // no sum reaches it, so that differences and samples can be added to it

static const uint8_t magic[8] = {'k', 's', 'r', 'n', 'e', 't', '\r', '\n'};

// What is left to read.
struct bytes {
    const uint8_t *at;
    size_t left;
};

static uint32_t take(struct bytes *b, int count)
{
    uint32_t v = 0;
    for (int i = 0; i < count; i++)
        v |= (uint32_t)b->at[i] << 8 * i;
    b->at += count;
    b->left -= (size_t)count;
    return v;
}

int ksr_model_channels(const struct ksr_model_layer *l)
{
    return l->kind == KSR_LAYER_UP ? 4 * l->outputs : l->outputs;
}

// --- How the layers hang together ---

static bool width_ok(int width)
{
    return width == 16 || width == 32 || width == 48 || width == 64 || width == 96 || width == 128;
}

static bool shape_ok(const struct ksr_model *m, int index)
{
    const struct ksr_model_layer *l = &m->layer[index];
    const bool first = index == 0, last = index == m->layers - 1;
    const bool chroma = m->layer[0].inputs == KSR_MODEL_CHROMA_INPUTS;
    const int outputs = chroma ? KSR_MODEL_CHROMA_OUTPUTS : KSR_MODEL_LUMA_OUTPUTS;
    if ((first ? !chroma && l->inputs != KSR_MODEL_LUMA_INPUTS : l->inputs != l[-1].outputs) ||
        (last ? l->outputs != outputs : !width_ok(l->outputs)))
        return false;
    switch (l->kind) {
    case KSR_LAYER_CONV: return l->side == 1 || l->side == 3 || (l->side == 5 && first);
    case KSR_LAYER_DOWN: return l->side == 3 && !first && !last;
    case KSR_LAYER_UP: return l->side == 1 && !first && !last;
    case KSR_LAYER_KINDS: break;
    }
    return false;
}

// The resolution of every layer; skips join equals, and the last layer is back where the first was.
static bool resolutions_fit(struct ksr_model *m)
{
    int halvings = 0;
    m->unit = 1;
    for (int i = 0; i < m->layers; i++) {
        struct ksr_model_layer *l = &m->layer[i];
        halvings += l->kind == KSR_LAYER_DOWN ? 1 : l->kind == KSR_LAYER_UP ? -1 : 0;
        if (halvings < 0 || halvings > KSR_MODEL_HALVINGS)
            return false;
        l->halvings = halvings;
        m->unit = 1 << halvings > m->unit ? 1 << halvings : m->unit;
        if (l->skip == 0)
            continue;
        if (l->skip < 0 || l->skip > i || m->layer[l->skip - 1].halvings != halvings ||
            m->layer[l->skip - 1].outputs != l->outputs)
            return false;
    }
    return halvings == 0;
}

static void raise(int *value, int least)
{
    *value = *value < least ? least : *value;
}

// From the last layer to the first: what each must give around a picture whose edges are multiples
// of m->unit.
static void trace_around(struct ksr_model *m)
{
    for (int i = 0; i < m->layers; i++)
        m->layer[i].before = m->layer[i].after = 0;
    m->before = m->after = 2; // for the interpolation
    for (int i = m->layers - 1; i >= 0; i--) {
        struct ksr_model_layer *l = &m->layer[i];
        if (l->kind == KSR_LAYER_UP) { // it gives two rows at once
            l->before += l->before % 2;
            l->after += l->after % 2;
        }
        int before = l->before + l->side / 2, after = l->after + l->side / 2;
        if (l->kind == KSR_LAYER_DOWN) {
            before = 2 * l->before + 1;
            after = 2 * l->after;
        } else if (l->kind == KSR_LAYER_UP) {
            before = l->before / 2;
            after = l->after / 2;
        }
        raise(i > 0 ? &l[-1].before : &m->before, before);
        raise(i > 0 ? &l[-1].after : &m->after, after);
        if (l->skip > 0) {
            raise(&m->layer[l->skip - 1].before, l->before);
            raise(&m->layer[l->skip - 1].after, l->after);
        }
    }
}

// When rows of samples come one by one, row r of a layer is made with sample row (r << halvings) +
// `soon` at the earliest and `late` at the latest.
struct delay {
    int soon, late;
};

// How many rows of a layer there are, at most, below the one that lies where the row lies that a
// user of it makes.
static int rows_ahead(struct delay made, struct delay user, int halvings)
{
    return (user.late - made.soon) >> halvings;
}

// From the first layer to the last: how many rows of each are needed at once.
// Returns whether every row is made so late that the interpolation has its samples.
static bool trace_rows(struct ksr_model *m)
{
    struct delay made[KSR_MODEL_LAYERS + 1] = {{0, 0}}; // of the samples, then of each layer
    m->kept = 1;
    for (int i = 0; i < m->layers; i++) {
        struct ksr_model_layer *l = &m->layer[i];
        const int scale = i > 0 ? 1 << l[-1].halvings : 1, half = l->side / 2;
        const struct delay in = made[i];
        made[i + 1] = l->kind == KSR_LAYER_UP
                          ? (struct delay){in.soon - scale / 2, in.late}
                          : (struct delay){in.soon + scale * half, in.late + scale * half};
        l->kept = 1;
        raise(i > 0 ? &l[-1].kept : &m->kept,
              rows_ahead(in, made[i + 1], i > 0 ? l[-1].halvings : 0) + half + 1);
        if (l->skip > 0)
            raise(&m->layer[l->skip - 1].kept,
                  rows_ahead(made[l->skip], made[i + 1], l->halvings) + 1);
        if (l->kind == KSR_LAYER_UP)
            raise(&l->kept, 2);
    }
    raise(&m->kept, made[m->layers].late + 3);
    return made[m->layers].soon >= 2;
}

const char *ksr_model_trace(struct ksr_model *m)
{
    m->width = 0;
    m->chroma = m->layer[0].inputs == KSR_MODEL_CHROMA_INPUTS;
    m->plain = !m->chroma;
    for (int i = 0; i < m->layers; i++) {
        const struct ksr_model_layer *l = &m->layer[i];
        if (!shape_ok(m, i))
            return "it has unsupported layers";
        raise(&m->width, l->outputs);
        m->plain = m->plain && l->kind == KSR_LAYER_CONV && l->skip == 0 &&
                   (i == 0 || i == m->layers - 1 || l->outputs == m->width);
    }
    m->plain = m->plain && (m->width == 16 || m->width == 32 || m->width == 64);
    if (!resolutions_fit(m))
        return "its resolutions do not fit together";
    trace_around(m);
    const bool late_enough = trace_rows(m);
    m->reach = (m->before > m->after ? m->before : m->after) + m->unit - 1;
    if (!late_enough || m->reach > KSR_MODEL_REACH)
        return "its reach is not supported";
    int kept = 0;
    for (int i = 0; i < m->layers; i++)
        kept += m->layer[i].kept * m->layer[i].outputs >> m->layer[i].halvings;
    return kept <= KSR_MODEL_KEPT ? NULL : "it needs too much memory";
}

// --- The file ---

static const char *check_sums(const struct ksr_model_layer *l, bool first)
{
    const int64_t most = first ? 16384 : 255;
    const int count = l->inputs * l->side * l->side;
    for (int o = 0; o < ksr_model_channels(l); o++) {
        int64_t sum = llabs((long long)l->bias[o]);
        for (int i = 0; i < count; i++)
            sum += most * abs(l->weight[o * count + i]);
        if (sum >= MOST)
            return "its sums can overflow";
        if (l->shift[o] > 30)
            return "a shift is out of range";
    }
    return NULL;
}

// Reads what a layer is: 8 bytes in either version.
static bool read_shape(struct bytes *b, struct ksr_model_layer *l, int version)
{
    if (version >= 2) {
        l->kind = (enum ksr_layer_kind)take(b, 1);
        l->skip = (int)take(b, 1);
    }
    l->inputs = (int)take(b, 2);
    l->outputs = (int)take(b, 2);
    l->side = (int)take(b, 2);
    const bool narrow = l->outputs == 4 || l->outputs == 16 || l->outputs == 32 || l->outputs == 64;
    return version >= 2 || (take(b, 2) == 0 && narrow);
}

static const char *read_layer(struct bytes *b, struct ksr_model *m, int index, int version)
{
    struct ksr_model_layer *l = &m->layer[index];
    if (b->left < 8)
        return "it is truncated";
    if (!read_shape(b, l, version) || !shape_ok(m, index))
        return "it has unsupported layers";
    const size_t channels = (size_t)ksr_model_channels(l);
    const size_t weights = channels * (size_t)(l->inputs * l->side * l->side);
    const int bytes = index == 0 ? 2 : 1;
    if (b->left < channels * 5 + weights * (size_t)bytes)
        return "it is truncated";
    l->bias = malloc(channels * sizeof(l->bias[0]));
    l->shift = malloc(channels);
    l->weight = malloc(weights * sizeof(l->weight[0]));
    if (!l->bias || !l->shift || !l->weight)
        return "out of memory";
    for (size_t i = 0; i < channels; i++)
        l->bias[i] = (int32_t)take(b, 4);
    for (size_t i = 0; i < channels; i++)
        l->shift[i] = (uint8_t)take(b, 1);
    for (size_t i = 0; i < weights; i++)
        l->weight[i] = bytes == 2 ? (int16_t)take(b, 2) : (int8_t)take(b, 1);
    return check_sums(l, index == 0);
}

static const char *read_layers(struct bytes *b, struct ksr_model *m, int version)
{
    for (int i = 0; i < m->layers; i++) {
        const char *wrong = read_layer(b, m, i, version);
        if (wrong)
            return wrong;
    }
    if (b->left != CHECKSUM)
        return "its length is wrong";
    const char *wrong = ksr_model_trace(m);
    if (!wrong && version == 1 && !m->plain)
        return "it has unsupported layers";
    return wrong;
}

// Checks what all files have around their content. *b: what is left behind the version.
static const char *open_file(const uint8_t *data, size_t size, struct bytes *b, int *version)
{
    uint8_t sum[CHECKSUM];
    if (size < sizeof(magic) + 4 + CHECKSUM || memcmp(data, magic, sizeof(magic)) != 0)
        return "it is not a .ksrnet file";
    *b = (struct bytes){data + sizeof(magic), size - sizeof(magic)};
    *version = (int)take(b, 2);
    if (*version < 1 || *version > 3)
        return "it has another version";
    ksr_hash128(data, size - CHECKSUM, sum);
    return memcmp(data + size - CHECKSUM, sum, CHECKSUM) == 0 ? NULL : "its checksum is wrong";
}

static const char *read_network(struct bytes *b, int version, struct ksr_model *m)
{
    m->layers = (int)take(b, 2);
    if (m->layers < 3 || m->layers > KSR_MODEL_LAYERS)
        return "it has unsupported layers";
    return read_layers(b, m, version);
}

static bool same_shape(const struct ksr_model *a, const struct ksr_model *b)
{
    bool same = a->layers == b->layers;
    for (int i = 0; same && i < a->layers; i++) {
        const struct ksr_model_layer *k = &a->layer[i], *l = &b->layer[i];
        same = k->kind == l->kind && k->skip == l->skip && k->inputs == l->inputs &&
               k->outputs == l->outputs && k->side == l->side;
    }
    return same;
}

static bool read_name(struct bytes *b, char name[KSR_VARIANT_NAME])
{
    memcpy(name, b->at, KSR_VARIANT_NAME);
    b->at += KSR_VARIANT_NAME;
    b->left -= KSR_VARIANT_NAME;
    const size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");
    return length > 0 && length < KSR_VARIANT_NAME && name[length] == 0;
}

// Reads one of several networks, which is a whole file behind its name and length.
static const char *read_variant(struct bytes *b, char name[KSR_VARIANT_NAME], struct ksr_model *out)
{
    struct bytes inner;
    int version;
    if (b->left < KSR_VARIANT_NAME + 4)
        return "it is truncated";
    if (!read_name(b, name))
        return "a variant has no usable name";
    const size_t size = take(b, 4);
    if (b->left < size)
        return "it is truncated";
    const char *wrong = open_file(b->at, size, &inner, &version);
    if (!wrong && version == 3)
        wrong = "it has another version";
    if (!wrong)
        wrong = read_network(&inner, version, out);
    if (!wrong && out->chroma)
        wrong = "networks of chroma have no variants";
    b->at += size;
    b->left -= size;
    return wrong;
}

// Reads all variants, so that a file is usable as a whole or not at all, and keeps one. The network
// that chooses is the last.
static const char *read_variants(struct bytes *b, const char *variant, struct ksr_model *out)
{
    const int count = (int)take(b, 2);
    if (count < 3 || count > KSR_MODEL_VARIANTS + 1)
        return "it has another number of variants";
    struct ksr_model all[KSR_MODEL_VARIANTS + 1];
    char name[KSR_MODEL_VARIANTS + 1][KSR_VARIANT_NAME];
    const char *wrong = NULL;
    int kept = variant ? -1 : 0;
    memset(all, 0, sizeof(all));
    for (int i = 0; i < count && !wrong; i++) {
        const bool chooses = i == count - 1;
        wrong = read_variant(b, name[i], &all[i]);
        for (int k = 0; k < i && !wrong; k++)
            if (strcmp(name[k], name[i]) == 0)
                wrong = "two variants have one name";
        if (!wrong && (strcmp(name[i], KSR_VARIANT_GENERAL) == 0) != (i == 0))
            wrong = "the network for all sources is not the first";
        if (!wrong && (strcmp(name[i], KSR_VARIANT_AUTO) == 0) != chooses)
            wrong = "the network that chooses is not the last";
        if (!wrong && !chooses && !same_shape(&all[0], &all[i]))
            wrong = "its variants have different shapes";
        if (!wrong && variant && strcmp(variant, name[i]) == 0)
            kept = i;
    }
    if (!wrong && b->left != CHECKSUM)
        wrong = "its length is wrong";
    if (!wrong && kept >= 0) {
        *out = all[kept];
        out->variants = count - 1;
        out->variant = kept;
        memcpy(out->variant_name, name, (size_t)(count - 1) * sizeof(name[0]));
        memset(&all[kept], 0, sizeof(all[kept]));
    }
    for (int i = 0; i < count; i++)
        ksr_model_free(&all[i]);
    return wrong ? wrong : kept < 0 ? KSR_MODEL_NO_VARIANT : NULL;
}

static const char *read_file(const uint8_t *data, size_t size, const char *variant,
                             struct ksr_model *m)
{
    struct bytes b;
    int version;
    const char *wrong = open_file(data, size, &b, &version);
    if (wrong)
        return wrong;
    if (version == 3) {
        wrong = read_variants(&b, variant, m);
    } else {
        m->variants = 1;
        wrong = read_network(&b, version, m);
        if (!wrong && variant && strcmp(variant, KSR_VARIANT_GENERAL) != 0)
            wrong = KSR_MODEL_NO_VARIANT;
    }
    ksr_hash_text(data, size, m->hash);
    return wrong;
}

const char *ksr_model_parse(const uint8_t *data, size_t size, const char *variant,
                            struct ksr_model *out)
{
    memset(out, 0, sizeof(*out));
    const char *wrong = read_file(data, size, variant, out);
    if (wrong)
        ksr_model_free(out);
    return wrong;
}

void ksr_model_free(struct ksr_model *model)
{
    for (int i = 0; i < KSR_MODEL_LAYERS; i++) {
        free(model->layer[i].bias);
        free(model->layer[i].shift);
        free(model->layer[i].weight);
    }
    memset(model, 0, sizeof(*model));
}
