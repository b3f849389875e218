# gradus_cuda: the library that the addon opens where a GPU is asked for. CUDA's runtime is linked into it and opens the
# driver when it is first used: the library loads on any machine.
get_filename_component(cuda_root ${GRADUS_NVCC} REALPATH)
get_filename_component(cuda_root ${cuda_root}/../.. ABSOLUTE)
find_library(cudart cudart_static PATHS ${cuda_root}/lib64 ${cuda_root}/lib NO_DEFAULT_PATH REQUIRED)

file(GLOB_RECURSE kernel_headers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/native/kernels/*.h
  ${CMAKE_SOURCE_DIR}/native/kernels/*.def)
# Objects of these sources, in the list of that name.
function(compile_for_gpu list)
  set(objects)
  foreach(source IN LISTS ARGN)
    get_filename_component(name ${source} NAME_WE)
    set(object ${CMAKE_BINARY_DIR}/cuda/${name}.o)
    # What ptxas says of registers and stacks stays beside the object: the build looks at it.
    add_custom_command(OUTPUT ${object}
      COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/cuda
      COMMAND sh ${CMAKE_SOURCE_DIR}/cmake/noted.sh ${object}.txt
        ${GRADUS_NVCC} ${nvcc_flags} -I${CMAKE_SOURCE_DIR}/native -c ${CMAKE_SOURCE_DIR}/${source} -o ${object}
      DEPENDS ${CMAKE_SOURCE_DIR}/${source} ${kernel_headers} VERBATIM)
    list(APPEND objects ${object})
  endforeach()
  set(${list} ${objects} PARENT_SCOPE)
endfunction()
compile_for_gpu(cuda_objects ${cuda_sources} ${cuda_library_sources})
compile_for_gpu(cuda_test_objects ${cuda_test_sources})

add_library(cuda_runtime INTERFACE)
target_link_libraries(cuda_runtime INTERFACE ${cudart} Threads::Threads ${CMAKE_DL_LIBS} rt)

add_library(gradus_cuda MODULE ${cuda_objects})
set_target_properties(gradus_cuda PROPERTIES PREFIX "" LINKER_LANGUAGE CXX)
target_link_libraries(gradus_cuda PRIVATE cuda_runtime)
target_link_options(gradus_cuda PRIVATE -s)

# The tests of the kernels on a card, for bench/cuda/verify.sh.
add_executable(gradus_cuda_tests EXCLUDE_FROM_ALL ${gpu_test_sources} ${cuda_objects} ${cuda_test_objects})
target_compile_options(gradus_cuda_tests PRIVATE ${test_cflags})
target_include_directories(gradus_cuda_tests PRIVATE test/native)
target_link_libraries(gradus_cuda_tests PRIVATE core cuda_runtime)
include(DeviceBench)
