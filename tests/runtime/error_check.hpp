#pragma once
/// Holding an `Error` against what a test expects of it.

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "bytecnn/error.hpp"

namespace bytecnn::testing {

/// The `Error` that `action` throws; fails the test where it throws nothing (or something else: GoogleTest reports it).
template <class Action>
[[nodiscard]] Error error_of(Action&& action) {
  try {
    static_cast<void>(action());
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error was thrown";
  return {ErrorCode::io, "no error was thrown"};
}

[[nodiscard]] inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// One line for failure messages.
[[nodiscard]] inline std::string describe(const Error& error) {
  return std::string(to_string(error.code())) + ": " + error.what();
}

}  // namespace bytecnn::testing
