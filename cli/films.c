// Finding films for a batch; see films.h.

#include "films.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "text.h"

#define RECORD_FOLDER ".kizunasr"
#define DIGITS        "0123456789"

// What is taken for a film in a folder. A file that is named is taken whatever its name.
static const char *const extensions[] = {
    "mkv", "mp4", "m4v", "mov", "avi", "webm", "ts",  "m2ts", "mts",  "mpg", "mpeg", "vob", "wmv",
    "asf", "flv", "ogv", "ogm", "3gp", "divx", "mxf", "nut",  "rmvb", "rm",  "y4m",  "m2v",
};

static char *format(const char *pattern, ...) UI_PRINTF(1, 2);

static char *format(const char *pattern, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, pattern);
    const int length = vasprintf(&text, pattern, args);
    va_end(args);
    return length < 0 ? NULL : text;
}

static int no_memory(struct ui *ui)
{
    return ui_exit_status(ui, KSR_E_NOMEM);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

// The extension without its dot; "" = none.
static const char *extension(const char *path)
{
    const char *base = base_name(path);
    const char *dot = strrchr(base, '.');
    return dot && dot != base ? dot + 1 : "";
}

static bool is_folder(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

static bool is_same(const char *a, const char *b)
{
    struct stat s, t;
    return stat(a, &s) == 0 && stat(b, &t) == 0 && s.st_dev == t.st_dev && s.st_ino == t.st_ino;
}

// --- Finding ---

static void free_film(struct film *film)
{
    free(film->input);
    free(film->folder);
    free(film->output);
    free(film->record);
}

void films_free(struct films *films)
{
    for (size_t i = 0; i < films->count; i++)
        free_film(&films->list[i]);
    free(films->list);
    *films = (struct films){0};
}

// A film twice in the list, perhaps by two spellings, is one.
static bool is_there(const struct films *films, const char *input)
{
    for (size_t i = 0; i < films->count; i++)
        if (strcmp(films->list[i].input, input) == 0 || is_same(films->list[i].input, input))
            return true;
    return false;
}

static int add(struct films *films, struct ui *ui, const char *input, const char *folder,
               bool listed)
{
    if (is_there(films, input))
        return EXIT_DONE;
    if (films->count == films->capacity) {
        const size_t capacity = films->capacity * 2 + 16;
        struct film *grown = realloc(films->list, capacity * sizeof(*grown));
        if (!grown)
            return no_memory(ui);
        films->list = grown;
        films->capacity = capacity;
    }
    struct film film = {.input = strdup(input), .folder = strdup(folder), .listed = listed};
    if (!film.input || !film.folder) {
        free_film(&film);
        return no_memory(ui);
    }
    films->list[films->count++] = film;
    return EXIT_DONE;
}

static bool is_film(const char *name)
{
    for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++)
        if (strcasecmp(extension(name), extensions[i]) == 0)
            return true;
    return false;
}

// Moves both texts behind their numbers, and returns which number is larger.
static int compare_numbers(const char **a, const char **b)
{
    *a += strspn(*a, "0");
    *b += strspn(*b, "0");
    const size_t n = strspn(*a, DIGITS), m = strspn(*b, DIGITS);
    const int order = n == m ? strncmp(*a, *b, n) : n < m ? -1 : 1;
    *a += n;
    *b += m;
    return order;
}

// episode2 comes before episode10, which comes before episode10b.
static int by_number(const struct dirent **first, const struct dirent **second)
{
    const char *a = (*first)->d_name, *b = (*second)->d_name;
    while (*a && *b) {
        const bool numbers = strchr(DIGITS, *a) && strchr(DIGITS, *b);
        const int order =
            numbers ? compare_numbers(&a, &b) : (unsigned char)*a++ - (unsigned char)*b++;
        if (order != 0)
            return order;
    }
    return *a ? 1 : *b ? -1 : strcmp((*first)->d_name, (*second)->d_name);
}

static int is_visible(const struct dirent *entry)
{
    const char *end = ".kizunasr";
    const size_t n = strlen(entry->d_name), m = strlen(end);
    return entry->d_name[0] != '.' && (n < m || strcmp(entry->d_name + n - m, end) != 0);
}

// What all steps of a search have in common.
struct search {
    struct films *films;
    struct ui *ui;
    const char *output_dir;
    bool recursive;
};

static int add_folder(const struct search *s, const char *path, const char *within, int depth);

static int add_entry(const struct search *s, const char *path, const char *within, const char *name,
                     int depth)
{
    int status = EXIT_DONE;
    char *full = format("%s%s%s", path, path[strlen(path) - 1] == '/' ? "" : "/", name);
    char *below = format("%s%s/", within, name);
    if (!full || !below)
        status = no_memory(s->ui);
    else if (!is_folder(full))
        status = is_film(name) ? add(s->films, s->ui, full, within, true) : EXIT_DONE;
    else if (s->recursive && !is_same(full, s->output_dir))
        status = add_folder(s, full, below, depth + 1);
    free(full);
    free(below);
    return status;
}

static int add_folder(const struct search *s, const char *path, const char *within, int depth)
{
    enum { DEEPEST = 64 }; // a link back to a folder above ends somewhere
    struct dirent **entries = NULL;
    if (depth > DEEPEST)
        return EXIT_DONE;
    const int count = scandir(path, &entries, is_visible, by_number);
    if (count < 0) {
        ui_say(s->ui, KSR_LOG_ERROR, "cannot read folder %s: %s", path, strerror(errno));
        return EXIT_INPUT;
    }
    int status = EXIT_DONE;
    for (int i = 0; i < count; i++) {
        if (status == EXIT_DONE)
            status = add_entry(s, path, within, entries[i]->d_name, depth);
        free(entries[i]);
    }
    free(entries);
    return status;
}

static int add_path(const struct search *s, const char *path)
{
    return is_folder(path) ? add_folder(s, path, "", 0) : add(s->films, s->ui, path, "", false);
}

int films_add(struct films *films, struct ui *ui, const char *argument, const char *output_dir,
              bool recursive)
{
    const struct search s = {films, ui, output_dir, recursive};
    struct stat there;
    glob_t found;
    // A file of that very name first: [brackets] are common in names of films.
    if (stat(argument, &there) == 0 || !strpbrk(argument, "*?["))
        return add_path(&s, argument);
    const int result = glob(argument, 0, NULL, &found);
    int status = EXIT_DONE;
    if (result == GLOB_NOSPACE)
        return no_memory(ui);
    if (result != 0)
        return add(films, ui, argument, "", false);
    for (size_t i = 0; status == EXIT_DONE && i < found.gl_pathc; i++)
        status = add_path(&s, found.gl_pathv[i]);
    globfree(&found);
    return status;
}

int films_add_list(struct films *films, struct ui *ui, const char *path, const char *output_dir,
                   bool recursive)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    if (!file) {
        ui_say(ui, KSR_LOG_ERROR, "cannot read list %s: %s", path, strerror(errno));
        return EXIT_INPUT;
    }
    char *line = NULL;
    size_t size = 0;
    int status = EXIT_DONE;
    while (status == EXIT_DONE && getline(&line, &size, file) > 0) {
        line[strcspn(line, "\r\n")] = '\0';
        if (line[0] && line[0] != '#')
            status = films_add(films, ui, text_path(line), output_dir, recursive);
    }
    free(line);
    if (file != stdin)
        fclose(file);
    return status;
}

// --- Naming ---

// Returns the name of the folder a film lies in: "." for those without.
static char *parent_name(const char *input)
{
    char *full = realpath(input, NULL), *name = NULL;
    char *slash = full ? strrchr(full, '/') : NULL;
    if (slash) {
        *slash = '\0';
        name = strdup(base_name(full));
    }
    free(full);
    return name ? name : strdup("");
}

// Puts the value of a placeholder into *value, to be freed. Returns false when there is no such
// one.
static bool placeholder(const char *word, size_t length, const struct film *film, int scale,
                        char **value)
{
    const char *base = base_name(film->input), *ext = extension(film->input);
    const size_t stem = strlen(base) - (*ext ? strlen(ext) + 1 : 0);
    if (length == 4 && memcmp(word, "name", 4) == 0)
        *value = strndup(base, stem);
    else if (length == 3 && memcmp(word, "ext", 3) == 0)
        *value = strdup(*ext ? ext : "mkv");
    else if (length == 6 && memcmp(word, "folder", 6) == 0)
        *value = parent_name(film->input);
    else if (length == 5 && memcmp(word, "scale", 5) == 0)
        *value = format("%d", scale);
    else
        return false;
    return true;
}

static bool append(char **text, const char *more, size_t length)
{
    char *longer = format("%s%.*s", *text ? *text : "", (int)length, more);
    free(*text);
    *text = longer;
    return longer != NULL;
}

static int bad_template(struct ui *ui, const char *template)
{
    return ui_usage_error(
        ui, "--name: '%s' is not a template (of {name}, {ext}, {folder}, {scale} and text)",
        template);
}

// Returns the name that a template makes for a film, to be freed, or NULL. *status tells.
static char *expand(struct ui *ui, const char *template, const struct film *film, int scale,
                    int *status)
{
    char *name = NULL;
    bool room = true;
    *status = EXIT_DONE;
    for (const char *c = template; *c && room && *status == EXIT_DONE;) {
        const size_t plain = strcspn(c, "{}");
        room = append(&name, c, plain);
        c += plain;
        if (!*c || !room)
            continue;
        const size_t length = *c == '{' ? strcspn(c, "}") : 0;
        char *value = NULL;
        if (!length || !c[length] || !placeholder(c + 1, length - 1, film, scale, &value))
            *status = bad_template(ui, template);
        else
            room = value && append(&name, value, strlen(value));
        free(value);
        c += length + 1;
    }
    if (*status == EXIT_DONE && (!room || !name))
        *status = no_memory(ui);
    if (*status == EXIT_DONE)
        return name;
    free(name);
    return NULL;
}

static int name_film(struct film *film, struct ui *ui, const char *output_dir, const char *template,
                     int scale)
{
    int status;
    char *name = expand(ui, template, film, scale, &status);
    if (status != EXIT_DONE)
        return status;
    const char *slash = output_dir[strlen(output_dir) - 1] == '/' ? "" : "/";
    film->output = format("%s%s%s%s", output_dir, slash, film->folder, name);
    film->record = format("%s%s" RECORD_FOLDER "/%s%s.json", output_dir, slash, film->folder, name);
    free(name);
    return film->output && film->record ? EXIT_DONE : no_memory(ui);
}

// Drops films that were found in a folder only because an earlier batch has put them there.
static void drop_outputs(struct films *films)
{
    struct film *list = films->list;
    size_t kept = 0;
    for (size_t i = 0; i < films->count; i++)
        for (size_t k = 0; k < films->count && list[i].listed && !list[i].is_output; k++)
            list[i].is_output = k != i && is_same(list[k].output, list[i].input);
    for (size_t i = 0; i < films->count; i++)
        if (list[i].is_output)
            free_film(&list[i]);
        else
            list[kept++] = list[i];
    films->count = kept;
}

// Whether two names lead to the same file once it is there.
static bool is_same_name(const char *a, const char *b)
{
#if defined(__APPLE__) || defined(_WIN32)
    return strcasecmp(a, b) == 0; // most of their file systems ignore case
#else
    return strcmp(a, b) == 0;
#endif
}

static int check_names(const struct films *films, struct ui *ui)
{
    for (size_t i = 0; i < films->count; i++)
        for (size_t k = 0; k < films->count; k++) {
            const struct film *a = &films->list[i], *b = &films->list[k];
            if (k < i && is_same_name(a->output, b->output))
                return ui_usage_error(ui,
                                      "%s and %s have the same output %s (use --name to "
                                      "distinguish them, such as '{folder}-{name}.{ext}')",
                                      b->input, a->input, a->output);
            if (is_same(a->output, b->input))
                return ui_usage_error(ui, "the output of %s is an input: %s", a->input, b->input);
        }
    return EXIT_DONE;
}

int films_name(struct films *films, struct ui *ui, const char *output_dir, const char *template,
               int scale)
{
    int status = EXIT_DONE;
    if (template[0] == '/' || strstr(template, "..") || !template[0])
        return bad_template(ui, template);
    for (size_t i = 0; i < films->count && status == EXIT_DONE; i++)
        status = name_film(&films->list[i], ui, output_dir, template, scale);
    if (status != EXIT_DONE)
        return status;
    drop_outputs(films);
    return check_names(films, ui);
}

// --- Folders ---

// Makes the folders that a path lies in.
static int make_parents(struct ui *ui, const char *path)
{
    char *folder = strdup(path);
    if (!folder)
        return no_memory(ui);
    int status = EXIT_DONE;
    for (char *c = strchr(folder + 1, '/'); c && status == EXIT_DONE; c = strchr(c + 1, '/')) {
        *c = '\0';
        if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
            ui_say(ui, KSR_LOG_ERROR, "cannot create folder %s: %s", folder, strerror(errno));
            status = EXIT_OUTPUT;
        }
        *c = '/';
    }
    free(folder);
    return status;
}

int films_make_folders(const struct films *films, struct ui *ui)
{
    int status = EXIT_DONE;
    for (size_t i = 0; i < films->count && status == EXIT_DONE; i++) {
        status = make_parents(ui, films->list[i].output);
        if (status == EXIT_DONE)
            status = make_parents(ui, films->list[i].record);
    }
    return status;
}
