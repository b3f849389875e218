{
  "variables": {
    "core_sources": [
      "native/kernels/isa.cc",
      "native/engine/batch.cc",
      "native/engine/corrections.cc",
      "native/engine/curvature.cc",
      "native/engine/dataset.cc",
      "native/engine/directed.cc",
      "native/engine/graph.cc",
      "native/engine/inspection.cc",
      "native/engine/loss_tangent.cc",
      "native/engine/metrics.cc",
      "native/engine/muon.cc",
      "native/engine/objective.cc",
      "native/engine/op.cc",
      "native/engine/ops.cc",
      "native/engine/partition.cc",
      "native/engine/penalty.cc",
      "native/engine/plan.cc",
      "native/engine/pool.cc",
      "native/engine/probe.cc",
      "native/engine/program.cc",
      "native/engine/statistics.cc",
      "native/engine/update_step.cc"
    ],
    "scalar_sources": ["native/kernels/cpu/scalar.cc"],
    "avx2_sources": ["native/kernels/cpu/avx2.cc"],
    "avx512_sources": ["native/kernels/cpu/avx512.cc"],
    "neon_sources": ["native/kernels/cpu/neon.cc"],
    "binding_sources": [
      "native/addon.cc",
      "native/binding/arguments.cc",
      "native/binding/call_arguments.cc",
      "native/binding/calls.cc",
      "native/binding/crew.cc",
      "native/binding/dataset.cc",
      "native/binding/environment.cc",
      "native/binding/errors.cc",
      "native/binding/host.cc",
      "native/binding/kernels/kernel_functions.cc",
      "native/binding/program.cc",
      "native/binding/results.cc",
      "native/binding/value.cc"
    ],
    "test_sources": [
      "test/native/activations_test.cc",
      "test/native/bfloat16_test.cc",
      "test/native/choices_test.cc",
      "test/native/deferred_test.cc",
      "test/native/engine_gradient_test.cc",
      "test/native/engine_test.cc",
      "test/native/floating_point_test.cc",
      "test/native/hessian_test.cc",
      "test/native/losses_test.cc",
      "test/native/main.cc",
      "test/native/math_test.cc",
      "test/native/matmul_test.cc",
      "test/native/moving_test.cc",
      "test/native/norm_tangents_test.cc",
      "test/native/norms_test.cc",
      "test/native/penalties_test.cc",
      "test/native/pool_test.cc",
      "test/native/probe_test.cc",
      "test/native/random_test.cc",
      "test/native/rows_test.cc",
      "test/native/statistics_test.cc",
      "test/native/tangents_test.cc",
      "test/native/threads_test.cc",
      "test/native/updates_test.cc"
    ],
    "binding_defines": [
      "NAPI_VERSION=8", "NAPI_CPP_EXCEPTIONS", "NODE_ADDON_API_DISABLE_DEPRECATED",
      "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"
    ],
    "native_cflags": [
      "-std=c++17", "-O3", "-Wall", "-Wextra", "-fvisibility=hidden",
      "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math"
    ],
    "test_cflags": ["-O1"],
    "scalar_cflags": ["-O2"],
    "avx2_cflags": ["-mavx2", "-mfma", "-Wno-ignored-attributes"],
    "avx512_cflags": [
      "-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mfma",
      "-mprefer-vector-width=512", "-Wno-uninitialized", "-Wno-maybe-uninitialized"
    ]
  }
}
