// Protects: NAT44 does over a long random history what a model of it of a few lines does: three
// users, two workers that packets come to at random, packets from inside, from outside, between
// users, and time. Either filtering.
#include <map>
#include <optional>
#include <random>
#include <string>

#include <cppunit/extensions/HelperMacros.h>

#include "tests/support/nat_lab.h"

namespace wirelay::dataplane {

namespace {

using namespace wirelay::test;

constexpr uint32_t kSeedOfModel = 6888;
constexpr int kSteps = 3000;
constexpr uint64_t kUdpSeconds = 300, kSlack = 12;  // it is looked at within some seconds

/// What is known of one UDP port inside.
struct Mapped {
  Endpoint outside;
  uint64_t used = 0;                     // second of the last packet from inside
  std::map<Endpoint, uint64_t> remotes;  // and to each
};

class Model {
 public:
  Model(NatFiltering filtering, uint32_t seed)
      : filtering_(filtering), random_(seed), lab_(settings(filtering), 2) {
    for (unsigned i = 0; i < 3; ++i) clients_.push_back(lab_.d.add_client(false, i % 2));
  }

  void run() {
    for (int step = 0; step < kSteps; ++step) {
      at_ = "step " + std::to_string(step);
      switch (below(8)) {
        case 0:
          pass_time();
          break;
        case 1:
        case 2:
        case 3:
          from_inside();
          break;
        case 4:
          between();
          break;
        default:
          from_outside();
      }
    }
    CPPUNIT_ASSERT_EQUAL(0u, lab_.d.mbufs_in_use());
    CPPUNIT_ASSERT_MESSAGE("it has lived", mapped_count_ > 50);
  }

 private:
  static NatSettings settings(NatFiltering filtering) {
    NatSettings s = nat_settings();
    s.filtering = filtering;
    return s;
  }
  uint32_t below(uint32_t n) { return static_cast<uint32_t>(random_() % n); }
  [[nodiscard]] uint64_t seconds() const { return lab_.d.now / DataPath::kHz; }
  Endpoint any_remote() { return {addr("203.0.113.9"), static_cast<uint16_t>(1000 + below(4))}; }
  Endpoint inside_of(const Client& c) {
    return {c.inner4, static_cast<uint16_t>(4000 + below(20))};
  }

  void pass_time() {
    lab_.wait(1 + below(60));
    for (Client& c : clients_) lab_.renew(c, below(2));
  }

  /// What the model and the relay agree on of a time: whether it is over; nothing when it may be
  /// either.
  std::optional<bool> over(uint64_t since) const {
    const uint64_t age = seconds() - since;
    if (age <= kUdpSeconds) return false;
    return age > kUdpSeconds + kSlack ? std::optional(true) : std::nullopt;
  }

  void note_sent(const Endpoint& inside, const Endpoint& remote, const Endpoint& outside) {
    Mapped& m = mappings_[inside];
    if (m.used != 0 && over(m.used) == false) {
      CPPUNIT_ASSERT_MESSAGE(at_ + ": it stays the same", m.outside == outside);
    } else if (m.outside != outside) {
      m = {};
      ++mapped_count_;
    }
    for (const auto& [other, theirs] : mappings_) {
      if (other == inside || over(theirs.used) != false) continue;
      CPPUNIT_ASSERT_MESSAGE(at_ + ": nobody else has it", theirs.outside != outside);
    }
    m.outside = outside;
    m.used = m.remotes[remote] = seconds();
  }

  void from_inside() {
    Client& c = clients_[below(3)];
    const Endpoint inside = inside_of(c), remote = any_remote();
    const auto sent = lab_.out(c, udp(inside, remote, pattern(below(100))));
    CPPUNIT_ASSERT_MESSAGE(at_ + lab_.d.drop_text(), sent.has_value());
    CPPUNIT_ASSERT(ends_of(*sent).to == remote);
    note_sent(inside, remote, ends_of(*sent).from);
  }

  /// Whether a packet from there passes; nothing when it may or may not.
  std::optional<bool> passes(const Mapped& m, const Endpoint& remote) const {
    if (filtering_ == NatFiltering::kEndpointIndependent) {
      const auto ended = over(m.used);
      return ended ? std::optional(!*ended) : std::nullopt;
    }
    const auto found = m.remotes.find(remote);
    if (found == m.remotes.end()) return false;
    const auto ended = over(found->second);
    return ended ? std::optional(!*ended) : std::nullopt;
  }

  std::map<Endpoint, Mapped>::iterator any_mapping() {
    return std::next(mappings_.begin(), below(static_cast<uint32_t>(mappings_.size())));
  }
  Client& client_of(const Endpoint& inside) {
    for (Client& c : clients_) {
      if (c.inner4 == inside.addr) return c;
    }
    throw std::logic_error("nobody's");
  }
  /// Somebody else may have its port by now.
  bool is_anothers(const Endpoint& inside, const Mapped& m) const {
    for (const auto& [other, theirs] : mappings_) {
      if (other != inside && theirs.outside == m.outside && over(theirs.used) != true) return true;
    }
    return false;
  }

  void from_outside() {
    if (mappings_.empty()) return;
    const auto& [inside, m] = *any_mapping();
    if (is_anothers(inside, m)) return;
    const Endpoint remote = any_remote();
    lab_.d.feed(1, lab_.d.from_gateway(udp(remote, m.outside, pattern(below(100)))),
                static_cast<uint16_t>(below(2)));
    lab_.d.poll();
    const auto got = lab_.received(client_of(inside));
    const auto expected = passes(m, remote);
    if (expected) CPPUNIT_ASSERT_EQUAL_MESSAGE(at_, *expected, got.size() == 1);
    if (!got.empty()) CPPUNIT_ASSERT((ends_of(got[0]) == Ends{remote, inside}));
  }

  void between() {
    if (mappings_.empty()) return;
    const auto& [inside, m] = *any_mapping();
    Client& from = clients_[below(3)];
    const Endpoint source = inside_of(from);
    if (source == inside || is_anothers(inside, m)) return;
    lab_.d.feed(0, lab_.d.tunnelled(from, udp(source, m.outside, pattern(20))),
                static_cast<uint16_t>(below(2)));
    lab_.d.poll();
    const auto got = lab_.received(client_of(inside));
    const auto known = mappings_.find(source);
    if (known != mappings_.end() && over(known->second.used) == false) {
      const auto expected = passes(m, known->second.outside);
      if (expected) CPPUNIT_ASSERT_EQUAL_MESSAGE(at_, *expected, got.size() == 1);
      note_sent(source, m.outside, known->second.outside);
    } else {
      // Which port it has now shows when it sends to a server.
      const Endpoint remote = any_remote();
      const auto sent = lab_.out(from, udp(source, remote, {}));
      CPPUNIT_ASSERT_MESSAGE(at_ + lab_.d.drop_text(), sent.has_value());
      note_sent(source, remote, ends_of(*sent).from);
      note_sent(source, m.outside, ends_of(*sent).from);
    }
  }

  const NatFiltering filtering_;
  std::mt19937 random_;
  NatLab lab_;
  std::vector<Client> clients_;
  std::map<Endpoint, Mapped> mappings_;  // by the end inside
  int mapped_count_ = 0;
  std::string at_;
};

}  // namespace

class NatModelTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(NatModelTest);
  CPPUNIT_TEST(any_history);
  CPPUNIT_TEST_SUITE_END();

 public:
  void any_history() {
    for (const auto filtering :
         {NatFiltering::kEndpointIndependent, NatFiltering::kAddressAndPortDependent}) {
      Model(filtering, kSeedOfModel).run();
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(NatModelTest);

}  // namespace wirelay::dataplane
