# The GPU's kernels compiled for the processor, where each load and store asks the emulator first: gradus_emulated is a
# library as gradus_cuda is one, gradus_emulated_tests the tests that look inside.
add_library(emulated_kernels OBJECT ${cuda_sources})
set_source_files_properties(${cuda_sources} PROPERTIES LANGUAGE CXX)
target_compile_definitions(emulated_kernels PUBLIC GRADUS_EMULATED)
target_compile_options(emulated_kernels PRIVATE "SHELL:-x c++" ${emulated_cflags})

add_library(emulator OBJECT ${emulator_sources})
target_compile_definitions(emulator PUBLIC GRADUS_EMULATED)
target_compile_options(emulator PRIVATE ${emulator_cflags})

add_library(gradus_emulated MODULE $<TARGET_OBJECTS:emulated_kernels> $<TARGET_OBJECTS:emulator>)
target_link_libraries(gradus_emulated PRIVATE ${CMAKE_DL_LIBS})
set_target_properties(gradus_emulated PROPERTIES PREFIX "" LINKER_LANGUAGE CXX)

add_library(emulated_test_kernels OBJECT ${cuda_test_sources})
set_source_files_properties(${cuda_test_sources} PROPERTIES LANGUAGE CXX)
target_compile_definitions(emulated_test_kernels PUBLIC GRADUS_EMULATED)
target_compile_options(emulated_test_kernels PRIVATE "SHELL:-x c++" ${emulated_cflags})
add_executable(gradus_emulated_tests ${gpu_test_sources} ${emulated_test_sources} $<TARGET_OBJECTS:emulated_test_kernels> $<TARGET_OBJECTS:emulated_kernels>
  $<TARGET_OBJECTS:emulator>)
target_compile_definitions(gradus_emulated_tests PRIVATE GRADUS_EMULATED)
target_compile_options(gradus_emulated_tests PRIVATE ${test_cflags})
target_include_directories(gradus_emulated_tests PRIVATE test/native)
target_link_libraries(gradus_emulated_tests PRIVATE core ${CMAKE_DL_LIBS})

# What the bench of a card measures, as the emulator counts it.
add_executable(gradus_device_counts ${CMAKE_SOURCE_DIR}/bench/cuda/counts.cc $<TARGET_OBJECTS:emulated_kernels> $<TARGET_OBJECTS:emulator>)
target_compile_definitions(gradus_device_counts PRIVATE GRADUS_EMULATED)
target_include_directories(gradus_device_counts PRIVATE native)
target_link_libraries(gradus_device_counts PRIVATE Threads::Threads ${CMAKE_DL_LIBS})
include(DeviceBench)
