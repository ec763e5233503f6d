#pragma once
/// Models small enough to compute by hand, and their files as JSON documents that a test can spoil.

#include <cstddef>
#include <initializer_list>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "bytecnn/bytecnn.hpp"

#include "random_model.hpp"

namespace bytecnn::testing {

using Json = nlohmann::ordered_json;

/// Two embedding dimensions, a conv layer of three filters and kernel size 3, a dense layer of four units, one sigmoid
/// output, max_len 8; random weights.
[[nodiscard]] Model small_model();

/// The same with a second conv layer that has a residual and a batch norm after its activation, labels, a threshold,
/// golden vectors, frequent windows and unknown keys: something of everything a file can hold.
[[nodiscard]] Model rich_model();

/// What leaves the pooling is what the bytes say: E[b] = b in one dimension, one filter of `taps`, no bias and no
/// activation, `max` pooling, no padding of the text nor of the convolution, and logits that are the pooled features
/// themselves. Tests change what they are about and call `with_plain_head`.
[[nodiscard]] Model byte_value_model(std::vector<float> taps = {1.0F}, std::uint32_t max_len = 16);

/// Gives the model an output layer that hands out every pooled feature as a logit.
[[nodiscard]] Model with_plain_head(Model model);

[[nodiscard]] Bytes bytes(std::initializer_list<int> values);

/// `to_json(model)` as a document.
[[nodiscard]] Json document_of(const Model& model);

/// The document with one place changed, or added.
[[nodiscard]] Json changed(Json document, std::string_view pointer, Json value);
/// The document without one member.
[[nodiscard]] Json without(Json document, std::string_view parent, std::string_view key);

/// The older flat layout of `model`: weights and model_info side by side, no "format". With `architecture`, that too.
[[nodiscard]] Json flat_layout(const Model& model);

/// Logits by the engine on one instruction set; the test fails where the status is not ok.
[[nodiscard]] std::vector<float> engine_logits(const Model& model, const Bytes& input, Isa isa);

}  // namespace bytecnn::testing
