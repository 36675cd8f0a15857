// Describing files and checking that they decode; see inspect.h.

#include "media/compare/inspect.h"

#include <stdlib.h>
#include <string.h>

#include "core/fs.h"
#include "core/image_sequence.h"
#include "core/mem.h"
#include "media/container/aperture.h"
#include "media/container/containers.h"
#include "media/container/track_language.h"
#include "media/index/kinds.h"
#include "media/input/external.h"
#include "media/input/geometry.h"
#include "media/input/input.h"
#include "media/mux/output.h"

ksr_status ksr_media_check(ksr_context *ctx, const char *path)
{
    return ksr_input_check(ctx, path);
}

ksr_status ksr_media_look_at(ksr_context *ctx, const char *path, struct ksr_film *film)
{
    struct ksr_input input;
    const ksr_status status = ksr_input_open_video(ctx, path, film->known, film->stream, &input);
    if (status != KSR_OK)
        return status;
    if (!film->known && !film->linear) {
        film->known = input.known;
        input.known = NULL;
    }
    ksr_input_close(&input);
    return KSR_OK;
}

int64_t ksr_rescale(int64_t time, struct ksr_rational from, struct ksr_rational to)
{
    return av_rescale_q(time, (AVRational){from.num, from.den}, (AVRational){to.num, to.den});
}

bool ksr_media_may_shift(const char *path, const struct ksr_film *film)
{
    const struct ksr_container *container = ksr_input_container(path);
    return container && (container->start != KSR_START_KEPT || film->frames[0].time < 0);
}

bool ksr_media_counts_times(const char *path)
{
    const struct ksr_container *container = ksr_input_container(path);
    return container && container->incomplete_times;
}

bool ksr_media_is_raw(const char *path)
{
    const struct ksr_container *container =
        ksr_sequence_is(path) ? NULL : ksr_input_container(path);
    return container && (container->raw || container->images);
}

// --- Describing ---

static json_t *utf8_string(const char *text)
{
    char *utf8 = ksr_text_to_utf8(text);
    json_t *string = utf8 ? json_string(utf8) : NULL;
    free(utf8);
    return string;
}

static void set_text(json_t *o, const char *name, const char *text)
{
    if (text && *text)
        json_object_set_new(o, name, json_string(text));
}

static void set_ratio(json_t *o, const char *name, AVRational q)
{
    if (q.num > 0 && q.den > 0)
        json_object_set_new(o, name, json_sprintf("%d/%d", q.num, q.den));
}

static void set_tag(json_t *o, const char *name, const AVDictionary *tags)
{
    const AVDictionaryEntry *tag = av_dict_get(tags, name, NULL, 0);
    if (tag)
        set_text(o, name, tag->value);
}

// As mkvmerge has it.
static void set_language_in_full(json_t *o, const AVDictionary *tags)
{
    const AVDictionaryEntry *full = av_dict_get(tags, KSR_LANGUAGE_TAG, NULL, 0);
    if (full)
        set_text(o, "language_ietf", full->value);
}

static const char *field_order_name(enum AVFieldOrder order)
{
    switch (order) {
    case AV_FIELD_PROGRESSIVE: return "progressive";
    case AV_FIELD_TT: return "tt";
    case AV_FIELD_BB: return "bb";
    case AV_FIELD_TB: return "tb";
    case AV_FIELD_BT: return "bt";
    default: return NULL;
    }
}

static void describe_video(json_t *o, const AVStream *stream)
{
    const AVCodecParameters *p = stream->codecpar;
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(p->format);
    json_object_set_new(o, "width", json_integer(p->width));
    json_object_set_new(o, "height", json_integer(p->height));
    if (d) {
        set_text(o, "pixel_format", d->name);
        json_object_set_new(o, "bits", json_integer(d->comp[0].depth));
    }
    set_text(o, "color_range", av_color_range_name(p->color_range));
    set_text(o, "color_space", av_color_space_name(p->color_space));
    set_text(o, "color_primaries", av_color_primaries_name(p->color_primaries));
    set_text(o, "color_transfer", av_color_transfer_name(p->color_trc));
    set_text(o, "chroma_location", av_chroma_location_name(p->chroma_location));
    set_ratio(o, "sample_aspect_ratio", p->sample_aspect_ratio);
    set_text(o, "field_order", field_order_name(p->field_order));
    set_ratio(o, "frame_rate", stream->avg_frame_rate);
}

static void describe_audio(json_t *o, const AVCodecParameters *p)
{
    char layout[64] = "";
    json_object_set_new(o, "sample_rate", json_integer(p->sample_rate));
    json_object_set_new(o, "channels", json_integer(p->ch_layout.nb_channels));
    if (av_channel_layout_describe(&p->ch_layout, layout, sizeof(layout)) > 0)
        set_text(o, "channel_layout", layout);
}

static json_t *describe_stream(const AVStream *stream)
{
    const AVCodecParameters *p = stream->codecpar;
    const char *type = av_get_media_type_string(p->codec_type);
    json_t *o = json_pack("{s:i,s:s,s:s,s:b,s:b}", "index", stream->index, "type",
                          ksr_stream_is_cover(stream) ? "cover"
                          : type                      ? type
                                                      : "unknown",
                          "codec", avcodec_get_name(p->codec_id), "default",
                          (stream->disposition & AV_DISPOSITION_DEFAULT) != 0, "forced",
                          (stream->disposition & AV_DISPOSITION_FORCED) != 0);
    if (!o)
        return NULL;
    set_tag(o, "language", stream->metadata);
    set_language_in_full(o, stream->metadata);
    set_tag(o, "title", stream->metadata);
    set_tag(o, "filename", stream->metadata);
    if (ksr_stream_file(stream))
        json_object_set_new(o, "file", utf8_string(ksr_stream_file(stream)));
    if (p->codec_type == AVMEDIA_TYPE_VIDEO)
        describe_video(o, stream);
    else if (p->codec_type == AVMEDIA_TYPE_AUDIO)
        describe_audio(o, p);
    set_ratio(o, "time_base", stream->time_base);
    return o;
}

// Frames differ in length by more than the rounding of a tick.
static bool is_variable(const struct ksr_film *film)
{
    int64_t least = INT64_MAX, most = 0;
    for (size_t i = 1; i < film->frame_count; i++) {
        const int64_t d = film->frames[i].time - film->frames[i - 1].time;
        least = d < least ? d : least;
        most = d > most ? d : most;
    }
    return film->frame_count > 2 && most - least > 1;
}

// What the pictures carry beside samples and colour tags, by name.
static json_t *describe_extras(const struct ksr_extras *e)
{
    const char *display = ksr_display_name(e->matrix);
    const struct {
        bool there;
        const char *name;
    } all[] = {{e->has_primaries || e->has_luminance, "mastering display"},
               {e->has_light, "content light level"},
               {e->hdr10_plus, "HDR10+"},
               {e->dolby_vision, "Dolby Vision"},
               {e->captions, "closed captions"},
               {display != NULL, display},
               {ksr_aperture_crops(&e->aperture), "crop"},
               {e->film_grain, "film grain"},
               {e->icc_profile, "ICC profile"},
               {e->active_format, "active format description"},
               {e->time_codes, "timecodes of frames"},
               {e->pan_scan, "pan-scan"}};
    json_t *list = json_array();
    for (size_t i = 0; list && i < sizeof(all) / sizeof(all[0]); i++)
        if (all[i].there)
            json_array_append_new(list, json_string(all[i].name));
    return list;
}

// Where the frames begin to be of another kind, with all that describes them.
static json_t *describe_kinds(const struct ksr_film *film)
{
    json_t *list = json_array();
    for (size_t i = 1; list && i < film->kind_count; i++) {
        const struct ksr_video_format *f = &film->kinds[i].format;
        const size_t frame = ksr_kinds_frame(film, film->kinds[i].source);
        char text[400];
        if (frame >= film->frame_count)
            continue;
        ksr_kinds_text(&film->kinds[i - 1].format, f, text, sizeof(text));
        json_t *o =
            json_pack("{s:I,s:f,s:s,s:i,s:i,s:s}", "frame", (json_int_t)frame, "time",
                      ksr_film_seconds(film, film->frames[frame].time), "change", text, "width",
                      f->width, "height", f->height, "pixel_format", f->pixel_format);
        set_ratio(o, "sample_aspect_ratio",
                  (AVRational){f->sample_aspect.num, f->sample_aspect.den});
        set_text(o, "color_range", av_color_range_name((enum AVColorRange)f->color_range));
        set_text(o, "color_space", av_color_space_name((enum AVColorSpace)f->color_space));
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *describe_film(const struct ksr_film *film)
{
    const struct ksr_film_frame *last = &film->frames[film->frame_count - 1];
    const char *range = av_color_range_name((enum AVColorRange)film->format.color_range);
    const char *space = av_color_space_name((enum AVColorSpace)film->format.color_space);
    size_t first;
    return json_pack("{s:i,s:I,s:f,s:f,s:f,s:b,s:I,s:b,s:s,s:b,s:b,s:b,s:b,s:b,s:i,s:I,s:s,s:s?,s:"
                     "s?,s:o,s:o,s:I,s:b,s:s*}",
                     "stream", film->stream, "frames", (json_int_t)film->frame_count,
                     "first_timestamp", ksr_film_seconds(film, film->frames[0].time),
                     "last_timestamp", ksr_film_seconds(film, last->time), "end",
                     ksr_film_seconds(film, last->time + last->duration), "variable_frame_rate",
                     is_variable(film), "keyframes", (json_int_t)film->key_count, "open_gop",
                     film->open_gop, "index", film->linear ? "decoded" : "packets", "interlaced",
                     film->format.interlaced || film->unmarked_fields || film->turns_interlaced,
                     "unmarked_fields", film->unmarked_fields, "marked_wrongly",
                     film->marked_wrongly, "telecined", film->telecined, "soft_telecine",
                     film->soft_telecine, "repaired_timestamps", film->repaired,
                     "undecodable_frames", (json_int_t)film->undecoded, "pixel_format",
                     film->format.pixel_format, "color_range", range, "color_space", space,
                     "carries", describe_extras(&film->extras), "changes", describe_kinds(film),
                     "damaged_frames", (json_int_t)ksr_film_damaged(film, &first), "single_fields",
                     film->single_fields, "content", film->content[0] ? film->content : NULL);
}

ksr_status ksr_media_describe(ksr_context *ctx, const char *path, const struct ksr_film *film,
                              json_t **out)
{
    struct ksr_input input;
    ksr_status status = ksr_input_open_film(ctx, path, film, &input);
    if (status != KSR_OK)
        return status;
    const AVFormatContext *f = input.format;
    ksr_memory_watch();
    json_t *streams = json_array();
    for (unsigned i = 0; streams && i < f->nb_streams; i++)
        json_array_append_new(streams, describe_stream(f->streams[i]));
    json_t *duration =
        f->duration > 0 ? json_real((double)f->duration / AV_TIME_BASE) : json_null();
    *out = json_pack("{s:o,s:s,s:o,s:I,s:o,s:o,s:i}", "path", utf8_string(path), "format",
                     f->iformat->name, "duration", duration, "size",
                     (json_int_t)ksr_sequence_size(path), "streams", streams, "video",
                     describe_film(film), "chapters", (int)f->nb_chapters);
    const bool starved = !*out || ksr_memory_ran_out();
    ksr_input_close(&input);
    if (!starved)
        return KSR_OK;
    json_decref(*out);
    *out = NULL;
    return ksr_fail_memory(ctx);
}

// --- Decoding ---

static ksr_status count_frames(ksr_context *ctx, AVCodecContext *decoder, AVFrame *frame,
                               size_t limit, size_t *decoded, size_t *bad)
{
    bool got = true;
    ksr_status status = KSR_OK;
    while (status == KSR_OK && got && *decoded < limit) {
        status = ksr_stream_receive(ctx, decoder, frame, &got);
        *decoded += got;
        *bad += got && ksr_frame_damaged(frame);
        av_frame_unref(frame);
    }
    return status;
}

static ksr_status decode_all(ksr_context *ctx, struct ksr_input *input, size_t limit,
                             size_t expected, size_t *decoded, size_t *bad)
{
    AVPacket *packet = av_packet_alloc();
    AVFrame *frame = av_frame_alloc();
    ksr_status status = packet && frame ? KSR_OK : ksr_fail_memory(ctx);
    bool end = false;
    while (status == KSR_OK && !end && *decoded < limit) {
        ksr_ffmpeg_clear_message();
        const int result = ksr_input_read(input->format, packet);
        if (ksr_ffmpeg_starved(result))
            status = ksr_fail_memory(ctx);
        end = result < 0;
        if (!end && packet->stream_index != input->video->index) {
            av_packet_unref(packet);
            continue;
        }
        bool refused = false;
        if (status == KSR_OK)
            status = ksr_stream_send(ctx, input->decoder, end ? NULL : packet, &refused);
        *bad += refused && !end;
        av_packet_unref(packet);
        if (status == KSR_OK)
            status = count_frames(ctx, input->decoder, frame, limit, decoded, bad);
        ksr_report_progress(
            ctx,
            &(struct ksr_progress){.phase = KSR_PHASE_VERIFY,
                                   .done = (int64_t)*decoded,
                                   .total = limit < expected ? (int64_t)limit : (int64_t)expected});
        if (status == KSR_OK)
            status = ksr_check_cancel(ctx);
    }
    av_packet_free(&packet);
    av_frame_free(&frame);
    return status;
}

ksr_status ksr_media_decode(ksr_context *ctx, const char *path, const struct ksr_film *film,
                            size_t limit, size_t expected, size_t *decoded, size_t *bad)
{
    struct ksr_input input;
    *decoded = *bad = 0;
    ksr_status status = ksr_input_open_video(ctx, path, film->known, film->stream, &input);
    if (status != KSR_OK)
        return status;
    ksr_input_select(&input, input.video->index);
    status = ksr_input_open_decoder(ctx, &input);
    if (status == KSR_OK)
        status = decode_all(ctx, &input, limit, expected, decoded, bad);
    ksr_input_close(&input);
    return status;
}
