// The thread pool: every index once, whatever the number of threads.

#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>

#include "core/pool.h"
#include "core/thread.h"

#define COUNT 1000

struct tally {
    atomic_int calls[COUNT];
    atomic_int inside, most;
    atomic_int busy[64], overlaps; // calls with equal `thread`
    int plain[COUNT]; // written without a lock: visible after ksr_pool_run() all the same
};

static void count_call(void *arg, int i, int thread)
{
    struct tally *t = arg;
    if (atomic_fetch_add(&t->busy[thread], 1) != 0)
        atomic_fetch_add(&t->overlaps, 1);
    const int inside = atomic_fetch_add(&t->inside, 1) + 1;
    int most = atomic_load(&t->most);
    while (inside > most && !atomic_compare_exchange_weak(&t->most, &most, inside))
        ;
    atomic_fetch_add(&t->calls[i], 1);
    t->plain[i] += i;
    atomic_fetch_sub(&t->inside, 1);
    atomic_fetch_sub(&t->busy[thread], 1);
}

static void runs_every_index_once(void **state)
{
    (void)state;
    static const int threads[] = {1, 2, 4, 16};
    static const int counts[] = {0, 1, 2, 3, 17, COUNT};
    struct tally *t = calloc(1, sizeof(*t));
    assert_non_null(t);
    for (size_t n = 0; n < 4; n++) {
        ksr_pool *pool = ksr_pool_create(threads[n]);
        assert_non_null(pool);
        assert_int_equal(ksr_pool_threads(pool), threads[n]);
        for (int round = 0; round < 50; round++)
            for (size_t c = 0; c < 6; c++) {
                memset(t, 0, sizeof(*t));
                ksr_pool_run(pool, count_call, t, counts[c]);
                for (int i = 0; i < COUNT; i++) {
                    assert_int_equal(t->calls[i], i < counts[c] ? 1 : 0);
                    assert_int_equal(t->plain[i], i < counts[c] ? i : 0);
                }
                assert_int_equal(t->inside, 0);
                assert_int_equal(t->overlaps, 0);
                assert_true(t->most <= threads[n]);
            }
        ksr_pool_destroy(&pool);
        assert_null(pool);
    }
    free(t);
}

static void works_without_a_pool(void **state)
{
    (void)state;
    struct tally *t = calloc(1, sizeof(*t));
    assert_non_null(t);
    ksr_pool_run(NULL, count_call, t, COUNT);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(t->calls[i], 1);
    assert_int_equal(t->most, 1);
    assert_int_equal(ksr_pool_threads(NULL), 1);
    free(t);
}

static void destroy_accepts_nothing(void **state)
{
    (void)state;
    ksr_pool *none = NULL;
    ksr_pool_destroy(NULL);
    ksr_pool_destroy(&none);
    ksr_pool *unused = ksr_pool_create(3);
    assert_non_null(unused);
    ksr_pool_destroy(&unused);
    assert_null(unused);
}

#ifdef __GLIBC__
static void *get_stack(void *arg)
{
    pthread_attr_t attributes;
    if (pthread_getattr_np(pthread_self(), &attributes) == 0)
        pthread_attr_getstacksize(&attributes, arg);
    pthread_attr_destroy(&attributes);
    return NULL;
}

static void threads_have_stack_enough(void **state)
{
    (void)state;
    pthread_attr_t usual, small;
    pthread_t thread;
    size_t stack = 0;
    assert_int_equal(pthread_getattr_default_np(&usual), 0);
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 128 << 10); // as musl's
    assert_int_equal(pthread_setattr_default_np(&small), 0);
    assert_int_equal(ksr_thread_create(&thread, get_stack, &stack), 0);
    pthread_join(thread, NULL);
    pthread_setattr_default_np(&usual);
    assert_true(stack >= 1 << 20);
    pthread_attr_destroy(&small);
    pthread_attr_destroy(&usual);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_every_index_once),
        cmocka_unit_test(works_without_a_pool),
        cmocka_unit_test(destroy_accepts_nothing),
#ifdef __GLIBC__
        cmocka_unit_test(threads_have_stack_enough),
#endif
    };
    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
