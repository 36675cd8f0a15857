// Messages, progress and cancellation of a run; status names.

#include "core/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

enum { KEPT_MOST = 2, LINE_SIZE = 2048 };

struct ksr_context {
    struct ksr_callbacks callbacks;
    atomic_bool cancelled;
    atomic_int warnings;
    ksr_option_style style;
    pthread_mutex_t lock;           // held around every callback, so that two never run at once
    struct ksr_warnings *collected; // under `lock`; NULL = nobody collects
    bool one_failure;               // under `lock`: only the first ksr_fail() is an error
    ksr_status first_failure;       // under `lock`: since then
    struct kept {
        void *thing; // NULL = no more
        void (*destroy)(void *thing);
    } kept[KEPT_MOST]; // under `lock`; the last one kept comes first
};

const char *ksr_status_name(ksr_status status)
{
    switch (status) {
    case KSR_OK: return "KSR_OK";
    case KSR_E_PARAM: return "KSR_E_PARAM";
    case KSR_E_NOMEM: return "KSR_E_NOMEM";
    case KSR_E_INPUT: return "KSR_E_INPUT";
    case KSR_E_OUTPUT: return "KSR_E_OUTPUT";
    case KSR_E_MODEL: return "KSR_E_MODEL";
    case KSR_E_VERIFY: return "KSR_E_VERIFY";
    case KSR_E_CANCELLED: return "KSR_E_CANCELLED";
    case KSR_E_PROCESS: return "KSR_E_PROCESS";
    case KSR_E_MISMATCH: return "KSR_E_MISMATCH";
    case KSR_E_BUSY: return "KSR_E_BUSY";
    case KSR_E_EXISTS: return "KSR_E_EXISTS";
    case KSR_E_NOT_FOUND: return "KSR_E_NOT_FOUND";
    }
    return "unknown status";
}

bool ksr_is_unreadable(ksr_status status)
{
    return status == KSR_E_INPUT || status == KSR_E_NOT_FOUND;
}

const char *ksr_version(void)
{
    return KSR_VERSION;
}

ksr_status ksr_context_create(ksr_context **out, const struct ksr_callbacks *callbacks)
{
    if (!out)
        return KSR_E_PARAM;
    *out = NULL;
    ksr_context *ctx = calloc(1, sizeof(*ctx));
    if (!ctx)
        return KSR_E_NOMEM;
    if (pthread_mutex_init(&ctx->lock, NULL) != 0) {
        free(ctx);
        return KSR_E_NOMEM;
    }
    if (callbacks)
        ctx->callbacks = *callbacks;
    atomic_init(&ctx->cancelled, false);
    atomic_init(&ctx->warnings, 0);
    *out = ctx;
    return KSR_OK;
}

void ksr_context_destroy(ksr_context **ctx)
{
    if (!ctx || !*ctx)
        return;
    for (int i = 0; i < KEPT_MOST && (*ctx)->kept[i].thing; i++)
        (*ctx)->kept[i].destroy((*ctx)->kept[i].thing);
    pthread_mutex_destroy(&(*ctx)->lock);
    free(*ctx);
    *ctx = NULL;
}

void ksr_context_keep(ksr_context *ctx, void *thing, void (*destroy)(void *thing))
{
    struct kept last = {thing, destroy};
    if (ctx) {
        pthread_mutex_lock(&ctx->lock);
        last = ctx->kept[KEPT_MOST - 1];
        memmove(&ctx->kept[1], &ctx->kept[0], sizeof(ctx->kept[0]) * (KEPT_MOST - 1));
        ctx->kept[0] = (struct kept){thing, destroy};
        pthread_mutex_unlock(&ctx->lock);
    }
    if (last.thing)
        last.destroy(last.thing);
}

void *ksr_context_take(ksr_context *ctx, void (*destroy)(void *thing),
                       bool (*fits)(const void *thing, const void *wanted), const void *wanted)
{
    void *thing = NULL;
    if (!ctx)
        return NULL;
    pthread_mutex_lock(&ctx->lock);
    for (int i = 0; i < KEPT_MOST && ctx->kept[i].thing && !thing; i++) {
        if (ctx->kept[i].destroy != destroy || !fits(ctx->kept[i].thing, wanted))
            continue;
        thing = ctx->kept[i].thing;
        memmove(&ctx->kept[i], &ctx->kept[i + 1],
                sizeof(ctx->kept[0]) * (size_t)(KEPT_MOST - 1 - i));
        ctx->kept[KEPT_MOST - 1] = (struct kept){0};
    }
    pthread_mutex_unlock(&ctx->lock);
    return thing;
}

static void keep_error(void *opaque, ksr_log_level level, const char *message)
{
    if (level == KSR_LOG_ERROR)
        snprintf(opaque, KSR_REASON_SIZE, "%s", message);
}

ksr_status ksr_context_create_quiet(ksr_context **out, const ksr_context *like, char *reason)
{
    const struct ksr_callbacks callbacks = {.log = keep_error, .opaque = reason};
    reason[0] = 0;
    const ksr_status status = ksr_context_create(out, &callbacks);
    if (status == KSR_OK && like)
        (*out)->style = like->style;
    return status;
}

void ksr_context_name_options(ksr_context *ctx, ksr_option_style style)
{
    if (ctx)
        ctx->style = style;
}

void ksr_context_cancel(ksr_context *ctx)
{
    if (ctx)
        atomic_store(&ctx->cancelled, true);
}

ksr_status ksr_check_cancel(const ksr_context *ctx)
{
    return ctx && atomic_load(&ctx->cancelled) ? KSR_E_CANCELLED : KSR_OK;
}

// Adds to a text of LINE_SIZE bytes, as far as there is room.
static void append(char *line, const char *text, size_t length)
{
    const size_t used = strlen(line);
    const size_t room = LINE_SIZE - 1 - used;
    length = length < room ? length : room;
    memcpy(line + used, text, length);
    line[used + length] = 0;
}

static void append_value(char *line, const char *value, size_t length, ksr_option_style style)
{
    const bool is_true = length == 4 && strncmp(value, "true", 4) == 0;
    const bool is_false = length == 5 && strncmp(value, "false", 5) == 0;
    const char *quote = style == KSR_OPTIONS_AS_KEYWORDS && !is_true && !is_false ? "'" : "";
    if (style == KSR_OPTIONS_AS_KEYWORDS && (is_true || is_false)) {
        append(line, is_true ? "True" : "False", length);
        return;
    }
    append(line, quote, strlen(quote));
    append(line, value, length);
    append(line, quote, strlen(quote));
}

// Adds an option, from "name", "name=value" or "name=value|value".
static void append_option(char *line, const char *text, size_t length, ksr_option_style style)
{
    const char *end = text + length, *equals = memchr(text, '=', length);
    const bool argument = style == KSR_OPTIONS_AS_ARGUMENTS;
    if (argument)
        append(line, "--", 2);
    for (const char *c = text; c < (equals ? equals : end); c++)
        append(line, argument && *c == '_' ? "-" : c, 1);
    if (!equals || (argument && strncmp(equals, "=true}", 6) == 0))
        return;
    append(line, argument ? " " : "=", 1);
    for (const char *value = equals + 1; value < end;) {
        const char *bar = memchr(value, '|', (size_t)(end - value));
        append_value(line, value, (size_t)((bar ? bar : end) - value), style);
        append(line, " or ", bar ? 4 : 0);
        value = bar ? bar + 1 : end;
    }
}

// Words the options in a format, "{name=value}"; see log.h.
static void name_options(char format[LINE_SIZE], const char *wording, ksr_option_style style)
{
    format[0] = 0;
    while (*wording) {
        const size_t plain = strcspn(wording, "{");
        append(format, wording, plain);
        wording += plain;
        const char *close = *wording ? strchr(wording, '}') : NULL;
        if (!close) {
            append(format, wording, strlen(wording));
            return;
        }
        append_option(format, wording + 1, (size_t)(close - wording - 1), style);
        wording = close + 1;
    }
}

static void log_line(ksr_context *ctx, ksr_log_level level, const char *wording, va_list args)
{
    char format[LINE_SIZE], line[LINE_SIZE];
    if (!ctx)
        return;
    name_options(format, wording, ctx->style);
    if (level == KSR_LOG_WARNING)
        atomic_fetch_add(&ctx->warnings, 1);
    vsnprintf(line, sizeof(line), format, args);
    for (char *c = line; *c; c++)
        if (*c == '\n' || *c == '\r')
            *c = ' ';
    pthread_mutex_lock(&ctx->lock);
    if (level == KSR_LOG_WARNING && ctx->collected)
        ctx->collected->lost |= !ksr_warnings_add(ctx->collected, line);
    if (ctx->callbacks.log)
        ctx->callbacks.log(ctx->callbacks.opaque, level, line);
    pthread_mutex_unlock(&ctx->lock);
}

void ksr_log(ksr_context *ctx, ksr_log_level level, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    log_line(ctx, level, format, args);
    va_end(args);
}

void ksr_failures_begin(ksr_context *ctx)
{
    if (!ctx)
        return;
    pthread_mutex_lock(&ctx->lock);
    ctx->one_failure = true;
    ctx->first_failure = KSR_OK;
    pthread_mutex_unlock(&ctx->lock);
}

ksr_status ksr_failures_end(ksr_context *ctx)
{
    if (!ctx)
        return KSR_OK;
    pthread_mutex_lock(&ctx->lock);
    const ksr_status first = ctx->first_failure;
    ctx->one_failure = false;
    pthread_mutex_unlock(&ctx->lock);
    return first;
}

static bool is_first_failure(ksr_context *ctx, ksr_status status)
{
    if (!ctx)
        return true;
    pthread_mutex_lock(&ctx->lock);
    const bool first = !ctx->one_failure || ctx->first_failure == KSR_OK;
    if (first)
        ctx->first_failure = status;
    pthread_mutex_unlock(&ctx->lock);
    return first;
}

// Where failures of this thread go; NULL: they are logged.
static _Thread_local struct ksr_failure *held;

void ksr_failure_hold(ksr_context *ctx, struct ksr_failure *failure)
{
    *failure = (struct ksr_failure){.ctx = ctx, .outer = held};
    held = failure;
}

void ksr_failure_release(struct ksr_failure *failure)
{
    held = failure->outer;
}

void ksr_failure_tell(const struct ksr_failure *failure)
{
    if (failure->status != KSR_OK)
        ksr_fail(failure->ctx, failure->status, "%s", failure->text);
}

static void hold_failure(const ksr_context *ctx, ksr_status status, const char *wording,
                         va_list args)
{
    char format[LINE_SIZE];
    if (!ctx || held->status != KSR_OK) // nobody asks, or it is not the first
        return;
    name_options(format, wording, ctx->style);
    vsnprintf(held->text, sizeof(held->text), format, args);
    held->status = status;
}

ksr_status ksr_fail(ksr_context *ctx, ksr_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (held && held->ctx == ctx)
        hold_failure(ctx, status, format, args);
    else
        log_line(ctx, is_first_failure(ctx, status) ? KSR_LOG_ERROR : KSR_LOG_DEBUG, format, args);
    va_end(args);
    return status;
}

ksr_status ksr_fail_errno(ksr_context *ctx, ksr_status status, const char *format, ...)
{
    const int reason = errno;
    char line[LINE_SIZE];
    va_list args;
    if (reason == ENOMEM)
        return ksr_fail_memory(ctx);
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    return ksr_fail(ctx, status, "%s: %s", line, strerror(reason));
}

ksr_status ksr_fail_memory(ksr_context *ctx)
{
    return ksr_fail(ctx, KSR_E_NOMEM, "out of memory");
}

void ksr_report_progress(ksr_context *ctx, const struct ksr_progress *progress)
{
    if (!ctx || !ctx->callbacks.progress)
        return;
    pthread_mutex_lock(&ctx->lock);
    ctx->callbacks.progress(ctx->callbacks.opaque, progress);
    pthread_mutex_unlock(&ctx->lock);
}

int ksr_warning_count(const ksr_context *ctx)
{
    return ctx ? atomic_load(&ctx->warnings) : 0;
}

void ksr_warnings_collect(ksr_context *ctx, struct ksr_warnings *list)
{
    if (!ctx)
        return;
    pthread_mutex_lock(&ctx->lock);
    ctx->collected = list;
    pthread_mutex_unlock(&ctx->lock);
}

bool ksr_warnings_add(struct ksr_warnings *list, const char *text)
{
    char *copy = strdup(text);
    if (!copy || !ksr_array_reserve((void **)&list->texts, &list->capacity, list->count + 1,
                                    sizeof(list->texts[0]))) {
        free(copy);
        return false;
    }
    list->texts[list->count++] = copy;
    return true;
}

void ksr_warnings_free(struct ksr_warnings *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->texts[i]);
    free(list->texts);
    memset(list, 0, sizeof(*list));
}
