// What a job does: three plain structs, and an owner for those who set them from text.
//
// A C program fills the structs itself, starting from the defaults:
//
//     struct ksr_processor_config config = ksr_processor_config_default();
//     config.input_path = "input.mkv";
//     config.output_path = "output.mkv";
//     config.pipeline.shader_scale = 4;
//
// Programs that read names and values (the command line, JSON, a binding) use ksr_config, which
// keeps the strings, checks names and ranges, and says what is wrong:
//
//     ksr_config *config = NULL;
//     status = ksr_config_create(&config, ctx);
//     status = ksr_config_set(config, "shader_scale", "4");
//     status = ksr_upscale(ctx, ksr_config_get(config), NULL, &result);
//     ksr_config_destroy(&config);
//
// Everything here can change the output's bytes. What cannot (threads, progress, the place of the
// work folder) is in struct ksr_run_options, job.h.

#ifndef KIZUNASR_CONFIG_H
#define KIZUNASR_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "kizunasr/context.h"

#ifdef __cplusplus
extern "C" {
#endif

// What becomes of interlaced frames. `true` of a bool is KSR_DEINTERLACE_FRAME.
typedef enum ksr_deinterlace {
    KSR_DEINTERLACE_OFF = 0,   // frames are left as they are
    KSR_DEINTERLACE_FRAME = 1, // one whole frame for each of them
    KSR_DEINTERLACE_FIELD = 2, // one whole frame for each of their fields: twice the frame rate
} ksr_deinterlace;

// Of a number that the job works out by itself.
#define KSR_AUTO (-1.0)

// The stages between decoder and encoder. At their neutral value they leave frames untouched.
struct ksr_pipeline_config {
    bool use_ai;               // stage 3 is a network instead of filters; default false
    int shader_scale;          // output size / input size per axis without AI: 2 (default) or 4
    const char *ai_model_path; // name of a bundled model or path of a .ksrnet or .onnx file; NULL =
                               // the default
    int ai_scale;              // output size / input size per axis with AI: 2 (default) or 4
    int ai_tile_size;          // tile edge in input pixels, 32..4096; default 512
    int ai_tile_overlap;       // overlap of neighbouring tiles in input pixels, 0..512; default 64
    const char *ai_engine;     // "native", "onnxruntime", or "auto" (default): by the model's file
    const char *ai_color;      // what an .onnx model sees: "luma" (default), or "rgb"
    const char *ai_white;      // value of white in an .onnx model: "1", "255", or "auto" (default)
    bool ai_fallback;          // go on without AI where the model cannot be used; default false
    ksr_deinterlace deinterlace; // fields to whole frames before stage 1; KSR_DEINTERLACE_OFF
    bool inverse_telecine;       // leave out the frames that telecine added; default false
    const char *crop;   // "W:H:X:Y": the part of the decoded frame that is processed; NULL = all
    const char *rotate; // "apply": turn frames as the file says; "keep" (default): hand it on
    const char *film_grain; // "off": decode without film grain; "keep" (default)
    const char *fit; // "1920x1080": the largest size within, scaled down from the result; NULL
    double denoise;  // stage 1, strength of coding noise clean-up, 0 (off) .. 1, or KSR_AUTO
                     // (default): measured when the job is planned; 0 where the source is clean
    double structure_smoothing; // stage 2, strength of edge-aware smoothing, 0 (off) .. 1; 0
    double sharpening;          // stage 4, 0 (off, default) .. 2
    double line_darkening;      // stage 4, 0 (off, default) .. 1
    double contrast_boost;      // stage 4, factor on luma around mid grey, 0 .. 4; default 1.0
    double saturation_boost;    // stage 4, factor on chroma, 0 .. 4; default 1.0
    bool enable_temporal;       // stage 5; default false
    double temporal_weight;     // share of the previous output where still, 0 .. 0.9; default 0.15
    double motion_threshold; // difference that counts as motion, of full scale, 0..1; default 0.1
};

// One option passed to the encoder as it is. Both strings are borrowed.
struct ksr_encoder_option {
    const char *key;
    const char *value;
};

// The encoder and the container. Strings are borrowed and never NULL unless said.
struct ksr_encoder_config {
    const char *codec; // FFmpeg encoder name, or "auto" (default): libx264, or what the output
                       // asks for (images, GIF, MPEG-PS, raw streams: by extension)
    const char *pixel_format; // FFmpeg pixel format name; default "auto" (see docs/manual.md)
    int crf;                  // constant quality, 0 = lossless .. 63; x264 and x265 end at 51; 18
    const char *preset;       // speed against size, ultrafast .. placebo; default "medium"
    const char *bitrate;      // bits per second, "5M", "800k", "1000000"; overrides crf; NULL
    const char *audio_codec;  // FFmpeg encoder name for audio that is encoded, or "auto" (default):
                              // aac, or another that the container takes or that loses nothing
    const char *audio_bitrate; // for audio that is encoded; default "192k"
    const char *format;        // FFmpeg container name; default "auto" (extension, else mp4)
    bool dither;               // ordered dither when going down to 8 bits; default true
    const struct ksr_encoder_option *encoder_options; // extra options; NULL if there are none
    size_t encoder_option_count;
};

typedef enum ksr_frame_error_policy {
    KSR_FRAME_ERROR_ABORT = 0,  // stop with KSR_E_PROCESS at the first frame that fails
    KSR_FRAME_ERROR_REPEAT = 1, // show the last good frame again in its place
    KSR_FRAME_ERROR_SKIP = 2,   // leave a gap in time
} ksr_frame_error_policy;

// A whole job. Paths are borrowed.
struct ksr_processor_config {
    const char *input_path;              // file to read; required
    const char *output_path;             // file to write; required
    struct ksr_pipeline_config pipeline; // JSON: "pipeline"
    struct ksr_encoder_config encoder;   // JSON: "encoder"
    const char *framerate; // of an image sequence that is read: "24", "24000/1001"; NULL = 24
    bool cfr; // exact timestamps of the constant frame rate that milliseconds hide; default false
    bool audio_passthrough; // copy audio packets; false = encode every track
    bool preserve_metadata; // copy tags of container and streams; default true
    const char *start;      // begin there: "90", "1:30", "0:01:30.250" from the first frame; NULL
    const char *duration;   // end this long after the start, written alike; NULL = at the end
    ksr_frame_error_policy on_frame_error; // default KSR_FRAME_ERROR_ABORT
    int video; // number of the video stream to upscale, from 1; 0 = the default one, else the first
    const char *audio; // tracks to carry: "all", "none", numbers from 1 and languages: "2,jpn"
    const char *subs;  // the same of subtitles
    const char *sub;   // subtitle files to add, one a line: "FILE" or "FILE:LANGUAGE"; NULL = none
};

KSR_API struct ksr_pipeline_config ksr_pipeline_config_default(void);
KSR_API struct ksr_encoder_config ksr_encoder_config_default(void);
KSR_API struct ksr_processor_config ksr_processor_config_default(void);

// One field as people write it: for help texts, bindings and completions. Strings are static.
struct ksr_config_field {
    const char *object;        // "pipeline", "encoder" or "processor"
    const char *name;          // field name, such as "shader_scale"
    const char *type;          // "bool", "int", "number", "string" or "map"
    const char *range;         // such as "2 or 4", "0 to 63"; "" = any
    const char *default_value; // as text; "" = none
    const char *help;          // one line
};

// Returns all fields in the order of the structs; *count: how many. Static.
KSR_API const struct ksr_config_field *ksr_config_fields(size_t *count);

// A job's configuration together with its strings.
// Thread-safety: one thread at a time per object.
typedef struct ksr_config ksr_config;

// *out: new object with all defaults, owned by the caller; NULL on failure.
// ctx: receives messages; must outlive the object.
// Returns KSR_OK, KSR_E_PARAM, KSR_E_NOMEM.
KSR_API KSR_MUST_USE ksr_status ksr_config_create(ksr_config **out, ksr_context *ctx);

// Frees *config and sets it to NULL. Accepts NULL and a pointer to NULL.
KSR_API void ksr_config_destroy(ksr_config **config);

// Sets one field from text. name: a field name of any of the three objects, such as "crf".
// value: booleans are true/false, yes/no, 1/0, on/off; "null" clears a string whose default is
// none; "encoder_options" takes one "key=value" and adds it.
// Returns KSR_OK, KSR_E_PARAM (unknown name, or a value out of range; the message names the field
// and the range; the configuration is unchanged), KSR_E_NOMEM.
KSR_API KSR_MUST_USE ksr_status ksr_config_set(ksr_config *config, const char *name,
                                               const char *value);

// Sets fields from a JSON file of up to three nested objects "pipeline", "encoder", "processor".
// Returns KSR_OK, KSR_E_PARAM (missing or malformed file, unknown name, value out of range; the
// configuration may be partly changed), KSR_E_NOMEM.
KSR_API KSR_MUST_USE ksr_status ksr_config_load(ksr_config *config, const char *path);

// Returns the structs, valid until the next ksr_config_set/_load/_destroy.
KSR_API const struct ksr_processor_config *ksr_config_get(const ksr_config *config);

// *out: the configuration as indented JSON, owned by the caller, free with ksr_free().
// Returns KSR_OK, KSR_E_PARAM, KSR_E_NOMEM.
KSR_API KSR_MUST_USE ksr_status ksr_config_json(const struct ksr_processor_config *config,
                                                char **out);

// *out: the JSON Schema (draft 2020-12) of the files that ksr_config_load() reads, owned by the
// caller, free with ksr_free(). Returns KSR_OK, KSR_E_PARAM, KSR_E_NOMEM.
KSR_API KSR_MUST_USE ksr_status ksr_config_schema(char **out);

// Frees memory that a function of this library handed out, where its comment says so.
KSR_API void ksr_free(void *memory);

#ifdef __cplusplus
}
#endif

#endif
