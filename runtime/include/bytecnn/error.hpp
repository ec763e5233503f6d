#pragma once
/// Typed errors. Everything in the library that can fail at load time throws `bytecnn::Error`; classification itself
/// never throws (see `Status` in classifier.hpp). Nothing in the library prints or aborts.

#include <stdexcept>
#include <string>
#include <string_view>

#include "bytecnn/api.h"

namespace bytecnn BYTECNN_API {

/// What kind of thing went wrong; programs map it to their exit status.
enum class ErrorCode {
  io,           ///< a file cannot be read or written
  syntax,       ///< not well-formed (JSON, pickle, zip, ...)
  invalid,      ///< well-formed, but breaks a rule of the format: shapes, ranges, contradictions
  ambiguous,    ///< more than one reading is possible; the message names the option that settles it
  unsupported,  ///< understood, but beyond what this library runs
  limit,        ///< larger than a documented limit
  usage,        ///< a wrong argument or environment variable
};

/// The name of a code as it appears in messages and in JSON reports, e.g. "unsupported".
[[nodiscard]] std::string_view to_string(ErrorCode code) noexcept;

/// An error with its place. `what()` reads "WHERE: MESSAGE (expected EXPECTED, found FOUND)", leaving out what is
/// empty.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, std::string message, std::string where = {}, std::string expected = {}, std::string found = {});

  [[nodiscard]] ErrorCode code() const noexcept { return code_; }
  /// What went wrong and, where it helps, what to do about it.
  [[nodiscard]] const std::string& message() const noexcept { return message_; }
  /// The file and the place in it: "model.json: /weights/conv1_bias", "a.pth: data.pkl", ... May be empty.
  [[nodiscard]] const std::string& where() const noexcept { return where_; }
  [[nodiscard]] const std::string& expected() const noexcept { return expected_; }
  [[nodiscard]] const std::string& found() const noexcept { return found_; }

  /// The same error with `place` put before its `where`: how a caller that knows the file adds its name.
  [[nodiscard]] Error at(std::string_view place) const;

 private:
  ErrorCode code_;
  std::string message_, where_, expected_, found_;
};

}  // namespace BYTECNN_API
