#include "write_python.hpp"

#include <algorithm>
#include <cctype>
#include <span>

#include "bytecnn/version.hpp"

#include "source_text.hpp"

namespace bytecnn::exporter {
namespace {

/// The same for every model: it follows ARCHITECTURE.
constexpr const char* predict_code = R"PY(
_TOO_SHORT = "the input is too short for this model, which does not pad"


def _sigmoid(x):
    if x >= 0.0:
        return 1.0 / (1.0 + math.exp(-x))
    e = math.exp(x)
    return e / (1.0 + e)


def _activation(name):
    """The function of one number that `name` stands for."""
    if name.startswith("leaky_relu"):
        slope = float(name[len("leaky_relu(") : -1])
        return lambda x: x if x > 0.0 else x * slope
    return {
        "none": lambda x: x,
        "relu": lambda x: x if x > 0.0 else 0.0,
        "gelu": lambda x: 0.5 * x * math.erfc(-x / math.sqrt(2.0)),
        "silu": lambda x: x * _sigmoid(x),
        "tanh": math.tanh,
        "sigmoid": _sigmoid,
    }[name]


def _conv_block(layer, weights, columns, ids):
    """One conv block. Position p of the input is columns[ids[p]]; the result has the same form.

    Windows that hold the same columns give the same result, so each different window is computed once: padding and
    repetitions cost next to nothing.
    """
    weight, bias, scale, shift = weights
    stride, dilation, groups, residual = layer["stride"], layer["dilation"], layer["groups"], layer["residual"]
    left, right = layer["padding"]
    activate = _activation(layer["activation"])
    reach = dilation * (layer["kernel_size"] - 1)
    channels = len(columns[0])
    inputs = channels // groups  # channels that one filter sees
    filters = layer["filters"] // groups  # filters of one group
    rows = [[w for taps in row for w in taps] for row in weight]
    zeros = [0.0] * channels
    padded = [None] * left + ids + [None] * right
    known, new_columns, new_ids = {}, [], []
    for start in range(0, len(padded) - reach, stride):
        window = tuple(padded[start : start + reach + 1 : dilation])
        block_input = ids[len(new_ids)] if residual else None
        if (window, block_input) not in known:
            taps = [zeros if i is None else columns[i] for i in window]
            flat = [[tap[c] for c in range(g * inputs, (g + 1) * inputs) for tap in taps] for g in range(groups)]
            column = []
            for f, row in enumerate(rows):
                value = activate(bias[f] + sum(map(operator.mul, row, flat[f // filters])))
                if scale is not None:
                    value = value * scale[f] + shift[f]
                if residual:
                    value += columns[block_input][f]
                column.append(value)
            known[window, block_input] = len(new_columns)
            new_columns.append(column)
        new_ids.append(known[window, block_input])
    if not new_ids:
        raise ValueError(_TOO_SHORT)
    return new_columns, new_ids


def _pool(columns, ids):
    """Global pooling over all positions."""
    kind, n = ARCHITECTURE["pooling"], len(ids)
    average, maximum, deviation = [], [], []
    for values in zip(*(columns[i] for i in ids)):
        mean = sum(values) / n
        average.append(mean)
        maximum.append(max(values))
        if kind == "concat_avg_max_std":
            deviation.append(math.sqrt(sum((v - mean) ** 2 for v in values) / (n - 1) + 1e-5))
    if kind == "max":
        return maximum
    if kind == "avg":
        return average
    if kind == "avg_max":
        return [(a + m) / 2.0 for a, m in zip(average, maximum)]
    return average + maximum + deviation


def _dense(weight, bias, activate, x):
    return [activate(b + sum(map(operator.mul, row, x))) for row, b in zip(weight, bias)]


def logits(data: bytes) -> list[float]:
    """The numbers before the sigmoid or softmax, one for each output."""
    max_len, pad_token = ARCHITECTURE["max_len"], ARCHITECTURE["pad_token"]
    ids = list(data[:max_len])
    if pad_token is not None:
        ids += [pad_token] * (max_len - len(ids))
    columns = EMBEDDING_WEIGHT
    for layer, weights in zip(ARCHITECTURE["conv_layers"], _CONV_WEIGHTS):
        columns, ids = _conv_block(layer, weights, columns, ids)
    if len(ids) < (2 if ARCHITECTURE["pooling"] == "concat_avg_max_std" else 1):
        raise ValueError(_TOO_SHORT)
    x = _pool(columns, ids)
    for layer, (weight, bias) in zip(ARCHITECTURE["dense_layers"], _DENSE_WEIGHTS):
        x = _dense(weight, bias, _activation(layer["activation"]), x)
    return _dense(OUTPUT_WEIGHT, OUTPUT_BIAS, _activation("none"), x)


def predict(data: bytes) -> list[float]:
    """The scores of `data`, one for each output: probabilities, or the logits where the model has no output function."""
    values = logits(data)
    if ARCHITECTURE["output"] == "sigmoid":
        return [_sigmoid(v) for v in values]
    if ARCHITECTURE["output"] == "softmax":
        powers = [math.exp(v - max(values)) for v in values]
        return [p / sum(powers) for p in powers]
    return values


if __name__ == "__main__":
    for path in sys.argv[1:]:
        with open(path, "rb") as file:
            print(path, predict(file.read()))
)PY";

std::string joined(const std::vector<std::string>& items, const char* open, const char* close) {
  std::string text = open;
  for (std::size_t i = 0; i < items.size(); ++i) text += (i ? ", " : "") + items[i];
  return text + close;
}

std::string python_map(const std::map<std::string, std::string>& map) {
  std::vector<std::string> items;
  for (const auto& [key, value] : map) items.push_back(python_string(key) + ": " + python_string(value));
  return joined(items, "{", "}");
}

std::string python_bool(bool value) {
  return value ? "True" : "False";
}

/// Nested lists, one line for each innermost row of a matrix, for each filter of a convolution.
std::string python_list(std::span<const float> values, std::span<const std::size_t> shape) {
  if (shape.size() == 1) {
    std::string text = "[";
    for (std::size_t i = 0; i < values.size(); ++i) text += (i ? ", " : "") + decimal(values[i]);
    return text + "]";
  }
  const std::size_t step = values.size() / shape[0];
  const bool lines = shape.size() > 1;
  std::string text = "[";
  for (std::size_t i = 0; i < shape[0]; ++i) {
    const std::string row = python_list(values.subspan(i * step, step), shape.subspan(1));
    text += (lines && shape.size() == 2 ? "\n    " : i ? " " : "") + row + ",";
  }
  text.pop_back();
  return text + (shape.size() == 2 ? ",\n]" : "]");
}

/// [filters][channels][taps]: one line a filter.
std::string python_conv(std::span<const float> values, std::size_t filters, std::size_t channels, std::size_t taps) {
  std::string text = "[";
  const std::size_t step = channels * taps;
  for (std::size_t f = 0; f < filters; ++f) {
    text += "\n    [";
    for (std::size_t c = 0; c < channels; ++c) {
      const std::size_t shape[] = {taps};
      text += (c ? ", " : "") + python_list(values.subspan(f * step + c * taps, taps), shape);
    }
    text += "],";
  }
  return text + "\n]";
}

std::string python_vector(std::span<const float> values) {
  const std::size_t shape[] = {values.size()};
  return python_list(values, shape);
}

std::string python_matrix(std::span<const float> values, std::size_t rows) {
  const std::size_t shape[] = {rows, values.size() / rows};
  return python_list(values, shape);
}

std::string info_text(const ModelInfo& info) {
  std::string text = "MODEL_INFO = {\n";
  const auto add = [&](const char* key, const std::string& value) {
    text += "    \"" + std::string(key) + "\": " + value + ",\n";
  };
  add("name", python_string(info.name));
  add("version", python_string(info.version));
  add("parameters", std::to_string(info.parameters));
  if (info.accuracy) add("accuracy", decimal(*info.accuracy));
  if (!info.exported.empty()) add("exported", python_string(info.exported));
  if (!info.labels.empty()) {
    std::vector<std::string> labels;
    for (const std::string& label : info.labels) labels.push_back(python_string(label));
    add("labels", joined(labels, "[", "]"));
  }
  if (info.threshold) add("threshold", decimal(*info.threshold));
  add("source", python_map(info.source));
  add("assumed", python_map(info.assumed));
  return text + "}\n";
}

std::string conv_layer_text(const ConvLayer& layer) {
  std::string norm = "None";
  if (layer.batch_norm) {
    norm = "{\"eps\": " + decimal(layer.batch_norm->eps) +
           ", \"position\": " + python_string(to_string(layer.batch_norm->position)) + "}";
  }
  return "{\"filters\": " + std::to_string(layer.filters) + ", \"kernel_size\": " + std::to_string(layer.kernel_size) +
         ", \"stride\": " + std::to_string(layer.stride) + ", \"dilation\": " + std::to_string(layer.dilation) +
         ", \"groups\": " + std::to_string(layer.groups) + ", \"padding\": [" + std::to_string(layer.pad_left) + ", " +
         std::to_string(layer.pad_right) + "], \"activation\": " + python_string(to_string(layer.activation)) +
         ", \"batch_norm\": " + norm + ", \"residual\": " + python_bool(layer.residual) + "}";
}

std::string architecture_text(const Architecture& architecture) {
  std::string text = "ARCHITECTURE = {\n    \"vocab_size\": " + std::to_string(architecture.vocab_size) +
                     ",\n    \"embed_dim\": " + std::to_string(architecture.embed_dim) + ",\n    \"conv_layers\": [\n";
  for (const ConvLayer& layer : architecture.conv_layers) text += "        " + conv_layer_text(layer) + ",\n";
  text += "    ],\n    \"pooling\": " + python_string(to_string(architecture.pooling)) + ",\n    \"dense_layers\": [\n";
  for (const DenseLayer& layer : architecture.dense_layers) {
    text += "        {\"units\": " + std::to_string(layer.units) +
            ", \"activation\": " + python_string(to_string(layer.activation)) + "},\n";
  }
  return text + "    ],\n    \"output\": " + python_string(to_string(architecture.output)) +
         ",\n    \"max_len\": " + std::to_string(architecture.max_len) +
         ",\n    \"pad_token\": " + (architecture.pad_token ? std::to_string(*architecture.pad_token) : "None") +
         ",\n}\n";
}

}  // namespace

std::string to_python(const Model& model) {
  const Architecture& architecture = model.architecture;
  const Weights& weights = model.weights;
  std::string text = "\"\"\"A byte-level CNN as plain Python, written by bytecnn-export " BYTECNN_VERSION
                     ".\n\npredict(data) takes bytes and needs nothing but the standard library.\n\"\"\"\n\n"
                     "from __future__ import annotations\n\nimport math\nimport operator\nimport sys\n\n";
  text += info_text(model.info) + "\n" + architecture_text(architecture) + "\n";
  text += "# [vocab_size][embed_dim]\nEMBEDDING_WEIGHT = " + python_matrix(weights.embedding, architecture.vocab_size) +
          "\n\n";
  std::vector<std::string> convs;
  for (std::size_t i = 0; i < weights.conv.size(); ++i) {
    const ConvWeights& conv = weights.conv[i];
    const ConvLayer& layer = architecture.conv_layers[i];
    const std::string name = "CONV" + std::to_string(i + 1);
    text += "# [filters][channels][kernel_size]\n";
    text += name + "_WEIGHT = " +
            python_conv(conv.weight, layer.filters, architecture.in_channels(i) / layer.groups, layer.kernel_size) +
            "\n";
    text += name + "_BIAS = " + python_vector(conv.bias) + "\n";
    if (!conv.scale.empty()) {
      text += "# batch norm behind the activation\n" + name + "_SCALE = " + python_vector(conv.scale) + "\n" + name +
              "_SHIFT = " + python_vector(conv.shift) + "\n";
    }
    text += "\n";
    convs.push_back("(" + name + "_WEIGHT, " + name + "_BIAS, " +
                    (conv.scale.empty() ? "None, None)" : name + "_SCALE, " + name + "_SHIFT)"));
  }
  std::vector<std::string> denses;
  for (std::size_t i = 0; i < weights.dense.size(); ++i) {
    const std::string name = weights.dense.size() == 1 ? "CLASSIFIER" : "DENSE" + std::to_string(i + 1);
    text += "# [units][inputs]\n" + name +
            "_WEIGHT = " + python_matrix(weights.dense[i].weight, architecture.dense_layers[i].units) + "\n" + name +
            "_BIAS = " + python_vector(weights.dense[i].bias) + "\n\n";
    denses.push_back("(" + name + "_WEIGHT, " + name + "_BIAS)");
  }
  text += "# [outputs][inputs]\nOUTPUT_WEIGHT = " + python_matrix(weights.output.weight, architecture.outputs) +
          "\nOUTPUT_BIAS = " + python_vector(weights.output.bias) + "\n\n";
  text += "_CONV_WEIGHTS = " + joined(convs, "[", "]") + "\n_DENSE_WEIGHTS = " + joined(denses, "[", "]") + "\n";
  return text + predict_code;
}

}  // namespace bytecnn::exporter
