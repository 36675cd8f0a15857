// ksr-sample: draws a short anime film and encodes it. It is the demonstration's input and makes
// inputs for the tests: sizes, rates, codecs, pixel formats, GOPs and containers are options.
//
// The same options give the same bytes with the same libraries: nothing depends on time, place or
// the number of cores (one encoder thread, bit-exact flags).
//
// Neighbours: scene.c (what is drawn), canvas.c (how), picture.c (into samples), sound.c (tones),
// film.c (encoders and container).

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/log.h>
#include <libavutil/parseutils.h>
#include <libavutil/pixdesc.h>

#include "film.h"

static const char usage[] =
    "Usage: ksr-sample [options] OUTPUT\n"
    "Draws a short anime film; the container follows from OUTPUT's extension.\n"
    "\n"
    "Picture\n"
    "  --width N, --height N   size in pixels (480, 270)\n"
    "  --frames N              how many (144)\n"
    "  --fps N/D               frame rate (24)\n"
    "  --vfr                   uneven durations around that rate\n"
    "  --cut N                 frames in a scene before the next (half of the film)\n"
    "  --no-title              no title in the first two seconds\n"
    "Video stream\n"
    "  --vcodec NAME           FFmpeg encoder (libx264, or what the container prefers)\n"
    "  --pixel-format NAME     (yuv420p, or the encoder's first)\n"
    "  --matrix NAME           bt709, bt470bg, smpte170m, bt2020nc (bt709)\n"
    "  --range NAME            tv or pc (tv)\n"
    "  --chroma-location NAME  left, center or topleft (left)\n"
    "  --sar N:D               sample aspect ratio (1:1)\n"
    "  --gop N                 longest distance between keyframes (the encoder's own)\n"
    "  --bframes N             consecutive B-frames (the encoder's own)\n"
    "  --open-gop              keyframes may be followed by frames that need the GOP before\n"
    "  --video-option K=V      any option of the encoder; may be repeated\n"
    "Other streams\n"
    "  --tracks N              audio tracks, 0..8 (1, if it can be), tagged jpn, eng, ...\n"
    "  --no-audio              the same as --tracks 0\n"
    "  --audio-codec NAME      FFmpeg encoder (aac, or what the container prefers)\n"
    "  --subtitles             a subtitle track\n"
    "  --no-chapters           no chapter for each scene\n"
    "  --container-option K=V  any option of the muxer; may be repeated\n";

enum option_id {
    OPT_WIDTH = 256,
    OPT_HEIGHT,
    OPT_FRAMES,
    OPT_FPS,
    OPT_VFR,
    OPT_CUT,
    OPT_NO_TITLE,
    OPT_VCODEC,
    OPT_PIXEL_FORMAT,
    OPT_MATRIX,
    OPT_RANGE,
    OPT_CHROMA_LOCATION,
    OPT_SAR,
    OPT_GOP,
    OPT_BFRAMES,
    OPT_OPEN_GOP,
    OPT_VIDEO_OPTION,
    OPT_TRACKS,
    OPT_NO_AUDIO,
    OPT_AUDIO_CODEC,
    OPT_SUBTITLES,
    OPT_NO_CHAPTERS,
    OPT_CONTAINER_OPTION,
    OPT_HELP,
};

static const struct option options[] = {
    {"width", required_argument, NULL, OPT_WIDTH},
    {"height", required_argument, NULL, OPT_HEIGHT},
    {"frames", required_argument, NULL, OPT_FRAMES},
    {"fps", required_argument, NULL, OPT_FPS},
    {"vfr", no_argument, NULL, OPT_VFR},
    {"cut", required_argument, NULL, OPT_CUT},
    {"no-title", no_argument, NULL, OPT_NO_TITLE},
    {"vcodec", required_argument, NULL, OPT_VCODEC},
    {"pixel-format", required_argument, NULL, OPT_PIXEL_FORMAT},
    {"matrix", required_argument, NULL, OPT_MATRIX},
    {"range", required_argument, NULL, OPT_RANGE},
    {"chroma-location", required_argument, NULL, OPT_CHROMA_LOCATION},
    {"sar", required_argument, NULL, OPT_SAR},
    {"gop", required_argument, NULL, OPT_GOP},
    {"bframes", required_argument, NULL, OPT_BFRAMES},
    {"open-gop", no_argument, NULL, OPT_OPEN_GOP},
    {"video-option", required_argument, NULL, OPT_VIDEO_OPTION},
    {"tracks", required_argument, NULL, OPT_TRACKS},
    {"no-audio", no_argument, NULL, OPT_NO_AUDIO},
    {"audio-codec", required_argument, NULL, OPT_AUDIO_CODEC},
    {"subtitles", no_argument, NULL, OPT_SUBTITLES},
    {"no-chapters", no_argument, NULL, OPT_NO_CHAPTERS},
    {"container-option", required_argument, NULL, OPT_CONTAINER_OPTION},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

// Each of these returns false after saying what is wrong.

static bool parse_int(const char *name, const char *text, int minimum, int maximum, int *out)
{
    char *end;

    errno = 0;
    const long value = strtol(text, &end, 10);
    if (errno || end == text || *end || value < minimum || value > maximum) {
        fprintf(stderr, "ksr-sample: error: --%s takes a number from %d to %d, not '%s'\n", name,
                minimum, maximum, text);
        return false;
    }
    *out = (int)value;
    return true;
}

static bool parse_ratio(const char *name, const char *text, AVRational *out)
{
    if (av_parse_ratio(out, text, 1000000, AV_LOG_MAX_OFFSET, NULL) < 0 || out->num <= 0 ||
        out->den <= 0) {
        fprintf(stderr, "ksr-sample: error: --%s takes a ratio above 0, not '%s'\n", name, text);
        return false;
    }
    return true;
}

static bool parse_pair(const char *name, const char *text, AVDictionary **out)
{
    if (av_dict_parse_string(out, text, "=", "\n", 0) < 0) {
        fprintf(stderr, "ksr-sample: error: --%s takes KEY=VALUE, not '%s'\n", name, text);
        return false;
    }
    return true;
}

static bool parse_name(const char *name, const char *text, int value, int *out)
{
    if (value < 0) {
        fprintf(stderr, "ksr-sample: error: --%s does not know '%s'\n", name, text);
        return false;
    }
    *out = value;
    return true;
}

static bool parse_option(struct film *film, enum option_id id, const char *name, const char *text)
{
    int value = 0;

    switch (id) {
    case OPT_WIDTH: return parse_int(name, text, 1, 16384, &film->width);
    case OPT_HEIGHT: return parse_int(name, text, 1, 16384, &film->height);
    case OPT_FRAMES: return parse_int(name, text, 1, 10000000, &film->frames);
    case OPT_FPS: return parse_ratio(name, text, &film->fps);
    case OPT_VFR: film->vfr = true; return true;
    case OPT_CUT: return parse_int(name, text, 1, 10000000, &film->cut);
    case OPT_NO_TITLE: film->title = false; return true;
    case OPT_VCODEC: film->video_codec = text; return true;
    case OPT_PIXEL_FORMAT:
        if (!parse_name(name, text, av_get_pix_fmt(text), &value))
            return false;
        film->pixel_format = value;
        return true;
    case OPT_MATRIX:
        if (!parse_name(name, text, av_color_space_from_name(text), &value))
            return false;
        film->matrix = value;
        return true;
    case OPT_RANGE:
        if (!parse_name(name, text, av_color_range_from_name(text), &value))
            return false;
        film->range = value;
        return true;
    case OPT_CHROMA_LOCATION:
        if (!parse_name(name, text, av_chroma_location_from_name(text), &value))
            return false;
        film->siting = value;
        return true;
    case OPT_SAR: return parse_ratio(name, text, &film->sar);
    case OPT_GOP: return parse_int(name, text, 0, 100000, &film->gop);
    case OPT_BFRAMES: return parse_int(name, text, 0, 16, &film->bframes);
    case OPT_OPEN_GOP: film->open_gop = true; return true;
    case OPT_VIDEO_OPTION: return parse_pair(name, text, &film->video_options);
    case OPT_TRACKS: return parse_int(name, text, 0, FILM_TRACKS, &film->tracks);
    case OPT_NO_AUDIO: film->tracks = 0; return true;
    case OPT_AUDIO_CODEC: film->audio_codec = text; return true;
    case OPT_SUBTITLES: film->subtitles = true; return true;
    case OPT_NO_CHAPTERS: film->chapters = false; return true;
    case OPT_CONTAINER_OPTION: return parse_pair(name, text, &film->container_options);
    case OPT_HELP: break;
    }
    return false;
}

// Returns -1 to go on, else the exit status.
static int parse_arguments(struct film *film, int count, char **arguments)
{
    int id, index = 0;

    while ((id = getopt_long(count, arguments, "", options, &index)) != -1) {
        if (id == OPT_HELP) {
            fputs(usage, stdout);
            return 0;
        }
        if (id == '?' || !parse_option(film, id, options[index].name, optarg))
            return 2;
    }
    if (count - optind != 1) {
        fputs("ksr-sample: error: give one output file (see --help)\n", stderr);
        return 2;
    }
    film->path = arguments[optind];
    if (film->cut == 0)
        film->cut = (film->frames + 1) / 2;
    return -1;
}

int main(int count, char **arguments)
{
    struct film film = {
        .width = 480,
        .height = 270,
        .frames = 144,
        .fps = {24, 1},
        .title = true,
        .pixel_format = AV_PIX_FMT_NONE,
        .matrix = AVCOL_SPC_BT709,
        .range = AVCOL_RANGE_MPEG,
        .siting = AVCHROMA_LOC_LEFT,
        .sar = {1, 1},
        .gop = -1,
        .bframes = -1,
        .tracks = -1,
        .chapters = true,
    };

    av_log_set_level(AV_LOG_ERROR);
    int status = parse_arguments(&film, count, arguments);
    if (status < 0)
        status = film_write(&film) ? 0 : 1;
    av_dict_free(&film.video_options);
    av_dict_free(&film.container_options);
    return status;
}
