#include "search/search_space.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "bytecnn/error.hpp"

namespace bytecnn::exporter {
namespace {

using Position = BatchNormSpec::Position;

/// Asks `Original::sources`, which names a layer only where layers differ.
class OpenKeys {
 public:
  explicit OpenKeys(const Original& original) : sources_(original.sources) {}

  bool open(const std::string& key, const std::string& layer = {}) {
    for (const std::string& name : {layer.empty() ? std::string() : layer + "." + key, key}) {
      const auto found = sources_.find(name);
      if (found == sources_.end()) continue;
      const bool is_open = found->second == "default" || found->second == "sequential";
      if (is_open && std::find(names_.begin(), names_.end(), name) == names_.end()) names_.push_back(name);
      return is_open;
    }
    return false;
  }
  std::vector<std::string> names() && { return std::move(names_); }

 private:
  const std::map<std::string, std::string>& sources_;
  std::vector<std::string> names_;
};

/// Zero columns by every rule in use, the usual ones first; equal columns stand once.
std::vector<Priced<Geometry>> paddings(const ConvLayer& layer) {
  std::vector<Priced<Geometry>> found;
  const std::uint32_t reach = layer.reach();
  const auto add = [&](PaddingRule rule, std::uint32_t left, std::uint32_t right, unsigned price) {
    const bool known = std::any_of(found.begin(), found.end(), [&](const Priced<Geometry>& other) {
      return other.value.left == left && other.value.right == right;
    });
    if (!known) found.push_back({{layer.stride, layer.dilation, left, right, rule}, price});
  };
  const std::uint32_t half = layer.kernel_size / 2;
  const std::uint32_t half_down = (layer.kernel_size - 1) / 2;
  add(PaddingRule::same, reach / 2, reach - reach / 2, 0);
  add(PaddingRule::valid, 0, 0, 1);
  add(PaddingRule::half_kernel, half, half, 1);
  add(PaddingRule::half_kernel_down, half_down, half_down, 1);
  add(PaddingRule::same_left, reach - reach / 2, reach / 2, 3);
  add(PaddingRule::causal, reach, 0, 3);
  add(PaddingRule::full, reach, reach, 3);
  for (std::uint32_t columns = 1; columns <= std::min<std::uint32_t>(std::max(reach, 2U), 8); ++columns) {
    add(PaddingRule::number, columns, columns, 4);
  }
  return found;
}

std::vector<Priced<Geometry>> geometries(const ConvLayer& layer, const std::string& name, OpenKeys& keys) {
  std::vector<Priced<std::uint32_t>> strides{{layer.stride, 0}};
  if (keys.open("stride", name)) strides = {{1, 0}, {2, 2}, {3, 4}, {4, 3}};
  std::vector<Priced<std::uint32_t>> dilations{{layer.dilation, 0}};
  if (keys.open("dilation", name) && layer.kernel_size > 1) dilations = {{1, 0}, {2, 2}, {3, 4}, {4, 3}, {8, 4}};
  const bool padding_open = keys.open("padding", name);
  std::vector<Priced<Geometry>> all;
  for (const auto& stride : strides) {
    for (const auto& dilation : dilations) {
      ConvLayer copy = layer;
      copy.stride = stride.value;
      copy.dilation = dilation.value;
      std::vector<Priced<Geometry>> some{
          {{copy.stride, copy.dilation, copy.pad_left, copy.pad_right, PaddingRule::number}, 0}};
      if (padding_open) some = paddings(copy);
      for (Priced<Geometry>& geometry : some) {
        geometry.price += stride.price + dilation.price;
        all.push_back(geometry);
      }
    }
  }
  return all;
}

std::vector<Priced<BatchNormSpec>> norms(const ConvLayer& layer, const std::string& name, OpenKeys& keys) {
  if (!layer.batch_norm) return {};
  std::vector<Priced<double>> epsilons{{layer.batch_norm->eps, 0}};
  if (keys.open("batch_norm_eps", name)) {
    epsilons = {{1e-5, 0}, {1e-3, 1}, {1e-6, 2}, {1e-4, 2}, {1e-2, 3}, {1e-8, 3}, {1e-7, 4}, {1e-12, 4}};
  }
  std::vector<Priced<Position>> positions{{layer.batch_norm->position, 0}};
  if (keys.open("batch_norm_position", name)) {
    const bool before = layer.batch_norm->position == Position::before_activation;
    positions.push_back({before ? Position::after_activation : Position::before_activation, 1});
  }
  std::vector<Priced<BatchNormSpec>> all;
  for (const auto& position : positions) {
    for (const auto& eps : epsilons) all.push_back({{eps.value, position.value}, position.price + eps.price});
  }
  return all;
}

std::vector<Priced<Activation>> activations(const Activation& known, bool open) {
  if (!open) return {{known, 0}};
  using Kind = Activation::Kind;
  const auto leaky = [](float slope) { return Activation{Kind::leaky_relu, slope}; };
  std::vector<Priced<Activation>> all{{{Kind::relu}, 0},    {{Kind::gelu}, 2}, {leaky(0.01F), 2}, {{Kind::silu}, 2},
                                      {{Kind::none}, 2},    {{Kind::tanh}, 3}, {leaky(0.1F), 3},  {leaky(0.2F), 3},
                                      {{Kind::sigmoid}, 4}, {leaky(0.3F), 4},  {leaky(0.05F), 4}};
  // What the file's modules suggest is tried first.
  std::erase_if(all, [&](const Priced<Activation>& choice) { return choice.value == known; });
  all.insert(all.begin(), {known, 0});
  return all;
}

/// Whether a block of `layer` may add its input: the same channels, and for some geometry the same length.
std::vector<Priced<bool>> residual(const ConvLayer& layer, std::uint32_t in_channels, const std::string& name,
                                   OpenKeys& keys) {
  if (!keys.open("residual", name) || layer.filters != in_channels) return {{layer.residual, 0}};
  return {{false, 0}, {true, 1}};
}

bool speaks_of_length(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  std::string word(dot == std::string_view::npos ? name : name.substr(dot + 1));
  std::transform(word.begin(), word.end(), word.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  for (const char* part : {"len", "seq", "size", "width", "bytes", "window", "max", "pad"}) {
    if (word.find(part) != std::string::npos) return true;
  }
  return false;
}

std::vector<Priced<std::uint32_t>> lengths(const RecordedReference& reference,
                                           const std::vector<std::pair<std::string, std::string>>& hints) {
  std::vector<Priced<std::uint32_t>> found;
  const auto add = [&](std::uint64_t length, unsigned price) {
    const bool known =
        std::any_of(found.begin(), found.end(), [&](const auto& other) { return other.value == length; });
    if (!known && length >= 1 && length <= 65536) found.push_back({static_cast<std::uint32_t>(length), price});
  };
  for (const auto& [name, value] : hints) {
    std::uint64_t number = 0;
    const auto result = std::from_chars(value.data(), value.data() + value.size(), number);
    const bool whole = result.ec == std::errc() && result.ptr == value.data() + value.size();
    if (whole && number >= 8 && speaks_of_length(name)) add(number, 0);
  }
  add(512, 0);
  for (const std::uint32_t usual : {256U, 128U, 1024U}) add(usual, 1);
  for (const std::uint32_t usual : {64U, 2048U, 100U, 200U, 300U, 500U, 1000U}) add(usual, 2);
  for (const std::uint32_t usual : {32U, 4096U, 150U, 250U, 400U, 2000U}) add(usual, 3);
  // Recordings often hold inputs round the length that matters.
  std::vector<std::uint32_t> recorded;
  for (const Golden& record : reference.records) {
    if (record.input.size() >= 8 && record.input.size() <= 65536) {
      recorded.push_back(static_cast<std::uint32_t>(record.input.size()));
    }
  }
  std::sort(recorded.begin(), recorded.end());
  recorded.erase(std::unique(recorded.begin(), recorded.end()), recorded.end());
  if (recorded.size() <= 64) {
    for (const std::uint32_t length : recorded) add(length, 4);
  }
  return found;
}

std::string token_text(const std::optional<std::uint32_t>& token) {
  return token ? std::to_string(*token) : "none";
}

std::vector<Priced<InputForm>> input_forms(const Original& original, const RecordedReference& reference,
                                           const std::vector<std::pair<std::string, std::string>>& hints,
                                           OpenKeys& keys) {
  const Architecture& known = original.architecture;
  const bool length_open = keys.open("max_len");
  const bool token_open = keys.open("pad_token");
  if (!length_open && reference.max_len && *reference.max_len != known.max_len) {
    throw Error(ErrorCode::invalid, "the inputs were recorded with another length than is stated", "/max_len",
                std::to_string(known.max_len), std::to_string(*reference.max_len));
  }
  if (!token_open && reference.pad_token && *reference.pad_token && *reference.pad_token != known.pad_token) {
    throw Error(ErrorCode::invalid, "the inputs were recorded with another pad token than is stated", "/pad_token",
                token_text(known.pad_token), token_text(*reference.pad_token));
  }
  // Inputs that were recorded padded reached the model as whole rows; inputs that were not may have been padded by it.
  const bool padded_record = reference.pad_token && *reference.pad_token;
  std::vector<Priced<std::optional<std::uint32_t>>> tokens;
  if (!token_open) {
    tokens = {{known.pad_token, 0}};
  } else if (padded_record) {
    tokens = {{*reference.pad_token, 0}};
  } else {
    const std::uint32_t last = known.vocab_size - 1;
    const bool bytes_alone = known.vocab_size == 256;
    const unsigned unpadded_record = reference.pad_token ? 3 : 0;
    tokens.push_back({std::nullopt, reference.pad_token ? 0U : 1U});
    tokens.push_back({0U, unpadded_record + (bytes_alone ? 0U : 1U)});
    if (!bytes_alone) tokens.push_back({256U, unpadded_record});
    if (last > 256) tokens.push_back({last, unpadded_record + 1});
    if (bytes_alone) tokens.push_back({255U, unpadded_record + 4});
    tokens.push_back({32U, unpadded_record + 4});
  }
  // The recording's own length is the length of what it did not pad, and of what it padded; a model that pads by itself
  // may have any other.
  const std::vector<Priced<std::uint32_t>> own{{length_open ? reference.max_len.value_or(512) : known.max_len, 0}};
  const bool own_alone = !length_open || (reference.max_len && (padded_record || !token_open));
  const std::vector<Priced<std::uint32_t>> any = own_alone ? own : lengths(reference, hints);
  std::size_t longest = 0;
  for (const Golden& record : reference.records) longest = std::max(longest, record.input.size());
  std::vector<Priced<InputForm>> forms;
  for (const auto& token : tokens) {
    bool uncut = false;  // lengths that cut nothing are all the same where nothing is padded
    for (const auto& length : !token.value && reference.max_len ? own : any) {
      if (!token.value && length.value >= longest) {
        if (uncut) continue;
        uncut = true;
      }
      const InputForm form{length.value, token.value};
      const bool known_form =
          std::any_of(forms.begin(), forms.end(), [&](const auto& other) { return other.value == form; });
      if (!known_form) forms.push_back({form, length.price + token.price});
    }
  }
  return forms;
}

template <class T>
unsigned highest(const std::vector<Priced<T>>& choices) {
  unsigned price = 0;
  for (const auto& choice : choices) price = std::max(price, choice.price);
  return price;
}

}  // namespace

double SearchSpace::size() const {
  double count = static_cast<double>(inputs.size()) * static_cast<double>(poolings.size());
  for (const LayerSpace& layer : layers) {
    count *= static_cast<double>(layer.geometries.size() * std::max<std::size_t>(layer.norms.size(), 1) *
                                 layer.activations.size() * layer.residual.size());
  }
  for (const auto& layer : dense) count *= static_cast<double>(layer.size());
  return count;
}

unsigned SearchSpace::highest_price() const {
  unsigned price = highest(inputs);
  for (const LayerSpace& layer : layers) {
    price += highest(layer.geometries) + highest(layer.norms) + highest(layer.activations) + highest(layer.residual);
  }
  for (const auto& layer : dense) price += highest(layer);
  return price;
}

SearchSpace search_space(const Original& original, const RecordedReference& reference,
                         const std::vector<std::pair<std::string, std::string>>& hints) {
  const Architecture& known = original.architecture;
  OpenKeys keys(original);
  SearchSpace space;
  space.inputs = input_forms(original, reference, hints, keys);
  for (std::size_t i = 0; i < known.conv_layers.size(); ++i) {
    const ConvLayer& layer = known.conv_layers[i];
    const std::string name = "conv" + std::to_string(i + 1);
    space.layers.push_back({geometries(layer, name, keys), norms(layer, name, keys),
                            activations(layer.activation, keys.open("activation", name)),
                            residual(layer, known.in_channels(i), name, keys)});
  }
  space.poolings = {known.pooling};
  if (keys.open("pooling")) space.poolings = {Pooling::avg_max, Pooling::max, Pooling::avg};
  for (std::size_t i = 0; i < known.dense_layers.size(); ++i) {
    space.dense.push_back(
        activations(known.dense_layers[i].activation, keys.open("dense_activation", "dense" + std::to_string(i + 1))));
  }
  space.open_keys = std::move(keys).names();
  return space;
}

unsigned price_of(const Priced<Geometry>& choice, const Geometry* previous) {
  if (previous == nullptr) return choice.price;
  const Geometry& geometry = choice.value;
  const bool alike = geometry.rule == previous->rule && geometry.stride == previous->stride &&
                     (geometry.dilation == previous->dilation ||
                      (previous->dilation > 1 && geometry.dilation == 2 * previous->dilation));
  return alike ? 0 : choice.price;
}

unsigned price_of(const Priced<BatchNormSpec>& choice, const BatchNormSpec* previous) {
  return previous != nullptr && choice.value == *previous ? 0 : choice.price;
}

unsigned price_of(const Priced<Activation>& choice, const Activation* previous) {
  return previous != nullptr && choice.value == *previous ? 0 : choice.price;
}

}  // namespace bytecnn::exporter
