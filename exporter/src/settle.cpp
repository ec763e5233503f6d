#include "settle.hpp"

#include <charconv>
#include <concepts>
#include <utility>

#include "bytecnn/error.hpp"

namespace bytecnn::exporter {
namespace {

using Position = BatchNormSpec::Position;
using Padding = std::pair<std::uint32_t, std::uint32_t>;

std::string text_of(std::uint32_t number) {
  return std::to_string(number);
}
std::string text_of(bool value) {
  return value ? "true" : "false";
}
std::string text_of(const Activation& activation) {
  return to_string(activation);
}
std::string text_of(Pooling pooling) {
  return std::string(to_string(pooling));
}
std::string text_of(Output output) {
  return std::string(to_string(output));
}
std::string text_of(Position position) {
  return std::string(to_string(position));
}
std::string text_of(const Padding& padding) {
  return "[" + std::to_string(padding.first) + ", " + std::to_string(padding.second) + "]";
}
std::string text_of(const std::optional<std::uint32_t>& token) {
  return token ? std::to_string(*token) : "none";
}
std::string text_of(double number) {
  char buffer[32];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, number).ptr};
}

/// A value that is certain or likely, and who says so.
template <class T>
struct Known {
  std::optional<T> value;
  const char* source = "module";
};

/// Collects where each layer's value came from, to be written once where all layers agree.
class SourceLog {
 public:
  void add(const std::string& key, const std::string& layer, const std::string& source) {
    entries_[key].emplace_back(layer, source);
  }
  void write(std::map<std::string, std::string>& sources) const {
    for (const auto& [key, layers] : entries_) {
      bool alike = true;
      for (const auto& entry : layers) alike = alike && entry.second == layers.front().second;
      if (alike) {
        sources[key] = layers.front().second;
      } else {
        for (const auto& [layer, source] : layers) sources[layer + "." + key] = source;
      }
    }
  }

 private:
  std::map<std::string, std::vector<std::pair<std::string, std::string>>> entries_;
};

/// One layer's properties, each settled by the first source that speaks.
class LayerChooser {
 public:
  /// With `search_follows` a likely value is a default like any other.
  LayerChooser(SourceLog& log, std::string layer, std::string place, bool search_follows)
      : log_(log), layer_(std::move(layer)), place_(std::move(place)), search_follows_(search_follows) {}

  template <class T>
  T choose(const std::string& key, const std::string& pointer, const std::optional<T>& stated, const Known<T>& certain,
           const Known<T>& likely, const T& otherwise) {
    if (stated && certain.value && *stated != *certain.value) {
      contradiction(place_ + pointer, text_of(*certain.value) + " (" + certain.source + ")", text_of(*stated));
    }
    if (certain.value) return log_.add(key, layer_, certain.source), *certain.value;
    if (stated) return log_.add(key, layer_, "stated"), *stated;
    if (likely.value) return log_.add(key, layer_, search_follows_ ? "default" : likely.source), *likely.value;
    return log_.add(key, layer_, "default"), otherwise;
  }

 private:
  SourceLog& log_;
  std::string layer_, place_;
  bool search_follows_;
};

template <class T>
std::optional<T> agreed(const std::optional<T>& in_statement, const std::optional<T>& in_flag, const std::string& key,
                        const std::string& flag) {
  if (in_statement && in_flag && *in_statement != *in_flag) {
    throw Error(ErrorCode::usage, flag + " and the architecture statement contradict each other", "/" + key,
                text_of(*in_statement), text_of(*in_flag));
  }
  return in_flag ? in_flag : in_statement;
}

/// A size that the shapes give; a statement may repeat it.
void must_equal(const std::optional<std::uint32_t>& stated, std::uint64_t found, const std::string& place,
                const std::string& tensor) {
  if (stated && *stated != found) {
    contradiction(place, std::to_string(found) + " (shape of " + tensor + ")", std::to_string(*stated));
  }
}

Padding columns(const PaddingStatement& statement, const ConvLayer& layer) {
  ConvLayer copy = layer;
  statement.apply(copy);
  return {copy.pad_left, copy.pad_right};
}

/// What modules outside every nn.Sequential suggest: one kind of activation alone.
Known<Activation> loose_activation(const ModuleFacts& facts) {
  if (facts.loose_activations.size() == 1) return {facts.loose_activations.front(), "module"};
  return {};
}

void check_loose_activations(const ModuleFacts& facts, bool needed) {
  if (!needed || facts.loose_activations.size() < 2) return;
  std::string kinds;
  for (const Activation& kind : facts.loose_activations) kinds += (kinds.empty() ? "" : ", ") + to_string(kind);
  throw Error(ErrorCode::ambiguous,
              "the model has several kinds of activation, and its file does not say which layer uses which; state "
              "\"activation\" for every layer in an --architecture file",
              {}, "one kind of activation", kinds);
}

const SequenceFacts* sequence_of(const ModuleFacts& facts, const FoundLayer& layer) {
  const auto found = facts.sequences.find(layer.path);
  return found == facts.sequences.end() ? nullptr : &found->second;
}

void settle_batch_norm(ConvLayer& layer, const ChainConv& conv, const ModuleFacts& facts,
                       const ConvLayerStatement& stated, const RecognitionFlags& flags, LayerChooser& choose,
                       const std::string& place) {
  const std::optional<BatchNormStatement>& statement = stated.batch_norm;
  if (conv.batch_norm == nullptr) {
    if (statement && !statement->none) {
      contradiction(place + "/batch_norm", "none (no running statistics for " + conv.layer->path + ")", "a batch norm");
    }
    return;
  }
  if (statement && statement->none) {
    contradiction(place + "/batch_norm", "'" + conv.batch_norm->path + "' in the file", "null");
  }
  const auto eps_fact = facts.eps.find(conv.batch_norm->path);
  const auto eps =
      agreed(statement ? statement->eps : std::nullopt, flags.batch_norm_eps, "batch_norm/eps", "--bn-eps");
  const auto position = agreed(statement ? statement->position : std::nullopt, flags.batch_norm_position,
                               "batch_norm/position", "--bn-position");
  const SequenceFacts* sequence = sequence_of(facts, *conv.layer);
  if (sequence != nullptr && sequence->batch_norm != conv.batch_norm->path) sequence = nullptr;

  BatchNormSpec spec;
  spec.eps =
      choose.choose<double>("batch_norm_eps", "/batch_norm/eps", eps,
                            {eps_fact == facts.eps.end() ? std::nullopt : std::optional(eps_fact->second)}, {}, 1e-5);
  if (!conv.numbering_doubt.empty() && !position && !facts.present && !flags.search_follows) {
    throw Error(ErrorCode::ambiguous,
                "it cannot be told whether this batch norm stands before or behind the activation (" +
                    conv.numbering_doubt + "); say so with --bn-position before|after",
                conv.batch_norm->path);
  }
  spec.position = choose.choose<Position>("batch_norm_position", "/batch_norm/position", position,
                                          {sequence != nullptr ? sequence->position : std::nullopt},
                                          {facts.present ? std::nullopt : conv.position_by_numbering, "sequential"},
                                          Position::before_activation);
  layer.batch_norm = spec;
}

ConvLayer settle_conv(const ChainConv& conv, std::size_t index, const ModuleFacts& facts,
                      const ArchitectureStatement& statement, const RecognitionFlags& flags, SourceLog& log) {
  const ConvLayerStatement stated = statement.conv_layers ? (*statement.conv_layers)[index] : ConvLayerStatement{};
  const std::string place = "/conv_layers/" + std::to_string(index);
  const std::string& tensor = conv.layer->weight->name;
  LayerChooser choose(log, "conv" + std::to_string(index + 1), place, flags.search_follows);

  ConvLayer layer;
  layer.filters = conv.filters;
  layer.kernel_size = conv.kernel_size;
  layer.groups = conv.groups;
  must_equal(stated.filters, conv.filters, place + "/filters", tensor);
  must_equal(stated.kernel_size, conv.kernel_size, place + "/kernel_size", tensor);
  must_equal(stated.groups, conv.groups, place + "/groups", tensor);

  const auto fact = facts.convs.find(conv.layer->path);
  const ConvFacts* known = fact == facts.convs.end() ? nullptr : &fact->second;
  if (known != nullptr && known->groups != conv.groups) {
    throw Error(ErrorCode::invalid, "the module's groups do not fit its weight", "module " + conv.layer->path,
                std::to_string(conv.groups), std::to_string(known->groups));
  }
  if (conv.groups > 1) log.add("groups", "conv" + std::to_string(index + 1), "shapes");
  using Number = Known<std::uint32_t>;
  layer.stride =
      choose.choose<std::uint32_t>("stride", "/stride", stated.stride, known ? Number{known->stride} : Number{}, {}, 1);
  layer.dilation = choose.choose<std::uint32_t>("dilation", "/dilation", stated.dilation,
                                                known ? Number{known->dilation} : Number{}, {}, 1);
  std::optional<Padding> stated_padding;
  if (stated.padding) stated_padding = columns(*stated.padding, layer);
  const Padding padding = choose.choose<Padding>(
      "padding", "/padding", stated_padding, known ? Known<Padding>{columns(known->padding, layer)} : Known<Padding>{},
      {}, columns({.kind = PaddingStatement::Kind::same}, layer));
  layer.pad_left = padding.first;
  layer.pad_right = padding.second;

  const SequenceFacts* sequence = sequence_of(facts, *conv.layer);
  const bool certain = sequence != nullptr && sequence->activation;
  check_loose_activations(facts, !certain && !stated.activation && !flags.search_follows);
  layer.activation = choose.choose<Activation>("activation", "/activation", stated.activation,
                                               certain ? Known<Activation>{*sequence->activation} : Known<Activation>{},
                                               loose_activation(facts), {.kind = Activation::Kind::relu});
  settle_batch_norm(layer, conv, facts, stated, flags, choose, place);
  if (conv.residual_by_name && !stated.residual && !flags.search_follows) {
    throw Error(
        ErrorCode::ambiguous,
        "the name speaks of a residual connection, which tensors do not show; state \"residual\": true or false "
        "for this layer in an --architecture file",
        tensor);
  }
  layer.residual = choose.choose<bool>("residual", "/residual", stated.residual, {}, {}, false);
  return layer;
}

DenseLayer settle_dense(const FoundLayer& found, std::size_t index, const ModuleFacts& facts,
                        const ArchitectureStatement& statement, const RecognitionFlags& flags, SourceLog& log) {
  const DenseLayerStatement stated = statement.dense_layers ? (*statement.dense_layers)[index] : DenseLayerStatement{};
  const std::string place = "/dense_layers/" + std::to_string(index);
  LayerChooser choose(log, "dense" + std::to_string(index + 1), place, flags.search_follows);
  DenseLayer layer;
  layer.units = static_cast<std::uint32_t>(found.shape()[0]);
  must_equal(stated.units, layer.units, place + "/units", found.weight->name);
  const SequenceFacts* sequence = sequence_of(facts, found);
  const bool certain = sequence != nullptr && sequence->activation;
  check_loose_activations(facts, !certain && !stated.activation && !flags.search_follows);
  layer.activation = choose.choose<Activation>("dense_activation", "/activation", stated.activation,
                                               certain ? Known<Activation>{*sequence->activation} : Known<Activation>{},
                                               loose_activation(facts), {.kind = Activation::Kind::relu});
  return layer;
}

Pooling settle_pooling(const LayerChain& chain, const ModuleFacts& facts, const ArchitectureStatement& statement,
                       const RecognitionFlags& flags, std::map<std::string, std::string>& sources) {
  const auto factor = [](Pooling pooling) {
    return pooling == Pooling::concat_avg_max ? 2U : pooling == Pooling::concat_avg_max_std ? 3U : 1U;
  };
  if (const auto stated = stated_pooling(statement, flags)) {
    if (factor(*stated) != chain.pooled_factor) {
      const FoundLayer& first = chain.dense.empty() ? *chain.output : *chain.dense.front();
      contradiction("/pooling",
                    "a pooling that gives " + std::to_string(chain.pooled_factor) + " x " +
                        std::to_string(chain.convs.back().filters) + " features (shape of " + first.weight->name + ")",
                    std::string(to_string(*stated)));
    }
    sources["pooling"] = "stated";
    return *stated;
  }
  if (chain.pooled_factor > 1) {
    sources["pooling"] = "shapes";
    return chain.pooled_factor == 2 ? Pooling::concat_avg_max : Pooling::concat_avg_max_std;
  }
  if (facts.adaptive_max || facts.adaptive_avg) {
    sources["pooling"] = flags.search_follows ? "default" : "module";
    return !facts.adaptive_avg ? Pooling::max : !facts.adaptive_max ? Pooling::avg : Pooling::avg_max;
  }
  sources["pooling"] = "default";
  return Pooling::avg_max;
}

Output settle_output(const LayerChain& chain, const ModuleFacts& facts, const ArchitectureStatement& statement,
                     std::uint32_t outputs, std::map<std::string, std::string>& sources) {
  const SequenceFacts* sequence = sequence_of(facts, *chain.output);
  Known<Output> likely{facts.output};
  if (sequence != nullptr && sequence->activation && sequence->activation->kind != Activation::Kind::none) {
    if (sequence->activation->kind != Activation::Kind::sigmoid) {
      throw Error(ErrorCode::unsupported, "the output layer may be followed by a sigmoid or a softmax alone",
                  "module " + chain.output->path, "sigmoid, softmax or nothing", to_string(*sequence->activation));
    }
    likely.value = Output::sigmoid;
  }
  SourceLog log;
  const Output output = LayerChooser(log, "output", "", /*search_follows=*/false)
                            .choose<Output>("output", "/output", statement.output, {}, likely,
                                            outputs == 1 ? Output::sigmoid : Output::softmax);
  log.write(sources);
  return output;
}

void check_sizes(const LayerChain& chain, const ArchitectureStatement& statement) {
  const std::string& embedding = chain.embedding->weight->name;
  const auto outputs = static_cast<std::uint64_t>(chain.output->shape()[0]);
  must_equal(statement.vocab_size, chain.vocab_size, "/vocab_size", embedding);
  must_equal(statement.embed_dim, chain.embed_dim, "/embed_dim", embedding);
  must_equal(statement.outputs, outputs, "/outputs", chain.output->weight->name);
  must_equal(statement.conv_filters, chain.convs.front().filters, "/conv_filters",
             chain.convs.front().layer->weight->name);
  must_equal(statement.kernel_size, chain.convs.front().kernel_size, "/kernel_size",
             chain.convs.front().layer->weight->name);
  if (statement.conv_layers && statement.conv_layers->size() != chain.convs.size()) {
    contradiction("/conv_layers", std::to_string(chain.convs.size()) + " convolutions in the file",
                  std::to_string(statement.conv_layers->size()));
  }
  if (statement.dense_layers && statement.dense_layers->size() != chain.dense.size()) {
    contradiction("/dense_layers", std::to_string(chain.dense.size()) + " hidden dense layers in the file",
                  std::to_string(statement.dense_layers->size()));
  }
  if (statement.dense_dim) {
    if (chain.dense.empty())
      contradiction("/dense_dim", "no hidden dense layer in the file", std::to_string(*statement.dense_dim));
    must_equal(statement.dense_dim, static_cast<std::uint64_t>(chain.dense.front()->shape()[0]), "/dense_dim",
               chain.dense.front()->weight->name);
  }
}

}  // namespace

void contradiction(const std::string& place, const std::string& known, const std::string& stated) {
  throw Error(ErrorCode::invalid, "what is stated contradicts the checkpoint", "architecture statement " + place, known,
              stated);
}

std::optional<Pooling> stated_pooling(const ArchitectureStatement& statement, const RecognitionFlags& flags) {
  return agreed(statement.pooling, flags.pooling, "pooling", "--pooling");
}

std::optional<std::uint32_t> stated_max_len(const ArchitectureStatement& statement, const RecognitionFlags& flags) {
  return agreed(statement.max_len, flags.max_len, "max_len", "--max-len");
}

std::optional<std::optional<std::uint32_t>> stated_pad_token(const ArchitectureStatement& statement,
                                                             const RecognitionFlags& flags) {
  return agreed(statement.pad_token, flags.pad_token, "pad_token", "--pad-token");
}

void settle_input(Architecture& architecture, std::map<std::string, std::string>& sources,
                  std::optional<std::uint32_t> padding_idx, const ArchitectureStatement& statement,
                  const RecognitionFlags& flags, std::vector<std::string>& warnings) {
  const auto max_len = stated_max_len(statement, flags);
  architecture.max_len = max_len.value_or(512);
  sources["max_len"] = max_len ? "stated" : "default";
  const auto pad_token = stated_pad_token(statement, flags);
  if (pad_token) {
    architecture.pad_token = *pad_token;
    sources["pad_token"] = "stated";
  } else if (padding_idx) {
    architecture.pad_token = *padding_idx;
    sources["pad_token"] = flags.search_follows ? "default" : "module";
  } else {
    architecture.pad_token = 0;
    sources["pad_token"] = "default";
    if (architecture.vocab_size > 256 && !flags.search_follows) {
      warnings.push_back(
          "the vocabulary has " + std::to_string(architecture.vocab_size) +
          " entries and no pad token is stated: 0 is assumed; a model with more entries than bytes often "
          "pads with entry 256 (--pad-token 256)");
    }
  }
  if (architecture.pad_token && *architecture.pad_token >= architecture.vocab_size) {
    throw Error(ErrorCode::invalid, "the pad token is not in the vocabulary", "/pad_token",
                "less than " + std::to_string(architecture.vocab_size), std::to_string(*architecture.pad_token));
  }
}

SettledArchitecture settle_architecture(const LayerChain& chain, const ModuleFacts& facts,
                                        const ArchitectureStatement& statement, const RecognitionFlags& flags,
                                        std::vector<std::string>& warnings) {
  check_sizes(chain, statement);
  SettledArchitecture settled;
  Architecture& architecture = settled.architecture;
  architecture.vocab_size = chain.vocab_size;
  architecture.embed_dim = chain.embed_dim;
  SourceLog log;
  for (std::size_t i = 0; i < chain.convs.size(); ++i) {
    architecture.conv_layers.push_back(settle_conv(chain.convs[i], i, facts, statement, flags, log));
  }
  for (std::size_t i = 0; i < chain.dense.size(); ++i) {
    architecture.dense_layers.push_back(settle_dense(*chain.dense[i], i, facts, statement, flags, log));
  }
  log.write(settled.sources);
  architecture.pooling = settle_pooling(chain, facts, statement, flags, settled.sources);
  architecture.outputs = static_cast<std::uint32_t>(chain.output->shape()[0]);
  architecture.output = settle_output(chain, facts, statement, architecture.outputs, settled.sources);
  const auto padding_idx = facts.padding_idx.find(chain.embedding->path);
  settle_input(architecture, settled.sources,
               padding_idx == facts.padding_idx.end() ? std::nullopt : padding_idx->second, statement, flags, warnings);
  if (flags.batch_norm_eps || flags.batch_norm_position) {
    bool any = false;
    for (const ChainConv& conv : chain.convs) any = any || conv.batch_norm != nullptr;
    if (!any) warnings.emplace_back("the model has no batch norm: --bn-eps and --bn-position have no effect");
  }
  return settled;
}

}  // namespace bytecnn::exporter
