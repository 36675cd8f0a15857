// Files, dates, and the number of processors. Built twice: as it is, and with darwin.h.

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/cpu.h"
#include "core/fs.h"
#include "core/mem.h"
#include "unit.h"

#ifdef _WIN32
#define pipe(ends) _pipe(ends, 4096, _O_BINARY)
#endif

static char folder[] = "/tmp/kizunasr-fs-XXXXXX";

static char *in_folder(const char *name)
{
    return ksr_format("%s/%s", folder, name);
}

static void test_publish_moves_the_whole_file(void **state)
{
    (void)state;
    char *from = in_folder("a.tmp"), *to = in_folder("a"), *text = NULL;
    size_t size = 0;
    assert_int_equal(ksr_fs_write_file(NULL, from, "words", 5), KSR_OK);
    assert_int_equal(ksr_fs_publish(NULL, from, to), KSR_OK);
    assert_false(ksr_fs_exists(from));
    assert_int_equal(ksr_fs_read_file(NULL, to, &text, &size), KSR_OK);
    assert_int_equal(size, 5);
    assert_memory_equal(text, "words", 5);
    assert_int_equal(ksr_fs_publish(NULL, from, to), KSR_E_OUTPUT); // there is none
    unlink(to);
    free(text);
    free(to);
    free(from);
}

static void test_dates_are_kept_to_the_nanosecond(void **state)
{
    (void)state;
    char *from = in_folder("from"), *to = in_folder("to");
    const struct timespec dates[2] = {{.tv_sec = 5}, {.tv_sec = 1234567890, .tv_nsec = 987654321}};
    assert_int_equal(ksr_fs_write_file(NULL, from, "x", 1), KSR_OK);
    assert_int_equal(ksr_fs_write_file(NULL, to, "y", 1), KSR_OK);
    assert_int_equal(utimensat(AT_FDCWD, from, dates, 0), 0);
    assert_int_not_equal(ksr_fs_modified(from), ksr_fs_modified(to));
    assert_int_equal(ksr_fs_copy_date(NULL, from, to), KSR_OK);
    assert_int_equal(ksr_fs_modified(from), ksr_fs_modified(to));
    struct stat s;
    assert_int_equal(stat(to, &s), 0);
    assert_int_equal(s.st_mtime, 1234567890);
    unlink(from);
    unlink(to);
    free(to);
    free(from);
}

static void test_temporary_names_differ(void **state)
{
    (void)state;
    char *a = ksr_fs_temporary_name("/films/a.mkv"), *b = ksr_fs_temporary_name("/films/a.mkv");
    assert_non_null(a);
    assert_non_null(b);
    assert_string_not_equal(a, b);
    assert_memory_equal(a, "/films/a.mkv.", 13);
    free(b);
    free(a);
}

static void test_a_lock_is_held_by_one_and_moves_with_its_file(void **state)
{
    (void)state;
    char *path = in_folder("\xE7\xAC\xAC 1 \xC3\xB6.lock"), *moved = in_folder("moved.lock");
    int first = -1, second = -1;
    assert_int_equal(ksr_fs_lock_file(NULL, path, false, "busy", &first), KSR_OK);
    assert_int_equal(ksr_fs_lock_file(NULL, path, false, "busy", &second), KSR_OK);
    ksr_fs_unlock(&second);
    assert_int_equal(ksr_fs_lock_file(NULL, path, true, "busy", &second), KSR_E_BUSY);
    ksr_fs_unlock(&first);
    assert_int_equal(ksr_fs_lock_file(NULL, path, true, "busy", &first), KSR_OK);
    assert_int_equal(rename(path, moved), 0); // while it is open
    assert_int_equal(ksr_fs_lock_file(NULL, moved, false, "busy", &second), KSR_E_BUSY);
    ksr_fs_unlock(&first);
    assert_int_equal(ksr_fs_lock_file(NULL, moved, false, "busy", &second), KSR_OK);
    ksr_fs_unlock(&second);
    unlink(moved);
    free(moved);
    free(path);
}

// What the program asks of standard output before the work.
static void test_a_pipe_that_nobody_reads_is_known(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fcntl(ends[0], F_GETFL) & O_ACCMODE, O_RDONLY);
    assert_int_equal(fcntl(ends[1], F_GETFL) & O_ACCMODE, O_WRONLY);
    struct pollfd look = {.fd = ends[1], .events = POLLOUT};
    assert_int_equal(poll(&look, 1, 0), 1);
    assert_int_equal(look.revents, POLLOUT);
    close(ends[0]);
    assert_int_equal(poll(&look, 1, 0), 1);
    assert_true(look.revents & POLLERR);
    close(ends[1]);
}

// Where /dev/shm is another disk.
static void test_renaming_to_another_disk_says_so(void **state)
{
    (void)state;
    char *from = in_folder("here"), *to = ksr_format("/dev/shm/kizunasr-fs-%ld", (long)getpid());
    assert_int_equal(ksr_fs_write_file(NULL, from, "x", 1), KSR_OK);
    if (rename(from, to) != 0 && errno != ENOENT && errno != EACCES)
        assert_int_equal(errno, EXDEV);
    unlink(to);
    unlink(from);
    free(to);
    free(from);
}

static void assert_parent(const char *path, const char *want)
{
    char *parent = ksr_fs_parent(path);
    assert_non_null(parent);
    assert_string_equal(parent, want);
    free(parent);
}

static void test_paths(void **state)
{
    (void)state;
    assert_parent("/films/a.mkv", "/films");
    assert_parent("/a.mkv", "/");
    assert_parent("a.mkv", ".");
    assert_false(ksr_fs_is_absolute("films/a.mkv"));
    assert_false(ksr_fs_is_absolute(""));
#ifdef _WIN32
    assert_parent("C:/a.mkv", "C:/");
    assert_true(ksr_fs_is_absolute("C:/a.mkv"));
    assert_false(ksr_fs_is_absolute("C:a.mkv"));
    assert_true(ksr_fs_is_absolute("//server/films/a.mkv"));
    assert_false(ksr_fs_is_absolute("/a.mkv")); // of whichever drive
    assert_parent("C:\\films\\a.mkv", "C:\\films");
    assert_parent("C:\\a.mkv", "C:\\");
    assert_parent("films\\old/a.mkv", "films\\old");
    assert_string_equal(ksr_fs_name("films/old\\a.mkv"), "a.mkv");
    assert_true(ksr_fs_is_absolute("C:\\films\\a.mkv"));
    assert_true(ksr_fs_is_absolute("\\\\server\\films\\a.mkv"));
    assert_false(ksr_fs_is_absolute("\\a.mkv"));
#else
    assert_true(ksr_fs_is_absolute("/a.mkv"));
    assert_parent("/films/a\\b.mkv", "/films"); // part of the name
#endif
    char *whole = ksr_fs_absolute(folder), *missing = in_folder("missing");
    char *other = ksr_fs_absolute(missing);
    assert_true(whole && ksr_fs_is_absolute(whole));
    assert_true(other && strncmp(other, whole, strlen(whole)) == 0);
    assert_string_equal(other + strlen(whole), "/missing");
#ifdef _WIN32
    free(other);
    missing[strlen(folder)] = '\\';
    other = ksr_fs_absolute(missing);
    assert_true(other && strncmp(other, whole, strlen(whole)) == 0);
    assert_string_equal(other + strlen(whole), "/missing");
#endif
    free(other);
    free(missing);
    free(whole);
}

#ifdef _WIN32
static void *close_later(void *fd)
{
    nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
    _close(*(int *)fd);
    return NULL;
}

// As virus scanners do with what is new.
static void test_renaming_waits_for_who_reads_the_file(void **state)
{
    (void)state;
    char *from = in_folder("read"), *to = in_folder("renamed");
    pthread_t thread;
    assert_int_equal(ksr_fs_write_file(NULL, from, "x", 1), KSR_OK);
    int fd = _open(from, _O_RDONLY); // others may not rename it
    assert_true(fd >= 0);
    assert_int_equal(pthread_create(&thread, NULL, close_later, &fd), 0);
    assert_int_equal(rename(from, to), 0);
    pthread_join(thread, NULL);
    assert_true(ksr_fs_exists(to));
    unlink(to);
    free(to);
    free(from);
}
#endif

static void test_processors_are_those_that_may_be_used(void **state)
{
    (void)state;
    assert_in_range(ksr_cpu_count(), 1, sysconf(_SC_NPROCESSORS_ONLN));
    assert_int_equal(ksr_cpu_level_name(0)[0], 'c');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_publish_moves_the_whole_file),
        cmocka_unit_test(test_dates_are_kept_to_the_nanosecond),
        cmocka_unit_test(test_temporary_names_differ),
        cmocka_unit_test(test_a_lock_is_held_by_one_and_moves_with_its_file),
        cmocka_unit_test(test_a_pipe_that_nobody_reads_is_known),
        cmocka_unit_test(test_renaming_to_another_disk_says_so),
        cmocka_unit_test(test_paths),
#ifdef _WIN32
        cmocka_unit_test(test_renaming_waits_for_who_reads_the_file),
#endif
        cmocka_unit_test(test_processors_are_those_that_may_be_used),
    };
    if (!mkdtemp(folder))
        return 1;
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(folder);
    return failed;
}
