/// bytecnn-export: `bytecnn export` starts this program.

#include <exception>
#include <iostream>
#include <new>
#include <string>

#include "bytecnn/error.hpp"

#include "export_model.hpp"
#include "export_options.hpp"
#include "inspect.hpp"

namespace {

int exit_status(bytecnn::ErrorCode code) {
  switch (code) {
    case bytecnn::ErrorCode::usage:
      return 2;
    case bytecnn::ErrorCode::unsupported:
      return 4;
    default:
      return 3;
  }
}

}  // namespace

int main(int argc, char** argv) {
  using namespace bytecnn::exporter;
  const std::string command = asks_to_inspect(argc, argv) ? "bytecnn inspect: " : "bytecnn export: ";
  std::string file;
  try {
    const auto options = parse_export_options(argc, argv);
    if (!options) return 0;
    file = options->checkpoint + ": ";
    return options->inspect ? inspect(*options) : export_model(*options);
  } catch (const bytecnn::Error& error) {
    std::cerr << command << error.what() << "\n";
    return exit_status(error.code());
  } catch (const std::bad_alloc&) {
    std::cerr << command << file << "not enough memory\n";
    return 3;
  } catch (const std::exception& error) {
    std::cerr << command << file << error.what() << "\n";
    return 3;
  }
}
