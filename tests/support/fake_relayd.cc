// The API of a relay without a data path, on the socket that the only argument names: to try
// relayctl, and to measure the API, without ports or privileges.
#include <csignal>
#include <iostream>

#include <event2/event.h>

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
    event_base* base = event_base_new();
    {
      const wirelay::ctrl::api::Server server(base, relay, argv[1]);
      event_base_dispatch(base);
    }
    event_base_free(base);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
