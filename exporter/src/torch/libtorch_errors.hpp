#pragma once
/// Nothing of libtorch's own may cross the door: its exceptions become `bytecnn::Error`.

#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include <c10/util/Exception.h>

#include "bytecnn/error.hpp"

namespace bytecnn::exporter {

/// The part of libtorch's message that a person needs: no C++ backtrace, no TorchScript listing of pages.
[[nodiscard]] inline std::string shortened(std::string_view message) {
  for (const std::string_view tail : {"\nException raised from", "\nTraceback of TorchScript"}) {
    message = message.substr(0, message.find(tail));
  }
  constexpr std::size_t longest = 500;
  std::string result(message.substr(0, longest));
  if (message.size() > longest) result += " ...";
  while (!result.empty() && (result.back() == '\n' || result.back() == ' ')) result.pop_back();
  return result;
}

/// Runs `action`; what libtorch throws comes out as an `Error` of `code` that begins with `what`.
template <class Action>
decltype(auto) with_bytecnn_errors(ErrorCode code, std::string_view what, std::string_view where, Action&& action) {
  const auto fail = [&](std::string_view message) {
    return Error(code, std::string(what) + ": " + shortened(message), std::string(where));
  };
  try {
    return std::forward<Action>(action)();
  } catch (const Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const c10::Error& error) {
    throw fail(error.what_without_backtrace());
  } catch (const std::exception& error) {
    throw fail(error.what());
  }
}

}  // namespace bytecnn::exporter
