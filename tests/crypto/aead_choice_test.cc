// Protects the choice of an engine: "auto" takes the cheapest of the usable ones, names that do not
// exist are refused with those that do, and the self-test, which keeps a broken engine from the
// packets, does find faults.
#include <algorithm>
#include <stdexcept>

#include <cppunit/extensions/HelperMacros.h>

#include "crypto/aead.h"
#include "crypto/aead_calibration.h"
#include "crypto/aead_engines.h"

namespace wirelay::test {

using namespace crypto;

namespace {

/// An engine with one fault, around the reference.
class FaultyEngine : public AeadEngine {
 public:
  enum class Fault { kNone, kSealedBit, kAcceptsAll, kRefusesAll, kOpensToOther, kWrongCounter };
  explicit FaultyEngine(Fault fault) : fault_(fault) {}

  [[nodiscard]] std::string_view name() const noexcept override { return "faulty"; }
  void seal_burst(std::span<AeadPacket> packets) noexcept override {
    if (fault_ == Fault::kWrongCounter) truncate_counters(packets);
    reference_->seal_burst(packets);
    if (fault_ == Fault::kSealedBit) packets.back().text[packets.back().length] ^= 1;
  }
  void open_burst(std::span<AeadPacket> packets) noexcept override {
    if (fault_ == Fault::kWrongCounter) truncate_counters(packets);
    reference_->open_burst(packets);
    for (AeadPacket& packet : packets) {
      if (fault_ == Fault::kAcceptsAll) packet.authentic = true;
      if (fault_ == Fault::kRefusesAll) packet.authentic = false;
    }
    if (fault_ == Fault::kOpensToOther && packets.back().length > 0) packets.back().text[0] ^= 1;
  }

 private:
  static void truncate_counters(std::span<AeadPacket> packets) noexcept {
    for (AeadPacket& packet : packets) packet.counter &= UINT32_MAX;
  }
  Fault fault_;
  std::unique_ptr<AeadEngine> reference_ = make_engine("libsodium");
};

}  // namespace

class AeadChoiceTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(AeadChoiceTest);
  CPPUNIT_TEST(list_and_choice);
  CPPUNIT_TEST(self_test_finds_faults);
  CPPUNIT_TEST(cost_is_judged_over_all_sizes);
  CPPUNIT_TEST_SUITE_END();

  void list_and_choice() {
    const auto infos = list_engines();
    CPPUNIT_ASSERT_EQUAL(std::string("libsodium"), infos.back().name);
    CPPUNIT_ASSERT(infos.back().usable);
    const EngineInfo chosen = choose_engine("auto");
    CPPUNIT_ASSERT(std::ranges::any_of(infos, [&chosen](const EngineInfo& info) {
      return info.usable && info.name == chosen.name;
    }));
    CPPUNIT_ASSERT(chosen.reason.find("bytes in") != std::string::npos);  // its figures
    for (const EngineInfo& info : infos) {
      CPPUNIT_ASSERT(!info.reason.empty());
      if (info.usable) {
        CPPUNIT_ASSERT_EQUAL(info.name, choose_engine(info.name).name);
        CPPUNIT_ASSERT_EQUAL(info.name, std::string(make_engine(info.name)->name()));
      } else {
        CPPUNIT_ASSERT_THROW(choose_engine(info.name), std::runtime_error);
      }
    }
    CPPUNIT_ASSERT_THROW(make_engine("no such engine"), std::runtime_error);
    try {
      choose_engine("no such engine");
      CPPUNIT_FAIL("chose an engine that does not exist");
    } catch (const std::runtime_error& error) {
      const std::string message = error.what();
      CPPUNIT_ASSERT(message.find("no such engine") != std::string::npos);
      CPPUNIT_ASSERT(message.find("libsodium") != std::string::npos);
    }
  }

  void cost_is_judged_over_all_sizes() {
    const EngineCost best = {10, 100, 200};
    CPPUNIT_ASSERT_EQUAL(1.0, relative_cost(best, best));
    CPPUNIT_ASSERT_EQUAL(2.0, relative_cost({20, 200, 400}, best));
    // Four times as dear for small packets weighs more than a tenth for large ones.
    CPPUNIT_ASSERT(relative_cost({40, 100, 200}, best) > relative_cost({10, 110, 220}, best));
    CPPUNIT_ASSERT_EQUAL(std::string("64/576/1420 bytes in 10/100/200 ns"), to_text(best));
  }

  void self_test_finds_faults() {
    using Fault = FaultyEngine::Fault;
    FaultyEngine sound(Fault::kNone);
    CPPUNIT_ASSERT_EQUAL(std::string(), self_test(sound));
    for (const Fault fault : {Fault::kSealedBit, Fault::kAcceptsAll, Fault::kRefusesAll,
                              Fault::kOpensToOther, Fault::kWrongCounter}) {
      FaultyEngine faulty(fault);
      CPPUNIT_ASSERT_MESSAGE(std::to_string(static_cast<int>(fault)), !self_test(faulty).empty());
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(AeadChoiceTest);

}  // namespace wirelay::test
