# SPDX-License-Identifier: MIT
# portfile.cmake - the library for vcpkg, as an overlay port of this source tree. Untested.
#
# vcpkg install ioringgroup --overlay-ports=packaging/vcpkg/ports
#
# A port in a registry would get its sources by vcpkg_from_git() in the place of the next command.
get_filename_component(SOURCE_PATH "${CURRENT_PORT_DIR}/../../../.." ABSOLUTE)

vcpkg_cmake_configure(
  SOURCE_PATH "${SOURCE_PATH}"
  OPTIONS
    -DIORING_BUILD_TESTS=OFF
    -DIORING_BUILD_TOOLS=OFF
    -DIORING_BUILD_BENCH=OFF
    -DIORING_BUILD_EXAMPLES=OFF
    -DIORING_BUILD_SHARED=OFF
    -DIORING_INSTALL=ON
    -DIORING_WARNINGS_AS_ERRORS=OFF)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(PACKAGE_NAME ioring CONFIG_PATH lib/cmake/ioring)
vcpkg_fixup_pkgconfig()

file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug/include")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
file(INSTALL "${CMAKE_CURRENT_LIST_DIR}/usage" DESTINATION "${CURRENT_PACKAGES_DIR}/share/${PORT}")
