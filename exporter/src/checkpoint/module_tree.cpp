#include "checkpoint/module_tree.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "checkpoint/plain_value.hpp"
#include "checkpoint/printable.hpp"

namespace bytecnn::exporter {
namespace {

constexpr std::size_t max_tensors = 65536;
constexpr std::size_t max_attributes = 200;
constexpr std::size_t max_name = 512;
constexpr std::size_t max_text = 8U << 20U;  // of all paths and attributes together

using Pairs = std::span<const NodeId>;

std::string name_of(const PickleGraph& graph, NodeId key) {
  if (!graph.is(key, NodeKind::text) || graph.text(key).size() > max_name || !is_clean_utf8(graph.text(key))) {
    throw Error(ErrorCode::invalid, "a module has a part whose name is not plain text");
  }
  return std::string(graph.text(key));
}

bool contains_text(const PickleGraph& graph, NodeId set, std::string_view text) {
  if (!graph.is(set, NodeKind::set)) return false;
  const auto items = graph.items(set);
  return std::any_of(items.begin(), items.end(),
                     [&](NodeId id) { return graph.is(id, NodeKind::text) && graph.text(id) == text; });
}

/// A module yet to be read. The list of these is a stack: no recursion, and order of registration is kept.
struct Pending {
  NodeId id;
  std::string path;
  std::size_t depth;
};

class TreeReader {
 public:
  TreeReader(const PickleGraph& graph, const CheckpointLimits& limits) : graph_(graph), limits_(limits) {}

  ModuleTree read(NodeId root, void (TreeReader::*visit)(const Pending&)) {
    stack_.push_back({root, "", 0});
    while (!stack_.empty()) {
      const Pending next = std::move(stack_.back());
      stack_.pop_back();
      if (next.depth > limits_.max_depth) throw Error(ErrorCode::limit, "modules are nested too deeply");
      if (tree_.modules.size() >= limits_.max_modules) throw Error(ErrorCode::limit, "too many modules");
      const std::size_t children_from = stack_.size();
      (this->*visit)(next);
      std::reverse(stack_.begin() + static_cast<std::ptrdiff_t>(children_from), stack_.end());
    }
    return std::move(tree_);
  }

  void visit_module(const Pending& module) {
    const Pairs attributes = graph_.attributes(module.id);
    count_work(8 * attributes.size());
    add_module(module, attributes);
    add_tensors(module, graph_.lookup(attributes, "_parameters"), PickleGraph::none_id);
    add_tensors(module, graph_.lookup(attributes, "_buffers"),
                graph_.lookup(attributes, "_non_persistent_buffers_set"));
    const Pairs children = graph_.mapping(graph_.lookup(attributes, "_modules"));
    for (std::size_t i = 0; i + 1 < children.size(); i += 2) {
      if (graph_.is(children[i + 1], NodeKind::none)) continue;
      const std::string name = name_of(graph_, children[i]);
      count_work(2 * graph_.attributes(children[i + 1]).size() + 2);
      if (!is_module(graph_, children[i + 1])) {
        throw Error(ErrorCode::unsupported, "submodule '" + printable(join_path(module.path, name)) +
                                                "' is not stored as an nn.Module; save model.state_dict() instead");
      }
      push_child(module, name, children[i + 1]);
    }
  }

  void visit_script(const Pending& module) {
    const Pairs attributes = graph_.attributes(module.id);
    count_work(2 * attributes.size());
    add_module(module, attributes);
    for (std::size_t i = 0; i + 1 < attributes.size(); i += 2) {
      const NodeId value = attributes[i + 1];
      if (is_tensor_like(graph_, value)) {
        add_entry(module, name_of(graph_, attributes[i]), value);
      } else if (graph_.is(value, NodeKind::object)) {
        push_child(module, name_of(graph_, attributes[i]), value);
      }
    }
  }

 private:
  void push_child(const Pending& parent, const std::string& name, NodeId id) {
    if (stack_.size() > limits_.max_modules) throw Error(ErrorCode::limit, "too many modules");
    count_text(parent.path.size() + name.size() + 1);
    stack_.push_back({id, join_path(parent.path, name), parent.depth + 1});
  }

  void add_module(const Pending& pending, Pairs attributes) {
    Module module;
    module.path = pending.path;
    module.class_name = printable(graph_.class_name(pending.id), max_name);
    for (std::size_t i = 0; i + 1 < attributes.size() && module.attributes.size() < max_attributes; i += 2) {
      if (!graph_.is(attributes[i], NodeKind::text)) continue;
      const std::string_view name = graph_.text(attributes[i]);
      if (name.empty() || name.front() == '_' || name.size() > max_name || !is_clean_utf8(name)) continue;
      std::string value = plain_value(graph_, attributes[i + 1]);
      if (value.empty()) continue;
      count_text(name.size() + value.size());
      module.attributes.emplace_back(name, std::move(value));
    }
    tree_.modules.push_back(std::move(module));
  }

  void add_tensors(const Pending& module, NodeId dict, NodeId not_persistent) {
    const Pairs pairs = graph_.mapping(dict);
    for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) {
      if (graph_.is(pairs[i + 1], NodeKind::none)) continue;  // bias=False, affine=False
      const std::string name = name_of(graph_, pairs[i]);
      if (graph_.is(not_persistent, NodeKind::set)) count_work(graph_.items(not_persistent).size());
      if (!is_tensor_like(graph_, pairs[i + 1])) {
        throw Error(ErrorCode::invalid, "parameter '" + printable(join_path(module.path, name)) + "' is not a tensor");
      }
      if (contains_text(graph_, not_persistent, name)) {
        if (tree_.ignored.size() < max_tensors) tree_.ignored.push_back(join_path(module.path, name));
        continue;
      }
      add_entry(module, name, pairs[i + 1]);
    }
  }

  void add_entry(const Pending& module, const std::string& name, NodeId value) {
    if (tree_.entries.size() >= max_tensors) throw Error(ErrorCode::limit, "too many tensors");
    count_text(module.path.size() + name.size() + 1);
    tree_.entries.push_back({join_path(module.path, name), value});
  }

  /// One module may stand at many places of the tree, so time and text are not bounded by the file's size alone.
  void count_work(std::size_t amount) {
    work_ += amount;
    if (work_ > limits_.max_instructions) throw Error(ErrorCode::limit, "the module tree is too large");
  }
  void count_text(std::size_t amount) {
    text_ += amount;
    if (text_ > max_text) throw Error(ErrorCode::limit, "the module tree's names and attributes are too long");
  }

  const PickleGraph& graph_;
  const CheckpointLimits& limits_;
  ModuleTree tree_;
  std::vector<Pending> stack_;
  std::uint64_t work_ = 0;
  std::size_t text_ = 0;
};

}  // namespace

bool is_module(const PickleGraph& graph, NodeId id) {
  const Pairs attributes = graph.attributes(id);
  const auto is_mapping = [&](std::string_view name) {
    return graph.is(graph.lookup(attributes, name), NodeKind::dict);
  };
  return is_mapping("_parameters") && is_mapping("_modules");
}

ModuleTree read_module_tree(const PickleGraph& graph, NodeId root, const CheckpointLimits& limits) {
  return TreeReader(graph, limits).read(root, &TreeReader::visit_module);
}

ModuleTree read_script_module(const PickleGraph& graph, NodeId root, const CheckpointLimits& limits) {
  return TreeReader(graph, limits).read(root, &TreeReader::visit_script);
}

void strip_module_prefix(std::vector<Module>& modules, const std::string& prefix) {
  if (prefix.empty()) return;
  const std::string root = prefix.substr(0, prefix.size() - 1);
  std::erase_if(modules, [&](const Module& module) { return module.path != root && !module.path.starts_with(prefix); });
  for (Module& module : modules) module.path = module.path == root ? "" : module.path.substr(prefix.size());
}

}  // namespace bytecnn::exporter
