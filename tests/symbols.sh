#!/bin/sh
# The shared library exports functions that start with ksr_, at least one, and nothing else.
#
#   tests/symbols.sh LIBRARY

set -eu

if ! command -v nm >/dev/null 2>&1; then
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi
symbols=$(nm -D --defined-only "$1" | awk '{ print $NF }')
foreign=$(echo "$symbols" | grep -v '^ksr_' || true)
if [ -n "$foreign" ]; then
    echo "exported, but not ours to export:"
    echo "$foreign"
elif [ -z "$symbols" ]; then
    echo "nothing is exported"
else
    echo "1 passed, 0 failed, 0 skipped"
    exit 0
fi
echo "0 passed, 1 failed, 0 skipped"
exit 1
