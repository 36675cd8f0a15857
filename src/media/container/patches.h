// What FFmpeg's muxers cannot write, and this folder writes over the file when they have closed it.
//
// A patch takes no room of its own: what the muxer is given holds a placeholder for it, of the same
// length (a language, a title, the name of a track), or there is something that it replaces. So the
// three steps are: add to the patches while the output's streams are made, let the muxer write the
// file, patch it. In one pass over a Matroska file: each part is read once, changed in memory, and
// all are written at the end, so that a failure leaves the file as the muxer made it.
//
// What is patched, and where each placeholder is explained: the crop of the video (aperture.h),
// languages in full (track_language.h), disabled tracks and subtitles that MP4 would turn on
// (track_flags.h), chapters whole (matroska_chapters.h), links between files (matroska_links.h).

#ifndef KSR_MEDIA_CONTAINER_PATCHES_H
#define KSR_MEDIA_CONTAINER_PATCHES_H

#include "media/av/film.h"
#include "media/container/containers.h"
#include "media/container/matroska_chapters.h"
#include "media/container/matroska_links.h"
#include "media/container/output_plan.h"

struct ksr_patches {
    struct ksr_aperture aperture; // all zero: none
    struct ksr_matroska_chapters chapters;
    struct ksr_matroska_links links;
    bool languages;                 // some track has one in full
    bool disables;                  // some track is disabled:
    bool disabled[KSR_MAX_STREAMS]; // by stream of the output
};

// Adds what a stream of the input says to one of the output that has its tags.
// Returns 0 or an AVERROR.
int ksr_patches_add_stream(struct ksr_patches *patches, const struct ksr_container *container,
                           AVStream *out, const AVStream *in, bool keep_tags);

// Adds a crop of the output's video. Returns 0 or an AVERROR.
int ksr_patches_add_crop(struct ksr_patches *patches, const struct ksr_aperture *crop,
                         AVStream *video);

// Adds chapters and links of a Matroska input to an output that has its tags and chapters.
// Returns 0 or an AVERROR.
int ksr_patches_add_file(struct ksr_patches *patches, AVFormatContext *output,
                         const AVFormatContext *input);

// Patches a file that is written and closed. output: what it was written with.
// Returns 0 or an AVERROR; AVERROR_BUG where the muxer has not written the placeholders.
int ksr_patches_apply(const struct ksr_patches *patches, const char *path,
                      const AVFormatContext *output);

// Patches the tracks of a trial's file. What does not fit is left as it is, which the trial then
// reads back. Returns 0 or an AVERROR.
int ksr_patches_apply_memory(const struct ksr_patches *patches, struct ksr_memory *file,
                             const AVFormatContext *output);

// Frees what they hold; leaves them all zero.
void ksr_patches_free(struct ksr_patches *patches);

#endif
