// SPDX-License-Identifier: MIT
// error_text.cpp - the library has words for every errno value.
#include "common/error_text.hpp"

#include <ioring/ioring.h>

namespace ioring::tools {

std::string error_text(const std::error_code& error) {
    if (!error || error.category() != std::generic_category()) return error.message();
    return ioring_strerror(-error.value());
}

}  // namespace ioring::tools
