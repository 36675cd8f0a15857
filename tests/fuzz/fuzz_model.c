// The reader of model files under libFuzzer: tests/fuzz/meson.build has how to build it. Each input
// is tried as it is, and once more with its checksum put right, so that what lies behind is
// reached.

#include <stdlib.h>
#include <string.h>

#include "net/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ksr_model model;
    ksr_model_parse(data, size, &model);
    ksr_model_free(&model);
    uint8_t *copy = malloc(size + 1);
    if (copy && size > 16) {
        memcpy(copy, data, size);
        ksr_hash128(copy, size - 16, copy + size - 16);
        ksr_model_parse(copy, size, &model);
        ksr_model_free(&model);
    }
    free(copy);
    return 0;
}
