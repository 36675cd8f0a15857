// The parts of frames that choose a variant; see variant.h.

#include "media/index/variant.h"

#include "frame/tile.h"
#include "media/index/parts.h"

// What a variant needs for each sample: SURE votes, and LEAD more than any other. 512 more make it
// e times as likely to come nearest to the original (train/ai/choose.py).
#define SURE 256
#define LEAD 256

struct look {
    struct ksr_part_output output; // of the network that chooses
    struct ksr_votes votes;
};

// Adds what the network says of a part.
static void vote(void *opaque, const struct ksr_part *part)
{
    struct look *l = opaque;
    const struct ksr_plane large = ksr_part_enlarge(&l->output, part);
    for (int y = part->top; y < part->top + part->height; y++) {
        const uint16_t *in = ksr_row(&part->seen, y);
        for (int k = 0; k < 4; k++) {
            const uint16_t *out = ksr_row(&large, 2 * y + k / 2) + k % 2;
            for (int x = part->left; x < part->left + part->width; x++)
                l->votes.of[k] += out[2 * x] - in[x];
        }
    }
    l->votes.samples += (int64_t)part->width * part->height;
}

int ksr_votes_choose(const struct ksr_votes *votes, int variants)
{
    const int64_t sure = SURE * votes->samples, lead = LEAD * votes->samples;
    int best = 0;
    bool clear = true;
    for (int k = 1; k < variants - 1; k++)
        if (votes->of[k] > votes->of[best])
            best = k;
    for (int k = 0; k < variants - 1; k++)
        clear = clear && (k == best || votes->of[best] - votes->of[k] > lead);
    return clear && votes->of[best] > sure ? best + 1 : 0;
}

ksr_status ksr_variant_look(ksr_context *ctx, const char *path, const struct ksr_film *film,
                            const ksr_net *chooser, int *chosen)
{
    struct look l = {0};
    const struct ksr_parts parts = {.reach = chooser->reach, .look = vote, .opaque = &l};
    int frames;
    *chosen = 0;
    ksr_status status = ksr_part_output_alloc(&l.output, chooser, parts.reach)
                            ? ksr_parts_visit(ctx, path, film, &parts, &frames)
                            : ksr_fail_memory(ctx);
    if (status == KSR_OK && l.votes.samples > 0) {
        *chosen = ksr_votes_choose(&l.votes, chooser->variants);
        ksr_log(ctx, KSR_LOG_DEBUG, "variant: %d frames; votes %lld %lld %lld %lld of %lld", frames,
                (long long)l.votes.of[0], (long long)l.votes.of[1], (long long)l.votes.of[2],
                (long long)l.votes.of[3], (long long)l.votes.samples);
    }
    ksr_part_output_free(&l.output);
    return status;
}
