#!/bin/sh
#SBATCH --cpus-per-task=2
#SBATCH --mem=2G
# Runs when no task of the array is left: encodes what is missing in the work folder $1, and joins.

kizunasr work "$1" --device auto && kizunasr join "$1"
