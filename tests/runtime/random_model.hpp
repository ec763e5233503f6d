#pragma once
/// Random models over the whole architecture space, and inputs for them, reproducible by seed.

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bytecnn/bytecnn.hpp"

namespace bytecnn::testing {

using Bytes = std::vector<std::byte>;

/// A layer whose output is as long as its input.
[[nodiscard]] ConvLayer conv(std::uint32_t filters, std::uint32_t kernel_size,
                             Activation::Kind activation = Activation::Kind::relu, std::uint32_t dilation = 1);

/// Weights of a sensible size for an architecture: activations neither vanish nor explode.
[[nodiscard]] Model with_random_weights(const Architecture& architecture, std::uint32_t seed);

/// An architecture drawn from everything the runtime supports.
[[nodiscard]] Architecture random_architecture(std::uint32_t seed);

/// What the architecture is, for failure messages.
[[nodiscard]] std::string describe(const Architecture& architecture);

[[nodiscard]] Bytes random_bytes(std::size_t length, std::uint32_t seed);
[[nodiscard]] Bytes bytes_of(std::string_view text);

/// 0, 1, 2, 3, around the middle, max_len - 3 to max_len + 1, and far beyond.
[[nodiscard]] std::vector<std::size_t> telling_lengths(const Architecture& architecture);

/// The largest |difference| of logits from the reference's, divided by S = max(1, largest |logit|).
[[nodiscard]] double logit_error(const Model& model, const Bytes& input, std::span<const float> logits);
[[nodiscard]] double logit_error(const Classifier& classifier, const Bytes& input);

}  // namespace bytecnn::testing
