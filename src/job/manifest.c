// The manifest and its JSON form; see manifest.h.

#include "job/manifest.h"

#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/json.h"
#include "core/mem.h"
#include "core/text.h"
#include "frame/grain.h"
#include "job/key.h"
#include "job/subs.h"
#include "media/av/pixel_format.h"
#include "media/index/drawing.h"

#define MANIFEST_VERSION 3
#define MAX_FRAMES       100000000
#define MAX_PACKETS      (INT64_C(1) << 40)
#define MAX_PROBE        (INT64_C(1) << 40) // bytes
#define MAX_JUMP         (INT64_C(1) << 60) // in ticks

const char *const ksr_measured_names[KSR_MEASURED_COUNT] = {"denoise", "deblock", "dehalo",
                                                            "composite"};

void ksr_manifest_free(struct ksr_manifest *m)
{
    json_decref(m->key);
    json_decref(m->curve);
    free(m->input_path);
    free(m->output_path);
    ksr_config_destroy(&m->config);
    ksr_film_free(&m->film);
    free(m->segments);
    ksr_warnings_free(&m->warnings);
    memset(m, 0, sizeof(*m));
}

ksr_status ksr_manifest_check_input(ksr_context *ctx, const struct ksr_manifest *m, bool whole)
{
    struct ksr_fingerprint now;
    whole = whole || ksr_fs_modified(m->input_path) != m->input.modified;
    const ksr_status status = ksr_fs_fingerprint(ctx, m->input_path, whole, &now);
    if (status != KSR_OK)
        return status;
    if (now.size != m->input.size || strcmp(now.ends, m->input.ends) != 0 ||
        (whole && strcmp(now.whole, m->input.whole) != 0))
        return ksr_fail(ctx, KSR_E_MISMATCH, "the input has changed since the job was planned: %s",
                        m->input_path);
    return KSR_OK;
}

// --- Writing ---

static json_t *format_to_json(const struct ksr_video_format *f)
{
    return json_pack("{s:i,s:i,s:s,s:[ii],s:[ii],s:i,s:i,s:i,s:i,s:i,s:b,s:b}", "width", f->width,
                     "height", f->height, "pixel_format", f->pixel_format, "sample_aspect",
                     f->sample_aspect.num, f->sample_aspect.den, "frame_rate", f->frame_rate.num,
                     f->frame_rate.den, "range", f->color_range, "space", f->color_space,
                     "primaries", f->color_primaries, "transfer", f->color_transfer,
                     "chroma_location", f->chroma_location, "interlaced", f->interlaced,
                     "transposed", f->transposed);
}

#define HDR_NUMBERS 15

// The metadata of HDR10 as a list: whether primaries, luminance and light levels are known, and
// what they are, in the order of struct ksr_extras. (Read and written here alone.)
static int *hdr_number(struct ksr_extras *e, int i)
{
    int *const tail[] = {&e->max_luminance, &e->min_luminance, &e->max_cll, &e->max_fall};
    return i < 8 ? &e->chromaticity[i / 2][i % 2] : tail[i - 8];
}

static json_t *hdr_to_json(const struct ksr_extras *extras)
{
    struct ksr_extras e = *extras;
    json_t *list = json_pack("[bbb]", e.has_primaries, e.has_luminance, e.has_light);
    for (int i = 0; list && i < HDR_NUMBERS - 3; i++)
        json_array_append_new(list, json_integer(*hdr_number(&e, i)));
    return list;
}

static bool read_hdr(const json_t *list, struct ksr_extras *e)
{
    if (json_array_size(list) != HDR_NUMBERS)
        return false;
    e->has_primaries = json_is_true(json_array_get(list, 0));
    e->has_luminance = json_is_true(json_array_get(list, 1));
    e->has_light = json_is_true(json_array_get(list, 2));
    for (int i = 0; i < HDR_NUMBERS - 3; i++)
        *hdr_number(e, i) = (int)json_integer_value(json_array_get(list, (size_t)i + 3));
    return true;
}

// Changed timestamps, as [stream, first packet, packets, ticks, whether they are left out].
static json_t *jumps_to_json(const struct ksr_film *film)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < film->jump_count; i++) {
        const struct ksr_film_jump *j = &film->jumps[i];
        json_array_append_new(list, json_pack("[iIIIb]", j->stream, (json_int_t)j->first,
                                              (json_int_t)j->count, (json_int_t)j->by, j->drop));
    }
    return list;
}

static bool read_jumps(const json_t *list, struct ksr_film *film)
{
    const size_t count = json_array_size(list);
    film->jumps = calloc(count + 1, sizeof(film->jumps[0]));
    for (size_t i = 0; film->jumps && i < count; i++) {
        struct ksr_film_jump *j = &film->jumps[i];
        json_int_t first, packets, by;
        int drop;
        if (json_unpack(json_array_get(list, i), "[iIIIb]", &j->stream, &first, &packets, &by,
                        &drop) != 0)
            return false;
        *j = (struct ksr_film_jump){j->stream, first, packets, by, drop, false};
        if (first < 0 || packets < 1 || packets > MAX_PACKETS - first || by < -MAX_JUMP ||
            by > MAX_JUMP ||
            (i > 0 && (j->stream < j[-1].stream ||
                       (j->stream == j[-1].stream && first < j[-1].first + j[-1].count))))
            return false;
    }
    film->jump_count = count;
    return film->jumps != NULL;
}

// The crop and the rotation of frames, NULL where there is none.
static json_t *geometry_to_json(const struct ksr_geometry *g)
{
    return g->width > 0 ? json_pack("[iiiiiibbb]", g->width, g->height, g->x, g->y, g->part_width,
                                    g->part_height, g->transposed, g->mirrored_x, g->mirrored_y)
                        : NULL;
}

// A part must lie within the picture, and be what the format says.
static bool read_geometry(const json_t *list, const struct ksr_video_format *f,
                          struct ksr_geometry *g)
{
    int transposed, mirrored_x, mirrored_y;
    if (!list)
        return true;
    if (json_unpack((json_t *)list, "[iiiiiibbb]", &g->width, &g->height, &g->x, &g->y,
                    &g->part_width, &g->part_height, &transposed, &mirrored_x, &mirrored_y) != 0)
        return false;
    g->transposed = transposed;
    g->mirrored_x = mirrored_x;
    g->mirrored_y = mirrored_y;
    return g->width > 0 && g->width <= 65535 && g->height > 0 && g->height <= 65535 && g->x >= 0 &&
           g->y >= 0 && g->x < g->width && g->y < g->height && g->part_width > 0 &&
           g->part_height > 0 && g->part_width <= g->width - g->x &&
           g->part_height <= g->height - g->y &&
           f->width == (g->transposed ? g->part_height : g->part_width) &&
           f->height == (g->transposed ? g->part_width : g->part_height);
}

// How players are to show the frames, NULL where nothing is said.
static json_t *matrix_to_json(const int matrix[9])
{
    const int *m = matrix;
    static const int none[9];
    return memcmp(m, none, sizeof(none)) == 0
               ? NULL
               : json_pack("[iiiiiiiii]", m[0], m[1], m[2], m[3], m[4], m[5], m[6], m[7], m[8]);
}

static bool read_matrix(const json_t *list, int *m)
{
    return !list || json_unpack((json_t *)list, "[iiiiiiiii]", &m[0], &m[1], &m[2], &m[3], &m[4],
                                &m[5], &m[6], &m[7], &m[8]) == 0;
}

static json_t *aperture_to_json(const struct ksr_aperture *a)
{
    return a->left || a->right || a->top || a->bottom
               ? json_pack("[iiii]", a->left, a->right, a->top, a->bottom)
               : NULL;
}

static bool read_aperture(const json_t *list, const struct ksr_video_format *f,
                          struct ksr_aperture *a)
{
    return !list ||
           (json_unpack((json_t *)list, "[iiii]", &a->left, &a->right, &a->top, &a->bottom) == 0 &&
            a->left >= 0 && a->right >= 0 && a->top >= 0 && a->bottom >= 0 && a->left < f->width &&
            a->right < f->width - a->left && a->top < f->height && a->bottom < f->height - a->top);
}

// Kinds of frames as [source, format]; NULL where all frames are alike.
static json_t *kinds_to_json(const struct ksr_film *film)
{
    json_t *list = film->kind_count > 1 ? json_array() : NULL;
    for (size_t i = 0; list && i < film->kind_count; i++)
        json_array_append_new(list, json_pack("[Io]", (json_int_t)film->kinds[i].source,
                                              format_to_json(&film->kinds[i].format)));
    return list;
}

static json_t *film_to_json(const struct ksr_film *film)
{
    return json_pack(
        "{s:i,s:I,s:[ii],s:b,s:b,s:I,s:I,s:I,s:s,s:o,s:o,s:o,s:b,s:o*,s:o*,s:o*,s:o,s:o*,s:b}",
        "stream", film->stream, "probe", (json_int_t)film->probe, "time_base", film->time_base.num,
        film->time_base.den, "linear", film->linear, "cut", film->cut, "offset",
        (json_int_t)film->offset, "skipped", (json_int_t)film->skipped, "frames",
        (json_int_t)film->frame_count, "filter", film->filter, "hdr", hdr_to_json(&film->extras),
        "format", format_to_json(&film->format), "jumps", jumps_to_json(film), "no_grain",
        film->no_grain, "geometry", geometry_to_json(&film->geometry), "matrix",
        matrix_to_json(film->extras.matrix), "aperture", aperture_to_json(&film->extras.aperture),
        "decoded", format_to_json(&film->decoded), "kinds", kinds_to_json(film), "fields",
        film->fields);
}

json_t *ksr_manifest_encoder(const struct ksr_encoder_settings *e)
{
    json_t *options = json_object();
    for (int i = 0; options && i < e->option_count; i++)
        json_object_set_new(options, e->options[i].name, json_string(e->options[i].value));
    return json_pack("{s:s,s:o,s:[ii],s:b,s:b,s:I,s:i,s:b,s:o,s:s}", "codec", e->codec, "format",
                     format_to_json(&e->format), "time_base", e->time_base.num, e->time_base.den,
                     "frame_ticks", e->frame_ticks, "global_header", e->global_header, "bit_rate",
                     (json_int_t)e->bit_rate, "quality_scale", e->quality_scale, "promised",
                     e->promised, "options", options, "headers", e->headers);
}

static const char *const carry_names[] = {"video", "copy", "encode", "drop", "convert"};

static bool takes_codec(enum ksr_carry carry)
{
    return carry == KSR_CARRY_ENCODE || carry == KSR_CARRY_CONVERT;
}

static json_t *output_to_json(const struct ksr_output_plan *o)
{
    json_t *streams = json_array();
    for (int i = 0; streams && i < o->stream_count; i++)
        json_array_append_new(streams,
                              takes_codec(o->carry[i])
                                  ? json_sprintf("%s %s", carry_names[o->carry[i]], o->codec[i])
                                  : json_string(carry_names[o->carry[i]]));
    return json_pack("{s:s,s:b,s:b,s:i,s:b,s:o,s:I}", "format", o->format, "image", o->image,
                     "sequence", o->sequence, "first", o->first, "keep_tags", o->keep_tags,
                     "streams", streams, "audio_bit_rate", (json_int_t)o->audio_bit_rate);
}

// What the decoder calls the frames, where that is not their time, or their place: NULL else.
static json_t *sources_to_json(const struct ksr_film *film, const struct ksr_segment_plan *s)
{
    bool plain = true;
    json_t *sources = json_array();
    for (size_t i = s->first; sources && i < s->first + s->count; i++) {
        const struct ksr_film_frame *f = &film->frames[i];
        plain = plain && f->source == (film->linear ? (int64_t)i : f->time);
        json_array_append_new(sources, json_integer(f->source));
    }
    if (plain)
        json_decref(sources);
    return plain ? NULL : sources;
}

static const char made_letters[] = "wp12";

// What the filter makes of frames, a letter for each; NULL where it leaves them whole.
static json_t *made_to_json(const struct ksr_film *film, const struct ksr_segment_plan *s)
{
    bool whole = true;
    char *text = calloc(s->count + 1, 1);
    for (size_t i = 0; text && i < s->count; i++) {
        text[i] = made_letters[film->frames[s->first + i].made];
        whole = whole && film->frames[s->first + i].made == KSR_MADE_WHOLE;
    }
    json_t *made = text && !whole ? json_string(text) : NULL;
    free(text);
    return made;
}

// Times one by one; durations, which hardly ever change, as [value, count] runs.
static json_t *segment_to_json(const struct ksr_film *film, const struct ksr_segment_plan *s)
{
    json_t *times = json_array(), *durations = json_array();
    size_t run = 0;
    for (size_t i = s->first; times && durations && i < s->first + s->count; i++) {
        json_array_append_new(times, json_integer(film->frames[i].time));
        run++;
        if (i + 1 == s->first + s->count ||
            film->frames[i + 1].duration != film->frames[i].duration) {
            json_array_append_new(durations, json_pack("[II]", (json_int_t)film->frames[i].duration,
                                                       (json_int_t)run));
            run = 0;
        }
    }
    return json_pack("{s:I,s:I,s:I,s:{s:I,s:I,s:I},s:o,s:o,s:o*,s:o*}", "first",
                     (json_int_t)s->first, "count", (json_int_t)s->count, "bit_rate",
                     (json_int_t)s->bit_rate, "from", "frame", (json_int_t)s->from.frame, "time",
                     (json_int_t)s->from.time, "position", (json_int_t)s->from.position, "times",
                     times, "durations", durations, "sources", sources_to_json(film, s), "made",
                     made_to_json(film, s));
}

json_t *ksr_manifest_texts(const struct ksr_warnings *warnings)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < warnings->count; i++)
        if (json_array_append_new(list, ksr_json_text_of(warnings->texts[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

// Why settled numbers are what they are.
static json_t *reasons_to_json(const struct ksr_manifest *m)
{
    json_t *reasons = json_object();
    for (int i = 0; reasons && i < KSR_MEASURED_COUNT; i++)
        if (m->reasons[i][0])
            json_object_set_new(reasons, ksr_measured_names[i], json_string(m->reasons[i]));
    return reasons;
}

static json_t *manifest_to_json(const struct ksr_manifest *m)
{
    json_t *segments = json_array();
    for (int i = 0; segments && i < m->segment_count; i++)
        json_array_append_new(segments, segment_to_json(&m->film, &m->segments[i]));
    return json_pack("{s:i,s:O,s:{s:o,s:o,s:s,s:I},s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:O*}",
                     "kizunasr_manifest", MANIFEST_VERSION, "key", m->key, "paths", "input",
                     ksr_json_text_of(m->input_path), "output", ksr_json_text_of(m->output_path),
                     "input_ends", m->input.ends, "input_modified", (json_int_t)m->input.modified,
                     "config", ksr_config_to_json(ksr_config_get(m->config), true), "film",
                     film_to_json(&m->film), "encoder", ksr_manifest_encoder(&m->encoder), "output",
                     output_to_json(&m->output), "segments", segments, "warnings",
                     ksr_manifest_texts(&m->warnings), "reasons", reasons_to_json(m), "curve",
                     m->curve);
}

// The file's text: the object with a checksum of all the rest as its first member. NULL = out of
// memory.
#define CHECKSUM "{\"checksum\":\""
#define START    (sizeof(CHECKSUM) - 1 + KSR_HASH_TEXT - 1 + 2) // the bytes up to the second member

static char *seal(const char *object)
{
    char sum[KSR_HASH_TEXT];
    ksr_hash_text(object + 1, strlen(object + 1), sum);
    return ksr_format(CHECKSUM "%s\",%s", sum, object + 1);
}

static bool is_sealed(const char *text, size_t size)
{
    char sum[KSR_HASH_TEXT];
    if (size < START || memcmp(text, CHECKSUM, sizeof(CHECKSUM) - 1) != 0)
        return false;
    ksr_hash_text(text + START, size - START, sum);
    return memcmp(text + sizeof(CHECKSUM) - 1, sum, KSR_HASH_TEXT - 1) == 0;
}

ksr_status ksr_manifest_save(ksr_context *ctx, const struct ksr_manifest *m, const char *folder)
{
    ksr_memory_watch();
    char *path = ksr_format("%s/manifest.json", folder);
    json_t *root = manifest_to_json(m);
    char *object = root ? json_dumps(root, JSON_COMPACT | KSR_JSON_REALS) : NULL;
    char *text = object ? seal(object) : NULL;
    const ksr_status status = path && text && !ksr_memory_ran_out()
                                  ? ksr_fs_write_file(ctx, path, text, strlen(text))
                                  : ksr_fail_memory(ctx);
    free(text);
    free(object);
    json_decref(root);
    free(path);
    return status;
}

// --- Reading ---

static bool read_text(const json_t *object, const char *name, char *out, size_t size)
{
    const char *text = json_string_value(json_object_get(object, name));
    if (!text || strlen(text) >= size)
        return false;
    memcpy(out, text, strlen(text) + 1);
    return true;
}

static bool read_format(const json_t *o, struct ksr_video_format *f)
{
    int interlaced, transposed = 0;
    if (!o ||
        json_unpack((json_t *)o, "{s:i,s:i,s:[ii],s:[ii],s:i,s:i,s:i,s:i,s:i,s:b,s?b}", "width",
                    &f->width, "height", &f->height, "sample_aspect", &f->sample_aspect.num,
                    &f->sample_aspect.den, "frame_rate", &f->frame_rate.num, &f->frame_rate.den,
                    "range", &f->color_range, "space", &f->color_space, "primaries",
                    &f->color_primaries, "transfer", &f->color_transfer, "chroma_location",
                    &f->chroma_location, "interlaced", &interlaced, "transposed", &transposed) != 0)
        return false;
    f->interlaced = interlaced;
    f->transposed = transposed;
    return read_text(o, "pixel_format", f->pixel_format, sizeof(f->pixel_format)) && f->width > 0 &&
           f->width <= 65535 && f->height > 0 && f->height <= 65535;
}

static bool read_kinds(const json_t *list, struct ksr_film *film)
{
    const size_t count = json_array_size(list);
    film->kinds = calloc(count + 1, sizeof(film->kinds[0]));
    for (size_t i = 0; film->kinds && i < count; i++) {
        struct ksr_film_kind *k = &film->kinds[i];
        const json_t *entry = json_array_get(list, i);
        k->source = json_integer_value(json_array_get(entry, 0));
        if ((i > 0 && k->source <= k[-1].source) ||
            !read_format(json_array_get(entry, 1), &k->format))
            return false;
    }
    film->kind_count = count;
    return film->kinds != NULL;
}

// How many frames the segments list: an allocation is never larger than what was read.
static json_int_t count_times(const json_t *segments)
{
    size_t sum = 0, i;
    const json_t *segment;
    json_array_foreach(segments, i, segment) sum +=
        json_array_size(json_object_get(segment, "times"));
    return (json_int_t)sum;
}

static bool read_film(const json_t *o, json_int_t listed, struct ksr_film *film)
{
    int linear, cut, no_grain = 0, fields = 0;
    json_int_t frames, offset, skipped, probe = 0;
    const json_t *decoded = json_object_get(o, "decoded");
    if (!o || json_unpack((json_t *)o, "{s:i,s:[ii],s:b,s:b,s:I,s:I,s:I,s?b,s?I,s?b}", "stream",
                          &film->stream, "time_base", &film->time_base.num, &film->time_base.den,
                          "linear", &linear, "cut", &cut, "offset", &offset, "skipped", &skipped,
                          "frames", &frames, "no_grain", &no_grain, "probe", &probe, "fields",
                          &fields) != 0)
        return false;
    film->probe = probe;
    film->no_grain = no_grain;
    film->fields = fields;
    if (film->stream < 0 || skipped < 0 || probe < 0 || probe > MAX_PROBE ||
        film->time_base.num <= 0 || film->time_base.den <= 0 || frames < 1 || frames > MAX_FRAMES ||
        frames != listed || !read_format(json_object_get(o, "format"), &film->format) ||
        !read_format(decoded ? decoded : json_object_get(o, "format"), &film->decoded) ||
        !read_kinds(json_object_get(o, "kinds"), film))
        return false;
    film->linear = linear;
    if (!read_text(o, "filter", film->filter, sizeof(film->filter)) ||
        !read_hdr(json_object_get(o, "hdr"), &film->extras) ||
        !read_jumps(json_object_get(o, "jumps"), film) ||
        !read_geometry(json_object_get(o, "geometry"), &film->format, &film->geometry) ||
        !read_matrix(json_object_get(o, "matrix"), film->extras.matrix) ||
        !read_aperture(json_object_get(o, "aperture"), &film->format, &film->extras.aperture))
        return false;
    film->cut = cut;
    film->offset = offset;
    film->skipped = (size_t)skipped;
    film->frame_count = (size_t)frames;
    film->frames = calloc(film->frame_count, sizeof(film->frames[0]));
    return film->frames != NULL;
}

static bool read_encoder(const json_t *o, struct ksr_encoder_settings *e)
{
    int frame_ticks, global_header, promised;
    json_int_t bit_rate;
    json_t *options, *value;
    const char *name;
    if (!o || json_unpack((json_t *)o, "{s:[ii],s:b,s:b,s:I,s:i,s:b,s:o}", "time_base",
                          &e->time_base.num, &e->time_base.den, "frame_ticks", &frame_ticks,
                          "global_header", &global_header, "bit_rate", &bit_rate, "quality_scale",
                          &e->quality_scale, "promised", &promised, "options", &options) != 0)
        return false;
    e->frame_ticks = frame_ticks;
    e->global_header = global_header;
    e->promised = promised;
    e->bit_rate = bit_rate;
    json_object_foreach(options, name, value)
    {
        struct ksr_name_value *slot = &e->options[e->option_count];
        if (e->option_count >= KSR_MAX_ENCODER_OPTIONS || strlen(name) >= sizeof(slot->name) ||
            !read_text(options, name, slot->value, sizeof(slot->value)))
            return false;
        memcpy(slot->name, name, strlen(name) + 1);
        e->option_count++;
    }
    return e->time_base.num > 0 && e->time_base.den > 0 &&
           read_text(o, "codec", e->codec, sizeof(e->codec)) &&
           read_text(o, "headers", e->headers, sizeof(e->headers)) &&
           read_format(json_object_get(o, "format"), &e->format);
}

static bool read_output(const json_t *o, struct ksr_output_plan *out)
{
    int image, keep_tags, sequence;
    json_int_t rate;
    json_t *streams, *value;
    size_t i;
    if (!o ||
        json_unpack((json_t *)o, "{s:b,s:i,s:b,s:b,s:o,s:I}", "sequence", &sequence, "first",
                    &out->first, "image", &image, "keep_tags", &keep_tags, "streams", &streams,
                    "audio_bit_rate", &rate) != 0 ||
        json_array_size(streams) > KSR_MAX_STREAMS)
        return false;
    out->image = image;
    out->sequence = sequence;
    out->keep_tags = keep_tags;
    out->audio_bit_rate = rate;
    out->stream_count = (int)json_array_size(streams);
    json_array_foreach(streams, i, value)
    {
        int carry = 0;
        const char *text = json_is_string(value) ? json_string_value(value) : "";
        const char *space = strchr(text, ' ');
        const size_t length = space ? (size_t)(space - text) : strlen(text);
        while (carry <= KSR_CARRY_CONVERT && (strlen(carry_names[carry]) != length ||
                                              strncmp(text, carry_names[carry], length) != 0))
            carry++;
        if (carry > KSR_CARRY_CONVERT || takes_codec((enum ksr_carry)carry) != (space != NULL) ||
            (space && strlen(space + 1) >= sizeof(out->codec[i])))
            return false;
        if (space)
            memcpy(out->codec[i], space + 1, strlen(space));
        out->carry[i] = (enum ksr_carry)carry;
    }
    return read_text(o, "format", out->format, sizeof(out->format));
}

static bool read_times(const json_t *o, struct ksr_film *film, const struct ksr_segment_plan *s)
{
    const json_t *times = json_object_get(o, "times"), *durations = json_object_get(o, "durations");
    const json_t *sources = json_object_get(o, "sources");
    const char *made = json_string_value(json_object_get(o, "made"));
    if ((made && strlen(made) != s->count) || json_array_size(times) != s->count ||
        (sources && json_array_size(sources) != s->count))
        return false;
    for (size_t i = 0; i < s->count; i++) {
        struct ksr_film_frame *f = &film->frames[s->first + i];
        f->time = json_integer_value(json_array_get(times, i));
        f->source = sources        ? json_integer_value(json_array_get(sources, i))
                    : film->linear ? (int64_t)(s->first + i)
                                   : f->time;
        const char *letter = made ? strchr(made_letters, made[i]) : made_letters;
        if (!letter || (s->first + i > 0 && f->time <= f[-1].time))
            return false;
        f->made = (enum ksr_frame_made)(letter - made_letters);
    }
    size_t at = 0;
    for (size_t i = 0; i < json_array_size(durations); i++) {
        json_int_t value, count;
        if (json_unpack(json_array_get(durations, i), "[II]", &value, &count) != 0 || value < 1 ||
            count < 1 || (size_t)count > s->count - at)
            return false;
        for (; count > 0; count--)
            film->frames[s->first + at++].duration = value;
    }
    return at == s->count;
}

static bool read_segments(const json_t *array, struct ksr_manifest *m)
{
    size_t next = 0;
    m->segment_count = (int)json_array_size(array);
    if (m->segment_count < 1 || (size_t)m->segment_count > m->film.frame_count)
        return false;
    m->segments = calloc((size_t)m->segment_count, sizeof(m->segments[0]));
    for (int i = 0; m->segments && i < m->segment_count; i++) {
        struct ksr_segment_plan *s = &m->segments[i];
        json_t *o = json_array_get(array, (size_t)i);
        json_int_t first, count, rate, frame, time, position;
        if (json_unpack(o, "{s:I,s:I,s:I,s:{s:I,s:I,s:I}}", "first", &first, "count", &count,
                        "bit_rate", &rate, "from", "frame", &frame, "time", &time, "position",
                        &position) != 0)
            return false;
        if (rate < 0 || rate > INT64_C(1000000000000))
            return false;
        if (first < 0 || (size_t)first != next || count < 1 || frame < 0 || frame > first ||
            (size_t)count > m->film.frame_count - next)
            return false;
        s->first = (size_t)first;
        s->count = (size_t)count;
        s->bit_rate = rate;
        s->from = (struct ksr_film_key){(size_t)frame, time, position};
        if (!read_times(o, &m->film, s))
            return false;
        next += s->count;
    }
    return m->segments && next == m->film.frame_count;
}

static bool read_texts(const json_t *array, struct ksr_warnings *out)
{
    if (!json_is_array(array))
        return false;
    for (size_t i = 0; i < json_array_size(array); i++) {
        const char *text = json_string_value(json_array_get(array, i));
        if (!text || !ksr_warnings_add(out, text))
            return false;
    }
    return true;
}

// What was measured stands in the configuration.
static bool read_settled(const json_t *root, struct ksr_manifest *m)
{
    const struct ksr_processor_config *config = ksr_config_get(m->config);
    const json_t *reasons = json_object_get(root, "reasons");
    json_t *curve = json_object_get(root, "curve");
    if (curve && !ksr_drawing_is_curve(curve))
        return false;
    m->curve = json_incref(curve);
    if (ksr_config_automatic(config) || strcmp(config->pipeline.descale, "auto") == 0 ||
        ksr_grain_unknown(config->pipeline.grain))
        return false;
    for (int i = 0; i < KSR_MEASURED_COUNT; i++)
        if (json_object_get(reasons, ksr_measured_names[i]) &&
            !read_text(reasons, ksr_measured_names[i], m->reasons[i], sizeof(m->reasons[i])))
            return false;
    return true;
}

// The configuration has the list of subtitle files.
static bool take_subs(struct ksr_manifest *m)
{
    const char *list = ksr_config_get(m->config)->sub;
    m->film.subs = list ? strdup(list) : NULL;
    return !list || m->film.subs;
}

static bool read_manifest(ksr_context *ctx, const json_t *root, struct ksr_manifest *m)
{
    const json_t *paths = json_object_get(root, "paths");
    const char *input = json_string_value(json_object_get(paths, "input"));
    const char *output = json_string_value(json_object_get(paths, "output"));
    m->key = json_incref(json_object_get(root, "key"));
    if (!m->key || !input || !output || !ksr_manifest_id(m->key, m->id))
        return false;
    const json_t *content = json_object_get(m->key, "input");
    m->input.size = json_integer_value(json_object_get(content, "bytes"));
    m->input.modified = json_integer_value(json_object_get(paths, "input_modified"));
    m->input_path = ksr_text_from_utf8(input);
    m->output_path = ksr_text_from_utf8(output);
    return m->input_path && m->output_path &&
           read_text(content, "xxh128", m->input.whole, sizeof(m->input.whole)) &&
           read_text(paths, "input_ends", m->input.ends, sizeof(m->input.ends)) &&
           ksr_config_create(&m->config, ctx) == KSR_OK &&
           ksr_config_from_json(m->config, json_object_get(root, "config"), "manifest.json") ==
               KSR_OK &&
           read_settled(root, m) &&
           read_film(json_object_get(root, "film"), count_times(json_object_get(root, "segments")),
                     &m->film) &&
           take_subs(m) && read_encoder(json_object_get(root, "encoder"), &m->encoder) &&
           read_output(json_object_get(root, "output"), &m->output) &&
           m->film.stream < m->output.stream_count &&
           read_segments(json_object_get(root, "segments"), m) &&
           read_texts(json_object_get(root, "warnings"), &m->warnings);
}

ksr_status ksr_manifest_parse(const char *text, size_t size, struct ksr_manifest *out)
{
    memset(out, 0, sizeof(*out));
    // A changed digit is still JSON: without the checksum it would be a time of some frame.
    bool starved = false;
    json_t *root = is_sealed(text, size)
                       ? ksr_json_read(text, size, JSON_REJECT_DUPLICATES, NULL, &starved)
                       : NULL;
    int version = 0;
    ksr_status status = KSR_OK;
    ksr_memory_watch();
    json_unpack(root, "{s:i}", "kizunasr_manifest", &version);
    const bool good = version == MANIFEST_VERSION && read_manifest(NULL, root, out);
    starved = starved || ksr_memory_ran_out();
    if (!good || starved) {
        status = starved ? KSR_E_NOMEM : KSR_E_MISMATCH;
        ksr_manifest_free(out);
    }
    json_decref(root);
    return status;
}

ksr_status ksr_manifest_load(ksr_context *ctx, const char *folder, struct ksr_manifest *out)
{
    memset(out, 0, sizeof(*out));
    char *path = ksr_format("%s/manifest.json", folder), *text = NULL;
    if (!path)
        return ksr_fail_memory(ctx);
    size_t size;
    ksr_status status = ksr_fs_read_file(ctx, path, &text, &size);
    free(path);
    if (status != KSR_OK)
        return status;
    status = ksr_manifest_parse(text, size, out);
    free(text);
    return status == KSR_E_NOMEM ? ksr_fail_memory(ctx) : status;
}
