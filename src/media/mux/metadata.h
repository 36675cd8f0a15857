// What describes a file or a stream, from the input to the output: tags, chapters, side data.

#ifndef KSR_MEDIA_MUX_METADATA_H
#define KSR_MEDIA_MUX_METADATA_H

#include "media/mux/packets.h"

// All four return 0 or an AVERROR.

// Copies tags, but not those that describe the input file, nor, with `reencoded`, its packets.
int ksr_copy_tags(AVDictionary **to, const AVDictionary *from, bool reencoded);

// Copies the time code alone.
int ksr_copy_time_code(AVDictionary **to, const AVDictionary *from);

// Copies chapters, cut as the film is; with `keep_tags`, their titles too, else with `titled` empty
// ones: without any, MP4 and MOV have no track of chapters, which some players look for.
int ksr_copy_chapters(AVFormatContext *to, const AVFormatContext *from, const struct ksr_cut *cut,
                      bool keep_tags, bool titled);

// Copies side data of the stream itself: all of it, or of the processed video what stays true.
int ksr_copy_side_data(AVStream *to, const AVStream *from, bool is_video);

#endif
