#include "checkpoint_builder.hpp"

#include <cstring>
#include <random>
#include <utility>

#include <gtest/gtest.h>

namespace bytecnn::exporter::testing {
namespace {

/// A small generator of our own: std distributions differ between standard libraries.
class Numbers {
 public:
  explicit Numbers(std::uint32_t seed) : engine_(seed) {}
  float next() { return static_cast<float>(static_cast<double>(engine_()) / 4294967296.0 * 2.0 - 1.0); }
  std::vector<float> many(std::size_t count, float factor = 1.0F) {
    std::vector<float> values(count);
    for (float& value : values) value = next() * factor;
    return values;
  }

 private:
  std::mt19937 engine_;
};

std::size_t count_of(const Shape& shape) {
  std::size_t count = 1;
  for (const std::int64_t size : shape) count *= static_cast<std::size_t>(size);
  return count;
}

std::uint32_t seed_of(std::size_t elements, std::size_t index) {
  return static_cast<std::uint32_t>(elements * 1009 + index * 31 + 7);
}

}  // namespace

CheckpointBuilder& CheckpointBuilder::add(const std::string& name, const Shape& shape) {
  const std::size_t count = count_of(shape);
  std::vector<float> values = Numbers(seed_of(count, checkpoint_.tensors.size())).many(count);
  if (name.ends_with("running_var")) {
    for (float& value : values) value = 1.0F + value / 2;
  }
  return add(name, shape, values);
}

CheckpointBuilder& CheckpointBuilder::add(const std::string& name, const Shape& shape,
                                          const std::vector<float>& values) {
  EXPECT_EQ(values.size(), count_of(shape)) << name;
  NamedTensor entry;
  entry.name = name;
  entry.tensor.shape = shape;
  entry.tensor.data.resize(values.size() * sizeof(float));
  if (!values.empty()) std::memcpy(entry.tensor.data.data(), values.data(), entry.tensor.data.size());
  checkpoint_.tensors.push_back(std::move(entry));
  return *this;
}

CheckpointBuilder& CheckpointBuilder::add_raw(const std::string& name, const Shape& shape, DType dtype) {
  NamedTensor entry;
  entry.name = name;
  entry.tensor.dtype = dtype;
  entry.tensor.shape = shape;
  entry.tensor.data.resize(count_of(shape) * element_size(dtype));
  checkpoint_.tensors.push_back(std::move(entry));
  return *this;
}

CheckpointBuilder& CheckpointBuilder::unreadable(const std::string& name, const std::string& why) {
  NamedTensor entry;
  entry.name = name;
  entry.unreadable = why;
  checkpoint_.tensors.push_back(std::move(entry));
  return *this;
}

CheckpointBuilder& CheckpointBuilder::embedding(const std::string& path, std::int64_t vocab, std::int64_t dim) {
  return add(path + ".weight", {vocab, dim});
}

CheckpointBuilder& CheckpointBuilder::conv(const std::string& path, std::int64_t filters, std::int64_t inputs,
                                           std::int64_t kernel, bool bias) {
  add(path + ".weight", {filters, inputs, kernel});
  return bias ? add(path + ".bias", {filters}) : *this;
}

CheckpointBuilder& CheckpointBuilder::batch_norm(const std::string& path, std::int64_t channels, bool affine) {
  if (affine) add(path + ".weight", {channels}).add(path + ".bias", {channels});
  add(path + ".running_mean", {channels}).add(path + ".running_var", {channels});
  return add_raw(path + ".num_batches_tracked", {}, DType::i64);
}

CheckpointBuilder& CheckpointBuilder::dense(const std::string& path, std::int64_t units, std::int64_t inputs) {
  return add(path + ".weight", {units, inputs}).add(path + ".bias", {units});
}

CheckpointBuilder& CheckpointBuilder::module(const std::string& path, const std::string& class_name,
                                             std::vector<std::pair<std::string, std::string>> attributes) {
  checkpoint_.modules.push_back({path, class_name, std::move(attributes)});
  return *this;
}

CheckpointBuilder& CheckpointBuilder::remove(const std::string& name) {
  std::erase_if(checkpoint_.tensors, [&](const NamedTensor& entry) { return entry.name == name; });
  return *this;
}

CheckpointBuilder& CheckpointBuilder::container(const std::string& name) {
  checkpoint_.container = name;
  return *this;
}

Original CheckpointBuilder::recognise(std::string_view statement, const RecognitionFlags& flags) {
  warnings.clear();
  return exporter::recognise(checkpoint_, parse_architecture_statement(statement), flags, &warnings);
}

Error CheckpointBuilder::refusal(std::string_view statement, const RecognitionFlags& flags) {
  try {
    static_cast<void>(recognise(statement, flags));
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was refused";
  return {ErrorCode::usage, "nothing was refused"};
}

CheckpointBuilder two_layers() {
  CheckpointBuilder builder;
  builder.embedding("embedding", 256, 6).conv("conv1", 8, 6, 3).batch_norm("bn1", 8).conv("conv2", 10, 8, 3);
  builder.batch_norm("bn2", 10).dense("classifier", 7, 10).dense("output", 1, 7);
  return builder;
}

Model random_model(const Architecture& architecture, std::uint32_t seed) {
  Numbers numbers(seed);
  Model model;
  model.architecture = architecture;
  model.weights.embedding = numbers.many(std::size_t{architecture.vocab_size} * architecture.embed_dim);
  for (std::size_t i = 0; i < architecture.conv_layers.size(); ++i) {
    const ConvLayer& layer = architecture.conv_layers[i];
    const std::size_t row = std::size_t{architecture.in_channels(i)} / layer.groups * layer.kernel_size;
    ConvWeights conv;
    conv.weight = numbers.many(layer.filters * row, 0.7F);
    conv.bias = numbers.many(layer.filters);
    if (layer.batch_norm && layer.batch_norm->position == BatchNormSpec::Position::after_activation) {
      conv.scale = numbers.many(layer.filters);
      conv.shift = numbers.many(layer.filters);
    }
    model.weights.conv.push_back(std::move(conv));
  }
  std::size_t features = architecture.pooled_features();
  for (const DenseLayer& layer : architecture.dense_layers) {
    model.weights.dense.push_back({numbers.many(layer.units * features, 0.7F), numbers.many(layer.units)});
    features = layer.units;
  }
  model.weights.output = {numbers.many(architecture.outputs * features), numbers.many(architecture.outputs)};
  return model;
}

}  // namespace bytecnn::exporter::testing
