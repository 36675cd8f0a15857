#!/bin/sh
# Every public header compiles alone, as C11 and as C++, without a warning.
#
#   tests/headers.sh INCLUDE_FOLDER     (CC and CXX name the compilers; cc, c++)

set -eu

include=$1
warnings='-Wall -Wextra -pedantic -Werror'
passed=0 failed=0 skipped=0

# try LABEL COMMAND...: runs a compiler over one header and counts the outcome.
try() {
    label=$1
    shift
    if "$@" -fsyntax-only -I"$include"; then
        passed=$((passed + 1))
    else
        echo "FAILED: $label"
        failed=$((failed + 1))
    fi
}

for header in "$include"/kizunasr/*.h; do
    name=kizunasr/$(basename "$header")
    # shellcheck disable=SC2086 # the compiler's name may come with options
    try "$name as C11" ${CC:-cc} -x c -std=c11 $warnings -include "$name" /dev/null
    if command -v "${CXX:-c++}" >/dev/null 2>&1; then
        # shellcheck disable=SC2086
        try "$name as C++" "${CXX:-c++}" -x c++ -std=c++11 $warnings -include "$name" /dev/null
    else
        skipped=$((skipped + 1))
    fi
done

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
