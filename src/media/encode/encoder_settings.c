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
#include "media/encode/encoder.h"
#include "media/index/side_data.h"

// What differs between the encoders that the promise of same bytes covers. `pins` is what must
// not depend on the machine; measured reasons in docs/determinism.md.
struct encoder_kind {
    const char *codec;
    int max_crf;              // 0 = it has no crf
    int min_size;             // least width and height
    int cores;                // that one encoder keeps busy with the threads pinned below
    bool presets;             // its preset option knows the x264 preset names
    bool speeds;              // the preset names stand for the speeds of vp9_speeds
    const char *lossless_key; // option that makes crf 0 lossless
    const char *lossless_value;
    const char *params_key; // option that takes the encoder's own key=value list
    const char *pins;
};

// libx265 3.5 takes smaller pictures too, and writes past its buffers with some (48x32, 40x60).
static const struct encoder_kind kinds[] = {
    {"libx264", 51, 1, 2, true, false, "qp", "0", "x264-params",
     "cpu-independent=1:threads=3:lookahead-threads=1:sliced-threads=0:open-gop=0"},
    {"libx265", 51, 64, 1, true, false, NULL, NULL, "x265-params",
     "wpp=1:frame-threads=1:lookahead-slices=0:pmode=0:pme=0:open-gop=0:info=0:log-level=none"},
    {"libvpx-vp9", 63, 1, 1, false, true, "lossless", "1", NULL, NULL},
    {"ffv1", 0, 1, 1, false, false, NULL, NULL, NULL, NULL},
};

static const struct encoder_kind *find_kind(const char *codec)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(kinds[i].codec, codec) == 0)
            return &kinds[i];
    return NULL;
}

int ksr_encoder_cores(const char *codec)
{
    const struct encoder_kind *kind = find_kind(codec);
    return kind ? kind->cores : 1;
}

static const char *const presets[] = {"ultrafast", "superfast", "veryfast", "faster",   "fast",
                                      "medium",    "slow",      "slower",   "veryslow", "placebo"};

// What libvpx has instead, in the same order: a deadline, and how much of it to leave unused.
static const struct {
    const char *deadline, *cpu_used;
} vp9_speeds[] = {{"realtime", "8"}, {"realtime", "7"}, {"realtime", "6"}, {"good", "5"},
                  {"good", "4"},     {"good", "3"},     {"good", "2"},     {"good", "1"},
                  {"good", "0"},     {"best", "0"}};

// Returns the place of a name in the list, or -1.
static int find_preset(const char *name)
{
    for (size_t i = 0; i < sizeof(presets) / sizeof(presets[0]); i++)
        if (strcmp(presets[i], name) == 0)
            return (int)i;
    return -1;
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

static ksr_status set_preset(ksr_context *ctx, const AVCodec *codec,
                             const struct encoder_kind *kind,
                             const struct ksr_encoder_config *config,
                             struct ksr_encoder_settings *out)
{
    const struct ksr_encoder_config defaults = ksr_encoder_config_default();
    const bool given = strcmp(config->preset, defaults.preset) != 0;
    if (kind && (kind->presets || kind->speeds)) {
        const int place = find_preset(config->preset);
        struct ksr_guess guess = {.word = config->preset};
        char meant[KSR_GUESS_TEXT];
        for (size_t i = 0; place < 0 && i < sizeof(presets) / sizeof(presets[0]); i++)
            ksr_guess_consider(&guess, presets[i]);
        if (place < 0)
            return ksr_fail(ctx, KSR_E_PARAM,
                            "preset: '%s' is not valid (ultrafast, superfast, veryfast, faster, "
                            "fast, medium, slow, slower, veryslow or placebo)%s",
                            config->preset, ksr_guess_text(&guess, meant));
        if (kind->presets)
            return set_option(ctx, out, "preset", config->preset);
        const ksr_status status = set_option(ctx, out, "deadline", vp9_speeds[place].deadline);
        return status == KSR_OK ? set_option(ctx, out, "cpu-used", vp9_speeds[place].cpu_used)
                                : status;
    }
    if (!kind && has_preset(codec, config->preset))
        return set_option(ctx, out, "preset", config->preset);
    if (given)
        return ksr_fail(ctx, KSR_E_PARAM, "preset: %s has no preset '%s'", codec->name,
                        config->preset);
    return KSR_OK;
}

// What stands for a crf where the encoder has none: a quantizer from 2 to 10, or a quality.
static int stand_in_quality(enum AVCodecID codec, int crf)
{
    switch (codec) {
    case AV_CODEC_ID_WEBP: return 100 - crf;
    case AV_CODEC_ID_THEORA: return 10 - crf / 7;
    default: return 2 + crf / 8;
    }
}

static ksr_status set_quality(ksr_context *ctx, const AVCodec *codec,
                              const struct encoder_kind *kind,
                              const struct ksr_encoder_config *config,
                              struct ksr_encoder_settings *out)
{
    const struct ksr_encoder_config defaults = ksr_encoder_config_default();
    char text[16];
    snprintf(text, sizeof(text), "%d", config->crf);
    if (config->bitrate) {
        if (!ksr_parse_bit_rate(config->bitrate, &out->bit_rate))
            return KSR_E_PARAM; // seen when the settings were read
        if (kind && kind->max_crf == 0)
            return ksr_fail(ctx, KSR_E_PARAM, "bitrate: %s is lossless and takes none",
                            codec->name);
        return KSR_OK;
    }
    const bool has_crf = kind ? kind->max_crf > 0 : has_option(codec, "crf");
    if (!has_crf) {
        if (config->crf != defaults.crf && (config->crf != 0 || !kind))
            return ksr_fail(ctx, KSR_E_PARAM, "crf: %s has no crf", codec->name);
        if (!kind)
            out->quality_scale = FF_QP2LAMBDA * stand_in_quality(codec->id, config->crf);
        return KSR_OK;
    }
    const int max = kind ? kind->max_crf : 63;
    if (config->crf > max)
        return ksr_fail(ctx, KSR_E_PARAM, "crf: '%d' is not valid for %s (0 to %d)", config->crf,
                        codec->name, max);
    if (config->crf == 0 && kind && kind->lossless_key)
        return set_option(ctx, out, kind->lossless_key, kind->lossless_value);
    return set_option(ctx, out, "crf", text);
}

// The encoder's own parameter list: the user's first, then what is pinned, which wins.
static ksr_status set_params(ksr_context *ctx, const struct encoder_kind *kind,
                             const struct ksr_encoder_config *config,
                             const struct ksr_extras *extras, struct ksr_encoder_settings *out)
{
    char hdr[160];
    char params[sizeof(out->options[0].value)];
    const char *user = "";
    for (size_t i = 0; i < config->encoder_option_count; i++)
        if (strcmp(config->encoder_options[i].key, kind->params_key) == 0)
            user = config->encoder_options[i].value;
    const bool x265 = strcmp(kind->codec, "libx265") == 0;
    // Segments are short: held closely, they meet their rate (docs/segments.md).
    const char *close = config->bitrate && !x265 && !strstr(user, "ratetol") ? ":ratetol=0.1" : "";
    ksr_extras_params(extras, x265, hdr, sizeof(hdr));
    const char *lossless = x265 && config->crf == 0 && !config->bitrate ? ":lossless=1" : "";
    const int length = snprintf(params, sizeof(params), "%s%s%s%s%s%s", user, *user ? ":" : "",
                                kind->pins, close, lossless, hdr);
    if (length < 0 || (size_t)length >= sizeof(params))
        return ksr_fail(ctx, KSR_E_PARAM, "encoder_options: %s is too long", kind->params_key);
    return set_option(ctx, out, kind->params_key, params);
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

static ksr_status set_all_options(ksr_context *ctx, const AVCodec *codec,
                                  const struct ksr_encoder_config *config,
                                  const struct ksr_extras *extras, struct ksr_encoder_settings *out)
{
    const struct encoder_kind *kind = find_kind(codec->name);
    out->promised = kind != NULL;
    ksr_status status = set_preset(ctx, codec, kind, config, out);
    if (status == KSR_OK)
        status = set_quality(ctx, codec, kind, config, out);
    if (status == KSR_OK && kind &&
        (out->format.width < kind->min_size || out->format.height < kind->min_size))
        status = ksr_fail(
            ctx, KSR_E_PARAM, "Failed to open encoder %s (%dx%d): it takes no less than %dx%d",
            codec->name, out->format.width, out->format.height, kind->min_size, kind->min_size);
    char text[16];
    const bool tiny = out->format.width < 16 || out->format.height < 16; // has no room for slices
    // Slices of a sample come back wrong (FFmpeg 5.1); level 1 has none.
    const bool whole = out->format.width < 4 || out->format.height < 4;
    if (status == KSR_OK && strcmp(codec->name, "ffv1") == 0 && whole) {
        status = set_option(ctx, out, "level", "1");
    } else if (status == KSR_OK && strcmp(codec->name, "ffv1") == 0) {
        status = set_option(ctx, out, "level", "3");
        if (status == KSR_OK && !tiny)
            status = set_option(ctx, out, "slices", ffv1_slices(&out->format, text));
        if (status == KSR_OK)
            status = set_option(ctx, out, "slicecrc", "1");
    }
    if (status == KSR_OK && strcmp(codec->name, "libvpx-vp9") == 0)
        status = set_option(ctx, out, "row-mt", "0");
    // libvpx has no alternate reference frames where alpha goes beside.
    if (status == KSR_OK && has_option(codec, "auto-alt-ref") &&
        ksr_alpha_goes_beside(codec->id, av_get_pix_fmt(out->format.pixel_format)))
        status = set_option(ctx, out, "auto-alt-ref", "0");
    // FFmpeg 7.1 hands captions to x265 only when it is told to, for the reason in encoder.c.
    if (status == KSR_OK && extras->captions && has_option(codec, "a53cc"))
        status = set_option(ctx, out, "a53cc", "1");
    for (size_t i = 0; status == KSR_OK && i < config->encoder_option_count; i++) {
        if (strcmp(config->encoder_options[i].key, "threads") == 0)
            return ksr_fail(ctx, KSR_E_PARAM,
                            "encoder_options: threads would change the bytes; use {threads}");
        status =
            set_option(ctx, out, config->encoder_options[i].key, config->encoder_options[i].value);
    }
    if (status == KSR_OK && kind && kind->params_key)
        status = set_params(ctx, kind, config, extras, out);
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
        *status = ksr_fail(ctx, KSR_E_PARAM, "codec: '%s' does not encode video", name);
    else
        return codec;
    return NULL;
}

// MPEG-4 part 2 keeps the time base in 16 bits; MPEG-1 and MPEG-2 know a few frame rates only,
// and Theora has one in its header.
static bool needs_frame_ticks(const AVCodec *codec, struct ksr_rational time_base)
{
    const bool few_rates = codec->id == AV_CODEC_ID_MPEG1VIDEO ||
                           codec->id == AV_CODEC_ID_MPEG2VIDEO || codec->id == AV_CODEC_ID_THEORA;
    return !find_kind(codec->name) && (few_rates || time_base.den > 65535 || time_base.num > 65535);
}

// Grey frames are taken as full range where nothing says otherwise, and image files never say.
// H.264 without chroma decodes as 4:2:0, and is limited range then.
static void settle_grey(const AVCodec *codec, bool image, enum AVPixelFormat target,
                        struct ksr_video_format *out)
{
    const bool tagged = out->color_range == AVCOL_RANGE_MPEG || codec->id == AV_CODEC_ID_H264;
    const bool never = image || codec->id == AV_CODEC_ID_PNG || codec->id == AV_CODEC_ID_APNG;
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
    status = ksr_pixels_choose(ctx, codec, output->format, config->pixel_format, &film->format,
                               &pixel_format);
    if (status != KSR_OK)
        return status;
    snprintf(out->codec, sizeof(out->codec), "%s", codec->name);
    ksr_pixels_target_color(&film->format, pixel_format, &out->format);
    settle_grey(codec, output->image, pixel_format, &out->format);
    snprintf(out->format.pixel_format, sizeof(out->format.pixel_format), "%s",
             av_get_pix_fmt_name(pixel_format));
    out->format.width = width;
    out->format.height = height;
    ksr_pixels_adapt_matrix(&film->format, codec->id, true, &out->format);
    ksr_pixels_adapt_siting(codec->id, &out->format);
    out->time_base = film->time_base;
    out->global_header = ksr_output_global_header(output);
    if (needs_frame_ticks(codec, film->time_base) || ksr_container_of(output->format)->raw) {
        const struct ksr_rational rate = film->format.frame_rate;
        out->frame_ticks = true;
        out->time_base = rate.num > 0 && rate.num <= 65535
                             ? (struct ksr_rational){rate.den, rate.num}
                             : (struct ksr_rational){1, 25};
    }
    status = set_all_options(ctx, codec, config, &film->extras, out);
    return status == KSR_OK ? ksr_encoder_note_headers(ctx, out) : status;
}

ksr_status ksr_encoder_identity(ksr_context *ctx, const char *codec, char out[KSR_HASH_TEXT])
{
    struct ksr_encoder_settings s = {.time_base = {1, 25}};
    const struct ksr_video_format grey = {64, 64, "yuv420p", {1, 1}, {25, 1}, 1, 1, 1, 1, 1, false};
    const struct ksr_encoder_config config = ksr_encoder_config_default();
    const struct ksr_extras none = {0};
    const struct encoder_kind *kind = find_kind(codec);
    snprintf(out, KSR_HASH_TEXT, "none");
    if (!kind)
        return KSR_OK;
    snprintf(s.codec, sizeof(s.codec), "%s", codec);
    s.format = grey;
    ksr_hasher *hasher = ksr_hasher_create();
    ksr_status status = hasher ? KSR_OK : KSR_E_NOMEM;
    if (status == KSR_OK && kind->params_key)
        status = set_params(NULL, kind, &config, &none, &s);
    if (status == KSR_OK)
        status = ksr_encoder_hash_grey(&s, hasher);
    if (status == KSR_OK)
        ksr_hasher_text(hasher, out);
    ksr_hasher_destroy(&hasher);
    return status == KSR_E_NOMEM ? ksr_fail_memory(ctx) : KSR_OK;
}
