#!/usr/bin/env bash
# What action.yml does: one command of relightflow, its outputs, the step's summary and the gallery.
# Inputs come in ACTION_… and are only ever quoted words of a command, never a part of a script.
set -uo pipefail

here="$(cd "$(dirname "$0")" && pwd)"
documents="$(mktemp)"
recipes=()
while IFS= read -r line; do
  [ -z "${line// /}" ] || recipes+=("$line")
done <<< "${ACTION_RECIPE:-}"

output() { printf '%s=%s\n' "$1" "$2" >> "${GITHUB_OUTPUT:?}"; }

fail() {
  echo "::error::$1"
  exit 2
}

# option NAME VALUE: adds both, where there is a value
option() { [ -z "$2" ] || arguments+=("$1" "$2"); }

# named before anything is run, so that a job that is cancelled keeps its state
state="${ACTION_STATE:-relightflow-state}"
artifact=
case "$ACTION_COMMAND" in
  run | apply | pull | merge)
    artifact="${ACTION_ARTIFACT:-relightflow-state}"
    [ -z "${ACTION_SHARD:-}" ] || artifact="${ACTION_ARTIFACT:-relightflow-shard-${ACTION_SHARD/\//-of-}}"
    [ "$artifact" != none ] || artifact=
    ;;
esac
output artifact "$artifact"

arguments=("$ACTION_COMMAND" --json)
what=()
[ "${#recipes[@]}" = 0 ] || what=("${recipes[@]}")
case "$ACTION_COMMAND" in
  validate) ;;
  plan)
    arguments+=(--state "$state")
    option -o "${ACTION_PLAN:-}"
    option --fail-above "${ACTION_FAIL_ABOVE:-}"
    ;;
  run) arguments+=(--yes --state "$state") ;;
  apply)
    [ -n "${ACTION_PLAN:-}" ] || fail "apply needs the input plan"
    arguments+=(--yes --state "$state")
    what=("$ACTION_PLAN")
    ;;
  pull) arguments+=(--state "$state") ;;
  merge)
    [ -n "${ACTION_FROM:-}" ] || fail "merge needs the input from"
    arguments+=(--state "$state" --from "$ACTION_FROM")
    [ -z "${ACTION_PLAN:-}" ] || what=("$ACTION_PLAN")
    ;;
  report) [ -n "${ACTION_REPORT:-}" ] || fail "report needs the input report" ;;
  *) fail "the input command must be validate, plan, run, apply, pull, merge or report" ;;
esac
case "$ACTION_COMMAND" in
  plan | run | apply)
    option --max-cost "${ACTION_MAX_COST:-}"
    option --shard "${ACTION_SHARD:-}"
    ;;
esac
case "$ACTION_COMMAND" in plan | run | apply | pull | merge) option --store "${ACTION_STORE:-}" ;; esac
case "$ACTION_COMMAND" in
  run | apply)
    option --stop-after "${ACTION_STOP_AFTER:-}"
    option --junit "${ACTION_JUNIT:-}"
    ;;
esac

# A runner that cancels signals this script alone. It passes the signal on and waits, so that calls in flight
# are recorded.
code=0
if [ "$ACTION_COMMAND" != report ]; then
  relightflow "${arguments[@]}" -- ${what[@]+"${what[@]}"} > "$documents" &
  child=$!
  trap 'kill -TERM "$child" 2> /dev/null' INT TERM
  wait "$child"
  code=$?
  while kill -0 "$child" 2> /dev/null; do
    wait "$child"
    code=$?
  done
  trap - INT TERM
  python3 "$here/outputs.py" "$ACTION_COMMAND" "$documents" "${ACTION_PLAN:-}" >> "$GITHUB_OUTPUT"
fi

if [ "$ACTION_COMMAND" = plan ] && [ -n "${ACTION_COMMENT:-}" ]; then
  arguments=(plan --state "$state" --format github)
  option --against "${ACTION_AGAINST:-}"
  option --max-cost "${ACTION_MAX_COST:-}"
  relightflow "${arguments[@]}" -- "${recipes[@]}" > "$ACTION_COMMENT"
  [ ! -s "$ACTION_COMMENT" ] || output comment "$ACTION_COMMENT"
fi

# a job that is being cancelled has seconds left, and they belong to the state
if [ "$code" -ge 128 ]; then
  output exit-code "$code"
  exit "$code"
fi
case "$ACTION_COMMAND" in
  run | apply | pull | merge)
    if [ -n "${GITHUB_STEP_SUMMARY:-}" ] && [ "${#recipes[@]}" -gt 0 ]; then
      relightflow report --format github --state "$state" -- "${recipes[@]}" >> "$GITHUB_STEP_SUMMARY" || true
    fi
    ;;
esac
if [ -n "${ACTION_REPORT:-}" ] && [ "${#recipes[@]}" -gt 0 ] && [ -z "${ACTION_SHARD:-}" ]; then
  if relightflow report --overwrite --full copy --state "$state" -o "$ACTION_REPORT" -- "${recipes[@]}"; then
    output report "$ACTION_REPORT"
  elif [ "$ACTION_COMMAND" = report ]; then
    code=1
  fi
fi
output exit-code "$code"
exit "$code"
