// Working frames: plane sizes, alignment, refusals.

#include "unit.h"

#include "core/mem.h"

static void planes_have_the_sizes_of_their_layout(void **state)
{
    (void)state;
    for (int planes = 1; planes <= 4; planes++)
        for (int shift = 0; shift <= 2; shift++)
            for (int w = 1; w <= 70; w += 3) {
                struct ksr_layout l = unit_layout(w, 71 - w, planes, shift);
                l.chroma_shift_y = 2 - shift;
                struct ksr_frame f = unit_frame(l);
                for (int i = 0; i < planes; i++) {
                    const bool chroma = planes >= 3 && (i == 1 || i == 2);
                    const int kx = chroma ? 1 << shift : 1, ky = chroma ? 1 << (2 - shift) : 1;
                    assert_int_equal(f.plane[i].width, (w + kx - 1) / kx);
                    assert_int_equal(f.plane[i].height, (71 - w + ky - 1) / ky);
                    assert_int_equal(ksr_layout_is_chroma(&l, i), chroma);
                    assert_int_equal(f.plane[i].stride % 32, 0);
                    assert_true(f.plane[i].stride >= f.plane[i].width);
                    assert_int_equal((uintptr_t)f.plane[i].data % KSR_ALIGN, 0);
                    unit_assert_flat(&f.plane[i], 0);
                }
                for (int i = 0; i < planes; i++)
                    unit_fill(&f.plane[i], (uint16_t)(100 + i)); // planes do not overlap
                for (int i = 0; i < planes; i++)
                    unit_assert_flat(&f.plane[i], 100 + i);
                ksr_frame_free(&f);
                assert_null(f.buffer);
            }
}

static void refuses_what_is_out_of_range(void **state)
{
    (void)state;
    struct ksr_layout bad[6];
    for (int i = 0; i < 6; i++)
        bad[i] = unit_layout(16, 16, 3, 1);
    bad[0].width = 0;
    bad[1].height = 65536;
    bad[2].planes = 5;
    bad[3].planes = 0;
    bad[4].chroma_shift_x = 3;
    bad[5].chroma_shift_y = -1;
    for (int i = 0; i < 6; i++) {
        struct ksr_frame f;
        memset(&f, 0x55, sizeof(f));
        assert_false(ksr_frame_alloc(&f, &bad[i]));
        assert_null(f.buffer);
        assert_null(f.plane[0].data);
        ksr_frame_free(&f);
    }
}

static void equality_looks_at_every_member(void **state)
{
    (void)state;
    const struct ksr_layout a = unit_layout(16, 18, 3, 1);
    assert_true(ksr_layout_equal(&a, &a));
    struct ksr_layout b[8];
    for (int i = 0; i < 8; i++)
        b[i] = a;
    b[0].width++;
    b[1].height++;
    b[2].planes++;
    b[3].chroma_shift_x++;
    b[4].chroma_shift_y++;
    b[5].siting_x = KSR_SITING_CENTRED;
    b[6].siting_y = KSR_SITING_COSITED;
    b[7].full_range = true;
    for (int i = 0; i < 8; i++)
        assert_false(ksr_layout_equal(&a, &b[i]));
}

static void swap_exchanges_owners(void **state)
{
    (void)state;
    struct ksr_frame a = unit_grey(5, 6), b = unit_grey(7, 8);
    void *const first = a.buffer;
    ksr_frame_swap(&a, &b);
    assert_ptr_equal(b.buffer, first);
    assert_int_equal(a.plane[0].width, 7);
    assert_int_equal(b.layout.height, 6);
    ksr_frame_free(&a);
    ksr_frame_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planes_have_the_sizes_of_their_layout),
        cmocka_unit_test(refuses_what_is_out_of_range),
        cmocka_unit_test(equality_looks_at_every_member),
        cmocka_unit_test(swap_exchanges_owners),
    };
    return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
