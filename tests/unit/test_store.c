// Segment files: a file that changes between the check and the reading is not taken for the one
// that was checked.

#include "unit.h"

#include <sys/stat.h>
#include <unistd.h>

#include "job/store.h"

#define JOB "0123456789abcdef0123456789abcdef"

static char folder[] = "/tmp/test-store-XXXXXX";

static void write_segment(const char *text)
{
    ksr_segment_writer *writer;
    struct ksr_segment_info info = {.samples = JOB};
    assert_int_equal(ksr_segment_writer_open(NULL, folder, 0, JOB, "head", 4, &writer), KSR_OK);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(ksr_segment_writer_packet(NULL, writer, i, i == 0, text, strlen(text)),
                         KSR_OK);
    assert_int_equal(ksr_segment_writer_commit(NULL, writer, &info), KSR_OK);
    ksr_segment_writer_close(&writer);
}

// Returns what reading to the end of the file comes to, as a join does.
static ksr_status read_segment(const char *checksum)
{
    ksr_segment_reader *reader;
    const void *data;
    int packets = 0;
    ksr_status status = ksr_segment_reader_open(NULL, folder, 0, checksum, &reader);
    assert_int_equal(status, KSR_OK);
    do {
        uint32_t rank;
        bool key;
        size_t size;
        status = ksr_segment_reader_packet(NULL, reader, &rank, &key, &data, &size);
        packets += data != NULL;
    } while (status == KSR_OK && data);
    assert_int_equal(packets, 3);
    ksr_segment_reader_close(&reader);
    return status;
}

static void a_segment_is_the_one_that_was_checked(void **state)
{
    (void)state;
    struct ksr_segment_info info = {0};
    bool valid;
    assert_non_null(mkdtemp(folder));
    write_segment("packet");
    assert_int_equal(ksr_segment_check(NULL, folder, 0, JOB, &valid, &info), KSR_OK);
    assert_true(valid);
    assert_int_equal(read_segment(info.checksum), KSR_OK);

    char *path = ksr_segment_path(folder, 0);
    FILE *file = fopen(path, "r+b"); // one bit of the last packet
    assert_non_null(file);
    assert_int_equal(fseek(file, 8 + 32 + 4 + 4 + 4 + 2 * (8 + 6) + 8, SEEK_SET), 0);
    assert_int_equal(fputc('q', file), 'q');
    assert_int_equal(fclose(file), 0);
    assert_int_equal(read_segment(info.checksum), KSR_E_PROCESS);

    write_segment("tekcap"); // another worker's, whole
    assert_int_equal(read_segment(info.checksum), KSR_E_PROCESS);
    unlink(path);
    rmdir(folder);
    free(path);
    ksr_segment_info_free(&info);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_segment_is_the_one_that_was_checked),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
