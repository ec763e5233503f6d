#include "label_list.hpp"

#include <cstddef>

namespace bytecnn::cli {

std::string label_list(std::span<const std::string> labels) {
  constexpr std::size_t most = 50;
  std::string text;
  for (std::size_t i = 0; i < labels.size() && i < most; ++i) text += (i == 0 ? "" : ", ") + labels[i];
  return labels.size() > most ? text + ", ..." : text;
}

}  // namespace bytecnn::cli
