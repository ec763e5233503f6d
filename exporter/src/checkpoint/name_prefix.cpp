#include "checkpoint/name_prefix.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "bytecnn/error.hpp"

#include "checkpoint/printable.hpp"

namespace bytecnn::exporter {
namespace {

constexpr std::array<std::string_view, 10> wrappers{
    "module",           "_orig_mod", "model",           "net",          "_model", "network",
    "classifier_model", "backbone",  "_forward_module", "encoder_model"};

bool is_wrapper(std::string_view component) {
  return std::find(wrappers.begin(), wrappers.end(), component) != wrappers.end();
}

std::string_view first_component(std::string_view name) {
  return name.substr(0, name.find('.'));
}
std::string_view last_component(std::string_view name) {
  return name.substr(name.rfind('.') + 1);
}

/// What the training loop keeps beside the model: its first component says so, or it is a small buffer that no layer
/// has. Everything of two dimensions or with a layer's name counts as a layer.
bool is_training_extra(const NameAndRank& entry) {
  const std::string_view first = first_component(entry.name);
  const std::string_view last = last_component(entry.name);
  for (const std::string_view word : {"loss", "criterion", "metric", "acc", "f1", "auroc", "auc", "precision", "recall",
                                      "confmat", "train_", "val_", "valid_", "test_"}) {
    const bool whole_word = word.size() > 3 || word.ends_with('_') ? first.find(word) != std::string_view::npos
                                                                   : first == word || first.ends_with(word);
    if (whole_word) return true;
  }
  for (const std::string_view leaf :
       {"n_averaged", "pos_weight", "class_weights", "class_weight", "step", "global_step"}) {
    if (last == leaf && entry.rank <= 1) return true;
  }
  return false;
}

/// One component that may be taken off all names, "" where there is none.
std::string_view next_component(const std::vector<NameAndRank>& names) {
  const std::string_view component = first_component(names.front().name);
  std::set<std::string_view> second;
  for (const NameAndRank& entry : names) {
    if (first_component(entry.name) != component || entry.name.size() == component.size()) return {};
    second.insert(first_component(entry.name.substr(component.size() + 1)));
  }
  // "conv1.weight" and "conv1.bias" share their layer, not a wrapper: a wrapper holds several things with names of
  // their own.
  const bool holds_layers = std::any_of(names.begin(), names.end(), [&](const NameAndRank& entry) {
    return entry.name.find('.', component.size() + 1) != std::string_view::npos;
  });
  return is_wrapper(component) || (second.size() > 1 && holds_layers) ? component : std::string_view{};
}

/// The wrapper whose names remain when training extras are set aside, "" where there is none.
std::string_view wrapper_beside_extras(const std::vector<NameAndRank>& names) {
  std::string_view wrapper;
  for (const NameAndRank& entry : names) {
    const std::string_view component = first_component(entry.name);
    if (is_wrapper(component) && component.size() < entry.name.size()) {
      if (!wrapper.empty() && wrapper != component) return {};
      wrapper = component;
    } else if (!is_training_extra(entry)) {
      return {};
    }
  }
  return wrapper;
}

}  // namespace

NamePrefix find_prefix(std::span<const NameAndRank> names) {
  NamePrefix result;
  result.inside.assign(names.size(), true);
  std::vector<NameAndRank> left(names.begin(), names.end());
  while (!left.empty()) {
    std::string_view component = next_component(left);
    if (component.empty()) component = wrapper_beside_extras(left);
    if (component.empty()) break;
    const std::size_t cut = component.size() + 1;
    const std::string with_dot = std::string(component) + ".";
    std::vector<NameAndRank> inner;
    for (const NameAndRank& entry : left) {
      if (entry.name.starts_with(with_dot)) inner.push_back({entry.name.substr(cut), entry.rank});
    }
    result.prefix += with_dot;
    left = std::move(inner);
  }
  for (std::size_t i = 0; i < names.size(); ++i) result.inside[i] = names[i].name.starts_with(result.prefix);
  return result;
}

std::vector<std::string> rival_models(std::span<const NameAndRank> names) {
  std::map<std::string_view, std::set<std::string_view>> groups;
  std::set<std::string_view> with_embedding;
  for (const NameAndRank& entry : names) {
    const std::string_view component = first_component(entry.name);
    if (component.size() == entry.name.size()) continue;
    const std::string_view rest = entry.name.substr(component.size() + 1);
    groups[component].insert(rest);
    if (entry.rank == 2 && rest.find("emb") != std::string_view::npos) with_embedding.insert(component);
  }
  std::vector<std::string> rivals;
  for (const std::string_view one : with_embedding) {
    const bool again = std::any_of(with_embedding.begin(), with_embedding.end(), [&](std::string_view other) {
      return other != one && groups[one].size() > 1 && groups[other] == groups[one];
    });
    if (again) rivals.emplace_back(one);
  }
  return rivals;
}

void refuse_rival_models(std::span<const NameAndRank> names) {
  const std::vector<std::string> rivals = rival_models(names);
  if (rivals.empty()) return;
  std::string list;
  for (std::size_t i = 0; i < std::min<std::size_t>(rivals.size(), 16); ++i)
    list += (i > 0 ? ", " : "") + printable(rivals[i]);
  throw Error(ErrorCode::ambiguous, "the state dict holds several models: " + list + "; choose one with --key", {},
              "--key NAME");
}

}  // namespace bytecnn::exporter
