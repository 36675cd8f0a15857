// The table of containers; see containers.h. docs/containers.md tells users the same facts.

#include "media/container/containers.h"

#include <libavutil/avstring.h>
#include <string.h>

#include "media/av/ffmpeg.h"

// What holds for the stream of any codec.
#define RAW .raw = true, .counts_frames = true, .chapters = KSR_CHAPTERS_LOST

// Where several rows have one demuxer, the first is the one that is read by.
static const struct ksr_container rows[] = {
    {
        .name = "matroska",
        .label = "mkv",
        .unlisted_video = true, // PNG and others go in under their names in AVI
        .trusted_times = true,
        .subtracts_delay = true,
        .tells_all = true,
        .holds_all = true,
        .keeps_tags = true,
        .full_language = true,
        .disabled_flag = true,
        .crop = true,
        .whole_chapters = true,
        .cover_attached = true,
        .default_video = true,
        .chapters = KSR_CHAPTERS_KEPT,
        .time_code = KSR_TIME_CODE_TAG,
        .parts = KSR_PARTS_EBML,
    },
    {
        .name = "webm",
        .demuxer = "matroska",
        .trial_video = AV_CODEC_ID_VP8,
        .trusted_times = true,
        .subtracts_delay = true,
        .keeps_tags = true,
        .disabled_flag = true,
        .crop = true,
        .default_video = true,
        .chapters = KSR_CHAPTERS_KEPT,
        .time_code = KSR_TIME_CODE_TAG,
        .parts = KSR_PARTS_EBML,
    },
    {
        .name = "mp4",
        .hevc_tag = MKTAG('h', 'v', 'c', '1'),
        .trusted_times = true,
        .tells_all = true,
        .default_video = true,
        .chapters = KSR_CHAPTERS_KEPT,
        .titled_chapters = true,
        .time_code = KSR_TIME_CODE_TRACK,
        .parts = KSR_PARTS_BOXES,
        .index_first = true,
    },
    {
        .name = "mov",
        .hevc_tag = MKTAG('h', 'v', 'c', '1'),
        .trusted_times = true,
        .default_video = true,
        .chapters = KSR_CHAPTERS_KEPT,
        .titled_chapters = true,
        .time_code = KSR_TIME_CODE_TRACK,
        .parts = KSR_PARTS_BOXES,
        .index_first = true,
    },
    {
        .name = "ipod", // .m4v and .m4a
        .demuxer = "mp4",
        .index_first = true,
    },
    {
        .name = "ismv",
        .demuxer = "mp4",
        .no_reordering = true, // FFmpeg reads the delay of reordered frames as a late start
        .late_header = true,
    },
    {
        .name = "avi",
        .start = KSR_START_ZERO,
        .counts_frames = true,
        .trusted_times = true,
        .no_reordering = true,
        .no_audio_times = true,
        .chapters = KSR_CHAPTERS_LOST,
    },
    {
        .name = "mpegts",
        .start = KSR_START_POSITIVE,
        .start_varies = true,
        .trusted_times = true,
        .seeks_by_byte = true,
        .aac_headers = true,
        .chapters = KSR_CHAPTERS_LOST,
    },
    {
        .name = "mpeg", // the first of MPEG program streams, and what reads all of them
        .video = AV_CODEC_ID_MPEG2VIDEO,
        .start = KSR_START_POSITIVE,
        .incomplete_times = true,
        .seeks_by_byte = true,
        .chapters = KSR_CHAPTERS_LOST,
    },
    {
        .name = "vob",
        .demuxer = "mpeg",
        .video = AV_CODEC_ID_MPEG2VIDEO,
        .start = KSR_START_POSITIVE,
        .incomplete_times = true,
        .chapters = KSR_CHAPTERS_LOST,
    },
    {
        .name = "dvd",
        .demuxer = "mpeg",
        .video = AV_CODEC_ID_MPEG2VIDEO,
        .start = KSR_START_POSITIVE,
        .incomplete_times = true,
        .chapters = KSR_CHAPTERS_LOST,
    },
    {
        .name = "svcd",
        .demuxer = "mpeg",
        .video = AV_CODEC_ID_MPEG2VIDEO,
        .start = KSR_START_POSITIVE,
        .incomplete_times = true,
        .chapters = KSR_CHAPTERS_LOST,
    },
    {
        .name = "vcd",
        .demuxer = "mpeg",
        .video = AV_CODEC_ID_MPEG1VIDEO,
        .start = KSR_START_POSITIVE,
        .incomplete_times = true,
        .chapters = KSR_CHAPTERS_LOST,
    },
    {
        .name = "flv",
        .start = KSR_START_POSITIVE,
        .stores_decode_times = true,
        .chapters = KSR_CHAPTERS_LOST,
    },
    {.name = "nut", .start = KSR_START_POSITIVE, .chapters = KSR_CHAPTERS_KEPT},
    {.name = "asf", .start = KSR_START_POSITIVE, .chapters = KSR_CHAPTERS_KEPT},
    {.name = "wtv", .chapters = KSR_CHAPTERS_LOST},
    {.name = "mxf", .start = KSR_START_POSITIVE},
    {.name = "ogg", .counts_theora = true},
    {.name = "ogv", .demuxer = "ogg", .counts_theora = true},
    {.name = "oga", .demuxer = "ogg", .counts_theora = true},
    {.name = "gif", .start = KSR_START_ZERO, .chapters = KSR_CHAPTERS_LOST},
    {.name = "apng", .start = KSR_START_ZERO, .chapters = KSR_CHAPTERS_LOST},
    {
        .name = "yuv4mpegpipe",
        .label = "y4m",
        .frames_in_packets = true,
        .start = KSR_START_ZERO,
        .counts_frames = true,
        .chapters = KSR_CHAPTERS_LOST,
    },
    {
        .name = "image2",
        .demuxer = "bmp_pipe,dpx_pipe,exr_pipe,j2k_pipe,jpeg_pipe,jpegls_pipe,jpegxl_pipe,pam_pipe,"
                   "pbm_pipe,pcx_pipe,pfm_pipe,pgm_pipe,pgmyuv_pipe,phm_pipe,png_pipe,ppm_pipe,"
                   "qoi_pipe,sgi_pipe,sunrast_pipe,tiff_pipe,webp_pipe,xbm_pipe,xwd_pipe",
        .images = true,
    },
    {.name = "webp", .instead = "image2"}, // FFmpeg does not read its animations

    // Streams of one codec that ksr_container_of() would know by FFmpeg's flags, but not
    // ksr_container_read_by(): demuxers have no such flags.
    {.name = "h264", RAW},
    {.name = "hevc", RAW},
    {.name = "mpeg1video", .demuxer = "mpegvideo", RAW},
    {.name = "mpeg2video", .demuxer = "mpegvideo", RAW},
    {.name = "m4v", RAW},
    {.name = "mjpeg", RAW},
    {.name = "mpjpeg", RAW},
    {.name = "h261", RAW},
    {.name = "h263", RAW},
    {.name = "dirac", RAW},
    {.name = "vc1", RAW},
    {.name = "obu", RAW},
    {.name = "dnxhd", RAW},
    {.name = "cavsvideo", RAW},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static const struct ksr_container unknown = {0};
static const struct ksr_container unknown_raw = {RAW};

const struct ksr_container *ksr_container_at(size_t index)
{
    return index < ROWS ? &rows[index] : NULL;
}

// Whether a muxer writes the stream of one codec as it is.
static bool is_raw(const AVOutputFormat *muxer)
{
    return muxer && (muxer->flags & AVFMT_NOTIMESTAMPS) && !muxer->codec_tag &&
           muxer->audio_codec == AV_CODEC_ID_NONE;
}

const struct ksr_container *ksr_container_of(const char *muxer)
{
    for (size_t i = 0; i < ROWS; i++)
        if (strcmp(rows[i].name, muxer) == 0)
            return &rows[i];
    return is_raw(av_guess_format(muxer, NULL, NULL)) ? &unknown_raw : &unknown;
}

const struct ksr_container *ksr_container_read_by(const char *demuxer)
{
    for (size_t i = 0; i < ROWS; i++) { // either may be a list
        const char *own = rows[i].demuxer ? rows[i].demuxer : rows[i].name;
        if (av_match_name(own, demuxer) || av_match_name(demuxer, own))
            return &rows[i];
    }
    return &unknown;
}

const struct ksr_container *ksr_container_labelled(const char *label)
{
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].label && strcmp(rows[i].label, label) == 0)
            return &rows[i];
    return NULL;
}

const char *ksr_container_label(const char *muxer)
{
    const struct ksr_container *container = ksr_container_of(muxer);
    return container->label ? container->label : muxer;
}

bool ksr_container_needs_rate(const struct ksr_container *container)
{
    return container->counts_frames || container->incomplete_times;
}

bool ksr_container_begins_at_zero(const struct ksr_container *container)
{
    return container->start == KSR_START_ZERO || container->raw;
}
