// Runs a fuzz target on files, without a fuzzing engine; each also cut off and with bytes turned.
// A target compiled with -DCOUNTS_ACCEPTED must accept each file of more than two bytes: what is
// refused at once, as of an earlier version, tries nothing.

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
#ifdef COUNTS_ACCEPTED
extern int fuzz_accepted; // inputs, so far
#endif

// Hands over an exact copy, so that a sanitizer sees any reading behind it.
static void run(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy)
        abort();
    for (size_t i = 0; i < size; i++)
        copy[i] = data[i];
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

int main(int argc, char **argv)
{
    static uint8_t data[1 << 17];
    for (int k = 1; k < argc; k++) {
        FILE *f = fopen(argv[k], "rb");
        if (!f)
            return 1;
        const size_t size = fread(data, 1, sizeof(data), f);
        fclose(f);
        run(data, size);
#ifdef COUNTS_ACCEPTED
        if (size > 2 && fuzz_accepted == 0) {
            printf("%s is refused\n", argv[k]);
            return 1;
        }
        fuzz_accepted = 0;
#endif
        const size_t step = size / 400 + 1;
        for (size_t i = 0; i < size; i += step) {
            run(data, i);
            data[i] ^= (uint8_t)(1 + i % 255);
            run(data, size);
            data[i] ^= (uint8_t)(1 + i % 255);
        }
    }
    return 0;
}
