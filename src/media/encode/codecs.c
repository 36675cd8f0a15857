// The table of video encoders; see codecs.h.

#include "media/encode/codecs.h"

#include <string.h>

#include <libavutil/hwcontext.h>

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

// The same for hardware: docs/tasks/hardware-encoders.md has both tables.
static const struct ksr_codec_option nvenc_speeds[PRESETS][2] = {
    {{"preset", "p1"}}, {{"preset", "p1"}}, {{"preset", "p2"}}, {{"preset", "p3"}},
    {{"preset", "p3"}}, {{"preset", "p4"}}, {{"preset", "p5"}}, {{"preset", "p6"}},
    {{"preset", "p7"}}, {{"preset", "p7"}}};

static const struct ksr_codec_option qsv_speeds[PRESETS][2] = {
    {{"preset", "veryfast"}}, {{"preset", "veryfast"}}, {{"preset", "veryfast"}},
    {{"preset", "faster"}},   {{"preset", "fast"}},     {{"preset", "medium"}},
    {{"preset", "slow"}},     {{"preset", "slower"}},   {{"preset", "veryslow"}},
    {{"preset", "veryslow"}}};

// As FFmpeg's documentation has it, a higher level is faster; medium is the driver's own choice.
static const struct ksr_codec_option vaapi_speeds[PRESETS][2] = {
    {{"compression_level", "7"}}, {{"compression_level", "7"}}, {{"compression_level", "7"}},
    {{"compression_level", "6"}}, {{"compression_level", "5"}}, {{NULL, NULL}},
    {{"compression_level", "3"}}, {{"compression_level", "2"}}, {{"compression_level", "1"}},
    {{"compression_level", "1"}}};

static const struct ksr_codec_option amf_speeds[PRESETS][2] = {
    {{"quality", "speed"}},   {{"quality", "speed"}},    {{"quality", "speed"}},
    {{"quality", "speed"}},   {{"quality", "balanced"}}, {{"quality", "balanced"}},
    {{"quality", "quality"}}, {{"quality", "quality"}},  {{"quality", "quality"}},
    {{"quality", "quality"}}};

static const struct ksr_codec_option videotoolbox_speeds[PRESETS][2] = {
    {{"prio_speed", "1"}}, {{"prio_speed", "1"}}, {{"prio_speed", "1"}}, {{"prio_speed", "1"}},
    {{"prio_speed", "1"}}, {{"prio_speed", "0"}}, {{"prio_speed", "0"}}, {{"prio_speed", "0"}},
    {{"prio_speed", "0"}}, {{"prio_speed", "0"}}};

// What a family has in common. Options that older GPUs refuse are left to the user.
#define NVENC                                                                                      \
    .hardware = true, .driver = KSR_DRIVER_NVIDIA, .constant = {"rc", "vbr"}, .speeds = nvenc_speeds
#define QSV                                                                                        \
    .hardware = true, .driver = KSR_DRIVER_VAAPI, .device = AV_HWDEVICE_TYPE_QSV,                  \
    .speeds = qsv_speeds
#define VAAPI                                                                                      \
    .hardware = true, .driver = KSR_DRIVER_VAAPI, .device = AV_HWDEVICE_TYPE_VAAPI,                \
    .uploads = true, .constant = {"rc_mode", "CQP"}, .speeds = vaapi_speeds
#define AMF                                                                                        \
    .hardware = true, .driver = KSR_DRIVER_AMD, .constant = {"rc", "cqp"}, .speeds = amf_speeds
#define VIDEOTOOLBOX .hardware = true, .speeds = videotoolbox_speeds, .wish = {"realtime", "0"}

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

    // In hardware. cq 0, qp 0 and global_quality 0 stand for "not set".
    {
        .name = "h264_nvenc",
        .id = AV_CODEC_ID_H264,
        NVENC,
        .max_crf = 51,
        .scales = {{"cq", 0, 100, 1, 51}},
        .crf_zero = {"tune", "lossless"},
        .surfaces = "yuv420p yuv444p", // 10 bits only on the newest GPUs
        .grey = KSR_GREY_LIMITED,
    },
    {
        .name = "hevc_nvenc",
        .id = AV_CODEC_ID_HEVC,
        NVENC,
        .max_crf = 51,
        .scales = {{"cq", 0, 100, 1, 51}},
        .crf_zero = {"tune", "lossless"},
        .wish = {"split_encode_mode", "disabled"}, // halves of a frame have rates of their own
        .surfaces = "yuv420p p010le yuv444p",
    },
    {
        .name = "av1_nvenc",
        .id = AV_CODEC_ID_AV1,
        NVENC,
        .max_crf = 63,
        .scales = {{"cq", 0, 81, 1, 51}},
        .wish = {"split_encode_mode", "disabled"},
        .surfaces = "yuv420p p010le",
    },
    {
        .name = "h264_qsv",
        .id = AV_CODEC_ID_H264,
        QSV,
        .max_crf = 51,
        .scales = {{"global_quality", 0, 100, 1, 51}},
        .surfaces = "nv12",
        .grey = KSR_GREY_LIMITED,
    },
    {
        .name = "hevc_qsv",
        .id = AV_CODEC_ID_HEVC,
        QSV,
        .max_crf = 51,
        .scales = {{"global_quality", 0, 100, 1, 51}},
        .surfaces = "nv12 p010le",
    },
    {
        .name = "av1_qsv",
        .id = AV_CODEC_ID_AV1,
        QSV,
        .max_crf = 63,
        .scales = {{"global_quality", 0, 81, 1, 51}},
        .surfaces = "nv12 p010le",
    },
    {
        .name = "vp9_qsv",
        .id = AV_CODEC_ID_VP9,
        QSV,
        .max_crf = 63,
        .scales = {{"global_quality", 0, 81, 1, 51}},
        .surfaces = "nv12 p010le",
    },
    {
        .name = "mjpeg_qsv", // has no presets
        .id = AV_CODEC_ID_MJPEG,
        .hardware = true,
        .driver = KSR_DRIVER_VAAPI,
        .max_crf = 63,
        .scales = {{"global_quality", 100, -100, 1, 100}},
        .surfaces = "nv12",
        .full_range = true,
    },
    {
        .name = "mpeg2_qsv",
        .id = AV_CODEC_ID_MPEG2VIDEO,
        QSV,
        .max_crf = 51,
        .scales = {{"global_quality", 0, 100, 1, 51}},
        .surfaces = "nv12",
        .few_rates = true,
    },
    {
        .name = "h264_vaapi",
        .id = AV_CODEC_ID_H264,
        VAAPI,
        .max_crf = 51,
        .scales = {{"qp", 0, 100, 1, 51}},
        .surfaces = "nv12",
        .grey = KSR_GREY_LIMITED,
    },
    {
        .name = "hevc_vaapi",
        .id = AV_CODEC_ID_HEVC,
        VAAPI,
        .max_crf = 51,
        .scales = {{"qp", 0, 100, 1, 51}},
        .surfaces = "nv12 p010le",
    },
    {
        .name = "av1_vaapi",
        .id = AV_CODEC_ID_AV1,
        VAAPI,
        .max_crf = 63,
        .scales = {{"global_quality", 0, 400, 1, 255}},
        .surfaces = "nv12 p010le",
    },
    {
        .name = "vp9_vaapi",
        .id = AV_CODEC_ID_VP9,
        VAAPI,
        .max_crf = 63,
        .scales = {{"global_quality", 0, 400, 1, 255}},
        .surfaces = "nv12 p010le",
    },
    {
        .name = "vp8_vaapi",
        .id = AV_CODEC_ID_VP8,
        VAAPI,
        .max_crf = 63,
        .scales = {{"global_quality", 0, 200, 1, 127}},
        .surfaces = "nv12",
    },
    {
        .name = "mjpeg_vaapi", // nor has this one
        .id = AV_CODEC_ID_MJPEG,
        .hardware = true,
        .driver = KSR_DRIVER_VAAPI,
        .device = AV_HWDEVICE_TYPE_VAAPI,
        .uploads = true,
        .max_crf = 63,
        .scales = {{"global_quality", 100, -100, 1, 100}},
        .surfaces = "nv12",
        .full_range = true,
    },
    {
        .name = "mpeg2_vaapi",
        .id = AV_CODEC_ID_MPEG2VIDEO,
        VAAPI,
        .max_crf = 51,
        .scales = {{"global_quality", 2, 12, 1, 31}},
        .surfaces = "nv12",
        .few_rates = true,
    },
    {
        .name = "h264_amf",
        .id = AV_CODEC_ID_H264,
        AMF,
        .max_crf = 51,
        .scales = {{"qp_i", 0, 100, 0, 51}, {"qp_p", 2, 100, 0, 51}, {"qp_b", 4, 100, 0, 51}},
        .surfaces = "nv12",
        .grey = KSR_GREY_LIMITED,
    },
    {
        .name = "hevc_amf",
        .id = AV_CODEC_ID_HEVC,
        AMF,
        .max_crf = 51,
        .scales = {{"qp_i", 0, 100, 0, 51}, {"qp_p", 2, 100, 0, 51}},
        .surfaces = "nv12 p010le",
    },
    {
        .name = "av1_amf",
        .id = AV_CODEC_ID_AV1,
        AMF,
        .max_crf = 63,
        .scales = {{"qp_i", 0, 400, 1, 255}, {"qp_p", 8, 400, 1, 255}},
        .surfaces = "nv12 p010le",
    },
    {
        .name = "h264_videotoolbox",
        .id = AV_CODEC_ID_H264,
        VIDEOTOOLBOX,
        .max_crf = 51,
        .quality = {NULL, 114, -220, 1, 100},
        .surfaces = "nv12",
        .grey = KSR_GREY_LIMITED,
    },
    {
        .name = "hevc_videotoolbox",
        .id = AV_CODEC_ID_HEVC,
        VIDEOTOOLBOX,
        .max_crf = 51,
        .quality = {NULL, 114, -200, 1, 100},
        .surfaces = "nv12 p010le",
    },
    {.name = "h264_omx", .id = AV_CODEC_ID_H264, .hardware = true, .grey = KSR_GREY_LIMITED},
    {.name = "mpeg4_omx", .id = AV_CODEC_ID_MPEG4, .hardware = true},

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

int ksr_codec_scaled(const struct ksr_codec_scale *scale, int crf)
{
    const int value = scale->base + crf * scale->percent / 100;
    return value < scale->least ? scale->least : value > scale->most ? scale->most : value;
}

static bool in_hardware(const AVCodec *encoder)
{
    return ksr_codec_of(encoder->name)->hardware ||
           (encoder->capabilities & (AV_CODEC_CAP_HARDWARE | AV_CODEC_CAP_HYBRID));
}

const char *ksr_codec_in_software(const char *encoder)
{
    const AVCodec *found = avcodec_find_encoder_by_name(encoder);
    if (!found || !in_hardware(found))
        return NULL;
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].id == (int)found->id && rows[i].name && !rows[i].hardware &&
            avcodec_find_encoder_by_name(rows[i].name))
            return rows[i].name;
    const AVCodec *other = avcodec_find_encoder(found->id);
    return other && !in_hardware(other) ? other->name : NULL;
}

int ksr_codec_quality(const struct ksr_codec *codec, int crf)
{
    if (codec->quality.percent)
        return ksr_codec_scaled(&codec->quality, crf);
    return codec->quality_step ? codec->quality_base + crf / codec->quality_step : 2 + crf / 8;
}
