#pragma once
/// The wish to stop early: by SIGINT or SIGTERM, or because the reader of the output is gone. Whoever waits for input
/// wakes up, whole records are written, and the work ends.

#include <csignal>

namespace bytecnn::cli {

/// From here on SIGINT and SIGTERM ask to stop instead of ending the process. Where it has not ended after two seconds
/// (the reader of the output takes nothing, say), or on a second signal, it is ended at once. A signal that was ignored
/// when the program started stays ignored.
void stop_on_signals();

/// Asks to stop. May be called by any thread.
void request_stop() noexcept;
[[nodiscard]] bool stop_requested() noexcept;

/// The signal that asked to stop, or 0.
[[nodiscard]] int stop_signal() noexcept;

/// Ends this process by `signal`, so that the shell sees what happened (status 128 + signal).
[[noreturn]] void end_by_signal(int signal) noexcept;

/// Waits until `descriptor` can be read (or is at its end). False: stopping was asked for.
[[nodiscard]] bool wait_for_input(int descriptor) noexcept;

}  // namespace bytecnn::cli
