// SPDX-License-Identifier: MIT
// error_words.hpp - what an errno value is called.
#pragma once

#include <string>

namespace ioring::detail {

// The words of the system; Windows' C runtimes do not all have words for the errors of sockets,
// which are from here then.
[[nodiscard]] std::string error_words(int error);

}  // namespace ioring::detail
