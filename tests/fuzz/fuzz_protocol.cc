// Fuzzes the protocol's state machines: two of them on a wire, and each byte of the input is
// something that happens: data, time, loss, a message again or changed or late, an answer or a
// worker's report that comes late, a change by an operator, a flood. Whatever the order: no nonce
// twice (the lab looks), no session without its keys or used beyond its age, counters never back
// (protocol_rules.h), memory bounded. And when the trouble ends, the two settle on one session that
// one of them began.
#include <algorithm>
#include <array>
#include <functional>
#include <string>

#include "tests/ctrl/protocol/lab.h"
#include "tests/ctrl/protocol/late_answerer.h"
#include "tests/fuzz/protocol_rules.h"
#include "tests/fuzz/target.h"
#include "tests/support/test_environment.h"

using namespace wirelay;
using namespace wirelay::test;
using crypto::MessageType;

namespace {

constexpr size_t kMostThings = 48;
constexpr unsigned kMostHeld = 128;
constexpr uint64_t kStep = 10 * kMillisecond;
constexpr uint64_t kLongStep = 100 * kMillisecond;
constexpr uint64_t kHandshakeNs = 5 * kMillisecond;  // 100 a second are no load

/// What has happened over all inputs.
struct Seen {
  uint64_t sessions = 0, cookies = 0, replays = 0, held = 0, changed = 0;
};
Seen seen;

class Trouble {
 public:
  Trouble() {
    answerer_.late = false;
    lab_.lose = [this](const Side& from, const Message& message) {
      const bool lost = loses_ && loses_(from, message);
      rules_.message(from, message, !lost);
      return lost;
    };
    lab_.introduce(options_, options_);
  }

  void happen(uint8_t what) {
    const unsigned how = what >> 3;
    switch (what & 7) {
      case 0:
        return say(*lab_.a, lab_.peer_of_a);
      case 1:
        return say(*lab_.b, lab_.peer_of_b);
      case 2:
        return pass(kTimes.at(how % kTimes.size()));
      case 3:
        return lose(how);
      case 4:
        return again(how);
      case 5:
        return change(how);
      case 6:
        return stir(how);
      default:
        return change_clock(how);
    }
  }

  void check() {
    rules_.stand();
    must(lab_.buffers_in_use() <= 2 * kMostHeld + kMostThings);
  }

  void settle() {
    loses_ = nullptr;
    options_ = {};
    other_key_ = false;
    answer_late(false);
    tell(*lab_.a);
    tell(*lab_.b);
    pass(400 * kSecond);
    must(lab_.a->sessions.in_use() + lab_.b->sessions.in_use() == 0);
    say(*lab_.a, lab_.peer_of_a);
    pass(10 * kSecond);
    const uint64_t began = initiations();
    const size_t arrived = lab_.a->inbox.size() + lab_.b->inbox.size();
    talk(30);
    must(initiations() == began);
    must(lab_.a->inbox.size() + lab_.b->inbox.size() >= arrived + 60);
    must(lab_.a->current(lab_.peer_of_a)->initiator != lab_.b->current(lab_.peer_of_b)->initiator);
    note();
    must(lab_.close() == 0);
  }

 private:
  static constexpr std::array<uint64_t, 8> kTimes{
      10 * kMillisecond, 300 * kMillisecond, kSecond,      5 * kSecond,
      11 * kSecond,      16 * kSecond,       61 * kSecond, 122 * kSecond};

  /// Timers look at a peer every 200 ms: what takes long passes in steps of half of that.
  void pass(uint64_t ns) { lab_.advance(ns, ns < kSecond ? kStep : kLongStep); }

  void say(Side& side, uint32_t peer) {
    if (side.current(peer) != nullptr && side.shared.peers[peer].path.load() == nullptr) return;
    side.send(peer, inner_packet(64, 1));
  }

  void talk(int seconds) {
    for (int i = 0; i < seconds; ++i) {
      say(*lab_.a, lab_.peer_of_a);
      say(*lab_.b, lab_.peer_of_b);
      pass(kSecond);
    }
  }

  void lose(unsigned how) {
    if (how % 6 == 5) {
      loses_ = nullptr;
    } else if (how % 6 == 4) {
      loses_ = [this](const Side&, const Message&) { return lost_++ % 3 == 0; };
    } else {
      loses_ = [how, this](const Side& from, const Message& m) {
        return (how < 12 || &from == lab_.a.get()) &&
               m.type == static_cast<MessageType>(how % 6 + 1);
      };
    }
  }

  /// One of the last messages of handshakes once more: as it was, back to whom it came from, with a
  /// bit changed, or from elsewhere.
  void again(unsigned how) {
    size_t back = how % 8;
    for (size_t i = lab_.wire.size(); i-- > 0;) {
      const auto& [from, message] = lab_.wire[i];
      if (message.type == MessageType::kTransport || back-- != 0) continue;
      Bytes bytes = message.bytes;
      const unsigned twist = how >> 3;
      if (twist == 2) bytes[how % bytes.size()] ^= 1;
      const bool by_a = from == lab_.a.get();
      Side& to = by_a == (twist == 1) ? *lab_.a : *lab_.b;
      return to.hear(bytes, twist == 3 ? elsewhere_ : from->endpoint());
    }
  }

  void stir(unsigned how) {
    switch (how % 4) {
      case 0:
        return flood();
      case 1:
        return report(how >> 2);
      case 2:
        return answer_late(!answerer_.late);
      default:
        return lab_.deliver();
    }
  }

  /// A worker's report of one of the last sessions, which may have ended.
  void report(unsigned how) {
    Side& side = (how & 1) != 0 ? *lab_.a : *lab_.b;
    const std::vector<uint32_t>& indices = rules_.indices(side);
    const size_t back = how >> 2;
    if (back >= indices.size()) return;
    const uint32_t index = indices[indices.size() - 1 - back];
    dataplane::Session* session = side.shared.sessions.find(index);
    if (session != nullptr && session->rx_packets == 0) return;  // no worker would
    if ((how & 2) != 0) {
      side.protocol->handle(dataplane::Event{index, dataplane::EventKind::kConfirmed}, lab_.now);
    } else if (session != nullptr) {
      side.see(*session, {elsewhere_, side.endpoint(), 0});
    } else {
      side.protocol->handle(dataplane::Event{index, dataplane::EventKind::kMoved}, lab_.now);
    }
  }

  void answer_late(bool late) {
    answerer_.late = late;
    answerer_.compute();
  }

  void change(unsigned how) {
    Side& side = (how & 1) != 0 ? *lab_.a : *lab_.b;
    switch (how >> 1 & 7) {
      case 0:
        options_.keepalive = options_.keepalive == 0 ? 25 : 0;
        break;
      case 1:
        options_.preshared = crypto::generate_preshared_key();
        break;
      case 2:
        options_.enabled = !options_.enabled;
        break;
      case 3:
        options_.endpoint = !options_.endpoint;
        break;
      case 4:
        return replace(side);
      case 5:
        other_key_ = !other_key_;
        break;
      case 6:
        return side.protocol->place_peer(peer_of(side), elsewhere_);
      default:
        return side.protocol->place_peer(peer_of(side), dataplane::Endpoint{});
    }
    tell(side);
  }

  void tell(Side& side) {
    const Side& other = &side == lab_.a.get() ? *lab_.b : *lab_.a;
    ctrl::PeerSpec spec = side.spec_of(other, options_);
    if (other_key_) spec.public_key = nobody_;
    side.protocol->change_peer(peer_of(side), spec, options_.enabled);
    if (spec.endpoint) side.protocol->place_peer(peer_of(side), spec.endpoint);
  }

  void replace(Side& side) {
    uint32_t& peer = &side == lab_.a.get() ? lab_.peer_of_a : lab_.peer_of_b;
    side.remove_peer(peer);
    side.shared.rcu.poll();
    peer = side.add_peer(&side == lab_.a.get() ? *lab_.b : *lab_.a, options_);
  }

  void flood() {
    for (int i = 1; i <= 120; ++i) {
      const auto source = dataplane::parse_ip("198.51.100." + std::to_string(i));
      lab_.b->hear(junk_initiation(), {*source, 1});
    }
  }

  void change_clock(unsigned how) {
    const uint64_t step = how * 100 * kSecond;
    lab_.now.unix_ns = (how & 1) != 0 ? lab_.now.unix_ns + step : lab_.now.unix_ns - step;
  }

  uint32_t& peer_of(const Side& side) {
    return &side == lab_.a.get() ? lab_.peer_of_a : lab_.peer_of_b;
  }

  [[nodiscard]] uint64_t initiations() const {
    return lab_.a->counters().initiations_sent + lab_.b->counters().initiations_sent;
  }

  void note() const {
    for (const Side* side : {lab_.a.get(), lab_.b.get()}) {
      seen.sessions += side->counters().handshakes_completed;
      seen.cookies += side->counters().cookies_received;
      seen.replays += side->counters().refused_replay;
      seen.held += side->counters().held_packets;
      seen.changed += side->counters().refused_changed;
    }
  }

  const dataplane::Endpoint elsewhere_{*dataplane::parse_ip("198.51.100.200"), 7};
  const crypto::PublicKey nobody_ = crypto::derive_public_key(crypto::generate_private_key());

  LateAnswerer answerer_;  // of b
  Lab lab_{Lab::small(), kHandshakeNs, &answerer_};
  ProtocolRules rules_{lab_};
  std::function<bool(const Side& from, const Message& message)> loses_;
  Side::Options options_;
  bool other_key_ = false;  // the next change names one that is nobody's
  unsigned lost_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const bool started = (start_environment("fuzz_protocol"), true);
  static_cast<void>(started);
  Trouble trouble;
  for (size_t i = 0; i < std::min(size, kMostThings); ++i) {
    trouble.happen(data[i]);
    trouble.check();
  }
  trouble.settle();
  return 0;
}

extern "C" const char* missed_by_seeds(size_t) {
  if (seen.sessions == 0) return "a session";
  if (seen.cookies == 0) return "a cookie";
  if (seen.replays == 0) return "a replayed initiation";
  if (seen.held == 0) return "a packet that waits";
  if (seen.changed == 0) return "an answer to a peer that has changed";
  return nullptr;
}
