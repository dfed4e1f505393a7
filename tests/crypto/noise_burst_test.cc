// Protects handshakes in bursts: of any number, each is as it would be alone, both sides get the
// same keys, and a message that is forged, or has a low-order key, is refused without any harm to
// those beside it.
#include <algorithm>
#include <utility>
#include <vector>

#include <cppunit/extensions/HelperMacros.h>

#include "crypto/noise.h"
#include "tests/crypto/test_bytes.h"

namespace wirelay::test {

using namespace crypto;

namespace {

constexpr uint64_t kMoment = 1'700'000'000'000'000'000;

/// Clients of one relay, at whichever step of their handshakes.
struct Crowd {
  explicit Crowd(size_t count) : relay(make_identity(generate_private_key())), clients(count) {
    for (size_t i = 0; i < count; ++i) {
      One& client = clients[i];
      client.self = make_identity(generate_private_key());
      const Secret preshared = i % 2 == 0 ? Secret() : generate_preshared_key();
      client.of_relay = {relay.public_key, {}, preshared};
      client.of_client = {client.self.public_key, {}, preshared};
    }
    std::vector<RemoteOfBurst> remotes;
    for (One& client : clients) {
      remotes.push_back({&client.self, &client.of_relay});
      remotes.push_back({&relay, &client.of_client});
    }
    make_remotes(remotes);
    for (size_t i = 0; i < count; ++i) {
      const One& client = clients[i];
      CPPUNIT_ASSERT(remotes[2 * i].usable && remotes[2 * i + 1].usable);
      CPPUNIT_ASSERT(client.of_relay.static_static.bytes() ==
                     client.of_client.static_static.bytes());
      Secret alone;
      CPPUNIT_ASSERT(x25519(alone, relay.private_key, client.self.public_key));
      CPPUNIT_ASSERT(alone.bytes() == client.of_client.static_static.bytes());
    }
  }

  void initiate() {
    std::vector<InitiationToCreate> burst;
    for (uint32_t i = 0; i < clients.size(); ++i) {
      One& client = clients[i];
      burst.push_back({&client.self, &client.of_relay, 1000 + i,
                       make_timestamp(kMoment + (uint64_t{i} << 24)), &client.initiation,
                       &client.state});
    }
    create_initiations(burst);
    for (const auto& each : burst) CPPUNIT_ASSERT(each.usable);
  }

  std::vector<InitiationToOpen> open() {
    std::vector<InitiationToOpen> burst;
    for (One& client : clients) burst.push_back({&relay, &client.initiation, {}});
    open_initiations(burst);
    for (size_t i = 0; i < clients.size(); ++i) clients[i].opened = burst[i].opened;
    return burst;
  }

  std::vector<InitiationToAuthenticate> authenticate() {
    std::vector<InitiationToAuthenticate> burst;
    for (One& client : clients) {
      burst.push_back({&client.opened.value(), &client.of_client, &client.initiation, {}});
    }
    authenticate_initiations(burst);
    return burst;
  }

  void respond() {
    std::vector<ResponseToCreate> burst;
    for (uint32_t i = 0; i < clients.size(); ++i) {
      One& client = clients[i];
      burst.push_back({&client.opened->state, &client.of_client, 2000 + i, &client.response, {}});
    }
    create_responses(burst);
    for (size_t i = 0; i < clients.size(); ++i) clients[i].relay_keys = burst[i].keys;
  }

  std::vector<ResponseToConsume> finish() {
    std::vector<ResponseToConsume> burst;
    for (One& client : clients) {
      burst.push_back({&client.self, &client.of_relay, &client.state, &client.response, {}});
    }
    consume_responses(burst);
    return burst;
  }

  struct One {
    Identity self;
    RemoteIdentity of_relay, of_client;
    MessageInitiation initiation{};
    MessageResponse response{};
    HandshakeState state;
    std::optional<OpenedInitiation> opened;
    std::optional<TransportKeys> relay_keys;
  };
  Identity relay;
  std::vector<One> clients;
};

void check_keys(const Crowd::One& client, const std::optional<TransportKeys>& keys, uint32_t i) {
  CPPUNIT_ASSERT(keys && client.relay_keys);
  CPPUNIT_ASSERT(keys->send.bytes() == client.relay_keys->receive.bytes());
  CPPUNIT_ASSERT(keys->receive.bytes() == client.relay_keys->send.bytes());
  CPPUNIT_ASSERT(keys->send.bytes() != keys->receive.bytes());
  CPPUNIT_ASSERT(keys->initiator && !client.relay_keys->initiator);
  CPPUNIT_ASSERT_EQUAL(1000 + i, keys->local_index);
  CPPUNIT_ASSERT_EQUAL(2000 + i, keys->remote_index);
  CPPUNIT_ASSERT_EQUAL(2000 + i, client.relay_keys->local_index);
  CPPUNIT_ASSERT_EQUAL(1000 + i, client.relay_keys->remote_index);
}

}  // namespace

class NoiseBurstTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(NoiseBurstTest);
  CPPUNIT_TEST(bursts_of_all_sizes);
  CPPUNIT_TEST(bursts_meet_single_ones);
  CPPUNIT_TEST(forged_initiations_among_others);
  CPPUNIT_TEST(wrong_senders_among_others);
  CPPUNIT_TEST(forged_responses_among_others);
  CPPUNIT_TEST(low_order_keys_among_others);
  CPPUNIT_TEST_SUITE_END();

  void bursts_of_all_sizes() {
    for (const size_t count :
         {size_t{0}, size_t{1}, size_t{2}, size_t{15}, size_t{16}, size_t{17}, size_t{45}}) {
      Crowd crowd(count);
      crowd.initiate();
      const auto opened = crowd.open();
      for (size_t i = 0; i < count; ++i) {
        CPPUNIT_ASSERT(opened[i].opened);
        CPPUNIT_ASSERT(opened[i].opened->claimed_static == crowd.clients[i].self.public_key);
      }
      const auto authentic = crowd.authenticate();
      for (size_t i = 0; i < count; ++i) {
        CPPUNIT_ASSERT(authentic[i].timestamp == make_timestamp(kMoment + (uint64_t{i} << 24)));
      }
      crowd.respond();
      const auto finished = crowd.finish();
      for (uint32_t i = 0; i < count; ++i) {
        check_keys(crowd.clients[i], finished[i].keys, i);
        CPPUNIT_ASSERT(crowd.clients[i].state.ephemeral.is_zero());
        CPPUNIT_ASSERT(crowd.clients[i].opened->state.chaining_key.is_zero());
      }
    }
  }

  /// What a burst begins, the functions for one go on with, and the other way round.
  void bursts_meet_single_ones() {
    Crowd crowd(19);
    crowd.initiate();
    for (Crowd::One& client : crowd.clients) {
      client.opened = open_initiation(crowd.relay, client.initiation);
      CPPUNIT_ASSERT(client.opened);
      CPPUNIT_ASSERT(authenticate_initiation(*client.opened, client.of_client, client.initiation));
    }
    crowd.respond();
    for (uint32_t i = 0; i < crowd.clients.size(); ++i) {
      Crowd::One& client = crowd.clients[i];
      check_keys(client,
                 consume_response(client.self, client.of_relay, client.state, client.response), i);
    }
  }

  void forged_initiations_among_others() {
    Crowd crowd(33);
    crowd.initiate();
    for (size_t i = 0; i < 33; i += 3) crowd.clients[i].initiation.sealed_static[i] ^= 1;
    crowd.clients[4].initiation.header.type = 2;
    const auto opened = crowd.open();
    for (size_t i = 0; i < 33; ++i) {
      CPPUNIT_ASSERT_EQUAL(i % 3 != 0 && i != 4, opened[i].opened.has_value());
    }
  }

  void wrong_senders_among_others() {
    Crowd crowd(18);
    crowd.initiate();
    crowd.open();
    std::swap(crowd.clients[3].of_client, crowd.clients[9].of_client);
    crowd.clients[17].initiation.sealed_timestamp[0] ^= 1;
    const Bytes32 before = crowd.clients[3].opened->state.hash;
    const auto authentic = crowd.authenticate();
    for (size_t i = 0; i < 18; ++i) {
      CPPUNIT_ASSERT_EQUAL(i != 3 && i != 9 && i != 17, authentic[i].timestamp.has_value());
    }
    CPPUNIT_ASSERT(before == crowd.clients[3].opened->state.hash);  // may be tried as another
  }

  void forged_responses_among_others() {
    Crowd crowd(35);
    crowd.initiate();
    crowd.open();
    crowd.authenticate();
    crowd.respond();
    std::vector<MessageResponse> genuine;
    for (Crowd::One& client : crowd.clients) genuine.push_back(client.response);
    for (size_t i = 1; i < 35; i += 2) crowd.clients[i].response.ephemeral[i % 32] ^= 4;
    crowd.clients[8].response.header.type = 1;
    crowd.clients[10].response.receiver[0] ^= 1;
    const auto finished = crowd.finish();
    const auto spoiled = [](size_t i) { return i % 2 == 1 || i == 8 || i == 10; };
    for (uint32_t i = 0; i < 35; ++i) {
      CPPUNIT_ASSERT_EQUAL(!spoiled(i), finished[i].keys.has_value());
      if (!spoiled(i)) check_keys(crowd.clients[i], finished[i].keys, i);
    }
    for (uint32_t i = 0; i < 35; ++i) crowd.clients[i].response = genuine[i];
    const auto again = crowd.finish();  // the genuine ones are taken still, and once only
    for (uint32_t i = 0; i < 35; ++i) {
      CPPUNIT_ASSERT_EQUAL(spoiled(i), again[i].keys.has_value());
      if (spoiled(i)) check_keys(crowd.clients[i], again[i].keys, i);
    }
  }

  void low_order_keys_among_others() {
    const PublicKey low =
        bytes32("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800");
    Crowd crowd(20);
    crowd.clients[5].of_relay.public_key = low;
    std::vector<InitiationToCreate> created;
    for (Crowd::One& client : crowd.clients) {
      created.push_back({&client.self, &client.of_relay, 1, {}, &client.initiation, &client.state});
    }
    create_initiations(created);
    for (size_t i = 0; i < 20; ++i) CPPUNIT_ASSERT_EQUAL(i != 5, created[i].usable);

    crowd.clients[5].of_relay.public_key = crowd.relay.public_key;
    crowd.initiate();
    std::copy(low.begin(), low.end(), crowd.clients[7].initiation.ephemeral);
    const auto opened = crowd.open();
    for (size_t i = 0; i < 20; ++i) CPPUNIT_ASSERT_EQUAL(i != 7, opened[i].opened.has_value());

    crowd.initiate();
    crowd.open();
    crowd.clients[9].opened->state.remote_ephemeral = low;
    crowd.clients[11].of_client.public_key = low;
    crowd.respond();
    for (size_t i = 0; i < 20; ++i) {
      CPPUNIT_ASSERT_EQUAL(i != 9 && i != 11, crowd.clients[i].relay_keys.has_value());
    }
    std::copy(low.begin(), low.end(), crowd.clients[13].response.ephemeral);
    crowd.authenticate();
    CPPUNIT_ASSERT(!crowd.finish()[13].keys);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(NoiseBurstTest);

}  // namespace wirelay::test
