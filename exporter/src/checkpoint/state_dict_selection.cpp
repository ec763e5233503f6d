#include "checkpoint/state_dict_selection.hpp"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/module_tree.hpp"
#include "checkpoint/named_entries.hpp"
#include "checkpoint/plain_value.hpp"
#include "checkpoint/printable.hpp"

namespace bytecnn::exporter {
namespace {

using Pairs = std::span<const NodeId>;

constexpr std::size_t deepest_level = 5;
constexpr std::size_t max_hints = 512;
constexpr std::size_t max_ignored = 512;
constexpr std::size_t max_candidates = 64;
constexpr std::size_t max_key = 200;
constexpr std::size_t max_list = 64;
constexpr std::size_t max_tensors = 65536;
constexpr std::size_t max_name = 512;
constexpr std::size_t search_memory = 12U << 20U;  // paths of what is still to be looked at

struct Candidate {
  std::string key;
  NodeId node = 0;
  bool module = false;
  bool dotted = true;  ///< names like "conv1.weight", as every nn.Module's state dict has them
};

bool contains_word(std::string_view text, std::string_view word) {
  const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  return std::search(text.begin(), text.end(), word.begin(), word.end(), same) != text.end();
}

/// How candidates are called in messages; the top of the file has no key of its own.
std::string shown(const Candidate& candidate) {
  return candidate.key.empty() ? "." : candidate.key;
}

std::string kind_of(const PickleGraph& graph, NodeId id) {
  switch (graph.kind(id)) {
    case NodeKind::list:
      return "a list";
    case NodeKind::tuple:
      return "a tuple";
    case NodeKind::dict:
      return graph.items(id).empty() ? "an empty dict" : "a dict without any";
    case NodeKind::object:
      return "an object";
    default:
      return "a plain value";
  }
}

std::string list_of(const std::vector<Candidate>& candidates) {
  std::string text;
  for (const Candidate& candidate : candidates) text += (text.empty() ? "" : ", ") + shown(candidate);
  return text;
}

class Selection {
 public:
  Selection(const PickleGraph& graph, NodeId root, const CheckpointLimits& limits)
      : graph_(graph), root_(root), max_work_(limits.max_instructions), seen_(graph.size(), false) {}

  /// Walks the file level by level, each value once.
  void search() {
    queue_.push_back({root_, "", 0});
    while (!queue_.empty()) {
      const Visit visit = std::move(queue_.front());
      queue_.pop_front();
      queued_ -= std::min(queued_, sizeof(Visit) + visit.path.size());
      look_at(visit);
    }
    drop_loose_tensors_at_top();
  }

  std::vector<Candidate> candidates;   // state dicts and modules
  std::vector<Candidate> last_resort;  // dicts with any tensors at all, where there is nothing better
  std::vector<std::pair<std::string, std::string>> hints;
  std::vector<std::string> others;  // keys of what is no candidate
  bool found_optimizer = false;
  bool found_unnamed_tensors = false;

 private:
  struct Visit {
    NodeId id;
    std::string path;
    std::size_t depth;
  };

  bool is_optimizer(const Visit& visit) const {
    if (contains_word(visit.path, "optim")) return true;
    const Pairs pairs = graph_.mapping(visit.id);
    return !graph_.is(graph_.lookup(pairs, "param_groups"), NodeKind::none) &&
           !graph_.is(graph_.lookup(pairs, "state"), NodeKind::none);
  }

  /// Weights have names: at least two tensors under text keys, one of them with the rank of a layer.
  void judge_dict(const Visit& visit, Pairs pairs) {
    std::size_t tensors = 0;
    bool layer = false;
    bool dotted = false;
    for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) {
      if (!is_tensor_like(graph_, pairs[i + 1])) continue;
      if (!graph_.is(pairs[i], NodeKind::text)) {
        found_unnamed_tensors = true;
        continue;
      }
      ++tensors;
      dotted = dotted || graph_.text(pairs[i]).find('.') != std::string_view::npos;
      layer = layer || rank_of(graph_, pairs[i + 1]) >= 2 || graph_.is(pairs[i + 1], NodeKind::unreadable);
    }
    if (tensors == 0) return;
    std::vector<Candidate>& to = tensors >= 2 && layer ? candidates : last_resort;
    if (to.size() < max_candidates) to.push_back({visit.path, visit.id, false, dotted});
  }

  void look_at(const Visit& visit) {
    const NodeId id = visit.id;
    const NodeKind kind = graph_.kind(id);
    const bool container = kind == NodeKind::dict || kind == NodeKind::list || kind == NodeKind::tuple;
    if (is_tensor_like(graph_, id)) {
      if (visit.depth == 1) note_other(visit);
      return;
    }
    if (container || kind == NodeKind::object) {
      if (seen_[id]) return;
      seen_[id] = true;
      // Objects may share their state, so that looking at each of them once is no bound yet.
      work_ += 4 * graph_.attributes(id).size();
      if (work_ > max_work_) throw Error(ErrorCode::limit, "the checkpoint holds too many objects to look through");
    }
    if (kind == NodeKind::object && is_module(graph_, id)) {
      if (candidates.size() < max_candidates) candidates.push_back({visit.path, id, true});
      return;
    }
    if (is_optimizer(visit)) {
      found_optimizer = true;
      note_other(visit);
      return;
    }
    const std::size_t known = candidates.size() + last_resort.size();
    const Pairs pairs = graph_.mapping(id);
    judge_dict(visit, pairs);
    if (candidates.size() + last_resort.size() == known && visit.depth == 1) note_other(visit);
    note_hint(visit);
    if (visit.depth >= deepest_level) return;
    walk_pairs(visit, pairs);
    walk_pairs(visit, graph_.attributes(id));  // argparse.Namespace, dataclasses
    const bool list = kind == NodeKind::list || kind == NodeKind::tuple;
    if (list && (visit.depth == 0 || plain_value(graph_, id).empty())) walk_list(visit);
  }

  void walk_pairs(const Visit& visit, Pairs pairs) {
    for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) {
      std::string key;
      if (graph_.is(pairs[i], NodeKind::text) && graph_.text(pairs[i]).size() <= max_key) {
        key = is_clean_utf8(graph_.text(pairs[i])) ? std::string(graph_.text(pairs[i]))
                                                   : printable(graph_.text(pairs[i]));
      } else if (graph_.is(pairs[i], NodeKind::integer)) {
        key = std::to_string(graph_.integer(pairs[i]));
      }
      enqueue(visit, key, pairs[i + 1]);
    }
  }

  void walk_list(const Visit& visit) {
    const Pairs items = graph_.items(visit.id);
    for (std::size_t i = 0; i < std::min(items.size(), max_list); ++i) {
      if (is_tensor_like(graph_, items[i])) found_unnamed_tensors = true;
      enqueue(visit, std::to_string(i), items[i]);
    }
  }

  void enqueue(const Visit& parent, const std::string& key, NodeId id) {
    // Tensors of a state dict are its own affair; plain values below the second level of a list are no hints.
    const bool container = graph_.is(id, NodeKind::dict) || graph_.is(id, NodeKind::list) ||
                           graph_.is(id, NodeKind::tuple) || graph_.is(id, NodeKind::object);
    if (key.empty() || (container && seen_[id])) return;
    if (is_tensor_like(graph_, id)) {
      if (parent.depth == 0) note_other({id, key, 1});
      return;
    }
    if (!container) {
      note_hint({id, join_path(parent.path, key), parent.depth + 1});
      if (parent.depth == 0) note_other({id, key, 1});
      return;
    }
    std::string path = join_path(parent.path, key);
    queued_ += sizeof(Visit) + path.size();
    if (queued_ > search_memory) throw Error(ErrorCode::limit, "the checkpoint holds too many objects to look through");
    queue_.push_back({id, std::move(path), parent.depth + 1});
  }

  void note_hint(const Visit& visit) {
    if (visit.depth == 0 || hints.size() >= max_hints) return;
    std::string value = plain_value(graph_, visit.id);
    if (!value.empty()) hints.emplace_back(visit.path, std::move(value));
  }

  void note_other(const Visit& visit) {
    if (others.size() < max_ignored && !visit.path.empty()) others.push_back(visit.path);
  }

  /// A checkpoint with a state dict below a key and a few tensors of its own (class weights, a confusion matrix) is not
  /// a second candidate.
  void drop_loose_tensors_at_top() {
    if (candidates.size() < 2) return;
    std::erase_if(candidates, [&](const Candidate& candidate) {
      return candidate.node == root_ && !candidate.module && !candidate.dotted;
    });
  }

  const PickleGraph& graph_;
  NodeId root_;
  std::uint64_t max_work_;
  std::uint64_t work_ = 0;
  std::size_t queued_ = 0;
  std::vector<bool> seen_;
  std::deque<Visit> queue_;
};

std::vector<NamedEntry> dict_entries(const PickleGraph& graph, NodeId dict, std::vector<std::string>& ignored) {
  std::vector<NamedEntry> entries;
  const Pairs pairs = graph.mapping(dict);
  for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) {
    if (is_tensor_like(graph, pairs[i + 1])) {
      if (!graph.is(pairs[i], NodeKind::text)) {
        throw Error(ErrorCode::invalid, "a tensor of the state dict has a key that is not text");
      }
      if (entries.size() >= max_tensors) throw Error(ErrorCode::limit, "too many tensors");
      if (graph.text(pairs[i]).size() > max_name) throw Error(ErrorCode::limit, "a tensor's name is too long");
      entries.push_back({std::string(graph.text(pairs[i])), pairs[i + 1]});
    } else if (graph.is(pairs[i], NodeKind::text) && ignored.size() < max_ignored) {
      ignored.push_back(printable(graph.text(pairs[i]), max_key));
    }
  }
  return entries;
}

/// What `key` chooses: a candidate, and where its dict holds several models, a prefix of names within it.
struct Choice {
  Candidate candidate;
  std::string name_prefix;
};

bool has_names_below(const PickleGraph& graph, const Candidate& candidate, const std::string& prefix) {
  if (candidate.module || prefix.empty()) return false;
  const Pairs pairs = graph.mapping(candidate.node);
  for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) {
    const bool named = graph.is(pairs[i], NodeKind::text) && graph.text(pairs[i]).starts_with(prefix + ".");
    if (named && is_tensor_like(graph, pairs[i + 1])) return true;
  }
  return false;
}

/// The candidate of that path; else those below it; else those with names below that prefix.
std::vector<Choice> matching(const PickleGraph& graph, const std::vector<Candidate>& candidates,
                             const std::string& key) {
  std::vector<Choice> below;
  std::vector<Choice> inside;
  for (const Candidate& candidate : candidates) {
    if (shown(candidate) == key) return {{candidate, ""}};
    if (candidate.key.starts_with(key + ".")) below.push_back({candidate, ""});
    std::string prefix = key;
    if (!candidate.key.empty() && key.starts_with(candidate.key + ".")) prefix = key.substr(candidate.key.size() + 1);
    if (has_names_below(graph, candidate, prefix)) inside.push_back({candidate, prefix});
  }
  return below.empty() ? inside : below;
}

/// Leaves the entries below `prefix`; the others are ignored.
void keep_below(std::vector<NamedEntry>& entries, const std::string& prefix, std::vector<std::string>& ignored) {
  if (prefix.empty()) return;
  std::erase_if(entries, [&](const NamedEntry& entry) {
    if (entry.name.starts_with(prefix + ".")) return false;
    if (ignored.size() < max_ignored) ignored.push_back(entry.name);
    return true;
  });
}

[[noreturn]] void nothing_found(const PickleGraph& graph, NodeId root, const Selection& selection) {
  if (is_tensor_like(graph, root)) {
    throw Error(ErrorCode::invalid, "the file holds a single tensor, not a model; save model.state_dict()");
  }
  if (selection.found_unnamed_tensors) {
    throw Error(ErrorCode::invalid, "the file holds tensors without names, not a model; save model.state_dict()");
  }
  if (selection.found_optimizer) {
    throw Error(ErrorCode::invalid, "the file holds an optimizer's state and no model; save model.state_dict()");
  }
  std::string found;
  if (graph.is(root, NodeKind::dict)) {
    for (const std::string& other : selection.others) {
      if (found.size() < 200) found += (found.empty() ? "" : ", ") + printable(other);
    }
  }
  if (!graph.class_name(root).empty()) {
    throw Error(ErrorCode::unsupported,
                "the file holds an object that is neither an nn.Module nor a state dict (nothing of "
                "it was executed); save model.state_dict()",
                {}, {}, printable(graph.class_name(root)));
  }
  throw Error(ErrorCode::invalid, "no tensors with names in this file; save model.state_dict()", {}, "a state dict",
              found.empty() ? kind_of(graph, root) : "only " + found);
}

}  // namespace

void select_state_dict(const PickleGraph& graph, NodeId root, TensorRebuilder& rebuilder, std::string_view key,
                       const CheckpointLimits& limits, Checkpoint& checkpoint) {
  Selection selection(graph, root, limits);
  selection.search();
  std::vector<Candidate> all = selection.candidates.empty() ? selection.last_resort : selection.candidates;
  if (all.empty()) nothing_found(graph, root, selection);
  for (const Candidate& candidate : all) checkpoint.candidates.push_back(shown(candidate));

  std::vector<Choice> chosen;
  chosen.reserve(all.size());
  if (key.empty()) {
    for (const Candidate& candidate : all) chosen.push_back({candidate, ""});
  } else {
    chosen = matching(graph, all, std::string(key));
  }
  if (!key.empty() && chosen.empty()) {
    throw Error(ErrorCode::invalid, "no state dict under the key '" + printable(key) + "'", {},
                "one of " + list_of(all));
  }
  if (chosen.size() > 1) {
    std::vector<Candidate> rivals;
    rivals.reserve(chosen.size());
    for (const Choice& choice : chosen) rivals.push_back(choice.candidate);
    throw Error(ErrorCode::ambiguous,
                "the file holds several state dicts: " + list_of(rivals) + "; choose one with --key", {}, "--key NAME");
  }
  const Candidate& candidate = chosen.front().candidate;
  checkpoint.key = join_path(candidate.key, chosen.front().name_prefix);
  checkpoint.hints = std::move(selection.hints);
  for (const Candidate& other : all) {
    if (other.node != candidate.node) checkpoint.ignored.push_back(shown(other));
  }
  const bool at_top = candidate.node == root;
  if (!at_top) {
    checkpoint.ignored.insert(checkpoint.ignored.end(), selection.others.begin(), selection.others.end());
  }
  if (candidate.module) {
    checkpoint.form = at_top ? "whole_model" : "whole_model_in_checkpoint";
    ModuleTree tree = read_module_tree(graph, candidate.node, limits);
    checkpoint.ignored.insert(checkpoint.ignored.end(), tree.ignored.begin(), tree.ignored.end());
    if (tree.entries.empty()) throw Error(ErrorCode::invalid, "the pickled module has no parameters");
    read_entries(graph, tree.entries, rebuilder, limits, checkpoint);
    checkpoint.modules = std::move(tree.modules);
    strip_module_prefix(checkpoint.modules, checkpoint.prefix);
  } else {
    checkpoint.form = at_top ? "state_dict" : "checkpoint";
    std::vector<NamedEntry> entries = dict_entries(graph, candidate.node, checkpoint.ignored);
    keep_below(entries, chosen.front().name_prefix, checkpoint.ignored);
    read_entries(graph, entries, rebuilder, limits, checkpoint);
  }
}

}  // namespace bytecnn::exporter
