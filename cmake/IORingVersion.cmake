# SPDX-License-Identifier: MIT
# IORingVersion.cmake - reads the version out of the public header, the one place that states it.

# Sets `result` in the caller's scope to "major.minor.patch" as `header` declares it.
function(ioring_read_version header result)
  set(version "")
  foreach(part IN ITEMS major minor patch)
    file(STRINGS "${header}" line REGEX "constexpr unsigned version_${part} = [0-9]+")
    if(NOT line MATCHES "version_${part} = ([0-9]+)")
      message(FATAL_ERROR "${header} does not declare `version_${part}` on one line")
    endif()
    list(APPEND version "${CMAKE_MATCH_1}")
  endforeach()
  list(JOIN version "." version)
  set(${result} "${version}" PARENT_SCOPE)
  # A changed version configures anew.
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${header}")
endfunction()
