// Parts of a frame that was enlarged, but for what was put over it afterwards: credits and text
// hold detail that no drawing of a smaller size has. Such parts are kept as they are.
//
// They show as samples that the drawing, enlarged again, does not bring back. Cells of 8x8 samples
// that have some of these are marked. Weights of cells are marks, grown and softened, 0 to
// KSR_KEPT_FULL; those of samples of the output lie between them, linear along both axes.

#ifndef KSR_STAGES_KEPT_H
#define KSR_STAGES_KEPT_H

#include "frame/frame.h"

#define KSR_KEPT_CELL      8         // edge of a cell, in samples of the frame
#define KSR_KEPT_DIFFERENT (12 << 7) // 12 codes of 8 bits, which coding noise hardly reaches
#define KSR_KEPT_LEAST     3         // samples so different that mark a cell
#define KSR_KEPT_GROW      2         // cells around a marked one that are kept too
#define KSR_KEPT_FULL      256       // weight of a sample that is wholly kept

// Returns how many cells cover so many samples.
int ksr_kept_cells(int size);

// Fills the row of cells that begins at row y of frame: 1 for those that are marked, else 0. again:
// the same rows, of the drawing enlarged again.
void ksr_kept_mark_row(const struct ksr_plane *marks, const struct ksr_plane *frame,
                       const struct ksr_plane *again, int y);

// Fills the weights of all cells. grown: of the same size; overwritten. Returns whether any weight
// is not 0.
bool ksr_kept_weigh(const struct ksr_plane *weights, const struct ksr_plane *grown,
                    const struct ksr_plane *marks);

// Returns where sample i of an axis of the output lies among cells, in 1 / KSR_KEPT_FULL of a cell.
// from, to: samples of luma along it of the frame and of the output. shift: of the plane's
// subsampling.
int32_t ksr_kept_place(int i, int shift, int from, int to);

// Blends rows y0 .. y1-1 of `kept`, the frame at the size of the output, into dst. x, y: places of
// all columns and rows.
void ksr_kept_rows(const struct ksr_plane *dst, const struct ksr_plane *kept,
                   const struct ksr_plane *weights, const int32_t *x, const int32_t *y, int y0,
                   int y1);

#endif
