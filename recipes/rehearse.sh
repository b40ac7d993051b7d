#!/bin/sh
# Rehearse a paid recipe at no cost: recipes/rehearse.sh RECIPE [option of `relightflow run`]...
#
# For each provider of the recipe an emulator takes its place on a free local port, and the state folder is a
# temporary one, so that every rehearsal begins anew. The results go to a folder `rehearsal` beside the real ones.
set -eu
recipe=${1:?usage: rehearse.sh RECIPE [option]...}
shift

# not installed: the clone that this script is in may have made a virtual environment (`make demo` does)
if ! command -v relightflow >/dev/null; then
  root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
  if [ ! -x "$root/.venv/bin/relightflow" ]; then
    echo "rehearse.sh: relightflow is neither on PATH nor in $root/.venv/bin; nothing was started." >&2
    echo "Install it there with \`make -C '$root' demo\`, or activate the environment that has it" >&2
    exit 127
  fi
  PATH=$root/.venv/bin:$PATH
  export PATH
fi

scratch=$(mktemp -d)
emulators=
trap 'kill $emulators 2>/dev/null || :; wait $emulators 2>/dev/null || :; rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

# start PROVIDER: its emulator, which says its address into a file of that name
start() {
  said=$scratch/$1
  : >"$said" # so that the first look finds it
  relightflow emulator --protocol "$1" --port 0 --latency 0.5-2 --journal "$scratch/bill.$1" >>"$said" &
  emulators="$emulators $!"
  until grep -q '^listening on ' "$said"; do
    kill -0 $! || exit 1 # it has said why
    sleep 0.1
  done
}

# any well-formed key will do there
if grep -Eq 'type: *"?segmind' "$recipe"; then
  start segmind
  RELIGHTFLOW_SEGMIND_URL=$(sed -n 's/^listening on //p' "$scratch/segmind")
  SEGMIND_API_KEY=SG_0123456789abcdef
  export RELIGHTFLOW_SEGMIND_URL SEGMIND_API_KEY
fi
if grep -Eq 'type: *"?fal' "$recipe"; then
  start fal
  RELIGHTFLOW_FAL_URL=$(sed -n 's/^listening on //p' "$scratch/fal")
  FAL_KEY=any:key
  export RELIGHTFLOW_FAL_URL FAL_KEY
fi
if [ -z "$emulators" ]; then
  echo "$recipe: no provider that this script rehearses (segmind, fal)" >&2
  exit 2
fi

# its folders hold nothing but earlier rehearsals, unless the command line names others
case "$*" in *sinks*) ;; *) set -- --overwrite "$@" ;; esac

code=0
relightflow run "$recipe" --state "$scratch/state" "$@" || code=$?
bills=$(cat "$scratch"/bill.* | wc -l)
echo "rehearsed: $((bills)) calls that a provider would have billed; nothing was spent. Its state is thrown away"
exit "$code"
