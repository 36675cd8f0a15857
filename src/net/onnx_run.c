// Running an .onnx model; see onnx.h.

#include "net/onnx_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/half.h"

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
        message, KSR_ONNX_MESSAGE);
    return failed ? NULL : value;
}

OrtValue *ksr_onnx_input(ksr_onnx *m, const float *in, int width, int height, char *message)
{
    const size_t count = (size_t)m->channels * (size_t)height * (size_t)width;
    if (!m->half_in)
        return make_tensor(m, (void *)in, false, width, height, message);
    uint16_t *half = half_room(m, 0, count);
    if (!half) {
        snprintf(message, KSR_ONNX_MESSAGE, "out of memory");
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        half[i] = ksr_half_from_float(in[i]);
    return make_tensor(m, half, true, width, height, message);
}

bool ksr_onnx_run_once(ksr_onnx *m, OrtValue *input, OrtValue **result, char *message)
{
    const char *const in[] = {m->input}, *const out[] = {m->output};
    const OrtValue *const inputs[] = {input};
    return !ksr_ort_failed(m->ort, m->ort->Run(m->session, NULL, in, inputs, 1, out, 1, result),
                           message, KSR_ONNX_MESSAGE);
}

enum ksr_onnx_result ksr_onnx_run(ksr_onnx *m, const float *in, int width, int height, float *out,
                                  char *message, size_t size)
{
    char text[KSR_ONNX_MESSAGE] = "";
    const int w = width * m->scale, h = height * m->scale;
    const size_t count = (size_t)m->channels * (size_t)h * (size_t)w;
    uint16_t *half = m->half_out ? half_room(m, 1, count) : NULL;
    OrtValue *result = NULL, *input = ksr_onnx_input(m, in, width, height, text);
    if (m->half_out && !half)
        snprintf(text, sizeof(text), "out of memory");
    else if (input)
        result = make_tensor(m, half ? (void *)half : (void *)out, half != NULL, w, h, text);
    const bool done = result && ksr_onnx_run_once(m, input, &result, text);
    for (size_t i = 0; done && half && i < count; i++)
        out[i] = ksr_half_to_float(half[i]);
    m->ort->ReleaseValue(result);
    m->ort->ReleaseValue(input);
    snprintf(message, size, "%s", text);
    if (!done)
        m->home = NULL; // who knows what state it is in
    return done ? KSR_ONNX_DONE : out_of_memory(text) ? KSR_ONNX_NO_MEMORY : KSR_ONNX_FAILED;
}
