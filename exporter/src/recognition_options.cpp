#include "recognition_options.hpp"

#include <charconv>
#include <cstdint>

#include <CLI/CLI.hpp>

#include "bytecnn/error.hpp"

namespace bytecnn::exporter {
namespace {

[[noreturn]] void wrong(const std::string& option, const std::string& expected, const std::string& found) {
  throw Error(ErrorCode::usage, "not a usable value", option, expected, "'" + found + "'");
}

template <class Number>
Number number_between(const std::string& option, const std::string& text, Number least, Number most,
                      const std::string& expected) {
  Number number{};
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size() || !(number >= least && number <= most)) {
    wrong(option, expected, text);
  }
  return number;
}

std::uint32_t whole_number(const std::string& option, const std::string& text, std::uint32_t least,
                           std::uint32_t most) {
  return number_between(option, text, least, most, std::to_string(least) + " to " + std::to_string(most));
}

}  // namespace

void add_recognition_options(CLI::App& app, RecognitionOptions& options) {
  app.add_option("--architecture", options.architecture_file, "JSON with any of the model file's architecture keys")
      ->type_name("FILE");
  app.add_option("--pooling", options.pooling, "max, avg, avg_max, concat_avg_max or concat_avg_max_std")
      ->type_name("P");
  app.add_option("--max-len", options.max_len, "bytes to which inputs are cut and padded")->type_name("N");
  app.add_option("--pad-token", options.pad_token, "what inputs are padded with, or none: they are not padded")
      ->type_name("N|none");
  app.add_option("--bn-position", options.batch_norm_position, "batch norm stands before or after the activation")
      ->type_name("before|after");
  app.add_option("--bn-eps", options.batch_norm_eps, "batch norm's epsilon")->type_name("E");
  app.add_option("--key", options.key, "which state dict of a file that has several")->type_name("KEY");
}

RecognitionFlags recognition_flags(const RecognitionOptions& options) {
  RecognitionFlags flags;
  if (!options.pooling.empty()) {
    try {
      flags.pooling = parse_pooling(options.pooling);
    } catch (const Error& error) {
      throw Error(ErrorCode::usage, error.message(), "--pooling", error.expected(), error.found());
    }
  }
  if (!options.max_len.empty()) {
    flags.max_len = whole_number("--max-len", options.max_len, 1, ModelLimits::max_len);
  }
  if (options.pad_token == "none") {
    flags.pad_token = std::optional<std::uint32_t>();
  } else if (!options.pad_token.empty()) {
    flags.pad_token = whole_number("--pad-token", options.pad_token, 0, ModelLimits::max_vocab_size - 1);
  }
  if (options.batch_norm_position == "before") {
    flags.batch_norm_position = BatchNormSpec::Position::before_activation;
  } else if (options.batch_norm_position == "after") {
    flags.batch_norm_position = BatchNormSpec::Position::after_activation;
  } else if (!options.batch_norm_position.empty()) {
    wrong("--bn-position", "before or after (the activation)", options.batch_norm_position);
  }
  if (!options.batch_norm_eps.empty()) {
    flags.batch_norm_eps = number_between("--bn-eps", options.batch_norm_eps, 0.0, 1.0, "a number like 1e-5");
  }
  return flags;
}

}  // namespace bytecnn::exporter
