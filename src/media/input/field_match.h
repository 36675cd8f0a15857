// Field matching: which two fields belong together is decided by libavfilter's fieldmatch, which
// knows 8 bits of YUV alone, from such a picture of each frame; the fields themselves are put
// together here, so that every sample of any format stays as it was.

#ifndef KSR_MEDIA_INPUT_FIELD_MATCH_H
#define KSR_MEDIA_INPUT_FIELD_MATCH_H

#include "media/av/ffmpeg.h"

// Thread-safety: one thread at a time per object.
typedef struct ksr_match ksr_match;

// options: those of fieldmatch. like: a frame of the kind that will be sent.
// Returns KSR_OK, KSR_E_PARAM (not for this format; logged), KSR_E_NOMEM.
ksr_status ksr_match_open(ksr_context *ctx, const char *options, const AVFrame *like,
                          ksr_match **out);
void ksr_match_close(ksr_match **match);

// Sends a frame, which is moved out of *frame; NULL: no more will come.
// Returns KSR_OK, KSR_E_PROCESS (logged), KSR_E_NOMEM.
ksr_status ksr_match_send(ksr_context *ctx, ksr_match *match, AVFrame *frame);

// Takes the next frame, if *ready says that there is one, which is once the one after it has been
// sent; *frame must be empty. It has the properties of the frame sent in its place, and is marked
// as interlaced if no two fields match, otherwise as whole. Its repeat_pict is set
// if flags already told that it is whole (ksr_av_frame_repeats_field()); then it stays as it was.
// Returns KSR_OK, KSR_E_PROCESS (logged), KSR_E_NOMEM.
ksr_status ksr_match_receive(ksr_context *ctx, ksr_match *match, AVFrame *frame, bool *ready);

// Puts the fields of two frames together, with the properties of `like`, into *out, which must be
// empty. Returns 0 or an AVERROR.
int ksr_match_weave(const AVFrame *top, const AVFrame *bottom, const AVFrame *like, AVFrame *out);

#endif
