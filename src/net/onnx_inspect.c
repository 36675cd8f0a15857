// What an .onnx model takes and gives, found out by looking and by trying; see onnx.h.

#include "net/onnx_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_SAMPLES (64 << 20) // of one channel of a picture that a model wants
#define MOST_SCALE   4

// --- What the runtime tells ---

struct shape {
    int type;    // of elements
    size_t rank; // 0 = not a tensor, or too many dimensions
    int64_t size[8];
};

static bool read_shape(const ksr_ort *ort, const OrtTensorTypeAndShapeInfo *info, struct shape *out,
                       char *message)
{
    return !ksr_ort_failed(ort, ort->GetTensorElementType(info, &out->type), message,
                           KSR_ONNX_MESSAGE) &&
           !ksr_ort_failed(ort, ort->GetDimensionsCount(info, &out->rank), message,
                           KSR_ONNX_MESSAGE) &&
           (out->rank <= 8 || (out->rank = 0, true)) &&
           !ksr_ort_failed(ort, ort->GetDimensions(info, out->size, out->rank), message,
                           KSR_ONNX_MESSAGE);
}

static bool read_type(const ksr_ort *ort, OrtTypeInfo *type, struct shape *out, char *message)
{
    const OrtTensorTypeAndShapeInfo *info = NULL;
    int kind = 0;
    const bool done =
        !ksr_ort_failed(ort, ort->GetOnnxTypeFromTypeInfo(type, &kind), message,
                        KSR_ONNX_MESSAGE) &&
        (kind != KSR_ORT_TENSOR || (!ksr_ort_failed(ort, ort->CastTypeInfoToTensorInfo(type, &info),
                                                    message, KSR_ONNX_MESSAGE) &&
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
    if (ksr_ort_failed(ort, ort->GetAllocatorWithDefaultOptions(&allocator), message,
                       KSR_ONNX_MESSAGE) ||
        ksr_ort_failed(ort,
                       input ? ort->SessionGetInputName(m->session, 0, allocator, &text)
                             : ort->SessionGetOutputName(m->session, 0, allocator, &text),
                       message, KSR_ONNX_MESSAGE))
        return false;
    *name = strdup(text ? text : "");
    char ignored[KSR_ONNX_MESSAGE];
    ksr_ort_failed(ort, ort->AllocatorFree(allocator, text), ignored, sizeof(ignored));
    return *name &&
           !ksr_ort_failed(ort,
                           input ? ort->SessionGetInputTypeInfo(m->session, 0, &type)
                                 : ort->SessionGetOutputTypeInfo(m->session, 0, &type),
                           message, KSR_ONNX_MESSAGE) &&
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
static const char *take_input(ksr_onnx *m, const struct shape *s, char text[KSR_ONNX_MESSAGE])
{
    char shape[128];
    shape_text(shape, sizeof(shape), s);
    const int64_t n = s->size[0], c = s->size[1], h = s->size[2], w = s->size[3];
    const bool channels_last = s->rank == 4 && c != 1 && c != 3 && (w == 1 || w == 3);
    if (s->rank != 4 || (n > 0 && n != 1) || (c > 0 && c != 1 && c != 3) || channels_last) {
        snprintf(text, KSR_ONNX_MESSAGE, "its input is %s; [1,1,H,W] or [1,3,H,W] is needed",
                 shape);
        return text;
    }
    if (!is_float(s->type))
        return "its input is neither float32 nor float16";
    if (h > MOST_SAMPLES || w > MOST_SAMPLES || (h > 0 && w > 0 && h * w > MOST_SAMPLES)) {
        snprintf(text, KSR_ONNX_MESSAGE, "its input is %s, which is too large", shape);
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

ksr_status ksr_onnx_look(ksr_context *ctx, ksr_onnx *m, const char *name)
{
    char message[KSR_ONNX_MESSAGE], text[KSR_ONNX_MESSAGE];
    size_t inputs = 0, outputs = 0;
    struct shape in, out;
    if (ksr_ort_failed(m->ort, m->ort->SessionGetInputCount(m->session, &inputs), message,
                       KSR_ONNX_MESSAGE) ||
        ksr_ort_failed(m->ort, m->ort->SessionGetOutputCount(m->session, &outputs), message,
                       KSR_ONNX_MESSAGE))
        return ksr_onnx_unusable(ctx, name, message);
    if (inputs != 1 || outputs < 1) {
        snprintf(text, sizeof(text), "it has %zu inputs and %zu outputs; one of each is needed",
                 inputs, outputs);
        return ksr_onnx_unusable(ctx, name, text);
    }
    if (!read_end(m, true, &m->input, &in, message) ||
        !read_end(m, false, &m->output, &out, message))
        return ksr_onnx_unusable(ctx, name, message);
    const char *wrong = take_input(m, &in, text);
    if (!wrong && !is_float(out.type))
        wrong = "its output is neither float32 nor float16";
    m->half_out = out.type == KSR_ORT_FLOAT16;
    return wrong ? ksr_onnx_unusable(ctx, name, wrong) : KSR_OK;
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
static const char *try_size(ksr_onnx *m, int width, int height, char text[KSR_ONNX_MESSAGE])
{
    float *in = calloc((size_t)m->channels * (size_t)width * (size_t)height, sizeof(in[0]));
    OrtValue *input = in ? ksr_onnx_input(m, in, width, height, text) : NULL, *result = NULL;
    OrtTensorTypeAndShapeInfo *info = NULL;
    struct shape s = {0};
    const bool done = input && ksr_onnx_run_once(m, input, &result, text) &&
                      !ksr_ort_failed(m->ort, m->ort->GetTensorTypeAndShape(result, &info), text,
                                      KSR_ONNX_MESSAGE) &&
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
    snprintf(text, KSR_ONNX_MESSAGE,
             "it makes %s of [1,%d,%d,%d]; 1 to %d times the size and the same channels are needed",
             shape, m->channels, height, width, MOST_SCALE);
    return text;
}

// Finds the smallest power of two that sizes must be multiples of. Every size tried is an odd
// multiple, and not square.
static const char *find_multiple(ksr_onnx *m, char text[KSR_ONNX_MESSAGE])
{
    char first[KSR_ONNX_MESSAGE] = "";
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
    snprintf(text, KSR_ONNX_MESSAGE, "%s", first);
    return text;
}

// Finds the value of white: that with which the model gives the picture back best.
static const char *find_white(ksr_context *ctx, ksr_onnx *m, const char *name, int wanted,
                              char text[KSR_ONNX_MESSAGE])
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
        if (ksr_onnx_run(m, in, width, height, out, text, KSR_ONNX_MESSAGE) != KSR_ONNX_DONE)
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
        wrong = "it returns values that are not numbers";
    if (!wrong && !wanted && left > 0.04)
        ksr_log(ctx, KSR_LOG_WARNING,
                "%s: cannot detect the value of white: assuming %d (set it with {ai_white})", name,
                m->white);
    return wrong;
}

ksr_status ksr_onnx_try(ksr_context *ctx, ksr_onnx *m, const char *name, int white)
{
    char text[KSR_ONNX_MESSAGE];
    const char *wrong;
    if (m->channels == 0) { // any number: three for colour, unless only one works
        m->channels = 3;
        wrong = find_multiple(m, text);
        if (wrong)
            m->channels = 1;
    }
    wrong = find_multiple(m, text);
    if (!wrong)
        wrong = find_white(ctx, m, name, white, text);
    return wrong ? ksr_onnx_unusable(ctx, name, wrong) : KSR_OK;
}
