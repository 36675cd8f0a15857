// Damaged inputs, many in one process: whatever a file holds, a run ends, says one thing, and says
// it again.
//
//   harm FOLDER FILE...
//
// Probes each file and upscales it under every policy for bad frames, those that go on twice.
// Prints `begin FILE` and then `ok FILE: ...` or `FAIL FILE: ...`. FOLDER takes what is written. A
// file that takes longer than SECONDS ends the program with SIGALRM; a crash speaks for itself.

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/fs.h"
#include "core/hash.h"
#include "core/mem.h"
#include "kizunasr/kizunasr.h"

#define SECONDS    60
#define MAX_PIXELS (1 << 21) // a damaged header may claim any size: larger pictures are only probed

// What one call did, as its caller sees it.
struct outcome {
    ksr_status status;
    struct ksr_result result;
    int errors;
    char error[512];
    int64_t named, first_named; // frames that warnings name, and the first of them; -1 = none
    char hash[KSR_HASH_TEXT];   // of the output
};

static void listen(void *opaque, ksr_log_level level, const char *message)
{
    struct outcome *o = opaque;
    long frame;
    if (level == KSR_LOG_ERROR && o->errors++ == 0)
        snprintf(o->error, sizeof(o->error), "%s", message);
    if (level != KSR_LOG_WARNING || !strstr(message, "is damaged: ") ||
        sscanf(message, "frame %ld (", &frame) != 1)
        return;
    o->named++;
    if (o->first_named < 0 || frame < o->first_named)
        o->first_named = frame;
}

static bool fail(const char *file, const char *what, const struct outcome *o)
{
    printf("FAIL %s: %s (%s, %d errors: %s)\n", file, what, ksr_status_name(o->status), o->errors,
           o->error);
    return false;
}

static void hash_output(const char *path, char hash[KSR_HASH_TEXT])
{
    char *data;
    size_t size;
    hash[0] = 0;
    if (ksr_fs_read_file(NULL, path, &data, &size) != KSR_OK)
        return;
    ksr_hash_text(data, size, hash);
    free(data);
}

// Returns whether the file may be upscaled here: not when it is no film, or one of huge pictures.
static bool probe(const char *file, struct outcome *o)
{
    struct ksr_callbacks callbacks = {.log = listen, .opaque = o};
    ksr_context *ctx;
    char *json = NULL;
    int width = 0, height = 0;
    *o = (struct outcome){.first_named = -1};
    if (ksr_context_create(&ctx, &callbacks) != KSR_OK)
        abort();
    o->status = ksr_probe(ctx, file, &json);
    const char *w = json ? strstr(json, "\"width\": ") : NULL;
    const char *h = json ? strstr(json, "\"height\": ") : NULL;
    if (w && h) {
        width = atoi(w + strlen("\"width\": "));
        height = atoi(h + strlen("\"height\": "));
    }
    ksr_free(json);
    ksr_context_destroy(&ctx);
    return width <= 0 || height <= MAX_PIXELS / width;
}

static struct outcome upscale(const char *file, const char *output, ksr_frame_error_policy policy,
                              int workers)
{
    struct outcome o = {.first_named = -1};
    struct ksr_callbacks callbacks = {.log = listen, .opaque = &o};
    struct ksr_processor_config config = ksr_processor_config_default();
    const struct ksr_run_options options = {
        .threads = 1, .workers = workers, .fresh = true, .overwrite = true};
    ksr_context *ctx;
    config.input_path = file;
    config.output_path = output;
    config.encoder.codec = "ffv1";
    config.on_frame_error = policy;
    unlink(output);
    if (ksr_context_create(&ctx, &callbacks) != KSR_OK)
        abort();
    o.status = ksr_upscale(ctx, &config, &options, &o.result);
    ksr_context_destroy(&ctx);
    hash_output(output, o.hash);
    return o;
}

// Damaged sound that reads in another way from the output's container: an output that would differ
// from its input is not put in its place, and that is right.
static bool is_sound_refused(const struct outcome *o)
{
    return strncmp(o->error, "verification failed: audio ",
                   strlen("verification failed: audio ")) == 0;
}

// What holds for every run.
static bool is_sound(const char *file, const char *output, const struct outcome *o)
{
    char *part = ksr_format("%s.part", output);
    const bool left = !part || ksr_fs_exists(part);
    free(part);
    if (left)
        return fail(file, "a temporary file is left", o);
    if (o->status != KSR_OK)
        return (o->errors == 1 || fail(file, "not one error message", o)) &&
               (!o->hash[0] || fail(file, "failed and left an output", o)) &&
               (o->status != KSR_E_VERIFY || is_sound_refused(o) ||
                fail(file, "the output is not what was meant", o));
    return (o->errors == 0 || fail(file, "done, with an error message", o)) &&
           (o->hash[0] || fail(file, "done, without an output", o)) &&
           (o->named == o->result.frames_repeated + o->result.frames_skipped ||
            fail(file, "bad frames are not counted as they are named", o));
}

// Which of two bad segments ends a run of two workers is a matter of time.
static bool is_same(const struct outcome *a, const struct outcome *b)
{
    if (a->status != KSR_OK)
        return a->status == b->status;
    return b->status == KSR_OK && strcmp(a->hash, b->hash) == 0 && a->named == b->named &&
           a->first_named == b->first_named;
}

// Runs a policy that goes on after bad frames, twice, and holds it against `aborted`.
static bool goes_on(const char *file, const char *output, ksr_frame_error_policy policy,
                    const struct outcome *aborted, struct outcome *o)
{
    long frame = -1;
    *o = upscale(file, output, policy, 1);
    if (!is_sound(file, output, o))
        return false;
    const struct outcome again = upscale(file, output, policy, 2);
    if (!is_same(o, &again))
        return fail(file, "another outcome the second time, once:", o) ||
               fail(file, "and then:", &again);
    if (aborted->status == KSR_OK && (o->status != KSR_OK || strcmp(o->hash, aborted->hash) != 0))
        return fail(file, "another outcome where no frame is bad", o);
    if (sscanf(aborted->error, "frame %ld (", &frame) == 1 && o->status == KSR_OK &&
        o->first_named != frame)
        return fail(file, "another bad frame than abort named", o);
    return true;
}

static bool try_file(const char *file, const char *output)
{
    struct outcome probed, repeat, skip;
    if (!probe(file, &probed)) {
        printf("ok %s: huge pictures, probed only\n", file);
        return true;
    }
    if (probed.errors != (probed.status != KSR_OK))
        return fail(file, "probe: not one error message", &probed);
    const struct outcome aborted = upscale(file, output, KSR_FRAME_ERROR_ABORT, 1);
    if (!is_sound(file, output, &aborted) ||
        !goes_on(file, output, KSR_FRAME_ERROR_REPEAT, &aborted, &repeat) ||
        !goes_on(file, output, KSR_FRAME_ERROR_SKIP, &aborted, &skip))
        return false;
    printf("ok %s: abort %d, repeat %d (%" PRId64 "), skip %d (%" PRId64 ") %s\n", file,
           aborted.status, repeat.status, repeat.result.frames_repeated, skip.status,
           skip.result.frames_skipped, aborted.error);
    return true;
}

int main(int argc, char **argv)
{
    bool ok = true;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc < 2)
        return 2;
    char *output = ksr_format("%s/output.mkv", argv[1]);
    for (int i = 2; output && i < argc; i++) {
        printf("begin %s\n", argv[i]);
        alarm(SECONDS);
        ok = try_file(argv[i], output) && ok;
        alarm(0);
    }
    free(output);
    return ok ? 0 : 1;
}
