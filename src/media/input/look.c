// FFmpeg's look at the streams of a file; see look.h.

#include "media/input/look.h"

#include <stdlib.h>

// How decoders are to be opened for FFmpeg's look: for each stream its options.
struct look {
    AVDictionary **options;
    unsigned count;
};

static bool begin_look(struct look *look, const AVFormatContext *format)
{
    look->count = format->nb_streams;
    look->options = calloc((size_t)look->count + 1, sizeof(AVDictionary *));
    return look->options != NULL;
}

static void end_look(struct look *look)
{
    for (unsigned i = 0; look->options && i < look->count; i++)
        av_dict_free(&look->options[i]);
    free(look->options);
}

int ksr_look_at_all(AVFormatContext *format, struct ksr_known **learnt)
{
    struct look look;
    int found = begin_look(&look, format) ? 0 : AVERROR(ENOMEM);
    for (unsigned i = 0; found >= 0 && i < look.count; i++) {
        if (format->streams[i]->codecpar->codec_type != AVMEDIA_TYPE_VIDEO)
            continue;
        // What it learns of frames are not their samples.
        found = av_dict_set(&look.options[i], "skip_idct", "all", 0);
        if (found >= 0)
            found = av_dict_set(&look.options[i], "skip_loop_filter", "all", 0);
    }
    *learnt = found >= 0 ? ksr_known_begin(format) : NULL;
    if (found >= 0)
        found = *learnt ? avformat_find_stream_info(format, look.options) : AVERROR(ENOMEM);
    end_look(&look);
    return found >= 0 && !ksr_known_finish(*learnt, format) ? AVERROR(ENOMEM) : found;
}

int ksr_look_at_rest(AVFormatContext *format, int known, bool alone)
{
    struct look look;
    int found = begin_look(&look, format) ? 0 : AVERROR(ENOMEM);
    if (found >= 0)
        found = av_dict_set(&look.options[known], "skip_frame", "all", 0);
    // It would read on until it knows when the first frame of H.264 is decoded, which it never does
    // without frames.
    if (alone && format->streams[known]->codecpar->codec_id == AV_CODEC_ID_H264)
        format->max_ts_probe = 1;
    if (found >= 0)
        found = avformat_find_stream_info(format, look.options);
    end_look(&look);
    return found;
}
