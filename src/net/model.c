// The reader of model files; see model.h.

#include "net/model.h"

#include <stdbool.h>
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

static const char *check_sums(const struct ksr_model_layer *l, bool first)
{
    const int64_t most = first ? 16384 : 255;
    const int count = l->inputs * l->side * l->side;
    for (int o = 0; o < l->outputs; o++) {
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

static const char *read_layer(struct bytes *b, struct ksr_model_layer *l, int index, int width,
                              bool last)
{
    if (b->left < 8)
        return "it is truncated";
    l->inputs = (int)take(b, 2);
    l->outputs = (int)take(b, 2);
    l->side = (int)take(b, 2);
    const bool zero = take(b, 2) == 0;
    const bool width_ok = l->outputs == 16 || l->outputs == 32 || l->outputs == 64;
    if (!zero || l->inputs != (index == 0 ? 1 : width) ||
        (last         ? l->outputs != 4
         : index == 0 ? !width_ok
                      : l->outputs != width) ||
        (l->side != 1 && l->side != 3 && (l->side != 5 || index > 0)))
        return "it has unsupported layers";
    const size_t outputs = (size_t)l->outputs;
    const size_t weights = outputs * (size_t)(l->inputs * l->side * l->side);
    const int bytes = index == 0 ? 2 : 1;
    if (b->left < outputs * 5 + weights * (size_t)bytes)
        return "it is truncated";
    l->bias = malloc(outputs * sizeof(l->bias[0]));
    l->shift = malloc(outputs);
    l->weight = malloc(weights * sizeof(l->weight[0]));
    if (!l->bias || !l->shift || !l->weight)
        return "out of memory";
    for (size_t i = 0; i < outputs; i++)
        l->bias[i] = (int32_t)take(b, 4);
    for (size_t i = 0; i < outputs; i++)
        l->shift[i] = (uint8_t)take(b, 1);
    for (size_t i = 0; i < weights; i++)
        l->weight[i] = bytes == 2 ? (int16_t)take(b, 2) : (int8_t)take(b, 1);
    return check_sums(l, index == 0);
}

static const char *read_layers(struct bytes *b, struct ksr_model *m)
{
    for (int i = 0; i < m->layers; i++) {
        const char *wrong = read_layer(b, &m->layer[i], i, m->width, i == m->layers - 1);
        if (wrong)
            return wrong;
        if (i == 0)
            m->width = m->layer[0].outputs;
        m->reach += m->layer[i].side / 2;
    }
    if (b->left != CHECKSUM)
        return "its length is wrong";
    // The engine keeps at least two rows and columns around what it makes, for the interpolation.
    return m->reach < 2 || m->reach > KSR_MODEL_REACH ? "its reach is not supported" : NULL;
}

static const char *read_file(const uint8_t *data, size_t size, struct ksr_model *m)
{
    if (size < sizeof(magic) + 4 + CHECKSUM || memcmp(data, magic, sizeof(magic)) != 0)
        return "it is not a .ksrnet file";
    struct bytes b = {data + sizeof(magic), size - sizeof(magic)};
    if (take(&b, 2) != 1)
        return "it has another version";
    uint8_t sum[CHECKSUM];
    ksr_hash128(data, size - CHECKSUM, sum);
    if (memcmp(data + size - CHECKSUM, sum, CHECKSUM) != 0)
        return "its checksum is wrong";
    m->layers = (int)take(&b, 2);
    if (m->layers < 3 || m->layers > KSR_MODEL_LAYERS)
        return "it has unsupported layers";
    ksr_hash_text(data, size, m->hash);
    return read_layers(&b, m);
}

const char *ksr_model_parse(const uint8_t *data, size_t size, struct ksr_model *out)
{
    memset(out, 0, sizeof(*out));
    const char *wrong = read_file(data, size, out);
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
