// Protects the data path's AEAD: every engine that is usable on this machine seals to the same
// bytes as the reference, opens what is genuine, refuses every forged bit, and touches nothing
// beyond a packet.
#include "crypto/aead.h"

#include <algorithm>
#include <iostream>

#include <cppunit/extensions/HelperMacros.h>

#include "crypto/aead_single.h"
#include "crypto/wire.h"
#include "tests/crypto/test_bytes.h"

namespace wirelay::test {

using namespace crypto;

namespace {

constexpr size_t kGuardBytes = 128;  // on both sides; wider than any vector store
constexpr uint8_t kGuard = 0xa5;

/// One packet in guarded memory at some alignment, with what it must become.
struct GuardedPacket {
  GuardedPacket(uint32_t text_bytes, uint64_t packet_counter, Random& random)
      : counter(packet_counter), plain(text_bytes), offset(kGuardBytes + random() % 64) {
    fill_random(key, random);
    fill_random(plain, random);
    memory.assign(offset + text_bytes + kTagBytes + kGuardBytes, kGuard);
    std::copy(plain.begin(), plain.end(), memory.begin() + offset);
    Nonce96 nonce{};
    store_le64(nonce.data() + 4, counter);
    sealed.resize(text_bytes + kTagBytes);
    aead_seal(sealed, plain, {}, nonce, key.data());
  }

  AeadPacket packet() {
    return {key.data(), counter, memory.data() + offset, static_cast<uint32_t>(plain.size()),
            false};
  }
  std::span<uint8_t> content() { return std::span(memory).subspan(offset, sealed.size()); }
  std::span<uint8_t> text() { return content().first(plain.size()); }
  std::span<uint8_t> tag() { return content().last(kTagBytes); }
  void put_sealed() { std::copy(sealed.begin(), sealed.end(), content().begin()); }
  [[nodiscard]] bool guards_intact() const {
    const auto is_guard = [](uint8_t byte) { return byte == kGuard; };
    return std::all_of(memory.begin(), memory.begin() + offset, is_guard) &&
           std::all_of(memory.begin() + offset + sealed.size(), memory.end(), is_guard);
  }

  Bytes32 key{};
  uint64_t counter;
  Bytes plain, sealed, memory;
  size_t offset;
};

using Batch = std::vector<GuardedPacket>;

std::vector<AeadPacket> packets_of(Batch& batch) {
  std::vector<AeadPacket> packets;
  for (GuardedPacket& guarded : batch) packets.push_back(guarded.packet());
  return packets;
}

std::string at(const AeadEngine& engine, const GuardedPacket& guarded) {
  return std::string(engine.name()) + ", " + std::to_string(guarded.plain.size()) + " bytes";
}

void check_seal(AeadEngine& engine, Batch& batch) {
  auto packets = packets_of(batch);
  engine.seal_burst(packets);
  for (GuardedPacket& guarded : batch) {
    CPPUNIT_ASSERT_MESSAGE(at(engine, guarded),
                           std::ranges::equal(guarded.sealed, guarded.content()));
    CPPUNIT_ASSERT_MESSAGE(at(engine, guarded), guarded.guards_intact());
  }
}

void check_open(AeadEngine& engine, Batch& batch) {
  for (GuardedPacket& guarded : batch) guarded.put_sealed();
  auto packets = packets_of(batch);
  engine.open_burst(packets);
  for (size_t i = 0; i < batch.size(); ++i) {
    GuardedPacket& guarded = batch[i];
    CPPUNIT_ASSERT_MESSAGE(at(engine, guarded), packets[i].authentic);
    CPPUNIT_ASSERT_MESSAGE(at(engine, guarded), std::ranges::equal(guarded.plain, guarded.text()));
    CPPUNIT_ASSERT_MESSAGE(
        at(engine, guarded),
        std::ranges::equal(std::span(guarded.sealed).last(kTagBytes), guarded.tag()));
    CPPUNIT_ASSERT_MESSAGE(at(engine, guarded), guarded.guards_intact());
  }
}

/// Counters that cross each byte of the nonce.
uint64_t some_counter(Random& random) { return random() >> random() % 64; }

Batch random_batch(size_t count, uint32_t longest, Random& random) {
  Batch batch;
  for (size_t i = 0; i < count; ++i) {
    batch.emplace_back(static_cast<uint32_t>(random() % (longest + 1)), some_counter(random),
                       random);
  }
  return batch;
}

}  // namespace

class AeadTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(AeadTest);
  CPPUNIT_TEST(every_length);
  CPPUNIT_TEST(random_batches);
  CPPUNIT_TEST(empty_burst);
  CPPUNIT_TEST(counters);
  CPPUNIT_TEST(forgeries);
  CPPUNIT_TEST(every_tag_bit);
  CPPUNIT_TEST(wycheproof_texts);
  CPPUNIT_TEST_SUITE_END();

  std::vector<std::unique_ptr<AeadEngine>> engines_;

 public:
  void setUp() override {
    for (const EngineInfo& info : list_engines()) {
      if (info.usable) {
        engines_.push_back(make_engine(info.name));
      } else {
        std::cout << " skipped on this machine: " << info.name << ": " << info.reason;
      }
    }
    CPPUNIT_ASSERT(!engines_.empty());
  }

 private:
  void every_length() {
    Random random(7);
    Batch batch;
    for (uint32_t length = 0; length <= 1600; ++length) {
      batch.emplace_back(length, some_counter(random), random);
      if (batch.size() < 64 && length < 1600) continue;
      run_on_all(batch);
      batch.clear();
    }
  }

  void random_batches() {
    Random random(8);
    for (size_t count = 1; count <= 64; ++count) {
      Batch batch = random_batch(count, 9000, random);
      run_on_all(batch);
    }
  }

  void run_on_all(Batch& batch) {
    for (const auto& engine : engines_) {
      for (GuardedPacket& guarded : batch) std::ranges::copy(guarded.plain, guarded.text().begin());
      check_seal(*engine, batch);
      check_open(*engine, batch);
    }
  }

  void empty_burst() {
    for (const auto& engine : engines_) {
      engine->seal_burst({});
      engine->open_burst({});
    }
  }

  void counters() {
    Random random(9);
    Batch batch;
    for (const uint64_t counter :
         {uint64_t{0}, uint64_t{1}, uint64_t{0xff}, uint64_t{1} << 8, uint64_t{UINT32_MAX},
          uint64_t{1} << 32, kRejectAfterMessages - 1, uint64_t{UINT64_MAX}}) {
      batch.emplace_back(100, counter, random);
    }
    run_on_all(batch);
  }

  /// What of a packet is forged; kGenuine packets stand among the others and must still open.
  enum Forgery : uint8_t { kGenuine, kText, kTag, kKey, kCounter, kLength, kForgeries };

  static void forge(Forgery forgery, GuardedPacket& guarded, AeadPacket& packet, Random& random) {
    const auto flip = [&](std::span<uint8_t> bytes) {
      bytes[random() % bytes.size()] ^= static_cast<uint8_t>(1u << random() % 8);
    };
    switch (forgery) {
      case kText:
        flip(guarded.text());
        break;
      case kTag:
        flip(guarded.tag());
        break;
      case kKey:
        flip(guarded.key);
        break;
      case kCounter:
        packet.counter ^= uint64_t{1} << random() % 64;
        break;
      case kLength:  // the last bytes of the text taken for a part of the tag
        packet.length -= 1;
        break;
      default:
        break;
    }
  }

  void forgeries() {
    for (const auto& engine : engines_) {
      Random random(10);
      for (int round = 0; round < 200; ++round) {
        Batch batch = random_batch(1 + random() % 64, round % 4 == 0 ? 9000 : 300, random);
        std::vector<Forgery> kinds;
        for (GuardedPacket& guarded : batch) guarded.put_sealed();
        auto packets = packets_of(batch);
        for (size_t i = 0; i < batch.size(); ++i) {
          const bool empty = batch[i].plain.empty();
          const auto kind = static_cast<Forgery>(random() % kForgeries);
          kinds.push_back(empty && (kind == kText || kind == kLength) ? kTag : kind);
          forge(kinds[i], batch[i], packets[i], random);
          packets[i].authentic = kinds[i] != kGenuine;  // must be set, not left alone
        }
        engine->open_burst(packets);
        for (size_t i = 0; i < batch.size(); ++i) {
          CPPUNIT_ASSERT_EQUAL_MESSAGE(at(*engine, batch[i]), kinds[i] == kGenuine,
                                       packets[i].authentic);
          CPPUNIT_ASSERT(batch[i].guards_intact());
        }
      }
    }
  }

  void every_tag_bit() {
    Random random(11);
    for (const auto& engine : engines_) {
      for (const uint32_t length : {0u, 1u, 64u, 333u}) {
        for (size_t bit = 0; bit < size_t{kTagBytes} * 8; ++bit) {
          GuardedPacket guarded(length, bit, random);
          guarded.put_sealed();
          guarded.tag()[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
          AeadPacket packet = guarded.packet();
          engine->open_burst({&packet, 1});
          CPPUNIT_ASSERT(!packet.authentic);
        }
      }
    }
  }

  /// Wycheproof's nonces and associated data are not of our form; its keys and texts, chosen for
  /// edge cases of the arithmetic, are sealed with the last eight bytes of its nonces as counters.
  void wycheproof_texts() {
    Random random(12);
    Batch batch;
    for_each_wycheproof("chacha20_poly1305_test.json", 96, [&](const Json::Value& test) {
      const Bytes text = from_hex(test["msg"].asString());
      const uint64_t counter = load_le64(from_hex(test["iv"].asString()).data() + 4);
      GuardedPacket guarded(static_cast<uint32_t>(text.size()), counter, random);
      guarded.key = bytes32(test["key"].asString());
      guarded.plain = text;
      Nonce96 nonce{};
      store_le64(nonce.data() + 4, counter);
      aead_seal(guarded.sealed, text, {}, nonce, guarded.key.data());
      const std::string iv = test["iv"].asString();
      if (iv.starts_with("00000000") && test["result"].asString() == "valid") {
        CPPUNIT_ASSERT_EQUAL(test["ct"].asString(),
                             to_hex(std::span(guarded.sealed).first(text.size())));
      }
      batch.push_back(std::move(guarded));
    });
    if (!batch.empty()) run_on_all(batch);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(AeadTest);

}  // namespace wirelay::test
