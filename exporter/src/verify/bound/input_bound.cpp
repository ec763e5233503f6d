#include "verify/bound/input_bound.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "bytecnn/classifier.hpp"
#include "bytecnn/isa.hpp"

#include "verify/bound/all_windows.hpp"
#include "verify/bound/arithmetic.hpp"
#include "verify/bound/column_bounds.hpp"
#include "verify/bound/conv_error.hpp"
#include "verify/bound/exact_layers.hpp"
#include "verify/bound/head_error.hpp"
#include "verify/bound/probable_error.hpp"
#include "verify/verify.hpp"

namespace bytecnn::exporter {
namespace {

Arithmetic arithmetic_of(const std::vector<ConvMethod>& methods, const Architecture& architecture) {
  Arithmetic way;
  way.u = float_roundoff;
  // Tables pool 64 windows in a sum and a few at the borders; columns in memory are pooled 32 at a time.
  const double pooled_tables = 72;
  const double pooled_columns = std::max(32.0, static_cast<double>(methods.back().block_columns));
  way.pooled_together = methods.size() == 1 ? pooled_tables : pooled_columns;
  way.tables = methods.front().kind == ConvMethod::Kind::table;
  for (std::size_t i = 0; i < methods.size(); ++i) {
    way.winograd.emplace_back();
    if (methods[i].kind != ConvMethod::Kind::winograd) continue;
    way.winograd.back() = WinogradWay{
        make_winograd_transform(methods[i].outputs, architecture.conv_layers[i].kernel_size), methods[i].chain};
  }
  return way;
}

/// The reference in double first, then what the instruction sets do.
std::vector<Arithmetic> ways_of(const Model& model) {
  std::vector<Arithmetic> ways(1);
  ways[0].names = {"fold"};
  ways[0].winograd.resize(model.architecture.conv_layers.size());
  std::vector<std::vector<ConvMethod>> known;
  for (const Isa isa : supported_isas()) {
    if (isa == Isa::reference) continue;
    const auto methods = Classifier(model, isa).conv_methods();
    const auto same = std::find(known.begin(), known.end(), methods);
    const auto way = static_cast<std::size_t>(same - known.begin());
    if (same == known.end()) {
      known.push_back(methods);
      ways.push_back(arithmetic_of(methods, model.architecture));
    }
    ways[1 + way].names.push_back("engine " + std::string(to_string(isa)));
  }
  return ways;
}

/// Tokens that an input can hold.
std::vector<std::size_t> reachable_tokens(const Architecture& architecture) {
  std::vector<std::size_t> tokens;
  for (std::size_t token = 0; token < std::min<std::size_t>(256, architecture.vocab_size); ++token) {
    tokens.push_back(token);
  }
  if (architecture.pad_token && *architecture.pad_token >= tokens.size()) tokens.push_back(*architecture.pad_token);
  return tokens;
}

ColumnBounds embedding_columns(const Original& original, const Model& model, const std::vector<std::size_t>& tokens,
                               std::size_t ways) {
  const std::size_t dim = original.architecture.embed_dim;
  ColumnBounds columns;
  columns.range.assign(dim, Interval{0, 0});
  columns.error.assign(ways, std::vector<double>(dim, 0.0));
  SeparableColumns rows;
  rows.taps = 1;
  rows.tokens = tokens.size();
  rows.channels = dim;
  for (std::size_t t = 0; t < tokens.size(); ++t) {
    for (std::size_t d = 0; d < dim; ++d) {
      const double exact = original.embedding[tokens[t] * dim + d];
      const double error = std::abs(exact - static_cast<double>(model.weights.embedding[tokens[t] * dim + d]));
      auto& range = columns.range[d];
      range = t == 0 ? Interval{exact, exact} : Interval{std::min(range.low, exact), std::max(range.high, exact)};
      rows.part.push_back(exact);
      for (auto& errors : columns.error) errors[d] = std::max(errors[d], outward(error, 1));
    }
  }
  columns.set_separable(rows);
  return columns;
}

/// Columns that see padding alone are the reference's, rounded to float.
void count_padding_columns(ColumnBounds& columns, const std::vector<Arithmetic>& ways) {
  for (std::size_t k = 1; k < ways.size(); ++k) {
    for (std::size_t c = 0; c < columns.channels(); ++c) {
      const double fold = columns.error[0][c];
      const double rounded = fold + ways[k].u * (columns.range[c].size() + fold) + smallest_float;
      columns.error[k][c] = std::max(columns.error[k][c], outward(rounded, 4));
    }
  }
}

/// Runs all windows of the first layer. What does not run by tables keeps its bound by analysis.
KnownSumErrors from_all_windows(const SeparableColumns& parts, const Model& model,
                                const std::vector<std::size_t>& tokens, const std::vector<Arithmetic>& ways,
                                Bound& bound) {
  const auto begin = std::chrono::steady_clock::now();
  const WindowErrors errors = run_all_windows(parts, model, tokens);
  bound.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  bound.windows = errors.windows;
  KnownSumErrors known{{errors.fold}, parts.activation.kind == Activation::Kind::relu};
  const std::vector<double> unknown(errors.fold.size(), std::numeric_limits<double>::infinity());
  for (std::size_t k = 1; k < ways.size(); ++k) known.error.push_back(ways[k].tables ? errors.engine : unknown);
  return known;
}

LayerBound layer_bound(std::string name, const std::vector<Interval>& range,
                       const std::vector<std::vector<double>>& error) {
  LayerBound layer;
  layer.name = std::move(name);
  for (std::size_t c = 0; c < range.size(); ++c) {
    layer.largest_value = std::max(layer.largest_value, range[c].size());
    layer.fold_error = std::max(layer.fold_error, error[0][c]);
    for (std::size_t k = 1; k < error.size(); ++k) {
      if (error[k][c] > layer.engine_error) {
        layer.engine_error = error[k][c];
        layer.channel = c;
      }
    }
  }
  return layer;
}

SideBound side_bound(const std::string& name, const Arithmetic& way, const std::vector<double>& logits,
                     const Architecture& architecture) {
  SideBound side;
  side.name = name;
  side.logits = logits;
  const auto worst = std::max_element(logits.begin(), logits.end());
  side.worst_logit = *worst;
  side.worst_output = static_cast<std::size_t>(worst - logits.begin());
  side.score = score_error(architecture.output, *worst, logits.size(), way.u);
  side.winograd = std::any_of(way.winograd.begin(), way.winograd.end(), [](const auto& t) { return t.has_value(); });
  return side;
}

/// What always holds bounds what probably holds.
void set_probable(SideBound& side, std::vector<double> errors, const Arithmetic& way,
                  const Architecture& architecture) {
  for (std::size_t o = 0; o < errors.size(); ++o) errors[o] = std::min(errors[o], side.logits[o]);
  side.probable_logit = *std::max_element(errors.begin(), errors.end());
  side.probable_score = score_error(architecture.output, side.probable_logit, errors.size(), way.u);
  side.probable_logits = std::move(errors);
}

}  // namespace

Bound bound_every_input(const Original& original, const Model& model, bool all_windows) {
  const Architecture& architecture = original.architecture;
  Bound bound;
  if (!architecture_differences(architecture, model.architecture).empty()) {
    bound.unavailable = "the export states another architecture than the original";
    return bound;
  }
  const std::vector<Arithmetic> ways = ways_of(model);
  const std::vector<std::size_t> tokens = reachable_tokens(architecture);
  ColumnBounds columns = embedding_columns(original, model, tokens, ways.size());
  const std::vector<double> embedding_error = columns.error.front();
  std::vector<std::vector<OwnErrors>> own(ways.size());  // [ways][layers]
  std::vector<ExactTensor> weights;
  for (std::size_t i = 0; i < architecture.conv_layers.size(); ++i) {
    ExactConv exact = exact_conv(original.conv[i], architecture.conv_layers[i]);
    const ConvBlock block{architecture.conv_layers[i], exact, model.weights.conv[i], i};
    ThroughBlock passed;
    if (i == 0) {
      const auto parts = first_layer_parts(block, original.embedding, architecture.embed_dim, tokens);
      std::optional<KnownSumErrors> known;
      if (all_windows && suits_all_windows(architecture)) known = from_all_windows(parts, model, tokens, ways, bound);
      if (all_windows && !suits_all_windows(architecture)) {
        bound.not_windows = "the first layer's kernel has " + std::to_string(architecture.conv_layers[0].kernel_size) +
                            " taps, and only windows of up to 3 are few enough to run them all";
      }
      passed = through(block, columns, ways, &parts, known ? &*known : nullptr);
    } else {
      passed = through(block, columns, ways, nullptr, nullptr);
    }
    columns = std::move(passed.columns);
    for (std::size_t k = 0; k < ways.size(); ++k) own[k].push_back(std::move(passed.own[k]));
    weights.push_back(std::move(exact.weight));
    bound.layers.push_back(layer_bound("conv" + std::to_string(i + 1), columns.range, columns.error));
  }
  if (architecture.pad_token) count_padding_columns(columns, ways);
  const auto most = static_cast<double>(architecture.pooled_positions(architecture.max_len));
  const auto fewest =
      architecture.pad_token ? most : static_cast<double>(minimum_pooled_positions(architecture.pooling));
  const Features features = pooled(architecture.pooling, columns, ways, fewest, most);
  bound.layers.push_back(layer_bound("pooling", features.range, features.error));
  const HeadErrors behind = head(original, model, features, ways);
  const std::vector<Features>& outputs = behind.outputs;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    bound.layers.push_back(layer_bound(i + 1 == outputs.size() ? "output" : "dense" + std::to_string(i + 1),
                                       outputs[i].range, outputs[i].error));
  }
  bound.fold = side_bound("fold", ways[0], outputs.back().error[0], architecture);
  for (std::size_t k = 1; k < ways.size(); ++k) {
    SideBound side = side_bound("", ways[k], outputs.back().error[k], architecture);
    if (!behind.by_feature.empty()) {
      auto probable =
          probable_errors(architecture, own[k], weights, behind, k, embedding_error, ways[k].u, Bound::chance);
      set_probable(side, std::move(probable), ways[k], architecture);
    }
    for (const std::string& name : ways[k].names) {
      bound.engines.push_back(side);
      bound.engines.back().name = name;
    }
  }
  const auto finite = [](const SideBound& side) { return std::isfinite(side.worst_logit); };
  // A sum whose parts may leave float's range can overflow on the way.
  const bool representable = std::all_of(bound.layers.begin(), bound.layers.end(),
                                         [](const LayerBound& layer) { return layer.largest_value < 1e30; });
  if (!finite(bound.fold) || !std::all_of(bound.engines.begin(), bound.engines.end(), finite) || !representable) {
    bound.unavailable = "values may grow beyond what float32 holds";
  }
  return bound;
}

}  // namespace bytecnn::exporter
