#include "verify/cause/likeliest_cause.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "bytecnn/error.hpp"
#include "bytecnn/reference.hpp"

#include "verify/cause/mistake.hpp"
#include "verify/cause/wrong_numbers.hpp"

namespace bytecnn::exporter {
namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();
/// A mistake that brings a tensor within this of the export's explains it.
constexpr double tensor_tolerance = 1e-5;

using Logits = std::vector<std::optional<std::vector<double>>>;  // nothing: refused as too short

Logits run(const Model& model, const std::vector<Bytes>& probes) {
  Logits logits;
  for (const Bytes& probe : probes) {
    try {
      logits.emplace_back(reference_logits(model, probe));
    } catch (const Error&) {
      logits.emplace_back();
    }
  }
  return logits;
}

double distance(const Logits& a, const Logits& b) {
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].has_value() != b[i].has_value() || (a[i] && a[i]->size() != b[i]->size())) return infinite;
    for (std::size_t o = 0; a[i] && o < a[i]->size(); ++o) {
      const double difference = std::abs((*a[i])[o] - (*b[i])[o]);
      if (!(difference <= worst)) worst = std::isnan(difference) ? infinite : difference;
    }
  }
  return worst;
}

/// A structure that does not hold together has no export.
std::optional<Model> export_of(const Original& original) {
  try {
    return fold(original);
  } catch (const Error&) {
    return std::nullopt;
  }
}

double part_difference(const ConvWeights& expected, const ConvWeights& found) {
  return std::max({relative_difference(expected.weight, found.weight), relative_difference(expected.bias, found.bias),
                   relative_difference(expected.scale, found.scale), relative_difference(expected.shift, found.shift)});
}

/// One step from the right export towards the wrong one.
struct Step {
  std::string trap, text;
  std::function<void(Original&)> on_original;
  std::function<void(Model&)> on_export;
};

class ExportCauses {
 public:
  ExportCauses(const Original& original, const Model& model, const std::vector<Bytes>& probes, double tolerance)
      : original_(original), model_(model), probes_(probes), tolerance_(tolerance), working_(original) {}

  std::vector<Cause> find() {
    find_dropped_layers();
    for (const Mistake& mistake : stated_mistakes(working_, model_.architecture)) take(mistake);
    for (std::size_t i = 0; i < working_.conv.size(); ++i) explain_conv(i);
    compare_numbers();
    return measured();
  }

 private:
  void take(const Mistake& mistake) {
    mistake.make(working_);
    steps_.push_back({mistake.trap, mistake.text, mistake.make, {}});
  }

  /// A layer too few: the one without which the others fit best.
  void find_dropped_layers() {
    const auto drop_conv = [](std::size_t i) {
      return [i](Original& o) {
        const auto at = static_cast<std::ptrdiff_t>(i);
        o.conv.erase(o.conv.begin() + at);
        o.architecture.conv_layers.erase(o.architecture.conv_layers.begin() + at);
      };
    };
    const auto drop_dense = [](std::size_t i) {
      return [i](Original& o) {
        const auto at = static_cast<std::ptrdiff_t>(i);
        o.dense.erase(o.dense.begin() + at);
        o.architecture.dense_layers.erase(o.architecture.dense_layers.begin() + at);
      };
    };
    drop(original_.conv.size(), model_.weights.conv.size(), "conv", drop_conv);
    drop(original_.dense.size(), model_.weights.dense.size(), "dense", drop_dense);
  }

  template <class Drop>
  void drop(std::size_t mine, std::size_t theirs, const std::string& name, Drop drop_layer) {
    if (mine != theirs + 1) return;
    double best = infinite;
    std::size_t dropped = mine;
    for (std::size_t i = 0; i < mine; ++i) {
      Original without = working_;
      drop_layer(i)(without);
      double worst = 0;
      for (std::size_t k = 0; k < theirs; ++k) {
        worst += name == "conv" ? without.conv[k].weight.size() != model_.weights.conv[k].weight.size()
                                : without.dense[k].weight.size() != model_.weights.dense[k].weight.size();
      }
      if (const auto folded = export_of(without)) {
        for (std::size_t k = 0; k < theirs; ++k) {
          const double difference =
              name == "conv" ? part_difference(folded->weights.conv[k], model_.weights.conv[k])
                             : relative_difference(folded->weights.dense[k].weight, model_.weights.dense[k].weight);
          worst += std::min(difference, 1.0);
        }
      }
      if (worst < best) {
        best = worst;
        dropped = i;
      }
    }
    if (dropped == mine) return;
    take({"layer_dropped", name + std::to_string(dropped + 1) + " is missing from the export", drop_layer(dropped)});
  }

  /// The mistake with batch norm, bias or order that gives the export's layer, or two of them.
  void explain_conv(std::size_t layer) {
    if (layer >= model_.weights.conv.size()) return;
    const ConvWeights& found = model_.weights.conv[layer];
    const auto difference = [&](const Original& candidate) {
      const auto folded = export_of(candidate);
      return folded ? part_difference(folded->weights.conv[layer], found) : infinite;
    };
    double best = difference(working_);
    for (int round = 0; round < 2 && !(best <= tensor_tolerance); ++round) {
      std::optional<Mistake> chosen;
      double reached = best;
      for (const Mistake& mistake : conv_mistakes(working_, layer)) {
        Original candidate = working_;
        mistake.make(candidate);
        const double after = difference(candidate);
        if (after < reached / 2) {
          reached = after;
          chosen = mistake;
        }
      }
      // What helps a little is no explanation, unless a second mistake may complete it.
      if (!chosen || !(reached <= tensor_tolerance || reached <= best / 100)) return;
      take(*chosen);
      best = reached;
    }
  }

  /// Numbers that still differ, tensor by tensor.
  void compare_numbers() {
    const auto folded = export_of(working_);
    if (!folded) return;
    const Weights& mine = folded->weights;
    const Weights& theirs = model_.weights;
    const Architecture& a = folded->architecture;
    compare(
        {"embedding", mine.embedding, a.vocab_size, 1}, theirs.embedding,
        [](Weights & w) -> auto& { return w.embedding; });
    for (std::size_t i = 0; i < std::min(mine.conv.size(), theirs.conv.size()); ++i) {
      const std::string name = "conv" + std::to_string(i + 1);
      const std::size_t filters = a.conv_layers[i].filters;
      compare(
          {name + "_weight", mine.conv[i].weight, filters, a.conv_layers[i].kernel_size},
          theirs.conv[i].weight, [i](Weights & w) -> auto& { return w.conv[i].weight; });
      compare(
          {name + "_bias", mine.conv[i].bias, filters, 1},
          theirs.conv[i].bias, [i](Weights & w) -> auto& { return w.conv[i].bias; });
      compare(
          {name + "_scale", mine.conv[i].scale, filters, 1},
          theirs.conv[i].scale, [i](Weights & w) -> auto& { return w.conv[i].scale; });
      compare(
          {name + "_shift", mine.conv[i].shift, filters, 1},
          theirs.conv[i].shift, [i](Weights & w) -> auto& { return w.conv[i].shift; });
    }
    for (std::size_t i = 0; i < std::min(mine.dense.size(), theirs.dense.size()); ++i) {
      compare_dense(
          "dense" + std::to_string(i + 1), mine.dense[i],
          theirs.dense[i], [i](Weights & w) -> auto& { return w.dense[i]; });
    }
    compare_dense(
        "output", mine.output, theirs.output, [](Weights & w) -> auto& { return w.output; });
  }

  template <class Place>
  void compare_dense(const std::string& name, const DenseWeights& mine, const DenseWeights& theirs, Place place) {
    const std::size_t units = mine.bias.size();
    compare(
        {name + "_weight", mine.weight, units, 1},
        theirs.weight, [place](Weights & w) -> auto& { return place(w).weight; });
    const bool zeros = std::all_of(theirs.bias.begin(), theirs.bias.end(), [](float x) { return x == 0; });
    const bool all_zeros = std::all_of(mine.bias.begin(), mine.bias.end(), [](float x) { return x == 0; });
    if (zeros && !all_zeros && theirs.bias.size() == units) {
      steps_.push_back({"bias_ignored", name + "'s bias is missing", {}, [place, bias = theirs.bias](Model& m) {
                          place(m.weights).bias = bias;
                        }});
      return;
    }
    compare(
        {name + "_bias", mine.bias, units, 1}, theirs.bias, [place](Weights & w) -> auto& { return place(w).bias; });
  }

  template <class Place>
  void compare(const NamedTensor& expected, const std::vector<float>& found, Place place) {
    const WrongNumbers wrong = wrong_numbers(expected, found);
    if (wrong.trap.empty()) return;
    // A permuted convolution has its bias permuted along: that is one mistake.
    const auto known = [&](const Step& step) {
      return step.trap == wrong.trap && step.on_export && step.text.substr(0, 5) == wrong.text.substr(0, 5);
    };
    const auto put = [place, found](Model& m) { place(m.weights) = found; };
    const auto before = std::find_if(steps_.begin(), steps_.end(), known);
    if (before != steps_.end() && wrong.trap == "channels_permuted") {
      before->on_export = [first = before->on_export, put](Model& m) {
        first(m);
        put(m);
      };
      return;
    }
    steps_.push_back({wrong.trap, wrong.text, {}, put});
  }

  std::optional<Logits> with(const std::vector<const Step*>& steps) const {
    Original changed = original_;
    for (const Step* step : steps) {
      if (step->on_original) step->on_original(changed);
    }
    auto folded = export_of(changed);
    if (!folded) return std::nullopt;
    for (const Step* step : steps) {
      if (step->on_export) step->on_export(*folded);
    }
    try {
      validate(*folded);
    } catch (const Error&) {
      return std::nullopt;
    }
    return run(*folded, probes_);
  }

  /// Causes in the order of their effect, and what is left when they are made one after the other.
  std::vector<Cause> measured() const {
    const Logits target = run(model_, probes_);
    const auto right = with({});
    if (!right) return {};
    std::vector<std::pair<double, const Step*>> effects;
    for (const Step& step : steps_) {
      const auto alone = with({&step});
      effects.emplace_back(alone ? distance(*alone, *right) : infinite, &step);
    }
    std::stable_sort(effects.begin(), effects.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    const double before = distance(*right, target);
    std::vector<Cause> causes;
    std::vector<const Step*> made;
    for (const auto& [effect, step] : effects) {
      made.push_back(step);
      const auto reached = with(made);
      const double after = reached ? distance(*reached, target) : infinite;
      causes.push_back({"fold", step->trap, step->text, before, after, after <= tolerance_});
    }
    return causes;
  }

  const Original& original_;
  const Model& model_;
  const std::vector<Bytes>& probes_;
  double tolerance_;
  Original working_;
  std::vector<Step> steps_;
};

}  // namespace

std::vector<Cause> causes_of_wrong_export(const Original& original, const Model& model,
                                          const std::vector<Bytes>& probes, double tolerance) {
  return ExportCauses(original, model, probes, tolerance).find();
}

std::vector<Cause> causes_of_wrong_records(const Original& original, const std::vector<Golden>& records,
                                           double tolerance) {
  constexpr std::size_t most_records = 8;
  std::vector<Bytes> probes;
  Logits target;
  for (std::size_t i = 0; i < std::min(records.size(), most_records); ++i) {
    const auto& record = records[i * records.size() / std::min(records.size(), most_records)];
    probes.push_back(record.input);
    target.emplace_back(record.logits);
  }
  const auto error = [&](const Original& candidate) {
    const auto folded = export_of(candidate);
    return folded ? distance(run(*folded, probes), target) : infinite;
  };
  const double before = error(original);
  std::vector<Cause> causes;
  Original working = original;
  double best = before;
  for (int round = 0; round < 2 && !(best <= tolerance); ++round) {
    std::optional<Mistake> chosen;
    double reached = best;
    for (const Mistake& mistake : structure_mistakes(working)) {
      Original candidate = working;
      mistake.make(candidate);
      const double after = error(candidate);
      if (after < reached / 2) {
        reached = after;
        chosen = mistake;
      }
    }
    if (!chosen) break;
    chosen->make(working);
    causes.push_back({"reference", chosen->trap, "the recorded numbers come out where " + chosen->text, before, reached,
                      reached <= tolerance});
    best = reached;
  }
  // Two guesses that do not explain the numbers are none.
  if (!causes.empty() && !causes.back().explains && !(best <= before / 100)) causes.clear();
  return causes;
}

}  // namespace bytecnn::exporter
