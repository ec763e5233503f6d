#pragma once
// The sockets of the examples: TCP on the loopback interface, POSIX alone.

#include <array>
#include <cerrno>
#include <cstdint>
#include <string_view>
#include <system_error>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

class Socket {
 public:
  explicit Socket(int descriptor) : descriptor_(descriptor) {
    if (descriptor_ < 0) throw std::system_error(errno, std::generic_category(), "socket");
  }
  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  ~Socket() {
    if (descriptor_ >= 0) close(descriptor_);
  }

  /// Listens on `port`, or on a free one for 0.
  static Socket listen_on(std::uint16_t port) {
    Socket socket(::socket(AF_INET, SOCK_STREAM, 0));
    const int yes = 1;
    setsockopt(socket.descriptor_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    const sockaddr_in address = loopback(port);
    if (bind(socket.descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        listen(socket.descriptor_, 64) != 0) {
      throw std::system_error(errno, std::generic_category(), "listen");
    }
    return socket;
  }
  static Socket connected_to(std::uint16_t port) {
    Socket socket(::socket(AF_INET, SOCK_STREAM, 0));
    const sockaddr_in address = loopback(port);
    if (connect(socket.descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      throw std::system_error(errno, std::generic_category(), "connect");
    }
    return socket;
  }

  [[nodiscard]] Socket accepted() const { return Socket(accept(descriptor_, nullptr, nullptr)); }
  [[nodiscard]] std::uint16_t port() const {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.sin_port);
  }

  /// The next bytes, valid until the next call; empty where the other side has closed or is gone.
  [[nodiscard]] std::string_view receive() {
    const ssize_t count = recv(descriptor_, buffer_.data(), buffer_.size(), 0);
    return {buffer_.data(), count > 0 ? static_cast<std::size_t>(count) : 0};
  }
  /// Sends all of it, or as much as the other side takes before it is gone.
  void send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t count = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  void finish_sending() const { shutdown(descriptor_, SHUT_WR); }

 private:
  static sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }

  int descriptor_;
  std::array<char, 4096> buffer_{};
};
