#include "table.hpp"

#include <algorithm>

namespace bytecnn::cli {
namespace {

void append_cell(std::string& line, const Cell& cell, Align align, std::size_t width, const Painter& painter) {
  line += "  ";
  const std::size_t used = display_width(cell.text);
  const std::string fill(width > used ? width - used : 0, ' ');
  if (align == Align::right) line += fill;
  line += painter.paint(cell.style, cell.text);
  if (align == Align::left) line += fill;
}

void end_line(std::string& text) {
  text.erase(text.find_last_not_of(' ') + 1);
  text += '\n';
}

}  // namespace

std::string Table::render(const Painter& painter) const {
  std::vector<std::size_t> widths(columns_.size(), 0);
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < widths.size() && i < row.size(); ++i) {
      widths[i] = std::max(widths[i], display_width(row[i].text));
    }
  }
  bool headed = false;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    if (widths[i] == 0) continue;
    widths[i] = std::max(widths[i], display_width(columns_[i].heading));
    headed = headed || !columns_[i].heading.empty();
  }

  std::string text;
  if (headed) {
    for (std::size_t i = 0; i < widths.size(); ++i) {
      if (widths[i] != 0) append_cell(text, {columns_[i].heading, Style::faint}, columns_[i].align, widths[i], painter);
    }
    end_line(text);
  }
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < widths.size() && i < row.size(); ++i) {
      if (widths[i] != 0) append_cell(text, row[i], columns_[i].align, widths[i], painter);
    }
    end_line(text);
  }
  return text;
}

}  // namespace bytecnn::cli
