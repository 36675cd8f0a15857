// Filters between the decoder and the stages: deinterlacing and inverse telecine, through
// libavfilter.
//
// A filter reads some frames on either side of the one it makes, so a worker that enters the film
// feeds it ksr_filter_warmup() frames before the first that counts. Everything decided from more
// than that (which frames inverse telecine leaves out) is decided once, in plan: ksr_filter_plan().

#ifndef KSR_MEDIA_INPUT_FILTER_H
#define KSR_MEDIA_INPUT_FILTER_H

#include "kizunasr/config.h"
#include "media/av/ffmpeg.h"
#include "media/av/film.h"

// Returns how many frames of the film before the first wanted one its filter must have seen; 0 for
// a film without a filter.
size_t ksr_filter_warmup(const struct ksr_film *film);

// A running filter graph.
// Thread-safety: one thread at a time per object.
typedef struct ksr_filter ksr_filter;

// Opens film->filter, a graph of libavfilter, whose first filter may be one of ours:
//
//   fieldmatch=OPTIONS  field_match.h
//   weave=ORDER         makes of the frames what film->frames says (ksr_frame_made), with the
//   graph, which
//                       must make a frame of each field, for those that are deinterlaced. ORDER:
//                       ksr_filter_top_first()
//
// film: must outlive the filter. like: a frame of the kind that will be sent.
// Returns KSR_OK, KSR_E_PARAM (no such filter, or not for this format; logged), KSR_E_NOMEM.
ksr_status ksr_filter_open(ksr_context *ctx, const struct ksr_film *film, const AVFrame *like,
                           ksr_filter **out);
void ksr_filter_close(ksr_filter **filter);

// Returns which field of a frame is first. order: tff or bff; flags-tff or flags-bff: what the
// frame is flagged with, and so if it is not flagged as interlaced.
bool ksr_filter_top_first(const AVFrame *frame, const char *order);

// Returns the FFmpeg name of the pixel format that frames come out in.
const char *ksr_filter_format(const ksr_filter *filter);

// Sends a frame, which is moved out of *frame; NULL: no more will come. tag: comes out again with
// the frame that is made in its place.
// Returns KSR_OK, KSR_E_PROCESS (it is another kind of frame; logged), KSR_E_NOMEM.
ksr_status ksr_filter_send(ksr_context *ctx, ksr_filter *filter, AVFrame *frame, int64_t tag);

// Takes the next finished frame, if *ready says that there is one; *frame must be empty. A graph
// that makes a frame of each field gives two with each tag: *second tells which; a frame that it
// leaves whole comes twice.
ksr_status ksr_filter_receive(ksr_context *ctx, ksr_filter *filter, AVFrame *frame, int64_t *tag,
                              bool *second, bool *ready);

#endif
