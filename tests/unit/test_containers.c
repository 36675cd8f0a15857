// The table of containers: media/container/containers.c, beside FFmpeg's muxers and demuxers and
// the table of docs/containers.md.

#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "media/av/ffmpeg.h"
#include "media/container/containers.h"

#define EACH_ROW(row, i)                                                                           \
    const struct ksr_container *row;                                                               \
    for (size_t i = 0; (row = ksr_container_at(i)); i++)

static void test_names(void **state)
{
    (void)state;
    EACH_ROW(row, i)
    {
        if (!av_guess_format(row->name, NULL, NULL))
            fail_msg("%s is no muxer", row->name);
        for (const char *at = row->demuxer; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
            char one[32];
            snprintf(one, sizeof(one), "%.*s", (int)strcspn(at, ","), at);
            if (!av_find_input_format(one))
                fail_msg("%s: %s is no demuxer", row->name, one);
        }
        if (row->instead && !av_guess_format(row->instead, NULL, NULL))
            fail_msg("%s: %s is no muxer", row->name, row->instead);
        if (row->label && av_guess_format(row->label, NULL, NULL))
            fail_msg("%s: the label %s is another muxer", row->name, row->label);
        if (ksr_container_of(row->name) != row)
            fail_msg("%s has two rows", row->name);
    }
}

// Members that belong together.
static void test_members(void **state)
{
    (void)state;
    EACH_ROW(row, i)
    {
        const AVOutputFormat *muxer = av_guess_format(row->name, NULL, NULL);
        const bool untimed = (muxer->flags & AVFMT_NOTIMESTAMPS) && !muxer->codec_tag &&
                             muxer->audio_codec == AV_CODEC_ID_NONE && !row->images;
        if (row->raw != untimed)
            fail_msg("%s: raw is %d, FFmpeg's flags say %d", row->name, row->raw, untimed);
        if (row->raw && !row->counts_frames)
            fail_msg("%s: nothing but the number of a frame tells its time", row->name);
        if (row->video && !avcodec_find_encoder((enum AVCodecID)row->video))
            fail_msg("%s: nothing encodes its video", row->name);
        if ((row->full_language || row->disabled_flag || row->crop || row->whole_chapters) &&
            row->parts != KSR_PARTS_EBML)
            fail_msg("%s: only elements of Matroska are patched so", row->name);
        if (row->index_first &&
            !av_opt_find((void *)&muxer->priv_class, "movflags", NULL, 0, AV_OPT_SEARCH_FAKE_OBJ))
            fail_msg("%s has no movflags", row->name);
    }
}

static void test_lookup(void **state)
{
    (void)state;
    assert_string_equal(ksr_container_read_by("matroska,webm")->name, "matroska");
    assert_string_equal(ksr_container_read_by("mov,mp4,m4a,3gp,3g2,mj2")->name, "mp4");
    assert_string_equal(ksr_container_read_by("mpegts")->name, "mpegts");
    assert_string_equal(ksr_container_read_by("mpeg")->name, "mpeg");
    assert_true(ksr_container_read_by("mpegvideo")->raw);
    assert_true(ksr_container_read_by("jpeg_pipe")->images);
    assert_null(ksr_container_read_by("mpegtsraw")->name);
    assert_true(ksr_container_of("rawvideo")->raw); // has no row, but FFmpeg's flags
    assert_false(ksr_container_of("image2")->raw);
    assert_null(ksr_container_of("no such")->name);
    assert_string_equal(ksr_container_labelled("mkv")->name, "matroska");
    assert_string_equal(ksr_container_label("matroska"), "mkv");
    assert_string_equal(ksr_container_label("mp4"), "mp4");
    assert_null(ksr_container_labelled("mp4"));
}

// --- The table of the documentation ---

static const char *const columns[] = {"matroska", "mp4", "mov", "webm", "mpegts", "avi"};

// Copies cell `number` of a line of the table, without spaces around it.
static void copy_cell(const char *line, int number, char out[64])
{
    while (number-- > 0 && line)
        line = strchr(line + 1, '|');
    assert_non_null(line);
    line += strspn(line, "| ");
    size_t length = strcspn(line, "|");
    while (length > 0 && line[length - 1] == ' ')
        length--;
    snprintf(out, 64, "%.*s", (int)length, line);
}

static const char *yes(bool held)
{
    return held ? "yes" : "no";
}

// The rows of the page that containers.c decides, by how they begin.
enum fact { COVER, CHAPTERS, EDITIONS, TIME_CODE, TITLE, LINKS, LANGUAGE, DISABLED, RATE, FACTS };
static const char *const titles[FACTS] = {
    "cover art",         "chapters", "their languages, editions", "timecode", "title of", "UUIDs",
    "full language tag", "disabled", "variable frame rate"};

// What a cell says; NULL: the container's row does not decide it.
static const char *expected(int fact, const struct ksr_container *row)
{
    static const char *const time_codes[] = {"no", "tag", "yes"};
    switch (fact) {
    case COVER: return row->cover_attached ? "attachment" : NULL;
    case CHAPTERS: return yes(row->chapters == KSR_CHAPTERS_KEPT);
    case TIME_CODE: return time_codes[row->time_code];
    case TITLE: return row->keeps_tags ? "yes" : NULL; // AVI has it too; `verify` does not ask
    case LANGUAGE: return yes(row->full_language);
    case DISABLED: return yes(row->disabled_flag);
    case RATE: return ksr_container_needs_rate(row) ? "no: exit status 2" : "yes";
    default: return yes(row->whole_chapters); // EDITIONS, LINKS
    }
}

static void compare_row(const char *line, int fact)
{
    char cell[64];
    for (int i = 0; i < 6; i++) {
        const char *wanted = expected(fact, ksr_container_of(columns[i]));
        copy_cell(line, i + 1, cell);
        if (wanted && strcmp(cell, wanted) != 0)
            fail_msg("containers.md, '%s' of %s: %s instead of %s", titles[fact], columns[i], cell,
                     wanted);
    }
}

static void test_documentation(void **state)
{
    char line[512], title[64];
    bool found[FACTS] = {false};
    (void)state;
    FILE *page = fopen(KSR_DOCS_SOURCE "/containers.md", "r");
    assert_non_null(page);
    while (fgets(line, sizeof(line), page) && strncmp(line, "| | mkv | mp4 | mov |", 21) != 0)
        continue;
    while (fgets(line, sizeof(line), page) && *line == '|') {
        copy_cell(line, 0, title);
        for (int fact = 0; fact < FACTS; fact++)
            if (strncmp(title, titles[fact], strlen(titles[fact])) == 0) {
                compare_row(line, fact);
                found[fact] = true;
            }
    }
    fclose(page);
    for (int fact = 0; fact < FACTS; fact++)
        if (!found[fact])
            fail_msg("the table of containers.md has no row '%s' (any more)", titles[fact]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_lookup),
        cmocka_unit_test(test_documentation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
