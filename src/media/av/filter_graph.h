// A running graph of libavfilter: one or two inputs, one output.

#ifndef KSR_MEDIA_AV_FILTER_GRAPH_H
#define KSR_MEDIA_AV_FILTER_GRAPH_H

#include <libavfilter/avfilter.h>

#include "media/av/ffmpeg.h"

#define KSR_GRAPH_INPUTS 2

struct ksr_graph {
    AVFilterGraph *graph;
    AVFilterContext *source[KSR_GRAPH_INPUTS], *sink;
};

// text: as in libavfilter; a graph of two inputs calls them [in] and [more]. likes: for each input
// a frame of the kind that will be sent; the second may be NULL. Returns KSR_OK, KSR_E_PARAM (no
// such filter, or not for this format; logged), KSR_E_NOMEM; on failure *graph is all zero.
ksr_status ksr_graph_open(ksr_context *ctx, const char *text,
                          const AVFrame *const likes[KSR_GRAPH_INPUTS], struct ksr_graph *graph);

// Accepts an all-zero graph, and leaves one.
void ksr_graph_close(struct ksr_graph *graph);

// Sends a frame, which is moved out of *frame; NULL: no more will come.
// Returns KSR_OK, KSR_E_PROCESS (logged), KSR_E_NOMEM.
ksr_status ksr_graph_send(ksr_context *ctx, struct ksr_graph *graph, int input, AVFrame *frame);

// Takes the next finished frame, if *ready says that there is one; *frame must be empty.
ksr_status ksr_graph_receive(ksr_context *ctx, struct ksr_graph *graph, AVFrame *frame,
                             bool *ready);

// Returns the pixel format of the frames that come out.
enum AVPixelFormat ksr_graph_format(const struct ksr_graph *graph);

#endif
