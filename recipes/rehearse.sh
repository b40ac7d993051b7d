#!/bin/sh
# Rehearse a paid recipe at no cost: recipes/rehearse.sh RECIPE [option of `relightflow run`]...
#
# The emulator replaces the provider on a free local port, and the state folder is a temporary one, so that
# every rehearsal begins anew. The results go to a folder `rehearsal` beside the real ones.
set -eu
recipe=${1:?usage: rehearse.sh RECIPE [option]...}
shift

scratch=$(mktemp -d)
: >"$scratch/said" # so that the first look finds it
relightflow emulator --port 0 --latency 0.5-2 --journal "$scratch/bill.jsonl" >>"$scratch/said" &
emulator=$!
trap 'kill "$emulator" 2>/dev/null; wait "$emulator" 2>/dev/null; rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

until grep -q '^listening on ' "$scratch/said"; do
  kill -0 "$emulator" || exit 1 # it has said why
  sleep 0.1
done

RELIGHTFLOW_SEGMIND_URL=$(sed -n 's/^listening on //p' "$scratch/said")
SEGMIND_API_KEY=SG_0123456789abcdef # any well-formed key will do there
export RELIGHTFLOW_SEGMIND_URL SEGMIND_API_KEY

# its folders hold nothing but earlier rehearsals, unless the command line names others
case "$*" in *sinks*) ;; *) set -- --overwrite "$@" ;; esac

code=0
relightflow run "$recipe" --state "$scratch/state" "$@" || code=$?
echo "rehearsed: $(wc -l <"$scratch/bill.jsonl") calls that a provider would have billed; nothing was spent. Its state is thrown away"
exit "$code"
