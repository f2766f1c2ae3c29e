# SPDX-License-Identifier: MIT
# IORingWarnings.cmake - the one place for warnings: the INTERFACE target ioring_warnings.
add_library(ioring_warnings INTERFACE)
if(MSVC)
  target_compile_options(ioring_warnings INTERFACE /W4 /permissive- /utf-8
                         $<$<BOOL:${IORING_WARNINGS_AS_ERRORS}>:/WX>)
else()
  target_compile_options(ioring_warnings INTERFACE
                         -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
                         $<$<BOOL:${IORING_WARNINGS_AS_ERRORS}>:-Werror>)
endif()
