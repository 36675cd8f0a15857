// From the user's encoder configuration to pinned settings; see encoder.h.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/parse.h"
#include "media/av/alpha.h"
#include "media/av/ffmpeg.h"
#include "media/av/pixel_choice.h"
#include "media/av/suggest.h"
#include "media/container/containers.h"
#include "media/container/output_plan.h"
#include "media/encode/codecs.h"
#include "media/encode/encoder.h"
#include "media/encode/hardware.h"
#include "media/index/side_data.h"

int ksr_encoder_cores(const char *codec)
{
    const int cores = ksr_codec_of(codec)->cores;
    return cores > 0 ? cores : 1;
}

static ksr_status set_option(ksr_context *ctx, struct ksr_encoder_settings *s, const char *name,
                             const char *value)
{
    for (int i = 0; i < s->option_count; i++)
        if (strcmp(s->options[i].name, name) == 0) {
            snprintf(s->options[i].value, sizeof(s->options[i].value), "%s", value);
            return KSR_OK;
        }
    struct ksr_name_value *o = &s->options[s->option_count];
    if (s->option_count >= KSR_MAX_ENCODER_OPTIONS || strlen(name) >= sizeof(o->name) ||
        strlen(value) >= sizeof(o->value))
        return ksr_fail(ctx, KSR_E_PARAM, "encoder_options: too many or too long");
    snprintf(o->name, sizeof(o->name), "%s", name);
    snprintf(o->value, sizeof(o->value), "%s", value);
    s->option_count++;
    return KSR_OK;
}

// Whether the encoder has a private option of this name.
static bool has_option(const AVCodec *codec, const char *name)
{
    return codec->priv_class &&
           av_opt_find2((void *)&codec->priv_class, name, NULL, 0, AV_OPT_SEARCH_FAKE_OBJ, NULL);
}

// Whether the encoder takes an option of this name, of its own or one that all have.
static bool takes_option(const AVCodec *codec, const char *name)
{
    const AVClass *general = avcodec_get_class();
    return has_option(codec, name) ||
           av_opt_find2((void *)&general, name, NULL, 0, AV_OPT_SEARCH_FAKE_OBJ, NULL);
}

// Whether the encoder's preset option has a constant of this name.
static bool has_preset(const AVCodec *codec, const char *name)
{
    if (!has_option(codec, "preset"))
        return false;
    const AVOption *preset =
        av_opt_find2((void *)&codec->priv_class, "preset", NULL, 0, AV_OPT_SEARCH_FAKE_OBJ, NULL);
    return preset->type == AV_OPT_TYPE_STRING ||
           (preset->unit && av_opt_find2((void *)&codec->priv_class, name, preset->unit, 0,
                                         AV_OPT_SEARCH_FAKE_OBJ, NULL));
}

// Options given in the table; those without a name are none.
static ksr_status set_given(ksr_context *ctx, const struct ksr_codec_option *given, size_t count,
                            struct ksr_encoder_settings *out)
{
    ksr_status status = KSR_OK;
    for (size_t i = 0; status == KSR_OK && i < count && given[i].name; i++)
        status = set_option(ctx, out, given[i].name, given[i].value);
    return status;
}

// The same where this FFmpeg's encoder has them.
static ksr_status set_wished(ksr_context *ctx, const AVCodec *encoder,
                             const struct ksr_codec_option *wished, size_t count,
                             struct ksr_encoder_settings *out)
{
    ksr_status status = KSR_OK;
    for (size_t i = 0; status == KSR_OK && i < count; i++)
        if (wished[i].name && takes_option(encoder, wished[i].name))
            status = set_option(ctx, out, wished[i].name, wished[i].value);
    return status;
}

static ksr_status refuse_preset(ksr_context *ctx, const char *preset)
{
    struct ksr_guess guess = {.word = preset};
    char meant[KSR_GUESS_TEXT];
    for (size_t i = 0; ksr_preset_at(i); i++)
        ksr_guess_consider(&guess, ksr_preset_at(i));
    return ksr_fail(ctx, KSR_E_PARAM,
                    "preset: '%s' is not valid (ultrafast, superfast, veryfast, faster, "
                    "fast, medium, slow, slower, veryslow or placebo)%s",
                    preset, ksr_guess_text(&guess, meant));
}

static ksr_status set_preset(ksr_context *ctx, const AVCodec *encoder,
                             const struct ksr_codec *codec, const struct ksr_encoder_config *config,
                             struct ksr_encoder_settings *out)
{
    const struct ksr_encoder_config defaults = ksr_encoder_config_default();
    const int place = ksr_preset_place(config->preset);
    const bool own = codec->hardware && place < 0 && has_preset(encoder, config->preset);
    if ((codec->presets || codec->speeds) && place < 0 && !own)
        return refuse_preset(ctx, config->preset);
    if (codec->speeds && !own)
        return set_wished(ctx, encoder, codec->speeds[place], 2, out);
    if (codec->presets || has_preset(encoder, config->preset))
        return set_option(ctx, out, "preset", config->preset);
    if (strcmp(config->preset, defaults.preset) != 0)
        return ksr_fail(ctx, KSR_E_PARAM, "preset: %s has no preset '%s'", encoder->name,
                        config->preset);
    return KSR_OK;
}

// Options that stand for a crf.
static ksr_status set_scales(ksr_context *ctx, const struct ksr_codec *codec, int crf,
                             struct ksr_encoder_settings *out)
{
    ksr_status status = set_given(ctx, &codec->constant, 1, out);
    for (int i = 0; status == KSR_OK && i < KSR_CODEC_SCALES && codec->scales[i].name; i++) {
        char text[16];
        snprintf(text, sizeof(text), "%d", ksr_codec_scaled(&codec->scales[i], crf));
        status = set_option(ctx, out, codec->scales[i].name, text);
    }
    return status;
}

static ksr_status set_bit_rate(ksr_context *ctx, const AVCodec *encoder,
                               const struct ksr_codec *codec, const char *rate,
                               struct ksr_encoder_settings *out)
{
    if (!ksr_parse_bit_rate(rate, &out->bit_rate))
        return KSR_E_PARAM; // seen when the settings were read
    return codec->lossless
               ? ksr_fail(ctx, KSR_E_PARAM,
                          "bitrate: %s is lossless and does not support a bit rate", encoder->name)
               : KSR_OK;
}

static ksr_status set_quality(ksr_context *ctx, const AVCodec *encoder,
                              const struct ksr_codec *codec,
                              const struct ksr_encoder_config *config,
                              struct ksr_encoder_settings *out)
{
    const struct ksr_encoder_config defaults = ksr_encoder_config_default();
    const bool has_crf = codec->max_crf > 0 || has_option(encoder, "crf");
    const int max = codec->max_crf > 0 ? codec->max_crf : 63;
    char text[16];
    snprintf(text, sizeof(text), "%d", config->crf);
    if (config->bitrate)
        return set_bit_rate(ctx, encoder, codec, config->bitrate, out);
    if (!has_crf && config->crf != defaults.crf && (config->crf != 0 || !codec->lossless))
        return ksr_fail(ctx, KSR_E_PARAM, "crf: %s does not support crf", encoder->name);
    if (has_crf && config->crf > max)
        return ksr_fail(ctx, KSR_E_PARAM, "crf: '%d' is not valid for %s (0 to %d)", config->crf,
                        encoder->name, max);
    if (config->crf == 0 && codec->crf_zero.name)
        return set_given(ctx, &codec->crf_zero, 1, out);
    if (codec->scales[0].name)
        return set_scales(ctx, codec, config->crf, out);
    if (has_crf && !codec->quality.percent)
        return set_option(ctx, out, "crf", text);
    if (!codec->lossless)
        out->quality_scale = FF_QP2LAMBDA * ksr_codec_quality(codec, config->crf);
    return KSR_OK;
}

// Adds to a list key=value:key=value; more: NULL = nothing. Returns false where there is no room.
static bool add_params(char *list, size_t size, const char *more)
{
    const size_t used = strlen(list);
    const int length =
        more && *more ? snprintf(list + used, size - used, "%s%s", used ? ":" : "", more) : 0;
    return length >= 0 && (size_t)length < size - used;
}

// Whether a list has the key that another one begins with.
static bool has_key(const char *list, const char *other)
{
    char key[64];
    snprintf(key, sizeof(key), "%.*s", (int)strcspn(other, "="), other);
    return strstr(list, key) != NULL;
}

// The encoder's own parameter list: the user's first, then what is pinned, which wins.
static ksr_status set_params(ksr_context *ctx, const struct ksr_codec *codec,
                             const struct ksr_encoder_config *config,
                             const struct ksr_extras *extras, struct ksr_encoder_settings *out)
{
    char hdr[160], params[sizeof(out->options[0].value)] = "";
    const char *user = "";
    for (size_t i = 0; i < config->encoder_option_count; i++)
        if (strcmp(config->encoder_options[i].key, codec->params_key) == 0)
            user = config->encoder_options[i].value;
    const bool close = config->bitrate && codec->rate_params && !has_key(user, codec->rate_params);
    const bool lossless = config->crf == 0 && !config->bitrate;
    ksr_extras_params(extras, codec->mastering_params, codec->light_params, hdr, sizeof(hdr));
    const char *const parts[] = {user, codec->pins, close ? codec->rate_params : NULL,
                                 lossless ? codec->crf_zero_params : NULL, hdr};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (!add_params(params, sizeof(params), parts[i]))
            return ksr_fail(ctx, KSR_E_PARAM, "encoder_options: %s is too long", codec->params_key);
    return set_option(ctx, out, codec->params_key, params);
}

// Four slices, more where those would be larger than ffv1 takes (measured: between 4.7 and 5.7
// million pixels of 8 bits).
static const char *ffv1_slices(const struct ksr_video_format *format, char text[16])
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(av_get_pix_fmt(format->pixel_format));
    const int64_t bits = (d ? d->comp[0].depth : 8) + 1;
    int side = 2;
    while (side < 16 && (int64_t)(format->width / side) * (format->height / side) * bits > 40 << 20)
        side++;
    snprintf(text, 16, "%d", side * side);
    return text;
}

static ksr_status set_slices(ksr_context *ctx, struct ksr_encoder_settings *out)
{
    char text[16];
    const bool tiny = out->format.width < 16 || out->format.height < 16; // has no room for slices
    // Slices of a sample come back wrong (FFmpeg 5.1); level 1 has none.
    if (out->format.width < 4 || out->format.height < 4)
        return set_option(ctx, out, "level", "1");
    ksr_status status = set_option(ctx, out, "level", "3");
    if (status == KSR_OK && !tiny)
        status = set_option(ctx, out, "slices", ffv1_slices(&out->format, text));
    return status == KSR_OK ? set_option(ctx, out, "slicecrc", "1") : status;
}

static ksr_status check_size(ksr_context *ctx, const struct ksr_codec *codec,
                             const struct ksr_video_format *format)
{
    if (format->width >= codec->min_size && format->height >= codec->min_size)
        return KSR_OK;
    return ksr_fail(ctx, KSR_E_PARAM,
                    "failed to open encoder %s (%dx%d): the minimum size is %dx%d", codec->name,
                    format->width, format->height, codec->min_size, codec->min_size);
}

static ksr_status set_user_options(ksr_context *ctx, const struct ksr_encoder_config *config,
                                   struct ksr_encoder_settings *out)
{
    ksr_status status = KSR_OK;
    for (size_t i = 0; status == KSR_OK && i < config->encoder_option_count; i++) {
        const struct ksr_encoder_option *option = &config->encoder_options[i];
        status = strcmp(option->key, "threads") == 0
                     ? ksr_fail(ctx, KSR_E_PARAM,
                                "encoder_options: threads would change the output (use {threads})")
                     : set_option(ctx, out, option->key, option->value);
    }
    return status;
}

static ksr_status set_all_options(ksr_context *ctx, const AVCodec *encoder,
                                  const struct ksr_encoder_config *config,
                                  const struct ksr_extras *extras, struct ksr_encoder_settings *out)
{
    const struct ksr_codec *codec = ksr_codec_of(encoder->name);
    out->promised = codec->promised;
    ksr_status status = set_preset(ctx, encoder, codec, config, out);
    if (status == KSR_OK)
        status = set_quality(ctx, encoder, codec, config, out);
    if (status == KSR_OK)
        status = check_size(ctx, codec, &out->format);
    if (status == KSR_OK && codec->sliced)
        status = set_slices(ctx, out);
    if (status == KSR_OK)
        status = set_given(ctx, codec->options, 2, out);
    if (status == KSR_OK)
        status = set_wished(ctx, encoder, &codec->wish, 1, out);
    // libvpx has no alternate reference frames where alpha goes beside.
    if (status == KSR_OK && has_option(encoder, "auto-alt-ref") &&
        ksr_alpha_goes_beside(encoder->id, av_get_pix_fmt(out->format.pixel_format)))
        status = set_option(ctx, out, "auto-alt-ref", "0");
    // FFmpeg 7.1 hands captions to x265 only when it is told to, for the reason in codecs.c.
    if (status == KSR_OK && extras->captions && has_option(encoder, "a53cc"))
        status = set_option(ctx, out, "a53cc", "1");
    if (status == KSR_OK)
        status = set_user_options(ctx, config, out);
    if (status == KSR_OK && codec->params_key)
        status = set_params(ctx, codec, config, extras, out);
    return status;
}

static const AVCodec *find_encoder(ksr_context *ctx, const char *name, ksr_status *status)
{
    const AVCodec *codec = avcodec_find_encoder_by_name(name);
    char guess[KSR_GUESS_TEXT];
    if (!codec)
        *status = ksr_fail(ctx, KSR_E_PARAM, "codec: there is no encoder '%s'%s", name,
                           ksr_guess_encoder(AVMEDIA_TYPE_VIDEO, name, guess));
    else if (codec->type != AVMEDIA_TYPE_VIDEO)
        *status = ksr_fail(ctx, KSR_E_PARAM, "codec: '%s' is not a video encoder", name);
    else
        return codec;
    return NULL;
}

// MPEG-4 part 2 keeps the time base in 16 bits; others may.
static bool needs_frame_ticks(const struct ksr_codec *codec, struct ksr_rational time_base)
{
    return codec->few_rates ||
           (!codec->any_time_base && (time_base.den > 65535 || time_base.num > 65535));
}

// Grey frames are taken as full range where nothing says otherwise, and image files never say.
static void settle_grey(const struct ksr_codec *codec, bool image, enum AVPixelFormat target,
                        struct ksr_video_format *out)
{
    const bool tagged = out->color_range == AVCOL_RANGE_MPEG || codec->grey == KSR_GREY_LIMITED;
    const bool never = image || codec->grey == KSR_GREY_FULL;
    if (av_pix_fmt_desc_get(target)->nb_components < 3 && (never || !tagged))
        out->color_range = AVCOL_RANGE_JPEG;
}

ksr_status ksr_encoder_note_headers(ksr_context *ctx, struct ksr_encoder_settings *settings)
{
    ksr_encoder *trial = NULL;
    settings->headers[0] = 0;
    const ksr_status status = ksr_encoder_look(ctx, settings, &trial);
    if (status == KSR_OK) {
        size_t size;
        const uint8_t *headers = ksr_encoder_headers(trial, &size);
        ksr_hash_text(headers, size, settings->headers);
    }
    ksr_encoder_close(&trial);
    return status;
}

ksr_status ksr_encoder_guess_matrix(ksr_context *ctx, const struct ksr_film *film,
                                    struct ksr_encoder_settings *settings)
{
    const AVCodec *codec = avcodec_find_encoder_by_name(settings->codec);
    const int before = settings->format.color_space;
    ksr_pixels_adapt_matrix(&film->format, codec->id, false, &settings->format);
    return settings->format.color_space == before ? KSR_OK
                                                  : ksr_encoder_note_headers(ctx, settings);
}

ksr_status ksr_encoder_limit_range(ksr_context *ctx, struct ksr_encoder_settings *settings)
{
    settings->format.color_range = AVCOL_RANGE_MPEG;
    ksr_log(ctx, KSR_LOG_INFO, "%s cannot tell full range: the output has limited range",
            settings->codec);
    return ksr_encoder_note_headers(ctx, settings);
}

ksr_status ksr_encoder_resolve(ksr_context *ctx, const struct ksr_encoder_config *config,
                               const struct ksr_film *film, int width, int height,
                               const struct ksr_output_plan *output, const char *name,
                               struct ksr_encoder_settings *out)
{
    ksr_ffmpeg_init();
    memset(out, 0, sizeof(*out));
    ksr_status status = KSR_OK;
    const AVCodec *codec = find_encoder(ctx, name, &status);
    if (!codec)
        return status;
    enum AVPixelFormat pixel_format;
    const struct ksr_container *container = ksr_container_of(output->format);
    status = ksr_pixels_choose(ctx, codec, ksr_codec_of(codec->name)->surfaces,
                               container->frames_in_packets, config->pixel_format, &film->format,
                               &pixel_format);
    if (status != KSR_OK)
        return status;
    snprintf(out->codec, sizeof(out->codec), "%s", codec->name);
    ksr_pixels_target_color(&film->format, pixel_format, &out->format);
    settle_grey(ksr_codec_of(codec->name), output->image, pixel_format, &out->format);
    if (ksr_codec_of(codec->name)->full_range)
        out->format.color_range = AVCOL_RANGE_JPEG;
    snprintf(out->format.pixel_format, sizeof(out->format.pixel_format), "%s",
             av_get_pix_fmt_name(pixel_format));
    out->format.width = width;
    out->format.height = height;
    ksr_pixels_adapt_matrix(&film->format, codec->id, true, &out->format);
    ksr_pixels_adapt_siting(codec->id, &out->format);
    out->time_base = film->time_base;
    out->global_header = ksr_output_global_header(output);
    if (needs_frame_ticks(ksr_codec_of(codec->name), film->time_base) || container->raw) {
        const struct ksr_rational rate = film->format.frame_rate;
        out->frame_ticks = true;
        out->time_base = rate.num > 0 && rate.num <= 65535
                             ? (struct ksr_rational){rate.den, rate.num}
                             : (struct ksr_rational){1, 25};
    }
    status = set_all_options(ctx, codec, config, &film->extras, out);
    return status == KSR_OK ? ksr_encoder_note_headers(ctx, out) : status;
}

ksr_status ksr_encoder_identity(ksr_context *ctx, const char *name, char out[KSR_HASH_TEXT])
{
    struct ksr_encoder_settings s = {.time_base = {1, 25}};
    const struct ksr_video_format grey = {64, 64, "yuv420p", {1, 1}, {25, 1}, 1, 1, 1, 1, 1, false};
    const struct ksr_encoder_config config = ksr_encoder_config_default();
    const struct ksr_extras none = {0};
    const struct ksr_codec *codec = ksr_codec_of(name);
    snprintf(out, KSR_HASH_TEXT, "none");
    if (!codec->promised)
        return KSR_OK;
    snprintf(s.codec, sizeof(s.codec), "%s", name);
    s.format = grey;
    ksr_hasher *hasher = ksr_hasher_create();
    ksr_status status = hasher ? KSR_OK : KSR_E_NOMEM;
    if (status == KSR_OK && codec->params_key)
        status = set_params(NULL, codec, &config, &none, &s);
    if (status == KSR_OK)
        status = ksr_encoder_hash_grey(&s, hasher);
    if (status == KSR_OK)
        ksr_hasher_text(hasher, out);
    ksr_hasher_destroy(&hasher);
    return status == KSR_E_NOMEM ? ksr_fail_memory(ctx) : KSR_OK;
}

void ksr_encoder_hardware(const char *codec, const struct ksr_encoder_config *config, char *out,
                          size_t size)
{
    const char *gpu = NULL;
    ksr_ffmpeg_init();
    for (size_t i = 0; i < config->encoder_option_count; i++)
        if (strcmp(config->encoder_options[i].key, "gpu") == 0)
            gpu = config->encoder_options[i].value;
    ksr_hardware_identity(ksr_codec_of(codec), gpu, out, size);
}

bool ksr_encoder_is_lossless(const char *codec, const struct ksr_encoder_config *config)
{
    const struct ksr_codec *row = ksr_codec_of(codec);
    const bool zero = config->crf == 0 && (row->crf_zero.name || row->crf_zero_params);
    // Options of the user may say otherwise.
    return (row->lossless || (zero && !config->bitrate)) && config->encoder_option_count == 0;
}
