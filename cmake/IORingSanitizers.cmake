# SPDX-License-Identifier: MIT
# IORingSanitizers.cmake - applies IORING_SANITIZE to all that this project compiles and links.
if(IORING_SANITIZE)
  foreach(sanitizer IN LISTS IORING_SANITIZE)
    if(NOT sanitizer MATCHES "^(address|undefined|thread|fuzzer-no-link)$")
      message(FATAL_ERROR "IORING_SANITIZE: `${sanitizer}` is none of address, undefined, thread, "
                          "fuzzer-no-link")
    endif()
  endforeach()
  if("thread" IN_LIST IORING_SANITIZE AND "address" IN_LIST IORING_SANITIZE)
    message(FATAL_ERROR "IORING_SANITIZE: thread and address exclude each other")
  endif()
  list(JOIN IORING_SANITIZE "," ioring_sanitizers)
  add_compile_options("-fsanitize=${ioring_sanitizers}" -fno-sanitize-recover=all
                      -fno-omit-frame-pointer)
  add_link_options("-fsanitize=${ioring_sanitizers}")
  if("undefined" IN_LIST IORING_SANITIZE)
    # It probes memory with a pipe, and so reports good objects of the standard library where a test
    # has used up the descriptors.
    add_compile_options(-fno-sanitize=vptr)
  endif()
endif()

# For targets with coroutines: clang before 17 cannot put what -fsanitize=function looks for before
# a coroutine's parts ("Cannot represent a difference across sections").
function(ioring_has_coroutines target)
  if("undefined" IN_LIST IORING_SANITIZE AND CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    target_compile_options(${target} PRIVATE -fno-sanitize=function)
  endif()
endfunction()
