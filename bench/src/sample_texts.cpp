#include "sample_texts.hpp"

#include <algorithm>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <random>
#include <string>
#include <utility>

#include "bytecnn/error.hpp"

namespace bytecnn::bench {
namespace {

constexpr std::string_view english =
    "The ferry leaves the northern harbour at a quarter past six, and whoever misses it waits until noon. "
    "My grandmother kept a jar of buttons on the windowsill; each had come from a coat that somebody had worn out. "
    "Please restart the router before you call support, because most reports of slow connections end right there. "
    "I ordered two pairs of boots last week and only one arrived - could you tell me where the other parcel is? "
    "Nobody expected the committee to agree so quickly, yet the minutes show a unanimous vote after ten minutes. "
    "What a terrible match: three red cards, a penalty missed in the last minute, and rain from start to finish! "
    "Add the flour slowly, keep stirring, and take the pan off the heat as soon as the sauce begins to thicken. "
    "Researchers who followed 4,812 patients over eleven years found no difference between the two treatments. "
    "She laughed, closed the book, and said that endings were for people who had run out of questions. "
    "Win a FREE holiday now!!! Reply YES to 80080 within 24 hours, terms apply, you have been specially selected. "
    "The old bridge was closed in 1974 after engineers discovered cracks as wide as a finger in its main arch. "
    "If the engine stalls at low speed, check the idle valve first; the fuel pump is rarely to blame. "
    "Thanks for the quick answer, it works now. I had simply forgotten to save the file before running it. "
    "Between the two hills lies a village of forty houses, one inn, and a church without a tower. "
    "You are completely wrong about this, and I would like to explain why before the discussion goes on. "
    "Interest rates were left unchanged on Thursday, though three of the nine members voted for an increase.\n";

constexpr std::string_view languages =
    "Der Zug nach Köln fällt heute leider aus; bitte benutzen Sie die Straßenbahn über den Südring. "
    "Après l'été, les élèves reviennent à l'école où rien n'a changé, sauf peut-être la couleur des volets. "
    "El niño preguntó por qué el río corría hacia el mar, y nadie supo darle una respuesta mejor que el silencio. "
    "Поезд прибывает на второй путь, просьба отойти от края платформы и не забывать свои вещи. "
    "Η βιβλιοθήκη κλείνει στις οκτώ το βράδυ, αλλά το αναγνωστήριο μένει ανοιχτό μέχρι τα μεσάνυχτα. "
    "今日は朝から雨が降っているので、公園の桜を見に行くのは明日にしましょう。"
    "这座老桥在一九七四年关闭，因为工程师们发现桥拱上有手指那么宽的裂缝。"
    "오늘 회의는 오후 세 시로 연기되었으니 자료를 미리 읽어 오시기 바랍니다. "
    "القطار المتجه إلى الشمال سيغادر بعد عشر دقائق من الرصيف الثالث. "
    "कृपया प्रवेश द्वार पर अपना टिकट दिखाएँ और शांति बनाए रखें। "
    "Przepraszam, czy mógłby mi pan powiedzieć, gdzie znajduje się najbliższa piekarnia? Źle skręciłem. "
    "Bu akşam hava çok güzel; deniz kıyısında yürüyüp çay içmek istiyoruz, siz de gelir misiniz? "
    "Việc học một ngôn ngữ mới đòi hỏi nhiều kiên nhẫn, nhưng mỗi ngày một chút là đủ. "
    "รถไฟเที่ยวสุดท้ายออกเวลาเที่ยงคืน กรุณามาถึงสถานีก่อนเวลา "
    "האוטובוס האחרון יוצא בחצות, ואחריו אפשר לחזור רק ברגל. "
    "Příliš žluťoučký kůň úpěl ďábelské ódy, a nikdo ho neslyšel. Kiitos, että odotitte näin kärsivällisesti.\n";

constexpr std::string_view code = R"code(#include <algorithm>
static int compare_rows(const struct row *a, const struct row *b) {
    if (a->key != b->key) return a->key < b->key ? -1 : 1;
    return memcmp(a->data, b->data, sizeof(a->data));
}
def moving_average(values, width=8):
    """Yield the mean of the last `width` values."""
    window = collections.deque(maxlen=width)
    for value in values:
        window.append(value)
        yield sum(window) / len(window)
for (let i = 0; i < rows.length; i++) {
  const cell = document.querySelector(`#row-${i} > td.total`);
  cell.textContent = rows[i].items.map(x => x.price * x.count).reduce((a, b) => a + b, 0).toFixed(2);
}
SELECT c.name, COUNT(*) AS orders FROM customers c LEFT JOIN orders o ON o.customer_id = c.id
 WHERE o.placed_at >= '2024-01-01' GROUP BY c.name HAVING COUNT(*) > 3 ORDER BY orders DESC LIMIT 20;
{"id": 4711, "tags": ["a", "b"], "nested": {"x": -1.5e-3, "y": null, "ok": true}, "path": "C:\\temp\\x"}
fn parse(input: &str) -> Result<Vec<Token>, ParseError> {
    let mut tokens = Vec::with_capacity(input.len() / 4);
    while let Some((start, ch)) = chars.next() { match ch { '0'..='9' => tokens.push(number(start)?), _ => {} } }
    Ok(tokens)
}
#!/bin/sh
set -eu; for f in "$@"; do [ -r "$f" ] && awk -F'\t' '$3 > 10 { n++ } END { print n+0 }' "$f"; done
<div class="card"><a href="/items?id=7&amp;page=2" onclick="go(7)">More &raquo;</a><!-- end --></div>
.card > a:hover { color: #1f77b4; margin: 0 auto; transition: color .2s ease-in-out; }
template <class T, std::size_t N> constexpr auto sum(const std::array<T, N>& xs) noexcept { T s{}; for (auto x : xs) s += x; return s; }
)code";

/// The program itself: an executable is the binary file that every machine has.
std::string own_executable() {
  const char* path = "/proc/self/exe";
  std::ifstream file(path, std::ios::binary);
  std::string content{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (content.empty()) throw Error(ErrorCode::io, "cannot read this program's own executable", path);
  return content;
}

std::string random_bytes() {
  std::mt19937 engine(1);
  std::string content(1U << 20U, '\0');
  for (char& byte : content) byte = static_cast<char>(engine() & 255U);
  return content;
}

/// Files of the names in `files`, those that are there, none for more than its share; `otherwise` where there is none.
std::string installed(const std::string& folder, std::initializer_list<std::string_view> files,
                      std::string_view otherwise) {
  std::string all;
  for (const std::string_view name : files) {
    std::ifstream file(folder + std::string(name), std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    all += content.substr(0, std::size_t{256} << 10U);
  }
  return all.empty() ? std::string(otherwise) : all;
}

/// Pieces of 4 KiB in an order of their own, so that both halves of the sample hold something of every file.
std::string shuffled(const std::string& text) {
  constexpr std::size_t piece = 4096;
  std::vector<std::size_t> starts;
  for (std::size_t start = 0; start < text.size(); start += piece) starts.push_back(start);
  std::mt19937 engine(7);
  for (std::size_t i = starts.size(); i > 1; --i) std::swap(starts[i - 1], starts[engine() % i]);
  std::string result;
  for (const std::size_t start : starts) result += text.substr(start, piece);
  return result;
}

std::string sample_of(std::string_view kind) {
  const std::string fortunes = "/usr/share/games/fortunes/";
  if (kind == "english") {
    return shuffled(installed(fortunes,
                              {"people", "definitions", "songs-poems", "computers", "cookie", "science", "literature",
                               "wisdom", "work", "politics", "men-women", "art", "law"},
                              english));
  }
  if (kind == "languages") {
    return shuffled(installed(
        fortunes,
        {"de/zitate", "de/sprueche", "es/filosofia.fortunes", "es/proverbios.fortunes", "ru/book", "ru/knowledge",
         "cs/citaty", "cs/murphy", "it/formiche", "it/definizioni", "pl/haiku", "pl/cnp", "brasil"},
        languages));
  }
  if (kind == "code") {
    return shuffled(std::string(code) +
                    installed("/usr/include/",
                              {"argp.h", "elf.h", "netdb.h", "obstack.h", "regex.h", "search.h", "stdio.h", "stdlib.h",
                               "string.h", "tgmath.h", "unistd.h", "wchar.h"},
                              code));
  }
  if (kind == "binary") return own_executable();
  if (kind == "random") return random_bytes();
  throw Error(ErrorCode::usage, "unknown kind of text", "--kinds", "english, languages, code, binary, random",
              "\"" + std::string(kind) + "\"");
}

}  // namespace

std::vector<std::string_view> text_kinds() {
  return {"english", "languages", "code", "binary", "random"};
}

SampleTexts::SampleTexts(std::string_view kind, std::size_t length) {
  const std::string sample = sample_of(kind);
  const std::size_t half = sample.size() / 2;
  constexpr std::size_t most_learned = std::size_t{256} << 10U;
  constexpr std::size_t piece = 512;
  for (const char c : sample.substr(0, std::min(half, most_learned))) other_bytes_.push_back(static_cast<std::byte>(c));
  for (std::size_t i = 0; i < other_bytes_.size(); i += piece) {
    others_.push_back(Text(other_bytes_).subspan(i, std::min(piece, other_bytes_.size() - i)));
  }

  // 64 KiB together, 128 texts at least and 1024 at most.
  const std::size_t count =
      std::clamp<std::size_t>((std::size_t{64} << 10U) / std::max<std::size_t>(length, 1), 128, 1024);
  bytes_.resize(count * length);
  const std::string_view timed = std::string_view(sample).substr(half);
  // Steps of the golden ratio spread any number of places evenly.
  constexpr double golden = 0.6180339887498949;
  double place = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto start = static_cast<std::size_t>(place * static_cast<double>(timed.size()));
    std::byte* text = bytes_.data() + i * length;
    for (std::size_t j = 0; j < length; ++j) text[j] = static_cast<std::byte>(timed[(start + j) % timed.size()]);
    texts_.emplace_back(text, length);
    place += golden;
    if (place >= 1) place -= 1;
  }
}

}  // namespace bytecnn::bench
