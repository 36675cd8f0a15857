// How a GPU does the jobs of the stages.

#include "gpu.h"

static void normalize(struct bench *b, const struct job *j, const struct planes *p)
{
    ksr_gpu_record_normalize(&b->commands, &b->stages, &p->out[0], &p->in[0], &j->normalize);
}

const struct gpu_kernel gpu_stage_kernels[] = {
    {"normalize", normalize},
};
const int gpu_stage_kernel_count = sizeof(gpu_stage_kernels) / sizeof(gpu_stage_kernels[0]);
