// Protects what is offered: that sizes and clients come in the shares that were asked for, and that
// the same seed gives the same traffic.
#include "tools/relaygen/traffic_mix.h"

#include <cmath>
#include <map>

#include <cppunit/extensions/HelperMacros.h>

#include "tools/relaygen/failure.h"

namespace wirelay::relaygen {

namespace {

constexpr uint32_t kDraws = 120'000;

class TrafficMixTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(TrafficMixTest);
  CPPUNIT_TEST(imix_comes_in_its_shares);
  CPPUNIT_TEST(weights_count);
  CPPUNIT_TEST(bad_sizes_are_refused);
  CPPUNIT_TEST(round_robin_takes_turns);
  CPPUNIT_TEST(uniform_reaches_all_alike);
  CPPUNIT_TEST(zipf_follows_its_law);
  CPPUNIT_TEST(one_seed_one_sequence);
  CPPUNIT_TEST_SUITE_END();

  static std::map<uint32_t, uint32_t> draw(Spread spread) {
    Random random(1);
    std::map<uint32_t, uint32_t> counts;
    for (uint32_t i = 0; i < kDraws; ++i) ++counts[spread.draw(random)];
    return counts;
  }

  void imix_comes_in_its_shares() {
    const SizeMix imix = SizeMix::parse("imix");
    Random random(1);
    std::map<uint16_t, uint32_t> counts;
    for (uint32_t i = 0; i < kDraws; ++i) ++counts[imix.draw(random)];
    CPPUNIT_ASSERT_EQUAL(size_t{3}, counts.size());
    CPPUNIT_ASSERT_DOUBLES_EQUAL(7.0 / 12, 1.0 * counts[64] / kDraws, 0.01);
    CPPUNIT_ASSERT_DOUBLES_EQUAL(4.0 / 12, 1.0 * counts[576] / kDraws, 0.01);
    CPPUNIT_ASSERT_DOUBLES_EQUAL(1.0 / 12, 1.0 * counts[1420] / kDraws, 0.01);
    CPPUNIT_ASSERT_DOUBLES_EQUAL((64 * 7 + 576 * 4 + 1420) / 12.0, imix.mean(), 1e-9);
    CPPUNIT_ASSERT_EQUAL(uint16_t{1420}, imix.largest());
  }

  void weights_count() {
    const SizeMix mix = SizeMix::parse("100:3+200");
    CPPUNIT_ASSERT_EQUAL(size_t{2}, mix.parts().size());
    CPPUNIT_ASSERT_DOUBLES_EQUAL(0.75, mix.parts()[0].share, 1e-9);
    CPPUNIT_ASSERT_DOUBLES_EQUAL(125, mix.mean(), 1e-9);
    CPPUNIT_ASSERT_EQUAL(std::string("100:3+200"), mix.name());
  }

  void bad_sizes_are_refused() {
    for (const char* text : {"", "63", "9001", "64:0", "64+", "x", "64:1:2", "-64", "64 "}) {
      CPPUNIT_ASSERT_THROW_MESSAGE(text, SizeMix::parse(text), UsageError);
    }
  }

  void round_robin_takes_turns() {
    Spread spread(Spread::Kind::kRoundRobin, 3, 0);
    Random random(1);
    for (const uint32_t expected : {0, 1, 2, 0, 1, 2, 0}) {
      CPPUNIT_ASSERT_EQUAL(expected, spread.draw(random));
    }
  }

  void uniform_reaches_all_alike() {
    const auto counts = draw({Spread::Kind::kUniform, 100, 0});
    CPPUNIT_ASSERT_EQUAL(size_t{100}, counts.size());
    for (const auto& [client, count] : counts) {
      CPPUNIT_ASSERT_DOUBLES_EQUAL(kDraws / 100.0, count, 6 * std::sqrt(kDraws / 100.0));
    }
  }

  void zipf_follows_its_law() {
    auto counts = draw({Spread::Kind::kZipf, 50, 1});
    double harmonic = 0;
    for (int k = 1; k <= 50; ++k) harmonic += 1.0 / k;
    for (const uint32_t client : {0u, 1u, 9u, 49u}) {
      const double expected = kDraws / harmonic / (client + 1);
      CPPUNIT_ASSERT_DOUBLES_EQUAL(expected, counts[client], 6 * std::sqrt(expected));
    }
    CPPUNIT_ASSERT(counts.rbegin()->first < 50);
  }

  void one_seed_one_sequence() {
    Random a(7), b(7), other(8);
    bool differs = false;
    for (int i = 0; i < 100; ++i) {
      const uint64_t drawn = a.next();
      CPPUNIT_ASSERT_EQUAL(drawn, b.next());
      differs = differs || drawn != other.next();
    }
    CPPUNIT_ASSERT(differs);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(TrafficMixTest);

}  // namespace

}  // namespace wirelay::relaygen
