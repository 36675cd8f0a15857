// Our table of ONNX Runtime's functions (net/ort.h) against the official header: compiled only
// where that is there, and right when it compiles.

#include <assert.h>
#include <stdio.h>

#include "net/ort.h"

#include <onnxruntime_c_api.h>

#define CHECK_PLACE(place, name, result, arguments)                                                \
    static_assert(offsetof(struct OrtApi, name) == (place) * sizeof(void *), #name);
#define ONE_MORE(place, name, result, arguments) +1

KSR_ORT_FUNCTIONS(CHECK_PLACE)

static_assert(KSR_ORT_API <= ORT_API_VERSION, "version");
static_assert((int)KSR_ORT_LOG_FATAL == (int)ORT_LOGGING_LEVEL_FATAL, "log level");
static_assert((int)KSR_ORT_OPTIMIZE_ALL == (int)ORT_ENABLE_ALL, "optimization");
static_assert((int)KSR_ORT_TENSOR == (int)ONNX_TYPE_TENSOR, "kind");
static_assert((int)KSR_ORT_FLOAT == (int)ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, "float32");
static_assert((int)KSR_ORT_FLOAT16 == (int)ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16, "float16");
static_assert((int)KSR_ORT_ARENA == (int)OrtArenaAllocator, "allocator");
static_assert((int)KSR_ORT_MEM_DEFAULT == (int)OrtMemTypeDefault, "memory");
static_assert(offsetof(struct OrtApiBase, GetApi) == 0, "base");
static_assert(offsetof(struct OrtApiBase, GetVersionString) == sizeof(void *), "base");

int main(void)
{
    printf("%d passed, 0 failed, 0 skipped\n", 0 KSR_ORT_FUNCTIONS(ONE_MORE));
    return 0;
}
