// Two ports and their neighbours: frames and punts go in, what the control thread sends comes out,
// and time moves when a test says so.
//
//   wan  (port 0) 192.0.2.1, .3, 2001:db8:1::1, link-local; gateways 192.0.2.254, 2001:db8:1::fe
//   inet (port 1) 198.51.100.1; gateway 198.51.100.254, egress
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <cppunit/TestFixture.h>

#include "ctrl/base/log.h"
#include "ctrl/neighbour/neighbours.h"
#include "tests/support/packets.h"
#include "tests/support/times.h"

namespace wirelay::test {

inline constexpr Mac kWan = {2, 0, 0, 0, 0, 1}, kInet = {2, 0, 0, 0, 0, 2};  // our ports
inline constexpr Mac kHost = {2, 0, 0, 0, 1, 1}, kOther = {2, 0, 0, 0, 1, 2};
inline constexpr uint16_t kRequest = 1, kReply = 2;  // ARP operations

class NeighbourFixture : public CppUnit::TestFixture {
 public:
  /// The ports share the neighbours evenly.
  explicit NeighbourFixture(uint16_t neighbours_in_all = 128)
      : neighbours_in_all_(neighbours_in_all) {}
  void setUp() override;
  /// Fails when a buffer was lost.
  void tearDown() override;

 protected:
  // What comes in. ------------------------------------------------------------------------------
  rte_mbuf* mbuf(const Bytes& bytes);
  /// An ARP or ND frame, by port 0.
  void receive(const Bytes& frame);
  /// A packet for a next hop that is not resolved.
  void punt(const Bytes& packet, uint16_t port, uint16_t adjacency);
  /// An ARP reply to us.
  void reply(const char* host, const Mac& mac);
  static Bytes solicitation(const char* from, const char* target);
  static Bytes solicitation_with_source(const char* from, const char* target, const Mac& mac);
  static Bytes advertisement(const char* target, const Mac& mac, uint8_t flags);
  /// Writes the ICMPv6 checksum of a frame anew.
  static void fix_icmp6(Bytes& frame);
  /// A forwarded packet to 192.0.2.50.
  static Bytes inner(uint8_t mark);
  void tick(uint64_t ns);

  // What goes out. ------------------------------------------------------------------------------
  std::vector<Frame> sent();
  /// Packets that were given back to a worker, for their senders to be told.
  std::vector<Bytes> refused();
  static bool asks_for(const Frame& frame, const char* target);
  size_t unicast_probes(const Mac& to);
  /// 192.0.2.50 and .51 answer when they are asked whether they are still there.
  void answer_probes();

  // What is known. ------------------------------------------------------------------------------
  dataplane::RouteTarget lookup(const char* to) { return shared_->prefixes.lookup(addr(to)); }
  ctrl::PacketSender::Hop hop(const char* to, const uint16_t* port);
  /// The adjacency towards an address, a new one if need be.
  uint16_t route(const char* to) { return hop(to, nullptr).adjacency; }
  /// Makes a host of the port's network resolved.
  uint16_t resolve(const char* host, const Mac& mac);
  /// "" when it is not known.
  std::string state_of(const char* host);
  static uint64_t mac_word(const Mac& mac);
  static dataplane::PortAddress link_local();

  rte_mempool* pool_ = nullptr;
  std::unique_ptr<dataplane::Shared> shared_;
  std::unique_ptr<dataplane::PrefixWriter> prefixes_;
  std::unique_ptr<ctrl::Neighbours> neighbours_;
  ctrl::Config config_;
  std::vector<Frame> at_start_;  // what the first tick sent
  ctrl::Now now_{1000 * kSecond, 1000 * kSecond, 0};

 private:
  const uint16_t neighbours_in_all_;
  ctrl::LogLevel log_level_ = ctrl::LogLevel::kInfo;
};

}  // namespace wirelay::test
