// The verbs that only look: ksr_verify() and ksr_probe(). See verify.h.

#include "verify/verify.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check/judge.h"
#include "config/config.h"
#include "config/json.h"
#include "core/fs.h"
#include "core/image_sequence.h"
#include "core/mem.h"
#include "media/av/checksum.h"
#include "media/av/samples.h"
#include "media/compare/compare_tags.h"
#include "media/compare/inspect.h"
#include "media/encode/encoder.h"
#include "media/index/drawing.h"
#include "media/index/index.h"
#include "media/index/scan.h"
#include "media/index/side_data.h"
#include "media/index/source_kind.h"
#include "media/input/reader.h"

static const struct ksr_verify_options no_options;

void ksr_verification_free(struct ksr_verification *v)
{
    ksr_expected_free(&v->expected);
    ksr_film_free(&v->output);
    ksr_pictures_free(&v->picture);
    ksr_checks_free(&v->checks);
}

// --- Running ---

static ksr_status check_tags(ksr_context *ctx, const char *input_path, const char *output_path,
                             double shift_ms, struct ksr_verification *v)
{
    struct ksr_tags_comparison t;
    const bool titles =
        !v->expected.settings || ksr_config_get(v->expected.settings)->preserve_metadata;
    ksr_status status = ksr_media_compare_tags(ctx, input_path, &v->expected.film, output_path,
                                               shift_ms, titles, &t);
    if (status != KSR_OK)
        return status;
    if (t.chapters > 0 && !t.chapters_held)
        status = ksr_checks_add(ctx, &v->checks, true, "chapters",
                                "chapters: %u dropped, the container cannot hold them", t.chapters);
    else if (t.chapters > 0 && t.chapters_differ[0])
        status =
            ksr_checks_add(ctx, &v->checks, false, "chapters", "chapters: %s", t.chapters_differ);
    else if (t.chapters > 0)
        status =
            ksr_checks_add(ctx, &v->checks, true, "chapters", "chapters: all %u equal", t.chapters);
    if (!v->expected.settings && (t.chapters_differ[0] || (t.tags_held && t.tags_differ[0])))
        ksr_log(ctx, KSR_LOG_INFO,
                "dropped tags ({preserve_metadata=false}) are known only from the provenance "
                "record ({provenance}) or the work folder ({keep_work=true})");
    if (status == KSR_OK && t.tags > 0 && t.tags_held)
        status =
            ksr_checks_add(ctx, &v->checks, !t.tags_differ[0], "tags", "tags: %s",
                           t.tags_differ[0] ? t.tags_differ : "titles and languages are equal");
    return status;
}

// Whether input and output are still the files that the record names.
static ksr_status check_record(ksr_context *ctx, const char *input_path, const char *output_path,
                               struct ksr_verification *v)
{
    const json_t *input = json_object_get(v->expected.record, "input");
    const json_t *output = json_object_get(v->expected.record, "output");
    const char *input_hash = json_string_value(json_object_get(input, "xxh128"));
    const char *output_hash = json_string_value(json_object_get(output, "sha256"));
    struct ksr_fingerprint now;
    char sha256[KSR_SHA256_TEXT];
    int64_t bytes;
    if (!input_hash || !output_hash)
        return KSR_OK;
    ksr_status status = ksr_fs_fingerprint(ctx, input_path, true, &now);
    if (status == KSR_OK)
        status = ksr_media_sha256(ctx, output_path, sha256, &bytes);
    if (status != KSR_OK)
        return status;
    const bool same_input = strcmp(now.whole, input_hash) == 0;
    const bool same_output = strcmp(sha256, output_hash) == 0;
    const char *accepted = json_string_value(json_object_get(v->expected.record, "accepted"));
    if (accepted)
        ksr_log(ctx, KSR_LOG_INFO, "the output was accepted though its verification failed: %s",
                accepted);
    return ksr_checks_add(ctx, &v->checks, same_input && same_output, "provenance",
                          "provenance: %s",
                          !same_input    ? "the input is not the file that was read"
                          : !same_output ? "the output is not the file that was written"
                                         : "input and output are the files that the record names");
}

static ksr_status check_picture(ksr_context *ctx, const char *input_path, const char *output_path,
                                struct ksr_verification *v)
{
    const struct ksr_picture_pair pair = {.input_path = input_path,
                                          .output_path = output_path,
                                          .input = &v->expected.film,
                                          .output = &v->output,
                                          .kept = v->expected.kept,
                                          .kept_count = v->expected.kept_count,
                                          .repeated = v->expected.repeated,
                                          .pipeline = ksr_expected_pipeline(&v->expected)};
    if (v->output.frame_count == 0)
        return KSR_OK; // "readable" has failed already
    ksr_status status = ksr_pictures_measure(ctx, &pair, &v->picture);
    ksr_memory_watch(); // a median that has no room is no number
    if (status == KSR_OK)
        status = ksr_judge_picture(ctx, &v->checks, &v->picture, pair.pipeline);
    return status == KSR_OK && ksr_memory_ran_out() ? ksr_fail_memory(ctx) : status;
}

// How many frames of a segment there are in the output.
static size_t frames_of(const struct ksr_expected *m, const json_t *segment)
{
    const size_t first = (size_t)json_integer_value(json_object_get(segment, "first"));
    const size_t end = first + (size_t)json_integer_value(json_object_get(segment, "frames"));
    size_t count = 0;
    for (size_t i = 0; i < m->kept_count; i++)
        count += m->kept[i] >= first && m->kept[i] < end;
    return count;
}

// Hashes the next `count` frames. *whole: they all decode.
static ksr_status hash_frames(ksr_context *ctx, ksr_reader *reader, size_t count,
                              ksr_hasher *hasher, bool *whole)
{
    ksr_status status = KSR_OK;
    *whole = true;
    for (size_t i = 0; status == KSR_OK && *whole && i < count; i++) {
        size_t index;
        bool damaged;
        status = ksr_reader_next(ctx, reader, &index, &damaged);
        *whole = status == KSR_OK && index != SIZE_MAX && !damaged;
        if (*whole && !ksr_samples_add(hasher, ksr_reader_frame(reader)))
            status = ksr_fail_memory(ctx);
    }
    return status;
}

// *differs: the first segment whose frames are not those that the record has, -1 = none.
static ksr_status compare_samples(ksr_context *ctx, const char *output_path,
                                  const struct ksr_verification *v, int *differs)
{
    const json_t *segments = json_object_get(v->expected.record, "segments"), *segment;
    ksr_reader *reader;
    size_t i;
    *differs = -1;
    ksr_status status = ksr_reader_open(ctx, output_path, &v->output, &reader);
    ksr_hasher *hasher = ksr_hasher_create();
    if (status == KSR_OK && !hasher)
        status = ksr_fail_memory(ctx);
    json_array_foreach(segments, i, segment)
    {
        char hash[KSR_HASH_TEXT];
        const char *wanted = json_string_value(json_object_get(segment, "samples"));
        bool whole = false;
        if (status != KSR_OK || *differs >= 0)
            break;
        ksr_hasher_reset(hasher);
        status = hash_frames(ctx, reader, frames_of(&v->expected, segment), hasher, &whole);
        ksr_hasher_text(hasher, hash);
        if (status == KSR_OK && wanted && (!whole || strcmp(hash, wanted) != 0))
            *differs = (int)i;
    }
    ksr_hasher_destroy(&hasher);
    ksr_reader_destroy(&reader);
    return status;
}

// Where nothing may be lost, the output's frames are those that the encoder got, sample by sample.
static ksr_status check_samples(ksr_context *ctx, const char *output_path,
                                struct ksr_verification *v)
{
    const struct ksr_expected *m = &v->expected;
    const json_t *encoder = json_object_get(m->record, "encoder");
    const char *codec = json_string_value(json_object_get(encoder, "codec"));
    const json_t *frames = json_object_get(encoder, "format");
    const char *format = json_string_value(json_object_get(frames, "pixel_format"));
    int differs;
    if (!codec || !format || !m->settings || v->output.frame_count != m->kept_count ||
        !ksr_samples_alike(format, v->output.format.pixel_format) ||
        !ksr_encoder_is_lossless(codec, &ksr_config_get(m->settings)->encoder))
        return KSR_OK;
    const ksr_status status = compare_samples(ctx, output_path, v, &differs);
    if (status != KSR_OK)
        return status;
    return differs < 0
               ? ksr_checks_add(ctx, &v->checks, true, "samples",
                                "samples: all are those that the encoder got")
               : ksr_checks_add(ctx, &v->checks, false, "samples",
                                "samples: those of segment %d are not those that the encoder got",
                                differs);
}

ksr_status ksr_verification_run(ksr_context *ctx, const char *input_path, const char *output_path,
                                const struct ksr_verify_options *options,
                                struct ksr_verification *v)
{
    double shift_ms = 0;
    memset(v, 0, sizeof(*v));
    options = options ? options : &no_options;
    struct ksr_expected *m = &v->expected;
    struct ksr_made made = {.path = output_path, .film = &v->output};
    ksr_status status = ksr_media_check(ctx, input_path);
    if (status == KSR_OK)
        status = ksr_media_check(ctx, output_path);
    if (status == KSR_OK)
        status = ksr_expected_find(ctx, input_path, output_path, options, m);
    if (status == KSR_OK)
        status = ksr_check_readable(ctx, &v->checks, output_path, &v->output, &made.raw);
    if (status != KSR_OK || ksr_checks_first_failure(&v->checks))
        return status;
    status = ksr_check_film(ctx, &v->checks, input_path, &m->film, m->kept, m->kept_count, &made,
                            KSR_DECODE_ALL, &shift_ms);
    if (status == KSR_OK && !v->checks.list[0].passed && !m->settings)
        ksr_log(ctx, KSR_LOG_INFO,
                "skipped frames and ranges are known only from the provenance record "
                "({provenance}) or the work folder ({keep_work=true})");
    if (status == KSR_OK && !ksr_sequence_is(output_path) && !(m->output && m->output->image))
        status = ksr_check_streams(ctx, &v->checks, input_path, &m->film, &made, shift_ms,
                                   m->output ? m->output->carry : NULL, &m->choice, KSR_DECODE_ALL);
    if (status == KSR_OK && !ksr_sequence_is(output_path))
        status = check_tags(ctx, input_path, output_path, shift_ms, v);
    if (status == KSR_OK && m->record)
        status = check_record(ctx, input_path, output_path, v);
    if (status == KSR_OK)
        status = check_picture(ctx, input_path, output_path, v);
    if (status == KSR_OK && m->record)
        status = check_samples(ctx, output_path, v);
    return status;
}

// --- As JSON ---

// Four digits after the point are more than any of these is worth.
static json_t *rounded(double value)
{
    return json_real(round(value * 10000) / 10000);
}

static json_t *summary(const struct ksr_pictures *p, size_t member)
{
    json_t *o = json_object();
    float low = INFINITY;
    double sum = 0;
    for (size_t i = 0; i < p->count; i++) {
        float value;
        memcpy(&value, (const char *)&p->frames[i] + member, sizeof(value));
        low = value < low ? value : low;
        sum += value;
    }
    json_object_set_new(o, "median", rounded(ksr_judge_median(p, member)));
    json_object_set_new(o, "mean", rounded(sum / (double)p->count));
    json_object_set_new(o, "worst", rounded(low));
    return o;
}

static json_t *series(const struct ksr_pictures *p, size_t member)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < p->count; i++) {
        float value;
        memcpy(&value, (const char *)&p->frames[i] + member, sizeof(value));
        json_array_append_new(list, rounded(value));
    }
    return list;
}

static json_t *frames_to_json(const struct ksr_pictures *p)
{
    json_t *numbers = json_array(), *times = json_array(), *shows = json_array();
    for (size_t i = 0; i < p->count; i++) {
        json_array_append_new(numbers, json_integer((json_int_t)p->frames[i].output));
        json_array_append_new(times, rounded(p->frames[i].time));
        json_array_append_new(shows, json_integer(p->frames[i].shows));
    }
#define SERIES(m) series(p, offsetof(struct ksr_picture_frame, m))
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "frame", numbers, "time", times,
                     "psnr", SERIES(psnr), "ssim", SERIES(ssim), "psnr_chroma", SERIES(psnr_chroma),
                     "shift_x", SERIES(shift_x), "shift_y", SERIES(shift_y), "banding",
                     SERIES(banding), "ringing", SERIES(ringing), "shows", shows);
#undef SERIES
}

static json_t *picture_to_json(const struct ksr_pictures *p, bool frames)
{
    if (p->count == 0)
        return json_null();
    const struct ksr_picture_frame *worst = &p->frames[ksr_judge_worst(p)];
#define SUMMARY(m) summary(p, offsetof(struct ksr_picture_frame, m))
#define MEDIAN(m)  rounded(ksr_judge_median(p, offsetof(struct ksr_picture_frame, m)))
    json_t *o =
        json_pack("{s:I,s:I,s:I,s:f,s:o,s:o,s:o,s:[o,o],s:[o,o],s:[o,o,o],s:o,s:o}", "frames",
                  (json_int_t)p->count, "not_compared", (json_int_t)(p->damaged + p->unpaired),
                  "worst_frame", (json_int_t)worst->output, "worst_time", worst->time, "psnr",
                  SUMMARY(psnr), "ssim", SUMMARY(ssim), "psnr_chroma", SUMMARY(psnr_chroma),
                  "shift", MEDIAN(shift_x), MEDIAN(shift_y), "chroma_shift", MEDIAN(chroma_x),
                  MEDIAN(chroma_y), "colour_drift", MEDIAN(mean[0]), MEDIAN(mean[1]),
                  MEDIAN(mean[2]), "banding", MEDIAN(banding), "ringing", MEDIAN(ringing));
#undef SUMMARY
#undef MEDIAN
    if (o && frames)
        json_object_set_new(o, "series", frames_to_json(p));
    return o;
}

json_t *ksr_verification_to_json(const struct ksr_verification *v, bool frames)
{
    json_t *root = ksr_checks_to_json(&v->checks);
    if (!root)
        return NULL;
    json_object_set_new(root, "known_from",
                        v->expected.source ? json_string(v->expected.source) : json_null());
    json_object_set_new(root, "picture", picture_to_json(&v->picture, frames));
    return root;
}

// --- The verbs ---

ksr_status ksr_verify(ksr_context *ctx, const char *input_path, const char *output_path,
                      const struct ksr_verify_options *options, char **json)
{
    if (!input_path || !output_path || !json)
        return KSR_E_PARAM;
    *json = NULL;
    struct ksr_verification v;
    ksr_status status = ksr_verification_run(ctx, input_path, output_path, options, &v);
    const char *failed = ksr_checks_first_failure(&v.checks);
    ksr_memory_watch();
    if (status == KSR_OK)
        status = ksr_json_text(ctx, ksr_verification_to_json(&v, options && options->frames),
                               JSON_INDENT(2) | KSR_JSON_REALS, json);
    if (status == KSR_OK && failed)
        status = ksr_fail(ctx, KSR_E_VERIFY, "verification failed: %s", failed);
    ksr_verification_free(&v);
    return status;
}

// What a search for the drawing found; NULL = out of memory.
static json_t *drawing_to_json(const struct ksr_drawing *d)
{
    json_t *size = json_null();
    if (d->width > 0)
        size = json_pack("{s:i,s:i,s:s}", "width", d->width, "height", d->height, "kernel",
                         ksr_kernel_name(d->kernel));
    return json_pack("{s:o,s:i,s:f,s:o}", "drawing", size, "frames", d->frames, "depth",
                     d->depth / 1000.0, "curve", ksr_drawing_curve(d));
}

// What the edges of frames say of halos; NULL = out of memory.
static json_t *halos_to_json(const struct ksr_halos *h)
{
    const double share = h->edges > 0 ? (double)h->halos / (double)h->edges : 0;
    const double height =
        h->halos > 0 ? (double)h->overshoot / (double)h->halos / 128 : 0; // codes of 8 bits
    return json_pack("{s:b,s:I,s:f,s:f}", "found", ksr_halos_found(h), "edges",
                     (json_int_t)h->edges, "share", share, "height", height);
}

// What the lines between blocks say of these; NULL = out of memory.
static json_t *blocks_to_json(const struct ksr_blocks *b)
{
    return json_pack("{s:b,s:I,s:f}", "found", ksr_blocks_found(b), "lines",
                     (json_int_t)(b->lines[0] + b->lines[1]), "share", ksr_blocks_share(b) / 100.0);
}

// What held parts of frames say of composite video; NULL = out of memory.
static json_t *crawl_to_json(const struct ksr_crawl *c)
{
    return json_pack("{s:b,s:I,s:f}", "found", ksr_crawl_found(c), "blocks", (json_int_t)c->blocks,
                     "share", c->blocks > 0 ? (double)c->crawl / (double)c->blocks : 0.0);
}

// Finds the kind of source of a film that was scanned. Damage counts in full, whatever removes it.
static ksr_status find_kind(ksr_context *ctx, const char *path, const struct ksr_film *film,
                            struct ksr_damage_more more, const char **name, char reason[96])
{
    struct ksr_damage damage;
    const ksr_status status =
        ksr_damage_look(ctx, path, film, (struct ksr_damage_share){100, 100}, more, &damage);
    if (status == KSR_OK)
        *name = ksr_source_kind(film, &damage, reason);
    return status;
}

static ksr_status add_picture(ksr_context *ctx, const char *path, const struct ksr_film *film,
                              json_t *root)
{
    struct ksr_drawing drawing;
    struct ksr_blocks blocks;
    struct ksr_halos halos;
    struct ksr_crawl crawl;
    const struct ksr_damage_more more = {.blocks = &blocks, .halos = &halos, .crawl = &crawl};
    const char *kind;
    char reason[96];
    ksr_status status = ksr_drawing_look(ctx, path, film, &drawing);
    if (status == KSR_OK)
        status = find_kind(ctx, path, film, more, &kind, reason);
    if (status == KSR_OK) {
        json_t *picture = drawing_to_json(&drawing);
        json_object_set_new(picture, "blocks", blocks_to_json(&blocks));
        json_object_set_new(picture, "halos", halos_to_json(&halos));
        json_object_set_new(picture, "dot_crawl", crawl_to_json(&crawl));
        json_object_set_new(picture, "source",
                            json_pack("{s:s,s:s}", "kind", kind, "reason", reason));
        json_object_set_new(root, "picture", picture);
    }
    ksr_drawing_free(&drawing);
    return status;
}

ksr_status ksr_source_find(ksr_context *ctx, const char *path, int video, const char **name)
{
    struct ksr_film film;
    char reason[96];
    if (!path || !name)
        return KSR_E_PARAM;
    ksr_status status = ksr_film_index_video(ctx, path, video, true, &film);
    if (status != KSR_OK)
        return status;
    status = ksr_scan_film(ctx, path, &film);
    if (status == KSR_OK)
        status = find_kind(ctx, path, &film, (struct ksr_damage_more){0}, name, reason);
    ksr_film_free(&film);
    if (status == KSR_OK)
        ksr_log(ctx, KSR_LOG_INFO, "source: %s (%s)", *name, reason);
    return status;
}

static ksr_status probe(ksr_context *ctx, const char *path, bool picture, char **json)
{
    if (!path || !json)
        return KSR_E_PARAM;
    *json = NULL;
    struct ksr_film film;
    json_t *root = NULL;
    ksr_status status = ksr_film_index(ctx, path, true, &film);
    if (status != KSR_OK)
        return status;
    status = ksr_scan_film(ctx, path, &film);
    if (status == KSR_OK)
        status = ksr_extras_look(ctx, path, &film, &film.extras);
    if (status == KSR_OK)
        status = ksr_media_describe(ctx, path, &film, &root);
    ksr_memory_watch();
    if (status == KSR_OK && picture)
        status = add_picture(ctx, path, &film, root);
    ksr_film_free(&film);
    if (status != KSR_OK) {
        json_decref(root);
        return status;
    }
    return ksr_json_text(ctx, root, JSON_INDENT(2) | KSR_JSON_REALS, json);
}

ksr_status ksr_probe(ksr_context *ctx, const char *path, char **json)
{
    return probe(ctx, path, false, json);
}

ksr_status ksr_probe_picture(ksr_context *ctx, const char *path, char **json)
{
    return probe(ctx, path, true, json);
}
