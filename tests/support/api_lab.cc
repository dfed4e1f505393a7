// Sockets and turns of the loop.
#include "tests/support/api_lab.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include <event2/event.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace wirelay::test {

namespace {

constexpr auto kPatience = std::chrono::seconds(60);

}  // namespace

TemporaryFolder::TemporaryFolder() : path_("/tmp/wirelay-test-XXXXXX") {
  if (mkdtemp(path_.data()) == nullptr) throw std::runtime_error("no temporary folder");
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

ApiLab::ApiLab(const ctrl::api::ServerLimits& limits, ctrl::api::Right right)
    : socket(folder / "relayd.sock"),
      file(socket),
      server(relay.loop, relay, relay.events, limits) {
  server.listen(file, right);
  std::signal(SIGPIPE, SIG_IGN);  // as relayd does: libevent writes to whoever has left
}

void ApiLab::turn() { event_base_loop(relay.loop.base(), EVLOOP_NONBLOCK); }

bool ApiLab::turn_until(const std::function<bool()>& reached) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!reached()) {
    if (std::chrono::steady_clock::now() > end) return false;
    turn();
  }
  return true;
}

std::jthread ApiLab::turn_in_background() {
  return std::jthread([this](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      turn();
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  });
}

RawClient::RawClient(ApiLab& lab)
    : lab_(lab), fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, lab.socket.data(), lab.socket.size());
  const bool connected = lab.turn_until([&] {  // refused with EAGAIN while the backlog is full
    return connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  });
  if (!connected) throw std::runtime_error("cannot connect to the server under test");
}

RawClient::~RawClient() { close(fd_); }

size_t RawClient::send(std::string_view bytes) {
  const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  return n > 0 ? static_cast<size_t>(n) : 0;
}

void RawClient::send_all(std::string_view bytes) {
  lab_.turn_until([&] {
    bytes.remove_prefix(send(bytes));
    receive();
    return bytes.empty() || closed_;
  });
}

void RawClient::shut_down_writing() { shutdown(fd_, SHUT_WR); }

void RawClient::receive() {
  char buffer[65536];
  for (;;) {
    const ssize_t n = recv(fd_, buffer, sizeof buffer, 0);
    if (n > 0) {
      received_.append(buffer, static_cast<size_t>(n));
    } else {
      closed_ = closed_ || n == 0 || (errno != EAGAIN && errno != EINTR);
      return;
    }
  }
}

std::optional<std::string> RawClient::line() {
  receive();
  const size_t end = received_.find('\n');
  if (end == std::string::npos) return std::nullopt;
  std::string text = received_.substr(0, end);
  received_.erase(0, end + 1);
  return text;
}

std::string RawClient::await_line() {
  std::optional<std::string> text;
  lab_.turn_until([&] {
    text = line();
    return text.has_value() || closed_;
  });
  return text.value_or("");
}

bool RawClient::await_close() {
  return lab_.turn_until([&] {
    receive();
    return closed_;
  });
}

}  // namespace wirelay::test
