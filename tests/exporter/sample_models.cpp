#include "sample_models.hpp"

#include <utility>

#include "checkpoint_builder.hpp"

namespace bytecnn::exporter::testing {
namespace {

ConvLayer conv(std::uint32_t filters, std::uint32_t kernel, std::uint32_t left, std::uint32_t right,
               Activation::Kind activation = Activation::Kind::relu) {
  ConvLayer layer;
  layer.filters = filters;
  layer.kernel_size = kernel;
  layer.pad_left = left;
  layer.pad_right = right;
  layer.activation.kind = activation;
  return layer;
}

Architecture base() {
  Architecture architecture;
  architecture.embed_dim = 6;
  architecture.conv_layers = {conv(8, 3, 1, 1)};
  architecture.dense_layers = {{5, {Activation::Kind::relu}}};
  architecture.outputs = 1;
  architecture.max_len = 40;
  return architecture;
}

}  // namespace

std::vector<Sample> sample_models() {
  std::vector<Sample> samples;
  const auto add = [&](const std::string& stem, const Architecture& architecture) -> Model& {
    samples.push_back({stem, random_model(architecture, static_cast<std::uint32_t>(samples.size()) + 1)});
    Model& model = samples.back().model;
    model.info.name = stem;
    model.info.parameters = 1;
    return model;
  };

  Model& plain = add("plain", base());
  // A name that would end a string, a comment or a line in Python, C++ and JSON alike.
  plain.info.name =
      "a\"b\\c\nd'''e*/f\"\"\"?"
      "?/\xC3\xA9\xF0\x9F\x98\x80\x7F";
  plain.info.version = ")\"; import os #";
  plain.info.labels = {"\\", "\"\n}"};
  plain.info.accuracy = 0.5;
  plain.info.threshold = 0.25;
  plain.info.exported = "2026-01-01T00:00:00Z";
  plain.info.source = {{"file", "x\".pth"}, {"form", "state_dict"}};
  plain.info.assumed = {{"pooling", "default"}};
  plain.frequent_windows = {"\"a\n", {0, 255, 256, '"', '\\', '\n'}};
  plain.golden = {{{std::byte{0}, std::byte{'"'}, std::byte{255}, std::byte{'7'}}, {-1.5}}, {{}, {0.1}}};

  Architecture deep = base();
  deep.conv_layers = {conv(6, 4, 1, 2, Activation::Kind::gelu), conv(9, 3, 0, 3, Activation::Kind::silu),
                      conv(9, 3, 2, 2, Activation::Kind::tanh)};
  deep.conv_layers[0].groups = 2;
  deep.conv_layers[0].batch_norm = BatchNormSpec{1e-3, BatchNormSpec::Position::after_activation};
  deep.conv_layers[1].groups = 3;
  deep.conv_layers[1].stride = 2;
  deep.conv_layers[2].dilation = 2;
  deep.conv_layers[2].residual = true;
  deep.conv_layers[2].batch_norm = BatchNormSpec{1e-5, BatchNormSpec::Position::after_activation};
  deep.pooling = Pooling::concat_avg_max_std;
  deep.dense_layers = {{7, {Activation::Kind::leaky_relu, 0.3F}}, {4, {Activation::Kind::sigmoid}}};
  deep.outputs = 3;
  deep.output = Output::softmax;
  add("2 deep-model", deep);

  Architecture unpadded = base();
  unpadded.conv_layers = {conv(8, 1, 0, 0, Activation::Kind::none), conv(5, 2, 2, 0, Activation::Kind::leaky_relu)};
  unpadded.pooling = Pooling::concat_avg_max;
  unpadded.pad_token = std::nullopt;
  unpadded.dense_layers.clear();
  unpadded.outputs = 4;
  unpadded.output = Output::sigmoid;
  add("class", unpadded);

  Architecture pad256 = base();
  pad256.vocab_size = 257;
  pad256.pad_token = 256;
  pad256.pooling = Pooling::max;
  pad256.output = Output::none;
  add("linux", pad256);

  Architecture average = base();
  average.pooling = Pooling::avg;
  average.conv_layers[0].activation.kind = Activation::Kind::sigmoid;
  average.pad_token = 32;
  add("caf\xC3\xA9__x", average);
  return samples;
}

std::vector<std::string> sample_inputs() {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  return {"ab",
          "a",
          "hello world",
          all,
          all.substr(200),
          std::string(39, 'x'),
          std::string(40, 'y'),
          std::string(41, 'z'),
          std::string(7, '\0'),
          std::string("\xff\xfe\x80"),
          ""};
}

}  // namespace bytecnn::exporter::testing
