#include "recognise.hpp"

#include <utility>

#include "bytecnn/error.hpp"

#include "layer_chain.hpp"
#include "layer_inventory.hpp"
#include "module_facts.hpp"
#include "settle.hpp"

namespace bytecnn::exporter {
namespace {

std::vector<double> bias_of(const FoundLayer& layer, std::size_t units) {
  return layer.bias == nullptr ? std::vector<double>{} : layer_vector(*layer.bias, units);
}

OriginalDense read_dense(const FoundLayer& layer) {
  OriginalDense dense;
  dense.bias = bias_of(layer, static_cast<std::size_t>(layer.shape()[0]));
  dense.weight = layer_weight(layer);
  return dense;
}

OriginalBatchNorm read_batch_norm(const FoundLayer& layer, std::size_t channels) {
  OriginalBatchNorm norm;
  norm.mean = layer_vector(*layer.running_mean, channels);
  norm.variance = layer_vector(*layer.running_var, channels);
  for (std::size_t i = 0; i < channels; ++i) {
    if (norm.variance[i] < 0) {
      throw Error(ErrorCode::invalid, "a running variance is negative", layer.running_var->name, "at least 0",
                  std::to_string(norm.variance[i]) + " in channel " + std::to_string(i));
    }
  }
  if ((layer.weight == nullptr) != (layer.bias == nullptr)) {
    throw Error(ErrorCode::invalid, "the batch norm '" + layer.path + "' has half of its affine parameters",
                layer.weight != nullptr ? layer.weight->name : layer.bias->name, "weight and bias, or neither");
  }
  norm.gamma = layer.weight != nullptr ? layer_vector(*layer.weight, channels) : std::vector<double>(channels, 1.0);
  norm.beta = layer.bias != nullptr ? layer_vector(*layer.bias, channels) : std::vector<double>(channels, 0.0);
  return norm;
}

/// A statement may repeat what the graph says, never contradict it.
void check_against_graph(const Original& original, const ArchitectureStatement& statement,
                         const RecognitionFlags& flags) {
  const Architecture& graph = original.architecture;
  const auto same = [](const auto& stated, const auto& found, const std::string& place, const std::string& text,
                       const std::string& stated_text) {
    if (stated && *stated != found) contradiction(place, text + " (TorchScript graph)", stated_text);
  };
  const auto same_number = [&](const std::optional<std::uint32_t>& stated, std::uint32_t found,
                               const std::string& place) {
    same(stated, found, place, std::to_string(found), stated ? std::to_string(*stated) : "");
  };
  const auto same_activation = [&](const std::optional<Activation>& stated, const Activation& found,
                                   const std::string& place) {
    same(stated, found, place, to_string(found), stated ? to_string(*stated) : "");
  };
  same_number(statement.vocab_size, graph.vocab_size, "/vocab_size");
  same_number(statement.embed_dim, graph.embed_dim, "/embed_dim");
  same_number(statement.outputs, graph.outputs, "/outputs");
  if (!graph.conv_layers.empty()) {
    same_number(statement.conv_filters, graph.conv_layers.front().filters, "/conv_filters");
    same_number(statement.kernel_size, graph.conv_layers.front().kernel_size, "/kernel_size");
  }
  if (const auto pooling = stated_pooling(statement, flags)) {
    same(pooling, graph.pooling, "/pooling", std::string(to_string(graph.pooling)), std::string(to_string(*pooling)));
  }
  if (statement.conv_layers) {
    if (statement.conv_layers->size() != graph.conv_layers.size()) {
      contradiction("/conv_layers", std::to_string(graph.conv_layers.size()) + " convolutions (TorchScript graph)",
                    std::to_string(statement.conv_layers->size()));
    }
    for (std::size_t i = 0; i < graph.conv_layers.size(); ++i) {
      const ConvLayerStatement& stated = (*statement.conv_layers)[i];
      const ConvLayer& layer = graph.conv_layers[i];
      const std::string place = "/conv_layers/" + std::to_string(i);
      same_number(stated.filters, layer.filters, place + "/filters");
      same_number(stated.kernel_size, layer.kernel_size, place + "/kernel_size");
      same_number(stated.stride, layer.stride, place + "/stride");
      same_number(stated.dilation, layer.dilation, place + "/dilation");
      same_number(stated.groups, layer.groups, place + "/groups");
      same_activation(stated.activation, layer.activation, place + "/activation");
      if (stated.padding) {
        ConvLayer padded = layer;
        stated.padding->apply(padded);
        same_number(padded.pad_left, layer.pad_left, place + "/padding");
        same_number(padded.pad_right, layer.pad_right, place + "/padding");
      }
      if (stated.residual && *stated.residual != layer.residual) {
        contradiction(place + "/residual", std::string(layer.residual ? "true" : "false") + " (TorchScript graph)",
                      *stated.residual ? "true" : "false");
      }
      if (stated.batch_norm && stated.batch_norm->none && layer.batch_norm) {
        contradiction(place + "/batch_norm", "a batch norm (TorchScript graph)", "null");
      }
      // A frozen graph may have folded its batch norm already, so a stated one need not show there.
      if (stated.batch_norm && layer.batch_norm) {
        if (stated.batch_norm->eps && *stated.batch_norm->eps != layer.batch_norm->eps) {
          contradiction(place + "/batch_norm/eps", std::to_string(layer.batch_norm->eps) + " (TorchScript graph)",
                        std::to_string(*stated.batch_norm->eps));
        }
        same(stated.batch_norm->position, layer.batch_norm->position, place + "/batch_norm/position",
             std::string(to_string(layer.batch_norm->position)),
             stated.batch_norm->position ? std::string(to_string(*stated.batch_norm->position)) : "");
      }
    }
  }
  if (statement.dense_layers) {
    if (statement.dense_layers->size() != graph.dense_layers.size()) {
      contradiction("/dense_layers", std::to_string(graph.dense_layers.size()) + " hidden layers (TorchScript graph)",
                    std::to_string(statement.dense_layers->size()));
    }
    for (std::size_t i = 0; i < graph.dense_layers.size(); ++i) {
      const std::string place = "/dense_layers/" + std::to_string(i);
      same_number((*statement.dense_layers)[i].units, graph.dense_layers[i].units, place + "/units");
      same_activation((*statement.dense_layers)[i].activation, graph.dense_layers[i].activation, place + "/activation");
    }
  }
}

}  // namespace

Original recognise(const Checkpoint& checkpoint, const ArchitectureStatement& statement, const RecognitionFlags& flags,
                   std::vector<std::string>* warnings) {
  std::vector<std::string> unheard;
  std::vector<std::string>& heard = warnings != nullptr ? *warnings : unheard;

  const ModuleFacts facts = read_module_facts(checkpoint);
  const LayerInventory inventory = take_inventory(checkpoint);
  const LayerChain chain = chain_layers(inventory,
                                        {.statement = statement,
                                         .labels = flags.labels,
                                         .modules_known = facts.present,
                                         .pooling_stated = stated_pooling(statement, flags).has_value(),
                                         .search_follows = flags.search_follows},
                                        heard);
  SettledArchitecture settled = settle_architecture(chain, facts, statement, flags, heard);
  heard.insert(heard.end(), facts.warnings.begin(), facts.warnings.end());

  Original original;
  original.architecture = std::move(settled.architecture);
  original.sources = std::move(settled.sources);
  original.parameters = inventory.parameters;
  original.embedding = layer_weight(*chain.embedding);
  for (const ChainConv& found : chain.convs) {
    OriginalConv conv;
    conv.bias = bias_of(*found.layer, found.filters);
    if (found.batch_norm != nullptr) conv.batch_norm = read_batch_norm(*found.batch_norm, found.filters);
    conv.weight = layer_weight(*found.layer);
    original.conv.push_back(std::move(conv));
  }
  for (const FoundLayer* layer : chain.dense) original.dense.push_back(read_dense(*layer));
  original.output = read_dense(*chain.output);
  validate(original.architecture);
  return original;
}

void complete_from_statement(Original& original, const ArchitectureStatement& statement, const RecognitionFlags& flags,
                             std::vector<std::string>* warnings) {
  std::vector<std::string> unheard;
  std::vector<std::string>& heard = warnings != nullptr ? *warnings : unheard;
  check_against_graph(original, statement, flags);
  Architecture& architecture = original.architecture;
  settle_input(architecture, original.sources, std::nullopt, statement, flags, heard);
  const auto known = original.sources.find("output");
  const bool in_graph = known != original.sources.end() && known->second == "torchscript";
  if (statement.output && in_graph && *statement.output != architecture.output) {
    contradiction("/output", std::string(to_string(architecture.output)) + " (TorchScript graph)",
                  std::string(to_string(*statement.output)));
  }
  if (!in_graph) {
    original.sources["output"] = statement.output ? "stated" : "default";
    architecture.output = statement.output.value_or(architecture.outputs == 1 ? Output::sigmoid : Output::softmax);
  }
  validate(architecture);
}

}  // namespace bytecnn::exporter
