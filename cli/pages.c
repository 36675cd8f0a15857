// Makes the man pages and the completions of shells, when the program is built:
//
//     pages man [VERB]        kizunasr.1, kizunasr-VERB.1
//     pages bash|zsh|fish     completions
//
// All come from the same catalogue as the help texts, so no option is missing.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalogue.h"
#include "help.h"

// Calls `each` for every option of a verb.
static void for_entries(const struct verb *verb, void (*each)(const struct entry *entry))
{
    struct entry *entries = calloc(ENTRIES_MAX, sizeof(*entries));
    const size_t count = entries ? catalogue_of(verb, entries) : 0;
    for (size_t i = 0; i < count; i++)
        each(&entries[i]);
    free(entries);
}

// Prints text with `from` characters escaped by a backslash, and tabs as spaces.
static void print_escaped(const char *text, const char *escape)
{
    for (; *text; text++) {
        if (strchr(escape, *text))
            putchar('\\');
        putchar(*text == '\t' ? ' ' : *text);
    }
}

// --- Man pages ---

// A backslash in roff is "\e", a dash that can be copied "\-", and a line must not begin with a
// dot.
static void roff(const char *text)
{
    bool start = true;
    for (; *text; text++) {
        if (start && (*text == '.' || *text == '\''))
            fputs("\\&", stdout);
        start = *text == '\n';
        if (*text == '\\')
            fputs("\\e", stdout);
        else if (*text == '-')
            fputs("\\-", stdout);
        else
            putchar(*text == '\t' ? ' ' : *text);
    }
}

static enum option_group last_group;

static void man_entry(const struct entry *entry)
{
    if (entry->group != last_group)
        printf(".SS %s\n", catalogue_group(entry->group));
    last_group = entry->group;
    printf(".TP\n\\fB\\-\\-");
    roff(entry->name);
    printf("\\fR");
    if (*entry->value) {
        printf(entry->attached ? "[=\\fI" : " \\fI");
        roff(entry->value);
        printf(entry->attached ? "\\fR]" : "\\fR");
    }
    putchar('\n');
    roff(entry->help);
    if (*entry->limits) {
        printf(" (");
        roff(entry->limits);
        putchar(')');
    }
    printf(".\n");
}

static void man_header(const char *name, const char *summary)
{
    printf(".TH \"%s\" 1 \"\" \"KizunaSR %s\" \"KizunaSR\"\n.SH NAME\n", name, KSR_VERSION);
    roff(name);
    printf(" \\- ");
    roff(summary);
    printf("\n.SH SYNOPSIS\n");
}

static void man_arguments(const struct verb *verb)
{
    for (int i = 0; i < VERB_ARGUMENTS && verb->arguments[i]; i++) {
        printf(" \\fI");
        roff(verb->arguments[i]);
        printf("\\fR");
    }
}

static void man_exit_status(void)
{
    static const char *const meaning[][2] = {
        {"0", "Done and verified."},
        {"1", "Processing failed."},
        {"2", "Wrong usage."},
        {"3", "The input is missing, unreadable or without video."},
        {"4", "The output or the work folder cannot be written, or is in use."},
        {"5", "The AI model is missing or unusable."},
        {"6", "Finished, but verification failed."},
        {"130", "Interrupted; run the same command again to resume."},
    };
    printf(".SH EXIT STATUS\n");
    for (size_t i = 0; i < sizeof(meaning) / sizeof(meaning[0]); i++)
        printf(".TP\n\\fB%s\\fR\n%s\n", meaning[i][0], meaning[i][1]);
}

static void man_verb(const struct verb *verb)
{
    char name[ENTRY_NAME];
    snprintf(name, sizeof(name), "kizunasr-%s", verb->name);
    man_header(name, verb->summary);
    printf("\\fBkizunasr %s\\fR", verb->name);
    man_arguments(verb);
    printf(" [\\fIoptions\\fR]\n.SH DESCRIPTION\n");
    roff(verb->description);
    printf("\n.SH OPTIONS\n");
    last_group = GROUP_COUNT;
    for_entries(verb, man_entry);
    printf(".SH EXAMPLES\n.nf\n");
    for (size_t i = 0; i < sizeof(verb->examples) / sizeof(verb->examples[0]); i++)
        if (verb->examples[i]) {
            roff(verb->examples[i]);
            putchar('\n');
        }
    printf(".fi\n");
    man_exit_status();
    printf(".SH SEE ALSO\n\\fBkizunasr\\fR(1)\n");
}

static void man_program(void)
{
    size_t count;
    const struct verb *verbs = verbs_all(&count);
    man_header("kizunasr", "an offline video upscaler for anime");
    printf(
        "\\fBkizunasr\\fR \\fICOMMAND\\fR \\fIARGUMENTS\\fR [\\fIoptions\\fR]\n.SH DESCRIPTION\n"
        "Restores and upscales a video by 2 or 4, with filters or a neural network, and copies\n"
        "everything else in the file: audio, subtitles, fonts, chapters, tags. The output depends\n"
        "only on the input, the settings and the versions of the program and its libraries. Run\n"
        "the same command again to resume an interrupted run.\n.SH COMMANDS\n");
    for (size_t i = 0; i < count; i++) {
        printf(".TP\n\\fB%s\\fR", verbs[i].name);
        man_arguments(&verbs[i]);
        putchar('\n');
        roff(verbs[i].summary);
        printf(". See \\fBkizunasr\\-%s\\fR(1).\n", verbs[i].name);
    }
    printf(".SH ENVIRONMENT\n"
           ".TP\n\\fBKIZUNASR_CPU\\fR\nLike \\fB\\-\\-cpu\\fR.\n"
           ".TP\n\\fBKIZUNASR_DEVICE\\fR\nLike \\fB\\-\\-device\\fR.\n"
           ".TP\n\\fBKIZUNASR_MODELS\\fR\nThe folder of the bundled models.\n"
           ".TP\n\\fBNO_COLOR\\fR\nNo colours on the terminal, if set to anything.\n");
    man_exit_status();
}

// --- bash ---

static void print_choices(const struct entry *entry)
{
    for (const char *c = entry->choices; *c; c++)
        putchar(*c == '|' ? ' ' : *c);
}

static bool takes_folder(const struct entry *entry)
{
    return strcmp(entry->value, "DIR") == 0;
}

static bool takes_file(const struct entry *entry)
{
    return strstr(entry->value, "FILE") || strcmp(entry->value, "PATH") == 0;
}

static void bash_name(const struct entry *entry)
{
    printf(" --%s", entry->name);
}

// What may follow an option, once for all verbs: an option means the same everywhere.
static void bash_values(const struct entry *entry)
{
    if (!*entry->value || entry->attached)
        return;
    printf("    --%s) _kizunasr_offer '", entry->name);
    print_choices(entry);
    printf("' %s; return ;;\n", takes_folder(entry) ? "-d" : takes_file(entry) ? "-f" : "");
}

static void bash(void)
{
    size_t count;
    const struct verb *verbs = verbs_all(&count);
    printf("# bash completion of kizunasr; generated when the program is built.\n\n"
           "# Offers the words of $1, and with -f or -d files or folders.\n"
           "_kizunasr_offer()\n{\n"
           "    mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$word\"; [ -z \"$2\" ] || "
           "compgen \"$2\" -- \"$word\")\n}\n\n"
           "_kizunasr()\n{\n"
           "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} options\n"
           "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
           "        _kizunasr_offer '");
    for (size_t i = 0; i < count; i++)
        printf("%s ", verbs[i].name);
    printf("--help --version'\n        return\n    fi\n"
           "    case ${COMP_WORDS[1]} in\n");
    for (size_t i = 0; i < count; i++) {
        printf("    %s) options='--help", verbs[i].name);
        for_entries(&verbs[i], bash_name);
        printf("' ;;\n");
    }
    printf("    *) return ;;\n    esac\n    case $before in\n");
    for (size_t i = 0; i < count; i++) // the first of equal patterns counts
        for_entries(&verbs[i], bash_values);
    printf("    esac\n"
           "    if [[ $word == -* ]]; then\n"
           "        _kizunasr_offer \"$options\"\n"
           "    else\n"
           "        _kizunasr_offer '' -f\n"
           "    fi\n}\n\n"
           "complete -o filenames -F _kizunasr kizunasr\n");
}

// --- zsh ---

static void zsh_entry(const struct entry *entry)
{
    printf("            '*--%s%s[", entry->name, *entry->value && !entry->attached ? "=" : "");
    for (const char *c = entry->help; *c; c++) {
        if (strchr("[]:\\", *c))
            putchar('\\');
        fputs(*c == '\'' ? "'\\''" : (char[]){*c == '\t' ? ' ' : *c, 0}, stdout);
    }
    putchar(']');
    if (*entry->value && !entry->attached) {
        printf(":%s:", entry->value);
        if (*entry->choices) {
            putchar('(');
            print_choices(entry);
            putchar(')');
        } else if (takes_folder(entry)) {
            printf("_files -/");
        } else if (takes_file(entry)) {
            printf("_files");
        }
    }
    printf("' \\\n");
}

static void zsh(void)
{
    size_t count;
    const struct verb *verbs = verbs_all(&count);
    printf(
        "#compdef kizunasr\n# zsh completion of kizunasr; generated when the program is built.\n\n"
        "_kizunasr()\n{\n    local -a verbs\n    verbs=(\n");
    for (size_t i = 0; i < count; i++)
        printf("        '%s:%s'\n", verbs[i].name, verbs[i].summary);
    printf(
        "    )\n    if (( CURRENT == 2 )); then\n"
        "        _describe verb verbs\n"
        "        return\n    fi\n    local verb=$words[2]\n    shift words\n    (( CURRENT-- ))\n"
        "    case $verb in\n");
    for (size_t i = 0; i < count; i++) {
        printf("    %s)\n        _arguments \\\n", verbs[i].name);
        for_entries(&verbs[i], zsh_entry);
        printf("            '--help[what it does]' '*:file:_files' ;;\n");
    }
    printf("    esac\n}\n\n_kizunasr \"$@\"\n");
}

// --- fish ---

static const struct verb *fish_verb;

static void fish_entry(const struct entry *entry)
{
    printf("complete -c kizunasr -n '__fish_seen_subcommand_from %s' -l %s", fish_verb->name,
           entry->name);
    if (*entry->value && !entry->attached) {
        printf(" -r");
        if (*entry->choices) {
            printf(" -%sa '", takes_file(entry) ? "" : "f");
            print_choices(entry);
            putchar('\'');
        } else if (takes_folder(entry)) {
            printf(" -fa '(__fish_complete_directories)'");
        } else if (!takes_file(entry)) {
            printf(" -f");
        }
    }
    printf(" -d '");
    print_escaped(entry->help, "'\\");
    printf("'\n");
}

static void fish(void)
{
    size_t count;
    const struct verb *verbs = verbs_all(&count);
    printf("# fish completion of kizunasr; generated when the program is built.\n\n");
    for (size_t i = 0; i < count; i++) {
        printf("complete -c kizunasr -n __fish_use_subcommand -f -a %s -d '", verbs[i].name);
        print_escaped(verbs[i].summary, "'\\");
        printf("'\n");
    }
    for (size_t i = 0; i < count; i++) {
        fish_verb = &verbs[i];
        for_entries(&verbs[i], fish_entry);
    }
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    const struct verb *verb = argc > 2 ? verb_find(argv[2]) : NULL;
    if (strcmp(what, "man") == 0 && argc == 2)
        man_program();
    else if (strcmp(what, "man") == 0 && verb)
        man_verb(verb);
    else if (strcmp(what, "bash") == 0)
        bash();
    else if (strcmp(what, "zsh") == 0)
        zsh();
    else if (strcmp(what, "fish") == 0)
        fish();
    else
        return 2;
    return fflush(stdout) == 0 ? 0 : 1;
}
