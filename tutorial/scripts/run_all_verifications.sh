#!/bin/sh
# Verify this machine, the data and the course: ./tutorial/scripts/run_all_verifications.sh
# Runs everything, says what failed at the end, and then exits with 1.
cd "$(dirname "$0")/../.." || exit 1
PATH="$PWD/.venv/bin:$PATH"
export PATH
if ! command -v llmlora > /dev/null; then
    echo "llmlora が入っていません (llmlora is not installed): make install" >&2
    exit 1
fi

failed=""
verify() {
    name=$1
    shift
    printf '\n== %s\n' "$name"
    "$@" || failed="$failed $name"
}

verify doctor llmlora doctor
verify datasets tutorial/scripts/validate_datasets.py
verify course tutorial/scripts/test_tutorial_flow.py

if [ -n "$failed" ]; then
    printf '\nNot passed:%s\n' "$failed" >&2
    exit 1
fi
printf '\nAll passed.\n'
