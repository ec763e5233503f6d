#pragma once
/// What the programs say to the shell, and the errors that are not the library's.

#include <stdexcept>

#include "bytecnn/error.hpp"

namespace bytecnn::cli {

enum class ExitStatus {
  done = 0,
  failed = 1,       ///< finished, but something failed: a check, a comparison, an input
  usage = 2,        ///< a wrong command line or environment variable
  unreadable = 3,   ///< an unreadable or invalid model or checkpoint
  unsupported = 4,  ///< understood, but beyond what this build or this library does
};

[[nodiscard]] constexpr ExitStatus exit_status_of(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::usage:
      return ExitStatus::usage;
    case ErrorCode::unsupported:
      return ExitStatus::unsupported;
    case ErrorCode::io:
    case ErrorCode::syntax:
    case ErrorCode::invalid:
    case ErrorCode::ambiguous:
    case ErrorCode::limit:
      return ExitStatus::unreadable;
  }
  return ExitStatus::failed;
}

/// The reader of our output went away (`bytecnn ... | head`): the work is over, and nothing is wrong.
class ClosedPipe : public std::exception {
 public:
  [[nodiscard]] const char* what() const noexcept override { return "the reader of the output is gone"; }
};

/// Results could not be written (a full disk, a closed descriptor): status `failed`.
class OutputError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// An input could not be read, where there is no record that could tell it: status `failed`.
class InputError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace bytecnn::cli
