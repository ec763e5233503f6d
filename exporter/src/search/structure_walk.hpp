#pragma once
/// Walks through all structures of a space up to a price, sharing what two structures have in common: a tree whose
/// levels are the input, the convolutions, the pooling and the dense layers.

#include <functional>
#include <span>
#include <vector>

#include "original_columns.hpp"
#include "search/search_space.hpp"

namespace bytecnn::exporter {

/// Structures with a price in (above, limit], above = -1 for all up to the limit.
struct PriceRange {
  int above = -1;
  int limit = 0;
  [[nodiscard]] bool holds(unsigned price) const {
    return static_cast<int>(price) > above && static_cast<int>(price) <= limit;
  }
};

class StructureWalk {
 public:
  /// Called for every structure with its logits on `input`; a structure for which `input` is too short is not visited.
  using Visit = std::function<void(const Architecture&, unsigned price, const std::vector<double>& logits)>;
  /// Asked now and then; true ends the walk.
  using Stopped = std::function<bool()>;

  StructureWalk(const Original& original, const SearchSpace& space, std::span<const std::byte> input, Visit visit,
                Stopped stopped)
      : original_(original),
        space_(space),
        input_(input),
        visit_(std::move(visit)),
        stopped_(std::move(stopped)),
        structure_(original.architecture) {}

  /// All structures that begin with input form `form` and, in the first layer, geometry `geometry`.
  void run(std::size_t form, std::size_t geometry, PriceRange range);

 private:
  void layer(std::size_t index, const Columns& input, unsigned price);
  void with_geometry(std::size_t index, const Priced<Geometry>& geometry, const Columns& input, unsigned price);
  void with_norm(std::size_t index, const Columns& sums, const Columns& input, unsigned price);
  void after_activation(std::size_t index, Columns columns, const Columns& input, unsigned price);
  void pooled(const Columns& columns, unsigned price);
  void dense(std::size_t index, const std::vector<double>& features, unsigned price);
  [[nodiscard]] bool affordable(unsigned price) const { return static_cast<int>(price) <= range_.limit; }

  const Original& original_;
  const SearchSpace& space_;
  std::span<const std::byte> input_;
  Visit visit_;
  Stopped stopped_;
  Architecture structure_;        ///< the structure at the tree's present node
  std::vector<Geometry> chosen_;  ///< of the layers above
  PriceRange range_;
};

}  // namespace bytecnn::exporter
