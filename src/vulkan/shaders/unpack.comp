#version 460
// Code values to working samples: ksr_unpack_rows() of frame/pack.c, for any format whose components
// are bytes or words.

#extension GL_GOOGLE_include_directive : require
#include "plane.glsl"

PARAMS(ksr_gpu_unpack);

void main()
{
    const ivec2 at = here();
    if (outside(p.dst, at))
        return;
    const uint64_t from = uint64_t(p.src) + int64_t(at.y) * p.stride + int64_t(at.x) * p.step;
    const int code = p.bits == 8 ? int(ksr_gpu_bytes(from).at[0])
                                 : int(ksr_gpu_samples(from).at[0]) >> p.shift;
    const int most = (1 << p.bits) - 1;
    store(p.dst, at.x, at.y, p.bits == 16 ? code >> 1 : min(code, most) << (15 - p.bits));
}
