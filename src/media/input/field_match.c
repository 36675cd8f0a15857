// Field matching; see field_match.h.
//
// fieldmatch takes a second input: a clean film, from which it puts the output together as it
// decided by the first. Here that film is stamps of two rows, a row for each field, full of the
// number of their frame. So the rows that come out tell which frames' fields belong together.
// (To the film itself as second input it is not fit: where that is deeper than 8 bits it writes
// past its buffers, up to FFmpeg 7.1 at least.)

#include "media/input/field_match.h"

#include <libavutil/imgutils.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "media/av/filter_graph.h"

#define WINDOW      3  // frames: the one to be made, and its neighbours
#define NUMBERS     64 // a stamp holds the number of its frame modulo this
#define STAMP_WIDTH 16

struct ksr_match {
    struct ksr_graph graph;
    enum AVColorSpace space; // of the stamps, that of the film, so that none is converted
    enum AVColorRange range;
    AVFrame *window[WINDOW]; // frames sent, by their number
    int64_t sent, made;
    bool ended;
};

void ksr_match_close(ksr_match **match)
{
    if (!match || !*match)
        return;
    ksr_graph_close(&(*match)->graph);
    for (int i = 0; i < WINDOW; i++)
        av_frame_free(&(*match)->window[i]);
    free(*match);
    *match = NULL;
}

static AVFrame *make_stamp(const ksr_match *m, int64_t number)
{
    AVFrame *stamp = av_frame_alloc();
    if (!stamp)
        return NULL;
    stamp->format = AV_PIX_FMT_YUV444P;
    stamp->width = STAMP_WIDTH;
    stamp->height = 2;
    stamp->colorspace = m->space;
    stamp->color_range = m->range;
    stamp->pts = number;
    if (av_frame_get_buffer(stamp, 0) < 0)
        av_frame_free(&stamp);
    for (int p = 0; stamp && p < 3; p++)
        for (int y = 0; y < stamp->height; y++)
            memset(stamp->data[p] + y * stamp->linesize[p], (int)(number % NUMBERS), STAMP_WIDTH);
    return stamp;
}

// What fieldmatch looks at: 8 bits, of no fewer rows of chroma, since scaling rows mixes fields.
static const char *preview_format(const AVPixFmtDescriptor *d)
{
    if (d->log2_chroma_h > 0)
        return d->log2_chroma_h > 1 ? "yuv410p" : "yuv420p";
    return d->log2_chroma_w > 1 ? "yuv411p" : d->log2_chroma_w > 0 ? "yuv422p" : "yuv444p";
}

ksr_status ksr_match_open(ksr_context *ctx, const char *options, const AVFrame *like,
                          ksr_match **out)
{
    char text[256];
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(like->format);
    const bool rgb = d && d->flags & AV_PIX_FMT_FLAG_RGB;
    *out = NULL;
    if (!d || d->flags & (AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_HWACCEL))
        return ksr_fail(ctx, KSR_E_PARAM, "fields of %s cannot be matched", d ? d->name : "?");
    ksr_match *m = calloc(1, sizeof(*m));
    if (!m)
        return ksr_fail_memory(ctx);
    m->space = rgb ? AVCOL_SPC_UNSPECIFIED : like->colorspace;
    m->range = like->color_range;
    ksr_status status = KSR_OK;
    for (int i = 0; i < WINDOW && status == KSR_OK; i++)
        if (!(m->window[i] = av_frame_alloc()))
            status = ksr_fail_memory(ctx);
    AVFrame *stamp = make_stamp(m, 0);
    if (!stamp)
        status = ksr_fail_memory(ctx);
    snprintf(text, sizeof(text), "[in]format=%s[seen];[seen][more]fieldmatch=ppsrc=1:%s",
             preview_format(d), options);
    if (status == KSR_OK)
        status = ksr_graph_open(ctx, text, (const AVFrame *[]){like, stamp}, &m->graph);
    av_frame_free(&stamp);
    if (status != KSR_OK)
        ksr_match_close(&m);
    *out = m;
    return status;
}

static ksr_status send_numbered(ksr_context *ctx, ksr_match *m, const AVFrame *frame)
{
    AVFrame *picture = av_frame_clone(frame), *stamp = make_stamp(m, m->sent);
    ksr_status status = picture && stamp ? KSR_OK : ksr_fail_memory(ctx);
    if (status == KSR_OK) {
        picture->pts = m->sent;
        status = ksr_graph_send(ctx, &m->graph, 0, picture);
    }
    if (status == KSR_OK)
        status = ksr_graph_send(ctx, &m->graph, 1, stamp);
    av_frame_free(&picture);
    av_frame_free(&stamp);
    return status;
}

// With a second input, fieldmatch forgets the last frame when the film ends. It treats that as if
// its next one were the same once more, and so sending it once more gives it.
ksr_status ksr_match_send(ksr_context *ctx, ksr_match *m, AVFrame *frame)
{
    if (!frame) {
        if (m->sent == 0 || m->ended)
            return KSR_OK;
        m->ended = true;
        return send_numbered(ctx, m, m->window[(m->sent - 1) % WINDOW]);
    }
    const ksr_status status = send_numbered(ctx, m, frame);
    if (status != KSR_OK)
        return status;
    AVFrame *place = m->window[m->sent++ % WINDOW];
    av_frame_unref(place);
    av_frame_move_ref(place, frame);
    return KSR_OK;
}

// The frame that a row of a stamp tells, which is the one to be made or a neighbour; NULL: neither.
static const AVFrame *find_field(const ksr_match *m, const uint8_t *row)
{
    for (int64_t number = m->made - 1; number <= m->made + 1; number++) {
        // The last frame was sent twice.
        const int64_t held = number < m->sent ? number : m->sent - 1;
        if (number >= 0 && row[0] == number % NUMBERS)
            return m->window[held % WINDOW];
    }
    return NULL;
}

// Where flags tell players which fields to repeat, the frames were never mixed: neither those that
// repeat a field, nor those beside them that are marked as whole.
static bool is_whole(const ksr_match *m)
{
    if (ksr_av_frame_interlaced(m->window[m->made % WINDOW]))
        return false;
    for (int64_t number = m->made - 1; number <= m->made + 1; number++)
        if (number >= 0 && number < m->sent &&
            ksr_av_frame_repeats_field(m->window[number % WINDOW]))
            return true;
    return false;
}

int ksr_match_weave(const AVFrame *top, const AVFrame *bottom, const AVFrame *like, AVFrame *out)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(like->format);
    if (top == like && bottom == like)
        return av_frame_ref(out, like);
    out->format = like->format;
    out->width = like->width;
    out->height = like->height;
    int result = av_frame_get_buffer(out, 64);
    if (result >= 0)
        result = av_frame_copy_props(out, like);
    for (int p = 0; p < av_pix_fmt_count_planes(like->format) && result >= 0; p++) {
        const int bytes = av_image_get_linesize(like->format, like->width, p);
        const bool chroma = p == 1 || p == 2;
        const int rows = chroma ? AV_CEIL_RSHIFT(like->height, d->log2_chroma_h) : like->height;
        for (int field = 0; field < 2; field++) {
            const AVFrame *from = field ? bottom : top;
            av_image_copy_plane(out->data[p] + field * out->linesize[p], 2 * out->linesize[p],
                                from->data[p] + field * from->linesize[p], 2 * from->linesize[p],
                                bytes, (rows + 1 - field) / 2);
        }
    }
    return result;
}

ksr_status ksr_match_receive(ksr_context *ctx, ksr_match *m, AVFrame *frame, bool *ready)
{
    *ready = m->made < m->sent - !m->ended;
    if (!*ready)
        return KSR_OK;
    AVFrame *stamp = av_frame_alloc();
    ksr_status status =
        stamp ? ksr_graph_receive(ctx, &m->graph, stamp, ready) : ksr_fail_memory(ctx);
    const AVFrame *like = m->window[m->made % WINDOW];
    const bool whole = is_whole(m);
    if (status == KSR_OK) {
        const AVFrame *top = *ready ? find_field(m, stamp->data[0]) : NULL;
        const AVFrame *bottom = *ready ? find_field(m, stamp->data[0] + stamp->linesize[0]) : NULL;
        if (!top || !bottom)
            status = ksr_fail(ctx, KSR_E_PROCESS, "the filter fieldmatch returned nothing");
        else if (ksr_match_weave(whole ? like : top, whole ? like : bottom, like, frame) < 0)
            status = ksr_fail_memory(ctx);
    }
    if (status == KSR_OK) {
        const bool combed = !whole && ksr_av_frame_interlaced(stamp);
        ksr_av_frame_set_fields(frame, combed, ksr_av_frame_top_first(combed ? stamp : frame));
        frame->repeat_pict = whole;
        m->made++;
    }
    av_frame_free(&stamp);
    return status;
}
