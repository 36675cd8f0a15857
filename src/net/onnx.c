// One .onnx model in ONNX Runtime; see onnx.h.

#include "net/onnx.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/fs.h"
#include "core/mem.h"
#include "frame/tile.h"
#include "net/half.h"

#define MOST_BYTES   (2047LL << 20) // of a model's file: what its format can hold
#define MOST_SAMPLES (64 << 20)     // of one channel of a picture that a model wants
#define MOST_SCALE   4
#define MESSAGE      512

static ksr_status unusable(ksr_context *ctx, const char *name, const char *why)
{
    return ksr_fail(ctx, KSR_E_MODEL, "Model cannot be used: %s: %s", name, why);
}

// --- The session ---

static bool set_options(const ksr_ort *ort, OrtSessionOptions *options, int threads, char *message)
{
    return !ksr_ort_failed(ort, ort->SetIntraOpNumThreads(options, threads), message, MESSAGE) &&
           !ksr_ort_failed(ort, ort->SetInterOpNumThreads(options, 1), message, MESSAGE) &&
           !ksr_ort_failed(ort,
                           ort->SetSessionGraphOptimizationLevel(options, KSR_ORT_OPTIMIZE_ALL),
                           message, MESSAGE);
}

// Makes the session on one device. Returns whether it is there; message: why not.
static bool start_on(ksr_onnx *m, const char *data, size_t size, int threads,
                     const struct ksr_ort_device *device, char *message)
{
    const ksr_ort *ort = m->ort;
    OrtSessionOptions *options = NULL;
    if (ksr_ort_failed(ort, ort->CreateSessionOptions(&options), message, MESSAGE))
        return false;
    const bool started =
        set_options(ort, options, threads, message) &&
        ksr_ort_use_device(ort, options, device, message, MESSAGE) &&
        !ksr_ort_failed(ort,
                        ort->CreateSessionFromArray(ort->env, data, size, options, &m->session),
                        message, MESSAGE);
    ort->ReleaseSessionOptions(options);
    m->device = device;
    return started;
}

static ksr_status unknown_device(ksr_context *ctx, const char *name)
{
    char all[256] = "";
    size_t count, length = 0;
    const struct ksr_ort_device *devices = ksr_ort_devices(&count);
    for (size_t i = 0; i < count && length < sizeof(all); i++)
        length += (size_t)snprintf(all + length, sizeof(all) - length, "%s%s", i ? ", " : "",
                                   devices[i].name);
    return ksr_fail(ctx, KSR_E_PARAM, "device: '%s' is not known (%s)", name, all);
}

static ksr_status start(ksr_context *ctx, ksr_onnx *m, const struct ksr_onnx_params *params,
                        const char *data, size_t size)
{
    const char *name = params->device ? params->device : "cpu";
    const struct ksr_ort_device *device = ksr_ort_device_find(name);
    const struct ksr_ort_device *cpu = ksr_ort_device_find("cpu");
    char message[MESSAGE];
    if (!device)
        return unknown_device(ctx, name);
    if (device != cpu && !start_on(m, data, size, params->threads, device, message)) {
        if (params->only)
            return ksr_fail(ctx, KSR_E_MODEL, "device: %s does not start: %s", device->name,
                            message);
        ksr_log(ctx, KSR_LOG_WARNING, "device: %s does not start: the CPU runs the model (%s)",
                device->name, message);
    }
    if (!m->session && !start_on(m, data, size, params->threads, cpu, message))
        return unusable(ctx, params->name, message);
    if (ksr_ort_failed(m->ort,
                       m->ort->CreateCpuMemoryInfo(KSR_ORT_ARENA, KSR_ORT_MEM_DEFAULT, &m->memory),
                       message, sizeof(message)))
        return unusable(ctx, params->name, message);
    return KSR_OK;
}

// --- What the runtime tells ---

struct shape {
    int type;    // of elements
    size_t rank; // 0 = not a tensor, or too many dimensions
    int64_t size[8];
};

static bool read_shape(const ksr_ort *ort, const OrtTensorTypeAndShapeInfo *info, struct shape *out,
                       char *message)
{
    return !ksr_ort_failed(ort, ort->GetTensorElementType(info, &out->type), message, MESSAGE) &&
           !ksr_ort_failed(ort, ort->GetDimensionsCount(info, &out->rank), message, MESSAGE) &&
           (out->rank <= 8 || (out->rank = 0, true)) &&
           !ksr_ort_failed(ort, ort->GetDimensions(info, out->size, out->rank), message, MESSAGE);
}

static bool read_type(const ksr_ort *ort, OrtTypeInfo *type, struct shape *out, char *message)
{
    const OrtTensorTypeAndShapeInfo *info = NULL;
    int kind = 0;
    const bool done =
        !ksr_ort_failed(ort, ort->GetOnnxTypeFromTypeInfo(type, &kind), message, MESSAGE) &&
        (kind != KSR_ORT_TENSOR ||
         (!ksr_ort_failed(ort, ort->CastTypeInfoToTensorInfo(type, &info), message, MESSAGE) &&
          read_shape(ort, info, out, message)));
    ort->ReleaseTypeInfo(type);
    return done;
}

// *name: a copy of the name of the first input or output.
static bool read_end(ksr_onnx *m, bool input, char **name, struct shape *out, char *message)
{
    const ksr_ort *ort = m->ort;
    OrtAllocator *allocator = NULL;
    OrtTypeInfo *type = NULL;
    char *text = NULL;
    *out = (struct shape){0};
    if (ksr_ort_failed(ort, ort->GetAllocatorWithDefaultOptions(&allocator), message, MESSAGE) ||
        ksr_ort_failed(ort,
                       input ? ort->SessionGetInputName(m->session, 0, allocator, &text)
                             : ort->SessionGetOutputName(m->session, 0, allocator, &text),
                       message, MESSAGE))
        return false;
    *name = strdup(text ? text : "");
    char ignored[MESSAGE];
    ksr_ort_failed(ort, ort->AllocatorFree(allocator, text), ignored, sizeof(ignored));
    return *name &&
           !ksr_ort_failed(ort,
                           input ? ort->SessionGetInputTypeInfo(m->session, 0, &type)
                                 : ort->SessionGetOutputTypeInfo(m->session, 0, &type),
                           message, MESSAGE) &&
           read_type(ort, type, out, message);
}

static void shape_text(char *out, size_t size, const struct shape *s)
{
    size_t length = (size_t)snprintf(out, size, "[");
    for (size_t i = 0; i < s->rank && length < size; i++)
        length += s->size[i] < 0
                      ? (size_t)snprintf(out + length, size - length, "%s?", i ? "," : "")
                      : (size_t)snprintf(out + length, size - length, "%s%lld", i ? "," : "",
                                         (long long)s->size[i]);
    if (length < size)
        snprintf(out + length, size - length, "]");
}

static bool is_float(int type)
{
    return type == KSR_ORT_FLOAT || type == KSR_ORT_FLOAT16;
}

// Takes channels and size from the input's shape. Returns what is wrong with it, or NULL.
static const char *take_input(ksr_onnx *m, const struct shape *s, char text[MESSAGE])
{
    char shape[128];
    shape_text(shape, sizeof(shape), s);
    const int64_t n = s->size[0], c = s->size[1], h = s->size[2], w = s->size[3];
    const bool channels_last = s->rank == 4 && c != 1 && c != 3 && (w == 1 || w == 3);
    if (s->rank != 4 || (n > 0 && n != 1) || (c > 0 && c != 1 && c != 3) || channels_last) {
        snprintf(text, MESSAGE, "its input is %s; [1,1,H,W] or [1,3,H,W] is needed", shape);
        return text;
    }
    if (!is_float(s->type))
        return "its input is neither float32 nor float16";
    if (h > MOST_SAMPLES || w > MOST_SAMPLES || (h > 0 && w > 0 && h * w > MOST_SAMPLES)) {
        snprintf(text, MESSAGE, "its input is %s, which is too large", shape);
        return text;
    }
    if (h == 0 || w == 0 || c == 0 || n == 0)
        return "its input has no samples";
    m->channels = c > 0 ? (int)c : 0;
    m->height = h > 0 ? (int)h : 0;
    m->width = w > 0 ? (int)w : 0;
    m->half_in = s->type == KSR_ORT_FLOAT16;
    return NULL;
}

static ksr_status look(ksr_context *ctx, ksr_onnx *m, const char *name)
{
    char message[MESSAGE], text[MESSAGE];
    size_t inputs = 0, outputs = 0;
    struct shape in, out;
    if (ksr_ort_failed(m->ort, m->ort->SessionGetInputCount(m->session, &inputs), message,
                       MESSAGE) ||
        ksr_ort_failed(m->ort, m->ort->SessionGetOutputCount(m->session, &outputs), message,
                       MESSAGE))
        return unusable(ctx, name, message);
    if (inputs != 1 || outputs < 1) {
        snprintf(text, sizeof(text),
                 "it has %zu inputs and %zu outputs; one picture in and one "
                 "out are needed",
                 inputs, outputs);
        return unusable(ctx, name, text);
    }
    if (!read_end(m, true, &m->input, &in, message) ||
        !read_end(m, false, &m->output, &out, message))
        return unusable(ctx, name, message);
    const char *wrong = take_input(m, &in, text);
    if (!wrong && !is_float(out.type))
        wrong = "its output is neither float32 nor float16";
    m->half_out = out.type == KSR_ORT_FLOAT16;
    return wrong ? unusable(ctx, name, wrong) : KSR_OK;
}

// --- Running ---

static bool out_of_memory(const char *message)
{
    static const char *const signs[] = {"bad_alloc",     "bad allocation",
                                        "out of memory", "Failed to allocate",
                                        "OUT_OF_MEMORY", "Available memory of"};
    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
        if (strstr(message, signs[i]))
            return true;
    return false;
}

static uint16_t *half_room(ksr_onnx *m, int end, size_t count)
{
    if (m->half_room[end] < count) {
        uint16_t *grown = realloc(m->half[end], count * sizeof(grown[0]));
        if (!grown)
            return NULL;
        m->half[end] = grown;
        m->half_room[end] = count;
    }
    return m->half[end];
}

// A tensor on our own memory. Returns NULL with a message.
static OrtValue *make_tensor(ksr_onnx *m, void *data, bool half, int width, int height,
                             char *message)
{
    const int64_t shape[] = {1, m->channels, height, width};
    const size_t count = (size_t)m->channels * (size_t)height * (size_t)width;
    OrtValue *value = NULL;
    const bool failed = ksr_ort_failed(
        m->ort,
        m->ort->CreateTensorWithDataAsOrtValue(m->memory, data, count * (half ? 2 : 4), shape, 4,
                                               half ? KSR_ORT_FLOAT16 : KSR_ORT_FLOAT, &value),
        message, MESSAGE);
    return failed ? NULL : value;
}

static OrtValue *input_tensor(ksr_onnx *m, const float *in, int width, int height, char *message)
{
    const size_t count = (size_t)m->channels * (size_t)height * (size_t)width;
    if (!m->half_in)
        return make_tensor(m, (void *)in, false, width, height, message);
    uint16_t *half = half_room(m, 0, count);
    if (!half) {
        snprintf(message, MESSAGE, "out of memory");
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        half[i] = ksr_half_from_float(in[i]);
    return make_tensor(m, half, true, width, height, message);
}

// *result: NULL = the runtime makes it; else where it goes.
static bool run_once(ksr_onnx *m, OrtValue *input, OrtValue **result, char *message)
{
    const char *const in[] = {m->input}, *const out[] = {m->output};
    const OrtValue *const inputs[] = {input};
    return !ksr_ort_failed(m->ort, m->ort->Run(m->session, NULL, in, inputs, 1, out, 1, result),
                           message, MESSAGE);
}

enum ksr_onnx_result ksr_onnx_run(ksr_onnx *m, const float *in, int width, int height, float *out,
                                  char *message, size_t size)
{
    char text[MESSAGE] = "";
    const int w = width * m->scale, h = height * m->scale;
    const size_t count = (size_t)m->channels * (size_t)h * (size_t)w;
    uint16_t *half = m->half_out ? half_room(m, 1, count) : NULL;
    OrtValue *result = NULL, *input = input_tensor(m, in, width, height, text);
    if (m->half_out && !half)
        snprintf(text, sizeof(text), "out of memory");
    else if (input)
        result = make_tensor(m, half ? (void *)half : (void *)out, half != NULL, w, h, text);
    const bool done = result && run_once(m, input, &result, text);
    for (size_t i = 0; done && half && i < count; i++)
        out[i] = ksr_half_to_float(half[i]);
    m->ort->ReleaseValue(result);
    m->ort->ReleaseValue(input);
    snprintf(message, size, "%s", text);
    if (!done)
        m->home = NULL; // who knows what state it is in
    return done ? KSR_ONNX_DONE : out_of_memory(text) ? KSR_ONNX_NO_MEMORY : KSR_ONNX_FAILED;
}

// --- Trial runs ---

// A smooth picture with all values between dark and bright, 0..1.
static float trial_value(int x, int y)
{
    return 0.5f + 0.4f * sinf((float)x * 0.21f) * cosf((float)y * 0.17f);
}

static void fill_trial(float *in, const ksr_onnx *m, int width, int height, float white)
{
    for (int c = 0; c < m->channels; c++)
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                *in++ = trial_value(x, y) * white;
}

// How far the result, made smaller again, is from the picture: mean square, of white.
static double trial_error(const ksr_onnx *m, const float *out, int width, int height, double white)
{
    const int s = m->scale;
    double sum = 0;
    for (int c = 0; c < m->channels; c++)
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++) {
                double mean = 0;
                for (int i = 0; i < s * s; i++)
                    mean += out[((size_t)(c * height + y) * (size_t)s + (size_t)(i / s)) *
                                    (size_t)(width * s) +
                                (size_t)(x * s + i % s)];
                mean = mean / (s * s) / white - trial_value(x, y);
                sum += mean * mean;
            }
    return sum / (m->channels * height * width);
}

// Runs on a picture of that size and sets the scale. Returns what is wrong, or NULL.
static const char *try_size(ksr_onnx *m, int width, int height, char text[MESSAGE])
{
    float *in = calloc((size_t)m->channels * (size_t)width * (size_t)height, sizeof(in[0]));
    OrtValue *input = in ? input_tensor(m, in, width, height, text) : NULL, *result = NULL;
    OrtTensorTypeAndShapeInfo *info = NULL;
    struct shape s = {0};
    const bool done =
        input && run_once(m, input, &result, text) &&
        !ksr_ort_failed(m->ort, m->ort->GetTensorTypeAndShape(result, &info), text, MESSAGE) &&
        read_shape(m->ort, info, &s, text);
    if (info)
        m->ort->ReleaseTensorTypeAndShapeInfo(info);
    m->ort->ReleaseValue(result);
    m->ort->ReleaseValue(input);
    free(in);
    if (!done)
        return in ? text : "out of memory";
    const int64_t scale = s.rank == 4 ? s.size[2] / height : 0;
    char shape[128];
    shape_text(shape, sizeof(shape), &s);
    if (s.rank == 4 && s.size[0] == 1 && s.size[1] == m->channels && scale >= 1 &&
        scale <= MOST_SCALE && s.size[2] == scale * height && s.size[3] == scale * width) {
        m->scale = (int)scale;
        return NULL;
    }
    snprintf(text, MESSAGE,
             "it makes %s of [1,%d,%d,%d]; 1 to %d times the size and the same channels are needed",
             shape, m->channels, height, width, MOST_SCALE);
    return text;
}

// Finds the smallest power of two that sizes must be multiples of. Every size tried is an odd
// multiple, and not square.
static const char *find_multiple(ksr_onnx *m, char text[MESSAGE])
{
    char first[MESSAGE] = "";
    for (int multiple = 1; multiple <= 64; multiple *= 2) {
        const int odd = 2 * ((8 + multiple - 1) / multiple) + 1;
        const char *wrong = try_size(m, m->width ? m->width : multiple * (odd + 2),
                                     m->height ? m->height : multiple * odd, text);
        m->multiple = multiple;
        if (!wrong)
            return NULL;
        if (!first[0])
            snprintf(first, sizeof(first), "%s", wrong);
        if (m->width && m->height)
            break;
    }
    snprintf(text, MESSAGE, "%s", first);
    return text;
}

// Finds the value of white: that with which the model gives the picture back best.
static const char *find_white(ksr_context *ctx, ksr_onnx *m, const char *name, int wanted,
                              char text[MESSAGE])
{
    const int side = (64 + m->multiple - 1) / m->multiple * m->multiple;
    const int width = m->width ? m->width : side, height = m->height ? m->height : side;
    const size_t samples = (size_t)m->channels * (size_t)width * (size_t)height;
    const int whites[] = {1, 255};
    double error[2] = {0, 0};
    const char *wrong = NULL;
    float *in = calloc(samples, sizeof(in[0]));
    float *out = calloc(samples * (size_t)(m->scale * m->scale), sizeof(out[0]));
    for (int i = 0; in && out && !wrong && i < 2; i++) {
        fill_trial(in, m, width, height, (float)whites[i]);
        if (ksr_onnx_run(m, in, width, height, out, text, MESSAGE) != KSR_ONNX_DONE)
            wrong = text;
        else
            error[i] = trial_error(m, out, width, height, whites[i]);
    }
    wrong = in && out ? wrong : "out of memory";
    free(in);
    free(out);
    const int better = error[1] * 4 < error[0] || !isfinite(error[0]);
    m->white = wanted ? wanted : whites[better];
    const double left = error[m->white == 255];
    if (!wrong && !isfinite(left))
        wrong = "it gives values that are not numbers";
    if (!wrong && !wanted && left > 0.04)
        ksr_log(ctx, KSR_LOG_WARNING,
                "%s: the value of white cannot be told: %d is taken (--ai-white sets it)", name,
                m->white);
    return wrong;
}

static ksr_status try_out(ksr_context *ctx, ksr_onnx *m, const struct ksr_onnx_params *params)
{
    char text[MESSAGE];
    const char *wrong;
    if (m->channels == 0) { // any number: three for colour, unless only one works
        m->channels = 3;
        wrong = find_multiple(m, text);
        if (wrong)
            m->channels = 1;
    }
    wrong = find_multiple(m, text);
    if (!wrong)
        wrong = find_white(ctx, m, params->name, params->white, text);
    return wrong ? unusable(ctx, params->name, wrong) : KSR_OK;
}

// --- Life ---

static ksr_status read_model(ksr_context *ctx, const struct ksr_onnx_params *params, char **data,
                             size_t *size)
{
    *data = NULL;
    if (!ksr_fs_exists(params->path) || ksr_fs_is_folder(params->path))
        return ksr_fail(ctx, KSR_E_MODEL, "Model not found: %s", params->name);
    if (ksr_fs_size(params->path) > MOST_BYTES)
        return unusable(ctx, params->name, "it is too large");
    const ksr_status status = ksr_fs_read_file(ctx, params->path, data, size);
    return status == KSR_E_INPUT
               ? ksr_fail(ctx, KSR_E_MODEL, "Model cannot be read: %s", params->name)
               : status;
}

static char *make_key(const struct ksr_onnx_params *p, const char *hash)
{
    const char *device = p->device ? p->device : "cpu";
    const bool only = p->only && strcmp(device, "cpu") != 0; // there is nothing to fall back to
    return ksr_format("%s %s %s %d %d", hash, p->library ? p->library : "", device, only,
                      p->threads);
}

// Whether a model that was kept is what another one (its key and wanted white alone are set) would
// be once it is loaded. A value of white that was found out also serves whoever asks for that
// value.
static bool is_same(const void *kept, const void *wanted)
{
    const ksr_onnx *a = kept, *b = wanted;
    return strcmp(a->key, b->key) == 0 &&
           (a->wanted_white == b->wanted_white || a->white == b->wanted_white);
}

static void destroy(void *onnx)
{
    ksr_onnx *m = onnx;
    if (m->memory)
        m->ort->ReleaseMemoryInfo(m->memory);
    if (m->session)
        m->ort->ReleaseSession(m->session);
    ksr_ort_close(&m->ort);
    free(m->input);
    free(m->output);
    free(m->half[0]);
    free(m->half[1]);
    free(m->key);
    free(m);
}

static ksr_status load(ksr_context *ctx, const struct ksr_onnx_params *params, const char *data,
                       size_t size, ksr_onnx *m)
{
    const int warnings = ksr_warning_count(ctx);
    ksr_status status = ksr_ort_open(ctx, params->library, &m->ort);
    if (status == KSR_OK)
        status = start(ctx, m, params, data, size);
    if (status == KSR_OK)
        status = look(ctx, m, params->name);
    if (status == KSR_OK)
        status = try_out(ctx, m, params);
    if (status == KSR_OK)
        ksr_log(ctx, KSR_LOG_DEBUG, "%s is loaded", params->name);
    // Every film is told what there is to warn of.
    if (ksr_warning_count(ctx) == warnings)
        m->home = ctx;
    return status;
}

ksr_status ksr_onnx_open(ksr_context *ctx, const struct ksr_onnx_params *params, ksr_onnx **out)
{
    char *data = NULL;
    size_t size = 0;
    *out = NULL;
    ksr_onnx *m = calloc(1, sizeof(*m));
    if (!m)
        return ksr_fail_memory(ctx);
    ksr_status status = read_model(ctx, params, &data, &size);
    if (status == KSR_OK) {
        ksr_hash_text(data, size, m->hash);
        m->key = make_key(params, m->hash);
        m->wanted_white = params->white;
        *out = m->key ? ksr_context_take(ctx, destroy, is_same, m) : NULL;
        status = m->key ? KSR_OK : ksr_fail_memory(ctx);
    }
    if (status == KSR_OK && !*out) {
        status = load(ctx, params, data, size, m);
        if (status == KSR_OK) {
            *out = m;
            m = NULL;
        }
    }
    free(data);
    if (m)
        destroy(m);
    return status;
}

void ksr_onnx_close(ksr_onnx **onnx)
{
    if (!onnx || !*onnx)
        return;
    if ((*onnx)->home)
        ksr_context_keep((*onnx)->home, *onnx, destroy);
    else
        destroy(*onnx);
    *onnx = NULL;
}
