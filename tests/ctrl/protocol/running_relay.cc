// Rounds of the control thread beside workers that poll; see running_relay.h.
#include "tests/ctrl/protocol/running_relay.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <cppunit/TestAssert.h>

#include <rte_ether.h>

#include "crypto/cookie.h"

namespace wirelay::test {

using dataplane::Endpoint;
using dataplane::IpAddr;

namespace {

constexpr unsigned kAnswerThreads = 2;
constexpr uint64_t kAnswerNs = 1'000;     // so little that many may wait
constexpr uint64_t kHandshakeNs = 1'000;  // so little that nothing is load
constexpr uint64_t kUnixNs = 1'700'000'000 * kSecond;

DataPathOptions path_options() {
  DataPathOptions options;
  options.workers = options.queues = RunningRelay::kWorkers;
  return options;
}

}  // namespace

RunningRelay::RunningRelay(unsigned count)
    : path_(path_options()),
      identity_(crypto::make_identity(crypto::generate_private_key())),
      answers_(kAnswerThreads, kAnswerNs, [] {}),
      clock_(path_.now) {
  dataplane::Shared& shared = *path_.shared;
  shared.mac1_key = crypto::mac1_key(identity_.public_key);
  protocol_ = std::make_unique<ctrl::Protocol>(shared, *path_.sessions, *path_.peers, *this,
                                               identity_, kHandshakeNs, this);
  publisher_ = std::make_unique<ctrl::Publisher>(shared, *path_.peers, *protocol_);
  for (unsigned i = 0; i < count; ++i) {
    Member member;
    member.name = "member" + std::to_string(i);
    member.peer = std::make_unique<KeptPeer>(identity_.public_key, i + 1);
    member.endpoint = {addr(("192.0.2." + std::to_string(100 + i)).c_str()), 40000};
    member.inner = addr(("10.0.1." + std::to_string(1 + i)).c_str());
    member.begins = i % 2 == 0;
    members.push_back(std::move(member));
  }
  workers_ = std::make_unique<ReaderThreads>(shared.rcu, kWorkers, [this](unsigned id) {
    path_.workers[id]->poll(clock_.load(std::memory_order_relaxed));
  });
  for (Member& member : members) add(member);
}

RunningRelay::~RunningRelay() { workers_.reset(); }

ctrl::Now RunningRelay::now() const {
  const uint64_t time = clock_.load(std::memory_order_relaxed);
  return {time, time, kUnixNs + time};
}

void RunningRelay::tell(const ctrl::ChangeEvent& event) { CPPUNIT_ASSERT(publisher_->tell(event)); }

void RunningRelay::add(Member& member) {
  ctrl::UserSpec user;
  user.name = member.name;
  ctrl::PeerSpec spec;
  spec.name = spec.user = member.name;
  spec.public_key = member.peer->public_key();
  spec.allowed_ips = {{member.inner, 128}};
  spec.persistent_keepalive = 1;
  if (!member.begins) spec.endpoint = member.endpoint;
  member.user = std::make_shared<const ctrl::UserSpec>(user);
  member.spec = std::make_shared<const ctrl::PeerSpec>(spec);
  tell(ctrl::UserEvent{nullptr, member.user});
  tell(ctrl::PeerEvent{nullptr, member.spec});
  member.present = true;
}

void RunningRelay::remove(Member& member) {
  tell(ctrl::PeerEvent{member.spec, nullptr});
  tell(ctrl::UserEvent{member.user, nullptr});
  member.present = false;
}

void RunningRelay::change_limits(Member& member) {
  auto after = std::make_shared<ctrl::UserSpec>(*member.user);
  uint64_t& rate = after->values[ctrl::UserField::kDownRate];
  rate = rate == 0 ? 100'000'000'000 : 0;
  tell(ctrl::UserEvent{member.user, after});
  member.user = after;
}

void RunningRelay::send_to(const Member& member, uint16_t queue) {
  const Endpoint to{member.inner, 1};
  path_.feed(1, path_.from_gateway(udp(kServer, to, pattern(40))), queue);
}

void RunningRelay::hand_up(const Member& member) {
  const auto number = publisher_->peer_number(member.name);
  if (!number) return;
  rte_mbuf* packet = path_.make_mbuf(udp(kServer, {member.inner, 1}, pattern(40)));
  protocol_->handle(dataplane::Punt{packet, dataplane::PuntReason::kNoSession, 0, 0, *number},
                    now());
}

void RunningRelay::send_from(const Member& member, const Bytes& message, uint16_t queue) {
  Client client;
  client.endpoint = member.endpoint;
  path_.feed(0, path_.from_client(client, message), queue);
}

void RunningRelay::round() {
  clock_.fetch_add(kStep, std::memory_order_relaxed);
  ++rounds;
  serve();
  protocol_->tick(now());
  path_.shared->rcu.poll();
  workers_->pace();
  collect();
}

/// As the pump does, and changes where they hurt most: an answer is on its way.
void RunningRelay::serve() {
  for (unsigned w = 0; w < kWorkers; ++w) {
    for (const auto& event : path_.events(w)) protocol_->handle(event, now());
  }
  protocol_->finish_answers(16, now());
  for (unsigned w = 0; w < kWorkers; ++w) {
    for (const auto& punt : path_.punts(w)) protocol_->handle(punt, now());
  }
  for (const uint32_t number : std::exchange(submitted_, {})) {
    const auto of_number = [&](const Member& m) {
      return m.present && publisher_->peer_number(m.name) == number;
    };
    const auto member = std::ranges::find_if(members, of_number);
    if (member != members.end() && goes_meanwhile && goes_meanwhile(*member)) remove(*member);
  }
}

bool RunningRelay::submit(std::unique_ptr<ctrl::Answer>& answer) {
  submitted_.push_back(answer->peer);
  return answers_.submit(answer);
}

void RunningRelay::send(rte_mbuf* packet, uint16_t port, uint16_t) {
  auto* header = reinterpret_cast<uint8_t*>(rte_pktmbuf_prepend(packet, RTE_ETHER_HDR_LEN));
  CPPUNIT_ASSERT(header != nullptr);
  const Mac from = path_.mac(0);
  std::ranges::copy(DataPath::kPeerMac, header);
  std::ranges::copy(from, header + from.size());
  header[12] = 0x08;
  header[13] = 0x00;
  packet->port = port;
  if (!path_.shared->mailboxes[sent_++ % kWorkers]->transmit.push(packet)) {
    rte_pktmbuf_free(packet);
  }
}

std::optional<ctrl::PacketSender::Hop> RunningRelay::route(const IpAddr&, const IpAddr*,
                                                           const uint16_t*) {
  return Hop{path_.ports[0]->id(), DataPath::kOutside, 1500, path_.relay_endpoint(false).addr};
}

void RunningRelay::collect() {
  for (const Bytes& frame : path_.sent(0)) take_in(frame);
  path_.sent(1);  // what members send to the plain network, and what had no member any more
}

void RunningRelay::take_in(const Bytes& frame) {
  const Parsed outer = parse_ip_packet(parse_frame(frame).payload);
  const auto member = std::ranges::find_if(members, [&](const Member& m) {
    return m.endpoint.addr == outer.to;  // by its present port, or one before
  });
  CPPUNIT_ASSERT_MESSAGE("a packet for nobody", outer.valid && member != members.end());
  ++arrived;
  if (const auto reply = member->peer->take(outer.payload)) {
    send_from(*member, *reply, static_cast<uint16_t>(rounds % kWorkers));
  }
}

uint32_t RunningRelay::stop() {
  workers_->stop();
  path_.poll();
  collect();
  for (Member& member : members) {
    if (member.present) remove(member);
  }
  for (unsigned w = 0; w < kWorkers; ++w) path_.discard_punts(w);
  path_.sent(0);
  path_.sent(1);
  return path_.mbufs_in_use();
}

}  // namespace wirelay::test
