#include "small_models.hpp"

#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace bytecnn::testing {
namespace {

Json::json_pointer pointer_to(std::string_view text) {
  return Json::json_pointer(std::string(text));
}

}  // namespace

Model small_model() {
  Architecture a;
  a.embed_dim = 2;
  ConvLayer conv;
  conv.filters = 3;
  conv.kernel_size = 3;
  conv.pad_left = conv.pad_right = 1;
  conv.activation = {Activation::Kind::relu};
  a.conv_layers = {conv};
  a.dense_layers = {{4, {Activation::Kind::relu}}};
  a.outputs = 1;
  a.max_len = 8;
  Model model = with_random_weights(a, 1);
  model.info.name = "small";
  return model;
}

Model rich_model() {
  Architecture a = small_model().architecture;
  ConvLayer second = a.conv_layers[0];
  second.activation = {Activation::Kind::leaky_relu, 0.2F};
  second.batch_norm = {1e-3, BatchNormSpec::Position::after_activation};
  second.residual = true;
  a.conv_layers.push_back(second);
  a.outputs = 3;
  a.output = Output::softmax;
  Model model = with_random_weights(a, 2);
  model.info.name = "rich \"quoted\" \u00e4";
  model.info.version = "1.2.3";
  model.info.parameters = 1234;
  model.info.accuracy = 0.7897;
  model.info.exported = "2026-11-22T12:00:00Z";
  model.info.labels = {"red", "green", "blue"};
  model.info.threshold = 0.25;
  model.info.source = {{"file", "a.pth"}, {"form", "state_dict"}};
  model.info.assumed = {{"pooling", "default"}};
  model.info.extra = R"({"author":"nobody","history":[1,2,{"three":null}]})";
  model.extra = R"({"comment":{"deep":[true]}})";
  model.golden = {{bytes_of("Hello"), {-3.25, 0.1, 1e-30}}, {{}, {0, 1, 2}}};
  model.frequent_windows = {"some \"letters\"", {'t', 'h', 'e', 256, 'T', 'h', '.', 0, 0, 0xFF, 0xFE, 256}};
  return model;
}

Model byte_value_model(std::vector<float> taps, std::uint32_t max_len) {
  Model model;
  Architecture& a = model.architecture;
  a.embed_dim = 1;
  ConvLayer conv;
  conv.filters = 1;
  conv.kernel_size = static_cast<std::uint32_t>(taps.size());
  a.conv_layers = {conv};
  a.pooling = Pooling::max;
  a.output = Output::none;
  a.max_len = max_len;
  a.pad_token.reset();
  for (int byte = 0; byte < 256; ++byte) model.weights.embedding.push_back(static_cast<float>(byte));
  model.weights.conv.push_back({std::move(taps), {0.0F}, {}, {}});
  return with_plain_head(std::move(model));
}

Model with_plain_head(Model model) {
  const std::size_t features = model.architecture.pooled_features();
  model.architecture.outputs = static_cast<std::uint32_t>(features);
  model.weights.output.bias.assign(features, 0.0F);
  model.weights.output.weight.assign(features * features, 0.0F);
  for (std::size_t i = 0; i < features; ++i) model.weights.output.weight[i * features + i] = 1.0F;
  return model;
}

Bytes bytes(std::initializer_list<int> values) {
  Bytes result;
  for (const int value : values) result.push_back(static_cast<std::byte>(value));
  return result;
}

Json document_of(const Model& model) {
  return Json::parse(to_json(model));
}

Json changed(Json document, std::string_view pointer, Json value) {
  document[pointer_to(pointer)] = std::move(value);
  return document;
}

Json without(Json document, std::string_view parent, std::string_view key) {
  EXPECT_EQ(document.at(pointer_to(parent)).erase(std::string(key)), 1U) << parent << "/" << key;
  return document;
}

Json flat_layout(const Model& model) {
  const Json document = document_of(model);
  Json flat = {{"model_info", {{"name", model.info.name}, {"max_seq_len", model.architecture.max_len}}}};
  flat.update(document.at("weights"));
  return flat;
}

std::vector<float> engine_logits(const Model& model, const Bytes& input, Isa isa) {
  const Classifier classifier(model, isa);
  std::vector<float> logits(classifier.outputs());
  EXPECT_EQ(classifier.classify(std::span<const std::byte>(input), logits).status, Status::ok);
  return logits;
}

}  // namespace bytecnn::testing
