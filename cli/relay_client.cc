// A blocking client of the control socket.
#include "cli/relay_client.h"

#include <cerrno>
#include <cstring>
#include <system_error>

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/errors.h"
#include "ctrl/base/json.h"
#include "ctrl/base/read_socket.h"

namespace wirelay::cli {

namespace {

constexpr timeval kPatience{60, 0};
constexpr ctrl::JsonLimits kReply{.bytes = size_t{64} << 20, .values = 4'000'000};

constexpr size_t kPathRoom = sizeof(sockaddr_un::sun_path);

/// 0, or what is in the way.
int connect_to(int fd, const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= kPathRoom) return ENAMETOOLONG;
  std::memcpy(address.sun_path, path.data(), path.size());
  return ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0
                                                                                         : errno;
}

std::string error_text(int error) { return std::generic_category().message(error); }

}  // namespace

RelayRefused::RelayRefused(Json::Value error_, std::string note_)
    : Failure(error_["message"].asString()), error(std::move(error_)), note(std::move(note_)) {}

std::string strange_reply(const Json::Exception& error) {
  return std::string("the relay's reply is not what this relayctl knows: ") + error.what();
}

RelayClient::~RelayClient() {
  if (fd_ >= 0) close(fd_);
}

Json::Value RelayClient::call(const std::string& method, const Json::Value& params) {
  return call_text(method, ctrl::write_json(params));
}

Json::Value RelayClient::call_text(std::string_view method, std::string_view params) {
  connect();
  std::string request = R"({"jsonrpc":"2.0","id":)" + std::to_string(++last_id_);
  request.append(R"(,"method":")").append(method).append(R"(","params":)").append(params);
  send(request.append("}\n"));
  Json::Value reply;
  try {
    reply = ctrl::parse_json(receive(), kReply);
  } catch (const ctrl::JsonError& error) {
    unreachable(std::string("it does not speak JSON: ") + error.what());
  }
  if (reply.isObject() && reply["error"].isObject()) throw RelayRefused(reply["error"]);
  if (!reply.isObject() || reply["id"] != last_id_ || !reply.isMember("result")) {
    unreachable("it does not speak JSON-RPC 2.0");
  }
  return reply["result"];
}

Json::Value RelayClient::await_notification() {
  Json::Value message;
  try {
    message = ctrl::parse_json(receive(true), kReply);
  } catch (const ctrl::JsonError& error) {
    unreachable(std::string("it does not speak JSON: ") + error.what());
  }
  if (!message.isObject() || message.isMember("id") || !message["params"].isObject()) {
    unreachable("it does not speak JSON-RPC 2.0");
  }
  return message["params"];
}

void RelayClient::connect() {
  if (fd_ >= 0) return;
  if (path_.empty() || path_.size() >= kPathRoom) {
    unreachable("a socket's path has 1 to " + std::to_string(kPathRoom - 1) + " bytes");
  }
  fd_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd_ < 0) unreachable(error_text(errno));
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
  int error = connect_to(fd_, path_);
  // Whoever may only look has a socket of its own.
  if (error == EACCES && connect_to(fd_, ctrl::read_socket_of(path_)) == 0) error = 0;
  switch (error) {
    case 0:
      return;
    case ENOENT:
    case ECONNREFUSED:
      unreachable(
          "nobody listens there; is relayd running? (--socket or WIRELAY_SOCKET name "
          "another socket)");
    case EACCES:
      unreachable("permission denied; use sudo, or join the socket's group");
    default:
      unreachable(error_text(error));
  }
}

void RelayClient::send(const std::string& line) {
  for (size_t sent = 0; sent < line.size();) {
    const ssize_t n = ::send(fd_, line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
    if (n > 0) {
      sent += static_cast<size_t>(n);
    } else if (errno == EPIPE || errno == ECONNRESET) {
      return;  // it may have said why before it closed
    } else if (errno != EINTR) {
      unreachable("it does not read: " + error_text(errno));
    }
  }
}

std::string RelayClient::receive(bool patient) {
  size_t searched = 0;
  char buffer[65536];
  for (;;) {
    if (const size_t end = received_.find('\n', searched); end != std::string::npos) {
      std::string line = received_.substr(0, end);
      received_.erase(0, end + 1);
      return line;
    }
    searched = received_.size();
    if (searched > kReply.bytes) unreachable("its reply has no end");
    const ssize_t n = recv(fd_, buffer, sizeof buffer, 0);
    if (n > 0) {
      received_.append(buffer, static_cast<size_t>(n));
    } else if (n == 0) {
      unreachable("it closed the connection");
    } else if (errno != EINTR && !(patient && errno == EAGAIN)) {
      unreachable("it does not answer: " + error_text(errno));
    }
  }
}

void RelayClient::unreachable(const std::string& why) const {
  throw Unreachable("cannot reach the relay at " + path_ + ": " + why);
}

}  // namespace wirelay::cli
