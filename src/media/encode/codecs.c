// The table of video encoders; see codecs.h.

#include "media/encode/codecs.h"

#include <string.h>

#include "media/av/ffmpeg.h"

static const char *const presets[] = {"ultrafast", "superfast", "veryfast", "faster",   "fast",
                                      "medium",    "slow",      "slower",   "veryslow", "placebo"};

#define PRESETS (sizeof(presets) / sizeof(presets[0]))

// What libvpx has instead: a deadline, and how much of it to leave unused.
static const struct ksr_codec_option vp9_speeds[PRESETS][2] = {
    {{"deadline", "realtime"}, {"cpu-used", "8"}}, {{"deadline", "realtime"}, {"cpu-used", "7"}},
    {{"deadline", "realtime"}, {"cpu-used", "6"}}, {{"deadline", "good"}, {"cpu-used", "5"}},
    {{"deadline", "good"}, {"cpu-used", "4"}},     {{"deadline", "good"}, {"cpu-used", "3"}},
    {{"deadline", "good"}, {"cpu-used", "2"}},     {{"deadline", "good"}, {"cpu-used", "1"}},
    {{"deadline", "good"}, {"cpu-used", "0"}},     {{"deadline", "best"}, {"cpu-used", "0"}}};

// Measured reasons for what is pinned are in docs/determinism.md.
static const struct ksr_codec rows[] = {
    {
        .name = "libx264",
        .id = AV_CODEC_ID_H264,
        .promised = true,
        .cores = 2,
        .params_key = "x264-params",
        .pins = "cpu-independent=1:threads=3:lookahead-threads=1:sliced-threads=0:open-gop=0",
        .plain_c = "asm=0",
        .max_crf = 51,
        .crf_zero = {"qp", "0"},
        .rate_params = "ratetol=0.1",
        .level_key = "level",
        .sets = KSR_SETS_H264,
        .presets = true,
        .any_time_base = true,
        .grey = KSR_GREY_LIMITED,
        .mastering_params = "mastering-display",
        .light_params = "cll",
        .suggested = true,
    },
    {
        .name = "libx265",
        .id = AV_CODEC_ID_HEVC,
        .promised = true,
        .params_key = "x265-params",
        .pins = "wpp=1:frame-threads=1:lookahead-slices=0:pmode=0:pme=0:open-gop=0:info=0:"
                "log-level=none",
        .plain_c = "asm=0",
        .pool = true,
        .max_crf = 51,
        .crf_zero_params = "lossless=1",
        .level_key = "level-idc",
        .sets = KSR_SETS_HEVC,
        .presets = true,
        .min_size = 64, // 3.5 takes smaller ones, and writes past its buffers with 48x32, 40x60
        .any_time_base = true,
        .mastering_params = "master-display",
        .light_params = "max-cll",
        .even_captions = true, // 4.1 copies them into a buffer that an earlier frame's fitted
        .suggested = true,
    },
    {
        .name = "libvpx-vp9",
        .id = AV_CODEC_ID_VP9,
        .promised = true,
        .options = {{"row-mt", "0"}},
        .max_crf = 63,
        .crf_zero = {"lossless", "1"},
        .speeds = vp9_speeds,
        .any_time_base = true,
        .suggested = true,
    },
    {.name = "libvpx", .id = AV_CODEC_ID_VP8, .suggested = true},
    {
        .name = "libtheora",
        .id = AV_CODEC_ID_THEORA,
        .quality_base = 10,
        .quality_step = -7,
        .few_rates = true,
        .drops_repeats = true,
        .suggested = true,
    },
    {
        .name = "mpeg2video",
        .id = AV_CODEC_ID_MPEG2VIDEO,
        .few_rates = true,
        .unordered = {"flags", "+low_delay"},
        .suggested = true,
    },
    {
        .name = "ffv1",
        .id = AV_CODEC_ID_FFV1,
        .promised = true,
        .lossless = true,
        .sliced = true,
        .any_time_base = true,
        .suggested = true,
    },
    {.name = "libsvtav1", .id = AV_CODEC_ID_AV1, .needs_frame = true},
    {.name = "gif", .id = AV_CODEC_ID_GIF, .whole = true},
    {.name = "apng", .id = AV_CODEC_ID_APNG, .whole = true, .grey = KSR_GREY_FULL},

    // Any other encoder of a codec.
    {.id = AV_CODEC_ID_H264, .grey = KSR_GREY_LIMITED},
    {.id = AV_CODEC_ID_MPEG1VIDEO, .few_rates = true},
    {.id = AV_CODEC_ID_MPEG2VIDEO, .few_rates = true},
    {.id = AV_CODEC_ID_PNG, .grey = KSR_GREY_FULL},
    {.id = AV_CODEC_ID_WEBP, .quality_base = 100, .quality_step = -1},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static const struct ksr_codec unknown = {0};

const struct ksr_codec *ksr_codec_at(size_t index)
{
    return index < ROWS ? &rows[index] : NULL;
}

const struct ksr_codec *ksr_codec_of(const char *encoder)
{
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].name && strcmp(rows[i].name, encoder) == 0)
            return &rows[i];
    const AVCodec *found = avcodec_find_encoder_by_name(encoder);
    for (size_t i = 0; found && i < ROWS; i++)
        if (!rows[i].name && rows[i].id == (int)found->id)
            return &rows[i];
    return &unknown;
}

int ksr_preset_place(const char *name)
{
    for (size_t i = 0; i < PRESETS; i++)
        if (strcmp(presets[i], name) == 0)
            return (int)i;
    return -1;
}

const char *ksr_preset_at(size_t place)
{
    return place < PRESETS ? presets[place] : NULL;
}

int ksr_codec_quality(const struct ksr_codec *codec, int crf)
{
    return codec->quality_step ? codec->quality_base + crf / codec->quality_step : 2 + crf / 8;
}
