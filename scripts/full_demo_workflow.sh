#!/bin/sh
# From data to a checked GGUF file: ./scripts/full_demo_workflow.sh [OPTIONS of llmlora demo]
# The same as `llmlora demo`: train, ask before and after, export, verify, chat.
PATH="$(dirname "$0")/../.venv/bin:$PATH"
if ! command -v llmlora > /dev/null; then
    echo "llmlora が入っていません (llmlora is not installed): make install" >&2
    exit 1
fi
exec llmlora demo "$@"
