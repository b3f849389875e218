{
  "variables": {
    "core_sources": [
      "native/kernels/isa.cc",
      "native/kernels/cpu/scalar.cc",
      "native/engine/batch.cc",
      "native/engine/dataset.cc",
      "native/engine/graph.cc",
      "native/engine/metrics.cc",
      "native/engine/objective.cc",
      "native/engine/op.cc",
      "native/engine/ops/activation.cc",
      "native/engine/ops/add.cc",
      "native/engine/ops/batch_norm.cc",
      "native/engine/ops/concat.cc",
      "native/engine/ops/dense.cc",
      "native/engine/ops/dropout.cc",
      "native/engine/ops/embedding.cc",
      "native/engine/ops/layer_norm.cc",
      "native/engine/ops/maxout.cc",
      "native/engine/ops/reshape.cc",
      "native/engine/ops/softmax.cc",
      "native/engine/partition.cc",
      "native/engine/plan.cc",
      "native/engine/pool.cc",
      "native/engine/program.cc",
      "native/engine/update_step.cc"
    ],
    "avx2_sources": ["native/kernels/cpu/avx2.cc"],
    "avx512_sources": ["native/kernels/cpu/avx512.cc"],
    "neon_sources": ["native/kernels/cpu/neon.cc"],
    "binding_sources": [
      "native/addon.cc",
      "native/binding/arguments.cc",
      "native/binding/calls.cc",
      "native/binding/dataset.cc",
      "native/binding/environment.cc",
      "native/binding/errors.cc",
      "native/binding/kernels/activations.cc",
      "native/binding/kernels/kernel_functions.cc",
      "native/binding/kernels/linear.cc",
      "native/binding/kernels/losses.cc",
      "native/binding/kernels/norms.cc",
      "native/binding/kernels/random.cc",
      "native/binding/kernels/rows.cc",
      "native/binding/kernels/updates.cc",
      "native/binding/program.cc",
      "native/binding/results.cc",
      "native/binding/value.cc"
    ],
    "test_sources": [
      "test/native/activations_test.cc",
      "test/native/engine_gradient_test.cc",
      "test/native/engine_test.cc",
      "test/native/losses_test.cc",
      "test/native/main.cc",
      "test/native/math_test.cc",
      "test/native/matmul_test.cc",
      "test/native/norms_test.cc",
      "test/native/random_test.cc",
      "test/native/rows_test.cc",
      "test/native/updates_test.cc"
    ],
    "binding_defines": ["NAPI_VERSION=8", "NAPI_CPP_EXCEPTIONS", "NODE_ADDON_API_DISABLE_DEPRECATED"],
    "native_cflags": [
      "-std=c++17", "-O3", "-Wall", "-Wextra", "-fvisibility=hidden",
      "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math"
    ],
    "test_cflags": ["-O1"],
    "avx2_cflags": ["-mavx2", "-mfma", "-Wno-ignored-attributes"],
    "avx512_cflags": [
      "-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mfma",
      "-mprefer-vector-width=512", "-Wno-uninitialized", "-Wno-maybe-uninitialized"
    ]
  }
}
