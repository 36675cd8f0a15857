// Subtitles of MP4 that are not on by default: media/container/track_flags.c, with headers of
// tracks in both forms behind more than 4 GiB of samples.

#include "unit.h"

#include <libavutil/intreadwrite.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "media/container/track_flags.h"

#define SAMPLES ((int64_t)5 << 30)

static AVFormatContext *make_output(const char *format, int flags)
{
    static const enum AVMediaType types[] = {AVMEDIA_TYPE_VIDEO, AVMEDIA_TYPE_SUBTITLE,
                                             AVMEDIA_TYPE_SUBTITLE};
    AVFormatContext *f = NULL;
    assert_true(avformat_alloc_output_context2(&f, NULL, format, NULL) >= 0);
    for (int i = 0; i < 3; i++) {
        AVStream *s = avformat_new_stream(f, NULL);
        assert_non_null(s);
        s->codecpar->codec_type = types[i];
        s->disposition = i == 2 ? flags : 0;
    }
    return f;
}

static void put_box(FILE *file, const char *type, const uint8_t *data, uint32_t size)
{
    uint8_t head[8];
    AV_WB32(head, size + 8);
    memcpy(head + 4, type, 4);
    assert_int_equal(fwrite(head, 1, 8, file), 8);
    assert_int_equal(fwrite(data, 1, size, file), size);
}

// A track with nothing but its header, which is 84 bytes long, or 96 with times of 64 bits.
static uint32_t make_track(uint8_t *out, uint8_t version, uint32_t number)
{
    const uint32_t size = version == 1 ? 96 : 84;
    memset(out, 0, size + 8);
    AV_WB32(out, size + 8);
    memcpy(out + 4, "tkhd", 4);
    out[8] = version;
    out[11] = 7;
    AV_WB32(out + (version == 1 ? 28 : 20), number);
    return size + 8;
}

static void test_turns_off(void **state)
{
    char path[] = "/tmp/track-flags-XXXXXX";
    uint8_t track[3][128], moov[512], head[16] = {0, 0, 0, 1, 'm', 'd', 'a', 't'};
    uint32_t used = 0;
    (void)state;
    FILE *file = fdopen(mkstemp(path), "w+b");
    assert_non_null(file);
    put_box(file, "ftyp", (const uint8_t *)"isom", 4);
    AV_WB64(head + 8, SAMPLES);
    assert_int_equal(fwrite(head, 1, 16, file), 16);
    assert_int_equal(fseeko(file, 12 + SAMPLES, SEEK_SET), 0);
    off_t at[3];
    for (uint32_t i = 0; i < 3; i++) {
        const uint32_t size = make_track(track[i], i == 2, i + 1);
        AV_WB32(moov + used, size + 8);
        memcpy(moov + used + 4, "trak", 4);
        memcpy(moov + used + 8, track[i], size);
        at[i] = (off_t)(12 + SAMPLES + 8 + used + 8 + 8 + 3);
        used += size + 8;
    }
    put_box(file, "moov", moov, used);
    assert_int_equal(fclose(file), 0);
    AVFormatContext *output = make_output("mp4", 0);
    assert_true(ksr_track_flags_needed(output));
    assert_int_equal(ksr_track_flags_finish_file(path, output), 0);
    file = fopen(path, "rb");
    assert_non_null(file);
    static const int wanted[] = {7, 6, 6};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(fseeko(file, at[i], SEEK_SET), 0);
        assert_int_equal(fgetc(file), wanted[i]);
    }
    fclose(file);
    unlink(path);
    avformat_free_context(output);
}

static void test_when_it_is_needed(void **state)
{
    static const struct {
        const char *format;
        int flags;
        bool needed;
    } cases[] = {{"mp4", 0, true},
                 {"mov", 0, true},
                 {"mp4", AV_DISPOSITION_DEFAULT, false},
                 {"mp4", AV_DISPOSITION_FORCED, true},
                 {"matroska", 0, false}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AVFormatContext *output = make_output(cases[i].format, cases[i].flags);
        assert_int_equal(ksr_track_flags_needed(output), cases[i].needed);
        avformat_free_context(output);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_turns_off),
        cmocka_unit_test(test_when_it_is_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
