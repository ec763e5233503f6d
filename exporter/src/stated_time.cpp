#include "stated_time.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <string_view>

#include "bytecnn/error.hpp"

namespace bytecnn::exporter {

std::string stated_time() {
  std::time_t seconds = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  if (const char* fixed = std::getenv("SOURCE_DATE_EPOCH"); fixed != nullptr && *fixed != '\0') {
    const std::string_view text = fixed;
    long long number = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
    // Year 9999 is the last that the format can write.
    if (result.ec != std::errc() || result.ptr != text.data() + text.size() || number < 0 || number > 253402300799LL) {
      throw Error(ErrorCode::usage, "not a time", "SOURCE_DATE_EPOCH", "seconds since 1970",
                  "'" + std::string(text) + "'");
    }
    seconds = static_cast<std::time_t>(number);
  }
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  std::array<char, 32> buffer{};
  return {buffer.data(), std::strftime(buffer.data(), buffer.size(), "%Y-%m-%dT%H:%M:%SZ", &utc)};
}

}  // namespace bytecnn::exporter
