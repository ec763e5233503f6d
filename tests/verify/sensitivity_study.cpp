// Prints what the verifier catches: each mistake of the catalogue over many random models, and one number off by less
// and less. `sensitivity_study [MODELS]`; the tables in tests/verify/README.md are its output.

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "random_original.hpp"
#include "sensitivity.hpp"
#include "wrong_export_catalogue.hpp"

namespace {

using namespace bytecnn::exporter;
using namespace bytecnn::exporter::testing;

struct Rates {
  std::size_t tried = 0, weights = 0, fold = 0, engine = 0, any = 0, named = 0;
  void count(const VerifyReport& report) {
    ++tried;
    weights += stage_failed(report, "weights") ? 1U : 0U;
    fold += stage_failed(report, "fold") ? 1U : 0U;
    engine += stage_failed(report, "engine") ? 1U : 0U;
    any += report.passed ? 0U : 1U;
    named += report.passed && !report.differences.empty() ? 1U : 0U;
  }
  void print(const char* name) const {
    if (tried == 0) return;
    const auto share = [&](std::size_t caught) {
      return 100.0 * static_cast<double>(caught) / static_cast<double>(tried);
    };
    std::printf("| %s | %zu | %.1f %% | %.1f %% | %.1f %% | %.1f %% | %.1f %% |\n", name, tried, share(any),
                share(named), share(weights), share(fold), share(engine));
  }
};

constexpr const char* heading =
    "| %s | exports | fails | only named | weights | fold | engine |\n|---|---|---|---|---|---|---|\n";
constexpr std::array sizes{1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9};

}  // namespace

int main(int argc, char** argv) {
  const std::size_t models = argc > 1 ? static_cast<std::size_t>(std::atoi(argv[1])) : 200;
  std::map<std::string, Rates> by_mistake;
  std::map<std::string, std::array<Rates, sizes.size()>> by_kind;
  std::array<Rates, sizes.size()> by_size;
  std::size_t blamed = 0;
  for (const std::uint32_t seed : usable_seeds(1, models)) {
    SensitivityTrial trial(seed);
    blamed += trial.verify_export(fold(trial.original())).passed ? 0U : 1U;
    for (const Mistake& mistake : mistakes()) {
      const auto wrong = mistake.make(trial.original(), seed);
      if (!wrong) continue;
      const VerifyReport report = trial.verify_export(*wrong);
      by_mistake[mistake.name].count(report);
      // What is not caught is worth a look.
      if (report.passed) {
        std::fprintf(stderr, "%s, seed %u: %s\n", mistake.name.c_str(), seed,
                     describe(trial.original().architecture).c_str());
      }
    }
    for (const std::string& kind : number_kinds()) {
      for (std::size_t i = 0; i < sizes.size(); ++i) {
        const auto wrong = with_one_number_off(trial.original(), kind, sizes[i], seed);
        if (!wrong) continue;
        const VerifyReport report = trial.verify_export(*wrong);
        by_kind[kind][i].count(report);
        by_size[i].count(report);
      }
    }
  }
  std::printf("%zu models; right exports blamed: %zu\n\n", models, blamed);
  std::printf(heading, "mistake");
  for (const Mistake& mistake : mistakes()) by_mistake[mistake.name].print(mistake.name.c_str());
  std::printf("\n");
  std::printf(heading, "one number off, relative");
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    std::array<char, 16> name{};
    std::snprintf(name.data(), name.size(), "%.0e", sizes[i]);
    by_size[i].print(name.data());
  }
  std::printf("\n| kind of number | smallest size caught always | caught by running inputs, 1e-3 |\n|---|---|---|\n");
  for (const std::string& kind : number_kinds()) {
    double smallest = 0;
    for (std::size_t i = 0; i < sizes.size() && by_kind[kind][i].any == by_kind[kind][i].tried; ++i)
      smallest = sizes[i];
    const Rates& thousandth = by_kind[kind][2];
    std::printf(
        "| %s | %.0e | %.1f %% |\n", kind.c_str(), smallest,
        100.0 * static_cast<double>(thousandth.fold) / static_cast<double>(std::max<std::size_t>(thousandth.tried, 1)));
  }
  return 0;
}
