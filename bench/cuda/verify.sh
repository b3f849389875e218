#!/usr/bin/env bash
# What has to be seen on a machine with an NVIDIA GPU, the decisive things first: some minutes, no network, no Node.js.
# Takes build-cuda/gradus_cuda_tests along (`npm run build:cuda -- --tests`). Usage: bench/cuda/verify.sh [FOLDER]
# One stage that fails does not stop the others. In the folder: what each stage wrote, results.txt, and seen.txt with the
# hash of each device source if all kernels had the processor's bits; it goes to bench/cuda/seen.txt.
set -u -o pipefail
cd "$(dirname "$0")/../.."
out=${1:-build-cuda/verify}
tests=build-cuda/gradus_cuda_tests
mkdir -p "$out"
: >"$out/results.txt"

# stage NAME SECONDS COMMAND…
stage() {
  local name=$1 limit=$2 begin=$SECONDS status=0
  shift 2
  timeout "$limit" bash -c '"$@"' _ "$@" </dev/null >"$out/$name.log" 2>&1 || status=$?
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
again() { for _ in 1 2 3 4 5; do "$tests" "bits" || return; done; }
sanitized() {
  command -v compute-sanitizer >/dev/null || { echo 'no compute-sanitizer'; return 1; }
  local tool
  for tool in memcheck racecheck initcheck synccheck; do
    GRADUS_TRIALS=2 compute-sanitizer --tool "$tool" --error-exitcode 9 "$tests" || return
  done
}

export tests
export -f describe_card from_ptx again sanitized
stage card 20 describe_card
stage conformance 15 "$tests" conformance_test
if stage kernels 60 "$tests"; then
  find native/kernels/cuda -type f | sort | xargs sha256sum >"$out/seen.txt"
fi
stage ptx 120 from_ptx
stage repeats 60 again
stage sanitizer 150 sanitized
printf '\n'
cat "$out/results.txt"
! grep -q failed "$out/results.txt"
