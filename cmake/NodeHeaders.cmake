# Where node_api.h and node-addon-api's napi.h are: cmake-js tells the first in CMAKE_JS_INC, else the node in use does.
function(ask_node expression variable)
  execute_process(COMMAND node -p ${expression} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
    OUTPUT_VARIABLE answer OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  set(${variable} ${answer} PARENT_SCOPE)
endfunction()

ask_node("require('node-addon-api').include_dir" napi_directory)
set(node_headers ${CMAKE_JS_INC})
if(NOT node_headers)
  ask_node("require('node-api-headers').include_dir" node_headers)
endif()
get_filename_component(napi_directory ${napi_directory} ABSOLUTE BASE_DIR ${CMAKE_SOURCE_DIR})
set(node_include_directories ${node_headers} ${napi_directory})
