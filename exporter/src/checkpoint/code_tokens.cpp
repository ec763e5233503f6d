#include "checkpoint/code_tokens.hpp"

#include <string>
#include <utility>

#include "bytecnn/error.hpp"

#include "checkpoint/printable.hpp"

namespace bytecnn::exporter {
namespace {

constexpr std::size_t max_tokens = 1'000'000;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool starts_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool in_name(char c) {
  return starts_name(c) || is_digit(c);
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {}

  std::vector<CodeToken> run() {
    while (skip_space()) {
      if (tokens_.size() >= max_tokens) throw Error(ErrorCode::limit, "the code is too long");
      const char c = source_[at_];
      if (starts_name(c)) {
        name();
      } else if (is_digit(c) || (c == '.' && at_ + 1 < source_.size() && is_digit(source_[at_ + 1]))) {
        number();
      } else if (c == '"') {
        string();
      } else {
        symbol(c);
      }
    }
    if (depth_ != 0) fail("a bracket is not closed");
    emit(CodeToken::Kind::end, 0);
    return std::move(tokens_);
  }

 private:
  [[noreturn]] void fail(const std::string& why) const {
    throw Error(ErrorCode::unsupported, why + "; PyTorch does not write such code", "line " + std::to_string(line_));
  }

  /// Moves to the next token; false at the end.
  bool skip_space() {
    while (at_ < source_.size()) {
      const char c = source_[at_];
      if (c == '\n') {
        ++line_;
        if (depth_ == 0) {
          new_line_ = true;
          indent_ = 0;
        }
      } else if (c == ' ') {
        if (new_line_ && depth_ == 0) ++indent_;
      } else {
        return true;
      }
      ++at_;
    }
    return false;
  }

  void emit(CodeToken::Kind kind, std::size_t length) {
    tokens_.push_back({kind, source_.substr(at_, length), line_, indent_, new_line_});
    new_line_ = false;
    at_ += length;
  }

  void name() {
    std::size_t end = at_;
    while (end < source_.size() && in_name(source_[end])) ++end;
    if (end < source_.size() && source_[end] == '"') fail("a string with a prefix");
    emit(CodeToken::Kind::name, end - at_);
  }

  /// Digits, a point, an exponent. "1e-05" and "2." are numbers, "0x10" and "1_000" are not written.
  void number() {
    std::size_t end = at_;
    while (end < source_.size() && (is_digit(source_[end]) || source_[end] == '.')) ++end;
    if (end < source_.size() && (source_[end] == 'e' || source_[end] == 'E')) {
      ++end;
      if (end < source_.size() && (source_[end] == '+' || source_[end] == '-')) ++end;
      while (end < source_.size() && is_digit(source_[end])) ++end;
    }
    if (end < source_.size() && in_name(source_[end])) fail("a number of an unusual kind");
    emit(CodeToken::Kind::number, end - at_);
  }

  void string() {
    std::size_t end = at_ + 1;
    for (;; ++end) {
      if (end >= source_.size() || source_[end] == '\n') fail("a string without an end");
      const auto byte = static_cast<unsigned char>(source_[end]);
      if (byte < 32 || byte > 126) fail("a string with unprinted bytes");
      if (source_[end] == '\\') {
        ++end;
        if (end >= source_.size() || source_[end] == '\n') fail("a string without an end");
        continue;
      }
      if (source_[end] == '"') break;
    }
    ++end;
    if (end < source_.size() && source_[end] == '"') fail("a string with three quotes");
    emit(CodeToken::Kind::text, end - at_);
  }

  void symbol(char c) {
    static constexpr std::string_view allowed = "()[]{},:.=-+*/<>%!|&^~";
    if (allowed.find(c) == std::string_view::npos) {
      fail("the character '" + printable(source_.substr(at_, 1)) + "'");
    }
    if (c == '(' || c == '[' || c == '{') ++depth_;
    if (c == ')' || c == ']' || c == '}') {
      if (depth_ == 0) fail("a bracket closes nothing");
      --depth_;
    }
    for (const std::string_view pair : {"->", "==", "!=", "<=", ">=", "//", "**"}) {
      if (source_.substr(at_, 2) == pair) return emit(CodeToken::Kind::symbol, 2);
    }
    emit(CodeToken::Kind::symbol, 1);
  }

  std::string_view source_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::uint32_t line_ = 1;
  std::uint32_t indent_ = 0;
  bool new_line_ = true;
  std::vector<CodeToken> tokens_;
};

}  // namespace

std::vector<CodeToken> code_tokens(std::string_view source) {
  return Lexer(source).run();
}

}  // namespace bytecnn::exporter
