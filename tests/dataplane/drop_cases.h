// Ways to lose a packet, for drops_test.cc: each case provokes one drop of the list, and that
// alone.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "dataplane/drops.h"
#include "tests/support/data_path.h"

namespace wirelay::test {

struct DropCase {
  dataplane::Drop drop;
  std::string what;
  std::function<void(DataPath&)> provoke;
  DataPathOptions options = {};
};

// By the file they stand in, as the pipeline runs.
void add_ingress_cases(std::vector<DropCase>& cases);   // frames for the relay itself
void add_message_cases(std::vector<DropCase>& cases);   // on the WireGuard port, and plain traffic
void add_inbound_cases(std::vector<DropCase>& cases);   // transport messages of peers
void add_limit_cases(std::vector<DropCase>& cases);     // policing
void add_quota_cases(std::vector<DropCase>& cases);     // quotas, and users whose time is over
void add_forward_cases(std::vector<DropCase>& cases);   // routing
void add_outbound_cases(std::vector<DropCase>& cases);  // sealing and sending
void add_nat_cases(std::vector<DropCase>& cases);       // addresses that are translated
void add_ring_cases(std::vector<DropCase>& cases);      // threads that do not keep up

// What several of them are made of. --------------------------------------------------------------

const dataplane::IpAddr kServer4 = addr("203.0.113.9"), kServer6 = addr("2001:db8:99::9");
const dataplane::Endpoint kStranger4{addr("192.0.2.77"), 1234}, kRelay4{addr("192.0.2.1"), 51820};
const dataplane::Endpoint kStranger6{addr("2001:db8:1::77"), 1234},
    kRelay6{addr("2001:db8:1::1"), 51820};

/// Feeds one frame to port 0 and lets it run.
inline auto frame(std::function<Bytes(DataPath&)> make) {
  return [make](DataPath& d) {
    d.feed(0, make(d));
    d.poll();
  };
}

/// An IP packet on its way to the relay.
inline Bytes to_relay_frame(DataPath& d, const Bytes& packet) {
  const bool v6 = packet[0] >> 4 == 6;
  return ethernet(d.mac(0), DataPath::kPeerMac, v6 ? kTypeIpv6 : kTypeIpv4, packet);
}

/// One frame for the relay itself: an IP packet, changed.
inline auto to_relay(Bytes packet, std::function<void(Bytes&)> change = {}) {
  if (change) change(packet);
  return frame([packet](DataPath& d) { return to_relay_frame(d, packet); });
}

/// One packet that a client sends through its tunnel.
inline auto tunnelled(std::function<Bytes(const Client&)> make) {
  return frame([make](DataPath& d) {
    Client c = d.add_client();
    return d.tunnelled(c, make(c));
  });
}

inline Bytes message(uint8_t type, size_t bytes) {
  Bytes m(bytes);
  m[0] = type;
  return m;
}

inline Bytes checksummed(Bytes packet, size_t at, uint8_t value) {
  packet[at] = value;
  fix_ipv4_checksum(packet);
  return packet;
}

}  // namespace wirelay::test
