// Image sequences; see image_sequence.h.

#include "core/image_sequence.h"

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/fs.h"
#include "core/mem.h"

// A pattern taken apart. Lengths in bytes.
struct pattern {
    const char *base; // last part of the path
    size_t before;    // of `base`, before the number
    const char *after;
    int digits; // least number of them; 0 = as many as it takes
};

static bool parse(const char *path, struct pattern *p)
{
    p->base = ksr_fs_name(path);
    const char *percent = strchr(p->base, '%');
    if (!percent || strchr(percent + 1, '%'))
        return false;
    const char *c = percent + 1;
    p->before = (size_t)(percent - p->base);
    p->digits = 0;
    if (*c == '0')
        for (c++; isdigit((unsigned char)*c) && p->digits < 10; c++)
            p->digits = p->digits * 10 + (*c - '0');
    p->after = c + 1;
    return *c == 'd' && p->digits <= 9;
}

bool ksr_sequence_is(const char *path)
{
    struct pattern p;
    return parse(path, &p) && !ksr_fs_exists(path);
}

char *ksr_sequence_name(const char *pattern, int number)
{
    struct pattern p;
    if (!parse(pattern, &p))
        return strdup(pattern);
    return ksr_format("%.*s%0*d%s", (int)(p.base - pattern + (ptrdiff_t)p.before), pattern,
                      p.digits, number, p.after);
}

char *ksr_sequence_part(const char *pattern)
{
    const char *name = ksr_fs_name(pattern);
    return ksr_format("%.*s.part-%s", (int)(name - pattern), pattern, name);
}

// Returns the number in a file's name, or -1 when the name is none of the pattern's.
static int number_of(const struct pattern *p, const char *name)
{
    const size_t length = strlen(name), tail = strlen(p->after);
    if (length < p->before + tail + 1 || strncmp(name, p->base, p->before) != 0 ||
        strcmp(name + length - tail, p->after) != 0)
        return -1;
    const char *digits = name + p->before;
    const int count = (int)(length - tail - p->before);
    int64_t number = 0;
    for (int i = 0; i < count; i++) {
        if (!isdigit((unsigned char)digits[i]) || number > INT_MAX)
            return -1;
        number = number * 10 + (digits[i] - '0');
    }
    const bool padded = count > 1 && digits[0] == '0';
    const bool right = count == p->digits || (count > p->digits && !padded);
    return right && number <= INT_MAX ? (int)number : -1;
}

ksr_status ksr_sequence_scan(ksr_context *ctx, const char *pattern, int *first, int *count)
{
    struct pattern p;
    int last = -1;
    *first = *count = 0;
    char *folder = ksr_fs_parent(pattern);
    if (!folder)
        return ksr_fail_memory(ctx);
    DIR *dir = parse(pattern, &p) ? opendir(folder) : NULL;
    free(folder);
    const struct dirent *entry;
    while (dir && (entry = readdir(dir))) {
        const int number = number_of(&p, entry->d_name);
        if (number < 0)
            continue;
        *first = *count == 0 || number < *first ? number : *first;
        last = number > last ? number : last;
        ++*count;
    }
    if (dir)
        closedir(dir);
    if (*count == 0 || *count == last - *first + 1)
        return KSR_OK;
    for (int i = *first; i < last; i++) {
        char *name = ksr_sequence_name(pattern, i);
        const bool there = name && ksr_fs_exists(name);
        const ksr_status status =
            !name    ? ksr_fail_memory(ctx)
            : !there ? ksr_fail(ctx, KSR_E_INPUT, "image missing from the sequence: %s", name)
                     : KSR_OK;
        free(name);
        if (status != KSR_OK)
            return status;
    }
    return KSR_OK;
}

bool ksr_sequence_exists(const char *path)
{
    int first, count;
    if (!ksr_sequence_is(path))
        return ksr_fs_exists(path);
    return ksr_sequence_scan(NULL, path, &first, &count) != KSR_OK || count > 0;
}

int64_t ksr_sequence_size(const char *path)
{
    int first, count;
    int64_t sum = 0;
    if (!ksr_sequence_is(path))
        return ksr_fs_size(path);
    if (ksr_sequence_scan(NULL, path, &first, &count) != KSR_OK)
        return -1;
    for (int i = 0; i < count; i++) {
        char *name = ksr_sequence_name(path, first + i);
        const int64_t size = name ? ksr_fs_size(name) : -1;
        free(name);
        if (size < 0)
            return -1;
        sum += size;
    }
    return sum;
}
