// The sample film as a file: what is asked for, and the function that encodes and writes it.

#ifndef SAMPLE_FILM_H
#define SAMPLE_FILM_H

#include <stdbool.h>

#include <libavutil/dict.h>
#include <libavutil/pixfmt.h>
#include <libavutil/rational.h>

enum { FILM_TRACKS = 8 };

struct film {
    const char *path;
    int width, height; // pixels
    int frames;
    AVRational fps;
    bool vfr;                        // uneven durations
    int cut;                         // frames in a scene
    bool title;                      // drawn over the first two seconds
    const char *video_codec;         // NULL = chosen
    enum AVPixelFormat pixel_format; // NONE = chosen
    enum AVColorSpace matrix;
    enum AVColorRange range;
    enum AVChromaLocation siting;
    AVRational sar;
    int gop;     // -1 = the encoder's own
    int bframes; // -1 = the encoder's own
    bool open_gop;
    AVDictionary *video_options;
    int tracks;              // of audio; -1 = one where the container takes audio
    const char *audio_codec; // NULL = chosen
    bool subtitles;
    bool chapters;
    AVDictionary *container_options;
};

// Writes the file and prints a line about it. Returns false after saying what failed; then no file
// is left.
bool film_write(const struct film *film);

#endif
