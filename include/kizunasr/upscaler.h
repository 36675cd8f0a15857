// Upscaling frames that a program has in memory: frames in, frames out, no files.
//
// The stages are those of a job (job.h), and so are the bytes: frames that go through here are the
// ones that ksr_upscale() hands to its encoder for the same source frames and settings.
//
//     struct ksr_frame_format format = {
//         .width = 640, .height = 480, .pixel_format = "rgb24"};
//     struct ksr_processor_config config = ksr_processor_config_default();
//     ksr_upscaler *upscaler = NULL;
//     config.pipeline.denoise = 0;
//     status = ksr_upscaler_create(&upscaler, ctx, &config, &format, NULL);
//     const struct ksr_upscaler_info *info = ksr_upscaler_info(upscaler);
//     // room for info->output_rows[0] rows of info->output_row_bytes[0] bytes in `out`
//     status = ksr_upscaler_frame(upscaler, 0, &in, &out);
//     ksr_upscaler_destroy(&upscaler);
//
// ksr_upscaler_frame() makes one frame at a time. A GPU works on several at once, which
// ksr_upscaler_push() and ksr_upscaler_pull() make use of:
//
//     for each frame:             push it; with more than info->delay frames held: pull one
//     after the last one:         pull until none is held
//
// Frames have numbers, because the temporal stage (enable_temporal) depends on the frames before:
// a frame whose number is one more than that of the last one follows it, any other number begins
// anew. Frame n is the same as in a run from frame 0 on if the `info->warmup` frames before it (or
// all, if there are fewer) went through ksr_upscaler_warm_up() or came out before it. Without the
// temporal stage `warmup` is 0 and frames may come in any order.
//
// With `composite` a frame depends on two after it too: it is the same as in a run to the last
// frame if these, or as many as there are, were pushed before it is pulled. `delay` makes it so.
// Where they are not to come out, hand them to ksr_upscaler_warm_up() while those before them are
// held.
//
// What counts of the configuration: `pipeline`, and of `encoder` the members pixel_format (of the
// frames that come out; "auto": that of the input) and dither. All else is about files; it is
// ignored and may be missing. What `pipeline` says about files is refused, unless it has its
// default: deinterlace, inverse_telecine, crop (let the planes begin further inside), rotate,
// film_grain; so are ai_fallback, and what needs a whole video or measures the machine:
// KSR_AUTO (which is the default of denoise), "auto" for descale and ai_model_path, and grain
// without its strength. "auto" for ai_variant is the first variant, which is for all sources, of
// the network that is named, however clean they are; ai_chroma is as in a job; ai_temporal is off
// (with anime-web and anime-dvd set enable_temporal, and motion_threshold to 0.05, as a job does).

#ifndef KIZUNASR_UPSCALER_H
#define KIZUNASR_UPSCALER_H

#include <stddef.h>
#include <stdint.h>

#include "kizunasr/job.h"

#ifdef __cplusplus
extern "C" {
#endif

// Thread-safety: one thread at a time per object, any thread; objects may share a context only if
// they are used by the same thread.
typedef struct ksr_upscaler ksr_upscaler;

#define KSR_FRAME_PLANES 4

// What frames are. All zero but the first three = nothing more is known.
struct ksr_frame_format {
    int width, height; // in pixels, 1 .. 65535
    // FFmpeg's name: YCbCr as "yuv420p", "yuv444p10", grey as "gray", "gray16", RGB as "rgb24",
    // "rgb48", "gbrp" (planes), with alpha as "yuva420p", "rgba". Integers of up to 16 bits;
    // without "le" or "be" at the end in the byte order of the machine. Palettes are refused.
    const char *pixel_format;
    const char *range;  // "limited" or "full"; NULL: of YCbCr limited, of grey and RGB full
    const char *matrix; // FFmpeg's name, such as "bt709", "smpte170m"; NULL: unspecified
    // FFmpeg's name, such as "left", "center", "topleft"; NULL: unspecified, treated as left
    const char *chroma_location;
    int sample_aspect_num, sample_aspect_den; // for `fit`; 0 = unknown
};

// The planes of a frame in the order of FFmpeg: Y, Cb, Cr; G, B, R; or one plane of whole pixels;
// alpha last. Samples of more than 8 bits are uint16_t; plane and stride must be multiples of 2
// then. `stride` is the distance of two rows in bytes, negative where the last row comes first in
// memory. Planes that come in are only read, and may overlap each other, but not those that come
// out.
struct ksr_frame_planes {
    void *plane[KSR_FRAME_PLANES]; // first sample of the first row
    ptrdiff_t stride[KSR_FRAME_PLANES];
};

// What an upscaler takes and gives. Strings are owned by the upscaler.
struct ksr_upscaler_info {
    struct ksr_frame_format input;  // as given, what was NULL still NULL
    struct ksr_frame_format output; // with the tags that go with the frames
    // Planes of a frame; of each how many rows it has and how many bytes are used of a row. Strides
    // must be at least that long.
    int input_planes, output_planes;
    size_t input_row_bytes[KSR_FRAME_PLANES], output_row_bytes[KSR_FRAME_PLANES];
    int input_rows[KSR_FRAME_PLANES], output_rows[KSR_FRAME_PLANES];
    int input_sample_bytes, output_sample_bytes; // 1, or 2 for uint16_t
    int delay;       // frames that may be held before one must be pulled; on the processor 0, or 2
                     // with composite
    int warmup;      // frames before a frame that it depends on; 0 without temporal and composite
    char engine[96]; // of the model: "native", "ONNX Runtime 1.30.0 on cpu"; "" without AI
};

// *out: new object, owned by the caller, free with ksr_upscaler_destroy(); NULL on failure.
// ctx: receives messages; may be NULL; must outlive the object.
// config, format, options: borrowed during the call; options may be NULL. Of the options threads,
// device (one: "auto", "cpu", "vulkan", "vulkan:N") and onnxruntime_library are used.
// Returns KSR_OK, KSR_E_PARAM (a setting or format that is wrong or that frames cannot have),
// KSR_E_MODEL, KSR_E_NOMEM.
KSR_API KSR_MUST_USE ksr_status ksr_upscaler_create(ksr_upscaler **out, ksr_context *ctx,
                                                    const struct ksr_processor_config *config,
                                                    const struct ksr_frame_format *format,
                                                    const struct ksr_run_options *options);

// Frees *upscaler and sets it to NULL. Accepts NULL and a pointer to NULL.
KSR_API void ksr_upscaler_destroy(ksr_upscaler **upscaler);

// Returns what it takes and gives, valid until ksr_upscaler_destroy(); NULL if upscaler is NULL.
KSR_API const struct ksr_upscaler_info *ksr_upscaler_info(const ksr_upscaler *upscaler);

// Returns what runs the stages, such as "cpu" or "NVIDIA H200 (NVIDIA 580.65.06)"; "cpu" too once a
// GPU has failed. Valid until ksr_upscaler_destroy().
KSR_API const char *ksr_upscaler_device(const ksr_upscaler *upscaler);

// The next four functions return KSR_OK, or
//   KSR_E_PARAM      a wrong argument or order of calls; nothing has changed
//   KSR_E_PROCESS, KSR_E_NOMEM, KSR_E_CANCELLED
// After one of the latter the frames that were held are lost, and so is what the temporal stage
// remembers, as after ksr_upscaler_reset(); planes that were to be filled are undefined.

// Makes one frame: ksr_upscaler_push() and ksr_upscaler_pull() without copying the input. No other
// frame may be held. Refused with composite, which needs the frames after it.
KSR_API KSR_MUST_USE ksr_status ksr_upscaler_frame(ksr_upscaler *upscaler, int64_t number,
                                                   const struct ksr_frame_planes *in,
                                                   const struct ksr_frame_planes *out);

// Hands in frame `number`, from 0. in: borrowed during the call. No more than info->delay + 1
// frames may be held. When fewer than that were held at a pull, nothing may be pushed before all
// are pulled.
KSR_API KSR_MUST_USE ksr_status ksr_upscaler_push(ksr_upscaler *upscaler, int64_t number,
                                                  const struct ksr_frame_planes *in);

// Fills `out` with the oldest frame that is held, waiting for it as long as it takes.
// *number: of that frame; may be NULL.
KSR_API KSR_MUST_USE ksr_status ksr_upscaler_pull(ksr_upscaler *upscaler,
                                                  const struct ksr_frame_planes *out,
                                                  int64_t *number);

// Shows the temporal stage and composite frame `number`, which does not come out. No frame may be
// held, but where it follows these for composite: then all must be pulled before the next one.
// Without both it does nothing.
KSR_API KSR_MUST_USE ksr_status ksr_upscaler_warm_up(ksr_upscaler *upscaler, int64_t number,
                                                     const struct ksr_frame_planes *in);

// Returns how many frames were pushed and not pulled.
KSR_API int ksr_upscaler_held(const ksr_upscaler *upscaler);

// Drops the frames that are held, and what the temporal stage remembers. Accepts NULL.
KSR_API void ksr_upscaler_reset(ksr_upscaler *upscaler);

#ifdef __cplusplus
}
#endif

#endif
