// A library that stands in for ONNX Runtime and hands nearly everything on to the real one, so that
// tests can have what is rare:
//
//   SHIM_RUNTIME=FILE    the real one
//   SHIM_VERSION=TEXT    its version
//   SHIM_OLD=1           it does not know the interface's version
//   SHIM_WIDEST=N        no memory for pictures wider than N samples
//   SHIM_PROVIDER=NAME   offers that provider too; the CPU does its work
//   SHIM_FAILS=append    it cannot be asked for
//   SHIM_FAILS=session   no session starts with it
//   SHIM_BALANCE=FILE    writes there, when the program ends, how many objects were not released

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/ort.h"

#define PLACES 217 // that net/ort.h knows

typedef void (*function)(void);

struct api_base {
    const function *(*get_api)(uint32_t version);
    const char *(*get_version)(void);
};

static function table[PLACES];
static const struct api_base *real;
static atomic_bool asked; // for SHIM_PROVIDER, in the options of the next session
static atomic_int sessions, values, types, shapes;

#define REAL(place, name, result, arguments) static result(*real_##name) arguments;
#define TAKE(place, name, result, arguments) real_##name = (result(*) arguments)table[place];

KSR_ORT_FUNCTIONS(REAL)

static OrtStatus *failure(int code, const char *message)
{
    OrtStatus *(*create_status)(int, const char *) = (OrtStatus * (*)(int, const char *)) table[0];
    return create_status(code, message);
}

static bool fails(const char *where)
{
    const char *wanted = getenv("SHIM_FAILS");
    return wanted && strcmp(wanted, where) == 0;
}

static OrtStatus *run(OrtSession *session, const OrtRunOptions *options, const char *const *in,
                      const OrtValue *const *inputs, size_t n, const char *const *out, size_t m,
                      OrtValue **outputs)
{
    const char *widest = getenv("SHIM_WIDEST");
    OrtTensorTypeAndShapeInfo *info = NULL;
    int64_t size[4] = {0};
    if (widest && !real_GetTensorTypeAndShape(inputs[0], &info)) {
        real_GetDimensions(info, size, 4);
        real_ReleaseTensorTypeAndShapeInfo(info);
        if (size[3] > atoi(widest))
            return failure(6, "Failed to allocate memory for requested buffer");
    }
    const bool fresh = !outputs[0];
    OrtStatus *status = real_Run(session, options, in, inputs, n, out, m, outputs);
    values += fresh && outputs[0];
    return status;
}

static OrtStatus *create_session(const OrtEnv *env, const void *data, size_t size,
                                 const OrtSessionOptions *options, OrtSession **out)
{
    const bool refused = asked && fails("session");
    asked = false;
    if (refused)
        return failure(
            1, "/src/provider.cc:12 Start(int) status == 0 was false. the device is busy \n");
    OrtStatus *status = real_CreateSessionFromArray(env, data, size, options, out);
    sessions += !status;
    return status;
}

static OrtStatus *create_tensor(const OrtMemoryInfo *memory, void *data, size_t size,
                                const int64_t *shape, size_t rank, int type, OrtValue **out)
{
    OrtStatus *status =
        real_CreateTensorWithDataAsOrtValue(memory, data, size, shape, rank, type, out);
    values += !status;
    return status;
}

static OrtStatus *input_type(const OrtSession *session, size_t i, OrtTypeInfo **out)
{
    OrtStatus *status = real_SessionGetInputTypeInfo(session, i, out);
    types += !status;
    return status;
}

static OrtStatus *output_type(const OrtSession *session, size_t i, OrtTypeInfo **out)
{
    OrtStatus *status = real_SessionGetOutputTypeInfo(session, i, out);
    types += !status;
    return status;
}

static OrtStatus *shape_of(const OrtValue *value, OrtTensorTypeAndShapeInfo **out)
{
    OrtStatus *status = real_GetTensorTypeAndShape(value, out);
    shapes += !status;
    return status;
}

static OrtStatus *providers(char ***out, int *count)
{
    char **names = NULL;
    OrtStatus *status = real_GetAvailableProviders(&names, count);
    if (status)
        return status;
    const char *more = getenv("SHIM_PROVIDER");
    char **all = calloc((size_t)*count + 1, sizeof(all[0]));
    for (int i = 0; all && i < *count; i++)
        all[i] = strdup(names[i]);
    real_ReleaseAvailableProviders(names, *count);
    if (all && more)
        all[(*count)++] = strdup(more);
    *out = all;
    return all ? NULL : failure(1, "out of memory");
}

static OrtStatus *release_providers(char **names, int count)
{
    for (int i = 0; i < count; i++)
        free(names[i]);
    free(names);
    return NULL;
}

static OrtStatus *append(OrtSessionOptions *options, const char *name, const char *const *keys,
                         const char *const *entries, size_t count)
{
    if (!getenv("SHIM_PROVIDER"))
        return real_SessionOptionsAppendExecutionProvider(options, name, keys, entries, count);
    if (fails("append"))
        return failure(1, "there is no such device");
    asked = true;
    return NULL;
}

static void release_session(OrtSession *session)
{
    sessions -= session != NULL;
    real_ReleaseSession(session);
}

static void release_value(OrtValue *value)
{
    values -= value != NULL;
    real_ReleaseValue(value);
}

static void release_type(OrtTypeInfo *info)
{
    types -= info != NULL;
    real_ReleaseTypeInfo(info);
}

static void release_shape(OrtTensorTypeAndShapeInfo *info)
{
    shapes -= info != NULL;
    real_ReleaseTensorTypeAndShapeInfo(info);
}

static void write_balance(void)
{
    FILE *file = fopen(getenv("SHIM_BALANCE"), "w");
    if (file) {
        fprintf(file, "%d sessions, %d values, %d types, %d shapes\n", sessions, values, types,
                shapes);
        fclose(file);
    }
}

static const function *get_api(uint32_t version)
{
    if (getenv("SHIM_OLD"))
        return NULL;
    memcpy(table, real->get_api(version), sizeof(table));
    KSR_ORT_FUNCTIONS(TAKE)
    table[8] = (function)create_session;
    table[9] = (function)run;
    table[33] = (function)input_type;
    table[34] = (function)output_type;
    table[49] = (function)create_tensor;
    table[65] = (function)shape_of;
    table[95] = (function)release_session;
    table[96] = (function)release_value;
    table[98] = (function)release_type;
    table[99] = (function)release_shape;
    table[125] = (function)providers;
    table[126] = (function)release_providers;
    table[216] = (function)append;
    return table;
}

static const char *get_version(void)
{
    const char *version = getenv("SHIM_VERSION");
    return version ? version : real->get_version();
}

const struct api_base *OrtGetApiBase(void);

const struct api_base *OrtGetApiBase(void)
{
    static const struct api_base base = {get_api, get_version};
    if (real)
        return &base;
    void *library = dlopen(getenv("SHIM_RUNTIME"), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    void *symbol = library ? dlsym(library, "OrtGetApiBase") : NULL;
    const struct api_base *(*get_base)(void);
    memcpy(&get_base, &symbol, sizeof(get_base));
    real = symbol ? get_base() : NULL;
    if (getenv("SHIM_BALANCE"))
        atexit(write_balance);
    return real ? &base : NULL;
}
