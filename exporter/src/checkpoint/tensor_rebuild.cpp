#include "checkpoint/tensor_rebuild.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <utility>
#include <vector>

#include "checkpoint/printable.hpp"

namespace bytecnn::exporter {
namespace {

// Tensors may share storage (tied weights), but a file of a kilobyte must not become a gigabyte of tensors by
// strides of zero: twice the storages' own size and a little is more than any model needs.
constexpr std::uint64_t free_expansion = 16U << 20U;

void reverse_elements(std::vector<std::byte>& data, std::size_t size) {
  for (std::size_t i = 0; i + size <= data.size(); i += size) {
    std::reverse(data.begin() + static_cast<std::ptrdiff_t>(i), data.begin() + static_cast<std::ptrdiff_t>(i + size));
  }
}

}  // namespace

void TensorRebuilder::count(std::int64_t elements, std::uint64_t bytes) {
  if (elements > limits_.max_elements || elements > limits_.max_elements - elements_) {
    throw Error(ErrorCode::limit, "too many elements", {},
                "at most " + std::to_string(limits_.max_elements) + " in all", std::to_string(elements));
  }
  elements_ += elements;
  tensor_bytes_ += bytes;
  if (tensor_bytes_ > 2 * storage_bytes_ + free_expansion) {
    throw Error(ErrorCode::limit,
                "the tensors are far larger than the data they are views of (expanded tensors?); call "
                ".contiguous() before saving");
  }
}

void TensorRebuilder::count_array(std::int64_t elements, NodeId source, std::uint64_t bytes) {
  if (array_sources_.insert(source).second) storage_bytes_ += bytes;
  count(elements, bytes);
}

TensorRebuilder::Extent TensorRebuilder::extent(const TensorNode& tensor) const {
  const StorageNode& storage = graph_.storage_at(tensor.storage);
  const auto overflow = [] { return Error(ErrorCode::invalid, "sizes and strides overflow 64 bits"); };
  Extent extent{1, tensor.offset, 0};
  if (tensor.offset < 0) {
    throw Error(ErrorCode::invalid, "negative storage offset", {}, {}, std::to_string(tensor.offset));
  }
  for (std::size_t i = 0; i < tensor.rank; ++i) {
    if (tensor.sizes[i] < 0 || tensor.strides[i] < 0) throw Error(ErrorCode::invalid, "negative size or stride");
    if (!multiply(extent.elements, tensor.sizes[i], extent.elements)) throw overflow();
  }
  const auto element = static_cast<std::int64_t>(element_size(tensor.dtype));
  std::int64_t window = storage.view_size >= 0 ? storage.view_size : storage.elements;
  std::int64_t base = storage.view_offset;
  if (storage.untyped) {
    window /= element;
    if (base % element != 0) throw Error(ErrorCode::invalid, "a storage view that cuts an element");
    base /= element;
  }
  if (storage.view_size >= 0) {
    std::int64_t view_end = 0;
    const std::int64_t whole = storage.untyped ? storage.elements / element : storage.elements;
    if (!add(base, window, view_end) || view_end > whole) {
      throw Error(ErrorCode::invalid, "a storage view reaches beyond its storage");
    }
  }
  std::int64_t last = tensor.offset;
  if (extent.elements > 0) {
    for (std::size_t i = 0; i < tensor.rank; ++i) {
      std::int64_t step = 0;
      if (!multiply(tensor.sizes[i] - 1, tensor.strides[i], step) || !add(last, step, last)) throw overflow();
    }
    if (last >= window) {
      throw Error(ErrorCode::invalid, "the tensor reaches beyond its storage", {},
                  "at most " + std::to_string(window) + " elements", std::to_string(last) + " and more");
    }
  }
  if (!add(extent.first, base, extent.first) || !add(last, base, last) || !add(last, 1, extent.end)) throw overflow();
  if (extent.elements == 0) extent.end = 0;
  return extent;
}

ByteSpan TensorRebuilder::bytes_of(std::uint32_t index) {
  const StorageNode& storage = graph_.storage_at(index);
  auto at = storages_.find(storage.key);
  if (at == storages_.end()) {
    EntryBytes bytes = source_(storage);
    storage_bytes_ += bytes.bytes().size();
    at = storages_.emplace(std::string(storage.key), std::move(bytes)).first;
  }
  return at->second.bytes();
}

void TensorRebuilder::check(const TensorNode& tensor) {
  const Extent reach = extent(tensor);
  if (reach.elements > limits_.max_elements) throw Error(ErrorCode::limit, "too many elements");
  const ByteSpan bytes = bytes_of(tensor.storage);
  std::int64_t needed = 0;
  if (!multiply(reach.end, static_cast<std::int64_t>(element_size(tensor.dtype)), needed) ||
      static_cast<std::uint64_t>(needed) > bytes.size()) {
    throw Error(ErrorCode::invalid, "the tensor needs more data than its storage holds", {},
                std::to_string(needed) + " bytes", std::to_string(bytes.size()));
  }
}

Tensor TensorRebuilder::copy(const TensorNode& node) {
  check(node);
  const Extent reach = extent(node);
  const std::size_t size = element_size(node.dtype);
  const auto elements = static_cast<std::size_t>(reach.elements);
  count(reach.elements, elements * size);

  Tensor tensor;
  tensor.dtype = node.dtype;
  tensor.shape.assign(node.sizes.begin(), node.sizes.begin() + node.rank);
  tensor.data.resize(elements * size);
  if (elements == 0) return tensor;
  const std::byte* from = bytes_of(node.storage).data() + static_cast<std::size_t>(reach.first) * size;

  // Dimensions of one element have a stride without meaning (it may be anything). Of the others, the innermost that lie
  // row-major in the storage are copied as one run.
  std::array<std::int64_t, TensorNode::most_dimensions> sizes{}, strides{}, index{};
  std::size_t rank = 0;
  for (std::size_t d = 0; d < node.rank; ++d) {
    if (node.sizes[d] == 1) continue;
    sizes[rank] = node.sizes[d];
    strides[rank++] = node.strides[d];
  }
  std::int64_t run = 1;
  while (rank > 0 && strides[rank - 1] == run) run *= sizes[--rank];
  std::int64_t position = 0;  // of the run, in elements of the storage
  const std::size_t run_bytes = static_cast<std::size_t>(run) * size;
  for (std::size_t to = 0; to < tensor.data.size(); to += run_bytes) {
    std::memcpy(&tensor.data[to], from + static_cast<std::size_t>(position) * size, run_bytes);
    for (std::size_t d = rank; d-- > 0;) {
      position += strides[d];
      if (++index[d] < sizes[d]) break;
      position -= strides[d] * sizes[d];
      index[d] = 0;
    }
  }
  const bool swap = big_endian_ == (std::endian::native == std::endian::little);
  if (swap && size > 1) reverse_elements(tensor.data, size);
  return tensor;
}

Tensor TensorRebuilder::rebuild(NodeId id, std::string_view name) {
  try {
    return copy(graph_.tensor(id));
  } catch (const Error& error) {
    throw error.at("tensor '" + printable(name) + "'");
  }
}

}  // namespace bytecnn::exporter
