#include "layer_names.hpp"

#include <algorithm>
#include <charconv>

namespace bytecnn::exporter {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
char lower(char c) {
  return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Appends the words and numbers of one path component, e.g. "conv1d_1" or "batchNorm2".
void split_component(std::string_view component, LayerName& name) {
  std::string word;
  const auto end_word = [&] {
    if (word.empty()) return;
    if (!name.stem.empty() && name.stem.back() != '.') name.stem += '_';
    name.stem += word;
    name.words.push_back(std::move(word));
    word.clear();
  };
  for (std::size_t i = 0; i < component.size();) {
    const char c = component[i];
    if (is_digit(c)) {
      std::size_t end = i;
      while (end < component.size() && is_digit(component[end])) ++end;
      const std::string_view digits = component.substr(i, end - i);
      // "1d" of conv1d, bn1d, batchnorm1d is part of the word, not an index.
      const bool dimension =
          !word.empty() && digits.size() == 1 && end < component.size() && lower(component[end]) == 'd' &&
          (end + 1 == component.size() || !(is_lower(component[end + 1]) || is_upper(component[end + 1])));
      end_word();
      if (dimension) {
        i = end + 1;
        continue;
      }
      std::uint64_t number = 0;
      const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), number);
      name.indices.push_back(result.ec == std::errc() ? number : UINT64_MAX);
      i = end;
      continue;
    }
    if (is_lower(c) || is_upper(c)) {
      // camelCase: a capital after a small letter begins a word.
      if (is_upper(c) && i > 0 && is_lower(component[i - 1])) end_word();
      word += lower(c);
    } else {
      end_word();
    }
    ++i;
  }
  end_word();
}

}  // namespace

bool LayerName::has_word(std::initializer_list<std::string_view> any_of) const {
  return std::any_of(words.begin(), words.end(), [&](const std::string& word) {
    return std::find(any_of.begin(), any_of.end(), word) != any_of.end();
  });
}

LayerName parse_layer_name(std::string_view path) {
  LayerName name;
  std::size_t begin = 0;
  while (true) {
    const std::size_t dot = path.find('.', begin);
    const std::string_view component = path.substr(begin, dot == std::string_view::npos ? dot : dot - begin);
    if (begin > 0) name.stem += '.';
    split_component(component, name);
    if (dot == std::string_view::npos) {
      const bool number = !component.empty() && std::all_of(component.begin(), component.end(), is_digit);
      if (number) name.place = name.indices.back();
      name.parent = begin > 0 ? std::string(path.substr(0, begin - 1)) : std::string();
      return name;
    }
    begin = dot + 1;
  }
}

}  // namespace bytecnn::exporter
