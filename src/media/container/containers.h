// What is known of each container: one row per muxer. A rule about a container is a member here,
// and code asks for the member, never for a name.
//
// Plan does not trust the table alone: trials (mapping/trial.h) write each stream and read it back.
// So a wrong row mostly costs a warning or a re-encoded track; each member says what else.
//
// Zero is what holds for a container that nobody has looked at: times as they are, nothing of
// Matroska or MP4, trials decide the rest.
//
// The folder media/container:
//   takes        the name of a container, bytes of a file
//   gives        what it can hold; parts of files that FFmpeg does not read or write
//   may include  media/av and below

#ifndef KSR_MEDIA_CONTAINER_CONTAINERS_H
#define KSR_MEDIA_CONTAINER_CONTAINERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Where a file's timestamps begin.
enum ksr_start {
    KSR_START_KEPT = 0, // where they are told to, also below zero
    KSR_START_ZERO,     // always at zero
    KSR_START_POSITIVE, // the muxer moves all streams so that no decode timestamp is negative
};

// What is known of its chapters.
enum ksr_chapters {
    KSR_CHAPTERS_UNKNOWN = 0, // a trial tells, and `verify` does not ask for them
    KSR_CHAPTERS_KEPT,        // `verify` fails where they differ
    KSR_CHAPTERS_LOST,        // plan warns where the input has any
};

// How it says the time code of the first frame.
enum ksr_time_code {
    KSR_TIME_CODE_LOST = 0,
    KSR_TIME_CODE_TAG,   // as a tag, so only with --preserve-metadata
    KSR_TIME_CODE_TRACK, // as a track that the muxer makes of the stream's tag
};

// How its parts are written that FFmpeg does not read or write, and that this folder does.
enum ksr_parts {
    KSR_PARTS_NONE = 0,
    KSR_PARTS_EBML,  // elements of Matroska
    KSR_PARTS_BOXES, // boxes of MP4 and MOV
};

struct ksr_container {
    // --- Names ---
    const char *name;    // FFmpeg's muxer. NULL in the rows for containers that have none
    const char *demuxer; // FFmpeg's demuxer (one of its names), or several with commas, where it is
                         // not called so
    const char *label;   // what messages call it and --format takes too; NULL = `name`
    const char *instead; // muxer to take where the output's extension leads to this one; NULL =
                         // itself. Wrong: the name of a file chooses what nobody can read

    // --- Video ---
    int video;       // enum AVCodecID that players expect here; 0 = libx264, or the only codec that
                     // FFmpeg names for it. Wrong: other bytes without --codec
    int trial_video; // enum AVCodecID of the video beside a trial's stream; 0 = MJPEG, or what
                     // FFmpeg prefers. Wrong: empty tracks and attachments are dropped
    uint32_t hevc_tag; // codec tag of HEVC; 0 = the muxer's. Wrong: players do not open the video
    bool frames_in_packets; // the muxer takes AVFrames, with the frame rate as time base (Y4M)
    bool unlisted_video; // FFmpeg's list of its codecs is not complete: only a trial header tells
    bool raw;            // stream of one codec: no times, no other streams
    bool images; // image files: no container at all, and (read) no times. MJPEG is read so, too

    // --- Times ---
    enum ksr_start start;  // Wrong: frames are lost at the start, or `verify` fails for a shift
    bool start_varies;     // a trial begins elsewhere than the whole file. Wrong: every copied
                           // stream fails its trial
    bool counts_frames;    // frame n is shown at n / rate: no timestamps. Wrong: an input of
                           // variable frame rate is accepted and plays at the wrong speed
    bool incomplete_times; // frames that begin in one packet with another have none (MPEG-PS).
                           // Wrong: as above
    bool counts_theora;    // as counts_frames, for Theora only
    bool trusted_times;    // a trial need not see whether video keeps its times. Wrong: a shift of
                           // video goes unnoticed until the final check
    bool no_reordering;    // frames are stored in the order of display: no B-frames. Wrong: frames
                           // play out of order
    bool late_header;      // MP4 in fragments: the header is written after the first fragment, so
                           // that it says where each track begins. Wrong: all begin at zero
    bool no_audio_times;   // audio begins at zero and has no holes: silence goes there, and what is
                           // before zero is cut. Wrong: audio out of sync
    bool subtracts_delay;  // demuxers subtract the pre-skip of Opus, which it keeps, from
                           // timestamps. Wrong: Opus is late by it
    bool stores_decode_times; // (read) decode timestamps are those of the file. Wrong: jumps of
                              // audio are repaired that are none
    bool tells_all; // (read) the header names all streams, packets have their timestamps. Wrong:
                    // who opens a file again sees other timestamps than its index
    bool seeks_by_byte; // (read) has no index: a keyframe is found by its byte position. Wrong:
                        // every segment reads the input from its start

    // --- What it keeps ---
    bool holds_all;      // no other container would keep more. Wrong: warnings name a container
                         // that does not help
    bool keeps_tags;     // (read) language and title of every stream, and the file's title. Wrong:
                         // `verify` fails, or does not see a lost tag
    bool full_language;  // BCP 47 languages (track_language.h). Wrong: a patch finds no room
    bool disabled_flag;  // FlagEnabled (track_flags.h). Wrong: as above
    bool crop;           // the crop of a track (aperture.h). Wrong: as above
    bool whole_chapters; // chapters byte by byte, and links to other files. Wrong: as above
    bool cover_attached; // a cover image is an attachment. Wrong: players show it as video
    bool default_video;  // tells which video to show. Wrong: players show the one not upscaled
    bool aac_headers;    // AAC has headers in its packets, so that it may change midway. Wrong:
                         // the rest of the track is noise or silence
    enum ksr_chapters chapters;
    bool titled_chapters; // chapters without titles vanish. Wrong: they do
    enum ksr_time_code time_code;

    // --- The file ---
    enum ksr_parts parts; // patches.h: patched when the file is closed. Wrong: a join that ends
                          // with an error
    bool index_first;     // the index is moved to the front. Wrong: no playback before the whole
                          // file is there, or a muxer that refuses the option
};

// Returns the row of an FFmpeg muxer; where there is none, one for streams of a single codec or one
// for any container. Never NULL.
const struct ksr_container *ksr_container_of(const char *muxer);

// Returns the row of what an FFmpeg demuxer (AVInputFormat.name) reads: the first that has it.
// Never NULL.
const struct ksr_container *ksr_container_read_by(const char *demuxer);

// Returns the row with that label; NULL if there is none.
const struct ksr_container *ksr_container_labelled(const char *label);

// Returns the name that people know a container by, of its muxer.
const char *ksr_container_label(const char *muxer);

// Returns whether frame n can be shown at n / rate only.
bool ksr_container_needs_rate(const struct ksr_container *container);

// Returns whether the first frame is always shown at 0.
bool ksr_container_begins_at_zero(const struct ksr_container *container);

// The rows with a name, for tests. Returns NULL behind the last.
const struct ksr_container *ksr_container_at(size_t index);

#endif
