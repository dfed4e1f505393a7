// Where those who may look, but change nothing, reach the relay: a socket beside the control
// socket.
#pragma once

#include <string>

namespace wirelay::ctrl {

inline constexpr const char* kReadSocketEnding = ".read";

inline std::string read_socket_of(const std::string& control_socket) {
  return control_socket + kReadSocketEnding;
}

}  // namespace wirelay::ctrl
