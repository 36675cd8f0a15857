// Running a graph of libavfilter; see filter_graph.h.

#include "media/av/filter_graph.h"

#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>

#include "core/mem.h"

static const char *const NAMES[KSR_GRAPH_INPUTS] = {"in", "more"};

void ksr_graph_close(struct ksr_graph *graph)
{
    avfilter_graph_free(&graph->graph);
    *graph = (struct ksr_graph){0};
}

// Frames are numbered instead of timed: filters that count on an even rate find one.
static int make_source(struct ksr_graph *g, int input, const AVFrame *like)
{
    AVBufferSrcParameters *p = av_buffersrc_parameters_alloc();
    AVFilterContext *source =
        avfilter_graph_alloc_filter(g->graph, avfilter_get_by_name("buffer"), NAMES[input]);
    if (!p || !source) {
        av_free(p);
        return AVERROR(ENOMEM);
    }
    p->format = like->format;
    p->width = like->width;
    p->height = like->height;
    p->sample_aspect_ratio = like->sample_aspect_ratio;
    p->time_base = (AVRational){1001, 30000};
    p->frame_rate = (AVRational){30000, 1001};
#if LIBAVFILTER_VERSION_INT >= AV_VERSION_INT(10, 0, 100)
    p->color_space = like->colorspace;
    p->color_range = like->color_range;
#endif
    int result = av_buffersrc_parameters_set(source, p);
    av_free(p);
    if (result >= 0)
        result = avfilter_init_str(source, NULL);
    g->source[input] = source;
    return result;
}

static AVFilterInOut *make_end(const char *name, AVFilterContext *filter, AVFilterInOut *next)
{
    AVFilterInOut *end = avfilter_inout_alloc();
    if (end)
        *end = (AVFilterInOut){av_strdup(name), filter, 0, next};
    return end;
}

static int connect_graph(struct ksr_graph *g, const char *text)
{
    int result = avfilter_graph_create_filter(&g->sink, avfilter_get_by_name("buffersink"), "out",
                                              NULL, NULL, g->graph);
    AVFilterInOut *outputs = NULL, *inputs = make_end("out", g->sink, NULL);
    for (int i = KSR_GRAPH_INPUTS; i-- > 0 && result >= 0;) {
        AVFilterInOut *end = g->source[i] ? make_end(NAMES[i], g->source[i], outputs) : NULL;
        if (g->source[i] && !end)
            result = AVERROR(ENOMEM);
        outputs = end ? end : outputs;
    }
    if (!inputs)
        result = AVERROR(ENOMEM);
    if (result >= 0)
        result = avfilter_graph_parse_ptr(g->graph, text, &inputs, &outputs, NULL);
    avfilter_inout_free(&outputs);
    avfilter_inout_free(&inputs);
    return result < 0 ? result : avfilter_graph_config(g->graph, NULL);
}

ksr_status ksr_graph_open(ksr_context *ctx, const char *text,
                          const AVFrame *const likes[KSR_GRAPH_INPUTS], struct ksr_graph *g)
{
    char error[256];
    *g = (struct ksr_graph){avfilter_graph_alloc(), {NULL}, NULL};
    if (!g->graph)
        return ksr_fail_memory(ctx);
    g->graph->nb_threads = 1;
    g->graph->scale_sws_opts = av_strdup("flags=bicubic+bitexact+accurate_rnd+full_chroma_int");
    ksr_ffmpeg_clear_message();
    int result = 0;
    for (int i = 0; i < KSR_GRAPH_INPUTS && result >= 0; i++)
        if (likes[i])
            result = make_source(g, i, likes[i]);
    if (result >= 0)
        result = connect_graph(g, text);
    if (result >= 0)
        return KSR_OK;
    ksr_graph_close(g);
    if (ksr_ffmpeg_starved(result))
        return ksr_fail_memory(ctx);
    return ksr_fail(ctx, KSR_E_PARAM, "cannot open filter %s: %s", text,
                    ksr_ffmpeg_error(result, error));
}

static ksr_status failed(ksr_context *ctx, int result)
{
    char text[256];
    if (ksr_ffmpeg_starved(result))
        return ksr_fail_memory(ctx);
    return ksr_fail(ctx, KSR_E_PROCESS, "the filter failed: %s", ksr_ffmpeg_error(result, text));
}

ksr_status ksr_graph_send(ksr_context *ctx, struct ksr_graph *g, int input, AVFrame *frame)
{
    ksr_ffmpeg_clear_message();
    // Pushed on at once: pulling would stop at the first of two inputs that has nothing more.
    const int result =
        av_buffersrc_add_frame_flags(g->source[input], frame, AV_BUFFERSRC_FLAG_PUSH);
    return result < 0 ? failed(ctx, result) : KSR_OK;
}

ksr_status ksr_graph_receive(ksr_context *ctx, struct ksr_graph *g, AVFrame *frame, bool *ready)
{
    ksr_ffmpeg_clear_message();
    const int result = av_buffersink_get_frame(g->sink, frame);
    *ready = result >= 0;
    return result < 0 && result != AVERROR(EAGAIN) && result != AVERROR_EOF ? failed(ctx, result)
                                                                            : KSR_OK;
}

enum AVPixelFormat ksr_graph_format(const struct ksr_graph *g)
{
    return av_buffersink_get_format(g->sink);
}
