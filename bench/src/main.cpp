// bytecnn_bench: what a classification costs, beside other ways to do the same.

#include <algorithm>
#include <cstdio>
#include <deque>
#include <exception>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include <unistd.h>

#include "bytecnn/error.hpp"

#include "agreement.hpp"
#include "bench_models.hpp"
#include "contenders.hpp"
#include "google_benchmarks.hpp"
#include "measurement.hpp"
#include "options.hpp"
#include "port_bound.hpp"
#include "results.hpp"
#include "sample_texts.hpp"
#include "tables.hpp"
#if defined(BYTECNN_BENCH_LIBTORCH)
#include "peers_libtorch.hpp"
#endif

namespace {

using namespace bytecnn;
using namespace bytecnn::bench;

std::string processor_name() {
  std::ifstream info("/proc/cpuinfo");
  std::string name = "unknown", family, model;
  for (std::string line; std::getline(info, line);) {
    const auto value = [&line] { return line.substr(std::min(line.size(), line.find(':') + 2)); };
    if (line.starts_with("model name")) name = value();
    if (line.starts_with("cpu family")) family = ", family " + value();
    if (line.starts_with("model\t")) model = ", model " + value();
    if (line.empty()) break;
  }
  return name + family + model;
}

Setting prepare_setting(const Options& options) {
  Setting setting;
  setting.processor = processor_name();
#if defined(__clang__)
  setting.compiler = "Clang " __clang_version__;
#else
  setting.compiler = "GCC " __VERSION__;
#endif
  setting.rounds = options.rounds;
#if defined(BYTECNN_BENCH_LIBTORCH)
  const LibtorchSetting libtorch = prepare_libtorch();
  setting.libtorch = libtorch.version + ", " + std::to_string(libtorch.threads) + " thread, BLAS is " +
                     (libtorch.openblas ? libtorch.blas_config : "NOT OpenBLAS but " + libtorch.blas_library);
  if (!libtorch.openblas) {
    std::fprintf(stderr,
                 "bytecnn_bench: warning: libtorch runs on %s, not on OpenBLAS; its times say nothing.\n"
                 "Install it (apt-get install libopenblas0), then run again.\n",
                 libtorch.blas_library.c_str());
  }
#else
  setting.libtorch = "not built in (BYTECNN_BUILD_EXPORTER=OFF)";
#endif
  return setting;
}

std::vector<BenchModel> chosen_models(const Options& options) {
  std::vector<BenchModel> models;
  for (const std::string& name : options.models) models.push_back(make_model(name));
  for (const std::string& path : options.model_files) models.push_back(load_bench_model(path));
  for (auto model = models.begin(); model != models.end(); ++model) {
    // Results are kept by name.
    const auto same = [&](const BenchModel& other) { return other.name == model->name; };
    if (std::find_if(std::next(model), models.end(), same) != models.end()) {
      throw Error(ErrorCode::usage, "two models of one name; leave one out or rename the file", model->name);
    }
  }
  return models;
}

using Contenders = std::vector<std::unique_ptr<Contender>>;

Contenders chosen_contenders(const Options& options, const Model& model) {
  Contenders contenders = make_contenders(model);
  if (options.contenders.empty()) return contenders;
  const auto unwanted = [&](const std::unique_ptr<Contender>& contender) {
    return std::none_of(options.contenders.begin(), options.contenders.end(),
                        [&](const std::string& part) { return contender->name().find(part) != std::string::npos; });
  };
  std::string names;
  for (const auto& contender : contenders) names += (names.empty() ? "" : ", ") + contender->name();
  std::erase_if(contenders, unwanted);
  if (contenders.empty()) throw Error(ErrorCode::usage, "no contender has such a name", "--contenders", names);
  return contenders;
}

/// Calls `visit(model, contenders, length)` for every length that was asked for, and `visit.finished(contenders)` after
/// a model's last.
template <class Visit>
void for_each_length(const Options& options, const std::vector<BenchModel>& models, Visit visit) {
  for (const BenchModel& model : models) {
    const Architecture& a = model.model.architecture;
    auto contenders = chosen_contenders(options, model.model);
    std::vector<std::size_t> lengths = options.lengths;
    if (options.full) lengths.push_back(a.max_len);
    std::sort(lengths.begin(), lengths.end());
    lengths.erase(std::unique(lengths.begin(), lengths.end()), lengths.end());
    for (const std::size_t length : lengths) {
      const std::size_t taken = std::min<std::size_t>(length, a.max_len);
      // Without padding a model may have a shortest input.
      if (!a.pad_token && a.pooled_positions(taken) < minimum_pooled_positions(a.pooling)) continue;
      visit(model, contenders, length);
    }
    visit.finished(std::move(contenders));
  }
}

class TableRun {
 public:
  TableRun(Results& results, const Options& options) : results_(results), options_(options) {}

  void operator()(const BenchModel& model, const Contenders& contenders, std::size_t length) {
    const bool terminal = isatty(STDERR_FILENO) != 0;
    if (terminal) std::fprintf(stderr, "\r\033[K%s, %zu bytes", model.name.c_str(), length);
    const Options& options = options_.get();
    std::vector<SampleTexts> samples;
    std::vector<TextSet> sets;
    std::vector<Cell> cells;
    samples.reserve(options.kinds.size());
    for (const std::string& kind : options.kinds) {
      const SampleTexts& sample = samples.emplace_back(kind, length);
      sets.push_back({kind, sample.texts(), sample.others()});
      Cell& cell = cells.emplace_back();
      cell.model = model.name;
      cell.kind = kind;
      cell.length = length;
      cell.disagreement = check_agreement(model.model, contenders, sets.back().texts);
    }
    MeasurementOptions measurement;
    measurement.rounds = options.rounds;
    measure(contenders, sets, measurement, cells);
    for (Cell& cell : cells) {
      for (Timing& timing : cell.timings) {
        timing.bound = bound_of(timing.contender, model.model.architecture, length, cell.peaks);
      }
    }
    auto& all = results_.get().cells;
    all.insert(all.end(), std::make_move_iterator(cells.begin()), std::make_move_iterator(cells.end()));
  }

  void finished(const Contenders& /*contenders*/) const {
    if (isatty(STDERR_FILENO) != 0) std::fputs("\r\033[K", stderr);
  }

 private:
  std::reference_wrapper<Results> results_;
  std::reference_wrapper<const Options> options_;
};

void write_file(const std::string& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary);
  file << content;
  if (!file.flush()) throw Error(ErrorCode::io, "cannot write", path);
}

int hand_out(const Options& options, const Results& results) {
  if (!options.json.empty()) write_file(options.json, to_json(results));
  const std::string markdown = to_markdown(results);
  if (options.markdown.empty()) {
    std::cout << markdown << std::flush;
  } else {
    write_file(options.markdown, markdown);
  }
  return 0;
}

int run_table(const Options& options) {
  Results results;
  results.setting = prepare_setting(options);
  const std::vector<BenchModel> models = chosen_models(options);
  for (const BenchModel& model : models) results.models.push_back({model.name, describe(model.model.architecture)});
  for_each_length(options, models, TableRun(results, options));
  if (results.cells.empty()) throw Error(ErrorCode::usage, "nothing was chosen to be measured");
  return hand_out(options, results);
}

int run_merge(const Options& options) {
  std::vector<Results> parts;
  for (const std::string& path : options.merge) parts.push_back(read_results(path));
  return hand_out(options, merge(parts));
}

/// Everything that Google Benchmark's run refers to.
struct Registered {
  std::vector<Contenders> contenders;
  std::deque<SampleTexts> texts;
};

class GoogleRun {
 public:
  GoogleRun(Registered& registered, const Options& options) : registered_(registered), options_(options) {}

  void operator()(const BenchModel& model, const Contenders& contenders, std::size_t length) {
    for (const std::string& kind : options_.get().kinds) {
      const SampleTexts& texts = registered_.get().texts.emplace_back(kind, length);
      check_agreement(model.model, contenders, texts.texts());
      register_benchmarks(model.name + "/" + kind + "/" + std::to_string(length), contenders, texts.texts());
    }
  }

  void finished(Contenders contenders) { registered_.get().contenders.push_back(std::move(contenders)); }

 private:
  std::reference_wrapper<Registered> registered_;
  std::reference_wrapper<const Options> options_;
};

int run_google(const Options& options, const std::string& program) {
  if (!initialize_benchmarks(program, options.for_benchmark)) return 2;
  const Setting setting = prepare_setting(options);
  std::cerr << "processor: " << setting.processor << "\nlibtorch: " << setting.libtorch << "\n";
  const std::vector<BenchModel> models = chosen_models(options);
  Registered registered;
  for_each_length(options, models, GoogleRun(registered, options));
  run_benchmarks();
  return 0;
}

int exit_status(ErrorCode code) {
  switch (code) {
    case ErrorCode::usage:
      return 2;
    case ErrorCode::unsupported:
      return 4;
    case ErrorCode::io:
    case ErrorCode::syntax:
    case ErrorCode::ambiguous:
    case ErrorCode::limit:
      return 3;
    case ErrorCode::invalid:
      return 1;
  }
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  const ParsedOptions parsed = parse_options(argc, argv);
  if (parsed.exit_status) return *parsed.exit_status;
  const Options& options = parsed.options;
  try {
    if (!options.merge.empty()) return run_merge(options);
    return options.table ? run_table(options) : run_google(options, argv[0]);
  } catch (const Error& error) {
    std::cerr << "bytecnn_bench: error: " << error.what() << "\n";
    return exit_status(error.code());
  } catch (const std::exception& error) {
    std::cerr << "bytecnn_bench: error: " << error.what() << "\n";
    return 1;
  }
}
