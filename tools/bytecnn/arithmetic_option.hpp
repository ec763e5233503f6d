#pragma once
/// --arithmetic, as every command that classifies has it.

#include <CLI/CLI.hpp>

#include "bytecnn/arithmetic.hpp"

#include "choice_option.hpp"

namespace bytecnn::cli {

inline CLI::Option* add_arithmetic_option(CLI::App& command, Arithmetic& target) {
  return add_choice_option<Arithmetic>(
      command, "--arithmetic", target,
      {{"float32", Arithmetic::float32}, {"int32", Arithmetic::int32}, {"int16", Arithmetic::int16}},
      "of models with one conv layer: float32 (default), int32 (the same bits on every instruction set) or int16 "
      "(half the tables; `bytecnn info` tells its error)");
}

}  // namespace bytecnn::cli
