// upscale into standard output or another pipe.

#ifndef KSR_CLI_PIPE_OUTPUT_H
#define KSR_CLI_PIPE_OUTPUT_H

#include "options.h"
#include "ui.h"

// Whether OUTPUT is standard output ("-", /dev/stdout) or another pipe.
bool output_is_pipe(const char *path);

// Makes the output as a file in the work folder, and copies that into the pipe once it is verified.
// Where the pipe is standard output, everything that is printed goes to standard error from here
// on. Returns the exit status.
int upscale_to_pipe(ksr_context *ctx, struct ui *ui, const struct options *options);

#endif
