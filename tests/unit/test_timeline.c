// Timestamps of any kind: media/index/audio_timestamps.c, media/index/timeline.c and
// media/index/repair.c with hostile ones. Run with sanitizers, this also shows that no sum
// overflows.

#include "unit.h"

#include <stdlib.h>

#include "media/index/audio_timestamps.h"
#include "media/index/rate.h"
#include "media/index/repair.h"

#define PACKETS 600
#define FRAMES  300
#define SEEDS   300

static uint64_t state;

static uint64_t draw(uint64_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % below;
}

static int64_t draw_time(int64_t usual)
{
    const int64_t extremes[] = {
        INT64_MIN,        INT64_MIN + 1,    INT64_MAX,           0,
        INT64_C(1) << 58, INT64_C(1) << 55, -(INT64_C(1) << 53), INT64_C(1) << 53,
        INT64_C(1) << 33};
    switch (draw(8)) {
    case 0: return extremes[draw(sizeof(extremes) / sizeof(extremes[0]))];
    case 1: return (int64_t)draw(UINT64_C(1) << 34) - (INT64_C(1) << 33);
    case 2: return (int64_t)(draw(UINT64_MAX));
    default: return usual;
    }
}

static AVFormatContext *make_input(bool restarts)
{
    static const enum AVMediaType types[] = {AVMEDIA_TYPE_VIDEO, AVMEDIA_TYPE_AUDIO,
                                             AVMEDIA_TYPE_SUBTITLE, AVMEDIA_TYPE_AUDIO};
    AVFormatContext *f = avformat_alloc_context();
    assert_non_null(f);
    f->iformat = av_find_input_format(restarts ? "mpegts" : "matroska");
    for (int i = 0; i < 4; i++) {
        AVStream *s = avformat_new_stream(f, NULL);
        assert_non_null(s);
        s->codecpar->codec_type = types[i];
        s->codecpar->video_delay = i == 0 ? 2 : 0;
        s->time_base = i < 3 ? (AVRational){1, 90000} : (AVRational){1, 1000000000};
        s->pts_wrap_bits = restarts ? 33 : 64;
    }
    return f;
}

static void note_packets(ksr_jumps *jumps)
{
    AVPacket *p = av_packet_alloc();
    assert_non_null(p);
    int64_t offset = 0;
    for (int i = 0; i < PACKETS; i++) {
        if (draw(100) == 0)
            offset = draw_time(0) / 4;
        p->stream_index = (int)draw(5); // one of them is not there
        p->dts = draw_time((int64_t)i * 3600 + offset);
        p->pts = draw(4) ? p->dts : draw_time(p->dts);
        p->duration = draw(8) ? 3600 : draw_time(0);
        assert_true(ksr_jumps_note(jumps, p));
    }
    av_packet_free(&p);
}

static void check_jumps(const struct ksr_film *film)
{
    for (size_t i = 0; i < film->jump_count; i++) {
        const struct ksr_film_jump *j = &film->jumps[i], *before = i > 0 ? j - 1 : NULL;
        assert_true(j->first >= 0 && j->count > 0);
        assert_true(j->by >= -(INT64_C(1) << 60) && j->by <= INT64_C(1) << 60); // of a manifest
        assert_true(!before || before->stream < j->stream ||
                    (before->stream == j->stream && before->first + before->count <= j->first));
    }
}

static void apply_jumps(const struct ksr_film *film)
{
    ksr_mender *mender = ksr_mender_create(film->jumps, film->jump_count, 4);
    AVPacket *p = av_packet_alloc();
    assert_non_null(mender);
    assert_non_null(p);
    for (int i = 0; i < PACKETS; i++) {
        p->stream_index = (int)draw(5);
        p->pts = draw_time((int64_t)i * 3600);
        p->dts = draw_time(p->pts);
        ksr_mender_apply(mender, p);
    }
    av_packet_free(&p);
    ksr_mender_destroy(&mender);
}

static void test_jumps(void **unused)
{
    (void)unused;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        bool falling[4] = {false};
        struct ksr_film film = {.falling = falling, .stream_count = 4};
        state = seed * UINT64_C(0x9e3779b97f4a7c15);
        AVFormatContext *input = make_input(seed % 2);
        ksr_jumps *jumps = ksr_jumps_create(input, 0);
        assert_non_null(jumps);
        note_packets(jumps);
        assert_true(ksr_jumps_judge(jumps, &film));
        check_jumps(&film);
        apply_jumps(&film);
        ksr_jumps_destroy(&jumps);
        avformat_free_context(input);
        free(film.jumps);
    }
}

static void test_repair(void **unused)
{
    (void)unused;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct ksr_film film = {.time_base = {1, 90000}, .frame_count = 1 + seed % FRAMES};
        struct ksr_rational rate;
        film.format.frame_rate = (struct ksr_rational){seed % 3 ? 25 : INT32_MAX, 1};
        state = seed * UINT64_C(0x9e3779b97f4a7c15);
        film.frames = calloc(film.frame_count, sizeof(film.frames[0]));
        assert_non_null(film.frames);
        for (size_t i = 0; i < film.frame_count; i++)
            film.frames[i].time = draw_time((int64_t)i * 3600);
        assert_true(ksr_film_repair(&film));
        for (size_t i = 0; i < film.frame_count; i++) {
            assert_true(film.frames[i].duration > 0);
            assert_true(i == 0 || film.frames[i].time > film.frames[i - 1].time);
        }
        ksr_film_find_rate(&film, &rate);
        free(film.frames);
    }
}

// Right timestamps keep their values, a wrong one gets its place, wherever it is.
static void test_one_wrong(void **unused)
{
    (void)unused;
    for (size_t wrong = 0; wrong < 50; wrong++)
        for (int64_t off = -200000; off <= 200000; off += 13337) {
            struct ksr_film_frame frames[50];
            struct ksr_film film = {.time_base = {1, 90000}, .frame_count = 50, .frames = frames};
            for (size_t i = 0; i < 50; i++)
                frames[i] = (struct ksr_film_frame){0, (int64_t)i * 3600, 3600};
            frames[wrong].time += off;
            const bool rises = (wrong == 0 || frames[wrong].time > frames[wrong - 1].time) &&
                               (wrong == 49 || frames[wrong].time < frames[wrong + 1].time);
            const int64_t kept = frames[wrong].time;
            assert_true(ksr_film_repair(&film));
            for (size_t i = 0; i < 50; i++)
                assert_int_equal(frames[i].time, i == wrong && rises ? kept : (int64_t)i * 3600);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jumps),
        cmocka_unit_test(test_repair),
        cmocka_unit_test(test_one_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
