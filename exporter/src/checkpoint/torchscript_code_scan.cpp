#include "checkpoint/torchscript_code_scan.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "bytecnn/error.hpp"

#include "checkpoint/code_tokens.hpp"
#include "checkpoint/printable.hpp"
#include "checkpoint/torchscript_allow_list.hpp"

namespace bytecnn::exporter {
namespace {

using Kind = CodeToken::Kind;

// Where a module has no attribute of a name, TorchScript tries the operator of that name: `self.save(path)` is
// aten::save. So every attribute must be declared by its own class, and every method defined there.
struct ClassNames {
  std::set<std::string_view> attributes, methods;
};

constexpr std::array<std::string_view, 6> special_names{"__parameters__", "__buffers__", "__annotations__",
                                                        "__len__",        "__getitem__", "__contains__"};
// What a chain self.layer.NAME may end in; none of these is an operator.
constexpr std::array<std::string_view, 12> layer_attributes{
    "weight", "bias",     "running_mean", "running_var", "num_batches_tracked", "training",
    "eps",    "momentum", "weight_g",     "weight_v",    "in_features",         "out_features"};
constexpr std::int64_t largest_loop = 4096;
constexpr std::int64_t largest_number = 1 << 24;

template <std::size_t Size>
bool contains(const std::array<std::string_view, Size>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_special(std::string_view name) {
  return name.starts_with("__");
}
bool is_mangled(std::string_view name) {
  return name.starts_with("___torch_mangle_");
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// "_0", "_17": how the printer calls values without a name, functions among them.
bool is_numbered(std::string_view name) {
  return name.size() > 1 && name[0] == '_' && std::all_of(name.begin() + 1, name.end(), is_digit);
}

/// "forward", "forward1", "forward27": no operators have such names, so that only a module's method can be meant.
bool is_forward(std::string_view name) {
  constexpr std::string_view forward = "forward";
  return name.starts_with(forward) && std::all_of(name.begin() + forward.size(), name.end(), is_digit);
}

/// An ordinary variable, not a word with a meaning of its own.
bool is_plain(std::string_view name) {
  return !is_special(name) && !is_forbidden_name(name) && !is_allowed_keyword(name) && !is_allowed_builtin(name) &&
         name != "torch" && name != "ops" && name != "CONSTANTS";
}

class Scan {
 public:
  explicit Scan(const std::vector<CodeToken>& tokens) : tokens_(tokens) {}

  void run() {
    collect_classes();
    class_ = nullptr;
    for (at_ = 0; token(at_).kind != Kind::end;) {
      const CodeToken& next = tokens_[at_];
      if (next.starts_line) begin_line();
      switch (next.kind) {
        case Kind::name:
          at_ = scan_name();
          break;
        case Kind::number:
          check_number(next);
          ++at_;
          break;
        case Kind::symbol:
          at_ = scan_symbol();
          break;
        default:
          ++at_;
          break;
      }
    }
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const { refuse(what, tokens_[at_]); }
  [[noreturn]] static void refuse(const std::string& what, const CodeToken& token) {
    throw Error(ErrorCode::unsupported, what + "; code of this file is not loaded, export its state_dict() instead",
                "line " + std::to_string(token.line));
  }

  [[nodiscard]] const CodeToken& token(std::size_t at) const { return tokens_[std::min(at, tokens_.size() - 1)]; }
  [[nodiscard]] bool is(std::size_t at, std::string_view text) const {
    return token(at).kind != Kind::text && token(at).text == text;
  }
  [[nodiscard]] bool is_name(std::size_t at) const { return token(at).kind == Kind::name; }

  [[nodiscard]] bool is_call(std::size_t at, std::string_view torch_operator) const {
    return is(at, "torch") && is(at + 1, ".") && is(at + 2, torch_operator) && is(at + 3, "(");
  }

  /// First pass: which attributes and methods each class declares. Classes stand at the left margin, their members one
  /// step in.
  void collect_classes() {
    ClassNames* current = nullptr;
    for (std::size_t i = 0; tokens_[i].kind != Kind::end; ++i) {
      if (!tokens_[i].starts_line) continue;
      if (tokens_[i].indent == 0) {
        current = nullptr;
        if (is(i, "class")) current = &classes_[i];
        continue;
      }
      if (current == nullptr || tokens_[i].indent != 2) continue;
      if (is(i, "def")) {
        current->methods.insert(token(i + 1).text);
      } else if (is(i, "__annotations__") && is(i + 1, "[") && token(i + 2).kind == Kind::text) {
        const std::string_view quoted = token(i + 2).text;
        current->attributes.insert(quoted.substr(1, quoted.size() - 2));
      } else if (is_name(i) && is(i + 1, ":")) {
        current->attributes.insert(tokens_[i].text);
      }
    }
  }

  void begin_line() {
    const CodeToken& first = tokens_[at_];
    if (first.indent % 2 != 0) refuse("an unusual indentation");
    if (first.indent > 64) refuse("code that is nested too deeply");
    if (first.indent != 0) return;
    if (is(at_, "class")) {
      begin_class();
    } else if (is(at_, "def")) {
      class_ = nullptr;
      self_ = {};
    } else if (is(at_, "op_version_set") && is(at_ + 1, "=") && token(at_ + 2).kind == Kind::number) {
      return;  // first line of the oldest archives
    } else {
      refuse("a statement outside of functions, '" + printable(first.text) + "'");
    }
  }

  void begin_class() {
    // Anything but a module may have code that runs while it is loaded.
    if (!is_name(at_ + 1) || !is(at_ + 2, "(") || !is(at_ + 3, "Module") || !is(at_ + 4, ")") || !is(at_ + 5, ":")) {
      refuse("class '" + printable(token(at_ + 1).text) + "' is not a plain module");
    }
    class_ = &classes_[at_];
    self_ = {};
  }

  std::size_t scan_name() {
    const std::string_view name = tokens_[at_].text;
    if (at_ > 0 && is(at_ - 1, ".")) return scan_attribute();
    if (is_forbidden_name(name)) refuse("it uses '" + printable(name) + "'");
    if (name == "torch") return scan_operator();
    if (name == "ops") return scan_primitive();
    if (name == "__torch__") return scan_own_name();
    if (name == "CONSTANTS") return scan_constant();
    if (!self_.empty() && name == self_) return scan_self();
    if (name == "def" || name == "class") return scan_definition();
    if (name == "for") return scan_loop();
    if (is_special(name) && !is_mangled(name) && !contains(special_names, name)) {
      refuse("the special name '" + printable(name) + "'");
    }
    const bool call = is(at_ + 1, "(");
    if (name == "getattr" && call) return scan_getattr();
    if (call && !is_allowed_builtin(name) && !is_allowed_keyword(name) && !is_numbered(name)) {
      refuse("it calls '" + printable(name) + "'");
    }
    if (!call && (name == "getattr" || name == "range")) refuse("it uses '" + printable(name) + "' as a value");
    return at_ + 1;
  }

  /// torch.NAME and nothing below it.
  std::size_t scan_operator() {
    if (!is(at_ + 1, ".") || !is_name(at_ + 2)) refuse("it uses 'torch' as a value");
    const std::string_view name = token(at_ + 2).text;
    if (!is_allowed_operator(name))
      refuse("operator 'torch." + printable(name) + "' is not on the list of a byte CNN's");
    if (is(at_ + 3, ".")) refuse("it reaches into 'torch." + printable(name) + "'");
    return at_ + 3;
  }

  std::size_t scan_primitive() {
    std::string path = "ops";
    std::size_t at = at_ + 1;
    for (; is(at, ".") && is_name(at + 1); at += 2) path += "." + printable(token(at + 1).text);
    const bool primitive = path.starts_with("ops.prim.") && is_allowed_primitive(std::string_view(path).substr(9));
    if (!primitive) refuse("operator '" + path + "' is not on the list of a byte CNN's");
    return at;
  }

  /// __torch__.a.b.Name: code of this archive, which is scanned as well; torch.classes are compiled extensions.
  std::size_t scan_own_name() {
    std::string path = "__torch__";
    std::size_t at = at_ + 1;
    for (; is(at, ".") && is_name(at + 1); at += 2) {
      const std::string_view part = token(at + 1).text;
      if ((is_special(part) && !is_mangled(part)) || is_forbidden_name(part)) {
        refuse("the name '" + printable(part) + "' in a path");
      }
      path += "." + printable(part);
      if (path.size() > 512) refuse("a path of over 512 characters");
    }
    if (path == "__torch__") refuse("it uses '__torch__' as a value");
    if (path.starts_with("__torch__.torch.classes")) refuse("the compiled class '" + path + "'");
    return at;
  }

  std::size_t scan_constant() {
    const bool plain =
        is(at_ + 1, ".") && is_name(at_ + 2) && token(at_ + 2).text.starts_with("c") && !is(at_ + 3, ".");
    if (!plain) refuse("an unusual use of constants");
    return at_ + 3;
  }

  /// self, self.attribute, self.layer.weight, (self).method(
  std::size_t scan_self() {
    if (is(at_ + 1, ":")) {
      const bool parameter = at_ >= 3 && is(at_ - 1, "(") && is(at_ - 3, "def");
      if (!parameter) refuse("an unusual use of 'self'");
      return at_ + 1;
    }
    if (is(at_ + 1, ")") && at_ >= 1 && is(at_ - 1, "(") && is(at_ + 2, ".") && is_name(at_ + 3)) {
      const std::string_view name = token(at_ + 3).text;
      if (!class_->methods.contains(name) || !is(at_ + 4, "(")) refuse("it calls 'self." + printable(name) + "'");
      check_member(name);
      return at_ + 4;
    }
    if (!is(at_ + 1, ".") || !is_name(at_ + 2)) refuse("an unusual use of 'self'");
    const std::string_view name = token(at_ + 2).text;
    if (!class_->attributes.contains(name)) refuse("'self." + printable(name) + "' is not declared");
    check_member(name);
    std::size_t at = at_ + 3;
    while (is(at, ".") && is_name(at + 1)) {
      if (!contains(layer_attributes, token(at + 1).text)) {
        refuse("it reaches into 'self." + printable(name) + "." + printable(token(at + 1).text) + "'");
      }
      at += 2;
    }
    if (is(at, "(")) refuse("it calls 'self." + printable(name) + "'");
    return at;
  }

  void check_member(std::string_view name) const {
    if (is_forbidden_name(name) || (is_special(name) && !contains(special_names, name))) {
      refuse("a member '" + printable(name) + "'");
    }
  }

  std::size_t scan_definition() {
    const std::string_view name = token(at_ + 1).text;
    if (!tokens_[at_].starts_line || !is_name(at_ + 1)) refuse("an unusual definition");
    check_member(name);
    if (is(at_, "class")) {
      if (tokens_[at_].indent != 0) refuse("a class within a class");
      return at_ + 6;  // class Name(Module): was checked at the line's beginning
    }
    const std::uint32_t margin = class_ == nullptr ? 0 : 2;
    if (tokens_[at_].indent != margin || !is(at_ + 2, "(")) refuse("a function within a function");
    if (class_ != nullptr) {
      if (!is_name(at_ + 3) || !is(at_ + 4, ":")) refuse("a method without 'self'");
      self_ = token(at_ + 3).text;
      if (!is_plain(self_)) refuse("a method whose 'self' is called '" + printable(self_) + "'");
    }
    return at_ + 2;
  }

  /// Loops may run over what is there (the dimensions of a tensor, the layers of a list) or a few times.
  std::size_t scan_loop() {
    std::size_t at = at_ + 1;
    if (!is_name(at) || !is(at + 1, "in") || !is(at + 2, "range") || !is(at + 3, "(")) refuse("an unusual loop");
    check_member(token(at).text);
    if (!is_plain(token(at).text) || token(at).text == self_) refuse("an unusual loop");
    at += 4;
    const bool counted = token(at).kind == Kind::number && is(at + 1, ")");
    const std::size_t inner = is_call(at, "sub") ? at + 4 : at;  // range(torch.sub(torch.len(size), 2))
    if (counted) {
      if (number(token(at)) > largest_loop) refuse("a loop of more than 4096 rounds");
    } else if (!is_call(inner, "len")) {
      refuse("a loop whose length is computed in an unusual way");
    }
    return at;
  }

  /// getattr(module, "0"): names that are no identifiers, so they cannot be operators either.
  std::size_t scan_getattr() {
    const bool shape = is_name(at_ + 2) && is(at_ + 3, ",") && token(at_ + 4).kind == Kind::text && is(at_ + 5, ")");
    if (!shape) refuse("an unusual use of getattr");
    const std::string_view receiver = token(at_ + 2).text;
    const std::string_view name = token(at_ + 4).text.substr(1, token(at_ + 4).text.size() - 2);
    const bool declared = !self_.empty() && receiver == self_ && class_->attributes.contains(name);
    const bool numeric = !name.empty() && name[0] >= '0' && name[0] <= '9';
    if (!is_plain(receiver) || !(numeric || declared)) {
      refuse("getattr of '" + printable(name) + "'");
    }
    check_member(name);
    return at_ + 6;
  }

  /// What follows a point, where the part before it was none of the known beginnings: only (layer).forward(...), and
  /// (layer).forward1(...), as a trace calls a layer that is used more than once.
  std::size_t scan_attribute() {
    const std::string_view name = tokens_[at_].text;
    const bool call_of_layer = is_forward(name) && is(at_ + 1, "(") && at_ >= 2 && is(at_ - 2, ")");
    if (!call_of_layer) refuse("it uses the method or attribute '" + printable(name) + "'");
    return at_ + 1;
  }

  std::size_t scan_symbol() {
    const CodeToken& symbol = tokens_[at_];
    if (symbol.text == "." && !is_name(at_ + 1)) refuse("an unusual '.'");
    return at_ + 1;
  }

  static std::int64_t number(const CodeToken& token) {
    std::int64_t value = 0;
    const auto end = std::from_chars(token.text.data(), token.text.data() + token.text.size(), value);
    return end.ec == std::errc{} && end.ptr == token.text.data() + token.text.size() ? value : INT64_MAX;
  }

  /// Sizes of padding, pools and so on: a small file must not ask for gigabytes. Slices end at 2^63 - 1.
  void check_number(const CodeToken& token) const {
    const bool integer = token.text.find_first_of(".eE") == std::string_view::npos;
    if (integer && number(token) > largest_number && token.text != "9223372036854775807") {
      refuse("the number " + printable(token.text));
    }
  }

  const std::vector<CodeToken>& tokens_;
  std::size_t at_ = 0;
  std::map<std::size_t, ClassNames> classes_;  // by the place of their first token
  const ClassNames* class_ = nullptr;
  std::string_view self_;  // what the current method calls its module; empty in a function
};

}  // namespace

void scan_torchscript_code(const Checkpoint& checkpoint) {
  if (checkpoint.code.empty()) throw Error(ErrorCode::invalid, "the archive holds no code", "code/");
  for (const auto& [name, source] : checkpoint.code) {
    try {
      const std::vector<CodeToken> tokens = code_tokens(source);
      Scan(tokens).run();
    } catch (const Error& error) {
      throw error.at(printable(name));
    }
  }
}

}  // namespace bytecnn::exporter
