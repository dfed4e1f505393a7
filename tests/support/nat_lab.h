// A data path with NAT44 (data_path.h), and what crosses it, one packet at a time:
//
//   client 10.0.1.x ── port 0 ── relay ── port 1 ── server 203.0.113.9
//                                  │ pool 198.51.100.64/30, or what a test names
#pragma once

#include <optional>

#include "tests/support/data_path.h"

namespace wirelay::test {

/// Ends of an IPv4 packet: addresses, ports or a ping's identifier.
struct Ends {
  dataplane::Endpoint from, to;
  auto operator<=>(const Ends&) const = default;
};
/// Of a TCP or UDP packet, or a ping.
Ends ends_of(const Bytes& packet);
/// The packet that an ICMP error quotes, as much as there is of it.
Bytes quoted_in(const Bytes& error);
/// An ICMP error about `packet`, of which it quotes `bytes` at most.
Bytes icmp_error(const dataplane::IpAddr& from, const dataplane::IpAddr& to, uint8_t type,
                 uint8_t code, const Bytes& packet, size_t bytes = 528, uint16_t mtu = 0);
/// A ping with this identifier; `type`: 8 or 0.
Bytes ping(const dataplane::IpAddr& from, const dataplane::IpAddr& to, uint16_t id,
           uint8_t type = 8, size_t bytes = 24);

dataplane::NatSettings nat_settings();
/// The same, where only whom a client has sent to may answer.
dataplane::NatSettings strict_nat_settings();
/// Whom no client has sent to, until a test does.
inline const dataplane::Endpoint kStranger{addr("203.0.113.77"), 5000};

class NatLab {
 public:
  explicit NatLab(const dataplane::NatSettings& settings = nat_settings(), unsigned workers = 1);

  /// What the gateway gets of a packet that the client sends; nothing when it gets none.
  std::optional<Bytes> out(Client& client, const Bytes& packet);
  /// What the client gets of a packet that the gateway sends.
  std::optional<Bytes> in(const Client& client, const Bytes& packet);
  /// What `to` gets of a packet that `from` sends.
  std::optional<Bytes> across(Client& from, const Client& to, const Bytes& packet);
  /// What the client has got since: of each packet its bytes, without padding.
  std::vector<Bytes> received(const Client& client);
  /// What the gateway has got since.
  std::vector<Bytes> gateway();

  /// The public end of a client's UDP port, as a server sees it; the test fails without one.
  dataplane::Endpoint mapped(Client& client, uint16_t port,
                             const dataplane::Endpoint& server = kServer);
  /// Time passes, and what is over ends: blocks that are idle are taken back, and rest.
  void wait(uint64_t seconds);
  /// The same; the client has a new session then.
  void wait(uint64_t seconds, Client& client);
  /// The client has a new session, of this worker.
  void renew(Client& client, uint32_t owner = 0);

  DataPath d;
};

/// No packet is missing under another name: that many ended under this one, and none elsewhere.
void expect_drops(const NatLab& lab, dataplane::Drop drop, uint64_t count);

}  // namespace wirelay::test
