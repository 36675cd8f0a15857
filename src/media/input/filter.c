// Running deinterlacing and inverse telecine; see filter.h.

#include "media/input/filter.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "media/av/filter_graph.h"
#include "media/input/field_match.h"

#define TAGS 64 // more than the frames that any graph here holds
#define WARMUP                                                                                     \
    4          // field matching looks one frame back and ahead, deinterlacing what it leaves
               // another one, and one to spare
#define HELD 4 // decoded frames: more than the graph holds, and the one before

static const char WEAVE[] = "weave=";

struct ksr_filter {
    ksr_match *match; // NULL: none
    struct ksr_graph graph;
    int width, height, format;
    int guise; // what the graph takes frames for: their format, but for some greys
    int64_t sent;
    int64_t tags[TAGS]; // of the last frames sent, by their number
    bool fields;        // the graph makes a frame of each field, but one of what it leaves whole
    AVFrame *first;     // the last one, while the other of its two is to come
    AVFrame *next;      // of the next two, which came instead
    bool ended;         // no frame will be sent any more
    const struct ksr_film *film;
    char order[12];      // with weaving: of fields; "": without
    AVFrame *held[HELD]; // with weaving: decoded frames, by their number
};

bool ksr_filter_top_first(const AVFrame *frame, const char *order)
{
    static const char FLAGS[] = "flags-";
    const bool flags = strncmp(order, FLAGS, sizeof(FLAGS) - 1) == 0;
    if (flags && ksr_av_frame_interlaced(frame))
        return ksr_av_frame_top_first(frame);
    return strcmp(order + (flags ? sizeof(FLAGS) - 1 : 0), "tff") == 0;
}

size_t ksr_filter_warmup(const struct ksr_film *film)
{
    // Of each that is decoded, at most.
    const size_t frames =
        film->fields || strncmp(film->filter, WEAVE, sizeof(WEAVE) - 1) == 0 ? 2 : 1;
    return film->filter[0] ? WARMUP * frames : 0;
}

void ksr_filter_close(ksr_filter **filter)
{
    if (!filter || !*filter)
        return;
    ksr_match_close(&(*filter)->match);
    av_frame_free(&(*filter)->first);
    av_frame_free(&(*filter)->next);
    for (int i = 0; i < HELD; i++)
        av_frame_free(&(*filter)->held[i]);
    ksr_graph_close(&(*filter)->graph);
    free(*filter);
    *filter = NULL;
}

// libavfilter converts what a filter does not take; only a change of the order of bytes in memory
// is welcome.
static bool keeps_samples(enum AVPixelFormat from, enum AVPixelFormat to)
{
    const AVPixFmtDescriptor *a = av_pix_fmt_desc_get(from), *b = av_pix_fmt_desc_get(to);
    return a && b && av_get_pix_fmt_loss(to, from, 1) == 0 &&
           a->comp[0].depth == b->comp[0].depth && a->nb_components == b->nb_components &&
           a->log2_chroma_w == b->log2_chroma_w && a->log2_chroma_h == b->log2_chroma_h;
}

// bwdif knows grey of 8, 14 and 16 bits alone. That of others goes through as the luma of 4:2:0,
// whose chroma are corners of the luma once more, and are dropped after.
static int guise_of(int format)
{
    switch (format) {
    case AV_PIX_FMT_GRAY9: return AV_PIX_FMT_YUV420P9;
    case AV_PIX_FMT_GRAY10: return AV_PIX_FMT_YUV420P10;
    case AV_PIX_FMT_GRAY12: return AV_PIX_FMT_YUV420P12;
    default: return format;
    }
}

static void put_guise_on(const ksr_filter *f, AVFrame *frame)
{
    for (int p = 1; p < 3 && f->guise != f->format; p++) {
        frame->data[p] = frame->data[0];
        frame->linesize[p] = frame->linesize[0];
    }
    frame->format = f->guise;
}

static void take_guise_off(const ksr_filter *f, AVFrame *frame)
{
    if (f->guise == f->format)
        return;
    frame->data[1] = frame->data[2] = NULL;
    frame->linesize[1] = frame->linesize[2] = 0;
    frame->format = f->format;
}

static ksr_status send_to_graph(ksr_context *ctx, ksr_filter *f, AVFrame *frame)
{
    if (frame)
        put_guise_on(f, frame);
    return ksr_graph_send(ctx, &f->graph, 0, frame);
}

// Field matching stands at the head of a graph and is not left to libavfilter alone
// (field_match.h).
static ksr_status open_match(ksr_context *ctx, const char **graph, const AVFrame *like,
                             ksr_match **match)
{
    static const char HEAD[] = "fieldmatch=";
    char options[sizeof(((struct ksr_film *)NULL)->filter)];
    const char *end = strchr(*graph, ',');
    if (strncmp(*graph, HEAD, sizeof(HEAD) - 1) != 0 || !end)
        return KSR_OK;
    const char *first = *graph + sizeof(HEAD) - 1;
    snprintf(options, sizeof(options), "%.*s", (int)(end - first), first);
    *graph = end + 1;
    return ksr_match_open(ctx, options, like, match);
}

// Weaving does without a graph, but for what it leaves to it.
static ksr_status open_weave(ksr_context *ctx, const char **graph, ksr_filter *f)
{
    const char *order = *graph + sizeof(WEAVE) - 1, *end = strchr(*graph, ',');
    if (strncmp(*graph, WEAVE, sizeof(WEAVE) - 1) != 0 || !end)
        return KSR_OK;
    snprintf(f->order, sizeof(f->order), "%.*s", (int)(end - order), order);
    *graph = end + 1;
    for (int i = 0; i < HELD; i++)
        if (!(f->held[i] = av_frame_alloc()))
            return ksr_fail_memory(ctx);
    return KSR_OK;
}

ksr_status ksr_filter_open(ksr_context *ctx, const struct ksr_film *film, const AVFrame *like,
                           ksr_filter **out)
{
    *out = NULL;
    const char *graph = film->filter;
    ksr_filter *f = calloc(1, sizeof(*f));
    if (!f)
        return ksr_fail_memory(ctx);
    f->film = film;
    f->width = like->width;
    f->height = like->height;
    f->format = like->format;
    f->guise = guise_of(like->format);
    f->fields = strstr(graph, "mode=send_field") != NULL;
    f->first = av_frame_alloc();
    f->next = av_frame_alloc();
    AVFrame *inside = av_frame_clone(like);
    const bool made = inside && f->first && f->next;
    ksr_status status = made ? open_match(ctx, &graph, like, &f->match) : ksr_fail_memory(ctx);
    if (status == KSR_OK)
        status = open_weave(ctx, &graph, f);
    if (status == KSR_OK) {
        put_guise_on(f, inside);
        status = ksr_graph_open(ctx, graph, (const AVFrame *[]){inside, NULL}, &f->graph);
    }
    av_frame_free(&inside);
    if (status == KSR_OK && !keeps_samples(f->guise, ksr_graph_format(&f->graph)))
        status = ksr_fail(ctx, KSR_E_PARAM, "the filter %s does not support %s", graph,
                          av_get_pix_fmt_name(like->format));
    if (status != KSR_OK)
        ksr_filter_close(&f);
    *out = f;
    return status;
}

// Filters' SIMD wants aligned rows, which exact cropping may have moved.
static int align_frame(AVFrame *frame)
{
    uintptr_t bits = 0;
    for (int i = 0; i < AV_NUM_DATA_POINTERS && frame->data[i]; i++)
        bits |= (uintptr_t)frame->data[i] | (uintptr_t)(frame->linesize[i]);
    if (bits % 64 == 0)
        return 0;
    AVFrame *copy = av_frame_alloc();
    int result = copy ? 0 : AVERROR(ENOMEM);
    if (result >= 0) {
        copy->format = frame->format;
        copy->width = frame->width;
        copy->height = frame->height;
        result = av_frame_get_buffer(copy, 64);
    }
    if (result >= 0)
        result = av_frame_copy(copy, frame);
    if (result >= 0)
        result = av_frame_copy_props(copy, frame);
    if (result >= 0) {
        av_frame_unref(frame);
        av_frame_move_ref(frame, copy);
    }
    av_frame_free(&copy);
    return result;
}

// Moves on what field matching has finished.
static ksr_status send_matched(ksr_context *ctx, ksr_filter *f)
{
    AVFrame *frame = av_frame_alloc();
    ksr_status status = frame ? KSR_OK : ksr_fail_memory(ctx);
    for (bool ready = true; status == KSR_OK && ready;) {
        status = ksr_match_receive(ctx, f->match, frame, &ready);
        if (status == KSR_OK && ready)
            status = send_to_graph(ctx, f, frame);
    }
    av_frame_free(&frame);
    return status;
}

// Keeps a frame for weaving, and has the graph take it for one of two fields.
static ksr_status hold(ksr_context *ctx, ksr_filter *f, AVFrame *frame)
{
    AVFrame *held = f->held[frame->pts % HELD];
    const bool top_first = ksr_filter_top_first(frame, f->order);
    av_frame_unref(held);
    if (av_frame_ref(held, frame) < 0)
        return ksr_fail_memory(ctx);
    ksr_av_frame_set_fields(held, false, top_first);
    ksr_av_frame_set_fields(frame, true, top_first);
    frame->repeat_pict = 0;
    return KSR_OK;
}

ksr_status ksr_filter_send(ksr_context *ctx, ksr_filter *f, AVFrame *frame, int64_t tag)
{
    ksr_status status = KSR_OK;
    f->ended = !frame;
    if (frame) {
        if (frame->width != f->width || frame->height != f->height || frame->format != f->format)
            return ksr_fail(ctx, KSR_E_PROCESS, "the filter got a frame of another size or format");
        if (align_frame(frame) < 0)
            return ksr_fail_memory(ctx);
        f->tags[f->sent % TAGS] = tag;
        frame->opaque = (void *)(intptr_t)(f->sent % TAGS); // copied to the frame that is made
        frame->pts = f->sent++;
        if (f->order[0])
            status = hold(ctx, f, frame);
    }
    if (status == KSR_OK && f->match) {
        status = ksr_match_send(ctx, f->match, frame);
        if (status == KSR_OK)
            status = send_matched(ctx, f);
    }
    if (status == KSR_OK && !(f->match && frame))
        status = send_to_graph(ctx, f, frame);
    return status;
}

// Takes the next of the frames of fields. Where the graph left one whole, it comes once more.
static ksr_status receive_field(ksr_context *ctx, ksr_filter *f, AVFrame *frame, bool *second,
                                bool *ready)
{
    ksr_status status = KSR_OK;
    const bool waits = f->first->buf[0] != NULL;
    *second = waits;
    *ready = !waits && f->next->buf[0];
    if (*ready)
        av_frame_move_ref(frame, f->next);
    else
        status = ksr_graph_receive(ctx, &f->graph, frame, ready);
    if (status != KSR_OK || (!*ready && !(waits && f->ended)))
        return status;
    if (!waits)
        return av_frame_ref(f->first, frame) < 0 ? ksr_fail_memory(ctx) : KSR_OK;
    if (*ready && frame->opaque == f->first->opaque) {
        av_frame_unref(f->first);
        return KSR_OK;
    }
    av_frame_move_ref(f->next, frame);
    av_frame_move_ref(frame, f->first);
    *ready = true;
    return KSR_OK;
}

// Makes a frame what the film says, which the graph has made one of a field. Its place of a tag is
// that of the decoded frame too: HELD divides TAGS.
static ksr_status weave(ksr_context *ctx, const ksr_filter *f, enum ksr_frame_made made,
                        AVFrame *frame)
{
    const int place = (int)(intptr_t)frame->opaque;
    const AVFrame *now = f->held[place % HELD], *last = f->held[(place + HELD - 1) % HELD];
    if (made != KSR_MADE_WHOLE && made != KSR_MADE_WOVEN)
        return KSR_OK;
    av_frame_unref(frame);
    const bool top_first = ksr_av_frame_top_first(now);
    const int result = made == KSR_MADE_WHOLE ? av_frame_ref(frame, now)
                                              : ksr_match_weave(top_first ? now : last,
                                                                top_first ? last : now, now, frame);
    return result < 0 ? ksr_fail_memory(ctx) : KSR_OK;
}

// Takes the next frame of a field that the film has something made of.
static ksr_status receive_woven(ksr_context *ctx, ksr_filter *f, AVFrame *frame, bool *second,
                                bool *ready)
{
    for (;;) {
        av_frame_unref(frame);
        const ksr_status status = receive_field(ctx, f, frame, second, ready);
        if (status != KSR_OK || !*ready)
            return status;
        const int64_t source = f->tags[(intptr_t)frame->opaque % TAGS];
        const size_t i = ksr_film_find(f->film, source, *second);
        const size_t last = ((size_t)(intptr_t)frame->opaque + HELD - 1) % HELD;
        // After a seek, the first frame has none before it; it is not a wanted one.
        if (i != SIZE_MAX && (f->film->frames[i].made != KSR_MADE_WOVEN || f->held[last]->buf[0]))
            return weave(ctx, f, f->film->frames[i].made, frame);
    }
}

ksr_status ksr_filter_receive(ksr_context *ctx, ksr_filter *f, AVFrame *frame, int64_t *tag,
                              bool *second, bool *ready)
{
    *second = false;
    const ksr_status status = f->order[0] ? receive_woven(ctx, f, frame, second, ready)
                              : f->fields ? receive_field(ctx, f, frame, second, ready)
                                          : ksr_graph_receive(ctx, &f->graph, frame, ready);
    if (status != KSR_OK || !*ready)
        return status;
    *tag = f->tags[(intptr_t)frame->opaque % TAGS];
    if (*second) // they are told once
        av_frame_remove_side_data(frame, AV_FRAME_DATA_A53_CC);
    take_guise_off(f, frame);
    return KSR_OK;
}

const char *ksr_filter_format(const ksr_filter *f)
{
    return av_get_pix_fmt_name(f->guise == f->format ? ksr_graph_format(&f->graph) : f->format);
}
