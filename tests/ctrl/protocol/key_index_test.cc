// Protects: that a key always finds its own peer, whatever was added and taken away before.
#include "ctrl/protocol/key_index.h"

#include <map>
#include <random>
#include <vector>

#include <cppunit/extensions/HelperMacros.h>

namespace wirelay::test {

using crypto::PublicKey;

class KeyIndexTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(KeyIndexTest);
  CPPUNIT_TEST(agrees_with_a_map);
  CPPUNIT_TEST_SUITE_END();

 public:
  void agrees_with_a_map() {
    constexpr uint32_t kPeers = 2000;
    std::vector<PublicKey> keys(kPeers);
    ctrl::KeyIndex index(&keys, [](const void* all, uint32_t peer) -> const PublicKey& {
      return (*static_cast<const std::vector<PublicKey>*>(all))[peer];
    });
    std::mt19937 random(7);
    std::map<PublicKey, uint32_t> model;
    std::vector<char> present(kPeers);
    uint32_t fresh = 1;  // peers without a key yet have that of all zeros
    for (int step = 0; step < 40000; ++step) {
      const uint32_t peer = random() % kPeers;
      if (present[peer] != 0) {
        index.erase(peer);
        model.erase(keys[peer]);
      } else {
        keys[peer] = key(fresh++);
        index.insert(peer);
        model[keys[peer]] = peer;
      }
      present[peer] = present[peer] == 0;
      const uint32_t asked = random() % kPeers;
      const auto found = index.find(keys[asked]);
      CPPUNIT_ASSERT_EQUAL(present[asked] != 0, found.has_value());
      if (found) CPPUNIT_ASSERT_EQUAL(asked, *found);
    }
    CPPUNIT_ASSERT_EQUAL(model.size(), index.size());
    for (const auto& [k, peer] : model) CPPUNIT_ASSERT_EQUAL(peer, index.find(k).value());
    CPPUNIT_ASSERT(!index.find(key(fresh)));
  }

 private:
  /// Keys that differ in few bits.
  static PublicKey key(uint32_t number) {
    PublicKey out{};
    for (int i = 0; i < 4; ++i) out[28 + i] = static_cast<uint8_t>(number >> 8 * i);
    return out;
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(KeyIndexTest);

}  // namespace wirelay::test
