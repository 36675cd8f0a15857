// What output.c and output_tracks.c share.

#ifndef KSR_MEDIA_MUX_OUTPUT_PARTS_H
#define KSR_MEDIA_MUX_OUTPUT_PARTS_H

#include "media/av/memory.h"
#include "media/container/containers.h"
#include "media/container/patches.h"
#include "media/encode/audio_encoder.h"
#include "media/encode/text_subtitles.h"
#include "media/index/side_data.h"
#include "media/input/input.h"
#include "media/mux/output.h"
#include "media/mux/packets.h"

// A stream of the input on its way into the output.
struct track {
    AVStream *in, *out; // out: NULL when it is dropped
    ksr_audio *audio;   // KSR_CARRY_ENCODE only
    ksr_text *text;     // KSR_CARRY_CONVERT only
    bool attached;      // its one packet is in the header: nothing follows
    int64_t last_in;    // decode time of the packet before, in the input's time base
    int last_size;      // its bytes
    int64_t last_dts;   // in the output's time base
    int64_t rescale;    // state of av_rescale_delta()
    int64_t delay;      // added to all times, in the output's time base
    int bumped;         // packets moved because their decode times did not rise
};

struct ksr_output {
    struct ksr_input input;
    struct ksr_extras extras;       // of the video
    struct ksr_video_format source; // of the frames that the stages get
    struct ksr_cut cut;
    ksr_packets *packets; // of the other streams
    AVFormatContext *format;
    const struct ksr_output_plan *plan;
    const struct ksr_container *container; // of the plan
    AVRational film_base;
    int64_t shift;        // taken off every time, in the film's time base
    struct track *tracks; // one per stream of the input
    struct track *video;
    int video_delay; // frames between decoding and display, as the encoder says
    AVPacket *held;  // next packet of the other streams
    bool holding, input_ended;
    AVPacket *packet;
    char *path;
    struct ksr_memory *memory; // of a trial, else NULL
    bool unfinished;           // there is a header, but no trailer
    AVStream *neighbour;       // of a trial that needs one, else NULL
    int64_t size;
    bool alpha;                 // of the video stands behind its packets (alpha.h)
    struct ksr_patches patches; // of the file when it is closed
};

// Makes the streams of an output that is being opened, with tags and chapters.
// Returns KSR_OK, KSR_E_INPUT (it has other streams than planned), KSR_E_NOMEM, ...
ksr_status ksr_output_add_tracks(ksr_context *ctx, ksr_output *o,
                                 const struct ksr_encoder_settings *settings);

#endif
