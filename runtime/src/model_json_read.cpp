// Model files to models: the current format and the older flat files.

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "bytecnn/batch_norm.hpp"
#include "bytecnn/model_json.hpp"

#include "architecture_json.hpp"
#include "frequent_windows_json.hpp"
#include "hexadecimal.hpp"
#include "json_document.hpp"
#include "weight_arrays.hpp"
#include "weight_names.hpp"

namespace bytecnn {
namespace {

using Json = nlohmann::ordered_json;

/// Of a file whose size is not trusted before it is read.
constexpr std::uintmax_t max_reserved_bytes = std::uintmax_t{1} << 28U;

constexpr std::string_view root_keys[] = {"format",  "format_version", "model_info",      "architecture",
                                          "weights", "golden",         "frequent_windows"};

bool is_root_key(std::string_view key) {
  return std::find(std::begin(root_keys), std::end(root_keys), key) != std::end(root_keys);
}

/// Where weights stand: in "weights", or beside the known keys of the top level.
bool is_weight_place(std::span<const std::string_view> keys) {
  return keys.size() == 1 ? !is_root_key(keys[0]) : keys.size() == 2 && keys[0] == "weights";
}

/// The object that holds the weights, and which of its members were used: what is left over is an error.
class WeightStore {
 public:
  WeightStore(const JsonValue& object, JsonTensorDocument& document) : object_(object), document_(document) {
    object.require_object();
  }

  [[nodiscard]] bool has(const std::string& name) const { return object_.has(name); }
  [[nodiscard]] JsonValue place(const std::string& name) const { return object_.at(name); }

  [[noreturn]] void fail(std::string message) const { object_.fail(std::move(message)); }

  WeightArray take(const std::string& name, std::size_t rank) {
    used_.insert(name);
    return read_weight_array(object_.at(name), rank, document_);
  }

  /// A vector of `length` numbers.
  std::vector<float> take_vector(const std::string& name, std::size_t length) {
    WeightArray array = take(name, 1);
    if (array.values.size() != length) {
      place(name).fail("wrong length", std::to_string(length), std::to_string(array.values.size()));
    }
    return std::move(array.values);
  }

  /// Only arrays count as weights where the weights stand among other things (older flat files).
  void require_all_used(bool arrays_only) const {
    for (const auto& [key, value] : object_.json().items()) {
      const bool array = value.is_array() || document_.tensor(value) != nullptr;
      if (used_.contains(key) || (arrays_only && (is_root_key(key) || !array))) continue;
      object_.fail("unknown or unused weights (a layer that this version does not know?)", {}, "\"" + key + "\"");
    }
  }

 private:
  JsonValue object_;
  JsonTensorDocument& document_;
  std::set<std::string> used_;
};

/// A number that a statement gives and the weights give too: they must agree.
void require_agreement(const std::optional<std::uint32_t>& stated, std::size_t actual, const std::string& where) {
  if (stated && *stated != actual) {
    throw Error(ErrorCode::invalid, "contradicts the shape of the weights", where, std::to_string(actual),
                std::to_string(*stated));
  }
}

std::uint32_t to_u32(std::size_t value, const JsonValue& place) {
  if (value > ModelLimits::max_weights) place.fail("too large");
  return static_cast<std::uint32_t>(value);
}

std::vector<double> widen(const std::vector<float>& values) {
  return {values.begin(), values.end()};
}
std::vector<float> narrow(const std::vector<double>& values, const JsonValue& place) {
  std::vector<float> floats(values.begin(), values.end());
  for (std::size_t i = 0; i < floats.size(); ++i) {
    if (!std::isfinite(floats[i])) {
      place.fail("folding batch norm gives a weight beyond float", {}, Json(values[i]).dump());
    }
  }
  return floats;
}

class ModelReader {
 public:
  /// `flat`: the weights stand at the top level. `older`: no "format" key, so biases may be missing.
  struct Layout {
    bool flat = false;
    bool older = false;
  };

  ModelReader(JsonTensorDocument& document, const JsonValue& root, const JsonValue& weights, Layout layout)
      : document_(document), root_(root), store_(weights, document), flat_(layout.flat), older_(layout.older) {}

  Model read() {
    if (root_.has("model_info")) read_model_info(root_.at("model_info"));
    if (root_.has("architecture")) statement_ = read_architecture_statement(root_.at("architecture"));
    keep_unknown_root_keys();
    read_embedding();
    read_conv_layers();
    read_head();
    read_the_rest_of_the_architecture();
    store_.require_all_used(flat_);
    if (root_.has("golden")) read_golden(root_.at("golden"));
    if (root_.has("frequent_windows")) {
      model_.frequent_windows = read_frequent_windows(root_.at("frequent_windows"), architecture());
    }
    validate(model_);
    return std::move(model_);
  }

 private:
  Architecture& architecture() { return model_.architecture; }

  void read_model_info(const JsonValue& object) {
    object.require_object();
    ModelInfo& info = model_.info;
    Json extra = Json::object();
    for (const auto& [key, json] : object.json().items()) {
      const JsonValue value = object.at(key);
      if (value.is_null() && is_info_key(key)) continue;
      if (key == "name") {
        info.name = value.as_string();
      } else if (key == "version") {
        info.version = json.is_string() ? value.as_string() : json.dump();
      } else if (key == "parameters") {
        if (!json.is_number_unsigned()) value.fail("wrong type or value", "a whole number of at least 0", json.dump());
        info.parameters = json.get<std::uint64_t>();
      } else if (key == "accuracy") {
        info.accuracy = value.as_double();
      } else if (key == "exported") {
        info.exported = value.as_string();
      } else if (key == "labels") {
        value.require_array();
        for (std::size_t i = 0; i < value.size(); ++i) info.labels.push_back(value.at(i).as_string());
      } else if (key == "threshold") {
        info.threshold = value.as_double();
      } else if (key == "source") {
        info.source = read_strings(value);
      } else if (key == "assumed") {
        info.assumed = read_strings(value);
      } else if (key == "max_seq_len") {  // not kept: architecture.max_len says it from now on
        max_seq_len_ = value.as_u32(1, ModelLimits::max_len);
      } else {
        extra[key] = json;
      }
    }
    info.extra = extra.dump();
  }

  static bool is_info_key(std::string_view key) {
    constexpr std::string_view keys[] = {"name",   "version",   "parameters", "accuracy", "exported",
                                         "labels", "threshold", "source",     "assumed",  "max_seq_len"};
    return std::find(std::begin(keys), std::end(keys), key) != std::end(keys);
  }

  static std::map<std::string, std::string> read_strings(const JsonValue& object) {
    object.require_object();
    std::map<std::string, std::string> strings;
    for (const auto& [key, value] : object.json().items()) {
      strings[key] = value.is_string() ? value.get<std::string>() : value.dump();
    }
    return strings;
  }

  void keep_unknown_root_keys() {
    Json extra = Json::object();
    for (const auto& [key, value] : root_.json().items()) {
      if (is_root_key(key)) continue;
      const bool array = value.is_array() || document_.tensor(value) != nullptr;
      if (!(flat_ && array)) extra[key] = document_.restored(value);
    }
    model_.extra = extra.dump();
  }

  void read_embedding() {
    WeightArray embedding = store_.take("embedding", 2);
    const JsonValue place = store_.place("embedding");
    architecture().vocab_size = to_u32(embedding.shape[0], place);
    architecture().embed_dim = to_u32(embedding.shape[1], place);
    require_agreement(statement_.vocab_size, embedding.shape[0], "/architecture/vocab_size");
    require_agreement(statement_.embed_dim, embedding.shape[1], "/architecture/embed_dim");
    model_.weights.embedding = std::move(embedding.values);
  }

  void read_conv_layers() {
    std::size_t layers = 0;
    while (store_.has(conv_name(layers) + "_weight")) ++layers;
    if (statement_.conv_layers) {
      require_agreement(static_cast<std::uint32_t>(statement_.conv_layers->size()), layers,
                        "/architecture/conv_layers");
    }
    for (std::size_t i = 0; i < layers; ++i) read_conv_layer(i);
    if (layers == 1) {
      require_agreement(statement_.conv_filters, architecture().conv_layers[0].filters, "/architecture/conv_filters");
      require_agreement(statement_.kernel_size, architecture().conv_layers[0].kernel_size, "/architecture/kernel_size");
    }
  }

  void read_conv_layer(std::size_t index) {
    const std::string name = conv_name(index);
    const std::string where = "/architecture/conv_layers/" + std::to_string(index);
    const ConvLayerStatement stated = statement_.conv_layers ? (*statement_.conv_layers)[index] : ConvLayerStatement{};
    WeightArray array = store_.take(name + "_weight", 3);
    const JsonValue place = store_.place(name + "_weight");

    ConvLayer layer;
    layer.filters = to_u32(array.shape[0], place);
    layer.kernel_size = to_u32(array.shape[2], place);
    const std::size_t in_channels = architecture().in_channels(index);
    if (in_channels % array.shape[1] != 0) {
      place.fail("input channels do not fit what comes before",
                 std::to_string(in_channels) + ", or a divisor with groups", std::to_string(array.shape[1]));
    }
    layer.groups = to_u32(in_channels / array.shape[1], place);
    if (layer.groups != 1 && !stated.groups) {  // a mismatch more often than a grouped convolution
      place.fail("input channels do not fit what comes before, and no groups are stated", std::to_string(in_channels),
                 std::to_string(array.shape[1]));
    }
    require_agreement(stated.filters, layer.filters, where + "/filters");
    require_agreement(stated.kernel_size, layer.kernel_size, where + "/kernel_size");
    require_agreement(stated.groups, layer.groups, where + "/groups");
    layer.stride = stated.stride.value_or(1);
    layer.dilation = stated.dilation.value_or(1);
    stated.padding.value_or(PaddingStatement{}).apply(layer);
    layer.activation = stated.activation.value_or(Activation{Activation::Kind::relu});
    layer.residual = stated.residual.value_or(false);

    ConvWeights weights;
    weights.weight = std::move(array.values);
    if (older_ && !store_.has(name + "_bias")) {
      weights.bias.assign(layer.filters, 0.0F);
    } else {
      weights.bias = store_.take_vector(name + "_bias", layer.filters);
    }
    read_batch_norm(index, stated.batch_norm, layer, weights);
    architecture().conv_layers.push_back(layer);
    model_.weights.conv.push_back(std::move(weights));
  }

  /// Batch norm stands as `convN_scale/shift` (after the activation), unfolded as `bnN_...` (older files), or nowhere.
  void read_batch_norm(std::size_t index, const std::optional<BatchNormStatement>& stated, ConvLayer& layer,
                       ConvWeights& weights) {
    using Position = BatchNormSpec::Position;
    const std::string conv = conv_name(index);
    const std::string bn = "bn" + std::to_string(index + 1);
    const std::string stated_place = "/architecture/conv_layers/" + std::to_string(index) + "/batch_norm";
    const bool stated_one = stated && !stated->none;
    BatchNormSpec spec;
    if (stated_one) spec = {stated->eps.value_or(1e-5), stated->position.value_or(Position::before_activation)};

    const bool scaled = store_.has(conv + "_scale") || store_.has(conv + "_shift");
    const bool unfolded = store_.has(bn + "_running_mean") || store_.has(bn + "_running_var");
    if (scaled && unfolded) {
      store_.fail("both " + conv + "_scale and " + bn + "_running_... are given: which one holds?");
    }
    if ((scaled || unfolded) && stated && stated->none) {
      throw Error(ErrorCode::invalid, "the architecture states no batch norm, but its weights are given", stated_place,
                  "eps and position", "null");
    }
    if (scaled) {
      if (stated_one && stated->position == Position::before_activation) {
        throw Error(ErrorCode::invalid, conv + "_scale is given, but batch norm is said to come before the activation",
                    stated_place, "position after_activation", "before_activation");
      }
      weights.scale = store_.take_vector(conv + "_scale", layer.filters);
      weights.shift = store_.take_vector(conv + "_shift", layer.filters);
      layer.batch_norm = {spec.eps, Position::after_activation};
      return;
    }
    if (!unfolded) {
      if (stated_one) {
        throw Error(ErrorCode::invalid, "a batch norm is stated, but its weights are not given", stated_place,
                    spec.position == Position::after_activation
                        ? "weights " + conv + "_scale and " + conv + "_shift"
                        : "null (folded), or weights " + bn + "_running_mean and so on",
                    "neither");
      }
      return;
    }
    BatchNormStatistics statistics;
    statistics.eps = spec.eps;
    statistics.mean = widen(store_.take_vector(bn + "_running_mean", layer.filters));
    statistics.variance = widen(store_.take_vector(bn + "_running_var", layer.filters));
    statistics.gamma = store_.has(bn + "_weight") ? widen(store_.take_vector(bn + "_weight", layer.filters))
                                                  : std::vector<double>(layer.filters, 1.0);
    statistics.beta = store_.has(bn + "_bias") ? widen(store_.take_vector(bn + "_bias", layer.filters))
                                               : std::vector<double>(layer.filters, 0.0);
    ScaleShift folded;
    try {
      folded = scale_and_shift(statistics);
    } catch (const Error& error) {
      throw error.at(store_.place(bn + "_running_var").pointer());
    }
    if (spec.position == Position::after_activation) {
      weights.scale = narrow(folded.scale, store_.place(bn + "_running_var"));
      weights.shift = narrow(folded.shift, store_.place(bn + "_running_var"));
      layer.batch_norm = spec;
      return;
    }
    std::vector<double> weight = widen(weights.weight);
    std::vector<double> bias = widen(weights.bias);
    fold_batch_norm(folded, weight, bias);
    weights.weight = narrow(weight, store_.place(bn + "_running_var"));
    weights.bias = narrow(bias, store_.place(bn + "_running_var"));
  }

  /// Which names the head's layers have in this file, hidden layers first, the output layer last.
  std::vector<std::string> head_names() {
    std::vector<std::string> names;
    if (store_.has("fc1_weight")) {
      for (std::size_t i = 1; store_.has("fc" + std::to_string(i) + "_weight"); ++i)
        names.push_back("fc" + std::to_string(i));
      if (store_.has("output_weight")) names.emplace_back("output");
      return names;
    }
    if (store_.has("classifier_weight")) names.emplace_back("classifier");
    for (std::size_t i = 1; store_.has("dense" + std::to_string(i) + "_weight"); ++i)
      names.push_back("dense" + std::to_string(i));
    names.emplace_back("output");
    return names;
  }

  void read_head() {
    const std::vector<std::string> names = head_names();
    const std::size_t hidden = names.size() - 1;
    if (statement_.dense_layers) {
      require_agreement(static_cast<std::uint32_t>(statement_.dense_layers->size()), hidden,
                        "/architecture/dense_layers");
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
      WeightArray array = store_.take(names[i] + "_weight", 2);
      const JsonValue place = store_.place(names[i] + "_weight");
      if (i == 0) pool_inputs_ = array.shape[1];
      const std::size_t expected_inputs = i == 0 ? array.shape[1] : architecture().dense_layers.back().units;
      if (array.shape[1] != expected_inputs) {
        place.fail("inputs do not fit the layer before", std::to_string(expected_inputs),
                   std::to_string(array.shape[1]));
      }
      const std::uint32_t units = to_u32(array.shape[0], place);
      DenseWeights dense{std::move(array.values), {}};
      if (older_ && !store_.has(names[i] + "_bias")) {
        dense.bias.assign(units, 0.0F);
      } else {
        dense.bias = store_.take_vector(names[i] + "_bias", units);
      }
      if (i == hidden) {
        architecture().outputs = units;
        model_.weights.output = std::move(dense);
        continue;
      }
      const DenseLayerStatement stated =
          statement_.dense_layers ? (*statement_.dense_layers)[i] : DenseLayerStatement{};
      require_agreement(stated.units, units, "/architecture/dense_layers/" + std::to_string(i) + "/units");
      architecture().dense_layers.push_back({units, stated.activation.value_or(Activation{Activation::Kind::relu})});
      model_.weights.dense.push_back(std::move(dense));
    }
    if (hidden == 1)
      require_agreement(statement_.dense_dim, architecture().dense_layers[0].units, "/architecture/dense_dim");
    require_agreement(statement_.outputs, architecture().outputs, "/architecture/outputs");
  }

  void read_the_rest_of_the_architecture() {
    architecture().output = statement_.output.value_or(architecture().outputs == 1 ? Output::sigmoid : Output::softmax);
    architecture().pooling = statement_.pooling.value_or(Pooling::avg_max);
    if (statement_.max_len && max_seq_len_ && *statement_.max_len != *max_seq_len_) {
      throw Error(ErrorCode::invalid, "max_len and max_seq_len contradict each other", "/model_info/max_seq_len",
                  std::to_string(*statement_.max_len), std::to_string(*max_seq_len_));
    }
    architecture().max_len = statement_.max_len.value_or(max_seq_len_.value_or(512));
    architecture().pad_token = statement_.pad_token.value_or(std::optional<std::uint32_t>(0));
    if (architecture().pooled_features() != pool_inputs_) {
      throw Error(ErrorCode::invalid,
                  "the head's first layer does not take what pooling \"" +
                      std::string(to_string(architecture().pooling)) + "\" gives",
                  "/weights", std::to_string(architecture().pooled_features()) + " inputs",
                  std::to_string(pool_inputs_));
    }
  }

  void read_golden(const JsonValue& array) {
    array.require_array();
    for (std::size_t i = 0; i < array.size(); ++i) {
      const JsonValue entry = array.at(i);
      Golden golden;
      golden.input = read_hex(entry.at("input_hex"));
      const JsonValue logits = entry.at("logits");
      logits.require_array();
      for (std::size_t k = 0; k < logits.size(); ++k) golden.logits.push_back(logits.at(k).as_double());
      model_.golden.push_back(std::move(golden));
    }
  }

  static std::vector<std::byte> read_hex(const JsonValue& value) {
    const std::string text = value.as_string();
    if (text.size() % 2 != 0) value.fail("an odd number of hexadecimal digits");
    std::vector<std::byte> bytes;
    for (std::size_t i = 0; i < text.size(); i += 2) {
      const auto byte = byte_of_hex(std::string_view(text).substr(i, 2));
      if (!byte) value.fail("not hexadecimal digits");
      bytes.push_back(std::byte{*byte});
    }
    return bytes;
  }

  JsonTensorDocument& document_;
  JsonValue root_;
  WeightStore store_;
  bool flat_;
  bool older_;
  ArchitectureStatement statement_;
  std::optional<std::uint32_t> max_seq_len_;
  std::size_t pool_inputs_ = 0;
  Model model_;
};

void check_format(const JsonValue& root) {
  if (!root.has("format")) return;
  const std::string format = root.at("format").as_string();
  if (format != "bytecnn") root.at("format").fail("not a byte CNN", "\"bytecnn\"", "\"" + format + "\"");
  if (!root.has("format_version")) return;
  const JsonValue version = root.at("format_version");
  if (!version.json().is_number_integer() || version.json().get<std::int64_t>() != 1) {
    throw Error(ErrorCode::unsupported, "this version of the format is not known; update bytecnn", version.pointer(),
                "1", version.json().dump());
  }
}

}  // namespace

Model parse_model(std::string_view json) {
  JsonTensorDocument document(json, is_weight_place);
  const JsonValue root(document.root(), "");
  root.require_object();
  check_format(root);
  const bool nested = root.has("weights");
  if (!nested && !root.has("embedding")) root.fail("no weights: not a byte CNN model", "\"weights\" or \"embedding\"");
  if (nested && root.has("embedding")) root.fail("weights are given twice: \"weights\" and \"embedding\"");
  const ModelReader::Layout layout{.flat = !nested, .older = !root.has("format")};
  return ModelReader(document, root, nested ? root.at("weights") : root, layout).read();
}

Model load_model(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::error_code ignored;
  if (!file) throw Error(ErrorCode::io, "cannot open the model file: " + std::generic_category().message(errno), path);
  if (std::filesystem::is_directory(path, ignored)) throw Error(ErrorCode::io, "a folder, not a model file", path);
  // At once where the size is known; a pipe has none. Memory that grows, or is cleared before it is read into, is
  // touched several times over, and a page that is touched first costs more than the bytes on it.
  const std::uintmax_t known = std::filesystem::file_size(path, ignored);
  constexpr std::size_t piece = std::size_t{1} << 16U;
  std::size_t room = (ignored ? 0 : std::min<std::uintmax_t>(known, max_reserved_bytes)) + piece;
  auto content = std::make_unique_for_overwrite<char[]>(room);
  std::size_t size = 0;
  while (file.read(content.get() + size, static_cast<std::streamsize>(room - size))) {
    size = room;
    room *= 2;
    auto larger = std::make_unique_for_overwrite<char[]>(room);
    std::copy_n(content.get(), size, larger.get());
    content = std::move(larger);
  }
  size += static_cast<std::size_t>(file.gcount());
  if (file.bad()) throw Error(ErrorCode::io, "cannot read the model file", path);
  constexpr std::string_view zip = "PK\x03\x04";
  if (std::string_view(content.get(), size).starts_with(zip)) {
    throw Error(ErrorCode::syntax,
                "a zip archive, as PyTorch writes, and no model file: 'bytecnn export' makes one of a checkpoint",
                path);
  }
  try {
    return parse_model({content.get(), size});
  } catch (const Error& error) {
    throw error.at(path);
  }
}

}  // namespace bytecnn
