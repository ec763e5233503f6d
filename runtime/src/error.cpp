#include "bytecnn/error.hpp"

#include <utility>

namespace bytecnn {
namespace {

std::string compose(const std::string& message, const std::string& where, const std::string& expected,
                    const std::string& found) {
  std::string text = where.empty() ? message : where + ": " + message;
  if (!expected.empty() || !found.empty()) {
    text += " (";
    if (!expected.empty()) text += "expected " + expected;
    if (!expected.empty() && !found.empty()) text += ", ";
    if (!found.empty()) text += "found " + found;
    text += ")";
  }
  return text;
}

}  // namespace

std::string_view to_string(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::io:
      return "io";
    case ErrorCode::syntax:
      return "syntax";
    case ErrorCode::invalid:
      return "invalid";
    case ErrorCode::ambiguous:
      return "ambiguous";
    case ErrorCode::unsupported:
      return "unsupported";
    case ErrorCode::limit:
      return "limit";
    case ErrorCode::usage:
      return "usage";
  }
  return "unknown";
}

Error::Error(ErrorCode code, std::string message, std::string where, std::string expected, std::string found)
    : std::runtime_error(compose(message, where, expected, found)),
      code_(code),
      message_(std::move(message)),
      where_(std::move(where)),
      expected_(std::move(expected)),
      found_(std::move(found)) {}

Error Error::at(std::string_view place) const {
  return {code_, message_, where_.empty() ? std::string(place) : std::string(place) + ": " + where_, expected_, found_};
}

}  // namespace bytecnn
