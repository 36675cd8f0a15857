// Weights of an axis, in integers: kernels, factors of A^T A, rows of its inverse. See descale.h.
//
// Fixed point of 30 bits. No product of two numbers reaches 8: entries of A are below 1.2, those of
// A^T A and of its factors below 4, and the weights of a row of P below 2.

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "frame/tile.h"
#include "stages/descale.h"

#define FIXED_BITS 30
#define FIXED_ONE  ((int64_t)1 << FIXED_BITS)
#define MOST_TAPS  8                // of a kernel: 2 * radius
#define FADED      (FIXED_ONE >> 22) // what is smaller changes no weight
#define SUM_MOST   65535            // of the sizes of weights: 32 bits hold the sum of samples

static int64_t times(int64_t a, int64_t b)
{
    return (a * b + FIXED_ONE / 2) >> FIXED_BITS;
}

static int64_t over(int64_t a, int64_t b)
{
    const int64_t top = a * FIXED_ONE;
    return (top + (top < 0 ? -b / 2 : b / 2)) / b;
}

static int64_t fraction(int64_t num, int64_t den)
{
    return (num * FIXED_ONE + (num < 0 ? -den / 2 : den / 2)) / den;
}

// --- Kernels, at x >= 0 ---

static int64_t bilinear(int64_t x)
{
    return x < FIXED_ONE ? FIXED_ONE - x : 0;
}

// a x^3 + b x^2 + c x + d, all over `den`.
static int64_t cubic(int64_t x, int a, int b, int c, int d, int den)
{
    int64_t sum = times(fraction(a, den), x);
    sum = times(sum + fraction(b, den), x);
    return times(sum + fraction(c, den), x) + fraction(d, den);
}

// The cubic of Mitchell and Netravali. b, c: in sixths.
static int64_t bicubic(int64_t x, int b, int c)
{
    if (x < FIXED_ONE)
        return cubic(x, 72 - 9 * b - 6 * c, -108 + 12 * b + 6 * c, 0, 36 - 2 * b, 36);
    return x < 2 * FIXED_ONE
               ? cubic(x - FIXED_ONE, -b - 6 * c, 3 * b + 12 * c, -3 * b - 6 * c, b, 36)
               : 0;
}

static int64_t spline36(int64_t x)
{
    if (x < FIXED_ONE)
        return cubic(x, 247, -453, -3, 209, 209);
    if (x < 2 * FIXED_ONE)
        return cubic(x - FIXED_ONE, -114, 270, -156, 0, 209);
    return x < 3 * FIXED_ONE ? cubic(x - 2 * FIXED_ONE, 19, -45, 26, 0, 209) : 0;
}

// sin(pi x) / (pi x): its series up to x = 1/2, and beyond by the sine's period.
static int64_t sinc(int64_t x)
{
    const int64_t pi2 = 10597373893; // of pi squared
    const int64_t whole = (x + FIXED_ONE / 2) >> FIXED_BITS, rest = x - (whole << FIXED_BITS);
    const int64_t square = times(times(rest, rest), pi2);
    int64_t sum = FIXED_ONE, term = FIXED_ONE;
    for (int k = 2; k <= 14; k += 2) {
        term = -times(term, square) / (k * (k + 1));
        sum += term;
    }
    if (whole == 0)
        return sum;
    sum = over(times(sum, rest), x);
    return whole & 1 ? -sum : sum;
}

static int64_t lanczos(int64_t x, int radius)
{
    return x < radius * FIXED_ONE ? times(sinc(x), sinc(x / radius)) : 0;
}

static const int radius_of[KSR_KERNELS] = {1, 2, 2, 3, 2, 3, 4};

static int64_t weight_at(enum ksr_kernel kernel, int64_t x)
{
    switch (kernel) {
    case KSR_KERNEL_BILINEAR: return bilinear(x);
    case KSR_KERNEL_BICUBIC: return bicubic(x, 0, 3);
    case KSR_KERNEL_MITCHELL: return bicubic(x, 2, 2);
    case KSR_KERNEL_SPLINE36: return spline36(x);
    default: return lanczos(x, radius_of[kernel]);
    }
}

// --- A and the factors of A^T A ---

struct solver {
    int large, small; // samples: A makes `large` of `small`
    int taps;         // of a row of A
    int *first;       // where they begin, in 0 .. small - taps
    int64_t *weight;  // `taps` for each row of A
    int64_t *u, *l;   // D L^T and L^T: `taps` for each row, from the diagonal on
    int64_t *z;       // a row of (A^T A)^-1; 0 outside what is worked on
};

static void free_solver(struct solver *s)
{
    free(s->first);
    free(s->weight);
    free(s->u);
    free(s->l);
    free(s->z);
}

static bool allocate_solver(struct solver *s)
{
    const size_t small = (size_t)s->small, large = (size_t)s->large, taps = (size_t)s->taps;
    s->first = calloc(large, sizeof(s->first[0]));
    s->weight = calloc(large * taps, sizeof(s->weight[0]));
    s->u = calloc(small * taps, sizeof(s->u[0]));
    s->l = calloc(small * taps, sizeof(s->l[0]));
    s->z = calloc(small, sizeof(s->z[0]));
    return s->first && s->weight && s->u && s->l && s->z;
}

// Row y of A. Samples beyond the ends repeat those at the ends.
static void make_row(const struct solver *s, enum ksr_kernel kernel, int y)
{
    const int64_t unit = 2 * (int64_t)s->large; // of places
    const int64_t at = (2 * (int64_t)y + 1) * s->small - s->large;
    const int64_t from = at - unit * radius_of[kernel];
    const int64_t first = (from >= 0 ? from / unit : -((unit - 1 - from) / unit)) + 1;
    int64_t weight[MOST_TAPS], total = 0, *out = s->weight + (size_t)y * (size_t)s->taps;
    for (int k = 0; k < s->taps; k++) {
        const int64_t distance = (first + k) * unit - at;
        weight[k] = weight_at(kernel, fraction(distance < 0 ? -distance : distance, unit));
        total += weight[k];
    }
    s->first[y] = (int)(first < 0 ? 0 : first > s->small - s->taps ? s->small - s->taps : first);
    for (int k = 0; k < s->taps; k++) {
        const int64_t place = first + k;
        const int in = (int)(place < 0 ? 0 : place >= s->small ? s->small - 1 : place);
        out[in - s->first[y]] += over(weight[k], total);
    }
}

// The upper half of the band A^T A.
static void multiply(const struct solver *s)
{
    for (int y = 0; y < s->large; y++) {
        const int64_t *row = s->weight + (size_t)y * (size_t)s->taps;
        for (int i = 0; i < s->taps; i++)
            for (int j = i; j < s->taps; j++)
                s->u[(size_t)(s->first[y] + i) * (size_t)s->taps + (size_t)(j - i)] +=
                    times(row[i], row[j]);
    }
}

// Replaces A^T A in `u` by its factor, row by row.
static void factorize(const struct solver *s)
{
    const int taps = s->taps;
    for (int i = 0; i < s->small; i++) {
        int64_t *u = s->u + (size_t)i * (size_t)taps, *l = s->l + (size_t)i * (size_t)taps;
        for (int d = 0; d < taps; d++)
            for (int k = ksr_max(0, i + d - taps + 1); k < i; k++)
                u[d] -= times(s->l[k * taps + i + d - k], s->u[k * taps + i - k]);
        for (int d = 0; d < taps; d++)
            l[d] = over(u[d], u[0]);
    }
}

static bool make_solver(struct solver *s, enum ksr_kernel kernel, int large, int small)
{
    *s = (struct solver){.large = large, .small = small, .taps = 2 * radius_of[kernel]};
    if (!allocate_solver(s))
        return false;
    for (int y = 0; y < large; y++)
        make_row(s, kernel, y);
    multiply(s);
    factorize(s);
    return true;
}

// --- Rows of P ---

struct span {
    int from, to; // `to` is the first one after it
};

// Fills z with row i of (A^T A)^-1 and returns where it is not 0.
static struct span solve(const struct solver *s, int i)
{
    const int taps = s->taps;
    int64_t *z = s->z;
    int end = i + 1, alive = taps;
    z[i] = FIXED_ONE;
    for (; end < s->small && alive > 0; end++) {
        for (int d = 1; d < taps && end - d >= i; d++)
            z[end] -= times(s->l[(end - d) * taps + d], z[end - d]);
        alive = llabs(z[end]) > FADED ? taps : alive - 1;
    }
    int start = end - 1;
    for (alive = taps; start >= 0 && alive > 0; start--) {
        z[start] = over(z[start], s->u[start * taps]);
        for (int d = 1; d < taps && start + d < end; d++)
            z[start] -= times(s->l[start * taps + d], z[start + d]);
        alive = start >= i || llabs(z[start]) > FADED ? taps : alive - 1;
    }
    return (struct span){start + 1, end};
}

// Fills out[0 ..] with row i of P and returns which samples they are of; clears z.
static struct span make_inverse(const struct solver *s, int i, int64_t *out)
{
    const struct span used = solve(s, i);
    const int64_t margin = s->taps;
    struct span rows = {(int)((used.from - margin) * s->large / s->small),
                        (int)((used.to + margin) * s->large / s->small)};
    rows.from = ksr_max(rows.from, 0);
    rows.to = ksr_min(rows.to, s->large);
    for (int y = rows.from; y < rows.to; y++) {
        const int64_t *row = s->weight + (size_t)y * (size_t)s->taps, *z = s->z + s->first[y];
        int64_t sum = 0;
        for (int k = 0; k < s->taps; k++)
            sum += times(row[k], z[k]);
        out[y - rows.from] = sum;
    }
    memset(s->z + used.from, 0, (size_t)(used.to - used.from) * sizeof(s->z[0]));
    return rows;
}

// --- The axis ---

// The weights of all samples in fixed point, one sample after the other; each fits 32 bits.
struct lines {
    int32_t *weight;
    size_t count, room;
    struct span *used; // of each sample: those it is made of
};

// Adds the next sample's.
static bool add_line(struct lines *l, int i, struct span used, const int64_t *weight)
{
    const size_t more = (size_t)(used.to - used.from);
    if (!ksr_array_reserve((void **)&l->weight, &l->room, l->count + more, sizeof(l->weight[0])))
        return false;
    for (size_t k = 0; k < more; k++) {
        assert(llabs(weight[k]) <= INT32_MAX);
        l->weight[l->count++] = (int32_t)weight[k];
    }
    l->used[i] = used;
    return true;
}

// The most bits at which no sum of samples exceeds 32.
static int bits_for(const struct lines *l, int size)
{
    const int32_t *w = l->weight;
    int64_t most = 0;
    for (int i = 0; i < size; i++) {
        int64_t sum = 0;
        for (int k = l->used[i].from; k < l->used[i].to; k++, w++)
            sum += *w < 0 ? -(int64_t)*w : *w;
        most = sum > most ? sum : most;
    }
    int bits = 14;
    while (most >> (FIXED_BITS - bits) > SUM_MOST - 256)
        bits--;
    return bits;
}

static int64_t rounded(int64_t weight, int bits)
{
    const int shift = FIXED_BITS - bits;
    return (weight + ((int64_t)1 << (shift - 1))) >> shift;
}

// Leaves out what rounds to nothing at both ends.
static void shrink_lines(struct lines *l, int size, int bits)
{
    const int32_t *from = l->weight;
    int32_t *to = l->weight;
    for (int i = 0; i < size; i++) {
        struct span *used = &l->used[i];
        const int32_t *next = from + (used->to - used->from);
        for (; rounded(*from, bits) == 0; from++)
            used->from++;
        for (const int32_t *last = next; rounded(last[-1], bits) == 0; last--)
            used->to--;
        for (int k = used->from; k < used->to; k++)
            *to++ = *from++;
        from = next;
    }
}

// Rounds to integers that add up to 1: what is left over goes to the largest.
static void round_line(int16_t *out, const int32_t *line, int count, int bits)
{
    int64_t sum = 0;
    int largest = 0;
    for (int k = 0; k < count; k++) {
        out[k] = (int16_t)rounded(line[k], bits);
        sum += out[k];
        largest = out[k] > out[largest] ? k : largest;
    }
    out[largest] = (int16_t)(out[largest] + (1 << bits) - sum);
}

// Makes the axis of the lines.
static bool finish(struct ksr_descale_axis *axis, struct lines *l)
{
    const int size = axis->size;
    int most = 0;
    axis->bits = bits_for(l, size);
    shrink_lines(l, size, axis->bits);
    for (int i = 0; i < size; i++)
        most = ksr_max(most, l->used[i].to - l->used[i].from);
    axis->taps = (most + KSR_DESCALE_PADDING - 1) / KSR_DESCALE_PADDING * KSR_DESCALE_PADDING;
    axis->first = calloc((unsigned)size, sizeof(axis->first[0]));
    axis->weights = calloc((size_t)size * (size_t)axis->taps, sizeof(axis->weights[0]));
    if (!axis->first || !axis->weights)
        return false;
    const int32_t *line = l->weight;
    for (int i = 0; i < size; i++) {
        const int count = l->used[i].to - l->used[i].from;
        axis->first[i] = l->used[i].from;
        round_line(axis->weights + (size_t)i * (size_t)axis->taps, line, count, axis->bits);
        line += count;
    }
    return true;
}

static bool add_identity(struct lines *l, int size)
{
    bool ok = true;
    for (int i = 0; i < size && ok; i++)
        ok = add_line(l, i, (struct span){i, i + 1}, &(int64_t){FIXED_ONE});
    return ok;
}

// A where the axis enlarges, else its inverse.
static bool add_lines(struct lines *l, enum ksr_kernel kernel, int from, int to)
{
    struct solver s;
    int64_t *line = calloc(from > to ? (size_t)from : (size_t)to, sizeof(line[0]));
    bool ok = make_solver(&s, kernel, ksr_max(from, to), ksr_min(from, to)) && line;
    for (int i = 0; i < to && ok; i++) {
        if (from < to) {
            const struct span used = {s.first[i], s.first[i] + s.taps};
            ok = add_line(l, i, used, s.weight + (size_t)i * (size_t)s.taps);
        } else {
            const struct span used = make_inverse(&s, i, line);
            ok = add_line(l, i, used, line);
        }
    }
    free_solver(&s);
    free(line);
    return ok;
}

bool ksr_descale_axis_make(struct ksr_descale_axis *axis, enum ksr_kernel kernel, int from, int to)
{
    *axis = (struct ksr_descale_axis){.size = to};
    struct lines l = {.used = to > 0 ? calloc((size_t)to, sizeof(l.used[0])) : NULL};
    const bool ok = l.used &&
                    (from == to ? add_identity(&l, to) : add_lines(&l, kernel, from, to)) &&
                    finish(axis, &l);
    free(l.weight);
    free(l.used);
    if (!ok)
        ksr_descale_axis_free(axis);
    return ok;
}

void ksr_descale_axis_free(struct ksr_descale_axis *axis)
{
    free(axis->first);
    free(axis->weights);
    *axis = (struct ksr_descale_axis){0};
}
