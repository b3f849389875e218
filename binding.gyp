# The CPU addon and its native tests. Sources and flags come from native/sources.gypi, which CMakeLists.txt reads too.
# One static library per instruction set: gyp has no flags per file.
{
  'includes': ['native/sources.gypi'],
  # `npm run bench` sets it; the executables then share the libraries that are built already.
  'variables': { 'gradus_bench%': 0 },
  'target_defaults': {
    'include_dirs': ['native'],
    'cflags!': ['-O2', '-fno-omit-frame-pointer'],
    'cflags_cc!': ['-fno-exceptions', '-fno-rtti', '-std=gnu++17', '-std=gnu++20'],
    'cflags_cc': ['<@(native_cflags)'],
    'conditions': [
      ['OS=="mac"', {
        'xcode_settings': {
          'GCC_ENABLE_CPP_EXCEPTIONS': 'YES',
          'GCC_ENABLE_CPP_RTTI': 'YES',
          'MACOSX_DEPLOYMENT_TARGET': '11.0',
          'OTHER_CPLUSPLUSFLAGS': ['<@(native_cflags)'],
        },
      }],
    ],
  },
  'conditions': [
    ['target_arch=="x64"', {
      'targets': [
        {
          'target_name': 'kernels_avx2',
          'type': 'static_library',
          'sources': ['<@(avx2_sources)'],
          'cflags_cc': ['<@(avx2_cflags)'],
          'xcode_settings': { 'OTHER_CPLUSPLUSFLAGS': ['<@(avx2_cflags)'] },
        },
        {
          'target_name': 'kernels_avx512',
          'type': 'static_library',
          'sources': ['<@(avx512_sources)'],
          'cflags_cc': ['<@(avx512_cflags)'],
          'xcode_settings': { 'OTHER_CPLUSPLUSFLAGS': ['<@(avx512_cflags)'] },
        },
      ],
    }],
    ['gradus_bench==1', {
      'targets': [
        {
          'target_name': 'gradus_bench_matmul',
          'type': 'executable',
          'sources': ['bench/native/matmul.cc'],
          'dependencies': ['core'],
          'libraries': ['-lpthread', '-ldl'],
        },
        {
          'target_name': 'gradus_bench_convolution',
          'type': 'executable',
          'sources': ['bench/native/convolution.cc'],
          'dependencies': ['core'],
          'libraries': ['-lpthread'],
        },
        {
          'target_name': 'gradus_bench_peak',
          'type': 'executable',
          'sources': ['bench/native/peak.cc'],
          'libraries': ['-lpthread'],
        },
        {
          'target_name': 'gradus_bench_update',
          'type': 'executable',
          'sources': ['bench/native/update.cc'],
          'dependencies': ['core'],
          'libraries': ['-lpthread'],
        },
        {
          'target_name': 'gradus_bench_model_update',
          'type': 'executable',
          'sources': ['bench/native/model_update.cc'],
          'dependencies': ['core'],
          'libraries': ['-lpthread'],
        },
        {
          'target_name': 'gradus_bench_average',
          'type': 'executable',
          'sources': ['bench/native/average.cc'],
          'dependencies': ['core'],
          'libraries': ['-lpthread'],
        },
        {
          'target_name': 'gradus_bench_phases',
          'type': 'executable',
          'sources': ['bench/native/phases.cc'],
          'dependencies': ['core'],
          'libraries': ['-lpthread'],
        },
        {
          'target_name': 'gradus_bench_scale',
          'type': 'executable',
          'sources': ['bench/native/scale.cc'],
          'dependencies': ['core'],
          'libraries': ['-lpthread'],
        },
      ],
    }],
    ['target_arch=="arm64"', {
      'targets': [
        {
          'target_name': 'kernels_neon',
          'type': 'static_library',
          'sources': ['<@(neon_sources)'],
          'cflags_cc': ['<@(neon_cflags)'],
          'xcode_settings': { 'OTHER_CPLUSPLUSFLAGS': ['<@(neon_cflags)'] },
        },
      ],
    }],
  ],
  'targets': [
    {
      'target_name': 'kernels_scalar',
      'type': 'static_library',
      'sources': ['<@(scalar_sources)'],
      'cflags_cc': ['<@(scalar_cflags)'],
      'xcode_settings': { 'OTHER_CPLUSPLUSFLAGS': ['<@(scalar_cflags)'] },
    },
    {
      'target_name': 'core',
      'type': 'static_library',
      'sources': ['<@(core_sources)'],
      'dependencies': ['kernels_scalar'],
      'conditions': [
        ['OS=="linux"', { 'link_settings': { 'libraries': ['-ldl'] } }],
        ['target_arch=="x64"', { 'dependencies': ['kernels_avx2', 'kernels_avx512'] }],
        ['target_arch=="arm64"', { 'dependencies': ['kernels_neon'] }],
      ],
    },
    {
      'target_name': 'gradus',
      'sources': ['<@(binding_sources)'],
      'dependencies': ['core'],
      'include_dirs': ["<!(node -p \"require('node-addon-api').include_dir\")"],
      'defines': ['<@(binding_defines)'],
      'cflags_cc': ['<@(binding_cflags)'],
      'xcode_settings': { 'OTHER_CPLUSPLUSFLAGS': ['<@(binding_cflags)'] },
    },
    {
      'target_name': 'gradus_tests',
      'type': 'executable',
      'sources': ['<@(test_sources)'],
      'dependencies': ['core'],
      'include_dirs': ['test/native'],
      'cflags_cc': ['<@(test_cflags)'],
      'xcode_settings': { 'OTHER_CPLUSPLUSFLAGS': ['<@(test_cflags)'] },
      'libraries': ['-lpthread'],
    },
  ],
}
