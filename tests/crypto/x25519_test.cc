// Protects X25519 in lanes: every engine gives RFC 7748's answers and Wycheproof's, agrees with
// libsodium for points and scalars of all kinds in bursts of all sizes, refuses low-order points
// alone, touches nothing but what it should, and leaves no secret behind; and the self-test, which
// keeps a broken engine from handshakes, does find faults.
#include "crypto/x25519.h"

#include <algorithm>
#include <cstring>
#include <iostream>
#include <memory>
#include <stdexcept>

#include <cppunit/extensions/HelperMacros.h>
#include <sodium.h>

#include "crypto/keys.h"
#include "crypto/x25519_engines.h"
#include "tests/crypto/private_stack.h"
#include "tests/crypto/test_bytes.h"

namespace wirelay::test {

using namespace crypto;

namespace {

std::vector<const X25519Engine*> usable_x25519_engines() {
  std::vector<const X25519Engine*> engines;
  for (const EngineInfo& info : list_x25519_engines()) {
    if (info.usable) {
      engines.push_back(&find_x25519_engine(info.name));
    } else {
      std::cout << " not on this processor: " << info.name;
    }
  }
  return engines;
}

/// A burst whose memory is its own; a point may be absent, for the base point.
struct X25519Burst {
  void add(const Bytes32& scalar, const std::optional<Bytes32>& point) {
    scalars.push_back(std::make_unique<Bytes32>(scalar));
    points.push_back(point ? std::make_unique<Bytes32>(*point) : nullptr);
    outs.push_back(std::make_unique<Bytes32>());
    jobs.push_back({scalars.back()->data(), point ? points.back()->data() : nullptr,
                    outs.back()->data(), false});
  }
  std::vector<std::unique_ptr<Bytes32>> scalars, points, outs;
  std::vector<X25519Job> jobs;
};

/// What libsodium makes of it; nullopt for a low-order point.
std::optional<Bytes32> expected_of(const X25519Job& job) {
  Bytes32 out{};
  const int failed = job.point == nullptr ? crypto_scalarmult_base(out.data(), job.scalar)
                                          : crypto_scalarmult(out.data(), job.scalar, job.point);
  return failed != 0 ? std::nullopt : std::optional(out);
}

void check_burst(const X25519Engine& engine, X25519Burst& burst) {
  engine.multiply_burst(burst.jobs);
  for (size_t i = 0; i < burst.jobs.size(); ++i) {
    const std::string what = std::string(engine.name()) + ", " + std::to_string(i) + " of " +
                             std::to_string(burst.jobs.size()) + ": scalar " +
                             to_hex(*burst.scalars[i]) + ", point " +
                             (burst.points[i] ? to_hex(*burst.points[i]) : "base");
    const auto expected = expected_of(burst.jobs[i]);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(what, expected.has_value(), burst.jobs[i].usable);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(what, to_hex(expected.value_or(Bytes32{})),
                                 to_hex(*burst.outs[i]));
  }
}

Bytes32 random_number(Random& random) {
  Bytes32 number;
  fill_random(number, random);
  return number;
}

/// Bytes of long runs of ones and zeros: carries go far.
Bytes32 random_runs(Random& random) {
  Bytes32 number;
  for (size_t i = 0; i < number.size();) {
    const size_t end = std::min<size_t>(i + 1 + random() % 12, number.size());
    const uint8_t byte = random() % 2 == 0 ? 0x00 : 0xff;
    for (; i < end; ++i) number[i] = byte;
  }
  return number;
}

/// 0 to 31, p - 32 to p + 18 (= 2^255 - 1), each with and without the ignored bit.
Bytes32 edge_number(Random& random) {
  Bytes32 number{};
  if (random() % 2 == 0) {
    number[0] = static_cast<uint8_t>(random() % 32);
  } else {
    number.fill(0xff);
    number[0] = static_cast<uint8_t>(0xcd + random() % 51);
    number[31] = 0x7f;
  }
  if (random() % 2 == 0) number[31] |= 0x80;
  return number;
}

Bytes32 any_number(Random& random) {
  switch (random() % 4) {
    case 0:
      return edge_number(random);
    case 1:
      return random_runs(random);
    default:
      return random_number(random);
  }
}

/// An engine with one fault, around the reference.
class FaultyX25519Engine : public X25519Engine {
 public:
  enum class Fault { kNone, kBit, kTakesLowOrder, kTopBit, kNotClamped, kLastOfMany };
  explicit FaultyX25519Engine(Fault fault) : fault_(fault) {}

  [[nodiscard]] std::string_view name() const noexcept override { return "faulty"; }
  void multiply_burst(std::span<X25519Job> jobs) const noexcept override {
    reference_->multiply_burst(jobs);
    for (X25519Job& job : jobs) {
      if (fault_ == Fault::kTakesLowOrder) job.usable = true;
      if (fault_ == Fault::kTopBit && job.point != nullptr && job.point[31] > 0x7f) job.out[0] ^= 1;
      if (fault_ == Fault::kNotClamped && (job.scalar[31] & 0x40) == 0) job.out[0] ^= 1;
    }
    if (fault_ == Fault::kBit) jobs.front().out[7] ^= 1;
    if (fault_ == Fault::kLastOfMany && jobs.size() > 64) jobs.back().out[31] ^= 1;
  }

 private:
  Fault fault_;
  std::unique_ptr<X25519Engine> reference_ = make_sodium_x25519_engine();
};

}  // namespace

class X25519Test : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(X25519Test);
  CPPUNIT_TEST(list_and_choice);
  CPPUNIT_TEST(iterated);
  CPPUNIT_TEST(wycheproof);
  CPPUNIT_TEST(every_size_of_burst);
  CPPUNIT_TEST(numbers_of_all_kinds);
  CPPUNIT_TEST(low_order_points_alone_are_refused);
  CPPUNIT_TEST(every_digit_of_base_scalars);
  CPPUNIT_TEST(unaligned_and_untouched_around);
  CPPUNIT_TEST(no_secret_stays);
  CPPUNIT_TEST(self_test_finds_faults);
  CPPUNIT_TEST_SUITE_END();

  void list_and_choice() {
    const auto infos = list_x25519_engines();
    CPPUNIT_ASSERT_EQUAL(std::string("libsodium"), infos.back().name);
    CPPUNIT_ASSERT(infos.back().usable);
    const EngineInfo& chosen = chosen_x25519_engine();
    CPPUNIT_ASSERT(std::ranges::any_of(infos, [&chosen](const EngineInfo& info) {
      return info.usable && info.name == chosen.name;
    }));
    CPPUNIT_ASSERT(chosen.reason.find("ns a multiplication") != std::string::npos);
    for (const EngineInfo& info : infos) CPPUNIT_ASSERT(!info.reason.empty());
    CPPUNIT_ASSERT_THROW(find_x25519_engine("no such engine"), std::runtime_error);
    X25519Burst burst;
    burst.add(bytes32("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"), {});
    x25519_burst(burst.jobs);
    CPPUNIT_ASSERT_EQUAL(
        std::string("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"),
        to_hex(*burst.outs[0]));
  }

  void iterated() {  // RFC 7748, section 5.2, after 1,000 rounds, in all lanes alike
    for (const X25519Engine* engine : usable_x25519_engines()) {
      constexpr size_t kAlike = 9;
      std::array<Bytes32, kAlike> k{}, u{};
      for (size_t i = 0; i < kAlike; ++i) k[i][0] = u[i][0] = 9;
      for (int round = 0; round < 1000; ++round) {
        std::array<Bytes32, kAlike> next{};
        std::array<X25519Job, kAlike> jobs{};
        for (size_t i = 0; i < kAlike; ++i) {
          jobs[i] = {k[i].data(), u[i].data(), next[i].data(), false};
        }
        // libsodium needs a ninth of the time for one of them.
        const bool alone = engine->name() == "libsodium";
        engine->multiply_burst(std::span(jobs).first(alone ? 1 : kAlike));
        u = k;
        k = next;
        if (alone) k.fill(k[0]);
      }
      for (const Bytes32& last : k) {
        CPPUNIT_ASSERT_EQUAL(
            std::string("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"),
            to_hex(last));
      }
    }
  }

  /// All tests of the file in one burst.
  void wycheproof() {
    for (const X25519Engine* engine : usable_x25519_engines()) {
      X25519Burst burst;
      std::vector<std::pair<std::string, std::string>> expected;
      for_each_wycheproof("x25519_test.json", 0, [&](const Json::Value& test) {
        burst.add(bytes32(test["private"].asString()), bytes32(test["public"].asString()));
        expected.emplace_back("tcId " + test["tcId"].asString(), test["shared"].asString());
      });
      engine->multiply_burst(burst.jobs);
      for (size_t i = 0; i < burst.jobs.size(); ++i) {
        const auto& [id, shared] = expected[i];
        const bool low_order = shared.find_first_not_of('0') == std::string::npos;
        CPPUNIT_ASSERT_EQUAL_MESSAGE(id, !low_order, burst.jobs[i].usable);
        CPPUNIT_ASSERT_EQUAL_MESSAGE(id, shared, to_hex(*burst.outs[i]));
      }
    }
  }

  void every_size_of_burst() {
    Random random(71);
    for (const X25519Engine* engine : usable_x25519_engines()) {
      for (size_t size = 0; size <= 80; size += size < 20 ? 1 : 7) {
        X25519Burst burst;
        for (size_t i = 0; i < size; ++i) {
          const bool base = random() % 3 == 0;
          burst.add(random_number(random),
                    base ? std::nullopt : std::optional(random_number(random)));
        }
        check_burst(*engine, burst);
      }
    }
  }

  void numbers_of_all_kinds() {
    Random random(72);
    for (const X25519Engine* engine : usable_x25519_engines()) {
      if (engine->name() == "libsodium") continue;  // with itself
      for (int round = 0; round < 40; ++round) {
        X25519Burst burst;
        for (size_t i = 0; i < 64; ++i) {
          const Bytes32 scalar = any_number(random);
          burst.add(scalar, i % 4 == 3 ? std::nullopt : std::optional(any_number(random)));
        }
        check_burst(*engine, burst);
      }
    }
  }

  /// In every place of a burst, beside points that are not.
  void low_order_points_alone_are_refused() {
    const char* points[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",  // 0
        "0100000000000000000000000000000000000000000000000000000000000000",  // 1
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",  // order 8
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",  // order 8
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  // p - 1
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  // p
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  // p + 1
    };
    Random random(73);
    for (const X25519Engine* engine : usable_x25519_engines()) {
      for (size_t place = 0; place < 17; ++place) {
        X25519Burst burst;
        Bytes32 low = bytes32(points[place % std::size(points)]);
        if (place % 2 == 1) low[31] |= 0x80;
        for (size_t i = 0; i < 17; ++i) {
          burst.add(random_number(random), i == place ? low : random_number(random));
        }
        for (auto& out : burst.outs) out->fill(0xa5);
        check_burst(*engine, burst);
        CPPUNIT_ASSERT(!burst.jobs[place].usable && *burst.outs[place] == Bytes32{});
      }
    }
  }

  /// Base multiplications go digit by digit: each value of each digit, with a carry into it and
  /// without.
  void every_digit_of_base_scalars() {
    for (const X25519Engine* engine : usable_x25519_engines()) {
      if (engine->name() == "libsodium") continue;
      for (size_t digit = 0; digit < 64; ++digit) {
        X25519Burst burst;
        for (int value = 0; value < 16; ++value) {
          for (const uint8_t rest : {0x00, 0x99}) {
            Bytes32 scalar;
            scalar.fill(rest);
            uint8_t& byte = scalar[digit / 2];
            byte = static_cast<uint8_t>(digit % 2 == 0 ? (byte & 0xf0) | value
                                                       : (byte & 0x0f) | value << 4);
            burst.add(scalar, std::nullopt);
          }
        }
        check_burst(*engine, burst);
      }
    }
  }

  void unaligned_and_untouched_around() {
    Random random(74);
    for (const X25519Engine* engine : usable_x25519_engines()) {
      for (size_t shift = 0; shift < 64; shift += 7) {
        constexpr size_t kJobs = 11, kStride = 33;
        std::array<uint8_t, 3 * kJobs * kStride + 64> memory{};
        fill_random(memory, random);
        std::array<X25519Job, kJobs> jobs{};
        for (size_t i = 0; i < kJobs; ++i) {
          uint8_t* at = memory.data() + shift + 3 * i * kStride;
          jobs[i] = {at, i % 4 == 0 ? nullptr : at + kStride, at + 2 * kStride, false};
        }
        auto expected = memory;
        for (const X25519Job& job : jobs) {
          const Bytes32 out = expected_of(job).value();
          std::memcpy(expected.data() + (job.out - memory.data()), out.data(), out.size());
        }
        engine->multiply_burst(jobs);
        CPPUNIT_ASSERT(memory == expected);
      }
    }
  }

  /// What lies on the stack afterwards is the same whatever the secrets were.
  void no_secret_stays() {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // their frames are larger
    for (const X25519Engine* engine : usable_x25519_engines()) {
      if (engine->name() == "libsodium") continue;  // not ours to wipe
      Random random(75);
      PrivateStack stack;
      X25519Burst burst;
      for (size_t i = 0; i < 24; ++i) {
        burst.add(random_number(random),
                  i % 3 == 2 ? std::nullopt : std::optional(random_number(random)));
      }
      Bytes left[2];
      for (Bytes& bytes : left) {  // from one place, so that addresses of ours are alike
        for (const auto& scalar : burst.scalars) *scalar = random_number(random);
        bytes = left_on_stack(stack, *engine, burst);
      }
      CPPUNIT_ASSERT(left[0].size() > 30000 && left[0] == left[1]);
    }
#endif
  }

  /// Below the frame that the engine was called from.
  static Bytes left_on_stack(PrivateStack& stack, const X25519Engine& engine, X25519Burst& burst) {
    const uint8_t* end = nullptr;
    stack.run([&] {
      end = static_cast<const uint8_t*>(__builtin_frame_address(0));
      engine.multiply_burst(burst.jobs);
    });
    return {stack.memory().data(), end};
  }

  void self_test_finds_faults() {
    using Fault = FaultyX25519Engine::Fault;
    CPPUNIT_ASSERT_EQUAL(std::string(), self_test(FaultyX25519Engine(Fault::kNone)));
    for (const Fault fault : {Fault::kBit, Fault::kTakesLowOrder, Fault::kTopBit,
                              Fault::kNotClamped, Fault::kLastOfMany}) {
      CPPUNIT_ASSERT_MESSAGE(std::to_string(static_cast<int>(fault)),
                             !self_test(FaultyX25519Engine(fault)).empty());
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(X25519Test);

}  // namespace wirelay::test
