// What of the pictures' tags comes back from the output; see picture_trial.h.
//
// Which tags a codec and a container keep differs from one FFmpeg to the next, so nothing is taken
// for granted: some small frames are encoded with the job's settings, written with the job's
// container into memory, and read back.

#include "media/mapping/picture_trial.h"

#include <stdlib.h>
#include <string.h>

#include "media/av/memory.h"
#include "media/av/pixel_format.h"
#include "media/container/containers.h"
#include "media/encode/codecs.h"
#include "media/index/side_data.h"
#include "media/input/geometry.h"
#include "media/input/input.h"
#include "media/mapping/trial.h"
#include "media/mux/output.h"

#define FRAMES 8
#define WIDTH  128
#define HEIGHT 96

struct losses {
    bool all;      // no picture came back
    bool rotation; // is among them
    struct ksr_untold untold;
    bool times; // those of the frames
    char text[512];
};

static void add(struct losses *l, const char *what)
{
    const size_t used = strlen(l->text);
    snprintf(l->text + used, sizeof(l->text) - used, "%s%s", used ? ", " : "", what);
}

// --- Writing ---

// A small copy of the encoder's settings. Its headers will differ from the plan's.
static struct ksr_encoder_settings small_settings(const struct ksr_encoder_settings *encoder)
{
    struct ksr_encoder_settings s = *encoder;
    const int scale = ksr_codec_of(s.codec)->hardware ? 3 : 1; // GPUs refuse small frames
    s.format.width = scale * WIDTH;
    s.format.height = scale * HEIGHT;
    s.headers[0] = 0;
    return s;
}

// A frame with what belongs to frames; captions of nothing are two bytes of padding.
static AVFrame *make_side_data(const struct ksr_film *film)
{
    const struct ksr_extras *e = &film->extras;
    const struct {
        bool wanted;
        enum AVFrameSideDataType type;
        size_t size;
    } all[] = {{e->captions, AV_FRAME_DATA_A53_CC, 3},
               {e->icc_profile, AV_FRAME_DATA_ICC_PROFILE, 128},
               {e->active_format, AV_FRAME_DATA_AFD, 1},
               {e->time_codes, AV_FRAME_DATA_S12M_TIMECODE, 4 * sizeof(uint32_t)}};
    AVFrame *frame = av_frame_alloc();
    bool ok = frame != NULL;
    if (ok)
        frame->format = av_get_pix_fmt(film->format.pixel_format);
    for (size_t i = 0; ok && i < sizeof(all) / sizeof(all[0]); i++) {
        AVFrameSideData *sd =
            all[i].wanted ? av_frame_new_side_data(frame, all[i].type, all[i].size) : NULL;
        ok = sd || !all[i].wanted;
        if (sd)
            memset(sd->data, 1, all[i].size);
        if (sd && all[i].type == AV_FRAME_DATA_A53_CC)
            memcpy(sd->data, "\xfc\x80\x80", 3);
    }
    if (!ok)
        av_frame_free(&frame);
    return frame;
}

// The frames' distance: that of the film's first two, so that containers show what they make of it.
static int64_t frame_step(const struct ksr_film *film)
{
    const struct ksr_film_frame *f = film->frames;
    return film->frame_count > 1 ? f[1].time - f[0].time : f[0].duration > 0 ? f[0].duration : 1;
}

static ksr_status write_packets(ksr_context *ctx, const struct ksr_film *film, ksr_encoder *encoder,
                                ksr_output *output, int *written)
{
    struct ksr_packet packet;
    const int64_t start = film->frames[0].time, step = frame_step(film);
    const int delay = ksr_encoder_delay(encoder);
    ksr_status status = ksr_encoder_receive(ctx, encoder, &packet);
    while (status == KSR_OK && packet.data) {
        status = ksr_output_video(ctx, output, packet.data, packet.size, start + packet.time * step,
                                  start + (*written - delay) * step, step, packet.key);
        ++*written;
        if (status == KSR_OK)
            status = ksr_encoder_receive(ctx, encoder, &packet);
    }
    return status;
}

static ksr_status encode(ksr_context *ctx, const struct ksr_film *film, ksr_encoder *encoder,
                         const struct ksr_frame *frame, ksr_output *output)
{
    int written = 0;
    AVFrame *side_data = make_side_data(film);
    ksr_status status = side_data ? KSR_OK : ksr_fail_memory(ctx);
    for (int i = 0; status == KSR_OK && i < FRAMES; i++) {
        struct ksr_row_sink sink;
        status = ksr_encoder_begin(ctx, encoder, &sink);
        for (int p = 0; status == KSR_OK && p < frame->layout.planes; p++)
            sink.rows(sink.opaque, p, &frame->plane[p], 0, frame->plane[p].height);
        if (status == KSR_OK)
            status = ksr_encoder_complete(ctx, encoder, side_data);
        if (status == KSR_OK)
            status = ksr_encoder_write(ctx, encoder, i, 1);
        if (status == KSR_OK)
            status = write_packets(ctx, film, encoder, output, &written);
    }
    if (status == KSR_OK)
        status = ksr_encoder_finish(ctx, encoder);
    if (status == KSR_OK)
        status = write_packets(ctx, film, encoder, output, &written);
    av_frame_free(&side_data);
    return status;
}

// --- Comparing ---

static bool subsampled(const struct ksr_video_format *f)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(av_get_pix_fmt(f->pixel_format));
    return d && (d->log2_chroma_w > 0 || d->log2_chroma_h > 0);
}

static bool is_full(const struct ksr_video_format *f)
{
    return f->color_range == AVCOL_RANGE_JPEG || strncmp(f->pixel_format, "yuvj", 4) == 0;
}

static bool tag_lost(int wanted, int got)
{
    return wanted != 0 && wanted != AVCOL_SPC_UNSPECIFIED && wanted != got;
}

static bool has_alpha(const struct ksr_video_format *f)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(av_get_pix_fmt(f->pixel_format));
    return d && (d->flags & AV_PIX_FMT_FLAG_ALPHA) != 0;
}

// Both of BT.601 have the same weights.
static bool matrix_lost(int wanted, int got)
{
    const bool same = (wanted == AVCOL_SPC_BT470BG || wanted == AVCOL_SPC_SMPTE170M) &&
                      (got == AVCOL_SPC_BT470BG || got == AVCOL_SPC_SMPTE170M);
    return !same && tag_lost(wanted, got);
}

// Whether readers take an output for one of limited range: it says so, or its codec has no other.
static bool is_limited(const struct ksr_video_format *got, enum AVCodecID codec)
{
    return got->color_range == AVCOL_RANGE_MPEG ||
           (got->color_range == AVCOL_RANGE_UNSPECIFIED && codec == AV_CODEC_ID_THEORA);
}

static void compare_format(const struct ksr_video_format *source,
                           const struct ksr_encoder_settings *settings,
                           const struct ksr_video_format *got, struct losses *l)
{
    const struct ksr_video_format *wanted = &settings->format;
    const enum AVCodecID codec = (enum AVCodecID)ksr_codec_of(settings->codec)->id;
    const AVRational a = {wanted->sample_aspect.num, wanted->sample_aspect.den};
    const AVRational b = {got->sample_aspect.num, got->sample_aspect.den};
    const double ratio = a.num > 0 && b.num > 0 ? av_q2d(b) / av_q2d(a) : 1;
    const bool rgb = wanted->color_space == AVCOL_SPC_RGB;
    if (has_alpha(wanted) && !has_alpha(got))
        add(l, "transparency");
    const bool lost = !rgb && matrix_lost(wanted->color_space, got->color_space);
    l->untold.matrix = lost && ksr_pixels_is_rgb(source);
    if (lost && !l->untold.matrix)
        add(l, "matrix");
    if (tag_lost(wanted->color_primaries, got->color_primaries))
        add(l, "primaries");
    if (tag_lost(wanted->color_transfer, got->color_transfer))
        add(l, "transfer");
    l->untold.range = !rgb && is_full(wanted) && is_limited(got, codec);
    if (!rgb && is_full(wanted) && !is_full(got) && !l->untold.range)
        add(l, "range");
    // Left is what readers take where nothing is said.
    if (subsampled(wanted) && wanted->chroma_location > AVCHROMA_LOC_LEFT &&
        wanted->chroma_location != got->chroma_location)
        add(l, "chroma location");
    // Containers that keep the size as shown round it to whole pixels.
    if (a.num > 0 && a.num != a.den && (b.num <= 0 || ratio < 0.98 || ratio > 1.02))
        add(l, "pixel aspect");
}

static bool apart(int a, int b)
{
    return a - b > 1 || b - a > 1;
}

// Metadata that the encoder was told to write stands in the stream even where this FFmpeg does not
// read it (H.264 before 6.1).
static bool was_written(const struct ksr_encoder_settings *s, const char *name)
{
    for (int i = 0; i < s->option_count; i++)
        if (strcmp(s->options[i].name, "x264-params") == 0 && strstr(s->options[i].value, name))
            return true;
    return false;
}

static void compare_extras(const struct ksr_encoder_settings *settings,
                           const struct ksr_extras *wanted, const struct ksr_extras *got,
                           struct losses *l)
{
    bool same = wanted->has_primaries <= got->has_primaries &&
                wanted->has_luminance <= got->has_luminance &&
                !apart(wanted->max_luminance, got->max_luminance) &&
                !apart(wanted->min_luminance, got->min_luminance);
    for (int i = 0; i < 4; i++)
        same = same && !apart(wanted->chromaticity[i][0], got->chromaticity[i][0]) &&
               !apart(wanted->chromaticity[i][1], got->chromaticity[i][1]);
    if ((wanted->has_primaries || wanted->has_luminance) && !same &&
        !was_written(settings, ":mastering-display="))
        add(l, "mastering display");
    if (wanted->has_light &&
        (wanted->max_cll != got->max_cll || wanted->max_fall != got->max_fall) &&
        !was_written(settings, ":cll="))
        add(l, "content light level");
    const char *display = ksr_display_name(wanted->matrix);
    if (display && memcmp(wanted->matrix, got->matrix, sizeof(got->matrix)) != 0) {
        add(l, display);
        l->rotation = strcmp(display, "rotation") == 0;
    }
    if (wanted->captions && !got->captions)
        add(l, "closed captions");
    if (wanted->icc_profile && !got->icc_profile)
        add(l, "ICC profile");
    if (wanted->active_format && !got->active_format)
        add(l, "active format description");
    if (wanted->time_codes && !got->time_codes)
        add(l, "timecodes of frames");
    if (wanted->pan_scan)
        add(l, "pan-scan");
    if (wanted->hdr10_plus)
        add(l, "HDR10+");
    if (wanted->dolby_vision)
        add(l, "Dolby Vision");
}

// The tags and flags of the stream, and the title of the file.
static ksr_status compare_tags(ksr_context *ctx, const char *input_path,
                               const struct ksr_film *film, const struct ksr_output_plan *plan,
                               const struct ksr_input *got, struct losses *l)
{
    struct ksr_input input;
    const ksr_status status = ksr_input_open_film(ctx, input_path, film, &input);
    if (status != KSR_OK)
        return status;
    if (input.video)
        ksr_trial_list_losses(input.format, input.video, got->video, plan->keep_tags, l->text,
                              sizeof(l->text));
    if (plan->keep_tags && ksr_trial_title_lost(input.format, got->format))
        add(l, "the file's title");
    ksr_input_close(&input);
    return KSR_OK;
}

// Whether the container is known to keep times, or has none to keep.
static bool is_trusted(const struct ksr_output_plan *plan, enum AVCodecID codec)
{
    const struct ksr_container *container = ksr_container_of(plan->format);
    return container->trusted_times || container->counts_frames || codec == AV_CODEC_ID_THEORA;
}

// Whether frame `count` is shown where it should be, within half a frame; where the container keeps
// the start, within a tick of it.
static bool in_time(const struct ksr_film *film, const struct ksr_output_plan *plan,
                    const struct ksr_input *input, const AVFrame *frame, int count, int64_t *first)
{
    const AVRational from = {film->time_base.num, film->time_base.den};
    const AVRational to = input->video->time_base;
    const bool kept = ksr_container_of(plan->format)->start == KSR_START_KEPT;
    const int64_t step = av_rescale_q(frame_step(film), from, to);
    const int64_t start = film->frames[0].time - ksr_output_shift(plan, film);
    const int64_t time = frame->best_effort_timestamp;
    if (count == 0)
        *first = kept ? av_rescale_q(start, from, to) : time;
    const int64_t off = time - *first - av_rescale_q(frame_step(film) * count, from, to);
    const int64_t allowed = kept && count == 0 ? 1 : step / 2;
    return time == AV_NOPTS_VALUE || step < 2 || (off <= allowed && off >= -allowed);
}

static ksr_status read_back(ksr_context *ctx, const char *input_path, const struct ksr_film *film,
                            const struct ksr_output_plan *plan, const struct ksr_memory *file,
                            struct ksr_video_format *got, struct ksr_extras *extras, bool *read,
                            struct losses *losses)
{
    struct ksr_input input;
    ksr_status status = ksr_input_open_bytes(ctx, file->data, file->size, plan->format, &input);
    if (status != KSR_OK)
        return status;
    AVPacket *packet = av_packet_alloc();
    AVFrame *frame = av_frame_alloc();
    if (!packet || !frame)
        status = ksr_fail_memory(ctx);
    input.video = input.format->nb_streams > 0 ? input.format->streams[0] : NULL;
    if (status == KSR_OK && input.video)
        status = ksr_input_open_decoder(ctx, &input);
    bool end = !input.video;
    const bool trusted = !input.video || is_trusted(plan, input.video->codecpar->codec_id);
    int64_t first = 0;
    int count = 0;
    while (status == KSR_OK && !end) {
        ksr_ffmpeg_clear_message();
        const int result = ksr_input_read(input.format, packet);
        end = result < 0;
        if (ksr_ffmpeg_starved(result))
            status = ksr_fail_memory(ctx);
        else if (end || packet->stream_index == 0)
            status = ksr_stream_send(ctx, input.decoder, end ? NULL : packet, NULL);
        av_packet_unref(packet);
        for (bool more = true; status == KSR_OK && more;) {
            status = ksr_stream_receive(ctx, input.decoder, frame, &more);
            if (!more)
                break;
            if (!*read)
                ksr_film_describe(&input, frame, got);
            ksr_extras_read_stream(input.video, extras);
            ksr_extras_read_frame(frame, extras);
            *read = true;
            if (!trusted && !in_time(film, plan, &input, frame, count, &first))
                losses->times = true;
            count++;
        }
    }
    if (!trusted && *read && count < FRAMES)
        losses->times = true;
    if (status == KSR_OK && *read)
        status = compare_tags(ctx, input_path, film, plan, &input, losses);
    av_packet_free(&packet);
    av_frame_free(&frame);
    ksr_input_close(&input);
    return status;
}

// --- All of it ---

static ksr_status run(ksr_context *ctx, const char *input_path, const struct ksr_film *film,
                      const struct ksr_encoder_settings *settings,
                      const struct ksr_output_plan *plan, struct losses *losses)
{
    struct ksr_encoder_input input = {.source = &film->format};
    struct ksr_frame frame = {0};
    ksr_encoder *encoder = NULL;
    ksr_output *output = NULL;
    int bits;
    if (!ksr_pixels_layout(&film->format, &input.layout, &bits))
        return KSR_OK;
    input.layout.width = settings->format.width;
    input.layout.height = settings->format.height;
    ksr_status status = ksr_frame_alloc(&frame, &input.layout) ? KSR_OK : ksr_fail_memory(ctx);
    if (status == KSR_OK)
        status = ksr_encoder_open(ctx, settings, &input, 1, &encoder);
    if (status == KSR_OK)
        status = ksr_output_open(ctx, NULL, input_path, film, settings, plan, &output);
    if (status == KSR_OK)
        status = encode(ctx, film, encoder, &frame, output);
    size_t packets;
    bool whole, read = false;
    const struct ksr_memory *file = NULL;
    struct ksr_video_format got = {0};
    struct ksr_extras extras = {0};
    if (status == KSR_OK)
        status = ksr_output_try(ctx, output, 0, &packets, &whole, &file);
    if (status == KSR_OK)
        status = read_back(ctx, input_path, film, plan, file, &got, &extras, &read, losses);
    if ((status == KSR_OK && !read) || ksr_is_unreadable(status))
        losses->all = true;
    if (status == KSR_OK && read) {
        compare_format(&film->format, settings, &got, losses);
        compare_extras(settings, &film->extras, &extras, losses);
    }
    ksr_output_close(&output);
    ksr_encoder_close(&encoder);
    ksr_frame_free(&frame);
    return status;
}

ksr_status ksr_picture_trial(ksr_context *ctx, const char *input_path, const struct ksr_film *film,
                             const struct ksr_encoder_settings *encoder,
                             const struct ksr_output_plan *plan, struct ksr_untold *untold)
{
    struct losses losses = {0};
    struct ksr_output_plan *alone = malloc(sizeof(*alone));
    struct ksr_encoder_settings *settings = malloc(sizeof(*settings));
    ksr_status status = alone && settings ? KSR_OK : ksr_fail_memory(ctx);
    if (status == KSR_OK) {
        *alone = *plan;
        *settings = small_settings(encoder);
        for (int i = 0; i < alone->stream_count; i++)
            if (alone->carry[i] != KSR_CARRY_VIDEO)
                alone->carry[i] = KSR_CARRY_DROP;
        // An encoder that wants other sizes fails here, and says nothing about tags.
        status = run(NULL, input_path, film, settings, alone, &losses);
        if (status == KSR_E_NOMEM)
            ksr_fail_memory(ctx);
        else if (status != KSR_E_CANCELLED)
            status = KSR_OK;
    }
    free(alone);
    free(settings);
    *untold = losses.untold;
    const char *container = ksr_container_label(plan->format);
    if (status == KSR_OK && losses.all)
        status = ksr_fail(ctx, KSR_E_PARAM,
                          "format: %s cannot hold video of %s so that it can be read back "
                          "(mkv can, and other codecs)",
                          container, encoder->codec);
    else if (status == KSR_OK && losses.times)
        status = ksr_fail(
            ctx, KSR_E_PARAM,
            "format: %s does not keep the timestamps of %s video (use mkv or another codec)",
            container, encoder->codec);
    else if (status == KSR_OK && losses.text[0])
        ksr_log(ctx, KSR_LOG_WARNING, "%s in %s does not keep these of the video: %s",
                encoder->codec, container, losses.text);
    if (status == KSR_OK && losses.rotation)
        ksr_log(ctx, KSR_LOG_INFO, "use {rotate=apply} to rotate the frames instead");
    return status;
}

// --- Images ---

// Encodes one small frame with what the source's frames carry. Returns KSR_OK, with the packet's
// bytes until the encoder is used again, or why it does not go.
static ksr_status encode_image(ksr_context *ctx, const struct ksr_film *film,
                               const struct ksr_frame *frame, ksr_encoder *encoder,
                               struct ksr_packet *packet)
{
    struct ksr_row_sink sink;
    AVFrame *side_data = make_side_data(film);
    ksr_status status = side_data ? ksr_encoder_begin(ctx, encoder, &sink) : ksr_fail_memory(ctx);
    for (int p = 0; status == KSR_OK && p < frame->layout.planes; p++)
        sink.rows(sink.opaque, p, &frame->plane[p], 0, frame->plane[p].height);
    if (status == KSR_OK)
        status = ksr_encoder_complete(ctx, encoder, side_data);
    if (status == KSR_OK)
        status = ksr_encoder_write(ctx, encoder, 0, 1);
    if (status == KSR_OK)
        status = ksr_encoder_finish(ctx, encoder);
    if (status == KSR_OK)
        status = ksr_encoder_receive(ctx, encoder, packet);
    av_frame_free(&side_data);
    return status;
}

static void decode_image(enum AVCodecID codec, const struct ksr_packet *from,
                         struct ksr_extras *extras)
{
    const AVCodec *decoder = avcodec_find_decoder(codec);
    AVCodecContext *c = decoder ? avcodec_alloc_context3(decoder) : NULL;
    AVPacket *packet = av_packet_alloc();
    AVFrame *frame = av_frame_alloc();
    if (c && packet && frame && from->data && from->size < INT32_MAX &&
        av_new_packet(packet, (int)from->size) >= 0 && avcodec_open2(c, decoder, NULL) >= 0) {
        memcpy(packet->data, from->data, from->size);
        if (avcodec_send_packet(c, packet) >= 0 && avcodec_send_packet(c, NULL) >= 0 &&
            avcodec_receive_frame(c, frame) >= 0)
            ksr_extras_read_frame(frame, extras);
    }
    av_frame_free(&frame);
    av_packet_free(&packet);
    avcodec_free_context(&c);
}

ksr_status ksr_picture_trial_image(ksr_context *ctx, const struct ksr_film *film,
                                   const struct ksr_encoder_settings *settings)
{
    const struct ksr_encoder_settings small = small_settings(settings);
    struct ksr_encoder_input input = {.source = &film->format};
    struct ksr_frame frame = {0};
    struct ksr_packet packet = {0};
    struct ksr_extras got = {0};
    ksr_encoder *encoder = NULL;
    int bits;
    if (!film->extras.icc_profile || !ksr_pixels_layout(&film->format, &input.layout, &bits))
        return KSR_OK;
    input.layout.width = small.format.width;
    input.layout.height = small.format.height;
    ksr_status status = ksr_frame_alloc(&frame, &input.layout) ? KSR_OK : KSR_E_NOMEM;
    if (status == KSR_OK)
        status = ksr_encoder_open(NULL, &small, &input, 1, &encoder);
    if (status == KSR_OK)
        status = encode_image(NULL, film, &frame, encoder, &packet);
    if (status == KSR_OK)
        decode_image(avcodec_find_encoder_by_name(small.codec)->id, &packet, &got);
    ksr_encoder_close(&encoder);
    ksr_frame_free(&frame);
    if (status == KSR_E_NOMEM)
        return ksr_fail_memory(ctx);
    if (status == KSR_OK && !got.icc_profile)
        ksr_log(ctx, KSR_LOG_WARNING, "%s does not keep the input's ICC profile", settings->codec);
    return KSR_OK; // an encoder that wants other sizes says nothing about profiles
}
