// Descaling on a GPU, with the bits of stages/descale.h and stages/kept.h: the drawing of a frame,
// and the parts of the frame that it does not bring back, put over what the chains make of it.

#ifndef KSR_VULKAN_DRAWING_H
#define KSR_VULKAN_DRAWING_H

#include "frame/kernel.h"
#include "vulkan/fit.h"

// --- The kernels; they fill all of dst ---

// Of struct ksr_descale_axis.
struct ksr_gpu_descale_axis {
    uint64_t first, weights; // addresses
    int taps, bits;
};

// Copies the tables of an axis to `data`, where there is any. offset: in it; moves on, by a
// multiple of 4. Returns the axis, with offsets in place of addresses.
struct ksr_gpu_descale_axis ksr_gpu_descale_put(const struct ksr_descale_axis *axis, char *data,
                                                size_t *offset);

// Filters columns or rows: one of the two passes of ksr_descale_rows().
void ksr_gpu_descale(struct ksr_gpu_commands *commands, const struct ksr_gpu_stages *stages,
                     const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *src,
                     const struct ksr_gpu_descale_axis *axis, bool along_y);

// ksr_kept_mark_row() of all rows. high: the drawing, enlarged along columns; axis: enlarges it
// along rows.
void ksr_gpu_kept_marks(struct ksr_gpu_commands *commands, const struct ksr_gpu_stages *stages,
                        const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *frame,
                        const struct ksr_gpu_plane *high, const struct ksr_gpu_descale_axis *axis);

// ksr_kept_weigh().
void ksr_gpu_kept_weights(struct ksr_gpu_commands *commands, const struct ksr_gpu_stages *stages,
                          const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *marks);

// ksr_kept_rows() of a plane of the frame that is fitted to dst on the way. x, y: addresses of
// places.
void ksr_gpu_kept(struct ksr_gpu_commands *commands, const struct ksr_gpu_stages *stages,
                  const struct ksr_gpu_plane *dst, const struct ksr_gpu_plane *frame,
                  const struct ksr_gpu_plane *weights, uint64_t x, uint64_t y,
                  const struct ksr_gpu_fit *fit, int plane);

// --- Drawings ---

// Frames follow each other on the compute queue, so all that is between is there once.
struct ksr_gpu_drawing {
    struct ksr_layout input;
    struct ksr_chroma_shift_params shift;       // of what is kept
    struct ksr_gpu_descale_axis down[2], up[2]; // along rows, along columns
    uint64_t x[2], y[2]; // addresses of places of luma and of chroma: ksr_kept_place()
    struct ksr_gpu_buffer tables;
    struct ksr_gpu_fit rest, kept; // chroma and alpha to the drawing; the frame to the output

    struct ksr_gpu_buffer arena; // holds the planes
    struct ksr_gpu_plane narrow; // luma, of the frame's width and the drawing's height
    struct ksr_gpu_plane high;   // the other way around
    struct ksr_gpu_plane columns[KSR_MAX_PLANES], moved[KSR_MAX_PLANES];
    struct ksr_gpu_plane marks, weights; // of cells
};

// *out: free with ksr_gpu_drawing_free(), which accepts all zero. shift: of the chroma of what is
// kept. Returns KSR_OK; KSR_E_NOMEM, KSR_E_PROCESS with *out all zero.
KSR_MUST_USE ksr_status ksr_gpu_drawing_create(struct ksr_gpu *gpu, struct ksr_gpu_drawing *out,
                                               const struct ksr_layout *input,
                                               const struct ksr_layout *drawn,
                                               const struct ksr_layout *output,
                                               enum ksr_kernel kernel,
                                               const struct ksr_chroma_shift_params *shift);
void ksr_gpu_drawing_free(struct ksr_gpu *gpu, struct ksr_gpu_drawing *drawing);

// Fills the planes of the drawing of a frame.
void ksr_gpu_drawing_make(struct ksr_gpu_commands *commands, const struct ksr_gpu_stages *stages,
                          const struct ksr_gpu_drawing *drawing,
                          const struct ksr_gpu_plane drawn[KSR_MAX_PLANES],
                          const struct ksr_gpu_plane frame[KSR_MAX_PLANES]);

// Finds what a drawing does not bring back of its frame, and puts that over the output's planes.
void ksr_gpu_drawing_keep(struct ksr_gpu_commands *commands, const struct ksr_gpu_stages *stages,
                          const struct ksr_gpu_drawing *drawing,
                          const struct ksr_gpu_plane output[KSR_MAX_PLANES],
                          const struct ksr_gpu_plane drawn[KSR_MAX_PLANES],
                          const struct ksr_gpu_plane frame[KSR_MAX_PLANES]);

#endif
