#!/usr/bin/env bash
# What has to be seen on a machine with an NVIDIA GPU, the decisive things first: ten minutes at most, no network.
# Takes build-cuda along, with its tests and its bench (`npm run build:cuda -- --tests`); Node.js and the built package only for
# the last stages. Usage: bench/cuda/verify.sh [FOLDER]. `--emulated [BUILD]` in the folder's place goes through the stages that
# need no card on the emulator, with little data, of which BUILD, else build-emulated, has the programs: whether the script is in
# order, and whether hashes are those of the processor.
# Each stage has a time limit of its own, and one that fails does not stop the others. In the folder: what each stage wrote,
# results.txt, bench.txt with the ratios, results.json with all of it, and seen.txt with the hash of each device source if all
# kernels had the processor's bits; it goes to bench/cuda/seen.txt.
set -u -o pipefail
cd "$(dirname "$0")/../.."
if [ "${1:-}" = --emulated ]; then
  build=${2:-build-emulated} device=emulated small=small GRADUS_TRIALS=1 repeats=1 slower=20
  export GRADUS_TRIALS
  seen=seen-by-the-emulator.txt
else
  build=build-cuda device=cuda small='' repeats=10 slower=1 seen=seen.txt
fi
tests=$build/gradus_${device}_tests library=$build/gradus_$device.so bench=$build/gradus_device_bench out=$build/verify
[ -n "$small" ] || out=${1:-$out}
mkdir -p "$out"
rm -f "$out"/{stages,ours,theirs,steps,kernels}.tsv "$out"/{results,bench,card,seen*}.txt "$out/results.json"

# note NAME STATUS LIMIT SECONDS TEXT: a line of the table.
note() {
  local text
  text=$(printf '%s' "$5" | tr '\t\r' '  ' | sed 's/^ *//; s/ *$//')
  printf '%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" "$text" >>"$out/stages.tsv"
  printf '%-12s %-12s %4s s  %s\n' "$1" "$2" "$4" "$text" | tee -a "$out/results.txt"
}
# stage NAME SECONDS COMMAND…
stage() {
  local name=$1 limit=$(($2 * slower)) begin=$SECONDS status=0 said
  shift 2
  timeout --kill-after=10 $limit bash -u -o pipefail -c '"$@"' _ "$@" </dev/null >"$out/$name.log" 2>&1 || status=$?
  case $status in
    0) said=ok ;;
    124 | 137) said='out of time' ;;
    *) said="failed ($status)" ;;
  esac
  note "$name" "$said" $limit $((SECONDS - begin)) "$(grep -v '^ *$' "$out/$name.log" | tail -n 1)"
  return $status
}
# on_card NAME SECONDS COMMAND…: a stage that the emulator has nothing of.
on_card() {
  if [ -n "$small" ]; then note "$1" 'no card' 0 0 ''; else stage "$@"; fi
}

# The card, and what copies and products reach there through PyTorch, if it has that.
describe_card() {
  nvidia-smi --query-gpu=name,driver_version,compute_cap,memory.total,clocks.sm,clocks.max.sm --format=csv || return
  nvidia-smi --query-gpu=name,driver_version --format=csv,noheader | head -n 1 >"$out/card.txt"
  python3 bench/cuda/ceilings.py || echo 'no ceilings: no PyTorch'
}
from_ptx() { CUDA_FORCE_PTX_JIT=1 "$tests"; }
# Networks that must end in the recorded bits of the processor, each time.
again() {
  local i
  for ((i = 0; i < repeats; ++i)); do "$tests" engine_test || return; done
}
sanitized() {
  command -v compute-sanitizer >/dev/null || { echo 'no compute-sanitizer'; return 1; }
  GRADUS_TRIALS=2 compute-sanitizer --tool "$1" --error-exitcode 9 \
    "$tests" conformance kernels_test rows_test norms_test choices_test updates_test
}
# against NAME RIVAL…: ours of NAME.tsv and PyTorch's, which rivals.py tells for these arguments, and their ratio: above 1 we
# are faster. All of them in ours.tsv, theirs.tsv and bench.txt.
against() {
  local name=$1
  shift
  : >"$out/theirs-$name.tsv"
  [ -n "$small" ] || python3 bench/cuda/rivals.py "$@" >"$out/theirs-$name.tsv" || echo 'no rivals: no PyTorch'
  cat "$out/$name.tsv" >>"$out/ours.tsv"
  cat "$out/theirs-$name.tsv" >>"$out/theirs.tsv"
  awk -F '\t' 'FILENAME == ARGV[1] { theirs[$1] = $2; next }
    { printf "%-48s %12.3f us  %s\n", $1, $2 * 1e6,
        ($1 in theirs) ? sprintf("%12.3f us by PyTorch  %.2f", theirs[$1] * 1e6, theirs[$1] / $2) : ""; delete theirs[$1] }
    END { for (name in theirs) printf "%-48s %12s     %12.3f us by PyTorch\n", name, "", theirs[name] * 1e6 }' \
    "$out/theirs-$name.tsv" "$out/$name.tsv" | tee -a "$out/bench.txt"
}
measured() {
  "$bench" "$library" $small >"$out/kernels.tsv" || { cat "$out/kernels.tsv"; return 1; }
  local layers
  mapfile -t layers < <(sed -n 's/^layer \([0-9 ]*\)\t.*/\1/p' "$out/kernels.tsv")
  against kernels "${layers[@]}"
}
on_device() { GRADUS_DEVICE=cuda GRADUS_CUDA_LIBRARY=$PWD/$library "$@"; }
# Whole steps, replayed as graphs and not.
stepped() {
  { on_device node bench/cuda/steps.js $small && GRADUS_CUDA_GRAPHS=0 on_device node bench/cuda/steps.js $small; } \
    >"$out/steps.tsv" || { cat "$out/steps.tsv"; return 1; }
  against steps steps
}
# What users call, from JavaScript on: models.js has training, evaluation, refusals, memory that runs out, one device after the
# other; lifecycles.js several programs, threads and processes on one card at once, and their ends.
tested() {
  GRADUS_CUDA_LIBRARY=$PWD/$library FORCE_COLOR=0 node "test/gpu/$1.js" | sed '/^ *Skipped: /d; /^ *Duration: /d'
}
# MNIST to 98 %, and the seconds that it takes, loading included.
mnist() { on_device node bench/cuda/mnist.js $small; }

# What the kernels are compiled of.
device_sources() {
  local files before='' file name path
  files=$(find native/kernels/cuda -type f | sort)
  while [ "$files" != "$before" ]; do
    before=$files
    files=$({
      printf '%s\n' "$files"
      for file in $files; do
        for name in $(sed -n 's/^#include "\(.*\)"/\1/p' "$file"); do
          for path in "${file%/*}/$name" "native/$name"; do [ ! -f "$path" ] || realpath --relative-to=. "$path"; done
        done
      done
    } | grep -v ^native/emulator/ | sort -u)
  done
  printf '%s\n' "$files"
}
# All that is known, as one object.
as_json() {
  local commit file
  commit=$(git rev-parse --short HEAD 2>/dev/null) || commit=
  for file in stages.tsv ours.tsv theirs.tsv card.txt "$seen"; do [ -f "$out/$file" ] || : >"$out/$file"; done
  (cd "$out" && awk -v device="$device" -v commit="$commit" -v date="$(date -u +%Y-%m-%dT%H:%M:%SZ)" -v seen="$seen" '
    function quoted(text) {
      gsub(/\\/, "&&", text); gsub(/"/, "\\\"", text); gsub(/[[:cntrl:]]/, " ", text)
      return "\"" text "\""
    }
    function number(text) { return text ~ /^[0-9.]+(e[-+]?[0-9]+)?$/ ? text + 0 : "null" }
    function item(text) { list = list (list == "" ? "\n    " : ",\n    ") text }
    function close_list(name, from, to) {
      printf "  %s: %s%s%s", quoted(name), from, list == "" ? "" : list "\n  ", to
      list = ""
    }
    BEGIN {
      FS = "\t"; OFMT = CONVFMT = "%.9g"
      while ((getline < "card.txt") > 0) if (card == "") card = $0
      printf "{\n  \"device\": %s,\n  \"card\": %s,\n", quoted(device), card == "" ? "null" : quoted(card)
      printf "  \"date\": %s,\n  \"commit\": %s,\n", quoted(date), commit == "" ? "null" : quoted(commit)
      while ((getline < "stages.tsv") > 0)
        item("{ \"name\": " quoted($1) ", \"status\": " quoted($2) ", \"limit\": " number($3) ", \"seconds\": " number($4) \
             ", \"says\": " quoted($5) " }")
      close_list("stages", "[", "]"); print ","
      while ((getline < "theirs.tsv") > 0) theirs[$1] = $2
      while ((getline < "ours.tsv") > 0)
        if (NF == 2) {
          item("{ \"name\": " quoted($1) ", \"seconds\": " number($2) ", \"pytorch\": " number(theirs[$1]) " }")
          delete theirs[$1]
        }
      for (name in theirs)
        item("{ \"name\": " quoted(name) ", \"seconds\": null, \"pytorch\": " number(theirs[name]) " }")
      close_list("times", "[", "]"); print ","
      FS = "  "
      while ((getline < seen) > 0) item(quoted($2) ": " quoted($1))
      close_list("seen", "{", "}"); print "\n}"
    }') >"$out/results.json"
}

export tests library bench small repeats out
export -f describe_card from_ptx again sanitized against measured on_device stepped tested mnist
on_card card 20 describe_card
stage conformance 15 "$tests" conformance_test
if stage kernels 60 "$tests"; then
  device_sources | xargs sha256sum >"$out/$seen"
fi
on_card ptx 70 from_ptx
stage engine 30 again
for tool in memcheck racecheck initcheck synccheck; do on_card $tool 36 sanitized $tool; done
stage bench 150 measured
stage steps 40 stepped
stage models 30 tested models
stage lifecycles 25 tested lifecycles
stage mnist 15 mnist
as_json
printf '\n'
cat "$out/results.txt"
! grep -Eq $'\t(failed|out of time)' "$out/stages.tsv"
