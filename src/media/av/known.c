// What is known of a video before it is opened again; see known.h.

#include "media/av/known.h"

#include <stdlib.h>
#include <string.h>

struct stream {
    AVCodecParameters *header; // what the header says,
    AVCodecParameters *found;  // and what the look found
    AVRational base_rate, average_rate;
    int64_t start, duration;
};

struct ksr_known {
    struct stream *streams;
    unsigned count;
    int64_t start, duration, bit_rate; // of the file
};

static AVCodecParameters *copy_of(const AVCodecParameters *from)
{
    AVCodecParameters *copy = avcodec_parameters_alloc();
    if (copy && avcodec_parameters_copy(copy, from) < 0)
        avcodec_parameters_free(&copy);
    return copy;
}

struct ksr_known *ksr_known_begin(const AVFormatContext *opened)
{
    struct ksr_known *known = calloc(1, sizeof(*known));
    if (!known)
        return NULL;
    known->streams = calloc((size_t)opened->nb_streams + 1, sizeof(known->streams[0]));
    known->count = known->streams ? opened->nb_streams : 0;
    bool ok = known->streams != NULL;
    for (unsigned i = 0; ok && i < known->count; i++) {
        known->streams[i].header = copy_of(opened->streams[i]->codecpar);
        ok = known->streams[i].header != NULL;
    }
    if (!ok)
        ksr_known_free(&known);
    return known;
}

bool ksr_known_finish(struct ksr_known *known, const AVFormatContext *looked)
{
    known->start = looked->start_time;
    known->duration = looked->duration;
    known->bit_rate = looked->bit_rate;
    for (unsigned i = 0; i < known->count; i++) {
        struct stream *s = &known->streams[i];
        const AVStream *from = looked->streams[i];
        s->found = copy_of(from->codecpar);
        if (!s->found)
            return false;
        s->base_rate = from->r_frame_rate;
        s->average_rate = from->avg_frame_rate;
        s->start = from->start_time;
        s->duration = from->duration;
    }
    return true;
}

void ksr_known_free(struct ksr_known **known)
{
    if (!*known)
        return;
    for (unsigned i = 0; i < (*known)->count; i++) {
        avcodec_parameters_free(&(*known)->streams[i].header);
        avcodec_parameters_free(&(*known)->streams[i].found);
    }
    free((*known)->streams);
    free(*known);
    *known = NULL;
}

// Whether two headers of a video say the same.
static bool same_header(const AVCodecParameters *a, const AVCodecParameters *b)
{
    return a->codec_type == b->codec_type && a->codec_id == b->codec_id &&
           a->codec_tag == b->codec_tag && a->width == b->width && a->height == b->height &&
           a->format == b->format && a->profile == b->profile && a->level == b->level &&
           a->bits_per_coded_sample == b->bits_per_coded_sample &&
           av_cmp_q(a->sample_aspect_ratio, b->sample_aspect_ratio) == 0 &&
           a->field_order == b->field_order && a->color_range == b->color_range &&
           a->color_space == b->color_space && a->color_primaries == b->color_primaries &&
           a->color_trc == b->color_trc && a->chroma_location == b->chroma_location &&
           a->extradata_size == b->extradata_size &&
           (a->extradata_size == 0 ||
            memcmp(a->extradata, b->extradata, (size_t)a->extradata_size) == 0);
}

bool ksr_known_tell(const struct ksr_known *known, AVFormatContext *opened, int stream)
{
    if (!known || known->count != opened->nb_streams || stream >= (int)known->count)
        return false;
    const struct stream *s = &known->streams[stream];
    AVCodecParameters *p = opened->streams[stream]->codecpar;
    return p->codec_type == AVMEDIA_TYPE_VIDEO && s->found->format >= 0 && s->found->width > 0 &&
           s->found->height > 0 && same_header(p, s->header) &&
           avcodec_parameters_copy(p, s->found) >= 0;
}

void ksr_known_tell_times(const struct ksr_known *known, AVFormatContext *looked, int stream)
{
    const struct stream *s = &known->streams[stream];
    AVStream *to = looked->streams[stream];
    to->r_frame_rate = s->base_rate;
    to->avg_frame_rate = s->average_rate;
    to->start_time = s->start;
    to->duration = s->duration;
    looked->start_time = known->start;
    looked->duration = known->duration;
    looked->bit_rate = known->bit_rate;
}
