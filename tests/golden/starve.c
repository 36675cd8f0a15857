// Out of memory, at every single allocation of a run in turn.
//
//   starve WHAT FILM FOLDER STEP[+FIRST] STEP_OF_LIBRARIES [FUNCTION...]
//
// WHAT is one of
//   copy    upscale; the other streams are copied into Matroska
//   change  upscale; audio is encoded anew and subtitles are converted for MP4, with a network, a
//           deinterlacer and the temporal stage
//   verbs   plan, work and join, each as if in a process of its own
//   verify  of an output that stands
//   look    what only tells: the schema of settings, probe, a dry run, and a report of that output
//
// This program brings malloc() and its kin along: they count, remember every live block with the
// calls that led to it, and can be told to fail once. The run is made once in full, for its
// allocations and its output; then again and again in a child process, with every STEP-th of
// KizunaSR's own allocations failing, and every STEP_OF_LIBRARIES-th of those that libraries make
// for themselves (0: none; negative: only of those that other calls led to than to all before).
// With FUNCTIONs, exported ones, only allocations that all of them led to.
// What must hold then:
//
//   - the run ends by itself with one message and an error, or with the right output;
//   - when the allocation was KizunaSR's own, or that of JSON or of the C library for it, the
//     error is KSR_E_NOMEM, "out of memory";
//   - nothing that KizunaSR allocated or opened stays behind;
//   - the same run, not starved, then makes the same output from what is in the folder.
//
// A library that ends the process over its own failed allocation fails the test too, unless
// `crashes` below lists it with the reason: those are counted, and `listed` lines name where. What
// else libraries do wrong with it fails as well. Ends with `N passed, N failed, N skipped`.

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/fs.h"
#include "kizunasr/kizunasr.h"

#define CALLS   24        // remembered of what led to an allocation
#define BLOCKS  (1 << 14) // live at once, at most
#define MAX     (1 << 20) // allocations in a run, at most
#define SECONDS 250       // a run that takes longer hangs, on however busy a machine

// --- The allocator ---

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *block);

struct block {
    void *address;
    void *calls[CALLS];
};

static struct block *blocks; // open addressing; NULL before main()
static size_t live;          // under blocks_lock
static pthread_mutex_t blocks_lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_bool armed;          // count and remember
static atomic_long count, fail_at; // allocations since then; the one to fail, -1 = none
static _Thread_local bool inside;  // backtrace() may allocate

static void **askers; // in the run that counts: CALLS for every allocation; else NULL

// What a child tells its parent.
static struct report {
    void *failed[CALLS]; // what led to the allocation that failed
    ksr_status status;
    int errors;
    char error[256];
    long leaks;
    void *leaked[CALLS];       // the first
    char found[KSR_HASH_TEXT]; // by `verify`
} * report;

static size_t place_of(const void *address)
{
    return (size_t)(((uintptr_t)address >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (BLOCKS - 1);
}

static void remember(void *address)
{
    void *calls[CALLS + 2] = {0};
    backtrace(calls, CALLS + 2);
    pthread_mutex_lock(&blocks_lock);
    size_t i = place_of(address);
    if (++live > BLOCKS * 3 / 4)
        abort(); // BLOCKS is too small for this run
    while (blocks[i].address)
        i = (i + 1) & (BLOCKS - 1);
    blocks[i].address = address;
    memcpy(blocks[i].calls, calls + 2, sizeof(blocks[i].calls));
    pthread_mutex_unlock(&blocks_lock);
}

static void forget(const void *address)
{
    pthread_mutex_lock(&blocks_lock);
    size_t i = place_of(address);
    while (blocks[i].address && blocks[i].address != address)
        i = (i + 1) & (BLOCKS - 1);
    if (blocks[i].address) {
        live--;
        blocks[i].address = NULL;
        // Close the gap: whoever stands behind it may belong before it.
        for (size_t k = (i + 1) & (BLOCKS - 1); blocks[k].address; k = (k + 1) & (BLOCKS - 1)) {
            const size_t home = place_of(blocks[k].address);
            if (((k - home) & (BLOCKS - 1)) >= ((k - i) & (BLOCKS - 1))) {
                blocks[i] = blocks[k];
                blocks[k].address = NULL;
                i = k;
            }
        }
    }
    pthread_mutex_unlock(&blocks_lock);
}

// Whether this allocation is the one that fails.
static bool fails(void)
{
    const long n = atomic_fetch_add(&count, 1);
    const bool failing = n == atomic_load(&fail_at);
    void *calls[CALLS + 2] = {0};
    if (!failing && (!askers || n >= MAX))
        return false;
    inside = true;
    backtrace(calls, CALLS + 2);
    inside = false;
    memcpy(failing ? report->failed : askers + n * CALLS, calls + 2, sizeof(report->failed));
    if (failing)
        errno = ENOMEM;
    return failing;
}

static void *note(void *address)
{
    if (address && atomic_load(&armed) && !inside) {
        inside = true;
        remember(address);
        inside = false;
    }
    return address;
}

static bool refuse(void)
{
    return atomic_load(&armed) && !inside && fails();
}

void *malloc(size_t size)
{
    return refuse() ? NULL : note(__libc_malloc(size));
}

void *calloc(size_t n, size_t size)
{
    return refuse() ? NULL : note(__libc_calloc(n, size));
}

void *realloc(void *block, size_t size)
{
    if (refuse())
        return NULL;
    if (blocks && block && !inside)
        forget(block);
    return note(__libc_realloc(block, size));
}

void *memalign(size_t alignment, size_t size);

void *memalign(size_t alignment, size_t size)
{
    return refuse() ? NULL : note(__libc_memalign(alignment, size));
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    void *block = memalign(alignment, size);
    if (!block)
        return ENOMEM;
    *out = block;
    return 0;
}

void free(void *block)
{
    if (blocks && block && !inside)
        forget(block);
    __libc_free(block);
}

// --- Who asked ---

static const char *file_of(const void *call)
{
    Dl_info info;
    if (!call || !dladdr(call, &info) || !info.dli_fname)
        return "?";
    const char *slash = strrchr(info.dli_fname, '/');
    return slash ? slash + 1 : info.dli_fname;
}

static const char *function_of(const void *call)
{
    Dl_info info;
    return call && dladdr(call, &info) && info.dli_sname ? info.dli_sname : "?";
}

static const void *who_asked(void *const calls[CALLS]);

// The library is linked into this very program.
static bool is_ours(const void *call)
{
    Dl_info here, there;
    return call && dladdr(call, &there) && dladdr((const void *)(uintptr_t)who_asked, &here) &&
           here.dli_fbase == there.dli_fbase;
}

// Libraries that pass a failed allocation on to their caller, here always KizunaSR.
static bool is_helper(const void *call)
{
    static const char *const names[] = {"libc.so", "libjansson", "libxxhash", "ld-linux"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strncmp(file_of(call), names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

// The call that answers for an allocation: KizunaSR's, or the library's that is not a mere helper.
static const void *who_asked(void *const calls[CALLS])
{
    for (int i = 0; i < CALLS && calls[i]; i++)
        if (!is_helper(calls[i]))
            return calls[i];
    return NULL;
}

static void print_calls(void *const calls[CALLS])
{
    for (int i = 0; i < CALLS && calls[i]; i++) {
        printf("       %s %s", file_of(calls[i]), function_of(calls[i]));
        Dl_info info;
        if (is_ours(calls[i]) && dladdr(calls[i], &info))
            printf(" +0x%zx", (size_t)((const char *)calls[i] - (const char *)info.dli_fbase));
        printf("\n");
    }
}

// --- The run ---

static void listen(void *opaque, ksr_log_level level, const char *message)
{
    struct report *r = opaque;
    if (level == KSR_LOG_ERROR && r->errors++ == 0)
        snprintf(r->error, sizeof(r->error), "%s", message);
}

enum what { COPY, CHANGE, VERBS, VERIFY, LOOK }; // the last two change nothing
static const char *const what_names[] = {"copy", "change", "verbs", "verify", "look"};
static enum what what;

static ksr_status run_verbs(ksr_context *ctx, const struct ksr_processor_config *config,
                            const struct ksr_run_options *options)
{
    char *folder;
    ksr_status status = ksr_work_folder(config->output_path, options, &folder);
    if (status != KSR_OK) {
        report->errors++; // which this one does not log
        return status;
    }
    status = ksr_plan(ctx, config, options, NULL);
    if (status == KSR_OK)
        status = ksr_work(ctx, folder, NULL, 0, options, NULL);
    if (status == KSR_OK)
        status = ksr_join(ctx, folder, options, NULL);
    ksr_free(folder);
    return status;
}

static ksr_status run_verify(ksr_context *ctx, const char *film, const char *output)
{
    char *json = NULL;
    const ksr_status status = ksr_verify(ctx, film, output, NULL, &json);
    if (json)
        ksr_hash_text(json, strlen(json), report->found);
    ksr_free(json);
    return status;
}

// Adds a result to what was found, and frees it.
static void add_found(char *text)
{
    char both[2 * KSR_HASH_TEXT] = "";
    if (!text)
        return;
    ksr_hash_text(text, strlen(text), both);
    memcpy(both + KSR_HASH_TEXT - 1, report->found, KSR_HASH_TEXT);
    ksr_hash_text(both, strlen(both), report->found);
    ksr_free(text);
}

static ksr_status run_look(ksr_context *ctx, struct ksr_processor_config *config,
                           const struct ksr_run_options *options)
{
    const char *film = config->input_path, *output = config->output_path;
    char page[450], next[450], *text = NULL;
    snprintf(page, sizeof(page), "%s.html", output);
    snprintf(next, sizeof(next), "%s.next.mkv", output);
    ksr_status status = ksr_config_schema(&text);
    report->errors += status != KSR_OK; // which it does not log
    add_found(text);
    text = NULL;
    if (status == KSR_OK)
        status = ksr_probe(ctx, film, &text);
    add_found(text);
    text = NULL;
    config->output_path = next;
    if (status == KSR_OK)
        status = ksr_dry_run(ctx, config, options, &text);
    add_found(text);
    text = NULL;
    if (status == KSR_OK)
        status = ksr_report(ctx, film, output, NULL, page, NULL);
    if (status == KSR_OK) {
        status = ksr_fs_read_file(NULL, page, &text, NULL);
        report->errors += status != KSR_OK;
        add_found(text);
    }
    unlink(page);
    return status;
}

static ksr_status run(const char *film, const char *output)
{
    struct ksr_processor_config config = ksr_processor_config_default();
    struct ksr_run_options options = {.threads = 1, .workers = 1};
    struct ksr_callbacks callbacks = {.log = listen, .opaque = report};
    ksr_context *ctx;
    config.input_path = film;
    config.output_path = output;
    config.encoder.preset = "ultrafast";
    if (what == CHANGE) {
        config.audio_passthrough = false;
        config.pipeline.deinterlace = true;
        config.pipeline.use_ai = true;
        config.pipeline.enable_temporal = true;
    }
    ksr_status status = ksr_context_create(&ctx, &callbacks);
    if (status != KSR_OK) {
        report->errors++;
        return status;
    }
    status = what == VERBS    ? run_verbs(ctx, &config, &options)
             : what == VERIFY ? run_verify(ctx, film, output)
             : what == LOOK   ? run_look(ctx, &config, &options)
                              : ksr_upscale(ctx, &config, &options, NULL);
    ksr_context_destroy(&ctx);
    return status;
}

static void count_leaks(void)
{
    for (size_t i = 0; i < BLOCKS; i++)
        if (blocks[i].address && is_ours(who_asked(blocks[i].calls)) && report->leaks++ == 0)
            memcpy(report->leaked, blocks[i].calls, sizeof(report->leaked));
}

// Runs in a child, with an allocation failing (-1: none). Returns its wait status.
static int run_in_child(const char *film, const char *output, long failing)
{
    memset(report, 0, sizeof(*report));
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        alarm(SECONDS);
        atomic_store(&fail_at, failing);
        atomic_store(&count, 0);
        atomic_store(&armed, failing >= 0);
        report->status = run(film, output);
        atomic_store(&armed, false);
        count_leaks();
        _exit(0);
    }
    int status = -1;
    waitpid(child, &status, 0);
    return status;
}

static bool hash_file(const char *path, char hash[KSR_HASH_TEXT])
{
    char *data;
    size_t size;
    if (ksr_fs_read_file(NULL, path, &data, &size) != KSR_OK)
        return false;
    ksr_hash_text(data, size, hash);
    free(data);
    return true;
}

// --- The judgement ---

// Libraries that end the process when an allocation of theirs fails: not ours to mend, and nothing
// is lost, as the run goes on as after a kill. An entry is a signal and a function that led to the
// allocation. Nothing else may crash.
static const struct crash {
    int signal;
    const char *library, *function, *why;
} crashes[] = {
    {SIGABRT, "libavcodec", "avcodec_alloc_context3",
     "init_context_defaults() in FFmpeg's libavcodec/options.c asserts that av_opt_set() takes the "
     "encoder's defaults; av_expr_parse(), which reads them, fails for want of memory"},
};

// The entry for the allocation that failed; NULL = none.
static const struct crash *listed_crash(int wait_status)
{
    for (size_t i = 0; WIFSIGNALED(wait_status) && i < sizeof(crashes) / sizeof(crashes[0]); i++)
        for (int k = 0; k < CALLS && report->failed[k]; k++)
            if (WTERMSIG(wait_status) == crashes[i].signal &&
                strcmp(function_of(report->failed[k]), crashes[i].function) == 0 &&
                strncmp(file_of(report->failed[k]), crashes[i].library,
                        strlen(crashes[i].library)) == 0)
                return &crashes[i];
    return NULL;
}

struct tally {
    long passed, failed, listed;
    long memory, other_error, untouched;
};

static void say(const char *word, long n, const char *wrong)
{
    printf("%s %ld: %s (%s: %s)\n", word, n, wrong, ksr_status_name(report->status), report->error);
    print_calls(report->failed);
}

static bool same_output(const char *output, const char *wanted)
{
    char hash[KSR_HASH_TEXT];
    return hash_file(output, hash) && strcmp(hash, wanted) == 0;
}

static char found[KSR_HASH_TEXT]; // by `verify` in full

// What is wrong with a starved run, NULL if nothing is.
static const char *what_is_wrong(int wait_status, const char *output, const char *wanted)
{
    const bool ours = is_ours(who_asked(report->failed));
    if (WIFSIGNALED(wait_status))
        return WTERMSIG(wait_status) == SIGALRM ? "hangs" : strsignal(WTERMSIG(wait_status));
    if (wait_status != 0)
        return "ended by itself";
    if (report->leaks > 0)
        return "leaks";
    if (report->status == KSR_OK && strcmp(report->found, found) != 0)
        return "done, with another verdict";
    if (report->status == KSR_OK)
        return same_output(output, wanted) ? NULL : "done, with another output";
    if (report->errors != 1)
        return "not one error message";
    if (access(output, F_OK) == 0 && !same_output(output, wanted))
        return "failed, and left another output";
    // A file that the C library cannot open for want of memory is named, with that reason.
    if (ours && report->status != KSR_E_NOMEM && !strstr(report->error, strerror(ENOMEM)))
        return "another error than out of memory";
    return NULL;
}

static void judge(long n, int wait_status, const char *output, const char *wanted, struct tally *t)
{
    const char *wrong = what_is_wrong(wait_status, output, wanted);
    const bool ours = is_ours(who_asked(report->failed));
    const struct crash *crash = ours ? NULL : listed_crash(wait_status);
    t->memory += !wrong && report->status == KSR_E_NOMEM;
    t->untouched += !wrong && report->status == KSR_OK;
    t->other_error += !wrong && report->status != KSR_OK && report->status != KSR_E_NOMEM;
    if (!wrong) {
        t->passed++;
    } else if (crash) {
        t->listed++;
        say("listed", n, crash->why);
    } else {
        t->failed++;
        say("FAIL", n, wrong);
        if (report->leaks > 0) {
            printf("     %ld leaked, the first from:\n", report->leaks);
            print_calls(report->leaked);
        }
    }
}

static void clear(const char *output, const char *folder)
{
    char command[1024];
    if (what >= VERIFY)
        return;
    snprintf(command, sizeof(command), "rm -rf '%s' '%s.part' '%s'", output, output, folder);
    if (system(command) != 0)
        abort();
}

static void *map(size_t size, int flags)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        abort();
    return memory;
}

// Makes the run in full: once for what libraries keep for the life of the process, once to count.
// asked: gets the calls that led to every allocation. Returns how many there were, -1 on failure.
static long run_in_full(const char *film, const char *output, const char *folder, void **asked,
                        char wanted[KSR_HASH_TEXT])
{
    const enum what asked_for = what;
    what = what >= VERIFY ? COPY : what; // which makes the output first
    clear(output, folder);
    ksr_status status = run(film, output);
    what = asked_for;
    for (int i = 0; status == KSR_OK && i < 2; i++) {
        clear(output, folder);
        report->found[0] = 0;
        atomic_store(&fail_at, -1);
        atomic_store(&count, 0);
        askers = i == 1 ? asked : NULL;
        atomic_store(&armed, i == 1);
        status = run(film, output);
        atomic_store(&armed, false);
    }
    askers = NULL;
    memcpy(found, report->found, sizeof(found));
    if (status != KSR_OK || !hash_file(output, wanted))
        return -1;
    return atomic_load(&count) < MAX ? atomic_load(&count) : MAX;
}

// Starves one allocation, and lets the run go on from what is left.
static void starve(long n, const char *film, const char *output, const char *folder,
                   const char *wanted, struct tally *t)
{
    clear(output, folder);
    judge(n, run_in_child(film, output, n), output, wanted, t);
    if (access(output, F_OK) == 0)
        return;
    const struct report before = *report;
    const int status = run_in_child(film, output, -1);
    if (status == 0 && report->status == KSR_OK && same_output(output, wanted))
        return;
    t->failed++;
    memcpy(report->failed, before.failed, sizeof(report->failed));
    say("FAIL", n, "does not resume");
}

// Whether other calls led to this allocation than to all that were asked about before.
static bool is_new(void *const calls[CALLS])
{
    static uint64_t seen[1 << 16];
    static size_t used;
    uint64_t hash = 1;
    for (int i = 0; i < CALLS; i++)
        hash = (hash ^ (uintptr_t)calls[i]) * UINT64_C(0x9e3779b97f4a7c15);
    for (size_t i = 0; i < used; i++)
        if (seen[i] == hash)
            return false;
    if (used < sizeof(seen) / sizeof(seen[0]))
        seen[used++] = hash;
    return true;
}

static bool is_led_to_by(void *const calls[CALLS], const char *function)
{
    for (int i = 0; i < CALLS && calls[i]; i++)
        if (strcmp(function_of(calls[i]), function) == 0)
            return true;
    return false;
}

int main(int argc, char **argv)
{
    if (argc < 6)
        return 2;
    while (what < LOOK && strcmp(argv[1], what_names[what]) != 0)
        what++;
    const long step = atol(argv[4]), library_step = atol(argv[5]);
    const long first = strchr(argv[4], '+') ? atol(strchr(argv[4], '+')) : 0;
    char output[400], folder[450], wanted[KSR_HASH_TEXT];
    void *warm[4];
    backtrace(warm, 4); // loads what it needs
    report = map(sizeof(*report), MAP_SHARED);
    blocks = map(BLOCKS * sizeof(*blocks), MAP_PRIVATE);
    void **asked = map(MAX * CALLS * sizeof(*asked), MAP_PRIVATE | MAP_NORESERVE);
    snprintf(output, sizeof(output), "%s/output.%s", argv[3], what == CHANGE ? "mp4" : "mkv");
    snprintf(folder, sizeof(folder), "%s.kizunasr", output);
    const long total = run_in_full(argv[2], output, folder, asked, wanted);
    if (total < 0) {
        printf("FAIL the run itself: %s\n0 passed, 1 failed, 0 skipped\n", report->error);
        return 1;
    }
    long own = 0, foreign = 0;
    count_leaks();
    struct tally t = {.failed = report->leaks > 0};
    if (report->leaks > 0)
        print_calls(report->leaked);
    for (long n = 0; n < total; n++) {
        const bool ours = is_ours(who_asked(asked + n * CALLS));
        bool wanted_one = true;
        for (int i = 6; i < argc; i++)
            wanted_one = wanted_one && is_led_to_by(asked + n * CALLS, argv[i]);
        if (!wanted_one)
            continue;
        if (!ours && library_step < 0 && !is_new(asked + n * CALLS))
            continue;
        const long place = ours ? own++ : foreign++, every = ours ? step : labs(library_step);
        if (every > 0 && place % every == (ours ? first : 0))
            starve(n, argv[2], output, folder, wanted, &t);
    }
    printf("%s: %ld own allocations, every %ld; %ld of libraries, every %ld: %ld out of memory, "
           "%ld other errors, %ld without effect; %ld crashes that are listed\n",
           what_names[what], own, step, foreign, library_step, t.memory, t.other_error, t.untouched,
           t.listed);
    printf("%ld passed, %ld failed, 0 skipped\n", t.passed, t.failed);
    return t.failed > 0 || t.passed == 0;
}
