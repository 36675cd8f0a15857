// Encoders that are opened to be looked at: what they make of grey frames; see encoder.h.

#include <string.h>

#include "media/av/pixel_format.h"
#include "media/encode/codecs.h"
#include "media/encode/encoder.h"

#define LOOK_FRAMES 2

// What came out.
struct look {
    ksr_hasher *hasher; // of the packets; NULL: of no interest
    int packets;
};

static ksr_status take_packets(ksr_context *ctx, ksr_encoder *encoder, struct look *look)
{
    struct ksr_packet packet;
    ksr_status status = ksr_encoder_receive(ctx, encoder, &packet);
    while (status == KSR_OK && packet.data) {
        if (look->hasher)
            ksr_hasher_add(look->hasher, packet.data, packet.size);
        look->packets++;
        status = ksr_encoder_receive(ctx, encoder, &packet);
    }
    return status;
}

static ksr_status encode_grey(ksr_context *ctx, ksr_encoder *encoder, const struct ksr_frame *grey,
                              int count, struct look *look)
{
    ksr_status status = KSR_OK;
    for (int i = 0; status == KSR_OK && i < count; i++) {
        struct ksr_row_sink sink;
        status = ksr_encoder_begin(ctx, encoder, &sink);
        for (int p = 0; status == KSR_OK && p < grey->layout.planes; p++)
            sink.rows(sink.opaque, p, &grey->plane[p], 0, grey->plane[p].height);
        if (status == KSR_OK)
            status = ksr_encoder_complete(ctx, encoder, NULL);
        if (status == KSR_OK)
            status = ksr_encoder_write(ctx, encoder, i, 1);
        if (status == KSR_OK)
            status = take_packets(ctx, encoder, look);
    }
    if (status == KSR_OK)
        status = ksr_encoder_finish(ctx, encoder);
    return status == KSR_OK ? take_packets(ctx, encoder, look) : status;
}

// Opens an encoder and gives it some grey frames and their end.
static ksr_status look_at(ksr_context *ctx, const struct ksr_encoder_settings *s, int count,
                          struct look *look, ksr_encoder **out)
{
    struct ksr_encoder_input input = {.source = &s->format};
    struct ksr_frame grey = {0};
    int bits;
    *out = NULL;
    if (!ksr_pixels_layout(&s->format, &input.layout, &bits))
        return KSR_E_PARAM;
    ksr_status status = ksr_frame_alloc(&grey, &input.layout) ? KSR_OK : ksr_fail_memory(ctx);
    if (status == KSR_OK)
        status = ksr_encoder_open(ctx, s, &input, 1, out);
    if (status == KSR_OK)
        status = encode_grey(ctx, *out, &grey, count, look);
    if (status != KSR_OK)
        ksr_encoder_close(out);
    ksr_frame_free(&grey);
    return status;
}

ksr_status ksr_encoder_hash_grey(const struct ksr_encoder_settings *settings, ksr_hasher *hasher)
{
    struct look look = {.hasher = hasher};
    ksr_encoder *encoder;
    const ksr_status status = look_at(NULL, settings, 1, &look, &encoder);
    ksr_encoder_close(&encoder);
    return status;
}

ksr_status ksr_encoder_look(ksr_context *ctx, const struct ksr_encoder_settings *settings,
                            ksr_encoder **out)
{
    struct ksr_encoder_settings plain = *settings;
    struct look look = {0};
    if (settings->promised)
        return ksr_encoder_open(ctx, settings, NULL, 1, out);
    plain.headers[0] = 0;
    const ksr_status status = look_at(ctx, &plain, LOOK_FRAMES, &look, out);
    if (status != KSR_OK || look.packets == LOOK_FRAMES)
        return status == KSR_E_PROCESS ? KSR_E_PARAM : status;
    ksr_encoder_close(out);
    return ksr_fail(ctx, KSR_E_PARAM,
                    "codec: %s writes %d packets for %d frames, which cannot be divided into "
                    "segments (use another {codec})",
                    settings->codec, look.packets, LOOK_FRAMES);
}

bool ksr_encoder_is_whole(const char *codec)
{
    return ksr_codec_of(codec)->whole;
}
