#include "checkpoint/torchscript_allow_list.hpp"

#include <algorithm>
#include <span>

namespace bytecnn::exporter {
namespace {

constexpr std::string_view operators[] = {"ScalarImplicit",
                                          "__and__",
                                          "__contains__",
                                          "__derive_index",
                                          "__getitem__",
                                          "__is__",
                                          "__isnot__",
                                          "__not__",
                                          "__or__",
                                          "__range_length",
                                          "_convolution",
                                          "_convolution_mode",
                                          "_log_softmax",
                                          "_softmax",
                                          "_weight_norm",
                                          "abs",
                                          "adaptive_avg_pool1d",
                                          "adaptive_max_pool1d",
                                          "add",
                                          "add_",
                                          "addmm",
                                          "alias",
                                          "amax",
                                          "amin",
                                          "append",
                                          "argmax",
                                          "avg_pool1d",
                                          "batch_norm",
                                          "bmm",
                                          "cat",
                                          "celu",
                                          "celu_",
                                          "chunk",
                                          "clamp",
                                          "clamp_",
                                          "clamp_min",
                                          "clamp_min_",
                                          "clone",
                                          "concat",
                                          "constant_pad_nd",
                                          "contiguous",
                                          "conv1d",
                                          "detach",
                                          "dim",
                                          "div",
                                          "div_",
                                          "dropout",
                                          "dropout_",
                                          "elu",
                                          "elu_",
                                          "embedding",
                                          "eq",
                                          "exp",
                                          "feature_dropout",
                                          "feature_dropout_",
                                          "flatten",
                                          "floordiv",
                                          "format",
                                          "ge",
                                          "gelu",
                                          "gt",
                                          "hardsigmoid",
                                          "hardswish",
                                          "hardswish_",
                                          "hardtanh",
                                          "hardtanh_",
                                          "layer_norm",
                                          "le",
                                          "leaky_relu",
                                          "leaky_relu_",
                                          "len",
                                          "linear",
                                          "list",
                                          "log",
                                          "log_sigmoid",
                                          "log_softmax",
                                          "lt",
                                          "mT",
                                          "masked_fill",
                                          "matmul",
                                          "max",
                                          "max_pool1d",
                                          "max_pool1d_with_indices",
                                          "mean",
                                          "min",
                                          "mish",
                                          "mish_",
                                          "mul",
                                          "mul_",
                                          "narrow",
                                          "ne",
                                          "neg",
                                          "numel",
                                          "pad",
                                          "permute",
                                          "pow",
                                          "prelu",
                                          "reciprocal",
                                          "relu",
                                          "relu6",
                                          "relu6_",
                                          "relu_",
                                          "remainder",
                                          "reshape",
                                          "rsqrt",
                                          "rsub",
                                          "select",
                                          "selu",
                                          "selu_",
                                          "sigmoid",
                                          "sigmoid_",
                                          "silu",
                                          "silu_",
                                          "size",
                                          "slice",
                                          "softmax",
                                          "softplus",
                                          "sqrt",
                                          "squeeze",
                                          "stack",
                                          "std",
                                          "sub",
                                          "sub_",
                                          "sum",
                                          "t",
                                          "tanh",
                                          "tanh_",
                                          "to",
                                          "transpose",
                                          "type_as",
                                          "unbind",
                                          "unflatten",
                                          "unsqueeze",
                                          "var",
                                          "view",
                                          "view_as",
                                          "warn",
                                          "where"};
constexpr std::string_view primitives[] = {
    "NumToTensor",    "RaiseException",           "abs", "data", "device", "dtype", "layout", "max", "min", "shape",
    "unchecked_cast", "unchecked_unwrap_optional"};
constexpr std::string_view builtins[] = {"annotate",   "bool",  "float", "getattr",        "int",
                                         "isinstance", "range", "str",   "unchecked_cast", "uninitialized"};
constexpr std::string_view keywords[] = {"False", "None", "True", "and", "class", "def",  "elif",   "else", "for",
                                         "if",    "in",   "is",   "not", "or",    "pass", "return", "inf",  "nan"};
constexpr std::string_view forbidden[] = {
    "assert",    "async",     "await",   "awaitable", "breakpoint", "compile", "continue", "del",
    "delattr",   "enumerate", "eval",    "except",    "exec",       "exit",    "fork",     "from",
    "from_file", "global",    "globals", "hasattr",   "import",     "lambda",  "load",     "locals",
    "nonlocal",  "open",      "print",   "quit",      "raise",      "save",    "setattr",  "setdefault",
    "super",     "try",       "vars",    "wait",      "while",      "with",    "write",    "yield"};

bool contains(std::span<const std::string_view> names, std::string_view name) noexcept {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

bool is_allowed_operator(std::string_view name) noexcept {
  return contains(operators, name);
}
bool is_allowed_primitive(std::string_view name) noexcept {
  return contains(primitives, name);
}
bool is_allowed_builtin(std::string_view name) noexcept {
  return contains(builtins, name);
}
bool is_allowed_keyword(std::string_view name) noexcept {
  return contains(keywords, name);
}
bool is_forbidden_name(std::string_view name) noexcept {
  return contains(forbidden, name);
}

}  // namespace bytecnn::exporter
