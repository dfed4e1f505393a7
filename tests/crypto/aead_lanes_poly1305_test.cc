// Protects the Poly1305 kernels on their own, with r and s of our choice: RFC 8439's edge cases,
// and libsodium's tags where limbs are full, where h is at the prime, for r at its clamp, for every
// length, and for packets in strands.
#include <algorithm>
#include <functional>
#include <iostream>

#include <cppunit/extensions/HelperMacros.h>
#include <sodium.h>

#include "crypto/lanes/cpu.h"
#include "crypto/lanes/poly1305_avx2.h"
#include "crypto/lanes/schedule.h"
#include "tests/crypto/test_bytes.h"

namespace wirelay::test {

using namespace crypto;
using namespace crypto::lanes;

namespace {

/// A one-time key, r and s, and a message of text and closing block.
struct Case {
  Bytes key;      // 32 bytes
  Bytes text;     // any length
  Bytes closing;  // 16 bytes
  Bytes tag;      // expected
};

Case with_reference_tag(Bytes key, Bytes text, Bytes closing) {
  Bytes message = text;
  message.resize((text.size() + 15) / 16 * 16);
  message.insert(message.end(), closing.begin(), closing.end());
  Bytes tag(16);
  crypto_onetimeauth(tag.data(), message.data(), message.size(), key.data());
  return {std::move(key), std::move(text), std::move(closing), std::move(tag)};
}

uint64_t word64(const Bytes& bytes, size_t at) {
  uint64_t word = 0;
  for (int i = 7; i >= 0; --i) word = word << 8 | bytes[at + static_cast<size_t>(i)];
  return word;
}

void put_key(const Bytes& key, uint32_t packet, PolyKeys& keys) {
  for (uint32_t w = 0; w < kKeyWords; ++w) {
    keys.word[w][packet] = static_cast<uint32_t>(word64(key, 4 * w & ~7u) >> (w % 2 * 32));
  }
}

Bytes tag_bytes(uint64_t low, uint64_t high) {
  Bytes tag(16);
  for (int i = 0; i < 8; ++i) {
    tag[static_cast<size_t>(i)] = static_cast<uint8_t>(low >> (8 * i));
    tag[static_cast<size_t>(8 + i)] = static_cast<uint8_t>(high >> (8 * i));
  }
  return tag;
}

using Cases = std::vector<Case>;
using Tags = std::vector<Bytes>;

/// The text of a packet: kernels may read the place of the tag behind it, and must not care what it
/// holds.
Bytes with_place_of_tag(Bytes text) {
  text.insert(text.end(), 16, 0xee);
  return text;
}

/// 8 or 16 packets with the same number of chunks, side by side.
Tags tags_ifma(const Cases& cases) {
  static PolyKeys keys;
  static PolyTags tags;
  const auto lanes = static_cast<uint32_t>(cases.size());
  const uint8_t* text[kPolySlots];
  int64_t bytes[kPolySlots];
  uint64_t closing[2][kPolySlots];
  std::vector<Bytes> texts;
  for (uint32_t i = 0; i < lanes; ++i) {
    put_key(cases[i].key, 3 + i, keys);
    texts.push_back(with_place_of_tag(cases[i].text));
    text[i] = texts.back().data();
    bytes[i] = static_cast<int64_t>(cases[i].text.size());
    closing[0][i] = word64(cases[i].closing, 0);
    closing[1][i] = word64(cases[i].closing, 8);
  }
  poly1305_ifma(keys, PolyTexts{text, bytes, {closing[0], closing[1]}, 3, lanes / kPolyLanes},
                tags);
  Tags result;
  for (uint32_t i = 0; i < lanes; ++i) result.push_back(tag_bytes(tags.tag[i][0], tags.tag[i][1]));
  return result;
}

/// Packets of any lengths, in as many groups and strands as the scheduler makes of them. The
/// closing block is set afterwards: a plan's packets have the one of the AEAD.
Tags tags_scheduled(const Cases& cases) {
  static PolyKeys keys;
  static PolyTags tags;
  static TagGroup group;
  std::vector<AeadPacket> packets;
  std::vector<Bytes> texts;
  for (const Case& one : cases) {
    texts.push_back(with_place_of_tag(one.text));
    packets.push_back(
        {nullptr, 0, texts.back().data(), static_cast<uint32_t>(one.text.size()), false});
  }
  static Plan plan;
  AeadPacket* order[kPlanPackets];
  make_plan(packets, plan, order);
  place_packets(order, plan);
  const auto index_of = [&](uint32_t place) {
    return static_cast<size_t>(order[place] - packets.data());
  };
  Tags result(cases.size());
  for (uint32_t i = 0; i < plan.packets; ++i) put_key(cases[index_of(i)].key, i, keys);
  for (uint32_t first = 0; first < plan.packets; first += group.packets) {
    make_tag_group(plan, first, group);
    CPPUNIT_ASSERT(group.packets > 0);
    if (!group.in_strands) {
      uint64_t closing[2][kPolySlots];
      for (uint32_t i = 0; i < group.packets; ++i) {
        for (size_t half = 0; half < 2; ++half) {
          closing[half][i] = word64(cases[index_of(first + i)].closing, 8 * half);
        }
      }
      poly1305_ifma(keys,
                    PolyTexts{plan.text + first,
                              plan.bytes + first,
                              {closing[0], closing[1]},
                              first,
                              group.registers},
                    tags);
    } else {
      for (uint32_t lane = 0; lane < kPolyLanes; ++lane) {
        for (size_t half = 0; half < 2; ++half) {
          const Case& one = cases[index_of(group.strands.packet[lane])];
          group.strands.closing[half][lane] = word64(one.closing, 8 * half);
        }
      }
      poly1305_ifma(keys, group.strands, tags);
    }
    for (uint32_t i = 0; i < group.packets; ++i) {
      const uint64_t* tag = tags.tag[lane_of(group, i)];
      result[index_of(first + i)] = tag_bytes(tag[0], tag[1]);
    }
  }
  return result;
}

Tags tags_avx2(const Cases& cases) {
  static PolyKeys keys;
  Tags result;
  for (size_t first = 0; first < cases.size(); first += kPolyMessages) {
    PolyMessage messages[kPolyMessages];
    uint64_t tags[kPolyMessages][2];
    for (uint32_t i = 0; i < kPolyMessages; ++i) {
      const Case& one = cases[std::min(first + i, cases.size() - 1)];
      put_key(one.key, i, keys);
      messages[i] = {one.text.data(),
                     static_cast<int64_t>(one.text.size()),
                     {word64(one.closing, 0), word64(one.closing, 8)},
                     i};
    }
    poly1305_avx2(keys, messages, tags);
    for (uint32_t i = 0; i < kPolyMessages && first + i < cases.size(); ++i) {
      result.push_back(tag_bytes(tags[i][0], tags[i][1]));
    }
  }
  return result;
}

struct TagKernel {
  const char* name;
  bool usable;
  bool any_lengths;  // else 8 or 16 messages with as many chunks
  std::function<Tags(const Cases&)> run;
};

std::vector<TagKernel> tag_kernels() {
  return {{"ifma", cpu_has_avx512_ifma(), false, tags_ifma},
          {"ifma as scheduled", cpu_has_avx512_ifma(), true, tags_scheduled},
          {"avx2", cpu_has_avx2(), true, tags_avx2}};
}

void check(const TagKernel& kernel, const Cases& cases) {
  const Tags tags = kernel.run(cases);
  for (size_t i = 0; i < cases.size(); ++i) {
    CPPUNIT_ASSERT_EQUAL_MESSAGE(std::string(kernel.name) + ", message " + std::to_string(i) +
                                     " of " + std::to_string(cases[i].text.size()) + " bytes, r " +
                                     to_hex(std::span(cases[i].key).first(16)),
                                 to_hex(cases[i].tag), to_hex(tags[i]));
  }
}

/// RFC 8439, appendix A.3, messages of whole blocks; the last block is the closing one.
Cases rfc_cases() {
  struct Vector {
    const char *r, *s, *message, *tag;
  };
  constexpr Vector kVectors[] = {
      {"00000000000000000000000000000000", "00000000000000000000000000000000",
       "0000000000000000000000000000000000000000000000000000000000000000"
       "0000000000000000000000000000000000000000000000000000000000000000",
       "00000000000000000000000000000000"},
      {"02000000000000000000000000000000", "00000000000000000000000000000000",
       "ffffffffffffffffffffffffffffffff", "03000000000000000000000000000000"},
      {"02000000000000000000000000000000", "ffffffffffffffffffffffffffffffff",
       "02000000000000000000000000000000", "03000000000000000000000000000000"},
      {"01000000000000000000000000000000", "00000000000000000000000000000000",
       "fffffffffffffffffffffffffffffffff0ffffffffffffffffffffffffffffff"
       "11000000000000000000000000000000",
       "05000000000000000000000000000000"},
      {"01000000000000000000000000000000", "00000000000000000000000000000000",
       "fffffffffffffffffffffffffffffffffbfefefefefefefefefefefefefefefe"
       "01010101010101010101010101010101",
       "00000000000000000000000000000000"},
      {"02000000000000000000000000000000", "00000000000000000000000000000000",
       "fdffffffffffffffffffffffffffffff", "faffffffffffffffffffffffffffffff"},
      {"01000000000000000400000000000000", "00000000000000000000000000000000",
       "e33594d7505e43b900000000000000003394d7505e4379cd0100000000000000"
       "0000000000000000000000000000000001000000000000000000000000000000",
       "14000000000000005500000000000000"},
      {"01000000000000000400000000000000", "00000000000000000000000000000000",
       "e33594d7505e43b900000000000000003394d7505e4379cd0100000000000000"
       "00000000000000000000000000000000",
       "13000000000000000000000000000000"},
  };
  Cases cases;
  for (const Vector& vector : kVectors) {
    Bytes text = from_hex(vector.message);
    const Bytes closing(text.end() - 16, text.end());
    text.resize(text.size() - 16);
    cases.push_back(
        {from_hex(std::string(vector.r) + vector.s), text, closing, from_hex(vector.tag)});
  }
  return cases;
}

/// Blocks and key halves whose limbs are full, empty or just at a carry.
Bytes edge_block(Random& random) {
  Bytes block(16);
  switch (random() % 6) {
    case 0:
      break;
    case 1:
      std::ranges::fill(block, 0xff);
      break;
    case 2:  // around the prime: ...fb to ...ff below ones
      std::ranges::fill(block, 0xff);
      block[0] = static_cast<uint8_t>(0xf0 + random() % 16);
      break;
    case 3:  // one bit
      block[random() % 16] = static_cast<uint8_t>(1u << random() % 8);
      break;
    case 4:  // ones up to some bit
      for (size_t bits = random() % 129, i = 0; i < bits; ++i) {
        block[i / 8] |= static_cast<uint8_t>(1u << i % 8);
      }
      break;
    default:
      fill_random(block, random);
  }
  return block;
}

Case edge_case(size_t text_bytes, Random& random) {
  Bytes key, text;
  for (int half = 0; half < 2; ++half) {
    const Bytes block = edge_block(random);
    key.insert(key.end(), block.begin(), block.end());
  }
  while (text.size() < text_bytes) {
    const Bytes block = edge_block(random);
    text.insert(text.end(), block.begin(), block.end());
  }
  text.resize(text_bytes);
  return with_reference_tag(std::move(key), std::move(text), edge_block(random));
}

}  // namespace

class AeadLanesPoly1305Test : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(AeadLanesPoly1305Test);
  CPPUNIT_TEST(rfc_vectors);
  CPPUNIT_TEST(at_the_prime);
  CPPUNIT_TEST(edges_of_limbs);
  CPPUNIT_TEST(every_length);
  CPPUNIT_TEST(mixed_lengths);
  CPPUNIT_TEST_SUITE_END();

  static void for_each_kernel(const std::function<void(const TagKernel&)>& run) {
    for (const TagKernel& kernel : tag_kernels()) {
      if (kernel.usable) {
        run(kernel);
      } else {
        std::cout << " not on this processor: " << kernel.name;
      }
    }
  }

  void rfc_vectors() {
    const Cases vectors = rfc_cases();
    for_each_kernel([&](const TagKernel& kernel) {
      for (const Case& vector : vectors) check(kernel, Cases(8, vector));
      for (const Case& vector : vectors) check(kernel, Cases(16, vector));
      if (kernel.any_lengths) check(kernel, vectors);
    });
  }

  /// With r = 1, h is the sum of the blocks, and one block more or less moves it across 2^130 - 5.
  void at_the_prime() {
    const Bytes ones(16, 0xff);
    Bytes one_key(32);
    one_key[0] = 1;
    for_each_kernel([&](const TagKernel& kernel) {
      for (int below = 0; below < 16; ++below) {
        // 2^128 + 2^128 - 1, twice, and the closing block: 4 * 2^128 - 2 + what it adds.
        Cases cases;
        for (int lane = 0; lane < 16; ++lane) {
          Bytes text(ones);
          text.insert(text.end(), ones.begin(), ones.end());
          Bytes closing(16);
          closing[0] = static_cast<uint8_t>(lane);
          closing[1] = static_cast<uint8_t>(below);
          text[16] = static_cast<uint8_t>(0xff - below);
          Bytes shorter(text.begin(), text.begin() + 16);
          cases.push_back(with_reference_tag(one_key, lane % 2 == 0 ? text : shorter, closing));
        }
        check(kernel, cases);
      }
    });
  }

  void edges_of_limbs() {
    for_each_kernel([](const TagKernel& kernel) {
      Random random(31);
      for (int round = 0; round < 3000; ++round) {
        const size_t chunks = random() % 6;
        Cases cases;
        for (size_t i = 0, count = 8 << random() % 2; i < count; ++i) {
          const size_t bytes = chunks == 0 ? 0 : chunks * 64 - random() % 64;
          cases.push_back(edge_case(bytes, random));
        }
        check(kernel, cases);
      }
    });
  }

  void every_length() {
    for_each_kernel([](const TagKernel& kernel) {
      Random random(32);
      for (size_t bytes = 0; bytes <= 2100; ++bytes) {
        Cases cases;
        for (int i = 0; i < 8; ++i) cases.push_back(edge_case(bytes, random));
        check(kernel, cases);
      }
    });
  }

  /// From one packet in eight strands to many short ones beside a long one.
  void mixed_lengths() {
    for_each_kernel([](const TagKernel& kernel) {
      if (!kernel.any_lengths) return;
      Random random(33);
      for (size_t count = 1; count <= kPlanPackets; ++count) {
        for (int round = 0; round < 60; ++round) {
          Cases cases;
          const size_t longest = size_t{1} << (4 + random() % 10);
          for (size_t i = 0; i < count; ++i) {
            cases.push_back(edge_case(random() % (random() % 4 == 0 ? longest : 130), random));
          }
          check(kernel, cases);
        }
      }
    });
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(AeadLanesPoly1305Test);

}  // namespace wirelay::test
