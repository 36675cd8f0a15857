// The level of H.264 and HEVC: what a decoder must be able to do. libx264 and libx265 choose it by
// the bit rate among others, and write it into the parameter sets, which all segments of a film
// share.

#include <stdlib.h>
#include <string.h>

#include "media/av/ffmpeg.h"
#include "media/encode/codecs.h"
#include "media/encode/encoder.h"

enum { H264_SPS = 7, HEVC_SPS = 33 };

// Returns byte `wanted` of a NAL unit that starts at `data`, without the bytes that only keep start
// codes from showing up inside; -1 when it is too short.
static int nal_byte(const uint8_t *data, const uint8_t *end, int wanted)
{
    int zeros = 0;
    for (; data < end; data++) {
        if (zeros >= 2 && *data == 3) {
            zeros = 0;
            continue;
        }
        if (wanted-- == 0)
            return *data;
        zeros = *data == 0 ? zeros + 1 : 0;
    }
    return -1;
}

// Returns the level in tenths, as both encoders take it, from parameter sets with start codes; -1
// when they have none.
static int read_level(const uint8_t *data, size_t size, enum ksr_parameter_sets sets)
{
    const uint8_t *end = data + size;
    for (const uint8_t *p = data; p + 4 < end; p++) {
        if (p[0] != 0 || p[1] != 0 || p[2] != 1)
            continue;
        // Two bytes of header, one of ids, twelve of profile; or one of header, two of profile.
        if (sets == KSR_SETS_HEVC && p[3] >> 1 == HEVC_SPS)
            return nal_byte(p + 3, end, 14) / 3;
        if (sets == KSR_SETS_H264 && (p[3] & 31) == H264_SPS)
            return nal_byte(p + 3, end, 3);
    }
    return -1;
}

static ksr_status find_level(ksr_context *ctx, const struct ksr_encoder_settings *settings,
                             int64_t bit_rate, enum ksr_parameter_sets sets, int *level)
{
    struct ksr_encoder_settings *trial = malloc(sizeof(*trial));
    if (!trial)
        return ksr_fail_memory(ctx);
    ksr_encoder *encoder = NULL;
    *trial = *settings;
    trial->bit_rate = bit_rate;
    trial->global_header = true;
    trial->headers[0] = 0;
    const ksr_status status = ksr_encoder_look(ctx, trial, &encoder);
    if (status == KSR_OK) {
        size_t size;
        const uint8_t *headers = ksr_encoder_headers(encoder, &size);
        *level = size > 0 ? read_level(headers, size, sets) : -1;
    }
    ksr_encoder_close(&encoder);
    free(trial);
    return status;
}

static struct ksr_name_value *find_params(struct ksr_encoder_settings *settings, const char *name)
{
    for (int i = 0; i < settings->option_count; i++)
        if (strcmp(settings->options[i].name, name) == 0)
            return &settings->options[i];
    return NULL;
}

ksr_status ksr_encoder_pin_level(ksr_context *ctx, struct ksr_encoder_settings *settings,
                                 int64_t bit_rate)
{
    const struct ksr_codec *codec = ksr_codec_of(settings->codec);
    struct ksr_name_value *params = NULL;
    char chosen[32];
    int level = -1;
    snprintf(chosen, sizeof(chosen), "%s=", codec->level_key ? codec->level_key : "");
    if (codec->level_key)
        params = find_params(settings, codec->params_key);
    if (!params || strstr(params->value, chosen))
        return KSR_OK; // no such encoder, or the user chose
    ksr_status status = find_level(ctx, settings, bit_rate, codec->sets, &level);
    if (status != KSR_OK || level <= 0)
        return status;
    const size_t length = strlen(params->value);
    const int added =
        snprintf(params->value + length, sizeof(params->value) - length, ":%s%d", chosen, level);
    if (added < 0 || (size_t)added >= sizeof(params->value) - length)
        return ksr_fail(ctx, KSR_E_PARAM, "encoder_options: %s is too long", params->name);
    return ksr_encoder_note_headers(ctx, settings);
}
