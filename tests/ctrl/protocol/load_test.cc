// Protects: that a flood of handshakes is answered with cookies, that whoever shows one is served,
// and that no source gets more than its share.
#include <cppunit/extensions/HelperMacros.h>

#include "ctrl/protocol/load_guard.h"
#include "tests/ctrl/protocol/lab_test.h"

namespace wirelay::test {

using crypto::MessageType;

class LoadTest : public LoadedLabTest {
  CPPUNIT_TEST_SUITE(LoadTest);
  CPPUNIT_TEST(initiator_comes_back_with_a_cookie);
  CPPUNIT_TEST(responder_comes_back_with_a_cookie);
  CPPUNIT_TEST(cookie_of_another_address_is_worthless);
  CPPUNIT_TEST(forged_cookie_reply_is_refused);
  CPPUNIT_TEST(load_passes);
  CPPUNIT_TEST(many_peers_begin_a_few_at_a_time);
  CPPUNIT_TEST(cookie_replies_are_bounded);
  CPPUNIT_TEST(who_asks_in_a_storm_gets_a_cookie);
  CPPUNIT_TEST(a_flood_that_outlives_sessions_ends_none);
  CPPUNIT_TEST(who_roams_in_a_flood_is_known_there);
  CPPUNIT_TEST(sources_have_a_share);
  CPPUNIT_TEST(no_two_sources_share);
  CPPUNIT_TEST(networks_of_ipv6_share);
  CPPUNIT_TEST(limiter_of_a_source_with_a_cookie);
  CPPUNIT_TEST_SUITE_END();

 public:
  void initiator_comes_back_with_a_cookie() {
    overload(b());
    const uint64_t before = b().counters().cookies_sent;
    a().send(lab_->peer_of_a, inner_packet(64, 1));
    lab_->advance(4900 * kMillisecond);
    CPPUNIT_ASSERT_EQUAL(before + 1, b().counters().cookies_sent);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, a().counters().cookies_received);
    CPPUNIT_ASSERT_EQUAL(size_t{0}, lab_->seen(b(), MessageType::kResponse));
    CPPUNIT_ASSERT_EQUAL(0u, b().sessions.in_use());
    overload(b());
    lab_->advance(900 * kMillisecond);  // the retransmission carries mac2
    CPPUNIT_ASSERT(a().current(lab_->peer_of_a) != nullptr);
    CPPUNIT_ASSERT(inner_packet(64, 1) == b().inbox.front());
  }

  void responder_comes_back_with_a_cookie() {
    overload(a());
    const uint64_t before = a().counters().cookies_sent;
    a().send(lab_->peer_of_a, inner_packet(64, 1));
    lab_->advance(4900 * kMillisecond);
    CPPUNIT_ASSERT_EQUAL(before + 1, a().counters().cookies_sent);  // for the response
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, b().counters().cookies_received);
    CPPUNIT_ASSERT(a().current(lab_->peer_of_a) == nullptr);
    overload(a());
    lab_->advance(900 * kMillisecond);
    CPPUNIT_ASSERT(a().current(lab_->peer_of_a) != nullptr);
  }

  void cookie_of_another_address_is_worthless() {
    overload(b());
    a().send(lab_->peer_of_a, inner_packet(64, 1));
    lab_->advance(4900 * kMillisecond);
    a().translated = dataplane::parse_ip("192.0.2.77");
    overload(b());
    const uint64_t before = b().counters().cookies_sent;
    lab_->advance(900 * kMillisecond);
    CPPUNIT_ASSERT_EQUAL(before + 1, b().counters().cookies_sent);
    CPPUNIT_ASSERT_EQUAL(size_t{0}, lab_->seen(b(), MessageType::kResponse));
  }

  void forged_cookie_reply_is_refused() {
    overload(b());
    a().send(lab_->peer_of_a, inner_packet(64, 1));
    std::vector<rte_mbuf*> out;
    out.swap(a().outbox);
    b().receive(out[0]);
    rte_mbuf* reply = b().outbox.front();
    b().outbox.clear();
    auto* bytes = rte_pktmbuf_mtod(reply, uint8_t*);
    bytes[28 + 40] ^= 1;  // within the sealed cookie
    rte_mbuf* copy = rte_pktmbuf_copy(reply, lab_->pool, 0, UINT32_MAX);
    a().receive(copy);
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, a().counters().cookies_received);
    bytes[28 + 40] ^= 1;
    bytes[28 + 4] ^= 1;  // another receiver
    copy = rte_pktmbuf_copy(reply, lab_->pool, 0, UINT32_MAX);
    a().receive(copy);
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, a().counters().cookies_received);
    bytes[28 + 4] ^= 1;
    copy = rte_pktmbuf_copy(reply, lab_->pool, 0, UINT32_MAX);
    a().receive(copy);
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, a().counters().cookies_received);
    a().receive(reply);  // the same again
    CPPUNIT_ASSERT_EQUAL(uint64_t{1}, a().counters().cookies_received);
    CPPUNIT_ASSERT_EQUAL(uint64_t{3}, a().counters().refused_bad_message);
  }

  void load_passes() {
    overload(b());
    a().send(lab_->peer_of_a, inner_packet(64, 1));
    lab_->advance(kSecond);
    a().protocol->change_peer(lab_->peer_of_a, a().spec_of(b(), {}), false);  // forgets the cookie
    a().protocol->change_peer(lab_->peer_of_a, a().spec_of(b(), {}), true);
    lab_->advance(5 * kSecond);
    lab_->connect();
  }

  void many_peers_begin_a_few_at_a_time() {
    lab_.reset();
    auto sizes = Lab::small();
    constexpr uint32_t kPeers = 400;
    sizes.peers = kPeers;
    sizes.sessions = 2 * kPeers;
    lab_ = std::make_unique<Lab>(sizes);
    for (uint32_t i = 0; i < kPeers; ++i) {
      ctrl::PeerSpec spec = a().spec_of(b(), {.keepalive = 25});
      spec.public_key = crypto::derive_public_key(crypto::generate_private_key());
      a().protocol->add_peer(a().peers.add(0, {}).value(), spec, true);
    }
    uint64_t before = 0;
    for (int i = 0; i < 60; ++i) {
      lab_->advance(10 * kMillisecond);
      const uint64_t sent = a().counters().initiations_sent;
      CPPUNIT_ASSERT(sent - before <= 16);
      before = sent;
    }
    CPPUNIT_ASSERT_EQUAL(uint64_t{kPeers}, before);
  }

  /// Whatever b hears from a, so much comes in front of it from everywhere that there is no more to
  /// be served, nor to be answered with cookies.
  void a_flood_that_outlives_sessions_ends_none() {
    lab_->connect();
    meet_each_message_with_a_flood();
    use_for(10 * 60 * kSecond);
    CPPUNIT_ASSERT(b().counters().handshakes_completed >= 4);
    CPPUNIT_ASSERT(b().counters().cookies_sent > 0);
    CPPUNIT_ASSERT(b().counters().refused_under_load > 0);
  }

  void who_roams_in_a_flood_is_known_there() {
    lab_->connect();
    meet_each_message_with_a_flood();
    use_for(60 * kSecond);
    a().translated = dataplane::parse_ip("192.0.2.77");
    use_for(5 * 60 * kSecond);
  }

  void sources_have_a_share() {
    ctrl::SourceLimiter limiter;
    const auto one = *dataplane::parse_ip("198.51.100.1");
    const auto other = *dataplane::parse_ip("198.51.100.2");
    CPPUNIT_ASSERT_EQUAL(5, allowed(limiter, one, 100, kSecond));
    CPPUNIT_ASSERT_EQUAL(5, allowed(limiter, other, 100, kSecond));
    CPPUNIT_ASSERT_EQUAL(1, allowed(limiter, one, 100, kSecond + 50 * kMillisecond));
    int second = 0;
    for (uint64_t ms = 0; ms < 1000; ++ms) {
      second += limiter.allow(one, 3 * kSecond + ms * kMillisecond) ? 1 : 0;
    }
    CPPUNIT_ASSERT(second >= 20 && second <= 25);
  }

  void networks_of_ipv6_share() {
    ctrl::SourceLimiter limiter;
    int sum = 0;
    for (int i = 0; i < 100; ++i) {
      const auto addr = *dataplane::parse_ip("2001:db8:1:2::" + std::to_string(i));
      sum += limiter.allow(addr, kSecond) ? 1 : 0;
    }
    CPPUNIT_ASSERT_EQUAL(5, sum);
    CPPUNIT_ASSERT_EQUAL(5,
                         allowed(limiter, *dataplane::parse_ip("2001:db8:1:3::1"), 100, kSecond));
  }

  void no_two_sources_share() {
    ctrl::SourceLimiter limiter;
    for (int i = 0; i < 2000; ++i) {
      const std::string addr = "10.1." + std::to_string(i / 250) + "." + std::to_string(i % 250);
      CPPUNIT_ASSERT_EQUAL(5, allowed(limiter, *dataplane::parse_ip(addr), 5, kSecond));
    }
  }

  /// Their receivers never asked for them, and their way out is that of live sessions.
  void cookie_replies_are_bounded() {
    constexpr uint8_t kWorkers = 10;
    ctrl::LoadGuard guard(b().identity.public_key, kWorkers, kMillisecond);
    int all = 0;
    for (uint8_t worker = 0; worker < kWorkers; ++worker) {
      int of_worker = 0;
      for (int i = 0; i < 1000; ++i) of_worker += guard.may_reply(worker, lab_->now) ? 1 : 0;
      CPPUNIT_ASSERT(of_worker <= 256);
      all += of_worker;
    }
    CPPUNIT_ASSERT_EQUAL(512, all);
  }

  /// Of 20,000 a second that come by one worker, served in turns of 2 ms.
  void who_asks_in_a_storm_gets_a_cookie() {
    ctrl::LoadGuard guard(b().identity.public_key, 1, kMillisecond);
    ctrl::Now now = lab_->now;
    for (int turn = 0; turn < 500; ++turn) {
      now.ns += 2 * kMillisecond;
      for (int i = 0; i < 40; ++i) CPPUNIT_ASSERT(guard.may_reply(0, now));
    }
  }

  void limiter_of_a_source_with_a_cookie() {
    ctrl::LoadGuard guard(b().identity.public_key, 1, 20 * kMillisecond);
    crypto::MacWriter writer(b().identity.public_key);
    Bytes message(sizeof(crypto::MessageInitiation), 1);
    writer.write(message, lab_->now.ns / kSecond);
    ctrl::Datagram datagram;
    datagram.remote = a().endpoint();
    datagram.message = message;
    CPPUNIT_ASSERT(guard.judge(datagram, lab_->now) == ctrl::LoadGuard::Verdict::kServe);
    for (int i = 0; i < 20; ++i) {
      ctrl::Datagram other = datagram;
      other.remote.addr = *dataplane::parse_ip("198.51.100." + std::to_string(i));
      guard.judge(other, lab_->now);
    }
    CPPUNIT_ASSERT(guard.judge(datagram, lab_->now) == ctrl::LoadGuard::Verdict::kSendCookie);
    CPPUNIT_ASSERT(writer.consume(guard.reply(datagram, lab_->now), lab_->now.ns / kSecond));
    writer.write(message, lab_->now.ns / kSecond);
    for (int i = 0; i < 5; ++i) {
      CPPUNIT_ASSERT(guard.judge(datagram, lab_->now) == ctrl::LoadGuard::Verdict::kServe);
    }
    CPPUNIT_ASSERT(guard.judge(datagram, lab_->now) == ctrl::LoadGuard::Verdict::kRefuse);
  }

 private:
  void meet_each_message_with_a_flood() {
    lab_->lose = [this](const Side& from, const Message& message) {
      if (&from != &a() || message.type == MessageType::kTransport) return false;
      const size_t before = b().outbox.size();
      for (unsigned i = 0; i < 1000; ++i) {
        const auto addr = dataplane::parse_ip("198.51." + std::to_string(stranger_ / 250 % 250) +
                                              "." + std::to_string(stranger_ % 250));
        ++stranger_;
        b().hear(junk_initiation(), {*addr, 1});
      }
      for (size_t i = before; i < b().outbox.size(); ++i) rte_pktmbuf_free(b().outbox[i]);
      b().outbox.resize(before);
      return false;
    };
  }

  /// A packet a second from a to b, each of which arrives at once.
  void use_for(uint64_t ns) {
    for (uint64_t end = lab_->now.ns + ns; lab_->now.ns < end; lab_->advance(kSecond)) {
      const size_t before = b().inbox.size();
      a().send(lab_->peer_of_a, inner_packet(64, 1));
      lab_->deliver();
      CPPUNIT_ASSERT_EQUAL(before + 1, b().inbox.size());
    }
  }

  static int allowed(ctrl::SourceLimiter& limiter, const dataplane::IpAddr& source, int tries,
                     uint64_t now_ns) {
    int count = 0;
    for (int i = 0; i < tries; ++i) count += limiter.allow(source, now_ns) ? 1 : 0;
    return count;
  }

  unsigned stranger_ = 0;
};

CPPUNIT_TEST_SUITE_REGISTRATION(LoadTest);

}  // namespace wirelay::test
