// Finding and loading ONNX Runtime; see ort.h.

#include "net/ort.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/fs.h"
#include "core/mem.h"

#define MESSAGE 512

typedef void (*function)(void);

// The one thing that the library exports.
struct api_base {
    const function *(*get_api)(uint32_t version);
    const char *(*get_version)(void);
};
typedef const struct api_base *(*base_function)(void);

// --- Loading ---

static void *open_library(const char *path)
{
    // Its threads and static objects do not stand being unloaded.
    return dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
}

#ifdef __APPLE__
#define LIBRARY       "libonnxruntime.dylib"
#define LIBRARY_MAJOR "libonnxruntime.1.dylib"
#define LIBRARY_MINOR "libonnxruntime.1.%d.dylib"
#else
#define LIBRARY       "libonnxruntime.so"
#define LIBRARY_MAJOR "libonnxruntime.so.1"
#define LIBRARY_MINOR "libonnxruntime.so.1.%d"
#endif

#ifdef _WIN32
#define HOW_TO_GET "put onnxruntime.dll beside the program"
#else
#define HOW_TO_GET "install it with 'make onnxruntime'"
#endif

// Names that systems give it: with the major version, or with the minor one as in Debian.
static void *open_system(char *name, size_t size)
{
    void *library = NULL;
    snprintf(name, size, LIBRARY_MAJOR);
    library = open_library(name);
    for (int minor = 64; !library && minor >= KSR_ORT_API; minor--) {
        snprintf(name, size, LIBRARY_MINOR, minor);
        library = open_library(name);
    }
    if (!library) {
        snprintf(name, size, LIBRARY);
        library = open_library(name);
    }
    return library;
}

static void *open_found(char *name, size_t size)
{
    static const char *const places[] = {KSR_ORT_INSTALLED, KSR_ORT_SOURCE};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        snprintf(name, size, "%s/" LIBRARY_MAJOR, places[i]);
        void *library = *places[i] && ksr_fs_exists(name) ? open_library(name) : NULL;
        if (library)
            return library;
    }
    return open_system(name, size);
}

static ksr_status find_library(ksr_context *ctx, const char *path, char *name, size_t size,
                               void **out)
{
    const char *given = path && *path ? path : getenv("KIZUNASR_ONNXRUNTIME");
    if (!given || !*given) {
        *out = open_found(name, size);
        return *out ? KSR_OK
                    : ksr_fail(ctx, KSR_E_MODEL,
                               "ONNX Runtime, which runs .onnx models, is not installed "
                               "(" HOW_TO_GET ", or set {onnxruntime_library} or "
                               "KIZUNASR_ONNXRUNTIME)");
    }
    snprintf(name, size, "%s", given);
    if (!ksr_fs_exists(given))
        return ksr_fail(ctx, KSR_E_MODEL, "ONNX Runtime not found: %s", given);
    *out = open_library(given);
    return *out ? KSR_OK : ksr_fail(ctx, KSR_E_MODEL, "cannot load ONNX Runtime: %s", dlerror());
}

static void ignore_message(void *param, int severity, const char *category, const char *id,
                           const char *place, const char *message)
{
    // What matters comes back as a status too.
    (void)param, (void)severity, (void)category, (void)id, (void)place, (void)message;
}

#define TAKE(place, name, result, arguments)                                                       \
    ort->name = (result(*) arguments)table[place];                                                 \
    complete = complete && table[place];

static bool take_functions(ksr_ort *ort, const function *table)
{
    bool complete = true;
    KSR_ORT_FUNCTIONS(TAKE)
    return complete;
}

static ksr_status connect(ksr_context *ctx, ksr_ort *ort, void *library)
{
    void *symbol = dlsym(library, "OrtGetApiBase");
    base_function get_base;
    memcpy(&get_base, &symbol, sizeof(get_base)); // POSIX: a function's address fits
    const struct api_base *base = symbol ? get_base() : NULL;
    if (!base)
        return ksr_fail(ctx, KSR_E_MODEL, "not ONNX Runtime: %s", ort->path);
    snprintf(ort->version, sizeof(ort->version), "%s", base->get_version());
    const function *table = base->get_api(KSR_ORT_API);
    if (!table || !take_functions(ort, table))
        return ksr_fail(ctx, KSR_E_MODEL, "ONNX Runtime %s is too old: 1.%d or newer is needed: %s",
                        ort->version, KSR_ORT_API, ort->path);
    char message[MESSAGE];
    if (ksr_ort_failed(ort,
                       ort->CreateEnvWithCustomLogger(ignore_message, NULL, KSR_ORT_LOG_FATAL,
                                                      "kizunasr", &ort->env),
                       message, sizeof(message)))
        return ksr_fail(ctx, KSR_E_MODEL, "ONNX Runtime does not start: %s", message);
    return KSR_OK;
}

ksr_status ksr_ort_open(ksr_context *ctx, const char *path, ksr_ort **out)
{
    char name[4096];
    void *library = NULL;
    *out = NULL;
    ksr_status status = find_library(ctx, path, name, sizeof(name), &library);
    if (status != KSR_OK)
        return status;
    ksr_ort *ort = calloc(1, sizeof(*ort));
    if (ort)
        ort->path = strdup(name);
    status = ort && ort->path ? connect(ctx, ort, library) : ksr_fail_memory(ctx);
    dlclose(library); // it stays loaded: RTLD_NODELETE
    if (status != KSR_OK)
        ksr_ort_close(&ort);
    *out = ort;
    return status;
}

void ksr_ort_close(ksr_ort **ort)
{
    if (!ort || !*ort)
        return;
    if ((*ort)->env)
        (*ort)->ReleaseEnv((*ort)->env);
    free((*ort)->path);
    free(*ort);
    *ort = NULL;
}

// What the runtime checks for itself it reports as `/place/in/its/source.cc:12 function condition
// was false. Text`. The text is what a reader can use.
static const char *text_of(const char *message)
{
    static const char condition[] = " was false. ";
    const char *end = message[0] == '/' ? strstr(message, condition) : NULL;
    return end && end[sizeof(condition) - 1] ? end + sizeof(condition) - 1 : message;
}

bool ksr_ort_failed(const ksr_ort *ort, OrtStatus *status, char *message, size_t size)
{
    if (!status)
        return false;
    snprintf(message, size, "%s", text_of(ort->GetErrorMessage(status)));
    for (size_t n = strlen(message); n > 0 && strchr(" \n", message[n - 1]); n--)
        message[n - 1] = '\0';
    ort->ReleaseStatus(status);
    return true;
}

// --- Execution providers ---

static const struct ksr_ort_device devices[] = {
    {"cpu", "CPUExecutionProvider", NULL},
    {"cuda", "CUDAExecutionProvider", NULL},
    {"tensorrt", "TensorrtExecutionProvider", NULL},
    {"openvino", "OpenVINOExecutionProvider", "OpenVINO"},
    {"webgpu", "WebGpuExecutionProvider", "WebGPU"},
    {"xnnpack", "XnnpackExecutionProvider", "XNNPACK"},
    {"qnn", "QNNExecutionProvider", "QNN"},
    {"vitisai", "VitisAIExecutionProvider", "VitisAI"},
    {"coreml", "CoreMLExecutionProvider", "CoreML"},
    {"directml", "DmlExecutionProvider", "DML"},
    {"migraphx", "MIGraphXExecutionProvider", "MIGraphX"},
};

const struct ksr_ort_device *ksr_ort_devices(size_t *count)
{
    *count = sizeof(devices) / sizeof(devices[0]);
    return devices;
}

const struct ksr_ort_device *ksr_ort_device_find(const char *name)
{
    for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
        if (strcmp(devices[i].name, name) == 0 || strcmp(devices[i].provider, name) == 0)
            return &devices[i];
    return NULL;
}

bool ksr_ort_has_provider(const ksr_ort *ort, const char *provider)
{
    char **names = NULL, message[MESSAGE];
    int count = 0;
    bool found = false;
    if (ksr_ort_failed(ort, ort->GetAvailableProviders(&names, &count), message, sizeof(message)))
        return false;
    for (int i = 0; i < count; i++)
        found = found || strcmp(names[i], provider) == 0;
    ksr_ort_failed(ort, ort->ReleaseAvailableProviders(names, count), message, sizeof(message));
    return found;
}

static bool use_cuda(const ksr_ort *ort, OrtSessionOptions *options, char *message, size_t size)
{
    OrtCUDAProviderOptionsV2 *cuda = NULL;
    if (ksr_ort_failed(ort, ort->CreateCUDAProviderOptions(&cuda), message, size))
        return false;
    const bool failed = ksr_ort_failed(
        ort, ort->SessionOptionsAppendExecutionProvider_CUDA_V2(options, cuda), message, size);
    ort->ReleaseCUDAProviderOptions(cuda);
    return !failed;
}

static bool use_tensorrt(const ksr_ort *ort, OrtSessionOptions *options, char *message, size_t size)
{
    OrtTensorRTProviderOptionsV2 *trt = NULL;
    if (ksr_ort_failed(ort, ort->CreateTensorRTProviderOptions(&trt), message, size))
        return false;
    const bool failed = ksr_ort_failed(
        ort, ort->SessionOptionsAppendExecutionProvider_TensorRT_V2(options, trt), message, size);
    ort->ReleaseTensorRTProviderOptions(trt);
    return !failed;
}

bool ksr_ort_use_device(const ksr_ort *ort, OrtSessionOptions *options,
                        const struct ksr_ort_device *device, char *message, size_t size)
{
    if (device == &devices[0])
        return true;
    if (!ksr_ort_has_provider(ort, device->provider)) {
        snprintf(message, size, "ONNX Runtime %s at %s is built without it", ort->version,
                 ort->path);
        return false;
    }
    if (strcmp(device->name, "cuda") == 0)
        return use_cuda(ort, options, message, size);
    if (strcmp(device->name, "tensorrt") == 0)
        return use_tensorrt(ort, options, message, size);
    return !ksr_ort_failed(
        ort, ort->SessionOptionsAppendExecutionProvider(options, device->key, NULL, NULL, 0),
        message, size);
}
