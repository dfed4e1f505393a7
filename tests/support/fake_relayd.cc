// The API of a relay without a data path, on the socket that the only argument names: to try
// relayctl, and to measure the API, without ports or privileges.
#include <csignal>
#include <iostream>

#include "crypto/keys.h"
#include "ctrl/api/server.h"
#include "tests/support/fake_relay.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: fake_relayd SOCKET\n";
    return 2;
  }
  try {
    std::signal(SIGPIPE, SIG_IGN);
    wirelay::crypto::init_crypto();
    wirelay::test::FakeRelay relay;
    relay.observer.recording = false;
    const wirelay::ctrl::api::SocketFile socket(argv[1]);
    wirelay::ctrl::api::Server server(relay.loop, relay, relay.events);
    server.listen(socket, wirelay::ctrl::api::Right::kChange);
    relay.loop.run();
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
