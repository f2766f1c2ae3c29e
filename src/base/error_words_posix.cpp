// SPDX-License-Identifier: MIT
// error_words_posix.cpp - the C library has the words.
#include <system_error>

#include "base/error_words.hpp"

namespace ioring::detail {

std::string error_words(int error) { return std::generic_category().message(error); }

}  // namespace ioring::detail
