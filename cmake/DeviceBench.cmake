# A program that opens a library of a device and measures its kernels: see bench/cuda.
if(NOT TARGET gradus_device_bench)
  add_executable(gradus_device_bench ${CMAKE_SOURCE_DIR}/bench/cuda/kernels.cc)
  target_include_directories(gradus_device_bench PRIVATE native)
  target_link_libraries(gradus_device_bench PRIVATE Threads::Threads ${CMAKE_DL_LIBS})
endif()
