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
// The members of the structs are made from src/config/options.toml by `make generate`.
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

// How telecine is undone. `true` of a bool is KSR_TELECINE_FILM.
typedef enum ksr_inverse_telecine {
    KSR_TELECINE_OFF = 0,   // frames are left as they are
    KSR_TELECINE_FILM = 1,  // all of the video is telecined: four frames of five are left
    KSR_TELECINE_MIXED = 2, // film, video of 30 frames a second and interlaced video, in any order
} ksr_inverse_telecine;

// Of a number that the job works out by itself.
#define KSR_AUTO (-1.0)

// The stages between decoder and encoder. At their neutral value they leave frames untouched.
struct ksr_pipeline_config {
    // generate-options: pipeline
    // Stage 3: a network upscales instead of filters (default false).
    bool use_ai;
    // Output size / input size per axis without AI (2 or 4; default 2).
    int shader_scale;
    // A network that kizunasr models lists; auto: the best that is fast enough on this machine; or
    // path of a .ksrnet or .onnx file (NULL: the default model).
    const char *ai_model_path;
    // Variant of a network that has some (kizunasr models NAME); auto: the one that suits the
    // source, as measured; a clean one gets anime-best instead of anime-web and anime-dvd. A second
    // doubling (4x) is by general (default "auto").
    const char *ai_variant;
    // Network that enlarges chroma of 4:2:0, sited left, instead of filters and guided_chroma: one
    // that kizunasr models lists, or path of a .ksrnet file; auto: the one that goes with the
    // network of luma, if there is one; off: none (default "auto").
    const char *ai_chroma;
    // Auto: before a network for coded video (anime-web, anime-dvd), enable_temporal is on, with a
    // motion_threshold of 0.05 unless another is given; off: only where it is asked for (auto or
    // off; default "auto").
    const char *ai_temporal;
    // Output size / input size per axis with AI (2 or 4; default 2).
    int ai_scale;
    // Edge of the tiles of .onnx models, in input pixels (32 to 4096; default 512).
    int ai_tile_size;
    // Overlap of neighbouring tiles, in input pixels (0 to 512; default 64).
    int ai_tile_overlap;
    // Engine that runs the model; auto: ONNX Runtime for .onnx files, else the built-in engine
    // (auto, native or onnxruntime; default "auto").
    const char *ai_engine;
    // Input of an .onnx model (luma or rgb; default "luma").
    const char *ai_color;
    // Value of white in an .onnx model; auto: detected (auto, 1 or 255; default "auto").
    const char *ai_white;
    // If the model cannot be used, continue without AI and with a warning (default false).
    bool ai_fallback;
    // Convert interlaced frames to progressive: frame (or true) one per frame, field one per field
    // (default KSR_DEINTERLACE_OFF).
    ksr_deinterlace deinterlace;
    // Undo telecine: film (or true) makes 23.976 frames per second of 29.97, mixed does so only
    // where there is telecine and keeps all other frames (default KSR_TELECINE_OFF).
    ksr_inverse_telecine inverse_telecine;
    // Part of the input frames to process, as width:height:x:y (NULL: the whole frame).
    const char *crop;
    // Keep the rotation in the input's metadata, or rotate the frames (keep or apply; default
    // "keep").
    const char *rotate;
    // Film grain that the decoder synthesizes (AV1, H.264, HEVC); off: decode without it (keep or
    // off; default "keep").
    const char *film_grain;
    // Largest size within this, such as 1920x1080, scaled down from the 2x or 4x result (NULL: as
    // it comes).
    const char *fit;
    // Remove dot crawl and rainbows, the faults of composite video, where frames are held; auto:
    // 0.2 where the input has dot crawl (of NTSC), 0 where it has none; 0: off; 0.2: usual
    // (KSR_AUTO or 0 to 1; default 0).
    double composite;
    // Undo the enlargement of a video that was drawn at a smaller size, and upscale from there;
    // auto: as measured, off where nothing is clear; or size and kernel, such as 1280x720:bicubic
    // (default "off").
    const char *descale;
    // Move chroma to the right by so many input pixels, in steps of 1/8 for 4:2:0; below 0: to the
    // left (-8 to 8; default 0).
    double chroma_shift_x;
    // Move chroma down by so many input pixels; below 0: up (-8 to 8; default 0).
    double chroma_shift_y;
    // Smooth the seams between the 8x8 blocks of MPEG-2, MPEG-4 and H.264; auto: 0.5, as DVDs need,
    // where the input has such blocks, 0 where it has none; 0: off (KSR_AUTO or 0 to 1; default 0).
    double deblock;
    // Take off halos: bright and dark rims beside lines, which sharpening left; auto: 0.25 where
    // the input has them, 0 where it has none; 0: off; 0.5: as sharpened discs need (KSR_AUTO or 0
    // to 1; default 0).
    double dehalo;
    // Stage 1: removal of compression noise; auto: as strong as the input needs, 0 if it is clean
    // (KSR_AUTO or 0 to 1; default KSR_AUTO).
    double denoise;
    // Smooth gradients instead of bands, on the input's frames; 0: off; 0.25: bands of one code of
    // 8 bits (0 to 1; default 0).
    double deband;
    // Stage 2: smoothing that preserves lines; 0: off (0 to 1; default 0).
    double structure_smoothing;
    // Smooth the stairs of lines that were drawn, enlarged or doubled without anti-aliasing; 0:
    // off; 1: in full (0 to 1; default 0).
    double antialias;
    // Stage 3: edges of 4:2:0 chroma are rebuilt as luma has them; 0: off; 1: in full (0 to 1;
    // default 0).
    double guided_chroma;
    // Stage 4: sharpening without halos; 0: off (0 to 2; default 0).
    double sharpening;
    // Stage 4: darkens thin lines; 0: off (0 to 1; default 0).
    double line_darkening;
    // Stage 4: factor on luma around mid grey; 1: unchanged (0 to 4; default 1.0).
    double contrast_boost;
    // Stage 4: factor on chroma; 1: unchanged (0 to 4; default 1.0).
    double saturation_boost;
    // Stage 5: reduce flicker in static areas (default false).
    bool enable_temporal;
    // Stage 5: share of the previous output frame in static areas (0 to 0.98; default 0.97).
    double temporal_weight;
    // Stage 5: difference that counts as motion, as a fraction of full scale (0 to 1; default 0.1).
    double motion_threshold;
    // Film grain of the input: keep; remove; or a number: taken out before upscaling and put back
    // after it, so many times as strong as it was measured to be (default "keep").
    const char *grain;
    // generate-options: end
};

// One option passed to the encoder as it is. Both strings are borrowed.
struct ksr_encoder_option {
    const char *key;
    const char *value;
};

// The encoder and the container. Strings are borrowed and never NULL unless said.
struct ksr_encoder_config {
    // generate-options: encoder
    // Video encoder; auto: libx264, for images, GIF, APNG, MPEG-PS and raw streams by extension
    // (default "auto").
    const char *codec;
    // Pixel format of the output; auto: that of the input, or the nearest that the encoder supports
    // (default "auto").
    const char *pixel_format;
    // Constant quality: 0 is lossless, higher is worse and smaller; up to 51 for x264 and x265 (0
    // to 63; default 18).
    int crf;
    // Encoding speed against file size (default "medium").
    const char *preset;
    // Average video bit rate over the whole output, in bits per second, such as 5M; overrides crf
    // (NULL: crf decides).
    const char *bitrate;
    // Encoder for re-encoded audio; auto: aac, a lossless encoder for lossless audio that cannot be
    // copied, or another one if the container does not support AAC (default "auto").
    const char *audio_codec;
    // For re-encoded audio, in bits per second (default "192k").
    const char *audio_bitrate;
    // Container; auto: by the extension of the output, else mp4 (default "auto").
    const char *format;
    // Ordered dither when reducing to 8 bits (default true).
    bool dither;
    // Passed to the encoder unchanged.
    const struct ksr_encoder_option *encoder_options;
    size_t encoder_option_count;
    // generate-options: end
};

typedef enum ksr_frame_error_policy {
    KSR_FRAME_ERROR_ABORT = 0,  // stop with KSR_E_PROCESS at the first frame that fails
    KSR_FRAME_ERROR_REPEAT = 1, // show the last good frame again in its place
    KSR_FRAME_ERROR_SKIP = 2,   // leave a gap in time
} ksr_frame_error_policy;

// A whole job. Paths are borrowed.
struct ksr_processor_config {
    // generate-options: processor: input_path output_path
    // File to read, or an image sequence such as in%05d.png (required).
    const char *input_path;
    // File to write; appears when it is complete and checked (required).
    const char *output_path;
    // generate-options: end
    struct ksr_pipeline_config pipeline; // JSON: "pipeline"
    struct ksr_encoder_config encoder;   // JSON: "encoder"
    // generate-options: processor, not: input_path output_path
    // Frame rate of an input image sequence (NULL: 24).
    const char *framerate;
    // Exact timestamps of a constant frame rate that the container rounded (default false).
    bool cfr;
    // Copy audio; false: re-encode every track (default true).
    bool audio_passthrough;
    // Copy the tags of file and streams (default true).
    bool preserve_metadata;
    // Start at the first frame at or after this time, counted from the first frame of the input
    // (seconds, mm:ss or hh:mm:ss; NULL: at the first frame).
    const char *start;
    // Length of the range (seconds, mm:ss or hh:mm:ss; NULL: at the end of the input).
    const char *duration;
    // If a frame cannot be decoded: stop, repeat the last good frame, or leave a gap (default
    // KSR_FRAME_ERROR_ABORT).
    ksr_frame_error_policy on_frame_error;
    // Video stream to upscale, from 1; 0: the default one, else the first (0 to 255; default 0).
    int video;
    // Audio tracks to keep: all, none, or numbers from 1 and languages (default "all").
    const char *audio;
    // Subtitle tracks to keep, as for audio (default "all").
    const char *subs;
    // Subtitle files to add, one a line, as FILE or FILE:LANGUAGE (NULL: none).
    const char *sub;
    // generate-options: end
};

KSR_API struct ksr_pipeline_config ksr_pipeline_config_default(void);
KSR_API struct ksr_encoder_config ksr_encoder_config_default(void);
KSR_API struct ksr_processor_config ksr_processor_config_default(void);

// One field as people write it: for help texts, bindings and completions. Strings are static.
struct ksr_config_field {
    const char *object;         // "pipeline", "encoder" or "processor"
    const char *name;           // field name, such as "shader_scale"
    const char *type;           // "bool", "int", "number", "string" or "map"
    const char *range;          // such as "2 or 4", "0 to 63"; "" = any
    const char *default_value;  // as text; "" = none
    const char *help;           // one line
    double minimum, maximum;    // of "int" and "number", where there are no choices
    bool takes_auto;            // "number": the word "auto" too
    bool nullable;              // may have no value: NULL, null in JSON
    const char *const *choices; // all values, ended by NULL; NULL = no list
    const char *group;          // where help lists it: "main", "picture", "encoder" or "audio"
    const char *value_name;     // what help calls its value, such as "N" or "WxH"
    const char *const
        *suggestions;  // values to offer, where any will do, ended by NULL; NULL = none
    const char *brief; // `help` in 47 columns, of what most people need; else NULL
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

// Sets fields from a JSON file of up to three nested objects "pipeline", "encoder", "processor", or
// to those of the run that a provenance record is of.
// Returns KSR_OK, KSR_E_PARAM (missing or malformed file, unknown name, value out of range; the
// configuration may be partly changed), KSR_E_NOMEM.
KSR_API KSR_MUST_USE ksr_status ksr_config_load(ksr_config *config, const char *path);

// Sets what a kind of source needs: "dvd", "web" or "bluray" (docs/manual.md, "Kinds of sources"
// has their settings; ksr_source_find() tells which one a file is). Call it before other settings
// are set, which override it. Returns KSR_OK, KSR_E_PARAM (no such kind; logged), KSR_E_NOMEM.
KSR_API KSR_MUST_USE ksr_status ksr_config_source(ksr_config *config, const char *name);

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
