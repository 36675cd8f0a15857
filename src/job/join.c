// Join: writes the segments' packets in order, between the packets of the other streams; then
// checks the output and renames it into place.
//
// Decode timestamps are made here, for the whole video. Each segment comes from an encoder of its
// own, which starts with a delay for reordered frames, so its own decode timestamps would overlap
// those of the segment before. Instead, packet n of the output is decoded at the presentation time
// of frame n - delay, where delay is the largest of all segments. Packets are stored in decode
// order, and packet n shows a frame r with n - r <= delay; so n - delay <= r, which is dts <= pts,
// and dts increase as the timestamps of frames do. This needs distinct timestamps (the plan makes
// them so) and the true delay: store.c counts it from the packets, whatever the encoder said. A
// delay for each segment would make dts jump at the boundaries.

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check/check.h"
#include "check/judge.h"
#include "config/config.h"
#include "core/background.h"
#include "core/image_sequence.h"
#include "core/mem.h"
#include "core/pool.h"
#include "job/images.h"
#include "job/provenance.h"
#include "job/store.h"
#include "job/subs.h"
#include "job/timings.h"
#include "job/work.h"
#include "media/av/checksum.h"
#include "media/av/pixel_format.h"

// The frames that have a packet, in presentation order, and which packets belong to a segment.
struct joining {
    ksr_context *ctx;
    const struct ksr_job *job;
    const struct ksr_run_options *options;
    size_t *frames; // frame of the film per output frame
    size_t frame_count;
    size_t *first;                  // per segment: its first output frame
    struct ksr_segment_info *infos; // per segment
    const char *part;               // temporary name of the output, or pattern of names
    uint32_t delay;                 // frames between decode and presentation order
    size_t written;
    struct ksr_warnings warnings; // of the writing
    char failed[256]; // what the check found wrong and options->accept takes as it is; else empty
    struct ksr_join_result result;
};

static ksr_status list_frames(struct joining *j, int number, const struct ksr_segment_info *info)
{
    const struct ksr_segment_plan *s = &j->job->manifest.segments[number];
    uint32_t skipped = 0;
    j->first[number] = j->frame_count;
    for (size_t i = 0; i < s->count; i++) {
        if (skipped < info->skipped_count && info->skipped[skipped] == i)
            skipped++;
        else
            j->frames[j->frame_count++] = s->first + i;
    }
    if (j->frame_count - j->first[number] != info->packets)
        return ksr_fail(j->ctx, KSR_E_PROCESS, "segment %d: %zu frames, %u packets", number,
                        j->frame_count - j->first[number], info->packets);
    if (strcmp(info->headers, j->job->manifest.encoder.headers) != 0)
        return ksr_fail(j->ctx, KSR_E_PROCESS, "segment %d was encoded with different settings",
                        number);
    j->result.repeated += info->repeated_count;
    j->result.skipped += info->skipped_count;
    if (info->delay > j->delay)
        j->delay = info->delay;
    return KSR_OK;
}

static ksr_status survey_segments(struct joining *j)
{
    const struct ksr_manifest *m = &j->job->manifest;
    int missing = 0;
    ksr_status status = KSR_OK;
    for (int i = 0; status == KSR_OK && i < m->segment_count; i++) {
        bool valid;
        status = ksr_segment_check(j->ctx, j->job->folder, i, m->id, &valid, &j->infos[i]);
        if (status == KSR_OK && valid)
            status = list_frames(j, i, &j->infos[i]);
        missing += !valid;
    }
    if (status == KSR_OK && missing > 0)
        status = ksr_fail(j->ctx, KSR_E_PROCESS, "%d of %d segments are missing or damaged",
                          missing, m->segment_count);
    return status;
}

// Timestamp of an output frame; extrapolated before the first one, for the first decode timestamps.
static int64_t time_at(const struct joining *j, int64_t place)
{
    const struct ksr_film_frame *frames = j->job->manifest.film.frames;
    if (place >= 0)
        return frames[j->frames[place]].time;
    const struct ksr_film_frame *first = &frames[j->frames[0]];
    return first->time + place * first->duration;
}

// output: NULL writes an image sequence.
static ksr_status write_segment(struct joining *j, ksr_output *output, int number)
{
    ksr_segment_reader *reader;
    const struct ksr_manifest *m = &j->job->manifest;
    const struct ksr_film_frame *frames = m->film.frames;
    ksr_status status =
        ksr_segment_reader_open(j->ctx, j->job->folder, number, j->infos[number].checksum, &reader);
    while (status == KSR_OK) {
        uint32_t rank;
        bool key;
        const void *data;
        size_t size;
        status = ksr_segment_reader_packet(j->ctx, reader, &rank, &key, &data, &size);
        if (status != KSR_OK || !data)
            break;
        const size_t shown = j->first[number] + rank;
        if (shown >= j->frame_count) {
            status = ksr_fail(j->ctx, KSR_E_PROCESS, "segment %d is damaged", number);
            break;
        }
        status = output
                     ? ksr_output_video(j->ctx, output, data, size, time_at(j, (int64_t)shown),
                                        time_at(j, (int64_t)j->written - j->delay),
                                        frames[j->frames[shown]].duration, key)
                     : ksr_images_write(j->ctx, j->part, m->output.first + (int)shown, data, size);
        j->written++;
        ksr_report_progress(
            j->ctx, &(struct ksr_progress){.phase = KSR_PHASE_JOIN,
                                           .done = (int64_t)j->written,
                                           .total = (int64_t)j->frame_count,
                                           .output_size = output ? ksr_output_size(output) : 0});
        if (status == KSR_OK)
            status = ksr_check_cancel(j->ctx);
    }
    ksr_segment_reader_close(&reader);
    return status;
}

static ksr_status write_output(struct joining *j, const char *path)
{
    const struct ksr_manifest *m = &j->job->manifest;
    ksr_output *output = NULL;
    ksr_status status = KSR_OK;
    for (int i = 0; m->output.sequence && status == KSR_OK && i < m->segment_count; i++)
        status = write_segment(j, NULL, i);
    if (m->output.sequence)
        return status;
    status =
        ksr_output_open(j->ctx, path, m->input_path, &m->film, &m->encoder, &m->output, &output);
    for (int i = 0; status == KSR_OK && i < m->segment_count; i++)
        status = write_segment(j, output, i);
    if (status == KSR_OK)
        status = ksr_output_finish(j->ctx, output);
    ksr_output_close(&output);
    return status;
}

static ksr_status accept_failure(struct joining *j, const char *failed)
{
    snprintf(j->failed, sizeof(j->failed), "%s", failed);
    j->result.accepted = true;
    ksr_log(j->ctx, KSR_LOG_WARNING, "verification failed, output accepted ({accept=true}): %s",
            failed);
    return KSR_OK;
}

// Says what failed, where the file is, and what to type to have it all the same.
static ksr_status refuse_failure(const struct joining *j, const char *failed)
{
    char *folder = ksr_shell_quote(j->job->folder);
    const ksr_status status =
        folder ? ksr_fail(j->ctx, KSR_E_VERIFY,
                          "verification failed: %s; the finished file is kept as %s, and kizunasr "
                          "join %s --accept puts it in place",
                          failed, j->part, folder)
               : ksr_fail_memory(j->ctx);
    free(folder);
    return status;
}

// --- The quick check ---

#define FULL_RANGE       2 // in FFmpeg's numbers
#define SAMPLED_SEGMENTS 4
#define SAMPLED_FRAMES   2  // of each segment
#define SAMPLED_LATER    32 // frames between those of a segment, added up over all, at most

// Chooses frames to look at, from segments all over the film. Returns how many.
static size_t choose_places(const struct joining *j, struct ksr_picture_place *places)
{
    const struct ksr_manifest *m = &j->job->manifest;
    const int step = (m->segment_count + SAMPLED_SEGMENTS - 1) / SAMPLED_SEGMENTS;
    const size_t most = SAMPLED_LATER / (size_t)((m->segment_count + step - 1) / step);
    size_t count = 0;
    for (int i = 0; i < m->segment_count; i += step) {
        const size_t end = i + 1 < m->segment_count ? j->first[i + 1] : j->frame_count;
        const size_t kept = end - j->first[i];
        const size_t later = kept / 2 < most ? kept / 2 : most;
        for (size_t k = 0; k < SAMPLED_FRAMES && k * later < kept; k++) {
            const size_t output = j->first[i] + k * later;
            places[count++] =
                (struct ksr_picture_place){j->frames[output], output, m->segments[i].from};
        }
    }
    return count;
}

// Colours that are read otherwise than they were coded. Frames that are counted would have to be
// decoded up to the sampled ones: there the first segment says enough.
static ksr_status sample_colours(const struct joining *j, struct ksr_checks *checks,
                                 const char *path, const struct ksr_film *output)
{
    const struct ksr_manifest *m = &j->job->manifest;
    const struct ksr_processor_config *config = ksr_config_get(m->config);
    struct ksr_picture_place places[SAMPLED_SEGMENTS * SAMPLED_FRAMES];
    struct ksr_pictures pictures = {0};
    const struct ksr_picture_pair pair = {.input_path = m->input_path,
                                          .output_path = path,
                                          .input = &m->film,
                                          .output = output,
                                          .pipeline = &config->pipeline};
    size_t count = choose_places(j, places);
    if ((m->film.linear || output->linear) && count > SAMPLED_FRAMES)
        count = SAMPLED_FRAMES;
    // Said elsewhere: a wrong count, and a full range that the container does not keep.
    const bool told = m->encoder.format.color_range != FULL_RANGE || output->format.color_range;
    if (output->frame_count != j->frame_count || !told)
        return KSR_OK;
    if (config->pipeline.use_ai)
        return KSR_OK; // networks may have colours of their own
    struct ksr_layout layout;
    int bits;
    if (!ksr_pixels_layout(&m->encoder.format, &layout, &bits) || layout.planes < 3)
        return KSR_OK; // grey, as plan has said
    ksr_status status = ksr_pictures_sample(j->ctx, &pair, places, count, &pictures);
    if (status == KSR_OK)
        status = ksr_judge_sample(j->ctx, checks, &pictures);
    ksr_pictures_free(&pictures);
    return status;
}

// The two parts of the check, each on a thread of its own.
struct checking {
    struct joining *j;
    struct ksr_made made;
    struct ksr_checks rest, colours;
};

static ksr_status check_rest(struct checking *c)
{
    struct joining *j = c->j;
    const struct ksr_manifest *m = &j->job->manifest;
    double shift_ms;
    const ksr_status status = ksr_check_film(j->ctx, &c->rest, m->input_path, &m->film, j->frames,
                                             j->frame_count, &c->made, KSR_DECODE_SOME, &shift_ms);
    return status == KSR_OK && !m->output.image
               ? ksr_check_streams(j->ctx, &c->rest, m->input_path, &m->film, &c->made, shift_ms,
                                   m->output.carry, NULL, KSR_DECODE_SOME)
               : status;
}

static ksr_status check_colours(void *arg)
{
    struct checking *c = arg;
    return sample_colours(c->j, &c->colours, c->made.path, c->made.film);
}

// Colours say nothing of a file that is not what was meant anyway.
static ksr_status check_both(struct checking *c)
{
    ksr_background *background;
    ksr_status status = ksr_background_create(c->j->ctx, &background);
    if (status != KSR_OK)
        return status;
    ksr_background_start(background, check_colours, c);
    status = check_rest(c);
    if (status == KSR_OK && !ksr_checks_first_failure(&c->rest))
        status = ksr_background_wait(background);
    else
        ksr_background_drop(background);
    ksr_background_destroy(&background);
    return status;
}

// What a reader of the new file sees against what was meant.
static ksr_status check_output(struct joining *j, const char *path)
{
    struct ksr_film output;
    struct checking c = {.j = j, .made = {.path = path, .film = &output}};
    ksr_status status = ksr_check_readable(j->ctx, &c.rest, path, &output, &c.made.raw);
    if (status == KSR_OK && !ksr_checks_first_failure(&c.rest))
        status = check_both(&c);
    const char *failed = ksr_checks_first_failure(&c.rest);
    if (!failed)
        failed = ksr_checks_first_failure(&c.colours);
    if (ksr_is_unreadable(status) || status == KSR_E_PROCESS) {
        failed = "the output cannot be checked"; // why is said already
        status = KSR_OK;
    }
    if (status == KSR_OK && failed)
        status = j->options->accept ? accept_failure(j, failed) : refuse_failure(j, failed);
    ksr_film_free(&output);
    ksr_checks_free(&c.rest);
    ksr_checks_free(&c.colours);
    return status;
}

// Reading the output twice, each on a thread of its own: the checksum of a long one takes seconds,
// as its check does.
struct reading {
    struct joining *j;
    ksr_status status[2]; // of the check, of the checksum
    char sha256[KSR_SHA256_TEXT];
    int64_t bytes;
};

static void read_output(void *arg, int i, int thread)
{
    struct reading *r = arg;
    (void)thread;
    r->status[i] = i == 0 ? check_output(r->j, r->j->part)
                          : ksr_media_sha256(r->j->ctx, r->j->part, r->sha256, &r->bytes);
}

static ksr_status check_and_record(struct joining *j)
{
    struct reading r = {.j = j};
    ksr_pool *pool = ksr_pool_create(2);
    ksr_pool_run(pool, read_output, &r, 2); // one after the other when there is no pool
    ksr_pool_destroy(&pool);
    for (int i = 0; i < 2; i++)
        if (r.status[i] != KSR_OK)
            return r.status[i];
    const ksr_status status = ksr_provenance_make(j->ctx, j->job, j->infos, r.bytes, r.sha256,
                                                  &j->warnings, j->failed[0] ? j->failed : NULL);
    return status == KSR_OK
               ? ksr_times_gather(j->ctx, j->job, j->result.devices, sizeof(j->result.devices))
               : status;
}

static ksr_status publish(const struct joining *j)
{
    const struct ksr_manifest *m = &j->job->manifest;
    ksr_status status = ksr_job_note_done(j->ctx, j->job, j->part);
    if (status == KSR_OK && j->options->keep_date)
        status = ksr_fs_copy_date(j->ctx, m->input_path, j->part);
    if (status != KSR_OK)
        return status;
    if (!m->output.sequence)
        return ksr_fs_publish(j->ctx, j->part, m->output_path);
    // From here on files stand under their final names: a run that is stopped may go on.
    status = ksr_job_note_publishing(j->ctx, j->job);
    if (status == KSR_OK)
        status =
            ksr_images_publish(j->ctx, j->part, m->output_path, m->output.first, j->frame_count);
    return status;
}

static void remove_part(const struct joining *j)
{
    const struct ksr_manifest *m = &j->job->manifest;
    if (m->output.sequence)
        ksr_images_remove(j->part, m->output.first, j->frame_count);
    else
        unlink(j->part);
}

// An output that came up meanwhile is not ours to replace.
static ksr_status refuse_output(const struct joining *j)
{
    const char *path = j->job->manifest.output_path;
    if (j->options->overwrite || !ksr_sequence_exists(path) || ksr_job_was_publishing(j->job))
        return KSR_OK;
    return ksr_fail(j->ctx, KSR_E_EXISTS,
                    "output file exists: %s (use {overwrite=true} to replace it)", path);
}

// Two runs with work folders of their own could have the same output.
static ksr_status lock_part(const struct joining *j, int *lock)
{
    const struct ksr_manifest *m = &j->job->manifest;
    if (m->output.sequence)
        return KSR_OK;
    char *busy = ksr_format("another run is writing %s", m->output_path);
    const ksr_status status =
        busy ? ksr_fs_lock_file(j->ctx, j->part, true, busy, lock) : ksr_fail_memory(j->ctx);
    free(busy);
    return status;
}

// The lock, unless the run that held it until now has written the output.
static ksr_status take_part(const struct joining *j, int *lock)
{
    ksr_status status = lock_part(j, lock);
    if (status != KSR_OK)
        return status;
    status = refuse_output(j);
    if (status != KSR_OK && *lock >= 0 && ksr_fs_size(j->part) == 0)
        unlink(j->part); // which the lock has made
    if (status != KSR_OK)
        ksr_fs_unlock(lock);
    return status;
}

// The part, checked, under its name. After a failure nothing is left of it, unless it is whole and
// its check failed.
static ksr_status make_output(struct joining *j)
{
    int lock = -1;
    ksr_status status = take_part(j, &lock);
    if (status != KSR_OK)
        return status;
    ksr_warnings_collect(j->ctx, &j->warnings);
    status = write_output(j, j->part);
    ksr_warnings_collect(j->ctx, NULL);
    if (status == KSR_OK)
        status = check_and_record(j);
    if (status == KSR_OK)
        status = refuse_output(j); // from whoever does not ask for the lock
    if (status == KSR_OK)
        status = publish(j);
    if (status != KSR_OK && status != KSR_E_VERIFY)
        remove_part(j);
    ksr_fs_unlock(&lock);
    return status;
}

ksr_status ksr_join_run(ksr_context *ctx, const struct ksr_job *job,
                        const struct ksr_run_options *options, struct ksr_join_result *result)
{
    const struct ksr_manifest *m = &job->manifest;
    struct joining j = {.ctx = ctx, .job = job, .options = options};
    j.frames = calloc(m->film.frame_count, sizeof(j.frames[0]));
    j.first = calloc((size_t)m->segment_count, sizeof(j.first[0]));
    j.infos = calloc((size_t)m->segment_count, sizeof(j.infos[0]));
    char *part = m->output.sequence ? ksr_sequence_part(m->output_path)
                                    : ksr_fs_beside(m->output_path, ".part");
    j.part = part;
    ksr_status status = j.frames && j.first && j.infos && part ? KSR_OK : ksr_fail_memory(ctx);
    if (status == KSR_OK)
        status = ksr_manifest_check_input(ctx, m, false);
    if (status == KSR_OK)
        status = ksr_subs_check(ctx, m, true); // upscale has worked for hours since
    if (status == KSR_OK)
        status = survey_segments(&j);
    if (status == KSR_OK && j.frame_count == 0)
        status = ksr_fail(ctx, KSR_E_PROCESS, "every frame was skipped");
    if (status == KSR_OK)
        status = make_output(&j);
    *result = j.result;
    result->frames = (int64_t)j.frame_count;
    result->size = status == KSR_OK ? ksr_sequence_size(m->output_path) : 0;
    for (int i = 0; j.infos && i < m->segment_count; i++)
        ksr_segment_info_free(&j.infos[i]);
    ksr_warnings_free(&j.warnings);
    free(part);
    free(j.infos);
    free(j.frames);
    free(j.first);
    return status;
}
