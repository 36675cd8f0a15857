// Step 1 of stage 3 for luma, plain C: the definition. See turn.h and learned.h.

#include "stages/turn.h"

#define RADIUS KSR_TURN_RADIUS
#define SLOTS  (KSR_TURN_ROWS + 1)

// A gradient is the difference of two samples cut to 11 bits, so all sums fit 30 bits.
static int16_t reduced(uint16_t sample)
{
    return (int16_t)((uint16_t)(sample + 8) >> 4);
}

static void find_gradients(int16_t *restrict gx, int16_t *restrict gy, const uint16_t *const row[3])
{
    for (int i = 1; i < KSR_TILE_ALL - 1; i++) {
        gx[i] = (int16_t)(reduced(row[1][i + 1]) - reduced(row[1][i - 1]));
        gy[i] = (int16_t)(reduced(row[2][i]) - reduced(row[0][i]));
    }
}

// A row leaves, all distances fall by one, a row comes in.
void ksr_columns_add(struct ksr_columns *c, const uint16_t *const row[3])
{
    const int in = (c->last + 1) % SLOTS, out = (in + 1) % SLOTS;
    find_gradients(c->x[in], c->y[in], row);
    for (int i = 1; i < KSR_TILE_ALL - 1; i++) {
        const int in_x = c->x[in][i], in_y = c->y[in][i];
        const int out_x = c->x[out][i], out_y = c->y[out][i];
        const int32_t left = out_x * out_x + out_y * out_y, came = in_x * in_x + in_y * in_y;
        c->moment[i] += RADIUS * (left + came) + left - c->energy[i];
        c->energy[i] += came - left;
        c->tilt[i] += (in_x * in_x - in_y * in_y) - (out_x * out_x - out_y * out_y);
        c->cross[i] += in_x * in_y - out_x * out_y;
    }
    c->last = in;
}

static int32_t sum_around(const int32_t *v)
{
    return v[-4] + v[-3] + v[-2] + v[-1] + v[0] + v[1] + v[2] + v[3] + v[4];
}

void ksr_columns_turn(struct ksr_turn *t, const struct ksr_columns *c)
{
    for (int i = 0; i < KSR_TILE; i++) {
        const int x = KSR_TILE_PAD + i;
        const int32_t *e = c->energy + x;
        const int32_t side_x =
            e[1] - e[-1] + 2 * (e[2] - e[-2]) + 3 * (e[3] - e[-3]) + 4 * (e[4] - e[-4]);
        const int32_t side_y = sum_around(c->moment + x);
        const int transpose = -(sum_around(c->tilt + x) < 0);
        const int falling = -(sum_around(c->cross + x) < 0);
        const int side = transpose ? -(side_y < 0) : -(side_x < 0), other = side ^ falling;
        t->transpose[i] = (int16_t)transpose;
        t->flip_x[i] = (int16_t)(transpose ? other : side);
        t->flip_y[i] = (int16_t)(transpose ? side : other);
    }
}
