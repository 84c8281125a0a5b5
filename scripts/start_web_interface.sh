#!/bin/sh
# Start the page and the API, in a checkout and in the container: ./scripts/start_web_interface.sh [OPTIONS of llmlora serve]
# The same as `llmlora serve`; the address with its token is printed.
cd "$(dirname "$0")/.." || exit 1
PATH="$PWD/.venv/bin:$PATH"
if ! command -v llmlora > /dev/null; then
    echo "llmlora が入っていません (llmlora is not installed): make install" >&2
    exit 1
fi
[ -f .env ] && set -- --env-file .env "$@"
exec llmlora serve "$@"
