#!/usr/bin/env bash
# Installs the relightflow of this checkout into an environment of its own, and puts it on the PATH of the
# steps that follow. Called by action.yml.
set -euo pipefail

for python in "${PYTHON:-}" python3 python; do
  if [ -n "$python" ] && "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    break
  fi
  python=
done
if [ -z "$python" ]; then
  echo "::error::relightflow needs Python 3.11 or newer; add actions/setup-python before this action"
  exit 2
fi
folder="${RUNNER_TEMP:?}/relightflow"
"$python" -m venv "$folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check "${GITHUB_ACTION_PATH:?}"
echo "$folder/bin" >> "${GITHUB_PATH:?}"
