#!/usr/bin/env bash
# What has to be seen on a machine with an NVIDIA GPU, the decisive things first: some minutes, no network.
# Takes build-cuda along, with its tests and its bench (`npm run build:cuda -- --tests`); Node.js and the built package only for
# the last stage. Usage: bench/cuda/verify.sh [FOLDER]. `--emulated` in the folder's place goes through the stages that need
# no card on the emulator, with little data: whether the script is in order, nothing else.
# One stage that fails does not stop the others. In the folder: what each stage wrote, results.txt, bench.txt with the ratios,
# and seen.txt with the hash of each device source if all kernels had the processor's bits; it goes to bench/cuda/seen.txt.
set -u -o pipefail
cd "$(dirname "$0")/../.."
if [ "${1:-}" = --emulated ]; then
  out=build-emulated/verify tests=build-emulated/gradus_emulated_tests library=build-emulated/gradus_emulated.so
  bench=build-emulated/gradus_device_bench small=small GRADUS_TRIALS=1 repeats=1 slower=20
  export GRADUS_TRIALS
else
  out=${1:-build-cuda/verify} tests=build-cuda/gradus_cuda_tests library=build-cuda/gradus_cuda.so
  bench=build-cuda/gradus_device_bench small='' repeats=10 slower=1
fi
mkdir -p "$out"
: >"$out/results.txt"

# stage NAME SECONDS COMMAND…
stage() {
  local name=$1 limit=$2 begin=$SECONDS status=0
  shift 2
  timeout $((limit * slower)) bash -c '"$@"' _ "$@" </dev/null >"$out/$name.log" 2>&1 || status=$?
  printf '%-12s %s  %4d s  %s\n' "$name" "$([ $status -eq 0 ] && echo ok || echo "failed ($status)")" \
    $((SECONDS - begin)) "$(tail -n 1 "$out/$name.log")" | tee -a "$out/results.txt"
  return $status
}

# The card, and what copies and products reach there through PyTorch, if it has that.
describe_card() {
  nvidia-smi --query-gpu=name,driver_version,compute_cap,memory.total,clocks.sm,clocks.max.sm --format=csv || return
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
  local tool
  for tool in memcheck racecheck initcheck synccheck; do
    GRADUS_TRIALS=2 compute-sanitizer --tool "$tool" --error-exitcode 9 \
      "$tests" conformance kernels_test rows_test norms_test choices_test updates_test || return
  done
}
# Ours and PyTorch's, and their ratio: above 1 we are faster.
measured() {
  "$bench" "$library" $small >"$out/ours.tsv" || { cat "$out/ours.tsv"; return 1; }
  : >"$out/theirs.tsv"
  local layers
  mapfile -t layers < <(sed -n 's/^layer \(.*\)\t.*/\1/p' "$out/ours.tsv")
  [ -n "$small" ] || python3 bench/cuda/rivals.py "${layers[@]}" >"$out/theirs.tsv" || echo 'no rivals: no PyTorch'
  awk -F '\t' 'FNR == NR { theirs[$1] = $2; next }
    { printf "%-28s %12.3f us  %s\n", $1, $2 * 1e6,
        ($1 in theirs) ? sprintf("%12.3f us by PyTorch  %.2f", theirs[$1] * 1e6, theirs[$1] / $2) : "" }' \
    "$out/theirs.tsv" "$out/ours.tsv" | tee "$out/bench.txt"
}
# What users call, from JavaScript on: training, evaluation, refusals, one device after the other.
models() { GRADUS_CUDA_LIBRARY=$library node test/gpu/models.js; }

export tests library bench small repeats out
export -f describe_card from_ptx again sanitized measured models
[ -n "$small" ] || stage card 20 describe_card
stage conformance 30 "$tests" conformance_test
if stage kernels 60 "$tests" && [ -z "$small" ]; then
  find native/kernels/cuda -type f | sort | xargs sha256sum >"$out/seen.txt"
fi
[ -n "$small" ] || stage ptx 120 from_ptx
stage engine 60 again
[ -n "$small" ] || stage sanitizer 150 sanitized
stage bench 200 measured
stage models 60 models
printf '\n'
cat "$out/results.txt"
! grep -q failed "$out/results.txt"
