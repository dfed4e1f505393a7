// Protects: who counts as connected, and what is told of it: once when a peer comes, once when it
// goes, with the reason and what its sessions carried, and nothing at a rekey.
#include <string>
#include <vector>

#include <cppunit/extensions/HelperMacros.h>

#include "ctrl/protocol/peer_observer.h"
#include "tests/ctrl/protocol/lab_test.h"

namespace wirelay::test {

using ctrl::Ended;
using ctrl::ProtocolCounters;

namespace {

/// Writes down what it hears: "connected", "disconnected 2", "roamed 203.0.113.5:51820".
class Heard : public ctrl::PeerObserver {
 public:
  std::vector<std::string> lines;
  std::vector<uint64_t ProtocolCounters::*> refusals;
  dataplane::Traffic carried;
  uint64_t seconds = 0;

  void connected(uint32_t, const std::optional<dataplane::Endpoint>&) override {
    lines.emplace_back("connected");
  }
  void disconnected(uint32_t, Ended how, uint64_t lasted,
                    const dataplane::Traffic& traffic) override {
    lines.push_back("disconnected " + std::to_string(static_cast<int>(how)));
    carried = traffic;
    seconds = lasted;
  }
  void roamed(uint32_t, const dataplane::Endpoint&, const dataplane::Endpoint& to) override {
    lines.push_back("roamed " + to_string(to));
  }
  void shared_key(uint32_t, const dataplane::Endpoint& one,
                  const dataplane::Endpoint& other) override {
    lines.push_back("shared key " + to_string(one) + ' ' + to_string(other));
  }
  void refused(uint64_t ProtocolCounters::*why, std::optional<uint32_t>,
               const std::optional<dataplane::Endpoint>&) override {
    refusals.push_back(why);
  }
};

std::string gone(Ended how) { return "disconnected " + std::to_string(static_cast<int>(how)); }

}  // namespace

class PresenceTest : public IntroducedLabTest {
  CPPUNIT_TEST_SUITE(PresenceTest);
  CPPUNIT_TEST(a_peer_comes_and_goes);
  CPPUNIT_TEST(rekeys_are_not_told);
  CPPUNIT_TEST(unanswered_is_told_apart_from_silent);
  CPPUNIT_TEST(a_handshake_alone_is_no_connection);
  CPPUNIT_TEST(what_ends_a_peer_is_told);
  CPPUNIT_TEST(bytes_are_those_of_this_connection);
  CPPUNIT_TEST(a_move_is_told_and_an_operators_is_not);
  CPPUNIT_TEST(refusals_are_told_by_their_counters);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    IntroducedLabTest::setUp();
    b().protocol->watch(&heard_);
  }

  void a_peer_comes_and_goes() {
    lab_->connect();
    expect({"connected"});
    lab_->advance(190 * kSecond);
    expect({"connected", gone(Ended::kExpired)});
    CPPUNIT_ASSERT(heard_.seconds >= 179 && heard_.seconds <= 181);
    b().protocol->remove_peer(lab_->peer_of_b);  // gone already
    expect({"connected", gone(Ended::kExpired)});
    b().protocol->add_peer(lab_->peer_of_b, b().spec_of(a(), {.endpoint = false}), true);
  }

  void rekeys_are_not_told() {
    lab_->connect();
    for (int i = 0; i < 60; ++i) {
      a().send(lab_->peer_of_a, inner_packet(64, 1));
      lab_->advance(10 * kSecond);
    }
    CPPUNIT_ASSERT(b().counters().handshakes_completed >= 4);
    expect({"connected"});
  }

  /// b has something to say all the time, and a is no longer there.
  void unanswered_is_told_apart_from_silent() {
    lab_->connect();
    lab_->advance(100 * kSecond);
    lab_->lose = [&](const Side&, const Message&) { return true; };
    for (int i = 0; i < 10; ++i) {
      b().send(lab_->peer_of_b, inner_packet(64, 2));
      lab_->advance(10 * kSecond);
    }
    expect({"connected", gone(Ended::kRekeyTimeout)});
  }

  void a_handshake_alone_is_no_connection() {
    a().send(lab_->peer_of_a, inner_packet(64, 1));
    lab_->lose = [&](const Side& from, const Message& message) {
      return &from == &a() && message.type == crypto::MessageType::kTransport;
    };
    lab_->advance(kSecond);
    CPPUNIT_ASSERT_EQUAL(1u, b().sessions.in_use());
    lab_->advance(200 * kSecond);
    expect({});
  }

  void what_ends_a_peer_is_told() {
    const auto spec = b().spec_of(a(), {.endpoint = false});
    lab_->connect();
    b().protocol->change_peer(lab_->peer_of_b, spec, false);
    expect({"connected", gone(Ended::kDisabled)});
    b().protocol->change_peer(lab_->peer_of_b, spec, false);
    expect({"connected", gone(Ended::kDisabled)});
    b().protocol->change_peer(lab_->peer_of_b, spec, true);
    a().protocol->change_peer(lab_->peer_of_a, a().spec_of(b(), {}), false);
    a().protocol->change_peer(lab_->peer_of_a, a().spec_of(b(), {}), true);
    lab_->advance(6 * kSecond);
    lab_->connect();
    heard_.lines.clear();
    b().protocol->remove_peer(lab_->peer_of_b);
    expect({gone(Ended::kRemoved)});
    b().protocol->add_peer(lab_->peer_of_b, spec, true);
  }

  void bytes_are_those_of_this_connection() {
    lab_->connect();
    a().send(lab_->peer_of_a, inner_packet(500, 1));
    lab_->deliver();
    lab_->advance(190 * kSecond);
    const uint64_t first = heard_.carried.rx_bytes;
    CPPUNIT_ASSERT(first > 500);
    lab_->connect();
    lab_->advance(190 * kSecond);
    CPPUNIT_ASSERT(heard_.carried.rx_bytes > 0 && heard_.carried.rx_bytes < first);
  }

  void a_move_is_told_and_an_operators_is_not() {
    lab_->connect();
    a().translated = dataplane::parse_ip("203.0.113.5");
    a().send(lab_->peer_of_a, inner_packet(64, 1));
    lab_->deliver();
    expect({"connected", "roamed 203.0.113.5:51820"});
    b().protocol->place_peer(lab_->peer_of_b, dataplane::parse_endpoint("203.0.113.9:9"));
    expect({"connected", "roamed 203.0.113.5:51820"});
  }

  void refusals_are_told_by_their_counters() {
    b().hear(junk_initiation(), a().endpoint());
    b().protocol->change_peer(lab_->peer_of_b, b().spec_of(a(), {.endpoint = false}), false);
    a().send(lab_->peer_of_a, inner_packet(64, 1));
    lab_->deliver();
    const std::vector<uint64_t ProtocolCounters::*> expected = {
        &ProtocolCounters::refused_bad_message, &ProtocolCounters::refused_disabled};
    CPPUNIT_ASSERT(expected == heard_.refusals);
  }

 private:
  void expect(const std::vector<std::string>& lines) {
    std::string all;
    for (const std::string& line : heard_.lines) all += line + "; ";
    CPPUNIT_ASSERT_MESSAGE(all, lines == heard_.lines);
  }

  Heard heard_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(PresenceTest);

}  // namespace wirelay::test
