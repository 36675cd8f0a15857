// Damage by coding; see damage.h.

#include "media/index/damage.h"

#include <libavutil/video_enc_params.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "frame/noise.h"
#include "media/av/ffmpeg.h"
#include "media/av/pixel_format.h"
#include "media/index/places.h"

#define PLACES      16 // in a video, at most
#define STEP        5  // strengths are multiples of it,
#define LEAST       10 // and below this one nothing shows
#define SHOWN_MOST  40 // that pictures alone ask for
#define SHOWN_LEAST 51 // excess that texture hardly ever has: 0.4 codes of 8 bits

struct look {
    struct ksr_layout layout;
    struct ksr_damage *out;
    struct ksr_frame luma, next; // layout of one plane
    int bits;
    struct ksr_noise noise;
    struct ksr_damage_more more;
    int quantized[PLACES]; // strengths by the quantizer
    int quantized_count, looked;
    struct ksr_damage_share share;
    bool mpeg; // its blocks are 8x8, and the quantizer tells of them
};

// --- Strength, in hundredths ---

// Stage 1 follows errors of 16 codes of 8 bits at 1. H.264's quantizer step is 0.625 codes at 0 and
// doubles every six: these are 0.4 steps.
static int strength_of_h264(int qp, int bits)
{
    static const int fraction[6] = {100, 112, 126, 141, 159, 178}; // in 1/64
    const int nominal = qp - 6 * (bits - 8);
    if (nominal <= 0)
        return 0;
    return nominal > 36 ? KSR_DAMAGE_MOST : (fraction[nominal % 6] << nominal / 6) >> 6;
}

// The same steps, of a lower quantizer: offsets of blocks lower that of the slice by about 4, and
// the loop filters leave less noise.
static int strength_of_h265(int qp)
{
    return strength_of_h264(qp - 6, 8);
}

static int strength_of_quantizer(enum AVVideoEncParamsType type, int quantizer, int bits)
{
    switch (type) {
    case AV_VIDEO_ENC_PARAMS_H264: return strength_of_h264(quantizer, bits);
    case AV_VIDEO_ENC_PARAMS_MPEG2: return quantizer * 9 / 2;
    case AV_VIDEO_ENC_PARAMS_VP9: return quantizer > 4 ? 10 + quantizer / 2 : 0; // of keyframes
    default: return 0;
    }
}

static int strength_of_excess(int excess)
{
    return excess < SHOWN_LEAST ? 0 : FFMIN(excess * 25 / 128, SHOWN_MOST);
}

static int round_strength(int strength)
{
    const int rounded = (strength + STEP / 2) / STEP * STEP;
    return rounded < LEAST ? 0 : FFMIN(rounded, KSR_DAMAGE_MOST);
}

// --- Looking ---

// The mean quantizer of a frame. Returns false where the decoder does not tell.
static bool quantizer_of(const AVVideoEncParams *params, int *out)
{
    int64_t sum = 0, area = 0;
    for (unsigned i = 0; i < params->nb_blocks; i++) {
        const AVVideoBlockParams *b = av_video_enc_params_block((AVVideoEncParams *)params, i);
        const int64_t size = (int64_t)b->w * b->h;
        sum += (params->qp + b->delta_qp) * size;
        area += size;
    }
    *out = area > 0 ? (int)((sum + area / 2) / area) : params->qp;
    return area > 0 || params->type == AV_VIDEO_ENC_PARAMS_VP9;
}

static void look_at_quantizer(struct look *l, const ksr_reader *reader)
{
    const AVFrame *frame = ksr_reader_frame(reader);
    const AVFrameSideData *side = av_frame_get_side_data(frame, AV_FRAME_DATA_VIDEO_ENC_PARAMS);
    int quantizer;
    if (frame->pict_type != AV_PICTURE_TYPE_I || l->quantized_count == PLACES)
        return;
    if (ksr_reader_quantizer(reader, &quantizer))
        l->quantized[l->quantized_count++] = strength_of_h265(quantizer);
    if (!side)
        return;
    const AVVideoEncParams *params = (const AVVideoEncParams *)side->data;
    l->mpeg = params->type == AV_VIDEO_ENC_PARAMS_MPEG2;
    if (quantizer_of(params, &quantizer))
        l->quantized[l->quantized_count++] =
            strength_of_quantizer(params->type, quantizer, l->bits);
}

static ksr_status take(const struct look *l, ksr_context *quiet, ksr_reader *reader,
                       const struct ksr_plane *luma)
{
    struct ksr_row_source source;
    const ksr_status status = ksr_reader_take(quiet, reader, &l->layout, NULL, &source);
    if (status == KSR_OK)
        source.rows(source.opaque, 0, luma, 0, l->layout.height);
    return status;
}

// What fails here takes nothing away from the frame before.
static ksr_status look_at_next(struct look *l, ksr_context *quiet, ksr_reader *reader)
{
    size_t index = SIZE_MAX;
    bool damaged = false;
    ksr_status status = ksr_reader_next(quiet, reader, &index, &damaged);
    if (status == KSR_OK && index != SIZE_MAX && !damaged) {
        status = take(l, quiet, reader, &l->next.plane[0]);
        if (status == KSR_OK)
            ksr_crawl_add(l->more.crawl, &l->luma.plane[0], &l->next.plane[0]);
    }
    return status == KSR_E_NOMEM ? status : KSR_OK;
}

static ksr_status look_at_frame(void *opaque, ksr_context *quiet, ksr_reader *reader)
{
    struct look *l = opaque;
    look_at_quantizer(l, reader);
    const ksr_status status = take(l, quiet, reader, &l->luma.plane[0]);
    if (status != KSR_OK)
        return status;
    ksr_noise_add(&l->noise, &l->luma.plane[0]);
    if (l->more.blocks)
        ksr_blocks_add(l->more.blocks, &l->luma.plane[0]);
    if (l->more.halos)
        ksr_halos_add(l->more.halos, &l->luma.plane[0]);
    l->looked++;
    return l->more.crawl ? look_at_next(l, quiet, reader) : KSR_OK;
}

static bool has_enough(const void *opaque)
{
    return ((const struct look *)opaque)->looked == PLACES;
}

static void want_quantizers(void *opaque, ksr_reader *reader)
{
    (void)opaque;
    ksr_reader_export_quantizers(reader);
}

static void keep_codec(void *opaque, const ksr_reader *reader)
{
    struct look *l = opaque;
    snprintf(l->out->codec, sizeof(l->out->codec), "%s", ksr_reader_codec(reader));
}

// --- Judging ---

static int compare(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static int median(int *values, int count)
{
    if (count == 0)
        return 0;
    qsort(values, (size_t)count, sizeof(values[0]), compare);
    return values[count / 2];
}

static const char *codec_name(const char *name)
{
    static const char *const known[][2] = {
        {"h264", "H.264"}, {"mpeg1video", "MPEG-1"}, {"mpeg2video", "MPEG-2"}, {"mpeg4", "MPEG-4"},
        {"vp9", "VP9"},    {"hevc", "HEVC"},         {"mjpeg", "JPEG"}};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(known[i][0], name) == 0)
            return known[i][1];
    return "coding";
}

// Whether what was found is all there is: of other codecs mild damage is not seen.
static bool is_judged(const struct look *l)
{
    const AVCodecDescriptor *d = avcodec_descriptor_get_by_name(l->out->codec);
    const bool lossy = d && d->props & AV_CODEC_PROP_LOSSY;
    return l->quantized_count > 0 || !lossy || d->props & AV_CODEC_PROP_INTRA_ONLY;
}

static void judge(ksr_context *ctx, struct look *l)
{
    struct ksr_damage *out = l->out;
    const int excess = ksr_noise_excess(&l->noise);
    const int seen = l->mpeg ? 0 : round_strength(strength_of_excess(excess));
    const int quantizer = median(l->quantized, l->quantized_count);
    const int told = round_strength(quantizer);
    const int shown = round_strength(seen * l->share.shown / 100);
    const int quantized = round_strength(told * l->share.quantizer / 100);
    out->strength = FFMAX(shown, quantized);
    out->none = l->looked > 0 && seen == 0 && quantizer == 0 && is_judged(l);
    if (out->strength == 0 && FFMAX(seen, told) > 0)
        snprintf(out->reason, sizeof(out->reason), "noise is left to the network");
    else if (out->strength == 0)
        snprintf(out->reason, sizeof(out->reason), is_judged(l) ? "clean" : "no noise found");
    else
        snprintf(out->reason, sizeof(out->reason), "%s noise",
                 out->strength == quantized || strcmp(out->codec, "mjpeg") == 0
                     ? codec_name(out->codec)
                     : "coding");
    ksr_log(ctx, KSR_LOG_DEBUG,
            "damage: %d frames; shown: %d of %d, excess %d; by the quantizer: %d of %d", l->looked,
            shown, seen, excess, quantized, told);
}

static ksr_status look(ksr_context *ctx, const char *path, const struct ksr_film *film,
                       struct look *l)
{
    const struct ksr_places places = {.count = PLACES,
                                      .turn = 1,
                                      .keyframes = true,
                                      .opened = want_quantizers,
                                      .closing = keep_codec,
                                      .look = look_at_frame,
                                      .has_enough = has_enough,
                                      .opaque = l};
    struct ksr_layout one = l->layout;
    one.planes = 1;
    if (!ksr_frame_alloc(&l->luma, &one) || (l->more.crawl && !ksr_frame_alloc(&l->next, &one)))
        return ksr_fail_memory(ctx);
    return ksr_places_visit(ctx, path, film, &places);
}

ksr_status ksr_damage_look(ksr_context *ctx, const char *path, const struct ksr_film *film,
                           struct ksr_damage_share share, struct ksr_damage_more more,
                           struct ksr_damage *out)
{
    struct look *l = calloc(1, sizeof(*l));
    ksr_status status = KSR_OK;
    *out = (struct ksr_damage){.reason = "clean"};
    if (more.blocks)
        *more.blocks = (struct ksr_blocks){0};
    if (more.halos)
        *more.halos = (struct ksr_halos){0};
    if (more.crawl)
        *more.crawl = (struct ksr_crawl){0};
    if (!l)
        return ksr_fail_memory(ctx);
    l->out = out;
    l->share = share;
    l->more = more;
    if (ksr_pixels_layout(&film->format, &l->layout, &l->bits)) { // else planning fails soon
        status = look(ctx, path, film, l);
        if (status == KSR_OK)
            judge(ctx, l);
    }
    ksr_frame_free(&l->luma);
    ksr_frame_free(&l->next);
    free(l);
    return status;
}
