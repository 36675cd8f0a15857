// The help texts; see help.h.

#include "help.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "catalogue.h"
#include "text.h"

enum {
    COLUMNS = 79,
    LEAST_COLUMNS = 40,
    HELP_COLUMN = 28,
    SCREEN_ROWS = 24,
    LABEL_SIZE = 160,
};

void help_usage(FILE *out)
{
    fputs("Usage: kizunasr COMMAND ARGUMENTS [options]\n"
          "Try 'kizunasr --help'.\n",
          out);
}

// Writes the verb and what it takes into `out`: "work FOLDER".
static void call_of(char *out, size_t size, const struct verb *verb)
{
    size_t length = (size_t)snprintf(out, size, "%s", verb->name);
    for (int i = 0; i < VERB_ARGUMENTS && verb->arguments[i] && length < size; i++)
        length += (size_t)snprintf(out + length, size - length, " %s", verb->arguments[i]);
}

void help_program(FILE *out)
{
    char call[LABEL_SIZE];
    size_t count;
    const struct verb *verbs = verbs_all(&count);
    fputs("KizunaSR, an offline video upscaler for anime.\n"
          "\n"
          "Usage: kizunasr COMMAND ARGUMENTS [options]\n"
          "\n",
          out);
    for (size_t i = 0; i < count; i++) {
        call_of(call, sizeof(call), &verbs[i]);
        fprintf(out, "  %-20s %s\n", call, verbs[i].summary);
    }
    fputs("\n"
          "  --help, --version    after a command, --help shows its options\n"
          "\n"
          "Exit status: 0 done and verified, 1 failed, 2 wrong usage, 3 input, 4 output,\n"
          "5 model, 6 verification failed, 130 interrupted (run it again to resume).\n",
          out);
}

// Columns to fill: those of a narrow terminal, else of a usual one.
static size_t columns_of(FILE *out)
{
    struct winsize size;
    const int fd = fileno(out);
    if (fd < 0 || ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_col > COLUMNS)
        return COLUMNS;
    return size.ws_col > LEAST_COLUMNS ? size.ws_col - 1u : LEAST_COLUMNS;
}

// Prints words in lines that start at column `indent`, the first of them at `column`. A tab is a
// space that no line ends at.
static void print_wrapped(FILE *out, const char *text, size_t column, size_t indent, size_t columns)
{
    bool fresh = true; // at the start of a line
    if (column + (column > 0) + (column > 0) > indent) {
        fputc('\n', out);
        column = 0;
    }
    fprintf(out, "%*s", (int)(indent - column), "");
    column = indent;
    while (*text) {
        const size_t length = strcspn(text, " ");
        if (!fresh && column + 1 + length > columns) {
            fprintf(out, "\n%*s", (int)indent, "");
            column = indent;
            fresh = true;
        }
        if (!fresh)
            fputc(' ', out);
        for (size_t i = 0; i < length; i++)
            fputc(text[i] == '\t' ? ' ' : text[i], out);
        column += length + !fresh;
        fresh = false;
        text += length;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

void help_label(char *out, size_t size, const struct entry *entry)
{
    if (entry->attached)
        snprintf(out, size, "--%s[=%s]", entry->name, entry->value);
    else
        snprintf(out, size, "--%s%s%s", entry->name, *entry->value ? " " : "", entry->value);
}

// --- All options, as wide as they are ---

static void print_long(FILE *out, const struct entry *entry, size_t columns)
{
    char label[LABEL_SIZE] = "  ", text[2 * ENTRY_TEXT];
    help_label(label + 2, sizeof(label) - 2, entry);
    snprintf(text, sizeof(text), *entry->limits ? "%s (%s)" : "%s", entry->help, entry->limits);
    fputs(label, out);
    print_wrapped(out, text, text_columns(label), columns < 60 ? 6 : HELP_COLUMN, columns);
}

// Prints the options of the group, all with GROUP_COUNT, under titles.
static void print_groups(FILE *out, const struct entry *entries, size_t count, int only)
{
    int last = -1;
    for (size_t i = 0; i < count; i++) {
        const int group = (int)entries[i].group;
        if (only != GROUP_COUNT && only != group)
            continue;
        if (group != last)
            fprintf(out, "\n%s:\n", catalogue_group(entries[i].group));
        last = group;
        print_long(out, &entries[i], columns_of(out));
    }
}

// --- The short form: a line an option ---

// Writes what of the help fits into `room` columns.
static void fit_help(char *out, size_t size, const struct entry *entry, size_t room)
{
    snprintf(out, size, *entry->limits ? "%s (%s)" : "%s", entry->help, entry->limits);
    for (char *c = out; *c; c++)
        *c = *c == '\t' ? ' ' : *c;
    if (*entry->brief)
        snprintf(out, size, "%s", entry->brief);
    else if (text_columns(out) > room)
        snprintf(out, size, "%s", entry->help);
    if (text_columns(out) <= room)
        return;
    size_t end = room > 3 ? room - 3 : 0;
    while (end > 0 && out[end] != ' ')
        end--;
    snprintf(out + end, size - end, "...");
}

static void print_short(FILE *out, const struct entry *entry, const char *title, size_t columns)
{
    char label[LABEL_SIZE], start[2 * LABEL_SIZE], help[2 * ENTRY_TEXT];
    help_label(label, sizeof(label), entry);
    if (strlen(label) > 24) // a long list of choices
        snprintf(label, sizeof(label), "--%s %s", entry->name,
                 strchr(entry->value, '|') ? "WHAT" : "X");
    snprintf(start, sizeof(start), "%-8s%-24s ", title, label);
    const size_t used = text_columns(start);
    fit_help(help, sizeof(help), entry, columns > used ? columns - used : 0);
    fprintf(out, "%s%s\n", start, help);
}

static size_t count_common(const struct entry *entries, size_t count)
{
    size_t common = 0;
    for (size_t i = 0; i < count; i++)
        common += entries[i].common;
    return common;
}

static void print_list(FILE *out, const struct entry *entries, size_t count, bool all)
{
    const char *last = "";
    for (size_t i = 0; i < count; i++) {
        const char *title = catalogue_group(entries[i].group);
        if (!all && !entries[i].common)
            continue;
        print_short(out, &entries[i], strcmp(title, last) == 0 ? "" : title, columns_of(out));
        last = title;
    }
}

// --- A verb ---

// Returns the group of that name, GROUP_COUNT for "all", -1 for others.
static int find_topic(const char *topic)
{
    for (int group = 0; group < GROUP_COUNT; group++)
        if (strcasecmp(topic, catalogue_group((enum option_group)group)) == 0)
            return group;
    return strcmp(topic, "all") == 0 ? GROUP_COUNT : -1;
}

static void print_examples(FILE *out, const struct verb *verb)
{
    fputs("\nExamples:\n", out);
    for (size_t i = 0; i < sizeof(verb->examples) / sizeof(verb->examples[0]); i++)
        if (verb->examples[i])
            fprintf(out, "  %s\n", verb->examples[i]);
}

bool help_verb(FILE *out, const struct verb *verb, const char *topic)
{
    const int wanted = topic ? find_topic(topic) : -1;
    char call[LABEL_SIZE];
    struct entry *entries = calloc(ENTRIES_MAX, sizeof(*entries));
    if (!entries || (topic && wanted < 0)) {
        free(entries);
        return false;
    }
    const size_t count = catalogue_of(verb, entries);
    call_of(call, sizeof(call), verb);
    fprintf(out, "Usage: kizunasr %s [options]\n\n%s\n", call, verb->description);
    if (topic) {
        print_groups(out, entries, count, wanted);
    } else {
        const bool all = count + 11 <= SCREEN_ROWS; // eleven rows are around them
        fputc('\n', out);
        print_list(out, entries, count, all);
        if (!all)
            fprintf(out, "        %zu more: kizunasr %s --help=all\n",
                    count - count_common(entries, count), verb->name);
    }
    print_examples(out, verb);
    free(entries);
    return true;
}
