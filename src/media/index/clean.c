// Whether a source is clean; see clean.h.

#include "media/index/clean.h"

#include "frame/tile.h"
#include "media/index/parts.h"

struct look {
    struct ksr_part_output damaged, clean;
    struct ksr_changes changes;
};

// What one sample became, less what it was, four times.
static int change(const uint16_t *const rows[2], const uint16_t *in, int x)
{
    return rows[0][2 * x] + rows[0][2 * x + 1] + rows[1][2 * x] + rows[1][2 * x + 1] - 4 * in[x];
}

// Adds what the networks make of a part.
static void compare(void *opaque, const struct ksr_part *part)
{
    struct look *l = opaque;
    const struct ksr_plane damaged = ksr_part_enlarge(&l->damaged, part);
    const struct ksr_plane clean = ksr_part_enlarge(&l->clean, part);
    for (int y = part->top; y < part->top + part->height; y++) {
        const uint16_t *in = ksr_row(&part->seen, y);
        const uint16_t *const a[] = {ksr_row(&damaged, 2 * y), ksr_row(&damaged, 2 * y + 1)};
        const uint16_t *const b[] = {ksr_row(&clean, 2 * y), ksr_row(&clean, 2 * y + 1)};
        for (int x = part->left; x < part->left + part->width; x++) {
            const int64_t of_a = change(a, in, x), of_b = change(b, in, x);
            l->changes.damaged += of_a * of_a;
            l->changes.clean += of_b * of_b;
            l->changes.both += of_a * of_b;
        }
    }
}

// Sums of 16 parts are below 2^55.
static int percent(int64_t part, int64_t all)
{
    const int64_t share = all > 0 ? 100 * part / all : KSR_DOUBT_MOST;
    return share < 0 ? 0 : share < KSR_DOUBT_MOST ? (int)share : KSR_DOUBT_MOST;
}

struct ksr_clean ksr_changes_judge(const struct ksr_changes *c)
{
    const int doubt = percent(c->both, c->clean);
    return (struct ksr_clean){.doubt = doubt, .alike = doubt * percent(c->both, c->damaged) / 100};
}

ksr_status ksr_clean_look(ksr_context *ctx, const char *path, const struct ksr_film *film,
                          const ksr_net *for_damaged, const ksr_net *for_clean,
                          struct ksr_clean *out)
{
    struct look l = {0};
    const struct ksr_parts parts = {
        .reach = ksr_max(for_damaged->reach, for_clean->reach), .look = compare, .opaque = &l};
    int frames;
    const bool ready = ksr_part_output_alloc(&l.damaged, for_damaged, parts.reach) &&
                       ksr_part_output_alloc(&l.clean, for_clean, parts.reach);
    const ksr_status status =
        ready ? ksr_parts_visit(ctx, path, film, &parts, &frames) : ksr_fail_memory(ctx);
    if (status == KSR_OK) {
        *out = ksr_changes_judge(&l.changes);
        ksr_log(ctx, KSR_LOG_DEBUG, "clean: %d frames; doubt %d, alike %d", frames, out->doubt,
                out->alike);
    }
    ksr_part_output_free(&l.damaged);
    ksr_part_output_free(&l.clean);
    return status;
}
