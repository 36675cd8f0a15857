// Subtitle files that stand beside the input; see sidecar.h.

#include "job/sidecar.h"

#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/fs.h"
#include "core/mem.h"
#include "media/input/external.h"

#define MOST 6 // names in the line

// Whether a name ends as a file of subtitles that FFmpeg reads. VobSub's .sub belongs to its .idx.
static bool is_subtitle(const char *ending)
{
    static const char *const endings[] = {".srt", ".ass", ".ssa", ".vtt", ".sup", ".idx", ".smi"};
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
        if (strcasecmp(ending, endings[i]) == 0)
            return true;
    return false;
}

// Whether what stands between the video's name and the ending is a language, "forced" and the like:
// words that begin with a letter, each after a dot.
static bool is_words(const char *text, const char *end)
{
    while (text < end) {
        if (*text++ != '.' || !isalpha((unsigned char)*text))
            return false;
        while (text < end && *text != '.')
            text++;
    }
    return true;
}

static bool belongs(const char *name, const char *video, size_t stem)
{
    const char *ending = strrchr(name, '.');
    return strncmp(name, video, stem) == 0 && ending && ending >= name + stem &&
           is_subtitle(ending) && strcmp(name, video) != 0 && is_words(name + stem, ending);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// Finds the names; *names is an array to free with all in it. Returns false when out of memory.
static bool find(DIR *folder, const char *video, char ***names, size_t *count)
{
    const char *dot = strrchr(video, '.');
    const size_t stem = dot && dot > video ? (size_t)(dot - video) : strlen(video);
    size_t room = 0;
    bool ok = true;
    for (struct dirent *e; ok && (e = readdir(folder));) {
        if (!belongs(e->d_name, video, stem))
            continue;
        ok = ksr_array_reserve((void **)names, &room, *count + 1, sizeof(**names)) &&
             ((*names)[*count] = strdup(e->d_name));
        *count += ok;
    }
    if (*count > 1)
        qsort(*names, *count, sizeof(**names), by_name);
    return ok;
}

// Whether a list has a file of that name in the folder. Returns false when out of memory.
static bool find_used(const char *list, const char *folder, const char *name, bool *used)
{
    char language[KSR_LANGUAGE_TAG_SIZE], *path;
    char *whole = ksr_format("%s/%s", folder, name);
    bool ok = whole != NULL;
    *used = false;
    while (ok && !*used) {
        ok = ksr_external_next(&list, &path, language);
        if (!ok || !path)
            break;
        *used = ksr_fs_same_file(path, whole);
        free(path);
    }
    free(whole);
    return ok;
}

// Removes the names of files that are used. Returns false when out of memory.
static bool drop_used(const char *list, const char *folder, char **names, size_t *count)
{
    size_t kept = 0;
    bool ok = true, used = false;
    for (size_t i = 0; i < *count; i++) {
        ok = ok && find_used(list, folder, names[i], &used);
        if (ok && used)
            free(names[i]);
        else
            names[kept++] = names[i];
    }
    *count = kept;
    return ok;
}

static void list_unused(ksr_context *ctx, char *const *names, size_t count)
{
    char list[MOST * 300] = "";
    size_t used = 0;
    for (size_t i = 0; i < count && i < MOST; i++)
        used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", i ? ", " : "", names[i]);
    if (count > MOST)
        snprintf(list + used, sizeof(list) - used, " and %zu more", count - MOST);
    if (count > 0)
        ksr_log(ctx, KSR_LOG_INFO,
                "subtitle files beside the input are not added (use {sub} to add them): %s", list);
}

ksr_status ksr_beside_tell(ksr_context *ctx, const char *input_path, const char *used)
{
    char *parent = ksr_fs_parent(input_path), **names = NULL;
    size_t count = 0;
    DIR *folder = parent ? opendir(parent) : NULL;
    // A folder that cannot be listed has nothing to name.
    bool ok = parent && (!folder || find(folder, ksr_fs_name(input_path), &names, &count));
    if (folder)
        closedir(folder);
    ok = ok && drop_used(used, parent, names, &count);
    if (ok)
        list_unused(ctx, names, count);
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
    free(parent);
    return ok ? KSR_OK : ksr_fail_memory(ctx);
}
