// The films of a batch: found in files, folders, patterns and lists; where each goes; and
// everything about that which could go wrong, before any work.

#ifndef KSR_CLI_FILMS_H
#define KSR_CLI_FILMS_H

#include <stdbool.h>
#include <stddef.h>

#include "ui.h"

struct film {
    char *input;  // path
    char *folder; // within the output folder, "" or ending with a slash: that of a folder searched
    bool listed;  // found in a folder, not named by the user
    bool is_output; // of another film of the list
    char *output;   // path; films_name()
    char *record;   // path of its provenance record; films_name()
};

struct films {
    struct film *list;
    size_t count, capacity;
};

// Adds what an argument stands for: a file, the films in a folder (recursive: below it as well), or
// those that a pattern with * ? [ ] matches; a name that is nothing of these is kept, to fail when
// its turn comes. Work folders, hidden files and folders, and `output_dir` are passed over. What is
// there already is not added again.
// Returns EXIT_DONE, or another exit status after showing an error line.
int films_add(struct films *films, struct ui *ui, const char *argument, const char *output_dir,
              bool recursive);

// Adds what the lines of a file stand for ("-": standard input); empty lines and those that begin
// with # are passed over.
int films_add_list(struct films *films, struct ui *ui, const char *path, const char *output_dir,
                   bool recursive);

// Names the output and the record of every film. template: with {name}, {ext}, {folder}, {scale}.
// A film that stands in the place of another one's output is dropped if it was only listed.
// Returns EXIT_DONE, or EXIT_USAGE after showing what is wrong: a bad template, two films with one
// output, an output that is an input.
int films_name(struct films *films, struct ui *ui, const char *output_dir, const char *template,
               int scale);

// Makes the folders of all outputs and records.
int films_make_folders(const struct films *films, struct ui *ui);

void films_free(struct films *films);

#endif
