// The report: measures become a page. See include/kizunasr/report.h.
//
// The page itself is page.html, page.css and page.js in report/, which the build embeds. All that
// is foreign travels as JSON in a script element, where "<" is written as an escape, and the page's
// code only ever makes text of it.

#include "kizunasr/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check/judge.h"
#include "config/config.h"
#include "config/json.h"
#include "config/parse.h"
#include "core/fs.h"
#include "core/image_sequence.h"
#include "core/mem.h"
#include "job/timings.h"
#include "media/compare/bit_rates.h"
#include "media/compare/inspect.h"
#include "media/compare/png.h"
#include "media/index/index.h"
#include "media/input/reader.h"
#include "report_page.h" // made by the build
#include "verify/verify.h"

#define SHOTS_MOST 32
#define CUTS       3
#define CUT_LEAST  12 // codes between the pictures on either side of a cut, on average

// A frame to show: number of its pair in the pictures' `frames`, or none where it was not compared.
struct shot {
    size_t input, output;
    const struct ksr_picture_frame *measured; // NULL = not compared
    char why[3][32];
    int reasons;
    char *before, *after, *without; // data URIs
};

struct report {
    ksr_context *ctx;
    const char *input_path, *output_path;
    const struct ksr_report_options *options;
    struct ksr_verification v;
    struct shot shots[SHOTS_MOST];
    int shot_count;
};

// --- Choosing frames ---

static void add_shot(struct report *r, size_t input, size_t output, const char *why)
{
    struct shot *s = r->shots;
    while (s < r->shots + r->shot_count && s->output != output)
        s++;
    if (s == r->shots + SHOTS_MOST || s->reasons == 3)
        return;
    if (s == r->shots + r->shot_count) {
        r->shot_count++;
        *s = (struct shot){.input = input, .output = output};
    }
    snprintf(s->why[s->reasons++], sizeof(s->why[0]), "%s", why);
    for (size_t i = 0; i < r->v.picture.count; i++)
        if (r->v.picture.frames[i].output == output)
            s->measured = &r->v.picture.frames[i];
}

static void add_measured(struct report *r, const struct ksr_picture_frame *f, const char *why)
{
    add_shot(r, f->input, f->output, why);
}

// The frame whose PSNR is nearest to the median.
static const struct ksr_picture_frame *median_frame(const struct ksr_pictures *p)
{
    const double median = ksr_judge_median(p, offsetof(struct ksr_picture_frame, psnr));
    const struct ksr_picture_frame *best = &p->frames[0];
    for (size_t i = 1; i < p->count; i++)
        if (fabs(p->frames[i].psnr - median) < fabs(best->psnr - median))
            best = &p->frames[i];
    return best;
}

// The greatest changes from one picture to the next, each the greatest within a second.
static ksr_status add_cuts(struct report *r, int wanted)
{
    const struct ksr_pictures *p = &r->v.picture;
    bool *used = calloc(p->count + 1, sizeof(*used));
    if (!used)
        return ksr_fail_memory(r->ctx);
    for (int n = 0; n < wanted; n++) {
        size_t best = 0;
        for (size_t i = 1; i < p->count; i++)
            if (!used[i] && p->frames[i].change >= CUT_LEAST &&
                (best == 0 || p->frames[i].change > p->frames[best].change))
                best = i;
        if (best == 0)
            break;
        add_measured(r, &p->frames[best], "after a cut");
        for (size_t i = 0; i < p->count; i++)
            used[i] |= fabs(p->frames[i].time - p->frames[best].time) < 1;
    }
    free(used);
    return KSR_OK;
}

static ksr_status add_number(struct report *r, int64_t number)
{
    const struct ksr_expected *m = &r->v.expected;
    if (number < 0 || (size_t)number >= m->kept_count || (size_t)number >= r->v.output.frame_count)
        return ksr_fail(r->ctx, KSR_E_PARAM, "frame: the output has no frame %lld (0 to %zu)",
                        (long long)number, r->v.output.frame_count - 1);
    add_shot(r, m->kept[number], (size_t)number, "chosen");
    return KSR_OK;
}

static ksr_status add_time(struct report *r, const char *text)
{
    const struct ksr_film *film = &r->v.output;
    int64_t wanted;
    if (!ksr_parse_time(text, &wanted))
        return ksr_fail(r->ctx, KSR_E_PARAM, "at: '%s' is not a time", text);
    const double start = ksr_film_seconds(film, film->frames[0].time);
    size_t n = 0;
    while (n + 1 < film->frame_count &&
           ksr_film_seconds(film, film->frames[n + 1].time) - start <= (double)wanted / 1e6 + 1e-9)
        n++;
    const struct ksr_film_frame *f = &film->frames[n];
    if (ksr_film_seconds(film, f->time + f->duration) - start < (double)wanted / 1e6)
        return ksr_fail(r->ctx, KSR_E_PARAM, "at: the output ends before %s", text);
    return add_number(r, (int64_t)n);
}

static int by_output(const void *a, const void *b)
{
    const struct shot *x = a, *y = b;
    return (x->output > y->output) - (x->output < y->output);
}

static ksr_status choose_shots(struct report *r)
{
    const struct ksr_report_options *o = r->options;
    ksr_status status = KSR_OK;
    for (size_t i = 0; status == KSR_OK && i < o->frame_count; i++)
        status = add_number(r, o->frames[i]);
    for (size_t i = 0; status == KSR_OK && i < o->time_count; i++)
        status = add_time(r, o->times[i]);
    if (status == KSR_OK && r->v.picture.count > 0) {
        ksr_memory_watch(); // a median that has no room is no number
        add_measured(r, &r->v.picture.frames[ksr_judge_worst(&r->v.picture)], "worst");
        add_measured(r, median_frame(&r->v.picture), "median");
        status = ksr_memory_ran_out() ? ksr_fail_memory(r->ctx)
                                      : add_cuts(r, o->scene_cuts == 0 ? CUTS : o->scene_cuts);
    }
    return status;
}

// --- Their pictures ---

// Both sides are shown by the same matrix: where the output does not tell its own, by the input's.
static struct ksr_video_format terms_of(const struct report *r, const struct ksr_film *film)
{
    struct ksr_video_format terms = film->format;
    if (film != &r->v.expected.film && terms.color_space == 2 && film->format.width > 0) {
        terms.color_space = r->v.expected.film.format.color_space;
        terms.width = r->v.expected.film.format.width;
        terms.height = r->v.expected.film.format.height;
    }
    return terms;
}

// Takes the shots of a file: of each, into the member of struct shot at this offset.
static ksr_status take_pictures(struct report *r, const char *path, const struct ksr_film *film,
                                size_t member)
{
    ksr_reader *reader = NULL;
    const struct ksr_video_format terms = terms_of(r, film);
    const bool before = member == offsetof(struct shot, before);
    ksr_status status = ksr_reader_open(r->ctx, path, film, &reader);
    size_t at = 0;
    bool damaged, begun = false;
    for (int i = 0; status == KSR_OK && i < r->shot_count; i++) {
        struct shot *s = &r->shots[i];
        const size_t wanted = before ? s->input : s->output;
        while (status == KSR_OK && (!begun || at < wanted)) {
            status = ksr_reader_next(r->ctx, reader, &at, &damaged);
            begun = true;
        }
        if (status == KSR_OK && at == wanted)
            status = ksr_still_encode(r->ctx, ksr_reader_frame(reader), &terms, &film->geometry,
                                      (char **)((char *)s + member));
    }
    ksr_reader_destroy(&reader);
    return status;
}

// The same frames of an output that was made without restoration; those that it lacks are left out.
static ksr_status take_without(struct report *r, const char *path)
{
    struct ksr_film film;
    ksr_status status = ksr_film_index(r->ctx, path, true, &film);
    if (status != KSR_OK)
        return status;
    status = take_pictures(r, path, &film, offsetof(struct shot, without));
    ksr_film_free(&film);
    return status;
}

// --- What only files tell ---

// One side of the page.
struct side {
    const char *path;
    const struct ksr_film *film;
    json_t *file; // as ksr_probe() describes it
    float *rates; // bits per second
    size_t rate_count;
};

struct found {
    struct side input, output;
    json_t *times; // of the run's segments; NULL = not known
};

static ksr_status read_side(struct report *r, struct side *s)
{
    const ksr_status status = ksr_media_describe(r->ctx, s->path, s->film, &s->file);
    if (status != KSR_OK || ksr_sequence_is(s->path))
        return status;
    return ksr_media_rates(r->ctx, s->path, s->film, &s->rates, &s->rate_count);
}

// Times are a file of their own, or lie in a work folder that was kept.
static ksr_status read_times(struct report *r, json_t **out)
{
    const struct ksr_expected *m = &r->v.expected;
    const char *job = json_string_value(json_object_get(m->record, "job"));
    char *folder = ksr_fs_beside(r->output_path, ".kizunasr");
    char *kept = folder ? ksr_format("%s/times.json", folder) : NULL;
    free(folder);
    const char *path = r->options->stage_times ? r->options->stage_times : kept;
    ksr_status status = kept ? KSR_OK : ksr_fail_memory(r->ctx);
    // A folder that tells of another run is no news of this one.
    if (status == KSR_OK && (r->options->stage_times || (job && ksr_fs_exists(path))))
        status = ksr_times_load(r->ctx, path, job, (int64_t)m->film.frame_count, out);
    free(kept);
    return status;
}

static void free_found(struct found *f)
{
    json_decref(f->input.file);
    json_decref(f->output.file);
    json_decref(f->times);
    free(f->input.rates);
    free(f->output.rates);
}

// --- As JSON: all of it under one ksr_memory_watch() ---

static json_t *file_to_json(const struct side *s)
{
    const struct ksr_film *film = s->film;
    json_t *file = s->file;
    const double length = ksr_film_length(film, 0, film->frame_count);
    // A path may name what is nobody's business.
    json_object_del(file, "path");
    json_object_set_new(file, "name", ksr_json_text_of(ksr_fs_name(s->path)));
    json_object_set_new(file, "width", json_integer(film->format.width));
    json_object_set_new(file, "height", json_integer(film->format.height));
    json_object_set_new(file, "frames", json_integer((json_int_t)film->frame_count));
    json_object_set_new(file, "duration", json_real(length));
    return json_incref(file);
}

static json_t *shot_to_json(const struct report *r, const struct shot *s)
{
    const struct ksr_film *film = &r->v.output;
    json_t *why = json_array();
    for (int i = 0; i < s->reasons; i++)
        json_array_append_new(why, json_string(s->why[i]));
    return json_pack("{s:I,s:f,s:o,s:s,s:s,s:s*,s:o,s:o}", "frame", (json_int_t)s->output, "time",
                     ksr_film_seconds(film, film->frames[s->output].time), "why", why, "before",
                     s->before, "after", s->after, "without", s->without, "psnr",
                     s->measured ? json_real(s->measured->psnr) : json_null(), "ssim",
                     s->measured ? json_real(s->measured->ssim) : json_null());
}

static json_t *shots_to_json(const struct report *r)
{
    json_t *list = json_array();
    for (int i = 0; list && i < r->shot_count; i++)
        if (r->shots[i].before && r->shots[i].after)
            json_array_append_new(list, shot_to_json(r, &r->shots[i]));
    return list;
}

static json_t *rates_to_json(const struct side *s)
{
    json_t *list = json_array();
    for (size_t i = 0; i < s->rate_count; i++)
        json_array_append_new(list, json_integer(lrint(s->rates[i])));
    return list;
}

// One segment's times, with its place in the output in seconds.
static json_t *place_times(const struct report *r, json_t *segment)
{
    const struct ksr_film *film = &r->v.expected.film;
    const size_t first = (size_t)json_integer_value(json_object_get(segment, "first"));
    const size_t count = (size_t)json_integer_value(json_object_get(segment, "frames"));
    const struct ksr_film_frame *last = &film->frames[first + count - 1];
    const int64_t start = film->frames[0].time;
    return json_pack("{s:f,s:f,s:I,s:O*,s:O}", "from",
                     ksr_film_seconds(film, film->frames[first].time - start), "to",
                     ksr_film_seconds(film, last->time + last->duration - start), "frames",
                     (json_int_t)count, "device", json_object_get(segment, "device"), "seconds",
                     json_object_get(segment, "seconds"));
}

static json_t *times_to_json(const struct report *r, const json_t *segments)
{
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(segments); i++)
        json_array_append_new(list, place_times(r, json_array_get(segments, i)));
    return json_pack("{s:I,s:o}", "frames", (json_int_t)r->v.expected.film.frame_count, "segments",
                     list);
}

static double shown_aspect(const struct ksr_film *film)
{
    const struct ksr_rational q = film->format.sample_aspect;
    const double pixel = q.num > 0 && q.den > 0 ? (double)q.num / q.den : 1;
    return pixel * film->format.width / film->format.height;
}

static void add_settings(const struct report *r, json_t *root)
{
    const struct ksr_expected *m = &r->v.expected;
    // What these came to.
    static const char *const measured[] = {"ai_model_path", "ai_variant", "ai_chroma", "denoise",
                                           "deblock",       "dehalo",     "composite", "descale",
                                           "ai_temporal",   "grain"};
    json_t *settings = m->settings ? ksr_config_to_json(ksr_config_get(m->settings), false) : NULL;
    for (size_t i = 0; settings && i < sizeof(measured) / sizeof(measured[0]); i++) {
        json_t *value = json_object_get(m->record, measured[i]);
        if (value)
            json_object_set(json_object_get(settings, "pipeline"), measured[i], value);
    }
    if (settings)
        json_object_set_new(root, "settings", settings);
    // What was made up from a work folder is no record.
    if (json_object_get(m->record, "kizunasr_provenance"))
        json_object_set(root, "record", m->record);
    const struct ksr_report_options *o = r->options;
    if (o->estimated_seconds > 0)
        json_object_set_new(root, "estimate",
                            json_pack("{s:f,s:f,s:s}", "seconds", o->estimated_seconds, "bytes",
                                      o->estimated_bytes, "text",
                                      o->estimate_text ? o->estimate_text : ""));
}

static json_t *to_json(const struct report *r, const struct found *f)
{
    json_t *root = ksr_verification_to_json(&r->v, true);
    json_t *series = json_object_get(json_object_get(root, "picture"), "series");
    if (series)
        json_object_set(root, "series", series);
    if (series)
        json_object_del(json_object_get(root, "picture"), "series");
    json_object_set_new(root, "version", json_string(ksr_version()));
    json_object_set_new(root, "aspect", json_real(shown_aspect(&r->v.expected.film)));
    json_object_set_new(root, "input", file_to_json(&f->input));
    json_object_set_new(root, "output", file_to_json(&f->output));
    json_object_set_new(root, "rates",
                        json_pack("{s:o,s:o}", "input", rates_to_json(&f->input), "output",
                                  rates_to_json(&f->output)));
    json_object_set_new(root, "shots", shots_to_json(r));
    json_object_set_new(root, "times", times_to_json(r, f->times));
    add_settings(r, root);
    return root;
}

// --- The page ---

// Text that grows.
struct text {
    char *data;
    size_t size, capacity;
    bool lost;
};

static void append(struct text *t, const char *data, size_t size)
{
    if (t->lost || !ksr_array_reserve((void **)&t->data, &t->capacity, t->size + size + 1, 1)) {
        t->lost = true;
        return;
    }
    memcpy(t->data + t->size, data, size);
    t->size += size;
}

// JSON inside a script element: nothing in it may look like markup.
static void append_json(struct text *t, const char *json)
{
    for (const char *from = json; *from;) {
        const size_t plain = strcspn(from, "<>&");
        append(t, from, plain);
        from += plain;
        if (*from) {
            char escape[8];
            snprintf(escape, sizeof(escape), "\\u%04x", (unsigned)*from++);
            append(t, escape, 6);
        }
    }
}

// Fills the template's places in.
static void append_page(struct text *t, const char *json)
{
    const char *from = page_html, *place;
    while ((place = strstr(from, "{{")) != NULL) {
        append(t, from, (size_t)(place - from));
        if (strncmp(place, "{{style}}", 9) == 0)
            append(t, page_css, sizeof(page_css) - 1);
        else if (strncmp(place, "{{script}}", 10) == 0)
            append(t, page_js, sizeof(page_js) - 1);
        else
            append_json(t, json);
        from = strstr(place, "}}") + 2;
    }
    append(t, from, strlen(from));
}

static ksr_status write_page(struct report *r, const char *path)
{
    struct found found = {.input = {.path = r->input_path, .film = &r->v.expected.film},
                          .output = {.path = r->output_path, .film = &r->v.output}};
    struct text page = {0};
    char *json = NULL;
    ksr_status status = read_side(r, &found.input);
    if (status == KSR_OK)
        status = read_side(r, &found.output);
    if (status == KSR_OK)
        status = read_times(r, &found.times);
    ksr_memory_watch();
    // ASCII alone: line separators and broken text cannot end a string early.
    if (status == KSR_OK)
        status = ksr_json_text(r->ctx, to_json(r, &found),
                               JSON_COMPACT | JSON_ENSURE_ASCII | KSR_JSON_REALS, &json);
    free_found(&found);
    if (status == KSR_OK)
        append_page(&page, json);
    if (status == KSR_OK && page.lost)
        status = ksr_fail_memory(r->ctx);
    if (status == KSR_OK)
        status = ksr_fs_write_file(r->ctx, path, page.data, page.size);
    free(json);
    free(page.data);
    return status;
}

static ksr_status check_path(ksr_context *ctx, const char *input_path, const char *output_path,
                             const char *path)
{
    if (ksr_fs_same_file(path, input_path) || ksr_fs_same_file(path, output_path))
        return ksr_fail(ctx, KSR_E_PARAM, "the report would replace the video %s", path);
    if (ksr_fs_is_folder(path))
        return ksr_fail(ctx, KSR_E_OUTPUT, "the report is a folder, not a file: %s", path);
    return KSR_OK;
}

ksr_status ksr_report(ksr_context *ctx, const char *input_path, const char *output_path,
                      const struct ksr_report_options *options, const char *path, bool *passed)
{
    static const struct ksr_report_options no_options;
    if (!input_path || !output_path || !path)
        return ksr_fail(ctx, KSR_E_PARAM, "a path is NULL");
    struct report *r = calloc(1, sizeof(*r));
    if (!r)
        return ksr_fail_memory(ctx);
    r->ctx = ctx;
    r->input_path = input_path;
    r->output_path = output_path;
    r->options = options ? options : &no_options;
    ksr_status status = check_path(ctx, input_path, output_path, path);
    if (status == KSR_OK)
        status = ksr_verification_run(ctx, input_path, output_path, &r->options->verify, &r->v);
    if (status == KSR_OK && r->v.output.frame_count == 0)
        status = ksr_fail(ctx, KSR_E_INPUT, "cannot read the frames of %s", output_path);
    if (status == KSR_OK)
        status = choose_shots(r);
    if (status == KSR_OK) {
        qsort(r->shots, (size_t)r->shot_count, sizeof(r->shots[0]), by_output);
        status = take_pictures(r, input_path, &r->v.expected.film, offsetof(struct shot, before));
    }
    if (status == KSR_OK)
        status = take_pictures(r, output_path, &r->v.output, offsetof(struct shot, after));
    if (status == KSR_OK && r->options->without)
        status = take_without(r, r->options->without);
    if (status == KSR_OK)
        status = write_page(r, path);
    if (status == KSR_OK && passed)
        *passed = ksr_checks_first_failure(&r->v.checks) == NULL;
    for (int i = 0; i < r->shot_count; i++) {
        free(r->shots[i].before);
        free(r->shots[i].after);
        free(r->shots[i].without);
    }
    ksr_verification_free(&r->v);
    free(r);
    return status;
}
