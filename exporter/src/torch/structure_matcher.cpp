#include "torch/structure_matcher.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "bytecnn/error.hpp"

#include "torch/conv_block_matcher.hpp"
#include "torch/node_arguments.hpp"
#include "torch/token_row.hpp"

namespace bytecnn::exporter {
namespace {

/// One operand of a pooling: which reduction, of what, times which factor.
struct PooledPart {
  enum class Kind : std::uint8_t { average, maximum, deviation };
  Kind kind;
  const Expression* of;
  double factor;
  const Expression* value;
};

struct PooledFeatures {
  Pooling pooling;
  const Expression* of;
  /// What the first linear layer's columns become: column i is the file's column `order[i]` times `factors[i]`. Empty:
  /// as they are.
  std::vector<std::size_t> order;
  std::vector<double> factors;
};

class Matcher {
 public:
  MatchedStructure match(const Expression& output) {
    const Expression& last = without_final_scores(output);
    result_.logits = last.value;
    const Expression& pooled = match_head(last);
    const PooledFeatures features = match_pooling(pooled);
    match_convolutions(*features.of);
    order_dense_columns(features);
    check_numbers();
    note_layers(pooled, features);
    return std::move(result_);
  }

 private:
  Architecture& architecture() { return result_.original.architecture; }
  std::map<std::string, std::string>& sources() { return result_.original.sources; }
  void count(const at::Tensor& learned) {
    if (learned.defined()) result_.original.parameters += static_cast<std::uint64_t>(learned.numel());
  }

  const Expression& without_final_scores(const Expression& output) {
    const Expression* step = &output;
    std::optional<Output> stated;
    if (step->op == Op::softmax) {
      stated = Output::softmax;
    } else if (step->op == Op::activation && step->activation.kind == Activation::Kind::sigmoid) {
      stated = Output::sigmoid;
    }
    if (stated) step = &step->input();
    if (step->op != Op::linear) misplaced(*step, "comes after the last linear layer");
    architecture().output = stated.value_or(step->width == 1 ? Output::sigmoid : Output::softmax);
    sources()["output"] = stated ? "torchscript" : "default";
    return *step;
  }

  OriginalDense dense_of(const Expression& step) {
    count(step.weight);
    count(step.bias);
    if (step.bias.defined() && step.bias.numel() != step.weight.size(0)) misplaced(step, "its bias has another size");
    return {doubles_or_none(step.weight), doubles_or_none(step.bias)};
  }

  /// Linear layers and the activations between them, from the last to the first. Returns what goes into the first.
  const Expression& match_head(const Expression& last) {
    architecture().outputs = narrow(last, last.weight.size(0));
    result_.original.output = dense_of(last);
    head_.push_back(&last);
    const Expression* step = &last.input();
    std::vector<std::pair<OriginalDense, DenseLayer>> hidden;
    while (step->op == Op::activation || step->op == Op::linear) {
      const Expression& shown = *step;
      Activation activation;
      if (step->op == Op::activation) {
        activation = step->activation;
        step = &step->input();
      }
      if (step->op != Op::linear) misplaced(shown, "an activation between the pooling and the first linear layer");
      if (head_.back()->weight.size(1) != step->width) misplaced(*head_.back(), "has another number of inputs");
      hidden.emplace_back(dense_of(*step), DenseLayer{narrow(*step, step->weight.size(0)), activation});
      head_.push_back(step);
      shown_.push_back({shown.value, shown.layout});
      step = &step->input();
    }
    if (head_.back()->weight.size(1) != step->width) misplaced(*head_.back(), "has another number of inputs");
    std::reverse(hidden.begin(), hidden.end());
    for (auto& [weights, layer] : hidden) {
      result_.original.dense.push_back(std::move(weights));
      architecture().dense_layers.push_back(layer);
      sources()["dense_activation"] = "torchscript";
    }
    std::reverse(shown_.begin(), shown_.end());
    shown_.push_back({last.value, last.layout});
    return *step;
  }

  static PooledPart pooled_part(const Expression& shown) {
    const Expression* step = &shown;
    double factor = 1;
    while (step->op == Op::scale) {
      factor *= step->number;
      step = &step->input();
    }
    if (step->op == Op::average) return {PooledPart::Kind::average, &step->input(), factor, &shown};
    if (step->op == Op::maximum) return {PooledPart::Kind::maximum, &step->input(), factor, &shown};
    if (step->op == Op::square_root) {
      const Expression& inside = step->input();
      if (inside.op != Op::add_constant || inside.number != 1e-5 || inside.input().op != Op::variance) {
        misplaced(*step, "a standard deviation that is not sqrt(var + 1e-5)");
      }
      return {PooledPart::Kind::deviation, &inside.input().input(), factor, &shown};
    }
    misplaced(*step, "stands where a pooling over all positions was expected (mean, max, their sum or concatenation)");
  }

  static const Expression& one_source(const std::vector<PooledPart>& parts) {
    for (const auto& part : parts) {
      if (part.of != parts.front().of) misplaced(*part.value, "pools something else than its neighbour");
    }
    return *parts.front().of;
  }

  static PooledFeatures match_pooling(const Expression& pooled) {
    const Expression* step = &pooled;
    double factor = 1;
    while (step->op == Op::scale) {
      factor *= step->number;
      step = &step->input();
    }
    if (step->op == Op::add) {
      const std::vector<PooledPart> parts{pooled_part(*step->inputs[0]), pooled_part(*step->inputs[1])};
      const bool both = parts[0].kind != parts[1].kind && parts[0].kind != PooledPart::Kind::deviation &&
                        parts[1].kind != PooledPart::Kind::deviation;
      if (!both || parts[0].factor != parts[1].factor) {
        misplaced(*step, "a sum of poolings that is not average + maximum in equal parts");
      }
      return with_factors(Pooling::avg_max, one_source(parts), 2 * factor * parts[0].factor);
    }
    if (step->op != Op::concat) {
      const PooledPart part = pooled_part(*step);
      if (part.kind == PooledPart::Kind::deviation) misplaced(*step, "a standard deviation alone");
      return with_factors(part.kind == PooledPart::Kind::maximum ? Pooling::max : Pooling::avg, *part.of,
                          factor * part.factor);
    }

    std::vector<PooledPart> parts;
    for (const Expression* input : step->inputs) parts.push_back(pooled_part(*input));
    const Expression& of = one_source(parts);
    std::vector<std::size_t> places;  // of average, maximum, deviation in the file
    for (const auto kind : {PooledPart::Kind::average, PooledPart::Kind::maximum, PooledPart::Kind::deviation}) {
      for (std::size_t i = 0; i < parts.size(); ++i) {
        if (parts[i].kind == kind) places.push_back(i);
      }
    }
    const bool deviates = parts.size() == 3 && parts[places[2]].kind == PooledPart::Kind::deviation;
    const bool known = (parts.size() == 2 || deviates) && parts[places[0]].kind == PooledPart::Kind::average &&
                       parts[places[1]].kind == PooledPart::Kind::maximum;
    if (!known)
      misplaced(*step, "a concatenation that is neither [average, maximum] nor [average, maximum, deviation]");
    PooledFeatures features{deviates ? Pooling::concat_avg_max_std : Pooling::concat_avg_max, &of, {}, {}};
    const auto width = static_cast<std::size_t>(of.width);
    bool as_it_is = true;
    for (std::size_t i = 0; i < places.size(); ++i) {
      const double part_factor = factor * parts[places[i]].factor;
      as_it_is = as_it_is && places[i] == i && part_factor == 1;
      for (std::size_t c = 0; c < width; ++c) {
        features.order.push_back(places[i] * width + c);
        features.factors.push_back(part_factor);
      }
    }
    if (as_it_is) {
      features.order.clear();
      features.factors.clear();
    }
    return features;
  }

  static PooledFeatures with_factors(Pooling pooling, const Expression& of, double factor) {
    PooledFeatures features{pooling, &of, {}, {}};
    if (factor == 1) return features;
    for (std::size_t c = 0; c < static_cast<std::size_t>(of.width); ++c) {
      features.order.push_back(c);
      features.factors.push_back(factor);
    }
    return features;
  }

  /// Another order or factor of the pooled features is the same model with the first linear layer's columns ordered and
  /// multiplied accordingly.
  void order_dense_columns(const PooledFeatures& features) {
    architecture().pooling = features.pooling;
    sources()["pooling"] = "torchscript";
    if (features.order.empty()) return;
    auto& first = result_.original.dense.empty() ? result_.original.output : result_.original.dense.front();
    const std::size_t inputs = features.order.size();
    std::vector<double> ordered(first.weight.size());
    for (std::size_t row = 0; row < first.weight.size() / inputs; ++row) {
      for (std::size_t i = 0; i < inputs; ++i) {
        ordered[row * inputs + i] = first.weight[row * inputs + features.order[i]] * features.factors[i];
      }
    }
    first.weight = std::move(ordered);
  }

  void match_convolutions(const Expression& last) {
    std::vector<ConvBlock> blocks;
    const Expression* step = &last;
    while (step->op != Op::embedding) {
      if (blocks.size() == ModelLimits::max_layers) misplaced(*step, "the model has too many layers");
      blocks.push_back(match_conv_block(*step));
      step = blocks.back().input;
    }
    if (step->input().op != Op::tokens) misplaced(*step, "is not looked up by the input itself");
    count(step->weight);
    architecture().vocab_size = narrow(*step, step->weight.size(0));
    architecture().embed_dim = narrow(*step, step->weight.size(1));
    result_.original.embedding = to_doubles(step->weight);
    std::reverse(blocks.begin(), blocks.end());
    for (auto& block : blocks) {
      architecture().conv_layers.push_back(block.layer);
      result_.original.conv.push_back(std::move(block.weights));
      result_.original.parameters += block.learned;
      blocks_shown_.push_back(block.shown);
    }
    if (blocks.empty()) misplaced(last, "the model has no convolution");
    const auto note = [&](const char* key, auto&& concerns) {
      const auto& layers = architecture().conv_layers;
      if (std::any_of(layers.begin(), layers.end(), concerns)) sources()[key] = "torchscript";
    };
    for (const char* key : {"padding", "stride", "dilation", "activation"}) {
      note(key, [](const ConvLayer&) { return true; });
    }
    note("groups", [](const ConvLayer& layer) { return layer.groups > 1; });
    note("residual", [](const ConvLayer& layer) { return layer.residual; });
    for (const char* key : {"batch_norm_eps", "batch_norm_position"}) {
      note(key, [](const ConvLayer& layer) { return layer.batch_norm.has_value(); });
    }
  }

  /// Numbers that must be finite, and the whole against the limits of a model.
  void check_numbers() {
    const auto& original = result_.original;
    const auto check = [](const std::vector<double>& values, const char* what) {
      if (!std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); })) {
        throw Error(ErrorCode::invalid, std::string(what) + " holds numbers that are not finite");
      }
    };
    check(original.embedding, "the embedding");
    for (const auto& conv : original.conv) {
      check(conv.weight, "a convolution's weight");
      check(conv.bias, "a convolution's bias");
      const auto& norm = conv.batch_norm;
      for (const auto* values : {&norm.gamma, &norm.beta, &norm.mean, &norm.variance}) check(*values, "a batch norm");
      if (std::any_of(norm.variance.begin(), norm.variance.end(), [](double value) { return value < 0; })) {
        throw Error(ErrorCode::invalid, "a batch norm's running variance is negative");
      }
    }
    for (const auto& dense : original.dense) {
      check(dense.weight, "a linear layer's weight");
      check(dense.bias, "a linear layer's bias");
    }
    check(original.output.weight, "the output layer's weight");
    check(original.output.bias, "the output layer's bias");
    validate(original.architecture);
  }

  void note_layers(const Expression& pooled, const PooledFeatures& features) {
    if (!features.order.empty()) return;
    result_.layers = blocks_shown_;
    result_.layers.push_back({pooled.value, pooled.layout});
    result_.layers.insert(result_.layers.end(), shown_.begin(), shown_.end());
  }

  MatchedStructure result_;
  std::vector<const Expression*> head_;   ///< linear layers, the last first
  std::vector<LayerValue> shown_;         ///< dense layers' outputs
  std::vector<LayerValue> blocks_shown_;  ///< conv blocks' outputs
};

}  // namespace

MatchedStructure match_structure(const Expression& output) {
  return Matcher().match(output);
}

}  // namespace bytecnn::exporter
