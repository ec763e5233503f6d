#pragma once
/// Direct convolution in plain C++ as a contender; see isa/direct_network.hpp.

#include <memory>
#include <vector>

#include "bytecnn/model.hpp"

#include "contender.hpp"

namespace bytecnn::bench {

/// "registers direct" (models without groups) and "plain direct", on the machine's widest instruction set.
[[nodiscard]] std::vector<std::unique_ptr<Contender>> direct_contenders(const Model& model);

}  // namespace bytecnn::bench
