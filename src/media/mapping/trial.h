// A trial: one stream is written to a file in memory and read back, before any work.

#ifndef KSR_MEDIA_MAPPING_TRIAL_H
#define KSR_MEDIA_MAPPING_TRIAL_H

#include "media/av/ffmpeg.h"
#include "media/mux/output.h"

struct ksr_trial {
    bool held;         // it is read back unchanged, data and timestamps
    bool empty;        // there was no packet to try
    double early_ms;   // audio before the first frame that is cut off
    char lost[256];    // what else of it is lost, as "title, forced flag"; "" = nothing
    char changed[160]; // what re-encoding changes of its audio, in the same form
};

// Tries what plan->carry[stream] says with the stream's first packets. The plan's other streams
// are not touched.
// Returns KSR_OK with the outcome in *out, or the failure of the trial itself.
ksr_status ksr_trial_run(ksr_context *ctx, const char *input_path, const struct ksr_film *film,
                         const struct ksr_encoder_settings *encoder,
                         const struct ksr_output_plan *plan, int stream, struct ksr_trial *out);

// Adds what of a stream's language and title (with keep_tags) and flags does not come back to a
// list of names, as "title, forced flag". f: what in belongs to; out: the stream as read back.
void ksr_trial_list_losses(const AVFormatContext *f, const AVStream *in, const AVStream *out,
                           bool keep_tags, char *list, size_t size);

// Whether the file's own title does not come back.
bool ksr_trial_title_lost(const AVFormatContext *in, const AVFormatContext *out);

// Writes the first packets of all streams but the video, and counts the chapters that come back.
// *lost: those that do not. Returns KSR_OK, KSR_E_NOMEM, KSR_E_CANCELLED, ...
ksr_status ksr_trial_chapters(ksr_context *ctx, const char *input_path, const struct ksr_film *film,
                              const struct ksr_encoder_settings *encoder,
                              const struct ksr_output_plan *plan, unsigned *lost);

// Reads a track of raw samples to its end and tells whether they follow each other without holes
// and overlaps, within a tick: AVI has no times, so there they will.
ksr_status ksr_trial_steady(ksr_context *ctx, const char *input_path, const struct ksr_film *film,
                            int stream, bool *steady);

#endif
