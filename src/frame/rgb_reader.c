// RGB frames as sources; see rgb_reader.h.

#include "frame/rgb_reader.h"

#include <pthread.h>
#include <stdlib.h>

#include "frame/dispatch.h"
#include "frame/tile.h"

#define BAND 64 // rows that are converted at once

struct band {
    pthread_mutex_t mutex;
    bool converted;
};

struct ksr_rgb_reader {
    struct ksr_row_source rgb;
    struct ksr_frame ycc;
    struct band *bands;
    int count;
};

ksr_rgb_reader *ksr_rgb_reader_create(const struct ksr_layout *layout)
{
    ksr_rgb_reader *r = calloc(1, sizeof(*r));
    const int count = (layout->height + BAND - 1) / BAND;
    if (!r)
        return NULL;
    r->bands = calloc((size_t)count, sizeof(r->bands[0]));
    if (!r->bands || !ksr_frame_alloc(&r->ycc, layout)) {
        ksr_rgb_reader_destroy(&r);
        return NULL;
    }
    for (; r->count < count; r->count++)
        pthread_mutex_init(&r->bands[r->count].mutex, NULL);
    return r;
}

void ksr_rgb_reader_destroy(ksr_rgb_reader **reader)
{
    ksr_rgb_reader *r = reader ? *reader : NULL;
    if (!r)
        return;
    for (int i = 0; i < r->count; i++)
        pthread_mutex_destroy(&r->bands[i].mutex);
    free(r->bands);
    ksr_frame_free(&r->ycc);
    free(r);
    *reader = NULL;
}

static void convert(ksr_rgb_reader *r, int band)
{
    struct band *b = &r->bands[band];
    const int y0 = band * BAND, y1 = ksr_min(y0 + BAND, r->ycc.layout.height);
    pthread_mutex_lock(&b->mutex);
    for (int i = 0; i < r->ycc.layout.planes && !b->converted; i++)
        r->rgb.rows(r->rgb.opaque, i, &r->ycc.plane[i], y0, y1);
    if (!b->converted)
        ksr_frame_table(ksr_cpu_level())->rgb_to_ycc_rows(&r->ycc, y0, y1);
    b->converted = true;
    pthread_mutex_unlock(&b->mutex);
}

static void read_rows(void *opaque, int i, const struct ksr_plane *dst, int y0, int y1)
{
    ksr_rgb_reader *r = opaque;
    for (int band = y0 / BAND; band * BAND < y1; band++)
        convert(r, band);
    ksr_plane_copy_rows(dst, &r->ycc.plane[i], y0, y1);
}

struct ksr_row_source ksr_rgb_reader_start(ksr_rgb_reader *r, const struct ksr_row_source *rgb)
{
    r->rgb = *rgb;
    for (int i = 0; i < r->count; i++)
        r->bands[i].converted = false;
    return (struct ksr_row_source){read_rows, r, rgb->raw};
}
