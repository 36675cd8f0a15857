// What a stream of the input becomes in the output; see output_parts.h. mapping.c decides what goes
// along.

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "media/av/alpha.h"
#include "media/container/aperture.h"
#include "media/container/containers.h"
#include "media/mux/metadata.h"
#include "media/mux/output_parts.h"

static ksr_status add_video(ksr_context *ctx, ksr_output *o, struct track *t,
                            const struct ksr_encoder_settings *settings)
{
    ksr_encoder *encoder;
    ksr_status status = ksr_encoder_look(ctx, settings, &encoder);
    if (status != KSR_OK)
        return status;
    AVCodecParameters *p = t->out->codecpar;
    status = ksr_encoder_parameters(ctx, encoder, p);
    o->video_delay = ksr_encoder_delay(encoder);
    ksr_encoder_close(&encoder);
    if (status != KSR_OK)
        return status;
    if (p->codec_id == AV_CODEC_ID_RAWVIDEO && o->container->frames_in_packets)
        p->codec_id = AV_CODEC_ID_WRAPPED_AVFRAME;
    if (p->codec_id == AV_CODEC_ID_HEVC && o->container->hevc_tag)
        p->codec_tag = o->container->hevc_tag;
    t->out->time_base = o->film_base;
    t->out->avg_frame_rate =
        (AVRational){settings->format.frame_rate.num, settings->format.frame_rate.den};
    if (o->container->frames_in_packets && t->out->avg_frame_rate.num > 0)
        t->out->time_base = av_inv_q(t->out->avg_frame_rate); // which Y4M takes for its rate
    t->out->sample_aspect_ratio = p->sample_aspect_ratio;
    o->alpha = ksr_alpha_goes_beside(p->codec_id, (enum AVPixelFormat)p->format);
    o->video = t;
    return status;
}

// Not every demuxer hands on the pre-skip of Opus.
static void set_opus_padding(const ksr_output *o, AVCodecParameters *p)
{
    if (o->container->subtracts_delay && p->codec_id == AV_CODEC_ID_OPUS &&
        p->initial_padding == 0 && p->extradata_size >= 19)
        p->initial_padding = p->extradata[10] | p->extradata[11] << 8;
}

static ksr_status add_copy(ksr_context *ctx, ksr_output *o, struct track *t)
{
    if (avcodec_parameters_copy(t->out->codecpar, t->in->codecpar) < 0)
        return ksr_fail_memory(ctx);
    // Tags of another container mean nothing here, unless both know it.
    unsigned known;
    const uint32_t tag = t->in->codecpar->codec_tag;
    const struct AVCodecTag *const *tags = o->format->oformat->codec_tag;
    if (!tags || av_codec_get_id(tags, tag) != t->in->codecpar->codec_id ||
        !av_codec_get_tag2(tags, t->in->codecpar->codec_id, &known))
        t->out->codecpar->codec_tag = 0;
    set_opus_padding(o, t->out->codecpar);
    t->out->time_base = t->in->time_base;
    t->out->avg_frame_rate = t->in->avg_frame_rate;
    t->out->r_frame_rate = t->in->r_frame_rate;
    t->out->sample_aspect_ratio = t->in->sample_aspect_ratio;
    t->out->duration = 0;
    return KSR_OK;
}

// Makes a cover image an attachment.
static ksr_status attach_cover(ksr_context *ctx, struct track *t)
{
    AVCodecParameters *p = t->out->codecpar;
    const AVPacket *picture = &t->in->attached_pic;
    const bool png = p->codec_id == AV_CODEC_ID_PNG;
    p->codec_type = AVMEDIA_TYPE_ATTACHMENT;
    av_freep(&p->extradata);
    p->extradata_size = 0;
    p->extradata = av_mallocz((size_t)picture->size + AV_INPUT_BUFFER_PADDING_SIZE);
    if (!p->extradata ||
        av_dict_set(&t->out->metadata, "filename", png ? "cover.png" : "cover.jpg", 0) < 0 ||
        av_dict_set(&t->out->metadata, "mimetype", png ? "image/png" : "image/jpeg", 0) < 0)
        return ksr_fail_memory(ctx);
    memcpy(p->extradata, picture->data, (size_t)picture->size);
    p->extradata_size = picture->size;
    t->attached = true;
    return KSR_OK;
}

static bool becomes_attachment(const ksr_output *o, const AVStream *in)
{
    const enum AVCodecID id = in->codecpar->codec_id;
    return o->container->cover_attached && ksr_stream_is_cover(in) && in->attached_pic.size > 0 &&
           (id == AV_CODEC_ID_PNG || id == AV_CODEC_ID_MJPEG);
}

static ksr_status add_converted(ksr_context *ctx, ksr_output *o, struct track *t)
{
    ksr_status status = ksr_text_open(ctx, t->in, o->plan->codec[t->in->index], &t->text);
    if (status != KSR_OK)
        return status;
    if (avcodec_parameters_from_context(t->out->codecpar, ksr_text_encoder(t->text)) < 0)
        return ksr_fail_memory(ctx);
    t->out->time_base = t->in->time_base;
    return KSR_OK;
}

static ksr_status add_encoded(ksr_context *ctx, ksr_output *o, struct track *t)
{
    const bool global = (o->format->oformat->flags & AVFMT_GLOBALHEADER) != 0;
    ksr_status status =
        ksr_audio_open(ctx, t->in, o->plan->codec[t->in->index], o->plan->audio_bit_rate, global,
                       o->container->no_audio_times, &t->audio);
    if (status != KSR_OK)
        return status;
    const AVCodecContext *encoder = ksr_audio_encoder(t->audio);
    if (avcodec_parameters_from_context(t->out->codecpar, encoder) < 0)
        return ksr_fail_memory(ctx);
    t->out->time_base = encoder->time_base;
    return KSR_OK;
}

// What is left of a stream's tags.
static int copy_stream_tags(const ksr_output *o, struct track *t)
{
    // An attachment is nothing without its file name.
    if (o->plan->keep_tags || t->in->codecpar->codec_type == AVMEDIA_TYPE_ATTACHMENT)
        return ksr_copy_tags(&t->out->metadata, t->in->metadata,
                             o->plan->carry[t->in->index] != KSR_CARRY_COPY);
    return o->container->time_code == KSR_TIME_CODE_TRACK
               ? ksr_copy_time_code(&t->out->metadata, t->in->metadata)
               : 0;
}

static ksr_status add_track(ksr_context *ctx, ksr_output *o, int index,
                            const struct ksr_encoder_settings *settings)
{
    struct track *t = &o->tracks[index];
    const enum ksr_carry carry = o->plan->carry[index];
    t->in = o->input.format->streams[index];
    t->in->discard =
        carry == KSR_CARRY_VIDEO || carry == KSR_CARRY_DROP ? AVDISCARD_ALL : AVDISCARD_DEFAULT;
    t->last_in = t->last_dts = t->rescale = AV_NOPTS_VALUE;
    if (carry == KSR_CARRY_DROP)
        return KSR_OK;
    t->out = avformat_new_stream(o->format, NULL);
    if (!t->out)
        return ksr_fail_memory(ctx);
    ksr_status status = carry == KSR_CARRY_VIDEO     ? add_video(ctx, o, t, settings)
                        : carry == KSR_CARRY_COPY    ? add_copy(ctx, o, t)
                        : carry == KSR_CARRY_CONVERT ? add_converted(ctx, o, t)
                                                     : add_encoded(ctx, o, t);
    if (status != KSR_OK)
        return status;
    t->out->id = o->format->oformat->flags & AVFMT_SHOW_IDS ? t->in->id : 0;
    t->out->disposition = t->in->disposition;
    if (ksr_input_is_passed_over(&o->input, t->in)) // to show what was made
        t->out->disposition &= ~AV_DISPOSITION_DEFAULT;
    else if (carry == KSR_CARRY_VIDEO && o->input.video != ksr_input_default_video(o->input.format))
        t->out->disposition |= AV_DISPOSITION_DEFAULT;
    if (copy_stream_tags(o, t) < 0 ||
        (carry <= KSR_CARRY_COPY &&
         ksr_copy_side_data(t->out, t->in, carry == KSR_CARRY_VIDEO) < 0))
        return ksr_fail_memory(ctx);
    if (carry == KSR_CARRY_VIDEO && !o->memory && o->container->crop &&
        ksr_aperture_crops(&o->extras.aperture)) {
        const struct ksr_aperture crop =
            ksr_aperture_scale(&o->extras.aperture, o->source.width, o->source.height,
                               settings->format.width, settings->format.height);
        if (ksr_patches_add_crop(&o->patches, &crop, t->out) < 0)
            return ksr_fail_memory(ctx);
    }
    if (carry == KSR_CARRY_VIDEO && ksr_extras_write_stream(&o->extras, t->out) < 0)
        return ksr_fail_memory(ctx);
    if (o->cut.on)
        av_dict_set(&t->out->metadata, "timecode", NULL, 0); // of a frame that is not there
    if (ksr_patches_add_stream(&o->patches, o->container, t->out, t->in, o->plan->keep_tags) < 0)
        return ksr_fail_memory(ctx);
    return becomes_attachment(o, t->in) ? attach_cover(ctx, t) : KSR_OK;
}

// Chapters whole, and links to other files, where nothing is to be changed about them. A trial does
// without.
static ksr_status carry_whole(ksr_context *ctx, ksr_output *o)
{
    const AVFormatContext *in = o->input.format;
    if (o->memory || o->cut.on || o->shift != 0 || !o->plan->keep_tags ||
        !o->container->whole_chapters ||
        ksr_container_read_by(in->iformat->name)->parts != KSR_PARTS_EBML)
        return KSR_OK;
    ksr_ffmpeg_clear_message();
    const int result = ksr_patches_add_file(&o->patches, o->format, in);
    if (result < 0 && !ksr_ffmpeg_starved(result))
        return ksr_fail(ctx, KSR_E_INPUT, "cannot read the chapters of the input");
    return result < 0 ? ksr_fail_memory(ctx) : KSR_OK;
}

ksr_status ksr_output_add_tracks(ksr_context *ctx, ksr_output *o,
                                 const struct ksr_encoder_settings *settings)
{
    const int count = (int)o->input.format->nb_streams;
    if (count != o->plan->stream_count)
        return ksr_fail(ctx, KSR_E_INPUT, "the input has changed: %d streams instead of %d", count,
                        o->plan->stream_count);
    o->tracks = calloc((size_t)count, sizeof(o->tracks[0]));
    if (!o->tracks)
        return ksr_fail_memory(ctx);
    ksr_status status = KSR_OK;
    for (int i = 0; status == KSR_OK && i < count; i++)
        status = add_track(ctx, o, i, settings);
    if (status != KSR_OK)
        return status;
    if ((o->plan->keep_tags &&
         ksr_copy_tags(&o->format->metadata, o->input.format->metadata, false) < 0) ||
        (!o->plan->image &&
         ksr_copy_chapters(o->format, o->input.format, &o->cut, o->plan->keep_tags,
                           o->container->titled_chapters) < 0))
        return ksr_fail_memory(ctx);
    return carry_whole(ctx, o);
}
