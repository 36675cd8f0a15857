// What is known of each video encoder: one row per encoder. A rule about an encoder is a member
// here, and code asks for the member, never for a name.
//
// Zero is what holds for an encoder that nobody has looked at: its options say whether it has a crf
// and presets, and its bytes are not promised.
//
// Encoders in hardware are rows like any other, never `promised`: their bytes belong to a GPU and
// its driver. Their --crf and --preset are lists of options that stand for them.

#ifndef KSR_MEDIA_ENCODE_CODECS_H
#define KSR_MEDIA_ENCODE_CODECS_H

#include <stdbool.h>
#include <stddef.h>

struct ksr_codec_option {
    const char *name, *value; // both NULL: none
};

// An option whose value follows from the crf: base + crf * percent / 100, from `least` to `most`.
struct ksr_codec_scale {
    const char *name; // NULL: none
    int base, percent, least, most;
};

#define KSR_CODEC_SCALES 3

// Whether a decoder takes grey frames as limited or full range.
enum ksr_grey {
    KSR_GREY_TAGGED = 0, // as they are tagged, else as full
    KSR_GREY_LIMITED,    // as limited, tagged or not: they are decoded as 4:2:0
    KSR_GREY_FULL,       // as full: there are no tags
};

// The parameter sets that a stream begins with.
enum ksr_parameter_sets {
    KSR_SETS_OTHER = 0,
    KSR_SETS_H264,
    KSR_SETS_HEVC,
};

// Where GPU and driver of an encoder in hardware are found out (hardware.c).
enum ksr_driver {
    KSR_DRIVER_SYSTEM = 0, // they are part of the operating system
    KSR_DRIVER_NVIDIA,
    KSR_DRIVER_VAAPI,
    KSR_DRIVER_AMD,
};

struct ksr_codec {
    const char *name; // FFmpeg's encoder; NULL = all encoders of `id` that have no row
    int id;           // enum AVCodecID of what it makes

    // --- Bytes ---
    bool promised; // they are the same on every machine (docs/determinism.md). Wrong: segments of
                   // two machines differ, and nobody is warned
    int cores; // that one encoder keeps busy with the threads pinned below; 0 = 1. Wrong: too many
               // or too few workers
    struct ksr_codec_option options[2]; // set first; those of the user win
    const char *params_key; // option that takes a list key=value:key=value; NULL = none. What
                            // follows is for that list
    const char *pins;       // what must not depend on the machine; wins over the user. Wrong:
                            // as `promised`
    const char *plain_c;    // what turns SIMD off, for `--cpu c`
    bool pool;              // takes `pools`, of any size but none, for the same bytes

    // --- Quality ---
    int max_crf;      // 0 = no crf, or what its options say. Wrong: a valid crf is refused
    int quality_base; // with a quality_step: what --crf stands for where there is no crf,
    int quality_step; // quality_base + crf / quality_step; 0 = a quantizer from 2 to 9
    struct ksr_codec_scale quality;   // the same, of another form; it has no name
    struct ksr_codec_option constant; // set where there is no bit rate: constant quality
    struct ksr_codec_scale scales[KSR_CODEC_SCALES]; // options that stand for a crf. Wrong: a run
                                                     // looks worse, or is larger, than its crf says
    bool lossless; // always: takes neither a bit rate nor a crf. Wrong: those are
                   // refused, or have no effect
    struct ksr_codec_option crf_zero; // makes crf 0 lossless
    const char *crf_zero_params;      // the same, in the list
    const char *rate_params; // in the list where there is a bit rate, unless the user has any of
                             // it: segments are short, and meet their rate when held closely
    const char *level_key;   // in the list: fixes the level, which depends on the bit rate. Wrong:
                             // segments have different parameter sets
    enum ksr_parameter_sets sets;               // where the level is read
    bool presets;                               // its preset option knows the names that x264 has
    const struct ksr_codec_option (*speeds)[2]; // options that stand for those names; NULL = none

    // --- Hardware ---
    bool hardware;                // a GPU or another chip encodes, which a machine may not have
    enum ksr_driver driver;       // in the key. Wrong: segments of two GPUs are joined
    int device;                   // enum AVHWDeviceType: opened for it. Wrong: the key may name
                                  // another GPU
    bool uploads;                 // takes frames of that device alone. Wrong: it does not open
    struct ksr_codec_option wish; // set where this FFmpeg's encoder has it; that of the user wins
    bool full_range;      // of its frames, by definition. Wrong: colours are too strong or too weak
    const char *surfaces; // pixel formats that `auto` chooses from, with spaces between; NULL =
                          // what the encoder lists. Wrong: it does not open, or drops bits

    // --- Frames ---
    int min_size;       // least width and height; 0 = 1. Wrong: a crash, or a size that is refused
    bool sliced;        // slices are set by the size (ffv1). Wrong: other bytes
    bool any_time_base; // takes the time base of every input. Wrong: it does not open
    bool few_rates;     // has a frame rate in its header, and no other time. Wrong: wrong speed
    bool whole;         // packets follow from all before them: the video is one segment. Wrong:
                        // a broken picture at every cut
    bool needs_frame;   // must see a frame and the end before it is closed. Wrong: hangs
    bool drops_repeats; // makes no data of a frame like the one before (theora.h). Wrong: frames
                        // are lost
    struct ksr_codec_option unordered; // set for containers without reordering (no B-frames).
                                       // Wrong: decoders hold the first frames back

    // --- What goes along ---
    enum ksr_grey grey;           // Wrong: grey is too dark or too bright
    const char *mastering_params; // keys of HDR10's metadata, in the list; NULL = by the container.
    const char *light_params;     // Wrong: it does not open, or HDR10 is lost
    bool even_captions; // captions of all frames must have one size. Wrong: it writes behind
                        // its buffers

    bool suggested; // in messages, to a container that takes it
};

// Returns the row of an FFmpeg encoder: its own, that of all encoders of its codec, or the one for
// any encoder. Never NULL.
const struct ksr_codec *ksr_codec_of(const char *encoder);

// Returns the place of a preset among the names that x264 has, the fastest first; -1 if it is none.
int ksr_preset_place(const char *name);

// Returns the name at a place; NULL behind the last.
const char *ksr_preset_at(size_t place);

// Returns what stands for a crf where the encoder has none: a quantizer, or a quality.
int ksr_codec_quality(const struct ksr_codec *codec, int crf);

// Returns the value of an option that stands for a crf.
int ksr_codec_scaled(const struct ksr_codec_scale *scale, int crf);

// Returns the encoder to use where one in hardware does not open: of the same codec, in software,
// and in this FFmpeg. NULL = there is none, or the encoder is not one in hardware.
const char *ksr_codec_in_software(const char *encoder);

// The rows, in the order in which messages suggest them. Returns NULL behind the last.
const struct ksr_codec *ksr_codec_at(size_t index);

#endif
