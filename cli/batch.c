// kizunasr batch: many films, one after the other, each as `upscale` would do it.
//
// What could go wrong with all of them is found before the first (films.c). A film that fails is
// noted and the rest goes on. What an earlier batch has done is known from its provenance record,
// kept in OUTPUT_DIR/.kizunasr, and from the output's SHA-256.

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "films.h"
#include "text.h"
#include "verbs.h"

enum outcome { NOT_STARTED, DONE, ALREADY_DONE, FAILED, INTERRUPTED, OUTCOMES };

static const char *const outcome_names[OUTCOMES] = {"not started", "done", "already done", "failed",
                                                    "interrupted"};

struct entry {
    enum outcome outcome;
    struct ksr_result result;
    double seconds;
    int exit_status; // that `upscale` would have ended with
    char error[UI_ERROR_SIZE];
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

// --- The work ---

static void upscale_film(ksr_context *ctx, struct ui *ui, const struct options *options,
                         const struct film *film, struct entry *e)
{
    ksr_config *own;
    struct ksr_run_options run = options->run;
    ui_forget_errors(ui);
    ksr_status status = options_look(options, ctx, ui, film->input, &own);
    struct ksr_processor_config job = own ? *ksr_config_get(own) : options->job;
    job.input_path = film->input;
    job.output_path = film->output;
    run.provenance = film->record;
    progress_start(&ui->progress, (enum progress_mode)options->progress, ui->level >= KSR_LOG_INFO);
    const double start = now();
    if (status == KSR_OK)
        status = ksr_upscale(ctx, &job, &run, &e->result);
    progress_finish(&ui->progress);
    e->seconds = now() - start;
    e->exit_status = ui_exit_status(ui, status);
    ksr_config_destroy(&own);
    e->outcome = status == KSR_E_CANCELLED ? INTERRUPTED
                 : status != KSR_OK        ? FAILED
                 : e->result.already_done  ? ALREADY_DONE
                                           : DONE;
    if (e->outcome == FAILED)
        snprintf(e->error, sizeof(e->error), "%s", ui->error);
}

static void upscale_films(ksr_context *ctx, struct ui *ui, const struct options *options,
                          const struct films *films, struct entry *entries)
{
    for (size_t i = 0; i < films->count; i++) {
        const struct film *film = &films->list[i];
        ui_say(ui, KSR_LOG_INFO, "[%zu/%zu] %s -> %s", i + 1, films->count, film->input,
               film->output);
        upscale_film(ctx, ui, options, film, &entries[i]);
        if (entries[i].outcome == INTERRUPTED)
            return;
    }
}

// --- What came out ---

static size_t count_of(const struct entry *entries, size_t count, enum outcome outcome)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        n += entries[i].outcome == outcome;
    return n;
}

static void print_detail(const struct entry *e)
{
    char size[TEXT_SHORT], time[TEXT_SHORT];
    const struct ksr_result *r = &e->result;
    if (e->outcome == FAILED) {
        char error[UI_ERROR_SIZE];
        memcpy(error, e->error, sizeof(error));
        fputs(text_clean(error), stdout);
        return;
    }
    if (e->outcome != DONE && e->outcome != ALREADY_DONE)
        return;
    printf("%" PRId64 " frame%s, %dx%d, %s", r->frames, text_plural(r->frames), r->width, r->height,
           text_size(size, r->output_size));
    if (e->outcome == DONE)
        printf(", %s", text_time(time, (int64_t)(e->seconds + 0.5)));
    if (r->frames_repeated)
        printf(", %" PRId64 " repeated", r->frames_repeated);
    if (r->frames_skipped)
        printf(", %" PRId64 " skipped", r->frames_skipped);
    if (e->outcome == DONE && r->warnings)
        printf(", %d warning%s", r->warnings, text_plural(r->warnings));
}

static void print_table(const struct films *films, const struct entry *entries)
{
    enum { WIDEST = 48 }; // longer names push their own line only
    size_t width = 0;
    for (size_t i = 0; i < films->count; i++) {
        const size_t columns = text_columns(films->list[i].output);
        if (columns > width && columns <= WIDEST)
            width = columns;
    }
    for (size_t i = 0; i < films->count; i++) {
        char *name = strdup(films->list[i].output);
        const size_t columns = text_columns(films->list[i].output);
        const bool detail = entries[i].outcome != NOT_STARTED && entries[i].outcome != INTERRUPTED;
        printf("%-12s  %s", outcome_names[entries[i].outcome], name ? text_clean(name) : "?");
        if (detail)
            printf("%*s", (int)(columns < width ? width - columns : 0) + 2, "");
        print_detail(&entries[i]);
        putchar('\n');
        free(name);
    }
}

static void print_sum(const struct entry *entries, size_t count)
{
    static const enum outcome order[] = {DONE, ALREADY_DONE, FAILED, INTERRUPTED, NOT_STARTED};
    printf("%zu input%s:", count, text_plural((int64_t)count));
    const char *comma = "";
    for (size_t i = 0; i < OUTCOMES; i++) {
        const size_t n = count_of(entries, count, order[i]);
        if (n > 0)
            printf("%s %zu %s", comma, n, outcome_names[order[i]]);
        if (n > 0)
            comma = ",";
    }
    putchar('\n');
}

static const char *const json_names[OUTCOMES] = {"not_started", "done", "already_done", "failed",
                                                 "interrupted"};

// Names need not be UTF-8.
static json_t *text_json(const char *text)
{
    char *utf8 = ksr_text_to_utf8(text);
    json_t *string = utf8 ? json_string(utf8) : NULL;
    ksr_free(utf8);
    return string;
}

static json_t *film_to_json(const struct film *film, const struct entry *e)
{
    const struct ksr_result *r = &e->result;
    json_t *o = json_pack("{s:o,s:o,s:s}", "input", text_json(film->input), "output",
                          text_json(film->output), "outcome", json_names[e->outcome]);
    if (!o)
        return NULL;
    if (e->outcome == DONE || e->outcome == ALREADY_DONE)
        json_object_update_new(
            o, json_pack("{s:I,s:I,s:I,s:i,s:i,s:I,s:i,s:o}", "frames", (json_int_t)r->frames,
                         "repeated", (json_int_t)r->frames_repeated, "skipped",
                         (json_int_t)r->frames_skipped, "width", r->width, "height", r->height,
                         "size", (json_int_t)r->output_size, "warnings", r->warnings, "record",
                         text_json(film->record)));
    if (e->outcome == FAILED)
        json_object_update_new(
            o, json_pack("{s:i,s:o}", "exit_status", e->exit_status, "error", text_json(e->error)));
    if (e->outcome != NOT_STARTED)
        json_object_set_new(o, "seconds", json_real(e->seconds));
    return o;
}

static void print_json(const struct films *films, const struct entry *entries)
{
    json_t *root = json_object(), *list = json_array();
    for (size_t i = 0; i < films->count; i++)
        json_array_append_new(list, film_to_json(&films->list[i], &entries[i]));
    for (int i = 0; i < OUTCOMES; i++)
        json_object_set_new(
            root, json_names[i],
            json_integer((json_int_t)count_of(entries, films->count, (enum outcome)i)));
    json_object_set_new(root, "films", list);
    json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(root);
}

// --- The verb ---

static int find_films(struct ui *ui, const struct options *o, struct films *films)
{
    const struct ksr_pipeline_config *p = &o->job.pipeline;
    int status = EXIT_DONE;
    for (size_t i = 0; i < o->input_count && status == EXIT_DONE; i++)
        status = films_add(films, ui, o->inputs[i], o->output_dir, o->recursive);
    if (status == EXIT_DONE && o->list)
        status = films_add_list(films, ui, o->list, o->output_dir, o->recursive);
    if (status == EXIT_DONE)
        status = films_name(films, ui, o->output_dir, o->name ? o->name : "{name}.{ext}",
                            p->use_ai ? p->ai_scale : p->shader_scale);
    if (status == EXIT_DONE && films->count == 0) {
        ui_say(ui, KSR_LOG_ERROR, "no videos found%s",
               o->recursive ? "" : " (--recursive includes subfolders)");
        status = EXIT_INPUT;
    }
    return status == EXIT_DONE ? films_make_folders(films, ui) : status;
}

static int check_options(struct ui *ui, const struct options *o)
{
    if (o->input_count == 0 && !o->list)
        return ui_usage_error(ui, "INPUT is missing (see kizunasr batch --help)");
    if (!o->output_dir || !*o->output_dir)
        return ui_usage_error(ui, "--output-dir is missing (see kizunasr batch --help)");
    if (o->job.sub)
        return ui_usage_error(ui, "--sub: not supported by batch; use upscale for each input");
    return EXIT_DONE;
}

static int report(const struct films *films, const struct entry *entries, bool json)
{
    if (json) {
        print_json(films, entries);
    } else {
        print_table(films, entries);
        print_sum(entries, films->count);
    }
    if (count_of(entries, films->count, INTERRUPTED) > 0)
        return EXIT_INTERRUPTED;
    return count_of(entries, films->count, FAILED) > 0 ? EXIT_FAILED : EXIT_DONE;
}

int run_batch(ksr_context *ctx, struct ui *ui, const struct options *options)
{
    struct films films = {0};
    struct entry *entries = NULL;
    progress_finish(&ui->progress); // each film has its own
    int status = check_options(ui, options);
    if (status == EXIT_DONE)
        status = find_films(ui, options, &films);
    if (status == EXIT_DONE) {
        entries = calloc(films.count, sizeof(*entries));
        status = entries ? EXIT_DONE : ui_exit_status(ui, KSR_E_NOMEM);
    }
    if (status == EXIT_DONE) {
        upscale_films(ctx, ui, options, &films, entries);
        status = report(&films, entries, options->json);
    }
    free(entries);
    films_free(&films);
    return status;
}
