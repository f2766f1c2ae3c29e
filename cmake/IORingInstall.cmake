# SPDX-License-Identifier: MIT
# IORingInstall.cmake - what `cmake --install` puts where, for find_package(ioring CONFIG) and for
# pkg-config.
#
# Components: library (libioring-c.so), dev (headers, libioring.a, the package files), tools.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(ioring_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/ioring")

install(TARGETS ioring EXPORT ioringTargets
        ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT dev)
if(TARGET ioring_shared)
  set_target_properties(ioring_shared PROPERTIES EXPORT_NAME shared)
  install(TARGETS ioring_shared EXPORT ioringTargets
          LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT library
                  NAMELINK_COMPONENT dev)
endif()
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/ioring"
        DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT dev)

configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/ioringConfig.cmake.in"
                              "${PROJECT_BINARY_DIR}/ioringConfig.cmake"
                              INSTALL_DESTINATION "${ioring_package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/ioringConfigVersion.cmake"
                                 VERSION "${PROJECT_VERSION}" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/ioringConfig.cmake"
              "${PROJECT_BINARY_DIR}/ioringConfigVersion.cmake"
        DESTINATION "${ioring_package_dir}" COMPONENT dev)
install(EXPORT ioringTargets NAMESPACE ioring:: DESTINATION "${ioring_package_dir}" COMPONENT dev)

function(ioring_install_pkg_config name description libs)
  set(IORING_PC_NAME "${name}")
  set(IORING_PC_DESCRIPTION "${description}")
  set(IORING_PC_LIBS "${libs}")
  set(file "${PROJECT_BINARY_DIR}/${name}.pc")
  configure_file("${CMAKE_CURRENT_FUNCTION_LIST_DIR}/ioring.pc.in" "${file}" @ONLY)
  install(FILES "${file}" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT dev)
endfunction()
ioring_install_pkg_config(ioring "${PROJECT_DESCRIPTION}, for C++" "-lioring -pthread")
if(TARGET ioring_shared)
  ioring_install_pkg_config(ioring-c "${PROJECT_DESCRIPTION}, for C" "-lioring-c")
endif()

foreach(tool IN ITEMS echo load doctor trace)
  if(TARGET ioring-${tool})
    install(TARGETS ioring-${tool} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT tools)
    install(FILES "${PROJECT_SOURCE_DIR}/docs/man/ioring-${tool}.1"
            DESTINATION "${CMAKE_INSTALL_MANDIR}/man1" COMPONENT tools)
  endif()
endforeach()
