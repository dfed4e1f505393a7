// Fuzzes the protocol's state machines: two of them on a wire, and each byte of the input is
// something that happens: data, time, loss, a message again or changed or late, a change by an
// operator, a flood. Whatever the order: no nonce twice (the lab looks), no session without its
// keys or used beyond its age, counters never back, memory bounded. And when the trouble ends, the
// two settle on one session that one of them began.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>

#include "tests/ctrl/protocol/lab.h"
#include "tests/fuzz/target.h"
#include "tests/support/test_environment.h"

using namespace wirelay;
using namespace wirelay::test;
using crypto::MessageType;

namespace {

constexpr size_t kMostThings = 48;
constexpr unsigned kMostSessions = 4;
constexpr unsigned kMostHeld = 128;
constexpr uint64_t kHandshakeNs = 5 * kMillisecond;  // 100 a second are no load

void must(bool holds) {
  if (!holds) std::abort();
}

/// What has happened over all inputs.
struct Seen {
  uint64_t sessions = 0, cookies = 0, replays = 0, held = 0;
};
Seen seen;

class Trouble {
 public:
  Trouble() { lab_.introduce(options_, options_); }

  void happen(uint8_t what) {
    const unsigned how = what >> 3;
    switch (what & 7) {
      case 0:
        return say(*lab_.a, lab_.peer_of_a);
      case 1:
        return say(*lab_.b, lab_.peer_of_b);
      case 2:
        return lab_.advance(kTimes.at(how % kTimes.size()));
      case 3:
        return lose(how);
      case 4:
        return again(how);
      case 5:
        return change(how);
      case 6:
        return how % 4 == 0 ? flood() : lab_.deliver();
      default:
        return change_clock(how);
    }
  }

  void check() {
    for (Side* side : {lab_.a.get(), lab_.b.get()}) {
      side->shared.rcu.poll();
      must(side->sessions.in_use() <= kMostSessions);
      check_session(*side, side == lab_.a.get() ? lab_.peer_of_a : lab_.peer_of_b);
    }
    must(lab_.buffers_in_use() <= 2 * kMostHeld + kMostThings);
  }

  void settle() {
    lab_.lose = nullptr;
    options_ = {};
    tell(*lab_.a);
    tell(*lab_.b);
    lab_.advance(400 * kSecond);
    must(lab_.a->sessions.in_use() + lab_.b->sessions.in_use() == 0);
    say(*lab_.a, lab_.peer_of_a);
    lab_.advance(10 * kSecond);
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

  void say(Side& side, uint32_t peer) {
    if (side.current(peer) != nullptr && side.shared.peers[peer].path.load() == nullptr) return;
    side.send(peer, inner_packet(64, 1));
  }

  void talk(int seconds) {
    for (int i = 0; i < seconds; ++i) {
      say(*lab_.a, lab_.peer_of_a);
      say(*lab_.b, lab_.peer_of_b);
      lab_.advance(kSecond);
    }
  }

  void lose(unsigned how) {
    if (how % 6 == 5) {
      lab_.lose = nullptr;
    } else if (how % 6 == 4) {
      lab_.lose = [this](const Side&, const Message&) { return lost_++ % 3 == 0; };
    } else {
      lab_.lose = [how, this](const Side& from, const Message& m) {
        return (how < 12 || &from == lab_.a.get()) &&
               m.type == static_cast<MessageType>(how % 6 + 1);
      };
    }
  }

  /// One of the last messages of handshakes once more, or with a bit changed.
  void again(unsigned how) {
    size_t back = how % 8;
    for (size_t i = lab_.wire.size(); i-- > 0;) {
      const auto& [from, message] = lab_.wire[i];
      if (message.type == MessageType::kTransport || back-- != 0) continue;
      Bytes bytes = message.bytes;
      if (how >= 16) bytes[how % bytes.size()] ^= 1;
      Side& to = from == lab_.a.get() ? *lab_.b : *lab_.a;
      to.hear(bytes, from->endpoint());
      return;
    }
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
      default:
        return side.protocol->place_peer(peer_of(side), dataplane::Endpoint{});
    }
    tell(side);
  }

  void tell(Side& side) {
    const Side& other = &side == lab_.a.get() ? *lab_.b : *lab_.a;
    const ctrl::PeerSpec spec = side.spec_of(other, options_);
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

  void check_session(Side& side, uint32_t peer) {
    const dataplane::Session* session = side.current(peer);
    if (session == nullptr) return;
    const auto zero = [](uint8_t byte) { return byte == 0; };
    must(!std::ranges::all_of(session->send_key, zero));
    must(!std::ranges::all_of(session->receive_key, zero));
    must(session->reject_tsc <= lab_.now.tsc + crypto::kRejectAfterTime * kSecond);
    must(session->reject_tsc + kSecond > lab_.now.tsc);
    uint64_t& last = &side == lab_.a.get() ? sent_by_a_ : sent_by_b_;
    uint32_t& index = &side == lab_.a.get() ? index_of_a_ : index_of_b_;
    const uint64_t counter = session->send_counter.load();
    must(index != session->index || counter >= last);
    index = session->index;
    last = counter;
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
    }
  }

  Lab lab_{Lab::small(), kHandshakeNs};
  Side::Options options_;
  unsigned lost_ = 0;
  uint64_t sent_by_a_ = 0, sent_by_b_ = 0;
  uint32_t index_of_a_ = 0, index_of_b_ = 0;
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
  return nullptr;
}
