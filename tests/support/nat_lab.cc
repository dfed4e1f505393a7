// A data path with NAT44, see nat_lab.h.
#include "tests/support/nat_lab.h"

#include <algorithm>
#include <string>

#include <cppunit/TestAssert.h>

namespace wirelay::test {

using namespace dataplane;

namespace {

constexpr size_t kIpHeader = 20, kIcmpHeader = 8;

uint16_t word_at(const Bytes& packet, size_t at) {
  return static_cast<uint16_t>(packet.at(at) << 8 | packet.at(at + 1));
}

/// Without what it was padded with.
Bytes trimmed(Bytes packet) {
  packet.resize(packet[0] >> 4 == 4 ? word_at(packet, 2) : 40u + word_at(packet, 4));
  return packet;
}

}  // namespace

Ends ends_of(const Bytes& packet) {
  const bool icmp = packet.at(9) == kIcmp;
  const uint16_t source = word_at(packet, kIpHeader + (icmp ? 4 : 0));
  const uint16_t destination = word_at(packet, kIpHeader + (icmp ? 4 : 2));
  return {{IpAddr::v4(&packet[12]), source}, {IpAddr::v4(&packet[16]), destination}};
}

Bytes quoted_in(const Bytes& error) {
  return {error.begin() + kIpHeader + kIcmpHeader, error.end()};
}

Bytes icmp_error(const IpAddr& from, const IpAddr& to, uint8_t type, uint8_t code,
                 const Bytes& packet, size_t bytes, uint16_t mtu) {
  const Bytes quoted(packet.begin(),
                     packet.begin() + static_cast<long>(std::min(bytes, packet.size())));
  const Bytes header = {
      type, code, 0, 0, 0, 0, static_cast<uint8_t>(mtu >> 8), static_cast<uint8_t>(mtu)};
  return ip(from, to, kIcmp, with_icmp_checksum(from, to, header + quoted));
}

Bytes ping(const IpAddr& from, const IpAddr& to, uint16_t id, uint8_t type, size_t bytes) {
  const Bytes header = {type, 0, 0, 0, static_cast<uint8_t>(id >> 8), static_cast<uint8_t>(id),
                        0,    1};
  return ip(from, to, kIcmp, with_icmp_checksum(from, to, header + pattern(bytes)));
}

NatSettings nat_settings() {
  NatSettings settings;
  settings.pools = {prefix("198.51.100.64/30")};
  settings.block_ports = 64;
  settings.each.blocks = 2;
  settings.flows = 4096;
  settings.reserved = {51820};
  return settings;
}

NatSettings strict_nat_settings() {
  NatSettings settings = nat_settings();
  settings.filtering = NatFiltering::kAddressAndPortDependent;
  return settings;
}

NatLab::NatLab(const NatSettings& settings, unsigned workers)
    : d({.workers = workers, .queues = static_cast<uint16_t>(workers), .nat = settings}) {}

std::optional<Bytes> NatLab::out(Client& client, const Bytes& packet) {
  d.feed(0, d.tunnelled(client, packet));
  d.poll();
  const auto packets = gateway();
  CPPUNIT_ASSERT_MESSAGE(d.drop_text(), packets.size() <= 1);
  return packets.empty() ? std::nullopt : std::optional(packets[0]);
}

std::optional<Bytes> NatLab::in(const Client& client, const Bytes& packet) {
  d.feed(1, d.from_gateway(packet));
  d.poll();
  const auto packets = received(client);
  CPPUNIT_ASSERT_MESSAGE(d.drop_text(), packets.size() <= 1);
  return packets.empty() ? std::nullopt : std::optional(packets[0]);
}

std::optional<Bytes> NatLab::across(Client& from, const Client& to, const Bytes& packet) {
  d.feed(0, d.tunnelled(from, packet));
  d.poll();
  const auto packets = received(to);
  CPPUNIT_ASSERT_MESSAGE(d.drop_text(), packets.size() <= 1);
  return packets.empty() ? std::nullopt : std::optional(packets[0]);
}

std::vector<Bytes> NatLab::received(const Client& client) {
  std::vector<Bytes> packets;
  for (const Bytes& frame : d.sent(0)) {
    const auto opened = d.open(client, frame);
    CPPUNIT_ASSERT_MESSAGE("for another", opened.has_value());
    packets.push_back(trimmed(opened->packet));
    CPPUNIT_ASSERT(parse_ip_packet(packets.back()).valid);
  }
  return packets;
}

std::vector<Bytes> NatLab::gateway() {
  std::vector<Bytes> packets;
  for (const Bytes& frame : d.sent(1)) {
    packets.push_back(parse_frame(frame).payload);
    CPPUNIT_ASSERT(parse_ip_packet(packets.back()).valid);
  }
  return packets;
}

Endpoint NatLab::mapped(Client& client, uint16_t port, const Endpoint& server) {
  const auto packet = out(client, udp({client.inner4, port}, server, pattern(8)));
  CPPUNIT_ASSERT_MESSAGE(d.drop_text(), packet.has_value());
  CPPUNIT_ASSERT(ends_of(*packet).to == server);
  return ends_of(*packet).from;
}

void NatLab::wait(uint64_t seconds) {
  // In the last ones all that is over is looked at.
  constexpr uint64_t kSteps = 20;
  if (seconds > kSteps) d.now += (seconds - kSteps) * DataPath::kHz;
  for (uint64_t s = 0; s < std::min(seconds, kSteps); ++s) {
    d.now += DataPath::kHz;
    d.poll();
    d.nat->tick(d.now / DataPath::kHz, d.shared->nat->block_count());
    d.shared->rcu.poll();
  }
}

void NatLab::wait(uint64_t seconds, Client& client) {
  wait(seconds);
  renew(client);
}

void NatLab::renew(Client& client, uint32_t owner) {
  d.sessions->retire(client.index);
  d.new_session(client, owner);
}

void expect_drops(const NatLab& lab, Drop drop, uint64_t count) {
  CPPUNIT_ASSERT_EQUAL_MESSAGE(lab.d.drop_text(), count, lab.d.drops(drop));
  CPPUNIT_ASSERT_EQUAL_MESSAGE(lab.d.drop_text(), count, lab.d.all_drops());
}

}  // namespace wirelay::test
