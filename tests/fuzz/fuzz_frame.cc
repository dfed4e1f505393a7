// Fuzzes the data path and what the control thread parses of what it gets from there. The first
// byte says how much of the way to the relay the rest is given: nothing, an Ethernet header, a UDP
// datagram on the WireGuard port, or a transport message of a client. Every frame leaves, is
// punted, or is dropped under a name, and every buffer comes back.
#include <cstdlib>

#include "crypto/cookie.h"
#include "ctrl/neighbour/arp.h"
#include "ctrl/neighbour/nd.h"
#include "ctrl/protocol/datagram.h"
#include "tests/support/data_path.h"
#include "tests/support/test_environment.h"

using namespace wirelay;
using namespace wirelay::test;

namespace {

constexpr size_t kLongestFrame = 2000;  // what a buffer of ours holds

struct Fixture {
  Fixture() { path.shared->mac1_key = crypto::mac1_key(crypto::PublicKey{}); }

  DataPath path;
  Client client = path.add_client();
  Client client6 = path.add_client(true);
  uint64_t fed = 0, left = 0, punted = 0;
};

Fixture& fixture() {
  start_environment("fuzz_frame");
  static Fixture* const instance = new Fixture;  // lives as long as EAL
  return *instance;
}

Bytes make_frame(Fixture& f, uint8_t how, const Bytes& rest) {
  Client& client = (how & 8) != 0 ? f.client6 : f.client;
  switch (how & 3) {
    case 1:
      return ethernet(f.path.mac(how >> 2 & 1), DataPath::kPeerMac,
                      (how & 8) != 0    ? kTypeIpv6
                      : (how & 16) != 0 ? kTypeArp
                                        : kTypeIpv4,
                      rest);
    case 2:
      return f.path.from_client(client, rest);
    case 3:
      return f.path.tunnelled(client, rest);
    default:
      return rest;
  }
}

void parse(const dataplane::Punt& punt) {
  using dataplane::PuntReason;
  if (punt.reason == PuntReason::kArp) ctrl::parse_arp(punt.mbuf);
  if (punt.reason == PuntReason::kNeighbour) ctrl::parse_nd(punt.mbuf);
  if (punt.reason == PuntReason::kHandshake) ctrl::parse_frame(punt.mbuf, punt.worker);
  rte_pktmbuf_free(punt.mbuf);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Fixture& f = fixture();
  if (size == 0 || size > kLongestFrame - 200) return 0;
  f.path.feed(data[0] >> 2 & 1, make_frame(f, data[0], Bytes(data + 1, data + size)));
  ++f.fed;
  f.path.now += DataPath::kHz / 1000;
  f.path.poll();
  f.left += f.path.sent(0).size() + f.path.sent(1).size();
  for (const dataplane::Punt& punt : f.path.punts()) {
    ++f.punted;
    parse(punt);
  }
  f.path.events();
  if (f.fed != f.left + f.punted + f.path.all_drops()) std::abort();
  if (f.path.mbufs_in_use() != 0) std::abort();
  return 0;
}
