// Protects: from mistakes that a public audit found in another implementation of WireGuard; each
// has its name here. Two more have theirs elsewhere: a keepalive that answers a keepalive
// (TimersTest) and a receiver index that can be foretold (SessionTest).
#include <cppunit/extensions/HelperMacros.h>

#include "ctrl/protocol/load_guard.h"
#include "tests/ctrl/protocol/lab_test.h"

namespace wirelay::test {

using crypto::MessageType;
using dataplane::Endpoint;
using Guard = ctrl::LoadGuard;

class LessonsTest : public LoadedLabTest {
  CPPUNIT_TEST_SUITE(LessonsTest);
  CPPUNIT_TEST(one_source_puts_nobody_else_into_cookie_mode);
  CPPUNIT_TEST(stall_is_no_load);
  CPPUNIT_TEST(cookie_is_bound_to_address_and_port);
  CPPUNIT_TEST(response_leaves_at_once);
  CPPUNIT_TEST(late_response_makes_no_session);
  CPPUNIT_TEST(cookie_reply_moves_nobody);
  CPPUNIT_TEST(clock_that_steps_back);
  CPPUNIT_TEST(clock_that_begins_anew);
  CPPUNIT_TEST(oversized_datagram);
  CPPUNIT_TEST_SUITE_END();

 public:
  void one_source_puts_nobody_else_into_cookie_mode() {
    const Endpoint flooder{*dataplane::parse_ip("198.51.100.1"), 1};
    for (int i = 0; i < 1000; ++i) b().hear(junk_initiation(), flooder);
    CPPUNIT_ASSERT(b().counters().cookies_sent > 0);  // to the one
    lab_->connect();
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, a().counters().cookies_received);
  }

  /// What queued up while we did something else is as much as came in that time.
  void stall_is_no_load() {
    for (int stall = 0; stall < 20; ++stall) {
      lab_->now.ns += kSecond / 4;
      for (int i = 0; i < 25; ++i) {
        b().hear(junk_initiation(), {*dataplane::parse_ip("198.51.100." + std::to_string(i)), 1});
      }
    }
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, b().counters().cookies_sent);
  }

  void cookie_is_bound_to_address_and_port() {
    crypto::CookieJar jar(b().identity.public_key);
    crypto::MacWriter writer(b().identity.public_key);
    Bytes message(sizeof(crypto::MessageInitiation), 1);
    writer.write(message, 1);
    const Endpoint here = a().endpoint();
    CPPUNIT_ASSERT(writer.consume(jar.reply(message, ctrl::source_bytes(here), 1), 1));
    writer.write(message, 1);
    CPPUNIT_ASSERT(jar.check_mac2(message, ctrl::source_bytes(here), 1));
    Endpoint other = here;
    other.port ^= 1;
    CPPUNIT_ASSERT(!jar.check_mac2(message, ctrl::source_bytes(other), 1));
    other = b().endpoint();
    other.port = here.port;
    CPPUNIT_ASSERT(!jar.check_mac2(message, ctrl::source_bytes(other), 1));
  }

  void response_leaves_at_once() {
    a().send(lab_->peer_of_a, inner_packet(64, 1));
    std::vector<rte_mbuf*> out;
    out.swap(a().outbox);
    b().receive(out.front());
    CPPUNIT_ASSERT_EQUAL(size_t{1}, b().outbox.size());
    CPPUNIT_ASSERT(message_of(b().outbox.front()).type == MessageType::kResponse);
    lab_->deliver();
  }

  /// The initiation that it answers has been sent again meanwhile, with another key.
  void late_response_makes_no_session() {
    a().send(lab_->peer_of_a, inner_packet(64, 1));
    std::vector<rte_mbuf*> out;
    out.swap(a().outbox);
    b().receive(out.front());
    std::vector<rte_mbuf*> late;
    late.swap(b().outbox);
    lab_->lose = [](const Side&, const Message&) { return true; };
    lab_->advance(6 * kSecond);
    a().receive(late.front());
    CPPUNIT_ASSERT(a().current(lab_->peer_of_a) == nullptr);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, a().counters().refused_bad_message);
    lab_->lose = nullptr;
    lab_->advance(6 * kSecond);
    CPPUNIT_ASSERT(a().current(lab_->peer_of_a) != nullptr);
  }

  void cookie_reply_moves_nobody() {
    overload(b());
    b().translated = dataplane::parse_ip("203.0.113.9");
    a().send(lab_->peer_of_a, inner_packet(64, 1));
    lab_->deliver();
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, a().counters().cookies_received);
    CPPUNIT_ASSERT(a().protocol->status(lab_->peer_of_a).endpoint == b().endpoint());
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, a().counters().roamed);
    a().protocol->change_peer(lab_->peer_of_a, a().spec_of(b(), {}), false);
  }

  /// The peer takes no timestamp that isn't greater than the last.
  void clock_that_steps_back() {
    lab_->connect();
    lab_->now.unix_ns -= 3600 * kSecond;
    for (uint64_t i = 2; i < 5; ++i) {
      lab_->advance(6 * kSecond);
      a().current(lab_->peer_of_a)->send_counter = crypto::kRekeyAfterMessages + 1;
      lab_->advance(kSecond);
      CPPUNIT_ASSERT_EQUAL(i, a().counters().handshakes_completed);
    }
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, b().counters().refused_replay);
  }

  /// A device that has lost its clock, and an initiator that knows nothing of the times before.
  /// Seen by name, and let in when an operator says so.
  void clock_that_begins_anew() {
    const auto refused = [&] { return b().protocol->status(lab_->peer_of_b).refused_time; };
    ctrl::PeerLife before;  // an hour from now
    before.timestamp = crypto::make_timestamp(lab_->now.unix_ns + 3600 * kSecond);
    b().protocol->resume_peer(lab_->peer_of_b, before, lab_->now);
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, refused());
    const uint64_t first = lab_->now.unix_ns / kSecond;
    a().send(lab_->peer_of_a, inner_packet(64, 1));
    lab_->advance(2 * kSecond);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, b().counters().refused_clock);
    CPPUNIT_ASSERT(refused() >= first && refused() <= first + 2);
    CPPUNIT_ASSERT(!a().protocol->status(lab_->peer_of_a).has_session);
    b().protocol->forget_timestamp(lab_->peer_of_b);
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, refused());
    lab_->advance(20 * kSecond);
    CPPUNIT_ASSERT(a().protocol->status(lab_->peer_of_a).has_session);
  }

  void oversized_datagram() {
    for (const size_t bytes : {149, 1500, 1900}) {
      Bytes message = junk_initiation();
      message.resize(bytes);
      b().hear(message, a().endpoint());
    }
    CPPUNIT_ASSERT_EQUAL(uint64_t{3}, b().counters().refused_bad_message);
    CPPUNIT_ASSERT(b().outbox.empty());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(LessonsTest);

}  // namespace wirelay::test
