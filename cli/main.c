// The program kizunasr: finds the verb, reads its options, runs it, ends with an exit status.
//
// One file per verb, all listed in verbs.c; options.c reads the command line, ui.c speaks,
// progress.c draws.

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "help.h"
#include "options.h"
#include "text.h"
#include "ui.h"
#include "verbs.h"

// The run that a signal stops.
static _Atomic(ksr_context *) interruptible;

static void on_signal(int number)
{
    (void)number;
    ksr_context_cancel(atomic_load(&interruptible));
}

// The first SIGINT or SIGTERM cancels the run; the same one again ends the program at once.
static void catch_signals(ksr_context *ctx)
{
    atomic_store(&interruptible, ctx);
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

// A standard stream that the caller closed would give its number to the next file opened, and
// messages would land in the film.
static void occupy_standard_streams(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDONLY);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

static int print_version(struct ui *ui)
{
    printf("kizunasr %s\n%s\n%s\n", ksr_version(), ksr_library_versions(), ksr_other_versions());
    return ui_close_output(ui, EXIT_DONE);
}

static int unknown_verb(struct ui *ui, const char *name)
{
    if (name[0] == '-')
        return ui_usage_error(ui, "unknown option %s before the command (see kizunasr --help)",
                              name);
    const char *best = NULL;
    size_t closest = SIZE_MAX;
    size_t count;
    const struct verb *verbs = verbs_all(&count);
    for (size_t i = 0; i < count; i++) {
        const size_t likeness = ksr_word_likeness(name, verbs[i].name);
        if (likeness < closest) {
            closest = likeness;
            best = verbs[i].name;
        }
    }
    if (best)
        return ui_usage_error(ui, "unknown command '%s' (did you mean %s?)", name, best);
    return ui_usage_error(ui, "unknown command '%s' (see kizunasr --help)", name);
}

static int limit_cpu(struct ui *ui, const char *option)
{
    const char *level = option ? option : getenv("KIZUNASR_CPU");
    if (ksr_cpu_limit(level) == KSR_OK)
        return EXIT_DONE;
    return ui_usage_error(ui,
                          "%s: expected c, avx2, avxvnni, avx512, avx512vnni or amx "
                          "(on 64-bit Arm c, neon or dotprod), got '%s'",
                          option ? "--cpu" : "KIZUNASR_CPU", level);
}

// The device of a run, where no option names it.
static const char *usual_device(void)
{
    const char *device = getenv("KIZUNASR_DEVICE");
    return device && *device ? device : NULL;
}

static int run_verb(ksr_context *ctx, struct ui *ui, const struct verb *verb, int argc, char **argv)
{
    struct options options;
    int status = options_read(&options, ctx, ui, verb, argc, argv);
    if (status == EXIT_DONE && options.help) {
        if (!help_verb(stdout, verb, options.help_topic))
            status = ui_usage_error(ui,
                                    "--help: expected all, main, video, encoder, audio or "
                                    "running, got '%s'",
                                    options.help_topic ? options.help_topic : "");
    } else if (status == EXIT_DONE) {
        status = limit_cpu(ui, options.cpu);
        if (!options.run.device)
            options.run.device = usual_device();
        if (status == EXIT_DONE) {
            progress_start(&ui->progress, (enum progress_mode)options.progress,
                           ui->level >= KSR_LOG_INFO);
            status = verb->run(ctx, ui, &options);
            progress_finish(&ui->progress);
        }
    }
    options_free(&options);
    return ui_close_output(ui, status);
}

static int run_with_context(struct ui *ui, const struct verb *verb, int argc, char **argv)
{
    const struct ksr_callbacks callbacks = {
        .log = ui_log_callback, .progress = ui_progress_callback, .opaque = ui};
    ksr_context *ctx = NULL;
    const ksr_status created = ksr_context_create(&ctx, &callbacks);
    if (created != KSR_OK)
        return ui_exit_status(ui, created);
    ksr_context_name_options(ctx, KSR_OPTIONS_AS_ARGUMENTS);
    catch_signals(ctx);
    int status = run_verb(ctx, ui, verb, argc, argv);
    atomic_store(&interruptible, NULL);
    ksr_context_destroy(&ctx);
    if (status == EXIT_INTERRUPTED) {
        const bool resumes =
            verb->bit & (VERB_UPSCALE | VERB_BATCH | VERB_PLAN | VERB_WORK | VERB_JOIN);
        ui_note(ui, resumes ? "interrupted; run the same command again to resume" : "interrupted");
    }
    return status;
}

// Buffers of frames go back to the system when freed. Otherwise a long film leaves holes in the
// heap: 600 s took 16 MiB more than 60 s, with this 3.
static void keep_memory_flat(void)
{
#ifdef M_MMAP_THRESHOLD
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    mallopt(M_ARENA_MAX, 2);
#endif
}

int main(int argc, char **argv)
{
    keep_memory_flat();
    struct ui ui;
    ui_init(&ui);
    occupy_standard_streams();
    setenv("SVT_LOG", "1", 0); // SVT-AV1 tells its settings on standard error, else
    signal(SIGPIPE, SIG_IGN);  // a closed pipe is an error of fflush(), not a death
    if (strcmp(ksr_version(), KSR_VERSION) != 0) {
        ui_say(&ui, KSR_LOG_ERROR, "the program has version %s, its library %s", KSR_VERSION,
               ksr_version());
        return EXIT_FAILED;
    }
    if (argc < 2) {
        help_usage(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        help_program(stdout);
        return ui_close_output(&ui, EXIT_DONE);
    }
    if (strcmp(argv[1], "--version") == 0)
        return print_version(&ui);
    const struct verb *verb = verb_find(argv[1]);
    if (!verb)
        return unknown_verb(&ui, argv[1]);
    return run_with_context(&ui, verb, argc - 2, argv + 2);
}
