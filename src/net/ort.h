// ONNX Runtime, found and loaded at run time: nothing of it is needed to build or to start.
//
// Its C interface is one table of functions, in which every function keeps its place for good. The
// table below names the places used here; tests/ort/table.c compares them with the official header.
// All of them are in the interface's version 12, ONNX Runtime 1.12 of 2022.

#ifndef KSR_NET_ORT_H
#define KSR_NET_ORT_H

#include <stddef.h>
#include <stdint.h>

#include "core/log.h"

#define KSR_ORT_API 12

typedef struct OrtStatus OrtStatus; // NULL = success
typedef struct OrtEnv OrtEnv;
typedef struct OrtSession OrtSession;
typedef struct OrtSessionOptions OrtSessionOptions;
typedef struct OrtRunOptions OrtRunOptions;
typedef struct OrtValue OrtValue;
typedef struct OrtTypeInfo OrtTypeInfo;
typedef struct OrtTensorTypeAndShapeInfo OrtTensorTypeAndShapeInfo;
typedef struct OrtMemoryInfo OrtMemoryInfo;
typedef struct OrtAllocator OrtAllocator;
typedef struct OrtCUDAProviderOptionsV2 OrtCUDAProviderOptionsV2;
typedef struct OrtTensorRTProviderOptionsV2 OrtTensorRTProviderOptionsV2;

// Numbers of the interface.
enum {
    KSR_ORT_LOG_FATAL = 4,
    KSR_ORT_OPTIMIZE_ALL = 99,
    KSR_ORT_TENSOR = 1, // kind of a value
    KSR_ORT_FLOAT = 1,  // types of elements
    KSR_ORT_FLOAT16 = 10,
    KSR_ORT_ARENA = 1, // allocator
    KSR_ORT_MEM_DEFAULT = 0,
};

typedef void (*ksr_ort_logger)(void *param, int severity, const char *category, const char *id,
                               const char *place, const char *message);

// place in the table, its name there, result, arguments
// clang-format off
#define KSR_ORT_FUNCTIONS(F) \
    F(2, GetErrorMessage, const char *, (const OrtStatus *)) \
    F(4, CreateEnvWithCustomLogger, OrtStatus *, (ksr_ort_logger, void *, int, const char *, OrtEnv **)) \
    F(8, CreateSessionFromArray, OrtStatus *, (const OrtEnv *, const void *, size_t, const OrtSessionOptions *, OrtSession **)) \
    F(9, Run, OrtStatus *, (OrtSession *, const OrtRunOptions *, const char *const *, const OrtValue *const *, size_t, const char *const *, size_t, OrtValue **)) \
    F(10, CreateSessionOptions, OrtStatus *, (OrtSessionOptions **)) \
    F(23, SetSessionGraphOptimizationLevel, OrtStatus *, (OrtSessionOptions *, int)) \
    F(24, SetIntraOpNumThreads, OrtStatus *, (OrtSessionOptions *, int)) \
    F(25, SetInterOpNumThreads, OrtStatus *, (OrtSessionOptions *, int)) \
    F(30, SessionGetInputCount, OrtStatus *, (const OrtSession *, size_t *)) \
    F(31, SessionGetOutputCount, OrtStatus *, (const OrtSession *, size_t *)) \
    F(33, SessionGetInputTypeInfo, OrtStatus *, (const OrtSession *, size_t, OrtTypeInfo **)) \
    F(34, SessionGetOutputTypeInfo, OrtStatus *, (const OrtSession *, size_t, OrtTypeInfo **)) \
    F(36, SessionGetInputName, OrtStatus *, (const OrtSession *, size_t, OrtAllocator *, char **)) \
    F(37, SessionGetOutputName, OrtStatus *, (const OrtSession *, size_t, OrtAllocator *, char **)) \
    F(49, CreateTensorWithDataAsOrtValue, OrtStatus *, (const OrtMemoryInfo *, void *, size_t, const int64_t *, size_t, int, OrtValue **)) \
    F(51, GetTensorMutableData, OrtStatus *, (OrtValue *, void **)) \
    F(55, CastTypeInfoToTensorInfo, OrtStatus *, (const OrtTypeInfo *, const OrtTensorTypeAndShapeInfo **)) \
    F(56, GetOnnxTypeFromTypeInfo, OrtStatus *, (const OrtTypeInfo *, int *)) \
    F(60, GetTensorElementType, OrtStatus *, (const OrtTensorTypeAndShapeInfo *, int *)) \
    F(61, GetDimensionsCount, OrtStatus *, (const OrtTensorTypeAndShapeInfo *, size_t *)) \
    F(62, GetDimensions, OrtStatus *, (const OrtTensorTypeAndShapeInfo *, int64_t *, size_t)) \
    F(65, GetTensorTypeAndShape, OrtStatus *, (const OrtValue *, OrtTensorTypeAndShapeInfo **)) \
    F(69, CreateCpuMemoryInfo, OrtStatus *, (int, int, OrtMemoryInfo **)) \
    F(76, AllocatorFree, OrtStatus *, (OrtAllocator *, void *)) \
    F(78, GetAllocatorWithDefaultOptions, OrtStatus *, (OrtAllocator **)) \
    F(92, ReleaseEnv, void, (OrtEnv *)) \
    F(93, ReleaseStatus, void, (OrtStatus *)) \
    F(94, ReleaseMemoryInfo, void, (OrtMemoryInfo *)) \
    F(95, ReleaseSession, void, (OrtSession *)) \
    F(96, ReleaseValue, void, (OrtValue *)) \
    F(98, ReleaseTypeInfo, void, (OrtTypeInfo *)) \
    F(99, ReleaseTensorTypeAndShapeInfo, void, (OrtTensorTypeAndShapeInfo *)) \
    F(100, ReleaseSessionOptions, void, (OrtSessionOptions *)) \
    F(125, GetAvailableProviders, OrtStatus *, (char ***, int *)) \
    F(126, ReleaseAvailableProviders, OrtStatus *, (char **, int)) \
    F(170, SessionOptionsAppendExecutionProvider_TensorRT_V2, OrtStatus *, (OrtSessionOptions *, const OrtTensorRTProviderOptionsV2 *)) \
    F(171, CreateTensorRTProviderOptions, OrtStatus *, (OrtTensorRTProviderOptionsV2 **)) \
    F(174, ReleaseTensorRTProviderOptions, void, (OrtTensorRTProviderOptionsV2 *)) \
    F(204, SessionOptionsAppendExecutionProvider_CUDA_V2, OrtStatus *, (OrtSessionOptions *, const OrtCUDAProviderOptionsV2 *)) \
    F(205, CreateCUDAProviderOptions, OrtStatus *, (OrtCUDAProviderOptionsV2 **)) \
    F(208, ReleaseCUDAProviderOptions, void, (OrtCUDAProviderOptionsV2 *)) \
    F(216, SessionOptionsAppendExecutionProvider, OrtStatus *, (OrtSessionOptions *, const char *, const char *const *, const char *const *, size_t))
// clang-format on

#define KSR_ORT_MEMBER(place, name, result, arguments) result(*name) arguments;

// A loaded runtime. Read-only once made: any number of threads may use one.
typedef struct ksr_ort {
    KSR_ORT_FUNCTIONS(KSR_ORT_MEMBER)
    OrtEnv *env;
    char version[32]; // "1.30.0"
    char *path;       // of the library, as it was found
} ksr_ort;

// Loads the runtime. path: of the library; NULL = $KIZUNASR_ONNXRUNTIME if that is set, else where
// KizunaSR is installed, else what `make onnxruntime` fetched, else the system's.
// *out: free with ksr_ort_close(). Returns KSR_OK, KSR_E_MODEL (logged: what is missing and how to
// get it), KSR_E_NOMEM. The library stays loaded for the life of the process.
ksr_status ksr_ort_open(ksr_context *ctx, const char *path, ksr_ort **out);
void ksr_ort_close(ksr_ort **ort);

// Copies the message of a failure, on one line, and releases it. Returns whether there was one.
bool ksr_ort_failed(const ksr_ort *ort, OrtStatus *status, char *message, size_t size);

// --- Execution providers ---

// A device by the name that people give it, and the provider that runs on it.
struct ksr_ort_device {
    const char *name;     // "cuda"
    const char *provider; // "CUDAExecutionProvider"
    const char *key;      // what the interface's general function calls it; NULL = has its own
};

// Returns the known devices, "cpu" first; *count: how many. Static.
const struct ksr_ort_device *ksr_ort_devices(size_t *count);

// Returns the device of that name, or of that provider; NULL if there is none.
const struct ksr_ort_device *ksr_ort_device_find(const char *name);

// Returns whether this runtime was built with a provider.
bool ksr_ort_has_provider(const ksr_ort *ort, const char *provider);

// Asks for a device in the options of a session. message: why not, if the result is false.
bool ksr_ort_use_device(const ksr_ort *ort, OrtSessionOptions *options,
                        const struct ksr_ort_device *device, char *message, size_t size);

#endif
