# SPDX-License-Identifier: MIT
# conanfile.py - the library for Conan 2, of this source tree. Untested.
#
# conan create packaging/conan
import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeToolchain, cmake_layout
from conan.tools.files import copy


class IoringGroup(ConanFile):
    name = "ioringgroup"
    description = "io_uring's model for sockets on every system"
    license = "MIT"
    topics = ("io_uring", "sockets", "networking", "asynchronous")
    package_type = "static-library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"fPIC": [True, False]}
    default_options = {"fPIC": True}

    @property
    def _root(self):
        return os.path.join(self.recipe_folder, os.pardir, os.pardir)

    def set_version(self):
        path = os.path.join(self._root, "include", "ioring", "version.hpp")
        with open(path, encoding="utf-8") as file:
            self.version = ".".join(re.findall(r"unsigned version_\w+ = (\d+)", file.read()))

    def export_sources(self):
        for pattern in ("CMakeLists.txt", "LICENSE", "cmake/*", "include/*", "src/*"):
            copy(self, pattern, self._root, self.export_sources_folder)

    def config_options(self):
        if self.settings.os == "Windows":
            del self.options.fPIC

    def layout(self):
        cmake_layout(self)

    def validate(self):
        check_min_cppstd(self, "20")

    def generate(self):
        toolchain = CMakeToolchain(self)
        for part in ("TESTS", "TOOLS", "BENCH", "EXAMPLES", "SHARED"):
            toolchain.cache_variables[f"IORING_BUILD_{part}"] = False
        toolchain.cache_variables["IORING_INSTALL"] = True
        toolchain.cache_variables["IORING_WARNINGS_AS_ERRORS"] = False
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        CMake(self).install()

    def package_info(self):
        self.cpp_info.libs = ["ioring"]
        self.cpp_info.set_property("cmake_file_name", "ioring")
        self.cpp_info.set_property("cmake_target_name", "ioring::ioring")
        self.cpp_info.set_property("pkg_config_name", "ioring")
        if self.settings.os in ("Linux", "FreeBSD"):
            self.cpp_info.system_libs = ["pthread"]
        elif self.settings.os == "Windows":
            self.cpp_info.system_libs = ["ws2_32", "iphlpapi"]
