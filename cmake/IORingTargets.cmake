# SPDX-License-Identifier: MIT
# IORingTargets.cmake - how a folder becomes a layer, a tool or an example.

# What every target of ours is compiled with.
function(ioring_compile_settings target scope)
  target_compile_features(${target} ${scope} cxx_std_20)
  if(NOT scope STREQUAL "INTERFACE")
    set_target_properties(${target} PROPERTIES CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON
                          CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON)
    target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:ioring_warnings>
                          $<BUILD_INTERFACE:ioring_hardening>)
    # Nobody replaces the library's own functions one by one, so the compiler may inline them into
    # each other although the code is position independent (GCC does not by default; macOS has no
    # such interposition).
    if(NOT MSVC AND NOT APPLE)
      target_compile_options(${target} PRIVATE -fno-semantic-interposition)
    endif()
  endif()
endfunction()

# ioring_add_layer(base [TESTS_ONLY] [LINKS platform ...])
#
# Makes the current folder the target ioring_<name>, which sees the public headers and src/ and
# links only the named lower layers; its *_test.cpp become ioring_<name>_test, linked to this layer
# and what it links, so that a call into a higher layer does not link. A folder without sources
# (yet) is an INTERFACE target, so that nobody above has to care. With TESTS_ONLY it is no part of
# the library: another system's, whose logic can be tested here.
function(ioring_add_layer name)
  cmake_parse_arguments(arg "TESTS_ONLY" "" "LINKS" ${ARGN})
  if(arg_TESTS_ONLY AND NOT IORING_BUILD_UNIT_TESTS)
    return()
  endif()
  set(target ioring_${name})
  ioring_folder_files("${CMAKE_CURRENT_SOURCE_DIR}" sources tests alone)
  if(sources)
    set(scope PUBLIC)
    add_library(${target} STATIC ${sources})
    if(NOT arg_TESTS_ONLY)
      set_property(GLOBAL APPEND PROPERTY IORING_LAYER_OBJECTS $<TARGET_OBJECTS:${target}>)
    endif()
  else()
    set(scope INTERFACE)
    add_library(${target} INTERFACE)
  endif()
  ioring_compile_settings(${target} ${scope})
  target_include_directories(${target} ${scope} "${PROJECT_SOURCE_DIR}/include"
                             "${PROJECT_SOURCE_DIR}/src")
  list(TRANSFORM arg_LINKS PREPEND ioring_)
  target_link_libraries(${target} ${scope} ${arg_LINKS} ${IORING_SYSTEM_LIBRARIES})
  if(IORING_BUILD_TESTS)
    ioring_add_gtests(${name} SOURCES ${tests} ALONE ${alone} LINKS ${target})
  endif()
endfunction()

# The finished library: one static archive of all layers' objects, and the public headers only.
function(ioring_add_library)
  get_property(objects GLOBAL PROPERTY IORING_LAYER_OBJECTS)
  if(objects)
    add_library(ioring STATIC ${objects})
    # Objects alone do not tell CMake which language links them.
    set_target_properties(ioring PROPERTIES LINKER_LANGUAGE CXX)
    set(scope PUBLIC)
    find_package(Threads REQUIRED)
    target_link_libraries(ioring PUBLIC Threads::Threads ${IORING_SYSTEM_LIBRARIES})
  else()
    add_library(ioring INTERFACE)
    set(scope INTERFACE)
  endif()
  add_library(ioring::ioring ALIAS ioring)
  target_compile_features(ioring ${scope} cxx_std_20)
  target_include_directories(ioring ${scope} $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
                             $<INSTALL_INTERFACE:include>)
  if(objects AND IORING_BUILD_SHARED)
    ioring_add_shared_library("${objects}")
  endif()
endfunction()

# libioring-c.so: the same objects, showing the C interface only. C++ programs link the static
# library: its inline functions and the layout of its classes are no ABI.
function(ioring_add_shared_library objects)
  set(exports "${PROJECT_SOURCE_DIR}/src/capi/exports.map")
  add_library(ioring_shared SHARED ${objects})
  add_library(ioring::shared ALIAS ioring_shared)
  set_target_properties(ioring_shared PROPERTIES
    OUTPUT_NAME ioring-c VERSION "${PROJECT_VERSION}" SOVERSION "${PROJECT_VERSION_MAJOR}"
    LINKER_LANGUAGE CXX LINK_DEPENDS "${exports}")
  target_link_libraries(ioring_shared PRIVATE Threads::Threads
                        $<BUILD_INTERFACE:ioring_hardening>)
  target_link_options(ioring_shared PRIVATE "-Wl,--version-script=${exports}")
  target_include_directories(ioring_shared PUBLIC
                             $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
                             $<INSTALL_INTERFACE:include>)
endfunction()

# The folder of a header-only library of this machine, without all else that may stand in the same
# folder: another system's compiler must not see the headers of this one.
function(ioring_only_headers_of header folder result)
  get_filename_component(name "${header}" DIRECTORY)
  file(MAKE_DIRECTORY "${PROJECT_BINARY_DIR}/host_include")
  file(CREATE_LINK "${folder}/${name}" "${PROJECT_BINARY_DIR}/host_include/${name}" SYMBOLIC)
  set(${result} "${PROJECT_BINARY_DIR}/host_include" PARENT_SCOPE)
endfunction()

# What the tools may use beside the library: command lines, formatting and JSON, headers only. They
# are never part of the library itself.
function(ioring_find_tool_dependencies)
  if(TARGET ioring_tool_dependencies)
    return()
  endif()
  add_library(ioring_tool_dependencies INTERFACE)
  target_compile_definitions(ioring_tool_dependencies INTERFACE FMT_HEADER_ONLY=1)
  foreach(pair IN ITEMS CLI/CLI.hpp:libcli11-dev fmt/core.h:libfmt-dev
                        nlohmann/json.hpp:nlohmann-json3-dev)
    string(REGEX MATCH "^(.*):(.*)$" unused "${pair}")
    set(header "${CMAKE_MATCH_1}")
    set(package "${CMAKE_MATCH_2}")
    string(MAKE_C_IDENTIFIER "IORING_INCLUDE_${package}" variable)
    find_path(${variable} "${header}")
    mark_as_advanced(${variable})
    if(NOT ${variable})
      message(FATAL_ERROR "The tools need <${header}>: install the package ${package}, or "
                          "configure with -DIORING_BUILD_TOOLS=OFF")
    endif()
    set(folder "${${variable}}")
    if(CMAKE_CROSSCOMPILING)
      ioring_only_headers_of("${header}" "${folder}" folder)
    endif()
    target_include_directories(ioring_tool_dependencies SYSTEM INTERFACE "${folder}")
  endforeach()
endfunction()

# What examples/http_request.hpp is built with: the target ioring_http_parser, where there is
# Debian's libhttp-parser-dev. None for another system, or linked statically: the library is shared.
function(ioring_find_http_parser)
  if(TARGET ioring_http_parser OR CMAKE_CROSSCOMPILING OR CMAKE_EXE_LINKER_FLAGS MATCHES "-static")
    return()
  endif()
  find_path(IORING_INCLUDE_http_parser http_parser.h)
  find_library(IORING_LIBRARY_http_parser http_parser)
  mark_as_advanced(IORING_INCLUDE_http_parser IORING_LIBRARY_http_parser)
  if(IORING_INCLUDE_http_parser AND IORING_LIBRARY_http_parser)
    add_library(ioring_http_parser INTERFACE)
    target_include_directories(ioring_http_parser SYSTEM INTERFACE "${IORING_INCLUDE_http_parser}")
    target_link_libraries(ioring_http_parser INTERFACE "${IORING_LIBRARY_http_parser}")
  endif()
endfunction()

# ioring_add_tool(folder)
#
# tools/<name>/*.cpp become ioring-<name> in <build>/bin, tools/<name>/*_test.cpp its unit tests
# (linked to everything of the tool but main.cpp). tools/common has no main.cpp: it is a library
# that all tools share. A folder without sources is no tool.
function(ioring_add_tool folder)
  get_filename_component(name "${folder}" NAME)
  ioring_folder_files("${folder}" sources tests alone)
  if(NOT sources AND NOT tests AND NOT alone)
    return()
  endif()
  set(links ioring::ioring ioring_tool_dependencies)
  if(TARGET ioring_tool_common AND NOT name STREQUAL "common")
    list(PREPEND links ioring_tool_common)
  endif()

  set(parts ${sources})
  list(FILTER parts EXCLUDE REGEX "/main\\.cpp$")
  if(parts)
    add_library(ioring_tool_${name} STATIC ${parts})
    ioring_compile_settings(ioring_tool_${name} PUBLIC)
    target_compile_options(ioring_tool_${name} PRIVATE ${IORING_TEST_FLAGS})
    target_include_directories(ioring_tool_${name} PUBLIC "${PROJECT_SOURCE_DIR}/tools")
    target_link_libraries(ioring_tool_${name} PUBLIC ${links})
    list(PREPEND links ioring_tool_${name})
  endif()

  if("${folder}/main.cpp" IN_LIST sources)
    add_executable(ioring-${name} "${folder}/main.cpp")
    ioring_compile_settings(ioring-${name} PRIVATE)
    target_compile_options(ioring-${name} PRIVATE ${IORING_TEST_FLAGS})
    target_include_directories(ioring-${name} PRIVATE "${PROJECT_SOURCE_DIR}/tools")
    target_link_libraries(ioring-${name} PRIVATE ${links})
    set_target_properties(ioring-${name} PROPERTIES
                          RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
    if(IORING_BUILD_TESTS)
      ioring_add_linked_test(ioring-${name})
    endif()
  endif()
  if(IORING_BUILD_TESTS)
    ioring_add_gtests(tool_${name} SOURCES ${tests} ALONE ${alone} LINKS ${links}
                      INCLUDES "${PROJECT_SOURCE_DIR}/tools")
  endif()
endfunction()

# ioring_add_example(file)
#
# examples/<stem>.cpp becomes <build>/examples/<stem>, seeing the public headers only. Where
# examples/<stem>_test.py or .sh exists, ctest runs it with the program's path as its argument.
function(ioring_add_example file)
  get_filename_component(stem "${file}" NAME_WE)
  set(target ioring_example_${stem})
  add_executable(${target} "${file}")
  ioring_compile_settings(${target} PRIVATE)
  target_compile_options(${target} PRIVATE ${IORING_TEST_FLAGS})
  target_link_libraries(${target} PRIVATE ioring::ioring)
  set_target_properties(${target} PROPERTIES OUTPUT_NAME "${stem}"
                        RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/examples")
  if(IORING_BUILD_TESTS)
    ioring_add_linked_test(${target})
    file(GLOB scripts CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${stem}_test.py"
         "${CMAKE_CURRENT_SOURCE_DIR}/${stem}_test.sh")
    foreach(script IN LISTS scripts)
      ioring_add_script_test(examples.${stem} "${script}" LABELS examples
                             ARGS $<TARGET_FILE:${target}>)
    endforeach()
  endif()
endfunction()
