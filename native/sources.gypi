{
  "variables": {
    "core_sources": [
      "native/kernels/isa.cc",
      "native/kernels/cpu/scalar.cc",
      "native/engine/dataset.cc",
      "native/engine/program.cc"
    ],
    "binding_sources": [
      "native/addon.cc"
    ],
    "avx2_sources": ["native/kernels/cpu/avx2.cc"],
    "avx512_sources": ["native/kernels/cpu/avx512.cc"],
    "neon_sources": ["native/kernels/cpu/neon.cc"],
    "test_sources": [
      "test/native/main.cc"
    ]
  }
}
