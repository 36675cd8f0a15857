// The reader of model files under libFuzzer: tests/fuzz/meson.build has how to build it. Each input
// is tried as it is, and once more with its checksums put right, so that what lies behind is
// reached. What the reader accepts is run on a few rows, by plain C, whose memory must hold.

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "net/net.h"
#include "stages/dispatch.h"

#define MOST_MULTIPLICATIONS 8000 // for each sample: more takes too long

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run(const ksr_net *net)
{
    static uint16_t small[2][3 * 5], large[3][6 * 10];
    struct ksr_plane src[2], dst[3];
    for (int i = 0; i < 2; i++)
        src[i] = (struct ksr_plane){.data = small[i], .stride = 5, .width = 5, .height = 3};
    for (int i = 0; i < 3; i++)
        dst[i] = (struct ksr_plane){.data = large[i], .stride = 10, .width = 9, .height = 6};
    const struct ksr_net_chroma chroma = {{src[0], src[1]}, dst[2]};
    struct ksr_stage_table table;
    ksr_stage_table_init(&table, KSR_CPU_C);
    void *scratch = ksr_aligned_calloc(ksr_net_scratch(net));
    if (scratch && net->chroma)
        table.net_chroma_rows(dst, &chroma, net, scratch, 1, 6);
    else if (scratch)
        table.net_rows(dst, src, net, scratch, 1, 6);
    ksr_aligned_free(scratch);
}

static void read_variant(const uint8_t *data, size_t size, const char *variant, bool runs)
{
    struct ksr_model model;
    ksr_net *net = NULL;
    if (!ksr_model_parse(data, size, variant, &model) && runs)
        net = ksr_net_create(&model);
    if (net && ksr_net_multiplications(net) <= MOST_MULTIPLICATIONS)
        run(net);
    ksr_net_destroy(&net);
    ksr_model_free(&model);
}

static void read_model(const uint8_t *data, size_t size, bool runs)
{
    read_variant(data, size, NULL, runs);
    read_variant(data, size, "turned", runs);
    read_variant(data, size, KSR_VARIANT_AUTO, runs);
}

static void seal(uint8_t *data, size_t size)
{
    ksr_hash128(data, size - 16, data + size - 16);
}

// Puts the checksums of the networks in a file of variants right.
static void seal_variants(uint8_t *data, size_t size)
{
    size_t at = 12;
    while (size > 12 && data[8] == 3 && at + KSR_VARIANT_NAME + 4 < size) {
        const uint8_t *n = data + at + KSR_VARIANT_NAME;
        const size_t length = n[0] | (size_t)n[1] << 8 | (size_t)n[2] << 16 | (size_t)n[3] << 24;
        at += KSR_VARIANT_NAME + 4;
        if (length < 16 || length > size - at)
            return;
        seal(data + at, length);
        at += length;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_model(data, size, false);
    uint8_t *copy = malloc(size + 1);
    if (copy && size > 16) {
        memcpy(copy, data, size);
        seal_variants(copy, size);
        seal(copy, size);
        read_model(copy, size, true);
    }
    free(copy);
    return 0;
}
