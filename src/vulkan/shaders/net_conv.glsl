// Convolution of activations, four inputs at a time. The file that includes this defines QUADS: a
// workgroup makes 4 * QUADS channels.

#extension GL_EXT_spirv_intrinsics : require
#include "net.glsl"

layout(constant_id = 4) const bool DOT_PRODUCT = false;
layout(constant_id = 5) const int STEP = 1; // pixels of the input between those of the output

const int INPUTS = 16, WORDS = INPUTS / 4; // at a time
const int IN_WIDTH = TILE_WIDTH + 2, IN_HEIGHT = TILE_HEIGHT + 2, PLANE = IN_WIDTH * IN_HEIGHT;
const int BLOCK = SIDE * SIDE * WORDS * QUADS; // weights for INPUTS inputs
const int BIAS = WIDTH / INPUTS * BLOCK, SHIFT = BIAS + QUADS; // behind all weights

shared int inputs[WORDS * PLANE];            // [word][row][column]
shared ivec4 weights[3 * 3 * WORDS * QUADS]; // [column][word][row][channel]

// OpSDot of packed vectors: glslang has no name for it before version 14.
spirv_instruction(extensions = ["SPV_KHR_integer_dot_product"], capabilities = [6018, 6019],
                  id = 4450) int packed_dot(int a, int b, spirv_literal int format);

int dot4(int a, int b)
{
    if (DOT_PRODUCT)
        return packed_dot(a, b, 0);
    return bitfieldExtract(a, 0, 8) * bitfieldExtract(b, 0, 8) +
           bitfieldExtract(a, 8, 8) * bitfieldExtract(b, 8, 8) +
           bitfieldExtract(a, 16, 8) * bitfieldExtract(b, 16, 8) + (a >> 24) * (b >> 24);
}

// Loads the tile's inputs at every STEP-th pixel, from pixel `from` of the kernel on.
void load_inputs(ksr_gpu_quads src, int stride, int block, int group, ivec2 from)
{
    const ivec2 corner = tile_corner();
    for (int i = int(gl_LocalInvocationIndex); i < PLANE; i += INVOCATIONS) {
        const ivec2 at = (corner + ivec2(i % IN_WIDTH, i / IN_WIDTH)) * STEP + from;
        const ivec4 words = src.at[quad_of(at, stride, block, group, WIDTH / INPUTS)];
        [[unroll]] for (int k = 0; k < WORDS; k++)
            inputs[k * PLANE + i] = words[k];
    }
}

// Adds what the inputs that are loaded give.
void add_products(inout ivec4 sum[ROWS][QUADS])
{
    const ivec2 at = tile_place();
    for (int c = 0; c < SIDE; c++)
        for (int k = 0; k < WORDS; k++) {
            int a[ROWS + 2];
            [[unroll]] for (int i = 0; i < ROWS + SIDE - 1; i++)
                a[i] = inputs[k * PLANE + (at.y + i) * IN_WIDTH + at.x + c];
            [[unroll]] for (int r = 0; r < SIDE; r++)
                [[unroll]] for (int q = 0; q < QUADS; q++) {
                    const ivec4 w = weights[((c * WORDS + k) * SIDE + r) * QUADS + q];
                    [[unroll]] for (int i = 0; i < ROWS; i++)
                        sum[i][q] += ivec4(dot4(a[i + r], w.x), dot4(a[i + r], w.y),
                                           dot4(a[i + r], w.z), dot4(a[i + r], w.w));
                }
        }
}

// Adds what one pixel of the kernel gives, for which the inputs are loaded.
void add_pixel(inout ivec4 sum[ROWS][QUADS], int c, int r)
{
    const ivec2 at = tile_place();
    for (int k = 0; k < WORDS; k++)
        [[unroll]] for (int q = 0; q < QUADS; q++) {
            const ivec4 w = weights[((c * WORDS + k) * SIDE + r) * QUADS + q];
            [[unroll]] for (int i = 0; i < ROWS; i++) {
                const int a = inputs[k * PLANE + (at.y + i) * IN_WIDTH + at.x];
                sum[i][q] += ivec4(dot4(a, w.x), dot4(a, w.y), dot4(a, w.z), dot4(a, w.w));
            }
        }
}

// The sums with bias of 4 * QUADS channels, whose weights begin at `first`.
void convolve(out ivec4 sum[ROWS][QUADS], ksr_gpu_quads src, int stride, int block,
              ksr_gpu_quads from, int first)
{
    [[unroll]] for (int i = 0; i < ROWS; i++)
        [[unroll]] for (int q = 0; q < QUADS; q++)
            sum[i][q] = from.at[first + BIAS + q];
    for (int group = 0; group < WIDTH / INPUTS; group++) {
        barrier();
        for (int i = int(gl_LocalInvocationIndex); i < BLOCK; i += INVOCATIONS)
            weights[i] = from.at[first + group * BLOCK + i];
        if (STEP == 1) {
            load_inputs(src, stride, block, group, ivec2(0));
            barrier();
            add_products(sum);
            continue;
        }
        // All inputs of a tile would not fit the memory of a workgroup.
        for (int i = 0; i < SIDE * SIDE; i++) {
            load_inputs(src, stride, block, group, ivec2(i % SIDE, i / SIDE));
            barrier();
            add_pixel(sum, i % SIDE, i / SIDE);
            barrier();
        }
    }
}
