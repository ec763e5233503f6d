#pragma once
/// A table for people: columns as wide as their cells, headings, right-aligned numbers.

#include <cstdint>
#include <string>
#include <vector>

#include "terminal.hpp"

namespace bytecnn::cli {

enum class Align : std::uint8_t { left, right };

struct Column {
  std::string heading;
  Align align = Align::left;
};

struct Cell {
  Cell(std::string cell_text, Style cell_style = Style::plain)  // NOLINT(google-explicit-constructor): reads as a list
      : text(std::move(cell_text)), style(cell_style) {}
  std::string text;
  Style style;
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void add_row(std::vector<Cell> cells) { rows_.push_back(std::move(cells)); }
  /// Lines of text, each ending in a newline, indented by two spaces. Columns without any text are left out.
  [[nodiscard]] std::string render(const Painter& painter) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace bytecnn::cli
