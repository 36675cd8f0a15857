#!/bin/sh
#SBATCH --cpus-per-task=2
#SBATCH --mem=2G
#SBATCH --requeue
#SBATCH --open-mode=append
# One task of an array: encodes the segment of its number in the work folder $1.

status=0
kizunasr work "$1" --segment "$SLURM_ARRAY_TASK_ID" --device auto || status=$?

# A node that fails may be out of memory or lose its disk: let another one try, three times at most.
# Exit status 2 means options or versions, which is an answer for the user.
if [ $status -ne 0 ] && [ $status -ne 2 ] && [ "${SLURM_RESTART_COUNT:-0}" -lt 3 ]; then
    scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID" # its own number can stand for the array
fi
exit $status
