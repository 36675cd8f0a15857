// Memory helpers; see mem.h.

#include "core/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/mman.h>
#endif
#include <sys/resource.h>

#include "kizunasr/config.h"

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define SANITIZED
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define SANITIZED
#endif

#define LARGE_PAGE ((uintptr_t)2 << 20) // bytes, on x86 and mostly on Arm

bool ksr_size_multiply(size_t a, size_t b, size_t *out)
{
    if (b != 0 && a > SIZE_MAX / b)
        return false;
    *out = a * b;
    return true;
}

// Asks for large pages, where they fit: the system gives a frame in a few steps then, not in
// thousands.
static void use_large_pages(void *memory, size_t size)
{
#ifdef MADV_HUGEPAGE
    const uintptr_t begin = ((uintptr_t)memory + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
    const uintptr_t end = ((uintptr_t)memory + size) / LARGE_PAGE * LARGE_PAGE;
    const int error = errno;
    if (begin < end)
        madvise((void *)begin, end - begin, MADV_HUGEPAGE); // or does without
    errno = error;
#else
    (void)memory;
    (void)size;
#endif
}

#ifdef SANITIZED // what is next to the memory is not to be ours: a sanitizer looks at it

static void *take(size_t size, bool zeroed)
{
    void *memory = aligned_alloc(KSR_ALIGN, size);
    if (memory && zeroed)
        memset(memory, 0, size);
    return memory;
}

void ksr_aligned_free(void *memory)
{
    free(memory);
}

#else

// Aligned memory from the heap, with the address that the heap gave before it. zeroed: what is new
// to the process is so already, and calloc() leaves it alone.
static void *take(size_t size, bool zeroed)
{
    if (size > SIZE_MAX - KSR_ALIGN)
        return NULL;
    unsigned char *base = zeroed ? calloc(1, size + KSR_ALIGN) : malloc(size + KSR_ALIGN);
    if (!base)
        return NULL;
    unsigned char *memory = base + (KSR_ALIGN - (uintptr_t)base % KSR_ALIGN);
    memcpy(memory - sizeof(base), &base, sizeof(base));
    return memory;
}

void ksr_aligned_free(void *memory)
{
    if (!memory)
        return;
    unsigned char *base;
    memcpy(&base, (unsigned char *)memory - sizeof(base), sizeof(base));
    free(base);
}

#endif

void *ksr_aligned_alloc(size_t size)
{
    return take(size, false);
}

void *ksr_aligned_calloc(size_t size)
{
    if (size > SIZE_MAX - 2 * KSR_ALIGN)
        return NULL;
    const size_t rounded = (size + 2 * KSR_ALIGN - 1) / KSR_ALIGN * KSR_ALIGN;
    void *memory = take(rounded, true);
    if (memory)
        use_large_pages(memory, rounded);
    return memory;
}

bool ksr_array_reserve(void **array, size_t *capacity, size_t needed, size_t size)
{
    if (needed <= *capacity)
        return true;
    size_t wanted = *capacity + *capacity / 2 + 16;
    if (wanted < needed)
        wanted = needed;
    size_t bytes;
    if (!ksr_size_multiply(wanted, size, &bytes))
        return false;
    void *grown = realloc(*array, bytes);
    if (!grown)
        return false;
    *array = grown;
    *capacity = wanted;
    return true;
}

// More than the heap grows at a time: what is larger is mapped on its own, with GNU's default.
#define HEAP_ROOM (64u << 20)

// Whether an allocation may fail before the machine's memory is used up.
static bool is_limited(void)
{
    struct rlimit space = {0}, data = {0};
    return getrlimit(RLIMIT_AS, &space) != 0 || getrlimit(RLIMIT_DATA, &data) != 0 ||
           space.rlim_cur != RLIM_INFINITY || data.rlim_cur != RLIM_INFINITY;
}

bool ksr_memory_heap_is_blocked(void)
{
    if (is_limited())
        return false; // ENOMEM may be true: better stop a run than lose a packet
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];
    unsigned long long from, to, end = 0;
    bool blocked = false;
    // Lines in the order of the addresses; a long path ends one that begins with no address.
    while (maps && !blocked && fgets(line, sizeof(line), maps)) {
        if (sscanf(line, "%llx-%llx", &from, &to) != 2)
            continue;
        const bool heap = strstr(line, "[heap]"); // may be several lines
        blocked = !heap && end > 0 && from - end < HEAP_ROOM;
        end = heap ? to : 0;
    }
    if (maps)
        fclose(maps);
    return blocked;
}

char *ksr_format(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0)
        return NULL;
    char *text = malloc((size_t)length + 1);
    if (!text)
        return NULL;
    va_start(args, format);
    vsnprintf(text, (size_t)length + 1, format, args);
    va_end(args);
    return text;
}

void ksr_free(void *memory)
{
    free(memory);
}

static bool is_plain(const char *word)
{
    const size_t plain = strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                      "0123456789-_./:,+=@%");
    return *word && *word != '-' && !word[plain];
}

char *ksr_shell_quote(const char *word)
{
    if (is_plain(word))
        return strdup(word);
    char *quoted = malloc(4 * strlen(word) + 3), *out = quoted;
    if (!quoted)
        return NULL;
    *out++ = '\'';
    for (; *word; word++) {
        if (*word == '\'') {
            memcpy(out, "'\\'", 3);
            out += 3;
        }
        *out++ = *word;
    }
    *out++ = '\'';
    *out = 0;
    return quoted;
}
