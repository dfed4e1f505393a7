// Protects whole bursts through the lane-parallel engines: RFC 8439's texts among others, every
// number of packets of mixed lengths under different keys, one wrong bit in every place, and a
// bounded run of what tests/fuzz/fuzz_aead.cc does without end: random bursts against libsodium.
#include <algorithm>
#include <cstring>
#include <iostream>

#include <cppunit/extensions/HelperMacros.h>
#include <sodium.h>

#include "crypto/aead.h"
#include "crypto/aead_single.h"
#include "crypto/wire.h"
#include "tests/crypto/test_bytes.h"

namespace wirelay::test {

using namespace crypto;

namespace {

// Half a minute's worth; a share of it where every access is checked. People who want more
// than that run tests/fuzz/fuzz_aead.cc.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
constexpr int kRandomBursts = 1'000'000;
#else
constexpr int kRandomBursts = 10'000;
#endif

std::vector<std::unique_ptr<AeadEngine>> lane_engines() {
  std::vector<std::unique_ptr<AeadEngine>> engines;
  for (const EngineInfo& info : list_engines()) {
    if (info.name != "avx512-ifma" && info.name != "avx2") continue;
    if (info.usable) {
      engines.push_back(make_engine(info.name));
    } else {
      std::cout << " not on this processor: " << info.name << ": " << info.reason;
    }
  }
  return engines;
}

/// Packets in one buffer, with what they must become. Memory is kept from burst to burst.
class Burst {
 public:
  explicit Burst(uint64_t seed) : random_(seed) {}

  Random& random() { return random_; }
  std::vector<AeadPacket>& packets() { return packets_; }
  Bytes32& key(size_t i) { return keys_[i]; }

  void make(const std::vector<uint32_t>& lengths) {
    size_t bytes = 0;
    for (const uint32_t length : lengths) bytes += length + kTagBytes;
    plain_.resize(bytes);
    Bytes32 seed;
    fill_random(seed, random_);
    randombytes_buf_deterministic(plain_.data(), bytes, seed.data());
    sealed_.resize(bytes);
    work_ = plain_;
    keys_.resize(lengths.size());
    packets_.clear();
    size_t at = 0;
    for (size_t i = 0; i < lengths.size(); ++i) {
      fill_random(keys_[i], random_);
      const uint64_t counter = random_() >> random_() % 64;
      packets_.push_back({keys_[i].data(), counter, work_.data() + at, lengths[i], false});
      Nonce96 nonce{};
      store_le64(nonce.data() + 4, counter);
      aead_seal(std::span(sealed_).subspan(at, lengths[i] + kTagBytes),
                std::span(plain_).subspan(at, lengths[i]), {}, nonce, keys_[i].data());
      at += lengths[i] + kTagBytes;
    }
  }

  void check_seal(AeadEngine& engine) {
    work_ = plain_;
    engine.seal_burst(packets_);
    if (work_ != sealed_) CPPUNIT_FAIL(describe(engine));
  }

  void check_open(AeadEngine& engine) {
    work_ = sealed_;
    engine.open_burst(packets_);
    for (const AeadPacket& packet : packets_) {
      const auto at = packet.text - work_.data();
      if (!packet.authentic || std::memcmp(packet.text, plain_.data() + at, packet.length) != 0) {
        CPPUNIT_FAIL(describe(engine));
      }
    }
  }

  /// Puts the sealed bytes back, lets `spoil` do harm to packet `victim`, and opens: it alone
  /// fails.
  template <class Spoil>
  void check_refused(AeadEngine& engine, size_t victim, const Spoil& spoil) {
    work_ = sealed_;
    spoil(packets_[victim]);
    engine.open_burst(packets_);
    for (size_t i = 0; i < packets_.size(); ++i) {
      if (packets_[i].authentic == (i == victim)) CPPUNIT_FAIL(describe(engine));
    }
  }

  /// Every packet whose bit in `forged` is set has a wrong tag: it stays as it came, the others
  /// open.
  void check_forged(AeadEngine& engine, uint64_t forged) {
    work_ = sealed_;
    const auto is_forged = [&](size_t i) { return (forged >> i % 64 & 1) != 0; };
    for (size_t i = 0; i < packets_.size(); ++i) {
      if (is_forged(i)) packets_[i].text[packets_[i].length] ^= 1;
    }
    engine.open_burst(packets_);
    for (size_t i = 0; i < packets_.size(); ++i) {
      const AeadPacket& packet = packets_[i];
      const auto at = packet.text - work_.data();
      const Bytes& wanted = is_forged(i) ? sealed_ : plain_;
      if (packet.authentic == is_forged(i) ||
          std::memcmp(packet.text, wanted.data() + at, packet.length) != 0) {
        CPPUNIT_FAIL(describe(engine));
      }
    }
  }

 private:
  [[nodiscard]] std::string describe(const AeadEngine& engine) const {
    std::string text(engine.name());
    for (const AeadPacket& packet : packets_) text += " " + std::to_string(packet.length);
    return text;
  }

  Random random_;
  Bytes plain_, sealed_, work_;
  std::vector<Bytes32> keys_;
  std::vector<AeadPacket> packets_;
};

/// Lengths as traffic has them and as the lanes dislike them.
std::vector<uint32_t> random_lengths(size_t count, Random& random) {
  std::vector<uint32_t> lengths(count);
  const uint64_t kind = random() % 64;
  for (uint32_t& length : lengths) {
    if (kind == 0) {
      length = static_cast<uint32_t>(random() % 2100);
    } else if (kind < 4) {
      length = random() % 4 == 0 ? 576 : 64;
    } else if (kind < 6) {
      length = static_cast<uint32_t>(random() % 16 == 0 ? random() % 1500 : random() % 20);
    } else if (kind < 8) {
      length = 128;
    } else {
      length = static_cast<uint32_t>(random() % 140);
    }
  }
  return lengths;
}

}  // namespace

class AeadLanesBurstTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(AeadLanesBurstTest);
  CPPUNIT_TEST(rfc_text_among_others);
  CPPUNIT_TEST(every_length);
  CPPUNIT_TEST(every_number_of_packets);
  CPPUNIT_TEST(more_blocks_than_a_plan_has_room_for);
  CPPUNIT_TEST(ends_of_counters);
  CPPUNIT_TEST(every_bit);
  CPPUNIT_TEST(forged_packets_stay_as_they_came);
  CPPUNIT_TEST(random_bursts);
  CPPUNIT_TEST_SUITE_END();

  /// RFC 8439, section 2.4.2: the cipher alone; the tag is compared with libsodium's elsewhere.
  void rfc_text_among_others() {
    const std::string text =
        "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the "
        "future, sunscreen would be it.";
    const std::string expected =
        "6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0b"
        "f91b65c5524733ab8f593dabcd62b3571639d624e65152ab8f530c359f0861d8"
        "07ca0dbf500d6a6156a38e088a22b65e52bc514d16ccf806818ce91ab7793736"
        "5af90bbf74a35be6b40b8eedf2785e42874d";
    const Bytes key = sequence(32);
    for (const auto& engine : lane_engines()) {
      Burst burst(51);
      burst.make(std::vector<uint32_t>(32, static_cast<uint32_t>(text.size())));
      for (size_t i = 0; i < 32; i += 3) {
        AeadPacket& packet = burst.packets()[i];
        packet.key = key.data();
        packet.counter = 0x4a000000;
        std::copy(text.begin(), text.end(), packet.text);
      }
      engine->seal_burst(burst.packets());
      for (size_t i = 0; i < 32; i += 3) {
        const AeadPacket& packet = burst.packets()[i];
        CPPUNIT_ASSERT_EQUAL(expected, to_hex(std::span(packet.text, packet.length)));
      }
    }
  }

  void every_length() {
    const auto engines = lane_engines();
    Burst burst(52);
    for (uint32_t length = 0; length <= 9000; length += length < 2100 ? 1 : 61) {
      burst.make(std::vector<uint32_t>(8, length));
      for (const auto& engine : engines) {
        burst.check_seal(*engine);
        burst.check_open(*engine);
      }
    }
  }

  void every_number_of_packets() {
    const auto engines = lane_engines();
    Burst burst(53);
    for (size_t count = 1; count <= 64; ++count) {
      for (int round = 0; round < 40; ++round) {
        auto lengths = random_lengths(count, burst.random());
        if (round % 8 == 0) lengths[burst.random()() % count] = 9000;
        burst.make(lengths);
        for (const auto& engine : engines) {
          burst.check_seal(*engine);
          burst.check_open(*engine);
        }
      }
    }
  }

  /// They are not decrypted, which would be most of what they cost.
  void forged_packets_stay_as_they_came() {
    const auto engines = lane_engines();
    Burst burst(57);
    for (size_t count = 16; count <= 64; ++count) {
      burst.make(random_lengths(count, burst.random()));
      for (const auto& engine : engines) {
        for (const uint64_t forged : {uint64_t{1}, ~uint64_t{0}, ~uint64_t{1}, burst.random()(),
                                      burst.random()() & burst.random()()}) {
          burst.check_forged(*engine, forged);
        }
        burst.check_open(*engine);
      }
    }
  }

  /// Far longer than packets are: a burst is worked on in parts, and what is too long for any part
  /// goes another way.
  void more_blocks_than_a_plan_has_room_for() {
    Burst burst(56);
    std::vector<uint32_t> mixed(40, 65'535);
    mixed[3] = 400'000;
    mixed[11] = mixed[12] = 0;
    mixed[20] = 64;
    for (const auto& lengths :
         {mixed, std::vector<uint32_t>(32, 65'535), std::vector<uint32_t>(9, 400'000)}) {
      burst.make(lengths);
      for (const auto& engine : lane_engines()) {
        burst.check_seal(*engine);
        burst.check_open(*engine);
      }
    }
  }

  void ends_of_counters() {
    constexpr uint64_t kEnds[] = {0,
                                  1,
                                  0xffff,
                                  UINT32_MAX,
                                  uint64_t{1} << 32,
                                  kRejectAfterMessages - 1,
                                  UINT64_MAX - 1,
                                  UINT64_MAX};
    for (const auto& engine : lane_engines()) {
      Burst burst(54);
      burst.make(std::vector<uint32_t>(std::size(kEnds) * 2, 100));
      auto& packets = burst.packets();
      for (size_t i = 0; i < packets.size(); ++i) packets[i].counter = kEnds[i % std::size(kEnds)];
      std::vector<Bytes> expected;
      for (const AeadPacket& packet : packets) {
        Nonce96 nonce{};
        store_le64(nonce.data() + 4, packet.counter);
        expected.emplace_back(packet.length + kTagBytes);
        aead_seal(expected.back(), std::span(packet.text, packet.length), {}, nonce, packet.key);
      }
      engine->seal_burst(packets);
      for (size_t i = 0; i < packets.size(); ++i) {
        CPPUNIT_ASSERT(std::ranges::equal(
            expected[i], std::span(packets[i].text, packets[i].length + kTagBytes)));
      }
    }
  }

  /// One wrong bit in each place of text, tag, counter and key.
  void every_bit() {
    for (const auto& engine : lane_engines()) {
      Burst burst(55);
      std::vector<uint32_t> lengths(16, 100);
      lengths[3] = 1420;  // in strands
      burst.make(lengths);
      const auto mask = [](size_t bit) { return static_cast<uint8_t>(1u << bit % 8); };
      for (const size_t victim : {size_t{0}, size_t{3}, size_t{15}}) {
        const size_t bytes = lengths[victim] + kTagBytes;
        for (size_t bit = 0; bit < bytes * 8; ++bit) {
          burst.check_refused(*engine, victim, [&](AeadPacket& packet) {
            packet.text[bit / 8] = static_cast<uint8_t>(packet.text[bit / 8] ^ mask(bit));
          });
        }
        for (size_t bit = 0; bit < 64; ++bit) {
          const uint64_t flip = uint64_t{1} << bit;
          burst.check_refused(*engine, victim, [&](AeadPacket& packet) { packet.counter ^= flip; });
          burst.packets()[victim].counter ^= flip;
        }
        for (size_t bit = 0; bit < 256; ++bit) {
          uint8_t& byte = burst.key(victim)[bit / 8];
          burst.check_refused(*engine, victim,
                              [&](AeadPacket&) { byte = static_cast<uint8_t>(byte ^ mask(bit)); });
          byte = static_cast<uint8_t>(byte ^ mask(bit));
        }
      }
      burst.check_open(*engine);
    }
  }

  void random_bursts() {
    const auto engines = lane_engines();
    const uint64_t seed = std::random_device()();
    std::cout << " seed " << seed << std::flush;
    Burst burst(seed);
    for (int round = 0; round < kRandomBursts && !engines.empty(); ++round) {
      Random& random = burst.random();
      burst.make(random_lengths(1 + random() % (random() % 16 == 0 ? 64 : 14), random));
      AeadEngine& engine = *engines[static_cast<size_t>(round) % engines.size()];
      burst.check_seal(engine);
      burst.check_open(engine);
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(AeadLanesBurstTest);

}  // namespace wirelay::test
