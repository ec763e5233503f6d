#include "module_facts.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <utility>

#include "bytecnn/error.hpp"

namespace bytecnn::exporter {
namespace {

/// A module's class without its package: "Conv1d" of "torch.nn.modules.conv.Conv1d".
std::string_view short_name(const Module& module) {
  const std::string_view name = module.class_name;
  const std::size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? name : name.substr(dot + 1);
}

/// Whether the class comes with PyTorch, so that its name says what it computes.
bool is_torch(const Module& module) {
  return module.class_name.starts_with("torch.");
}

const std::string* attribute(const Module& module, std::string_view key) {
  for (const auto& [name, value] : module.attributes) {
    if (name == key) return &value;
  }
  return nullptr;
}

std::string_view without_quotes(std::string_view text) {
  if (text.size() >= 2 && (text.front() == '\'' || text.front() == '"') && text.back() == text.front()) {
    return text.substr(1, text.size() - 2);
  }
  return text;
}

[[noreturn]] void unreadable(const Module& module, std::string_view key, std::string_view expected,
                             const std::string& found) {
  throw Error(ErrorCode::invalid,
              "attribute '" + std::string(key) + "' of this " + std::string(short_name(module)) + " is not understood",
              "module " + module.path, std::string(expected), found);
}

/// "3", "(3,)" or "[3]".
std::optional<std::uint32_t> parse_size(std::string_view text) {
  if (text.size() >= 2 &&
      ((text.front() == '(' && text.back() == ')') || (text.front() == '[' && text.back() == ']'))) {
    text = text.substr(1, text.size() - 2);
    if (text.ends_with(",")) text.remove_suffix(1);
  }
  std::uint32_t number = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || result.ec != std::errc() || result.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

std::uint32_t size_attribute(const Module& module, std::string_view key, std::uint32_t absent) {
  const std::string* text = attribute(module, key);
  if (text == nullptr) return absent;
  const std::optional<std::uint32_t> number = parse_size(*text);
  if (!number) unreadable(module, key, "a number", *text);
  return *number;
}

double number_attribute(const Module& module, std::string_view key, double absent) {
  const std::string* text = attribute(module, key);
  if (text == nullptr) return absent;
  double number = 0;
  const auto result = std::from_chars(text->data(), text->data() + text->size(), number);
  if (result.ec != std::errc() || result.ptr != text->data() + text->size()) unreadable(module, key, "a number", *text);
  return number;
}

ConvFacts conv_facts(const Module& module) {
  if (const std::string* mode = attribute(module, "padding_mode");
      mode != nullptr && without_quotes(*mode) != "zeros") {
    throw Error(ErrorCode::unsupported, "this Conv1d does not pad with zeros", "module " + module.path,
                "padding_mode zeros", std::string(without_quotes(*mode)));
  }
  ConvFacts facts;
  facts.stride = size_attribute(module, "stride", 1);
  facts.dilation = size_attribute(module, "dilation", 1);
  facts.groups = size_attribute(module, "groups", 1);
  const std::string* padding = attribute(module, "padding");
  const std::string_view text = padding == nullptr ? std::string_view("0") : without_quotes(*padding);
  if (text == "same") {
    facts.padding.kind = PaddingStatement::Kind::same;
  } else if (text == "valid") {
    facts.padding.kind = PaddingStatement::Kind::valid;
  } else {
    const std::optional<std::uint32_t> columns = parse_size(text);
    if (!columns) unreadable(module, "padding", "a number, 'same' or 'valid'", std::string(text));
    facts.padding = {.kind = PaddingStatement::Kind::columns, .left = *columns, .right = *columns};
  }
  return facts;
}

std::optional<Activation> activation_of(const Module& module) {
  const std::string_view name = short_name(module);
  if (name == "ReLU") return Activation{.kind = Activation::Kind::relu};
  if (name == "SiLU") return Activation{.kind = Activation::Kind::silu};
  if (name == "Tanh") return Activation{.kind = Activation::Kind::tanh};
  if (name == "Sigmoid") return Activation{.kind = Activation::Kind::sigmoid};
  if (name == "LeakyReLU") {
    return Activation{.kind = Activation::Kind::leaky_relu,
                      .slope = static_cast<float>(number_attribute(module, "negative_slope", 0.01))};
  }
  if (name == "GELU") {
    if (const std::string* form = attribute(module, "approximate");
        form != nullptr && without_quotes(*form) != "none") {
      throw Error(ErrorCode::unsupported, "only the erf form of GELU is supported", "module " + module.path,
                  "approximate='none'", std::string(without_quotes(*form)));
    }
    return Activation{.kind = Activation::Kind::gelu};
  }
  return std::nullopt;
}

/// Modules that change nothing in eval mode, or whose work the runtime does anyway.
bool is_neutral(std::string_view name) {
  constexpr std::array names{"Dropout",  "Dropout1d",           "Dropout2d", "AlphaDropout",
                             "Identity", "FeatureAlphaDropout", "Flatten"};
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_container(std::string_view name) {
  constexpr std::array names{"Sequential",    "ModuleList",    "ModuleDict",   "Module",
                             "ParameterList", "ParameterDict", "DataParallel", "DistributedDataParallel"};
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string parent_of(const std::string& path) {
  const std::size_t dot = path.rfind('.');
  return dot == std::string::npos ? std::string() : path.substr(0, dot);
}

/// Follows the layers of one outermost nn.Sequential in order and notes what stands behind each convolution and
/// dense layer.
class SequenceReader {
 public:
  explicit SequenceReader(ModuleFacts& facts) : facts_(facts) {}

  /// The layer that a later activation or batch norm belongs to.
  void begin_layer(const std::string& path) {
    close(/*next_layer_follows=*/true);
    current_ = path;
    open_ = SequenceFacts{};
  }
  void batch_norm(const Module& module) {
    if (!open_) return;
    if (!open_->batch_norm.empty()) refuse(module, "a second batch norm behind one layer");
    open_->batch_norm = module.path;
    open_->position =
        open_->activation ? BatchNormSpec::Position::after_activation : BatchNormSpec::Position::before_activation;
  }
  void activation(const Module& module, const Activation& kind) {
    if (!open_) return;
    if (open_->activation) refuse(module, "a second activation behind one layer");
    open_->activation = kind;
  }
  void end() { close(/*next_layer_follows=*/false); }

 private:
  [[noreturn]] static void refuse(const Module& module, const std::string& what) {
    throw Error(ErrorCode::unsupported, what + " is not supported", "module " + module.path, {}, module.class_name);
  }
  void close(bool next_layer_follows) {
    if (!open_) return;
    // At the end of the sequence forward() may still apply an activation, so its absence is no fact there.
    if (!open_->activation && next_layer_follows) open_->activation = Activation{};
    if (!open_->activation) open_->position.reset();
    facts_.sequences[current_] = *open_;
    open_.reset();
  }

  ModuleFacts& facts_;
  std::string current_;
  std::optional<SequenceFacts> open_;
};

}  // namespace

std::vector<std::pair<std::string, std::string>> class_hints(const std::vector<Module>& modules) {
  std::vector<std::pair<std::string, std::string>> hints;
  for (const Module& module : modules) {
    if (is_torch(module)) continue;
    for (const auto& [name, value] : module.attributes) {
      if (name == "training") continue;
      hints.emplace_back(module.path.empty() ? name : module.path + "." + name, value);
    }
  }
  return hints;
}

ModuleFacts read_module_facts(const Checkpoint& checkpoint) {
  ModuleFacts facts;
  facts.present = !checkpoint.modules.empty();
  std::map<std::string, std::string> outermost;  // path of a Sequential -> path of the outermost Sequential around it
  SequenceReader reader(facts);
  std::string running;  // outermost Sequential that is being read
  bool inside = false;

  for (const Module& module : checkpoint.modules) {
    const std::string_view name = short_name(module);
    const bool torch = is_torch(module);
    if (torch && is_container(name) && name != "Sequential") continue;

    const std::string parent = parent_of(module.path);
    const auto around = module.path.empty() ? outermost.end() : outermost.find(parent);
    if (torch && name == "Sequential") {
      outermost[module.path] = around == outermost.end() ? module.path : around->second;
      continue;
    }
    const bool sequential = around != outermost.end();
    if (inside && (!sequential || around->second != running)) {
      reader.end();
      inside = false;
    }
    if (sequential) {
      inside = true;
      running = around->second;
    }

    if (!torch) {
      const bool has_children =
          std::any_of(checkpoint.modules.begin(), checkpoint.modules.end(), [&](const Module& other) {
            return other.path != module.path && (module.path.empty() || other.path.starts_with(module.path + "."));
          });
      if (!has_children) {
        facts.warnings.push_back("module '" + module.path + "' is of the class " + module.class_name +
                                 ", which is not in the file: taken to have no effect on the result");
      }
      continue;
    }
    if (name == "Conv1d") {
      facts.convs[module.path] = conv_facts(module);
      if (sequential) reader.begin_layer(module.path);
    } else if (name == "Linear") {
      if (sequential) reader.begin_layer(module.path);
    } else if (name == "BatchNorm1d" || name == "SyncBatchNorm") {
      facts.eps[module.path] = number_attribute(module, "eps", 1e-5);
      if (sequential) reader.batch_norm(module);
    } else if (name == "Embedding") {
      const std::string* index = attribute(module, "padding_idx");
      facts.padding_idx[module.path] = index == nullptr ? std::nullopt : parse_size(*index);
      for (const char* altering : {"max_norm"}) {
        if (const std::string* value = attribute(module, altering); value != nullptr && *value != "None") {
          facts.warnings.push_back("embedding '" + module.path + "' has max_norm = " + *value +
                                   ": its rows are taken as they stand in the file");
        }
      }
    } else if (const std::optional<Activation> activation = activation_of(module)) {
      if (sequential) {
        reader.activation(module, *activation);
      } else if (activation->kind == Activation::Kind::sigmoid) {
        facts.output = Output::sigmoid;  // a loose Sigmoid is the usual last step of forward()
      } else if (std::find(facts.loose_activations.begin(), facts.loose_activations.end(), *activation) ==
                 facts.loose_activations.end()) {
        facts.loose_activations.push_back(*activation);
      }
    } else if (name == "Softmax" || name == "LogSoftmax") {
      facts.output = Output::softmax;
    } else if (name == "AdaptiveMaxPool1d" || name == "AdaptiveAvgPool1d") {
      if (size_attribute(module, "output_size", 1) != 1) {
        throw Error(ErrorCode::unsupported, "pooling must be global", "module " + module.path, "output_size 1",
                    *attribute(module, "output_size"));
      }
      (name == "AdaptiveMaxPool1d" ? facts.adaptive_max : facts.adaptive_avg) = true;
    } else if (!is_neutral(name) && module.class_name.find(".loss.") == std::string::npos) {
      throw Error(ErrorCode::unsupported, "the runtime cannot run this layer", "module " + module.path,
                  "Embedding, Conv1d, BatchNorm1d, Linear, Dropout, an activation or global pooling",
                  module.class_name);
    }
  }
  if (inside) reader.end();
  return facts;
}

}  // namespace bytecnn::exporter
