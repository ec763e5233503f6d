#include "verify/cause/mistake.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

namespace bytecnn::exporter {
namespace {

using Position = BatchNormSpec::Position;

std::string shown(double number) {
  char buffer[32];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, number).ptr};
}

std::string conv_name(std::size_t layer) {
  return "conv" + std::to_string(layer + 1);
}

double factor(const OriginalConv& conv, const ConvLayer& layer, std::size_t f) {
  return conv.batch_norm.gamma[f] / std::sqrt(conv.batch_norm.variance[f] + layer.batch_norm->eps);
}

double bias_of(const OriginalConv& conv, std::size_t f) {
  return conv.bias.empty() ? 0 : conv.bias[f];
}

/// A change of every filter of one layer.
template <class Change>
std::function<void(Original&)> each_filter(std::size_t layer, Change change) {
  return [layer, change](Original& original) {
    const ConvLayer& architecture = original.architecture.conv_layers[layer];
    for (std::size_t f = 0; f < architecture.filters; ++f) change(original.conv[layer], architecture, f);
  };
}

void batch_norm_mistakes(const Original& original, std::size_t layer, std::vector<Mistake>& mistakes) {
  const ConvLayer& architecture = original.architecture.conv_layers[layer];
  const std::string norm = conv_name(layer) + "'s batch norm";
  for (const double eps : {1e-5, 1e-3, 1e-6, 1e-4, 1e-8, 1e-12, 0.0}) {
    if (eps == architecture.batch_norm->eps) continue;
    mistakes.push_back({"eps", norm + " has eps " + shown(eps) + " instead of " + shown(architecture.batch_norm->eps),
                        [layer, eps](Original& o) { o.architecture.conv_layers[layer].batch_norm->eps = eps; }});
  }
  const bool before = architecture.batch_norm->position == Position::before_activation;
  mistakes.push_back({"batch_norm_position",
                      before ? norm + " was taken to stand after the activation; it stands before"
                             : norm + " was folded into the convolution before it; it stands after the activation",
                      [layer, before](Original& o) {
                        o.architecture.conv_layers[layer].batch_norm->position =
                            before ? Position::after_activation : Position::before_activation;
                      }});
  mistakes.push_back({"batch_norm_dropped", norm + " was dropped",
                      [layer](Original& o) { o.architecture.conv_layers[layer].batch_norm.reset(); }});
  const auto fill = [layer](std::vector<double> OriginalBatchNorm::*field, double value) {
    return [layer, field, value](Original& o) {
      auto& numbers = o.conv[layer].batch_norm.*field;
      std::fill(numbers.begin(), numbers.end(), value);
    };
  };
  mistakes.push_back({"running_mean_ignored", norm + " ignores running_mean", fill(&OriginalBatchNorm::mean, 0)});
  mistakes.push_back({"running_var_ignored", norm + " ignores running_var", fill(&OriginalBatchNorm::variance, 1)});
  mistakes.push_back({"beta_ignored", norm + " ignores its bias (beta)", fill(&OriginalBatchNorm::beta, 0)});
  mistakes.push_back({"gamma_ignored", norm + " ignores its weight (gamma)", fill(&OriginalBatchNorm::gamma, 1)});
  mistakes.push_back({"variance_without_root", norm + " divides by the variance instead of its square root",
                      each_filter(layer, [](OriginalConv& conv, const ConvLayer& l, std::size_t f) {
                        conv.batch_norm.gamma[f] /= std::sqrt(conv.batch_norm.variance[f] + l.batch_norm->eps);
                      })});
  mistakes.push_back({"mean_not_scaled", norm + ": running_mean is taken off without the scale",
                      each_filter(layer, [](OriginalConv& conv, const ConvLayer& l, std::size_t f) {
                        conv.batch_norm.beta[f] += conv.batch_norm.mean[f] * (factor(conv, l, f) - 1);
                      })});
  if (!original.conv[layer].bias.empty() && before) {
    mistakes.push_back({"bias_not_scaled", conv_name(layer) + "'s bias is not scaled by its batch norm",
                        each_filter(layer, [](OriginalConv& conv, const ConvLayer& l, std::size_t f) {
                          conv.batch_norm.beta[f] += bias_of(conv, f) * (1 - factor(conv, l, f));
                        })});
  }
  mistakes.push_back({"folded_twice", norm + " was folded in twice",
                      each_filter(layer, [](OriginalConv& conv, const ConvLayer& l, std::size_t f) {
                        const double s = factor(conv, l, f);
                        conv.batch_norm.beta[f] = conv.batch_norm.beta[f] * (1 + s) - conv.batch_norm.mean[f] * s;
                        conv.batch_norm.gamma[f] *= s;
                      })});
  for (std::size_t other = 0; other < original.conv.size(); ++other) {
    const auto& theirs = original.architecture.conv_layers[other];
    if (other == layer || !theirs.batch_norm || theirs.filters != architecture.filters) continue;
    mistakes.push_back(
        {"batch_norm_of_another_layer", norm + " is that of " + conv_name(other),
         [layer, norm_of = original.conv[other].batch_norm](Original& o) { o.conv[layer].batch_norm = norm_of; }});
  }
}

std::string shown(const std::optional<std::uint32_t>& token) {
  return token ? std::to_string(*token) : "none";
}

std::string shown_padding(std::uint32_t left, std::uint32_t right) {
  return "[" + std::to_string(left) + ", " + std::to_string(right) + "]";
}

void add_pooling(const Original& original, Pooling pooling, std::vector<Mistake>& mistakes) {
  const Pooling right = original.architecture.pooling;
  if (pooling == right) return;
  mistakes.push_back(
      {"pooling", "the pooling is " + std::string(to_string(pooling)) + " instead of " + std::string(to_string(right)),
       [pooling](Original& o) { o.architecture.pooling = pooling; }});
}

void add_pad_token(const Original& original, std::optional<std::uint32_t> token, std::vector<Mistake>& mistakes) {
  if (token == original.architecture.pad_token) return;
  const bool unpadded = !token;
  mistakes.push_back(
      {unpadded ? "not_padded" : "pad_token",
       unpadded
           ? "inputs are not padded; they should be, with token " + shown(original.architecture.pad_token)
           : "inputs are padded with token " + shown(token) + " instead of " + shown(original.architecture.pad_token),
       [token](Original& o) { o.architecture.pad_token = token; }});
}

void add_max_len(const Original& original, std::uint32_t length, std::vector<Mistake>& mistakes) {
  if (length == original.architecture.max_len) return;
  mistakes.push_back(
      {"max_len",
       "max_len is " + std::to_string(length) + " instead of " + std::to_string(original.architecture.max_len),
       [length](Original& o) { o.architecture.max_len = length; }});
}

void add_padding(const Original& original, std::size_t layer, std::uint32_t left, std::uint32_t right,
                 std::vector<Mistake>& mistakes) {
  const ConvLayer& mine = original.architecture.conv_layers[layer];
  if (left == mine.pad_left && right == mine.pad_right) return;
  const bool swapped = left == mine.pad_right && right == mine.pad_left;
  const std::string what = swapped ? "'s padding is on the wrong side: " : "'s padding is ";
  mistakes.push_back({swapped ? "padding_side" : "padding",
                      conv_name(layer) + what + shown_padding(left, right) + " instead of " +
                          shown_padding(mine.pad_left, mine.pad_right),
                      [layer, left, right](Original& o) {
                        o.architecture.conv_layers[layer].pad_left = left;
                        o.architecture.conv_layers[layer].pad_right = right;
                      }});
}

void add_activation(const std::string& name, const Activation& right, const Activation& wrong,
                    const std::function<Activation&(Architecture&)>& place, std::vector<Mistake>& mistakes) {
  const bool same_slope = right.slope == wrong.slope || right.kind != Activation::Kind::leaky_relu;
  if (right.kind == wrong.kind && same_slope) return;
  mistakes.push_back({"activation", name + "'s activation is " + to_string(wrong) + " instead of " + to_string(right),
                      [place, wrong](Original& o) { place(o.architecture) = wrong; }});
}

std::function<Activation&(Architecture&)> conv_activation(std::size_t layer) {
  return [layer](Architecture& a) -> Activation& { return a.conv_layers[layer].activation; };
}

std::function<Activation&(Architecture&)> dense_activation(std::size_t layer) {
  return [layer](Architecture& a) -> Activation& { return a.dense_layers[layer].activation; };
}

}  // namespace

std::vector<Mistake> conv_mistakes(const Original& original, std::size_t layer) {
  std::vector<Mistake> mistakes;
  const ConvLayer& architecture = original.architecture.conv_layers[layer];
  const OriginalConv& conv = original.conv[layer];
  if (architecture.batch_norm) batch_norm_mistakes(original, layer, mistakes);
  if (!conv.bias.empty()) {
    mistakes.push_back({"bias_ignored", conv_name(layer) + "'s bias is missing",
                        [layer](Original& o) { o.conv[layer].bias.clear(); }});
  }
  const std::size_t kernel = architecture.kernel_size;
  if (kernel > 1) {
    mistakes.push_back({"kernel_flipped", conv_name(layer) + "'s kernel is flipped", [layer, kernel](Original& o) {
                          auto& weight = o.conv[layer].weight;
                          for (auto at = weight.begin(); at != weight.end();
                               at += static_cast<std::ptrdiff_t>(kernel)) {
                            std::reverse(at, at + static_cast<std::ptrdiff_t>(kernel));
                          }
                        }});
  }
  const std::size_t inputs = original.architecture.in_channels(layer);
  if (architecture.groups == 1 && inputs == architecture.filters) {
    mistakes.push_back({"channels_transposed", conv_name(layer) + "'s input and output channels are transposed",
                        [layer, inputs, kernel](Original& o) {
                          auto& weight = o.conv[layer].weight;
                          for (std::size_t i = 0; i < inputs; ++i) {
                            for (std::size_t j = 0; j < i; ++j) {
                              for (std::size_t k = 0; k < kernel; ++k) {
                                std::swap(weight[(i * inputs + j) * kernel + k], weight[(j * inputs + i) * kernel + k]);
                              }
                            }
                          }
                        }});
  }
  return mistakes;
}

std::vector<Mistake> structure_mistakes(const Original& original) {
  std::vector<Mistake> mistakes;
  const Architecture& a = original.architecture;
  for (const Pooling pooling :
       {Pooling::max, Pooling::avg, Pooling::avg_max, Pooling::concat_avg_max, Pooling::concat_avg_max_std}) {
    Architecture other = a;
    other.pooling = pooling;
    if (other.pooled_features() == a.pooled_features()) add_pooling(original, pooling, mistakes);
  }
  for (std::size_t i = 0; i < a.conv_layers.size(); ++i) {
    const ConvLayer& layer = a.conv_layers[i];
    if (layer.batch_norm) batch_norm_mistakes(original, i, mistakes);
    const std::uint32_t reach = layer.reach();
    add_padding(original, i, layer.pad_right, layer.pad_left, mistakes);
    for (const auto& [left, right] : {std::pair{reach / 2, reach - reach / 2}, std::pair{0U, 0U}, std::pair{reach, 0U},
                                      std::pair{layer.kernel_size / 2, layer.kernel_size / 2}}) {
      add_padding(original, i, left, right, mistakes);
    }
    using Kind = Activation::Kind;
    for (const Kind kind : {Kind::relu, Kind::none, Kind::leaky_relu, Kind::gelu, Kind::silu, Kind::tanh}) {
      add_activation(conv_name(i), layer.activation, Activation{kind}, conv_activation(i), mistakes);
    }
    if (a.in_channels(i) == layer.filters && layer.stride == 1 && layer.pad_left + layer.pad_right == reach) {
      mistakes.push_back(
          {"residual", conv_name(i) + (layer.residual ? " lacks its residual" : " has a residual that it should not"),
           [i](Original& o) {
             auto& residual = o.architecture.conv_layers[i].residual;
             residual = !residual;
           }});
    }
  }
  for (std::size_t i = 0; i < a.dense_layers.size(); ++i) {
    for (const auto kind : {Activation::Kind::relu, Activation::Kind::none, Activation::Kind::gelu,
                            Activation::Kind::silu, Activation::Kind::tanh}) {
      add_activation("dense" + std::to_string(i + 1), a.dense_layers[i].activation, Activation{kind},
                     dense_activation(i), mistakes);
    }
  }
  add_pad_token(original, std::nullopt, mistakes);
  for (const std::uint32_t token : {0U, 32U, 255U, 256U}) {
    if (token < a.vocab_size) add_pad_token(original, token, mistakes);
  }
  for (const std::uint32_t length : {64U, 100U, 128U, 200U, 256U, 300U, 500U, 512U, 1000U, 1024U, 2048U, 4096U}) {
    add_max_len(original, length, mistakes);
  }
  return mistakes;
}

std::vector<Mistake> stated_mistakes(const Original& original, const Architecture& model) {
  std::vector<Mistake> mistakes;
  const Architecture& a = original.architecture;
  add_pooling(original, model.pooling, mistakes);
  add_pad_token(original, model.pad_token, mistakes);
  add_max_len(original, model.max_len, mistakes);
  for (std::size_t i = 0; i < std::min(a.conv_layers.size(), model.conv_layers.size()); ++i) {
    const ConvLayer& theirs = model.conv_layers[i];
    const ConvLayer& mine = a.conv_layers[i];
    add_padding(original, i, theirs.pad_left, theirs.pad_right, mistakes);
    add_activation(conv_name(i), mine.activation, theirs.activation, conv_activation(i), mistakes);
    const auto number = [&](const std::string& key, std::uint32_t ConvLayer::*field) {
      if (mine.*field == theirs.*field) return;
      mistakes.push_back(
          {key,
           conv_name(i) + "'s " + key + " is " + std::to_string(theirs.*field) + " instead of " +
               std::to_string(mine.*field),
           [i, field, value = theirs.*field](Original& o) { o.architecture.conv_layers[i].*field = value; }});
    };
    number("stride", &ConvLayer::stride);
    number("dilation", &ConvLayer::dilation);
    if (mine.residual != theirs.residual) {
      mistakes.push_back(
          {"residual", conv_name(i) + (mine.residual ? " lacks its residual" : " has a residual that it should not"),
           [i, value = theirs.residual](Original& o) { o.architecture.conv_layers[i].residual = value; }});
    }
  }
  for (std::size_t i = 0; i < std::min(a.dense_layers.size(), model.dense_layers.size()); ++i) {
    add_activation("dense" + std::to_string(i + 1), a.dense_layers[i].activation, model.dense_layers[i].activation,
                   dense_activation(i), mistakes);
  }
  return mistakes;
}

}  // namespace bytecnn::exporter
