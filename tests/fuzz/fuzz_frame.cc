// Fuzzes the data path and what the control thread parses of what it gets from there. The first
// byte says how much of the way to the relay the rest is given: nothing, an Ethernet header, a UDP
// datagram on the WireGuard port, or a transport message of a client; and whether checks that a
// changed input would hardly pass are made right. Every frame leaves, is punted, or is dropped
// under a name, and every buffer comes back. make_frame_seeds.py writes the seeds.
#include <algorithm>
#include <array>
#include <cstdlib>

#include "crypto/cookie.h"
#include "ctrl/neighbour/arp.h"
#include "ctrl/neighbour/nd.h"
#include "ctrl/packets/datagram.h"
#include "ctrl/packets/path_report.h"
#include "tests/fuzz/target.h"
#include "tests/support/data_path.h"
#include "tests/support/test_environment.h"

using namespace wirelay;
using namespace wirelay::test;

namespace {

constexpr size_t kLongestFrame = 2000;      // what a buffer of ours holds
constexpr uint64_t kSessionInputs = 10000;  // a session is renewed behind so many

struct Fixture {
  Fixture() { path.shared->mac1_key = crypto::mac1_key(crypto::PublicKey{}); }

  /// Long before the session's end.
  void renew(Client& c) {
    path.sessions->retire(c.index);
    path.shared->rcu.poll();
    path.new_session(c);
  }

  DataPath path;
  Client client = path.add_client();
  Client client6 = path.add_client(true);
  const uint32_t awaited = path.sessions->reserve(client.peer, 0).value();  // our initiation's
  uint64_t fed = 0, punted = 0;
  std::array<uint64_t, 2> left{};                         // by port
  uint64_t given_up = 0;                                  // parts of packets
  std::array<uint64_t, dataplane::kPuntReasons> punts{};  // by reason
};

Fixture& fixture() {
  static const bool started = (start_environment("fuzz_frame"), true);
  static_cast<void>(started);
  static Fixture* const instance = new Fixture;  // lives as long as EAL
  return *instance;
}

/// Length, header checksum and, for what a client sends, the source of an IP packet.
void mend_packet(Bytes& packet, const Client* sender) {
  const unsigned version = packet.empty() ? 0 : packet[0] >> 4;
  const size_t header = version == 4 ? 20 : 40;
  if ((version != 4 && version != 6) || packet.size() < header) return;
  const size_t length_at = version == 4 ? 2 : 4;
  const size_t length = version == 4 ? packet.size() : packet.size() - header;
  packet[length_at] = static_cast<uint8_t>(length >> 8);
  packet[length_at + 1] = static_cast<uint8_t>(length);
  if (sender != nullptr) {
    const auto& source = (version == 4 ? sender->inner4 : sender->inner6).bytes;
    std::copy(source.begin() + (version == 4 ? 12 : 0), source.end(),
              packet.begin() + (version == 4 ? 12 : 8));
  }
  if (version == 4) fix_ipv4_checksum(packet);
}

/// What has a handshake message's size answers our initiation, and its macs are right.
void mend_message(Bytes& message, uint32_t awaited) {
  if (message.size() == sizeof(crypto::MessageCookieReply)) {
    crypto::store_le32(&message[offsetof(crypto::MessageCookieReply, receiver)], awaited);
  }
  if (message.size() == sizeof(crypto::MessageResponse)) {
    crypto::store_le32(&message[offsetof(crypto::MessageResponse, receiver)], awaited);
  }
  if (message.size() == sizeof(crypto::MessageInitiation) ||
      message.size() == sizeof(crypto::MessageResponse)) {
    crypto::MacWriter(crypto::PublicKey{}).write(message, 0);
  }
}

Bytes make_frame(Fixture& f, uint8_t how, Bytes rest) {
  Client& client = (how & 8) != 0 ? f.client6 : f.client;
  if ((how & 32) != 0 && (how & 3) == 2) mend_message(rest, f.awaited);
  if ((how & 32) != 0 && (how & 1) != 0) mend_packet(rest, (how & 2) != 0 ? &client : nullptr);
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
  if (punt.reason == PuntReason::kHandshake || punt.reason == PuntReason::kExpected)
    ctrl::parse_frame(punt.mbuf, punt.worker);
  if (punt.reason == PuntReason::kPathReport) ctrl::parse_path_report(punt.mbuf);
  rte_pktmbuf_free(punt.mbuf);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static Fixture& f = fixture();
  if (size == 0 || size > kLongestFrame - 200) return 0;
  f.path.feed(data[0] >> 2 & 1, make_frame(f, data[0], Bytes(data + 1, data + size)));
  ++f.fed;
  // What may be handed up in a part of a second may be handed up for each input.
  f.path.now += DataPath::kHz / dataplane::PuntAllowance::kPeriodsPerSecond;
  if (f.fed % kSessionInputs == 0) {
    f.renew(f.client);
    f.renew(f.client6);
  }
  f.path.poll();
  for (unsigned port : {0u, 1u}) f.left[port] += f.path.sent(port).size();
  for (const dataplane::Punt& punt : f.path.punts()) {
    ++f.punted;
    ++f.punts.at(static_cast<size_t>(punt.reason));
    parse(punt);
  }
  f.path.events();
  // A part of a packet waits for no later input.
  dataplane::Worker& worker = *f.path.workers[0];
  for (dataplane::Reassembler* parts : {&worker.plain_parts, &worker.tunnel_parts}) {
    parts->expire(f.path.now + DataPath::kHz);
    f.given_up += parts->take_lost();
  }
  const uint64_t came = f.fed + worker.counters.made.get();
  const uint64_t went = f.left[0] + f.left[1] + f.punted + f.path.all_drops() +
                        worker.counters.joined.get() + f.given_up;
  if (came != went) std::abort();
  if (f.path.mbufs_in_use() != 0) std::abort();
  return 0;
}

extern "C" const char* missed_by_seeds(size_t) {
  const Fixture& f = fixture();
  using dataplane::Drop;
  using dataplane::PuntReason;
  const auto punted = [&f](PuntReason reason) { return f.punts[static_cast<size_t>(reason)] != 0; };
  if (f.left[0] == 0) return "a peer";
  if (f.left[1] == 0) return "the network";
  if (!punted(PuntReason::kHandshake)) return "the handshake's parser";
  if (!punted(PuntReason::kExpected)) return "the parser of answers";
  if (!punted(PuntReason::kArp)) return "ARP's parser";
  if (!punted(PuntReason::kNeighbour)) return "neighbour discovery's parser";
  if (!punted(PuntReason::kUnresolved)) return "a neighbour that is not known";
  const uint64_t meant = f.path.drops(Drop::kKeepalive) + f.path.drops(Drop::kUnknownSession);
  if (meant != 2 || f.path.all_drops() != meant) return "their ends, all of them";
  return nullptr;
}
